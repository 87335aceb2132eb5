// SPDX-License-Identifier: GPL-2.0-only
// Addresses in the device tree: `reg` through `ranges`, and `dma-ranges`.
// Linux 6.12: drivers/of/address.c
//
// Left out: PCI and ISA buses (a three-cell address is taken without its first cell), port I/O, logic PIO.
import {
	of_bus_n_addr_cells,
	of_bus_n_size_cells,
	of_get_next_available_child,
	of_get_parent,
	of_get_property,
	of_n_addr_cells,
	of_parse_phandle_with_args,
	of_read_number,
	of_tree,
} from '#drivers/of/base.js';
import { of_node_get, of_node_put } from '#drivers/of/dynamic.js';
import {
	of_property_match_string,
	of_property_read_bool,
	of_property_read_string_index,
} from '#drivers/of/property.js';
import { __release_region, __request_region, iomem_resource } from '#kernel/resource.js';
import { bus_dma_region } from '#linux/dma-direct.js';
import { ERR_PTR, type err_ptr } from '#linux/err.js';
import { EBUSY, EINVAL, ENODEV, ENOENT, ENOMEM, EOVERFLOW } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp_types.js';
import { ioremap } from '#linux/io.js';
import { IORESOURCE_MEM, resource, resource_size } from '#linux/ioport.js';
import { of_range, of_range_parser } from '#linux/of_address.js';
import { type device_node, OF_BAD_ADDR, of_phandle_args } from '#linux/of_node.js';
import { pr_debug, pr_err } from '#linux/printk.js';
import { kcalloc } from '#linux/slab.js';
import {
	type __iomem,
	type bool,
	type int,
	PHYS_ADDR_MAX,
	type phys_addr_t,
	ref,
	type size_t,
	type u64,
	type unsigned_int,
} from '#linux/types.js';

const OF_MAX_ADDR_CELLS = 4;

/** No way up is longer than a tree is deep (drivers/of/fdt.c: FDT_MAX_DEPTH). */
const OF_MAX_PARENTS = 64;

/** Whether @hops up from @np are more than there can be. DEVIATION: 6.12 follows a circle of DMA parents for ever. */
function of_parents_lead_in_a_circle(np: device_node | null, hops: int): bool {
	if (hops <= OF_MAX_PARENTS) return false;
	pr_err('OF: the DMA parents of %pOF lead in a circle', np);
	return true;
}

function OF_CHECK_ADDR_COUNT(na: int): bool {
	return na > 0 && na <= OF_MAX_ADDR_CELLS;
}

function OF_CHECK_COUNTS(na: int, ns: int): bool {
	return OF_CHECK_ADDR_COUNT(na) && ns > 0;
}

/** How many cells in front of an address are flags: on a bus with three cells, one. */
function flag_cells(na: int): int {
	return na === 3 ? 1 : 0;
}

function read_address(cells: Uint8Array, na: int): u64 {
	const fna = flag_cells(na);
	return of_read_number(cells.subarray(fna * 4), na - fna);
}

type get_parent_t = (np: device_node) => device_node | null;

/** @addr on the bus @bus_np, on the bus above it; OF_BAD_ADDR when no range covers it. */
function of_translate_one(bus_np: device_node, addr: u64, na: int, ns: int, pna: int, rprop: string): u64 {
	const ranges = of_get_property(bus_np, rprop, null);
	// Without `ranges` the CPU does not reach the bus; without `dma-ranges` the addresses are the same.
	if (ranges === null && rprop !== 'dma-ranges') return OF_BAD_ADDR;
	if (ranges === null || ranges.length === 0) return addr;
	const rone = (na + pna + ns) * 4;
	for (let at = 0; at + rone <= ranges.length; at += rone) {
		const range = ranges.subarray(at, at + rone);
		const cp = read_address(range, na);
		const s = of_read_number(range.subarray((na + pna) * 4), ns);
		if (addr >= cp && addr < cp + s) return read_address(range.subarray(na * 4), pna) + (addr - cp);
	}
	return OF_BAD_ADDR;
}

function __of_translate_address(
	node: device_node,
	get_parent: get_parent_t,
	in_addr: Uint8Array,
	rprop: string,
): u64 {
	let dev = of_node_get(node);
	let parent = get_parent(dev);
	if (parent === null) {
		of_node_put(dev);
		return OF_BAD_ADDR;
	}
	let na = of_n_addr_cells(dev);
	let ns = of_bus_n_size_cells(dev.parent);
	let addr: u64 = OF_BAD_ADDR;
	if (OF_CHECK_COUNTS(na, ns)) {
		addr = read_address(in_addr, na);
		for (let hops = 0; addr !== OF_BAD_ADDR; hops++) {
			of_node_put(dev);
			dev = parent as device_node;
			parent = get_parent(dev);
			if (parent === null) break;
			if (of_parents_lead_in_a_circle(node, hops)) {
				addr = OF_BAD_ADDR;
				break;
			}
			const pna = of_n_addr_cells(dev);
			const pns = of_bus_n_size_cells(dev.parent);
			if (!OF_CHECK_COUNTS(pna, pns)) {
				pr_err('OF: Bad cell count for %pOF', dev);
				addr = OF_BAD_ADDR;
				break;
			}
			addr = of_translate_one(dev, addr, na, ns, pna, rprop);
			na = pna;
			ns = pns;
		}
	} else {
		pr_debug('OF: Bad cell count for %pOF', dev);
	}
	of_node_put(dev);
	of_node_put(parent);
	return addr;
}

/** The CPU address of @in_addr, an address as @dev's bus has it (drivers/of/address.c: of_translate_address()). */
export function of_translate_address(dev: device_node, in_addr: Uint8Array): u64 {
	return __of_translate_address(dev, of_get_parent, in_addr, 'ranges');
}

/**
 * Who is above @np for its DMA: the interconnect "dma-mem", else the parent
 * (drivers/of/address.c: __of_get_dma_parent()).
 */
export function __of_get_dma_parent(np: device_node): device_node | null {
	const index = of_property_match_string(np, 'interconnect-names', 'dma-mem');
	if (index < 0) return of_get_parent(np);
	const args = new of_phandle_args();
	if (of_parse_phandle_with_args(np, 'interconnects', '#interconnect-cells', index, args) < 0)
		return of_get_parent(np);
	return args.np;
}

function of_get_next_dma_parent(np: device_node): device_node | null {
	const parent = __of_get_dma_parent(np);
	of_node_put(np);
	return parent;
}

/** The CPU address of a DMA address of @dev (drivers/of/address.c: of_translate_dma_address()). */
export function of_translate_dma_address(dev: device_node, in_addr: Uint8Array): u64 {
	return __of_translate_address(dev, __of_get_dma_parent, in_addr, 'dma-ranges');
}

/**
 * The DMA address and the length that the cells at @prop make on @dev's bus; what follows them, or null when they
 * cannot be translated (drivers/of/address.c: of_translate_dma_region()).
 */
export function of_translate_dma_region(
	dev: device_node,
	prop: Uint8Array,
	start: ref<phys_addr_t> | null,
	length: ref<size_t> | null,
): Uint8Array | null {
	const parent = __of_get_dma_parent(dev);
	if (parent === null) return null;
	const na = of_bus_n_addr_cells(parent);
	const ns = of_bus_n_size_cells(parent);
	of_node_put(parent);

	const address = of_translate_dma_address(dev, prop);
	if (address === OF_BAD_ADDR) return null;

	if (start !== null) start.value = address;
	if (length !== null) length.value = of_read_number(prop.subarray(4 * na), ns);
	return prop.subarray(4 * (na + ns));
}

/**
 * Entry @index of `reg`: its cells, with size and resource flags; null without one
 * (drivers/of/address.c: __of_get_address()).
 */
export function __of_get_address(
	dev: device_node,
	index: int,
	_bar_no: int,
	size: ref<u64> | null,
	flags: ref<unsigned_int> | null,
): Uint8Array | null {
	if (dev.parent === null) return null;
	const na = of_n_addr_cells(dev);
	const ns = of_bus_n_size_cells(dev.parent);
	if (!OF_CHECK_ADDR_COUNT(na)) return null;
	const prop = of_get_property(dev, 'reg', null);
	const onesize = (na + ns) * 4;
	if (prop === null || index < 0 || (index + 1) * onesize > prop.length) return null;
	const entry = prop.subarray(index * onesize, (index + 1) * onesize);
	if (size !== null) size.value = of_read_number(entry.subarray(na * 4), ns);
	if (flags !== null) flags.value = IORESOURCE_MEM;
	return entry;
}

/**
 * Entry @index of `reg`: its cells, with size and resource flags; null without one
 * (include/linux/of_address.h: of_get_address()).
 */
export function of_get_address(
	dev: device_node,
	index: int,
	size: ref<u64> | null,
	flags: ref<unsigned_int> | null,
): Uint8Array | null {
	return __of_get_address(dev, index, -1, size, flags);
}

/** Entry @idx of `reg` as the bus counts it: 0 or -EINVAL (drivers/of/address.c: of_property_read_reg()). */
export function of_property_read_reg(np: device_node, idx: int, addr: ref<u64>, size: ref<u64> | null): int {
	const prop = of_get_address(np, idx, size, null);
	if (prop === null) return -EINVAL;
	addr.value = of_read_number(prop, of_n_addr_cells(np));
	return 0;
}

/**
 * Entry @index of `reg` as a resource in CPU addresses (drivers/of/address.c: of_address_to_resource()).
 *
 * Returns 0, -EINVAL when there is no such entry or the CPU does not reach it, -EOVERFLOW when it wraps.
 */
export function of_address_to_resource(dev: device_node, index: int, r: resource): int {
	const size = new ref<u64>(0);
	const flags = new ref<unsigned_int>(0);
	const name = new ref<string | null>(null);
	const addrp = of_get_address(dev, index, size, flags);
	if (addrp === null) return -EINVAL;
	if (index >= 0) of_property_read_string_index(dev, 'reg-names', index, name);
	const taddr = of_translate_address(dev, addrp);
	if (taddr === OF_BAD_ADDR) return -EINVAL;
	Object.assign(r, new resource());
	r.flags = flags.value;
	r.name = name.value ?? dev.full_name;
	r.start = taddr;
	r.end = size.value === 0 ? taddr : taddr + size.value - 1;
	if (r.end >= PHYS_ADDR_MAX) return -EOVERFLOW;
	return 0;
}

/** Map entry @index of `reg`; null when that cannot be (drivers/of/address.c: of_iomap()). */
export function of_iomap(np: device_node, index: int): __iomem | null {
	const res = new resource();
	if (of_address_to_resource(np, index, res) !== 0) return null;
	return ioremap(res.start, resource_size(res));
}

/** Claim and map entry @index of `reg` (drivers/of/address.c: of_io_request_and_map()). */
export function of_io_request_and_map(np: device_node, index: int, name: string | null): __iomem | err_ptr {
	const res = new resource();
	if (of_address_to_resource(np, index, res) !== 0) return ERR_PTR(-EINVAL);
	if (__request_region(iomem_resource, res.start, resource_size(res), name ?? res.name, 0) === null)
		return ERR_PTR(-EBUSY);
	const mem = ioremap(res.start, resource_size(res));
	if (mem === null) {
		__release_region(iomem_resource, res.start, resource_size(res));
		return ERR_PTR(-ENOMEM);
	}
	return mem;
}

function parser_init(parser: of_range_parser, node: device_node, name: string): int {
	const range = of_get_property(node, name, null);
	parser.node = node;
	parser.pna = of_n_addr_cells(node);
	parser.na = of_bus_n_addr_cells(node);
	parser.ns = of_bus_n_size_cells(node);
	parser.dma = name === 'dma-ranges';
	parser.range = range ?? new Uint8Array(0);
	return range === null ? -ENOENT : 0;
}

/** Start going through @node's `ranges`; -ENOENT without (include/linux/of_address.h: of_range_parser_init()). */
export function of_range_parser_init(parser: of_range_parser, node: device_node): int {
	return parser_init(parser, node, 'ranges');
}

/** Begin a walk through @node's `dma-ranges` (drivers/of/address.c: of_pci_dma_range_parser_init()). */
export function of_dma_range_parser_init(parser: of_range_parser, node: device_node): int {
	return parser_init(parser, node, 'dma-ranges');
}

function read_range(parser: of_range_parser, range: of_range): void {
	const node = parser.node as device_node;
	const parent_addr = parser.range.subarray(parser.na * 4);
	range.flags = IORESOURCE_MEM;
	range.bus_addr = read_address(parser.range, parser.na);
	range.cpu_addr = parser.dma
		? of_translate_dma_address(node, parent_addr)
		: of_translate_address(node, parent_addr);
	range.size = of_read_number(parser.range.subarray((parser.na + parser.pna) * 4), parser.ns);
}

/** The next range, with those that go on where it ends; null behind the last (of_pci_range_parser_one()). */
export function of_range_parser_one(parser: of_range_parser, range: of_range): of_range | null {
	const np = (parser.pna + parser.na + parser.ns) * 4;
	if (np === 0 || parser.range.length < np) return null;
	read_range(parser, range);
	parser.range = parser.range.subarray(np);
	const next = new of_range();
	while (parser.range.length >= np) {
		read_range(parser, next);
		if (next.bus_addr !== range.bus_addr + range.size || next.cpu_addr !== range.cpu_addr + range.size) break;
		range.size += next.size;
		parser.range = parser.range.subarray(np);
	}
	return range;
}

/** Each range of @parser (include/linux/of_address.h: for_each_of_range()). */
export function* for_each_of_range(parser: of_range_parser): Iterable<of_range> {
	const range = new of_range();
	while (of_range_parser_one(parser, range) !== null) yield range;
}

/**
 * The windows through which @np's devices see memory: the nearest `dma-ranges` that is not empty
 * (drivers/of/address.c: of_dma_get_range()).
 *
 * @map: gets an array that ends with a region of size 0; the caller frees it
 * Returns 0, -ENODEV when there is no such property, -EINVAL when none of its ranges reaches the CPU's
 * addresses, -ENOMEM.
 */
export function of_dma_get_range(np: device_node | null, map: ref<bus_dma_region[] | null>): int {
	let node = of_node_get(np);
	let ranges: Uint8Array | null = null;
	let found_dma_ranges = false;
	for (let hops = 0; node !== null; hops++) {
		ranges = of_get_property(node, 'dma-ranges', null);
		if (ranges !== null && ranges.length > 0) break;
		// Once a bus has been passed that has it, one without it ends the way.
		if ((found_dma_ranges && ranges === null) || of_parents_lead_in_a_circle(np, hops)) {
			of_node_put(node);
			return -ENODEV;
		}
		found_dma_ranges = true;
		node = of_get_next_dma_parent(node);
	}
	if (node === null || ranges === null) {
		pr_debug('OF: no dma-ranges found for node(%pOF)', np);
		return -ENODEV;
	}

	const parser = new of_range_parser();
	let num_ranges = 0;
	of_dma_range_parser_init(parser, node);
	for (const range of for_each_of_range(parser)) {
		if (range.cpu_addr === OF_BAD_ADDR) {
			pr_err('OF: translation of DMA address(%llx) to CPU address failed node(%pOF)', range.bus_addr, node);
			continue;
		}
		num_ranges++;
	}
	let ret = 0;
	const r = num_ranges === 0 ? null : kcalloc(num_ranges + 1, bus_dma_region, GFP_KERNEL);
	if (num_ranges === 0) {
		ret = -EINVAL;
	} else if (r === null) {
		ret = -ENOMEM;
	} else {
		map.value = r;
		let i = 0;
		of_dma_range_parser_init(parser, node);
		for (const range of for_each_of_range(parser)) {
			if (range.cpu_addr === OF_BAD_ADDR) continue;
			const region = r[i++];
			region.cpu_start = range.cpu_addr;
			region.dma_start = range.bus_addr;
			region.size = range.size;
		}
	}
	of_node_put(node);
	return ret;
}

/**
 * The highest CPU address that every bus at or below @np can reach by DMA
 * (drivers/of/address.c: of_dma_get_max_cpu_address()).
 *
 * @np: null: the whole tree. PHYS_ADDR_MAX: no limit.
 */
export function of_dma_get_max_cpu_address(np: device_node | null): phys_addr_t {
	const top = np ?? of_tree.of_root;
	let max_cpu_addr: phys_addr_t = PHYS_ADDR_MAX;
	const ranges = of_get_property(top, 'dma-ranges', null);
	if (top !== null && ranges !== null && ranges.length > 0) {
		const parser = new of_range_parser();
		let cpu_end: u64 = 0;
		of_dma_range_parser_init(parser, top);
		for (const range of for_each_of_range(parser))
			if (range.cpu_addr + range.size > cpu_end) cpu_end = range.cpu_addr + range.size - 1;
		if (max_cpu_addr > cpu_end) max_cpu_addr = cpu_end;
	}
	for (
		let child = of_get_next_available_child(top, null);
		child !== null;
		child = of_get_next_available_child(top, child)
	) {
		const subtree_max_addr = of_dma_get_max_cpu_address(child);
		if (max_cpu_addr > subtree_max_addr) max_cpu_addr = subtree_max_addr;
	}
	return max_cpu_addr;
}

/**
 * Whether @np's DMA sees the CPU's caches (drivers/of/address.c: of_dma_is_coherent()).
 *
 * The nearest `dma-coherent` or `dma-noncoherent` on the way up decides; without one arm64 says no.
 */
export function of_dma_is_coherent(np: device_node | null): bool {
	let node = of_node_get(np);
	for (let hops = 0; node !== null; hops++) {
		const yes = of_property_read_bool(node, 'dma-coherent');
		if (yes || of_property_read_bool(node, 'dma-noncoherent') || of_parents_lead_in_a_circle(np, hops)) {
			of_node_put(node);
			return yes;
		}
		node = of_get_next_dma_parent(node);
	}
	return false;
}
