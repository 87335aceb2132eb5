// SPDX-License-Identifier: GPL-2.0-only
// The structs of the device tree, their flags, and what needs nothing else.
// Linux 6.12: include/linux/of.h, first half
//
// They stand apart so that the inlines of of.ts can call drivers/of without a cycle of imports; of.ts hands
// all of this on.
import { fwnode_handle } from '#linux/fwnode.js';
import { kobject } from '#linux/kobject.js';
import { type bool, container_of, type int, U64_MAX, type u32, type unsigned_long } from '#linux/types.js';

export type phandle = u32;

export class property {
	name: string;
	length: int;
	/** The bytes in the blob. */
	value: Uint8Array;
	next: property | null = null;
	constructor(name: string, value: Uint8Array) {
		this.name = name;
		this.length = value.length;
		this.value = value;
	}
}

export class device_node {
	/** Without the unit address. */
	name: string = '';
	phandle: phandle = 0;
	/** The last part of the path, with the unit address; "/" for the root is made by %pOF. */
	full_name: string = '';
	fwnode: fwnode_handle = new fwnode_handle(this);
	properties: property | null = null;
	deadprops: property | null = null;
	parent: device_node | null = null;
	child: device_node | null = null;
	sibling: device_node | null = null;
	kobj: kobject = new kobject(this);
	_flags: unsigned_long = 0;
	data: unknown = null;
}

export const MAX_PHANDLE_ARGS = 16;

export class of_phandle_args {
	np: device_node | null = null;
	args_count: int = 0;
	args: u32[] = new Array<u32>(MAX_PHANDLE_ARGS).fill(0);
}

// Bits of device_node._flags.
export const OF_DYNAMIC = 1;
export const OF_DETACHED = 2;
/** A device has been made for the node. */
export const OF_POPULATED = 3;
/** Devices have been made for its children. */
export const OF_POPULATED_BUS = 4;

export const OF_BAD_ADDR = U64_MAX;

/** Cell counts of a tree whose root names none (arm64). */
export const OF_ROOT_NODE_ADDR_CELLS_DEFAULT = 1;
export const OF_ROOT_NODE_SIZE_CELLS_DEFAULT = 1;

/** Whether @fwnode is a device-tree node (include/linux/of.h: is_of_node()). */
export function is_of_node(fwnode: fwnode_handle | null): bool {
	return fwnode !== null && fwnode.container instanceof device_node;
}

/** The node of @fwnode, or null when it is none (include/linux/of.h: to_of_node()). */
export function to_of_node(fwnode: fwnode_handle | null): device_node | null {
	return fwnode !== null && fwnode.container instanceof device_node ? fwnode.container : null;
}

/** The node that embeds @obj (include/linux/of.h: kobj_to_device_node()). */
export function kobj_to_device_node(obj: kobject): device_node {
	return container_of(obj as kobject & { readonly container: object }, device_node);
}

/** The firmware node of @node (include/linux/of.h: of_fwnode_handle()). */
export function of_fwnode_handle(node: device_node): fwnode_handle;
export function of_fwnode_handle(node: device_node | null): fwnode_handle | null;
export function of_fwnode_handle(node: device_node | null): fwnode_handle | null {
	return node === null ? null : node.fwnode;
}

/** Whether @node is the top of its tree (include/linux/of.h: of_node_is_root()). */
export function of_node_is_root(node: device_node | null): bool {
	return node !== null && node.parent === null;
}

/** Whether a flag of @n is set (include/linux/of.h: of_node_check_flag()). */
export function of_node_check_flag(n: device_node, flag: int): bool {
	return (n._flags & (1 << flag)) !== 0;
}

/** Set a flag of @n (include/linux/of.h: of_node_set_flag()). */
export function of_node_set_flag(n: device_node, flag: int): void {
	n._flags |= 1 << flag;
}

/** Clear a flag of @n (include/linux/of.h: of_node_clear_flag()). */
export function of_node_clear_flag(n: device_node, flag: int): void {
	n._flags &= ~(1 << flag);
}

/** Set a flag of @n; whether it was set (include/linux/of.h: of_node_test_and_set_flag()). */
export function of_node_test_and_set_flag(n: device_node, flag: int): bool {
	const was = of_node_check_flag(n, flag);
	of_node_set_flag(n, flag);
	return was;
}

/** The full name of @np without its path (include/linux/of.h: of_node_full_name()). */
export function of_node_full_name(np: device_node | null): string {
	return np === null ? '<no-node>' : np.full_name;
}

// What the tables of _OF_DECLARE() call for a node.
export type of_init_fn_1 = (node: device_node) => void;
export type of_init_fn_1_ret = (node: device_node) => int;
export type of_init_fn_2 = (node: device_node, parent: device_node | null) => int;
