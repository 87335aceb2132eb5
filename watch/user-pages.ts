// SPDX-License-Identifier: GPL-2.0-only
// INV-RANGE of dma_mmap_*(), as it shows pages to a program: they are those of one buffer, each at the offset that the
// program asked for (vm_pgoff), and none behind the buffer's last.

import { PAGE_SIZE } from '#asm/page-def.js';
import { hex } from '#hw/core/register-file.js';
import type { Mapping, Part } from './mappings.js';
import type { Watched } from './watcher.js';
import { whoIsAtWork } from './who.js';

/** Who shows a buffer of the DMA API's, by its offset; others that show memory have rules of their own. */
const SHOWS = /^(dma_mmap_|iommu_dma_mmap$)/;

export class UserPages {
	constructor(
		readonly watched: Watched,
		/** The live part with a byte of a range that @wanted takes. */
		readonly at: (first: number, last: number, wanted: (part: Part) => boolean) => Part | null,
	) {}

	/** A program is shown @size bytes at @phys for what it calls the bytes from @offset on. */
	shown(phys: number, size: number, offset: number): void {
		const frames = whoIsAtWork();
		const shows = frames.findIndex(({ func }) => func !== null && SHOWS.test(func));
		if (shows < 0) return;
		for (let done = 0; done < size; done += PAGE_SIZE) {
			const page = phys + done;
			const right = this.at(page, page, (part) => offsetIn(part, page) === offset + done);
			if (right !== null) continue;
			const wrong = this.at(page, page, (part) => offsetIn(part, page) >= 0);
			const fn = `${frames.slice(0, shows + 1).find(({ func }) => func !== null && /mmap/.test(func))?.func}()`;
			this.#find(fn, page, offset + done, wrong);
			return;
		}
	}

	#find(fn: string, page: number, offset: number, part: Part | null): void {
		const mapping: Mapping | null = part?.mapping ?? null;
		this.watched.find({
			invariant: 'INV-RANGE',
			kind: 'shows-wrong-page',
			device: mapping?.client.name ?? 'dma_mmap',
			moment: 'return',
			what: fn,
			place: fn,
			details: [
				`${fn} shows the page at ${hex(page, 8)} for byte ${offset} of the buffer; that page is ${
					part === null ? "no live buffer's" : `byte ${offsetIn(part, page)} of a buffer`
				}`,
				...(mapping?.lines() ?? []),
			],
			advice: `${fn} has to show the buffer's own pages, from vma->vm_pgoff on, and -ENXIO where the area goes beyond its last: the frame is the buffer's first (its place in the device's own memory included) plus vm_pgoff`,
		});
	}
}

/** Which byte of the buffer the page at @phys is; less than 0: @part is no buffer that can be shown. */
function offsetIn({ mapping, first, phys }: Part, page: number): number {
	const { kind, addr } = mapping;
	if (kind !== 'coherent' && kind !== 'pages' && kind !== 'noncontiguous') return -1;
	const begin = addr - (addr % PAGE_SIZE);
	return first - (first % PAGE_SIZE) - begin + (page - (phys - (phys % PAGE_SIZE)));
}
