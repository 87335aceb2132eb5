// SPDX-License-Identifier: GPL-2.0-only
// Caches and walks over a format of the large kind: four levels of 512 words of 64 bits, pages of 4 KiB, 2 MiB, 1 GiB.
import { expect } from 'chai';
import { Ram } from '#hw/core/ram.js';
import { randomStream } from '#hw/core/random.js';
import { readCpu, type TableFormat, type TableLevel, Walked, walkMemory } from '#hw/iommu/format.js';
import { habitsOf } from '#hw/iommu/habits.js';
import { type Iommu, READ, type WalkRead, WRITE } from '#hw/iommu/iommu.js';
import { Translation } from '#hw/iommu/translation.js';

const BASE = 0x1_0000_0000;
const SIZE = 0x400_0000;
const HIGH = 2 ** 32;

/** Bit 0 valid, bit 1 table (at the last level: page), bit 7 no write, 47:12 address; bit 54 and others are ignored. */
const level = (name: string, shift: number, pages: boolean, last: boolean): TableLevel => ({
	name,
	shift,
	indexBits: 9,
	decode(word, high, out) {
		const table = (word & 2) !== 0 && !last;
		const ok = (word & 1) !== 0 && (table || (last ? (word & 2) !== 0 : pages));
		out.kind = !ok ? 'invalid' : table ? 'table' : 'page';
		// A page's address has no bits below its size; those of a gigabyte are all zero here.
		const mask = table || last ? 0xfffff000 : 0xffe00000;
		out.addr = (high & 0xffff) * HIGH + ((word & mask) >>> 0);
		out.rights = word & 0x80 ? READ : READ | WRITE;
	},
	fields: [{ name: 'ADDR', bits: [47, 12] }],
});
const FORMAT: TableFormat = {
	wordBytes: 8,
	levels: [
		level('L0', 39, false, false),
		level('L1', 30, true, false),
		level('L2', 21, true, false),
		level('L3', 12, false, true),
	],
};
const PAGES: readonly [level: number, size: number][] = [
	[1, 2 ** 30],
	[2, 2 ** 21],
	[3, 2 ** 12],
];

class Bench {
	readonly ram = new Ram([{ base: BASE, size: SIZE }]);
	readonly clock = { now: 0 };
	readonly habits = { ...habitsOf('pessimistic') };
	readonly reads: WalkRead[] = [];
	readonly translation: Translation;
	readonly roots = [BASE, BASE + 0x1000];
	#next = BASE + 0x10000;

	constructor(format = FORMAT, pageLevels: readonly number[] = [1, 2, 3]) {
		const owner = {
			name: 'test',
			streamCount: 2,
			streamName: (n: number) => `s${n}`,
			observers: [{ walked: (_iommu: Iommu, read: WalkRead) => this.reads.push(read) }],
		} as unknown as Iommu;
		this.translation = new Translation(owner, {
			format,
			pageLevels,
			micro: true,
			names: { micro: 'uTLB', shared: 'TLB', walk: 'walk cache' },
			view: { ram: this.ram, snoop: false },
			clock: this.clock,
			random: randomStream(1),
			habits: this.habits,
			note: () => {},
			rootOf: (tag) => this.roots[tag] ?? -1,
		});
	}

	poke(addr: number, low: number, high: number): void {
		const bytes = new Uint8Array(8);
		new DataView(bytes.buffer).setUint32(0, low, true);
		new DataView(bytes.buffer).setUint32(4, high, true);
		this.ram.load(addr, bytes);
	}

	/** Set the word of @at for @iova in the tables of @tag, making tables on the way; false: a page is in the way. */
	set(tag: number, iova: number, at: number, phys: number): boolean {
		let table = this.roots[tag];
		const index = (n: number): number => Math.floor(iova / 2 ** FORMAT.levels[n].shift) % 512;
		for (let n = 0; n < at; n++) {
			const addr = table + 8 * index(n);
			const word = this.ram.readWord(addr);
			if ((word & 1) === 0) {
				this.poke(addr, (this.#next % HIGH) + 3, Math.floor(this.#next / HIGH));
				this.#next += 0x1000;
			} else if ((word & 2) === 0) return false;
			table = this.ram.readWord(addr + 4) * HIGH + ((this.ram.readWord(addr) & 0xfffff000) >>> 0);
		}
		const addr = table + 8 * index(at);
		if (at < 3 && (this.ram.readWord(addr) & 3) === 3) return false;
		const bits = phys < 0 ? 0 : at === 3 ? 3 : 1;
		this.poke(addr, phys < 0 ? 0 : ((phys % HIGH) + bits) >>> 0, phys < 0 ? 0 : Math.floor(phys / HIGH));
		return true;
	}

	/** Where a walk by no cache leads; -1: nowhere. */
	reference(tag: number, iova: number): number {
		const at = new Walked();
		walkMemory({ ram: this.ram, snoop: false }, FORMAT, this.roots[tag], iova, at);
		if (at.decoded.kind !== 'page') return -1;
		return at.decoded.addr + (iova % 2 ** FORMAT.levels[at.level].shift);
	}

	ask(stream: number, tag: number, iova: number): number {
		const entry = this.translation.lookup(stream, tag, this.roots[tag], iova);
		return entry.valid ? entry.phys + (iova - entry.iova) : -1;
	}
}

describe('iommu_translation', () => {
	it('reads a word at each level, 64 bits each, above 4 GiB', () => {
		const b = new Bench();
		b.set(0, 0x1234_5678_9000, 3, 0x7_0000_5000);
		expect(b.ask(0, 0, 0x1234_5678_9abc)).to.equal(0x7_0000_5abc);
		expect(b.reads.map(({ table }) => table)).to.deep.equal(['L0', 'L1', 'L2', 'L3']);
		expect(b.reads[3].word).to.equal(0x7_0000_5003n);
	});

	for (const [at, size] of PAGES)
		it(`keeps a page of ${size} bytes as one entry, good to its last byte`, () => {
			const b = new Bench();
			b.habits.neighbours = 1;
			b.set(0, 2 ** 31, at, 2 ** 31);
			expect(b.ask(0, 0, 2 ** 31)).to.equal(2 ** 31);
			const before = b.reads.length;
			expect(b.ask(0, 0, 2 ** 31 + size - 1)).to.equal(2 ** 31 + size - 1);
			expect(b.reads.length).to.equal(before);
			expect(b.ask(0, 0, 2 ** 31 + size)).to.equal(-1);
		});

	it('has no cache of tables, and no figure of one, where there is a single level', () => {
		const { translation } = new Bench({ wordBytes: 8, levels: [level('ONLY', 16, false, true)] }, [0]);
		expect(translation.caches().map((cache) => cache.name)).to.deep.equal([
			'uTLB of s0',
			'uTLB of s1',
			'TLB',
		]);
		expect(translation.figuresOf(undefined).map((figure) => figure.name)).to.deep.equal([
			'accesses',
			'bypassed',
			'uTLB hits',
			'TLB hits',
			'table walks',
			'prefetches',
			'faults',
			'refused',
		]);
	});

	it('remembers tables on the way, for one tag alone', () => {
		const b = new Bench();
		b.habits.neighbours = 1;
		for (const tag of [0, 1]) for (const iova of [0x5000, 0x6000]) b.set(tag, iova, 3, 0x1000 * (tag + 1));
		b.ask(0, 0, 0x5000);
		b.reads.length = 0;
		b.ask(0, 0, 0x6000);
		expect(b.reads.map(({ table }) => table)).to.deep.equal(['L3']);
		b.ask(0, 1, 0x5000);
		expect(b.reads.map(({ table }) => table)).to.deep.equal(['L3', 'L0', 'L1', 'L2', 'L3']);
	});

	it('brings in the neighbours of a table word, invalid ones by habit', () => {
		for (const negativeNeighbours of [false, true]) {
			const b = new Bench();
			Object.assign(b.habits, { walkNeighbours: 4, negativeNeighbours });
			for (const n of [4, 6]) b.set(0, n * 2 ** 21, 3, 0x5000);
			b.ask(0, 0, 6 * 2 ** 21);
			const numbers = [...b.translation.walk[2].entries()].map(({ iova }) => iova / 2 ** 21);
			expect(numbers.sort()).to.deep.equal(negativeNeighbours ? [4, 5, 6, 7] : [4, 6]);
		}
	});

	it('says that a word was where no memory is, and keeps nothing of it', () => {
		const b = new Bench();
		b.set(0, 0x5000, 3, 0x5000);
		b.roots[1] = 0x10_0000_0000;
		expect(b.ask(0, 1, 0x5000)).to.equal(-1);
		expect(b.translation.outside).to.equal(true);
		expect(b.translation.caches().map(({ size }) => size)).to.deep.equal([0, 0, 0, 0, 0, 0]);
		expect(b.ask(0, 0, 0x5000)).to.equal(0x5000);
		expect(b.translation.outside).to.equal(false);
		b.roots[1] = b.roots[0];
		expect(b.ask(0, 1, 0x5000)).to.equal(0x5000);
	});

	it('finds every lie, by whichever cache, and no truth (against a walk of its own)', () => {
		const b = new Bench();
		const random = randomStream(7);
		const pick = (n: number): number => Math.floor(random() * n);
		for (let step = 0; step < 3000; step++) {
			const tag = pick(2);
			const [at, size] = PAGES[pick(8) === 0 ? pick(3) : 2];
			const iova = pick(4) * 2 ** 30 + pick(3) * 2 ** 21 + pick(6) * 2 ** 12;
			const first = iova - (iova % size);
			if (pick(3) === 0) b.set(tag, first, at, pick(3) === 0 ? -1 : pick(64) * 2 ** 30);
			else b.ask(pick(2), tag, iova);
			if (pick(10) === 0) {
				b.translation.dropPages(tag, first, first + size - 1, 'test');
				b.translation.dropTables(tag, first, first + size - 1, 'test');
			}
			if (step % 50 !== 0) continue;
			const said = new Set(b.translation.contradictions(0, 2 ** 48 - 1).map(({ entry }) => entry));
			for (const cache of [...b.translation.micro, b.translation.shared])
				for (const entry of cache.entries()) {
					const truth = b.reference(entry.tag, entry.iova);
					const same = entry.valid ? truth === entry.phys : truth < 0;
					// What leads to the same place by another word is no lie that an access could notice.
					if (!same) expect(said.has(entry), `step ${step}: ${entry.iova}`).to.equal(true);
				}
		}
	});

	it('names a page that is cached as not mapped, and that a larger one maps now', () => {
		const b = new Bench();
		b.habits.neighbours = 1;
		b.set(0, 0x5000, 3, -1);
		expect(b.ask(0, 0, 0x5000)).to.equal(-1);
		b.poke(b.reads[2].addr, 0x4000_0001, 0);
		expect(b.reference(0, 0x5000)).to.equal(0x4000_5000);
		const said = b.translation.contradictions(0, 2 ** 48 - 1);
		expect(said.map(({ invariant, cache }) => [invariant, cache.name])).to.deep.equal([
			['INV-PTW', 'walk cache of L2'],
			['INV-TLB-MAP', 'uTLB of s0'],
			['INV-TLB-MAP', 'TLB'],
		]);
		expect(said[2].memory).to.equal(0x4000_0001n);
	});

	it('is silent when every change is invalidated', () => {
		const b = new Bench();
		const random = randomStream(9);
		const pick = (n: number): number => Math.floor(random() * n);
		for (let step = 0; step < 2000; step++) {
			const tag = pick(2);
			const iova = pick(4) * 2 ** 30 + pick(3) * 2 ** 21 + pick(6) * 2 ** 12;
			if (pick(3) === 0 && b.set(tag, iova, 3, pick(3) === 0 ? -1 : pick(64) * 2 ** 30)) {
				b.translation.dropPages(tag, iova, iova + 0xfff, 'test');
				b.translation.dropTables(tag, iova, iova + 0xfff, 'test');
			} else expect(b.ask(pick(2), tag, iova)).to.equal(b.reference(tag, iova));
			if (step % 50 === 0) expect(b.translation.contradictions(0, 2 ** 48 - 1)).to.deep.equal([]);
		}
	});

	it('explains words of 64 bits as memory and CPU have them', () => {
		const b = new Bench();
		b.set(0, 0x5000, 3, 0x7_0000_5000);
		b.ask(1, 0, 0x5000);
		const steps = b.translation.explain(1, 0, b.roots[0], 0x5000);
		const { addr } = steps[3];
		b.ram.linear_words(addr, 2)!.set([1, 2]);
		const now = b.translation.explain(1, 0, b.roots[0], 0x5000)[3];
		expect([now.memory, now.cpu, now.dirty]).to.deep.equal([0x7_0000_5003n, 0x2_0000_0001n, true]);
		expect(now.fields).to.deep.equal([{ name: 'ADDR', bits: [47, 12], value: 0x700005n }]);
		expect(now.cached.map(({ cache }) => cache)).to.deep.equal(['uTLB of s1', 'TLB']);
		expect(readCpu(b.ram, addr, 8)).to.equal(0x2_0000_0001n);
	});
});
