// SPDX-License-Identifier: GPL-2.0-only
// Walking the device tree: by name, path, phandle, compatible; phandle lists.
// Linux 6.12: drivers/of/base.c
//
// Left out: the sysfs and procfs views, cpu nodes, phandle maps (iommu-map and its kin), console options;
// devtree_lock, since the tree does not change once it is unflattened.
import { of_node_get, of_node_put } from '#drivers/of/dynamic.js';
import { WARN_ON } from '#linux/bug.js';
import { be32_to_cpup } from '#linux/byteorder/generic.js';
import { EFAULT, EINVAL, ENODEV, ENOENT } from '#linux/errno.js';
import { boot_data } from '#linux/init.js';
import { list_add_tail, list_for_each_entry, list_head } from '#linux/list.js';
import type { of_device_id } from '#linux/mod_devicetable.js';
import {
	type device_node,
	MAX_PHANDLE_ARGS,
	OF_ROOT_NODE_ADDR_CELLS_DEFAULT,
	OF_ROOT_NODE_SIZE_CELLS_DEFAULT,
	type of_phandle_args,
	type phandle,
	type property,
} from '#linux/of_node.js';
import { pr_debug, pr_err, pr_info } from '#linux/printk.js';
import { type bool, INT_MAX, type int, ref, type u32, type u64 } from '#linux/types.js';

/** An entry of /aliases: "serial0" names node @np, stem "serial", number 0. */
export class alias_prop {
	link: list_head<alias_prop> = new list_head<alias_prop>(this);
	alias: string = '';
	np: device_node | null = null;
	id: int = 0;
	stem: string = '';
}

/** As many phandles as the cache remembers (a power of two). */
const OF_PHANDLE_CACHE_SZ = 128;

/** The tree of this boot; Linux has these as variables of the same names. */
export const of_tree = boot_data(() => ({
	of_root: null as device_node | null,
	of_chosen: null as device_node | null,
	of_aliases: null as device_node | null,
	of_stdout: null as device_node | null,
	aliases_lookup: new list_head<alias_prop>(),
	phandle_cache: new Array<device_node | null>(OF_PHANDLE_CACHE_SZ).fill(null),
}));

const decoder = new TextDecoder();

/** The NUL-terminated string at byte @at of @value; what there is when it has no end. */
export function of_prop_string_at(value: Uint8Array, at: int = 0): string {
	const nul = value.indexOf(0, at);
	return decoder.decode(value.subarray(at, nul < 0 ? value.length : nul));
}

/** @size big-endian cells at the start of @cell as one number (include/linux/of.h: of_read_number()). */
export function of_read_number(cell: Uint8Array, size: int): u64 {
	let r = 0;
	for (let i = Math.max(0, size - 2); i < size; i++) r = r * 0x1_0000_0000 + be32_to_cpup(cell, i * 4);
	return r;
}

/** Whether the tree exists (include/linux/of.h: of_have_populated_dt()). */
export function of_have_populated_dt(): bool {
	return of_tree.of_root !== null;
}

/** Whether @np's name without unit address is @name (drivers/of/base.c: of_node_name_eq()). */
export function of_node_name_eq(np: device_node | null, name: string): bool {
	return np !== null && np.full_name.split('@')[0] === name;
}

/** Whether @np's name begins with @prefix (drivers/of/base.c: of_node_name_prefix()). */
export function of_node_name_prefix(np: device_node | null, prefix: string): bool {
	return np?.full_name.startsWith(prefix) ?? false;
}

/** What a node's `device_type` says, or null (include/linux/of.h: of_node_get_device_type()). */
export function of_node_get_device_type(np: device_node): string | null {
	const type = of_get_property(np, 'device_type', null);

	return type !== null ? of_prop_string_at(type) : null;
}

function __of_node_is_type(np: device_node, type: string): bool {
	return of_node_get_device_type(np) === type;
}

/** The number @name of @np, or of the nearest node above that has it; else @other. */
function inherited_cells(np: device_node | null, name: string, other: int): int {
	for (let bus = np; bus !== null; bus = bus.parent) {
		const cells = of_get_property(bus, name, null);
		if (cells !== null && cells.length >= 4) return be32_to_cpup(cells);
	}
	return other;
}

/** Address cells of the bus that @np is (drivers/of/base.c: of_bus_n_addr_cells()). */
export function of_bus_n_addr_cells(np: device_node | null): int {
	return inherited_cells(np, '#address-cells', OF_ROOT_NODE_ADDR_CELLS_DEFAULT);
}

/** Address cells of the bus that @np is on (drivers/of/base.c: of_n_addr_cells()). */
export function of_n_addr_cells(np: device_node): int {
	return of_bus_n_addr_cells(np.parent ?? np);
}

/** Size cells of the bus that @np is (drivers/of/base.c: of_bus_n_size_cells()). */
export function of_bus_n_size_cells(np: device_node | null): int {
	return inherited_cells(np, '#size-cells', OF_ROOT_NODE_SIZE_CELLS_DEFAULT);
}

/** Size cells of the bus that @np is on (drivers/of/base.c: of_n_size_cells()). */
export function of_n_size_cells(np: device_node): int {
	return of_bus_n_size_cells(np.parent ?? np);
}

/**
 * A property by name (drivers/of/base.c: of_find_property()).
 *
 * @lenp: gets its length in bytes, -EINVAL without one
 */
export function of_find_property(
	np: device_node | null,
	name: string,
	lenp: ref<int> | null,
): property | null {
	let pp = np === null ? null : np.properties;
	while (pp !== null && pp.name !== name) pp = pp.next;
	if (lenp !== null) lenp.value = pp === null ? -EINVAL : pp.length;
	return pp;
}

/** The value of a property, or null (drivers/of/base.c: of_get_property()). */
export function of_get_property(
	np: device_node | null,
	name: string,
	lenp: ref<int> | null,
): Uint8Array | null {
	return of_find_property(np, name, lenp)?.value ?? null;
}

/** The node after @prev in the order of the tree; no references (drivers/of/base.c: __of_find_all_nodes()). */
export function __of_find_all_nodes(prev: device_node | null): device_node | null {
	if (prev === null) return of_tree.of_root;
	if (prev.child !== null) return prev.child;
	let np: device_node | null = prev;
	while (np !== null && np.sibling === null) np = np.parent;
	return np === null ? null : np.sibling;
}

/** The node after @prev; puts @prev (drivers/of/base.c: of_find_all_nodes()). */
export function of_find_all_nodes(prev: device_node | null): device_node | null {
	const np = of_node_get(__of_find_all_nodes(prev));
	of_node_put(prev);
	return np;
}

const lower = (c: int): int => (c >= 0x41 && c <= 0x5a ? c + 0x20 : c);

/** Whether the string at byte @at of @value is @compat; case does not count (include/linux/of.h: of_compat_cmp()). */
function of_compat_eq(value: Uint8Array, at: int, compat: string): bool {
	const end = at + compat.length;
	if (end > value.length || (end < value.length && value[end] !== 0)) return false;
	for (let i = 0; i < compat.length; i++)
		if (lower(value[at + i]!) !== lower(compat.charCodeAt(i))) return false;
	return true;
}

/** How well @device fits: 0 not at all; an earlier compatible string, then the type, then the name count more. */
function __of_device_is_compatible(
	device: device_node,
	compat: string | undefined | null,
	type: string | undefined | null,
	name: string | undefined | null,
): int {
	let score = 0;
	if (compat) {
		const value = of_get_property(device, 'compatible', null);
		let index = 0;
		for (let at = 0; value !== null && at < value.length; index++) {
			if (of_compat_eq(value, at, compat)) {
				score = Math.floor(INT_MAX / 2) - (index << 2);
				break;
			}
			at += strsize(value, at);
		}
		if (score === 0) return 0;
	}
	if (type) {
		if (!__of_node_is_type(device, type)) return 0;
		score += 2;
	}
	if (name) {
		if (!of_node_name_eq(device, name)) return 0;
		score++;
	}
	return score;
}

/** The bytes of the string at @at, with its NUL. */
function strsize(value: Uint8Array, at: int): int {
	let end = at;
	while (end < value.length && value[end] !== 0) end++;
	return Math.min(end + 1, value.length) - at;
}

/**
 * Whether @compat is among the compatible strings of @device: 0, or a score
 * (drivers/of/base.c: of_device_is_compatible()).
 */
export function of_device_is_compatible(device: device_node | null, compat: string): int {
	return device === null ? 0 : __of_device_is_compatible(device, compat, null, null);
}

/** of_device_is_compatible() of any of @compat: the best score (drivers/of/base.c: of_device_compatible_match()). */
export function of_device_compatible_match(device: device_node, compat: readonly string[]): int {
	let score = 0;
	for (const c of compat) score = Math.max(score, of_device_is_compatible(device, c));
	return score;
}

/** Whether the machine's root node has @compat (include/linux/of.h: of_machine_is_compatible()). */
export function of_machine_is_compatible(compat: string): bool {
	return of_tree.of_root !== null && of_device_is_compatible(of_tree.of_root, compat) > 0;
}

function __of_device_is_status(device: device_node, strings: readonly string[]): bool {
	const value = of_get_property(device, 'status', null);
	if (value === null || value.length === 0) return false;
	const status = of_prop_string_at(value);
	return strings.some((s) => (s.endsWith('-') ? status.startsWith(s) : status === s));
}

/** Whether the node may be used: status absent, "ok" or "okay" (drivers/of/base.c: of_device_is_available()). */
export function of_device_is_available(device: device_node | null): bool {
	if (device === null) return false;
	return of_get_property(device, 'status', null) === null || __of_device_is_status(device, ['ok', 'okay']);
}

/**
 * Whether @device is there, but for somebody else: status "reserved"
 * (drivers/of/base.c: __of_device_is_reserved()).
 */
export function __of_device_is_reserved(device: device_node): bool {
	return __of_device_is_status(device, ['reserved']);
}

/** Whether @device is broken: a status that begins with "fail" (drivers/of/base.c: __of_device_is_fail()). */
export function __of_device_is_fail(device: device_node): bool {
	return __of_device_is_status(device, ['fail', 'fail-']);
}

/**
 * Whether the registers of @device are big-endian; not on this machine unless it says so
 * (drivers/of/base.c: of_device_is_big_endian()).
 */
export function of_device_is_big_endian(device: device_node): bool {
	return of_find_property(device, 'big-endian', null) !== null;
}

/** @node's parent, with a reference (drivers/of/base.c: of_get_parent()). */
export function of_get_parent(node: device_node | null): device_node | null {
	return node === null ? null : of_node_get(node.parent);
}

/** @node's parent, with a reference; puts @node (drivers/of/base.c: of_get_next_parent()). */
export function of_get_next_parent(node: device_node | null): device_node | null {
	if (node === null) return null;
	const parent = of_node_get(node.parent);
	of_node_put(node);
	return parent;
}

/** The child of @node after @prev, null for the first; puts @prev (drivers/of/base.c: of_get_next_child()). */
export function of_get_next_child(node: device_node | null, prev: device_node | null): device_node | null {
	if (node === null) return null;
	const next = of_node_get(prev === null ? node.child : prev.sibling);
	of_node_put(prev);
	return next;
}

/** of_get_next_child() of the available ones (drivers/of/base.c: of_get_next_available_child()). */
export function of_get_next_available_child(
	node: device_node | null,
	prev: device_node | null,
): device_node | null {
	if (node === null) return null;
	let next = prev === null ? node.child : prev.sibling;
	while (next !== null && !of_device_is_available(next)) next = next.sibling;
	of_node_get(next);
	of_node_put(prev);
	return next;
}

/** The child with this name, without unit address (drivers/of/base.c: of_get_child_by_name()). */
export function of_get_child_by_name(node: device_node | null, name: string): device_node | null {
	for (let child = of_get_next_child(node, null); child !== null; child = of_get_next_child(node, child))
		if (of_node_name_eq(child, name)) return child;
	return null;
}

/**
 * The child of that name with a reference, if it is not disabled; or null
 * (None: of_get_available_child_by_name()).
 */
export function of_get_available_child_by_name(node: device_node, name: string): device_node | null {
	const child = of_get_child_by_name(node, name);
	if (child !== null && !of_device_is_available(child)) {
		of_node_put(child);
		return null;
	}
	return child;
}

/** The first child that is compatible (drivers/of/base.c: of_get_compatible_child()). */
export function of_get_compatible_child(parent: device_node, compatible: string): device_node | null {
	for (let child = of_get_next_child(parent, null); child !== null; child = of_get_next_child(parent, child))
		if (of_device_is_compatible(child, compatible)) return child;
	return null;
}

/** The node at @path, which is below @node; puts @node. */
function __of_find_node_by_full_path(node: device_node | null, path: string): device_node | null {
	let np = node;
	for (const part of (path.split(':')[0] as string).split('/')) {
		if (part === '') continue;
		const parent = np;
		np = null;
		for (
			let child = of_get_next_child(parent, null);
			child !== null;
			child = of_get_next_child(parent, child)
		)
			if (child.full_name === part) {
				np = child;
				break;
			}
		of_node_put(parent);
		if (np === null) return null;
	}
	return np;
}

/** An alias of an alias of … : no sane chain is longer. */
const OF_MAX_ALIAS_DEPTH = 16;

/** @path with the aliases that it begins with resolved; null when one leads nowhere, or in a circle. */
function of_resolve_alias(path: string): string | null {
	let rest = path;
	for (let depth = 0; !rest.startsWith('/'); depth++) {
		// DEVIATION: 6.12 follows a circle until its stack ends.
		if (depth === OF_MAX_ALIAS_DEPTH) {
			pr_err('OF: alias %s leads in a circle', path);
			return null;
		}
		const slash = rest.indexOf('/');
		const target = of_get_property(of_tree.of_aliases, slash < 0 ? rest : rest.slice(0, slash), null);
		if (target === null) return null;
		const aliased = of_prop_string_at(target).split(':', 1)[0] as string;
		if (aliased === '') return null;
		rest = slash < 0 ? aliased : aliased + rest.slice(slash);
	}
	return rest;
}

/**
 * A node by path or alias, "serial0:115200n8" too (drivers/of/base.c: of_find_node_opts_by_path()).
 *
 * @opts: gets what follows a colon, or null
 */
export function of_find_node_opts_by_path(path: string, opts: ref<string | null> | null): device_node | null {
	const separator = path.indexOf(':');
	if (opts !== null) opts.value = separator < 0 ? null : path.slice(separator + 1);

	const full_path = of_resolve_alias(separator < 0 ? path : path.slice(0, separator));
	return full_path === null ? null : __of_find_node_by_full_path(of_node_get(of_tree.of_root), full_path);
}

/**
 * The node at @path, which may begin with an alias, with a reference; or null
 * (include/linux/of.h: of_find_node_by_path()).
 */
export function of_find_node_by_path(path: string): device_node | null {
	return of_find_node_opts_by_path(path, null);
}

function find_next(from: device_node | null, fits: (np: device_node) => bool): device_node | null {
	let np = __of_find_all_nodes(from);
	while (np !== null && !fits(np)) np = __of_find_all_nodes(np);
	of_node_get(np);
	of_node_put(from);
	return np;
}

/** The next node with this name after @from; puts @from (drivers/of/base.c: of_find_node_by_name()). */
export function of_find_node_by_name(from: device_node | null, name: string): device_node | null {
	return find_next(from, (np) => of_node_name_eq(np, name));
}

/** The next node with this device_type after @from; puts @from (drivers/of/base.c: of_find_node_by_type()). */
export function of_find_node_by_type(from: device_node | null, type: string): device_node | null {
	return find_next(from, (np) => __of_node_is_type(np, type));
}

/** The next compatible node after @from; puts @from (drivers/of/base.c: of_find_compatible_node()). */
export function of_find_compatible_node(
	from: device_node | null,
	type: string | null,
	compatible: string,
): device_node | null {
	return find_next(from, (np) => __of_device_is_compatible(np, compatible, type, null) !== 0);
}

/**
 * The node after @from that has @prop_name, with a reference; @from is put
 * (drivers/of/base.c: of_find_node_with_property()).
 */
export function of_find_node_with_property(from: device_node | null, prop_name: string): device_node | null {
	return find_next(from, (np) => of_find_property(np, prop_name, null) !== null);
}

/** The entry of @matches that fits @node best, or null (drivers/of/base.c: of_match_node()). */
export function of_match_node(
	matches: readonly of_device_id[] | null,
	node: device_node | null,
): of_device_id | null {
	if (matches === null || node === null) return null;
	let best_match: of_device_id | null = null;
	let best_score = 0;
	for (const m of matches) {
		const score = __of_device_is_compatible(node, m.compatible, m.type, m.name);
		if (score > best_score) {
			best_match = m;
			best_score = score;
		}
	}
	return best_match;
}

/** The next node that @matches fits; puts @from (drivers/of/base.c: of_find_matching_node_and_match()). */
export function of_find_matching_node_and_match(
	from: device_node | null,
	matches: readonly of_device_id[],
	match: ref<of_device_id | null> | null,
): device_node | null {
	const np = find_next(from, (n) => of_match_node(matches, n) !== null);
	if (match !== null) match.value = of_match_node(matches, np);
	return np;
}

/**
 * The node after @from that @matches fits, with a reference; @from is put
 * (include/linux/of.h: of_find_matching_node()).
 */
export function of_find_matching_node(
	from: device_node | null,
	matches: readonly of_device_id[],
): device_node | null {
	return of_find_matching_node_and_match(from, matches, null);
}

/** The node with this phandle, with a reference (drivers/of/base.c: of_find_node_by_phandle()). */
export function of_find_node_by_phandle(handle: phandle): device_node | null {
	if (handle === 0) return null;
	const slot = handle % OF_PHANDLE_CACHE_SZ;
	let np: device_node | null = of_tree.phandle_cache[slot] ?? null;
	if (np === null || np.phandle !== handle) {
		np = __of_find_all_nodes(null);
		while (np !== null && np.phandle !== handle) np = __of_find_all_nodes(np);
		if (np !== null) of_tree.phandle_cache[slot] = np;
	}
	return of_node_get(np);
}

/**
 * The bus driver's name for a node without an address: its first compatible string after the comma
 * (drivers/of/base.c: of_alias_from_compatible()).
 */
export function of_alias_from_compatible(node: device_node, alias: ref<string>, len: int): int {
	const value = of_get_property(node, 'compatible', null);
	if (value === null) return -ENODEV;
	const compatible = of_prop_string_at(value);
	const comma = compatible.indexOf(',');
	alias.value = (comma < 0 ? compatible : compatible.slice(comma + 1)).slice(0, len - 1);
	return 0;
}

/** Goes through a list of phandles with arguments. */
export class of_phandle_iterator {
	cells_name: string | null = null;
	cell_count: int = 0;
	parent: device_node | null = null;
	/** The property; null when there is none. */
	list: Uint8Array | null = null;
	/** Byte offsets: the entry's arguments, and the next entry. */
	cur: int = 0;
	phandle_end: int = 0;
	cur_count: u32 = 0;
	phandle: phandle = 0;
	node: device_node | null = null;
}

/** Set @it to the start of @list_name (drivers/of/base.c: of_phandle_iterator_init()). */
export function of_phandle_iterator_init(
	it: of_phandle_iterator,
	np: device_node,
	list_name: string,
	cells_name: string | null,
	cell_count: int,
): int {
	if (cell_count < 0 && cells_name === null) return -EINVAL;
	it.cells_name = cells_name;
	it.cell_count = cell_count;
	it.parent = np;
	it.list = of_get_property(np, list_name, null);
	it.cur = 0;
	it.phandle_end = 0;
	it.node = null;
	return it.list === null ? -ENOENT : 0;
}

/**
 * Go on to the next entry: 0, -ENOENT behind the last, -EINVAL when it is wrong
 * (drivers/of/base.c: of_phandle_iterator_next()).
 */
export function of_phandle_iterator_next(it: of_phandle_iterator): int {
	of_node_put(it.node);
	it.node = null;
	const list = it.list;
	if (list === null || it.phandle_end + 4 > list.length) return -ENOENT;

	it.cur = it.phandle_end;
	it.phandle = be32_to_cpup(list, it.cur);
	it.cur += 4;
	let count = 0;
	let wrong = false;
	if (it.phandle !== 0) {
		it.node = of_find_node_by_phandle(it.phandle);
		if (it.cells_name !== null) {
			const cells = of_get_property(it.node, it.cells_name, null);
			if (it.node === null) {
				pr_err('OF: %pOF: could not find phandle %d', it.parent, it.phandle);
				wrong = true;
			} else if (cells !== null && cells.length >= 4) {
				count = be32_to_cpup(cells);
			} else if (it.cell_count >= 0) {
				count = it.cell_count;
			} else {
				pr_err('OF: %pOF: could not get %s for %pOF', it.parent, it.cells_name, it.node);
				wrong = true;
			}
		} else {
			count = it.cell_count;
		}
		const left = (list.length - it.cur) >> 2;
		if (!wrong && count > left) {
			if (it.cells_name !== null) pr_err('OF: %pOF: %s = %d found %d', it.parent, it.cells_name, count, left);
			else pr_err('OF: %pOF: phandle %s needs %d, found %d', it.parent, it.node?.full_name, count, left);
			wrong = true;
		}
	}
	if (wrong) {
		of_node_put(it.node);
		it.node = null;
		return -EINVAL;
	}
	it.phandle_end = it.cur + count * 4;
	it.cur_count = count;
	return 0;
}

/** The arguments of the entry (drivers/of/base.c: of_phandle_iterator_args()). */
export function of_phandle_iterator_args(it: of_phandle_iterator, args: u32[], size: int): int {
	let count = it.cur_count;
	if (WARN_ON(size < count)) count = size;
	for (let i = 0; i < count; i++) args[i] = be32_to_cpup(it.list!, it.cur + i * 4);
	return count;
}

/**
 * Entry @index of a phandle list (drivers/of/base.c: __of_parse_phandle_with_args()).
 *
 * @out_args: gets the node, with a reference, and the arguments; null only checks
 * Returns 0, -ENOENT when there is no such entry or it is empty, -EINVAL when the list is wrong.
 */
export function __of_parse_phandle_with_args(
	np: device_node,
	list_name: string,
	cells_name: string | null,
	cell_count: int,
	index: int,
	out_args: of_phandle_args | null,
): int {
	if (index < 0) return -EINVAL;
	const it = new of_phandle_iterator();
	let rc = of_phandle_iterator_init(it, np, list_name, cells_name, cell_count);
	if (rc !== 0) return rc;
	for (let cur_index = 0; ; cur_index++) {
		rc = of_phandle_iterator_next(it);
		if (rc !== 0) break;
		if (cur_index !== index) continue;
		if (it.phandle === 0) {
			rc = -ENOENT;
			break;
		}
		if (out_args === null) break;
		out_args.args_count = of_phandle_iterator_args(it, out_args.args, MAX_PHANDLE_ARGS);
		out_args.np = it.node;
		return 0;
	}
	of_node_put(it.node);
	return rc;
}

/** Each entry of a list; @it says which (include/linux/of.h: of_for_each_phandle()). Leaving early, put @it's node. */
export function* of_for_each_phandle(
	it: of_phandle_iterator,
	np: device_node,
	list_name: string,
	cells_name: string | null,
	cell_count: int,
): Iterable<of_phandle_iterator> {
	if (of_phandle_iterator_init(it, np, list_name, cells_name, cell_count) !== 0) return;
	while (of_phandle_iterator_next(it) === 0) yield it;
}

/** An entry of an id map: @length ids from @id_base on are ids from @out_base on of the node @phandle. */
class of_id_map_entry {
	id_base: u32 = 0;
	phandle: phandle = 0;
	out_base: u32 = 0;
	length: u32 = 0;
}

const ID_MAP_ENTRY_SIZE = 16;

function of_read_id_map_entry(map: Uint8Array, at: int, entry: of_id_map_entry): void {
	entry.id_base = be32_to_cpup(map, at);
	entry.phandle = be32_to_cpup(map, at + 4);
	entry.out_base = be32_to_cpup(map, at + 8);
	entry.length = be32_to_cpup(map, at + 12);
}

/**
 * Translate an id through a map such as `iommu-map` (drivers/of/base.c: of_map_id()).
 *
 * @map_mask_name: the property with the bits of @id that count; null, or no such property: all do
 * @target: the node to map for; when it holds null it gets the node of the entry, with a reference; null: any
 * @id_out: gets the id there; may be null
 * Returns 0, also when no entry fits (@id_out is @id then) or, without @target, when there is no map; -ENODEV
 * without a map or without the node; -EFAULT when an entry has bits outside the mask; -EINVAL for bad arguments
 * and a bad length.
 */
export function of_map_id(
	np: device_node | null,
	id: u32,
	map_name: string | null,
	map_mask_name: string | null,
	target: ref<device_node | null> | null,
	id_out: ref<u32> | null,
): int {
	const map_mask = new ref<u32>(0xffffffff);
	const entry = new of_id_map_entry();

	if (np === null || map_name === null || (target === null && id_out === null)) return -EINVAL;

	const map = of_get_property(np, map_name, null);
	if (map === null) {
		if (target !== null) return -ENODEV;
		id_out!.value = id;
		return 0;
	}
	if (map.length === 0 || map.length % ID_MAP_ENTRY_SIZE !== 0) {
		pr_err('OF: %pOF: Error: Bad %s length: %d', np, map_name, map.length);
		return -EINVAL;
	}

	const mask = map_mask_name !== null ? of_get_property(np, map_mask_name, null) : null;
	if (mask !== null && mask.length >= 4) map_mask.value = be32_to_cpup(mask);
	const masked_id = (id & map_mask.value) >>> 0;

	for (let at = 0; at < map.length; at += ID_MAP_ENTRY_SIZE) {
		of_read_id_map_entry(map, at, entry);
		if ((entry.id_base & ~map_mask.value) !== 0) {
			pr_err(
				'OF: %pOF: Invalid %s translation - %s-mask (0x%x) ignores id-base (0x%x)',
				np,
				map_name,
				map_name,
				map_mask.value,
				entry.id_base,
			);
			return -EFAULT;
		}
		if (masked_id < entry.id_base || masked_id >= entry.id_base + entry.length) continue;

		const node = of_find_node_by_phandle(entry.phandle);
		if (node === null) return -ENODEV;
		if (target !== null) {
			const wanted = target.value;
			if (wanted !== null) of_node_put(node);
			else target.value = node;
			if (wanted !== null && wanted !== node) continue;
		}

		const out = masked_id - entry.id_base + entry.out_base;
		if (id_out !== null) id_out.value = out;
		pr_debug(
			'OF: %pOF: %s, using mask %08x, id-base: %08x, out-base: %08x, length: %08x, id: %08x -> %08x',
			np,
			map_name,
			map_mask.value,
			entry.id_base,
			entry.out_base,
			entry.length,
			id,
			out,
		);
		return 0;
	}

	pr_info('OF: %pOF: no %s translation for id 0x%x on %pOF', np, map_name, id, target?.value ?? null);
	if (id_out !== null) id_out.value = id;
	return 0;
}

/**
 * Entry @index of a list whose providers say how many arguments they take
 * (include/linux/of.h: of_parse_phandle_with_args()).
 */
export function of_parse_phandle_with_args(
	np: device_node,
	list_name: string,
	cells_name: string,
	index: int,
	out_args: of_phandle_args | null,
): int {
	return __of_parse_phandle_with_args(np, list_name, cells_name, -1, index, out_args);
}

/**
 * The same where a provider without @cells_name takes none
 * (include/linux/of.h: of_parse_phandle_with_optional_args()).
 */
export function of_parse_phandle_with_optional_args(
	np: device_node,
	list_name: string,
	cells_name: string,
	index: int,
	out_args: of_phandle_args | null,
): int {
	return __of_parse_phandle_with_args(np, list_name, cells_name, 0, index, out_args);
}

/** Entry @index of a list of bare phandles, with a reference (include/linux/of.h: of_parse_phandle()). */
export function of_parse_phandle(np: device_node, phandle_name: string, index: int): device_node | null {
	const it = new of_phandle_iterator();
	if (index < 0 || of_phandle_iterator_init(it, np, phandle_name, null, 0) !== 0) return null;
	for (let i = 0; of_phandle_iterator_next(it) === 0; i++) {
		if (i !== index) continue;
		return it.node;
	}
	return null;
}

/** How many entries a phandle list has, or a negative errno (drivers/of/base.c: of_count_phandle_with_args()). */
export function of_count_phandle_with_args(
	np: device_node,
	list_name: string,
	cells_name: string | null,
): int {
	if (cells_name === null) {
		const list = of_get_property(np, list_name, null);
		return list === null ? -ENOENT : list.length >> 2;
	}
	const it = new of_phandle_iterator();
	let rc = of_phandle_iterator_init(it, np, list_name, cells_name, -1);
	if (rc !== 0) return rc;
	let cur_index = 0;
	for (rc = of_phandle_iterator_next(it); rc === 0; rc = of_phandle_iterator_next(it)) cur_index++;
	return rc === -ENOENT ? cur_index : rc;
}

/** Learn /aliases and /chosen once the tree is unflattened (drivers/of/base.c: of_alias_scan()). */
export function of_alias_scan(): void {
	of_tree.of_aliases = of_find_node_by_path('/aliases');
	of_tree.of_chosen = of_find_node_by_path('/chosen') ?? of_find_node_by_path('/chosen@0');
	const stdout =
		of_get_property(of_tree.of_chosen, 'stdout-path', null) ??
		of_get_property(of_tree.of_chosen, 'linux,stdout-path', null) ??
		of_get_property(of_tree.of_aliases, 'stdout', null);
	if (stdout !== null) of_tree.of_stdout = of_find_node_by_path(of_prop_string_at(stdout));

	for (let pp = of_tree.of_aliases?.properties ?? null; pp !== null; pp = pp.next) {
		if (pp.name === 'name' || pp.name === 'phandle' || pp.name === 'linux,phandle') continue;
		const np = of_find_node_by_path(of_prop_string_at(pp.value));
		if (np === null) continue;
		const parts = /^(.*?)(\d+)$/.exec(pp.name);
		if (parts === null) {
			of_node_put(np);
			continue;
		}
		const ap = new alias_prop();
		ap.alias = pp.name;
		ap.np = np;
		ap.stem = parts[1]!;
		ap.id = Number(parts[2]!);
		list_add_tail(ap.link, of_tree.aliases_lookup);
	}
}

/** The number that /aliases gives @np among those of @stem, or -ENODEV (drivers/of/base.c: of_alias_get_id()). */
export function of_alias_get_id(np: device_node, stem: string): int {
	for (const app of list_for_each_entry(of_tree.aliases_lookup))
		if (app.stem === stem && app.np === np) return app.id;
	return -ENODEV;
}
