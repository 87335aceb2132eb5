// SPDX-License-Identifier: GPL-2.0-only
// sysfs, debugfs, tracefs, /proc from user space: cat, echo, ls, readlink.
// No twin in Linux: there this is the VFS (fs/namei.c, fs/read_write.c) over fs/kernfs.
//
// Paths start with /sys or /proc; /sys/kernel/debug is the debug file system, /sys/kernel/tracing the trace.

import { kernfs_find } from '#fs/kernfs/dir.js';
import {
	kernfs_fop_ioctl,
	kernfs_fop_open,
	kernfs_fop_read,
	kernfs_fop_release,
	kernfs_fop_write,
} from '#fs/kernfs/file.js';
import { kernfs_get_target_path } from '#fs/kernfs/symlink.js';
import { sysfs_state } from '#fs/sysfs/mount.js';
import type { err_ptr } from '#linux/err.js';
import { ERR_PTR, IS_ERR } from '#linux/err.js';
import { EINVAL, EISDIR, ELOOP, ENOENT, ENOTDIR } from '#linux/errno.js';
import { FMODE_READ, FMODE_WRITE, O_APPEND, O_TRUNC } from '#linux/fs.js';
import type { kernfs_node } from '#linux/kernfs.js';
import { KERNFS_DIR, KERNFS_EMPTY_DIR, KERNFS_LINK, kernfs_type } from '#linux/kernfs.js';
import { rb_first, rb_next } from '#linux/rbtree.js';
import type { bool, int, loff_t, long, ssize_t, umode_t, unsigned_int } from '#linux/types.js';

const MAXSYMLINKS = 40;

/** What `ls -l` says of an entry. */
export interface sysfs_stat_t {
	readonly type: 'D' | 'F' | 'L';
	readonly mode: umode_t;
}

function step(dir: kernfs_node, name: string): kernfs_node | null {
	if (name === '' || name === '.') return dir;
	if (name === '..') {
		if (dir.parent !== null) return dir.parent;
		const mounted = dir === sysfs_state.debugfs_root_kn || dir === sysfs_state.tracefs_root_kn;
		return mounted ? mount_parent() : dir;
	}
	const kn = kernfs_find(dir, name);
	return kn === null ? null : (mounted_on(kn) ?? kn);
}

/** The root of what is mounted on @kn, or null. */
function mounted_on(kn: kernfs_node): kernfs_node | null {
	if (!(kn.flags & KERNFS_EMPTY_DIR)) return null;
	const { debugfs_root_kn, tracefs_root_kn } = sysfs_state;
	const in_kernel = kn.parent !== null && kn.parent === mount_parent();
	if (kn.name === 'debug' && in_kernel) return debugfs_root_kn;
	if (kn.name === 'tracing' && (in_kernel || kn.parent === debugfs_root_kn)) return tracefs_root_kn;
	return null;
}

function mount_parent(): kernfs_node | null {
	return sysfs_state.root_kn === null ? null : kernfs_find(sysfs_state.root_kn, 'kernel');
}

function walk(from: kernfs_node, path: string, follow: bool, links: int): kernfs_node | err_ptr {
	let at = from;
	const names = path.split('/').filter((name) => name !== '');
	for (const [i, name] of names.entries()) {
		if (kernfs_type(at) !== KERNFS_DIR) return ERR_PTR(-ENOTDIR);
		const kn = step(at, name);
		if (kn === null) return ERR_PTR(-ENOENT);
		if (kernfs_type(kn) === KERNFS_LINK && kn.target_kn !== null && (follow || i + 1 < names.length)) {
			if (links >= MAXSYMLINKS) return ERR_PTR(-ELOOP);
			const to = walk(at, kernfs_get_target_path(at, kn.target_kn), true, links + 1);
			if (IS_ERR(to)) return to;
			at = to;
		} else {
			at = kn;
		}
	}
	return at;
}

/** The node at @path; a link at its end is followed or not. */
export function sysfs_lookup(path: string, follow: bool = true): kernfs_node | err_ptr {
	const top = /^\/(sys|proc)(?=\/|$)/.exec(path);
	const root = top?.[1] === 'proc' ? sysfs_state.proc_root_kn : sysfs_state.root_kn;
	if (root === null || top === null) return ERR_PTR(-ENOENT);
	return walk(root, path.slice(top[0].length), follow, 0);
}

/** The bytes of the file at @path. */
export function sysfs_read_bytes(path: string): Uint8Array | err_ptr {
	const kn = sysfs_lookup(path);
	if (IS_ERR(kn)) return kn;
	if (kernfs_type(kn) === KERNFS_DIR) return ERR_PTR(-EISDIR);
	const of = kernfs_fop_open(kn, FMODE_READ);
	if (IS_ERR(of)) return of;
	const chunk = new Uint8Array(65536);
	let all = new Uint8Array(0);
	let off: loff_t = 0;
	let n: ssize_t;
	do {
		n = kernfs_fop_read(of, chunk, chunk.length, off);
		if (n > 0) {
			const more = new Uint8Array(all.length + n);
			more.set(all);
			more.set(chunk.subarray(0, n), all.length);
			all = more;
			off += n;
		}
	} while (n > 0);
	kernfs_fop_release(of);
	return n < 0 ? ERR_PTR(n) : all;
}

/** The text of the file at @path (`cat`). */
export function sysfs_read(path: string): string | err_ptr {
	const bytes = sysfs_read_bytes(path);
	return IS_ERR(bytes) ? bytes : new TextDecoder().decode(bytes);
}

/** Write @text to the file at @path (`echo -n text >`): how much of it was taken, or a negative errno. */
export function sysfs_write(path: string, text: string): ssize_t {
	return open_and_write(path, text, O_TRUNC);
}

/** The same without beginning anew (`echo -n text >>`); only the files of tracefs tell the two apart. */
export function sysfs_append(path: string, text: string): ssize_t {
	return open_and_write(path, text, O_APPEND);
}

/** Open the file at @path and have it do @cmd; @arg is the struct that C's address means (`ioctl()`). */
export function sysfs_ioctl(path: string, cmd: unsigned_int, arg: unknown): long {
	const kn = sysfs_lookup(path);
	if (IS_ERR(kn)) return kn.errno;
	if (kernfs_type(kn) === KERNFS_DIR) return -EISDIR;
	const of = kernfs_fop_open(kn, FMODE_READ | FMODE_WRITE);
	if (IS_ERR(of)) return of.errno;
	const ret = kernfs_fop_ioctl(of, cmd, arg);
	kernfs_fop_release(of);
	return ret;
}

function open_and_write(path: string, text: string, flags: unsigned_int): ssize_t {
	const kn = sysfs_lookup(path);
	if (IS_ERR(kn)) return kn.errno;
	if (kernfs_type(kn) === KERNFS_DIR) return -EISDIR;
	const of = kernfs_fop_open(kn, FMODE_WRITE, flags);
	if (IS_ERR(of)) return of.errno;
	const bytes = new TextEncoder().encode(text);
	const n = kernfs_fop_write(of, bytes, bytes.length, 0);
	kernfs_fop_release(of);
	return n;
}

/** The names in the directory at @path, sorted (`ls`). */
export function sysfs_readdir(path: string): string[] | err_ptr {
	const kn = sysfs_lookup(path);
	if (IS_ERR(kn)) return kn;
	if (kernfs_type(kn) !== KERNFS_DIR) return ERR_PTR(-ENOTDIR);
	const names: string[] = [];
	for (let node = rb_first(kn.children); node !== null; node = rb_next(node))
		names.push((node.container as kernfs_node).name);
	return names;
}

/** What the link at @path says (`readlink`). */
export function sysfs_readlink(path: string): string | err_ptr {
	const kn = sysfs_lookup(path, false);
	if (IS_ERR(kn)) return kn;
	if (kernfs_type(kn) !== KERNFS_LINK || kn.target_kn === null || kn.parent === null) return ERR_PTR(-EINVAL);
	return kernfs_get_target_path(kn.parent, kn.target_kn);
}

/** Type and mode of the entry at @path; a link is not followed (`lstat`). */
export function sysfs_stat(path: string): sysfs_stat_t | err_ptr {
	const kn = sysfs_lookup(path, false);
	if (IS_ERR(kn)) return kn;
	const type = kernfs_type(kn);
	return { type: type === KERNFS_DIR ? 'D' : type === KERNFS_LINK ? 'L' : 'F', mode: kn.mode & 0o7777 };
}
