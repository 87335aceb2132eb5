// SPDX-License-Identifier: GPL-2.0-only
// What happens once for each place in the source.
// Linux 6.12: include/linux/once_lite.h
//
// C has a static flag at each place. Here the places that have had their turn are a tree, sorted by their text.
import { rb_find, rb_find_add } from '#linux/rbtree.js';
import { rb_node, type rb_root } from '#linux/rbtree_types.js';
import type { bool, int } from '#linux/types.js';

export class once_site {
	readonly node = new rb_node<once_site>(this);
	constructor(readonly where: string) {}
}

function compare(where: string, node: rb_node<once_site>): int {
	const other = (node.container as once_site).where;
	return where < other ? -1 : where > other ? 1 : 0;
}

/** Whether @where asks for the first time, and note that it did (include/linux/once_lite.h: __ONCE_LITE_IF()). */
export function __once_lite(sites: rb_root<once_site>, where: string): bool {
	if (rb_find(where, sites, compare) !== null) return false;
	const site = new once_site(where);
	rb_find_add(site.node, sites, (node, other) => compare((node.container as once_site).where, other));
	return true;
}
