// SPDX-License-Identifier: GPL-2.0-only
// Red-black trees: linking, searching, the cached leftmost node.
// Linux 6.12: include/linux/rbtree.h
//
// C links through a pointer to a child pointer; here rb_link_node() is told the parent and the side.
import { rb_erase, rb_first, rb_insert_color, rb_next, rb_replace_node } from '#lib/rbtree.js';
import { type rb_node, type rb_root, rb_root_cached } from '#linux/rbtree_types.js';
import type { bool, int } from '#linux/types.js';

export {
	rb_erase,
	rb_first,
	rb_first_postorder,
	rb_insert_color,
	rb_last,
	rb_next,
	rb_next_postorder,
	rb_prev,
	rb_replace_node,
} from '#lib/rbtree.js';
export { rb_node, rb_root, rb_root_cached } from '#linux/rbtree_types.js';

/** The parent of @node, null at the top (include/linux/rbtree.h: rb_parent()). */
export function rb_parent<T>(node: rb_node<T>): rb_node<T> | null {
	return node.__rb_parent;
}

/** The struct that embeds @ptr (include/linux/rbtree.h: rb_entry()). */
export function rb_entry<T>(ptr: rb_node<T>): T {
	return ptr.container as T;
}

/** rb_entry(), null for null (include/linux/rbtree.h: rb_entry_safe()). */
export function rb_entry_safe<T>(ptr: rb_node<T> | null): T | null {
	return ptr === null ? null : ptr.container;
}

/** Whether the tree is empty (include/linux/rbtree.h: RB_EMPTY_ROOT()). */
export function RB_EMPTY_ROOT<T>(root: rb_root<T>): bool {
	return root.rb_node === null;
}

/** Whether @node is marked as being in no tree (include/linux/rbtree.h: RB_EMPTY_NODE()). */
export function RB_EMPTY_NODE<T>(node: rb_node<T>): bool {
	return node.__rb_parent === node;
}

/** Mark @node as being in no tree (include/linux/rbtree.h: RB_CLEAR_NODE()). */
export function RB_CLEAR_NODE<T>(node: rb_node<T>): void {
	node.__rb_parent = node;
}

/**
 * rb_link_node - Hang a new red leaf into the tree (include/linux/rbtree.h: rb_link_node())
 * @node: the new leaf
 * @parent: the node above, or null when the tree is empty
 * @root: the tree
 * @left: which child of @parent it becomes
 *
 * rb_insert_color() must follow.
 */
export function rb_link_node<T>(
	node: rb_node<T>,
	parent: rb_node<T> | null,
	root: rb_root<T>,
	left: bool,
): void {
	node.__rb_parent = parent;
	node.__rb_red = true;
	node.rb_left = null;
	node.rb_right = null;
	if (parent === null) root.rb_node = node;
	else if (left) parent.rb_left = node;
	else parent.rb_right = node;
}

/** Insert @node where @less puts it, after its equals (include/linux/rbtree.h: rb_add()). */
export function rb_add<T>(
	node: rb_node<T>,
	tree: rb_root<T>,
	less: (a: rb_node<T>, b: rb_node<T>) => bool,
): void {
	let parent: rb_node<T> | null = null;
	let link = tree.rb_node;
	let left = false;
	while (link !== null) {
		parent = link;
		left = less(node, link);
		link = left ? link.rb_left : link.rb_right;
	}
	rb_link_node(node, parent, tree, left);
	rb_insert_color(node, tree);
}

/** Insert @node unless an equal is there, which is then the result (include/linux/rbtree.h: rb_find_add()). */
export function rb_find_add<T>(
	node: rb_node<T>,
	tree: rb_root<T>,
	cmp: (a: rb_node<T>, b: rb_node<T>) => int,
): rb_node<T> | null {
	let parent: rb_node<T> | null = null;
	let link = tree.rb_node;
	let left = false;
	while (link !== null) {
		const c = cmp(node, link);
		if (c === 0) return link;
		parent = link;
		left = c < 0;
		link = left ? link.rb_left : link.rb_right;
	}
	rb_link_node(node, parent, tree, left);
	rb_insert_color(node, tree);
	return null;
}

/** The node that @key matches; @cmp is the key's place relative to a node (include/linux/rbtree.h: rb_find()). */
export function rb_find<K, T>(
	key: K,
	tree: rb_root<T>,
	cmp: (key: K, node: rb_node<T>) => int,
): rb_node<T> | null {
	let node = tree.rb_node;
	while (node !== null) {
		const c = cmp(key, node);
		if (c === 0) return node;
		node = c < 0 ? node.rb_left : node.rb_right;
	}
	return null;
}

export const RB_ROOT_CACHED = rb_root_cached;

/** The leftmost node in constant time (include/linux/rbtree.h: rb_first_cached()). */
export function rb_first_cached<T>(root: rb_root_cached<T>): rb_node<T> | null {
	return root.rb_leftmost;
}

/** rb_insert_color() that keeps the leftmost node (include/linux/rbtree.h: rb_insert_color_cached()). */
export function rb_insert_color_cached<T>(node: rb_node<T>, root: rb_root_cached<T>, leftmost: bool): void {
	if (leftmost) root.rb_leftmost = node;
	rb_insert_color(node, root.rb_root);
}

/** rb_erase() that keeps the leftmost node; the new one if it changed (include/linux/rbtree.h: rb_erase_cached()). */
export function rb_erase_cached<T>(node: rb_node<T>, root: rb_root_cached<T>): rb_node<T> | null {
	let leftmost: rb_node<T> | null = null;
	if (root.rb_leftmost === node) {
		leftmost = rb_next(node);
		root.rb_leftmost = leftmost;
	}
	rb_erase(node, root.rb_root);
	return leftmost;
}

/** rb_replace_node() that keeps the leftmost node (include/linux/rbtree.h: rb_replace_node_cached()). */
export function rb_replace_node_cached<T>(
	victim: rb_node<T>,
	node: rb_node<T>,
	root: rb_root_cached<T>,
): void {
	if (root.rb_leftmost === victim) root.rb_leftmost = node;
	rb_replace_node(victim, node, root.rb_root);
}

/** rb_add() that keeps the leftmost node (include/linux/rbtree.h: rb_add_cached()). */
export function rb_add_cached<T>(
	node: rb_node<T>,
	tree: rb_root_cached<T>,
	less: (a: rb_node<T>, b: rb_node<T>) => bool,
): void {
	let parent: rb_node<T> | null = null;
	let link = tree.rb_root.rb_node;
	let left = false;
	let leftmost = true;
	while (link !== null) {
		parent = link;
		left = less(node, link);
		if (!left) leftmost = false;
		link = left ? link.rb_left : link.rb_right;
	}
	rb_link_node(node, parent, tree.rb_root, left);
	rb_insert_color_cached(node, tree, leftmost);
}

/** Each struct of the tree in order (include/linux/rbtree.h: a loop over rb_next()). */
export function* rb_for_each_entry<T>(root: rb_root<T>): Iterable<T> {
	for (let node = rb_first(root); node !== null; node = rb_next(node)) yield node.container as T;
}
