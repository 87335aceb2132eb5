// SPDX-License-Identifier: GPL-2.0-only
// Attributes: the files of sysfs, and groups of them.
// Linux 6.12: include/linux/sysfs.h
//
// A `char *buf` that a show() fills is a sysfs_buf (a reference to text); a store() gets the text itself.
// A struct that C embeds an attribute in as first member extends it.
//
// Left out: lockdep keys, namespaces, mmap of binary attributes.
import type { kobject } from '#linux/kobject.js';
import type { int, loff_t, ref, size_t, ssize_t, umode_t } from '#linux/types.js';

export type sysfs_buf = ref<string>;

export class attribute {
	readonly name: string;
	readonly mode: umode_t;
	constructor(name: string, mode: umode_t) {
		this.name = name;
		this.mode = mode;
	}
}

export class bin_attribute extends attribute {
	size: size_t = 0;
	private: object | null = null;
	read:
		| ((kobj: kobject, attr: bin_attribute, buf: Uint8Array, off: loff_t, count: size_t) => ssize_t)
		| null = null;
	write:
		| ((kobj: kobject, attr: bin_attribute, buf: Uint8Array, off: loff_t, count: size_t) => ssize_t)
		| null = null;
}

export interface attribute_group {
	/** With a name the attributes stand in a sub-directory. */
	readonly name?: string;
	/** The mode an attribute gets; 0 leaves it out. */
	is_visible?: (kobj: kobject, attr: attribute, n: int) => umode_t;
	is_bin_visible?: (kobj: kobject, attr: bin_attribute, n: int) => umode_t;
	readonly attrs?: readonly attribute[];
	readonly bin_attrs?: readonly bin_attribute[];
}

export interface sysfs_ops {
	show?: (kobj: kobject, attr: attribute, buf: sysfs_buf) => ssize_t;
	store?: (kobj: kobject, attr: attribute, buf: string, count: size_t) => ssize_t;
}

/** What is_visible() adds to hide a whole named group. */
export const SYSFS_GROUP_INVISIBLE = 0o20000;
export const SYSFS_PREALLOC = 0o10000;
