// SPDX-License-Identifier: GPL-2.0-only
// Symbolic links of sysfs.
// Linux 6.12: fs/sysfs/symlink.c

import {
	kernfs_create_link,
	kernfs_find_and_get,
	kernfs_get,
	kernfs_put,
	kernfs_remove_by_name,
	kernfs_rename,
} from '#fs/kernfs/dir.js';
import { sysfs_warn_dup } from '#fs/sysfs/dir.js';
import { sysfs_state } from '#fs/sysfs/mount.js';
import { WARN_ON } from '#linux/bug.js';
import { IS_ERR } from '#linux/err.js';
import { EEXIST, EFAULT, EINVAL, ENOENT } from '#linux/errno.js';
import type { kernfs_node } from '#linux/kernfs.js';
import { KERNFS_LINK, kernfs_type } from '#linux/kernfs.js';
import type { kobject } from '#linux/kobject.js';
import type { bool, int } from '#linux/types.js';

function sysfs_do_create_link_sd(
	parent: kernfs_node | null,
	target_kobj: kobject,
	name: string,
	warn: bool,
): int {
	if (WARN_ON(parent === null || name === '') || parent === null) return -EINVAL;
	const target = target_kobj.sd;
	if (target === null) return -ENOENT;
	kernfs_get(target);
	const kn = kernfs_create_link(parent, name, target);
	kernfs_put(target);
	if (!IS_ERR(kn)) return 0;
	if (warn && kn.errno === -EEXIST) sysfs_warn_dup(parent, name);
	return kn.errno;
}

/** A link @name in the directory @kn (fs/sysfs/symlink.c: sysfs_create_link_sd()). */
export function sysfs_create_link_sd(kn: kernfs_node | null, target: kobject, name: string): int {
	return sysfs_do_create_link_sd(kn, target, name, true);
}

function sysfs_do_create_link(kobj: kobject | null, target: kobject, name: string, warn: bool): int {
	const parent = kobj === null ? sysfs_state.root_kn : kobj.sd;
	if (parent === null) return -EFAULT;
	return sysfs_do_create_link_sd(parent, target, name, warn);
}

/** A link @name in @kobj's directory to @target's; no kobject: at the top (fs/sysfs/symlink.c: sysfs_create_link()). */
export function sysfs_create_link(kobj: kobject | null, target: kobject, name: string): int {
	return sysfs_do_create_link(kobj, target, name, true);
}

/** sysfs_create_link() that says nothing when the name is taken (fs/sysfs/symlink.c: sysfs_create_link_nowarn()). */
export function sysfs_create_link_nowarn(kobj: kobject | null, target: kobject, name: string): int {
	return sysfs_do_create_link(kobj, target, name, false);
}

/** Remove the link @name that leads to @targ (fs/sysfs/symlink.c: sysfs_delete_link()). */
export function sysfs_delete_link(kobj: kobject, targ: kobject, name: string): void {
	kernfs_remove_by_name(kobj.sd, name);
}

/** Remove the link @name (fs/sysfs/symlink.c: sysfs_remove_link()). */
export function sysfs_remove_link(kobj: kobject | null, name: string): void {
	kernfs_remove_by_name(kobj === null ? sysfs_state.root_kn : kobj.sd, name);
}

/** Give the link @old_name to @targ another name (fs/sysfs/symlink.c: sysfs_rename_link_ns()). */
export function sysfs_rename_link(
	kobj: kobject | null,
	targ: kobject,
	old_name: string,
	new_name: string,
): int {
	const parent = kobj === null ? sysfs_state.root_kn : kobj.sd;
	if (parent === null) return -ENOENT;
	const kn = kernfs_find_and_get(parent, old_name);
	if (kn === null) return -ENOENT;
	let result = -EINVAL;
	if (kernfs_type(kn) === KERNFS_LINK && kn.target_kn !== null && kn.target_kn.priv === targ)
		result = kernfs_rename(kn, parent, new_name);
	kernfs_put(kn);
	return result;
}
