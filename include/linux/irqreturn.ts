// SPDX-License-Identifier: GPL-2.0-only
// What an interrupt handler answers.
// Linux 6.12: include/linux/irqreturn.h
import type { int } from '#linux/types.js';

/** IRQ_NONE, or bits of the other two. */
export type irqreturn = int;
export type irqreturn_t = irqreturn;

/** Not ours, or nothing was done about it. */
export const IRQ_NONE = 0;
/** This device had raised it, and it is dealt with. */
export const IRQ_HANDLED = 1;
/** The handler's thread has to run. */
export const IRQ_WAKE_THREAD = 2;

/** IRQ_HANDLED when @x holds, else IRQ_NONE (include/linux/irqreturn.h: IRQ_RETVAL()). */
export function IRQ_RETVAL(x: boolean | int): irqreturn_t {
	return x ? IRQ_HANDLED : IRQ_NONE;
}
