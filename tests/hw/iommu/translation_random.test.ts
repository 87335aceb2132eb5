// SPDX-License-Identifier: GPL-2.0-only
// Random formats under random habits: what a cache may answer, and what is said of it.
import { expect } from 'chai';
import fc from 'fast-check';
import { Ram } from '#hw/core/ram.js';
import { randomStream } from '#hw/core/random.js';
import { inputBitsOf, type TableFormat, type TableLevel, Walked, walkMemory } from '#hw/iommu/format.js';
import { type Habits, habitsOf } from '#hw/iommu/habits.js';
import { type Iommu, READ } from '#hw/iommu/iommu.js';
import { Translation } from '#hw/iommu/translation.js';

const BASE = 0x1000_0000;
const FRAME = 4096;
const TAGS = [0, 1];

/** Bit 0 valid, bit 1 table, 31:4 frame number; of words of 64 bits the upper half is a mark that nobody decodes. */
const level = (n: number, shift: number, indexBits: number, last: boolean): TableLevel => ({
	name: `L${n}`,
	shift,
	indexBits,
	decode(word, _high, out) {
		out.kind = (word & 1) === 0 ? 'invalid' : word & 2 && !last ? 'table' : 'page';
		out.addr = (word >>> 4) * FRAME;
		out.rights = READ;
	},
	fields: [],
});

const size = fc.constantFrom(0, 1, 2, 5, Number.POSITIVE_INFINITY);
const neighbours = fc.constantFrom(1, 2, 3, 8, 16);
const cases = fc.record({
	wordBytes: fc.constantFrom<4 | 8>(4, 8),
	pageShift: fc.integer({ min: 12, max: 16 }),
	indexBits: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }),
	micro: fc.boolean(),
	habits: fc.record({
		microEntries: size,
		sharedEntries: size,
		walkEntries: size,
		negative: fc.boolean(),
		neighbours,
		walkNeighbours: neighbours,
		negativeNeighbours: fc.boolean(),
		prefetch: fc.boolean(),
		evictChance: fc.constantFrom(0, 0.3),
	}),
	seed: fc.integer({ min: 1, max: 1_000_000 }),
});
type Given = typeof cases extends fc.Arbitrary<infer T> ? T : never;

class Bench {
	readonly ram = new Ram([{ base: BASE, size: 0x100_0000 }]);
	#tables = 0;
	#mark = 0;
	readonly format: TableFormat;
	readonly translation: Translation;
	readonly roots = TAGS.map(() => this.table());
	readonly pick: (n: number) => number;
	/** The addresses that the test asks for. */
	readonly places: readonly number[];
	/** For each tag and place: what the tables have said since it was invalidated last. */
	readonly past: Set<number>[][];

	constructor(given: Given) {
		let shift = given.pageShift;
		// Addresses of more than 52 bits are no whole numbers of ours.
		const bits = given.indexBits.map((b) =>
			Math.min(b, Math.floor((52 - given.pageShift) / given.indexBits.length)),
		);
		const levels = bits
			.map((indexBits, i) => {
				const n = bits.length - 1 - i;
				const made = level(n, shift, indexBits, i === 0);
				shift += indexBits;
				return made;
			})
			.reverse();
		this.format = { wordBytes: given.wordBytes, levels };
		const habits: Habits = { ...habitsOf('pessimistic'), ...given.habits };
		const random = randomStream(given.seed);
		this.pick = (n) => Math.floor(random() * n);
		const owner = {
			streamCount: 2,
			streamName: (n: number) => `s${n}`,
			observers: [],
		} as unknown as Iommu;
		this.translation = new Translation(owner, {
			format: this.format,
			pageLevels: levels.map((_, n) => n),
			micro: given.micro,
			names: { micro: 'uTLB', shared: 'TLB', walk: 'walk cache' },
			view: { ram: this.ram, snoop: false },
			clock: { now: 0 },
			random: randomStream(given.seed + 1),
			habits,
			note: () => {},
			rootOf: (tag) => this.roots[tag] ?? -1,
		});
		this.translation.prefetchOn = 1;
		const end = 2 ** inputBitsOf(this.format);
		const places = new Set([0, end - 1, end / 2, end / 2 - 1]);
		for (let n = 0; n < 12; n++) {
			const { shift: granule } = levels[this.pick(levels.length)];
			const at = this.pick(4) * 2 ** granule + this.pick(3) * 2 ** given.pageShift;
			places.add(n % 2 === 0 ? at % end : end - 1 - (at % end));
		}
		this.places = [...places];
		this.past = TAGS.map((tag) => this.places.map((at) => new Set([this.truth(tag, at)])));
	}

	table(): number {
		return BASE + FRAME * this.#tables++;
	}

	poke(addr: number, word: number): void {
		const bytes = new Uint8Array(this.format.wordBytes);
		new DataView(bytes.buffer).setUint32(0, word, true);
		if (bytes.length === 8) new DataView(bytes.buffer).setUint32(4, ++this.#mark, true);
		this.ram.load(addr, bytes);
	}

	/** Where the tables in memory lead; -1: nowhere. */
	truth(tag: number, iova: number): number {
		const at = new Walked();
		walkMemory({ ram: this.ram, snoop: false }, this.format, this.roots[tag], iova, at);
		if (at.decoded.kind !== 'page') return -1;
		return at.decoded.addr + (iova % 2 ** this.format.levels[at.level].shift);
	}

	/** Change the word of some level for @iova, whatever is there; tables on the way are made. The range that it covers. */
	change(tag: number, iova: number): [first: number, last: number] {
		const { levels, wordBytes } = this.format;
		const target = this.pick(3) === 0 ? this.pick(levels.length) : levels.length - 1;
		let changed = target;
		let table = this.roots[tag];
		for (let n = 0; ; n++) {
			const { shift, indexBits } = levels[n];
			const addr = table + wordBytes * (Math.floor(iova / 2 ** shift) % 2 ** indexBits);
			const word = this.ram.readWord(addr);
			if (n === target) {
				this.poke(addr, this.pick(3) === 0 ? 0 : (1 + this.pick(0xffff)) * 16 + 1);
				break;
			}
			if ((word & 3) !== 3) {
				changed = Math.min(changed, n);
				this.poke(addr, (this.table() / FRAME) * 16 + 3);
			}
			table = (this.ram.readWord(addr) >>> 4) * FRAME;
		}
		for (const t of TAGS) for (const [n, at] of this.places.entries()) this.past[t][n].add(this.truth(t, at));
		const covers = 2 ** levels[changed].shift;
		const first = iova - (iova % covers);
		return [first, first + covers - 1];
	}

	invalidate(tag: number, first: number, last: number): void {
		this.translation.dropPages(tag, first, last, 'test');
		this.translation.dropTables(tag, first, last, 'test');
		this.places.forEach((at, n) => {
			if (at >= first && at <= last) this.past[tag][n] = new Set([this.truth(tag, at)]);
		});
	}

	/** Look @place up for @stream: an answer of now or of a past that nobody has invalidated, all over the entry. */
	ask(stream: number, tag: number, place: number): void {
		const iova = this.places[place];
		const entry = this.translation.lookup(stream, tag, this.roots[tag], iova);
		this.places.forEach((at, n) => {
			if (at < entry.iova || at >= entry.iova + entry.size) return;
			const answer = entry.valid ? entry.phys + (at - entry.iova) : -1;
			expect([...this.past[tag][n]], `${at}`).to.include(answer);
		});
	}

	get end(): number {
		return 2 ** inputBitsOf(this.format) - 1;
	}
}

describe('iommu_translation of any format', () => {
	it('answers nothing that the tables neither say nor, since the last invalidation, said', () =>
		fc.assert(
			fc.property(cases, (given) => {
				const b = new Bench(given);
				for (let step = 0; step < 120; step++) {
					const tag = b.pick(2);
					const place = b.pick(b.places.length);
					const kind = b.pick(5);
					if (kind === 0) b.change(tag, b.places[place]);
					else if (kind === 1 && b.pick(3) === 0) {
						const [one, two] = [b.places[place], b.places[b.pick(b.places.length)]];
						b.invalidate(tag, Math.min(one, two), Math.max(one, two));
					} else b.ask(b.pick(2), tag, place);
				}
			}),
			{ seed: 9, numRuns: 60 },
		));

	it('names every entry that would answer what the tables do not say', () =>
		fc.assert(
			fc.property(cases, (given) => {
				const b = new Bench(given);
				for (let step = 0; step < 80; step++) {
					const tag = b.pick(2);
					const place = b.pick(b.places.length);
					if (b.pick(4) === 0) b.change(tag, b.places[place]);
					else b.ask(b.pick(2), tag, place);
					if (step % 8 !== 0) continue;
					const said = new Set(b.translation.contradictions(0, b.end).map(({ entry }) => entry));
					for (const cache of [...b.translation.micro, b.translation.shared])
						for (const entry of cache.entries())
							for (const at of [entry.iova, ...b.places]) {
								if (at < entry.iova || at >= entry.iova + entry.size) continue;
								const answer = entry.valid ? entry.phys + (at - entry.iova) : -1;
								if (answer !== b.truth(entry.tag, at))
									expect(said.has(entry), `step ${step}, ${at}`).to.equal(true);
							}
				}
			}),
			{ seed: 9, numRuns: 60 },
		));

	it('is silent, and right, when every change is invalidated', () =>
		fc.assert(
			fc.property(cases, (given) => {
				const b = new Bench(given);
				for (let step = 0; step < 80; step++) {
					const tag = b.pick(2);
					const place = b.pick(b.places.length);
					if (b.pick(3) === 0) b.invalidate(tag, ...b.change(tag, b.places[place]));
					else b.ask(b.pick(2), tag, place);
					if (step % 8 === 0) expect(b.translation.contradictions(0, b.end)).to.deep.equal([]);
				}
			}),
			{ seed: 9, numRuns: 60 },
		));
});
