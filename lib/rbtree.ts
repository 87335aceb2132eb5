// SPDX-License-Identifier: GPL-2.0-only
// Red-black trees: rebalancing and walking.
// Linux 6.12: lib/rbtree.c
// Left out: augmented trees (rb_augment_callbacks), rb_replace_node_rcu()
import type { rb_node, rb_root } from '#linux/rbtree_types.js';

function rb_change_child<T>(
	old: rb_node<T>,
	entry: rb_node<T> | null,
	parent: rb_node<T> | null,
	root: rb_root<T>,
): void {
	if (parent === null) root.rb_node = entry;
	else if (parent.rb_left === old) parent.rb_left = entry;
	else parent.rb_right = entry;
}

function rb_rotate_left<T>(x: rb_node<T>, root: rb_root<T>): void {
	const y = x.rb_right as rb_node<T>;
	const inner = y.rb_left;
	x.rb_right = inner;
	if (inner !== null) inner.__rb_parent = x;
	const parent = x.__rb_parent;
	y.__rb_parent = parent;
	rb_change_child(x, y, parent, root);
	y.rb_left = x;
	x.__rb_parent = y;
}

function rb_rotate_right<T>(x: rb_node<T>, root: rb_root<T>): void {
	const y = x.rb_left as rb_node<T>;
	const inner = y.rb_right;
	x.rb_left = inner;
	if (inner !== null) inner.__rb_parent = x;
	const parent = x.__rb_parent;
	y.__rb_parent = parent;
	rb_change_child(x, y, parent, root);
	y.rb_right = x;
	x.__rb_parent = y;
}

function __rb_insert<T>(node: rb_node<T>, root: rb_root<T>): void {
	let n = node;
	for (;;) {
		let parent = n.__rb_parent;
		if (parent === null) {
			n.__rb_red = false;
			return;
		}
		if (!parent.__rb_red) return;
		// A red parent is never the root, so there is a grandparent, and it is black.
		const gparent = parent.__rb_parent as rb_node<T>;
		const on_left = gparent.rb_left === parent;
		const uncle = on_left ? gparent.rb_right : gparent.rb_left;
		if (uncle?.__rb_red) {
			parent.__rb_red = false;
			uncle.__rb_red = false;
			gparent.__rb_red = true;
			n = gparent;
			continue;
		}
		if (on_left) {
			if (parent.rb_right === n) {
				rb_rotate_left(parent, root);
				parent = n;
			}
			parent.__rb_red = false;
			gparent.__rb_red = true;
			rb_rotate_right(gparent, root);
		} else {
			if (parent.rb_left === n) {
				rb_rotate_right(parent, root);
				parent = n;
			}
			parent.__rb_red = false;
			gparent.__rb_red = true;
			rb_rotate_left(gparent, root);
		}
		return;
	}
}

/**
 * rb_insert_color - Rebalance after rb_link_node() (lib/rbtree.c: rb_insert_color())
 * @node: the new red leaf
 * @root: the tree
 */
export function rb_insert_color<T>(node: rb_node<T>, root: rb_root<T>): void {
	// Below a black node all is well, and most leaves are: that much can be inlined.
	const parent = node.__rb_parent;
	if (parent === null || parent.__rb_red) __rb_insert(node, root);
}

// The path through @node (maybe null) below @parent is one black node short.
function rb_erase_color<T>(node: rb_node<T> | null, above: rb_node<T> | null, root: rb_root<T>): void {
	let n = node;
	let parent = above;
	while (parent !== null && !n?.__rb_red) {
		const on_left = parent.rb_left === n;
		let sibling = (on_left ? parent.rb_right : parent.rb_left) as rb_node<T>;
		if (sibling.__rb_red) {
			sibling.__rb_red = false;
			parent.__rb_red = true;
			if (on_left) {
				rb_rotate_left(parent, root);
				sibling = parent.rb_right as rb_node<T>;
			} else {
				rb_rotate_right(parent, root);
				sibling = parent.rb_left as rb_node<T>;
			}
		}
		let far = on_left ? sibling.rb_right : sibling.rb_left;
		const near = on_left ? sibling.rb_left : sibling.rb_right;
		if (!far?.__rb_red && !near?.__rb_red) {
			sibling.__rb_red = true;
			n = parent;
			parent = n.__rb_parent;
			continue;
		}
		if (!far?.__rb_red) {
			(near as rb_node<T>).__rb_red = false;
			sibling.__rb_red = true;
			if (on_left) {
				rb_rotate_right(sibling, root);
				sibling = parent.rb_right as rb_node<T>;
				far = sibling.rb_right;
			} else {
				rb_rotate_left(sibling, root);
				sibling = parent.rb_left as rb_node<T>;
				far = sibling.rb_left;
			}
		}
		sibling.__rb_red = parent.__rb_red;
		parent.__rb_red = false;
		(far as rb_node<T>).__rb_red = false;
		if (on_left) rb_rotate_left(parent, root);
		else rb_rotate_right(parent, root);
		return;
	}
	if (n !== null) n.__rb_red = false;
}

// rb_erase() of a @node with the children @left and @right: the next one takes its place.
function rb_erase_inner<T>(node: rb_node<T>, left: rb_node<T>, right: rb_node<T>, root: rb_root<T>): void {
	const parent = node.__rb_parent;
	let successor = right;
	while (successor.rb_left !== null) successor = successor.rb_left;
	const child = successor.rb_right;
	const was_red = successor.__rb_red;
	let short_parent = successor.__rb_parent as rb_node<T>;
	if (short_parent === node) {
		short_parent = successor;
	} else {
		short_parent.rb_left = child;
		if (child !== null) child.__rb_parent = short_parent;
		successor.rb_right = right;
		right.__rb_parent = successor;
	}
	successor.rb_left = left;
	left.__rb_parent = successor;
	successor.__rb_parent = parent;
	successor.__rb_red = node.__rb_red;
	rb_change_child(node, successor, parent, root);
	if (!was_red) rb_erase_color(child, short_parent, root);
}

/**
 * rb_erase - Take @node out of its tree (lib/rbtree.c: rb_erase())
 * @node: a member; its own links are left as they were
 * @root: the tree
 */
export function rb_erase<T>(node: rb_node<T>, root: rb_root<T>): void {
	const left = node.rb_left;
	const right = node.rb_right;
	if (left !== null && right !== null) {
		rb_erase_inner(node, left, right, root);
		return;
	}
	const parent = node.__rb_parent;
	const child = left ?? right;
	if (child !== null) child.__rb_parent = parent;
	rb_change_child(node, child, parent, root);
	if (!node.__rb_red) rb_erase_color(child, parent, root);
}

/** Put @entry where @victim is, with the same key (lib/rbtree.c: rb_replace_node()). */
export function rb_replace_node<T>(victim: rb_node<T>, entry: rb_node<T>, root: rb_root<T>): void {
	const parent = victim.__rb_parent;
	entry.__rb_parent = parent;
	entry.__rb_red = victim.__rb_red;
	entry.rb_left = victim.rb_left;
	entry.rb_right = victim.rb_right;
	if (victim.rb_left !== null) victim.rb_left.__rb_parent = entry;
	if (victim.rb_right !== null) victim.rb_right.__rb_parent = entry;
	rb_change_child(victim, entry, parent, root);
}

/** The first node in order, null for an empty tree (lib/rbtree.c: rb_first()). */
export function rb_first<T>(root: rb_root<T>): rb_node<T> | null {
	let n = root.rb_node;
	if (n === null) return null;
	while (n.rb_left !== null) n = n.rb_left;
	return n;
}

/** The last node in order, null for an empty tree (lib/rbtree.c: rb_last()). */
export function rb_last<T>(root: rb_root<T>): rb_node<T> | null {
	let n = root.rb_node;
	if (n === null) return null;
	while (n.rb_right !== null) n = n.rb_right;
	return n;
}

/** The node after @node; null after the last, and for a node that is in no tree (lib/rbtree.c: rb_next()). */
export function rb_next<T>(node: rb_node<T>): rb_node<T> | null {
	let n = node;
	if (n.__rb_parent === n) return null;
	if (n.rb_right !== null) {
		n = n.rb_right;
		while (n.rb_left !== null) n = n.rb_left;
		return n;
	}
	let parent = n.__rb_parent;
	while (parent !== null && n === parent.rb_right) {
		n = parent;
		parent = n.__rb_parent;
	}
	return parent;
}

/** The node before @node; null before the first (lib/rbtree.c: rb_prev()). */
export function rb_prev<T>(node: rb_node<T>): rb_node<T> | null {
	let n = node;
	if (n.__rb_parent === n) return null;
	if (n.rb_left !== null) {
		n = n.rb_left;
		while (n.rb_right !== null) n = n.rb_right;
		return n;
	}
	let parent = n.__rb_parent;
	while (parent !== null && n === parent.rb_left) {
		n = parent;
		parent = n.__rb_parent;
	}
	return parent;
}

function rb_left_deepest<T>(node: rb_node<T>): rb_node<T> {
	let n = node;
	for (;;) {
		if (n.rb_left !== null) n = n.rb_left;
		else if (n.rb_right !== null) n = n.rb_right;
		else return n;
	}
}

/** The first node of a walk that meets children before parents (lib/rbtree.c: rb_first_postorder()). */
export function rb_first_postorder<T>(root: rb_root<T>): rb_node<T> | null {
	return root.rb_node === null ? null : rb_left_deepest(root.rb_node);
}

/** The next node of that walk (lib/rbtree.c: rb_next_postorder()). */
export function rb_next_postorder<T>(node: rb_node<T>): rb_node<T> | null {
	const parent = node.__rb_parent;
	if (parent !== null && node === parent.rb_left && parent.rb_right !== null)
		return rb_left_deepest(parent.rb_right);
	return parent;
}
