// SPDX-License-Identifier: GPL-2.0-only
// Devices and their nodes: matching, and what the tree says about their DMA.
// Linux 6.12: drivers/of/device.c
//
// Left out: uevents.

import { arch_setup_dma_ops } from '#arch/arm64/mm/dma-mapping.js';
import { of_iommu_configure } from '#drivers/iommu/of_iommu.js';
import { __of_get_dma_parent, of_dma_get_range, of_dma_is_coherent } from '#drivers/of/address.js';
import {
	of_count_phandle_with_args,
	of_device_is_available,
	of_device_is_compatible,
	of_match_node,
	of_parse_phandle,
} from '#drivers/of/base.js';
import { of_node_get, of_node_put } from '#drivers/of/dynamic.js';
import { of_modalias } from '#drivers/of/module.js';
import { of_reserved_mem_device_init_by_idx } from '#drivers/of/of_reserved_mem.js';
import { dev_dbg, dev_err, dev_warn } from '#linux/dev_printk.js';
import type { device_driver } from '#linux/device/driver.js';
import type { device } from '#linux/device.js';
import { type bus_dma_region, dma_range_map_max } from '#linux/dma-direct.js';
import { coherent_mask_ref } from '#linux/dma-map-ops.js';
import { DMA_BIT_MASK } from '#linux/dma-mapping.js';
import { ERR_PTR } from '#linux/err.js';
import { ENODEV, ENOMEM, EPROBE_DEFER } from '#linux/errno.js';
import { and64, fls64 } from '#linux/math64.js';
import type { of_device_id } from '#linux/mod_devicetable.js';
import type { device_node } from '#linux/of_node.js';
import { kfree } from '#linux/slab.js';
import { type bool, type int, ref, type ssize_t, type u32, type u64 } from '#linux/types.js';

/** The entry of @matches for @dev's node, or null (drivers/of/device.c: of_match_device()). */
export function of_match_device(matches: readonly of_device_id[] | null, dev: device): of_device_id | null {
	if (matches === null || dev.of_node === null) return null;
	return of_match_node(matches, dev.of_node);
}

/** Whether @drv is for @dev's node (include/linux/of_device.h: of_driver_match_device()). */
export function of_driver_match_device(dev: device, drv: device_driver): bool {
	return of_match_device(drv.of_match_table, dev) !== null;
}

/** The data of the driver's match, or null (drivers/of/device.c: of_device_get_match_data()). */
export function of_device_get_match_data(dev: device): unknown {
	return of_match_device(dev.driver?.of_match_table ?? null, dev)?.data ?? null;
}

/**
 * The modalias of @dev's node as a line (drivers/of/device.c: of_device_modalias()).
 *
 * Returns its length; -ENODEV without a node of its own; -ENOMEM when @len bytes do not hold it.
 */
export function of_device_modalias(dev: device, str: ref<string>, len: ssize_t): ssize_t {
	if (dev.of_node === null || dev.of_node_reused) return -ENODEV;

	const sl = of_modalias(dev.of_node, str, len - 2);
	if (sl < 0) return sl;
	if (sl > len - 2) return -ENOMEM;
	str.value += '\n';
	return sl + 1;
}

/** Give @dev the pool that a `restricted-dma-pool` of its node names; only the first one counts. */
function of_dma_set_restricted_buffer(dev: device, np: device_node): void {
	let of_node: device_node | null = dev.of_node;
	let count = of_node === null ? 0 : of_count_phandle_with_args(of_node, 'memory-region', null);
	// The device's own node speaks before that of its bus.
	if (count <= 0) {
		of_node = np;
		count = of_count_phandle_with_args(of_node, 'memory-region', null);
	}
	for (let i = 0; i < count; i++) {
		const node = of_parse_phandle(of_node as device_node, 'memory-region', i);
		const restricted =
			of_device_is_compatible(node, 'restricted-dma-pool') !== 0 && of_device_is_available(node);
		of_node_put(node);
		if (!restricted) continue;
		if (of_reserved_mem_device_init_by_idx(dev, of_node, i) !== 0)
			dev_warn(dev, 'failed to initialise "restricted-dma-pool" memory node');
		return;
	}
}

/** Cut the masks of @dev to what @windows let through; the highest address that does. */
function of_dma_limit_masks(dev: device, windows: bus_dma_region[] | null): u64 {
	let limit: u64 = windows !== null ? dma_range_map_max(windows) : 0;

	if (dev.dma_mask === null) {
		dev_warn(dev, 'DMA mask not set');
		dev.dma_mask = new coherent_mask_ref(dev.coherent_dma_mask);
	}
	if (limit === 0) limit = dev.coherent_dma_mask;
	if (limit === 0) limit = DMA_BIT_MASK(32);

	const mask = DMA_BIT_MASK(fls64(limit));
	dev.coherent_dma_mask = and64(dev.coherent_dma_mask, mask);
	dev.dma_mask.value = and64(dev.dma_mask.value, mask);
	return limit;
}

/**
 * Set up @dev's DMA from the tree: windows and masks, coherency, IOMMU (drivers/of/device.c: of_dma_configure_id()).
 *
 * @np: the node that says how; @dev's own, or that of the bus or device it masters through
 * @force_dma: a device without `dma-ranges` gets the defaults all the same
 * @id: the requester, for buses with an iommu-map
 * Returns 0, -EPROBE_DEFER while the IOMMU is not there, -ENOMEM when there was no memory to get behind it, another
 * negative errno when the tree is wrong and @force_dma is false. An IOMMU that fails otherwise is gone without.
 */
export function of_dma_configure_id(dev: device, np: device_node, force_dma: bool, id: u32 | null): int {
	const map = new ref<bus_dma_region[] | null>(null);

	const bus_np = np === dev.of_node ? __of_get_dma_parent(np) : of_node_get(np);
	const err = of_dma_get_range(bus_np, map);
	of_node_put(bus_np);
	if (err !== 0 && !force_dma) return err === -ENODEV ? 0 : err;

	const windows = err === 0 ? map.value : null;
	const limit = of_dma_limit_masks(dev, windows);
	if (windows !== null) {
		dev.bus_dma_limit = limit;
		dev.dma_range_map = windows;
	}

	const coherent = of_dma_is_coherent(np);
	dev_dbg(dev, 'device is%sdma coherent', coherent ? ' ' : ' not ');

	const no_iommu = of_iommu_configure(dev, np, id);
	if (no_iommu === -ENOMEM) dev_err(dev, 'iommu configuration for device failed with %pe', ERR_PTR(no_iommu));
	// DEVIATION: the IOMMU in front of the device translates. Linux lets it go without, and says nothing.
	if (no_iommu === -EPROBE_DEFER || no_iommu === -ENOMEM) {
		if (windows !== null) dev.dma_range_map = null;
		kfree(windows);
		return no_iommu;
	}
	dev_dbg(dev, 'device is%sbehind an iommu', no_iommu === 0 ? ' ' : ' not ');

	arch_setup_dma_ops(dev, coherent);
	if (no_iommu !== 0) of_dma_set_restricted_buffer(dev, np);
	return 0;
}

/** of_dma_configure_id() of a device that needs no requester id (include/linux/of_device.h: of_dma_configure()). */
export function of_dma_configure(dev: device, np: device_node, force_dma: bool): int {
	return of_dma_configure_id(dev, np, force_dma, null);
}
