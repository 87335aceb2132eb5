// SPDX-License-Identifier: GPL-2.0-only
// The root of sysfs.
// Linux 6.12: fs/sysfs/mount.c

import { kernfs_create_root } from '#fs/kernfs/dir.js';
import type { err_ptr } from '#linux/err.js';
import { IS_ERR } from '#linux/err.js';
import { boot_data } from '#linux/init.js';
import type { kernfs_node } from '#linux/kernfs.js';
import type { int } from '#linux/types.js';

/** Linux: sysfs_root_kn; with what else is mounted, on the directories of sysfs and beside it. */
export const sysfs_state = boot_data(() => ({
	root_kn: null as kernfs_node | null,
	/** The root of debugfs, which user space sees at /sys/kernel/debug. */
	debugfs_root_kn: null as kernfs_node | null,
	/** The root of tracefs, at /sys/kernel/tracing and in debugfs at tracing. */
	tracefs_root_kn: null as kernfs_node | null,
	/** The root of /proc. */
	proc_root_kn: null as kernfs_node | null,
}));

/** Make the root; before the first kobject (fs/sysfs/mount.c: sysfs_init()). */
export function sysfs_init(): int {
	if (sysfs_state.root_kn !== null) return 0;
	const root: kernfs_node | err_ptr = kernfs_create_root(null);
	if (IS_ERR(root)) return root.errno;
	sysfs_state.root_kn = root;
	return 0;
}
