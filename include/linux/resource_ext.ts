// SPDX-License-Identifier: GPL-2.0-only
// A list of address ranges, each with its offset to the other side of a bridge.
// Linux 6.12: include/linux/resource_ext.h
// Left out: making and freeing entries; there is nobody here who lists any.
import { resource } from '#linux/ioport.js';
import { list_for_each_entry, list_head } from '#linux/list.js';
import type { resource_size_t } from '#linux/types.js';

/** One range (include/linux/resource_ext.h: struct resource_entry). */
export class resource_entry {
	readonly node = new list_head<resource_entry>(this);
	res: resource = new resource();
	/** What the CPU's address is ahead of the bus's. */
	offset: resource_size_t = 0;
}

/** The entries in their order (include/linux/resource_ext.h: resource_list_for_each_entry()). */
export function resource_list_for_each_entry(list: list_head<resource_entry>): Iterable<resource_entry> {
	return list_for_each_entry(list);
}
