// SPDX-License-Identifier: GPL-2.0-only
// Links between consumers and suppliers that the firmware implies.
// Linux 6.12: drivers/base/core.c (the fw_devlink half)
//
// Which properties imply a link is said by the nodes' add_links() operation (drivers/of/property.ts).
//
// Left out: the search for cycles beyond direct ones (a link that closes a cycle of device links is refused by
// device_link_add() and dropped), proxy links of a consumer's parent, best effort, sync_state= and strict modes.

import { class_for_each_device } from '#drivers/base/class.js';
import {
	device_link_add,
	device_link_flag_is_sync_state_only,
	devlink_class,
	get_device,
	put_device,
	to_devlink,
} from '#drivers/base/core.js';
import {
	fwnode_get_next_available_child_node,
	fwnode_get_parent,
	fwnode_handle_put,
} from '#drivers/base/property.js';
import { dev_dbg } from '#linux/dev_printk.js';
import type { device } from '#linux/device.js';
import {
	DL_DEV_NO_DRIVER,
	DL_FLAG_AUTOPROBE_CONSUMER,
	DL_FLAG_INFERRED,
	DL_FLAG_MANAGED,
	DL_FLAG_PM_RUNTIME,
	DL_FLAG_SYNC_STATE_ONLY,
} from '#linux/device.js';
import { EAGAIN, EINVAL, ENOMEM } from '#linux/errno.js';
import type { fwnode_handle } from '#linux/fwnode.js';
import {
	FWLINK_FLAG_CYCLE,
	FWLINK_FLAG_IGNORE,
	FWNODE_FLAG_INITIALIZED,
	FWNODE_FLAG_LINKS_ADDED,
	FWNODE_FLAG_NEEDS_CHILD_BOUND_ON_ADD,
	FWNODE_FLAG_NOT_DEVICE,
	fwnode_assign_flag,
	fwnode_link,
	fwnode_test_flag,
} from '#linux/fwnode.js';
import { GFP_KERNEL } from '#linux/gfp_types.js';
import { boot_data, early_param } from '#linux/init.js';
import { list_add, list_del, list_for_each_entry, list_for_each_entry_safe } from '#linux/list.js';
import { kfree, kzalloc } from '#linux/slab.js';
import type { bool, int, u8, u32 } from '#linux/types.js';

const FW_DEVLINK_FLAGS_PERMISSIVE = DL_FLAG_INFERRED | DL_FLAG_SYNC_STATE_ONLY;
const FW_DEVLINK_FLAGS_ON = DL_FLAG_INFERRED | DL_FLAG_AUTOPROBE_CONSUMER;
const FW_DEVLINK_FLAGS_RPM = FW_DEVLINK_FLAGS_ON | DL_FLAG_PM_RUNTIME;

const state = boot_data(() => ({
	fw_devlink_flags: FW_DEVLINK_FLAGS_RPM as u32,
	fw_devlink_drv_reg_done: false,
}));

function fw_devlink_setup(arg: string | null): int {
	switch (arg) {
		case null:
			return -EINVAL;
		case 'off':
			state.fw_devlink_flags = 0;
			break;
		case 'permissive':
			state.fw_devlink_flags = FW_DEVLINK_FLAGS_PERMISSIVE;
			break;
		case 'on':
			state.fw_devlink_flags = FW_DEVLINK_FLAGS_ON;
			break;
		case 'rpm':
			state.fw_devlink_flags = FW_DEVLINK_FLAGS_RPM;
			break;
		default:
	}
	return 0;
}
early_param('fw_devlink', fw_devlink_setup);

/** Whether only sync_state() depends on links (drivers/base/core.c: fw_devlink_is_permissive()). */
function fw_devlink_is_permissive(): bool {
	return state.fw_devlink_flags === FW_DEVLINK_FLAGS_PERMISSIVE;
}

/** Whether probes wait for suppliers, and devices show it. */
export function fw_devlink_is_on(): bool {
	return state.fw_devlink_flags !== 0 && !fw_devlink_is_permissive();
}

/** Say that @con needs @sup (drivers/base/core.c: fwnode_link_add()). */
export function fwnode_link_add(con: fwnode_handle, sup: fwnode_handle, flags: u8): int {
	for (const link of list_for_each_entry(sup.consumers)) {
		if (link.consumer === con) {
			link.flags |= flags;
			return 0;
		}
	}
	const link = kzalloc(fwnode_link, GFP_KERNEL);
	if (link === null) return -ENOMEM;
	link.supplier = sup;
	link.consumer = con;
	link.flags = flags;
	list_add(link.s_hook, sup.consumers);
	list_add(link.c_hook, con.suppliers);
	return 0;
}

function __fwnode_link_del(link: fwnode_link): void {
	list_del(link.s_hook);
	list_del(link.c_hook);
	kfree(link);
}

function fwnode_links_purge_suppliers(fwnode: fwnode_handle): void {
	for (const link of list_for_each_entry_safe(fwnode.suppliers)) __fwnode_link_del(link);
}

function fwnode_links_purge_consumers(fwnode: fwnode_handle): void {
	for (const link of list_for_each_entry_safe(fwnode.consumers)) __fwnode_link_del(link);
}

/** Drop all links of @fwnode (drivers/base/core.c: fwnode_links_purge()). */
export function fwnode_links_purge(fwnode: fwnode_handle): void {
	fwnode_links_purge_suppliers(fwnode);
	fwnode_links_purge_consumers(fwnode);
}

/** No device will come of @fwnode: nobody waits for it (drivers/base/core.c: fw_devlink_purge_absent_suppliers()). */
export function fw_devlink_purge_absent_suppliers(fwnode: fwnode_handle): void {
	if (fwnode.dev !== null) return;
	fwnode_assign_flag(fwnode, FWNODE_FLAG_NOT_DEVICE, true);
	fwnode_links_purge_consumers(fwnode);
	for (
		let child = fwnode_get_next_available_child_node(fwnode, null);
		child !== null;
		child = fwnode_get_next_available_child_node(fwnode, child)
	)
		fw_devlink_purge_absent_suppliers(child);
}

/** A supplier that is not there yet, or null (drivers/base/core.c: fwnode_links_check_suppliers()). */
export function fwnode_links_check_suppliers(fwnode: fwnode_handle | null): fwnode_handle | null {
	if (fwnode === null || !fw_devlink_is_on()) return null;
	for (const link of list_for_each_entry(fwnode.suppliers))
		if (!(link.flags & (FWLINK_FLAG_CYCLE | FWLINK_FLAG_IGNORE))) return link.supplier;
	return null;
}

function fw_devlink_parse_fwtree(fwnode: fwnode_handle): void {
	if (!fwnode_test_flag(fwnode, FWNODE_FLAG_LINKS_ADDED)) {
		fwnode.ops?.add_links?.(fwnode);
		fwnode_assign_flag(fwnode, FWNODE_FLAG_LINKS_ADDED, true);
	}
	for (
		let child = fwnode_get_next_available_child_node(fwnode, null);
		child !== null;
		child = fwnode_get_next_available_child_node(fwnode, child)
	)
		fw_devlink_parse_fwtree(child);
}

function get_dev_from_fwnode(fwnode: fwnode_handle): device | null {
	return get_device(fwnode.dev);
}

/** Its hardware is up although no driver will be bound to it. */
function fwnode_init_without_drv(fwnode: fwnode_handle): bool {
	if (!fwnode_test_flag(fwnode, FWNODE_FLAG_INITIALIZED)) return false;
	return fwnode.dev === null || fwnode.dev.links.status === DL_DEV_NO_DRIVER;
}

function for_each_parent(fwnode: fwnode_handle, test: (parent: fwnode_handle) => bool): fwnode_handle | null {
	for (let parent = fwnode_get_parent(fwnode); parent !== null; parent = fwnode_get_parent(parent)) {
		fwnode_handle_put(parent);
		if (test(parent)) return parent;
	}
	return null;
}

/** Whether @sup_handle itself needs @con_handle, straight or through other nodes. */
function fwnode_closes_cycle(con_handle: fwnode_handle, sup_handle: fwnode_handle, depth: int): bool {
	if (sup_handle === con_handle) return true;
	if (depth > 16) return false;
	for (const link of list_for_each_entry(sup_handle.suppliers))
		if (fwnode_closes_cycle(con_handle, link.supplier, depth + 1)) return true;
	const sup_dev = sup_handle.dev;
	if (sup_dev !== null) {
		for (const link of list_for_each_entry(sup_dev.links.suppliers)) {
			const fwnode = link.supplier.fwnode;
			if (device_link_flag_is_sync_state_only(link.flags) || fwnode === null) continue;
			if (fwnode_closes_cycle(con_handle, fwnode, depth + 1)) return true;
		}
	}
	return false;
}

/** Turn a node's link into one of devices: 0 when it is settled either way, -EAGAIN when the supplier may come yet. */
function fw_devlink_create_devlink(con: device, sup_handle: fwnode_handle, link: fwnode_link): int {
	if (link.flags & FWLINK_FLAG_IGNORE) return 0;
	if (
		fwnode_test_flag(sup_handle, FWNODE_FLAG_NEEDS_CHILD_BOUND_ON_ADD) &&
		con.fwnode !== null &&
		for_each_parent(con.fwnode, (p) => p === sup_handle) !== null
	)
		return -EINVAL;
	if (fwnode_closes_cycle(link.consumer, sup_handle, 0)) link.flags |= FWLINK_FLAG_CYCLE;
	const flags = link.flags & FWLINK_FLAG_CYCLE ? FW_DEVLINK_FLAGS_PERMISSIVE : state.fw_devlink_flags;

	let sup_dev: device | null;
	if (fwnode_test_flag(sup_handle, FWNODE_FLAG_NOT_DEVICE)) {
		const parent = for_each_parent(sup_handle, (p) => p.dev !== null);
		sup_dev = parent === null ? null : get_dev_from_fwnode(parent);
	} else {
		sup_dev = get_dev_from_fwnode(sup_handle);
	}
	if (sup_dev !== null) {
		let ret = 0;
		if (sup_dev.links.status === DL_DEV_NO_DRIVER && fwnode_test_flag(sup_handle, FWNODE_FLAG_INITIALIZED)) {
			dev_dbg(con, 'Not linking %s - dev might never probe', sup_handle.ops?.get_name?.(sup_handle) ?? '?');
			ret = -EINVAL;
		} else if (con !== sup_dev && device_link_add(con, sup_dev, flags) === null) {
			dev_dbg(con, 'Failed to create device link (0x%x) with %s', flags, sup_dev.kobj.name ?? '');
			ret = -EINVAL;
		}
		put_device(sup_dev);
		return ret;
	}
	if (fwnode_init_without_drv(sup_handle) || for_each_parent(sup_handle, fwnode_init_without_drv) !== null) {
		dev_dbg(con, 'Not linking %s - might never become dev', sup_handle.ops?.get_name?.(sup_handle) ?? '?');
		return -EINVAL;
	}
	return -EAGAIN;
}

function __fw_devlink_link_to_consumers(dev: device, fwnode: fwnode_handle): void {
	for (const link of list_for_each_entry_safe(fwnode.consumers)) {
		const con_dev = get_dev_from_fwnode(link.consumer);
		if (con_dev === null) continue;
		const ret = fw_devlink_create_devlink(con_dev, fwnode, link);
		put_device(con_dev);
		if (ret !== -EAGAIN) __fwnode_link_del(link);
	}
}

function __fw_devlink_link_to_suppliers(dev: device, fwnode: fwnode_handle): void {
	for (const link of list_for_each_entry_safe(fwnode.suppliers)) {
		const ret = fw_devlink_create_devlink(dev, link.supplier, link);
		if (ret !== -EAGAIN) __fwnode_link_del(link);
	}
}

/** @dev stands for its node now: link it (drivers/base/core.c: fw_devlink_link_device()). */
export function fw_devlink_device_added(dev: device): void {
	if (state.fw_devlink_flags === 0 || dev.fwnode === null) return;
	fw_devlink_parse_fwtree(dev.fwnode);
	__fw_devlink_link_to_consumers(dev, dev.fwnode);
	__fw_devlink_link_to_suppliers(dev, dev.fwnode);
}

/**
 * @dev is bound (drivers/base/core.c: device_links_driver_bound(), fw_devlink_pickup_dangling_consumers()).
 *
 * It has all it needs. What is below it in the tree and is no device by now never will be: its consumers wait for
 * @dev instead.
 */
export function fw_devlink_device_bound(dev: device): void {
	const fwnode = dev.fwnode;
	if (fwnode === null || fwnode.dev !== dev) return;
	fwnode_links_purge_suppliers(fwnode);
	for (
		let child = fwnode_get_next_available_child_node(fwnode, null);
		child !== null;
		child = fwnode_get_next_available_child_node(fwnode, child)
	)
		pickup_dangling_consumers(child, fwnode);
	__fw_devlink_link_to_consumers(dev, fwnode);
}

function pickup_dangling_consumers(fwnode: fwnode_handle, new_sup: fwnode_handle): void {
	if (fwnode.dev !== null && fwnode.dev.bus !== null) return;
	fwnode_assign_flag(fwnode, FWNODE_FLAG_NOT_DEVICE, true);
	for (const link of list_for_each_entry_safe(fwnode.consumers)) {
		fwnode_link_add(link.consumer, new_sup, link.flags);
		__fwnode_link_del(link);
	}
	for (
		let child = fwnode_get_next_available_child_node(fwnode, null);
		child !== null;
		child = fwnode_get_next_available_child_node(fwnode, child)
	)
		pickup_dangling_consumers(child, new_sup);
}

function fw_devlink_no_driver(dev: device): int {
	const link = to_devlink(dev);
	if (link.supplier.can_match || !(link.flags & DL_FLAG_INFERRED)) return 0;
	if (device_link_flag_is_sync_state_only(link.flags)) return 0;
	if (link.flags & DL_FLAG_PM_RUNTIME) link.consumer.power.links_count--;
	link.flags = DL_FLAG_MANAGED | FW_DEVLINK_FLAGS_PERMISSIVE;
	dev_dbg(link.consumer, 'Relaxing link with %s', link.supplier.kobj.name ?? '');
	return 0;
}

/** All drivers are registered: nobody waits for a supplier that none fits (drivers/base/core.c: fw_devlink_drivers_done()). */
export function fw_devlink_drivers_done(): void {
	state.fw_devlink_drv_reg_done = true;
	class_for_each_device(devlink_class, null, null, fw_devlink_no_driver);
}
