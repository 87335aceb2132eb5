// SPDX-License-Identifier: GPL-2.0-only
// /proc as `cat` has it.
import { expect } from 'chai';
import { proc_create_single, proc_mkdir } from '#fs/proc/generic.js';
import { proc_read } from '#fs/proc/root.js';
import { seq_puts } from '#fs/seq_file.js';
import { sysfs_readdir, sysfs_stat, sysfs_write } from '#fs/sysfs/user.js';
import { ERR_PTR } from '#linux/err.js';
import { EACCES, ENOENT } from '#linux/errno.js';
import { bootMachine } from '#tests/boot.js';

describe('fs_proc', () => {
	it('has what the kernel knows of addresses, interrupts, memory and its command line', () => {
		const { machine } = bootMachine('main', { commandLine: 'one two=3' });
		expect(sysfs_readdir('/proc')).to.deep.equal(['cmdline', 'interrupts', 'iomem', 'meminfo']);
		expect(machine.command_line).to.match(/ one two=3$/);
		expect(proc_read('/proc/cmdline')).to.equal(`${machine.command_line}\n`);
		// tests/golden/vectors/sysfs.json, "debugfs".
		expect(proc_read('/proc/iomem')).to.contain('\nffc80000-ffc8ffff : ffc80000.iommu iommu@ffc80000\n');
		expect(proc_read('/proc/interrupts')).to.match(/^ +CPU0 +\n/);
		expect(proc_read('/proc/interrupts')).to.match(/ GICv3 182 Level {5}ffc80000\.iommu\n/);
		expect(proc_read('/proc/meminfo')).to.match(/^MemTotal: +\d+ kB\nMemFree: +\d+ kB\n/);
	});

	it('is read-only, and begins anew at each boot', () => {
		bootMachine('main');
		expect(sysfs_stat('/proc/iomem')).to.deep.equal({ type: 'F', mode: 0o444 });
		expect(sysfs_write('/proc/iomem', 'x')).to.equal(-EACCES);
		const dir = proc_mkdir('mine', null);
		proc_create_single('hello', 0, dir, (m) => {
			seq_puts(m, 'hi\n');
			return 0;
		});
		expect(proc_read('/proc/mine/hello')).to.equal('hi\n');
		expect(proc_read('/procs')).to.deep.equal(ERR_PTR(-ENOENT));
		bootMachine('main');
		expect(proc_read('/proc/mine/hello')).to.deep.equal(ERR_PTR(-ENOENT));
	});
});
