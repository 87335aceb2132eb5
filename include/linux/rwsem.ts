// SPDX-License-Identifier: GPL-2.0-only
// Reader/writer semaphores.
// Linux 6.12: include/linux/rwsem.h
import type { task_struct } from '#linux/sched/task.js';
import type { bool, int } from '#linux/types.js';

export class rw_semaphore {
	name: string;
	/** The writer. */
	owner: task_struct | null = null;
	readers: int = 0;
	constructor(name: string = 'rwsem') {
		this.name = name;
	}
}

/** A new semaphore (include/linux/rwsem.h: DECLARE_RWSEM()). */
export function DECLARE_RWSEM(name: string): rw_semaphore {
	return new rw_semaphore(name);
}

/** Make @sem free (include/linux/rwsem.h: init_rwsem()). */
export function init_rwsem(sem: rw_semaphore): void {
	sem.owner = null;
	sem.readers = 0;
}

/** Whether anyone holds it (include/linux/rwsem.h: rwsem_is_locked()). */
export function rwsem_is_locked(sem: rw_semaphore): bool {
	return sem.owner !== null || sem.readers > 0;
}

export {
	down_read,
	down_read_trylock,
	down_write,
	down_write_trylock,
	downgrade_write,
	up_read,
	up_write,
} from '#kernel/locking/rwsem.js';
