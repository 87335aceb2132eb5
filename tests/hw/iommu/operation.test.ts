// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import { habitsOf } from '#hw/iommu/habits.js';
import { Operation } from '#hw/iommu/operation.js';

function bench(late: boolean) {
	const clock = { now: 0 };
	const habits = { ...habitsOf('pessimistic'), lateInvalidation: late, busyNs: 100 };
	const stuck = new Set<string>();
	const done: number[] = [];
	const operation = new Operation('flush', clock, habits, stuck, (bits) => done.push(bits));
	return { clock, stuck, done, operation };
}

describe('iommu_operation', () => {
	it('takes effect when it ends, or when it begins, as the habits have it', () => {
		for (const late of [false, true]) {
			const { clock, done, operation } = bench(late);
			operation.begin(3);
			expect([done, operation.bits]).to.deep.equal([late ? [] : [3], 3]);
			clock.now = 99;
			expect(operation.settle()).to.equal(false);
			clock.now = 100;
			expect([operation.settle(), done, operation.bits]).to.deep.equal([true, [3], 0]);
		}
	});

	it('never ends, and does nothing, while it is stuck', () => {
		const { clock, stuck, done, operation } = bench(true);
		stuck.add('flush');
		operation.begin(1);
		clock.now = 1e9;
		expect([operation.settle(), operation.finish(), done]).to.deep.equal([false, false, []]);
		operation.cancel();
		stuck.clear();
		expect([operation.settle(), done]).to.deep.equal([false, []]);
	});

	it('takes effect after all when it is no longer stuck', () => {
		for (const late of [false, true]) {
			const { clock, stuck, done, operation } = bench(late);
			stuck.add('flush');
			operation.begin(1);
			stuck.clear();
			operation.begin(2);
			clock.now = 1e9;
			expect([operation.settle(), done]).to.deep.equal([true, late ? [3] : [2, 1]]);
		}
	});

	it('ends at once when something waits for it', () => {
		const { done, operation } = bench(true);
		operation.begin(1);
		expect([operation.finish(), done, operation.finish()]).to.deep.equal([true, [1], false]);
	});
});
