// SPDX-License-Identifier: GPL-2.0-only
// Mutexes.
// Linux 6.12: include/linux/mutex.h
import { INIT_LIST_HEAD } from '#linux/list.js';
import { mutex } from '#linux/mutex_types.js';
import type { bool } from '#linux/types.js';

export {
	mutex_lock,
	mutex_lock_interruptible,
	mutex_lock_killable,
	mutex_lock_nested,
	mutex_trylock,
	mutex_unlock,
} from '#kernel/locking/mutex.js';
export { lockdep_assert_held, lockdep_is_held } from '#linux/lockdep.js';
export { mutex } from '#linux/mutex_types.js';

/** A new mutex (include/linux/mutex.h: DEFINE_MUTEX()). */
export function DEFINE_MUTEX(name: string): mutex {
	return new mutex(name);
}

/** Make @lock free (include/linux/mutex.h: mutex_init()). */
export function mutex_init(lock: mutex, name?: string): void {
	if (name !== undefined) lock.name = name;
	lock.owner = null;
	INIT_LIST_HEAD(lock.wait_list);
}

/** The end of @lock's life (include/linux/mutex.h: mutex_destroy()). */
export function mutex_destroy(_lock: mutex): void {}

/** Whether someone holds it (kernel/locking/mutex.c: mutex_is_locked()). */
export function mutex_is_locked(lock: mutex): bool {
	return lock.owner !== null;
}
