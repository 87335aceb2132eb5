// SPDX-License-Identifier: GPL-2.0-only
// Lists that may change while somebody walks them: nodes are counted.
// Linux 6.12: include/linux/klist.h
import { kref } from '#linux/kref.js';
import { list_head } from '#linux/list.js';
import { spinlock_t } from '#linux/spinlock.js';
import type { bool } from '#linux/types.js';

export class klist<T> {
	k_lock: spinlock_t = new spinlock_t('klist.k_lock');
	k_list: list_head<klist_node<T>> = new list_head<klist_node<T>>();
	/** Taken and dropped for each node that is on the list. */
	get: ((node: klist_node<T>) => void) | null = null;
	put: ((node: klist_node<T>) => void) | null = null;
}

export class klist_node<T> {
	n_klist: klist<T> | null = null;
	n_node: list_head<klist_node<T>> = new list_head<klist_node<T>>(this);
	n_ref: kref = new kref(this);
	/** Deleted, though somebody still stands on it. */
	dead: bool = false;
	readonly container: T;
	constructor(container: T) {
		this.container = container;
	}
}

export class klist_iter<T> {
	i_klist: klist<T> | null = null;
	i_cur: klist_node<T> | null = null;
}
