// SPDX-License-Identifier: GPL-2.0-only
// Entering and leaving interrupts, and what is left to do after them.
// Linux 6.12: kernel/softirq.c
// Left out: ksoftirqd: what is raised outside an interrupt runs when the next one ends, or softirqs are enabled
import { cpu_context } from '#asm/current.js';
import { account_hardirq_enter } from '#kernel/sched/core.js';
import { boot_data } from '#linux/init.js';
import {
	irqs_disabled,
	local_irq_disable,
	local_irq_enable,
	local_irq_restore,
	local_irq_save,
} from '#linux/irqflags.js';
import {
	HARDIRQ_MASK,
	HARDIRQ_OFFSET,
	SOFTIRQ_DISABLE_OFFSET,
	SOFTIRQ_MASK,
	SOFTIRQ_OFFSET,
} from '#linux/preempt.js';
import type { int, u32, unsigned_int } from '#linux/types.js';

export const HI_SOFTIRQ = 0;
export const TIMER_SOFTIRQ = 1;
export const BLOCK_SOFTIRQ = 4;
export const IRQ_POLL_SOFTIRQ = 5;
export const TASKLET_SOFTIRQ = 6;
export const HRTIMER_SOFTIRQ = 8;
export const NR_SOFTIRQS = 10;

/** How often raised softirqs are looked for again before they wait for the next interrupt. */
const MAX_SOFTIRQ_RESTART = 10;

const state = boot_data(() => ({
	softirq_vec: new Array<(() => void) | null>(NR_SOFTIRQS).fill(null),
	pending: 0 as u32,
}));

/** Say what softirq @nr does (kernel/softirq.c: open_softirq()). */
export function open_softirq(nr: int, action: () => void): void {
	state.softirq_vec[nr] = action;
}

/** The softirqs that wait (include/asm-generic/hardirq.h: local_softirq_pending()). */
export function local_softirq_pending(): u32 {
	return state.pending;
}

/** Have @nr run when the interrupt ends (kernel/softirq.c: raise_softirq()). */
export function raise_softirq(nr: unsigned_int): void {
	state.pending |= 1 << nr;
	const c = cpu_context.current.preempt_count;
	if ((c & (HARDIRQ_MASK | SOFTIRQ_MASK)) === 0 && !irqs_disabled()) do_softirq();
}

/** raise_softirq() with interrupts off (kernel/softirq.c: raise_softirq_irqoff()). */
export function raise_softirq_irqoff(nr: unsigned_int): void {
	state.pending |= 1 << nr;
}

// Interrupts are off on entry and on return, and on while the actions run.
function __do_softirq(): void {
	const task = cpu_context.current;
	task.preempt_count += SOFTIRQ_OFFSET;
	for (let restart = 0; state.pending !== 0 && restart < MAX_SOFTIRQ_RESTART; restart++) {
		const pending = state.pending;
		state.pending = 0;
		local_irq_enable();
		for (let nr = 0; nr < NR_SOFTIRQS; nr++) {
			if ((pending & (1 << nr)) === 0) continue;
			const action = state.softirq_vec[nr];
			if (action !== null && action !== undefined) action();
		}
		local_irq_disable();
	}
	task.preempt_count -= SOFTIRQ_OFFSET;
}

/** Run what is raised, if the context allows it (kernel/softirq.c: do_softirq()). */
export function do_softirq(): void {
	if ((cpu_context.current.preempt_count & (HARDIRQ_MASK | SOFTIRQ_MASK)) !== 0 || state.pending === 0)
		return;
	const flags = local_irq_save();
	__do_softirq();
	local_irq_restore(flags);
}

/** A hard interrupt begins; the CPU has masked interrupts (kernel/softirq.c: irq_enter()). */
export function irq_enter(): void {
	account_hardirq_enter();
	cpu_context.current.preempt_count += HARDIRQ_OFFSET;
}

/** A hard interrupt ends; softirqs run, with interrupts on (kernel/softirq.c: irq_exit()). */
export function irq_exit(): void {
	const task = cpu_context.current;
	task.preempt_count -= HARDIRQ_OFFSET;
	if (state.pending !== 0 && (task.preempt_count & (HARDIRQ_MASK | SOFTIRQ_MASK)) === 0) {
		const masked = irqs_disabled();
		if (!masked) local_irq_disable();
		__do_softirq();
		if (!masked) local_irq_enable();
	}
}

/** Softirqs wait; nests (kernel/softirq.c: __local_bh_disable()). */
export function __local_bh_disable(): void {
	cpu_context.current.preempt_count += SOFTIRQ_DISABLE_OFFSET;
}

/** End a __local_bh_disable(); what was raised meanwhile runs now (kernel/softirq.c: __local_bh_enable()). */
export function __local_bh_enable(): void {
	cpu_context.current.preempt_count -= SOFTIRQ_DISABLE_OFFSET;
	if (state.pending !== 0 && !irqs_disabled()) do_softirq();
}

/** Softirqs wait; nests (include/linux/bottom_half.h: local_bh_disable()). */
export const local_bh_disable = __local_bh_disable;
/** End a local_bh_disable(); what was raised meanwhile runs now (include/linux/bottom_half.h: local_bh_enable()). */
export const local_bh_enable = __local_bh_enable;
