// SPDX-License-Identifier: GPL-2.0-only
// The debug file system: no rules, one directory.
// Linux 6.12: include/linux/debugfs.h
//
// A dentry is the kernfs node of the entry (Linux keeps debugfs in the page cache of its own file system).
//
// Left out: automounts, cancellation, blobs.
import type { kernfs_node } from '#linux/kernfs.js';
import type { __iomem, int, u32, unsigned_long } from '#linux/types.js';

export type dentry = kernfs_node;

export interface debugfs_reg32 {
	readonly name: string;
	readonly offset: unsigned_long;
}

export interface debugfs_regset32 {
	readonly regs: readonly debugfs_reg32[];
	readonly nregs: int;
	readonly base: __iomem;
}

export interface debugfs_u32_array {
	readonly array: Uint32Array;
	readonly n_elements: u32;
}
