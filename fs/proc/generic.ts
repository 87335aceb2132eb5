// SPDX-License-Identifier: GPL-2.0-only
// Making entries of /proc.
// Linux 6.12: fs/proc/generic.c
// Left out: removal, links, writable entries, proc_ops (entries have file_operations).
import { kernfs_create_dir } from '#fs/kernfs/dir.js';
import { simple_create_file } from '#fs/libfs.js';
import { DEFINE_SHOW_ATTRIBUTE } from '#fs/seq_file.js';
import { sysfs_state } from '#fs/sysfs/mount.js';
import { IS_ERR } from '#linux/err.js';
import type { file_operations } from '#linux/fs.js';
import type { kernfs_node } from '#linux/kernfs.js';
import type { seq_file } from '#linux/seq_file.js';
import type { int, umode_t } from '#linux/types.js';

/** Linux: struct proc_dir_entry. */
export type proc_dir_entry = kernfs_node;

/** A directory @name in @parent, or at the top (fs/proc/generic.c: proc_mkdir()). */
export function proc_mkdir(name: string, parent: proc_dir_entry | null): proc_dir_entry | null {
	const dir = parent ?? sysfs_state.proc_root_kn;
	if (dir === null) return null;
	const kn = kernfs_create_dir(dir, name, 0o555, null);
	return IS_ERR(kn) ? null : kn;
}

/** A file @name in @parent, or at the top, that @fops read; mode 0 is 0444 (fs/proc/generic.c: proc_create_data()). */
export function proc_create_data(
	name: string,
	mode: umode_t,
	parent: proc_dir_entry | null,
	fops: file_operations,
	data: unknown,
): proc_dir_entry | null {
	const dir = parent ?? sysfs_state.proc_root_kn;
	if (dir === null) return null;
	const kn = simple_create_file(dir, name, mode === 0 ? 0o444 : mode, data, fops);
	return IS_ERR(kn) ? null : kn;
}

/** A file whose text @show makes at once (fs/proc/generic.c: proc_create_single_data()). */
export function proc_create_single(
	name: string,
	mode: umode_t,
	parent: proc_dir_entry | null,
	show: (m: seq_file, v: unknown) => int,
): proc_dir_entry | null {
	return proc_create_data(name, mode, parent, DEFINE_SHOW_ATTRIBUTE(show), null);
}
