// SPDX-License-Identifier: GPL-2.0-only
// What /sys/kernel/debug/dma/decision says of a device on a board that nobody designed, against what the DMA API then
// does: the sentence is read as a user would read it, and nothing else is known of the device here.
// Every run is the same; another SEED, and more of numRuns, explore: `DECISION_SEED=7 DECISION_RUNS=1000`.

import { expect } from 'chai';
import fc from 'fast-check';
import { page_to_phys, pfn_to_page, virt_to_phys } from '#asm/memory.js';
import { PAGE_SIZE as PAGE } from '#asm/page-def.js';
import { of_reserved_mem_device_init } from '#drivers/of/of_reserved_mem.js';
import { sysfs_read } from '#fs/sysfs/user.js';
import {
	dma_alloc_coherent,
	dma_free_coherent,
	dma_map_page,
	dma_max_mapping_size,
	dma_set_coherent_mask,
	dma_set_mask,
	dma_unmap_page,
} from '#kernel/dma/mapping.js';
import { panic_state } from '#kernel/panic.js';
import type { device } from '#linux/device.js';
import { dma_to_phys } from '#linux/dma-direct.js';
import { DMA_TO_DEVICE } from '#linux/dma-direction.js';
import { DMA_BIT_MASK, DMA_MAPPING_ERROR, dma_mapping_error } from '#linux/dma-mapping.js';
import { GFP_ATOMIC, GFP_KERNEL } from '#linux/gfp.js';
import { memblock_is_nomap } from '#linux/memblock.js';
import { swiotlb_find_pool } from '#linux/swiotlb.js';
import { ref, SIZE_MAX } from '#linux/types.js';
import { for_each_mem_region } from '#mm/memblock.js';
import { Masters } from '#tests/drivers/iommu/masters.js';
import { blobOf, type Node, RAM } from '#tests/hw/board.js';
import { h6Tree } from '#tests/hw/h6.js';
import { testMachine } from '#tests/machine.js';
import { findings } from '#tests/sanitiser.js';

const SEED = Number(process.env['DECISION_SEED'] ?? 612);
const RUNS = Number(process.env['DECISION_RUNS'] ?? 40);
const MIB = 2 ** 20;
const GIB = 2 ** 30;

/** A window of dma-ranges. */
interface Window {
	readonly cpu: number;
	readonly bus: number;
	readonly size: number;
}

interface Design {
	/** Addresses of two cells; without an IOMMU then, which has no tree of that kind. */
	readonly wide: boolean;
	readonly low: number;
	readonly high: number | null;
	readonly windows: readonly Window[] | null;
	readonly snoops: boolean;
	readonly iommu: boolean;
	readonly region: 'none' | 'restricted-dma-pool' | 'no-map' | 'reusable';
	readonly regionSize: number;
	/** The driver asks for the region. */
	readonly asks: boolean;
	readonly words: readonly string[];
	/** Bits; 0: the mask stays as it is. */
	readonly mask: number;
	/** Bits; -1: no coherent mask at all. */
	readonly coherentMask: number;
	/** The masks are what the driver wrote there itself. */
	readonly unchecked: boolean;
}

const design: fc.Arbitrary<Design> = fc.record({
	wide: fc.boolean(),
	low: fc.constantFrom(128 * MIB, 256 * MIB, 768 * MIB, GIB),
	high: fc.constantFrom(null, 256 * MIB, GIB),
	windows: fc.oneof(
		fc.constant(null),
		fc.array(
			fc.record({
				cpu: fc.constantFrom(0, RAM, RAM + 64 * MIB, RAM + 512 * MIB, 0xa000_0000, 32 * GIB),
				bus: fc.constantFrom(0, 0x1000_0000, RAM, 0xc000_0000, 0xf000_0000),
				size: fc.constantFrom(32 * MIB, 128 * MIB, 256 * MIB, GIB, 3 * GIB),
			}),
			{ minLength: 1, maxLength: 3 },
		),
	),
	snoops: fc.boolean(),
	iommu: fc.boolean(),
	region: fc.constantFrom('none', 'none', 'restricted-dma-pool', 'no-map', 'reusable'),
	regionSize: fc.constantFrom(4 * MIB, 8 * MIB),
	asks: fc.boolean(),
	words: fc.tuple(
		fc.constantFrom('', '', 'cma=0', 'cma=16M'),
		fc.constantFrom('', '', 'swiotlb=noforce', 'swiotlb=force', 'swiotlb=1024', 'swiotlb_dynamic=on'),
		fc.constantFrom('', '', 'iommu.passthrough=1', 'iommu.strict=0'),
	),
	mask: fc.constantFrom(0, 0, 28, 30, 31, 32, 33, 36, 40),
	coherentMask: fc.constantFrom(-1, 0, 0, 28, 30, 31, 32, 36, 40),
	unchecked: fc.boolean(),
});

function tree(d: Design): Node {
	const cell = (n: number): number[] => (d.wide ? [Math.floor(n / 2 ** 32), n >>> 0] : [n >>> 0]);
	const cells = { '#address-cells': [d.wide ? 2 : 1], '#size-cells': [d.wide ? 2 : 1] };
	const high = d.wide ? 32 * GIB : 0xa000_0000;
	const bank = (base: number, size: number): Node => ({
		device_type: 'memory',
		reg: [...cell(base), ...cell(size)],
	});
	const base = RAM + d.low - d.regionSize - 16 * MIB;
	const fits = (w: Window): boolean => d.wide || (w.cpu < 4 * GIB && w.bus + w.size <= 4 * GIB);
	// The way back from an address that two windows have is anybody's guess.
	const distinct = (w: Window, i: number, all: readonly Window[]): boolean =>
		!all.slice(0, i).some((v) => w.bus < v.bus + v.size && v.bus < w.bus + w.size);
	const ranges = d.windows
		?.filter(fits)
		.filter(distinct)
		.flatMap((w) => [...cell(w.bus), ...cell(w.cpu), ...cell(w.size)]);
	const region: Node =
		d.region === 'none'
			? {}
			: {
					[`pool@${base.toString(16)}`]: {
						compatible: d.region === 'restricted-dma-pool' ? d.region : 'shared-dma-pool',
						reg: [...cell(base), ...cell(d.regionSize)],
						phandle: [9],
						...(d.region === 'restricted-dma-pool' ? {} : { [d.region]: true }),
					},
				};
	const more: Node = {
		[`memory@${RAM.toString(16)}`]: bank(RAM, d.low),
		...(d.high === null ? {} : { [`memory@${high.toString(16)}`]: bank(high, d.high) }),
		'reserved-memory': { ...cells, ranges: true, ...region },
		bus: {
			compatible: 'simple-bus',
			...cells,
			ranges: true,
			...(ranges === undefined || ranges.length === 0 ? {} : { 'dma-ranges': ranges }),
			n0: {
				compatible: 'oracle,master',
				...(d.snoops ? { 'dma-coherent': true } : {}),
				...(d.iommu && !d.wide ? { iommus: [3, 0] } : {}),
				...(d.region === 'none' ? {} : { 'memory-region': [9] }),
			},
		},
	};
	return d.wide ? { compatible: 'oracle,board', model: 'Test board', ...cells, ...more } : h6Tree(more);
}

/** What the file says of bus:n0, understood. */
class Said {
	readonly text: string;
	readonly translated: boolean;
	readonly #windows: Window[];
	/** Of streaming and of coherent addresses. */
	readonly limit: number;
	readonly coherentLimit: number;

	constructor() {
		const lines = String(sysfs_read('/sys/kernel/debug/dma/decision')).split('\n');
		this.text = lines.find((line) => line.startsWith('bus:n0: ')) as string;
		this.translated = this.has(/: translated: /);
		const windows = /dma-ranges shows it memory at (\w+)\+(\w+) as (\w+)/g;
		this.#windows = [...this.text.matchAll(windows)].map((m) => ({
			cpu: Number(m[1]),
			size: Number(m[2]),
			bus: Number(m[3]),
		}));
		this.limit = Number(/its (?:addresses go up to|mask|bus limit) (0x\w+)/.exec(this.text)?.[1] ?? Infinity);
		this.coherentLimit = Number(/coherent memory(?:, up to|: up to) (0x\w+)/.exec(this.text)?.[1] ?? 0);
	}

	/** The IOMMU gets at no table, and so maps nothing. */
	get tableless(): boolean {
		return this.has(/; every table of \S+ cannot be mapped/);
	}

	has(what: RegExp): boolean {
		return what.test(this.text);
	}

	/** KiB and address behind @what. */
	area(what: string): { base: number; end: number } | null {
		const m = new RegExp(`${what},? (\\d+) KiB at (0x\\w+)`).exec(this.text);
		return m === null ? null : { base: Number(m[2]), end: Number(m[2]) + 1024 * Number(m[1]) };
	}

	/** The device's own address of the page at @phys, if it has one that it reaches. */
	direct(phys: number): number | null {
		const w = this.#windows.find((w) => phys >= w.cpu && phys < w.cpu + w.size);
		if (w === undefined && this.#windows.length > 0) return null;
		const addr = w === undefined ? phys : w.bus + phys - w.cpu;
		return addr + PAGE - 1 <= this.limit ? addr : null;
	}

	/** What becomes of the page at @phys. */
	fate(phys: number): 'direct' | 'bounced' | 'bounced or not mapped' | 'not mapped' {
		const t = this.text;
		if (/through its restricted pool/.test(t)) {
			if (/\(memory-region\), which is out of its reach/.test(t)) return 'not mapped';
			return /\(memory-region\), which is partly/.test(t) ? 'bounced or not mapped' : 'bounced';
		}
		const everything = /(: |the same )everything /.test(t);
		if (!everything && this.direct(phys) !== null) return 'direct';
		const verb = /(?:the rest|everything) (bounces(?: where)?|cannot be mapped)/.exec(t)?.[1];
		if (verb === 'bounces') return 'bounced';
		return verb === 'bounces where' ? 'bounced or not mapped' : 'not mapped';
	}
}

/** The pages at the edges of memory and of what the text speaks of, and some between; none of the bounce pool's. */
function pages(dev: device, said: Said): number[] {
	const edges = [...said.text.matchAll(/0x\w+/g)].map((m) => Number(m[0]));
	const pool = dev.dma_io_tlb_mem?.defpool ?? { start: 0, end: 0 };
	const found = new Set<number>();
	for (const m of for_each_mem_region()) {
		if (memblock_is_nomap(m)) continue;
		for (const at of [m.base, m.base + 64 * MIB, m.base + m.size / 2, m.base + m.size - PAGE, ...edges])
			for (const page of [at - (at % PAGE) - PAGE, at - (at % PAGE)])
				if (page >= m.base && page < m.base + m.size && !(page >= pool.start && page < pool.end))
					found.add(page);
	}
	return [...found];
}

function map(dev: device, phys: number, size: number): number {
	const addr = dma_map_page(dev, pfn_to_page(phys / PAGE), 0, size, DMA_TO_DEVICE) as number;
	dma_mapping_error(dev, addr);
	return addr;
}

function checkMappings(dev: device, said: Said): void {
	for (const phys of pages(dev, said)) {
		const addr = map(dev, phys, PAGE);
		const where = `page ${phys.toString(16)}`;
		const failed = addr === (DMA_MAPPING_ERROR as number);
		if (said.translated) {
			expect(failed, where).to.equal(said.tableless);
			if (!failed) expect(addr + PAGE - 1, where).to.be.at.most(said.limit);
		} else {
			const pool = failed ? null : swiotlb_find_pool(dev, dma_to_phys(dev, addr));
			const found = failed ? 'not mapped' : pool !== null ? 'bounced' : 'direct';
			const fate = said.fate(phys);
			if (fate === 'bounced or not mapped') expect(found, where).to.not.equal('direct');
			else expect(found, where).to.equal(fate);
			if (found === 'direct') expect(addr, where).to.equal(said.direct(phys));
		}
		if (!failed) dma_unmap_page(dev, addr, PAGE, DMA_TO_DEVICE);
	}
}

function checkLongest(dev: device, said: Said): void {
	const bounce =
		/a bounce takes at most (\d+) bytes(, which|, and dma_max_mapping_size\(\) says (\d+))?/.exec(said.text);
	const told = /dma_max_mapping_size\(\) is (\d+) all the same/.exec(said.text);
	const most = Number(bounce?.[1]);
	const max = dma_max_mapping_size(dev);
	if (bounce === null) expect(max).to.equal(told === null ? SIZE_MAX : Number(told[1]));
	else expect(max).to.equal(bounce[2] === ', which' ? SIZE_MAX : Number(bounce[3] ?? most));

	const ram = [...for_each_mem_region()].filter((m) => !memblock_is_nomap(m));
	const long = pages(dev, said).find(
		(phys) =>
			bounce !== null &&
			said.fate(phys) === 'bounced' &&
			ram.some((m) => phys >= m.base && phys + most + PAGE <= m.base + m.size),
	);
	// The IOMMU's tables may be in the pool.
	if (long === undefined || dev.dma_io_tlb_mem!.total_used.counter > 0) return;
	const addr = map(dev, long, most);
	expect(addr, `${most} bytes`).to.not.equal(DMA_MAPPING_ERROR);
	dma_unmap_page(dev, addr, most, DMA_TO_DEVICE);
	expect(map(dev, long, most + 1), `${most} bytes and one`).to.equal(DMA_MAPPING_ERROR);
}

const inside = (phys: number, area: { base: number; end: number } | null): boolean =>
	area !== null && phys >= area.base && phys < area.end;

function checkCoherent(dev: device, said: Said, size: number, gfp: number): void {
	const handle = new ref(0);
	const cpu = dma_alloc_coherent(dev, size, handle, gfp);
	const what = `${size} bytes, ${gfp === GFP_KERNEL ? 'GFP_KERNEL' : 'GFP_ATOMIC'}`;
	const own = said.area('its own pool');
	if (said.has(/; no coherent memory/) || said.tableless) {
		expect(cpu, what).to.equal(null);
		return;
	}
	const sleeps = gfp === GFP_KERNEL;
	const may =
		own === null &&
		(sleeps
			? said.has(/where (its pages are|that is) in reach/)
			: said.has(/(atomic pool|restricted pool|page allocator).* in reach/) || !said.has(/atomic pool/));
	if (!may) expect(cpu, what).to.not.equal(null);
	if (cpu === null) return;

	const phys = virt_to_phys(cpu);
	const area = said.area('comes from (?:its )?CMA area \\S+');
	const restricted = said.has(/comes from its restricted pool/) ? said.area('its restricted pool') : null;
	if (own !== null) expect(inside(phys, own), `${what} in its own pool`).to.equal(true);
	else if (restricted !== null)
		expect(inside(phys, restricted), `${what} in the restricted pool`).to.equal(true);
	else if (area !== null && sleeps && !may) {
		const single = size === PAGE && said.has(/a single page comes from the page allocator/);
		expect(inside(phys, area), `${what} in CMA`).to.equal(!single);
	}
	const known = own === null || !said.has(/its addresses are wrong|all of it, though that goes higher/);
	if (known) expect(handle.value + size - 1, what).to.be.at.most(said.coherentLimit);
	if (!said.translated && known) expect(dma_to_phys(dev, handle.value), what).to.equal(phys);
	if (page_to_phys(pfn_to_page(phys / PAGE)) === phys) dma_free_coherent(dev, size, cpu, handle.value);
}

function setMasks(dev: device, d: Design): void {
	const mask = DMA_BIT_MASK(d.mask);
	const coherent = d.coherentMask < 0 ? 0 : DMA_BIT_MASK(d.coherentMask);
	if (d.unchecked) {
		if (d.mask > 0) dev.dma_mask = new ref(mask);
		if (d.coherentMask !== 0) dev.coherent_dma_mask = coherent;
	} else {
		if (d.mask > 0) dma_set_mask(dev, mask);
		if (d.coherentMask > 0) dma_set_coherent_mask(dev, coherent);
	}
}

describe('decision_random', () => {
	it('says what the DMA API then does', function () {
		this.timeout(0);
		fc.assert(
			fc.property(design, (d) => {
				const commandLine = ['dma_debug=off', ...d.words].join(' ').trim();
				const masters = new Masters(testMachine(blobOf(tree(d)), { commandLine }));
				const dev = masters.device('bus:n0');
				if (d.asks) of_reserved_mem_device_init(dev);
				setMasks(dev, d);
				const said = new Said();
				try {
					checkMappings(dev, said);
					checkLongest(dev, said);
					for (const size of [PAGE, 4 * PAGE])
						for (const gfp of [GFP_KERNEL, GFP_ATOMIC]) checkCoherent(dev, said, size, gfp);
				} catch (error) {
					throw new Error(`${(error as Error).message}\n${said.text}`, { cause: error });
				} finally {
					// What fails warns, as it should; the driver of an IOMMU that it could not start goes on all the same.
					panic_state.warnings.length = 0;
					if (said.tableless) findings.length = 0;
				}
			}),
			{ seed: SEED, numRuns: RUNS },
		);
	});
});
