// SPDX-License-Identifier: GPL-2.0-only
// Spin locks.
// Linux 6.12: include/linux/spinlock.h
//
// spin_lock_irqsave() answers the flags; spin_unlock_irqrestore() is given them back.
import {
	_raw_spin_lock,
	_raw_spin_lock_bh,
	_raw_spin_lock_irq,
	_raw_spin_lock_irqsave,
	_raw_spin_trylock,
	_raw_spin_unlock,
	_raw_spin_unlock_bh,
	_raw_spin_unlock_irq,
	_raw_spin_unlock_irqrestore,
} from '#kernel/locking/spinlock.js';
import { BUG_ON } from '#linux/bug.js';
import { local_irq_restore, local_irq_save } from '#linux/irqflags.js';
import { type raw_spinlock, raw_spinlock_t, spinlock_t } from '#linux/spinlock_types.js';
import type { bool, ref, unsigned_long } from '#linux/types.js';

export { lockdep_assert_held, lockdep_is_held } from '#linux/lockdep.js';
export { raw_spinlock_t, rwlock_t, spinlock_t } from '#linux/spinlock_types.js';

/** A new lock (include/linux/spinlock_types.h: DEFINE_SPINLOCK()). */
export function DEFINE_SPINLOCK(name: string): spinlock_t {
	return new spinlock_t(name);
}

/** A new raw lock; make it inside boot_data() (include/linux/spinlock_types_raw.h: DEFINE_RAW_SPINLOCK()). */
export function DEFINE_RAW_SPINLOCK(name: string): raw_spinlock_t {
	return new raw_spinlock_t(name);
}

/** Make @lock free and forget its past (include/linux/spinlock.h: spin_lock_init()). */
export function spin_lock_init(lock: raw_spinlock): void {
	lock.locked = false;
	lock.owner = null;
	lock.owner_cpu = -1;
	lock.usage = 0;
}

export const raw_spin_lock_init = spin_lock_init;

export const spin_lock = _raw_spin_lock;
export const spin_lock_bh = _raw_spin_lock_bh;
export const spin_lock_irq = _raw_spin_lock_irq;
export const spin_lock_irqsave: (lock: raw_spinlock) => unsigned_long = _raw_spin_lock_irqsave;
export const spin_trylock: (lock: raw_spinlock) => bool = _raw_spin_trylock;
export const spin_unlock = _raw_spin_unlock;
export const spin_unlock_bh = _raw_spin_unlock_bh;
export const spin_unlock_irq = _raw_spin_unlock_irq;
export const spin_unlock_irqrestore: (lock: raw_spinlock, flags: unsigned_long) => void =
	_raw_spin_unlock_irqrestore;

export const raw_spin_lock = _raw_spin_lock;
export const raw_spin_lock_irq = _raw_spin_lock_irq;
export const raw_spin_lock_irqsave = spin_lock_irqsave;
export const raw_spin_trylock = spin_trylock;
export const raw_spin_unlock = _raw_spin_unlock;
export const raw_spin_unlock_irq = _raw_spin_unlock_irq;
export const raw_spin_unlock_irqrestore = spin_unlock_irqrestore;

/** Take the lock with interrupts off if it is free (include/linux/spinlock.h: spin_trylock_irqsave()). */
export function spin_trylock_irqsave(lock: raw_spinlock, flags: ref<unsigned_long>): bool {
	flags.value = local_irq_save();
	if (spin_trylock(lock)) return true;
	local_irq_restore(flags.value);
	return false;
}

/** Whether someone holds the lock (include/linux/spinlock.h: spin_is_locked()). */
export function spin_is_locked(lock: raw_spinlock): bool {
	return lock.locked;
}

/** BUG() unless someone holds the lock (include/linux/spinlock.h: assert_spin_locked()). */
export function assert_spin_locked(lock: raw_spinlock): void {
	BUG_ON(!lock.locked);
}
