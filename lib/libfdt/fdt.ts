// SPDX-License-Identifier: GPL-2.0-only
// The kernel's reading of a flattened device tree: header, tags, nodes.
// Linux 6.12: scripts/dtc/libfdt/fdt.c
//
// A blob is a Uint8Array, an offset counts from the start of the structure block, an error is -FDT_ERR_*.
// Left out: blobs older than version 16, writing (fdt_rw.c), overlays.
import { be32_to_cpup } from '#linux/byteorder/generic.js';
import {
	FDT_BEGIN_NODE,
	FDT_END,
	FDT_END_NODE,
	FDT_ERR_BADMAGIC,
	FDT_ERR_BADOFFSET,
	FDT_ERR_BADSTRUCTURE,
	FDT_ERR_BADVERSION,
	FDT_ERR_NOTFOUND,
	FDT_ERR_TRUNCATED,
	FDT_HDR_LAST_COMP_VERSION,
	FDT_HDR_OFF_DT_STRINGS,
	FDT_HDR_OFF_DT_STRUCT,
	FDT_HDR_OFF_MEM_RSVMAP,
	FDT_HDR_SIZE_DT_STRINGS,
	FDT_HDR_SIZE_DT_STRUCT,
	FDT_HDR_TOTALSIZE,
	FDT_HDR_VERSION,
	FDT_LAST_SUPPORTED_VERSION,
	FDT_MAGIC,
	FDT_NOP,
	FDT_PROP,
	FDT_TAGSIZE,
	FDT_V16_SIZE,
	FDT_V17_SIZE,
} from '#linux/libfdt.js';
import { type bool, INT_MAX, type int, type ref, type size_t, type u32 } from '#linux/types.js';

/** Bytes of the whole blob (scripts/dtc/libfdt/libfdt.h: fdt_totalsize()). */
export function fdt_totalsize(fdt: Uint8Array): u32 {
	return be32_to_cpup(fdt, FDT_HDR_TOTALSIZE);
}

/** Where the structure block starts (scripts/dtc/libfdt/libfdt.h: fdt_off_dt_struct()). */
export function fdt_off_dt_struct(fdt: Uint8Array): u32 {
	return be32_to_cpup(fdt, FDT_HDR_OFF_DT_STRUCT);
}

/** Where the strings start (scripts/dtc/libfdt/libfdt.h: fdt_off_dt_strings()). */
export function fdt_off_dt_strings(fdt: Uint8Array): u32 {
	return be32_to_cpup(fdt, FDT_HDR_OFF_DT_STRINGS);
}

/** Where the list of reserved memory starts (scripts/dtc/libfdt/libfdt.h: fdt_off_mem_rsvmap()). */
export function fdt_off_mem_rsvmap(fdt: Uint8Array): u32 {
	return be32_to_cpup(fdt, FDT_HDR_OFF_MEM_RSVMAP);
}

/** The version of the format (scripts/dtc/libfdt/libfdt.h: fdt_version()). */
export function fdt_version(fdt: Uint8Array): u32 {
	return be32_to_cpup(fdt, FDT_HDR_VERSION);
}

/** Bytes of strings (scripts/dtc/libfdt/libfdt.h: fdt_size_dt_strings()). */
export function fdt_size_dt_strings(fdt: Uint8Array): u32 {
	return be32_to_cpup(fdt, FDT_HDR_SIZE_DT_STRINGS);
}

function struct_size(fdt: Uint8Array): u32 {
	return fdt_version(fdt) >= 17
		? be32_to_cpup(fdt, FDT_HDR_SIZE_DT_STRUCT)
		: fdt_totalsize(fdt) - fdt_off_dt_struct(fdt);
}

/** 0 when the header can be believed (scripts/dtc/libfdt/fdt.c: fdt_check_header()). */
export function fdt_check_header(fdt: Uint8Array): int {
	if (fdt.length < FDT_V16_SIZE) return -FDT_ERR_TRUNCATED;
	if (be32_to_cpup(fdt) !== FDT_MAGIC) return -FDT_ERR_BADMAGIC;
	const version = fdt_version(fdt);
	const last_comp_version = be32_to_cpup(fdt, FDT_HDR_LAST_COMP_VERSION);
	if (version < 16 || last_comp_version > FDT_LAST_SUPPORTED_VERSION || version < last_comp_version)
		return -FDT_ERR_BADVERSION;
	const hdrsize = version >= 17 ? FDT_V17_SIZE : FDT_V16_SIZE;
	const totalsize = fdt_totalsize(fdt);
	if (totalsize < hdrsize || totalsize > INT_MAX || totalsize > fdt.length) return -FDT_ERR_TRUNCATED;
	const inside = (off: u32, size: u32): bool => off >= hdrsize && off <= totalsize && size <= totalsize - off;
	if (!inside(fdt_off_mem_rsvmap(fdt), 0)) return -FDT_ERR_TRUNCATED;
	if (!inside(fdt_off_dt_struct(fdt), struct_size(fdt))) return -FDT_ERR_TRUNCATED;
	if (!inside(fdt_off_dt_strings(fdt), fdt_size_dt_strings(fdt))) return -FDT_ERR_TRUNCATED;
	return 0;
}

/** @len bytes at @offset of the structure block, or null (scripts/dtc/libfdt/fdt.c: fdt_offset_ptr()). */
export function fdt_offset_ptr(fdt: Uint8Array, offset: int, len: size_t): Uint8Array | null {
	if (offset < 0 || offset + len > struct_size(fdt)) return null;
	const start = fdt_off_dt_struct(fdt) + offset;
	return fdt.subarray(start, start + len);
}

/** The tag at @startoffset, and where the next one is (scripts/dtc/libfdt/fdt.c: fdt_next_tag()). */
export function fdt_next_tag(fdt: Uint8Array, startoffset: int, nextoffset: ref<int>): u32 {
	let offset = startoffset;
	nextoffset.value = -FDT_ERR_TRUNCATED;
	// By offset: a view for each tag would be most of what a boot allocates.
	const base = fdt_off_dt_struct(fdt);
	const size = struct_size(fdt);
	if (offset < 0 || offset + FDT_TAGSIZE > size) return FDT_END;
	const tag = be32_to_cpup(fdt, base + offset);
	offset += FDT_TAGSIZE;
	nextoffset.value = -FDT_ERR_BADSTRUCTURE;
	switch (tag) {
		case FDT_BEGIN_NODE: {
			const nul = fdt.indexOf(0, base + offset);
			if (nul < 0 || nul - base >= size) return FDT_END;
			offset = nul - base + 1;
			break;
		}
		case FDT_PROP: {
			if (offset + 8 > size) return FDT_END;
			offset += 8 + be32_to_cpup(fdt, base + offset);
			break;
		}
		case FDT_END:
		case FDT_END_NODE:
		case FDT_NOP:
			break;
		default:
			return FDT_END;
	}
	if (offset > size) return FDT_END;
	nextoffset.value = (offset + 3) & ~3;
	return tag;
}

/** Behind the name of the node at @offset, or an error (scripts/dtc/libfdt/fdt.c: fdt_check_node_offset_()). */
export function fdt_check_node_offset_(fdt: Uint8Array, offset: int): int {
	const next: ref<int> = { value: 0 };
	if (offset < 0 || offset % FDT_TAGSIZE !== 0) return -FDT_ERR_BADOFFSET;
	if (fdt_next_tag(fdt, offset, next) !== FDT_BEGIN_NODE) return -FDT_ERR_BADOFFSET;
	return next.value;
}

/** Behind the property at @offset, or an error (scripts/dtc/libfdt/fdt.c: fdt_check_prop_offset_()). */
export function fdt_check_prop_offset_(fdt: Uint8Array, offset: int): int {
	const next: ref<int> = { value: 0 };
	if (offset < 0 || offset % FDT_TAGSIZE !== 0) return -FDT_ERR_BADOFFSET;
	if (fdt_next_tag(fdt, offset, next) !== FDT_PROP) return -FDT_ERR_BADOFFSET;
	return next.value;
}

/**
 * The node after the one at @offset, -1 for the root (scripts/dtc/libfdt/fdt.c: fdt_next_node()).
 *
 * @depth: goes up and down with the nodes; when it would fall below 0 the walk ends
 */
export function fdt_next_node(fdt: Uint8Array, offset: int, depth: ref<int> | null): int {
	const next: ref<int> = { value: 0 };
	let nextoffset = 0;
	if (offset >= 0) {
		nextoffset = fdt_check_node_offset_(fdt, offset);
		if (nextoffset < 0) return nextoffset;
	}
	for (;;) {
		const at = nextoffset;
		const tag = fdt_next_tag(fdt, at, next);
		nextoffset = next.value;
		switch (tag) {
			case FDT_BEGIN_NODE:
				if (depth !== null) depth.value++;
				return at;
			case FDT_END_NODE:
				if (depth !== null && --depth.value < 0) return nextoffset;
				break;
			case FDT_END:
				if (nextoffset >= 0 || (nextoffset === -FDT_ERR_TRUNCATED && depth === null))
					return -FDT_ERR_NOTFOUND;
				return nextoffset;
			default:
				break;
		}
	}
}

/** The first node inside the one at @offset (scripts/dtc/libfdt/fdt.c: fdt_first_subnode()). */
export function fdt_first_subnode(fdt: Uint8Array, offset: int): int {
	const depth: ref<int> = { value: 0 };
	const node = fdt_next_node(fdt, offset, depth);
	return node < 0 || depth.value !== 1 ? -FDT_ERR_NOTFOUND : node;
}

/** The next node beside the one at @offset (scripts/dtc/libfdt/fdt.c: fdt_next_subnode()). */
export function fdt_next_subnode(fdt: Uint8Array, offset: int): int {
	const depth: ref<int> = { value: 1 };
	let node = offset;
	do {
		node = fdt_next_node(fdt, node, depth);
		if (node < 0 || depth.value < 1) return -FDT_ERR_NOTFOUND;
	} while (depth.value > 1);
	return node;
}

/** Each node inside the one at @parent (scripts/dtc/libfdt/libfdt.h: fdt_for_each_subnode()). */
export function* fdt_for_each_subnode(fdt: Uint8Array, parent: int): Iterable<int> {
	for (let node = fdt_first_subnode(fdt, parent); node >= 0; node = fdt_next_subnode(fdt, node)) yield node;
}
