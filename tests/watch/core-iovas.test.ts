// SPDX-License-Identifier: GPL-2.0-only
// What the allocator of device addresses, and dma-iommu as it uses it, would be reported for.
import { expect } from 'chai';
import { iommu_get_dma_domain } from '#drivers/iommu/iommu.js';
import {
	alloc_iova,
	alloc_iova_fast,
	free_iova_fast,
	init_iova_domain,
	iova_cache_get,
	iova_domain_init_rcaches,
	put_iova_domain,
	reserve_iova,
} from '#drivers/iommu/iova.js';
import { mod_timer } from '#kernel/time/timer.js';
import type { device } from '#linux/device.js';
import { IOMMU_DOMAIN_DMA_FQ, type iommu_domain } from '#linux/iommu.js';
import { type iova, iova_domain } from '#linux/iova.js';
import { timer_setup } from '#linux/timer.js';
import { WatchedBoard } from './buffer-rig.js';
import { core } from './core.js';

const LIMIT = 0xf_ffff;
const START = 0x10;

describe('watch/core-iovas', () => {
	let board: WatchedBoard;
	beforeEach(() => {
		board = new WatchedBoard('main');
	});

	describe('of a space of addresses', () => {
		let iovad: iova_domain;
		beforeEach(() => {
			expect(iova_cache_get()).to.equal(0);
			iovad = new iova_domain();
			init_iova_domain(iovad, 4096, START);
			expect(iova_domain_init_rcaches(iovad)).to.equal(0);
		});

		/** What is said of an alloc_iova() of four frames that gives what @body does. */
		const allocs = (body: typeof alloc_iova, aligned = false, limit = LIMIT): string[] =>
			board.kinds(() => core('alloc_iova', body, iovad, 4, limit, aligned));
		const allocsFast = (body: typeof alloc_iova_fast): string[] =>
			board.kinds(() => core('alloc_iova_fast', body, iovad, 4, LIMIT, true));
		/** A range that is taken as one wants it. */
		const range = (lo: number, hi: number): iova => reserve_iova(iovad, lo, hi)!;

		it('say nothing where all is well', () => {
			expect(allocs(alloc_iova, true)).to.deep.equal([]);
			expect(allocsFast(alloc_iova_fast)).to.deep.equal([]);
			expect(board.kinds(() => core('reserve_iova', reserve_iova, iovad, 0x20, 0x2f))).to.deep.equal([]);
			expect(board.kinds(() => core('put_iova_domain', put_iova_domain, iovad))).to.deep.equal([]);
		});

		it('report a range above the limit', () => {
			const above = allocs((space, size, limit, aligned) => alloc_iova(space, size, limit + 8, aligned));
			expect(above).to.deep.equal(['INV-RANGE iova-above-limit return']);
		});

		it('report a range below the begin of the space', () => {
			expect(allocs(() => range(START - 4, START - 1))).to.deep.equal(['INV-RANGE iova-below-start return']);
		});

		it('report a range that is not aligned to its size, where that was asked for', () => {
			expect(allocs(() => range(0x22, 0x25))).to.deep.equal([]);
			expect(allocs(() => range(0x42, 0x45), true)).to.deep.equal(['INV-RANGE iova-not-aligned return']);
		});

		it('report a range of another size', () => {
			expect(allocs(() => range(0x20, 0x22))).to.deep.equal(['INV-IOVA iova-wrong-size return']);
		});

		it('report a range that overlaps its neighbour', () => {
			const overlap = allocs(() => {
				range(0x40, 0x43);
				const entry = range(0x50, 0x53);
				[entry.pfn_lo, entry.pfn_hi] = [0x43, 0x46];
				return entry;
			});
			expect(overlap).to.deep.equal(['INV-IOVA iova-overlap return']);
		});

		it('report a range that was given out and is not taken', () => {
			expect(allocsFast(() => 0x40)).to.deep.equal(['INV-IOVA iova-not-taken return']);
		});

		it('report a range that was given out and is taken in part', () => {
			range(0x40, 0x42);
			expect(allocsFast(() => 0x40)).to.deep.equal(['INV-IOVA iova-not-taken return']);
		});

		it('report a range that was given out and is cached as free', () => {
			const pfn = alloc_iova_fast(iovad, 4, LIMIT, true);
			free_iova_fast(iovad, pfn, 4);
			expect(allocsFast(() => pfn)).to.deep.equal(['INV-IOVA iova-given-twice return']);
		});

		it('report that no room was found where there is some, and not where there is none', () => {
			range(START, 0x1f);
			expect(allocs(() => null, false, 0x22)).to.deep.equal([]);
			expect(allocs(() => null, false, 0x23)).to.deep.equal(['INV-ERR iova-room-not-found return']);
		});

		it('report a part that was to be reserved and is not', () => {
			const body: typeof reserve_iova = (space, lo, hi) => reserve_iova(space, lo, hi - 1);
			const part = board.kinds(() => core('reserve_iova', body, iovad, 0x20, 0x2f));
			expect(part).to.deep.equal(['INV-IOVA iova-not-reserved return']);
		});

		const puts = (body: typeof put_iova_domain): string[] =>
			board.kinds(() => core('put_iova_domain', body, iovad));

		it('report a space that goes, and its ranges stay', () => {
			range(0x20, 0x2f);
			expect(puts(() => {})).to.deep.equal(['INV-LEAK iova-space-leak return']);
		});

		it('report a space that goes, and what caches its ranges stays', () => {
			const caches = iovad.rcaches;
			const kept = puts((space) => {
				space.rcaches = null;
				put_iova_domain(space);
			});
			expect(caches).to.not.equal(null);
			expect(kept).to.deep.equal(['INV-LEAK iova-space-leak return']);
		});

		for (const fn of ['remove_iova', 'iova_insert_between', 'iova_insert_rbtree'])
			it(`report ${fn}() without the lock of the tree`, () => {
				const changes = (): string[] => board.kinds(() => core(fn, () => {}, iovad));
				expect(changes()).to.deep.equal(['INV-RACE lock-not-held return']);
			});
	});

	describe("of a domain of the DMA API's", () => {
		let dev: device;
		let domain: iommu_domain;
		beforeEach(() => {
			dev = board.device('m0');
			domain = iommu_get_dma_domain(dev);
		});

		for (const [what, addr, limit, bus] of [
			["the device's mask", 0x1000_0000, 0x0fff_ffff, 0],
			["the domain's aperture", 0x1_0000_0000, 0xf_ffff_ffff, 0],
			['the bus', 0x8000_0000, 0xffff_ffff, 0x7fff_ffff],
			['what the aperture begins with', 0x0800_0000, 0xffff_ffff, 0],
		] as const)
			it(`report an address that is out of reach: of ${what}`, () => {
				const gives = (one: number): string[] =>
					board.kinds(() => core('iommu_dma_alloc_iova', () => one, domain, 4096, limit, dev));
				domain.geometry.aperture_start = 0x0800_1000;
				dev.bus_dma_limit = bus;
				expect(gives(0x0f00_0000)).to.deep.equal([]);
				expect(gives(addr)).to.deep.equal(['INV-RANGE iova-out-of-reach return']);
			});

		it('report a queue of unmaps before an IOMMU whose driver counts on a sync after each', () => {
			const initialises = (): string[] =>
				board.kinds(() => core('__iommu_dma_init_domain', () => 0, domain, dev));
			expect(initialises()).to.deep.equal([]);
			domain.type = IOMMU_DOMAIN_DMA_FQ;
			expect(initialises()).to.deep.equal(['INV-TLB-UNMAP queue-without-capability return']);
		});

		it('report a timer that outlives its queue', () => {
			const cookie = domain.iova_cookie!;
			cookie.fq_domain = domain;
			timer_setup(cookie.fq_timer, () => {}, 0);
			mod_timer(cookie.fq_timer, 1000);
			expect(board.kinds(() => core('iommu_put_dma_cookie', () => {}, domain))).to.include(
				'INV-REFS timer-left return',
			);
			cookie.fq_domain = null;
		});
	});
});
