// SPDX-License-Identifier: GPL-2.0-only
// As the functions of the DMA API return. What is wrong in them is put in: a part of the machine or of the kernel's state
// does not do what it should.

import { expect } from 'chai';
import sinon from 'sinon';
import { pfn_to_page } from '#asm/memory.js';
import { PAGE_SIZE } from '#asm/page-def.js';
import { iommu_get_dma_domain, iommu_unmap } from '#drivers/iommu/iommu.js';
import { alloc_iova_fast } from '#drivers/iommu/iova.js';
import {
	dma_alloc_attrs,
	dma_alloc_coherent,
	dma_free_coherent,
	dma_map_page,
	dma_map_sg,
	dma_map_single,
	dma_sync_sg_for_cpu,
	dma_sync_single_for_cpu,
	dma_sync_single_for_device,
	dma_unmap_page,
	dma_unmap_resource,
	dma_unmap_sg,
	dma_unmap_sg_attrs,
	dma_unmap_single,
} from '#kernel/dma/mapping.js';
import { sg_alloc_table, sg_free_table, sg_next } from '#lib/scatterlist.js';
import type { device } from '#linux/device.js';
import {
	DMA_BIDIRECTIONAL,
	DMA_FROM_DEVICE,
	DMA_TO_DEVICE,
	type dma_data_direction,
} from '#linux/dma-direction.js';
import {
	DMA_ATTR_FORCE_CONTIGUOUS,
	DMA_ATTR_SKIP_CPU_SYNC,
	dma_set_min_align_mask,
} from '#linux/dma-mapping.js';
import { GFP_KERNEL } from '#linux/gfp_types.js';
import { virt_to_page, virt_to_phys } from '#linux/mm.js';
import { type scatterlist, sg_set_page, sg_table } from '#linux/scatterlist.js';
import { kfree, kmalloc } from '#linux/slab.js';
import { swiotlb_find_pool } from '#linux/swiotlb.js';
import { ref } from '#linux/types.js';
import { __free_pages, alloc_pages } from '#mm/page_alloc.js';
import { BUFS } from '#tests/kernel/dma/board.js';
import { WatchedBoard } from './buffer-rig.js';

/** A list of @n pages of the reserved buffers that are no neighbours. */
function list(n: number): sg_table {
	const table = new sg_table();
	sg_alloc_table(table, n, GFP_KERNEL);
	let sg: scatterlist | null = table.sgl;
	for (let i = 0; sg !== null; i++, sg = sg_next(sg))
		sg_set_page(sg, pfn_to_page(BUFS / PAGE_SIZE + 2 * i), PAGE_SIZE, 0);
	return table;
}

describe('watch/buffers', () => {
	let board: WatchedBoard;
	let dev: device;
	const boot = (name: 'm0' | 'm1' | 'm3' | 'm4', commandLine = ''): void => {
		board = new WatchedBoard(commandLine === '' ? 'main' : 'direct', commandLine);
		dev = board.device(name);
	};
	afterEach(() => {
		sinon.restore();
	});

	describe('views', () => {
		it('say nothing where all is well: with and without an IOMMU, a snoop, a bounce', () => {
			for (const [name, line] of [
				['m0', ''],
				['m1', ''],
				['m3', ''],
				['m4', ''],
				['m3', 'swiotlb=2048,force'],
				['m4', 'swiotlb=2048,force'],
			] as const) {
				boot(name, line);
				const model = board.model(name);
				for (const dir of [DMA_TO_DEVICE, DMA_FROM_DEVICE, DMA_BIDIRECTIONAL]) {
					const { buf, addr } = board.mapped(dev, 5000, dir);
					buf.fill(3);
					dma_sync_single_for_device(dev, addr, 5000, dir);
					if (dir !== DMA_FROM_DEVICE) model.fetch(addr, 5000);
					if (dir !== DMA_TO_DEVICE) model.store(addr, new Uint8Array(5000).fill(7));
					dma_sync_single_for_cpu(dev, addr, 5000, dir);
					dma_unmap_single(dev, addr, 5000, dir);
					kfree(buf);
					const table = list(3);
					const nents = dma_map_sg(dev, table.sgl!, 3, dir);
					expect(nents).to.be.greaterThan(0);
					if (dir !== DMA_TO_DEVICE) model.store(table.sgl!.dma_address, new Uint8Array(64).fill(9));
					dma_unmap_sg(dev, table.sgl!, 3, dir);
					sg_free_table(table);
				}
				const handle = new ref<number>(0);
				const cpu = dma_alloc_coherent(dev, 3 * PAGE_SIZE, handle, GFP_KERNEL)!;
				dma_free_coherent(dev, 3 * PAGE_SIZE, cpu, handle.value);
				board.san.quiet('the test');
				expect(board.san.text(), `${name} ${line}`).to.equal('');
			}
		});

		it('reports dirty lines that a mapping, or a sync, leaves for a device that does not snoop', () => {
			boot('m3');
			const { buf, addr } = board.mapped(dev, 1024, DMA_TO_DEVICE);
			sinon.stub(board.memory, 'clean');
			buf.fill(4);
			const [sync] = board.said(() => dma_sync_single_for_device(dev, addr, 1024, DMA_TO_DEVICE));
			expect(sync).to.include({ invariant: 'INV-OWN', kind: 'dirty-for-device', moment: 'return' });
			expect(sync.advice).to.match(/^dma_sync_single_for_device\(\) did not clean the CPU's lines of \[0x/);
			const other = kmalloc(1024, GFP_KERNEL)!.fill(5);
			expect(board.kinds(() => dma_map_single(dev, other, 1024, DMA_FROM_DEVICE))).to.deep.equal([
				'INV-OWN dirty-for-device return',
			]);
		});

		it('reports lines of the CPU that are older than what the device wrote, after a sync, an unmap, a list', () => {
			boot('m3');
			const { addr } = board.mapped(dev, 1024, DMA_FROM_DEVICE);
			sinon.stub(board.memory, 'invalidate');
			board.model('m3').store(addr + 512, Uint8Array.of(9));
			const [sync] = board.said(() => dma_sync_single_for_cpu(dev, addr, 1024, DMA_FROM_DEVICE));
			expect(sync).to.include({ invariant: 'INV-OWN', kind: 'stale-for-cpu', moment: 'return' });
			expect(sync.text).to.contain('512 bytes from the beginning of the buffer');
			expect(board.kinds(() => dma_unmap_single(dev, addr, 1024, DMA_FROM_DEVICE))).to.deep.equal([
				'INV-OWN stale-for-cpu return',
			]);
			const table = list(2);
			dma_map_sg(dev, table.sgl!, 2, DMA_FROM_DEVICE);
			board.model('m3').store(table.sgl!.dma_address, Uint8Array.of(9));
			const kinds = board.kinds(() => {
				dma_unmap_sg(dev, table.sgl!, 2, DMA_FROM_DEVICE);
				board.san.quiet('the unmap');
			});
			expect(kinds).to.deep.equal(['INV-OWN stale-for-cpu return']);
		});

		it('looks at the range of a partial sync only', () => {
			boot('m3');
			const { addr } = board.mapped(dev, 1024, DMA_FROM_DEVICE);
			board.model('m3').store(addr + 512, Uint8Array.of(9));
			dma_sync_single_for_cpu(dev, addr, 512, DMA_FROM_DEVICE);
			expect(board.san.text()).to.equal('');
		});

		it('reports a copy in a bounce slot that a mapping, a sync or an unmap did not bring up to date', () => {
			boot('m3', 'swiotlb=2048,force');
			const { buf, addr } = board.mapped(dev, 1024, DMA_BIDIRECTIONAL);
			const pool = swiotlb_find_pool(dev, addr)!;
			const { vaddr } = pool;
			pool.vaddr = new Uint8Array(pool.nslabs * 2048);
			buf[100] = 1;
			const [sync] = board.said(() => dma_sync_single_for_device(dev, addr, 1024, DMA_BIDIRECTIONAL));
			expect(sync).to.include({ invariant: 'INV-BOUNCE', kind: 'copy-differs', moment: 'return' });
			expect(sync.text).to.contain('and byte 100 differs');
			board.model('m3').store(addr, Uint8Array.of(77));
			expect(board.kinds(() => dma_unmap_single(dev, addr, 1024, DMA_BIDIRECTIONAL))).to.deep.equal([
				'INV-BOUNCE copy-differs return',
			]);
			const table = list(1);
			pool.vaddr = vaddr;
			dma_map_sg(dev, table.sgl!, 1, DMA_FROM_DEVICE);
			board.model('m3').store(table.sgl!.dma_address, Uint8Array.of(78));
			pool.vaddr = new Uint8Array(pool.nslabs * 2048);
			const kinds = board.kinds(() => {
				dma_unmap_sg(dev, table.sgl!, 1, DMA_FROM_DEVICE);
				board.san.quiet('the unmap');
			});
			expect(kinds).to.deep.equal(['INV-BOUNCE copy-differs return']);
		});

		it('reports a mapping that leads to other pages than the buffer’s', () => {
			boot('m0');
			const domain = iommu_get_dma_domain(dev);
			const { ops } = domain;
			domain.ops = {
				...ops,
				map_pages: (d, iova, paddr, ...rest) => ops!.map_pages!(d, iova, (paddr as number) + 4096, ...rest),
			};
			const [report] = board.said(() =>
				dma_map_page(dev, pfn_to_page(BUFS / PAGE_SIZE), 64, 100, DMA_TO_DEVICE),
			);
			domain.ops = ops;
			expect(report).to.include({ invariant: 'INV-LIVE-MAP', kind: 'wrong-translation', moment: 'return' });
			expect(report.text).to.contain(
				'byte 0 of the buffer is at 0x10000040, and the device comes to 0x10001040',
			);
		});

		it('reports an address above the device’s mask, and coherent memory that is cached', () => {
			boot('m0');
			dev.bus_dma_limit = 0;
			const mask = dev.dma_mask!;
			const [report] = board.said(() => {
				const { addr } = board.mapped(dev, 4096, DMA_TO_DEVICE);
				mask.value = 0xffff;
				dma_unmap_single(dev, addr, 4096, DMA_TO_DEVICE);
				mask.value = 0xffff_ffff;
			});
			expect(report).to.equal(undefined);
			sinon.stub(board.memory, 'isUncached').returns(false);
			const kinds = board.kinds(() => dma_alloc_coherent(dev, 4096, new ref<number>(0), GFP_KERNEL));
			expect(kinds).to.deep.equal(['INV-OWN cached-coherent return']);
		});

		it('reports coherent memory whose lines are dirty still', () => {
			boot('m0');
			const dirty = alloc_pages(GFP_KERNEL, 0)!;
			board.memory.linear(dirty.pfn * PAGE_SIZE, PAGE_SIZE)!.fill(1);
			__free_pages(dirty, 0);
			sinon.stub(board.memory, 'clean');
			sinon.stub(board.memory, 'clean_invalidate');
			sinon.stub(board.memory, 'evict');
			const kinds = board.kinds(() =>
				dma_alloc_attrs(dev, PAGE_SIZE, new ref<number>(0), GFP_KERNEL, DMA_ATTR_FORCE_CONTIGUOUS),
			);
			expect(kinds).to.include('INV-OWN dirty-coherent return');
		});
	});

	it('reports a bounce slot that does not keep the address bits that the device goes by', () => {
		boot('m3', 'swiotlb=2048,force');
		dma_set_min_align_mask(dev, 0);
		const { buf } = board.mapped(dev, 64, DMA_TO_DEVICE);
		sinon
			.stub(dev.dma_parms!, 'min_align_mask')
			.get(sinon.stub().onCall(0).returns(0).onCall(1).returns(0).onCall(2).returns(0).returns(0xfff));
		const kinds = board.kinds(() => dma_map_single(dev, buf.subarray(8), 8, DMA_TO_DEVICE));
		expect(kinds).to.include('INV-BOUNCE misaligned-slot return');
	});

	describe('pairs', () => {
		const wrong = (undo: (addr: number) => void, kind: string, advice: RegExp): void => {
			boot('m3');
			const { addr } = board.mapped(dev, 1024, DMA_TO_DEVICE);
			const [report] = board.said(() => undo(addr));
			expect(report).to.include({ invariant: 'INV-PAIR', kind, moment: 'return' });
			expect(report.advice).to.match(advice);
		};

		it('are of one size, direction and function, and of one address', () => {
			wrong(
				(a) => dma_unmap_single(dev, a, 512, DMA_TO_DEVICE),
				'wrong-size',
				/512 bytes, dma_map_page\(\) with 1024/,
			);
			wrong(
				(a) => dma_unmap_single(dev, a, 1024, DMA_FROM_DEVICE),
				'wrong-direction-at-end',
				/with DMA_FROM_DEVICE, dma_map_page\(\) with DMA_TO_DEVICE/,
			);
			wrong((a) => dma_unmap_resource(dev, a, 1024, DMA_TO_DEVICE, 0), 'wrong-twin', /its own twin/);
			wrong(
				(a) => dma_unmap_single(dev, a + 8, 1024, DMA_TO_DEVICE),
				'wrong-address',
				/8 bytes inside a mapping/,
			);
		});

		it('end once, and only what was mapped', () => {
			wrong(
				(a) => {
					dma_unmap_single(dev, a, 1024, DMA_TO_DEVICE);
					dma_unmap_single(dev, a, 1024, DMA_TO_DEVICE);
				},
				'double-unmap',
				/ends for the second time what dma_unmap_page\(\) has ended/,
			);
			wrong(() => dma_unmap_page(dev, 0x4000, 64, DMA_TO_DEVICE), 'never-mapped', /m3 never mapped/);
		});

		it('have the entries of the mapping, not those that it answered', () => {
			boot('m0');
			const table = new sg_table();
			sg_alloc_table(table, 2, GFP_KERNEL);
			sg_set_page(table.sgl!, pfn_to_page(BUFS / PAGE_SIZE), PAGE_SIZE, 0);
			sg_set_page(sg_next(table.sgl!)!, pfn_to_page(BUFS / PAGE_SIZE + 1), PAGE_SIZE, 0);
			expect(dma_map_sg(dev, table.sgl!, 2, DMA_TO_DEVICE)).to.equal(1);
			const [report] = board.said(() => dma_unmap_sg(dev, table.sgl!, 1, DMA_TO_DEVICE));
			expect(report).to.include({ invariant: 'INV-PAIR', kind: 'wrong-nents' });
			expect(report.advice).to.contain(
				'it takes the 2 that dma_map_sg() was called with, not what that answered',
			);
		});

		it('free with the address that the allocation answered', () => {
			boot('m3');
			const handle = new ref<number>(0);
			const cpu = dma_alloc_coherent(dev, 2 * PAGE_SIZE, handle, GFP_KERNEL)!;
			const other = dma_alloc_coherent(dev, 2 * PAGE_SIZE, new ref<number>(0), GFP_KERNEL)!;
			expect(cpu).not.to.equal(other);
			const kinds = board.kinds(() => dma_free_coherent(dev, 2 * PAGE_SIZE, other, handle.value));
			expect(kinds[0]).to.equal('INV-PAIR wrong-cpu-address return');
		});

		it('of syncs are inside one live mapping, in its direction', () => {
			const sync = (fn: typeof dma_sync_single_for_cpu, over: number, dir: dma_data_direction): string[] => {
				boot('m3');
				const { addr } = board.mapped(dev, 1024, DMA_FROM_DEVICE);
				return board.kinds(() => fn(dev, addr + over, 1024, dir));
			};
			expect(sync(dma_sync_single_for_cpu, 64, DMA_FROM_DEVICE)).to.deep.equal([
				'INV-PAIR sync-too-long return',
			]);
			expect(sync(dma_sync_single_for_device, 8192, DMA_FROM_DEVICE)).to.deep.equal([
				'INV-PAIR sync-never-mapped return',
			]);
			expect(sync(dma_sync_single_for_cpu, 0, DMA_TO_DEVICE)).to.deep.equal([
				'INV-PAIR sync-direction return',
			]);
		});
	});

	describe('places', () => {
		it('reports what is freed while it is mapped: bytes, and pages, with both histories', () => {
			boot('m3');
			const { buf } = board.mapped(dev, 256, DMA_TO_DEVICE);
			const [report] = board.said(() => kfree(buf));
			expect(report).to.include({ invariant: 'INV-LIVE-MAP', kind: 'free-while-mapped', moment: 'return' });
			expect(report.text).to.contain('Allocated by kmalloc').and.to.contain('Mapped by dma_map_page');
			const page = alloc_pages(GFP_KERNEL, 1)!;
			dma_map_page(dev, page, PAGE_SIZE, PAGE_SIZE, DMA_FROM_DEVICE);
			expect(board.kinds(() => __free_pages(page, 1))).to.deep.equal([
				'INV-LIVE-MAP free-while-mapped return',
			]);
		});

		it('reports coherent memory that is in use, as it is given away again', () => {
			boot('m4');
			const alloc = (): Uint8Array => dma_alloc_coherent(dev, PAGE_SIZE, new ref(0), GFP_KERNEL)!;
			const cpu = alloc();
			expect(board.kinds(alloc)).to.deep.equal([]);
			expect(board.kinds(() => __free_pages(virt_to_page(cpu), 0))).to.deep.equal([
				'INV-LIVE-MAP free-while-mapped return',
			]);
			expect(board.kinds(alloc)).to.deep.equal(['INV-OWN aliased-memory return']);
		});

		it('reports two mappings of a line where a device writes, though there is a bounce pool', () => {
			boot('m3');
			const page = alloc_pages(GFP_KERNEL, 0)!;
			dma_map_page(dev, page, 0, 1024, DMA_TO_DEVICE);
			dma_map_page(dev, page, 0, 1024, DMA_TO_DEVICE);
			expect(board.san.text()).to.equal('');
			expect(board.kinds(() => dma_map_page(dev, page, 512, 1024, DMA_FROM_DEVICE))).to.deep.equal([
				'INV-OWN overlapping-mappings return',
			]);
			dma_map_page(dev, page, 2048, 544, DMA_FROM_DEVICE);
			expect(board.kinds(() => dma_map_page(dev, page, 2592, 512, DMA_FROM_DEVICE))).to.deep.equal([
				'INV-OWN shared-line return',
			]);
		});

		it('reports stores of the CPU to what the device owns, as they are lost', () => {
			boot('m3');
			const { buf, addr } = board.mapped(dev, 1024, DMA_FROM_DEVICE);
			buf[130] = 1;
			const [report] = board.said(() => dma_sync_single_for_cpu(dev, addr, 1024, DMA_FROM_DEVICE));
			expect(report).to.include({ invariant: 'INV-OWN', kind: 'lost-stores', moment: 'return' });
			expect(report.text).to.contain('byte 128 of the buffer');
			const table = list(1);
			dma_map_sg(dev, table.sgl!, 1, DMA_FROM_DEVICE);
			board.memory.linear(BUFS, PAGE_SIZE)![0] = 9;
			expect(board.kinds(() => dma_unmap_sg(dev, table.sgl!, 1, DMA_FROM_DEVICE))).to.deep.equal([
				'INV-OWN lost-stores return',
			]);
		});

		it('reports a buffer that goes back to the device although nobody looked at what it wrote', () => {
			boot('m3');
			const { addr } = board.mapped(dev, 1024, DMA_FROM_DEVICE);
			board.model('m3').store(addr, Uint8Array.of(1));
			expect(board.kinds(() => dma_sync_single_for_device(dev, addr, 1024, DMA_FROM_DEVICE))).to.deep.equal([
				'INV-OWN missing-sync return',
			]);
		});

		it('reports what the device wrote beside what was synchronised, when it goes back, and no part that was', () => {
			boot('m3');
			for (const [size, back, kinds] of [
				[1024, 1024, []],
				[256, 256, []],
				[256, 1024, ['INV-OWN missing-sync return']],
			] as const) {
				const { addr } = board.mapped(dev, 1024, DMA_FROM_DEVICE);
				board.model('m3').store(addr, new Uint8Array(1024).fill(1));
				dma_sync_single_for_cpu(dev, addr, size, DMA_FROM_DEVICE);
				const give = (): void => dma_sync_single_for_device(dev, addr, back, DMA_FROM_DEVICE);
				expect(board.kinds(give), `${size} of ${back}`).to.deep.equal(kinds);
				dma_sync_single_for_cpu(dev, addr, 1024, DMA_FROM_DEVICE);
				dma_unmap_single(dev, addr, 1024, DMA_FROM_DEVICE);
			}
		});

		it('reports a list that ends without a look at what the device wrote, when nothing synchronises', () => {
			boot('m3');
			for (const [dir, syncs, kinds] of [
				[DMA_FROM_DEVICE, true, []],
				[DMA_TO_DEVICE, false, []],
				[DMA_BIDIRECTIONAL, false, ['INV-OWN missing-sync return']],
			] as const) {
				const table = list(2);
				dma_map_sg(dev, table.sgl!, 2, dir);
				if (dir !== DMA_TO_DEVICE) board.model('m3').store(table.sgl!.dma_address, Uint8Array.of(1));
				if (syncs) dma_sync_sg_for_cpu(dev, table.sgl!, 2, dir);
				const end = (): void => dma_unmap_sg_attrs(dev, table.sgl!, 2, dir, DMA_ATTR_SKIP_CPU_SYNC);
				expect(board.kinds(end)).to.deep.equal(kinds);
				sg_free_table(table);
			}
		});

		it('reports what a driver leaves behind, once it is gone', () => {
			boot('m3');
			board.mapped(dev, 1024, DMA_FROM_DEVICE);
			const [report] = board.said(() => board.masters.unbind());
			expect(report).to.include({ invariant: 'INV-LEAK', kind: 'leaked-mapping', moment: 'return' });
			expect(report.advice).to.contain(
				'remove() (or the error path of its probe()) does not undo dma_map_page()',
			);
		});
	});

	describe('addresses and slots', () => {
		it('that no mapping has are reported at a quiet point', () => {
			boot('m0');
			board.mapped(dev, 4096, DMA_TO_DEVICE);
			const { iovad } = iommu_get_dma_domain(dev).iova_cookie!;
			const pfn = alloc_iova_fast(iovad, 1, 0xfffff, true);
			const [report] = board.said(() => board.san.quiet('the test'));
			expect(report).to.include({ invariant: 'INV-LEAK', kind: 'leaked-iova', moment: 'quiet' });
			expect(report.text).to.contain(`[0x${(pfn * 4096).toString(16)}, `);
		});

		it('that a mapping that failed keeps are reported as it returns', () => {
			boot('m0');
			const domain = iommu_get_dma_domain(dev);
			const { ops } = domain;
			domain.ops = {
				...ops,
				map_pages: () => {
					alloc_iova_fast(domain.iova_cookie!.iovad, 1, 0xfffff, true);
					return -12;
				},
			};
			expect(board.kinds(() => board.mapped(dev, 4096, DMA_TO_DEVICE))).to.deep.equal([
				'INV-LEAK leaked-iova return',
			]);
			domain.ops = ops;
		});

		it('that an unmap keeps are reported as it returns', () => {
			boot('m0');
			const domain = iommu_get_dma_domain(dev);
			const { iovad } = domain.iova_cookie!;
			const { addr } = board.mapped(dev, 4096, DMA_TO_DEVICE);
			const { ops } = domain;
			const { rcaches } = iovad;
			domain.ops = {
				...ops,
				iotlb_sync: (d, gather) => {
					ops!.iotlb_sync?.(d, gather);
					iovad.rcaches = rcaches!.map((cache) =>
						Object.assign(Object.create(cache), {
							cpu_rcaches: {
								unit: cache.cpu_rcaches!.unit.map(() => ({
									...cache.cpu_rcaches!.unit[0],
									loaded: { size: 0, next: null, pfns: new Float64Array(127) },
								})),
							},
						}),
					);
				},
			};
			const cache = sinon.stub(board.san.journal, 'sample').callsFake(function (
				this: typeof board.san.journal,
				...args
			) {
				iovad.rcaches = rcaches;
				return cache.wrappedMethod.apply(this, args);
			});
			expect(board.kinds(() => dma_unmap_single(dev, addr, 4096, DMA_TO_DEVICE))).to.deep.equal([
				'INV-LEAK iova-not-freed return',
			]);
		});

		it('that are free while a mapping has them are reported at a quiet point, or as another gets them', () => {
			boot('m0');
			const { addr } = board.mapped(dev, 4096, DMA_TO_DEVICE);
			const other = board.mapped(dev, 4096, DMA_TO_DEVICE);
			dma_unmap_single(dev, other.addr, 4096, DMA_TO_DEVICE);
			const { iovad } = iommu_get_dma_domain(dev).iova_cookie!;
			const magazine = iovad.rcaches![0].cpu_rcaches!.unit[0]!.loaded!;
			expect(magazine.pfns[magazine.size - 1]).to.equal(other.addr / 4096);
			magazine.pfns[magazine.size++] = addr / 4096;
			expect(board.kinds(() => board.san.quiet('the free'))).to.deep.equal([
				'INV-IOVA iova-freed-early quiet',
			]);
			iommu_unmap(iommu_get_dma_domain(dev), addr, 4096);
			expect(board.kinds(() => dma_map_single(dev, other.buf, 4096, DMA_TO_DEVICE))).to.deep.equal([
				'INV-IOVA overlapping-iova return',
			]);
		});

		it('that a bounced buffer keeps are reported, as the unmap returns and at a quiet point', () => {
			boot('m3', 'swiotlb=2048,force');
			const { addr } = board.mapped(dev, 1024, DMA_TO_DEVICE);
			const pool = swiotlb_find_pool(dev, addr)!;
			const slot = pool.slots![(addr - pool.start) / 2048];
			Object.defineProperty(slot, 'list', { get: () => 0, set: () => {}, configurable: true });
			expect(board.kinds(() => dma_unmap_single(dev, addr, 1024, DMA_TO_DEVICE))).to.deep.equal([
				'INV-LEAK slot-not-freed return',
			]);
			expect(board.kinds(() => board.san.quiet('the test'))).to.deep.equal(['INV-BOUNCE slot-count quiet']);
		});

		it('that a mapping left are named with the buffer', () => {
			boot('m3', 'swiotlb=2048,force');
			const { buf, addr } = board.mapped(dev, 1024, DMA_TO_DEVICE);
			const mem = dev.dma_io_tlb_mem;
			dev.dma_io_tlb_mem = null;
			dma_unmap_single(dev, addr, 1024, DMA_TO_DEVICE);
			dev.dma_io_tlb_mem = mem;
			const [report] = board.said(() => board.san.quiet('the test'));
			expect(report).to.include({ invariant: 'INV-LEAK', kind: 'leaked-slot' });
			expect(report.text).to.contain(
				`for the buffer at 0x${(virt_to_phys(buf) as number).toString(16).padStart(8, '0')}`,
			);
		});
	});
});
