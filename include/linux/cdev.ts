// SPDX-License-Identifier: GPL-2.0-only
// Character devices.
// Linux 6.12: include/linux/cdev.h
// Left out: the kobject in it, and the inodes that point to it.
import type { file_operations } from '#linux/fs.js';
import { list_head } from '#linux/list.js';
import type { dev_t, unsigned_int } from '#linux/types.js';

export class cdev {
	ops: file_operations | null = null;
	/** C: an entry of cdev_map. */
	readonly list = new list_head<cdev>(this);
	dev: dev_t = 0;
	count: unsigned_int = 0;
	/** From cdev_alloc(), so cdev_del() frees it. */
	dynamic = false;
}
