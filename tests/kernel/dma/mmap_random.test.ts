// SPDX-License-Identifier: GPL-2.0-only
// Long random sequences: buffers come and go, programs map parts of them, everybody stores and looks. What one stores
// the others see, and the sanitiser has nothing to say.
// A failure prints fast-check's seed and path: `fc.assert(..., { seed, path })` plays it again.

import { expect } from 'chai';
import fc from 'fast-check';
import { PAGE_SIZE as PAGE } from '#asm/page-def.js';
import { close_fd } from '#fs/file.js';
import type { device } from '#linux/device.js';
import { DMA_ATTR_FORCE_CONTIGUOUS, DMA_ATTR_WRITE_COMBINE } from '#linux/dma-mapping.js';
import { GFP_ATOMIC } from '#linux/gfp.js';
import type { vm_area_struct } from '#linux/mm_types.js';
import { ksys_munmap, mm_map_count } from '#mm/mmap.js';
import { bytes, map, openFile } from '#tests/mm/user.js';
import { sanitiserOf } from '#tests/sanitiser.js';
import { Board } from './board.js';
import { alloc, COUNT, pages, pieces, type Shown, syncForCpu, syncForDevice } from './shown.js';

interface Kind {
	readonly make: (dev: device) => Shown;
	readonly streaming: boolean;
	/** Whether a mapping keeps the pages of a buffer that is freed. */
	readonly counted: (behindIommu: boolean) => boolean;
}

const never = (): boolean => false;
const behind = (iommu: boolean): boolean => iommu;

const KINDS: readonly Kind[] = [
	{ make: alloc(), streaming: false, counted: behind },
	{ make: alloc(DMA_ATTR_WRITE_COMBINE), streaming: false, counted: behind },
	{ make: alloc(DMA_ATTR_FORCE_CONTIGUOUS), streaming: false, counted: never },
	{ make: alloc(0, GFP_ATOMIC), streaming: false, counted: never },
	{ make: pieces, streaming: true, counted: behind },
	{ make: pages, streaming: true, counted: never },
];
const MASTERS = ['m0', 'm1', 'm3', 'm4'];

interface Buffer {
	readonly master: string;
	readonly dev: device;
	readonly kind: Kind;
	readonly shown: Shown;
	readonly fd: number;
	/** What the first byte of each page is. */
	readonly content: number[];
	readonly vmas: { vma: vm_area_struct; pgoff: number }[];
}

class World {
	readonly board = new Board('main', 'page_placement=scattered');
	readonly dmasan = sanitiserOf(this.board.masters.machine);
	readonly buffers: Buffer[] = [];

	make(master: string, kind: Kind): void {
		const dev = this.board.device(master);
		const shown = kind.make(dev);
		const fd = openFile((vma) => shown.mmap(vma));
		const buffer: Buffer = { master, dev, kind, shown, fd, content: [0, 0, 0], vmas: [] };
		this.buffers.push(buffer);
		// Its owner clears what the DMA API does not.
		for (let page = 0; page < COUNT; page++) this.deviceStores(buffer, page, page + 1);
	}

	map(buffer: Buffer, pgoff: number, count: number): void {
		const vma = map(buffer.fd, Math.min(count, COUNT - pgoff), pgoff);
		buffer.vmas.push({ vma, pgoff });
	}

	deviceStores(buffer: Buffer, page: number, value: number): void {
		const at = buffer.shown.dma + page * PAGE;
		if (buffer.kind.streaming) syncForDevice(buffer.dev, buffer.shown);
		expect(this.board.masters.model(buffer.master).store(at, Uint8Array.of(value))).to.equal(true);
		if (buffer.kind.streaming) syncForCpu(buffer.dev, buffer.shown);
		buffer.content[page] = value;
	}

	programStores(buffer: Buffer, nth: number, page: number, value: number): void {
		const mapping = buffer.vmas[nth % buffer.vmas.length];
		if (mapping === undefined) return;
		const view = bytes(mapping.vma);
		const at = page % (view.length / PAGE);
		view[at * PAGE] = value;
		if (buffer.kind.streaming) syncForDevice(buffer.dev, buffer.shown);
		buffer.content[mapping.pgoff + at] = value;
	}

	unmap(buffer: Buffer, nth: number): void {
		const [mapping] = buffer.vmas.splice(nth % Math.max(1, buffer.vmas.length), 1);
		if (mapping !== undefined) ksys_munmap(mapping.vma);
	}

	free(buffer: Buffer): void {
		this.buffers.splice(this.buffers.indexOf(buffer), 1);
		close_fd(buffer.fd);
		const free = (): void => buffer.shown.free();
		const counted = buffer.kind.counted(buffer.master === 'm0' || buffer.master === 'm1');
		if (counted) free();
		while (buffer.vmas.length > 0) {
			this.programsSee(buffer);
			this.unmap(buffer, 0);
		}
		if (!counted) free();
	}

	programsSee(buffer: Buffer): void {
		for (const { vma, pgoff } of buffer.vmas) {
			const view = bytes(vma);
			for (let at = 0; at < view.length; at += PAGE)
				expect(view[at], `page ${at / PAGE} of the mapping`).to.equal(buffer.content[pgoff + at / PAGE]);
		}
	}

	check(): void {
		for (const buffer of this.buffers) {
			this.programsSee(buffer);
			const got = this.board.masters.model(buffer.master).fetch(buffer.shown.dma, (COUNT - 1) * PAGE + 1)!;
			expect([got[0], got[PAGE], got[2 * PAGE]], buffer.master).to.deep.equal(buffer.content);
		}
		expect(this.dmasan.text()).to.equal('');
		expect(mm_map_count()).to.equal(this.buffers.reduce((sum, b) => sum + b.vmas.length, 0));
	}
}

const number = fc.nat({ max: 255 });
const step = fc.tuple(
	fc.constantFrom('make', 'map', 'map', 'device', 'program', 'program', 'unmap', 'free'),
	number,
	number,
	number,
);

function run(steps: readonly (readonly [string, number, number, number])[]): void {
	const world = new World();
	for (const [what, a, b, c] of steps) {
		const buffer = world.buffers[a % Math.max(1, world.buffers.length)];
		if (what === 'make' || buffer === undefined)
			world.make(MASTERS[b % MASTERS.length], KINDS[c % KINDS.length]);
		else if (what === 'map') world.map(buffer, b % COUNT, 1 + (c % COUNT));
		else if (what === 'device') world.deviceStores(buffer, b % COUNT, c);
		else if (what === 'program') world.programStores(buffer, b, b >> 4, c);
		else if (what === 'unmap') world.unmap(buffer, b);
		else world.free(buffer);
		world.check();
	}
	while (world.buffers.length > 0) world.free(world.buffers[0]);
	world.check();
}

describe('mmap in random order', () => {
	it('shows everybody what the others stored, until the last mapping is gone', () => {
		fc.assert(fc.property(fc.array(step, { minLength: 10, maxLength: 60 }), run), { numRuns: 12 });
	});
});
