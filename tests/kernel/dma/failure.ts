// SPDX-License-Identifier: GPL-2.0-only
// How a function of the DMA API fails: what a row of such tests says, and what the rows need.

import { expect } from 'chai';
import { pfn_to_page } from '#asm/memory.js';
import { PAGE_SIZE } from '#asm/page-def.js';
import { iommu_get_domain_for_dev } from '#drivers/iommu/iommu.js';
import { dma_alloc_coherent } from '#kernel/dma/mapping.js';
import { kernel_bug } from '#kernel/panic.js';
import { sg_alloc_table } from '#lib/scatterlist.js';
import type { device } from '#linux/device.js';
import type { bus_dma_region } from '#linux/dma-direct.js';
import { type dma_map_ops, set_dma_ops } from '#linux/dma-map-ops.js';
import { DMA_MAPPING_ERROR } from '#linux/dma-mapping.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { vm_area_struct } from '#linux/mm_types.js';
import { sg_set_page, sg_table } from '#linux/scatterlist.js';
import { ref, type void_ptr } from '#linux/types.js';
import { fail_page_alloc } from '#mm/fail_page_alloc.js';
import { slab_fault } from '#mm/failslab.js';
import { Board, BUFS } from '#tests/kernel/dma/board.js';
import { expectWarning } from '#tests/setup.js';

/** Out of a 32-bit device's reach, on board "direct". */
export const HIGH = 0x8_1000_0000;
export const CPU = new Uint8Array(PAGE_SIZE);
export const page = pfn_to_page(BUFS / PAGE_SIZE);

/** From here on no page can be had. */
export function noPages(): void {
	fail_page_alloc.nth = 1;
	fail_page_alloc.times = 1e6;
}

/** The @nth allocation of a struct fails. */
export function noSlab(nth = 1): void {
	slab_fault.nth = nth;
}

/** A mapping of @pages pages of a program, from page @pgoff of what it shows. */
export function vma(pages: number, pgoff = 0): vm_area_struct {
	const v = new vm_area_struct();
	v.vm_start = 0x7000_0000;
	v.vm_end = v.vm_start + pages * PAGE_SIZE;
	v.vm_pgoff = pgoff;
	return v;
}

/** A list with one entry for each of @lengths, from @phys on. */
export function table(phys: number, ...lengths: number[]): sg_table {
	const t = new sg_table();
	sg_alloc_table(t, lengths.length, GFP_KERNEL);
	for (const [i, length] of lengths.entries())
		sg_set_page(t.sgl!.vec![i]!, pfn_to_page(phys / PAGE_SIZE + 16 * i), length, 0);
	return t;
}

/** @dev as its own bus would have it. */
export function withOps(dev: device, ops: dma_map_ops): device {
	set_dma_ops(dev, ops);
	return dev;
}

export function withoutMask(dev: device): device {
	dev.dma_mask = null;
	return dev;
}

/** One window: bus address 0x1000_0000 is physical 0, for 1 MiB. */
export function withWindow(dev: device): device {
	const window: bus_dma_region = { cpu_start: 0, dma_start: 0x1000_0000, size: 0x10_0000 };
	dev.dma_range_map = [window, { cpu_start: 0, dma_start: 0, size: 0 }];
	return dev;
}

/** What is allocated has been, whatever fails later. */
export function allocated(dev: device, size = PAGE_SIZE): { cpu: void_ptr; dma: number } {
	const dma = new ref(0);
	const cpu = dma_alloc_coherent(dev, size, dma, GFP_KERNEL)!;
	return { cpu, dma: dma.value };
}

export const dma = new ref(0);
export const domainOf = (dev: device) => iommu_get_domain_for_dev(dev)!;

export interface Devices {
	/** Behind the IOMMU, does not snoop. */
	readonly m0: device;
	/** Without an IOMMU; m3 does not snoop, m4 does. */
	readonly m3: device;
	readonly m4: device;
}

export interface Failure {
	readonly of: string;
	readonly when: string;
	readonly is: unknown;
	readonly call: (d: Devices) => unknown;
	/** A WARN, and a line of the log. */
	readonly warns?: RegExp;
	readonly says?: RegExp;
	/** Instead of "main": "direct", which has 2 GiB above 4 GiB; or with words on the command line. */
	readonly on?: string;
}

function shown(value: unknown): string {
	if (value === DMA_MAPPING_ERROR) return 'DMA_MAPPING_ERROR';
	return value === kernel_bug ? 'BUG' : String(value);
}

export function itFails(f: Failure): void {
	it(`${f.of}() answers ${shown(f.is)}: ${f.when}`, () => {
		const [name = 'main', ...words] = (f.on ?? 'main').split(' ');
		const board = new Board(name, words.join(' '));
		if (f.warns) expectWarning(f.warns);
		const [m0, m3, m4] = ['m0', 'm3', 'm4'].map((dev) =>
			board.masters.devices.has(dev) ? board.device(dev) : null,
		);
		const devices = { m0, m3, m4 } as Devices;
		try {
			if (f.is === kernel_bug) expect(() => f.call(devices)).to.throw(kernel_bug);
			else expect(f.call(devices)).to.equal(f.is);
			if (f.says) expect(board.log.join('\n')).to.match(f.says);
		} finally {
			Object.assign(fail_page_alloc, { nth: 0, times: 1 });
			Object.assign(slab_fault, { nth: 0, times: 1 });
		}
	});
}
