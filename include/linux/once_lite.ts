// SPDX-License-Identifier: GPL-2.0-only
// What happens once for each place in the source.
// Linux 6.12: include/linux/once_lite.h
//
// C has a static variable at each place. Here the places that have had their turn are a tree, sorted by their text.
import { rb_find, rb_find_add } from '#linux/rbtree.js';
import { rb_node, type rb_root } from '#linux/rbtree_types.js';
import type { bool, int } from '#linux/types.js';

/** A place in the source; what it keeps between calls is in classes that extend this one. */
export class once_site {
	readonly node = new rb_node<once_site>(this);
	constructor(readonly where: string) {}
}

function compare(where: string, node: rb_node<once_site>): int {
	const other = (node.container as once_site).where;
	return where < other ? -1 : where > other ? 1 : 0;
}

/** The place @where, when it had its turn; else null. */
export function find_once_site(sites: rb_root<once_site>, where: string): once_site | null {
	const node = rb_find(where, sites, compare);
	return node === null ? null : (node.container as once_site);
}

/** Note that the place @site had its turn. */
export function add_once_site(sites: rb_root<once_site>, site: once_site): void {
	rb_find_add(site.node, sites, (node, other) => compare((node.container as once_site).where, other));
}

/** Whether @where asks for the first time, and note that it did (include/linux/once_lite.h: __ONCE_LITE_IF()). */
export function __once_lite(sites: rb_root<once_site>, where: string): bool {
	if (find_once_site(sites, where) !== null) return false;
	add_once_site(sites, new once_site(where));
	return true;
}
