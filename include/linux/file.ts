// SPDX-License-Identifier: GPL-2.0-only
// The table of a user program's open files.
// Linux 6.12: include/linux/file.h, include/linux/fdtable.h
// Left out: sharing and growing of the table, RCU, close-on-exec (nothing is executed here).
import type { file } from '#linux/fs.js';

export const NR_OPEN_DEFAULT = 64;

export class files_struct {
	/** The file of each descriptor; null where the descriptor is free, or reserved and not installed yet. */
	readonly fd_array: (file | null)[] = new Array(NR_OPEN_DEFAULT).fill(null);
	/** One bit a descriptor in use. */
	readonly open_fds = new Uint32Array(NR_OPEN_DEFAULT / 32);
}
