// SPDX-License-Identifier: GPL-2.0-only
// Chained tables that begin in an array of their caller. Exact: golden scatterlist.json.
import { expect } from 'chai';
import { kernel_bug } from '#kernel/panic.js';
import { sg_nents } from '#lib/scatterlist.js';
import { sg_alloc_table_chained, sg_free_table_chained } from '#lib/sg_pool.js';
import { ENOMEM } from '#linux/errno.js';
import { sg_array, sg_is_last, sg_table } from '#linux/scatterlist.js';
import { bootMachine } from '#tests/boot.js';
import { failEach } from '#tests/fail-each.js';
import { leakCheck } from '#tests/leaks.js';
import { expectWarning } from '#tests/setup.js';

/** A table whose caller has @first entries. */
function own(first: number): sg_table {
	const t = new sg_table();
	t.sgl = first > 0 ? sg_array(first) : null;
	return t;
}

describe('sg_pool', () => {
	beforeEach(() => {
		bootMachine();
	});

	it("needs nothing but the caller's array, when that is enough", () => {
		const check = leakCheck();
		const t = own(4);
		const { sgl } = t;
		expect(sg_alloc_table_chained(t, 3, sgl, 4)).to.equal(0);
		expect([t.sgl, t.nents, t.orig_nents, sg_nents(sgl)]).to.deep.equal([sgl, 3, 3, 3]);
		expect(sg_is_last(sgl!.vec![2]!)).to.equal(true);
		expect(check()).to.deep.equal([]);
		sg_free_table_chained(t, 4);
		expect(t.sgl).to.equal(sgl);
	});

	it('does not use an array that could hold a link only', () => {
		const check = leakCheck();
		const t = own(1);
		const { sgl } = t;
		expect(sg_alloc_table_chained(t, 5, sgl, 1)).to.equal(0);
		expect(t.sgl).to.not.equal(sgl);
		expect(sg_nents(t.sgl)).to.equal(5);
		sg_free_table_chained(t, 1);
		expect(check()).to.deep.equal([]);
	});

	it('stops the machine at a table of no entries', () => {
		expectWarning(/./);
		expect(() => sg_alloc_table_chained(own(0), 0, null, 0)).to.throw(kernel_bug);
	});

	for (const [nents, first] of [
		[1, 0],
		[128, 0],
		[129, 0],
		[300, 0],
		[300, 1],
		[300, 2],
		[300, 64],
	] as const) {
		it(`holds ${nents} entries, ${first} of them in the caller's array, or answers -ENOMEM and keeps nothing`, () => {
			const check = leakCheck();
			const failures = failEach((what) => {
				const t = own(first);
				const ret = sg_alloc_table_chained(t, nents, t.sgl, first);
				if (ret === 0) {
					expect([t.nents, t.orig_nents, sg_nents(t.sgl)]).to.deep.equal([nents, nents, nents]);
					sg_free_table_chained(t, first);
				} else {
					expect(ret, what).to.equal(-ENOMEM);
				}
				expect(check(), what).to.deep.equal([]);
			});
			// Each array but the last has a link in its last entry.
			const left = nents - (first > 1 ? first - 1 : 0);
			expect(failures).to.equal(Math.max(1, Math.ceil((left - 1) / 127)));
		});
	}
});
