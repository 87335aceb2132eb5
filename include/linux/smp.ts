// SPDX-License-Identifier: GPL-2.0-only
// Which CPU this is.
// Linux 6.12: include/linux/smp.h
import { cpu_context } from '#asm/current.js';
import { preempt_disable, preempt_enable } from '#linux/preempt.js';
import type { int } from '#linux/types.js';

export { run_on_cpu } from '#kernel/smp.js';

/** The number of the running CPU (include/linux/smp.h: smp_processor_id()). */
export function smp_processor_id(): int {
	return cpu_context.cpu;
}

export const raw_smp_processor_id = smp_processor_id;

/** This CPU, and stay on it (include/linux/smp.h: get_cpu()). */
export function get_cpu(): int {
	preempt_disable();
	return cpu_context.cpu;
}

/** End a get_cpu(): preemption may happen again (include/linux/smp.h: put_cpu()). */
export function put_cpu(): void {
	preempt_enable();
}
