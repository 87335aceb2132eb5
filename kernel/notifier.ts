// SPDX-License-Identifier: GPL-2.0-only
// Chains of callbacks, highest priority first.
// Linux 6.12: kernel/notifier.c
//
// Left out: locks of the heads (a chain is a plain list here), robust calls, die and reboot chains.

import { WARN } from '#linux/bug.js';
import { EEXIST, ENOENT } from '#linux/errno.js';
import type { notifier_block, raw_notifier_head } from '#linux/notifier.js';
import { NOTIFY_DONE, NOTIFY_STOP_MASK } from '#linux/notifier.js';
import type { int, unsigned_long } from '#linux/types.js';

function notifier_chain_register(nh: raw_notifier_head, n: notifier_block): int {
	let before: notifier_block | null = null;
	for (let pos = nh.head; pos !== null; pos = pos.next) {
		if (pos === n) {
			WARN(true, 'notifier callback already registered');
			return -EEXIST;
		}
		if (n.priority > pos.priority) break;
		before = pos;
	}
	n.next = before === null ? nh.head : before.next;
	if (before === null) nh.head = n;
	else before.next = n;
	return 0;
}

function notifier_chain_unregister(nh: raw_notifier_head, n: notifier_block): int {
	let before: notifier_block | null = null;
	for (let pos = nh.head; pos !== null; before = pos, pos = pos.next) {
		if (pos !== n) continue;
		if (before === null) nh.head = n.next;
		else before.next = n.next;
		return 0;
	}
	return -ENOENT;
}

function notifier_call_chain(nh: raw_notifier_head, val: unsigned_long, v: unknown): int {
	let ret: int = NOTIFY_DONE;
	let nb = nh.head;
	while (nb !== null) {
		// The callback may unregister itself.
		const next: notifier_block | null = nb.next;
		ret = nb.notifier_call?.(nb, val, v) ?? NOTIFY_DONE;
		if (ret & NOTIFY_STOP_MASK) break;
		nb = next;
	}
	return ret;
}

/** Add a callback behind those of its priority: 0 or -EEXIST (kernel/notifier.c: raw_notifier_chain_register()). */
export const raw_notifier_chain_register = notifier_chain_register;
/** Take a callback away: 0 or -ENOENT (kernel/notifier.c: raw_notifier_chain_unregister()). */
export const raw_notifier_chain_unregister = notifier_chain_unregister;
/** Call all until one says stop; what the last one answered (kernel/notifier.c: raw_notifier_call_chain()). */
export const raw_notifier_call_chain = notifier_call_chain;
/** raw_notifier_chain_register() of a blocking chain (kernel/notifier.c: blocking_notifier_chain_register()). */
export const blocking_notifier_chain_register = notifier_chain_register;
/** raw_notifier_chain_unregister() of a blocking chain (kernel/notifier.c: blocking_notifier_chain_unregister()). */
export const blocking_notifier_chain_unregister = notifier_chain_unregister;
/** raw_notifier_call_chain() of a blocking chain (kernel/notifier.c: blocking_notifier_call_chain()). */
export const blocking_notifier_call_chain = notifier_call_chain;
/** raw_notifier_chain_register() of a atomic chain (kernel/notifier.c: atomic_notifier_chain_register()). */
export const atomic_notifier_chain_register = notifier_chain_register;
/** raw_notifier_chain_unregister() of a atomic chain (kernel/notifier.c: atomic_notifier_chain_unregister()). */
export const atomic_notifier_chain_unregister = notifier_chain_unregister;
/** raw_notifier_call_chain() of a atomic chain (kernel/notifier.c: atomic_notifier_call_chain()). */
export const atomic_notifier_call_chain = notifier_call_chain;
