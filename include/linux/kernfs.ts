// SPDX-License-Identifier: GPL-2.0-only
// The tree of directories, files and links under sysfs, debugfs, tracefs.
// Linux 6.12: include/linux/kernfs.h
//
// Left out: namespaces, xattrs, poll and notify, mmap of files, inode numbers.
import { rb_node, rb_root } from '#linux/rbtree_types.js';
import type {
	atomic_t,
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

export const KERNFS_DIR = 0x0001;
export const KERNFS_FILE = 0x0002;
export const KERNFS_LINK = 0x0004;
export const KERNFS_TYPE_MASK = 0x000f;
export const KERNFS_REMOVING = 0x4000;
export const KERNFS_EMPTY_DIR = 0x1000;

export const S_IFMT = 0o170000;
export const S_IFLNK = 0o120000;
export const S_IFREG = 0o100000;
export const S_IFDIR = 0o040000;
export const S_IALLUGO = 0o7777;
export const S_IRUGO = 0o444;
export const S_IWUSR = 0o200;
export const S_IRUSR = 0o400;
export const S_IRWXU = 0o700;
export const S_IRWXUGO = 0o777;

export class kernfs_node {
	count: atomic_t = { counter: 1 };
	parent: kernfs_node | null = null;
	name: string = '';
	/** Links this node to its siblings, which are sorted by name. */
	rb: rb_node<kernfs_node> = new rb_node<kernfs_node>(this);
	/** Of a directory: its entries. */
	children: rb_root<kernfs_node> = new rb_root<kernfs_node>();
	/** Of a directory: the number of its sub-directories. */
	subdirs: unsigned_long = 0;
	/** Of a link: where it points to. */
	target_kn: kernfs_node | null = null;
	/** Of a file: how it is read and written. */
	ops: kernfs_ops | null = null;
	size: loff_t = 0;
	flags: unsigned_int = 0;
	mode: umode_t = 0;
	/** The kobject of a sysfs directory, the attribute of a sysfs file, the inode's private of debugfs. */
	priv: object | null = null;
}

/** A file that is open. */
export class kernfs_open_file {
	kn!: kernfs_node;
	priv: unknown = null;
	/** Linux: file->f_mode and file->f_flags. */
	f_mode: unsigned_int = 0;
	f_flags: unsigned_int = 0;
	/** Linux: seq_file->buf: what seq_show() made for this reader. */
	seq_buf: Uint8Array | null = null;
	/** Linux: seq_file->read_pos: where this reader's next read goes on. */
	read_pos: loff_t = 0;
}

export interface kernfs_ops {
	open?: (of: kernfs_open_file) => int;
	release?: (of: kernfs_open_file) => void;
	/** Makes the whole text at once (a seq_file in C). */
	seq_show?: (of: kernfs_open_file, buf: ref<string>) => int;
	/** Fills @buf from offset @off. */
	read?: (of: kernfs_open_file, buf: Uint8Array, count: size_t, off: loff_t) => ssize_t;
	write?: (of: kernfs_open_file, buf: Uint8Array, count: size_t, off: loff_t) => ssize_t;
	/** Of a file that is a driver's own: in Linux debugfs keeps no kernfs tree, and the VFS calls the driver. */
	ioctl?: (of: kernfs_open_file, cmd: unsigned_int, arg: unknown) => long;
}

/** DIR, FILE or LINK (include/linux/kernfs.h: kernfs_type()). */
export function kernfs_type(kn: kernfs_node): unsigned_int {
	return kn.flags & KERNFS_TYPE_MASK;
}
