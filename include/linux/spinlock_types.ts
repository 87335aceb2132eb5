// SPDX-License-Identifier: GPL-2.0-only
// Spin locks: what the lock knows of itself.
// Linux 6.12: include/linux/spinlock_types.h, include/linux/spinlock_types_raw.h
import type { task_struct } from '#linux/sched/task.js';
import type { bool, int } from '#linux/types.js';

/** A lock with the fields of CONFIG_DEBUG_SPINLOCK, and lockdep's record of the contexts it was taken in. */
export class raw_spinlock {
	readonly name: string;
	locked: bool = false;
	owner: task_struct | null = null;
	owner_cpu: int = -1;
	/** LOCK_USED_* of kernel/locking/spinlock.ts */
	usage: int = 0;
	constructor(name: string = 'lock') {
		this.name = name;
	}
}

export class spinlock_t extends raw_spinlock {}
export class raw_spinlock_t extends raw_spinlock {}
/** Readers and one writer; readers count in `readers`. */
export class rwlock_t extends raw_spinlock {
	readers: int = 0;
}
