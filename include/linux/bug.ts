// SPDX-License-Identifier: GPL-2.0-only
// Assertions.
// Linux 6.12: include/linux/bug.h, include/asm-generic/bug.h
//
// The _ONCE variants fire once a boot for each place in the source, which the JS stack tells.
import { __do_once_lite, bug_at, warn_slowpath_fmt } from '#kernel/panic.js';
import type { printk_arg } from '#lib/vsprintf.js';
import type { bool, unsigned_int } from '#linux/types.js';

export { kernel_bug, TAINT_CPU_OUT_OF_SPEC, TAINT_FIRMWARE_WORKAROUND, TAINT_WARN } from '#kernel/panic.js';

/** Report when @condition holds, and answer it (include/asm-generic/bug.h: WARN_ON()). */
export function WARN_ON(condition: unknown): bool {
	if (!condition) return false;
	warn_slowpath_fmt(null, []);
	return true;
}

/** WARN_ON() with a message (include/asm-generic/bug.h: WARN()). */
export function WARN(condition: unknown, fmt: string, ...args: printk_arg[]): bool {
	if (!condition) return false;
	warn_slowpath_fmt(fmt, args);
	return true;
}

/** WARN_ON() that reports once (include/asm-generic/bug.h: WARN_ON_ONCE()). */
export function WARN_ON_ONCE(condition: unknown): bool {
	if (!condition) return false;
	if (__do_once_lite('')) warn_slowpath_fmt(null, []);
	return true;
}

/** WARN() that reports once (include/asm-generic/bug.h: WARN_ONCE()). */
export function WARN_ONCE(condition: unknown, fmt: string, ...args: printk_arg[]): bool {
	if (!condition) return false;
	if (__do_once_lite(fmt)) warn_slowpath_fmt(fmt, args);
	return true;
}

/** WARN() that taints the kernel with @_taint (include/asm-generic/bug.h: WARN_TAINT()). */
export function WARN_TAINT(
	condition: unknown,
	_taint: unsigned_int,
	fmt: string,
	...args: printk_arg[]
): bool {
	return WARN(condition, fmt, ...args);
}

export const WARN_TAINT_ONCE = (
	condition: unknown,
	_taint: unsigned_int,
	fmt: string,
	...args: printk_arg[]
): bool => WARN_ONCE(condition, fmt, ...args);

/** The kernel cannot go on (include/asm-generic/bug.h: BUG()). */
export function BUG(): never {
	bug_at();
}

/** BUG() when @condition holds (include/asm-generic/bug.h: BUG_ON()). */
export function BUG_ON(condition: unknown): void {
	if (condition) bug_at();
}
