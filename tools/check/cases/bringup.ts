// SPDX-License-Identifier: GPL-2.0-only
// Bring-up: from whatever state the hardware is in to one that translates, in an order that never lets anything through.

import { NO_PASID } from '#hw/iommu/iommu.js';
import type { TestMaster } from '#hw/misc/test-master.js';
import { BOTH, type Case, type Need } from '../case.js';
import { Rig } from '../rig.js';
import { dmaWorks } from './life.js';

const group = 'bring-up';

const FIRMWARE: Need = { lack: 'no firmware is described', met: (d) => d.firmware !== undefined };

/** @rig's board once more, @before having been called with the machine when nothing has run. */
function bootedAfter(
	rig: Rig,
	before: (master: (n: number) => TestMaster, machine: Rig['machine']) => void,
): Rig {
	rig.end();
	const { description } = rig;
	return new Rig(
		{
			...description,
			board: (options) => {
				const machine = description.board(options);
				before((n) => machine.model(description.masters[n]) as TestMaster, machine);
				return machine;
			},
		},
		rig.options,
		rig.heard,
	);
}

/** Translation works from the first mapping on. */
function works(rig: Rig): void {
	rig.clean('the boot');
	for (const n of rig.sharers) {
		rig.equal(
			`the hardware's state for ${rig.master(n)}`,
			rig.iommuOf(n).state(rig.stream(n), NO_PASID),
			'translate',
		);
		dmaWorks(rig, n);
	}
	const domain = rig.attached();
	for (let page = 0; page < 6; page++) rig.access(0, page * rig.page, false, false);
	rig.map(domain, rig.page, rig.memory, 2 * rig.page);
	for (const n of rig.sharers)
		for (let page = 0; page < 4; page++) rig.access(n, page * rig.page, true, page === 1 || page === 2);
}

export const bringup: readonly Case[] = [
	{
		group,
		says: 'the machine boots without a word of failure, and every master is translated',
		blames: 'driver',
		policies: BOTH,
		everyBoard: true,
		run(rig) {
			const { saidAtBoot } = rig.description;
			const bad = rig.bootLog.filter(
				(line) => /\b(fail|error|timed out|cannot|couldn't)/i.test(line) && saidAtBoot?.test(line) !== true,
			);
			rig.holds(`the log of the boot says: ${bad[0]}`, bad.length === 0);
			works(rig);
		},
	},
	{
		group,
		says: 'what firmware has left enabled and cached is gone when the kernel has booted',
		blames: 'driver',
		everyBoard: true,
		needs: [FIRMWARE],
		elsewhere: true,
		run(rig) {
			// Its tables are where the kernel has no memory of its own, or has; nobody counted its clock.
			rig.allowFinding(/found at the access|freed-table|unbalanced/);
			const { firmware } = rig.description;
			const again = bootedAfter(rig, (_master, machine) => firmware!(machine));
			again.settle();
			works(again);
		},
	},
	{
		group,
		says: 'a master that reads from power-on on is refused when the kernel has booted',
		blames: 'driver',
		needs: [{ lack: 'masters are off until they are used', met: (d) => !d.runtimePm }],
		elsewhere: true,
		run(rig) {
			// What it does is nobody's wish.
			rig.allowFinding(/found at the access/);
			const again = bootedAfter(rig, (master) => {
				master(0).stream({ addr: rig.memory, size: 4 * rig.page, write: false, periodNs: 900 });
			});
			const model = again.masters.model(again.master(0));
			const before = model.streamed;
			again.machine.advance(1_000_000);
			again.equal('accesses that were let through after the boot', model.streamed - before, 0);
			model.halt();
			again.machine.advance(1_000_000);
			works(again);
		},
	},
	{
		group,
		says: 'interrupts that nobody has raised are not taken for faults',
		blames: 'driver',
		run(rig) {
			const before = rig.machine.interrupts;
			rig.machine.advance(10_000_000);
			rig.equal('interrupts while nothing happens', rig.machine.interrupts - before, 0);
			rig.equal('reports in the log', rig.faults(), []);
		},
	},
];
