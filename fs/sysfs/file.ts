// SPDX-License-Identifier: GPL-2.0-only
// Files of sysfs: attributes of kobjects.
// Linux 6.12: fs/sysfs/file.c
//
// Left out: notification, mmap, change of owner.

import { PAGE_SIZE } from '#asm/page-def.js';
import {
	kernfs_create_file,
	kernfs_find_and_get,
	kernfs_put,
	kernfs_remove,
	kernfs_remove_by_name,
} from '#fs/kernfs/dir.js';
import { sysfs_warn_dup } from '#fs/sysfs/dir.js';
import { sprintf } from '#lib/vsprintf.js';
import { WARN, WARN_ON, WARN_ON_ONCE } from '#linux/bug.js';
import { IS_ERR } from '#linux/err.js';
import { EEXIST, EFBIG, EINVAL, EIO, ENOENT } from '#linux/errno.js';
import type { kernfs_node, kernfs_open_file, kernfs_ops } from '#linux/kernfs.js';
import type { kobject } from '#linux/kobject.js';
import { kobject_name } from '#linux/kobject.js';
import type { printk_arg } from '#linux/printk.js';
import { pr_info } from '#linux/printk.js';
import type { attribute, bin_attribute, sysfs_buf, sysfs_ops } from '#linux/sysfs.js';
import type { bool, int, loff_t, ref, size_t, ssize_t, umode_t } from '#linux/types.js';

function sysfs_kobj(of: kernfs_open_file): kobject {
	return of.kn.parent?.priv as kobject;
}

function sysfs_file_ops(kobj: kobject): sysfs_ops | null {
	return kobj.ktype?.sysfs_ops ?? null;
}

function sysfs_kf_seq_show(of: kernfs_open_file, buf: ref<string>): int {
	const kobj = sysfs_kobj(of);
	const ops = sysfs_file_ops(kobj);
	if (WARN_ON_ONCE(ops?.show === undefined) || ops?.show === undefined) return -EINVAL;
	const count = ops.show(kobj, of.kn.priv as attribute, buf);
	if (count < 0) return count;
	if (count >= PAGE_SIZE) {
		pr_info('fill_read_buffer: %s returned bad count', of.kn.name);
		buf.value = buf.value.slice(0, PAGE_SIZE - 1);
	}
	return 0;
}

function sysfs_kf_write(of: kernfs_open_file, buf: Uint8Array, count: size_t, off: loff_t): ssize_t {
	const kobj = sysfs_kobj(of);
	const ops = sysfs_file_ops(kobj);
	if (count === 0) return 0;
	if (ops?.store === undefined) return -EIO;
	// A store() sees a C string: it ends at the first NUL, the count does not.
	const text = new TextDecoder().decode(buf.subarray(0, count));
	const end = text.indexOf('\0');
	return ops.store(kobj, of.kn.priv as attribute, end < 0 ? text : text.slice(0, end), count);
}

const sysfs_file_kfops_empty: kernfs_ops = {};
const sysfs_file_kfops_ro: kernfs_ops = { seq_show: sysfs_kf_seq_show };
const sysfs_file_kfops_wo: kernfs_ops = { write: sysfs_kf_write };
const sysfs_file_kfops_rw: kernfs_ops = { seq_show: sysfs_kf_seq_show, write: sysfs_kf_write };

function sysfs_kf_bin_read(of: kernfs_open_file, buf: Uint8Array, count: size_t, off: loff_t): ssize_t {
	const battr = of.kn.priv as bin_attribute;
	const size = of.kn.size;
	if (count === 0) return 0;
	let n = count;
	if (size !== 0) {
		if (off >= size) return 0;
		if (off + n > size) n = size - off;
	}
	if (battr.read === null) return -EIO;
	return battr.read(sysfs_kobj(of), battr, buf, off, n);
}

function sysfs_kf_bin_write(of: kernfs_open_file, buf: Uint8Array, count: size_t, off: loff_t): ssize_t {
	const battr = of.kn.priv as bin_attribute;
	const size = of.kn.size;
	let n = count;
	if (size !== 0) {
		if (size <= off) return -EFBIG;
		n = Math.min(count, size - off);
	}
	if (n === 0) return 0;
	if (battr.write === null) return -EIO;
	return battr.write(sysfs_kobj(of), battr, buf, off, n);
}

const sysfs_bin_kfops_ro: kernfs_ops = { read: sysfs_kf_bin_read };
const sysfs_bin_kfops_wo: kernfs_ops = { write: sysfs_kf_bin_write };
const sysfs_bin_kfops_rw: kernfs_ops = { read: sysfs_kf_bin_read, write: sysfs_kf_bin_write };

/** A file for @attr in the directory @parent (fs/sysfs/file.c: sysfs_add_file_mode_ns()). */
export function sysfs_add_file_mode_ns(parent: kernfs_node, attr: attribute, mode: umode_t): int {
	const kobj = parent.priv as kobject;
	const sysfs_ops = sysfs_file_ops(kobj);
	if (sysfs_ops === null) {
		WARN(true, 'missing sysfs attribute operations for kobject: %s', kobject_name(kobj));
		return -EINVAL;
	}
	let ops = sysfs_file_kfops_empty;
	if (sysfs_ops.show !== undefined && sysfs_ops.store !== undefined) ops = sysfs_file_kfops_rw;
	else if (sysfs_ops.show !== undefined) ops = sysfs_file_kfops_ro;
	else if (sysfs_ops.store !== undefined) ops = sysfs_file_kfops_wo;
	const kn = kernfs_create_file(parent, attr.name, mode & 0o777, PAGE_SIZE, ops, attr);
	if (IS_ERR(kn)) {
		if (kn.errno === -EEXIST) sysfs_warn_dup(parent, attr.name);
		return kn.errno;
	}
	return 0;
}

/** A file for the binary attribute @battr (fs/sysfs/file.c: sysfs_add_bin_file_mode_ns()). */
export function sysfs_add_bin_file_mode_ns(parent: kernfs_node, battr: bin_attribute, mode: umode_t): int {
	let ops = sysfs_file_kfops_empty;
	if (battr.read !== null && battr.write !== null) ops = sysfs_bin_kfops_rw;
	else if (battr.read !== null) ops = sysfs_bin_kfops_ro;
	else if (battr.write !== null) ops = sysfs_bin_kfops_wo;
	const kn = kernfs_create_file(parent, battr.name, mode & 0o777, battr.size, ops, battr);
	if (IS_ERR(kn)) {
		if (kn.errno === -EEXIST) sysfs_warn_dup(parent, battr.name);
		return kn.errno;
	}
	return 0;
}

/** A file for @attr in @kobj's directory (include/linux/sysfs.h: sysfs_create_file()). */
export function sysfs_create_file(kobj: kobject, attr: attribute): int {
	if (WARN_ON(kobj.sd === null) || kobj.sd === null) return -EINVAL;
	return sysfs_add_file_mode_ns(kobj.sd, attr, attr.mode);
}

/** Files for all of @ptr, or none (fs/sysfs/file.c: sysfs_create_files()). */
export function sysfs_create_files(kobj: kobject, ptr: readonly attribute[]): int {
	let err = 0;
	let i = 0;
	for (; i < ptr.length && !err; i++) err = sysfs_create_file(kobj, ptr[i] as attribute);
	if (err) for (i -= 2; i >= 0; i--) sysfs_remove_file(kobj, ptr[i] as attribute);
	return err;
}

/** Add @attr to the named group @group, or to @kobj itself (fs/sysfs/file.c: sysfs_add_file_to_group()). */
export function sysfs_add_file_to_group(kobj: kobject, attr: attribute, group: string | null): int {
	if (kobj.sd === null) return -ENOENT;
	if (group === null) return sysfs_add_file_mode_ns(kobj.sd, attr, attr.mode);
	const parent = kernfs_find_and_get(kobj.sd, group);
	if (parent === null) return -ENOENT;
	const error = sysfs_add_file_mode_ns(parent, attr, attr.mode);
	kernfs_put(parent);
	return error;
}

/** Change the mode of a file (fs/sysfs/file.c: sysfs_chmod_file()). */
export function sysfs_chmod_file(kobj: kobject, attr: attribute, mode: umode_t): int {
	if (kobj.sd === null) return -ENOENT;
	const kn = kernfs_find_and_get(kobj.sd, attr.name);
	if (kn === null) return -ENOENT;
	kn.mode = (mode & 0o7777) | (kn.mode & ~0o7777);
	kernfs_put(kn);
	return 0;
}

/** Remove the file of @attr (include/linux/sysfs.h: sysfs_remove_file()). */
export function sysfs_remove_file(kobj: kobject, attr: attribute): void {
	kernfs_remove_by_name(kobj.sd, attr.name);
}

/** Remove a file from within its own store(); false when it is gone (fs/sysfs/file.c: sysfs_remove_file_self()). */
export function sysfs_remove_file_self(kobj: kobject, attr: attribute): bool {
	if (kobj.sd === null) return false;
	const kn = kernfs_find_and_get(kobj.sd, attr.name);
	if (kn === null) return false;
	kernfs_remove(kn);
	kernfs_put(kn);
	return true;
}

/** Remove the files of all of @ptr (fs/sysfs/file.c: sysfs_remove_files()). */
export function sysfs_remove_files(kobj: kobject, ptr: readonly attribute[]): void {
	for (const attr of ptr) sysfs_remove_file(kobj, attr);
}

/** Remove @attr from the named group @group (fs/sysfs/file.c: sysfs_remove_file_from_group()). */
export function sysfs_remove_file_from_group(kobj: kobject, attr: attribute, group: string | null): void {
	if (kobj.sd === null) return;
	if (group === null) {
		kernfs_remove_by_name(kobj.sd, attr.name);
		return;
	}
	const parent = kernfs_find_and_get(kobj.sd, group);
	if (parent === null) return;
	kernfs_remove_by_name(parent, attr.name);
	kernfs_put(parent);
}

/** fs/sysfs/file.c: sysfs_create_bin_file(). */
export function sysfs_create_bin_file(kobj: kobject, attr: bin_attribute): int {
	if (WARN_ON(kobj.sd === null) || kobj.sd === null) return -EINVAL;
	return sysfs_add_bin_file_mode_ns(kobj.sd, attr, attr.mode);
}

/** fs/sysfs/file.c: sysfs_remove_bin_file(). */
export function sysfs_remove_bin_file(kobj: kobject, attr: bin_attribute): void {
	kernfs_remove_by_name(kobj.sd, attr.name);
}

/** Pollers would be woken here; there are none (fs/sysfs/file.c: sysfs_notify()). */
export function sysfs_notify(kobj: kobject, dir: string | null, attr: string | null): void {}

/** Fill what a show() returns, at most a page (fs/sysfs/file.c: sysfs_emit()). */
export function sysfs_emit(buf: sysfs_buf, fmt: string, ...args: printk_arg[]): int {
	buf.value = sprintf(fmt, ...args).slice(0, PAGE_SIZE - 1);
	return buf.value.length;
}

/** Go on at offset @at of what a show() returns (fs/sysfs/file.c: sysfs_emit_at()). */
export function sysfs_emit_at(buf: sysfs_buf, at: int, fmt: string, ...args: printk_arg[]): int {
	if (at < 0 || at >= PAGE_SIZE) {
		WARN(true, 'invalid sysfs_emit_at: buf:%s at:%d', 'buf', at);
		return 0;
	}
	const text = sprintf(fmt, ...args).slice(0, PAGE_SIZE - 1 - at);
	buf.value = buf.value.slice(0, at) + text;
	return text.length;
}

/** Whether a written word is @str, one newline at the end of either aside (lib/string_helpers.c: sysfs_streq()). */
export function sysfs_streq(s1: string, s2: string): bool {
	const strip = (s: string): string => (s.endsWith('\n') ? s.slice(0, -1) : s);
	return s1 === s2 || strip(s1) === s2 || s1 === strip(s2);
}
