// SPDX-License-Identifier: GPL-2.0-only
// Reading properties; the graph of ports; the tree as firmware nodes.
// Linux 6.12: drivers/of/property.c; the inlines over it are from include/linux/of.h
//
// Left out: links to suppliers (fw_devlink): who is early gets -EPROBE_DEFER, as with fw_devlink=off.
import { of_dma_is_coherent, of_iomap } from '#drivers/of/address.js';
import {
	__of_parse_phandle_with_args,
	of_device_is_available,
	of_find_property,
	of_get_child_by_name,
	of_get_next_available_child,
	of_get_next_child,
	of_get_next_parent,
	of_get_parent,
	of_match_node,
	of_node_name_eq,
	of_parse_phandle,
	of_parse_phandle_with_args,
	of_prop_string_at,
	of_read_number,
} from '#drivers/of/base.js';
import { of_node_get, of_node_put } from '#drivers/of/dynamic.js';
import { of_irq_get } from '#drivers/of/irq.js';
import { WARN, WARN_ON } from '#linux/bug.js';
import { be32_to_cpup } from '#linux/byteorder/generic.js';
import { ERR_PTR, type err_ptr, IS_ERR, PTR_ERR } from '#linux/err.js';
import { EILSEQ, EINVAL, ENODATA, ENXIO, EOVERFLOW } from '#linux/errno.js';
import {
	DEV_DMA_COHERENT,
	DEV_DMA_NON_COHERENT,
	type fwnode_endpoint,
	type fwnode_handle,
	type fwnode_operations,
} from '#linux/fwnode.js';
import type { of_endpoint } from '#linux/of_graph.js';
import {
	type device_node,
	of_fwnode_handle,
	of_phandle_args,
	type property,
	to_of_node,
} from '#linux/of_node.js';
import { pr_err } from '#linux/printk.js';
import {
	type bool,
	type int,
	ref,
	type s32,
	type size_t,
	type u8,
	type u16,
	type u32,
	type u64,
} from '#linux/types.js';

/** The value of a property of at least @min bytes (and at most @max, 0: any), or why not. */
function of_find_property_value_of_size(
	np: device_node | null,
	propname: string,
	min: u32,
	max: u32,
): Uint8Array | err_ptr {
	const prop = of_find_property(np, propname, null);
	if (prop === null) return ERR_PTR(-EINVAL);
	if (prop.length === 0) return ERR_PTR(-ENODATA);
	if (prop.length < min) return ERR_PTR(-EOVERFLOW);
	if (max !== 0 && prop.length > max) return ERR_PTR(-EOVERFLOW);
	return prop.value;
}

/** Whether @np has the property (include/linux/of.h: of_property_present()). */
export function of_property_present(np: device_node | null, propname: string): bool {
	return of_find_property(np, propname, null) !== null;
}

/** A flag: true when the property is there (drivers/of/property.c: of_property_read_bool()). */
export function of_property_read_bool(np: device_node | null, propname: string): bool {
	return of_find_property(np, propname, null) !== null;
}

/**
 * How many elements of @elem_size bytes, or a negative errno
 * (drivers/of/property.c: of_property_count_elems_of_size()).
 */
export function of_property_count_elems_of_size(
	np: device_node | null,
	propname: string,
	elem_size: int,
): int {
	const prop = of_find_property(np, propname, null);
	if (prop === null) return -EINVAL;
	if (prop.length === 0) return -ENODATA;
	if (prop.length % elem_size !== 0) {
		pr_err('OF: size of %s in node %pOF is not a multiple of %d', propname, np, elem_size);
		return -EINVAL;
	}
	return prop.length / elem_size;
}

/**
 * How many cells a property has; -EINVAL without one or for a broken one, -ENODATA for an empty one
 * (include/linux/of.h: of_property_count_u32_elems()).
 */
export function of_property_count_u32_elems(np: device_node | null, propname: string): int {
	return of_property_count_elems_of_size(np, propname, 4);
}

/**
 * Read elements of @size bytes (1, 2, 4 or 8).
 *
 * @sz_min: how many there must be; @sz_max: as many are read, 0: exactly @sz_min, whatever follows
 * Returns how many were read, -EINVAL without the property, -ENODATA without a value, -EOVERFLOW when it is
 * too short or too long.
 */
function read_array(
	np: device_node | null,
	propname: string,
	size: int,
	out: { [index: number]: u64 },
	sz_min: size_t,
	sz_max: size_t,
): int {
	const val = of_find_property_value_of_size(np, propname, sz_min * size, sz_max * size);
	if (IS_ERR(val)) return PTR_ERR(val);
	const sz = sz_max === 0 ? sz_min : Math.floor(val.length / size);
	for (let i = 0; i < sz; i++) {
		let v = 0;
		for (let b = 0; b < size; b++) v = v * 256 + val[i * size + b]!;
		out[i] = v;
	}
	return sz;
}

/** @sz cells; 0 or a negative errno (include/linux/of.h: of_property_read_u32_array()). */
export function of_property_read_u32_array(
	np: device_node | null,
	propname: string,
	out_values: u32[] | Uint32Array,
	sz: size_t,
): int {
	const ret = read_array(np, propname, 4, out_values, sz, 0);
	if (ret < 0) return ret;
	return 0;
}

/**
 * Between @sz_min and @sz_max cells; how many, or a negative errno
 * (drivers/of/property.c: of_property_read_variable_u32_array()).
 */
export function of_property_read_variable_u32_array(
	np: device_node | null,
	propname: string,
	out_values: u32[] | Uint32Array,
	sz_min: size_t,
	sz_max: size_t,
): int {
	return read_array(np, propname, 4, out_values, sz_min, sz_max);
}

/**
 * @sz bytes of a property; -EINVAL without it, -ENODATA when empty, -EOVERFLOW when too short
 * (include/linux/of.h: of_property_read_u8_array()).
 */
export function of_property_read_u8_array(
	np: device_node | null,
	propname: string,
	out_values: u8[] | Uint8Array,
	sz: size_t,
): int {
	const ret = read_array(np, propname, 1, out_values, sz, 0);
	if (ret < 0) return ret;
	return 0;
}

function read_one(np: device_node | null, propname: string, size: int, out_value: ref<u64>): int {
	const out = [0];
	const ret = read_array(np, propname, size, out, 1, 0);
	if (ret < 0) return ret;
	out_value.value = out[0]!;
	return 0;
}

/** The first cell; 0, or a negative errno and @out_value as it was (include/linux/of.h: of_property_read_u32()). */
export function of_property_read_u32(np: device_node | null, propname: string, out_value: ref<u32>): int {
	return read_one(np, propname, 4, out_value);
}

/** of_property_read_u32() of a cell with a sign (include/linux/of.h: of_property_read_s32()). */
export function of_property_read_s32(np: device_node | null, propname: string, out_value: ref<s32>): int {
	const ret = read_one(np, propname, 4, out_value);
	if (ret === 0) out_value.value |= 0;
	return ret;
}

/** One byte; errors as of_property_read_u32() (include/linux/of.h: of_property_read_u8()). */
export function of_property_read_u8(np: device_node | null, propname: string, out_value: ref<u8>): int {
	return read_one(np, propname, 1, out_value);
}

/** Two bytes; errors as of_property_read_u32() (include/linux/of.h: of_property_read_u16()). */
export function of_property_read_u16(np: device_node | null, propname: string, out_value: ref<u16>): int {
	return read_one(np, propname, 2, out_value);
}

/** The first two cells as one number (drivers/of/property.c: of_property_read_u64()). */
export function of_property_read_u64(np: device_node | null, propname: string, out_value: ref<u64>): int {
	return read_one(np, propname, 8, out_value);
}

/** Cell @index (drivers/of/property.c: of_property_read_u32_index()). */
export function of_property_read_u32_index(
	np: device_node | null,
	propname: string,
	index: u32,
	out_value: ref<u32>,
): int {
	const val = of_find_property_value_of_size(np, propname, (index + 1) * 4, 0);
	if (IS_ERR(val)) return PTR_ERR(val);
	out_value.value = be32_to_cpup(val, index * 4);
	return 0;
}

/** A string (drivers/of/property.c: of_property_read_string()). -EILSEQ: it does not end in NUL. */
export function of_property_read_string(
	np: device_node | null,
	propname: string,
	out_string: ref<string | null> | ref<string>,
): int {
	const prop = of_find_property(np, propname, null);
	if (prop === null) return -EINVAL;
	if (prop.length === 0) return -ENODATA;
	if (!prop.value.includes(0)) return -EILSEQ;
	out_string.value = of_prop_string_at(prop.value);
	return 0;
}

/** The strings of a list that is well formed, else a negative errno. */
function string_list(np: device_node | null, propname: string): string[] | err_ptr {
	const prop = of_find_property(np, propname, null);
	if (prop === null) return ERR_PTR(-EINVAL);
	if (prop.length === 0) return ERR_PTR(-ENODATA);
	if (prop.value[prop.length - 1] !== 0) return ERR_PTR(-EILSEQ);
	const strings: string[] = [];
	for (let at = 0; at < prop.length; at = prop.value.indexOf(0, at) + 1)
		strings.push(of_prop_string_at(prop.value, at));
	return strings;
}

/**
 * The index of @string in a list, -ENODATA when it is not there
 * (drivers/of/property.c: of_property_match_string()).
 */
export function of_property_match_string(np: device_node | null, propname: string, string: string): int {
	const strings = string_list(np, propname);
	if (IS_ERR(strings)) return PTR_ERR(strings);
	const index = strings.indexOf(string);
	return index < 0 ? -ENODATA : index;
}

/**
 * Up to @sz strings from @skip on; how many, or a negative errno
 * (drivers/of/property.c: of_property_read_string_helper()).
 */
export function of_property_read_string_helper(
	np: device_node | null,
	propname: string,
	out_strs: string[] | null,
	sz: size_t,
	skip: int,
): int {
	const strings = string_list(np, propname);
	if (IS_ERR(strings)) return PTR_ERR(strings);
	const found = out_strs === null ? strings.slice(skip) : strings.slice(skip, skip + sz);
	if (found.length === 0) return -ENODATA;
	if (out_strs !== null) for (let i = 0; i < found.length; i++) out_strs[i] = found[i]!;
	return found.length;
}

/** String @index of a list; 0 or a negative errno (include/linux/of.h: of_property_read_string_index()). */
export function of_property_read_string_index(
	np: device_node | null,
	propname: string,
	index: int,
	output: ref<string | null> | ref<string>,
): int {
	const out: string[] = [];
	const rc = of_property_read_string_helper(np, propname, out, 1, index);
	if (rc < 0) return rc;
	output.value = out[0]!;
	return 0;
}

/** How many strings a list has, or a negative errno (include/linux/of.h: of_property_count_strings()). */
export function of_property_count_strings(np: device_node | null, propname: string): int {
	return of_property_read_string_helper(np, propname, null, 0, 0);
}

/**
 * The cell behind @cur, a pointer into the value, or the first (drivers/of/property.c: of_prop_next_u32()).
 *
 * @pu: gets the cell
 * Returns the pointer to it, for the next call, or null behind the last.
 */
export function of_prop_next_u32(
	prop: property | null,
	cur: Uint8Array | null,
	pu: ref<u32>,
): Uint8Array | null {
	const next = cur !== null ? cur.subarray(4) : (prop?.value ?? null);
	if (next === null || next.length < 4) return null;

	pu.value = be32_to_cpup(next);
	return next;
}

/**
 * The string behind @cur, a pointer into the value, or the first (drivers/of/property.c: of_prop_next_string()).
 *
 * Returns the pointer to it, for of_prop_string_at() and the next call, or null behind the last.
 */
export function of_prop_next_string(prop: property | null, cur: Uint8Array | null): Uint8Array | null {
	if (cur === null) return prop?.value ?? null;

	const nul = cur.indexOf(0);
	return nul < 0 || nul + 1 === cur.length ? null : cur.subarray(nul + 1);
}

// Ports and endpoints.

/** Port and endpoint numbers of an endpoint node (drivers/of/property.c: of_graph_parse_endpoint()). */
export function of_graph_parse_endpoint(node: device_node, endpoint: of_endpoint): int {
	const port_node = of_get_parent(node);
	if (port_node === null)
		WARN(true, '%s(): endpoint %pOF has no parent node', 'of_graph_parse_endpoint', node);
	const port = new ref<u32>(0);
	const id = new ref<u32>(0);
	// Without a number it is 0.
	of_property_read_u32(port_node, 'reg', port);
	of_property_read_u32(node, 'reg', id);
	endpoint.local_node = node;
	endpoint.port = port.value;
	endpoint.id = id.value;
	of_node_put(port_node);
	return 0;
}

/**
 * The port with number @id, below `ports` when there is such a node
 * (drivers/of/property.c: of_graph_get_port_by_id()).
 */
export function of_graph_get_port_by_id(parent: device_node, id: u32): device_node | null {
	const ports = of_get_child_by_name(parent, 'ports');
	const holder = ports ?? parent;
	let port: device_node | null = null;
	for (port = of_get_next_child(holder, null); port !== null; port = of_get_next_child(holder, port)) {
		const port_id = new ref<u32>(0);
		if (!of_node_name_eq(port, 'port')) continue;
		of_property_read_u32(port, 'reg', port_id);
		if (id === port_id.value) break;
	}
	of_node_put(ports);
	return port;
}

/** The endpoint after @prev below @parent; puts @prev (drivers/of/property.c: of_graph_get_next_endpoint()). */
export function of_graph_get_next_endpoint(
	parent: device_node | null,
	prev: device_node | null,
): device_node | null {
	if (parent === null) return null;
	const node = of_get_child_by_name(parent, 'ports');
	const holder = node ?? parent;
	of_node_put(node);
	let port = prev === null ? of_get_child_by_name(holder, 'port') : of_get_parent(prev);
	let last = prev;
	while (port !== null) {
		const endpoint = of_get_next_child(port, last);
		if (endpoint !== null) {
			of_node_put(port);
			return endpoint;
		}
		last = null;
		do port = of_get_next_child(holder, port);
		while (port !== null && !of_node_name_eq(port, 'port'));
	}
	return null;
}

/** The endpoint with these numbers, -1: any (drivers/of/property.c: of_graph_get_endpoint_by_regs()). */
export function of_graph_get_endpoint_by_regs(
	parent: device_node,
	port_reg: int,
	reg: int,
): device_node | null {
	const number_of = (np: device_node | null): int => {
		const n = new ref<u32>(0);
		of_property_read_u32(np, 'reg', n);
		return n.value;
	};
	for (
		let node = of_graph_get_next_endpoint(parent, null);
		node !== null;
		node = of_graph_get_next_endpoint(parent, node)
	)
		if ((port_reg === -1 || number_of(node.parent) === port_reg) && (reg === -1 || number_of(node) === reg))
			return node;
	return null;
}

/** The endpoint at the other end (drivers/of/property.c: of_graph_get_remote_endpoint()). */
export function of_graph_get_remote_endpoint(node: device_node): device_node | null {
	return of_parse_phandle(node, 'remote-endpoint', 0);
}

/** The device that an endpoint belongs to (drivers/of/property.c: of_graph_get_port_parent()). */
export function of_graph_get_port_parent(node: device_node | null): device_node | null {
	if (node === null) return null;
	of_node_get(node);
	// Up to the port, to what holds it, and over `ports` to the device.
	let at: device_node | null = node;
	for (let depth = 3; depth > 0 && at !== null; depth--) {
		at = of_get_next_parent(at);
		if (
			depth === 2 &&
			!of_node_name_eq(at, 'ports') &&
			!of_node_name_eq(at, 'in-ports') &&
			!of_node_name_eq(at, 'out-ports')
		)
			break;
	}
	return at;
}

/** The device at the other end (drivers/of/property.c: of_graph_get_remote_port_parent()). */
export function of_graph_get_remote_port_parent(node: device_node): device_node | null {
	const np = of_graph_get_remote_endpoint(node);
	const pp = of_graph_get_port_parent(np);
	of_node_put(np);
	return pp;
}

/** The port at the other end (drivers/of/property.c: of_graph_get_remote_port()). */
export function of_graph_get_remote_port(node: device_node): device_node | null {
	const np = of_graph_get_remote_endpoint(node);
	return np === null ? null : of_get_next_parent(np);
}

/** How many endpoints all ports of @np have (drivers/of/property.c: of_graph_get_endpoint_count()). */
export function of_graph_get_endpoint_count(np: device_node): int {
	let num = 0;
	for (
		let endpoint = of_graph_get_next_endpoint(np, null);
		endpoint !== null;
		endpoint = of_graph_get_next_endpoint(np, endpoint)
	)
		num++;
	return num;
}

/** The available device behind one of @node's ports (drivers/of/property.c: of_graph_get_remote_node()). */
export function of_graph_get_remote_node(node: device_node, port: u32, endpoint: u32): device_node | null {
	const endpoint_node = of_graph_get_endpoint_by_regs(node, port, endpoint);
	if (endpoint_node === null) return null;
	const remote = of_graph_get_remote_port_parent(endpoint_node);
	of_node_put(endpoint_node);
	if (remote === null) return null;
	if (!of_device_is_available(remote)) {
		of_node_put(remote);
		return null;
	}
	return remote;
}

/** Whether @node has a port at all (drivers/of/property.c: of_graph_is_present()). */
export function of_graph_is_present(node: device_node): bool {
	const ports = of_get_child_by_name(node, 'ports');
	const port = of_get_child_by_name(ports ?? node, 'port');
	of_node_put(ports);
	of_node_put(port);
	return port !== null;
}

// The device tree as firmware nodes.

const np_of = (fwnode: fwnode_handle): device_node => to_of_node(fwnode)!;

function of_fwnode_property_read_int_array(
	fwnode: fwnode_handle,
	propname: string,
	elem_size: int,
	val: { [index: number]: u64 } | null,
	nval: size_t,
): int {
	const node = to_of_node(fwnode);
	if (val === null) return of_property_count_elems_of_size(node, propname, elem_size);
	if (elem_size !== 1 && elem_size !== 2 && elem_size !== 4 && elem_size !== 8) return -ENXIO;
	const ret = read_array(node, propname, elem_size, val, nval, 0);
	if (ret < 0) return ret;
	return 0;
}

function of_fwnode_get_named_child_node(fwnode: fwnode_handle, childname: string): fwnode_handle | null {
	const node = np_of(fwnode);
	for (
		let child = of_get_next_available_child(node, null);
		child !== null;
		child = of_get_next_available_child(node, child)
	)
		if (of_node_name_eq(child, childname)) return child.fwnode;
	return null;
}

function of_fwnode_graph_parse_endpoint(fwnode: fwnode_handle, endpoint: fwnode_endpoint): int {
	const node = np_of(fwnode);
	const port = new ref<u32>(0);
	const id = new ref<u32>(0);
	of_property_read_u32(node.parent, 'reg', port);
	of_property_read_u32(node, 'reg', id);
	endpoint.local_fwnode = fwnode;
	endpoint.port = port.value;
	endpoint.id = id.value;
	return 0;
}

export const of_fwnode_ops: fwnode_operations = {
	get: (fwnode) => of_fwnode_handle(of_node_get(to_of_node(fwnode))),
	put: (fwnode) => of_node_put(to_of_node(fwnode)),
	device_is_available: (fwnode) => of_device_is_available(to_of_node(fwnode)),
	device_get_match_data: (_fwnode, dev) =>
		of_match_node(dev.driver?.of_match_table ?? null, dev.of_node)?.data ?? null,
	device_dma_supported: () => true,
	device_get_dma_attr: (fwnode) =>
		of_dma_is_coherent(np_of(fwnode)) ? DEV_DMA_COHERENT : DEV_DMA_NON_COHERENT,
	property_present: (fwnode, propname) => of_property_present(to_of_node(fwnode), propname),
	property_read_int_array: of_fwnode_property_read_int_array,
	property_read_string_array: (fwnode, propname, val, nval) =>
		of_property_read_string_helper(to_of_node(fwnode), propname, val, nval, 0),
	get_name: (fwnode) => (np_of(fwnode).parent === null ? '/' : np_of(fwnode).full_name),
	get_name_prefix: (fwnode) => (np_of(fwnode).parent === null ? '' : '/'),
	get_parent: (fwnode) => of_fwnode_handle(of_get_parent(to_of_node(fwnode))),
	get_next_child_node: (fwnode, child) =>
		of_fwnode_handle(of_get_next_available_child(to_of_node(fwnode), to_of_node(child))),
	get_named_child_node: of_fwnode_get_named_child_node,
	get_reference_args: (fwnode, prop, nargs_prop, nargs, index, args) => {
		const of_args = new of_phandle_args();
		const ret =
			nargs_prop !== null
				? of_parse_phandle_with_args(np_of(fwnode), prop, nargs_prop, index, of_args)
				: __of_parse_phandle_with_args(np_of(fwnode), prop, null, nargs, index, of_args);
		if (ret < 0) return ret;
		if (args === null) {
			of_node_put(of_args.np);
			return 0;
		}
		args.nargs = of_args.args_count;
		args.fwnode = of_fwnode_handle(of_args.np);
		for (let i = 0; i < of_args.args_count; i++) args.args[i] = of_args.args[i]!;
		return 0;
	},
	graph_get_next_endpoint: (fwnode, prev) =>
		of_fwnode_handle(of_graph_get_next_endpoint(to_of_node(fwnode), to_of_node(prev))),
	graph_get_remote_endpoint: (fwnode) => of_fwnode_handle(of_graph_get_remote_endpoint(np_of(fwnode))),
	graph_get_port_parent: (fwnode) => {
		const np = of_node_get(to_of_node(fwnode));
		if (np === null) return null;
		// The port's parent, or that of the node that holds the ports.
		const holder = of_get_next_parent(np);
		return of_fwnode_handle(of_node_name_eq(holder, 'ports') ? of_get_next_parent(holder) : holder);
	},
	graph_parse_endpoint: of_fwnode_graph_parse_endpoint,
	iomap: (fwnode, index) => of_iomap(np_of(fwnode), index),
	irq_get: (fwnode, index) => of_irq_get(np_of(fwnode), index),
};

/** Make @node a firmware node of the device tree. */
export function of_property_init_fwnode(node: device_node): void {
	WARN_ON(node.fwnode.ops !== null);
	node.fwnode.ops = of_fwnode_ops;
}

export type { property };
export { of_read_number };
