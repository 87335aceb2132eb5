// SPDX-License-Identifier: GPL-2.0-only
// Reader/writer semaphores.
// Linux 6.12: kernel/locking/rwsem.c
// Left out: fairness. Contention means that the holder stands still below on the one stack.
import { schedule_point } from '#arch/arm64/kernel/setup.js';
import { cpu_context } from '#asm/current.js';
import { kernel_report, panic } from '#kernel/panic.js';
import { __might_sleep, schedule } from '#kernel/sched/core.js';
import type { rw_semaphore } from '#linux/rwsem.js';
import { TASK_UNINTERRUPTIBLE } from '#linux/sched/task.js';
import type { bool, int } from '#linux/types.js';

function wait_for(sem: rw_semaphore, busy: () => bool): void {
	const task = cpu_context.current;
	if (sem.owner === task) {
		kernel_report(4, [
			'WARNING: possible recursive locking detected',
			`${task.comm}/${task.pid} already holds ${sem.name}`,
		]);
		panic('rwsem recursion: %s', sem.name);
	}
	while (busy()) {
		task.__state = TASK_UNINTERRUPTIBLE;
		task.wchan = `rwsem ${sem.name}`;
		schedule();
	}
}

/** Share the semaphore, sleeping while someone writes (kernel/locking/rwsem.c: down_read()). */
export function down_read(sem: rw_semaphore): void {
	__might_sleep('down_read');
	schedule_point('lock', 0);
	if (sem.owner !== null) wait_for(sem, () => sem.owner !== null);
	sem.readers++;
	cpu_context.current.lockdep_depth++;
}

/** down_read() that does not wait: 1 when it was free for reading (kernel/locking/rwsem.c: down_read_trylock()). */
export function down_read_trylock(sem: rw_semaphore): int {
	schedule_point('lock', 0);
	if (sem.owner !== null) return 0;
	sem.readers++;
	cpu_context.current.lockdep_depth++;
	return 1;
}

function bad_unlock(sem: rw_semaphore): void {
	kernel_report(4, [`WARNING: bad unlock balance detected: rwsem ${sem.name}`]);
}

/** End what down_read() began (kernel/locking/rwsem.c: up_read()). */
export function up_read(sem: rw_semaphore): void {
	if (sem.readers <= 0) bad_unlock(sem);
	else {
		sem.readers--;
		cpu_context.current.lockdep_depth--;
	}
	schedule_point('unlock', 0);
}

/** Have the semaphore alone, sleeping while anyone else has it (kernel/locking/rwsem.c: down_write()). */
export function down_write(sem: rw_semaphore): void {
	__might_sleep('down_write');
	schedule_point('lock', 0);
	if (sem.owner !== null || sem.readers > 0) wait_for(sem, () => sem.owner !== null || sem.readers > 0);
	sem.owner = cpu_context.current;
	cpu_context.current.lockdep_depth++;
}

/** down_write() that does not wait: 1 when it was free (kernel/locking/rwsem.c: down_write_trylock()). */
export function down_write_trylock(sem: rw_semaphore): int {
	schedule_point('lock', 0);
	if (sem.owner !== null || sem.readers > 0) return 0;
	sem.owner = cpu_context.current;
	cpu_context.current.lockdep_depth++;
	return 1;
}

/** End what down_write() began; only its owner may (kernel/locking/rwsem.c: up_write()). */
export function up_write(sem: rw_semaphore): void {
	if (sem.owner !== cpu_context.current) bad_unlock(sem);
	if (sem.owner !== null) sem.owner.lockdep_depth--;
	sem.owner = null;
	schedule_point('unlock', 0);
}

/** From writer to reader without letting another writer in (kernel/locking/rwsem.c: downgrade_write()). */
export function downgrade_write(sem: rw_semaphore): void {
	if (sem.owner !== cpu_context.current) bad_unlock(sem);
	sem.owner = null;
	sem.readers++;
	schedule_point('unlock', 0);
}
