// SPDX-License-Identifier: GPL-2.0-only
// The CMA area of all devices: where it comes from, who gets of it, and what happens without.
// Areas of the tree and of single devices: drivers/of/of_reserved_mem.test.ts.

import { expect } from 'chai';
import { pfn_to_page } from '#asm/memory.js';
import { get_order } from '#asm/page.js';
import { PAGE_SIZE } from '#asm/page-def.js';
import {
	dev_get_cma_area,
	dma_alloc_contiguous,
	dma_alloc_from_contiguous,
	dma_contiguous_default_area,
	dma_contiguous_reserve_area,
	dma_free_contiguous,
	dma_release_from_contiguous,
} from '#kernel/dma/contiguous.js';
import {
	dma_alloc_attrs,
	dma_alloc_coherent,
	dma_free_attrs,
	dma_free_coherent,
} from '#kernel/dma/mapping.js';
import { CMA_MIN_ALIGNMENT_BYTES } from '#linux/cma.js';
import type { device } from '#linux/device.js';
import { DMA_ATTR_NO_WARN } from '#linux/dma-mapping.js';
import { EINVAL } from '#linux/errno.js';
import { GFP_ATOMIC, GFP_KERNEL } from '#linux/gfp.js';
import type { page } from '#linux/mm_types.js';
import { ref } from '#linux/types.js';
import { type cma, cma_area_list, cma_get_base, cma_get_name, cma_get_size } from '#mm/cma.js';
import { page_placement } from '#mm/page_alloc.js';
import { Board, boardTree, reg } from '#tests/kernel/dma/board.js';

const MIB = 0x10_0000;

function areaOf(commandLine: string, reserved = {}): { at: [number, number] | null; log: string } {
	const board = new Board(boardTree(reserved), commandLine);
	const area = dma_contiguous_default_area();
	return {
		at: area === null ? null : [cma_get_base(area), cma_get_size(area) / MIB],
		log: board.log.join('\n'),
	};
}

describe('dma_contiguous', () => {
	// The board has 1 GiB at 1 GiB and 1 GiB at 32 GiB; ZONE_DMA ends with the first (kernel/dma/contiguous.c).
	for (const [words, at, line] of [
		['', [0x7c00_0000, 64], 'cma: Reserved 64 MiB at 0x000000007c000000 on node -1'],
		['cma=16M', [0x7f00_0000, 16], 'cma: Reserved 16 MiB at'],
		['cma=3M', [0x7fc0_0000, 4], 'cma: Reserved 4 MiB at'],
		['cma=16M@1152M', [0x4800_0000, 16], 'cma: Reserved 16 MiB at 0x0000000048000000'],
		['cma=16M@1G-1536M', [0x5f00_0000, 16], 'cma: Reserved 16 MiB at'],
		['cma=16M@0-1536M', [0x5f00_0000, 16], 'cma: Reserved 16 MiB at'],
		['cma=0', null, ''],
		['cma=', null, "Malformed early option 'cma'"],
		['cma=x', null, "Malformed early option 'cma'"],
		['cma', [0x7c00_0000, 64], 'cma: Config string not provided'],
		[
			'cma=16M@0x48080000',
			null,
			`cma: Region at 0x0000000048080000 must be aligned to 0x${CMA_MIN_ALIGNMENT_BYTES.toString(16).padStart(16, '0')} bytes`,
		],
		['cma=16M@1G', null, 'cma: Failed to reserve 16 MiB on node -1'],
		['cma=16M@1G-1032M', null, 'exceeds limit'],
		['cma=2G', null, 'cma: Failed to reserve 2048 MiB on node -1'],
		['cma=5G', null, 'exceeds limit'],
	] as const) {
		it(`makes of "${words}" ${at === null ? 'no area' : `${at[1]} MiB at 0x${at[0].toString(16)}`}`, () => {
			const area = areaOf(words);
			expect(area.at).to.deep.equal(at);
			expect(area.log).to.include(line);
		});
	}

	it('takes what the tree declares for all devices, placed by it or anywhere', () => {
		const tree = { compatible: 'shared-dma-pool', reusable: true, 'linux,cma-default': true };
		const fixed = { 'pool@50000000': { ...tree, reg: reg(0x5000_0000, 8 * MIB) } };
		expect(areaOf('', fixed).at).to.deep.equal([0x5000_0000, 8]);
		const sized = {
			pool: { ...tree, size: [0, 8 * MIB], 'alloc-ranges': reg(0x6000_0000, 0x1000_0000) },
		};
		expect(areaOf('', sized).at).to.deep.equal([0x6f80_0000, 8]);
		expect(areaOf('cma=16M', fixed)).to.deep.include({ at: [0x7f00_0000, 16] });
	});

	describe('in use', () => {
		let board: Board;
		let dev: device;
		function boot(commandLine = 'cma=16M'): void {
			board = new Board(boardTree({}), commandLine);
			dev = board.device('m3');
		}
		beforeEach(() => boot());
		const inArea = (phys: number): boolean => {
			const area = dma_contiguous_default_area() as cma;
			return phys >= cma_get_base(area) && phys < cma_get_base(area) + cma_get_size(area);
		};

		it('serves blocking allocations of more than a page, aligned to their size up to 256 pages', () => {
			for (const size of [2 * PAGE_SIZE, 5 * PAGE_SIZE, 3 * MIB]) {
				const page = dma_alloc_contiguous(dev, size, GFP_KERNEL) as page;
				expect(inArea(page.pfn * PAGE_SIZE)).to.equal(true);
				// CONFIG_CMA_ALIGNMENT 8: 256 pages.
				expect(page.pfn % Math.min(2 ** Math.ceil(Math.log2(size / PAGE_SIZE)), 256)).to.equal(0);
				dma_free_contiguous(dev, page, size);
			}
			// The first 768 KiB are those of the atomic pools.
			const page = dma_alloc_from_contiguous(null, 1, 9, false) as page;
			expect(page.pfn - (dma_contiguous_default_area() as cma).base_pfn).to.equal(256);
			expect(dma_alloc_contiguous(dev, PAGE_SIZE, GFP_KERNEL)).to.equal(null);
			expect(dma_alloc_contiguous(dev, 2 * PAGE_SIZE, GFP_ATOMIC)).to.equal(null);
		});

		it('takes back what is its own, and leaves the rest to the page allocator', () => {
			const page = dma_alloc_from_contiguous(null, 4, 2, false) as page;
			expect(dma_release_from_contiguous(null, pfn_to_page(0x5000_0000 / PAGE_SIZE), 1)).to.equal(false);
			expect(dma_release_from_contiguous(null, page, 4)).to.equal(true);
			expect(dev_get_cma_area(dev)).to.equal(dma_contiguous_default_area());
		});

		it('is not asked twice: what it has not got comes from the page allocator', () => {
			const all: page[] = [];
			for (let p = take(); p !== null; p = take()) all.push(p);
			function take(): page | null {
				return dma_alloc_from_contiguous(null, MIB / PAGE_SIZE, get_order(MIB), true);
			}
			const check = board.leakCheck();
			const dma = new ref(0);
			const cpu = dma_alloc_coherent(dev, 2 * MIB, dma, GFP_KERNEL);
			expect(board.log.join('\n')).to.include(
				`cma: __cma_alloc: reserved: alloc failed, req-size: ${(2 * MIB) / PAGE_SIZE} pages, ret: -12`,
			);
			expect(inArea(dma.value)).to.equal(false);
			expect(cpu?.length).to.equal(2 * MIB);
			dma_free_coherent(dev, 2 * MIB, cpu, dma.value);
			expect(check()).to.deep.equal([]);
			const lines = board.log.length;
			const quiet = dma_alloc_attrs(dev, 2 * MIB, dma, GFP_KERNEL, DMA_ATTR_NO_WARN);
			expect(board.log).to.have.length(lines);
			dma_free_attrs(dev, 2 * MIB, quiet, dma.value, DMA_ATTR_NO_WARN);
		});

		it('is passed over when it is out of reach, and loses nothing', () => {
			dev.bus_dma_limit = 0x5fff_ffff;
			page_placement.next.push(0x4800_0000 / PAGE_SIZE);
			const dma = new ref(0);
			const cpu = dma_alloc_coherent(dev, 2 * PAGE_SIZE, dma, GFP_KERNEL);
			expect(dma.value).to.equal(0x4800_0000);
			expect(cma_area_list()[0].stats).to.include({ nr_pages_released: 2 });
			dma_free_coherent(dev, 2 * PAGE_SIZE, cpu, dma.value);
		});

		it('can be left out: the page allocator then gives what it has in one piece', () => {
			boot('cma=0');
			const dma = new ref(0);
			const cpu = dma_alloc_coherent(dev, 4 * MIB, dma, GFP_KERNEL);
			dma_free_coherent(dev, 4 * MIB, cpu, dma.value);
			expect(dma_alloc_attrs(dev, 5 * MIB, dma, GFP_KERNEL, DMA_ATTR_NO_WARN)).to.equal(null);
		});

		it('answers for a further area as for the first', () => {
			const res = new ref<cma | null>(null);
			expect(dma_contiguous_reserve_area(0, 0, 0, res, false)).to.equal(-EINVAL);
			expect(res.value).to.equal(null);
			expect(cma_get_name(dma_contiguous_default_area() as cma)).to.equal('reserved');
		});
	});
});
