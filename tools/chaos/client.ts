// SPDX-License-Identifier: GPL-2.0-only
// A client of the DMA API that does everything right: what it maps, the device uses, and both see the right bytes.

import { page_to_virt, virt_to_page } from '#asm/memory.js';
import { PAGE_SIZE } from '#asm/page-def.js';
import { hex } from '#hw/core/register-file.js';
import type { TestMaster } from '#hw/misc/test-master.js';
import {
	dma_alloc_coherent,
	dma_free_coherent,
	dma_map_page,
	dma_map_sgtable,
	dma_sync_sgtable_for_cpu,
	dma_sync_sgtable_for_device,
	dma_sync_single_for_cpu,
	dma_sync_single_for_device,
	dma_unmap_page,
	dma_unmap_sgtable,
} from '#kernel/dma/mapping.js';
import { for_each_sgtable_dma_sg, sg_alloc_table, sg_free_table, sg_next } from '#lib/scatterlist.js';
import type { device } from '#linux/device.js';
import { DMA_BIDIRECTIONAL, DMA_FROM_DEVICE, DMA_TO_DEVICE } from '#linux/dma-direction.js';
import { dma_mapping_error } from '#linux/dma-mapping.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { sg_dma_address, sg_dma_len, sg_set_page, sg_table } from '#linux/scatterlist.js';
import { ref } from '#linux/types.js';
import { __free_pages, alloc_pages } from '#mm/page_alloc.js';
import type { Draw } from '#watch/chaos.js';
import { below, compare, fill, oneOf, type Segment, type Shared } from './transfer.js';

const DIRECTIONS = [DMA_TO_DEVICE, DMA_FROM_DEVICE, DMA_BIDIRECTIONAL] as const;
const MAX_ORDER = 2;
const MAX_PIECES = 4;

/** A piece of memory that the CPU sees at @bytes. */
interface Piece {
	readonly bytes: Uint8Array;
	readonly order: number;
	readonly offset: number;
	readonly size: number;
}

/** A buffer, mapped for one device. */
export abstract class Buffer implements Shared {
	readonly masters: readonly TestMaster[];
	segments: readonly Segment[] = [];

	constructor(
		readonly dev: device,
		master: TestMaster,
		readonly dir: number,
		readonly pieces: readonly Piece[],
		readonly data: Uint8Array,
	) {
		this.masters = [master];
	}

	get reads(): boolean {
		return this.dir !== DMA_FROM_DEVICE;
	}

	get writes(): boolean {
		return this.dir !== DMA_TO_DEVICE;
	}

	abstract unmap(): void;
	abstract forCpu(): void;
	abstract forDevice(): void;
	abstract get name(): string;

	/** What the CPU sees has to be what is meant to be there. */
	look(): void {
		let at = 0;
		for (const { bytes, offset, size } of this.pieces) {
			const seen = bytes.subarray(offset, offset + size);
			compare(`the CPU reads ${this.name}`, at, seen, this.data.subarray(at, at + size));
			at += size;
		}
	}

	/** The CPU stores new bytes. */
	store(draw: Draw): void {
		fill(this.data, draw);
		let at = 0;
		for (const { bytes, offset, size } of this.pieces) {
			bytes.set(this.data.subarray(at, at + size), offset);
			at += size;
		}
	}

	free(): void {
		for (const { bytes, order } of this.pieces) __free_pages(virt_to_page(bytes), order);
	}
}

class Single extends Buffer {
	#dma = 0;

	map(): void {
		const { bytes, offset, size } = this.pieces[0];
		this.#dma = dma_map_page(this.dev, virt_to_page(bytes), offset, size, this.dir);
		if (dma_mapping_error(this.dev, this.#dma) !== 0) throw new Error('dma_map_page() has failed');
		this.segments = [{ addr: this.#dma, size }];
	}

	get name(): string {
		return `the buffer at ${hex(this.#dma, 8)}+${hex(this.data.length)}`;
	}

	unmap(): void {
		dma_unmap_page(this.dev, this.#dma, this.data.length, this.dir);
	}

	forCpu(): void {
		dma_sync_single_for_cpu(this.dev, this.#dma, this.data.length, this.dir);
	}

	forDevice(): void {
		dma_sync_single_for_device(this.dev, this.#dma, this.data.length, this.dir);
	}
}

class List extends Buffer {
	readonly #sgt = new sg_table();

	map(): void {
		const sgt = this.#sgt;
		if (sg_alloc_table(sgt, this.pieces.length, GFP_KERNEL) !== 0) throw new Error('no list');
		let sg = sgt.sgl;
		for (const { bytes, size, offset } of this.pieces) {
			sg_set_page(sg!, virt_to_page(bytes), size, offset);
			sg = sg_next(sg!);
		}
		const ret = dma_map_sgtable(this.dev, sgt, this.dir, 0);
		if (ret !== 0) throw new Error(`dma_map_sgtable() answers ${ret}`);
		this.segments = [...for_each_sgtable_dma_sg(sgt)].map((s) => ({
			addr: sg_dma_address(s),
			size: sg_dma_len(s),
		}));
	}

	get name(): string {
		return `the list of ${this.pieces.length} pieces at ${hex(this.segments[0].addr, 8)}`;
	}

	unmap(): void {
		dma_unmap_sgtable(this.dev, this.#sgt, this.dir, 0);
		sg_free_table(this.#sgt);
	}

	forCpu(): void {
		dma_sync_sgtable_for_cpu(this.dev, this.#sgt, this.dir);
	}

	forDevice(): void {
		dma_sync_sgtable_for_device(this.dev, this.#sgt, this.dir);
	}
}

/** Memory that both see at once. */
class Coherent extends Buffer {
	constructor(
		dev: device,
		master: TestMaster,
		readonly bytes: Uint8Array,
		readonly dma: number,
	) {
		const piece = { bytes, order: 0, offset: 0, size: bytes.length };
		super(dev, master, DMA_BIDIRECTIONAL, [piece], new Uint8Array(bytes.length));
		this.segments = [{ addr: dma, size: bytes.length }];
	}

	get name(): string {
		return `the coherent buffer at ${hex(this.dma, 8)}+${hex(this.bytes.length)}`;
	}

	unmap(): void {}

	forCpu(): void {}

	forDevice(): void {}

	override free(): void {
		dma_free_coherent(this.dev, this.bytes.length, this.bytes, this.dma);
	}
}

function newPiece(draw: Draw, whole: boolean): Piece {
	const order = below(draw, MAX_ORDER + 1);
	const page = alloc_pages(GFP_KERNEL, order);
	if (page === null) throw new Error('no memory');
	const room = PAGE_SIZE * 2 ** order;
	const offset = whole ? 0 : below(draw, room);
	const size = whole ? room : 1 + below(draw, room - offset);
	return { bytes: page_to_virt(page, room), order, offset, size };
}

/** A new buffer of any kind, mapped for @dev, whose master is @master. */
export function mapBuffer(dev: device, master: TestMaster, draw: Draw): Buffer {
	const kind = draw();
	if (kind < 0.2) {
		const size = PAGE_SIZE * (1 + below(draw, 3));
		const dma = new ref(0);
		const bytes = dma_alloc_coherent(dev, size, dma, GFP_KERNEL);
		if (bytes === null) throw new Error('dma_alloc_coherent() has failed');
		const coherent = new Coherent(dev, master, bytes, dma.value);
		coherent.look();
		coherent.store(draw);
		return coherent;
	}
	const dir = oneOf(draw, DIRECTIONS);
	const list = kind < 0.4;
	const pieces = Array.from({ length: list ? 1 + below(draw, MAX_PIECES) : 1 }, () => newPiece(draw, list));
	const data = new Uint8Array(pieces.reduce((sum, { size }) => sum + size, 0));
	const buffer = list ? new List(dev, master, dir, pieces, data) : new Single(dev, master, dir, pieces, data);
	buffer.store(draw);
	buffer.map();
	return buffer;
}

/** The device is done with @buffer: its mapping ends, and the CPU looks at it. */
export function endBuffer(buffer: Buffer): void {
	buffer.unmap();
	buffer.look();
	buffer.free();
}

/** The CPU takes the buffer back for a moment. */
export function syncBuffer(buffer: Buffer, draw: Draw): void {
	buffer.forCpu();
	buffer.look();
	if (buffer.reads) buffer.store(draw);
	buffer.forDevice();
}
