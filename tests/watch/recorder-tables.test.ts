// SPDX-License-Identifier: GPL-2.0-only
// Which cleaned lines are tables, and what their words say.
import { expect } from 'chai';
import { Ram } from '#hw/core/ram.js';
import type { TableFormat, TableLevel } from '#hw/iommu/format.js';
import type { Iommu } from '#hw/iommu/iommu.js';
import { TableWords } from '#watch/recorder-tables.js';

const BASE = 0x4000_0000;
const ROOT = BASE + 0x1_0000;
const OTHER_ROOT = BASE + 0x2_0000;
const LEAVES = BASE + 0x3_0000;
const MORE = BASE + 0x4_0000;
const VALID = 1;

/** Bit 0: valid; the rest of the word is where it leads. */
function level(name: string, shift: number, last: boolean): TableLevel {
	return {
		name,
		shift,
		indexBits: 9,
		decode: (word, high, out) => {
			out.kind = (word & VALID) === 0 ? 'invalid' : last ? 'page' : 'table';
			out.addr = high * 2 ** 32 + (word - (word % 4096));
		},
		fields: [{ name: 'V', bits: [0, 0] }],
	};
}

const FORMAT: TableFormat = { wordBytes: 8, levels: [level('PGD', 21, false), level('PTE', 12, true)] };

class Bench {
	readonly ram = new Ram([{ base: BASE, size: 0x40_0000 }]);
	roots: number[] = [ROOT];
	readonly words: TableWords;

	constructor(format: TableFormat | undefined = FORMAT) {
		const iommu = { streamCount: 2, format, rootOf: (stream: number) => this.roots[stream] ?? -1 };
		this.words = new TableWords(this.ram, iommu as unknown as Iommu);
	}

	/** The CPU stores @to there; nothing is cleaned. */
	store(addr: number, to: number): void {
		const view = this.ram.linear(addr, 8);
		if (view === null) throw new Error('no RAM');
		new DataView(view.buffer, view.byteOffset).setBigUint64(0, BigInt(to), true);
	}

	/** What is told of [@phys, @phys + @size), which is cleaned then. */
	clean(phys: number, size: number): string[] {
		const told: string[] = [];
		this.words.cleaned(phys, size, (addr, text) => {
			expect(text).to.contain(` at 0x${addr.toString(16)}: `);
			told.push(text.replace(/ at 0x\w+: 0x\w+ -> 0x\w+,/, ''));
		});
		this.ram.clean(phys, size);
		return told;
	}

	set(addr: number, to: number): string[] {
		this.store(addr, to);
		return this.clean(addr, 8);
	}
}

describe('watch_recorder_tables', () => {
	it('tells of a word that memory gets a new value of: table, index, IOVA, where it leads, fields', () => {
		const bench = new Bench();
		expect(bench.set(ROOT + 8, LEAVES | VALID)).to.deep.equal([
			'PGD[0x1] 0x00200000 leads to table at 0x40030000 [V=0x1]',
		]);
		expect(bench.set(LEAVES + 24, MORE | VALID)).to.deep.equal([
			'PTE[0x3] 0x00203000 leads to page at 0x40040000 [V=0x1]',
		]);
		expect(bench.set(LEAVES + 24, 0)).to.deep.equal(['PTE[0x3] 0x00203000 leads to nothing [V=0x0]']);
	});

	it('says nothing of words that stay, of lines beside tables, and of an IOMMU without tables', () => {
		const bench = new Bench();
		bench.set(ROOT, LEAVES | VALID);
		expect(bench.clean(ROOT, 4096)).to.deep.equal([]);
		expect(bench.set(MORE, 5)).to.deep.equal([]);
		expect(new Bench({ ...FORMAT, levels: [] }).set(ROOT, LEAVES | VALID)).to.deep.equal([]);
	});

	it('finds all words of a range, from beside a table on, through several', () => {
		const bench = new Bench();
		bench.set(ROOT, LEAVES | VALID);
		bench.set(ROOT + 8, (LEAVES + 4096) | VALID);
		bench.store(LEAVES + 4096 - 8, MORE | VALID);
		bench.store(LEAVES + 4096, MORE | VALID);
		expect(bench.clean(LEAVES - 64, 3 * 4096).map((text) => text.split(' ')[0])).to.deep.equal([
			'PTE[0x1ff]',
			'PTE[0x0]',
		]);
	});

	it('knows the tables below a root that it meets, and still while the IOMMU has forgotten its root', () => {
		const bench = new Bench();
		bench.roots = [];
		expect(bench.set(ROOT, LEAVES | VALID)).to.deep.equal([]);
		bench.roots = [-1, ROOT];
		expect(bench.set(LEAVES, MORE | VALID)).to.have.length(1);
		bench.roots = [];
		expect(bench.set(LEAVES, 0)).to.have.length(1);
	});

	it('forgets tables that nothing leads to any more', () => {
		const bench = new Bench();
		bench.set(ROOT, LEAVES | VALID);
		bench.set(ROOT, 0);
		expect(bench.set(LEAVES, MORE | VALID)).to.deep.equal([]);
		bench.set(ROOT, MORE | VALID);
		bench.roots = [OTHER_ROOT];
		expect(bench.set(OTHER_ROOT, LEAVES | VALID)).to.have.length(1);
		expect(bench.set(ROOT + 8, LEAVES | VALID)).to.deep.equal([]);
		expect(bench.set(MORE, VALID)).to.deep.equal([]);
	});
});
