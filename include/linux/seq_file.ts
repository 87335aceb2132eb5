// SPDX-License-Identifier: GPL-2.0-only
// Files whose text a function makes.
// Linux 6.12: include/linux/seq_file.h
//
// Left out: iterators (start/next/stop) beyond what seq_file.c's readers of lists need.
import type { file } from '#linux/fs.js';
import type { int, loff_t, ref, size_t } from '#linux/types.js';

export interface seq_operations {
	start?: (m: seq_file, pos: ref<loff_t>) => unknown;
	stop?: (m: seq_file, v: unknown) => void;
	next?: (m: seq_file, v: unknown, pos: ref<loff_t>) => unknown;
	show: (m: seq_file, v: unknown) => int;
}

export class seq_file {
	/** The text so far. */
	buf: string = '';
	/** The bytes of it, once a read has asked for them. */
	bytes: Uint8Array | null = null;
	size: size_t = 0;
	op: seq_operations | null = null;
	file: file | null = null;
	private: unknown = null;
}
