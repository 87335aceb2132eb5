// SPDX-License-Identifier: GPL-2.0-only
// The running task, and the CPU it runs on.
// Linux 6.12: arch/arm64/include/asm/current.h, arch/arm64/include/asm/smp.h
import { boot_data } from '#linux/init.js';
import { task_struct } from '#linux/sched/task.js';
import type { bool, int } from '#linux/types.js';

/** What the hardware would keep in sp_el0 and tpidr_el1. */
export const cpu_context = boot_data(() => ({
	cpu: 0 as int,
	current: new task_struct(0, 'swapper/0'),
	/** A CPU that borrows the stack of another (run_on_cpu()) has an interrupt mask of its own: null when it does not. */
	borrowed_irqs: null as bool | null,
}));

/** The running task (arch/arm64/include/asm/current.h: current). */
export function get_current(): task_struct {
	return cpu_context.current;
}
