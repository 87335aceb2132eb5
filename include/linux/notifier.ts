// SPDX-License-Identifier: GPL-2.0-only
// Chains of callbacks: who wants to hear of something.
// Linux 6.12: include/linux/notifier.h
//
// Left out: SRCU chains.
import type { int, unsigned_long } from '#linux/types.js';

export const NOTIFY_DONE = 0x0000;
export const NOTIFY_OK = 0x0001;
export const NOTIFY_STOP_MASK = 0x8000;
export const NOTIFY_BAD = NOTIFY_STOP_MASK | 0x0002;
export const NOTIFY_STOP = NOTIFY_OK | NOTIFY_STOP_MASK;

export type notifier_fn_t = (nb: notifier_block, action: unsigned_long, data: unknown) => int;

export class notifier_block {
	notifier_call: notifier_fn_t | null;
	next: notifier_block | null = null;
	priority: int;
	readonly container: object | null;
	constructor(
		notifier_call: notifier_fn_t | null = null,
		priority: int = 0,
		container: object | null = null,
	) {
		this.notifier_call = notifier_call;
		this.priority = priority;
		this.container = container;
	}
}

export class raw_notifier_head {
	head: notifier_block | null = null;
}

/** Called in process context; may sleep. */
export class blocking_notifier_head extends raw_notifier_head {}

/** Called in any context. */
export class atomic_notifier_head extends raw_notifier_head {}

/** Make the chain empty (include/linux/notifier.h: BLOCKING_INIT_NOTIFIER_HEAD()). */
export function BLOCKING_INIT_NOTIFIER_HEAD(nh: blocking_notifier_head): void {
	nh.head = null;
}

/** A callback's result for an errno (include/linux/notifier.h: notifier_from_errno()). */
export function notifier_from_errno(err: int): int {
	return err ? NOTIFY_STOP_MASK | (NOTIFY_OK - err) : NOTIFY_OK;
}

/** The errno in a callback's result (include/linux/notifier.h: notifier_to_errno()). */
export function notifier_to_errno(ret: int): int {
	const value = ret & ~NOTIFY_STOP_MASK;
	return value > NOTIFY_OK ? NOTIFY_OK - value : 0;
}
