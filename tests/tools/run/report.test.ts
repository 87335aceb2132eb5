// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import type { TestMaster } from '#hw/misc/test-master.js';
import { RAM } from '#tests/hw/board.js';
import { enableIommu, h6, mapPage, unmapPage } from '#tests/hw/h6.js';
import { rogueLines, sanitiserLines } from '#tools/run/report.js';
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

	it('shows what a device stole and what it overwrote in hexadecimal and as text, and of one that was stopped nothing', () => {
		const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
		const facts = {
			what: 'read of 0x1000',
			stopped: false,
			stolen: bytes('abcdefghijklmnop\nq'),
			written: 1,
			changed: 1,
			overwritten: { before: bytes('a'), after: bytes('b') },
			log: [],
		};
		expect(rogueLines(facts, [])).to.deep.equal([
			'  read of 0x1000:',
			'    NOT STOPPED; the engine read 18 bytes and wrote 1 byte, 1 byte of memory changed',
			'      stolen  61 62 63 64 65 66 67 68 69 6a 6b 6c 6d 6e 6f 70  abcdefghijklmnop',
			`              0a 71${' '.repeat(42)}  .q`,
			`      before  61${' '.repeat(45)}  a`,
			`      after   62${' '.repeat(45)}  b`,
		]);
		const stopped = { ...facts, stopped: true, stolen: bytes(''), overwritten: null, written: 0, changed: 0 };
		expect(rogueLines(stopped, [])).to.deep.equal([
			'  read of 0x1000:',
			'    stopped; the engine wrote 0 bytes, 0 bytes of memory changed',
		]);
	});
});
