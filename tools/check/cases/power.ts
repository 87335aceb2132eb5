// SPDX-License-Identifier: GPL-2.0-only
// Clocks, resets, power: on when translation is on, off when it is not, and what a sleep must not lose.

import { sysfs_write } from '#fs/sysfs/user.js';
import { pm_wq } from '#kernel/power/power.js';
import { pm_runtime_get_sync, pm_runtime_put_sync } from '#linux/pm_runtime.js';
import { flush_workqueue } from '#linux/workqueue.js';
import { setType } from '#tests/drivers/iommu/rig.js';
import { type Case, type Need, PASSTHROUGH, POWER, RUNTIME_PM } from '../case.js';
import { type Rig, shown } from '../rig.js';
import { dmaWorks, leavesNothing } from './life.js';

const group = 'power';

const STATE = '/sys/power/state';
const SEES_POWER: Need = { lack: 'no clock, reset or power domain', met: (d) => d.powered !== undefined };

function use(rig: Rig, n = 0): void {
	rig.equal('pm_runtime_get_sync()', pm_runtime_get_sync(rig.device(n)) >= 0, true);
}

function release(rig: Rig, n = 0): void {
	pm_runtime_put_sync(rig.device(n));
	flush_workqueue(pm_wq);
	rig.machine.advance(1_000_000);
}

/** The interrupts of the IOMMU before master @n. */
function interruptsOf(rig: Rig, n: number): number[] {
	const { name } = rig.iommuOf(n);
	return rig.machine.wires.filter((wire) => wire.name === name).map(({ line }) => line.intid);
}

/** Every access to a register of the IOMMU before master @n, as a line, until @run returns. */
function touched(rig: Rig, n: number, run: () => void): string[] {
	const iommu = rig.iommuOf(n);
	const { read, write } = iommu;
	const seen: string[] = [];
	iommu.read = (offset, ...rest) => {
		seen.push(`read of ${shown(offset)}`);
		return read.call(iommu, offset, ...rest);
	};
	iommu.write = (offset, ...rest) => {
		seen.push(`write to ${shown(offset)}`);
		write.call(iommu, offset, ...rest);
	};
	run();
	Object.assign(iommu, { read, write });
	return seen;
}

export const power: readonly Case[] = [
	{
		group,
		says: 'the block has its clock, and is out of reset, while it translates, and not while it does not',
		blames: 'driver',
		needs: [POWER, PASSTHROUGH, SEES_POWER],
		run(rig) {
			const { powered } = rig.description;
			const dev = rig.device(0);
			rig.equal('the block has power while it translates', powered!(rig), true);
			for (let round = 0; round < 3; round++) {
				const domain = rig.attached();
				rig.equal('the block has power with another domain', powered!(rig), true);
				rig.detachAndFree(domain);
			}
			rig.masters.unbind();
			for (let round = 0; round < 3; round++) {
				rig.equal('writing "identity" to the type', setType(dev, 'identity'), 0);
				rig.equal('the block has power while nothing is translated', powered!(rig), false);
				rig.equal('writing "DMA" to the type', setType(dev, 'DMA'), 0);
				rig.equal('the block has power when it translates again', powered!(rig), true);
				rig.access(0, rig.page, true, false);
			}
			rig.masters.bind();
			dmaWorks(rig);
		},
	},
	{
		group,
		says: 'a kernel told to pass DMA through leaves the block without power',
		blames: 'driver',
		needs: [POWER, PASSTHROUGH, SEES_POWER],
		machine: { commandLine: 'iommu.passthrough=1' },
		run(rig) {
			rig.equal('the block has power', rig.description.powered!(rig), false);
			rig.access(0, rig.memory, true, true);
			const domain = rig.attached();
			rig.map(domain, rig.page, rig.memory);
			rig.equal('the block has power with a domain attached', rig.description.powered!(rig), true);
			rig.access(0, rig.page, true, true);
			rig.access(0, rig.memory, false, false);
			rig.detachAndFree(domain);
			rig.equal('the block has power after detaching', rig.description.powered!(rig), false);
			rig.access(0, rig.memory, true, true);
		},
	},
	{
		group,
		says: 'the machine sleeps and wakes, and everything leads where it led',
		blames: 'driver',
		run(rig) {
			const { page } = rig;
			const domain = rig.attached();
			rig.map(domain, page, rig.memory, 2 * page);
			rig.access(0, page, true, true);
			for (const state of ['freeze', 'mem']) {
				rig.equal(`writing "${state}"`, sysfs_write(STATE, state) > 0, true);
				rig.machine.advance(1_000_000);
				rig.leads(domain, page, rig.memory);
				rig.access(0, page, true, true);
				rig.access(0, 3 * page, false, false);
				rig.unmap(domain, 2 * page);
				rig.clean('iommu_unmap() after the sleep');
				rig.access(0, 2 * page, false, false);
				rig.map(domain, 2 * page, rig.memory + page);
				rig.access(0, 2 * page, true, true);
			}
			rig.detachAndFree(domain);
			for (const n of rig.sharers) dmaWorks(rig, n);
		},
	},
	{
		group,
		says: 'what is mapped and unmapped while the block is off holds when it is on',
		blames: 'driver',
		everyBoard: true,
		needs: [RUNTIME_PM],
		run(rig) {
			const { page } = rig;
			const domain = rig.attached();
			rig.map(domain, page, rig.memory, 2 * page);
			for (const i of [1, 2]) rig.access(0, i * page, false, true);
			release(rig);
			rig.unmap(domain, 2 * page);
			rig.map(domain, 3 * page, rig.memory + 4 * page, 2 * page);
			use(rig);
			rig.clean('the resume');
			for (const [i, mapped] of [true, false, true, true, false].entries())
				rig.access(0, (i + 1) * page, true, mapped);
		},
	},
	{
		group,
		says: 'a domain that is attached, or detached, while the block is off is in force, or not, when it is on',
		blames: 'driver',
		needs: [RUNTIME_PM],
		run(rig) {
			const [one, two] = [rig.domain(), rig.domain()];
			rig.map(one, rig.page, rig.memory);
			rig.map(two, 2 * rig.page, rig.memory);
			const seen = (first: boolean, second: boolean): void => {
				use(rig);
				rig.clean('the resume');
				rig.access(0, rig.page, false, first);
				rig.access(0, 2 * rig.page, false, second);
				release(rig);
			};
			release(rig);
			rig.equal('iommu_attach_group()', rig.attach(one), 0);
			seen(true, false);
			rig.equal('iommu_group_replace_domain()', rig.replace(two), 0);
			seen(false, true);
			rig.detach(two);
			seen(false, false);
			use(rig);
		},
	},
	{
		group,
		says: 'runtime suspend and resume, again and again, leave nothing behind',
		blames: 'driver',
		needs: [RUNTIME_PM],
		run(rig) {
			leavesNothing(rig, 'suspending and resuming', () => {
				for (let n = 0; n < rig.count; n++) {
					release(rig, n);
					use(rig, n);
					dmaWorks(rig, n);
				}
			});
		},
	},
	{
		group,
		says: 'an interrupt on its line while the block is suspended touches no register, and leaves it suspended',
		blames: 'driver',
		everyBoard: true,
		needs: [RUNTIME_PM],
		run(rig) {
			const { power } = rig.device(0).iommu!.iommu_dev!.dev!.parent!;
			for (const intid of interruptsOf(rig, 0))
				for (let round = 0; round < 3; round++) {
					// All that are behind it, those without a number, too.
					for (const dev of rig.masters.devices.values()) pm_runtime_put_sync(dev);
					rig.settle();
					const before = power.usage_count.counter;
					rig.within(
						`interrupt ${intid}, of another device or late, while ${rig.iommuOf(0).name} is suspended`,
						() => {
							const seen = touched(rig, 0, () => {
								rig.machine.pulse(intid);
								rig.machine.advance(1_000_000);
							});
							rig.equal(
								'register accesses (the handler has to ask pm_runtime_get_if_active() first, and to return where that is 0)',
								seen,
								[],
							);
							rig.equal(
								"the IOMMU's usage count (a pm_runtime_put() without the get)",
								power.usage_count.counter,
								before,
							);
						},
					);
					for (const dev of rig.masters.devices.values()) pm_runtime_get_sync(dev);
					dmaWorks(rig);
				}
		},
	},
	{
		group,
		says: 'the machine sleeps while masters are off, and they work when they are used',
		blames: 'driver',
		needs: [RUNTIME_PM],
		run(rig) {
			release(rig);
			rig.equal('writing "mem"', sysfs_write(STATE, 'mem') > 0, true);
			use(rig);
			dmaWorks(rig);
		},
	},
];
