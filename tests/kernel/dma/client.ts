// SPDX-License-Identifier: GPL-2.0-only
// The DMA API's mapping calls as a driver makes them: each asks for the error at once, or dma-debug would report it.
// What they answer is for the test to judge.
import {
	dma_map_page as map_page,
	dma_map_page_attrs as map_page_attrs,
	dma_map_resource as map_resource,
	dma_map_single as map_single,
} from '#kernel/dma/mapping.js';
import type { device } from '#linux/device.js';
import { dma_mapping_error } from '#linux/dma-mapping.js';
import type { dma_addr_t } from '#linux/types.js';

type Map<Args extends unknown[]> = (dev: device, ...args: Args) => dma_addr_t;

function checked<Args extends unknown[]>(map: Map<Args>): Map<Args> {
	return (dev, ...args) => {
		const addr = map(dev, ...args);
		dma_mapping_error(dev, addr);
		return addr;
	};
}

export const dma_map_page = checked(map_page);
export const dma_map_page_attrs = checked(map_page_attrs);
export const dma_map_resource = checked(map_resource);
export const dma_map_single = checked(map_single);
