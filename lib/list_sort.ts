// SPDX-License-Identifier: GPL-2.0-only
// Sorting a linked list, stably.
// Linux 6.12: lib/list_sort.c
// By insertion: the lists here are short. Linux's merges.
import { type list_head, list_move } from '#linux/list.js';
import type { list_cmp_func_t } from '#linux/list_sort.js';

/**
 * Sort @head by @cmp; what is equal keeps its order (lib/list_sort.c: list_sort()).
 *
 * @priv: handed to @cmp
 */
export function list_sort<T>(priv: unknown, head: list_head<T>, cmp: list_cmp_func_t<T>): void {
	let entry = head.next;
	while (entry !== head) {
		const next = entry.next;
		let before = entry.prev;
		while (before !== head && cmp(priv, before, entry) > 0) before = before.prev;
		if (before !== entry.prev) list_move(entry, before);
		entry = next;
	}
}
