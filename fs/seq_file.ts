// SPDX-License-Identifier: GPL-2.0-only
// Files whose text a function makes, once per read from the start.
// Linux 6.12: fs/seq_file.c

import { sprintf } from '#lib/vsprintf.js';
import { EINVAL, ENOMEM } from '#linux/errno.js';
import type { file, file_operations, inode } from '#linux/fs.js';
import { SEEK_CUR, SEEK_SET } from '#linux/fs.js';
import { GFP_KERNEL } from '#linux/gfp_types.js';
import type { printk_arg } from '#linux/printk.js';
import type { seq_operations } from '#linux/seq_file.js';
import { seq_file } from '#linux/seq_file.js';
import { kfree, kzalloc } from '#linux/slab.js';
import { type int, type loff_t, ref, type size_t, type ssize_t } from '#linux/types.js';

/** Append text (fs/seq_file.c: seq_printf()). */
export function seq_printf(m: seq_file, fmt: string, ...args: printk_arg[]): void {
	m.buf += sprintf(fmt, ...args);
}

/** fs/seq_file.c: seq_puts(). */
export function seq_puts(m: seq_file, s: string): void {
	m.buf += s;
}

/** fs/seq_file.c: seq_putc(). */
export function seq_putc(m: seq_file, c: string): void {
	m.buf += c;
}

/** Open @file with operations that walk something (fs/seq_file.c: seq_open()). */
export function seq_open(file: file, op: seq_operations): int {
	const p = kzalloc(seq_file, GFP_KERNEL);
	if (p === null) return -ENOMEM;
	file.private_data = p;
	p.op = op;
	p.file = file;
	return 0;
}

/** Open @file with one show function (fs/seq_file.c: single_open()). */
export function single_open(file: file, show: (m: seq_file, v: unknown) => int, data: unknown): int {
	const res = seq_open(file, { show });
	if (!res) (file.private_data as seq_file).private = data;
	return res;
}

function seq_fill(m: seq_file): int {
	const op = m.op;
	m.buf = '';
	if (op === null) return -EINVAL;
	let err = 0;
	if (op.start !== undefined) {
		const pos = new ref<loff_t>(0);
		let v = op.start(m, pos);
		while (v !== null && v !== undefined && err >= 0) {
			err = op.show(m, v);
			v = op.next?.(m, v, pos) ?? null;
		}
		op.stop?.(m, v);
	} else {
		err = op.show(m, null);
	}
	if (err < 0) return err;
	m.bytes = new TextEncoder().encode(m.buf);
	m.size = m.bytes.length;
	return 0;
}

/** fs/seq_file.c: seq_read(). */
export function seq_read(file: file, buf: Uint8Array, count: size_t, ppos: ref<loff_t>): ssize_t {
	const m = file.private_data as seq_file;
	if (ppos.value === 0 || m.bytes === null) {
		const err = seq_fill(m);
		if (err < 0) return err;
	}
	const part = (m.bytes as Uint8Array).subarray(ppos.value, ppos.value + count);
	buf.set(part);
	ppos.value += part.length;
	return part.length;
}

/** fs/seq_file.c: seq_lseek(). */
export function seq_lseek(file: file, offset: loff_t, whence: int): loff_t {
	const pos = file.f_pos?.value ?? 0;
	const to = whence === SEEK_SET ? offset : whence === SEEK_CUR ? pos + offset : -1;
	if (to < 0) return -EINVAL;
	if (file.f_pos !== null) file.f_pos.value = to;
	return to;
}

/** fs/seq_file.c: seq_release(). */
export function seq_release(_inode: inode, file: file): int {
	kfree(file.private_data as object | null);
	file.private_data = null;
	return 0;
}

/** fs/seq_file.c: single_release(). */
export const single_release = seq_release;

/** File operations for a show function (include/linux/seq_file.h: DEFINE_SHOW_ATTRIBUTE()). */
export function DEFINE_SHOW_ATTRIBUTE(show: (m: seq_file, v: unknown) => int): file_operations {
	return {
		open: (inode: inode, file: file): int => single_open(file, show, inode.i_private),
		read: seq_read,
		llseek: seq_lseek,
		release: single_release,
	};
}
