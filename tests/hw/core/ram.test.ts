// SPDX-License-Identifier: GPL-2.0-only
// RAM, the data cache before it, mappings: rules, figures, and a naive model.
import { expect } from 'chai';
import fc from 'fast-check';
import { BLOCK_SIZE, GRANULE, LINE_SIZE, Ram, type RamObserver } from '#hw/core/ram.js';

const BASE = 0x4000_0000;
const GIB = 0x4000_0000;

function newRam(): Ram {
	return new Ram([{ base: BASE, size: GIB }]);
}

function view(ram: Ram, phys: number, size: number): Uint8Array {
	const v = ram.linear(phys, size);
	if (v === null) throw new Error('not RAM');
	return v;
}

function deviceBytes(ram: Ram, phys: number, size: number, snoop = false): number[] {
	const out = new Uint8Array(size);
	expect(ram.deviceRead(phys, out, snoop)).to.equal(true);
	return [...out];
}

/** The model: one array a view, every operation byte by byte or line by line. */
class NaiveMemory {
	readonly cpu: Uint8Array;
	readonly mem: Uint8Array;
	readonly synced: Uint8Array;
	constructor(readonly size: number) {
		this.cpu = new Uint8Array(size);
		this.mem = new Uint8Array(size);
		this.synced = new Uint8Array(size);
	}
	private line(at: number): number {
		return Math.floor(at / LINE_SIZE) * LINE_SIZE;
	}
	dirty(line: number): boolean {
		for (let i = line; i < line + LINE_SIZE; i++) if (this.cpu[i] !== this.synced[i]) return true;
		return false;
	}
	cleanLine(line: number): void {
		if (!this.dirty(line)) return;
		for (let i = line; i < line + LINE_SIZE; i++) this.mem[i] = this.synced[i] = this.cpu[i];
	}
	dropLine(line: number): void {
		for (let i = line; i < line + LINE_SIZE; i++) this.cpu[i] = this.synced[i] = this.mem[i];
	}
	clean(at: number, n: number): void {
		for (let l = this.line(at); l < at + n; l += LINE_SIZE) this.cleanLine(l);
	}
	invalidate(at: number, n: number): void {
		for (let l = this.line(at); l < at + n; l += LINE_SIZE) {
			if (l < at || l + LINE_SIZE > at + n) this.cleanLine(l);
			this.dropLine(l);
		}
	}
	evict(at: number, n: number): void {
		for (let l = this.line(at); l < at + n; l += LINE_SIZE) {
			this.cleanLine(l);
			this.dropLine(l);
		}
	}
	zero(at: number, n: number): void {
		// dc zva: the lines are zero and dirty, also where they were zero before.
		for (let i = at; i < at + n; i++) {
			this.cpu[i] = 0;
			this.synced[i] = [0x3c, 0xc3, 0xa5, 0x5a][i % 4];
		}
	}
}

describe('ram', () => {
	describe('places', () => {
		it('is RAM only inside its regions, which may lie above 4 GiB', () => {
			const ram = new Ram([
				{ base: 0, size: 0x1000_0000 },
				{ base: 0x8_0000_0000, size: 0x1000_0000 },
			]);
			expect(ram.is_ram(0, 1)).to.equal(true);
			expect(ram.is_ram(0x0fff_ffff, 1)).to.equal(true);
			expect(ram.is_ram(0x0fff_ffff, 2)).to.equal(false);
			expect(ram.is_ram(0x8_0000_0000, 0x1000_0000)).to.equal(true);
			expect(ram.is_ram(0x7_ffff_ffff, 1)).to.equal(false);
			expect(ram.size).to.equal(0x2000_0000);
		});

		it('joins regions that touch', () => {
			const ram = new Ram([
				{ base: 0x1000, size: 0x1000 },
				{ base: 0, size: 0x1000 },
			]);
			expect(ram.is_ram(0xfff, 2)).to.equal(true);
		});

		it('answers the physical address of any view, and -1 for a view that is not RAM', () => {
			const ram = new Ram([{ base: 0x8_0000_0000, size: GIB }]);
			const v = view(ram, 0x8_0012_3456, 16);
			expect(ram.phys_of(v)).to.equal(0x8_0012_3456);
			expect(ram.phys_of(v.subarray(5))).to.equal(0x8_0012_345b);
			expect(ram.phys_of(new Uint32Array(v.buffer, 0x400, 4))).to.equal(0x8_0000_0400);
			expect(ram.phys_of(new Uint8Array(4))).to.equal(-1);
			expect(ram.is_vmap(v)).to.equal(false);
		});

		it('has no linear view across two blocks, and one across a piece', () => {
			const ram = newRam();
			const edge = BASE + 2 * BLOCK_SIZE;
			ram.add_piece(edge - GRANULE, 2 * GRANULE);
			expect(ram.linear(BASE + BLOCK_SIZE - 8, 16)).to.equal(null);
			const v = view(ram, edge - 8, 16);
			expect(ram.phys_of(v)).to.equal(edge - 8);
			v.fill(7);
			expect(deviceBytes(ram, edge - 8, 16)).to.deep.equal(new Array(16).fill(0));
			ram.clean(edge - 8, 16);
			expect(deviceBytes(ram, edge - 8, 16)).to.deep.equal(new Array(16).fill(7));
			expect(view(ram, edge - 8, 0).length).to.equal(8 + GRANULE);
			expect(view(ram, BASE + 8, 0).length).to.equal(BLOCK_SIZE - 8);
		});

		it('keeps memory beside a piece in the same block apart from it', () => {
			const ram = newRam();
			ram.add_piece(BASE + GRANULE, BLOCK_SIZE);
			view(ram, BASE, GRANULE).fill(1);
			view(ram, BASE + GRANULE, BLOCK_SIZE).fill(2);
			view(ram, BASE + GRANULE + BLOCK_SIZE, GRANULE).fill(3);
			ram.clean(BASE, 2 * BLOCK_SIZE);
			expect(deviceBytes(ram, BASE + GRANULE - 1, 2)).to.deep.equal([1, 2]);
			expect(deviceBytes(ram, BASE + GRANULE + BLOCK_SIZE - 1, 2)).to.deep.equal([2, 3]);
			expect(ram.linear(BASE, 2 * GRANULE)).to.equal(null);
		});

		it('refuses a piece that was touched, overlaps another, or is not RAM', () => {
			const ram = newRam();
			view(ram, BASE, 1);
			ram.add_piece(BASE + 3 * BLOCK_SIZE, BLOCK_SIZE);
			expect(() => ram.add_piece(BASE + GRANULE, GRANULE)).to.throw('touched');
			expect(() => ram.add_piece(BASE + 3 * BLOCK_SIZE, GRANULE)).to.throw('overlaps');
			expect(() => ram.add_piece(0, GRANULE)).to.throw('not whole pages of RAM');
			expect(() => ram.add_piece(BASE + BLOCK_SIZE + 1, GRANULE)).to.throw('not whole pages of RAM');
		});

		it('makes nothing until it is touched', () => {
			const ram = newRam();
			expect(deviceBytes(ram, BASE + 123, 8)).to.deep.equal(new Array(8).fill(0));
			ram.clean(BASE, GIB);
			ram.invalidate(BASE, GIB);
			expect(ram.stats.touchedBytes).to.equal(0);
		});
	});

	describe('the cache', () => {
		it('hides a store from devices until its line is cleaned', () => {
			const ram = newRam();
			view(ram, BASE, 4)[0] = 9;
			expect(ram.isDirty(BASE, 1)).to.equal(true);
			expect(deviceBytes(ram, BASE, 1)).to.deep.equal([0]);
			expect(ram.readWord(BASE)).to.equal(0);
			expect(ram.readCpuWord(BASE)).to.equal(9);
			ram.clean(BASE, 1);
			expect(ram.isDirty(BASE, 1)).to.equal(false);
			expect(ram.readWord(BASE)).to.equal(9);
			expect(ram.stats.linesCleaned).to.equal(1);
		});

		it('cleans both lines that a few bytes are in', () => {
			const ram = newRam();
			const v = view(ram, BASE, 2 * LINE_SIZE);
			for (const value of [1, 2]) {
				v[LINE_SIZE - 1] = value;
				v[LINE_SIZE] = value;
				ram.clean(BASE + LINE_SIZE - 2, 4);
				expect(deviceBytes(ram, BASE + LINE_SIZE - 1, 2)).to.deep.equal([value, value]);
			}
		});

		it('writes no line back when none is asked for', () => {
			const ram = newRam();
			view(ram, BASE, LINE_SIZE)[4] = 1;
			for (const at of [BASE, BASE + 4]) ram.clean(at, 0);
			expect(ram.isDirty(BASE, 1)).to.equal(true);
			expect(ram.stats.linesCleaned).to.equal(0);
		});

		it('hides a device write from the CPU until the line is invalidated', () => {
			const ram = newRam();
			const v = view(ram, BASE, 1);
			ram.deviceWrite(BASE, Uint8Array.of(5), false);
			expect(v[0]).to.equal(0);
			ram.invalidate(BASE, LINE_SIZE);
			expect(v[0]).to.equal(5);
		});

		it('writes back a whole line over what a device put beside the store', () => {
			const ram = newRam();
			view(ram, BASE, 1)[0] = 1;
			ram.deviceWrite(BASE + 63, Uint8Array.of(5), false);
			ram.clean(BASE, 1);
			expect(deviceBytes(ram, BASE + 63, 1)).to.deep.equal([0]);
		});

		it('does not write a clean line, so that a device write survives a second clean', () => {
			const ram = newRam();
			view(ram, BASE, 1)[0] = 1;
			ram.clean(BASE, 1);
			ram.deviceWrite(BASE, Uint8Array.of(5), false);
			ram.clean(BASE, 1);
			expect(deviceBytes(ram, BASE, 1)).to.deep.equal([5]);
		});

		it('drops stores to whole lines on invalidate, and tells the observer which', () => {
			const ram = newRam();
			const lost: number[] = [];
			ram.observer = { onDirtyDropped: (line) => lost.push(line) };
			const v = view(ram, BASE, 256);
			v[0] = 1;
			v[130] = 2;
			ram.invalidate(BASE, 256);
			expect([v[0], v[130]]).to.deep.equal([0, 0]);
			expect(lost).to.deep.equal([BASE, BASE + 128]);
		});

		it('cleans the edge lines that an invalidate covers in part (arm64: dcache_inval_poc)', () => {
			const ram = newRam();
			const v = view(ram, BASE, 256);
			v[3] = 1;
			v[70] = 2;
			v[200] = 3;
			ram.invalidate(BASE + 8, 188);
			expect([v[3], v[70], v[200]]).to.deep.equal([1, 0, 3]);
			expect(deviceBytes(ram, BASE + 3, 1)).to.deep.equal([1]);
			expect(deviceBytes(ram, BASE + 200, 1)).to.deep.equal([3]);
		});

		it('makes zeroed lines dirty even when they were zero before', () => {
			const ram = newRam();
			view(ram, BASE, 1);
			ram.deviceWrite(BASE, Uint8Array.of(5), false);
			ram.zero(BASE, GRANULE);
			expect(ram.isDirty(BASE, 1)).to.equal(true);
			ram.clean(BASE, GRANULE);
			expect(deviceBytes(ram, BASE, 1)).to.deep.equal([0]);
		});

		it('keeps a zeroed line dirty whatever is stored to a part of it', () => {
			for (const value of [0, 0xff]) {
				const ram = newRam();
				const v = view(ram, BASE, LINE_SIZE);
				ram.deviceWrite(BASE, new Uint8Array(LINE_SIZE).fill(5), false);
				ram.zero(BASE, GRANULE);
				if (value === 0) ram.deviceWrite(BASE, new Uint8Array(LINE_SIZE - 4), true);
				else v.fill(value);
				ram.clean(BASE, LINE_SIZE);
				expect(deviceBytes(ram, BASE, LINE_SIZE), `${value}`).to.deep.equal([...v]);
			}
		});

		it('lets a snooping device see stores at once, and the CPU its writes', () => {
			const ram = newRam();
			const v = view(ram, BASE, 64);
			v[0] = 1;
			expect(deviceBytes(ram, BASE, 1, true)).to.deep.equal([1]);
			ram.deviceWrite(BASE + 1, Uint8Array.of(2), true);
			expect(v[1]).to.equal(2);
			expect(ram.isDirty(BASE, 64)).to.equal(true);
			ram.clean(BASE, 64);
			expect(deviceBytes(ram, BASE, 2)).to.deep.equal([1, 2]);
		});

		it('refuses device accesses that are not all RAM, and changes nothing', () => {
			const ram = newRam();
			expect(ram.deviceRead(BASE + GIB - 1, new Uint8Array(2), false)).to.equal(false);
			expect(ram.deviceWrite(BASE + GIB - 1, Uint8Array.of(1, 2), false)).to.equal(false);
			expect(deviceBytes(ram, BASE + GIB - 1, 1)).to.deep.equal([0]);
			expect(ram.readWord(0)).to.equal(-1);
			expect(ram.readWord(BASE + 2)).to.equal(-1);
		});

		it('replaces lines at random when told to, the same ones for the same seed', () => {
			const run = (seed: number): number[] => {
				const ram = newRam();
				ram.setEviction({ seed, rate: 2000 });
				view(ram, BASE, BLOCK_SIZE).fill(1);
				ram.deviceRead(BASE, new Uint8Array(1), false);
				ram.setEviction({ seed, rate: 0 });
				return deviceBytes(ram, BASE, 0x4_0000);
			};
			const a = run(1);
			expect(a.includes(1)).to.equal(true);
			expect(a.includes(0)).to.equal(true);
			expect(run(1)).to.deep.equal(a);
			expect(run(2)).to.not.deep.equal(a);
		});

		it('tells the observer of every device access and maintenance call', () => {
			const ram = newRam();
			const log: string[] = [];
			const observer: RamObserver = {
				onDeviceRead: (phys, size, snoop) => log.push(`r ${phys - BASE} ${size} ${snoop}`),
				onDeviceWrite: (phys, size, snoop) => log.push(`w ${phys - BASE} ${size} ${snoop}`),
				onClean: (phys, size) => log.push(`c ${phys - BASE} ${size}`),
				onInvalidate: (phys, size) => log.push(`i ${phys - BASE} ${size}`),
			};
			ram.observer = observer;
			ram.deviceRead(BASE + 1, new Uint8Array(2), false);
			ram.deviceWrite(BASE + 3, new Uint8Array(4), true);
			ram.clean(BASE + 5, 6);
			ram.invalidate(BASE + 7, 8);
			expect(log).to.deep.equal(['r 1 2 false', 'w 3 4 true', 'c 5 6', 'i 7 8']);
		});
	});

	describe('pages of which it is known what the CPU has of them', () => {
		const PAGE = BASE + 5 * GRANULE;

		it('are in step while no view was given of them, whatever devices write', () => {
			const ram = newRam();
			view(ram, BASE, 4);
			ram.deviceWrite(PAGE, new Uint8Array(GRANULE).fill(7), false);
			ram.clean(PAGE, GRANULE);
			expect(ram.stats.linesCleaned).to.equal(0);
			expect(deviceBytes(ram, PAGE, 1)).to.deep.equal([7]);
		});

		it('may be dirty at any time once a view was given of one byte, after each clean', () => {
			const ram = newRam();
			const last = view(ram, PAGE + GRANULE - 1, 1);
			for (const value of [1, 2, 3]) {
				ram.clean(PAGE, GRANULE);
				last[0] = value;
				ram.clean(PAGE, GRANULE);
				expect(deviceBytes(ram, PAGE + GRANULE - 1, 1)).to.deep.equal([value]);
			}
		});

		it('may be dirty, each of those that a view reaches, whatever kind of view it is', () => {
			const reaches: readonly [string, (ram: Ram) => ArrayBufferView | null, number][] = [
				['linear', (ram) => ram.linear(PAGE + 8, 2 * GRANULE), 2 * GRANULE + 7],
				['to the end', (ram) => ram.linear(PAGE, 0), BLOCK_SIZE - 5 * GRANULE - 1],
				['words', (ram) => ram.linear_words(PAGE, GRANULE / 2), 2 * GRANULE - 1],
				['cached vmap', (ram) => ram.vmap([PAGE, PAGE + GRANULE], 2, true), 2 * GRANULE - 1],
			];
			for (const [name, give, last] of reaches) {
				const ram = newRam();
				ram.clean(PAGE, BLOCK_SIZE / 2);
				const given = give(ram) as ArrayBufferView;
				const bytes = new Uint8Array(given.buffer, given.byteOffset, given.byteLength);
				bytes[0] = 1;
				bytes[bytes.length - 1] = 2;
				ram.clean(PAGE, last + 1);
				expect(deviceBytes(ram, PAGE + last, 1), name).to.deep.equal([2]);
				expect(ram.stats.linesCleaned, name).to.equal(2);
			}
		});

		it('may be dirty behind one that was viewed before', () => {
			const ram = newRam();
			view(ram, PAGE + GRANULE, 4);
			view(ram, PAGE, 3 * GRANULE).fill(1);
			ram.clean(PAGE, 3 * GRANULE);
			expect(deviceBytes(ram, PAGE + 2 * GRANULE, 1)).to.deep.equal([1]);
		});

		it('may be dirty when a mapping is gone through which the CPU stored', () => {
			const ram = newRam();
			const mapped = ram.vmap([PAGE, BASE], 2, true);
			mapped[3] = 9;
			ram.vunmap(mapped);
			ram.clean(PAGE, GRANULE);
			expect(deviceBytes(ram, PAGE, 4)).to.deep.equal([0, 0, 0, 9]);
		});

		it('are seen by nobody but devices when they are only mapped non-cacheable', () => {
			const ram = newRam();
			view(ram, BASE, 4);
			const mapped = ram.vmap([PAGE, BASE + GRANULE], 2, false);
			mapped.fill(5);
			ram.clean(PAGE, GRANULE);
			expect(ram.stats.linesCleaned).to.equal(0);
			ram.vunmap(mapped);
			expect(deviceBytes(ram, PAGE, 1)).to.deep.equal([5]);
		});

		for (const [when, before] of [
			['never seen', () => {}],
			['dropped, so that it holds what memory had', (ram: Ram) => ram.invalidate(PAGE, GRANULE)],
			['in a view', (ram: Ram) => view(ram, PAGE, 1)],
		] as const) {
			it(`are zero and dirty, all lines, when they were zeroed: a page ${when}`, () => {
				const ram = newRam();
				view(ram, BASE, 4);
				ram.deviceWrite(PAGE, new Uint8Array(GRANULE).fill(7), false);
				before(ram);
				ram.zero(PAGE, GRANULE);
				expect(ram.firstDirty(PAGE + LINE_SIZE, GRANULE)).to.equal(PAGE + LINE_SIZE);
				expect(ram.firstStale(PAGE, GRANULE)).to.equal(-1);
				expect(deviceBytes(ram, PAGE, 1)).to.deep.equal([7]);
				expect(deviceBytes(ram, PAGE, 1, true)).to.deep.equal([0]);
				ram.clean(PAGE, GRANULE);
				expect(ram.stats.linesCleaned).to.equal(GRANULE / LINE_SIZE);
				expect(deviceBytes(ram, PAGE, GRANULE)).to.deep.equal(new Array(GRANULE).fill(0));
				expect(ram.isDirty(PAGE, GRANULE)).to.equal(false);
				ram.deviceWrite(PAGE, Uint8Array.of(8), false);
				ram.clean(PAGE, GRANULE);
				expect(deviceBytes(ram, PAGE, 1)).to.deep.equal([8]);
				view(ram, PAGE, GRANULE);
				expect(ram.isDirty(PAGE, GRANULE)).to.equal(false);
			});
		}

		/** A zeroed page that no view was given of, in memory that has all buffers; memory has sevens. */
		function zeroedPage(): Ram {
			const ram = newRam();
			view(ram, BASE, 1)[0] = 1;
			ram.clean(BASE, 1);
			ram.deviceWrite(PAGE, new Uint8Array(GRANULE).fill(7), false);
			ram.zero(PAGE, GRANULE);
			ram.stats.linesCleaned = 0;
			return ram;
		}

		const PARTS: readonly [string, (ram: Ram) => void, boolean, number][] = [
			['cleaned', (ram) => ram.clean(PAGE + LINE_SIZE, 4), false, 0],
			['dropped', (ram) => ram.invalidate(PAGE + LINE_SIZE, LINE_SIZE), false, 7],
			['stored to', (ram) => view(ram, PAGE + LINE_SIZE, LINE_SIZE).fill(1), true, 1],
			['zeroed', (ram) => ram.zero(PAGE + LINE_SIZE, LINE_SIZE), true, 0],
			[
				'written by a device that snoops',
				(ram) => ram.deviceWrite(PAGE + LINE_SIZE, new Uint8Array(LINE_SIZE).fill(2), true),
				false,
				2,
			],
		];
		for (const [what, act, dirty, byte] of PARTS) {
			it(`stay dirty beside the line of a zeroed page that is ${what}`, () => {
				const ram = zeroedPage();
				act(ram);
				const lines = [0, 1, 2].map((i) => ram.isDirty(PAGE + i * LINE_SIZE, LINE_SIZE));
				expect(lines).to.deep.equal([true, dirty, true]);
				expect(ram.readCpuWord(PAGE + LINE_SIZE)).to.equal(byte * 0x0101_0101);
				ram.clean(PAGE, GRANULE);
				expect(ram.stats.linesCleaned).to.equal(
					GRANULE / LINE_SIZE - (what === 'dropped' || byte === 2 ? 1 : 0),
				);
				expect(deviceBytes(ram, PAGE + LINE_SIZE - 1, 2)).to.deep.equal([0, byte]);
			});
		}

		it('are in step, and not zeroes, when a device that snoops wrote them', () => {
			const ram = zeroedPage();
			ram.deviceWrite(PAGE - GRANULE, new Uint8Array(2 * GRANULE + 1).fill(3), true);
			expect(ram.isDirty(PAGE - GRANULE, 2 * GRANULE)).to.equal(false);
			for (const page of [PAGE - GRANULE, PAGE, PAGE + GRANULE]) {
				ram.zero(page, GRANULE);
				expect(ram.readCpuWord(page)).to.equal(0);
				expect(ram.isDirty(page, LINE_SIZE)).to.equal(true);
			}
		});
	});

	describe('buffers', () => {
		const KIB = 1024;
		/** What a number of operations makes the process hold in array buffers, within a few KiB. */
		const grown = (run: () => void): number => {
			const before = process.memoryUsage().arrayBuffers;
			run();
			return process.memoryUsage().arrayBuffers - before;
		};

		it('are not there for the CPU when only devices and non-cacheable mappings touch memory', () => {
			const ram = newRam();
			ram.add_piece(BASE + 16 * BLOCK_SIZE, 16 * BLOCK_SIZE);
			const pages = Array.from({ length: 64 }, (_, i) => BASE + 16 * BLOCK_SIZE + i * GRANULE);
			const bytes = grown(() => {
				const v = ram.vmap(pages, 64, false);
				v.fill(1);
				ram.deviceWrite(pages[3], Uint8Array.of(7), false);
				ram.clean_invalidate(BASE + 17 * BLOCK_SIZE, BLOCK_SIZE);
				ram.evict(BASE + 18 * BLOCK_SIZE, BLOCK_SIZE);
				expect(v[3 * GRANULE]).to.equal(7);
			});
			expect(bytes).to.be.below(512 * KIB);
		});

		it('are not there for devices when only the CPU touches memory', () => {
			const ram = newRam();
			const bytes = grown(() => {
				view(ram, BASE, BLOCK_SIZE)[5] = 1;
				expect(ram.isDirty(BASE + BLOCK_SIZE / 2, 64)).to.equal(false);
				ram.invalidate(BASE + BLOCK_SIZE / 2, GRANULE);
			});
			expect(bytes).to.be.below(BLOCK_SIZE + 512 * KIB);
		});

		it('are one for a non-cacheable mapping across blocks, when nobody touched them before', () => {
			const ram = newRam();
			const pages = Array.from({ length: 2048 }, (_, i) => BASE + BLOCK_SIZE / 2 + i * GRANULE);
			const v = ram.vmap(pages, pages.length, false);
			expect(ram.stats.pagesRehomed).to.equal(0);
			v[BLOCK_SIZE] = 3;
			expect(deviceBytes(ram, pages[1024], 1)).to.deep.equal([3]);
			ram.vunmap(v);
			expect(ram.phys_of(v.subarray(GRANULE))).to.equal(pages[1]);
		});

		it('are of the size of a mapping of scattered pages, also when it is gone, and hold what was stored', () => {
			const ram = newRam();
			const pages = Array.from({ length: 16 }, (_, i) => BASE + (16 - i) * 256 * KIB);
			const size = grown(() => {
				const v = ram.vmap(pages, 16, false);
				v.fill(1);
				ram.vunmap(v);
			});
			expect(size).to.be.below(4 * 64 * KIB);
			expect(ram.isUncached(pages[0])).to.equal(false);
			// Beside such a page its unit has a buffer by now, and the next mapping has others with it.
			ram.deviceWrite(pages[1] + GRANULE, Uint8Array.of(2), false);
			const v = ram.vmap([pages[1] + GRANULE, pages[1], pages[0]], 3, false);
			expect([v[0], v[1], v[GRANULE], v[2 * GRANULE]]).to.deep.equal([2, 0, 1, 1]);
			v[GRANULE] = 3;
			expect(() => ram.vmap([pages[0], pages[1]], 2, false)).to.throw('part of another mapping');
			ram.vunmap(v);
			expect(deviceBytes(ram, pages[1], 2)).to.deep.equal([3, 1]);
			const again = ram.vmap(pages, 16, false);
			expect([again[0], again[GRANULE], again[2 * GRANULE]]).to.deep.equal([1, 3, 1]);
			expect(ram.phys_of(again)).to.equal(pages[0]);
			expect(ram.isUncached(pages[2])).to.equal(true);
		});

		it('hold what a device wrote before a mapping came that needs the memory in one buffer', () => {
			const ram = newRam();
			const pages = Array.from({ length: 512 }, (_, i) => BASE + i * GRANULE);
			ram.deviceWrite(pages[200], Uint8Array.of(9), false);
			const v = ram.vmap(pages, pages.length, false);
			expect(v[200 * GRANULE]).to.equal(9);
			v[0] = 4;
			ram.vunmap(v);
			expect(deviceBytes(ram, pages[0], 1)).to.deep.equal([4]);
			expect(deviceBytes(ram, pages[200], 1)).to.deep.equal([9]);
		});

		it('are not there for the CPU when a page that it never looked at is zeroed and cleaned', () => {
			const ram = newRam();
			ram.deviceWrite(BASE, Uint8Array.of(7), false);
			const size = grown(() => {
				ram.zero(BASE, GRANULE);
				ram.clean(BASE, GRANULE);
			});
			expect(size).to.be.below(BLOCK_SIZE);
			expect(deviceBytes(ram, BASE, 1)).to.deep.equal([0]);
		});

		it('begin as what memory holds when the CPU drops lines that it never looked at', () => {
			const ram = newRam();
			ram.deviceWrite(BASE + 100, Uint8Array.of(9), false);
			ram.invalidate(BASE, 2 * LINE_SIZE);
			expect(view(ram, BASE + 100, 1)[0]).to.equal(9);
			ram.deviceWrite(BASE + GRANULE, Uint8Array.of(9), false);
			expect(view(ram, BASE + GRANULE, 1)[0]).to.equal(0);
		});
	});

	describe('mappings', () => {
		const pages = [BASE + 5 * GRANULE, BASE + BLOCK_SIZE, BASE + 3 * GRANULE];

		it('shows pages of the size that the kernel says', () => {
			const ram = newRam();
			const v = ram.vmap([BASE + 0x8000, BASE], 2, false, 0x4000);
			expect(v.length).to.equal(0x8000);
			for (const [at, phys] of [
				[0, BASE + 0x8000],
				[0x3fff, BASE + 0xbfff],
				[0x4000, BASE],
				[0x6abc, BASE + 0x2abc],
			])
				expect(ram.phys_of(v.subarray(at))).to.equal(phys);
			ram.vunmap(v);
		});

		it('shows scattered pages in a row, uncached: devices see stores at once', () => {
			const ram = newRam();
			const v = ram.vmap(pages, 3, false);
			expect(v.length).to.equal(3 * GRANULE);
			expect(ram.is_vmap(v)).to.equal(true);
			v[GRANULE + 4] = 7;
			expect(deviceBytes(ram, pages[1] + 4, 1)).to.deep.equal([7]);
			ram.deviceWrite(pages[2] + 9, Uint8Array.of(8), false);
			expect(v[2 * GRANULE + 9]).to.equal(8);
			expect(ram.phys_of(v.subarray(2 * GRANULE + 9))).to.equal(pages[2] + 9);
		});

		it('puts the bytes back on vunmap, and the dead view lives nowhere', () => {
			const ram = newRam();
			view(ram, pages[0], 1)[0] = 1;
			ram.clean(pages[0], 1);
			const v = ram.vmap(pages, 3, false);
			expect(v[0]).to.equal(1);
			v[1] = 2;
			ram.vunmap(v);
			expect(deviceBytes(ram, pages[0], 2)).to.deep.equal([1, 2]);
			expect(ram.phys_of(v)).to.equal(-1);
			v[1] = 3;
			expect(deviceBytes(ram, pages[0], 2)).to.deep.equal([1, 2]);
			expect(() => ram.vunmap(v)).to.throw('not an address that vmap() gave');
		});

		for (const cached of [false, true]) {
			it(`has the same address when the same pages are shown again, ${cached ? 'cached' : 'uncached'}, and what they hold now`, () => {
				const ram = newRam();
				const dead = ram.vmap(pages, 3, cached);
				dead.fill(1);
				ram.vunmap(dead);
				dead.fill(2);
				view(ram, pages[1], GRANULE).fill(3);
				ram.clean(pages[1], GRANULE);
				const other = ram.vmap([...pages].reverse(), 3, cached);
				expect(other.buffer).not.to.equal(dead.buffer);
				ram.vunmap(other);
				expect(ram.phys_of(dead)).to.equal(-1);
				const again = ram.vmap(pages, 3, cached);
				expect(again.buffer).to.equal(dead.buffer);
				expect(ram.phys_of(dead)).to.equal(pages[0]);
				expect(ram.phys_of(again)).to.equal(pages[0]);
				expect([0, 1, 2].map((i) => again[i * GRANULE])).to.deep.equal([1, 3, 1]);
				again[2 * GRANULE] = 4;
				ram.vunmap(again);
				ram.clean(pages[2], 1);
				expect(deviceBytes(ram, pages[2], 2)).to.deep.equal([4, 1]);
			});
		}

		it('gives a mapping of the CPU side no buffer that one of memory had', () => {
			const ram = newRam();
			const dead = ram.vmap(pages, 3, false);
			ram.vunmap(dead);
			expect(ram.vmap(pages, 3, true).buffer).not.to.equal(dead.buffer);
		});

		it('keeps cleaning the right bytes while the memory side is elsewhere', () => {
			const ram = newRam();
			const v = ram.vmap(pages, 3, false);
			view(ram, pages[1], GRANULE).fill(6);
			ram.clean(pages[1], GRANULE);
			expect(v[GRANULE]).to.equal(6);
			v[2 * GRANULE] = 4;
			ram.invalidate(pages[2], LINE_SIZE);
			expect(view(ram, pages[2], 1)[0]).to.equal(4);
		});

		for (const cached of [false, true]) {
			it(`keeps cleaning single words of a page that is shown ${cached ? 'cached' : 'uncached'}`, () => {
				const ram = newRam();
				const old = view(ram, BASE, 4);
				old[0] = 1;
				ram.clean(BASE, 4);
				const shown = ram.vmap([BASE, BASE + 2 * GRANULE], 2, cached);
				const store = cached ? shown : old;
				store[0] = 2;
				ram.clean(BASE, 4);
				expect(deviceBytes(ram, BASE, 1)).to.deep.equal([2]);
				expect(shown[0]).to.equal(2);
			});
		}

		it('needs no move for contiguous pages, uncached', () => {
			const ram = newRam();
			const v = ram.vmap([BASE, BASE + GRANULE], 2, false);
			expect(ram.stats.pagesRehomed).to.equal(0);
			expect(ram.is_vmap(v)).to.equal(true);
			expect(ram.phys_of(v)).to.equal(BASE);
			ram.vunmap(v);
		});

		it('maps cached: stores are seen through the linear map, and by devices after a clean', () => {
			const ram = newRam();
			const v = ram.vmap(pages, 3, true);
			v[GRANULE] = 5;
			expect(view(ram, pages[1], 1)[0]).to.equal(5);
			expect(deviceBytes(ram, pages[1], 1)).to.deep.equal([0]);
			ram.clean(pages[1], 1);
			expect(deviceBytes(ram, pages[1], 1)).to.deep.equal([5]);
			v[0] = 6;
			ram.vunmap(v);
			expect(view(ram, pages[0], 1)[0]).to.equal(6);
			expect(ram.isDirty(pages[0], 1)).to.equal(true);
		});

		it('notices a store through an old linear view while a cached mapping has the page', () => {
			const ram = newRam();
			const seen: number[] = [];
			ram.observer = { onStaleWrite: (phys) => seen.push(phys) };
			const old = view(ram, pages[0], 1);
			const v = ram.vmap(pages, 3, true);
			old[0] = 1;
			ram.vunmap(v);
			expect(ram.stats.staleWrites).to.equal(1);
			expect(seen).to.deep.equal([pages[0]]);
		});

		it('shows the same pages twice when they are asked for in the same order', () => {
			const ram = newRam();
			const a = ram.vmap(pages, 3, false);
			const b = ram.vmap(pages.slice(1), 2, false);
			a[GRANULE] = 3;
			expect(b[0]).to.equal(3);
			ram.vunmap(a);
			b[0] = 4;
			expect(deviceBytes(ram, pages[1], 1)).to.deep.equal([4]);
			ram.vunmap(b);
			expect(deviceBytes(ram, pages[1], 1)).to.deep.equal([4]);
		});

		it('refuses to move a page away from under a mapping that shows it where it is', () => {
			const ram = newRam();
			ram.deviceWrite(BASE, Uint8Array.of(1), false);
			const v = ram.vmap([BASE, BASE + GRANULE], 2, false);
			expect(() => ram.vmap([BASE + GRANULE, BASE], 2, false)).to.throw('another order');
			ram.vunmap(v);
			const w = ram.vmap([BASE + GRANULE, BASE], 2, false);
			expect(w[GRANULE]).to.equal(1);
		});

		it('refuses pages that another mapping shows in another order, or that are not RAM', () => {
			const ram = newRam();
			ram.vmap(pages, 3, false);
			expect(() => ram.vmap([pages[1], pages[0]], 2, false)).to.throw('another order');
			expect(() => ram.vmap([0], 1, false)).to.throw('not a page of RAM');
			expect(() => ram.vmap([BASE + 1], 1, false)).to.throw('not a page of RAM');
		});

		it('can map the pages of a piece that shares its block with other memory', () => {
			const ram = newRam();
			ram.add_piece(BASE + GRANULE, 2 * GRANULE);
			const v = ram.vmap([BASE + 2 * GRANULE, BASE, BASE + GRANULE], 3, false);
			v.fill(1, 0, GRANULE)
				.fill(2, GRANULE, 2 * GRANULE)
				.fill(3, 2 * GRANULE);
			ram.vunmap(v);
			expect(deviceBytes(ram, BASE + GRANULE - 1, 2)).to.deep.equal([2, 3]);
			expect(deviceBytes(ram, BASE + 2 * GRANULE - 1, 2)).to.deep.equal([3, 1]);
			expect(view(ram, BASE + GRANULE, 2 * GRANULE).length).to.equal(2 * GRANULE);
		});
	});

	it('does what a naive line-by-line model does, for random operations', () => {
		// Eight pages around a block's edge, so that ranges cross it; a mapping of some of them comes and goes.
		const PAGES = 8;
		const start = BASE + BLOCK_SIZE - (PAGES / 2) * GRANULE;
		const size = PAGES * GRANULE;
		const at = fc.integer({ min: 0, max: size - 1 });
		const len = fc.oneof(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 2 * GRANULE }));
		const value = fc.integer({ min: 0, max: 3 });
		const operation = fc.oneof(
			fc.record({ op: fc.constant('cpu' as const), at, len, value }),
			fc.record({ op: fc.constant('deviceWrite' as const), at, len, value, snoop: fc.boolean() }),
			fc.record({ op: fc.constant('deviceRead' as const), at, len, snoop: fc.boolean() }),
			fc.record({ op: fc.constant('clean' as const), at, len }),
			fc.record({ op: fc.constant('invalidate' as const), at, len }),
			fc.record({ op: fc.constant('cleanInvalidate' as const), at, len }),
			fc.record({ op: fc.constant('evict' as const), at, len }),
			fc.record({
				op: fc.constant('zero' as const),
				page: fc.integer({ min: 0, max: PAGES - 1 }),
				// Whole pages, and a part of one.
				len: fc.constantFrom(GRANULE, 2 * GRANULE, 5 * LINE_SIZE),
			}),
			fc.record({
				op: fc.constant('vmap' as const),
				cached: fc.boolean(),
				pages: fc.oneof(
					fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6, 7], { minLength: 1 }),
					fc.constant<number[]>([2, 3, 4, 5]),
				),
			}),
			fc.record({ op: fc.constant('mapped' as const), at, len, value }),
			fc.record({ op: fc.constant('vunmap' as const) }),
		);
		const operations = fc.array(operation, { minLength: 1, maxLength: 60 });
		const property = fc.property(operations, fc.boolean(), fc.boolean(), (operations, piece, viewed) => {
			const ram = newRam();
			if (piece) ram.add_piece(BASE + BLOCK_SIZE - 2 * GRANULE, 3 * GRANULE);
			// Zeroing is nothing where no buffer is. So there is one: of the CPU's side, or of memory, and the CPU saw nothing.
			if (viewed) for (let page = 0; page < PAGES; page++) view(ram, start + page * GRANULE, GRANULE);
			else ram.deviceWrite(start, new Uint8Array(size), false);
			const model = new NaiveMemory(size);
			let mapping: { view: Uint8Array; pages: number[]; cached: boolean } | null = null;
			for (const o of operations) {
				const n = 'at' in o ? Math.min(o.len, size - o.at) : 0;
				switch (o.op) {
					case 'cpu':
						for (let i = o.at; i < o.at + n; ) {
							// Page by page: a mapping may have any of them.
							const end = Math.min(o.at + n, (Math.floor(i / GRANULE) + 1) * GRANULE);
							view(ram, start + i, end - i).fill(o.value);
							i = end;
						}
						model.cpu.fill(o.value, o.at, o.at + n);
						break;
					case 'deviceWrite':
						ram.deviceWrite(start + o.at, new Uint8Array(n).fill(o.value), o.snoop);
						model.mem.fill(o.value, o.at, o.at + n);
						if (o.snoop) {
							model.cpu.fill(o.value, o.at, o.at + n);
							model.synced.fill(o.value, o.at, o.at + n);
						}
						break;
					case 'deviceRead': {
						const want = (o.snoop ? model.cpu : model.mem).subarray(o.at, o.at + n);
						const got = new Uint8Array(n);
						expect(ram.deviceRead(start + o.at, got, o.snoop)).to.equal(true);
						expect(Buffer.compare(got, want)).to.equal(0);
						break;
					}
					case 'clean':
						ram.clean(start + o.at, n);
						model.clean(o.at, n);
						break;
					case 'invalidate':
						ram.invalidate(start + o.at, n);
						model.invalidate(o.at, n);
						break;
					case 'cleanInvalidate':
						ram.clean_invalidate(start + o.at, n);
						model.evict(o.at, n);
						break;
					case 'evict':
						ram.evict(start + o.at, n);
						model.evict(o.at, n);
						break;
					case 'zero': {
						const from = o.page * GRANULE;
						const bytes = Math.min(o.len, size - from);
						ram.zero(start + from, bytes);
						model.zero(from, bytes);
						break;
					}
					case 'vmap':
						if (mapping !== null) break;
						mapping = {
							view: ram.vmap(
								o.pages.map((p) => start + p * GRANULE),
								o.pages.length,
								o.cached,
							),
							pages: o.pages,
							cached: o.cached,
						};
						break;
					case 'mapped': {
						if (mapping === null) break;
						const room = mapping.view.length;
						const from = o.at % room;
						for (let i = from; i < Math.min(from + n, room); i++) {
							const byte = mapping.pages[Math.floor(i / GRANULE)] * GRANULE + (i % GRANULE);
							const side = mapping.cached ? model.cpu : model.mem;
							if (mapping.view[i] !== side[byte]) expect(mapping.view[i]).to.equal(side[byte]);
							mapping.view[i] = o.value;
							side[byte] = o.value;
						}
						break;
					}
					case 'vunmap':
						if (mapping !== null) ram.vunmap(mapping.view);
						mapping = null;
						break;
				}
			}
			expect(Buffer.compare(ram.peekCpu(start, size), model.cpu)).to.equal(0);
			expect(Buffer.compare(ram.peekMemory(start, size), model.mem)).to.equal(0);
			for (let line = 0; line < size; line += LINE_SIZE) {
				if (ram.isDirty(start + line, LINE_SIZE) !== model.dirty(line)) expect.fail(`line ${line}`);
			}
		});
		// A failure prints the seed and the path; give them here to see it again.
		fc.assert(property, { numRuns: 100 });
	});
});
