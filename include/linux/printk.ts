// SPDX-License-Identifier: GPL-2.0-only
// The kernel's messages.
// Linux 6.12: include/linux/printk.h
//
// Format strings carry no line end. pr_debug() speaks when dynamic debug is on (`dyndbg` on the command line).
import { __do_once_lite, __printk_ratelimited } from '#kernel/panic.js';
import { printk_state, vprintk_emit } from '#kernel/printk/printk.js';
import type { printk_arg } from '#lib/vsprintf.js';
import { KERN_CONT } from '#linux/kern_levels.js';
import type { bool, int } from '#linux/types.js';

export { _printk as printk } from '#kernel/printk/printk.js';
export * from '#linux/kern_levels.js';
export type { printk_arg };

/** Log at level 0: the system is unusable (include/linux/printk.h: pr_emerg()). */
export function pr_emerg(fmt: string, ...args: printk_arg[]): int {
	return vprintk_emit(0, fmt, args);
}

/** Log at level 1: something must be done at once (include/linux/printk.h: pr_alert()). */
export function pr_alert(fmt: string, ...args: printk_arg[]): int {
	return vprintk_emit(1, fmt, args);
}

/** Log at level 2: critical (include/linux/printk.h: pr_crit()). */
export function pr_crit(fmt: string, ...args: printk_arg[]): int {
	return vprintk_emit(2, fmt, args);
}

/** Log at level 3: an error (include/linux/printk.h: pr_err()). */
export function pr_err(fmt: string, ...args: printk_arg[]): int {
	return vprintk_emit(3, fmt, args);
}

/** Log at level 4: a warning (include/linux/printk.h: pr_warn()). */
export function pr_warn(fmt: string, ...args: printk_arg[]): int {
	return vprintk_emit(4, fmt, args);
}

/** Log at level 5: normal, but worth a look (include/linux/printk.h: pr_notice()). */
export function pr_notice(fmt: string, ...args: printk_arg[]): int {
	return vprintk_emit(5, fmt, args);
}

/** Log at level 6: what is going on (include/linux/printk.h: pr_info()). */
export function pr_info(fmt: string, ...args: printk_arg[]): int {
	return vprintk_emit(6, fmt, args);
}

/** More of the line before (include/linux/printk.h: pr_cont()). */
export function pr_cont(fmt: string, ...args: printk_arg[]): int {
	return vprintk_emit(-1, KERN_CONT + fmt, args);
}

/** Log at level 7: for developers: silent without dyndbg (include/linux/printk.h: pr_debug()). */
export function pr_debug(fmt: string, ...args: printk_arg[]): int {
	return printk_state.dynamic_debug ? vprintk_emit(7, fmt, args) : 0;
}

/** Whether pr_debug() speaks, for hot paths: there even its arguments cost (include/linux/jump_label.h: static_branch_unlikely()). */
export function pr_debug_enabled(): bool {
	return printk_state.dynamic_debug;
}

export const pr_devel = pr_debug;

/** Format checks only (include/linux/printk.h: no_printk()). */
export function no_printk(_fmt: string, ..._args: printk_arg[]): int {
	return 0;
}

/** pr_err(), the first time only (include/linux/printk.h: pr_err_once()). */
export function pr_err_once(fmt: string, ...args: printk_arg[]): void {
	if (__do_once_lite(fmt)) vprintk_emit(3, fmt, args);
}

/** pr_warn(), the first time only (include/linux/printk.h: pr_warn_once()). */
export function pr_warn_once(fmt: string, ...args: printk_arg[]): void {
	if (__do_once_lite(fmt)) vprintk_emit(4, fmt, args);
}

/** pr_notice(), the first time only (include/linux/printk.h: pr_notice_once()). */
export function pr_notice_once(fmt: string, ...args: printk_arg[]): void {
	if (__do_once_lite(fmt)) vprintk_emit(5, fmt, args);
}

/** pr_info(), the first time only (include/linux/printk.h: pr_info_once()). */
export function pr_info_once(fmt: string, ...args: printk_arg[]): void {
	if (__do_once_lite(fmt)) vprintk_emit(6, fmt, args);
}

/** pr_debug(), the first time only (include/linux/printk.h: pr_debug_once()). */
export function pr_debug_once(fmt: string, ...args: printk_arg[]): void {
	if (printk_state.dynamic_debug && __do_once_lite(fmt)) vprintk_emit(7, fmt, args);
}

/** pr_err(), at most 10 times in 5 seconds (include/linux/printk.h: pr_err_ratelimited()). */
export function pr_err_ratelimited(fmt: string, ...args: printk_arg[]): void {
	if (__printk_ratelimited(fmt)) vprintk_emit(3, fmt, args);
}

/** pr_warn(), at most 10 times in 5 seconds (include/linux/printk.h: pr_warn_ratelimited()). */
export function pr_warn_ratelimited(fmt: string, ...args: printk_arg[]): void {
	if (__printk_ratelimited(fmt)) vprintk_emit(4, fmt, args);
}

/** pr_notice(), at most 10 times in 5 seconds (include/linux/printk.h: pr_notice_ratelimited()). */
export function pr_notice_ratelimited(fmt: string, ...args: printk_arg[]): void {
	if (__printk_ratelimited(fmt)) vprintk_emit(5, fmt, args);
}

/** pr_info(), at most 10 times in 5 seconds (include/linux/printk.h: pr_info_ratelimited()). */
export function pr_info_ratelimited(fmt: string, ...args: printk_arg[]): void {
	if (__printk_ratelimited(fmt)) vprintk_emit(6, fmt, args);
}

/** pr_debug(), at most 10 times in 5 seconds (include/linux/printk.h: pr_debug_ratelimited()). */
export function pr_debug_ratelimited(fmt: string, ...args: printk_arg[]): void {
	if (printk_state.dynamic_debug && __printk_ratelimited(fmt)) vprintk_emit(7, fmt, args);
}
