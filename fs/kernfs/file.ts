// SPDX-License-Identifier: GPL-2.0-only
// Opening, reading and writing the files of a kernfs tree.
// Linux 6.12: fs/kernfs/file.c
//
// Left out: poll, mmap, notification.

import { PAGE_SIZE } from '#asm/page-def.js';
import { kernfs_get, kernfs_put } from '#fs/kernfs/dir.js';
import type { err_ptr } from '#linux/err.js';
import { ERR_PTR } from '#linux/err.js';
import { EACCES, EINVAL, ENOMEM, ENOTTY } from '#linux/errno.js';
import { FMODE_READ, FMODE_WRITE } from '#linux/fs.js';
import { GFP_KERNEL } from '#linux/gfp_types.js';
import type { kernfs_node } from '#linux/kernfs.js';
import { kernfs_open_file } from '#linux/kernfs.js';
import { kfree, kzalloc } from '#linux/slab.js';
import {
	type int,
	type loff_t,
	type long,
	ref,
	type size_t,
	type ssize_t,
	type unsigned_int,
} from '#linux/types.js';

/** Open @kn; who may is said by its mode and by what it can do, also for root (fs/kernfs/file.c: kernfs_fop_open()). */
export function kernfs_fop_open(
	kn: kernfs_node,
	fmode: unsigned_int,
	flags: unsigned_int = 0,
): kernfs_open_file | err_ptr {
	const ops = kn.ops;
	if (ops === null) return ERR_PTR(-EINVAL);
	const has_read = ops.seq_show !== undefined || ops.read !== undefined;
	const has_write = ops.write !== undefined;
	if (fmode & FMODE_WRITE && (!(kn.mode & 0o222) || !has_write)) return ERR_PTR(-EACCES);
	if (fmode & FMODE_READ && (!(kn.mode & 0o444) || !has_read)) return ERR_PTR(-EACCES);
	const of = kzalloc(kernfs_open_file, GFP_KERNEL);
	if (of === null) return ERR_PTR(-ENOMEM);
	of.kn = kn;
	of.f_mode = fmode;
	of.f_flags = flags;
	if (ops.open !== undefined) {
		const error: int = ops.open(of);
		if (error) {
			kfree(of);
			return ERR_PTR(error);
		}
	}
	kernfs_get(kn);
	return of;
}

/** Close @of (fs/kernfs/file.c: kernfs_fop_release()). */
export function kernfs_fop_release(of: kernfs_open_file): void {
	of.kn.ops?.release?.(of);
	kernfs_put(of.kn);
	kfree(of);
}

/** Have seq_show() make the text anew (fs/seq_file.c: traverse()). */
function kernfs_seq_fill(of: kernfs_open_file, off: loff_t): int {
	const text = new ref<string>('');
	of.seq_buf = null;
	const error = of.kn.ops?.seq_show?.(of, text) ?? -EINVAL;
	if (error < 0) return error;
	of.seq_buf = new TextEncoder().encode(text.value);
	of.read_pos = off;
	return 0;
}

/** Read the text that seq_show() makes: it is asked at the start, and after a seek (fs/seq_file.c: seq_read_iter()). */
function kernfs_seq_read(of: kernfs_open_file, buf: Uint8Array, count: size_t, off: loff_t): ssize_t {
	if (off === 0 || off !== of.read_pos || of.seq_buf === null) {
		const error = kernfs_seq_fill(of, off);
		if (error < 0) return error;
	}
	const part = of.seq_buf?.subarray(off, off + count) ?? new Uint8Array(0);
	buf.set(part);
	of.read_pos += part.length;
	return part.length;
}

/** Read up to a page from @off (fs/kernfs/file.c: kernfs_fop_read_iter()). */
export function kernfs_fop_read(of: kernfs_open_file, buf: Uint8Array, count: size_t, off: loff_t): ssize_t {
	const ops = of.kn.ops;
	if (ops === null) return -EINVAL;
	if (ops.seq_show !== undefined) return kernfs_seq_read(of, buf, count, off);
	if (ops.read === undefined) return -EINVAL;
	return ops.read(of, buf, Math.min(count, PAGE_SIZE), off);
}

/** Write up to a page at @off (fs/kernfs/file.c: kernfs_fop_write_iter()). */
export function kernfs_fop_write(of: kernfs_open_file, buf: Uint8Array, count: size_t, off: loff_t): ssize_t {
	const ops = of.kn.ops;
	if (ops === null || ops.write === undefined) return -EINVAL;
	return ops.write(of, buf, Math.min(count, PAGE_SIZE), off);
}

/** Do @cmd, if the file has commands (fs/ioctl.c: vfs_ioctl()). */
export function kernfs_fop_ioctl(of: kernfs_open_file, cmd: unsigned_int, arg: unknown): long {
	return of.kn.ops?.ioctl?.(of, cmd, arg) ?? -ENOTTY;
}
