// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import fc from 'fast-check';
import { MEMBLOCK_ALLOC_ANYWHERE } from '#linux/memblock.js';
import {
	for_each_free_mem_range,
	memblock,
	memblock_add,
	memblock_alloc,
	memblock_alloc_low,
	memblock_clear_nomap,
	memblock_end_of_DRAM,
	memblock_free,
	memblock_is_map_memory,
	memblock_is_memory,
	memblock_is_region_memory,
	memblock_is_region_reserved,
	memblock_is_reserved,
	memblock_mark_nomap,
	memblock_mem_limit_remove_map,
	memblock_phys_alloc_range,
	memblock_phys_free,
	memblock_phys_mem_size,
	memblock_remove,
	memblock_reserve,
	memblock_reserved_size,
	memblock_set_bottom_up,
	memblock_set_low_limit,
	memblock_start_of_DRAM,
} from '#mm/memblock.js';
import { bootMemblock } from './memory-machine.js';

const GIB = 0x4000_0000;
const PAGE = 4096;

function regions(): string[] {
	return memblock().memory.regions.map((r) => `${r.base.toString(16)}+${r.size.toString(16)}/${r.flags}`);
}

describe('memblock', () => {
	it('joins memory that touches and keeps holes', () => {
		bootMemblock([{ base: GIB, size: GIB }]);
		memblock_add(2 * GIB, PAGE);
		memblock_add(3 * GIB, PAGE);
		expect(regions()).to.deep.equal(['40000000+40001000/0', 'c0000000+1000/0']);
		expect(memblock_phys_mem_size()).to.equal(GIB + 2 * PAGE);
		expect([memblock_start_of_DRAM(), memblock_end_of_DRAM()]).to.deep.equal([GIB, 3 * GIB + PAGE]);
	});

	it('counts a range that is reserved twice once', () => {
		bootMemblock();
		memblock_reserve(GIB, 4 * PAGE);
		memblock_reserve(GIB + 2 * PAGE, 4 * PAGE);
		expect(memblock_reserved_size()).to.equal(6 * PAGE);
		expect(memblock_is_reserved(GIB + 5 * PAGE)).to.equal(true);
		expect(memblock_is_reserved(GIB + 6 * PAGE)).to.equal(false);
		expect(memblock_is_region_reserved(GIB + 5 * PAGE, 4 * PAGE)).to.equal(true);
		expect(memblock_is_region_reserved(GIB + 6 * PAGE, PAGE)).to.equal(false);
	});

	it('removes from the middle of a region', () => {
		bootMemblock();
		memblock_remove(GIB + PAGE, PAGE);
		expect(regions()).to.deep.equal(['40000000+1000/0', '40002000+3fffe000/0']);
		expect(memblock_is_memory(GIB + PAGE)).to.equal(false);
		expect(memblock_is_region_memory(GIB, 2 * PAGE)).to.equal(false);
	});

	it('removes everything from an address on', () => {
		bootMemblock([
			{ base: 0, size: GIB },
			{ base: 0x8_0000_0000, size: GIB },
		]);
		memblock_remove(2 ** 32, MEMBLOCK_ALLOC_ANYWHERE);
		expect(memblock_end_of_DRAM()).to.equal(GIB);
	});

	it('keeps memory outside the linear map as memory', () => {
		bootMemblock();
		memblock_mark_nomap(GIB + PAGE, PAGE);
		expect(memblock_is_memory(GIB + PAGE)).to.equal(true);
		expect(memblock_is_map_memory(GIB + PAGE)).to.equal(false);
		expect(memblock_is_map_memory(GIB)).to.equal(true);
		memblock_clear_nomap(GIB + PAGE, PAGE);
		expect(regions()).to.deep.equal(['40000000+40000000/0']);
	});

	it('allocates from the top, or from the bottom when told', () => {
		bootMemblock();
		expect(memblock_phys_alloc_range(PAGE, PAGE, 0, 2 * GIB)).to.equal(2 * GIB - PAGE);
		expect(memblock_phys_alloc_range(0x20_0000, 0x20_0000, 0, 2 * GIB)).to.equal(2 * GIB - 0x40_0000);
		memblock_set_bottom_up(true);
		expect(memblock_phys_alloc_range(PAGE, PAGE, 0, 2 * GIB)).to.equal(GIB);
	});

	it('answers 0 when there is no room, and never hands out address 0', () => {
		bootMemblock([{ base: 0, size: 2 * PAGE }]);
		expect(memblock_phys_alloc_range(4 * PAGE, PAGE, 0, GIB)).to.equal(0);
		expect(memblock_phys_alloc_range(PAGE, PAGE, 0, GIB)).to.equal(PAGE);
		expect(memblock_phys_alloc_range(PAGE, PAGE, 0, GIB)).to.equal(0);
	});

	it('leaves out of the linear map what is marked so', () => {
		bootMemblock();
		memblock_mark_nomap(2 * GIB - PAGE, PAGE);
		expect(memblock_phys_alloc_range(PAGE, PAGE, 0, 2 * GIB)).to.equal(2 * GIB - 2 * PAGE);
	});

	it('gives zeroed views, larger than a block too, and takes them back', () => {
		bootMemblock();
		const v = memblock_alloc(9 * 1024 * 1024, PAGE);
		expect(v?.length).to.equal(9 * 1024 * 1024);
		expect(v?.every((b) => b === 0)).to.equal(true);
		memblock_free(v, 9 * 1024 * 1024);
		expect(memblock_reserved_size()).to.equal(0);
	});

	it('keeps low allocations in reach of the DMA zone', () => {
		const m = bootMemblock([
			{ base: 0, size: GIB },
			{ base: 0x8_0000_0000, size: GIB },
		]);
		memblock_set_low_limit(GIB / 2 - 1);
		const v = memblock_alloc_low(PAGE, PAGE);
		expect(v === null ? -1 : m.memory.phys_of(v)).to.equal(GIB / 2 - 2 * PAGE);
	});

	it('cuts memory to a limit', () => {
		bootMemblock([
			{ base: 0, size: GIB },
			{ base: 2 * GIB, size: GIB },
		]);
		memblock_mem_limit_remove_map(GIB + PAGE);
		expect(memblock_phys_mem_size()).to.equal(GIB + PAGE);
		expect(memblock_end_of_DRAM()).to.equal(2 * GIB + PAGE);
	});

	it('agrees with a page-by-page model after random calls', () => {
		const PAGES = 64;
		const range = fc.record({ at: fc.nat(PAGES - 1), len: fc.integer({ min: 1, max: 20 }), op: fc.nat(5) });
		fc.assert(
			fc.property(fc.array(range, { maxLength: 40 }), (ops) => {
				bootMemblock([{ base: 0, size: PAGES * PAGE }]);
				memblock_remove(0, PAGES * PAGE);
				const memory = new Array<boolean>(PAGES).fill(false);
				const nomap = new Array<boolean>(PAGES).fill(false);
				const reserved = new Array<boolean>(PAGES).fill(false);
				for (const { at, len, op } of ops) {
					const n = Math.min(len, PAGES - at);
					const [base, size] = [at * PAGE, n * PAGE];
					const each = (f: (i: number) => void): void => {
						for (let i = at; i < at + n; i++) f(i);
					};
					if (op === 0) {
						memblock_add(base, size);
						each((i) => {
							memory[i] = true;
						});
					} else if (op === 1) {
						memblock_remove(base, size);
						each((i) => {
							memory[i] = nomap[i] = false;
						});
					} else if (op === 2) {
						memblock_reserve(base, size);
						each((i) => {
							reserved[i] = true;
						});
					} else if (op === 3) {
						memblock_phys_free(base, size);
						each((i) => {
							reserved[i] = false;
						});
					} else if (op === 4) {
						memblock_mark_nomap(base, size);
						each((i) => {
							nomap[i] = memory[i];
						});
					} else {
						memblock_clear_nomap(base, size);
						each((i) => {
							nomap[i] = false;
						});
					}
				}
				for (let i = 0; i < PAGES; i++) {
					expect(memblock_is_memory(i * PAGE)).to.equal(memory[i]);
					expect(memblock_is_map_memory(i * PAGE)).to.equal(memory[i] && !nomap[i]);
					expect(memblock_is_reserved(i * PAGE)).to.equal(reserved[i]);
				}
				const free = for_each_free_mem_range().flatMap((r) =>
					Array.from({ length: r.size / PAGE }, (_, i) => r.base / PAGE + i),
				);
				expect(free).to.deep.equal(
					memory.map((m, i) => (m && !nomap[i] && !reserved[i] ? i : -1)).filter((i) => i >= 0),
				);
				expect(memblock_phys_mem_size()).to.equal(memory.filter((m) => m).length * PAGE);
			}),
			{ numRuns: 100 },
		);
	});
});
