// SPDX-License-Identifier: GPL-2.0-only
// Memory before the page allocator: which there is, and what of it is taken.
// Linux 6.12: mm/memblock.c
// Left out: NUMA nodes, hotplug and mirrored memory, debugfs files, memblock_discard().
// A region's tables are plain arrays as in C, but never full: -ENOMEM for a table that cannot grow does not occur.

import { machine } from '#arch/arm64/kernel/setup.js';
import { L1_CACHE_BYTES } from '#asm/cache.js';
import { phys_to_virt, virt_to_phys } from '#asm/memory.js';
import { PAGE_SIZE } from '#asm/page-def.js';
import { WARN_ON } from '#linux/bug.js';
import { EBUSY } from '#linux/errno.js';
import { boot_data, early_param } from '#linux/init.js';
import {
	MEMBLOCK_ALLOC_ACCESSIBLE,
	MEMBLOCK_NOMAP,
	MEMBLOCK_NONE,
	type memblock_flags,
	memblock_info,
	memblock_is_nomap,
	memblock_region,
	type memblock_type,
} from '#linux/memblock.js';
import { PFN_DOWN, PFN_UP } from '#linux/pfn.js';
import { pr_info } from '#linux/printk.js';
import {
	type bool,
	type int,
	PHYS_ADDR_MAX,
	type phys_addr_t,
	type size_t,
	type unsigned_long,
	type void_ptr,
} from '#linux/types.js';

const BLOCK = 4 * 1024 * 1024;
/** Low allocations end here: what 32-bit devices reach. swiotlb and arm64's ZONE_DMA lower it. */
const state = boot_data(() => ({
	memblock: new memblock_info(),
	/** What memblock_make_piece() made. */
	pieces: [] as memblock_region[],
	low_limit: 0xffff_ffff as phys_addr_t,
	debug: false as bool,
}));

/** The one instance (C: struct memblock memblock). */
export const memblock = (): memblock_info => state.memblock;

early_param('memblock', (val) => {
	if (val === 'debug') state.debug = true;
	return 0;
});

/** Set what memblock_alloc_low() takes for low (C: ARCH_LOW_ADDRESS_LIMIT, on arm64 arm64_dma_phys_limit - 1). */
export function memblock_set_low_limit(limit: phys_addr_t): void {
	state.low_limit = limit;
}

/** The last address that memblock_alloc_low() takes (include/linux/memblock.h: ARCH_LOW_ADDRESS_LIMIT). */
export function memblock_low_limit(): phys_addr_t {
	return state.low_limit;
}

function cap_size(base: phys_addr_t, size: phys_addr_t): phys_addr_t {
	return Math.min(size, PHYS_ADDR_MAX - base);
}

function addrs_overlap(base1: phys_addr_t, size1: phys_addr_t, base2: phys_addr_t, size2: phys_addr_t): bool {
	return base1 < base2 + size2 && base2 < base1 + size1;
}

/** Whether @type has anything of the range (mm/memblock.c: memblock_overlaps_region()). */
export function memblock_overlaps_region(type: memblock_type, base: phys_addr_t, size: phys_addr_t): bool {
	const len = cap_size(base, size);
	for (const r of type.regions) if (addrs_overlap(base, len, r.base, r.size)) return true;
	return false;
}

/** Join neighbours that touch and have the same flags. */
function memblock_merge_regions(type: memblock_type): void {
	const regions = type.regions;
	let i = 0;
	while (i < regions.length - 1) {
		const here = regions[i];
		const next = regions[i + 1];
		if (here.base + here.size !== next.base || here.flags !== next.flags) {
			i++;
			continue;
		}
		here.size += next.size;
		regions.splice(i + 1, 1);
	}
}

/** Add what of the range @type does not have yet; where they overlap the old region stays. */
function memblock_add_range(
	type: memblock_type,
	base: phys_addr_t,
	size: phys_addr_t,
	flags: memblock_flags,
): int {
	const end = base + cap_size(base, size);
	let at = base;
	if (size === 0) return 0;
	for (let i = 0; i < type.regions.length && at < end; i++) {
		const r = type.regions[i];
		if (r.base + r.size <= at) continue;
		if (r.base >= end) break;
		if (r.base > at) {
			type.regions.splice(i, 0, new memblock_region(at, r.base - at, flags));
			type.total_size += r.base - at;
			i++;
		}
		at = r.base + r.size;
	}
	if (at < end) {
		let i = 0;
		while (i < type.regions.length && type.regions[i].base < at) i++;
		type.regions.splice(i, 0, new memblock_region(at, end - at, flags));
		type.total_size += end - at;
	}
	memblock_merge_regions(type);
	return 0;
}

/** Cut regions of @type at the range's ends, so that those from @start to before @end are exactly inside. */
function memblock_isolate_range(
	type: memblock_type,
	base: phys_addr_t,
	size: phys_addr_t,
): { start: int; end: int } {
	const end = base + cap_size(base, size);
	let first = 0;
	let last = 0;
	for (let i = 0; i < type.regions.length; i++) {
		const r = type.regions[i];
		if (r.base >= end) break;
		if (r.base + r.size <= base) continue;
		const cut = r.base < base ? base : r.base + r.size > end ? end : 0;
		if (cut !== 0) {
			type.regions.splice(i + 1, 0, new memblock_region(cut, r.base + r.size - cut, r.flags));
			r.size = cut - r.base;
			if (r.base < base) continue;
		}
		if (last === 0) first = i;
		last = i + 1;
	}
	return { start: first, end: last };
}

function memblock_remove_range(type: memblock_type, base: phys_addr_t, size: phys_addr_t): int {
	if (size === 0) return 0;
	const { start, end } = memblock_isolate_range(type, base, size);
	for (const r of type.regions.splice(start, end - start)) type.total_size -= r.size;
	return 0;
}

/** There is memory at @base (mm/memblock.c: memblock_add()). */
export function memblock_add(base: phys_addr_t, size: phys_addr_t): int {
	return memblock_add_range(state.memblock.memory, base, size, MEMBLOCK_NONE);
}

/** There is none there after all (mm/memblock.c: memblock_remove()). */
export function memblock_remove(base: phys_addr_t, size: phys_addr_t): int {
	return memblock_remove_range(state.memblock.memory, base, size);
}

/** Take the range; taking it twice is no error (mm/memblock.c: memblock_reserve()). */
export function memblock_reserve(base: phys_addr_t, size: phys_addr_t): int {
	return memblock_add_range(state.memblock.reserved, base, size, MEMBLOCK_NONE);
}

/** Give the range back (mm/memblock.c: memblock_phys_free()). */
export function memblock_phys_free(base: phys_addr_t, size: phys_addr_t): int {
	return memblock_remove_range(state.memblock.reserved, base, size);
}

/** memblock_phys_free() by address (mm/memblock.c: memblock_free()). */
export function memblock_free(ptr: void_ptr | null, size: size_t): void {
	if (ptr !== null) memblock_phys_free(virt_to_phys(ptr), size);
}

function memblock_setclr_flag(base: phys_addr_t, size: phys_addr_t, set: bool, flag: memblock_flags): int {
	const type = state.memblock.memory;
	const { start, end } = memblock_isolate_range(type, base, size);
	for (let i = start; i < end; i++) {
		const r = type.regions[i];
		r.flags = set ? r.flags | flag : r.flags & ~flag;
	}
	memblock_merge_regions(type);
	return 0;
}

/** Leave the range out of the linear map (mm/memblock.c: memblock_mark_nomap()). */
export function memblock_mark_nomap(base: phys_addr_t, size: phys_addr_t): int {
	return memblock_setclr_flag(base, size, true, MEMBLOCK_NOMAP);
}

/** Have the range in the linear map after all (mm/memblock.c: memblock_clear_nomap()). */
export function memblock_clear_nomap(base: phys_addr_t, size: phys_addr_t): int {
	return memblock_setclr_flag(base, size, false, MEMBLOCK_NOMAP);
}

/** The region of @type that @addr is in; -1 without one. */
function memblock_search(type: memblock_type, addr: phys_addr_t): int {
	let left = 0;
	let right = type.regions.length;
	while (left < right) {
		const mid = (left + right) >>> 1;
		const r = type.regions[mid];
		if (addr < r.base) right = mid;
		else if (addr >= r.base + r.size) left = mid + 1;
		else return mid;
	}
	return -1;
}

/** Whether @addr is reserved (mm/memblock.c: memblock_is_reserved()). */
export function memblock_is_reserved(addr: phys_addr_t): bool {
	return memblock_search(state.memblock.reserved, addr) >= 0;
}

/** Whether @addr is memory, in the linear map or not (mm/memblock.c: memblock_is_memory()). */
export function memblock_is_memory(addr: phys_addr_t): bool {
	return memblock_search(state.memblock.memory, addr) >= 0;
}

/** Whether @addr is memory that the linear map covers (mm/memblock.c: memblock_is_map_memory()). */
export function memblock_is_map_memory(addr: phys_addr_t): bool {
	const i = memblock_search(state.memblock.memory, addr);
	return i >= 0 && !memblock_is_nomap(state.memblock.memory.regions[i]);
}

/** Whether the whole range is in one region of memory. */
export function memblock_is_region_memory(base: phys_addr_t, size: phys_addr_t): bool {
	const i = memblock_search(state.memblock.memory, base);
	if (i < 0) return false;
	const r = state.memblock.memory.regions[i];
	return r.base + r.size >= base + cap_size(base, size);
}

/** Whether any of the range is reserved (mm/memblock.c: memblock_is_region_reserved()). */
export function memblock_is_region_reserved(base: phys_addr_t, size: phys_addr_t): bool {
	return memblock_overlaps_region(state.memblock.reserved, base, size);
}

/** Bytes of memory (mm/memblock.c: memblock_phys_mem_size()). */
export function memblock_phys_mem_size(): phys_addr_t {
	return state.memblock.memory.total_size;
}

/** Bytes that are reserved (mm/memblock.c: memblock_reserved_size()). */
export function memblock_reserved_size(): phys_addr_t {
	return state.memblock.reserved.total_size;
}

/** The lowest address of memory (mm/memblock.c: memblock_start_of_DRAM()). */
export function memblock_start_of_DRAM(): phys_addr_t {
	return state.memblock.memory.regions[0]?.base ?? 0;
}

/** One past the highest address of memory (mm/memblock.c: memblock_end_of_DRAM()). */
export function memblock_end_of_DRAM(): phys_addr_t {
	const last = state.memblock.memory.regions.at(-1);
	return last === undefined ? 0 : last.base + last.size;
}

/** Allocations that name no limit end at @limit from now on (mm/memblock.c: memblock_set_current_limit()). */
export function memblock_set_current_limit(limit: phys_addr_t): void {
	state.memblock.current_limit = limit;
}

/** Where allocations that name no limit end (mm/memblock.c: memblock_get_current_limit()). */
export function memblock_get_current_limit(): phys_addr_t {
	return state.memblock.current_limit;
}

/** Whether the lowest place is taken instead of the highest (mm/memblock.c: memblock_bottom_up()). */
export function memblock_bottom_up(): bool {
	return state.memblock.bottom_up;
}

/** Take the lowest place, or the highest, from now on (mm/memblock.c: memblock_set_bottom_up()). */
export function memblock_set_bottom_up(enable: bool): void {
	state.memblock.bottom_up = enable;
}

/** Keep the first @limit bytes of memory and drop what lies behind (mm/memblock.c: memblock_mem_limit_remove_map()). */
export function memblock_mem_limit_remove_map(limit: phys_addr_t): void {
	let left = limit;
	for (const r of state.memblock.memory.regions) {
		if (left <= r.size) {
			const end = r.base + left;
			memblock_remove(end, PHYS_ADDR_MAX - end);
			memblock_remove_range(state.memblock.reserved, end, PHYS_ADDR_MAX - end);
			return;
		}
		left -= r.size;
	}
}

/** Each range of memory, rising; regions outside the linear map too (include/linux/memblock.h: for_each_mem_region()). */
export function* for_each_mem_region(): Iterable<memblock_region> {
	yield* state.memblock.memory.regions;
}

/** Each range that is reserved, rising (mm/memblock.c: for_each_reserved_mem_region()). */
export function* for_each_reserved_mem_region(): Iterable<memblock_region> {
	yield* state.memblock.reserved.regions;
}

/** Each range that is memory, mapped, and not reserved, rising (include/linux/memblock.h: for_each_free_mem_range()). */
export function for_each_free_mem_range(): memblock_region[] {
	const free: memblock_region[] = [];
	for (const m of state.memblock.memory.regions) {
		if (memblock_is_nomap(m)) continue;
		let at = m.base;
		const end = m.base + m.size;
		for (const r of state.memblock.reserved.regions) {
			if (r.base + r.size <= at) continue;
			if (r.base >= end) break;
			if (r.base > at) free.push(new memblock_region(at, r.base - at));
			at = r.base + r.size;
		}
		if (at < end) free.push(new memblock_region(at, end - at));
	}
	return free;
}

function round_up(x: phys_addr_t, to: phys_addr_t): phys_addr_t {
	return Math.ceil(x / to) * to;
}

function round_down(x: phys_addr_t, to: phys_addr_t): phys_addr_t {
	return x - (x % to);
}

/** A free place inside start..end: the highest one, or the lowest with bottom_up; 0 when there is none. */
export function memblock_find_in_range(
	start: phys_addr_t,
	end: phys_addr_t,
	size: phys_addr_t,
	align: phys_addr_t,
): phys_addr_t {
	const limit = end === MEMBLOCK_ALLOC_ACCESSIBLE ? state.memblock.current_limit : end;
	// Address 0 would look like a failure.
	const from = Math.max(start, PAGE_SIZE);
	const free = for_each_free_mem_range();
	if (!state.memblock.bottom_up) free.reverse();
	for (const r of free) {
		const low = Math.max(r.base, from);
		const high = Math.min(r.base + r.size, limit);
		if (high < low + size) continue;
		const at = state.memblock.bottom_up ? round_up(low, align) : round_down(high - size, align);
		if (at >= low && at + size <= high) return at;
	}
	return 0;
}

/**
 * Reserve @size bytes in start..end (mm/memblock.c: memblock_alloc_range_nid()); 0 when that is not possible.
 * @end MEMBLOCK_ALLOC_ACCESSIBLE means the current limit. Alignment 0 is a mistake of the caller.
 */
export function memblock_alloc_range_nid(
	size: phys_addr_t,
	align: phys_addr_t,
	start: phys_addr_t,
	end: phys_addr_t,
	_nid: int,
	_exact_nid: bool,
): phys_addr_t {
	if (WARN_ON(align === 0)) align = L1_CACHE_BYTES;
	const found = memblock_find_in_range(start, end, size, align);
	if (found === 0) return 0;
	return memblock_reserve(found, size) === 0 ? found : 0;
}

/** memblock_alloc_range_nid() on any node (mm/memblock.c: memblock_phys_alloc_range()). */
export function memblock_phys_alloc_range(
	size: phys_addr_t,
	align: phys_addr_t,
	start: phys_addr_t,
	end: phys_addr_t,
): phys_addr_t {
	return memblock_alloc_range_nid(size, align, start, end, -1, false);
}

/** Reserve @size bytes below the current limit; 0 when that is not possible (mm/memblock.c: memblock_phys_alloc()). */
export function memblock_phys_alloc(size: phys_addr_t, align: phys_addr_t): phys_addr_t {
	return memblock_phys_alloc_range(size, align, 0, MEMBLOCK_ALLOC_ACCESSIBLE);
}

/**
 * See that [base, base + size) can be one view: RAM comes in blocks of 4 MiB, a larger area is a piece of its own. What
 * a tree reserves where there is no RAM is let be. No twin in Linux, whose linear map is contiguous everywhere.
 *
 * Returns 0, or -EBUSY when a part of it, but not all, is another such area's.
 */
export function memblock_make_piece(base: phys_addr_t, size: phys_addr_t): int {
	if (size === 0 || Math.floor(base / BLOCK) === Math.floor((base + size - 1) / BLOCK)) return 0;
	const start = round_down(base, PAGE_SIZE);
	const bytes = round_up(base + size, PAGE_SIZE) - start;
	if (!machine.memory.is_ram(start, bytes)) return 0;
	for (const piece of state.pieces) {
		if (start >= piece.base && start + bytes <= piece.base + piece.size) return 0;
		if (addrs_overlap(start, bytes, piece.base, piece.size)) return -EBUSY;
	}
	machine.memory.add_piece(start, bytes);
	state.pieces.push(new memblock_region(start, bytes));
	return 0;
}

/** memblock_alloc_try_nid() and its sisters: a zeroed address in min..max, or null. */
export function memblock_alloc_try_nid(
	size: phys_addr_t,
	align: phys_addr_t,
	min_addr: phys_addr_t,
	max_addr: phys_addr_t,
	nid: int,
): void_ptr | null {
	let phys = memblock_alloc_range_nid(size, align, min_addr, max_addr, nid, false);
	// A minimum is a wish: the second try goes without it.
	if (phys === 0 && min_addr !== 0) phys = memblock_alloc_range_nid(size, align, 0, max_addr, nid, false);
	if (phys === 0) return null;
	memblock_make_piece(phys, size);
	return phys_to_virt(phys, size);
}

/** Zeroed memory below the current limit, or null (include/linux/memblock.h: memblock_alloc()). */
export function memblock_alloc(size: phys_addr_t, align: phys_addr_t): void_ptr | null {
	return memblock_alloc_try_nid(size, align, 0, MEMBLOCK_ALLOC_ACCESSIBLE, -1);
}

/** memblock_alloc() that stops the boot instead of failing is memblock_alloc_or_panic() in later versions. */
export const memblock_alloc_raw = memblock_alloc;

/** Zeroed memory in reach of the DMA zone's devices (include/linux/memblock.h: memblock_alloc_low()). */
export function memblock_alloc_low(size: phys_addr_t, align: phys_addr_t): void_ptr | null {
	return memblock_alloc_try_nid(size, align, 0, state.low_limit, -1);
}

/** Each free range as whole page frames, for the page allocator to take (mm/memblock.c: free_low_memory_core_early()). */
export function memblock_free_ranges_pfn(
	visit: (start_pfn: unsigned_long, end_pfn: unsigned_long) => void,
): void {
	for (const r of for_each_free_mem_range()) {
		const start = PFN_UP(r.base);
		const end = PFN_DOWN(r.base + r.size);
		if (start < end) visit(start, end);
	}
}

function dump(type: memblock_type): void {
	pr_info(' %s.cnt  = %#x', type.name, type.regions.length);
	type.regions.forEach((r, i) => {
		pr_info(
			' %s[%#x]\t[%pa-%pa], %pa bytes flags: %#x',
			type.name,
			i,
			r.base,
			r.base + r.size - 1,
			r.size,
			r.flags,
		);
	});
}

/** With memblock=debug, list all regions (mm/memblock.c: memblock_dump_all()). */
export function memblock_dump_all(): void {
	if (!state.debug) return;
	pr_info('MEMBLOCK configuration:');
	pr_info(' memory size = %pa reserved size = %pa', memblock_phys_mem_size(), memblock_reserved_size());
	dump(state.memblock.memory);
	dump(state.memblock.reserved);
}
