// SPDX-License-Identifier: GPL-2.0-only
// Small change for pseudo files: buffers to and from user space, one number as text.
// Linux 6.12: fs/libfs.c

import { sprintf } from '#lib/vsprintf.js';
import { EACCES, EINVAL, ENOMEM } from '#linux/errno.js';
import type { file, file_operations, inode } from '#linux/fs.js';
import { GFP_KERNEL } from '#linux/gfp_types.js';
import { kfree, kzalloc } from '#linux/slab.js';
import { type int, type loff_t, ref, type size_t, type ssize_t, type u64 } from '#linux/types.js';

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
