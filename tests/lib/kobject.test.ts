// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import sinon from 'sinon';
import { sysfs_readdir } from '#fs/sysfs/user.js';
import {
	kobject_add,
	kobject_create_and_add,
	kobject_del,
	kobject_get,
	kobject_get_path,
	kobject_init,
	kobject_init_and_add,
	kobject_put,
	kset_create_and_add,
	kset_find_obj,
} from '#lib/kobject.js';
import { ERR_PTR } from '#linux/err.js';
import { EEXIST, EINVAL, ENOENT } from '#linux/errno.js';
import { kobject } from '#linux/kobject.js';
import { bootDriverCore } from '#tests/drivers/base/boot.js';
import { expectWarning } from '#tests/setup.js';

describe('lib_kobject', () => {
	it('releases once, with the last reference', () => {
		bootDriverCore();
		const release = sinon.spy();
		const k = new kobject();
		expect(kobject_init_and_add(k, { release }, null, '%s%d', 'k', 1)).to.equal(0);
		kobject_get(k);
		kobject_put(k);
		expect(release.called).to.equal(false);
		kobject_put(k);
		expect(release.calledOnce).to.equal(true);
		expect(sysfs_readdir('/sys')).to.not.include('k1');
	});

	it('holds its parent until it goes', () => {
		bootDriverCore();
		const released: string[] = [];
		const type = { release: (k: kobject): void => void released.push(k.name ?? '') };
		const parent = new kobject();
		const child = new kobject();
		kobject_init_and_add(parent, type, null, 'parent');
		kobject_init_and_add(child, type, parent, 'child');
		expect(kobject_get_path(child)).to.equal('/parent/child');
		kobject_put(parent);
		expect(released).to.deep.equal([]);
		kobject_put(child);
		expect(released).to.deep.equal(['child', 'parent']);
	});

	it('returns -EEXIST for a name that is taken, and -EINVAL for none', () => {
		const machine = bootDriverCore();
		const type = { release: (): void => {} };
		const a = new kobject();
		const b = new kobject();
		kobject_init_and_add(a, type, null, 'same');
		expect(kobject_init_and_add(b, type, null, 'same')).to.equal(-EEXIST);
		expect(machine.lines.some((l) => l.includes("sysfs: cannot create duplicate filename '/same'"))).to.equal(
			false,
		);
		expect(machine.lines.some((l) => l.includes("cannot create duplicate filename '//same'"))).to.equal(true);
		kobject_put(b);
		const c = new kobject();
		kobject_init(c, type);
		expect(kobject_add(c, null, '')).to.equal(-EINVAL);
		expectWarning(/attempted to be registered with empty name/);
	});

	it('writes a slash in a name as an exclamation mark', () => {
		bootDriverCore();
		const k = kobject_create_and_add('a/b', null);
		expect(k?.name).to.equal('a!b');
		kobject_put(k);
	});

	it('leaves sysfs at kobject_del() and lives on', () => {
		bootDriverCore();
		const k = kobject_create_and_add('k', null);
		kobject_del(k);
		expect(sysfs_readdir('/sys/k')).to.equal(ERR_PTR(-ENOENT));
		kobject_put(k);
	});

	it('finds a member of a set by name', () => {
		bootDriverCore();
		const set = kset_create_and_add('set', null, null)!;
		const k = new kobject();
		k.kset = set;
		kobject_init_and_add(k, { release: (): void => {} }, null, 'm');
		const found = kset_find_obj(set, 'm');
		expect(found).to.equal(k);
		kobject_put(found);
		expect(kset_find_obj(set, 'n')).to.equal(null);
		expect(sysfs_readdir('/sys/set')).to.deep.equal(['m']);
	});

	it('warns of a put too many', () => {
		bootDriverCore();
		const k = new kobject();
		kobject_init_and_add(k, { release: (): void => {} }, null, 'k');
		kobject_put(k);
		kobject_put(k);
		expectWarning(/underflow|use-after-free/);
	});
});
