// SPDX-License-Identifier: GPL-2.0-only
// The root of /proc.
// Linux 6.12: fs/proc/root.c
// Left out: processes, mount options, all files but those beside this one.
import { kernfs_create_root } from '#fs/kernfs/dir.js';
import { sysfs_state } from '#fs/sysfs/mount.js';
import { sysfs_read } from '#fs/sysfs/user.js';
import { type err_ptr, IS_ERR } from '#linux/err.js';
import { pure_initcall } from '#linux/init.js';
import type { int } from '#linux/types.js';

/** Make the root (fs/proc/root.c: proc_root_init(), which start_kernel() calls itself). */
function proc_root_init(): int {
	const root = kernfs_create_root(null);
	if (IS_ERR(root)) return root.errno;
	sysfs_state.proc_root_kn = root;
	return 0;
}
pure_initcall(proc_root_init);

/** The text of the file at @path, "/proc/iomem" (`cat`). */
export function proc_read(path: string): string | err_ptr {
	return sysfs_read(path);
}
