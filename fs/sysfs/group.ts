// SPDX-License-Identifier: GPL-2.0-only
// Groups of attributes: in a kobject's directory, or in one below it.
// Linux 6.12: fs/sysfs/group.c
//
// Left out: change of owner, links between groups of two kobjects (compat_only_*).

import {
	kernfs_create_dir,
	kernfs_find_and_get,
	kernfs_get,
	kernfs_put,
	kernfs_remove,
	kernfs_remove_by_name,
} from '#fs/kernfs/dir.js';
import { sysfs_warn_dup } from '#fs/sysfs/dir.js';
import { sysfs_add_bin_file_mode_ns, sysfs_add_file_mode_ns } from '#fs/sysfs/file.js';
import { sysfs_create_link_sd } from '#fs/sysfs/symlink.js';
import { WARN, WARN_ON } from '#linux/bug.js';
import { IS_ERR } from '#linux/err.js';
import { EEXIST, EINVAL, ENOENT } from '#linux/errno.js';
import type { kernfs_node } from '#linux/kernfs.js';
import type { kobject } from '#linux/kobject.js';
import type { attribute, attribute_group, bin_attribute } from '#linux/sysfs.js';
import { SYSFS_GROUP_INVISIBLE, SYSFS_PREALLOC } from '#linux/sysfs.js';
import type { bool, int, umode_t } from '#linux/types.js';

function remove_files(parent: kernfs_node, grp: attribute_group): void {
	for (const attr of grp.attrs ?? []) kernfs_remove_by_name(parent, attr.name);
	for (const bin_attr of grp.bin_attrs ?? []) kernfs_remove_by_name(parent, bin_attr.name);
}

function __first_visible(grp: attribute_group, kobj: kobject): umode_t {
	const attr = grp.attrs?.[0];
	if (attr !== undefined && grp.is_visible !== undefined) return grp.is_visible(kobj, attr, 0);
	const bin_attr = grp.bin_attrs?.[0];
	if (bin_attr !== undefined && grp.is_bin_visible !== undefined)
		return grp.is_bin_visible(kobj, bin_attr, 0);
	return 0;
}

function checked_mode(name: string, mode: umode_t): umode_t {
	WARN((mode & ~(SYSFS_PREALLOC | 0o664)) !== 0, 'Attribute %s: Invalid permissions 0%o', name, mode);
	return mode & (SYSFS_PREALLOC | 0o664);
}

function create_files(parent: kernfs_node, kobj: kobject, grp: attribute_group, update: bool): int {
	let error = 0;
	for (const [i, attr] of (grp.attrs ?? ([] as attribute[])).entries()) {
		let mode = attr.mode;
		// An update takes each file away and puts it back as is_visible() has it now.
		if (update) kernfs_remove_by_name(parent, attr.name);
		if (grp.is_visible !== undefined) {
			mode = grp.is_visible(kobj, attr, i) & ~SYSFS_GROUP_INVISIBLE;
			if (!mode) continue;
		}
		error = sysfs_add_file_mode_ns(parent, attr, checked_mode(attr.name, mode));
		if (error) {
			remove_files(parent, grp);
			return error;
		}
	}
	for (const [i, bin_attr] of (grp.bin_attrs ?? ([] as bin_attribute[])).entries()) {
		let mode = bin_attr.mode;
		if (update) kernfs_remove_by_name(parent, bin_attr.name);
		if (grp.is_bin_visible !== undefined) {
			mode = grp.is_bin_visible(kobj, bin_attr, i) & ~SYSFS_GROUP_INVISIBLE;
			if (!mode) continue;
		}
		error = sysfs_add_bin_file_mode_ns(parent, bin_attr, checked_mode(bin_attr.name, mode));
		if (error) {
			remove_files(parent, grp);
			return error;
		}
	}
	return 0;
}

function internal_create_group(kobj: kobject, update: bool, grp: attribute_group): int {
	if (WARN_ON(!update && kobj.sd === null)) return -EINVAL;
	if (kobj.sd === null) return -EINVAL;
	if (grp.attrs === undefined && grp.bin_attrs === undefined) return 0;

	let kn: kernfs_node | null = kobj.sd;
	let updating = update;
	let found = false;
	if (grp.name !== undefined) {
		const mode = __first_visible(grp, kobj) & SYSFS_GROUP_INVISIBLE ? 0 : 0o755;
		if (updating) {
			kn = kernfs_find_and_get(kobj.sd, grp.name);
			if (kn === null) {
				updating = false;
			} else if (!mode) {
				sysfs_remove_group(kobj, grp);
				kernfs_put(kn);
				return 0;
			} else {
				found = true;
			}
		}
		if (!updating) {
			if (!mode) return 0;
			const dir = kernfs_create_dir(kobj.sd, grp.name, mode, kobj);
			if (IS_ERR(dir)) {
				if (dir.errno === -EEXIST) sysfs_warn_dup(kobj.sd, grp.name);
				return dir.errno;
			}
			kn = dir;
		}
	}
	if (kn === null) return -EINVAL;

	kernfs_get(kn);
	const error = create_files(kn, kobj, grp, updating);
	if (error && grp.name !== undefined && !updating) kernfs_remove(kn);
	kernfs_put(kn);
	if (found) kernfs_put(kn);
	return error;
}

/** Make the files of @grp (fs/sysfs/group.c: sysfs_create_group()). */
export function sysfs_create_group(kobj: kobject, grp: attribute_group): int {
	return internal_create_group(kobj, false, grp);
}

function internal_create_groups(
	kobj: kobject,
	update: bool,
	groups: readonly attribute_group[] | null | undefined,
): int {
	if (groups === null || groups === undefined) return 0;
	for (let i = 0; i < groups.length; i++) {
		const error = internal_create_group(kobj, update, groups[i] as attribute_group);
		if (error) {
			while (--i >= 0) sysfs_remove_group(kobj, groups[i] as attribute_group);
			return error;
		}
	}
	return 0;
}

/** Make the files of all of @groups, or none (fs/sysfs/group.c: sysfs_create_groups()). */
export function sysfs_create_groups(
	kobj: kobject,
	groups: readonly attribute_group[] | null | undefined,
): int {
	return internal_create_groups(kobj, false, groups);
}

/** Ask is_visible() again for every file of @grp (fs/sysfs/group.c: sysfs_update_group()). */
export function sysfs_update_group(kobj: kobject, grp: attribute_group): int {
	return internal_create_group(kobj, true, grp);
}

/** sysfs_update_group() for each of @groups (fs/sysfs/group.c: sysfs_update_groups()). */
export function sysfs_update_groups(
	kobj: kobject,
	groups: readonly attribute_group[] | null | undefined,
): int {
	return internal_create_groups(kobj, true, groups);
}

/** Remove the files of @grp (fs/sysfs/group.c: sysfs_remove_group()). */
export function sysfs_remove_group(kobj: kobject, grp: attribute_group): void {
	const parent = kobj.sd;
	if (parent === null) return;
	let kn: kernfs_node | null = parent;
	if (grp.name !== undefined) {
		kn = kernfs_find_and_get(parent, grp.name);
		if (kn === null) return;
	} else {
		kernfs_get(kn);
	}
	remove_files(kn, grp);
	if (grp.name !== undefined) kernfs_remove(kn);
	kernfs_put(kn);
}

/** Remove the files of all of @groups (fs/sysfs/group.c: sysfs_remove_groups()). */
export function sysfs_remove_groups(
	kobj: kobject,
	groups: readonly attribute_group[] | null | undefined,
): void {
	for (const grp of groups ?? []) sysfs_remove_group(kobj, grp);
}

/** Add the attributes of @grp to a named group that is there (fs/sysfs/group.c: sysfs_merge_group()). */
export function sysfs_merge_group(kobj: kobject, grp: attribute_group): int {
	if (kobj.sd === null || grp.name === undefined) return -ENOENT;
	const parent = kernfs_find_and_get(kobj.sd, grp.name);
	if (parent === null) return -ENOENT;
	let error = 0;
	const attrs = grp.attrs ?? [];
	let i = 0;
	for (; i < attrs.length && !error; i++)
		error = sysfs_add_file_mode_ns(parent, attrs[i] as attribute, (attrs[i] as attribute).mode);
	if (error) while (--i > 0) kernfs_remove_by_name(parent, (attrs[i - 1] as attribute).name);
	kernfs_put(parent);
	return error;
}

/** Take the attributes of @grp out of a named group (fs/sysfs/group.c: sysfs_unmerge_group()). */
export function sysfs_unmerge_group(kobj: kobject, grp: attribute_group): void {
	if (kobj.sd === null || grp.name === undefined) return;
	const parent = kernfs_find_and_get(kobj.sd, grp.name);
	if (parent === null) return;
	for (const attr of grp.attrs ?? []) kernfs_remove_by_name(parent, attr.name);
	kernfs_put(parent);
}

/** A link @link_name to @target in the named group @group_name (fs/sysfs/group.c: sysfs_add_link_to_group()). */
export function sysfs_add_link_to_group(
	kobj: kobject,
	group_name: string,
	target: kobject,
	link_name: string,
): int {
	if (kobj.sd === null) return -ENOENT;
	const parent = kernfs_find_and_get(kobj.sd, group_name);
	if (parent === null) return -ENOENT;
	const error = sysfs_create_link_sd(parent, target, link_name);
	kernfs_put(parent);
	return error;
}

/** Remove a link from a named group (fs/sysfs/group.c: sysfs_remove_link_from_group()). */
export function sysfs_remove_link_from_group(kobj: kobject, group_name: string, link_name: string): void {
	if (kobj.sd === null) return;
	const parent = kernfs_find_and_get(kobj.sd, group_name);
	if (parent === null) return;
	kernfs_remove_by_name(parent, link_name);
	kernfs_put(parent);
}
