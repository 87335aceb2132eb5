// SPDX-License-Identifier: GPL-2.0-only
// Open files: making, counting and ending them.
// Linux 6.12: fs/file_table.c, fs/file.c (fget)
// Left out: the limit on files, delayed fput() (the last reference ends the file at once), dentries.
import { ERR_PTR, type err_ptr } from '#linux/err.js';
import { ENOMEM } from '#linux/errno.js';
import {
	FMODE_READ,
	FMODE_WRITE,
	file,
	type file_operations,
	inode,
	O_ACCMODE,
	O_RDONLY,
	O_WRONLY,
} from '#linux/fs.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { kfree, kzalloc } from '#linux/slab.js';
import type { int } from '#linux/types.js';

/** A struct file with one reference and nothing in it, or -ENOMEM (fs/file_table.c: alloc_empty_file()). */
export function alloc_empty_file(flags: int): file | err_ptr {
	const f = kzalloc(file, GFP_KERNEL);
	if (!f) return ERR_PTR(-ENOMEM);
	f.f_count.counter = 1;
	f.f_flags = flags;
	const mode = flags & O_ACCMODE;
	f.f_mode = (mode === O_WRONLY ? 0 : FMODE_READ) | (mode === O_RDONLY ? 0 : FMODE_WRITE);
	return f;
}

/** A file that no path leads to, with an inode of its own (fs/file_table.c: alloc_file_pseudo()). */
export function alloc_file_pseudo(name: string, flags: int, fop: file_operations): file | err_ptr {
	const node = kzalloc(inode, GFP_KERNEL);
	if (!node) return ERR_PTR(-ENOMEM);
	const f = alloc_empty_file(flags);
	if (!(f instanceof file)) {
		kfree(node);
		return f;
	}
	f.f_inode = node;
	f.f_name = name;
	f.f_op = fop;
	return f;
}

/** One more reference. Linux: include/linux/fs.h: get_file() */
export function get_file(f: file): file {
	f.f_count.counter++;
	return f;
}

function __fput(f: file): void {
	if (f.f_op?.release) f.f_op.release(f.f_inode!, f);
	// Each open has an inode of its own here.
	kfree(f.f_inode);
	kfree(f);
}

/** Drop a reference; the last one calls the file's release (fs/file_table.c: fput()). */
export function fput(f: file): void {
	if (--f.f_count.counter === 0) __fput(f);
}
