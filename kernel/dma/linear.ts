// SPDX-License-Identifier: GPL-2.0-only
// Streaming DMA of memory that the CPU cannot reach: a no-map pool, or no memory at all.
// Linux 6.12: none; there the cache instructions fault, and the report of that names neither device nor DMA address.

import { linear_map_hole } from '#asm/memory.js';
import { dev_alert } from '#linux/dev_printk.js';
import type { device } from '#linux/device.js';
import type { dma_addr_t, phys_addr_t, size_t } from '#linux/types.js';

/**
 * Say whose @size bytes at @paddr @func is about to die of, when the linear map does not have them all
 * @func: the function of the DMA API
 * @addr: the address that it was given, or a new mapping's physical one
 */
export function dma_tell_unmapped(
	dev: device,
	func: string,
	addr: dma_addr_t,
	paddr: phys_addr_t,
	size: size_t,
): void {
	const hole = linear_map_hole(paddr, size);
	if (hole >= 0 && size !== 0)
		dev_alert(dev, '%s(%pad, %zu): the kernel has no mapping of memory at %pa', func, addr, size, hole);
}
