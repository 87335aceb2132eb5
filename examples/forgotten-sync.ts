// SPDX-License-Identifier: GPL-2.0-only
// Nothing snoops on this board: clean what the CPU changed, then start the device.
import { dma_map_single, dma_sync_single_for_device, dma_unmap_single } from '#kernel/dma/mapping.js';
import { DMA_TO_DEVICE } from '#linux/dma-direction.js';
import { dma_mapping_error } from '#linux/dma-mapping.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { kfree, kzalloc } from '#linux/slab.js';
import { boot } from './bench.js';

const { device, master } = boot();
const text = (bytes: Uint8Array | null): string => (bytes ? new TextDecoder().decode(bytes) : 'refused');
const buffer = kzalloc(64, GFP_KERNEL)!;

for (const name of ['m0', 'm1']) {
	buffer.set(new TextEncoder().encode('first '));
	const dma = dma_map_single(device(name), buffer, 64, DMA_TO_DEVICE);
	if (dma_mapping_error(device(name), dma) !== 0) throw new Error(`${name} has no mapping`);
	console.log(
		`${name} (${name === 'm1' ? 'dma-coherent' : 'not coherent'}) reads:`,
		text(master(name).fetch(dma, 6)),
	);
	buffer.set(new TextEncoder().encode('second'));
	console.log('  after a change, without a sync:', text(master(name).fetch(dma, 6)));
	dma_sync_single_for_device(device(name), dma, 64, DMA_TO_DEVICE);
	console.log('  after dma_sync_single_for_device:', text(master(name).fetch(dma, 6)));
	dma_unmap_single(device(name), dma, 64, DMA_TO_DEVICE);
}
kfree(buffer);
