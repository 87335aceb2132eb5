// SPDX-License-Identifier: GPL-2.0-only
// What drivers do with the DMA API, on each way that DMA can take, against plain arrays: what one side stored before the
// hand-over is what the other sees after it; nobody stores next to a buffer; what a call that failed was given is as
// before; live device addresses never overlap; nothing is left. dma-debug and DMASAN watch.

import { expect } from 'chai';
import { PAGE_SIZE as PAGE } from '#asm/page-def.js';
import { sysfs_read } from '#fs/sysfs/user.js';
import type { TestMaster } from '#hw/misc/test-master.js';
import {
	dma_alloc_attrs,
	dma_free_attrs,
	dma_map_sg,
	dma_set_mask_and_coherent,
	dma_sync_sg_for_cpu,
	dma_sync_sg_for_device,
	dma_sync_single_for_cpu,
	dma_sync_single_for_device,
	dma_unmap_page,
	dma_unmap_sg,
} from '#kernel/dma/mapping.js';
import { sg_alloc_table, sg_free_table, sg_next } from '#lib/scatterlist.js';
import { udelay } from '#linux/delay.js';
import type { device } from '#linux/device.js';
import { DMA_BIDIRECTIONAL, DMA_FROM_DEVICE, DMA_TO_DEVICE } from '#linux/dma-direction.js';
import {
	DMA_MAPPING_ERROR,
	dma_get_max_seg_size,
	dma_get_min_align_mask,
	dma_set_max_seg_size,
	dma_set_min_align_mask,
} from '#linux/dma-mapping.js';
import { __GFP_NOWARN, GFP_ATOMIC, GFP_KERNEL } from '#linux/gfp.js';
import { virt_to_page, virt_to_phys } from '#linux/mm.js';
import { type scatterlist, sg_set_page, sg_table } from '#linux/scatterlist.js';
import { kfree, kmalloc } from '#linux/slab.js';
import { ref } from '#linux/types.js';
import { fail_page_alloc } from '#mm/fail_page_alloc.js';
import { slab_fault } from '#mm/failslab.js';
import { alloc_pages_exact, free_pages_exact } from '#mm/page_alloc.js';
import { slab_shrink_all } from '#mm/slub.js';
import type { Masters } from '#tests/drivers/iommu/masters.js';
import { boardTree, reg } from '#tests/kernel/dma/board.js';
import { dma_map_page } from '#tests/kernel/dma/client.js';
import { leakCheck } from '#tests/leaks.js';
import { sanitiserOf } from '#tests/sanitiser.js';
import type { Dmasan } from '#watch/dmasan.js';

const DEBUG = /\/kernel\/dma\/debug\.[jt]s/;

/** A way that DMA can take, and the masters that go it. */
export interface Way {
	readonly name: string;
	readonly masters: readonly string[];
	/** What is no longer mapped is out of reach. */
	readonly strict: boolean;
}

/** One on a golden board, or on a tree of the test's. */
export interface BoardWay extends Way {
	readonly board: () => string | Uint8Array;
	readonly commandLine: string;
}

const restricted = (): Uint8Array =>
	boardTree(
		{
			'restricted@50000000': {
				compatible: 'restricted-dma-pool',
				reg: reg(0x5000_0000, 4 << 20),
				phandle: [7],
			},
		},
		{ 'memory-region': [7] },
	);

export const WAYS: readonly BoardWay[] = [
	{ name: 'strict', board: () => 'main', commandLine: '', masters: ['m0', 'm1', 'm2'], strict: true },
	{ name: 'lazy', board: () => 'main', commandLine: 'iommu.strict=0', masters: ['m0', 'm1'], strict: false },
	{
		name: 'passthrough',
		board: () => 'main',
		commandLine: 'iommu.passthrough=1',
		masters: ['m0', 'm1'],
		strict: false,
	},
	{ name: 'direct', board: () => 'direct', commandLine: '', masters: ['m3', 'm4'], strict: false },
	{
		name: 'bounced',
		board: () => 'direct',
		commandLine: 'swiotlb=force',
		masters: ['m3', 'm4'],
		strict: false,
	},
	{
		name: 'bounced, a pool that grows',
		board: () => 'direct',
		commandLine: 'swiotlb=256,force swiotlb_dynamic=on',
		masters: ['m3', 'm4'],
		strict: false,
	},
	{ name: 'windows', board: () => 'ranges', commandLine: '', masters: ['m3'], strict: false },
	{ name: 'restricted', board: restricted, commandLine: '', masters: ['m3', 'm4'], strict: false },
];

/** What the IOMMU translates at least, whatever the CPU's pages are. */
const GRANULE = 4096;

const DIRECTIONS = [DMA_BIDIRECTIONAL, DMA_TO_DEVICE, DMA_FROM_DEVICE];
const CANARY = 0xa5;

/** Byte for byte; chai looks at thousands of bytes only when they differ, and says where. */
function expectSame(got: Uint8Array, want: Uint8Array): void {
	if (Buffer.compare(got, want) !== 0) expect(Buffer.from(got)).to.deep.equal(Buffer.from(want));
}

/** Memory for a buffer, with a few bytes of somebody else's on both sides. */
class Memory {
	readonly all: Uint8Array;
	readonly bytes: Uint8Array;
	readonly #fromSlab: boolean;

	constructor(size: number, offset: number, fromSlab: boolean) {
		this.#fromSlab = fromSlab;
		const all = fromSlab ? kmalloc(size, GFP_KERNEL) : alloc_pages_exact(offset + size + 32, GFP_KERNEL);
		if (all === null) throw new Error('out of memory');
		this.all = all;
		this.bytes = fromSlab ? all : all.subarray(offset, offset + size);
		all.fill(CANARY);
	}

	/** Whether the neighbours are as they were. */
	get intact(): boolean {
		const before = this.bytes.byteOffset - this.all.byteOffset;
		const after = before + this.bytes.length;
		const around = [this.all.subarray(0, before), this.all.subarray(after)];
		return around.every((bytes) => bytes.every((b) => b === CANARY));
	}

	free(): void {
		if (this.#fromSlab) kfree(this.all);
		else free_pages_exact(this.all, this.all.length);
	}
}

interface Range {
	readonly dma: number;
	readonly size: number;
}

/** A buffer that the device has: some pieces of memory, or coherent memory. */
interface Buffer {
	readonly dev: device;
	readonly master: TestMaster;
	/** null: coherent. */
	readonly dir: number | null;
	/** What both sides must see, all pieces in a row. */
	readonly want: Uint8Array;
	/** As the device sees them. */
	readonly ranges: readonly Range[];
	/** As the CPU sees them. */
	readonly views: readonly Uint8Array[];
	sync(toCpu: boolean, at: number, size: number): void;
	/** Unmap, check what lies around, free. */
	end(): void;
}

/** Call @visit with each part of [at, at + size) and the element of @parts that it lies in. */
function eachPart<T>(
	parts: readonly T[],
	length: (part: T) => number,
	at: number,
	size: number,
	visit: (part: T, offset: number, from: number, n: number) => void,
): void {
	let start = 0;
	for (const part of parts) {
		const from = Math.max(at, start);
		const to = Math.min(at + size, start + length(part));
		if (from < to) visit(part, from - start, from - at, to - from);
		start += length(part);
	}
}

const viewLength = (view: Uint8Array): number => view.length;
const rangeLength = (range: Range): number => range.size;

/** One thing that happens; numbers are taken modulo what there is. */
export type Step =
	| {
			readonly op: 'single';
			readonly who: number;
			readonly size: number;
			readonly offset: number;
			readonly dir: number;
			/** From kmalloc(), else pages of its own. */
			readonly slab: boolean;
			/** Which allocation fails; 0: none. */
			readonly failAt: number;
	  }
	| {
			readonly op: 'list';
			readonly who: number;
			readonly entries: readonly (readonly [size: number, offset: number])[];
			readonly dir: number;
			readonly failAt: number;
	  }
	| {
			readonly op: 'coherent';
			readonly who: number;
			readonly size: number;
			readonly attrs: number;
			readonly atomic: boolean;
			readonly failAt: number;
	  }
	| { readonly op: 'device'; readonly pick: number; readonly at: number; readonly size: number }
	| {
			readonly op: 'cpu';
			readonly pick: number;
			readonly at: number;
			readonly size: number;
			readonly stores: boolean;
	  }
	| { readonly op: 'end'; readonly pick: number };

/** A part of @buffer, inside it. */
function inside(buffer: Buffer, at: number, size: number): [at: number, size: number] {
	const from = at % buffer.want.length;
	return [from, Math.min(size, buffer.want.length - from)];
}

export class World {
	readonly dmasan: Dmasan;
	readonly buffers: Buffer[] = [];
	readonly #leaks: () => string[];
	#fill = 0;

	constructor(
		readonly way: Way,
		readonly masters: Masters,
	) {
		this.dmasan = sanitiserOf(masters.machine);
		for (const [i, name] of way.masters.entries()) {
			const dev = this.device(name);
			dma_set_mask_and_coherent(dev, 0xffff_ffff);
			dma_set_max_seg_size(dev, i === 0 ? 65536 : 3 * PAGE);
			// Like NVMe: the device goes by the offset inside a page.
			if (i === 1) dma_set_min_align_mask(dev, GRANULE - 1);
		}
		slab_shrink_all();
		this.#leaks = leakCheck();
	}

	device(name: string): device {
		return this.masters.device(name);
	}

	play(s: Step): void {
		const { masters } = this.way;
		if (s.op === 'single')
			this.single(masters[s.who % masters.length], s.size, s.offset, DIRECTIONS[s.dir], s.slab, s.failAt);
		else if (s.op === 'list')
			this.list(masters[s.who % masters.length], s.entries, DIRECTIONS[s.dir], s.failAt);
		else if (s.op === 'coherent')
			this.coherent(masters[s.who % masters.length], s.size, s.attrs, s.atomic, s.failAt);
		else if (this.buffers.length > 0) {
			const buffer = this.buffers[s.pick % this.buffers.length];
			if (s.op === 'device') this.deviceStores(buffer, ...inside(buffer, s.at, s.size));
			else if (s.op === 'cpu') this.cpuVisits(buffer, ...inside(buffer, s.at, s.size), s.stores);
			else this.end(buffer);
		}
	}

	next(size: number): Uint8Array {
		const bytes = new Uint8Array(size);
		for (let i = 0; i < size; i++) bytes[i] = this.#fill = (this.#fill * 29 + 17) & 0xff;
		return bytes;
	}

	/** Make the @nth allocation from here on fail while @call runs. */
	failing<T>(nth: number, call: () => T): T {
		slab_fault.reject = DEBUG;
		slab_fault.nth = nth;
		fail_page_alloc.nth = nth;
		try {
			return call();
		} finally {
			slab_fault.nth = 0;
			fail_page_alloc.nth = 0;
		}
	}

	single(name: string, size: number, offset: number, dir: number, fromSlab: boolean, failAt: number): void {
		const dev = this.device(name);
		const memory = new Memory(size, offset, fromSlab);
		const { bytes } = memory;
		const want = this.next(size);
		bytes.set(want);
		const map = (): number =>
			dma_map_page(dev, virt_to_page(bytes), virt_to_phys(bytes) % PAGE, size, dir) as number;
		const dma = failAt === 0 ? map() : this.failing(failAt, map);
		if (dma === (DMA_MAPPING_ERROR as number)) {
			this.failed(memory, want, failAt);
			return;
		}
		const mask = dma_get_min_align_mask(dev);
		expect(dma & mask, 'the bits of min_align_mask').to.equal(virt_to_phys(bytes) & mask);
		this.add({
			dev,
			master: this.masters.model(name),
			dir,
			want,
			ranges: [{ dma, size }],
			views: [bytes],
			sync: (toCpu, at, n) => {
				if (toCpu) dma_sync_single_for_cpu(dev, dma + at, n, dir);
				else dma_sync_single_for_device(dev, dma + at, n, dir);
			},
			end: () => {
				dma_unmap_page(dev, dma, size, dir);
				this.same([bytes], want);
				expect(memory.intact, 'what lies around the buffer').to.equal(true);
				memory.free();
			},
		});
	}

	list(
		name: string,
		entries: readonly (readonly [size: number, offset: number])[],
		dir: number,
		failAt: number,
	): void {
		const dev = this.device(name);
		const memories = entries.map(([size, offset]) => new Memory(size, offset, false));
		const views = memories.map((m) => m.bytes);
		const want = this.next(views.reduce((sum, v) => sum + v.length, 0));
		eachPart(views, viewLength, 0, want.length, (view, _offset, from, n) =>
			view.set(want.subarray(from, from + n)),
		);
		const table = new sg_table();
		expect(sg_alloc_table(table, entries.length, GFP_KERNEL)).to.equal(0);
		const sgl = table.sgl as scatterlist;
		let sg: scatterlist | null = sgl;
		for (const view of views) {
			sg_set_page(sg!, virt_to_page(view), view.length, virt_to_phys(view) % PAGE);
			sg = sg_next(sg!);
		}
		const map = (): number => dma_map_sg(dev, sgl, entries.length, dir);
		const count = failAt === 0 ? map() : this.failing(failAt, map);
		if (count === 0) {
			sg_free_table(table);
			let at = 0;
			for (const memory of memories) {
				const size = memory.bytes.length;
				this.failed(memory, want.subarray(at, at + size), failAt);
				at += size;
			}
			return;
		}
		const ranges: Range[] = [];
		for (sg = sgl; ranges.length < count; sg = sg_next(sg!))
			ranges.push({ dma: sg!.dma_address as number, size: sg!.dma_length });
		expect(ranges.reduce((sum, r) => sum + r.size, 0)).to.equal(want.length);
		for (const range of ranges) expect(range.size).to.be.at.most(dma_get_max_seg_size(dev));
		this.add({
			dev,
			master: this.masters.model(name),
			dir,
			want,
			ranges,
			views,
			sync: (toCpu) => {
				if (toCpu) dma_sync_sg_for_cpu(dev, sgl, entries.length, dir);
				else dma_sync_sg_for_device(dev, sgl, entries.length, dir);
			},
			end: () => {
				dma_unmap_sg(dev, sgl, entries.length, dir);
				this.same(views, want);
				sg_free_table(table);
				for (const memory of memories) {
					expect(memory.intact, 'what lies around the entries').to.equal(true);
					memory.free();
				}
			},
		});
	}

	coherent(name: string, size: number, attrs: number, atomic: boolean, failAt: number): void {
		const dev = this.device(name);
		const handle = new ref(0);
		const gfp = (atomic ? GFP_ATOMIC : GFP_KERNEL) | __GFP_NOWARN;
		const alloc = (): Uint8Array | null => dma_alloc_attrs(dev, size, handle, gfp, attrs);
		const cpu = failAt === 0 ? alloc() : this.failing(failAt, alloc);
		if (cpu === null) {
			// A device's own pool may be full, and so may be what serves those who cannot sleep.
			const full = atomic || this.way.name === 'restricted';
			expect(failAt > 0 || full, 'an allocation failed for no reason').to.equal(true);
			return;
		}
		const view = cpu.subarray(0, size);
		expect(view.every((b) => b === 0)).to.equal(true);
		const dma = handle.value as number;
		this.add({
			dev,
			master: this.masters.model(name),
			dir: null,
			want: new Uint8Array(size),
			ranges: [{ dma, size }],
			views: [view],
			sync: () => {},
			end: () => dma_free_attrs(dev, size, cpu, dma, attrs),
		});
	}

	/** The device stores @size bytes at @at. */
	deviceStores(buffer: Buffer, at: number, size: number): void {
		if (buffer.dir === DMA_TO_DEVICE) return;
		const data = this.next(size);
		eachPart(buffer.ranges, rangeLength, at, size, ({ dma }, offset, from, n) =>
			expect(buffer.master.store(dma + offset, data.subarray(from, from + n))).to.equal(true),
		);
		buffer.want.set(data, at);
	}

	/** The CPU takes the part back, looks, stores if it may, and gives it to the device again. */
	cpuVisits(buffer: Buffer, at: number, size: number, stores: boolean): void {
		if (buffer.dir !== DMA_TO_DEVICE) buffer.sync(true, at, size);
		eachPart(buffer.views, viewLength, at, size, (view, offset, from, n) =>
			expectSame(view.subarray(offset, offset + n), buffer.want.subarray(at + from, at + from + n)),
		);
		if (stores && buffer.dir !== DMA_FROM_DEVICE) {
			const data = this.next(size);
			eachPart(buffer.views, viewLength, at, size, (view, offset, from, n) =>
				view.set(data.subarray(from, from + n), offset),
			);
			buffer.want.set(data, at);
		}
		buffer.sync(false, at, size);
	}

	end(buffer: Buffer): void {
		this.buffers.splice(this.buffers.indexOf(buffer), 1);
		buffer.end();
		if (!this.way.strict) return;
		for (const { dma } of buffer.ranges)
			if (
				!this.buffers.some((b) => sharesSpace(b, buffer) && b.ranges.some((r) => touch(r, { dma, size: 1 })))
			)
				expect(buffer.master.fetch(dma, 1), 'what was unmapped').to.equal(null);
		// The driver gets the faults' interrupt, and has the master go on.
		udelay(10);
	}

	/** What the devices read is what is wanted. */
	check(): void {
		for (const { dir, master, ranges, want } of this.buffers) {
			if (dir === DMA_FROM_DEVICE) continue;
			const got = ranges.map(({ dma, size }) => master.fetch(dma, size));
			expectSame(Buffer.concat(got.map((part) => part ?? new Uint8Array())), want);
		}
		expect(this.dmasan.reports.length, 'findings of the sanitiser').to.equal(0);
	}

	/** Nothing is left of it all. */
	finish(): void {
		while (this.buffers.length > 0) this.end(this.buffers[0]);
		this.check();
		const dump = sysfs_read('/sys/kernel/debug/dma-api/dump') as string;
		expect(dump.split('\n').filter((line) => line.startsWith('test-masters'))).to.deep.equal([]);
		for (const name of this.way.masters)
			expect(this.device(name).dma_io_tlb_mem?.total_used.counter ?? 0).to.equal(0);
		slab_shrink_all();
		// An address space keeps its page tables, and the ranges in its caches.
		const kept = this.device(this.way.masters[0]).dma_iommu ? /^(iova|\w+\.iommu|\d+ pages)/ : /^$/;
		expect(this.#leaks().filter((line) => !kept.test(line))).to.deep.equal([]);
	}

	private add(buffer: Buffer): void {
		for (const other of this.buffers)
			if (sharesSpace(buffer, other))
				for (const range of buffer.ranges)
					expect(
						other.ranges.some((r) => touch(r, range)),
						'two mappings at one address',
					).to.equal(false);
		this.buffers.push(buffer);
	}

	/** A map that failed: there was a reason, and the memory is as it was. */
	private failed(memory: Memory, want: Uint8Array, failAt: number): void {
		expect(failAt, 'a mapping failed for no reason').to.be.greaterThan(0);
		this.same([memory.bytes], want);
		expect(memory.intact).to.equal(true);
		memory.free();
	}

	private same(views: readonly Uint8Array[], want: Uint8Array): void {
		eachPart(views, viewLength, 0, want.length, (view, _offset, from, n) =>
			expectSame(view, want.subarray(from, from + n)),
		);
	}
}

/** Whether the devices of two buffers have one space of addresses, that of the DMA API for their group. */
function sharesSpace(a: Buffer, b: Buffer): boolean {
	return a.dev.dma_iommu && b.dev.dma_iommu && a.dev.iommu_group === b.dev.iommu_group;
}

/** Whether two ranges have a page of the IOMMU in common. */
function touch(a: Range, b: Range): boolean {
	const page = (addr: number): number => Math.floor(addr / GRANULE);
	return page(a.dma) <= page(b.dma + b.size - 1) && page(b.dma) <= page(a.dma + a.size - 1);
}
