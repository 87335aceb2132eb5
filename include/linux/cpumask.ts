// SPDX-License-Identifier: GPL-2.0-only
// The CPUs, and sets of them.
// Linux 6.12: include/linux/cpumask.h
// Every CPU that the machine has is possible, present and online.
import { machine } from '#arch/arm64/kernel/setup.js';
import { NR_CPUS } from '#linux/threads.js';
import type { bool, int, unsigned_int } from '#linux/types.js';

export { NR_CPUS };

export class cpumask {
	readonly bits = new Uint32Array(NR_CPUS / 32);
}

/** One more than the highest CPU number (include/linux/cpumask.h: nr_cpu_ids()). */
export function nr_cpu_ids(): unsigned_int {
	return machine.nr_cpus;
}

/** How many CPUs there are; all are online (include/linux/cpumask.h: num_possible_cpus()). */
export function num_possible_cpus(): unsigned_int {
	return machine.nr_cpus;
}

export const num_online_cpus = num_possible_cpus;
export const num_present_cpus = num_possible_cpus;

/** Whether there is a CPU @cpu (include/linux/cpumask.h: cpu_online()). */
export function cpu_online(cpu: unsigned_int): bool {
	return cpu < machine.nr_cpus;
}

export const cpu_possible = cpu_online;

/** Each CPU that may ever be (include/linux/cpumask.h: for_each_possible_cpu()). */
export function* for_each_possible_cpu(): Iterable<int> {
	for (let cpu = 0; cpu < machine.nr_cpus; cpu++) yield cpu;
}

export const for_each_online_cpu = for_each_possible_cpu;
export const for_each_present_cpu = for_each_possible_cpu;

/** Put @cpu in @mask (include/linux/cpumask.h: cpumask_set_cpu()). */
export function cpumask_set_cpu(cpu: unsigned_int, mask: cpumask): void {
	mask.bits[cpu >>> 5]! |= 1 << (cpu & 31);
}

/** Take @cpu out of @mask (include/linux/cpumask.h: cpumask_clear_cpu()). */
export function cpumask_clear_cpu(cpu: unsigned_int, mask: cpumask): void {
	mask.bits[cpu >>> 5]! &= ~(1 << (cpu & 31));
}

/** Whether @cpu is in @mask (include/linux/cpumask.h: cpumask_test_cpu()). */
export function cpumask_test_cpu(cpu: int, mask: cpumask): bool {
	return ((mask.bits[cpu >>> 5]! >>> (cpu & 31)) & 1) !== 0;
}
