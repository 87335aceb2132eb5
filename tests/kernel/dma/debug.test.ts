// SPDX-License-Identifier: GPL-2.0-only
// dma-debug: each report is provoked by a client that is broken in that way. The texts are those of kernel/dma/debug.c.

import { expect } from 'chai';
import { pfn_to_page, virt_to_page } from '#asm/memory.js';
import { PAGE_SIZE } from '#asm/page-def.js';
import { bus_find_device_by_name } from '#drivers/base/bus.js';
import { device_release_driver } from '#drivers/base/dd.js';
import { platform_bus_type } from '#drivers/base/platform.js';
import { sysfs_read, sysfs_write } from '#fs/sysfs/user.js';
import { Machine } from '#hw/core/machine.js';
import { kernel_image } from '#include/asm-generic/sections.js';
import { start_kernel } from '#init/main.js';
import { debug_dma_dump_mappings, debug_dma_map_single } from '#kernel/dma/debug.js';
import {
	dma_alloc_coherent,
	dma_alloc_noncontiguous,
	dma_alloc_pages,
	dma_free_coherent,
	dma_free_noncontiguous,
	dma_free_pages,
	dma_map_page,
	dma_map_page_attrs,
	dma_map_resource,
	dma_map_sg,
	dma_map_single,
	dma_sync_sg_for_cpu,
	dma_sync_sg_for_device,
	dma_sync_single_for_cpu,
	dma_sync_single_for_device,
	dma_unmap_page,
	dma_unmap_resource,
	dma_unmap_sg,
	dma_unmap_single,
} from '#kernel/dma/mapping.js';
import { panic_state } from '#kernel/panic.js';
import { sg_alloc_table, sg_free_table, sg_next } from '#lib/scatterlist.js';
import type { device } from '#linux/device.js';
import {
	DMA_BIDIRECTIONAL,
	DMA_FROM_DEVICE,
	DMA_TO_DEVICE,
	type dma_data_direction,
} from '#linux/dma-direction.js';
import {
	DMA_ATTR_SKIP_CPU_SYNC,
	DMA_MAPPING_ERROR,
	dma_mapping_error,
	dma_set_max_seg_size,
	dma_set_seg_boundary,
} from '#linux/dma-mapping.js';
import { ENOMEM } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { get_page, nth_page } from '#linux/mm.js';
import { type scatterlist, sg_set_page, sg_table } from '#linux/scatterlist.js';
import { kfree, kmalloc } from '#linux/slab.js';
import { ref } from '#linux/types.js';
import { slab_fault } from '#mm/failslab.js';
import { __free_pages, alloc_pages, put_page, split_page } from '#mm/page_alloc.js';
import { boardBlob } from '#tests/boot.js';
import { Masters } from '#tests/drivers/iommu/masters.js';
import { Board, BUFS } from '#tests/kernel/dma/board.js';
import { testMachine } from '#tests/machine.js';
import { sanitiserOf } from '#tests/sanitiser.js';
import { expectFinding, expectWarning } from '#tests/setup.js';

const DIR = '/sys/kernel/debug/dma-api';
const page = (n = 0) => pfn_to_page(BUFS / PAGE_SIZE + n);
/** As many entries as are made at once: a page of 64 bytes each. */
const BATCH = PAGE_SIZE / 64;
const counter = (name: string): number => Number(sysfs_read(`${DIR}/${name}`));

/** A board whose pool of entries is small; it gives all reports, as each test's does. */
function boot(extra = '', name = 'main'): Board {
	const board = new Board(name, `dma_debug_entries=256 ${extra}`);
	// Its clients are broken on purpose, and DMASAN would say so, too.
	sanitiserOf(board.masters.machine).detach();
	return board;
}

/** A list of @n pages that are no neighbours. */
function list(n: number, length = 4096): sg_table {
	const t = new sg_table();
	sg_alloc_table(t, n, GFP_KERNEL);
	let sg: scatterlist | null = t.sgl;
	for (let i = 0; sg !== null; i += 2, sg = sg_next(sg)) sg_set_page(sg, page(i), length, 0);
	return t;
}

describe('debug', () => {
	let board: Board;
	let dev: device;
	beforeEach(() => {
		board = boot();
		// Not behind the IOMMU, so that a list's entries stay apart.
		dev = board.device('m3');
	});

	function map(dir: dma_data_direction = DMA_FROM_DEVICE, size = 4096): number {
		const addr = dma_map_page(dev, page(), 0, size, dir);
		expect(dma_mapping_error(dev, addr)).to.equal(0);
		return addr;
	}

	it('has nothing to say about a correct client', () => {
		for (const name of ['m0', 'm1', 'm3']) {
			const d = board.device(name);
			const one = dma_map_page(d, page(), 64, 1000, DMA_FROM_DEVICE);
			expect(dma_mapping_error(d, one)).to.equal(0);
			dma_sync_single_for_cpu(d, one + 100, 300, DMA_FROM_DEVICE);
			dma_sync_single_for_device(d, one, 1000, DMA_FROM_DEVICE);
			dma_unmap_page(d, one, 1000, DMA_FROM_DEVICE);

			const buf = kmalloc(256, GFP_KERNEL)!;
			const single = dma_map_single(d, buf, 256, DMA_TO_DEVICE);
			expect(dma_mapping_error(d, single)).to.equal(0);
			dma_unmap_single(d, single, 256, DMA_TO_DEVICE);

			const t = list(3);
			expect(dma_map_sg(d, t.sgl!, 3, DMA_BIDIRECTIONAL)).to.be.greaterThan(0);
			dma_sync_sg_for_cpu(d, t.sgl!, 3, DMA_BIDIRECTIONAL);
			dma_sync_sg_for_device(d, t.sgl!, 3, DMA_BIDIRECTIONAL);
			dma_unmap_sg(d, t.sgl!, 3, DMA_BIDIRECTIONAL);
			sg_free_table(t);

			const dma = new ref(0);
			const cpu = dma_alloc_coherent(d, 8192, dma, GFP_KERNEL)!;
			dma_free_coherent(d, 8192, cpu, dma.value);
			const p = dma_alloc_pages(d, 4096, dma, DMA_FROM_DEVICE, GFP_KERNEL)!;
			dma_free_pages(d, 4096, p, dma.value, DMA_FROM_DEVICE);
			const sgt = dma_alloc_noncontiguous(d, 8192, DMA_FROM_DEVICE, GFP_KERNEL, 0)!;
			dma_free_noncontiguous(d, 8192, sgt, DMA_FROM_DEVICE);
			const res = dma_map_resource(d, 0x0500_0000, 4096, DMA_TO_DEVICE, 0);
			expect(dma_mapping_error(d, res)).to.equal(0);
			dma_unmap_resource(d, res, 4096, DMA_TO_DEVICE, 0);
		}
		expect(counter('error_count')).to.equal(0);
		// The IOMMU's page tables are mapped, and stay so.
		expect(sysfs_read(`${DIR}/dump`)).to.not.match(/^test-masters/m);
	});

	it('reports the unmap of what was never mapped', () => {
		expectWarning(
			/^DMA-API: test-masters \S*m3: device driver tries to free DMA memory it has not allocated \[device address=0x0000000010000000\] \[size=64 bytes\]$/,
		);
		dma_unmap_page(dev, BUFS, 64, DMA_FROM_DEVICE);
	});

	it('reports the unmap of an error', () => {
		expectWarning(/device driver tries to free an invalid DMA memory address$/);
		const d = board.device('m3');
		d.dma_skip_sync = true;
		dma_unmap_resource(d, DMA_MAPPING_ERROR, 64, DMA_TO_DEVICE, 0);
	});

	it('reports a wrong size, direction and function', () => {
		expectWarning(
			/frees DMA memory with different size \[device address=0x0000000010000000\] \[map size=4096 bytes\] \[unmap size=2048 bytes\]$/,
		);
		dma_unmap_page(dev, map(), 2048, DMA_FROM_DEVICE);
		expectWarning(
			/frees DMA memory with different direction \[device address=0x0000000010000000\] \[size=4096 bytes\] \[mapped with DMA_FROM_DEVICE\] \[unmapped with DMA_TO_DEVICE\]$/,
		);
		dma_unmap_page(dev, map(), 4096, DMA_TO_DEVICE);
		expectWarning(
			/frees DMA memory with wrong function \[device address=0x0000000010000000\] \[size=4096 bytes\] \[mapped as single\] \[unmapped as resource\]$/,
		);
		dma_unmap_resource(dev, map(), 4096, DMA_FROM_DEVICE, 0);
		expect(counter('error_count')).to.equal(3);
	});

	it('reports a free with another CPU address, and that it frees what is mapped', () => {
		expectWarning(/memory is freed while it is mapped .* \[mapped as noncoherent\]$/);
		expectWarning(
			/frees DMA memory with different CPU address \[device address=0x[0-9a-f]{16}\] \[size=4096 bytes\] \[cpu alloc address=0x0x[0-9a-f]{16}\] \[cpu free address=0x0x[0-9a-f]{16}\]$/,
		);
		const a = new ref(0);
		const b = new ref(0);
		const first = dma_alloc_pages(dev, 4096, a, DMA_FROM_DEVICE, GFP_KERNEL)!;
		const second = dma_alloc_pages(dev, 4096, b, DMA_FROM_DEVICE, GFP_KERNEL)!;
		dma_free_pages(dev, 4096, second, a.value, DMA_FROM_DEVICE);
		dma_free_pages(dev, 4096, first, b.value, DMA_FROM_DEVICE);
		expect(counter('error_count')).to.equal(3);
	});

	it('tells coherent memory and resources from other mappings', () => {
		const size = '\\[size=4096 bytes\\]';
		expectWarning(new RegExp(`wrong function .* ${size} \\[mapped as coherent\\] \\[unmapped as single\\]$`));
		expectWarning(/different direction .*\[mapped with DMA_BIDIRECTIONAL\] \[unmapped with DMA_TO_DEVICE\]$/);
		const dma = new ref(0);
		const cpu = dma_alloc_coherent(dev, 4096, dma, GFP_KERNEL)!;
		dma_unmap_page(dev, dma.value, 4096, DMA_TO_DEVICE);
		expectWarning(/free DMA memory it has not allocated .* \[size=4096 bytes\]$/);
		dma_free_coherent(dev, 4096, cpu, dma.value);

		expectWarning(/failed to check map error\[.*\] \[size=64 bytes\] \[mapped as resource\]$/);
		const res = dma_map_resource(dev, 0x0500_0000, 64, DMA_TO_DEVICE, 0);
		dma_unmap_resource(dev, res, 64, DMA_TO_DEVICE, 0);
		expect(counter('error_count')).to.equal(4);
	});

	it('does not take a resource for mapped that could not be (deviation)', () => {
		expectWarning(/dma_direct_map_resource/);
		const res = dma_map_resource(dev, 0xf_0000_0000, 4096, DMA_TO_DEVICE, 0);
		expect(dma_mapping_error(dev, res)).to.equal(-ENOMEM);
		expect(sysfs_read(`${DIR}/dump`)).to.not.include('resource');
		device_release_driver(dev);
		expect(counter('error_count')).to.equal(0);
	});

	it('reports the unmap and the sync of a list with another entry count', () => {
		const t = list(3);
		expect(dma_map_sg(dev, t.sgl!, 3, DMA_FROM_DEVICE)).to.equal(3);
		expectWarning(/syncs DMA sg list with different entry count \[map count=3\] \[sync count=2\]$/);
		dma_sync_sg_for_cpu(dev, t.sgl!, 2, DMA_FROM_DEVICE);
		dma_sync_sg_for_device(dev, t.sgl!, 2, DMA_FROM_DEVICE);
		expect(counter('error_count')).to.equal(4);
		expectWarning(/frees DMA sg list with different entry count \[map count=3\] \[unmap count=2\]$/);
		dma_unmap_sg(dev, t.sgl!, 2, DMA_FROM_DEVICE);
		sg_free_table(t);
	});

	it('reports a mapping whose error was never asked for', () => {
		expectWarning(
			/device driver failed to check map error\[device address=0x0000000010000000\] \[size=64 bytes\] \[mapped as single\]$/,
		);
		dma_unmap_page(dev, dma_map_page(dev, page(), 0, 64, DMA_TO_DEVICE), 64, DMA_TO_DEVICE);
		expect(board.log.some((l) => l.includes('DMA-API: Mapped at:'))).to.equal(true);
		// Linux leaves out dma_entry_alloc() itself.
		const at = board.log.findIndex((l) => l.includes('DMA-API: Mapped at:'));
		expect(board.log[at + 1]).to.match(/ debug_dma_map_page \(kernel\/dma\/debug\./);
		expect(board.log[at + 2]).to.match(/ dma_map_page_attrs \(kernel\/dma\/mapping\./);
	});

	it('reports a sync of what is not mapped, and beyond the mapping', () => {
		expectWarning(
			/tries to sync DMA memory it has not allocated \[device address=0x0000000010100000\] \[size=64 bytes\]$/,
		);
		dma_sync_single_for_cpu(dev, BUFS + 0x10_0000, 64, DMA_FROM_DEVICE);
		const addr = map();
		expectWarning(/tries to sync DMA memory .* \[device address=0x0000000010000fc0\] \[size=128 bytes\]$/);
		dma_sync_single_for_cpu(dev, addr + 4032, 128, DMA_FROM_DEVICE);
		dma_unmap_page(dev, addr, 4096, DMA_FROM_DEVICE);
	});

	it('finds the mapping that a sync far inside belongs to', () => {
		const addr = map(DMA_FROM_DEVICE, 0x1_0000);
		dma_sync_single_for_cpu(dev, addr + 0xf000, 0x1000, DMA_FROM_DEVICE);
		dma_unmap_page(dev, addr, 0x1_0000, DMA_FROM_DEVICE);
		expect(counter('error_count')).to.equal(0);
	});

	it('reports syncs against the direction of the mapping', () => {
		const read = map(DMA_TO_DEVICE);
		expectWarning(
			/syncs DMA memory with different direction .*\[mapped with DMA_TO_DEVICE\] \[synced with DMA_FROM_DEVICE\]$/,
		);
		expectWarning(
			/syncs device read-only DMA memory for cpu \[device address=0x0000000010000000\] \[size=4096/,
		);
		dma_sync_single_for_cpu(dev, read, 64, DMA_FROM_DEVICE);
		dma_unmap_page(dev, read, 4096, DMA_TO_DEVICE);

		expectWarning(/syncs DMA memory with different direction .*\[synced with DMA_TO_DEVICE\]$/);
		const written = map(DMA_FROM_DEVICE);
		expectWarning(
			/syncs device write-only DMA memory to device .*\[mapped with DMA_FROM_DEVICE\] \[synced with DMA_TO_DEVICE\]$/,
		);
		dma_sync_single_for_device(dev, written, 64, DMA_TO_DEVICE);
		dma_unmap_page(dev, written, 4096, DMA_FROM_DEVICE);

		const both = map(DMA_BIDIRECTIONAL);
		dma_sync_single_for_device(dev, both, 64, DMA_TO_DEVICE);
		dma_unmap_page(dev, both, 4096, DMA_BIDIRECTIONAL);
		expect(counter('error_count')).to.equal(4);
	});

	it('reports segments that are too long, or cross a boundary', () => {
		dma_set_max_seg_size(dev, 2048);
		dma_set_seg_boundary(dev, 0x7ff);
		expectWarning(/mapping sg segment longer than device claims to support \[len=4096\] \[max=2048\]$/);
		expectWarning(
			/mapping sg segment across boundary \[start=0x0000000010000000\] \[end=0x0000000010000fff\] \[boundary=0x00000000000007ff\]$/,
		);
		const t = list(1);
		dma_map_sg(dev, t.sgl!, 1, DMA_TO_DEVICE);
		dma_unmap_sg(dev, t.sgl!, 1, DMA_TO_DEVICE);
		sg_free_table(t);
	});

	it('takes a segment without a length for one that crosses where there is a boundary only', () => {
		const t = list(1, 0);
		sg_set_page(t.sgl!, pfn_to_page(0), 0, 0);
		dma_map_sg(dev, t.sgl!, 1, DMA_TO_DEVICE);
		dma_unmap_sg(dev, t.sgl!, 1, DMA_TO_DEVICE);
		expect(counter('error_count')).to.equal(0);

		dma_set_seg_boundary(dev, 0xffff);
		expectWarning(/\[start=0x0000000000000000\] \[end=0xffffffffffffffff\] \[boundary=0x000000000000ffff\]$/);
		dma_map_sg(dev, t.sgl!, 1, DMA_TO_DEVICE);
		dma_unmap_sg(dev, t.sgl!, 1, DMA_TO_DEVICE);
		sg_free_table(t);
	});

	it('reports memory that is no RAM, as locals and constants are, and vmalloc memory', () => {
		expectWarning(/device driver maps memory from invalid area \[addr=\S+\] \[len=64\]$/);
		expectWarning(/rejecting DMA map of vmalloc memory$/);
		dma_map_single(dev, new Uint8Array(64), 64, DMA_TO_DEVICE);
		const cpu = dma_alloc_coherent(dev, 4096, new ref(0), GFP_KERNEL)!;
		expectWarning(/device driver maps memory from vmalloc area \[addr=\S+\] \[len=64\]$/);
		// dma_map_single() itself would refuse it first.
		debug_dma_map_single(dev, cpu, 64);
	});

	it('reports the kernel’s own image, in a page and in a list', () => {
		expect(kernel_image.end - kernel_image.start).to.be.above(0);
		expectWarning(/m3: device driver maps memory from kernel text or rodata \[addr=\S+\] \[len=100\]$/);
		const at = pfn_to_page(kernel_image.end / PAGE_SIZE - 1);
		const addr = dma_map_page(dev, at, 4000, 100, DMA_TO_DEVICE);
		dma_mapping_error(dev, addr);
		dma_unmap_page(dev, addr, 100, DMA_TO_DEVICE);

		expectWarning(/maps memory from kernel text or rodata \[addr=\S+\] \[len=4096\]$/);
		const t = list(2);
		sg_set_page(sg_next(t.sgl!)!, pfn_to_page(kernel_image.start / PAGE_SIZE), 4096, 0);
		dma_map_sg(dev, t.sgl!, 2, DMA_TO_DEVICE);
		dma_unmap_sg(dev, t.sgl!, 2, DMA_TO_DEVICE);
		sg_free_table(t);
		expect(counter('error_count')).to.equal(2);
	});

	describe('memory that is freed while it is mapped (deviation)', () => {
		const FREED =
			/^DMA-API: test-masters \S*m3: memory is freed while it is mapped \[address=0x[0-9a-f]{16}\] /;

		it('is reported by kfree(), once, and who mapped it', () => {
			const buf = kmalloc(256, GFP_KERNEL)!;
			const addr = dma_map_single(dev, buf, 100, DMA_TO_DEVICE);
			dma_mapping_error(dev, addr);
			expectWarning(FREED);
			expectWarning(/ \[size=100 bytes\] \[mapped with DMA_TO_DEVICE\] \[mapped as single\]$/);
			kfree(buf);
			const at = board.log.findIndex((l) => l.includes('DMA-API: Mapped at:'));
			expect(board.log[at + 1]).to.match(/ debug_dma_map_page \(kernel\/dma\/debug\./);
			dma_unmap_page(dev, addr, 100, DMA_TO_DEVICE);
			expect(counter('error_count')).to.equal(1);
		});

		it('is not another object of the same page, nor what was unmapped before', () => {
			const bufs = Array.from({ length: 4 }, () => kmalloc(512, GFP_KERNEL)!);
			expect(new Set(bufs.map((b) => virt_to_page(b))).size).to.equal(1);
			const addr = dma_map_single(dev, bufs[1]!, 512, DMA_FROM_DEVICE);
			dma_mapping_error(dev, addr);
			kfree(bufs[0]!);
			kfree(bufs[2]!);
			dma_unmap_page(dev, addr, 512, DMA_FROM_DEVICE);
			kfree(bufs[1]!);
			kfree(bufs[3]!);
			expect(counter('error_count')).to.equal(0);
		});

		it('is reported for pages, each of them, and for a large buffer', () => {
			const block = alloc_pages(GFP_KERNEL, 2)!;
			const addr = dma_map_page(dev, nth_page(block, 3), 4000, 96, DMA_FROM_DEVICE);
			dma_mapping_error(dev, addr);
			expectWarning(/ \[size=96 bytes\] \[mapped with DMA_FROM_DEVICE\] \[mapped as single\]$/);
			__free_pages(block, 2);
			expect(counter('error_count')).to.equal(1);
			dma_unmap_page(dev, addr, 96, DMA_FROM_DEVICE);

			const parts = alloc_pages(GFP_KERNEL, 2)!;
			split_page(parts, 2);
			const all = dma_map_page(dev, parts, 0, 4 * PAGE_SIZE, DMA_FROM_DEVICE);
			dma_mapping_error(dev, all);
			expectWarning(new RegExp(` \\[size=${4 * PAGE_SIZE} bytes\\]`));
			__free_pages(nth_page(parts, 3), 0);
			dma_unmap_page(dev, all, 4 * PAGE_SIZE, DMA_FROM_DEVICE);

			const large = kmalloc(0x1_0000, GFP_KERNEL)!;
			const whole = dma_map_single(dev, large, 0x1_0000, DMA_FROM_DEVICE);
			dma_mapping_error(dev, whole);
			expectWarning(/ \[size=65536 bytes\]/);
			kfree(large);
			expect(counter('error_count')).to.equal(3);
			dma_unmap_page(dev, whole, 0x1_0000, DMA_FROM_DEVICE);
		});

		it('waits for the last reference to a page', () => {
			const p = alloc_pages(GFP_KERNEL, 0)!;
			const addr = dma_map_page(dev, p, 0, 4096, DMA_TO_DEVICE);
			dma_mapping_error(dev, addr);
			get_page(p);
			__free_pages(p, 0);
			dma_unmap_page(dev, addr, 4096, DMA_TO_DEVICE);
			put_page(p);
			expect(counter('error_count')).to.equal(0);
		});

		it('is known of every entry of a list, and of each of several mappings', () => {
			const m0 = board.device('m0');
			const pages = [0, 1, 2].map(() => alloc_pages(GFP_KERNEL, 1)!);
			const t = new sg_table();
			sg_alloc_table(t, 3, GFP_KERNEL);
			pages.forEach((p, i) => {
				let sg = t.sgl!;
				for (let n = 0; n < i; n++) sg = sg_next(sg)!;
				sg_set_page(sg, p, 8192, 0);
			});
			// Behind the IOMMU the three come out as one segment.
			expect(dma_map_sg(m0, t.sgl!, 3, DMA_TO_DEVICE)).to.equal(1);
			const addr = dma_map_page(dev, pages[2]!, 4096, 64, DMA_TO_DEVICE);
			dma_mapping_error(dev, addr);
			expectWarning(/m0: memory is freed .* \[size=24576 bytes\] .* \[mapped as scatter-gather\]$/);
			expectWarning(/m3: memory is freed .* \[size=64 bytes\] .* \[mapped as single\]$/);
			__free_pages(pages[2]!, 1);
			expect(counter('error_count')).to.equal(2);
			dma_unmap_sg(m0, t.sgl!, 3, DMA_TO_DEVICE);
			dma_unmap_page(dev, addr, 64, DMA_TO_DEVICE);
			__free_pages(pages[0]!, 1);
			__free_pages(pages[1]!, 1);
			sg_free_table(t);
			expect(counter('error_count')).to.equal(2);
		});

		it('leaves nothing behind, whichever allocation of its own fails', () => {
			const t = list(5);
			const check = board.leakCheck();
			for (let nth = 1; nth <= 6; nth++) {
				slab_fault.name = 'dma_debug_memory';
				slab_fault.nth = nth;
				dma_map_sg(dev, t.sgl!, 5, DMA_TO_DEVICE);
				dma_unmap_sg(dev, t.sgl!, 5, DMA_TO_DEVICE);
				slab_fault.nth = 0;
				expect(check(), `allocation ${nth}`).to.deep.equal([]);
			}
			sg_free_table(t);
			expect(counter('error_count')).to.equal(0);
			expect(sysfs_read(`${DIR}/disabled`)).to.equal('N\n');
		});

		it('is none of a machine where dma-debug is off', () => {
			expectFinding(/free-while-mapped in kfree/);
			const other = new Board('main', 'dma_debug=off').device('m3');
			const buf = kmalloc(256, GFP_KERNEL)!;
			const addr = dma_map_single(other, buf, 256, DMA_TO_DEVICE);
			kfree(buf);
			dma_unmap_page(other, addr, 256, DMA_TO_DEVICE);
		});
	});

	it('reports a cache line that is mapped twice, unless small buffers bounce', () => {
		const twice = (d: device, attrs = 0): void => {
			const a = dma_map_page(d, page(), 0, 64, DMA_FROM_DEVICE);
			expect(dma_mapping_error(d, a)).to.equal(0);
			const b = dma_map_page_attrs(d, page(), 0, 64, DMA_FROM_DEVICE, attrs);
			expect(dma_mapping_error(d, b)).to.equal(0);
			dma_unmap_page(d, b, 64, DMA_FROM_DEVICE);
			dma_unmap_page(d, a, 64, DMA_FROM_DEVICE);
		};
		twice(dev);
		expect(counter('error_count')).to.equal(0);

		// CONFIG_DMA_BOUNCE_UNALIGNED_KMALLOC keeps the bounce buffer active unless it is refused.
		const other = boot('swiotlb=noforce').device('m3');
		twice(other, DMA_ATTR_SKIP_CPU_SYNC);
		expect(counter('error_count')).to.equal(0);
		expectWarning(/m3: cacheline tracking EEXIST, overlapping mappings aren't supported$/);
		twice(other);
		expect(counter('error_count')).to.equal(1);
		// The line is free again, and memory that is only read may be mapped often.
		const a = dma_map_page(other, page(), 0, 64, DMA_FROM_DEVICE);
		dma_mapping_error(other, a);
		dma_unmap_page(other, a, 64, DMA_FROM_DEVICE);
		expect(counter('error_count')).to.equal(1);
	});

	it('says once that more mappings share a cache line than it counts', () => {
		expectWarning(/^DMA-API: exceeded 7 overlapping mappings of cacheline 0x0000000000400000$/);
		const addrs = Array.from({ length: 9 }, () => map());
		for (const addr of addrs) dma_unmap_page(dev, addr, 4096, DMA_FROM_DEVICE);
	});

	it('reports a driver that leaves mappings behind', () => {
		map();
		const addr = dma_map_page(dev, page((4 * 4096) / PAGE_SIZE), 0, 64, DMA_TO_DEVICE);
		dma_mapping_error(dev, addr);
		expectWarning(
			/device driver has pending DMA allocations while released from device \[count=2\]\nOne of leaked entries details: \[device address=0x0000000010004000\] \[size=64 bytes\] \[mapped with DMA_TO_DEVICE\] \[mapped as single\]$/,
		);
		device_release_driver(dev);
	});

	it('shows live mappings in dump, and logs them', () => {
		const addr = dma_map_page(dev, page(), 64, 256, DMA_FROM_DEVICE);
		const line = 'single idx 0 P=0x0000000010000040 D=10000040 L=100 cln=0x0000000000400001 DMA_FROM_DEVICE';
		const idx = Math.floor(addr / 8192) % 16384;
		const want = line.replace('idx 0', `idx ${idx}`);
		const dump = sysfs_read(`${DIR}/dump`) as string;
		expect(dump).to.match(/^test-masters \S*m3 /m);
		expect(dump).to.include(`${want} dma map error not checked\n`);
		dma_mapping_error(dev, addr);
		debug_dma_dump_mappings(dev);
		expect(board.log.some((l) => l.includes(`${want} dma map error checked`))).to.equal(true);
		dma_unmap_page(dev, addr, 256, DMA_FROM_DEVICE);
		expect(sysfs_read(`${DIR}/dump`)).to.not.include('m3');
	});

	it('gives num_errors reports, and counts the others', () => {
		sysfs_write(`${DIR}/all_errors`, '0');
		expectWarning(/\[size=64 bytes\]$/);
		dma_unmap_page(dev, BUFS, 64, DMA_TO_DEVICE);
		dma_unmap_page(dev, BUFS, 65, DMA_TO_DEVICE);
		expect(counter('num_errors')).to.equal(0);
		expect(counter('error_count')).to.equal(2);
	});

	it('reports on the filtered driver only', () => {
		sysfs_write(`${DIR}/driver_filter`, 'somebody else\n');
		expect(sysfs_read(`${DIR}/driver_filter`)).to.equal('somebody\n');
		dma_unmap_page(dev, BUFS, 64, DMA_TO_DEVICE);
		expect(counter('error_count')).to.equal(1);

		sysfs_write(`${DIR}/driver_filter`, 'x'.repeat(80));
		expect(sysfs_read(`${DIR}/driver_filter`)).to.equal(`${'x'.repeat(63)}\n`);
		sysfs_write(`${DIR}/driver_filter`, 'test-masters\n');
		expectWarning(/\[size=65 bytes\]$/);
		dma_unmap_page(dev, BUFS, 65, DMA_TO_DEVICE);
		sysfs_write(`${DIR}/driver_filter`, '\n');
		expect(sysfs_read(`${DIR}/driver_filter`)).to.equal('');
		const log = board.log.join('\n');
		expect(log).to.include('DMA-API: enable driver filter for driver [test-masters]');
		expect(log).to.include('DMA-API: switching off dma-debug driver filter');
	});

	it('takes the filter from the command line', () => {
		const other = boot('dma_debug_driver=nobody').device('m3');
		expect(sysfs_read(`${DIR}/driver_filter`)).to.equal('nobody\n');
		dma_unmap_page(other, BUFS, 64, DMA_TO_DEVICE);
		expect(counter('error_count')).to.equal(1);
	});

	it('grows its pool, and says when it doubled', () => {
		const other = boot(`dma_debug_entries=${BATCH}`);
		dev = other.device('m3');
		const used = counter('nr_total_entries') - counter('num_free_entries');
		for (let i = used; i < 1.5 * BATCH + 1; i++) dma_map_page(dev, page(i), 0, 64, DMA_TO_DEVICE);
		expect(counter('nr_total_entries')).to.equal(2 * BATCH);
		expect(counter('min_free_entries')).to.equal(0);
		expect(
			other.log.some((l) => l.includes(`DMA-API: dma_debug_entry pool grown to ${2 * BATCH} (200%)`)),
		).to.equal(true);
	});

	it('says how many entries it has, and does without when there are none', () => {
		expect(board.log.some((l) => l.endsWith('DMA-API: preallocated 256 debug entries'))).to.equal(true);
		expect(board.log.some((l) => l.endsWith('DMA-API: debugging enabled by kernel config'))).to.equal(true);

		expect(counter('nr_total_entries')).to.equal(256);
		expect(counter('min_free_entries')).to.be.above(192);

		const without = (times: number): string[] => {
			const log: string[] = [];
			const onConsole = (_level: number, line: string): void => {
				log.push(line);
				if (!line.includes('Machine model')) return;
				slab_fault.name = 'dma_debug_entry';
				slab_fault.nth = 1;
				slab_fault.times = times;
			};
			start_kernel(
				testMachine(boardBlob('main'), { commandLine: `dma_debug_entries=${1.5 * BATCH}`, onConsole }),
			);
			return log;
		};
		expect(
			without(1).some((l) =>
				l.endsWith(`DMA-API: ${1.5 * BATCH} debug entries requested but only ${BATCH} allocated`),
			),
		).to.equal(true);
		expect(sysfs_read(`${DIR}/disabled`)).to.equal('N\n');
		expect(without(3).some((l) => l.endsWith('DMA-API: debugging out of memory error - disabled'))).to.equal(
			true,
		);
		expect(sysfs_read(`${DIR}/disabled`)).to.equal('Y\n');
	});

	it('switches itself off when memory runs out for a cache line', () => {
		slab_fault.name = 'xa_node';
		slab_fault.nth = 1;
		map();
		expect(sysfs_read(`${DIR}/disabled`)).to.equal('Y\n');
		expect(
			board.log.filter((l) => l.includes('DMA-API: cacheline tracking ENOMEM, dma-debug disabled')).length,
		).to.equal(1);
	});

	it('shows the first error only, unless asked for all', () => {
		for (const [line, shown] of [
			['dma_debug=off dma_debug=on', 1],
			['dma_debug=all', 3],
		] as const) {
			start_kernel(new Machine(boardBlob('main'), { commandLine: line }));
			const pdev = bus_find_device_by_name(platform_bus_type, null, 'm3')!;
			panic_state.warnings.length = 0;
			for (let i = 0; i < 3; i++) dma_unmap_page(pdev, BUFS, 64 + i, DMA_TO_DEVICE);
			expect(panic_state.warnings.length, line).to.equal(shown);
			expect(counter('error_count')).to.equal(3);
		}
		expectWarning(/\[size=6[456] bytes\]$/);
	});

	it('refuses a number of entries that is none, or that takes minutes to make', () => {
		for (const word of ['', 'x', '0', '-5', '99999999']) {
			const other = boot(`dma_debug_entries=${word}`);
			expect(counter('nr_total_entries'), word).to.equal(256);
			expect(other.log.join('\n')).to.include(`\`${word}' invalid for parameter \`dma_debug_entries'`);
		}
	});

	it('switches itself off when memory runs out', () => {
		const other = boot('dma_debug_entries=32');
		dev = other.device('m3');
		for (let i = counter('num_free_entries'); i > 0; i--) dma_map_page(dev, page(i), 0, 64, DMA_TO_DEVICE);
		slab_fault.nth = 1;
		dma_map_page(dev, page(), 0, 64, DMA_TO_DEVICE);
		expect(sysfs_read(`${DIR}/disabled`)).to.equal('Y\n');
		expect(other.log.some((l) => l.includes('DMA-API: debugging out of memory - disabling'))).to.equal(true);
	});

	it('is off unless the command line asks for it', () => {
		for (const commandLine of ['', 'dma_debug=on dma_debug=off']) {
			// Not testMachine(), which asks for it.
			const other = new Masters(new Machine(boardBlob('main'), { commandLine }));
			dma_unmap_page(other.device('m3'), BUFS, 64, DMA_TO_DEVICE);
			expect(sysfs_read(`${DIR}/disabled`)).to.equal('Y\n');
			expect(sysfs_read(`${DIR}/dump`)).to.equal('');
			expect(counter('error_count')).to.equal(0);
			expect(counter('nr_total_entries')).to.equal(0);
		}
	});
});
