// SPDX-License-Identifier: GPL-2.0-only
// Directories of sysfs: one for each kobject.
// Linux 6.12: fs/sysfs/dir.c

import {
	kernfs_create_dir,
	kernfs_get,
	kernfs_path,
	kernfs_put,
	kernfs_remove,
	kernfs_remove_by_name,
	kernfs_rename,
	kernfs_result,
} from '#fs/kernfs/dir.js';
import { sysfs_state } from '#fs/sysfs/mount.js';
import { dump_stack } from '#lib/dump_stack.js';
import { WARN_ON, WARN_ON_ONCE } from '#linux/bug.js';
import { IS_ERR } from '#linux/err.js';
import { EEXIST, EINVAL, ENOENT } from '#linux/errno.js';
import type { kernfs_node } from '#linux/kernfs.js';
import { KERNFS_DIR, KERNFS_EMPTY_DIR, kernfs_type } from '#linux/kernfs.js';
import type { kobject } from '#linux/kobject.js';
import { kobject_name } from '#linux/kobject.js';
import { pr_warn } from '#linux/printk.js';
import type { int } from '#linux/types.js';

/** Say that @name is taken in @parent (fs/sysfs/dir.c: sysfs_warn_dup()). */
export function sysfs_warn_dup(parent: kernfs_node, name: string): void {
	pr_warn("sysfs: cannot create duplicate filename '%s/%s'", kernfs_path(parent), name);
	dump_stack();
}

/** Take a reference to a directory (include/linux/sysfs.h: sysfs_get()). */
export function sysfs_get(kn: kernfs_node | null): kernfs_node | null {
	kernfs_get(kn);
	return kn;
}

/** Drop a reference to a directory (include/linux/sysfs.h: sysfs_put()). */
export function sysfs_put(kn: kernfs_node | null): void {
	kernfs_put(kn);
}

/** Make the directory of @kobj, below its parent's or at the top (fs/sysfs/dir.c: sysfs_create_dir_ns()). */
export function sysfs_create_dir_ns(kobj: kobject): int {
	if (WARN_ON(!kobj)) return -EINVAL;
	const parent = kobj.parent !== null ? kobj.parent.sd : sysfs_state.root_kn;
	if (parent === null) return -ENOENT;
	const kn = kernfs_create_dir(parent, kobject_name(kobj), 0o755, kobj);
	if (IS_ERR(kn)) {
		if (kn.errno === -EEXIST) sysfs_warn_dup(parent, kobject_name(kobj));
		return kn.errno;
	}
	kobj.sd = kn;
	return 0;
}

/** Remove the directory of @kobj and all in it (fs/sysfs/dir.c: sysfs_remove_dir()). */
export function sysfs_remove_dir(kobj: kobject): void {
	const kn = kobj.sd;
	// No link to it can be made from here on.
	kobj.sd = null;
	if (kn !== null) {
		WARN_ON_ONCE(kernfs_type(kn) !== KERNFS_DIR);
		kernfs_remove(kn);
	}
}

/** Give the directory of @kobj another name (fs/sysfs/dir.c: sysfs_rename_dir_ns()). */
export function sysfs_rename_dir_ns(kobj: kobject, new_name: string): int {
	if (kobj.sd === null || kobj.sd.parent === null) return -EINVAL;
	return kernfs_rename(kobj.sd, kobj.sd.parent, new_name);
}

/** Move the directory of @kobj below another kobject's (fs/sysfs/dir.c: sysfs_move_dir_ns()). */
export function sysfs_move_dir_ns(kobj: kobject, new_parent_kobj: kobject | null): int {
	const kn = kobj.sd;
	const parent =
		new_parent_kobj !== null && new_parent_kobj.sd !== null ? new_parent_kobj.sd : sysfs_state.root_kn;
	if (kn === null || parent === null) return -EINVAL;
	return kernfs_rename(kn, parent, kn.name);
}

/** A directory for another file system to be mounted on (fs/sysfs/dir.c: sysfs_create_mount_point()). */
export function sysfs_create_mount_point(parent_kobj: kobject, name: string): int {
	const parent = parent_kobj.sd;
	if (parent === null) return -ENOENT;
	const kn = kernfs_create_dir(parent, name, 0o555, null);
	if (IS_ERR(kn)) {
		if (kn.errno === -EEXIST) sysfs_warn_dup(parent, name);
	} else {
		kn.flags |= KERNFS_EMPTY_DIR;
	}
	return kernfs_result(kn);
}

/** fs/sysfs/dir.c: sysfs_remove_mount_point(). */
export function sysfs_remove_mount_point(parent_kobj: kobject, name: string): void {
	kernfs_remove_by_name(parent_kobj.sd, name);
}
