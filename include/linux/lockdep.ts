// SPDX-License-Identifier: GPL-2.0-only
// Assertions on held locks, in a debug kernel.
// Linux 6.12: include/linux/lockdep.h
// Left out: lock classes and the order between them; the locks check recursion and context themselves.
import { get_current } from '#asm/current.js';
import { WARN_ON, WARN_ON_ONCE } from '#linux/bug.js';
import { irqs_disabled } from '#linux/irqflags.js';
import { debug_kernel } from '#linux/kconfig.js';
import type { task_struct } from '#linux/sched/task.js';
import type { bool, int } from '#linux/types.js';

/** What all lock types have. */
export interface lockdep_map {
	readonly name: string;
	owner: task_struct | null;
	readers?: int;
}

/** Whether the running task holds @lock (include/linux/lockdep.h: lockdep_is_held()). */
export function lockdep_is_held(lock: lockdep_map): bool {
	return lock.owner === get_current() || (lock.readers ?? 0) > 0;
}

/** Warn unless the running task holds @lock (include/linux/lockdep.h: lockdep_assert_held()). */
export function lockdep_assert_held(lock: lockdep_map): void {
	WARN_ON(debug_kernel.on && !lockdep_is_held(lock));
}

/** Warn unless the running task holds @lock for writing (include/linux/lockdep.h: lockdep_assert_held_write()). */
export function lockdep_assert_held_write(lock: lockdep_map): void {
	WARN_ON(debug_kernel.on && lock.owner !== get_current());
}

export const lockdep_assert_held_read = lockdep_assert_held;

/** Warn if the running task holds @lock (include/linux/lockdep.h: lockdep_assert_not_held()). */
export function lockdep_assert_not_held(lock: lockdep_map): void {
	WARN_ON(debug_kernel.on && lock.owner === get_current());
}

/** Warn unless interrupts are off (include/linux/lockdep.h: lockdep_assert_irqs_disabled()). */
export function lockdep_assert_irqs_disabled(): void {
	WARN_ON_ONCE(debug_kernel.on && !irqs_disabled());
}

/** Warn unless interrupts are on (include/linux/lockdep.h: lockdep_assert_irqs_enabled()). */
export function lockdep_assert_irqs_enabled(): void {
	WARN_ON_ONCE(debug_kernel.on && irqs_disabled());
}

/** A key for a class of locks; kept for the prototype's sake. */
export class lock_class_key {}
