// SPDX-License-Identifier: GPL-2.0-only
// Open files: just enough for device nodes and the files of debugfs.
// Linux 6.12: include/linux/fs.h
//
// A buffer of user space (`char __user *`) is a Uint8Array.
//
// Left out: superblocks, dentries, page cache, locks, directories.

import { BUG_ON } from '#linux/bug.js';
import type { vm_area_struct } from '#linux/mm_types.js';
import type { module } from '#linux/module.js';
import type { poll_table } from '#linux/poll.js';
import type {
	atomic_t,
	dev_t,
	int,
	loff_t,
	long,
	ref,
	size_t,
	ssize_t,
	umode_t,
	unsigned_int,
	unsigned_long,
} from '#linux/types.js';

export const FMODE_READ = 0x1;
export const FMODE_WRITE = 0x2;

export const O_RDONLY = 0o0;
export const O_WRONLY = 0o1;
export const O_RDWR = 0o2;
export const O_ACCMODE = 0o3;
export const O_TRUNC = 0o1000;
export const O_APPEND = 0o2000;
export const O_NONBLOCK = 0o4000;
export const O_CLOEXEC = 0o2000000;

export const SEEK_SET = 0;
export const SEEK_CUR = 1;
export const SEEK_END = 2;

export class inode {
	i_mode: umode_t = 0;
	i_rdev: dev_t = 0;
	i_size: loff_t = 0;
	i_fop: file_operations | null = null;
	i_private: unknown = null;
	i_cdev: unknown = null;
}

export class file {
	f_op: file_operations | null = null;
	f_inode: inode | null = null;
	f_flags: unsigned_int = 0;
	f_mode: unsigned_int = 0;
	f_pos: ref<loff_t> | null = null;
	f_count: atomic_t = { counter: 1 };
	private_data: unknown = null;
	/** The name of a file that no path leads to (C: of f_path.dentry). */
	f_name: string = '';
}

export interface file_operations {
	owner?: module | null;
	llseek?: (file: file, offset: loff_t, whence: int) => loff_t;
	read?: (file: file, buf: Uint8Array, count: size_t, ppos: ref<loff_t>) => ssize_t;
	write?: (file: file, buf: Uint8Array, count: size_t, ppos: ref<loff_t>) => ssize_t;
	poll?: (file: file, wait: poll_table | null) => unsigned_int;
	/** @arg is the number, or the struct in user space that C's address means. */
	unlocked_ioctl?: (file: file, cmd: unsigned_int, arg: unknown) => long;
	mmap?: (file: file, vma: vm_area_struct) => int;
	get_unmapped_area?: (
		file: file,
		addr: unsigned_long,
		len: unsigned_long,
		pgoff: unsigned_long,
		flags: unsigned_long,
	) => unsigned_long;
	open?: (inode: inode, file: file) => int;
	release?: (inode: inode, file: file) => int;
}

/** The inode of an open file (include/linux/fs.h: file_inode()). */
export function file_inode(f: file): inode {
	BUG_ON(f.f_inode === null);
	return f.f_inode as inode;
}
