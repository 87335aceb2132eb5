// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import type { TestMaster } from '#hw/misc/test-master.js';
import { RAM } from '#tests/hw/board.js';
import { enableIommu, h6, mapPage, unmapPage } from '#tests/hw/h6.js';
import { sanitiserLines } from '#tools/run/report.js';
import { Dmasan } from '#watch/dmasan.js';

describe('tools_run_report', () => {
	it('says that the sanitisers found nothing, or all that they found', () => {
		const machine = h6({});
		const sanitisers = [new Dmasan(machine), new Dmasan(machine)];
		expect(sanitiserLines(sanitisers)).to.deep.equal(['DMASAN watched 2 boots: no finding']);
		enableIommu(machine);
		mapPage(machine, 0x12345000, RAM);
		(machine.model('m3') as TestMaster).fetch(0x12345000, 4);
		unmapPage(machine, 0x12345000);
		(machine.model('m3') as TestMaster).fetch(0x12345000, 4);
		const lines = sanitiserLines(sanitisers);
		expect(lines).to.include('BUG: DMASAN: stale-tlb in read by VE at 0x12345000');
		expect(lines.at(-1)).to.equal('DMASAN watched 2 boots: 1 finding');
	});
});
