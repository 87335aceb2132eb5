// SPDX-License-Identifier: GPL-2.0-only
// Texts and errors as `cat`, `echo >`, `ls` and `readlink` have them.
// Those of Linux 6.12 are in tests/golden/vectors/sysfs.json, "tree".
import { expect } from 'chai';
import { class_register } from '#drivers/base/class.js';
import { dev_set_name, device_add, device_initialize, device_unregister } from '#drivers/base/core.js';
import { platform_bus } from '#drivers/base/platform.js';
import { debugfs_create_bool, debugfs_create_u32 } from '#fs/debugfs/file.js';
import { debugfs_create_dir, debugfs_create_file, debugfs_remove } from '#fs/debugfs/inode.js';
import { kernfs_fop_open, kernfs_fop_read, kernfs_fop_release } from '#fs/kernfs/file.js';
import { DEFINE_SHOW_ATTRIBUTE, seq_printf } from '#fs/seq_file.js';
import { sysfs_create_file, sysfs_emit, sysfs_emit_at } from '#fs/sysfs/file.js';
import { sysfs_add_link_to_group, sysfs_create_group, sysfs_remove_group } from '#fs/sysfs/group.js';
import {
	sysfs_lookup,
	sysfs_read,
	sysfs_readdir,
	sysfs_readlink,
	sysfs_stat,
	sysfs_write,
} from '#fs/sysfs/user.js';
import { kobj_sysfs_ops, kobject_create_and_add, kobject_init_and_add } from '#lib/kobject.js';
import { device } from '#linux/device.js';
import { ERR_PTR, IS_ERR } from '#linux/err.js';
import { EACCES, EEXIST, EINVAL, EISDIR, ENOENT, ENOMEM } from '#linux/errno.js';
import { FMODE_READ } from '#linux/fs.js';
import type { kernfs_node, kernfs_open_file } from '#linux/kernfs.js';
import { kobj_attribute, kobject } from '#linux/kobject.js';
import { slab_live } from '#linux/slab.js';
import { ref } from '#linux/types.js';
import { slab_fault } from '#mm/failslab.js';
import { addDevice, bootDriverCore, makeDevice, ok } from '#tests/drivers/base/boot.js';

function emitting(text: string) {
	return (_k: kobject, _a: kobj_attribute, buf: ref<string>) => sysfs_emit(buf, '%s\n', text);
}

describe('fs_sysfs', () => {
	it('shows and stores an attribute', () => {
		bootDriverCore();
		const k = kobject_create_and_add('k', null)!;
		let written = '';
		const store = (_k: kobject, _a: kobj_attribute, buf: string, count: number): number => {
			written = buf;
			return count;
		};
		expect(sysfs_create_file(k, new kobj_attribute('a', 0o644, emitting('hello'), store))).to.equal(0);
		expect(sysfs_read('/sys/k/a')).to.equal('hello\n');
		expect(sysfs_write('/sys/k/a', 'DMA\n')).to.equal(4);
		expect(written).to.equal('DMA\n');
		expect(sysfs_stat('/sys/k/a')).to.deep.equal({ type: 'F', mode: 0o644 });
	});

	it('asks show() once for each reading from the start, and again after a seek', () => {
		bootDriverCore();
		const k = kobject_create_and_add('k', null)!;
		let shown = 0;
		const show = (_k: kobject, _a: kobj_attribute, buf: ref<string>): number =>
			sysfs_emit(buf, 'show %d\n', ++shown);
		sysfs_create_file(k, new kobj_attribute('a', 0o444, show));
		expect(sysfs_read('/sys/k/a')).to.equal('show 1\n');
		expect(shown).to.equal(1);

		// fs/seq_file.c, seq_read_iter(): the text is made at position 0, and where a reader jumps to.
		const of = kernfs_fop_open(sysfs_lookup('/sys/k/a') as kernfs_node, FMODE_READ) as kernfs_open_file;
		const read = (count: number, off: number): string => {
			const buf = new Uint8Array(count);
			return new TextDecoder().decode(buf.subarray(0, kernfs_fop_read(of, buf, count, off)));
		};
		const pieces: [number, number, string][] = [
			[5, 0, 'show '],
			[5, 5, '2\n'],
			[5, 7, ''],
			[4, 0, 'show'],
			[9, 5, '4\n'],
		];
		for (const [count, off, text] of pieces) expect(read(count, off)).to.equal(text);
		kernfs_fop_release(of);
		expect(shown).to.equal(4);
	});

	it('opens a file by memory that its release gives back', () => {
		bootDriverCore();
		const k = kobject_create_and_add('k', null)!;
		sysfs_create_file(k, new kobj_attribute('a', 0o644, emitting('x'), (_k, _a, _b, n) => n));
		const before = slab_live();
		expect(sysfs_read('/sys/k/a')).to.equal('x\n');
		expect(sysfs_write('/sys/k/a', 'y')).to.equal(1);
		expect(slab_live()).to.deep.equal(before);
	});

	it('gives the memory back also when the file does not let itself be opened', () => {
		bootDriverCore();
		const open = (): number => -EINVAL;
		const dir = debugfs_create_dir('mine', null);
		debugfs_create_file('f', 0o444, dir, null, { open, read: () => 0 });
		const before = slab_live();
		expect(sysfs_read('/sys/kernel/debug/mine/f')).to.equal(ERR_PTR(-EINVAL));
		slab_fault.nth = 1;
		expect(sysfs_read('/sys/kernel/debug/mine/f')).to.equal(ERR_PTR(-ENOMEM));
		slab_fault.nth = 2;
		expect(sysfs_read('/sys/kernel/debug/mine/f')).to.equal(ERR_PTR(-ENOMEM));
		expect(slab_live()).to.deep.equal(before);
	});

	it('answers -EACCES where the mode forbids, also to root', () => {
		bootDriverCore();
		const k = kobject_create_and_add('k', null)!;
		sysfs_create_file(k, new kobj_attribute('ro', 0o444, emitting('x')));
		sysfs_create_file(k, new kobj_attribute('wo', 0o200, null, (_k, _a, _b, n) => n));
		expect(sysfs_write('/sys/k/ro', 'x')).to.equal(-EACCES);
		expect(sysfs_read('/sys/k/wo')).to.equal(ERR_PTR(-EACCES));
	});

	it('answers -ENOENT and -EISDIR for what is not a file', () => {
		bootDriverCore();
		kobject_create_and_add('k', null);
		expect(sysfs_read('/sys/none')).to.equal(ERR_PTR(-ENOENT));
		expect(sysfs_read('/sys/k')).to.equal(ERR_PTR(-EISDIR));
		expect(sysfs_write('/sys/k', '')).to.equal(-EISDIR);
	});

	it('returns -EEXIST for a file that is there', () => {
		bootDriverCore();
		const k = kobject_create_and_add('k', null)!;
		const attr = new kobj_attribute('a', 0o444, emitting('x'));
		sysfs_create_file(k, attr);
		expect(sysfs_create_file(k, attr)).to.equal(-EEXIST);
	});

	it('asks a group which attributes it shows, and with which mode', () => {
		bootDriverCore();
		const k = kobject_create_and_add('k', null)!;
		const attrs = ['a', 'b'].map((name) => new kobj_attribute(name, 0o644, emitting(name)));
		const grp = {
			name: 'g',
			attrs,
			is_visible: (_k: kobject, a: { name: string }) => (a.name === 'a' ? 0o444 : 0),
		};
		expect(sysfs_create_group(k, grp)).to.equal(0);
		expect(sysfs_readdir('/sys/k/g')).to.deep.equal(['a']);
		expect(sysfs_stat('/sys/k/g/a')).to.deep.equal({ type: 'F', mode: 0o444 });
		expect(sysfs_read('/sys/k/g/a')).to.equal('a\n');
		expect(sysfs_add_link_to_group(k, 'g', platform_bus.kobj, 'p')).to.equal(0);
		expect(sysfs_readlink('/sys/k/g/p')).to.equal('../../devices/platform');
		sysfs_remove_group(k, grp);
		expect(sysfs_readdir('/sys/k')).to.deep.equal([]);
	});

	it('makes the files of a ktype, or none of them', () => {
		bootDriverCore();
		const k = new kobject();
		const a = new kobj_attribute('a', 0o444, emitting('x'));
		const type = { sysfs_ops: kobj_sysfs_ops, release: (): void => {}, default_groups: [{ attrs: [a, a] }] };
		expect(kobject_init_and_add(k, type, null, 'k')).to.equal(-EEXIST);
		expect(sysfs_readdir('/sys')).to.not.include('k');
	});

	it('cuts what a show() makes at a page', () => {
		const buf = new ref<string>('');
		expect(sysfs_emit(buf, '%s', 'x'.repeat(5000))).to.equal(4095);
		expect(sysfs_emit_at(buf, 3, '%d\n', 42)).to.equal(3);
		expect(buf.value).to.equal('xxx42\n');
	});

	it('lays a class device out as Linux does', () => {
		bootDriverCore();
		const cls = { name: 'iommu', dev_groups: [{ name: 'devices', attrs: [] }] };
		class_register(cls);
		const parent = makeDevice('ffc80000.iommu', null);
		device_initialize(parent);
		parent.parent = platform_bus;
		device_add(parent);
		const dev = new device();
		device_initialize(dev);
		dev.class = cls;
		dev.parent = parent;
		dev.release = (): void => {};
		dev_set_name(dev, '%s', 'ffc80000.iommu');
		expect(device_add(dev)).to.equal(0);
		const at = '/sys/devices/platform/ffc80000.iommu/iommu/ffc80000.iommu';
		expect(sysfs_readdir(at)).to.deep.equal(['device', 'devices', 'subsystem', 'uevent']);
		expect(sysfs_readlink(`${at}/device`)).to.equal('../../../ffc80000.iommu');
		expect(sysfs_readlink(`${at}/subsystem`)).to.equal('../../../../../class/iommu');
		expect(sysfs_readlink('/sys/class/iommu/ffc80000.iommu')).to.equal(
			'../../devices/platform/ffc80000.iommu/iommu/ffc80000.iommu',
		);
		device_unregister(dev);
		expect(sysfs_readdir('/sys/devices/platform/ffc80000.iommu')).to.deep.equal(['uevent']);
		expect(sysfs_readdir('/sys/class/iommu')).to.deep.equal([]);
	});

	it('walks links and ..', () => {
		bootDriverCore();
		const dev = addDevice('d', null);
		const k = kobject_create_and_add('k', null)!;
		sysfs_create_file(k, new kobj_attribute('a', 0o444, emitting('x')));
		expect(sysfs_read('/sys/devices/d/../../k/a')).to.equal('x\n');
		expect(IS_ERR(sysfs_readdir('/sys/devices/d'))).to.equal(false);
		device_unregister(dev);
		expect(sysfs_readdir('/sys/devices/d')).to.equal(ERR_PTR(-ENOENT));
	});

	it('has debugfs at /sys/kernel/debug', () => {
		bootDriverCore();
		const dir = debugfs_create_dir('mine', null);
		const n = new ref<number>(7);
		debugfs_create_u32('n', 0o644, dir, n);
		debugfs_create_bool('b', 0o644, dir, new ref<boolean>(true));
		debugfs_create_file(
			's',
			0o444,
			dir,
			'data',
			DEFINE_SHOW_ATTRIBUTE((m) => ok(seq_printf(m, 'is %s\n', m.private as string))),
		);
		expect(sysfs_readdir('/sys/kernel/debug')).to.deep.equal(['mine']);
		expect(sysfs_read('/sys/kernel/debug/mine/n')).to.equal('7\n');
		expect(sysfs_write('/sys/kernel/debug/mine/n', '0x10\n')).to.equal(5);
		expect(n.value).to.equal(16);
		expect(sysfs_write('/sys/kernel/debug/mine/n', 'garbage')).to.equal(-EINVAL);
		expect(sysfs_read('/sys/kernel/debug/mine/b')).to.equal('Y\n');
		expect(sysfs_read('/sys/kernel/debug/mine/s')).to.equal('is data\n');
		debugfs_remove(dir);
		expect(sysfs_readdir('/sys/kernel/debug')).to.deep.equal([]);
	});
});
