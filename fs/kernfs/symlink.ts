// SPDX-License-Identifier: GPL-2.0-only
// What a symbolic link says: the way from its directory to its target.
// Linux 6.12: fs/kernfs/symlink.c
import type { kernfs_node } from '#linux/kernfs.js';
import type { bool } from '#linux/types.js';

function kernfs_is_above(above: kernfs_node, kn: kernfs_node): bool {
	for (let pos = kn.parent; pos !== null; pos = pos.parent) if (pos === above) return true;
	return false;
}

/** The text of a link that stands in @parent and leads to @target: up to what both share, then down. */
export function kernfs_get_target_path(parent: kernfs_node, target: kernfs_node): string {
	let up = '';
	let base = parent;
	while (base.parent !== null && !kernfs_is_above(base, target)) {
		up += '../';
		base = base.parent;
	}
	let down = target.name;
	for (let pos = target.parent; pos !== null && pos !== base && pos.parent !== null; pos = pos.parent)
		down = `${pos.name}/${down}`;
	return up + down;
}
