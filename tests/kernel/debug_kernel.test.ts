// SPDX-License-Identifier: GPL-2.0-only
// debug_kernel=: one image, which checks itself or does not.
import { expect } from 'chai';
import { parse_early_param } from '#kernel/params.js';
import { kmsg_dump_get_lines } from '#kernel/printk/printk.js';
import { kernel_bug } from '#linux/bug.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { irqs_disabled } from '#linux/irqflags.js';
import { might_sleep } from '#linux/kernel.js';
import { lockdep_assert_not_held } from '#linux/lockdep.js';
import { DEFINE_MUTEX, mutex_lock, mutex_unlock } from '#linux/mutex.js';
import { preempt_count } from '#linux/preempt.js';
import { kfree, kmalloc } from '#linux/slab.js';
import {
	DEFINE_SPINLOCK,
	lockdep_assert_held,
	spin_is_locked,
	spin_lock,
	spin_lock_irqsave,
	spin_trylock,
	spin_unlock,
	spin_unlock_irqrestore,
} from '#linux/spinlock.js';
import { bootFake } from '#tests/fake-machine.js';
import { bootMemory } from '#tests/mm/memory-machine.js';
import { expectWarning } from '#tests/setup.js';

/** What a kernel that checks itself says of each. */
const MISTAKES: readonly [what: string, said: RegExp, make: () => void][] = [
	['an unlock of what is free', /already unlocked/, () => spin_unlock(DEFINE_SPINLOCK('l'))],
	['a lock that nobody holds', /WARNING/, () => lockdep_assert_held(DEFINE_SPINLOCK('l'))],
	[
		'a sleep under a spin lock',
		/sleeping function called/,
		() => {
			const lock = DEFINE_SPINLOCK('l');
			spin_lock(lock);
			might_sleep();
			spin_unlock(lock);
		},
	],
	[
		'a store to what is free',
		/Poison overwritten/,
		() => {
			const freed = kmalloc(64, GFP_KERNEL)!;
			kfree(freed);
			freed[3] = 1;
			kfree(kmalloc(64, GFP_KERNEL));
		},
	],
];

describe('debug_kernel', () => {
	for (const [what, said, make] of MISTAKES) {
		it(`has ${what} reported, unless it is off`, () => {
			bootMemory({ early: () => parse_early_param('slab_debug') });
			expectWarning(said);
			make();
		});

		it(`lets ${what} pass when it is off`, () => {
			bootMemory({ early: () => parse_early_param('slab_debug debug_kernel=off') });
			make();
		});
	}

	it('leaves what locks do as it is', () => {
		const m = bootFake();
		parse_early_param('debug_kernel=off');
		const lock = DEFINE_SPINLOCK('l');
		const flags = spin_lock_irqsave(lock);
		expect([preempt_count(), irqs_disabled(), spin_trylock(lock)]).to.deep.equal([1, true, false]);
		spin_unlock_irqrestore(lock, flags);
		expect([preempt_count(), m.irqs_enabled, spin_is_locked(lock)]).to.deep.equal([0, true, false]);
		const mutex = DEFINE_MUTEX('m');
		mutex_lock(mutex);
		lockdep_assert_not_held(mutex);
		mutex_unlock(mutex);
	});

	it('ends a kernel that takes a lock twice, as it would stand still', () => {
		expectWarning(/spinlock lockup suspected/);
		expectWarning(/Kernel panic/);
		bootFake();
		parse_early_param('debug_kernel=off');
		const lock = DEFINE_SPINLOCK('l');
		spin_lock(lock);
		expect(() => spin_lock(lock)).to.throw(kernel_bug);
	});

	it('is on when nothing, or no boolean, is said', () => {
		expectWarning(/already unlocked/);
		bootFake();
		parse_early_param('debug_kernel debug_kernel=perhaps');
		expect(kmsg_dump_get_lines().join()).to.contain("Malformed early option 'debug_kernel'");
		spin_unlock(DEFINE_SPINLOCK('l'));
	});
});
