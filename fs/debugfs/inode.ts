// SPDX-License-Identifier: GPL-2.0-only
// The debug file system: directories and files below /sys/kernel/debug.
// Linux 6.12: fs/debugfs/inode.c
//
// Left out: access modes (debugfs=), renaming; of automounts, all but tracefs's.

import {
	kernfs_create_dir,
	kernfs_create_link,
	kernfs_create_root,
	kernfs_find,
	kernfs_remove,
} from '#fs/kernfs/dir.js';
import { simple_create_file } from '#fs/libfs.js';
import { sysfs_create_mount_point } from '#fs/sysfs/dir.js';
import { sysfs_state } from '#fs/sysfs/mount.js';
import { sysfs_lookup } from '#fs/sysfs/user.js';
import { kernel_kobj } from '#kernel/ksysfs.js';
import type { dentry } from '#linux/debugfs.js';
import type { err_ptr } from '#linux/err.js';
import { ERR_PTR, IS_ERR, IS_ERR_OR_NULL } from '#linux/err.js';
import { EEXIST, EINVAL, ENODEV } from '#linux/errno.js';
import type { file_operations } from '#linux/fs.js';
import { boot_data, core_initcall } from '#linux/init.js';
import { KERNFS_EMPTY_DIR, type kernfs_node } from '#linux/kernfs.js';
import { pr_err } from '#linux/printk.js';
import type { bool, int, umode_t } from '#linux/types.js';

const state = boot_data(() => ({
	debugfs_registered: false,
}));

function parent_of(parent: dentry | err_ptr | null): kernfs_node | null {
	if (IS_ERR(parent)) return null;
	return parent ?? sysfs_state.debugfs_root_kn;
}

function created(kn: kernfs_node | err_ptr, name: string): dentry | err_ptr {
	if (IS_ERR(kn) && kn.errno === -EEXIST) pr_err("debugfs: '%s' already exists in '%s'", name, 'debugfs');
	return kn;
}

/** A file @name in @parent, or at the top (fs/debugfs/inode.c: debugfs_create_file()). */
export function debugfs_create_file(
	name: string,
	mode: umode_t,
	parent: dentry | err_ptr | null,
	data: unknown,
	fops: file_operations | null,
): dentry | err_ptr {
	const dir = parent_of(parent);
	if (dir === null) return IS_ERR(parent) ? parent : ERR_PTR(-ENODEV);
	return created(simple_create_file(dir, name, mode, data, fops), name);
}

/** fs/debugfs/inode.c: debugfs_create_file_unsafe(). */
export const debugfs_create_file_unsafe = debugfs_create_file;

/** A directory @name in @parent, or at the top (fs/debugfs/inode.c: debugfs_create_dir()). */
export function debugfs_create_dir(name: string, parent: dentry | err_ptr | null): dentry | err_ptr {
	const dir = parent_of(parent);
	if (dir === null) return IS_ERR(parent) ? parent : ERR_PTR(-ENODEV);
	return created(kernfs_create_dir(dir, name, 0o755, null), name);
}

/**
 * A directory that another file system appears in (fs/debugfs/inode.c: debugfs_create_automount()). Linux is given
 * the function that mounts it; here fs/sysfs/user.ts knows that "tracing" leads to tracefs.
 */
export function debugfs_create_automount(name: string, parent: dentry | err_ptr | null): dentry | err_ptr {
	const dir = debugfs_create_dir(name, parent);
	if (!IS_ERR(dir)) dir.flags |= KERNFS_EMPTY_DIR;
	return dir;
}

/** A link @name that says @target (fs/debugfs/inode.c: debugfs_create_symlink()). The target is there, in debugfs. */
export function debugfs_create_symlink(
	name: string,
	parent: dentry | err_ptr | null,
	target: string,
): dentry | err_ptr {
	const dir = parent_of(parent);
	if (dir === null) return IS_ERR(parent) ? parent : ERR_PTR(-ENODEV);
	const to = sysfs_lookup(target);
	if (IS_ERR(to)) return to;
	return created(kernfs_create_link(dir, name, to), name);
}

/** The entry @name of @parent, or null (fs/debugfs/inode.c: debugfs_lookup()). */
export function debugfs_lookup(name: string, parent: dentry | err_ptr | null): dentry | null {
	const dir = parent_of(parent);
	return dir === null ? null : kernfs_find(dir, name);
}

/** Remove @dentry and all below it (fs/debugfs/inode.c: debugfs_remove()). */
export function debugfs_remove(dentry: dentry | err_ptr | null): void {
	if (!IS_ERR_OR_NULL(dentry)) kernfs_remove(dentry);
}

/** fs/debugfs/inode.c: debugfs_remove_recursive(). */
export const debugfs_remove_recursive = debugfs_remove;

/** fs/debugfs/inode.c: debugfs_lookup_and_remove(). */
export function debugfs_lookup_and_remove(name: string, parent: dentry | err_ptr | null): void {
	debugfs_remove(debugfs_lookup(name, parent));
}

/** Whether debugfs is there (fs/debugfs/inode.c: debugfs_initialized()). */
export function debugfs_initialized(): bool {
	return state.debugfs_registered;
}

/** Make the root, and the directory it is mounted on (fs/debugfs/inode.c: debugfs_init()). */
export function debugfs_init(): int {
	const parent = kernel_kobj();
	if (parent === null) return -EINVAL;
	const retval = sysfs_create_mount_point(parent, 'debug');
	if (retval) return retval;
	const root = kernfs_create_root(null);
	if (IS_ERR(root)) return root.errno;
	sysfs_state.debugfs_root_kn = root;
	state.debugfs_registered = true;
	return 0;
}
core_initcall(debugfs_init);
