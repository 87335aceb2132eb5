// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import fc from 'fast-check';
import { EBUSY, ENOMEM, ENOSPC } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp_types.js';
import {
	ida,
	ida_alloc,
	ida_alloc_max,
	ida_alloc_min,
	ida_destroy,
	ida_free,
	idr,
	idr_alloc,
	idr_find,
	idr_for_each_entry,
	idr_remove,
} from '#linux/idr.js';
import { ref } from '#linux/types.js';
import {
	XA_FLAGS_ALLOC,
	XA_FLAGS_ALLOC1,
	XA_LIMIT,
	XA_MARK_1,
	xa_alloc,
	xa_cmpxchg,
	xa_destroy,
	xa_empty,
	xa_erase,
	xa_err,
	xa_for_each,
	xa_get_mark,
	xa_insert,
	xa_load,
	xa_marked,
	xa_set_mark,
	xa_store,
	xarray,
} from '#linux/xarray.js';
import { slab_fault } from '#mm/failslab.js';
import { slab_live } from '#mm/slub.js';
import { bootFake } from '#tests/fake-machine.js';
import { expectWarning } from '#tests/setup.js';

interface thing {
	readonly n: number;
}

describe('xarray', () => {
	beforeEach(() => {
		bootFake();
	});

	it('behaves as a Map under random stores and erasures, and frees every node', () => {
		const index = fc.oneof(
			fc.nat(200),
			fc.nat(0xfffff),
			fc.nat(2 ** 31 - 1).map((n) => n * 1024),
		);
		fc.assert(
			fc.property(fc.array(fc.tuple(index, fc.boolean()), { maxLength: 80 }), (steps) => {
				const xa = new xarray<thing>();
				const model = new Map<number, thing>();
				for (const [i, store] of steps) {
					const val = store ? { n: i } : null;
					const old = store ? xa_store(xa, i, val, GFP_KERNEL) : xa_erase(xa, i);
					expect(old).to.equal(model.get(i) ?? null);
					if (val === null) model.delete(i);
					else model.set(i, val);
				}
				for (const [i] of steps) expect(xa_load(xa, i)).to.equal(model.get(i) ?? null);
				expect([...xa_for_each(xa)]).to.deep.equal([...model].sort((a, b) => a[0] - b[0]));
				for (const i of model.keys()) xa_erase(xa, i);
				expect(xa_empty(xa)).to.equal(true);
				expect(slab_live()).to.deep.equal({});
			}),
			{ numRuns: 50 },
		);
	});

	it('allocates the lowest free index of a range, and -EBUSY when it is full', () => {
		const xa = new xarray<thing>(XA_FLAGS_ALLOC1);
		const id = new ref(0);
		for (let i = 1; i <= 100; i++) {
			expect(xa_alloc(xa, id, { n: i }, XA_LIMIT(0, 100), GFP_KERNEL)).to.equal(0);
			expect(id.value).to.equal(i);
		}
		expect(xa_alloc(xa, id, { n: 0 }, XA_LIMIT(0, 100), GFP_KERNEL)).to.equal(-EBUSY);
		xa_erase(xa, 70);
		expect(xa_alloc(xa, id, null, XA_LIMIT(0, 100), GFP_KERNEL)).to.equal(0);
		expect(id.value).to.equal(70);
		expect(xa_load(xa, 70)).to.equal(null);
		expect(xa_insert(xa, 70, { n: 1 }, GFP_KERNEL)).to.equal(-EBUSY);
	});

	it('answers -ENOMEM when a node cannot be had, and holds what it held', () => {
		const xa = new xarray<thing>();
		const one = { n: 1 };
		xa_store(xa, 1, one, GFP_KERNEL);
		slab_fault.nth = 2;
		expect(xa_err(xa_store(xa, 1 << 20, { n: 2 }, GFP_KERNEL))).to.equal(-ENOMEM);
		expect(xa_load(xa, 1)).to.equal(one);
		expect(xa_load(xa, 1 << 20)).to.equal(null);
		xa_destroy(xa);
		expect(slab_live()).to.deep.equal({});
	});

	it('carries marks, and exchanges only what is expected', () => {
		const xa = new xarray<thing>();
		const [a, b] = [{ n: 1 }, { n: 2 }];
		xa_store(xa, 5000, a, GFP_KERNEL);
		xa_set_mark(xa, 5000, XA_MARK_1);
		expect(xa_marked(xa, XA_MARK_1)).to.equal(true);
		expect(xa_cmpxchg(xa, 5000, b, null, GFP_KERNEL)).to.equal(a);
		expect(xa_cmpxchg(xa, 5000, a, b, GFP_KERNEL)).to.equal(a);
		expect(xa_load(xa, 5000)).to.equal(b);
		expect(xa_get_mark(xa, 5000, XA_MARK_1)).to.equal(true);
		xa_erase(xa, 5000);
		expect(xa_marked(xa, XA_MARK_1)).to.equal(false);
	});
});

describe('idr', () => {
	beforeEach(() => {
		bootFake();
	});

	it('hands out the lowest free number and takes it back', () => {
		const i = new ida();
		expect([ida_alloc(i, GFP_KERNEL), ida_alloc(i, GFP_KERNEL), ida_alloc(i, GFP_KERNEL)]).to.deep.equal([
			0, 1, 2,
		]);
		ida_free(i, 1);
		expect(ida_alloc(i, GFP_KERNEL)).to.equal(1);
		expect(ida_alloc_min(i, 10, GFP_KERNEL)).to.equal(10);
		expect(ida_alloc_max(i, 2, GFP_KERNEL)).to.equal(-ENOSPC);
		ida_destroy(i);
		expect(slab_live()).to.deep.equal({});
	});

	it('warns when a number is freed that nobody has', () => {
		expectWarning(/ida_free called for id=3 which is not allocated/);
		ida_free(new ida(), 3);
	});

	it('keeps a pointer for each number', () => {
		const i = new idr<thing>();
		const t = { n: 9 };
		expect(idr_alloc(i, t, 4, 6, GFP_KERNEL)).to.equal(4);
		expect(idr_alloc(i, t, 4, 6, GFP_KERNEL)).to.equal(5);
		expect(idr_alloc(i, t, 4, 6, GFP_KERNEL)).to.equal(-ENOSPC);
		expect(idr_find(i, 5)).to.equal(t);
		expect([...idr_for_each_entry(i)].map(([id]) => id)).to.deep.equal([4, 5]);
		expect(idr_remove(i, 4)).to.equal(t);
		expect(idr_find(i, 4)).to.equal(null);
		expect(new xarray<thing>(XA_FLAGS_ALLOC).xa_head).to.equal(null);
	});
});
