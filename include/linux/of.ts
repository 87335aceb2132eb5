// SPDX-License-Identifier: GPL-2.0-only
// The device tree as the kernel holds it: nodes, properties, phandles.
// Linux 6.12: include/linux/of.h
//
// The inlines stand beside the functions they call, in drivers/of, and are handed on here.
// Left out: overlays and changesets, cpu nodes, NUMA, kexec.
import {
	of_find_compatible_node,
	of_find_matching_node_and_match,
	of_find_node_by_name,
	of_find_node_by_type,
	of_find_node_with_property,
	of_find_property,
	of_get_next_available_child,
	of_get_next_child,
	of_prop_string_at,
} from '#drivers/of/base.js';
import { of_prop_next_string, of_prop_next_u32, of_property_match_string } from '#drivers/of/property.js';
import type { of_device_id } from '#linux/mod_devicetable.js';
import type { device_node, property } from '#linux/of_node.js';
import { type bool, type int, ref, type u32 } from '#linux/types.js';

export {
	of_count_phandle_with_args,
	of_find_matching_node,
	of_for_each_phandle,
	of_get_property,
	of_map_id,
	of_node_get_device_type,
	of_node_name_eq,
	of_parse_phandle,
	of_parse_phandle_with_args,
	of_parse_phandle_with_optional_args,
	of_read_number,
} from '#drivers/of/base.js';
export { of_node_get, of_node_put } from '#drivers/of/dynamic.js';
export {
	of_property_count_strings,
	of_property_present,
	of_property_read_bool,
	of_property_read_s32,
	of_property_read_string,
	of_property_read_string_index,
	of_property_read_u8,
	of_property_read_u16,
	of_property_read_u32,
	of_property_read_u32_array,
	of_property_read_u64,
} from '#drivers/of/property.js';
export * from '#linux/of_node.js';

/** Whether @np has the string @s in its list @propname. */
export function of_property_has_string(np: device_node, propname: string, s: string): bool {
	return of_property_match_string(np, propname, s) >= 0;
}

// The iterations hold a reference to the node of the moment, and drop it when they go on. Whoever leaves a
// loop early keeps that reference and has to put it, as in C.

/** Each child of @parent, with a reference while it is the current one (include/linux/of.h: for_each_child_of_node()). */
export function* for_each_child_of_node(parent: device_node | null): Iterable<device_node> {
	for (let c = of_get_next_child(parent, null); c !== null; c = of_get_next_child(parent, c)) yield c;
}

/** How many children @np has (include/linux/of.h: of_get_child_count()). */
export function of_get_child_count(np: device_node | null): int {
	let num: int = 0;
	for (const _ of for_each_child_of_node(np)) num++;
	return num;
}

/** for_each_child_of_node() of those that are enabled (include/linux/of.h: for_each_available_child_of_node()). */
export function* for_each_available_child_of_node(parent: device_node | null): Iterable<device_node> {
	for (
		let c = of_get_next_available_child(parent, null);
		c !== null;
		c = of_get_next_available_child(parent, c)
	)
		yield c;
}

/** Each node, from @from on, that has @compatible (include/linux/of.h: for_each_compatible_node()). */
export function* for_each_compatible_node(
	from: device_node | null,
	type: string | null,
	compatible: string,
): Iterable<device_node> {
	for (
		let dn = of_find_compatible_node(from, type, compatible);
		dn !== null;
		dn = of_find_compatible_node(dn, type, compatible)
	)
		yield dn;
}

/** Each node of this name (include/linux/of.h: for_each_node_by_name()). */
export function* for_each_node_by_name(name: string): Iterable<device_node> {
	for (let dn = of_find_node_by_name(null, name); dn !== null; dn = of_find_node_by_name(dn, name)) yield dn;
}

/** Each node of this device type (include/linux/of.h: for_each_node_by_type()). */
export function* for_each_node_by_type(type: string): Iterable<device_node> {
	for (let dn = of_find_node_by_type(null, type); dn !== null; dn = of_find_node_by_type(dn, type)) yield dn;
}

/** Each node that has the property (include/linux/of.h: for_each_node_with_property()). */
export function* for_each_node_with_property(prop: string): Iterable<device_node> {
	for (
		let dn = of_find_node_with_property(null, prop);
		dn !== null;
		dn = of_find_node_with_property(dn, prop)
	)
		yield dn;
}

/** Each node that @matches fits, with the entry that fits best. */
export function* for_each_matching_node_and_match(
	matches: readonly of_device_id[],
): Iterable<readonly [device_node, of_device_id]> {
	const match = new ref<of_device_id | null>(null);
	for (
		let dn = of_find_matching_node_and_match(null, matches, match);
		dn !== null;
		dn = of_find_matching_node_and_match(dn, matches, match)
	)
		yield [dn, match.value!];
}

/** Each property of @dn (include/linux/of.h: for_each_property_of_node()). */
export function* for_each_property_of_node(dn: device_node): Iterable<property> {
	for (let pp = dn.properties; pp !== null; pp = pp.next) yield pp;
}

/** Each string of a list property (include/linux/of.h: of_property_for_each_string()). */
export function* of_property_for_each_string(np: device_node, propname: string): Iterable<string> {
	const prop = of_find_property(np, propname, null);

	for (
		let at = of_prop_next_string(prop, null);
		at !== null && at.length > 0;
		at = of_prop_next_string(prop, at)
	)
		yield of_prop_string_at(at);
}

/** Each cell of a property (include/linux/of.h: of_property_for_each_u32()). */
export function* of_property_for_each_u32(np: device_node, propname: string): Iterable<u32> {
	const prop = of_find_property(np, propname, null);
	const u = new ref<u32>(0);

	for (let at = of_prop_next_u32(prop, null, u); at !== null; at = of_prop_next_u32(prop, at, u))
		yield u.value;
}
