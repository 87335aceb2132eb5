// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import { kernel_bug } from '#linux/bug.js';
import { local_irq_restore, local_irq_save } from '#linux/irqflags.js';
import { might_sleep } from '#linux/kernel.js';
import { in_hardirq, in_interrupt, preempt_count } from '#linux/preempt.js';
import { run_on_cpu, smp_processor_id } from '#linux/smp.js';
import {
	DEFINE_SPINLOCK,
	lockdep_assert_held,
	spin_is_locked,
	spin_lock,
	spin_lock_bh,
	spin_lock_irqsave,
	spin_trylock,
	spin_unlock,
	spin_unlock_bh,
	spin_unlock_irqrestore,
} from '#linux/spinlock.js';
import { bootFake, type FakeMachine } from '#tests/fake-machine.js';
import { expectWarning } from '#tests/setup.js';

describe('spinlock', () => {
	let m: FakeMachine;
	beforeEach(() => {
		m = bootFake(2);
	});

	it('counts preemption while held, and interrupts are as the flags say', () => {
		const lock = DEFINE_SPINLOCK('l');
		const flags = spin_lock_irqsave(lock);
		expect(preempt_count()).to.equal(1);
		expect(m.irqs_enabled).to.equal(false);
		lockdep_assert_held(lock);
		const inner = local_irq_save();
		local_irq_restore(inner);
		expect(m.irqs_enabled).to.equal(false);
		spin_unlock_irqrestore(lock, flags);
		expect(preempt_count()).to.equal(0);
		expect(m.irqs_enabled).to.equal(true);
		expect(spin_is_locked(lock)).to.equal(false);
	});

	it('stops at recursion', () => {
		expectWarning(/spinlock recursion on CPU#0, swapper/);
		expectWarning(/Kernel panic/);
		const lock = DEFINE_SPINLOCK('l');
		spin_lock(lock);
		expect(spin_trylock(lock)).to.equal(false);
		expect(() => spin_lock(lock)).to.throw(kernel_bug);
	});

	it('reports an unlock of a free lock, and one by a stranger', () => {
		expectWarning(/spinlock already unlocked/);
		expectWarning(/spinlock wrong owner on CPU#1/);
		spin_unlock(DEFINE_SPINLOCK('free'));
		const lock = DEFINE_SPINLOCK('taken');
		spin_lock(lock);
		run_on_cpu(1, () => {
			expect(smp_processor_id()).to.equal(1);
			spin_unlock(lock);
		});
	});

	it('reports a lock-up when the other CPU holds the lock', () => {
		expectWarning(/spinlock lockup suspected on CPU#1/);
		expectWarning(/Kernel panic/);
		const lock = DEFINE_SPINLOCK('l');
		spin_lock(lock);
		expect(() => run_on_cpu(1, () => spin_lock(lock))).to.throw(kernel_bug);
		expect(smp_processor_id()).to.equal(0);
	});

	it('reports a lock that is taken in an interrupt and with interrupts on', () => {
		expectWarning(/inconsistent lock state: l/);
		const lock = DEFINE_SPINLOCK('l');
		spin_lock(lock);
		spin_unlock(lock);
		m.raise(() => {
			expect(in_hardirq()).to.equal(true);
			spin_lock(lock);
			spin_unlock(lock);
		});
	});

	it('reports a sleep with the lock held', () => {
		expectWarning(/sleeping function called from invalid context at tests\/kernel\/locking\/spinlock/);
		const lock = DEFINE_SPINLOCK('l');
		spin_lock(lock);
		might_sleep();
		spin_unlock(lock);
	});

	it('keeps softirqs out with _bh, and is a scheduling point', () => {
		const kinds: string[] = [];
		m.onSchedulePoint = (kind) => kinds.push(kind);
		const lock = DEFINE_SPINLOCK('l');
		spin_lock_bh(lock);
		expect(in_interrupt()).to.equal(true);
		spin_unlock_bh(lock);
		expect(in_interrupt()).to.equal(false);
		expect(kinds).to.deep.equal(['lock', 'unlock']);
	});
});
