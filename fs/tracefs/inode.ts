// SPDX-License-Identifier: GPL-2.0-only
// The trace file system: directories and files below /sys/kernel/tracing.
// Linux 6.12: fs/tracefs/inode.c, fs/tracefs/event_inode.c (which makes events' entries when they are looked at)
// Left out: mount options, instances.
import { kernfs_create_dir, kernfs_create_root, kernfs_find } from '#fs/kernfs/dir.js';
import { simple_create_file } from '#fs/libfs.js';
import { sysfs_create_mount_point } from '#fs/sysfs/dir.js';
import { sysfs_state } from '#fs/sysfs/mount.js';
import { kernel_kobj } from '#kernel/ksysfs.js';
import type { dentry } from '#linux/debugfs.js';
import { ERR_PTR, type err_ptr, IS_ERR } from '#linux/err.js';
import { EINVAL, ENODEV } from '#linux/errno.js';
import type { file_operations } from '#linux/fs.js';
import { core_initcall } from '#linux/init.js';
import type { kernfs_node } from '#linux/kernfs.js';
import type { bool, int, umode_t } from '#linux/types.js';

function parent_of(parent: dentry | err_ptr | null): kernfs_node | err_ptr {
	return parent ?? sysfs_state.tracefs_root_kn ?? ERR_PTR(-ENODEV);
}

/** A file @name in @parent, or at the top (fs/tracefs/inode.c: tracefs_create_file()). */
export function tracefs_create_file(
	name: string,
	mode: umode_t,
	parent: dentry | err_ptr | null,
	data: unknown,
	fops: file_operations,
): dentry | err_ptr {
	const dir = parent_of(parent);
	return IS_ERR(dir) ? dir : simple_create_file(dir, name, mode, data, fops);
}

/** A directory @name in @parent, or at the top (fs/tracefs/inode.c: tracefs_create_dir()). */
export function tracefs_create_dir(name: string, parent: dentry | err_ptr | null): dentry | err_ptr {
	const dir = parent_of(parent);
	return IS_ERR(dir) ? dir : kernfs_create_dir(dir, name, 0o755, null);
}

/** The entry @name of @parent, or null. */
export function tracefs_lookup(name: string, parent: dentry): dentry | null {
	return kernfs_find(parent, name);
}

/** Whether tracefs is there (fs/tracefs/inode.c: tracefs_initialized()). */
export function tracefs_initialized(): bool {
	return sysfs_state.tracefs_root_kn !== null;
}

/** Make the root, and the directory it is mounted on (fs/tracefs/inode.c: tracefs_init()). */
function tracefs_init(): int {
	const parent = kernel_kobj();
	if (parent === null) return -EINVAL;
	const retval = sysfs_create_mount_point(parent, 'tracing');
	if (retval) return -EINVAL;
	const root = kernfs_create_root(null);
	if (IS_ERR(root)) return root.errno;
	sysfs_state.tracefs_root_kn = root;
	return 0;
}
core_initcall(tracefs_init);
