// SPDX-License-Identifier: GPL-2.0-only
// Who called whom, in the log.
// Linux 6.12: lib/dump_stack.c
import { dump_backtrace, save_stack_lines } from '#arch/arm64/kernel/stacktrace.js';
import { cpu_context } from '#asm/current.js';
import { init_uts_ns } from '#init/version.js';
import { print_tainted, print_tainted_verbose } from '#kernel/panic.js';
import { vprintk_emit } from '#kernel/printk/printk.js';
import { type printk_arg, vsnprintf_text } from '#lib/vsprintf.js';
import { boot_data } from '#linux/init.js';
import { LOGLEVEL_WARNING } from '#linux/kern_levels.js';
import type { int } from '#linux/types.js';

const state = boot_data(() => ({
	dump_stack_arch_desc_str: '',
}));

/** How deep a trace goes; probes of probes are some fifty functions. */
export const STACK_DEPTH = 128;

/** What the reports name as the hardware (lib/dump_stack.c: dump_stack_set_arch_desc()). */
export function dump_stack_set_arch_desc(fmt: string, ...args: printk_arg[]): void {
	state.dump_stack_arch_desc_str = vsnprintf_text(fmt, args);
}

/** The running task, the kernel and the hardware (lib/dump_stack.c: dump_stack_print_info()). */
export function dump_stack_print_info(log_lvl: int): void {
	const task = cpu_context.current;
	vprintk_emit(log_lvl, 'CPU: %d UID: 0 PID: %d Comm: %.20s %s %s %s', [
		cpu_context.cpu,
		task.pid,
		task.comm,
		print_tainted(),
		init_uts_ns.release,
		init_uts_ns.version,
	]);
	const verbose = print_tainted_verbose();
	if (verbose !== '') vprintk_emit(log_lvl, '%s', [verbose]);
	if (state.dump_stack_arch_desc_str !== '')
		vprintk_emit(log_lvl, 'Hardware name: %s', [state.dump_stack_arch_desc_str]);
}

/** The running task, and the kernel's functions on the stack, at level @log_lvl (lib/dump_stack.c: dump_stack_lvl()). */
export function dump_stack_lvl(log_lvl: int): void {
	const lines = save_stack_lines(STACK_DEPTH);
	dump_stack_print_info(log_lvl);
	dump_backtrace(lines, log_lvl);
}

/** The running task, and the kernel's functions on the stack (lib/dump_stack.c: dump_stack()). */
export function dump_stack(): void {
	dump_stack_lvl(LOGLEVEL_WARNING);
}
