// SPDX-License-Identifier: GPL-2.0-only
// Mapping and unmapping: pages, what is undone, what is flushed, how often.
// What is expected is what drivers/iommu/iommu.c of Linux 6.12 does.

import { expect } from 'chai';
import fc from 'fast-check';
import sinon from 'sinon';
import { pfn_to_page } from '#asm/memory.js';
import { PAGE_SIZE } from '#asm/page-def.js';
import {
	iommu_attach_group,
	iommu_detach_group,
	iommu_domain_free,
	iommu_iova_to_phys,
	iommu_map,
	iommu_map_sg,
	iommu_map_sgtable,
	iommu_unmap,
	iommu_unmap_fast,
} from '#drivers/iommu/iommu.js';
import { dma_unmap_page_attrs } from '#kernel/dma/mapping.js';
import { sg_alloc_table, sg_free_table } from '#lib/scatterlist.js';
import { DMA_TO_DEVICE } from '#linux/dma-direction.js';
import { EBUSY, EINVAL, EIO, ENOMEM } from '#linux/errno.js';
import { GFP_ATOMIC, GFP_DMA, GFP_DMA32, GFP_KERNEL } from '#linux/gfp.js';
import {
	type iommu_domain_ops,
	iommu_iotlb_gather,
	iommu_iotlb_gather_add_page,
	iommu_iotlb_gather_add_range,
	iommu_iotlb_gather_init,
	iommu_iotlb_sync,
} from '#linux/iommu.js';
import {
	type scatterlist,
	sg_array,
	sg_dma_mark_bus_address,
	sg_mark_end,
	sg_set_page,
	sg_table,
} from '#linux/scatterlist.js';
import { slab_leaks, slab_live } from '#linux/slab.js';
import { type ref, ULONG_MAX } from '#linux/types.js';
import { RAM } from '#tests/hw/board.js';
import { h6 } from '#tests/hw/h6.js';
import { dma_map_page_attrs } from '#tests/kernel/dma/client.js';
import { expectWarning } from '#tests/setup.js';
import { Masters } from './masters.js';
import { bootRig, domainFor, RW } from './rig.js';
import { G1, K4, K64, M2, type TestDomain, type TestDriver } from './test_driver.js';

const M1 = 0x10_0000;
const G512 = 512 * G1;

function rig(): { driver: TestDriver; domain: TestDomain } {
	const { driver } = bootRig();
	return { driver, domain: domainFor(driver.device('a')) };
}

/** A scatterlist of [physical address, length]. */
function list(pieces: readonly (readonly [number, number])[]): scatterlist {
	const sg = sg_array(pieces.length);
	pieces.forEach(([phys, length], i) => {
		sg_set_page(sg.vec![i]!, pfn_to_page(Math.floor(phys / PAGE_SIZE)), length, phys % PAGE_SIZE);
	});
	sg_mark_end(sg.vec![pieces.length - 1]!);
	return sg;
}

/** The domain's pages as runs [iova, physical address, size], joined where both go on. */
function runs(domain: TestDomain): number[][] {
	const out: number[][] = [];
	for (const [iova, { phys, size }] of [...domain.pages].sort((a, b) => a[0] - b[0])) {
		const last = out.at(-1);
		if (last !== undefined && last[0]! + last[2]! === iova && last[1]! + last[2]! === phys) last[2]! += size;
		else out.push([iova, phys, size]);
	}
	return out;
}

type Call = { iova: number; phys: number; pgsize: number; count: number };
/** Ops that only write down what they are asked, and do at most @most pages a call. */
function recorder(most = Number.MAX_SAFE_INTEGER): { calls: Call[]; ops: iommu_domain_ops } {
	const calls: Call[] = [];
	const note = (iova: number, phys: number, pgsize: number, count: number): number => {
		calls.push({ iova, phys, pgsize, count: Math.min(count, most) });
		return pgsize * Math.min(count, most);
	};
	return {
		calls,
		ops: {
			map_pages: (_d, iova, phys, pgsize, count, _prot, _gfp, mapped: ref<number>) => {
				mapped.value += note(iova, phys as number, pgsize, count);
				return 0;
			},
			unmap_pages: (_d, iova, pgsize, count) => note(iova, iova, pgsize, count),
		},
	};
}

describe('iommu_map', () => {
	describe('the choice of pages', () => {
		const sizes = [K4, 4 * K4, K64, M2, 16 * M2, G1, G512];
		/** Some page sizes, and a range of whole smallest pages that ends before 2^52. */
		const range = fc
			.record({
				pick: fc.integer({ min: 1, max: 2 ** sizes.length - 1 }),
				unit: fc.nat(sizes.length - 1),
				at: fc.nat(300),
				fine: fc.nat(40),
				same: fc.boolean(),
				shift: fc.nat(sizes.length - 1),
				by: fc.nat(7),
				parts: fc.array(fc.tuple(fc.nat(sizes.length - 1), fc.integer({ min: 1, max: 6 })), {
					minLength: 1,
					maxLength: 3,
				}),
			})
			.map(({ pick, unit, at, fine, same, shift, by, parts }) => {
				const has = sizes.filter((_, i) => (pick & (1 << i)) !== 0);
				const min = has[0]!;
				const down = (n: number): number => n - (n % min);
				const iova = down(sizes[unit]! * at) + fine * min;
				return {
					has,
					iova,
					phys: same ? iova : down(iova + sizes[shift]! * by),
					size: down(parts.reduce((sum, [i, n]) => sum + sizes[i]! * n, 0)) + min,
				};
			});

		/** No smaller page where a bigger one fits, no page that is not there, none twice, none missing. */
		function check(calls: Call[], has: number[], iova: number, phys: number, size: number): void {
			let at = iova;
			for (const call of calls) {
				expect([call.iova, call.phys]).to.deep.equal([at, phys + at - iova]);
				expect(has).to.include(call.pgsize);
				expect([call.iova % call.pgsize, call.phys % call.pgsize]).to.deep.equal([0, 0]);
				// The first and the last page of a call stand for the others.
				for (const page of [call.iova, call.iova + (call.count - 1) * call.pgsize]) {
					for (const bigger of has.filter((s) => s > call.pgsize)) {
						const start = page - (page % bigger);
						const inside = start >= iova && start + bigger <= iova + size;
						expect(inside && (phys + start - iova) % bigger === 0, `${bigger} at ${start}`).to.equal(false);
					}
				}
				at += call.count * call.pgsize;
			}
			expect(at).to.equal(iova + size);
			// A call goes on as long as the size of the page stays.
			calls.slice(1).forEach((call, i) => {
				expect(call.pgsize).to.not.equal(calls[i]!.pgsize);
			});
		}

		it('is the biggest that fits everywhere, in few calls (random ranges and sizes)', () => {
			const { domain } = rig();
			fc.assert(
				fc.property(range, ({ has, iova, phys, size }) => {
					const { calls, ops } = recorder();
					domain.ops = ops;
					domain.pgsize_bitmap = has.reduce((a, b) => a + b, 0);
					expect(iommu_map(domain, iova, phys, size, RW, GFP_KERNEL)).to.equal(0);
					check(calls, has, iova, phys, size);
					// Up to the biggest page, and down again.
					expect(calls.length).to.be.lessThan(2 * has.length);
				}),
				{ numRuns: 400 },
			);
		});

		it('is the same when the driver does a page at a time', () => {
			const { domain } = rig();
			fc.assert(
				fc.property(range, fc.integer({ min: 1, max: 3 }), ({ has, iova, phys, size }, most) => {
					const all = recorder();
					domain.ops = all.ops;
					domain.pgsize_bitmap = has.reduce((a, b) => a + b, 0);
					iommu_map(domain, iova, phys, size, RW, GFP_KERNEL);
					fc.pre(all.calls.reduce((sum, c) => sum + c.count, 0) < 3000);
					const some = recorder(most);
					domain.ops = some.ops;
					expect(iommu_map(domain, iova, phys, size, RW, GFP_KERNEL)).to.equal(0);
					const pages = (calls: Call[]): number[] =>
						calls.flatMap((c) => Array.from({ length: c.count }, (_, i) => c.iova + i * c.pgsize));
					expect(pages(some.calls)).to.deep.equal(pages(all.calls));
				}),
				{ numRuns: 60 },
			);
		});

		it('for an unmap heeds the address alone', () => {
			const { domain } = rig();
			fc.assert(
				fc.property(range, ({ has, iova, size }) => {
					const { calls, ops } = recorder();
					domain.ops = ops;
					domain.pgsize_bitmap = has.reduce((a, b) => a + b, 0);
					expect(iommu_unmap(domain, iova, size)).to.equal(size);
					check(calls, has, iova, iova, size);
				}),
				{ numRuns: 200 },
			);
		});

		for (const [what, bitmap] of [
			['64 KiB', K64],
			['64 KiB and 2 MiB', K64 | M2],
		] as const) {
			it(`of ${what} refuses what is only aligned to 4 KiB`, () => {
				const { driver, domain } = rig();
				domain.pgsize_bitmap = bitmap;
				for (const [iova, phys, size] of [
					[K4, 0, K64],
					[0, K4, K64],
					[0, 0, K64 + K4],
				] as const)
					expect(iommu_map(domain, iova, phys, size, RW, GFP_KERNEL)).to.equal(-EINVAL);
				expect(iommu_unmap(domain, K4, K64)).to.equal(0);
				expect(iommu_map(domain, K64, 2 * K64, K64, RW, GFP_KERNEL)).to.equal(0);
				expect(driver.domainOps.map_pages.callCount).to.equal(1);
			});
		}

		it('of 512 GiB is possible', () => {
			const { domain } = rig();
			const { calls, ops } = recorder();
			domain.ops = ops;
			domain.pgsize_bitmap = K4 + M2 + G1 + G512;
			const at = 3 * G512 - G1 - K4;
			expect(iommu_map(domain, at, at + G512, K4 + G1 + 2 * G512 + M2, RW, GFP_KERNEL)).to.equal(0);
			expect(calls.map((c) => [c.pgsize, c.count])).to.deep.equal([
				[K4, 1],
				[G1, 1],
				[G512, 2],
				[M2, 1],
			]);
		});
	});

	describe('a failure', () => {
		it('at any page leaves what was mapped before, and nothing else', () => {
			const { driver, domain } = rig();
			const at = K64 - 2 * K4;
			expect(iommu_map(domain, at - K4, 0, K4, RW, GFP_KERNEL)).to.equal(0);
			expect(iommu_map(domain, at + K64 + 4 * K4, 0, K4, RW, GFP_KERNEL)).to.equal(0);
			const before = runs(domain);
			const pages = [at, at + K4, K64, 2 * K64, 2 * K64 + K4];
			for (const page of pages) {
				driver.refuse.clear();
				driver.refuse.set(page, -ENOMEM);
				driver.domainOps.iotlb_sync_map.resetHistory();
				driver.domainOps.iotlb_sync.resetHistory();
				expect(iommu_map(domain, at, at, K64 + 4 * K4, RW, GFP_KERNEL), `${page}`).to.equal(-ENOMEM);
				expect(runs(domain)).to.deep.equal(before);
				expect(driver.domainOps.iotlb_sync_map.called).to.equal(false);
				expect(driver.domainOps.iotlb_sync.callCount).to.equal(1);
			}
		});

		it('of the sync takes back what was mapped', () => {
			const { driver, domain } = rig();
			domain.ops = { ...driver.domainOps, iotlb_sync_map: () => -EIO };
			expect(iommu_map(domain, K64, K64, 3 * K64, RW, GFP_KERNEL)).to.equal(-EIO);
			expect(domain.pages.size).to.equal(0);
			expect(
				iommu_map_sg(
					domain,
					K64,
					list([
						[RAM, K4],
						[RAM + K64, K4],
					]),
					2,
					RW,
					GFP_KERNEL,
				),
			).to.equal(-EIO);
			expect(domain.pages.size).to.equal(0);
		});

		for (const [what, call] of [
			['iommu_map', (d: TestDomain, gfp: number) => iommu_map(d, 0, RAM, K4, RW, gfp)],
			['iommu_map_sg', (d: TestDomain, gfp: number) => iommu_map_sg(d, 0, list([[RAM, K4]]), 1, RW, gfp)],
		] as const) {
			it(`is what ${what}() answers to a wish for a kind of memory`, () => {
				const { domain } = rig();
				expectWarning(/./);
				for (const gfp of [GFP_KERNEL | GFP_DMA, GFP_ATOMIC | GFP_DMA32])
					expect(call(domain, gfp)).to.equal(-EINVAL);
				expect(domain.pages.size).to.equal(0);
			});
		}
	});

	describe('a scatterlist', () => {
		/** Pieces of whole pages: how far behind the end of the one before, and how long. */
		const pieces = fc.array(fc.tuple(fc.nat(2), fc.integer({ min: 1, max: 40 })), {
			minLength: 1,
			maxLength: 12,
		});
		const laidOut = (parts: [number, number][]): [number, number][] => {
			let phys = RAM + 0x10_0000;
			return parts.map(([gap, n]) => {
				phys += gap * K4;
				const piece: [number, number] = [phys, n * K4];
				phys += n * K4;
				return piece;
			});
		};
		/** Neighbours in memory as one: [physical address, length]. */
		const merged = (all: [number, number][]): number[][] => {
			const out: number[][] = [];
			for (const [phys, length] of all) {
				const last = out.at(-1);
				if (last !== undefined && last[0]! + last[1]! === phys) last[1]! += length;
				else out.push([phys, length]);
			}
			return out;
		};

		it('is mapped without gaps, neighbours as one, and synced once (random lists)', () => {
			const { driver, domain } = rig();
			fc.assert(
				fc.property(pieces, fc.nat(0x3ff), (parts, at) => {
					domain.pages.clear();
					driver.domainOps.iotlb_sync_map.resetHistory();
					const all = laidOut(parts);
					const iova = at * K4;
					const total = all.reduce((sum, [, n]) => sum + n, 0);
					expect(iommu_map_sg(domain, iova, list(all), all.length, RW, GFP_KERNEL)).to.equal(total);
					let next = iova;
					const want = merged(all).map(([phys, n]) => {
						const run = [next, phys, n];
						next += n!;
						return run;
					});
					expect(runs(domain)).to.deep.equal(want);
					expect(driver.domainOps.iotlb_sync_map.args).to.deep.equal([[domain, iova, total]]);
				}),
			);
		});

		it('that fails anywhere leaves nothing of itself (random lists)', () => {
			const { driver, domain } = rig();
			fc.assert(
				fc.property(pieces, fc.nat(), (parts, where) => {
					domain.pages.clear();
					driver.refuse.clear();
					driver.domainOps.iotlb_sync_map.resetHistory();
					const all = laidOut(parts);
					const total = all.reduce((sum, [, n]) => sum + n, 0);
					const at = 0x40 * K4;
					for (const near of [at - K4, at + total]) domain.pages.set(near, { phys: RAM, size: K4, prot: RW });
					const before = new Map(domain.pages);
					// The smallest pages only, so that each can fail.
					domain.pgsize_bitmap = K4;
					driver.refuse.set(at + (where % (total / K4)) * K4, -EBUSY);
					expect(iommu_map_sg(domain, at, list(all), all.length, RW, GFP_KERNEL)).to.equal(-EBUSY);
					expect(domain.pages).to.deep.equal(before);
					expect(driver.domainOps.iotlb_sync_map.called).to.equal(false);
				}),
			);
		});

		it('gets bigger pages where its pieces make them up together', () => {
			const { driver, domain } = rig();
			const pieces16 = Array.from({ length: 16 }, (_, i) => [RAM + K64 + i * K4, K4] as [number, number]);
			expect(iommu_map_sg(domain, K64, list(pieces16), 16, RW, GFP_KERNEL)).to.equal(K64);
			expect(driver.domainOps.map_pages.args.map((x) => [x[3], x[4]])).to.deep.equal([[K64, 1]]);
		});

		it('is refused at the first piece that is not whole pages', () => {
			const { driver, domain } = rig();
			const sg = list([
				[RAM, 2 * K4],
				[RAM + K64 + 0x10, K4],
				[RAM + M2, K4],
			]);
			expect(iommu_map_sg(domain, 0, sg, 3, RW, GFP_KERNEL)).to.equal(-EINVAL);
			expect(domain.pages.size).to.equal(0);
			expect(driver.domainOps.map_pages.callCount).to.equal(1);
			// Odd pieces that are neighbours are whole together.
			const odd = list([
				[RAM, 0x800],
				[RAM + 0x800, K4 + 0x800],
			]);
			expect(iommu_map_sg(domain, 0, odd, 2, RW, GFP_KERNEL)).to.equal(2 * K4);
		});

		it('is mapped up to the number of entries that is given', () => {
			const { domain } = rig();
			const sg = list([
				[RAM, K4],
				[RAM + K64, K4],
				[RAM + M2, K4],
			]);
			expect(iommu_map_sg(domain, 0, sg, 2, RW, GFP_KERNEL)).to.equal(2 * K4);
			expect(runs(domain)).to.deep.equal([
				[0, RAM, K4],
				[K4, RAM + K64, K4],
			]);
		});

		it('with entries that have a bus address of their own is mapped without them', () => {
			const { domain } = rig();
			const sg = list([
				[RAM, K4],
				[RAM + K4, K4],
				[RAM + 2 * K4, K4],
				[RAM + 9 * K4, K4],
			]);
			sg_dma_mark_bus_address(sg.vec![1]!);
			sg_dma_mark_bus_address(sg.vec![3]!);
			expect(iommu_map_sg(domain, 0, sg, 4, RW, GFP_KERNEL)).to.equal(2 * K4);
			expect(runs(domain)).to.deep.equal([
				[0, RAM, K4],
				[K4, RAM + 2 * K4, K4],
			]);
		});

		it('with an empty entry at its end is mapped whole', () => {
			const { domain } = rig();
			const sg = list([
				[RAM, K4],
				[RAM + K4, 0],
			]);
			expect(iommu_map_sg(domain, 0, sg, 2, RW, GFP_KERNEL)).to.equal(K4);
			expect(runs(domain)).to.deep.equal([[0, RAM, K4]]);
		});

		it('can be that of a table', () => {
			const { domain } = rig();
			const table = new sg_table();
			expect(sg_alloc_table(table, 2, GFP_KERNEL)).to.equal(0);
			const sgl = table.sgl!;
			sg_set_page(sgl, pfn_to_page(RAM / PAGE_SIZE), 3 * K4, 0);
			sg_set_page(sgl.vec![1]!, pfn_to_page((RAM + M2) / PAGE_SIZE), K4, 0);
			expect(iommu_map_sgtable(domain, M2, table, RW)).to.equal(4 * K4);
			expect(iommu_unmap(domain, M2, 4 * K4)).to.equal(4 * K4);
			expect(domain.pages.size).to.equal(0);
			sg_free_table(table);
		});
	});

	describe('an unmap', () => {
		it('ends at the first hole, wherever that is (random maps)', () => {
			const { driver, domain } = rig();
			domain.pgsize_bitmap = K4;
			fc.assert(
				fc.property(fc.uniqueArray(fc.nat(40), { maxLength: 41 }), fc.nat(40), fc.nat(20), (has, from, n) => {
					domain.pages.clear();
					driver.domainOps.iotlb_sync.resetHistory();
					for (const i of has) iommu_map(domain, i * K4, RAM + i * K4, K4, RW, GFP_KERNEL);
					let want = 0;
					while (want < n && has.includes(from + want)) want++;
					expect(iommu_unmap(domain, from * K4, n * K4)).to.equal(want * K4);
					for (const i of has) {
						const gone = i >= from && i < from + want;
						expect(iommu_iova_to_phys(domain, i * K4)).to.equal(gone ? 0 : RAM + i * K4);
					}
					expect(driver.domainOps.iotlb_sync.callCount).to.equal(1);
				}),
			);
		});

		it('answers for a page that is bigger than asked for', () => {
			const { domain } = rig();
			expect(iommu_map(domain, M2, M2, M2, RW, GFP_KERNEL)).to.equal(0);
			expect(iommu_unmap(domain, M2, K4)).to.equal(M2);
			expect(domain.pages.size).to.equal(0);
		});

		it('of what was mapped in several calls takes it in one', () => {
			const { driver, domain } = rig();
			for (let i = 0; i < 16; i++) iommu_map(domain, K64 + i * K4, RAM + i * M2, K4, RW, GFP_KERNEL);
			expect(iommu_unmap(domain, K64, K64)).to.equal(K64);
			// One 64 KiB page is tried, and 16 small ones are found.
			expect(driver.domainOps.unmap_pages.args.map((x) => [x[1], x[2], x[3]])).to.deep.equal([[K64, K64, 1]]);
		});
	});

	describe('a gather', () => {
		type Sync = [start: number, end: number, pgsize: number];
		/** Ops that add each page, or each range, to the gather; and what every flush was told. */
		function gathering(driver: TestDriver, domain: TestDomain, by: 'page' | 'range'): Sync[] {
			const syncs: Sync[] = [];
			domain.ops = {
				...driver.domainOps,
				unmap_pages: (d, iova, pgsize, count, gather) => {
					const sizes = new Map([...domain.pages].map(([at, page]) => [at, page.size]));
					const done = driver.domainOps.unmap_pages(d, iova, pgsize, count);
					if (by === 'range' && done > 0) iommu_iotlb_gather_add_range(gather, iova, done);
					for (let at = iova; by === 'page' && at < iova + done; at += sizes.get(at)!)
						iommu_iotlb_gather_add_page(d, gather, at, sizes.get(at)!);
					return done;
				},
				iotlb_sync: (_d, gather) => {
					syncs.push([gather.start, gather.end, gather.pgsize]);
				},
			};
			return syncs;
		}

		it('of one size of page is one range, and one flush', () => {
			const { driver, domain } = rig();
			const syncs = gathering(driver, domain, 'page');
			iommu_map(domain, 0x5000, RAM, 7 * K4, RW, GFP_KERNEL);
			expect(iommu_unmap(domain, 0x5000, 7 * K4)).to.equal(7 * K4);
			expect(syncs).to.deep.equal([[0x5000, 0xbfff, K4]]);
		});

		it('breaks where the size of the pages changes', () => {
			const { driver, domain } = rig();
			const syncs = gathering(driver, domain, 'page');
			const at = K64 - 2 * K4;
			iommu_map(domain, at, at, 2 * K4 + 2 * K64 + K4, RW, GFP_KERNEL);
			expect(iommu_unmap(domain, at, 2 * K4 + 2 * K64 + K4)).to.equal(2 * K4 + 2 * K64 + K4);
			expect(syncs).to.deep.equal([
				[at, K64 - 1, K4],
				[K64, 3 * K64 - 1, K64],
				[3 * K64, 3 * K64 + K4 - 1, K4],
			]);
		});

		it('by range does not break', () => {
			const { driver, domain } = rig();
			const syncs = gathering(driver, domain, 'range');
			const at = K64 - 2 * K4;
			iommu_map(domain, at, at, 2 * K4 + 2 * K64 + K4, RW, GFP_KERNEL);
			iommu_unmap(domain, at, 2 * K4 + 2 * K64 + K4);
			expect(syncs).to.deep.equal([[at, 3 * K64 + K4 - 1, 0]]);
		});

		it('holds no more than was there, and is flushed also when that is nothing', () => {
			const { driver, domain } = rig();
			const syncs = gathering(driver, domain, 'page');
			iommu_map(domain, 0x5000, RAM, 2 * K4, RW, GFP_KERNEL);
			expect(iommu_unmap(domain, 0x5000, 8 * K4)).to.equal(2 * K4);
			expect(iommu_unmap(domain, 0x5000, 8 * K4)).to.equal(0);
			expect(syncs).to.deep.equal([
				[0x5000, 0x6fff, K4],
				[ULONG_MAX, 0, 0],
			]);
		});

		it('of the caller goes on over several unmaps, and breaks where they lie apart', () => {
			const { driver, domain } = rig();
			const syncs = gathering(driver, domain, 'page');
			iommu_map(domain, 0x5000, RAM, 8 * K4, RW, GFP_KERNEL);
			const gather = new iommu_iotlb_gather();
			iommu_iotlb_gather_init(gather);
			for (const at of [0x6000, 0x7000, 0x5000]) iommu_unmap_fast(domain, at, K4, gather);
			expect(syncs).to.deep.equal([]);
			iommu_unmap_fast(domain, 0xa000, K4, gather);
			expect(syncs).to.deep.equal([[0x5000, 0x7fff, K4]]);
			iommu_iotlb_sync(domain, gather);
			expect(syncs.at(-1)).to.deep.equal([0xa000, 0xafff, K4]);
			// It is empty again.
			expect([gather.start, gather.end, gather.pgsize]).to.deep.equal([ULONG_MAX, 0, 0]);
		});

		it('tells of every page once, in pieces of one size (random unmaps)', () => {
			const { driver, domain } = rig();
			const step = fc.tuple(fc.nat(40), fc.integer({ min: 1, max: 40 }));
			fc.assert(
				fc.property(fc.array(step, { minLength: 1, maxLength: 5 }), (steps) => {
					domain.pages.clear();
					domain.ops = driver.domainOps;
					for (const [at, n] of steps)
						if (!range(at, n).some((i) => iommu_iova_to_phys(domain, i * K4) !== 0))
							iommu_map(domain, at * K4, RAM + at * K4, n * K4, RW, GFP_KERNEL);
					const had = new Map(domain.pages);
					const syncs = gathering(driver, domain, 'page');
					for (let at = 0; at < 96; at++) iommu_unmap(domain, at * K4, K4);
					const told = syncs.filter((s) => s[2] !== 0);
					for (const [at, { size }] of had)
						expect(
							told.filter(([start, end, pgsize]) => start <= at && at + size - 1 <= end && pgsize === size)
								.length,
						).to.equal(1);
				}),
				{ numRuns: 30 },
			);
		});
		const range = (at: number, n: number): number[] => Array.from({ length: n }, (_, i) => at + i);
	});

	describe('the DMA API', () => {
		it('syncs a mapping once, and an unmapping once', () => {
			const { driver } = bootRig();
			const dev = driver.device('a');
			const page = pfn_to_page((RAM + 0x0800_0000) / PAGE_SIZE);
			const dma = dma_map_page_attrs(dev, page, 0x800, 5 * K4, DMA_TO_DEVICE, 0);
			expect(driver.domainOps.iotlb_sync_map.callCount).to.equal(1);
			expect(driver.domainOps.iotlb_sync_map.firstCall.args.slice(1)).to.deep.equal([dma - 0x800, 6 * K4]);
			dma_unmap_page_attrs(dev, dma, 5 * K4, DMA_TO_DEVICE, 0);
			expect(driver.domainOps.iotlb_sync.callCount).to.equal(1);
			sinon.assert.callOrder(driver.domainOps.unmap_pages, driver.domainOps.iotlb_sync);
		});
	});

	describe('on the H6', () => {
		function board() {
			const masters = new Masters(h6());
			masters.unbind();
			const dev = masters.device('m2');
			const domain = domainFor(dev);
			expect(iommu_attach_group(domain, dev.iommu_group!)).to.equal(0);
			const model = masters.model('m2');
			/** The 4 KiB steps of [from, to) that the device reaches. */
			const reaches = (from: number, to: number): number[] => {
				const out: number[] = [];
				for (let at = from; at < to; at += K4) {
					if (model.fetch(at, 4) !== null) out.push(at);
					// A master that had a fault waits until the handler has set it going again.
					else masters.machine.advance(100_000);
				}
				return out;
			};
			return { masters, dev, domain, model, reaches };
		}
		const steps = (from: number, to: number): number[] =>
			Array.from({ length: (to - from) / K4 }, (_, i) => from + i * K4);

		for (const [what, at, size] of [
			['inside one table', 0x1230_1000, 5 * K4],
			['from one table to the next', 0x123f_e000, 4 * K4],
			['over three tables', 0x123f_f000, M1 + 2 * K4],
			['a table, exactly', 0x1240_0000, M1],
			['at the end of the address space', 0xffff_e000, 2 * K4],
			['at its start', 0, 2 * K4],
		] as const) {
			it(`maps and unmaps ${what}`, () => {
				const { domain, dev, reaches } = board();
				const phys = RAM + 0x0800_0000;
				const around = (): number[] =>
					reaches(Math.max(0, at - 2 * K4), Math.min(2 ** 32, at + size + 2 * K4));
				expect(iommu_map(domain, at, phys, size, RW, GFP_KERNEL)).to.equal(0);
				expect(around()).to.deep.equal(steps(at, at + size));
				expect(iommu_iova_to_phys(domain, at + size - 1)).to.equal(phys + size - 1);
				expect(iommu_unmap(domain, at, size)).to.equal(size);
				expect(around()).to.deep.equal([]);
				iommu_detach_group(domain, dev.iommu_group!);
				iommu_domain_free(domain as never);
			});
		}

		it('stops an unmap at a hole, in a table or where there is none', () => {
			const { domain, reaches } = board();
			const phys = RAM + 0x0800_0000;
			const at = 0x2010_0000;
			iommu_map(domain, at - K4, phys, 2 * K4, RW, GFP_KERNEL);
			iommu_map(domain, at + 3 * K4, phys, K4, RW, GFP_KERNEL);
			iommu_map(domain, at + 2 * M1, phys, K4, RW, GFP_KERNEL);
			// The hole is in the table.
			expect(iommu_unmap(domain, at - K4, 6 * K4)).to.equal(2 * K4);
			expect(reaches(at - 2 * K4, at + 5 * K4)).to.deep.equal([at + 3 * K4]);
			// The hole is a missing table.
			expect(iommu_unmap(domain, at + M1, 2 * M1)).to.equal(0);
			expect(reaches(at + 2 * M1, at + 2 * M1 + K4)).to.deep.equal([at + 2 * M1]);
		});

		it('takes back all of a list when one of its pages is taken, over tables', () => {
			const { domain, reaches } = board();
			const at = 0x30ff_e000;
			const phys = RAM + 0x0800_0000;
			iommu_map(domain, at + 3 * K4, phys, K4, RW, GFP_KERNEL);
			const before = slab_live();
			const sg = list([
				[phys, 2 * K4],
				[phys + K64, K4],
				[phys + M2, 4 * K4],
			]);
			expect(iommu_map_sg(domain, at, sg, 3, RW, GFP_KERNEL)).to.equal(-EBUSY);
			expect(reaches(at - K4, at + 8 * K4)).to.deep.equal([at + 3 * K4]);
			// The table that was made for the first pieces stays with the domain.
			expect(slab_leaks(before).every((line) => line.includes('iommu'))).to.equal(true);
			expect(iommu_unmap(domain, at + 3 * K4, K4)).to.equal(K4);
			expect(iommu_map_sg(domain, at, sg, 3, RW, GFP_KERNEL)).to.equal(7 * K4);
			expect(reaches(at - K4, at + 8 * K4)).to.deep.equal(steps(at, at + 7 * K4));
		});

		it('refuses memory above 4 GiB in the middle of a list, and takes the rest back', () => {
			const { domain, reaches } = board();
			const at = 0x4000_0000;
			expect(iommu_map(domain, at, 0xffff_f000, 2 * K4, RW, GFP_KERNEL)).to.equal(-EINVAL);
			expect(iommu_iova_to_phys(domain, at)).to.equal(0);
			expect(reaches(at, at + 2 * K4)).to.deep.equal([]);
		});
	});
});
