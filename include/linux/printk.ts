// SPDX-License-Identifier: GPL-2.0-only
// The kernel's messages.
// Linux 6.12: include/linux/printk.h
//
// Format strings carry no line end. pr_debug() speaks when dynamic debug is on (`dyndbg` on the command line).
import { __printk_once, __printk_ratelimit_at, printk_state, vprintk_emit } from '#kernel/printk/printk.js';
import type { printk_arg } from '#lib/vsprintf.js';
import type { int } from '#linux/types.js';

export { _printk as printk } from '#kernel/printk/printk.js';
export * from '#linux/kern_levels.js';
export type { printk_arg };

export function pr_emerg(fmt: string, ...args: printk_arg[]): int {
	return vprintk_emit(0, fmt, args);
}

export function pr_alert(fmt: string, ...args: printk_arg[]): int {
	return vprintk_emit(1, fmt, args);
}

export function pr_crit(fmt: string, ...args: printk_arg[]): int {
	return vprintk_emit(2, fmt, args);
}

export function pr_err(fmt: string, ...args: printk_arg[]): int {
	return vprintk_emit(3, fmt, args);
}

export function pr_warn(fmt: string, ...args: printk_arg[]): int {
	return vprintk_emit(4, fmt, args);
}

export function pr_notice(fmt: string, ...args: printk_arg[]): int {
	return vprintk_emit(5, fmt, args);
}

export function pr_info(fmt: string, ...args: printk_arg[]): int {
	return vprintk_emit(6, fmt, args);
}

/** More of the line before, as Linux allows it while nobody else prints; here it is a line of its own. */
export function pr_cont(fmt: string, ...args: printk_arg[]): int {
	return vprintk_emit(-1, fmt, args);
}

export function pr_debug(fmt: string, ...args: printk_arg[]): int {
	return printk_state.dynamic_debug ? vprintk_emit(7, fmt, args) : 0;
}

export const pr_devel = pr_debug;

/** Format checks only (include/linux/printk.h: no_printk()). */
export function no_printk(_fmt: string, ..._args: printk_arg[]): int {
	return 0;
}

export function pr_err_once(fmt: string, ...args: printk_arg[]): void {
	if (__printk_once(fmt)) vprintk_emit(3, fmt, args);
}

export function pr_warn_once(fmt: string, ...args: printk_arg[]): void {
	if (__printk_once(fmt)) vprintk_emit(4, fmt, args);
}

export function pr_notice_once(fmt: string, ...args: printk_arg[]): void {
	if (__printk_once(fmt)) vprintk_emit(5, fmt, args);
}

export function pr_info_once(fmt: string, ...args: printk_arg[]): void {
	if (__printk_once(fmt)) vprintk_emit(6, fmt, args);
}

export function pr_debug_once(fmt: string, ...args: printk_arg[]): void {
	if (printk_state.dynamic_debug && __printk_once(fmt)) vprintk_emit(7, fmt, args);
}

export function pr_err_ratelimited(fmt: string, ...args: printk_arg[]): void {
	if (__printk_ratelimit_at(fmt)) vprintk_emit(3, fmt, args);
}

export function pr_warn_ratelimited(fmt: string, ...args: printk_arg[]): void {
	if (__printk_ratelimit_at(fmt)) vprintk_emit(4, fmt, args);
}

export function pr_notice_ratelimited(fmt: string, ...args: printk_arg[]): void {
	if (__printk_ratelimit_at(fmt)) vprintk_emit(5, fmt, args);
}

export function pr_info_ratelimited(fmt: string, ...args: printk_arg[]): void {
	if (__printk_ratelimit_at(fmt)) vprintk_emit(6, fmt, args);
}

export function pr_debug_ratelimited(fmt: string, ...args: printk_arg[]): void {
	if (printk_state.dynamic_debug && __printk_ratelimit_at(fmt)) vprintk_emit(7, fmt, args);
}
