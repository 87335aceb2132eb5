// SPDX-License-Identifier: GPL-2.0-only
// The nodes and roots of red-black trees.
// Linux 6.12: include/linux/rbtree_types.h
import type { bool } from '#linux/types.js';

/** A member of a tree: `new rb_node<T>(this)` in the struct that is sorted. */
export class rb_node<T> {
	// Linux packs the parent and the colour in one word, __rb_parent_color.
	__rb_parent: rb_node<T> | null = null;
	__rb_red: bool = false;
	rb_left: rb_node<T> | null = null;
	rb_right: rb_node<T> | null = null;
	/** The embedding struct; null for a node that stands for itself. */
	readonly container: T | null;
	constructor(container: T | null = null) {
		this.container = container;
	}
}

export class rb_root<T> {
	rb_node: rb_node<T> | null = null;
}

/** A root that remembers its leftmost node. */
export class rb_root_cached<T> {
	readonly rb_root = new rb_root<T>();
	rb_leftmost: rb_node<T> | null = null;
}
