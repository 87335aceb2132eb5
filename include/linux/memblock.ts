// SPDX-License-Identifier: GPL-2.0-only
// The boot-time allocator: regions of memory, and what of them is reserved.
// Linux 6.12: include/linux/memblock.h
// Left out: NUMA nodes, hotplug and mirrored memory, page-table allocations (no page tables are built).
import type { bool, phys_addr_t, unsigned_int } from '#linux/types.js';

export type memblock_flags = unsigned_int;
export const MEMBLOCK_NONE: memblock_flags = 0x0;
export const MEMBLOCK_HOTPLUG: memblock_flags = 0x1;
export const MEMBLOCK_MIRROR: memblock_flags = 0x2;
/** The linear map does not cover it. */
export const MEMBLOCK_NOMAP: memblock_flags = 0x4;
export const MEMBLOCK_DRIVER_MANAGED: memblock_flags = 0x8;
/** Its struct pages are not initialised. */
export const MEMBLOCK_RSRV_NOINIT: memblock_flags = 0x10;

/** No limit: the caller can take any address. */
export const MEMBLOCK_ALLOC_ANYWHERE = 0xffff_ffff_ffff_f000;
/** The limit that memblock_set_current_limit() set. */
export const MEMBLOCK_ALLOC_ACCESSIBLE = 0;

/** One range; a class, since memblock's tables change as ranges merge and split. */
export class memblock_region {
	constructor(
		public base: phys_addr_t = 0,
		public size: phys_addr_t = 0,
		public flags: memblock_flags = MEMBLOCK_NONE,
	) {}
}

/** Ranges in rising order that do not overlap; `regions` is C's growing table with `cnt` entries. */
export class memblock_type {
	regions: memblock_region[] = [];
	total_size: phys_addr_t = 0;
	constructor(readonly name: string) {}
}

export class memblock_info {
	/** Hand out low addresses first; arm64 leaves it off. */
	bottom_up: bool = false;
	current_limit: phys_addr_t = MEMBLOCK_ALLOC_ANYWHERE;
	memory: memblock_type = new memblock_type('memory');
	reserved: memblock_type = new memblock_type('reserved');
}

/** Whether the linear map leaves @m out (include/linux/memblock.h: memblock_is_nomap()). */
export function memblock_is_nomap(m: memblock_region): bool {
	return (m.flags & MEMBLOCK_NOMAP) !== 0;
}
