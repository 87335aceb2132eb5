// SPDX-License-Identifier: GPL-2.0-only
// Spin locks that check how they are used.
// Linux 6.12: kernel/locking/spinlock.c, kernel/locking/spinlock_debug.c
// The checks of CONFIG_DEBUG_SPINLOCK, and of lockdep those on interrupt context: in a debug kernel.
// Left out: reader/writer locks' fairness, lock classes and the order between them
import { schedule_point } from '#arch/arm64/kernel/setup.js';
import { cpu_context } from '#asm/current.js';
import { kernel_report, panic } from '#kernel/panic.js';
import { __local_bh_disable, __local_bh_enable } from '#kernel/softirq.js';
import {
	irqs_disabled,
	local_irq_disable,
	local_irq_enable,
	local_irq_restore,
	local_irq_save,
} from '#linux/irqflags.js';
import { debug_kernel } from '#linux/kconfig.js';
import { HARDIRQ_MASK } from '#linux/preempt.js';
import type { task_struct } from '#linux/sched/task.js';
import type { raw_spinlock } from '#linux/spinlock_types.js';
import type { bool, int, unsigned_long } from '#linux/types.js';

/** The lock was taken in a hard-irq handler; with interrupts enabled; both were reported. */
export const LOCK_USED_IN_HARDIRQ = 1;
export const LOCK_ENABLED_HARDIRQ = 2;
const LOCK_REPORTED = 4;

function who(): string {
	return `CPU#${cpu_context.cpu}, ${cpu_context.current.comm}/${cpu_context.current.pid}`;
}

function spin_dump(lock: raw_spinlock, msg: string): void {
	const owner = lock.owner;
	kernel_report(0, [
		`BUG: spinlock ${msg} on ${who()}`,
		` lock: ${lock.name}, .owner: ${owner === null ? '<none>/-1' : `${owner.comm}/${owner.pid}`}, .owner_cpu: ${lock.owner_cpu}`,
	]);
}

function contended(lock: raw_spinlock): never {
	if (lock.owner === cpu_context.current) {
		spin_dump(lock, 'recursion');
		panic('spinlock recursion: %s', lock.name);
	}
	// The holder stands still below on the one stack: it will never unlock.
	spin_dump(lock, 'lockup suspected');
	panic('spinlock lockup: %s', lock.name);
}

/** A context that @lock was not taken in before. */
function note_usage(lock: raw_spinlock, usage: int): void {
	lock.usage |= usage;
	if (lock.usage !== (LOCK_USED_IN_HARDIRQ | LOCK_ENABLED_HARDIRQ)) return;
	lock.usage |= LOCK_REPORTED;
	kernel_report(4, [
		`WARNING: inconsistent lock state: ${lock.name}`,
		'inconsistent {IN-HARDIRQ-W} -> {HARDIRQ-ON-W} usage.',
		`${cpu_context.current.comm}/${cpu_context.current.pid}: an interrupt while it is held with interrupts on would deadlock`,
	]);
}

/** What a debug kernel notes of a lock that @task now holds. */
function debug_spin_lock_after(lock: raw_spinlock, task: task_struct, irqs_on: bool): void {
	const in_hardirq = (task.preempt_count & HARDIRQ_MASK) !== 0;
	const usage = in_hardirq ? LOCK_USED_IN_HARDIRQ : irqs_on ? LOCK_ENABLED_HARDIRQ : 0;
	if ((lock.usage & usage) !== usage) note_usage(lock, usage);
	lock.owner = task;
	lock.owner_cpu = cpu_context.cpu;
}

// These and the functions that call them stay small: every path of the kernel has them inlined.
function acquire(lock: raw_spinlock, task: task_struct, irqs_on: bool): void {
	if (debug_kernel.on) debug_spin_lock_after(lock, task, irqs_on);
	lock.locked = true;
	task.lockdep_depth++;
}

/** Something is wrong with this unlock; false: there is nothing to unlock. */
function bad_release(lock: raw_spinlock): bool {
	if (!lock.locked) {
		spin_dump(lock, 'already unlocked');
		return false;
	}
	spin_dump(lock, lock.owner !== cpu_context.current ? 'wrong owner' : 'wrong CPU');
	return true;
}

/** What a debug kernel looks at when a lock is let go; whose it is, or null when it is nobody's. */
function debug_spin_unlock(lock: raw_spinlock): task_struct | null {
	const ours = lock.locked && lock.owner === cpu_context.current && lock.owner_cpu === cpu_context.cpu;
	const owner = ours || bad_release(lock) ? lock.owner : null;
	lock.owner = null;
	lock.owner_cpu = -1;
	return owner;
}

function release(lock: raw_spinlock): void {
	const owner = debug_kernel.on ? debug_spin_unlock(lock) : cpu_context.current;
	if (owner !== null) owner.lockdep_depth--;
	lock.locked = false;
}

/** Take the lock; preemption is off until it is let go (kernel/locking/spinlock.c: _raw_spin_lock()). */
export function _raw_spin_lock(lock: raw_spinlock): void {
	schedule_point('lock', 0);
	const task = cpu_context.current;
	task.preempt_count++;
	if (lock.locked) contended(lock);
	acquire(lock, task, !irqs_disabled());
}

/** Let the lock go (kernel/locking/spinlock.c: _raw_spin_unlock()). */
export function _raw_spin_unlock(lock: raw_spinlock): void {
	release(lock);
	cpu_context.current.preempt_count--;
	schedule_point('unlock', 0);
}

/** Mask interrupts, then take the lock; the flags to give back (kernel/locking/spinlock.c: _raw_spin_lock_irqsave()). */
export function _raw_spin_lock_irqsave(lock: raw_spinlock): unsigned_long {
	const flags = local_irq_save();
	schedule_point('lock', 0);
	const task = cpu_context.current;
	task.preempt_count++;
	if (lock.locked) contended(lock);
	acquire(lock, task, false);
	return flags;
}

/** Let the lock go, then interrupts as @flags say (kernel/locking/spinlock.c: _raw_spin_unlock_irqrestore()). */
export function _raw_spin_unlock_irqrestore(lock: raw_spinlock, flags: unsigned_long): void {
	release(lock);
	cpu_context.current.preempt_count--;
	local_irq_restore(flags);
	schedule_point('unlock', 0);
}

/** Mask interrupts, then take the lock (kernel/locking/spinlock.c: _raw_spin_lock_irq()). */
export function _raw_spin_lock_irq(lock: raw_spinlock): void {
	local_irq_disable();
	_raw_spin_lock(lock);
}

/** Let the lock go, then unmask interrupts (kernel/locking/spinlock.c: _raw_spin_unlock_irq()). */
export function _raw_spin_unlock_irq(lock: raw_spinlock): void {
	release(lock);
	cpu_context.current.preempt_count--;
	local_irq_enable();
	schedule_point('unlock', 0);
}

/** Hold softirqs back, then take the lock (kernel/locking/spinlock.c: _raw_spin_lock_bh()). */
export function _raw_spin_lock_bh(lock: raw_spinlock): void {
	__local_bh_disable();
	_raw_spin_lock(lock);
}

/** Let the lock go, then softirqs run again (kernel/locking/spinlock.c: _raw_spin_unlock_bh()). */
export function _raw_spin_unlock_bh(lock: raw_spinlock): void {
	_raw_spin_unlock(lock);
	__local_bh_enable();
}

/** Take the lock if it is free: whether it was (kernel/locking/spinlock.c: _raw_spin_trylock()). */
export function _raw_spin_trylock(lock: raw_spinlock): bool {
	schedule_point('lock', 0);
	if (lock.locked) return false;
	const task = cpu_context.current;
	task.preempt_count++;
	acquire(lock, task, !irqs_disabled());
	return true;
}
