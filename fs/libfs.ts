// SPDX-License-Identifier: GPL-2.0-only
// Pseudo files: file_operations, buffers of user space, one number as text.
// Linux 6.12: fs/libfs.c

import { kernfs_create_file } from '#fs/kernfs/dir.js';
import { sprintf } from '#lib/vsprintf.js';
import type { err_ptr } from '#linux/err.js';
import { EACCES, EINVAL, ENOMEM, ENOTTY } from '#linux/errno.js';
import { file, type file_operations, inode } from '#linux/fs.js';
import { GFP_KERNEL } from '#linux/gfp_types.js';
import type { kernfs_node, kernfs_open_file, kernfs_ops } from '#linux/kernfs.js';
import { kfree, kzalloc } from '#linux/slab.js';
import {
	type int,
	type loff_t,
	type long,
	ref,
	type size_t,
	type ssize_t,
	type u64,
	type umode_t,
} from '#linux/types.js';

/** What such a file is: the functions, and what they are given. */
interface simple_file {
	readonly fops: file_operations | null;
	readonly inode: inode;
}

function simple_file_open(of: kernfs_open_file): int {
	const { fops, inode: i } = of.kn.priv as simple_file;
	const f = kzalloc(file, GFP_KERNEL);
	if (f === null) return -ENOMEM;
	f.f_op = fops;
	f.f_inode = i;
	f.f_mode = of.f_mode;
	f.f_flags = of.f_flags;
	f.f_pos = new ref<loff_t>(0);
	of.priv = f;
	const error = fops?.open?.(i, f) ?? 0;
	if (error) kfree(f);
	return error;
}

const simple_kfops: kernfs_ops = {
	open: simple_file_open,
	release: (of): void => {
		const { fops, inode: i } = of.kn.priv as simple_file;
		fops?.release?.(i, of.priv as file);
		kfree(of.priv as file);
	},
	read: (of, buf, count, off): ssize_t => {
		const { fops } = of.kn.priv as simple_file;
		return fops?.read?.(of.priv as file, buf, count, new ref<loff_t>(off)) ?? -EINVAL;
	},
	write: (of, buf: Uint8Array, count: size_t, off: loff_t): ssize_t => {
		const { fops } = of.kn.priv as simple_file;
		return fops?.write?.(of.priv as file, buf, count, new ref<loff_t>(off)) ?? -EINVAL;
	},
	ioctl: (of, cmd, arg): long => {
		const { fops } = of.kn.priv as simple_file;
		return fops?.unlocked_ioctl?.(of.priv as file, cmd, arg) ?? -ENOTTY;
	},
};

/**
 * A file of debugfs, tracefs or /proc: @fops answer for it, and its inode keeps @data. In Linux these keep their
 * trees in the dentry cache (fs/libfs.c: simple_lookup() and its kin); here kernfs keeps them.
 */
export function simple_create_file(
	dir: kernfs_node,
	name: string,
	mode: umode_t,
	data: unknown,
	fops: file_operations | null,
): kernfs_node | err_ptr {
	const i = new inode();
	i.i_mode = mode;
	i.i_fop = fops;
	i.i_private = data;
	const priv: simple_file = { fops, inode: i };
	return kernfs_create_file(dir, name, mode, 0, simple_kfops, priv);
}

/** Copy from @from at *@ppos to user space (fs/libfs.c: simple_read_from_buffer()). */
export function simple_read_from_buffer(
	to: Uint8Array,
	count: size_t,
	ppos: ref<loff_t>,
	from: Uint8Array | string,
	available: size_t,
): ssize_t {
	const bytes = typeof from === 'string' ? new TextEncoder().encode(from) : from;
	if (ppos.value < 0) return -EINVAL;
	if (ppos.value >= available || count === 0) return 0;
	const part = bytes.subarray(ppos.value, Math.min(available, ppos.value + count));
	to.set(part);
	ppos.value += part.length;
	return part.length;
}

/** Copy from user space to @to at *@ppos (fs/libfs.c: simple_write_to_buffer()). */
export function simple_write_to_buffer(
	to: Uint8Array,
	available: size_t,
	ppos: ref<loff_t>,
	from: Uint8Array,
	count: size_t,
): ssize_t {
	if (ppos.value < 0) return -EINVAL;
	if (ppos.value >= available || count === 0) return 0;
	const n = Math.min(count, available - ppos.value);
	to.set(from.subarray(0, n), ppos.value);
	ppos.value += n;
	return n;
}

/** The file's private data is the inode's (fs/libfs.c: simple_open()). */
export function simple_open(inode: inode, file: file): int {
	if (inode.i_private !== null) file.private_data = inode.i_private;
	return 0;
}

class simple_attr {
	get: ((data: unknown, val: ref<u64>) => int) | null = null;
	set: ((data: unknown, val: u64) => int) | null = null;
	data: unknown = null;
	fmt: string = '';
	text: string = '';
}

/** fs/libfs.c: simple_attr_open(). */
export function simple_attr_open(
	inode: inode,
	file: file,
	get: simple_attr['get'],
	set: simple_attr['set'],
	fmt: string,
): int {
	const attr = kzalloc(simple_attr, GFP_KERNEL);
	if (attr === null) return -ENOMEM;
	attr.get = get;
	attr.set = set;
	attr.data = inode.i_private;
	attr.fmt = fmt;
	file.private_data = attr;
	return 0;
}

/** fs/libfs.c: simple_attr_release(). */
export function simple_attr_release(_inode: inode, file: file): int {
	kfree(file.private_data as object | null);
	return 0;
}

/** fs/libfs.c: simple_attr_read(). */
export function simple_attr_read(file: file, buf: Uint8Array, len: size_t, ppos: ref<loff_t>): ssize_t {
	const attr = file.private_data as simple_attr;
	if (attr.get === null) return -EACCES;
	if (ppos.value === 0) {
		const val = new ref<u64>(0);
		const ret = attr.get(attr.data, val);
		if (ret) return ret;
		attr.text = sprintf(attr.fmt, val.value);
	}
	return simple_read_from_buffer(buf, len, ppos, attr.text, attr.text.length);
}

/** fs/libfs.c: simple_attr_write(). */
export function simple_attr_write(file: file, buf: Uint8Array, len: size_t, ppos: ref<loff_t>): ssize_t {
	const attr = file.private_data as simple_attr;
	if (attr.set === null) return -EACCES;
	const text = new TextDecoder().decode(buf.subarray(0, Math.min(len, 23))).trim();
	const val = Number(text);
	if (text === '' || !Number.isInteger(val)) return -EINVAL;
	const ret = attr.set(attr.data, val);
	return ret === 0 ? len : ret;
}

/** File operations for one number (include/linux/fs.h: DEFINE_SIMPLE_ATTRIBUTE()). */
export function DEFINE_SIMPLE_ATTRIBUTE(
	get: simple_attr['get'],
	set: simple_attr['set'],
	fmt: string,
): file_operations {
	return {
		open: (inode: inode, file: file): int => simple_attr_open(inode, file, get, set, fmt),
		release: simple_attr_release,
		read: simple_attr_read,
		write: simple_attr_write,
	};
}

/** The same for debugfs (include/linux/debugfs.h: DEFINE_DEBUGFS_ATTRIBUTE()). */
export const DEFINE_DEBUGFS_ATTRIBUTE = DEFINE_SIMPLE_ATTRIBUTE;
