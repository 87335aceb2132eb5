// SPDX-License-Identifier: GPL-2.0-only
// Properties of devices, from whatever firmware they come.
// Linux 6.12: drivers/base/property.c
//
// Left out: software nodes, connections, PHY modes, software-node graphs.

import type { device } from '#linux/device.js';
import { EINVAL, ENODATA, ENXIO } from '#linux/errno.js';
import type { dev_dma_attr, fwnode_handle, fwnode_reference_args } from '#linux/fwnode.js';
import { DEV_DMA_NOT_SUPPORTED } from '#linux/fwnode.js';
import type { bool, int, ref, size_t, u32, u64, unsigned_int } from '#linux/types.js';

type int_array = u64[] | Uint8Array | Uint16Array | Uint32Array;

/** The firmware node of @dev, or null (drivers/base/property.c: __dev_fwnode()). */
export function __dev_fwnode(dev: device): fwnode_handle | null {
	return dev.of_node !== null ? dev.of_node.fwnode : dev.fwnode;
}

/** The same of a device that may not be changed; here there is no difference. */
export const __dev_fwnode_const = __dev_fwnode;

/** Either of these two, as @dev is (include/linux/property.h: dev_fwnode()). */
export const dev_fwnode = __dev_fwnode;

/** drivers/base/property.c: fwnode_property_present(). */
export function fwnode_property_present(fwnode: fwnode_handle | null, propname: string): bool {
	if (fwnode === null) return false;
	if (fwnode.ops?.property_present?.(fwnode, propname)) return true;
	return fwnode.secondary !== null && fwnode_property_present(fwnode.secondary, propname);
}

function read_int_array(
	fwnode: fwnode_handle | null,
	propname: string,
	elem_size: unsigned_int,
	val: int_array | null,
	nval: size_t,
): int {
	if (fwnode === null) return -EINVAL;
	if (fwnode.ops?.property_read_int_array === undefined) return -ENXIO;
	const ret = fwnode.ops.property_read_int_array(fwnode, propname, elem_size, val, nval);
	if (ret !== -EINVAL || fwnode.secondary === null) return ret;
	return read_int_array(fwnode.secondary, propname, elem_size, val, nval);
}

/** drivers/base/property.c: fwnode_property_read_u32_array(). */
export function fwnode_property_read_u32_array(
	fwnode: fwnode_handle | null,
	propname: string,
	val: int_array | null,
	nval: size_t,
): int {
	return read_int_array(fwnode, propname, 4, val, nval);
}

/** include/linux/property.h: fwnode_property_read_u32(). */
export function fwnode_property_read_u32(fwnode: fwnode_handle | null, propname: string, val: ref<u32>): int {
	const buf = [0];
	const ret = read_int_array(fwnode, propname, 4, buf, 1);
	if (!ret) val.value = buf[0] as u32;
	return ret;
}

/** drivers/base/property.c: device_property_present(). */
export function device_property_present(dev: device, propname: string): bool {
	return fwnode_property_present(dev_fwnode(dev), propname);
}

/** A flag: whether the property is there (drivers/base/property.c: device_property_read_bool()). */
export function device_property_read_bool(dev: device, propname: string): bool {
	return device_property_present(dev, propname);
}

/** drivers/base/property.c: device_property_read_u8_array(). */
export function device_property_read_u8_array(
	dev: device,
	propname: string,
	val: int_array | null,
	nval: size_t,
): int {
	return read_int_array(dev_fwnode(dev), propname, 1, val, nval);
}

/** drivers/base/property.c: device_property_read_u32_array(). */
export function device_property_read_u32_array(
	dev: device,
	propname: string,
	val: int_array | null,
	nval: size_t,
): int {
	return read_int_array(dev_fwnode(dev), propname, 4, val, nval);
}

/** include/linux/property.h: device_property_read_u32(). */
export function device_property_read_u32(dev: device, propname: string, val: ref<u32>): int {
	return fwnode_property_read_u32(dev_fwnode(dev), propname, val);
}

/** include/linux/property.h: device_property_read_u64(). */
export function device_property_read_u64(dev: device, propname: string, val: ref<u64>): int {
	const buf = [0];
	const ret = read_int_array(dev_fwnode(dev), propname, 8, buf, 1);
	if (!ret) val.value = buf[0] as u64;
	return ret;
}

/** include/linux/property.h: device_property_count_u32(). */
export function device_property_count_u32(dev: device, propname: string): int {
	return read_int_array(dev_fwnode(dev), propname, 4, null, 0);
}

function read_string_array(
	fwnode: fwnode_handle | null,
	propname: string,
	val: string[] | null,
	nval: size_t,
): int {
	if (fwnode === null) return -EINVAL;
	if (fwnode.ops?.property_read_string_array === undefined) return -ENXIO;
	return fwnode.ops.property_read_string_array(fwnode, propname, val, nval);
}

/** drivers/base/property.c: device_property_read_string_array(). */
export function device_property_read_string_array(
	dev: device,
	propname: string,
	val: string[] | null,
	nval: size_t,
): int {
	return read_string_array(dev_fwnode(dev), propname, val, nval);
}

/** drivers/base/property.c: device_property_read_string(). */
export function device_property_read_string(dev: device, propname: string, val: ref<string | null>): int {
	const buf: string[] = [];
	const ret = read_string_array(dev_fwnode(dev), propname, buf, 1);
	if (ret < 0) return ret;
	val.value = buf[0] ?? null;
	return 0;
}

/** Which string of the property @string is (drivers/base/property.c: device_property_match_string()). */
export function device_property_match_string(dev: device, propname: string, string: string): int {
	const fwnode = dev_fwnode(dev);
	const n = read_string_array(fwnode, propname, null, 0);
	if (n < 0) return n;
	const values: string[] = [];
	const ret = read_string_array(fwnode, propname, values, n);
	if (ret < 0) return ret;
	const index = values.indexOf(string);
	return index < 0 ? -ENODATA : index;
}

/** drivers/base/property.c: fwnode_property_get_reference_args(). */
export function fwnode_property_get_reference_args(
	fwnode: fwnode_handle | null,
	prop: string,
	nargs_prop: string | null,
	nargs: unsigned_int,
	index: unsigned_int,
	args: fwnode_reference_args | null,
): int {
	if (fwnode === null) return -EINVAL;
	if (fwnode.ops?.get_reference_args === undefined) return -ENXIO;
	return fwnode.ops.get_reference_args(fwnode, prop, nargs_prop, nargs, index, args);
}

/** drivers/base/property.c: fwnode_get_name(). */
export function fwnode_get_name(fwnode: fwnode_handle): string | null {
	return fwnode.ops?.get_name?.(fwnode) ?? null;
}

/** The node above, with a reference (drivers/base/property.c: fwnode_get_parent()). */
export function fwnode_get_parent(fwnode: fwnode_handle): fwnode_handle | null {
	return fwnode.ops?.get_parent?.(fwnode) ?? null;
}

/** drivers/base/property.c: fwnode_get_next_child_node(). */
export function fwnode_get_next_child_node(
	fwnode: fwnode_handle,
	child: fwnode_handle | null,
): fwnode_handle | null {
	return fwnode.ops?.get_next_child_node?.(fwnode, child) ?? null;
}

/** drivers/base/property.c: fwnode_get_next_available_child_node(). */
export function fwnode_get_next_available_child_node(
	fwnode: fwnode_handle,
	child: fwnode_handle | null,
): fwnode_handle | null {
	let next = fwnode_get_next_child_node(fwnode, child);
	while (next !== null && !fwnode_device_is_available(next)) next = fwnode_get_next_child_node(fwnode, next);
	return next;
}

/** drivers/base/property.c: device_get_next_child_node(). */
export function device_get_next_child_node(dev: device, child: fwnode_handle | null): fwnode_handle | null {
	const fwnode = dev_fwnode(dev);
	return fwnode === null ? null : fwnode_get_next_child_node(fwnode, child);
}

/** drivers/base/property.c: fwnode_get_named_child_node(). */
export function fwnode_get_named_child_node(fwnode: fwnode_handle, name: string): fwnode_handle | null {
	return fwnode.ops?.get_named_child_node?.(fwnode, name) ?? null;
}

/** Take a reference (drivers/base/property.c: fwnode_handle_get()). */
export function fwnode_handle_get(fwnode: fwnode_handle | null): fwnode_handle | null {
	if (fwnode === null || fwnode.ops?.get === undefined) return fwnode;
	return fwnode.ops.get(fwnode);
}

/** Drop a reference (drivers/base/property.c: fwnode_handle_put()). */
export function fwnode_handle_put(fwnode: fwnode_handle | null): void {
	if (fwnode !== null) fwnode.ops?.put?.(fwnode);
}

/** drivers/base/property.c: fwnode_device_is_available(). */
export function fwnode_device_is_available(fwnode: fwnode_handle | null): bool {
	if (fwnode === null) return false;
	return fwnode.ops?.device_is_available?.(fwnode) ?? true;
}

/** Whether the device does DMA, and coherently (drivers/base/property.c: device_get_dma_attr()). */
export function device_get_dma_attr(dev: device): dev_dma_attr {
	const fwnode = dev_fwnode(dev);
	return fwnode?.ops?.device_get_dma_attr?.(fwnode) ?? DEV_DMA_NOT_SUPPORTED;
}

/** drivers/base/property.c: device_dma_supported(). */
export function device_dma_supported(dev: device): bool {
	const fwnode = dev_fwnode(dev);
	return fwnode?.ops?.device_dma_supported?.(fwnode) ?? false;
}

/** The data of the match table's entry that fits (drivers/base/property.c: device_get_match_data()). */
export function device_get_match_data<T = unknown>(dev: device): T | null {
	const fwnode = dev_fwnode(dev);
	return (fwnode?.ops?.device_get_match_data?.(fwnode, dev) ?? null) as T | null;
}
