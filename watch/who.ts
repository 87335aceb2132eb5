// SPDX-License-Identifier: GPL-2.0-only
// Which of the kernel's functions is at work: the one to name in an advice.

import { kernel_frames, save_stack_lines, type stack_frame } from '#arch/arm64/kernel/stacktrace.js';

/** Deep enough for an interrupt in a system call. */
const DEPTH = 20;

/** What every access goes through, and who makes one of it: asm/io.h, iopoll.h, `edu_write()`, `rk_iommu_base_command()`. */
const ACCESSORS = /include\/asm\/io\.ts$|include\/linux\/(iopoll|io|delay)\.ts$|kernel\/time\//;
const WRAPPERS =
	/(^|_)(read|write|readl|writel|base_command|update_bits|set_bits|clr_bits)(_relaxed)?$|^sun8i_dwmac_(set|clear)$/;

/** The kernel's functions at this moment, innermost first; none: it is not the kernel that does this. */
export function whoIsAtWork(): readonly stack_frame[] {
	return kernel_frames(save_stack_lines(DEPTH));
}

/** The function that wanted a register accessed, `sun50i_iommu_enable()`; null: none of the kernel's. */
export function accessorOf(frames: readonly stack_frame[]): string | null {
	const named = frames.find(
		({ func, file }) => func !== null && !ACCESSORS.test(file) && !WRAPPERS.test(func),
	);
	return named === undefined ? null : `${named.func}()`;
}

/** Whether that is inside one of the loops of iopoll.h. */
export function isPolling(frames: readonly stack_frame[]): boolean {
	return frames.some(({ file }) => /include\/linux\/iopoll\.[jt]s$/.test(file));
}
