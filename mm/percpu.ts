// SPDX-License-Identifier: GPL-2.0-only
// The memory of per-CPU objects.
// Linux 6.12: mm/percpu.c
// Left out: chunks and units of memory; a per-CPU object is one struct for each CPU
import { machine } from '#arch/arm64/kernel/setup.js';
import { GFP_KERNEL } from '#linux/gfp_types.js';
import { NR_CPUS } from '#linux/threads.js';
import type { gfp_t } from '#linux/types.js';
import { kfree, kzalloc_struct } from '#mm/slub.js';

export class percpu<T> {
	readonly unit: T[] = [];
}

/** A static per-CPU variable (include/linux/percpu-defs.h: DEFINE_PER_CPU()); use it inside boot_data(). */
export function DEFINE_PER_CPU<T>(init: () => T): percpu<T> {
	const ptr = new percpu<T>();
	for (let cpu = 0; cpu < NR_CPUS; cpu++) ptr.unit.push(init());
	return ptr;
}

/** A zeroed @type for each CPU, or null (include/linux/percpu.h: alloc_percpu_gfp()). */
export function alloc_percpu_gfp<T extends object>(type: new () => T, gfp: gfp_t): percpu<T> | null {
	const ptr = kzalloc_struct<percpu<T>>(percpu, gfp);
	if (ptr === null) return null;
	for (let cpu = 0; cpu < machine.nr_cpus; cpu++) ptr.unit.push(new type());
	return ptr;
}

/** alloc_percpu_gfp() with GFP_KERNEL (include/linux/percpu.h: alloc_percpu()). */
export function alloc_percpu<T extends object>(type: new () => T): percpu<T> | null {
	return alloc_percpu_gfp(type, GFP_KERNEL);
}

/** The end of a per-CPU object (mm/percpu.c: free_percpu()). */
export function free_percpu<T>(ptr: percpu<T> | null): void {
	kfree(ptr);
}
