// SPDX-License-Identifier: GPL-2.0-only
// One object for each CPU.
// Linux 6.12: include/linux/percpu.h, include/linux/percpu-defs.h
//
// C's per-CPU pointer is a percpu<T> here; this_cpu_ptr() and per_cpu_ptr() follow it.
import { cpu_context } from '#asm/current.js';
import { preempt_disable, preempt_enable } from '#linux/preempt.js';
import type { int } from '#linux/types.js';
import type { percpu } from '#mm/percpu.js';

export { alloc_percpu, alloc_percpu_gfp, DEFINE_PER_CPU, free_percpu, percpu } from '#mm/percpu.js';

/** @cpu's object (include/linux/percpu-defs.h: per_cpu_ptr()). */
export function per_cpu_ptr<T>(ptr: percpu<T>, cpu: int): T {
	return ptr.unit[cpu] as T;
}

/** This CPU's object (include/linux/percpu-defs.h: this_cpu_ptr()). */
export function this_cpu_ptr<T>(ptr: percpu<T>): T {
	return ptr.unit[cpu_context.cpu] as T;
}

export const raw_cpu_ptr = this_cpu_ptr;

/** This CPU's object; stay here until put_cpu_ptr() (include/linux/percpu-defs.h: get_cpu_ptr()). */
export function get_cpu_ptr<T>(ptr: percpu<T>): T {
	preempt_disable();
	return this_cpu_ptr(ptr);
}

/** End a get_cpu_ptr(): preemption may happen again (include/linux/percpu-defs.h: put_cpu_ptr()). */
export function put_cpu_ptr<T>(_ptr: percpu<T>): void {
	preempt_enable();
}
