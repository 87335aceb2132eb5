// SPDX-License-Identifier: GPL-2.0-only
// The preemption count, and the contexts that it tells apart.
// Linux 6.12: include/linux/preempt.h
// Left out: NMI context; preempt_enable() never schedules: a task gives way only when it sleeps.
import { cpu_context } from '#asm/current.js';
import { irqs_disabled } from '#linux/irqflags.js';
import type { bool, int } from '#linux/types.js';

export const PREEMPT_OFFSET = 1;
export const SOFTIRQ_OFFSET = 0x100;
export const SOFTIRQ_DISABLE_OFFSET = 2 * SOFTIRQ_OFFSET;
export const HARDIRQ_OFFSET = 0x1_0000;
export const PREEMPT_MASK = 0xff;
export const SOFTIRQ_MASK = 0xff00;
export const HARDIRQ_MASK = 0xf_0000;

/** The preemption depth, softirq and hard-irq nesting of the running task (include/linux/preempt.h: preempt_count()). */
export function preempt_count(): int {
	return cpu_context.current.preempt_count;
}

/** Add @val to the count of the running task (include/linux/preempt.h: preempt_count_add()). */
export function preempt_count_add(val: int): void {
	cpu_context.current.preempt_count += val;
}

/** Take @val off the count of the running task (include/linux/preempt.h: preempt_count_sub()). */
export function preempt_count_sub(val: int): void {
	cpu_context.current.preempt_count -= val;
}

/** From here on the task may not sleep; nests (include/linux/preempt.h: preempt_disable()). */
export function preempt_disable(): void {
	cpu_context.current.preempt_count++;
}

/** End a preempt_disable() (include/linux/preempt.h: preempt_enable()). */
export function preempt_enable(): void {
	cpu_context.current.preempt_count--;
}

export const preempt_enable_no_resched = preempt_enable;

/** Non-zero in a hard-irq handler (include/linux/preempt.h: hardirq_count()). */
export function hardirq_count(): int {
	return cpu_context.current.preempt_count & HARDIRQ_MASK;
}

/** Non-zero in a softirq, or while softirqs are disabled (include/linux/preempt.h: softirq_count()). */
export function softirq_count(): int {
	return cpu_context.current.preempt_count & SOFTIRQ_MASK;
}

/** In an interrupt handler (include/linux/preempt.h: in_hardirq()). */
export function in_hardirq(): bool {
	return (cpu_context.current.preempt_count & HARDIRQ_MASK) !== 0;
}

/** Running a softirq, as against having them off (include/linux/preempt.h: in_serving_softirq()). */
export function in_serving_softirq(): bool {
	return (cpu_context.current.preempt_count & SOFTIRQ_OFFSET) !== 0;
}

/** In softirq context or with softirqs off (include/linux/preempt.h: in_softirq()). */
export function in_softirq(): bool {
	return (cpu_context.current.preempt_count & SOFTIRQ_MASK) !== 0;
}

/** In hard-irq or softirq context (include/linux/preempt.h: in_interrupt()). */
export function in_interrupt(): bool {
	return (cpu_context.current.preempt_count & (HARDIRQ_MASK | SOFTIRQ_MASK)) !== 0;
}

/** In process context (include/linux/preempt.h: in_task()). */
export function in_task(): bool {
	return (cpu_context.current.preempt_count & (HARDIRQ_MASK | SOFTIRQ_OFFSET)) === 0;
}

/** Sleeping is not allowed; interrupts off alone does not count (include/linux/preempt.h: in_atomic()). */
export function in_atomic(): bool {
	return cpu_context.current.preempt_count !== 0;
}

/** Whether a task could give way here (include/linux/preempt.h: preemptible()). */
export function preemptible(): bool {
	return cpu_context.current.preempt_count === 0 && !irqs_disabled();
}
