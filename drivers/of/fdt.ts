// SPDX-License-Identifier: GPL-2.0-only
// The flattened tree at boot: memory and command line first, then the nodes.
// Linux 6.12: drivers/of/fdt.c
//
// Left out: initrd, elfcorehdr, rng-seed, hot-pluggable memory, earlycon,
// linux,usable-memory-range, overlays, the checksum of the blob.

import { PAGE_SIZE } from '#asm/page.js';
import { of_alias_scan, of_prop_string_at, of_read_number, of_tree } from '#drivers/of/base.js';
import { of_node_init } from '#drivers/of/dynamic.js';
import { fdt_scan_reserved_mem, fdt_scan_reserved_mem_reg_nodes } from '#drivers/of/of_reserved_mem.js';
import { of_fwnode_ops } from '#drivers/of/property.js';
import {
	fdt_check_header,
	fdt_for_each_subnode,
	fdt_next_node,
	fdt_off_dt_struct,
	fdt_size_dt_strings,
	fdt_totalsize,
} from '#lib/libfdt/fdt.js';
import {
	fdt_first_property_offset,
	fdt_get_mem_rsv,
	fdt_get_name,
	fdt_get_phandle,
	fdt_getprop,
	fdt_getprop_by_offset,
	fdt_next_property_offset,
	fdt_path_offset,
	fdt_string,
	fdt_subnode_offset,
} from '#lib/libfdt/fdt_ro.js';
import { WARN_ON_ONCE } from '#linux/bug.js';
import { be32_to_cpup } from '#linux/byteorder/generic.js';
import { EINVAL, ENODEV } from '#linux/errno.js';
import { fwnode_init } from '#linux/fwnode.js';
import { boot_data } from '#linux/init.js';
import { FDT_ERR_NOTFOUND } from '#linux/libfdt.js';
import { of_fdt } from '#linux/of_fdt.js';
import {
	device_node,
	OF_ROOT_NODE_ADDR_CELLS_DEFAULT,
	OF_ROOT_NODE_SIZE_CELLS_DEFAULT,
	property,
} from '#linux/of_node.js';
import { pr_debug, pr_err, pr_warn } from '#linux/printk.js';
import { type bool, type int, ref, type u64, type unsigned_long } from '#linux/types.js';
import { memblock_add, memblock_reserve } from '#mm/memblock.js';

const FDT_MAX_DEPTH = 64;
const COMMAND_LINE_SIZE = 2048;

/** Reads cells from a value one number after the other; C moves a pointer. */
export class flat_cells {
	value: Uint8Array;
	at: int = 0;
	constructor(value: Uint8Array) {
		this.value = value;
	}
}

/** How many whole cells @cells has left. */
export function flat_cells_left(cells: flat_cells): int {
	return (cells.value.length - cells.at) >> 2;
}

/** The next number of @s cells (drivers/of/fdt.c: dt_mem_next_cell()). */
export function dt_mem_next_cell(s: int, cells: flat_cells): u64 {
	const p = cells.value.subarray(cells.at);
	cells.at += s * 4;
	return of_read_number(p, s);
}

/** The blob of this boot (Linux: the variable initial_boot_params). */
export function initial_boot_params(): Uint8Array {
	return of_fdt.initial_boot_params as Uint8Array;
}

/** A property of a node of the blob, or null (drivers/of/fdt.c: of_get_flat_dt_prop()). */
export function of_get_flat_dt_prop(
	node: unsigned_long,
	name: string,
	size: ref<int> | null,
): Uint8Array | null {
	return fdt_getprop(initial_boot_params(), node, name, size);
}

/** Offset of the root node (drivers/of/fdt.c: of_get_flat_dt_root()). */
export function of_get_flat_dt_root(): unsigned_long {
	return 0;
}

/** Offset of the child @uname of @node, or a negative number (drivers/of/fdt.c: of_get_flat_dt_subnode_by_name()). */
export function of_get_flat_dt_subnode_by_name(node: unsigned_long, uname: string): int {
	return fdt_subnode_offset(initial_boot_params(), node, uname);
}

/** The phandle of @node; 0 without (drivers/of/fdt.c: of_get_flat_dt_phandle()). */
export function of_get_flat_dt_phandle(node: unsigned_long): u64 {
	return fdt_get_phandle(initial_boot_params(), node);
}

/** Whether a node of the blob is compatible with @compat (drivers/of/fdt.c: of_flat_dt_is_compatible()). */
export function of_flat_dt_is_compatible(node: unsigned_long, compat: string): bool {
	const value = of_get_flat_dt_prop(node, 'compatible', null);
	for (let at = 0; value !== null && at < value.length; ) {
		if (of_prop_string_at(value, at).toLowerCase() === compat.toLowerCase()) return true;
		const nul = value.indexOf(0, at);
		at = nul < 0 ? value.length : nul + 1;
	}
	return false;
}

/** Whether a node of the blob may be used (drivers/of/fdt.c: of_fdt_device_is_available()). */
export function of_fdt_device_is_available(blob: Uint8Array, node: unsigned_long): bool {
	const value = fdt_getprop(blob, node, 'status', null);
	if (value === null) return true;
	const status = of_prop_string_at(value);
	return status === 'ok' || status === 'okay';
}

/** Calls @it for each node of the blob until it answers other than 0 (drivers/of/fdt.c: of_scan_flat_dt()). */
export function of_scan_flat_dt(
	it: (node: unsigned_long, uname: string, depth: int, data: unknown) => int,
	data: unknown,
): int {
	const blob = initial_boot_params();
	const depth = new ref<int>(-1);
	let rc = 0;
	for (
		let offset = fdt_next_node(blob, -1, depth);
		offset >= 0 && depth.value >= 0 && rc === 0;
		offset = fdt_next_node(blob, offset, depth)
	)
		rc = it(offset, fdt_get_name(blob, offset) ?? '', depth.value, data);
	return rc;
}

/** Each node inside @parent (drivers/of/fdt.c: of_scan_flat_dt_subnodes()). */
export function of_scan_flat_dt_subnodes(parent: unsigned_long): Iterable<int> {
	return fdt_for_each_subnode(initial_boot_params(), parent);
}

/** Learn the root's cell counts (drivers/of/fdt.c: early_init_dt_scan_root()). */
export function early_init_dt_scan_root(): int {
	const node = fdt_path_offset(initial_boot_params(), '/');
	if (node < 0) return -ENODEV;
	const size_cells = of_get_flat_dt_prop(node, '#size-cells', null);
	const addr_cells = of_get_flat_dt_prop(node, '#address-cells', null);
	of_fdt.dt_root_size_cells =
		size_cells === null || size_cells.length < 4 ? OF_ROOT_NODE_SIZE_CELLS_DEFAULT : be32_to_cpup(size_cells);
	of_fdt.dt_root_addr_cells =
		addr_cells === null || addr_cells.length < 4 ? OF_ROOT_NODE_ADDR_CELLS_DEFAULT : be32_to_cpup(addr_cells);
	return 0;
}

/** Tell memblock of RAM, whole pages only (drivers/of/fdt.c: early_init_dt_add_memory_arch()). */
export function early_init_dt_add_memory_arch(base: u64, size: u64): void {
	const offset = base % PAGE_SIZE;
	if (size < PAGE_SIZE - offset) {
		pr_warn('OF: fdt: Ignoring memory block 0x%llx - 0x%llx', base, base + size);
		return;
	}
	let first = base;
	let left = size;
	if (offset !== 0) {
		left -= PAGE_SIZE - offset;
		first += PAGE_SIZE - offset;
	}
	memblock_add(first, left - (left % PAGE_SIZE));
}

/** Whether any memory was found in the blob's memory nodes (drivers/of/fdt.c: early_init_dt_scan_memory()). */
export function early_init_dt_scan_memory(): int {
	const fdt = initial_boot_params();
	const { dt_root_addr_cells, dt_root_size_cells } = of_fdt;
	const step = dt_root_addr_cells + dt_root_size_cells;
	let found_memory = 0;
	for (const node of fdt_for_each_subnode(fdt, 0)) {
		const type = of_get_flat_dt_prop(node, 'device_type', null);
		if (type === null || of_prop_string_at(type) !== 'memory') continue;
		if (!of_fdt_device_is_available(fdt, node)) continue;
		const reg =
			of_get_flat_dt_prop(node, 'linux,usable-memory', null) ?? of_get_flat_dt_prop(node, 'reg', null);
		if (reg === null || step === 0) continue;
		const cells = new flat_cells(reg);
		while (flat_cells_left(cells) >= step) {
			const base = dt_mem_next_cell(dt_root_addr_cells, cells);
			const size = dt_mem_next_cell(dt_root_size_cells, cells);
			if (size === 0) continue;
			pr_debug('OF: fdt:  - %llx, %llx', base, size);
			early_init_dt_add_memory_arch(base, size);
			found_memory = 1;
		}
	}
	return found_memory;
}

function chosen_node(): int {
	const fdt = initial_boot_params();
	const node = fdt_path_offset(fdt, '/chosen');
	return node >= 0 ? node : fdt_path_offset(fdt, '/chosen@0');
}

/** The command line of /chosen (drivers/of/fdt.c: early_init_dt_scan_chosen()). */
export function early_init_dt_scan_chosen(cmdline: ref<string>): int {
	const node = chosen_node();
	if (node >= 0) {
		const p = of_get_flat_dt_prop(node, 'bootargs', null);
		if (p !== null && p.length > 0) cmdline.value = of_prop_string_at(p).slice(0, COMMAND_LINE_SIZE - 1);
	}
	pr_debug('OF: fdt: Command line is: %s', cmdline.value);
	return 0;
}

/** Take @dt_virt as this boot's tree if its header is right (drivers/of/fdt.c: early_init_dt_verify()). */
export function early_init_dt_verify(dt_virt: Uint8Array | null): bool {
	if (dt_virt === null || fdt_check_header(dt_virt) !== 0) return false;
	of_fdt.initial_boot_params = dt_virt.subarray(0, fdt_totalsize(dt_virt));
	early_init_dt_scan_root();
	return true;
}

/** What is needed before memory management: command line and memory (drivers/of/fdt.c: early_init_dt_scan_nodes()). */
export function early_init_dt_scan_nodes(cmdline: ref<string>): void {
	if (early_init_dt_scan_chosen(cmdline) !== 0) pr_warn('OF: fdt: No chosen node found, continuing without');
	early_init_dt_scan_memory();
}

/**
 * The first look at the blob (drivers/of/fdt.c: early_init_dt_scan()).
 *
 * @cmdline: gets the tree's bootargs (Linux: the variable boot_command_line)
 * Returns false when it is no device tree.
 */
export function early_init_dt_scan(dt_virt: Uint8Array | null, cmdline: ref<string>): bool {
	if (!early_init_dt_verify(dt_virt)) return false;
	early_init_dt_scan_nodes(cmdline);
	return true;
}

/** Keep what the tree reserves out of the page allocator (drivers/of/fdt.c: early_init_fdt_scan_reserved_mem()). */
export function early_init_fdt_scan_reserved_mem(): void {
	if (of_fdt.initial_boot_params === null) return;
	fdt_scan_reserved_mem();
	const base = new ref<u64>(0);
	const size = new ref<u64>(0);
	for (let n = 0; fdt_get_mem_rsv(initial_boot_params(), n, base, size) === 0; n++) {
		if (size.value === 0) break;
		memblock_reserve(base.value, size.value);
	}
}

/** The first compatible string of the root, or the model (drivers/of/fdt.c: of_flat_dt_get_machine_name()). */
export function of_flat_dt_get_machine_name(): string | null {
	const name =
		of_get_flat_dt_prop(of_get_flat_dt_root(), 'model', null) ??
		of_get_flat_dt_prop(of_get_flat_dt_root(), 'compatible', null);
	return name === null ? null : of_prop_string_at(name);
}

/** @text, which is ASCII, with its NUL. TextEncoder would take a buffer outside of the heap for each. */
function text_bytes(text: string): Uint8Array {
	const bytes = new Uint8Array(text.length + 1);
	for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
	return bytes;
}

/** While the tree is made: the names of properties that were met, by their places in the strings block. */
const flat = boot_data(() => ({ names: [] as (string | null)[] }));

/** The name of the property at @offset, or null. There are few names: each is made of the blob's bytes once. */
function property_name(blob: Uint8Array, offset: int): string | null {
	const stroffset = be32_to_cpup(blob, fdt_off_dt_struct(blob) + offset + 8);
	if (stroffset >= flat.names.length) return null;
	flat.names[stroffset] ??= fdt_string(blob, stroffset);
	return flat.names[stroffset] as string | null;
}

function populate_properties(blob: Uint8Array, offset: int, np: device_node, nodename: string): void {
	let last: property | null = null;
	let has_name = false;
	const add = (pp: property): void => {
		if (last === null) np.properties = pp;
		else last.next = pp;
		last = pp;
	};
	for (
		let cur = fdt_first_property_offset(blob, offset);
		cur >= 0;
		cur = fdt_next_property_offset(blob, cur)
	) {
		const val = fdt_getprop_by_offset(blob, cur, null, null);
		if (val === null) {
			pr_warn('OF: fdt: Cannot locate property at 0x%x', cur);
			continue;
		}
		const name = property_name(blob, cur);
		if (name === null) {
			pr_warn('OF: fdt: Cannot find property name at 0x%x', cur);
			continue;
		}
		if (name === 'name' && !has_name) {
			has_name = true;
			np.name = of_prop_string_at(val);
		}
		if (val.length >= 4) {
			if ((name === 'phandle' || name === 'linux,phandle') && np.phandle === 0)
				np.phandle = be32_to_cpup(val);
			if (name === 'ibm,phandle') np.phandle = be32_to_cpup(val);
		}
		add(new property(name, val));
	}
	// Flat trees have the name in front of the node; those who read properties find it there too.
	if (has_name) return;
	np.name = nodename.split('@')[0];
	add(new property('name', text_bytes(np.name)));
}

function populate_node(blob: Uint8Array, offset: int, dad: device_node | null): device_node {
	const full_name = fdt_get_name(blob, offset) ?? '';
	const np = new device_node();
	of_node_init(np);
	fwnode_init(np.fwnode, of_fwnode_ops);
	np.full_name = full_name;
	if (dad !== null) {
		np.parent = dad;
		// In front: the order is turned round at the end.
		np.sibling = dad.child;
		dad.child = np;
	}
	populate_properties(blob, offset, np, full_name);
	return np;
}

/** Put the children of @parent, and theirs, in the order of the blob. */
function reverse_nodes(parent: device_node): void {
	let child = parent.child;
	parent.child = null;
	while (child !== null) {
		const next: device_node | null = child.sibling;
		reverse_nodes(child);
		child.sibling = parent.child;
		parent.child = child;
		child = next;
	}
}

function unflatten_dt_nodes(blob: Uint8Array, nodepp: ref<device_node | null>): int {
	const nps: (device_node | null)[] = [null];
	const depth = new ref<int>(0);
	let offset = 0;
	while (offset >= 0 && depth.value >= 0) {
		if (!WARN_ON_ONCE(depth.value >= FDT_MAX_DEPTH - 1)) {
			const np = populate_node(blob, offset, nps[depth.value]);
			nps[depth.value + 1] = np;
			if (nodepp.value === null) nodepp.value = np;
		}
		offset = fdt_next_node(blob, offset, depth);
	}
	if (offset < 0 && offset !== -FDT_ERR_NOTFOUND) {
		pr_err('OF: fdt: Error %d processing FDT', offset);
		return -EINVAL;
	}
	if (nodepp.value !== null) reverse_nodes(nodepp.value);
	return 0;
}

/** Make the tree of nodes from the blob (drivers/of/fdt.c: unflatten_device_tree()). */
export function unflatten_device_tree(): void {
	fdt_scan_reserved_mem_reg_nodes();
	const root = new ref<device_node | null>(null);
	const blob = of_fdt.initial_boot_params;
	if (blob !== null) {
		flat.names = new Array<string | null>(fdt_size_dt_strings(blob)).fill(null);
		if (unflatten_dt_nodes(blob, root) === 0) of_tree.of_root = root.value;
		flat.names = [];
	}
	of_alias_scan();
}
