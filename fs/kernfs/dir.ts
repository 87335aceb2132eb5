// SPDX-License-Identifier: GPL-2.0-only
// The tree under sysfs and debugfs: making, finding and removing its nodes.
// Linux 6.12: fs/kernfs/dir.c, symlink.c (kernfs_create_link), file.c (__kernfs_create_file)
//
// Siblings are sorted by name alone (Linux: by a hash first), so that listings come sorted.
//
// Left out: namespaces, active references (a file's own removal from its store() is simply allowed),
// deactivated nodes, inode numbers.

import { WARN, WARN_ON } from '#linux/bug.js';
import type { err_ptr } from '#linux/err.js';
import { ERR_PTR, IS_ERR } from '#linux/err.js';
import { EEXIST, EINVAL, ENOENT, ENOMEM } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp_types.js';
import type { kernfs_ops } from '#linux/kernfs.js';
import {
	KERNFS_DIR,
	KERNFS_FILE,
	KERNFS_LINK,
	KERNFS_REMOVING,
	kernfs_node,
	kernfs_type,
	S_IALLUGO,
	S_IFDIR,
	S_IFLNK,
	S_IFREG,
	S_IRWXUGO,
} from '#linux/kernfs.js';
import type { rb_node } from '#linux/rbtree.js';
import {
	RB_CLEAR_NODE,
	RB_EMPTY_NODE,
	rb_erase,
	rb_find,
	rb_find_add,
	rb_first,
	rb_next,
} from '#linux/rbtree.js';
import { kfree, kzalloc } from '#linux/slab.js';
import type { bool, int, loff_t, umode_t } from '#linux/types.js';

function kernfs_name_compare(name: string, kn: kernfs_node): int {
	if (name < kn.name) return -1;
	return name > kn.name ? 1 : 0;
}

/** Take a reference (fs/kernfs/dir.c: kernfs_get()). */
export function kernfs_get(kn: kernfs_node | null): void {
	if (kn === null) return;
	WARN_ON(kn.count.counter <= 0);
	kn.count.counter++;
}

/** Drop a reference; with the last one the node goes, and its hold on its parent (fs/kernfs/dir.c: kernfs_put()). */
export function kernfs_put(kn: kernfs_node | null): void {
	while (kn !== null) {
		if (WARN_ON(kn.count.counter <= 0)) return;
		if (--kn.count.counter > 0) return;
		const parent: kernfs_node | null = kn.parent;
		if (kernfs_type(kn) === KERNFS_LINK) kernfs_put(kn.target_kn);
		kfree(kn);
		kn = parent;
	}
}

function __kernfs_new_node(name: string, mode: umode_t, flags: int, priv: object | null): kernfs_node | null {
	const kn = kzalloc(kernfs_node, GFP_KERNEL);
	if (kn === null) return null;
	kn.count.counter = 1;
	kn.name = name;
	kn.mode = mode;
	kn.flags = flags;
	kn.priv = priv;
	RB_CLEAR_NODE(kn.rb);
	return kn;
}

function kernfs_new_node(
	parent: kernfs_node,
	name: string,
	mode: umode_t,
	flags: int,
	priv: object | null,
): kernfs_node | null {
	const kn = __kernfs_new_node(name, mode, flags, priv);
	if (kn !== null) {
		kernfs_get(parent);
		kn.parent = parent;
	}
	return kn;
}

function kernfs_add_one(kn: kernfs_node): int {
	const parent = kn.parent;
	if (parent === null || kernfs_type(parent) !== KERNFS_DIR) return -EINVAL;
	if (parent.flags & KERNFS_REMOVING) return -ENOENT;
	const old = rb_find_add(
		kn.rb,
		parent.children,
		(a: rb_node<kernfs_node>, b: rb_node<kernfs_node>): int =>
			kernfs_name_compare((a.container as kernfs_node).name, b.container as kernfs_node),
	);
	if (old !== null) return -EEXIST;
	if (kernfs_type(kn) === KERNFS_DIR) parent.subdirs++;
	return 0;
}

function kernfs_unlink_sibling(kn: kernfs_node): bool {
	if (kn.parent === null || RB_EMPTY_NODE(kn.rb)) return false;
	if (kernfs_type(kn) === KERNFS_DIR) kn.parent.subdirs--;
	rb_erase(kn.rb, kn.parent.children);
	RB_CLEAR_NODE(kn.rb);
	return true;
}

/** The top of a tree of its own (fs/kernfs/dir.c: kernfs_create_root()). */
export function kernfs_create_root(priv: object | null): kernfs_node | err_ptr {
	const kn = __kernfs_new_node('', S_IFDIR | 0o755, KERNFS_DIR, priv);
	return kn ?? ERR_PTR(-ENOMEM);
}

/** The entry @name of @parent, without a reference (fs/kernfs/dir.c: kernfs_find_ns()). */
export function kernfs_find(parent: kernfs_node, name: string): kernfs_node | null {
	if (kernfs_type(parent) !== KERNFS_DIR) return null;
	const node = rb_find(
		name,
		parent.children,
		(key: string, n: rb_node<kernfs_node>): int => kernfs_name_compare(key, n.container as kernfs_node),
	);
	return node === null ? null : node.container;
}

/** The entry @name of @parent, with a reference (fs/kernfs/dir.c: kernfs_find_and_get()). */
export function kernfs_find_and_get(parent: kernfs_node, name: string): kernfs_node | null {
	const kn = kernfs_find(parent, name);
	kernfs_get(kn);
	return kn;
}

function kernfs_publish(kn: kernfs_node | null): kernfs_node | err_ptr {
	if (kn === null) return ERR_PTR(-ENOMEM);
	const rc = kernfs_add_one(kn);
	if (rc === 0) return kn;
	kernfs_put(kn);
	return ERR_PTR(rc);
}

/** Make a directory (fs/kernfs/dir.c: kernfs_create_dir_ns()). */
export function kernfs_create_dir(
	parent: kernfs_node,
	name: string,
	mode: umode_t,
	priv: object | null,
): kernfs_node | err_ptr {
	return kernfs_publish(kernfs_new_node(parent, name, (mode & S_IRWXUGO) | S_IFDIR, KERNFS_DIR, priv));
}

/** Make a file that @ops read and write (fs/kernfs/file.c: __kernfs_create_file()). */
export function kernfs_create_file(
	parent: kernfs_node,
	name: string,
	mode: umode_t,
	size: loff_t,
	ops: kernfs_ops,
	priv: object | null,
): kernfs_node | err_ptr {
	const kn = kernfs_new_node(parent, name, (mode & S_IALLUGO) | S_IFREG, KERNFS_FILE, priv);
	if (kn !== null) {
		kn.ops = ops;
		kn.size = size;
	}
	return kernfs_publish(kn);
}

/** Make a symbolic link to @target, which it holds (fs/kernfs/symlink.c: kernfs_create_link()). */
export function kernfs_create_link(
	parent: kernfs_node,
	name: string,
	target: kernfs_node,
): kernfs_node | err_ptr {
	const kn = kernfs_new_node(parent, name, S_IFLNK | S_IRWXUGO, KERNFS_LINK, null);
	if (kn !== null) {
		kernfs_get(target);
		kn.target_kn = target;
	}
	return kernfs_publish(kn);
}

/** Remove @kn and all below it (fs/kernfs/dir.c: kernfs_remove()). */
export function kernfs_remove(kn: kernfs_node | null): void {
	if (kn === null || kn.flags & KERNFS_REMOVING) return;
	kn.flags |= KERNFS_REMOVING;
	// A parent's name and links must be there while its entries go: deepest first.
	for (let node = rb_first(kn.children); node !== null; ) {
		const next = rb_next(node);
		kernfs_remove(node.container);
		node = next;
	}
	// The reference that the tree held. A root is in no directory, but is held too.
	if (kn.parent === null || kernfs_unlink_sibling(kn)) kernfs_put(kn);
}

/** Remove the entry @name of @parent (fs/kernfs/dir.c: kernfs_remove_by_name_ns()). */
export function kernfs_remove_by_name(parent: kernfs_node | null, name: string): int {
	if (parent === null) {
		WARN(true, "kernfs: can not remove '%s', no directory", name);
		return -ENOENT;
	}
	const kn = kernfs_find(parent, name);
	if (kn === null) return -ENOENT;
	kernfs_remove(kn);
	return 0;
}

/** Give @kn another name, or another parent (fs/kernfs/dir.c: kernfs_rename_ns()). */
export function kernfs_rename(kn: kernfs_node, new_parent: kernfs_node, new_name: string): int {
	if (kn.parent === null) return -EINVAL;
	if (kn.parent === new_parent && kn.name === new_name) return 0;
	if (kernfs_find(new_parent, new_name) !== null) return -EEXIST;
	kernfs_unlink_sibling(kn);
	const old_parent = kn.parent;
	kernfs_get(new_parent);
	kn.parent = new_parent;
	kn.name = new_name;
	const error = kernfs_add_one(kn);
	kernfs_put(old_parent);
	return error;
}

/** The path of @kn from its root, "/" for the root itself (fs/kernfs/dir.c: kernfs_path()). */
export function kernfs_path(kn: kernfs_node): string {
	let path = '';
	for (let pos: kernfs_node = kn; pos.parent !== null; pos = pos.parent) path = `/${pos.name}${path}`;
	return path === '' ? '/' : path;
}

/** Whether creating gave no node: its errno, else 0. */
export function kernfs_result(kn: kernfs_node | err_ptr): int {
	return IS_ERR(kn) ? kn.errno : 0;
}
