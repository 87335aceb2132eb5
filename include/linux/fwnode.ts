// SPDX-License-Identifier: GPL-2.0-only
// A firmware node, whatever firmware it came from.
// Linux 6.12: include/linux/fwnode.h
import type { device } from '#linux/device.js';
import { list_head } from '#linux/list.js';
import type { __iomem, bool, int, ref, size_t, u8, u64, unsigned_int, unsigned_long } from '#linux/types.js';

export enum dev_dma_attr {
	DEV_DMA_NOT_SUPPORTED = 0,
	DEV_DMA_NON_COHERENT,
	DEV_DMA_COHERENT,
}
export const { DEV_DMA_NOT_SUPPORTED, DEV_DMA_NON_COHERENT, DEV_DMA_COHERENT } = dev_dma_attr;

/** The node has been parsed for links to its suppliers. */
export const FWNODE_FLAG_LINKS_ADDED = 0;
/** No device will ever be made for this node. */
export const FWNODE_FLAG_NOT_DEVICE = 1;
/** Its hardware is up, by whatever means. */
export const FWNODE_FLAG_INITIALIZED = 2;
export const FWNODE_FLAG_NEEDS_CHILD_BOUND_ON_ADD = 3;
/** Wait only for suppliers that have drivers. */
export const FWNODE_FLAG_BEST_EFFORT = 4;
export const FWNODE_FLAG_VISITED = 5;

/** On a cycle of links: it orders nothing. */
export const FWLINK_FLAG_CYCLE = 1 << 0;
export const FWLINK_FLAG_IGNORE = 1 << 1;

export class fwnode_handle {
	secondary: fwnode_handle | null = null;
	ops: fwnode_operations | null = null;
	/** The device made for the node; for device links only. */
	dev: device | null = null;
	suppliers: list_head<fwnode_link> = new list_head<fwnode_link>();
	consumers: list_head<fwnode_link> = new list_head<fwnode_link>();
	flags: unsigned_long = 0;
	readonly container: object | null;
	constructor(container: object | null = null) {
		this.container = container;
	}
}

export class fwnode_link {
	supplier!: fwnode_handle;
	s_hook: list_head<fwnode_link> = new list_head<fwnode_link>(this);
	consumer!: fwnode_handle;
	c_hook: list_head<fwnode_link> = new list_head<fwnode_link>(this);
	flags: u8 = 0;
}

export class fwnode_endpoint {
	port: unsigned_int = 0;
	id: unsigned_int = 0;
	local_fwnode: fwnode_handle | null = null;
}

export const NR_FWNODE_REFERENCE_ARGS = 16;

export class fwnode_reference_args {
	fwnode: fwnode_handle | null = null;
	nargs: unsigned_int = 0;
	args: u64[] = new Array<u64>(NR_FWNODE_REFERENCE_ARGS).fill(0);
}

export interface fwnode_operations {
	get?: (fwnode: fwnode_handle) => fwnode_handle | null;
	put?: (fwnode: fwnode_handle) => void;
	device_is_available?: (fwnode: fwnode_handle) => bool;
	device_get_match_data?: (fwnode: fwnode_handle, dev: device) => unknown;
	device_dma_supported?: (fwnode: fwnode_handle) => bool;
	device_get_dma_attr?: (fwnode: fwnode_handle) => dev_dma_attr;
	property_present?: (fwnode: fwnode_handle, propname: string) => bool;
	/** Fills @val, or answers the number of elements when it is null. */
	property_read_int_array?: (
		fwnode: fwnode_handle,
		propname: string,
		elem_size: unsigned_int,
		val: number[] | Uint8Array | Uint16Array | Uint32Array | null,
		nval: size_t,
	) => int;
	property_read_string_array?: (
		fwnode: fwnode_handle,
		propname: string,
		val: string[] | null,
		nval: size_t,
	) => int;
	get_name?: (fwnode: fwnode_handle) => string;
	get_name_prefix?: (fwnode: fwnode_handle) => string;
	get_parent?: (fwnode: fwnode_handle) => fwnode_handle | null;
	get_next_child_node?: (fwnode: fwnode_handle, child: fwnode_handle | null) => fwnode_handle | null;
	get_named_child_node?: (fwnode: fwnode_handle, name: string) => fwnode_handle | null;
	get_reference_args?: (
		fwnode: fwnode_handle,
		prop: string,
		nargs_prop: string | null,
		nargs: unsigned_int,
		index: unsigned_int,
		args: fwnode_reference_args | null,
	) => int;
	graph_get_next_endpoint?: (fwnode: fwnode_handle, prev: fwnode_handle | null) => fwnode_handle | null;
	graph_get_remote_endpoint?: (fwnode: fwnode_handle) => fwnode_handle | null;
	graph_get_port_parent?: (fwnode: fwnode_handle) => fwnode_handle | null;
	graph_parse_endpoint?: (fwnode: fwnode_handle, endpoint: fwnode_endpoint) => int;
	iomap?: (fwnode: fwnode_handle, index: int) => __iomem | null;
	irq_get?: (fwnode: fwnode_handle, index: unsigned_int) => int;
	/** Adds a fwnode link to each supplier that the node names. */
	add_links?: (fwnode: fwnode_handle) => int;
}

/** Whether @fwnode has the operation @op (include/linux/fwnode.h: fwnode_has_op()). */
export function fwnode_has_op(fwnode: fwnode_handle | null, op: keyof fwnode_operations): bool {
	return fwnode !== null && fwnode.ops !== null && fwnode.ops[op] !== undefined;
}

/** Make @fwnode ready for use with @ops (include/linux/fwnode.h: fwnode_init()). */
export function fwnode_init(fwnode: fwnode_handle, ops: fwnode_operations): void {
	fwnode.ops = ops;
	fwnode.suppliers = new list_head<fwnode_link>();
	fwnode.consumers = new list_head<fwnode_link>();
}

/** Set or clear bit @flag of @fwnode's flags. */
export function fwnode_assign_flag(fwnode: fwnode_handle, flag: int, value: bool): void {
	const bit = 1 << flag;
	fwnode.flags = (value ? fwnode.flags | bit : fwnode.flags & ~bit) >>> 0;
}

/** Whether bit @flag of @fwnode's flags is set (C writes test_bit()). */
export function fwnode_test_flag(fwnode: fwnode_handle, flag: int): bool {
	return (fwnode.flags & (1 << flag)) !== 0;
}

/** Say that the node's hardware is (not) up, with or without a driver (include/linux/fwnode.h: fwnode_dev_initialized()). */
export function fwnode_dev_initialized(fwnode: fwnode_handle | null, initialized: bool): void {
	if (fwnode === null) return;
	fwnode_assign_flag(fwnode, FWNODE_FLAG_INITIALIZED, initialized);
}

export type fwnode_val = ref<fwnode_handle | null>;
