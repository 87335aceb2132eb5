// SPDX-License-Identifier: GPL-2.0-only
// Platform devices from device-tree nodes, and their names.
// Linux 6.12: drivers/of/platform.c
//
// Left out: AMBA devices ("arm,primecell" nodes get no device), MSI, changes of a live tree.
import { bus_find_device } from '#drivers/base/bus.js';
import { dev_set_name, device_add, device_for_each_child, device_set_node } from '#drivers/base/core.js';
import {
	platform_bus,
	platform_bus_type,
	platform_device_alloc,
	platform_device_put,
	platform_device_unregister,
} from '#drivers/base/platform.js';
import { of_address_to_resource, of_translate_address } from '#drivers/of/address.js';
import {
	of_device_is_available,
	of_device_is_compatible,
	of_find_matching_node,
	of_find_node_by_path,
	of_get_compatible_child,
	of_get_next_child,
	of_get_property,
	of_match_node,
	of_tree,
} from '#drivers/of/base.js';
import { of_node_get, of_node_put } from '#drivers/of/dynamic.js';
import { WARN_ON } from '#linux/bug.js';
import { PLATFORM_DEVID_NONE, type platform_device, to_platform_device } from '#linux/device/platform.js';
import { dev_name, type device } from '#linux/device.js';
import { DMA_BIT_MASK } from '#linux/dma-mapping.js';
import { EINVAL, ENODEV } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp_types.js';
import { arch_initcall_sync } from '#linux/init.js';
import { resource } from '#linux/ioport.js';
import type { of_device_id } from '#linux/mod_devicetable.js';
import {
	type device_node,
	OF_BAD_ADDR,
	OF_POPULATED,
	OF_POPULATED_BUS,
	of_fwnode_handle,
	of_node_check_flag,
	of_node_clear_flag,
	of_node_set_flag,
	of_node_test_and_set_flag,
} from '#linux/of_node.js';
import type { of_dev_auxdata } from '#linux/of_platform.js';
import { pr_debug } from '#linux/printk.js';
import { kcalloc } from '#linux/slab.js';
import type { bool, int } from '#linux/types.js';

/** Buses whose children become devices with them. */
export const of_default_bus_match_table: readonly of_device_id[] = [
	{ compatible: 'simple-bus' },
	{ compatible: 'simple-mfd' },
	{ compatible: 'isa' },
	{ compatible: 'arm,amba-bus' },
];

const of_skipped_node_table: readonly of_device_id[] = [{ compatible: 'operating-points-v2' }];

/** Nodes of /reserved-memory that become devices. */
const reserved_mem_matches: readonly of_device_id[] = [
	{ compatible: 'phram' },
	{ compatible: 'qcom,rmtfs-mem' },
	{ compatible: 'qcom,cmd-db' },
	{ compatible: 'qcom,smem' },
	{ compatible: 'ramoops' },
	{ compatible: 'nvmem-rmem' },
	{ compatible: 'google,open-dice' },
];

/** The platform device of @np, with a reference, or null (drivers/of/platform.c: of_find_device_by_node()). */
export function of_find_device_by_node(np: device_node | null): platform_device | null {
	const dev = bus_find_device(platform_bus_type, null, np, (d, data) => (d.of_node === data ? 1 : 0));
	return dev === null ? null : to_platform_device(dev);
}

/** Register a device that of_device_alloc() made (drivers/of/platform.c: of_device_add()). */
export function of_device_add(ofdev: platform_device): int {
	// The platform core matches by name, and the device's name is the only one there is.
	ofdev.name = dev_name(ofdev.dev);
	ofdev.id = PLATFORM_DEVID_NONE;
	return device_add(ofdev.dev);
}

/**
 * Name @dev after its node: "30f0000.iommu" by its CPU address; without one, the names on the way up,
 * "soc:pmu" (drivers/of/platform.c: of_device_make_bus_id()).
 */
function of_device_make_bus_id(dev: device): void {
	let name = '';
	for (let node = dev.of_node; node !== null && node.parent !== null; node = node.parent) {
		const reg = of_get_property(node, 'reg', null);
		const addr = reg === null ? OF_BAD_ADDR : of_translate_address(node, reg);
		if (addr !== OF_BAD_ADDR) {
			const head = `${addr.toString(16)}.${node.full_name.split('@')[0]}`;
			name = name === '' ? head : `${head}:${name}`;
			break;
		}
		name = name === '' ? node.full_name : `${node.full_name}:${name}`;
	}
	dev_set_name(dev, '%s', name);
}

function of_address_count(np: device_node): int {
	const res = new resource();
	let count = 0;
	while (of_address_to_resource(np, count, res) === 0) count++;
	return count;
}

/** A platform device for @np that is not registered yet (drivers/of/platform.c: of_device_alloc()). */
export function of_device_alloc(
	np: device_node,
	bus_id: string | null,
	parent: device | null,
): platform_device | null {
	const dev = platform_device_alloc('', PLATFORM_DEVID_NONE);
	if (dev === null) return null;

	const num_reg = of_address_count(np);
	const res = num_reg > 0 ? kcalloc(num_reg, resource, GFP_KERNEL) : null;
	if (num_reg > 0 && res === null) {
		platform_device_put(dev);
		return null;
	}
	if (res !== null) {
		dev.resource = res;
		dev.num_resources = num_reg;
		for (let i = 0; i < num_reg; i++) WARN_ON(of_address_to_resource(np, i, res[i]) !== 0);
	}

	device_set_node(dev.dev, of_fwnode_handle(of_node_get(np)));
	dev.dev.parent = parent ?? platform_bus;
	if (bus_id !== null) dev_set_name(dev.dev, '%s', bus_id);
	else of_device_make_bus_id(dev.dev);
	return dev;
}

function of_platform_device_create_pdata(
	np: device_node,
	bus_id: string | null,
	platform_data: unknown,
	parent: device | null,
): platform_device | null {
	pr_debug('OF: create platform device: %pOF', np);
	if (!of_device_is_available(np) || of_node_test_and_set_flag(np, OF_POPULATED)) return null;
	const dev = of_device_alloc(np, bus_id, parent);
	if (dev === null) {
		of_node_clear_flag(np, OF_POPULATED);
		return null;
	}
	dev.dev.coherent_dma_mask = DMA_BIT_MASK(32);
	if (dev.dev.dma_mask === null) dev.dev.dma_mask = dev.platform_dma_mask;
	dev.dev.bus = platform_bus_type;
	dev.dev.platform_data = platform_data;
	if (of_device_add(dev) !== 0) {
		platform_device_put(dev);
		of_node_clear_flag(np, OF_POPULATED);
		return null;
	}
	return dev;
}

/**
 * Make and register a device for @np; null when disabled, made already, or it failed
 * (drivers/of/platform.c: of_platform_device_create()).
 */
export function of_platform_device_create(
	np: device_node,
	bus_id: string | null,
	parent: device | null,
): platform_device | null {
	return of_platform_device_create_pdata(np, bus_id, null, parent);
}

function of_dev_lookup(lookup: readonly of_dev_auxdata[] | null, np: device_node): of_dev_auxdata | null {
	if (lookup === null) return null;
	const res = new resource();
	const has_address = of_address_to_resource(np, 0, res) === 0;
	for (const auxdata of lookup) {
		if (!of_device_is_compatible(np, auxdata.compatible)) continue;
		if (has_address && res.start !== auxdata.phys_addr) continue;
		return auxdata;
	}
	return null;
}

/** A device for @bus and, when it is a bus of @matches, for all below it. */
function of_platform_bus_create(
	bus: device_node,
	matches: readonly of_device_id[],
	lookup: readonly of_dev_auxdata[] | null,
	parent: device | null,
	strict: bool,
): int {
	if (strict && of_get_property(bus, 'compatible', null) === null) return 0;
	if (of_match_node(of_skipped_node_table, bus) !== null) return 0;
	if (of_node_check_flag(bus, OF_POPULATED_BUS)) return 0;
	if (of_device_is_compatible(bus, 'arm,primecell')) return 0;

	const auxdata = of_dev_lookup(lookup, bus);
	const dev = of_platform_device_create_pdata(
		bus,
		auxdata?.name ?? null,
		auxdata?.platform_data ?? null,
		parent,
	);
	if (dev === null || of_match_node(matches, bus) === null) return 0;

	let rc = 0;
	for (let child = of_get_next_child(bus, null); child !== null; child = of_get_next_child(bus, child)) {
		rc = of_platform_bus_create(child, matches, lookup, dev.dev, strict);
		if (rc !== 0) {
			of_node_put(child);
			break;
		}
	}
	of_node_set_flag(bus, OF_POPULATED_BUS);
	return rc;
}

/**
 * Devices for every node below @root that has a `compatible` (drivers/of/platform.c: of_platform_populate()).
 *
 * @root: null: the root of the tree
 * @matches: buses whose children become devices too
 */
export function of_platform_populate(
	root: device_node | null,
	matches: readonly of_device_id[],
	lookup: readonly of_dev_auxdata[] | null,
	parent: device | null,
): int {
	const top = root !== null ? of_node_get(root) : of_find_node_by_path('/');
	if (top === null) return -EINVAL;
	let rc = 0;
	for (let child = of_get_next_child(top, null); child !== null; child = of_get_next_child(top, child)) {
		rc = of_platform_bus_create(child, matches, lookup, parent, true);
		if (rc !== 0) {
			of_node_put(child);
			break;
		}
	}
	of_node_set_flag(top, OF_POPULATED_BUS);
	of_node_put(top);
	return rc;
}

/** of_platform_populate() with the usual buses (drivers/of/platform.c: of_platform_default_populate()). */
export function of_platform_default_populate(
	root: device_node | null,
	lookup: readonly of_dev_auxdata[] | null,
	parent: device | null,
): int {
	return of_platform_populate(root, of_default_bus_match_table, lookup, parent);
}

function of_platform_device_destroy(dev: device): int {
	const np = dev.of_node;
	if (np === null || !of_node_check_flag(np, OF_POPULATED)) return 0;
	if (of_node_check_flag(np, OF_POPULATED_BUS)) device_for_each_child(dev, null, of_platform_device_destroy);
	of_node_clear_flag(np, OF_POPULATED);
	of_node_clear_flag(np, OF_POPULATED_BUS);
	if (dev.bus === platform_bus_type) platform_device_unregister(to_platform_device(dev));
	return 0;
}

/**
 * Remove the devices that of_platform_populate() made below @parent
 * (drivers/of/platform.c: of_platform_depopulate()).
 */
export function of_platform_depopulate(parent: device): void {
	if (parent.of_node === null || !of_node_check_flag(parent.of_node, OF_POPULATED_BUS)) return;
	device_for_each_child(parent, null, of_platform_device_destroy);
	of_node_clear_flag(parent.of_node, OF_POPULATED_BUS);
}

function of_platform_default_populate_init(): int {
	if (of_tree.of_root === null) return -ENODEV;
	for (
		let node = of_find_matching_node(null, reserved_mem_matches);
		node !== null;
		node = of_find_matching_node(node, reserved_mem_matches)
	)
		of_platform_device_create(node, null, null);

	const firmware = of_find_node_by_path('/firmware');
	if (firmware !== null) {
		of_platform_default_populate(firmware, null, null);
		of_node_put(firmware);
	}
	if (of_tree.of_chosen !== null) {
		const fb = of_get_compatible_child(of_tree.of_chosen, 'simple-framebuffer');
		if (fb !== null) {
			of_platform_device_create(fb, null, null);
			of_node_put(fb);
		}
	}
	of_platform_default_populate(null, null, null);
	return 0;
}
arch_initcall_sync(of_platform_default_populate_init);
