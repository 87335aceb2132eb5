// SPDX-License-Identifier: GPL-2.0-only
// How what is seen is graded.
import { expect } from 'chai';
import type { Fault } from '#tests/bugs/fault.js';
import { best, gradeOf, type Seen, seenIn } from '#tests/bugs/seen.js';

const FAULT: Fault = {
	name: 'some/fault',
	blames: 'driver',
	file: 'drivers/iommu/some',
	find: 'a',
	replace: 'b',
	breaks: ['INV-CLEAN', 'INV-SLEEP'],
	from: 'nowhere',
};
const SEEN: Seen = {
	channel: 'finding',
	invariant: 'INV-CLEAN',
	moment: 'return',
	what: 'dirty-table',
	time: 1,
	during: 'a case',
	text: 'BUG: DMASAN: dirty-table',
};

describe('tests_bugs_seen', () => {
	it('wants the right invariant, and wants it as the operation returns', () => {
		expect(gradeOf(FAULT, SEEN)).to.equal('return');
		expect(gradeOf(FAULT, { ...SEEN, moment: 'access' })).to.equal('damage');
		expect(gradeOf(FAULT, { ...SEEN, invariant: 'INV-OWN' })).to.equal('other');
		expect(gradeOf(FAULT, { ...SEEN, channel: 'case', invariant: null, moment: null })).to.equal('symptom');
	});

	it("takes Linux' own checkers at their word", () => {
		const atomic = 'BUG: sleeping function called from invalid context at mm/slub.ts:1';
		expect(seenIn(atomic, 'a case', 1)).to.include({
			channel: 'warning',
			invariant: 'INV-SLEEP',
			moment: 'return',
		});
		const pair = 'DMA-API: m0: device driver frees DMA memory with different size';
		expect(seenIn(pair, 'a case', 1)).to.include({ channel: 'dma-debug', invariant: 'INV-PAIR' });
		expect(gradeOf(FAULT, seenIn(atomic, 'a case', 1))).to.equal('return');
		expect(gradeOf(FAULT, seenIn(pair, 'a case', 1))).to.equal('symptom');
	});

	it('has an assertion of a case for a symptom, whatever it says', () => {
		expect(seenIn('expected 3 to equal 4: nothing is leaked', 'a case', 1)).to.include({ invariant: null });
	});

	it('keeps the best', () => {
		const late: Seen = { ...SEEN, moment: 'quiet' };
		expect(best(FAULT, [{ ...SEEN, invariant: 'INV-OWN' }, late, SEEN])).to.equal(SEEN);
		expect(best(FAULT, [late])).to.equal(late);
		expect(best(FAULT, [])).to.equal(null);
	});
});
