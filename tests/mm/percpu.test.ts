// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import { __cpuhp_setup_state, cpuhp_cpu_dead } from '#kernel/cpu.js';
import { cmpxchg, try_cmpxchg } from '#linux/atomic.js';
import {
	CPUHP_IOMMU_IOVA_DEAD,
	cpuhp_setup_state_multi,
	cpuhp_state_add_instance_nocalls,
	cpuhp_state_remove_instance_nocalls,
} from '#linux/cpuhotplug.js';
import { EBUSY, EINVAL } from '#linux/errno.js';
import { kref, kref_get, kref_init, kref_put } from '#linux/kref.js';
import { hlist_node } from '#linux/list.js';
import { alloc_percpu, free_percpu, per_cpu_ptr, this_cpu_ptr } from '#linux/percpu.js';
import { refcount_dec_and_test, refcount_inc, refcount_t } from '#linux/refcount.js';
import { run_on_cpu } from '#linux/smp.js';
import { ref } from '#linux/types.js';
import { slab_live } from '#mm/slub.js';
import { bootFake } from '#tests/fake-machine.js';
import { expectWarning } from '#tests/setup.js';

class counter {
	n = 0;
}

describe('percpu', () => {
	it('has one object for each CPU', () => {
		bootFake(3);
		const p = alloc_percpu(counter)!;
		this_cpu_ptr(p).n = 5;
		run_on_cpu(2, () => {
			this_cpu_ptr(p).n = 7;
		});
		expect([0, 1, 2].map((cpu) => per_cpu_ptr(p, cpu).n)).to.deep.equal([5, 0, 7]);
		free_percpu(p);
		expect(slab_live()).to.deep.equal({});
	});
});

describe('cpu', () => {
	it('runs an instance callback when a CPU dies, while the instance is there', () => {
		bootFake();
		const dead: number[] = [];
		const node = new hlist_node<counter>(new counter());
		expect(
			cpuhp_setup_state_multi<counter>(CPUHP_IOMMU_IOVA_DEAD, 'iommu/iova:dead', null, (cpu, n) => {
				dead.push(cpu, n.container!.n);
				return 0;
			}),
		).to.equal(0);
		expect(__cpuhp_setup_state(CPUHP_IOMMU_IOVA_DEAD, 'again', null, null)).to.equal(-EBUSY);
		expect(cpuhp_state_add_instance_nocalls(CPUHP_IOMMU_IOVA_DEAD, node)).to.equal(0);
		cpuhp_cpu_dead(CPUHP_IOMMU_IOVA_DEAD, 1);
		expect(cpuhp_state_remove_instance_nocalls(CPUHP_IOMMU_IOVA_DEAD, node)).to.equal(0);
		expect(cpuhp_state_remove_instance_nocalls(CPUHP_IOMMU_IOVA_DEAD, node)).to.equal(-EINVAL);
		cpuhp_cpu_dead(CPUHP_IOMMU_IOVA_DEAD, 0);
		expect(dead).to.deep.equal([1, 0]);
	});
});

describe('atomic', () => {
	it('exchanges a word only when it is as expected, and lets others in before', () => {
		const m = bootFake();
		const words = new Uint32Array([1, 2]);
		expect(cmpxchg(words, 1, 2, 9)).to.equal(2);
		const old = new ref(2);
		expect(try_cmpxchg(words, 1, old, 5)).to.equal(false);
		expect(old.value).to.equal(9);
		m.onSchedulePoint = (kind) => {
			if (kind === 'xchg') words[0] = 4;
		};
		expect(cmpxchg(words, 0, 1, 3)).to.equal(4);
		expect([...words]).to.deep.equal([4, 9]);
	});
});

describe('kref', () => {
	it('releases once, when the last reference goes', () => {
		bootFake();
		let released = 0;
		const k = new kref();
		kref_init(k);
		kref_get(k);
		expect(kref_put(k, () => released++)).to.equal(0);
		expect(kref_put(k, () => released++)).to.equal(1);
		expect(released).to.equal(1);
	});

	it('warns at a reference to the dead and at one too few', () => {
		expectWarning(/addition on 0; use-after-free/);
		expectWarning(/underflow; use-after-free/);
		bootFake();
		refcount_inc(new refcount_t(0));
		refcount_dec_and_test(new refcount_t(0));
	});
});
