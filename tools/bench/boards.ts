// SPDX-License-Identifier: GPL-2.0-only
// Boards to measure on: booted anew for each measurement, since a kernel's state is that of its modules.
import { readFileSync } from 'node:fs';
import { sysfs_read, sysfs_write } from '#fs/sysfs/user.js';
import { Machine } from '#hw/core/machine.js';
import { start_kernel } from '#init/main.js';
import { dma_map_single, dma_set_mask_and_coherent, dma_unmap_single } from '#kernel/dma/mapping.js';
import { dev_name, type device } from '#linux/device.js';
import { DMA_TO_DEVICE } from '#linux/dma-direction.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { PAGE_SIZE, page_address } from '#linux/mm.js';
import { __free_page, alloc_page } from '#mm/page_alloc.js';
import { deviceOf as platformDevice, videoEngine } from '#tools/clients.js';
import { BOARD_DTB, NO_IOMMU_DTB, projectFile } from '#tools/project.js';
import { UserError } from '#tools/run/user-error.js';
import { Dmasan } from '#watch/dmasan.js';

/** What a mapping of the video engine's goes through; `watched`: strict, with the sanitiser. */
export type Way = 'strict' | 'lazy' | 'direct' | 'watched';

/** How the kernel is configured: with all its checks, or without. */
export type Kernel = 'debug' | 'production';

const BOARDS: Readonly<Record<Way, readonly [dtb: string, commandLine: string]>> = {
	strict: [BOARD_DTB, 'iommu.strict=1'],
	lazy: [BOARD_DTB, 'iommu.strict=0'],
	direct: [NO_IOMMU_DTB, ''],
	watched: [BOARD_DTB, 'iommu.strict=1'],
};

const KERNELS: Readonly<Record<Kernel, string>> = { debug: '', production: ' debug_kernel=off' };

/** The H6 board of the examples: an IOMMU, and masters to try it with. */
export const H6_DTB = projectFile('tests/golden/vectors/boards/main.dtb');

/** Boot the tree in the file @dtb, and have it @watched; time inside the kernel's benchmarks is this computer's. */
export function boot(dtb: string, commandLine = '', watched = false): void {
	bootTree(new Uint8Array(readFileSync(dtb)), commandLine, watched);
}

/** Boots of the tree in the file @dtb, each on a new machine. */
export function bootsOf(dtb: string, kernel: Kernel): () => void {
	const blob = new Uint8Array(readFileSync(dtb));
	return () => bootTree(blob, KERNELS[kernel].trim(), false);
}

function bootTree(blob: Uint8Array, commandLine: string, watched: boolean): void {
	const stopwatch = (): number => performance.now() * 1e6;
	const machine = new Machine(blob, { commandLine, stopwatch, onConsole: () => {} });
	if (watched) new Dmasan(machine);
	start_kernel(machine);
}

export function bootWay(way: Way, kernel: Kernel): void {
	const [dtb, commandLine] = BOARDS[way];
	boot(dtb, commandLine + KERNELS[kernel], way === 'watched');
	if (way === 'lazy') queueFlushes(deviceOf(''));
}

/** The platform device @name of the board just booted; "": its video engine. */
export function deviceOf(name: string): device {
	const dev = name === '' ? videoEngine() : platformDevice(name);
	if (dev === null) throw new UserError(name === '' ? 'no video engine' : `this board has no device ${name}`);
	return dev;
}

/** Have unmaps of @dev's wait in a queue, of which its IOMMU's driver, as in Linux, says that it cannot: by its group's file. */
function queueFlushes(dev: device): void {
	sysfs_write(`/sys/bus/platform/devices/${dev_name(dev)}/iommu_group/type`, 'DMA-FQ');
	mustQueue(dev);
}

/** Unless what @dev unmaps waits in a queue, what is called lazy here would be strict. */
export function mustQueue(dev: device): void {
	const type = sysfs_read(`/sys/bus/platform/devices/${dev_name(dev)}/iommu_group/type`);
	if (type !== 'DMA-FQ\n') throw new Error(`${dev_name(dev)}: expected a domain that is DMA-FQ, got ${type}`);
	const page = alloc_page(GFP_KERNEL)!;
	const map = (): number => {
		const dma = dma_map_single(dev, page_address(page, PAGE_SIZE), PAGE_SIZE, DMA_TO_DEVICE);
		dma_unmap_single(dev, dma, PAGE_SIZE, DMA_TO_DEVICE);
		return dma;
	};
	// The address that was freed last is the next one given out, unless it waits for its flush.
	const freed = map();
	if (map() === freed) throw new Error(`${dev_name(dev)}: its domain is DMA-FQ, and an unmap did not wait`);
	__free_page(page);
}

/** The video engine's device, behind the IOMMU on the board that has one, on a board just booted. */
export function engineOn(way: Way, kernel: Kernel): device {
	bootWay(way, kernel);
	const dev = deviceOf('');
	dma_set_mask_and_coherent(dev, 0xffff_ffff);
	return dev;
}
