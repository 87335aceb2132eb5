// SPDX-License-Identifier: GPL-2.0-only
// Ready-made debugfs files: numbers, flags, registers.
// Linux 6.12: fs/debugfs/file.c
//
// Left out: blobs, strings, protection against removal while open.

import { debugfs_create_file } from '#fs/debugfs/inode.js';
import { DEFINE_SIMPLE_ATTRIBUTE } from '#fs/libfs.js';
import { DEFINE_SHOW_ATTRIBUTE, seq_printf } from '#fs/seq_file.js';
import type { debugfs_regset32, debugfs_u32_array, dentry } from '#linux/debugfs.js';
import type { err_ptr } from '#linux/err.js';
import { EINVAL } from '#linux/errno.js';
import type { file_operations } from '#linux/fs.js';
import { readl } from '#linux/io.js';
import type { atomic_t, bool, int, ref, ssize_t, u8, u32, u64, umode_t } from '#linux/types.js';

/** The operations of a number of @limit at the most, shown as @fmt. */
function number_fops(fmt: string, limit: u64): file_operations {
	return DEFINE_SIMPLE_ATTRIBUTE(
		(data: unknown, val: ref<u64>): int => {
			val.value = (data as ref<u64>).value;
			return 0;
		},
		(data: unknown, val: u64): int => {
			if (val < 0 || val > limit) return -EINVAL;
			(data as ref<u64>).value = val;
			return 0;
		},
		fmt,
	);
}

const fops_u8 = number_fops('%llu\n', 0xff);
const fops_u32 = number_fops('%llu\n', 0xffff_ffff);
const fops_u64 = number_fops('%llu\n', Number.MAX_SAFE_INTEGER);
const fops_x32 = number_fops('0x%08llx\n', 0xffff_ffff);
const fops_x64 = number_fops('0x%016llx\n', Number.MAX_SAFE_INTEGER);

type parent_t = dentry | err_ptr | null;

/** fs/debugfs/file.c: debugfs_create_u8(). */
export function debugfs_create_u8(name: string, mode: umode_t, parent: parent_t, value: ref<u8>): void {
	debugfs_create_file(name, mode, parent, value, fops_u8);
}

/** fs/debugfs/file.c: debugfs_create_u32(). */
export function debugfs_create_u32(name: string, mode: umode_t, parent: parent_t, value: ref<u32>): void {
	debugfs_create_file(name, mode, parent, value, fops_u32);
}

/** fs/debugfs/file.c: debugfs_create_u64(). */
export function debugfs_create_u64(name: string, mode: umode_t, parent: parent_t, value: ref<u64>): void {
	debugfs_create_file(name, mode, parent, value, fops_u64);
}

/** fs/debugfs/file.c: debugfs_create_ulong(). */
export const debugfs_create_ulong = debugfs_create_u64;

/** fs/debugfs/file.c: debugfs_create_size_t(). */
export const debugfs_create_size_t = debugfs_create_u64;

/** fs/debugfs/file.c: debugfs_create_x32(). */
export function debugfs_create_x32(name: string, mode: umode_t, parent: parent_t, value: ref<u32>): void {
	debugfs_create_file(name, mode, parent, value, fops_x32);
}

/** fs/debugfs/file.c: debugfs_create_x64(). */
export function debugfs_create_x64(name: string, mode: umode_t, parent: parent_t, value: ref<u64>): void {
	debugfs_create_file(name, mode, parent, value, fops_x64);
}

const fops_atomic_t = DEFINE_SIMPLE_ATTRIBUTE(
	(data: unknown, val: ref<u64>): int => {
		val.value = (data as atomic_t).counter;
		return 0;
	},
	(data: unknown, val: u64): int => {
		(data as atomic_t).counter = val;
		return 0;
	},
	'%lld\n',
);

/** fs/debugfs/file.c: debugfs_create_atomic_t(). */
export function debugfs_create_atomic_t(
	name: string,
	mode: umode_t,
	parent: parent_t,
	value: atomic_t,
): void {
	debugfs_create_file(name, mode, parent, value, fops_atomic_t);
}

const fops_bool: file_operations = {
	open: (inode, file): int => {
		file.private_data = inode.i_private;
		return 0;
	},
	read: (file, buf, count, ppos): ssize_t => {
		const bytes = [(file.private_data as ref<bool>).value ? 0x59 : 0x4e, 0x0a].slice(
			ppos.value,
			ppos.value + count,
		);
		buf.set(bytes);
		ppos.value += bytes.length;
		return bytes.length;
	},
	write: (file, buf, count): ssize_t => {
		const c = String.fromCharCode(buf[0] ?? 0);
		if (!'yYtT1nNfF0'.includes(c)) return -EINVAL;
		(file.private_data as ref<bool>).value = 'yYtT1'.includes(c);
		return count;
	},
};

/** "Y" or "N" (fs/debugfs/file.c: debugfs_create_bool()). */
export function debugfs_create_bool(name: string, mode: umode_t, parent: parent_t, value: ref<bool>): void {
	debugfs_create_file(name, mode, parent, value, fops_bool);
}

/** Registers by name (fs/debugfs/file.c: debugfs_create_regset32()). */
export function debugfs_create_regset32(
	name: string,
	mode: umode_t,
	parent: parent_t,
	regset: debugfs_regset32,
): void {
	const fops = DEFINE_SHOW_ATTRIBUTE((m, _v): int => {
		for (const reg of regset.regs.slice(0, regset.nregs))
			seq_printf(m, '%s = 0x%08x\n', reg.name, readl(regset.base + reg.offset));
		return 0;
	});
	debugfs_create_file(name, mode, parent, regset, fops);
}

/** Numbers in one line (fs/debugfs/file.c: debugfs_create_u32_array()). */
export function debugfs_create_u32_array(
	name: string,
	mode: umode_t,
	parent: parent_t,
	array: debugfs_u32_array,
): void {
	const fops = DEFINE_SHOW_ATTRIBUTE((m, _v): int => {
		seq_printf(m, '%s\n', Array.from(array.array.subarray(0, array.n_elements)).join(' '));
		return 0;
	});
	debugfs_create_file(name, mode, parent, array, fops);
}
