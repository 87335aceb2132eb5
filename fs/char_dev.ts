// SPDX-License-Identifier: GPL-2.0-only
// From a device number to the operations of its driver.
// Linux 6.12: fs/char_dev.c
// Left out: the hash of regions and the kobj_map (a list stands for both), modules.
import { cdev } from '#linux/cdev.js';
import { EBUSY, EINVAL, ENXIO } from '#linux/errno.js';
import type { file, file_operations, inode } from '#linux/fs.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { boot_data } from '#linux/init.js';
import { list_add_tail, list_del, list_for_each_entry, list_head } from '#linux/list.js';
import { kfree, kzalloc } from '#linux/slab.js';
import type { dev_t, int, unsigned_int } from '#linux/types.js';

const state = boot_data(() => ({ cdev_map: new list_head<cdev>() }));

/** The device that has @dev, or null. */
function cdev_lookup(dev: dev_t): cdev | null {
	for (const p of list_for_each_entry(state.cdev_map)) if (dev >= p.dev && dev < p.dev + p.count) return p;
	return null;
}

/** Make @cdev answer by @fops (fs/char_dev.c: cdev_init()). */
export function cdev_init(p: cdev, fops: file_operations): void {
	p.ops = fops;
}

/** A cdev of its own, or null: no memory (fs/char_dev.c: cdev_alloc()). */
export function cdev_alloc(): cdev | null {
	const p = kzalloc(cdev, GFP_KERNEL);
	if (p) p.dynamic = true;
	return p;
}

/**
 * @p answers for the numbers [dev, dev + count) from now on. -EBUSY when one is taken
 * (fs/char_dev.c: cdev_add()).
 */
export function cdev_add(p: cdev, dev: dev_t, count: unsigned_int): int {
	if (count === 0) return -EINVAL;
	for (let i = 0; i < count; i++) if (cdev_lookup(dev + i)) return -EBUSY;
	p.dev = dev;
	p.count = count;
	list_add_tail(p.list, state.cdev_map);
	return 0;
}

/** @p answers no more; what is open goes on (fs/char_dev.c: cdev_del()). */
export function cdev_del(p: cdev): void {
	if (p.count !== 0) list_del(p.list);
	p.count = 0;
	if (p.dynamic) kfree(p);
}

/**
 * The open of every character device node: hand the file to its driver. -ENXIO without one
 * (fs/char_dev.c: chrdev_open()).
 */
export function chrdev_open(inode: inode, filp: file): int {
	const p = cdev_lookup(inode.i_rdev);
	if (!p?.ops) return -ENXIO;
	inode.i_cdev = p;
	filp.f_op = p.ops;
	return filp.f_op.open ? filp.f_op.open(inode, filp) : 0;
}
