// SPDX-License-Identifier: GPL-2.0-only
// Device numbers.
// Linux 6.12: include/linux/kdev_t.h
import { type file, file_inode, type inode } from '#linux/fs.js';
import type { dev_t, unsigned_int } from '#linux/types.js';

export const MINORBITS = 20;
export const MINORMASK = (1 << MINORBITS) - 1;

/** The driver's number of @dev (include/linux/kdev_t.h: MAJOR()). */
export function MAJOR(dev: dev_t): unsigned_int {
	return dev >>> MINORBITS;
}

/** The number of @dev within its driver (include/linux/kdev_t.h: MINOR()). */
export function MINOR(dev: dev_t): unsigned_int {
	return dev & MINORMASK;
}

/** A device number of its two parts (include/linux/kdev_t.h: MKDEV()). */
export function MKDEV(ma: unsigned_int, mi: unsigned_int): dev_t {
	return ((ma << MINORBITS) | mi) >>> 0;
}

/** The minor of a device node. Linux: include/linux/fs.h: iminor() */
export function iminor(node: inode): unsigned_int {
	return MINOR(node.i_rdev);
}

/** The minor of an open device node. */
export function file_iminor(file: file): unsigned_int {
	return iminor(file_inode(file));
}
