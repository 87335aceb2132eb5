// SPDX-License-Identifier: GPL-2.0-only
// Reading a flattened tree: names, properties, paths, reserved memory.
// Linux 6.12: scripts/dtc/libfdt/fdt_ro.c
import {
	fdt_check_node_offset_,
	fdt_check_prop_offset_,
	fdt_first_subnode,
	fdt_next_subnode,
	fdt_next_tag,
	fdt_off_dt_strings,
	fdt_off_dt_struct,
	fdt_off_mem_rsvmap,
	fdt_offset_ptr,
	fdt_size_dt_strings,
	fdt_totalsize,
} from '#lib/libfdt/fdt.js';
import { be32_to_cpup } from '#linux/byteorder/generic.js';
import {
	FDT_END,
	FDT_ERR_BADOFFSET,
	FDT_ERR_BADPATH,
	FDT_ERR_BADSTRUCTURE,
	FDT_ERR_NOTFOUND,
	FDT_NOP,
	FDT_PROP,
	FDT_TAGSIZE,
} from '#linux/libfdt.js';
import type { bool, int, ref, u32, u64 } from '#linux/types.js';

const decoder = new TextDecoder();

/** The character @. */
const AT = 0x40;

function string_at(fdt: Uint8Array, start: int, limit: int): string | null {
	const nul = fdt.indexOf(0, start);
	return nul < 0 || nul >= limit ? null : decoder.decode(fdt.subarray(start, nul));
}

/** Whether the string at @start, which ends below @limit, is @name: no string is made of it to know. */
function string_eq(fdt: Uint8Array, start: int, limit: int, name: string): bool {
	const end = start + name.length;
	if (end >= limit || fdt[end] !== 0) return false;
	for (let i = 0; i < name.length; i++) if (fdt[start + i] !== name.charCodeAt(i)) return false;
	return true;
}

/** A name of the strings block, or null (scripts/dtc/libfdt/fdt_ro.c: fdt_string()). */
export function fdt_string(fdt: Uint8Array, stroffset: u32): string | null {
	if (stroffset >= fdt_size_dt_strings(fdt)) return null;
	const base = fdt_off_dt_strings(fdt);
	return string_at(fdt, base + stroffset, base + fdt_size_dt_strings(fdt));
}

/** The name of a node with its unit address, or null (scripts/dtc/libfdt/fdt_ro.c: fdt_get_name()). */
export function fdt_get_name(fdt: Uint8Array, nodeoffset: int): string | null {
	if (fdt_check_node_offset_(fdt, nodeoffset) < 0) return null;
	return string_at(fdt, fdt_off_dt_struct(fdt) + nodeoffset + 4, fdt_totalsize(fdt));
}

function nextprop_(fdt: Uint8Array, start: int): int {
	const next: ref<int> = { value: 0 };
	for (let offset = start; ; offset = next.value) {
		const tag = fdt_next_tag(fdt, offset, next);
		if (tag === FDT_END) return next.value >= 0 ? -FDT_ERR_BADSTRUCTURE : next.value;
		if (tag === FDT_PROP) return offset;
		if (tag !== FDT_NOP) return -FDT_ERR_NOTFOUND;
	}
}

/**
 * Offset of the first property of a node, or a negative error
 * (scripts/dtc/libfdt/fdt_ro.c: fdt_first_property_offset()).
 */
export function fdt_first_property_offset(fdt: Uint8Array, nodeoffset: int): int {
	const offset = fdt_check_node_offset_(fdt, nodeoffset);
	return offset < 0 ? offset : nextprop_(fdt, offset);
}

/**
 * Offset of the property after the one at @offset, or a negative error
 * (scripts/dtc/libfdt/fdt_ro.c: fdt_next_property_offset()).
 */
export function fdt_next_property_offset(fdt: Uint8Array, offset: int): int {
	const next = fdt_check_prop_offset_(fdt, offset);
	return next < 0 ? next : nextprop_(fdt, next);
}

/** The value of the property at @offset, and its name (scripts/dtc/libfdt/fdt_ro.c: fdt_getprop_by_offset()). */
export function fdt_getprop_by_offset(
	fdt: Uint8Array,
	offset: int,
	namep: ref<string | null> | null,
	lenp: ref<int> | null,
): Uint8Array | null {
	if (fdt_check_prop_offset_(fdt, offset) < 0) {
		if (lenp !== null) lenp.value = -FDT_ERR_BADOFFSET;
		return null;
	}
	const header = fdt_off_dt_struct(fdt) + offset;
	const len = be32_to_cpup(fdt, header + 4);
	if (namep !== null) namep.value = fdt_string(fdt, be32_to_cpup(fdt, header + 8));
	if (lenp !== null) lenp.value = len;
	return fdt_offset_ptr(fdt, offset + 12, len);
}

/** A property of a node, or null (scripts/dtc/libfdt/fdt_ro.c: fdt_getprop()). */
export function fdt_getprop(
	fdt: Uint8Array,
	nodeoffset: int,
	name: string,
	lenp: ref<int> | null,
): Uint8Array | null {
	const struct = fdt_off_dt_struct(fdt);
	const strings = fdt_off_dt_strings(fdt);
	const limit = strings + fdt_size_dt_strings(fdt);
	let offset = fdt_first_property_offset(fdt, nodeoffset);
	for (; offset >= 0; offset = fdt_next_property_offset(fdt, offset)) {
		const stroffset = be32_to_cpup(fdt, struct + offset + 8);
		if (!string_eq(fdt, strings + stroffset, limit, name)) continue;
		const value = fdt_getprop_by_offset(fdt, offset, null, lenp);
		if (value !== null) return value;
	}
	if (lenp !== null) lenp.value = offset;
	return null;
}

// scripts/dtc/libfdt/fdt_ro.c: fdt_nodename_eq_(): a name without unit address fits any.
function nodename_eq(fdt: Uint8Array, offset: int, name: string): bool {
	const start = fdt_off_dt_struct(fdt) + offset + FDT_TAGSIZE;
	const after = fdt[start + name.length];
	for (let i = 0; i < name.length; i++) if (fdt[start + i] !== name.charCodeAt(i)) return false;
	return after === 0 || (after === AT && !name.includes('@'));
}

/**
 * The node inside @offset with this name, with or without unit address
 * (scripts/dtc/libfdt/fdt_ro.c: fdt_subnode_offset()).
 */
export function fdt_subnode_offset(fdt: Uint8Array, offset: int, name: string): int {
	for (let node = fdt_first_subnode(fdt, offset); node >= 0; node = fdt_next_subnode(fdt, node))
		if (nodename_eq(fdt, node, name)) return node;
	return -FDT_ERR_NOTFOUND;
}

/** The node at @path, which may begin with an alias (scripts/dtc/libfdt/fdt_ro.c: fdt_path_offset()). */
export function fdt_path_offset(fdt: Uint8Array, path: string): int {
	let offset = 0;
	let rest = path;
	if (!path.startsWith('/')) {
		const slash = path.indexOf('/');
		const alias = fdt_getprop(
			fdt,
			fdt_subnode_offset(fdt, 0, 'aliases'),
			slash < 0 ? path : path.slice(0, slash),
			null,
		);
		if (alias === null || alias[0] !== 0x2f) return -FDT_ERR_BADPATH;
		offset = fdt_path_offset(fdt, decoder.decode(alias.subarray(0, alias.indexOf(0))));
		rest = slash < 0 ? '' : path.slice(slash);
	}
	for (const part of rest.split('/')) {
		if (part === '') continue;
		if (offset < 0) return offset;
		offset = fdt_subnode_offset(fdt, offset, part);
	}
	return offset;
}

/** The phandle of a node; 0 when it has none (scripts/dtc/libfdt/fdt_ro.c: fdt_get_phandle()). */
export function fdt_get_phandle(fdt: Uint8Array, nodeoffset: int): u32 {
	const php =
		fdt_getprop(fdt, nodeoffset, 'phandle', null) ?? fdt_getprop(fdt, nodeoffset, 'linux,phandle', null);
	return php === null || php.length !== 4 ? 0 : be32_to_cpup(php);
}

/** Entry @n of the memory reservation block (scripts/dtc/libfdt/fdt_ro.c: fdt_get_mem_rsv()). */
export function fdt_get_mem_rsv(fdt: Uint8Array, n: int, address: ref<u64>, size: ref<u64>): int {
	const at = fdt_off_mem_rsvmap(fdt) + n * 16;
	if (n < 0 || at + 16 > fdt_totalsize(fdt)) return -FDT_ERR_BADOFFSET;
	address.value = be32_to_cpup(fdt, at) * 0x1_0000_0000 + be32_to_cpup(fdt, at + 4);
	size.value = be32_to_cpup(fdt, at + 8) * 0x1_0000_0000 + be32_to_cpup(fdt, at + 12);
	return 0;
}

/** How many entries the memory reservation block has (scripts/dtc/libfdt/fdt_ro.c: fdt_num_mem_rsv()). */
export function fdt_num_mem_rsv(fdt: Uint8Array): int {
	const address: ref<u64> = { value: 0 };
	const size: ref<u64> = { value: 0 };
	for (let n = 0; fdt_get_mem_rsv(fdt, n, address, size) === 0; n++) if (size.value === 0) return n;
	return -FDT_ERR_BADSTRUCTURE;
}
