// SPDX-License-Identifier: GPL-2.0-only
// Boards to measure on: booted anew for each measurement, since a kernel's state is that of its modules.
import { readFileSync } from 'node:fs';
import { Machine } from '#hw/core/machine.js';
import { start_kernel } from '#init/main.js';
import { dma_set_mask_and_coherent } from '#kernel/dma/mapping.js';
import type { device } from '#linux/device.js';
import { deviceOf as platformDevice, videoEngine } from '#tools/clients.js';
import { BOARD_DTB, NO_IOMMU_DTB } from '#tools/project.js';
import { UserError } from '#tools/run/user-error.js';
import { Dmasan } from '#watch/dmasan.js';

/** What a mapping of the video engine's goes through; `watched`: strict, with the sanitiser. */
export type Way = 'strict' | 'lazy' | 'direct' | 'watched';

const BOARDS: Readonly<Record<Way, readonly [dtb: string, commandLine: string]>> = {
	strict: [BOARD_DTB, 'iommu.strict=1'],
	lazy: [BOARD_DTB, 'iommu.strict=0'],
	direct: [NO_IOMMU_DTB, ''],
	watched: [BOARD_DTB, 'iommu.strict=1'],
};

/** Boot the tree in the file @dtb, and have it @watched; time inside the kernel's benchmarks is this computer's. */
export function boot(dtb: string, commandLine = '', watched = false): void {
	const blob = new Uint8Array(readFileSync(dtb));
	const stopwatch = (): number => performance.now() * 1e6;
	const machine = new Machine(blob, { commandLine, stopwatch, onConsole: () => {} });
	if (watched) new Dmasan(machine);
	start_kernel(machine);
}

export function bootWay(way: Way): void {
	boot(...BOARDS[way], way === 'watched');
}

/** The platform device @name of the board just booted; "": its video engine. */
export function deviceOf(name: string): device {
	const dev = name === '' ? videoEngine() : platformDevice(name);
	if (dev === null) throw new UserError(name === '' ? 'no video engine' : `this board has no device ${name}`);
	return dev;
}

/** The video engine's device, behind the IOMMU on the board that has one, on a board just booted. */
export function engineOn(way: Way): device {
	bootWay(way);
	const dev = deviceOf('');
	dma_set_mask_and_coherent(dev, 0xffff_ffff);
	return dev;
}
