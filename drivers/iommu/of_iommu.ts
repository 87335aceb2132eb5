// SPDX-License-Identifier: GPL-2.0-only
// From the device tree's `iommus` to a device behind its IOMMU.
// Linux 6.12: drivers/iommu/of_iommu.c
// Left out: PCI aliases and ATS.
import { driver_deferred_probe_check_state } from '#drivers/base/dd.js';
import {
	dev_iommu_free,
	iommu_alloc_resv_region,
	iommu_fwspec_free,
	iommu_fwspec_init,
	iommu_ops_from_fwnode,
	iommu_probe_device,
	iommu_probe_device_lock,
} from '#drivers/iommu/iommu.js';
import { of_address_to_resource, of_dma_is_coherent, of_translate_dma_region } from '#drivers/of/address.js';
import {
	of_device_is_available,
	of_find_node_by_phandle,
	of_get_property,
	of_map_id,
	of_parse_phandle,
	of_parse_phandle_with_args,
	of_read_number,
} from '#drivers/of/base.js';
import { of_node_put } from '#drivers/of/dynamic.js';
import { of_property_present } from '#drivers/of/property.js';
import { dev_dbg, dev_err, dev_warn } from '#linux/dev_printk.js';
import type { device } from '#linux/device.js';
import { ENODEV, EPROBE_DEFER } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import {
	dev_iommu_fwspec_get,
	IOMMU_CACHE,
	IOMMU_READ,
	IOMMU_RESV_DIRECT,
	IOMMU_RESV_RESERVED,
	IOMMU_WRITE,
	type iommu_resv_region,
	type iommu_resv_type,
} from '#linux/iommu.js';
import { resource } from '#linux/ioport.js';
import { list_add_tail, type list_head } from '#linux/list.js';
import { mutex_lock, mutex_unlock } from '#linux/mutex.js';
import { type device_node, of_fwnode_handle, of_phandle_args } from '#linux/of_node.js';
import { type int, type phys_addr_t, ref, type size_t, type u32 } from '#linux/types.js';

const CELL = 4;

/** Tell the driver of one `iommus` entry that @dev is its master. */
function of_iommu_xlate(dev: device, iommu_spec: of_phandle_args): int {
	const np = iommu_spec.np!;

	if (!of_device_is_available(np)) return -ENODEV;

	const ret = iommu_fwspec_init(dev, of_fwnode_handle(np));
	// No driver yet: wait for it, as long as waiting makes sense.
	if (ret === -EPROBE_DEFER) return driver_deferred_probe_check_state(dev);
	if (ret !== 0) return ret;

	const ops = iommu_ops_from_fwnode(of_fwnode_handle(np));
	return ops?.of_xlate?.(dev, iommu_spec) ?? -ENODEV;
}

/** Each entry in turn; the first that fails ends it. -ENODEV: there is none. */
function of_iommu_configure_dev(master_np: device_node, dev: device): int {
	const iommu_spec = new of_phandle_args();
	let err = -ENODEV;

	for (let idx = 0; ; idx++) {
		if (of_parse_phandle_with_args(master_np, 'iommus', '#iommu-cells', idx, iommu_spec) !== 0) break;
		err = of_iommu_xlate(dev, iommu_spec);
		of_node_put(iommu_spec.np);
		if (err !== 0) break;
	}
	return err;
}

/** The one entry that @id leads to through `iommu-map`. */
function of_iommu_configure_dev_id(master_np: device_node, dev: device, id: u32): int {
	const iommu_spec = new of_phandle_args();
	const np = new ref<device_node | null>(null);
	const out = new ref<u32>(0);

	let err = of_map_id(master_np, id, 'iommu-map', 'iommu-map-mask', np, out);
	if (err !== 0) return err;
	// An id that no entry knows is not translated.
	if (np.value === null) return -ENODEV;

	iommu_spec.np = np.value;
	iommu_spec.args_count = 1;
	iommu_spec.args[0] = out.value;
	err = of_iommu_xlate(dev, iommu_spec);
	of_node_put(iommu_spec.np);
	return err;
}

/**
 * of_iommu_configure() - put @dev behind what @master_np's `iommus` names (Linux: drivers/iommu/of_iommu.c)
 * @id: the requester id on a bus that has such; null for a platform device
 *
 * Returns 0; -ENODEV: no IOMMU; -EPROBE_DEFER: its driver is yet to come, try again; else what went wrong. May sleep.
 */
export function of_iommu_configure(dev: device, master_np: device_node | null, id: u32 | null): int {
	if (master_np === null) return -ENODEV;

	mutex_lock(iommu_probe_device_lock);
	if (dev_iommu_fwspec_get(dev) !== null) {
		mutex_unlock(iommu_probe_device_lock);
		return 0;
	}
	const dev_iommu_present = dev.iommu !== null;

	let err =
		id !== null ? of_iommu_configure_dev_id(master_np, dev, id) : of_iommu_configure_dev(master_np, dev);

	// What this call made goes again when it fails; what was there before stays.
	if (err !== 0 && dev_iommu_present) iommu_fwspec_free(dev);
	else if (err !== 0 && dev.iommu !== null) dev_iommu_free(dev);
	mutex_unlock(iommu_probe_device_lock);

	if (err === 0 && dev.bus !== null) err = iommu_probe_device(dev);

	if (err !== 0 && err !== -EPROBE_DEFER) dev_dbg(dev, 'Adding to IOMMU failed: %d', err);
	return err;
}

/** What an `iommu-addresses` range means: one to one with @phys it is mapped, else it only is kept free. */
function iommu_resv_region_get_type(
	dev: device,
	phys: resource,
	start: phys_addr_t,
	length: size_t,
): iommu_resv_type {
	const end = start + length - 1;

	// A region without memory of its own.
	if (phys.start >= phys.end) return IOMMU_RESV_RESERVED;
	if (start === phys.start && end === phys.end) return IOMMU_RESV_DIRECT;

	dev_warn(dev, 'treating non-direct mapping [%pr] -> [%pap-%pap] as reservation', phys, start, end);
	return IOMMU_RESV_RESERVED;
}

/**
 * of_iommu_get_resv_regions() - the reserved-memory regions of @dev's node that say something about its address
 * space (Linux: drivers/iommu/of_iommu.c)
 *
 * For drivers to use as, or in, their get_resv_regions(): regions in `memory-region` whose `iommu-addresses` name
 * the device are added to @list.
 */
export function of_iommu_get_resv_regions(dev: device, list: list_head<iommu_resv_region>): void {
	const iova = new ref<phys_addr_t>(0);
	const length = new ref<size_t>(0);

	for (let i = 0; ; i++) {
		const node = dev.of_node !== null ? of_parse_phandle(dev.of_node, 'memory-region', i) : null;
		if (node === null) break;

		const phys = new resource();
		const err = of_property_present(node, 'reg') ? of_address_to_resource(node, 0, phys) : 0;
		if (err < 0) dev_err(dev, 'failed to parse memory region %pOF: %d', node, err);

		// Each entry is a phandle, and an address and size in the cells of that device's bus.
		let maps = err < 0 ? null : of_get_property(node, 'iommu-addresses', null);
		while (maps !== null && maps.length >= CELL) {
			const np = of_find_node_by_phandle(of_read_number(maps, 1));

			maps = maps.subarray(CELL);
			if (np === dev.of_node && np !== null) {
				length.value = 0;
				maps = of_translate_dma_region(np, maps, iova, length);
				if (length.value === 0) dev_warn(dev, 'Cannot reserve IOVA region of 0 size');
				else of_iommu_add_resv_region(dev, phys, iova.value, length.value, list);
			}
			of_node_put(np);
		}
		of_node_put(node);
	}
}

function of_iommu_add_resv_region(
	dev: device,
	phys: resource,
	iova: phys_addr_t,
	length: size_t,
	list: list_head<iommu_resv_region>,
): void {
	const prot = IOMMU_READ | IOMMU_WRITE | (of_dma_is_coherent(dev.of_node!) ? IOMMU_CACHE : 0);
	const type = iommu_resv_region_get_type(dev, phys, iova, length);
	const region = iommu_alloc_resv_region(iova, length, prot, type, GFP_KERNEL);

	if (region !== null) list_add_tail(region.list, list);
}
