// SPDX-License-Identifier: GPL-2.0-only
// Long random sequences of what drivers do with an IOMMU, against a few Maps.
// Translations are the model's by three walkers, caches agree with tables, faults are reported one by one, and nothing
// is left at the end.
// A failure prints fast-check's seed and path: `fc.assert(..., { seed, path })` plays it again.

import { expect } from 'chai';
import fc from 'fast-check';
import { pfn_to_page } from '#asm/memory.js';
import { PAGE_SIZE } from '#asm/page-def.js';
import { platform_device_unregister } from '#drivers/base/platform.js';
import {
	iommu_attach_group,
	iommu_detach_group,
	iommu_domain_free,
	iommu_get_dma_domain,
	iommu_get_domain_for_dev,
	iommu_group_claim_dma_owner,
	iommu_group_release_dma_owner,
	iommu_group_replace_domain,
	iommu_map,
	iommu_map_sg,
	iommu_paging_domain_alloc,
	iommu_unmap,
} from '#drivers/iommu/iommu.js';
import { of_platform_device_create } from '#drivers/of/platform.js';
import { sysfs_read, sysfs_write } from '#fs/sysfs/user.js';
import type { Policy } from '#hw/core/model.js';
import { dma_unmap_page_attrs } from '#kernel/dma/mapping.js';
import { panic_state } from '#kernel/panic.js';
import { sg_alloc_table, sg_free_table, sg_next } from '#lib/scatterlist.js';
import type { device } from '#linux/device.js';
import { DMA_BIDIRECTIONAL, DMA_FROM_DEVICE, DMA_TO_DEVICE } from '#linux/dma-direction.js';
import { IS_ERR } from '#linux/err.js';
import { EBUSY, EPERM } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { IOMMU_READ, IOMMU_WRITE, type iommu_domain } from '#linux/iommu.js';
import { type device_node, OF_POPULATED, of_node_clear_flag } from '#linux/of_node.js';
import { type platform_device, to_platform_device } from '#linux/platform_device.js';
import { sg_set_page, sg_table } from '#linux/scatterlist.js';
import { dma_map_page_attrs } from '#tests/kernel/dma/client.js';
import { asked, BUFFER, H6, MIB, NR_MASTERS, type Report, walk } from './h6.js';

const K4 = 0x1000;
const TYPE = '/sys/kernel/iommu_groups/0/type';
const DRIVER = '/sys/bus/platform/drivers/test-masters';
const FLUSH_NS = 30e6;
const DOMAINS = 3;

interface Page {
	readonly phys: number;
	readonly prot: number;
}

/** Pages that addresses are taken from: few, so that they meet, at the borders of MiBs and of the space. */
const PLACES = [
	...Array.from({ length: 12 }, (_x, i) => 3 * MIB - 6 * K4 + i * K4),
	...Array.from({ length: 6 }, (_x, i) => 0x8000_0000 + i * K4),
	0,
	0xffff_d000,
	0xffff_e000,
	0xffff_f000,
];

/** A domain, and what the model says is in it. */
interface Space {
	readonly domain: iommu_domain;
	readonly pages: Map<number, Page>;
}

type Op =
	| { op: 'map' | 'unmap'; domain: number; place: number; pages: number; phys: number; prot: number }
	| { op: 'sg'; domain: number; place: number; phys: number; lens: number[]; prot: number }
	| { op: 'attach' | 'replace' | 'renew'; domain: number }
	| { op: 'detach' | 'claim' | 'release' | 'wait' | 'hotplug' }
	| { op: 'dma'; dev: number; phys: number; size: number; dir: number }
	| { op: 'undma'; pick: number }
	| { op: 'access'; master: number; place: number; write: boolean }
	| { op: 'bind' | 'unbind'; dev: number }
	| { op: 'type'; word: string };

const domain = fc.nat(DOMAINS - 1);
const place = fc.nat(PLACES.length - 1);
const phys = fc.nat(200);
const prot = fc.constantFrom(0, IOMMU_READ, IOMMU_WRITE, IOMMU_READ | IOMMU_WRITE, IOMMU_READ | IOMMU_WRITE);
const dev = fc.nat(2);

const anyOp: fc.Arbitrary<Op> = fc.oneof(
	{
		weight: 6,
		arbitrary: fc.record({
			op: fc.constant('map' as const),
			domain,
			place,
			pages: fc.constantFrom(1, 1, 2, 3, 5),
			phys,
			prot,
		}),
	},
	{
		weight: 5,
		arbitrary: fc.record({
			op: fc.constant('unmap' as const),
			domain,
			place,
			pages: fc.constantFrom(1, 2, 4, 8),
			phys,
			prot,
		}),
	},
	{
		weight: 2,
		arbitrary: fc.record({
			op: fc.constant('sg' as const),
			domain,
			place,
			phys,
			lens: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 4 }),
			prot,
		}),
	},
	{ weight: 2, arbitrary: fc.record({ op: fc.constantFrom('attach' as const, 'replace' as const), domain }) },
	{ weight: 1, arbitrary: fc.record({ op: fc.constant('renew' as const), domain }) },
	{
		weight: 4,
		arbitrary: fc.record({ op: fc.constantFrom('detach', 'claim', 'release', 'wait', 'hotplug') }),
	},
	{
		weight: 4,
		arbitrary: fc.record({
			op: fc.constant('dma' as const),
			dev,
			phys,
			size: fc.constantFrom(64, K4, 3 * K4, 70_000),
			dir: fc.constantFrom(DMA_TO_DEVICE, DMA_FROM_DEVICE, DMA_BIDIRECTIONAL),
		}),
	},
	{ weight: 4, arbitrary: fc.record({ op: fc.constant('undma' as const), pick: fc.nat(100) }) },
	{
		weight: 8,
		arbitrary: fc.record({
			op: fc.constant('access' as const),
			master: fc.nat(NR_MASTERS - 1),
			place,
			write: fc.boolean(),
		}),
	},
	{
		weight: 3,
		arbitrary: fc.record({ op: fc.constantFrom('bind' as const, 'unbind' as const), dev }),
	},
	{
		weight: 2,
		arbitrary: fc.record({
			op: fc.constant('type' as const),
			word: fc.constantFrom('DMA', 'DMA-FQ', 'identity', 'auto'),
		}),
	},
);

/** What should be, kept by the simplest means. */
class Bench {
	readonly h6: H6;
	/** Drivers of m0-m2 come and go, m3 itself does; m4 and m5 are in the group, and that is all. */
	readonly devices: device[];
	readonly bound = new Set<number>();
	readonly domains: Space[] = [];
	/** Mappings of the DMA API; those that are unmapped but may be cached yet. */
	readonly live: { dev: number; dma: number; size: number; phys: number; dir: number }[] = [];
	m3: platform_device | null;
	readonly node: device_node;
	lazy = false;
	identity = false;
	/** Which of the domains is attached; -1: the group's own, -2: nothing (blocked). */
	attached = -1;
	owned = false;
	readonly own = new Map<number, Page>();
	expected: Report[] = [];

	constructor(policy: Policy) {
		this.h6 = new H6({ policy });
		this.devices = [0, 1, 2].map((m) => this.h6.device(m));
		this.m3 = to_platform_device(this.h6.device(3));
		this.node = this.m3.dev.of_node!;
		for (let m = 0; m < NR_MASTERS; m++) sysfs_write(`${DRIVER}/unbind`, `m${m}`);
		for (let i = 0; i < DOMAINS; i++) this.domains.push(this.fresh());
		this.h6.reports();
	}

	get group() {
		return this.devices[0]!.iommu_group!;
	}

	fresh(): Space {
		const made = iommu_paging_domain_alloc(this.devices[0]!);
		if (IS_ERR(made)) throw new Error(`no domain: ${made.errno}`);
		return { domain: made, pages: new Map() };
	}

	/** What is in force: null is everything, as it is. */
	current(): Space | null {
		if (this.attached >= 0) return this.domains[this.attached]!;
		if (this.attached === -2)
			return { domain: iommu_get_domain_for_dev(this.devices[0]!)!, pages: new Map() };
		return this.identity ? null : { domain: iommu_get_dma_domain(this.devices[0]!), pages: this.own };
	}

	access(master: number, iova: number, write: boolean): void {
		const now = this.current();
		const page = now === null ? undefined : now.pages.get(iova - (iova % K4));
		const right = write ? IOMMU_WRITE : IOMMU_READ;
		if (now === null) {
			// Untranslated: only what is memory, and nobody else's.
			const at = BUFFER + (iova % MIB) - (iova % 4);
			expect(this.h6.tries(master, at, write)).to.equal(true);
			return;
		}
		// A queue's unmaps may go on being cached: such a place is nobody's to look at.
		if (page === undefined && this.lazy && now.pages === this.own) return;
		const ok = page !== undefined && (page.prot & right) !== 0;
		expect(this.h6.tries(master, iova, write), `access of m${master} at ${iova.toString(16)}`).to.equal(ok);
		if (ok) return;
		const dir = page !== undefined && page.prot === IOMMU_READ ? 'wr' : 'rd';
		this.expected.push({ iova, master, dir });
	}

	/** The pages of the model that a range of places covers. */
	*range(place: number, pages: number): Generator<number> {
		for (let i = 0; i < pages; i++) yield PLACES[place]! + i * K4;
	}

	run(op: Op): void {
		switch (op.op) {
			case 'map':
			case 'sg': {
				const { domain, pages } = this.domains[op.domain]!;
				const lens = op.op === 'sg' ? op.lens : [op.pages];
				const total = lens.reduce((sum, n) => sum + n, 0);
				const start = PLACES[op.place]!;
				if (start + total * K4 > 0x1_0000_0000) return;
				const busy = [...this.range(op.place, total)].some((iova) => pages.has(iova));
				// Pieces lie apart by a page, or follow each other where the length is odd.
				const at = lens.map((_n, i) => BUFFER + (op.phys + 5 * i) * K4);
				let ret: number;
				if (op.op === 'map') ret = iommu_map(domain, start, at[0]!, total * K4, op.prot, GFP_KERNEL);
				else {
					const table = new sg_table();
					expect(sg_alloc_table(table, lens.length, GFP_KERNEL)).to.equal(0);
					let sg = table.sgl;
					for (const [i, n] of lens.entries()) {
						sg_set_page(sg!, pfn_to_page(at[i]! / PAGE_SIZE), n * K4, 0);
						sg = sg_next(sg!);
					}
					ret = iommu_map_sg(domain, start, table.sgl!, lens.length, op.prot, GFP_KERNEL);
					sg_free_table(table);
				}
				expect(ret).to.equal(busy ? -EBUSY : op.op === 'map' ? 0 : total * K4);
				if (busy) return;
				let iova = start;
				for (const [i, n] of lens.entries())
					for (let k = 0; k < n; k++, iova += K4) pages.set(iova, { phys: at[i]! + k * K4, prot: op.prot });
				return;
			}
			case 'unmap': {
				const { domain, pages } = this.domains[op.domain]!;
				const size = Math.min(op.pages * K4, 0x1_0000_0000 - PLACES[op.place]!);
				let gone = 0;
				for (const iova of this.range(op.place, size / K4)) {
					// The first hole ends it.
					if (!pages.delete(iova)) break;
					gone += K4;
				}
				expect(iommu_unmap(domain, PLACES[op.place]!, size)).to.equal(gone);
				return;
			}
			case 'attach': {
				const ret = iommu_attach_group(this.domains[op.domain]!.domain, this.group);
				// Somebody's domain must be detached first; the same one is no matter only to the core's own.
				expect(ret).to.equal(this.attached >= 0 ? -EBUSY : 0);
				if (ret === 0) this.attached = op.domain;
				return;
			}
			case 'replace':
				expect(iommu_group_replace_domain(this.group, this.domains[op.domain]!.domain)).to.equal(0);
				this.attached = op.domain;
				return;
			case 'detach':
				if (this.attached < 0) return;
				iommu_detach_group(this.domains[this.attached]!.domain, this.group);
				this.attached = this.owned ? -2 : -1;
				return;
			case 'renew': {
				if (this.attached === op.domain) return;
				const { domain } = this.domains[op.domain]!;
				iommu_domain_free(domain);
				this.domains[op.domain] = this.fresh();
				return;
			}
			case 'claim': {
				const want = this.owned || this.bound.size > 0 ? -EPERM : this.attached >= 0 ? -EBUSY : 0;
				expect(iommu_group_claim_dma_owner(this.group, this)).to.equal(want);
				if (want !== 0) return;
				this.owned = true;
				this.attached = -2;
				return;
			}
			case 'release':
				if (!this.owned) return;
				iommu_group_release_dma_owner(this.group);
				this.owned = false;
				this.attached = -1;
				return;
			case 'hotplug': {
				if (this.m3 !== null) {
					// What of_platform_device_destroy() does.
					of_node_clear_flag(this.node, OF_POPULATED);
					platform_device_unregister(this.m3);
					this.m3 = null;
					return;
				}
				this.m3 = of_platform_device_create(this.node, null, null);
				expect(this.m3?.dev.iommu_group).to.equal(this.group);
				// Its driver comes with it, if it may.
				sysfs_write(`${DRIVER}/unbind`, 'm3');
				return;
			}
			case 'wait':
				this.h6.machine.advance(FLUSH_NS);
				return;
			case 'bind': {
				if (this.bound.has(op.dev)) return;
				const refused = this.owned;
				sysfs_write(`${DRIVER}/bind`, `m${op.dev}`);
				// A driver that uses the DMA API needs the group's own domain, unless it is the first user.
				const came = this.h6.masters.devices.has(`m${op.dev}`);
				if (refused) expect(came).to.equal(false);
				if (came) this.bound.add(op.dev);
				return;
			}
			case 'unbind':
				if (!this.bound.has(op.dev)) return;
				for (let i = this.live.length - 1; i >= 0; i--) if (this.live[i]!.dev === op.dev) this.undma(i);
				sysfs_write(`${DRIVER}/unbind`, `m${op.dev}`);
				this.bound.delete(op.dev);
				return;
			case 'dma': {
				if (!this.bound.has(op.dev) || this.attached !== -1) return;
				const at = BUFFER + 2 * MIB + op.phys * K4;
				if (this.isShared(at, op.size, op.dir)) return;
				const dma = dma_map_page_attrs(
					this.devices[op.dev]!,
					pfn_to_page(at / PAGE_SIZE),
					0,
					op.size,
					op.dir,
					0,
				) as number;
				this.live.push({ dev: op.dev, dma, size: op.size, phys: at, dir: op.dir });
				if (this.identity) {
					expect(dma).to.equal(at);
					return;
				}
				const prot =
					op.dir === DMA_TO_DEVICE
						? IOMMU_READ
						: op.dir === DMA_FROM_DEVICE
							? IOMMU_WRITE
							: IOMMU_READ | IOMMU_WRITE;
				for (let off = 0; off < op.size; off += K4) {
					expect(this.own.has(dma + off)).to.equal(false);
					this.own.set(dma + off, { phys: at + off, prot });
				}
				return;
			}
			case 'undma':
				if (this.live.length > 0 && this.attached === -1) this.undma(op.pick % this.live.length);
				return;
			case 'access':
				this.access(op.master, PLACES[op.place]!, op.write);
				return;
			case 'type':
				this.type(op.word);
				return;
		}
	}

	/** Whether it has another owner already: what is only read may be mapped twice. */
	isShared(phys: number, size: number, dir: number): boolean {
		return this.live.some(
			(other) =>
				other.phys < phys + size &&
				phys < other.phys + other.size &&
				(dir !== DMA_TO_DEVICE || other.dir !== DMA_TO_DEVICE),
		);
	}

	undma(at: number): void {
		const [m] = this.live.splice(at, 1);
		dma_unmap_page_attrs(this.devices[m!.dev]!, m!.dma, m!.size, m!.dir, 0);
		for (let off = 0; off < m!.size; off += K4) this.own.delete(m!.dma + off);
	}

	type(word: string): void {
		const before = (sysfs_read(TYPE) as string).trim();
		const ret = sysfs_write(TYPE, word);
		if (word === 'DMA-FQ' && before === 'DMA') {
			expect(ret).to.equal(word.length);
			this.lazy = true;
		} else if (this.bound.size > 0 || this.owned) expect(ret).to.equal(-EPERM);
		else {
			expect(ret).to.equal(word.length);
			const now = (sysfs_read(TYPE) as string).trim();
			// A new domain of the H6 is never a lazy one: the driver does not say that it can.
			if (now !== before) {
				this.identity = now === 'identity';
				this.lazy = now === 'DMA-FQ';
				// As the core does: whatever was attached, the new default is.
				this.attached = -1;
			}
		}
	}

	/** Tables by two walkers; plain comparisons, as there are thousands. */
	leads(domain: iommu_domain, iova: number, phys: number, attached: boolean, what: string): void {
		const found = [walk(this.h6.machine, domain, iova, attached), asked(domain, iova)];
		if (found[0] !== phys || found[1] !== phys)
			expect(found, `${what}: 0x${iova.toString(16)}`).to.deep.equal([phys, phys]);
	}

	check(what: string): void {
		const { h6 } = this;
		const now = this.current();
		for (const space of this.domains)
			for (const iova of PLACES) {
				const phys = space.pages.get(iova)?.phys ?? -1;
				this.leads(space.domain, iova, phys, space === now, what);
			}
		if (now !== null) {
			for (const [iova, { phys }] of now.pages) this.leads(now.domain, iova, phys, true, what);
			const stale = h6.iommu.contradictions();
			if (!this.lazy)
				expect(
					stale.map((c) => c.text),
					what,
				).to.deep.equal([]);
			// Queued unmaps: an old word, but never in the way of a new mapping.
			else for (const c of stale) expect(now.pages.has(c.entry.iova), `${what}: ${c.text}`).to.equal(false);
			for (const m of this.live)
				if (this.attached === -1 && m.dir !== DMA_FROM_DEVICE)
					expect(h6.reads(m.dev, m.dma), `${what}: DMA at ${m.dma.toString(16)}`).to.equal(true);
		}
		expect(h6.reports(), what).to.deep.equal(this.expected);
		this.expected = [];
		expect([h6.iommu.stalled, h6.iommu.irqLevel], what).to.deep.equal([0, false]);
		expect(panic_state.warnings, what).to.deep.equal([]);
	}

	/** Everything back to how a new bench is, but for the type. */
	finish(): void {
		this.run({ op: 'detach' });
		this.run({ op: 'release' });
		for (const d of [0, 1, 2]) this.run({ op: 'unbind', dev: d });
		for (const { domain } of this.domains.splice(0)) iommu_domain_free(domain);
		if (this.m3 === null) this.run({ op: 'hotplug' });
		this.type('identity');
		this.type('DMA');
		this.h6.machine.advance(FLUSH_NS);
	}
}

describe('iommu_random', () => {
	for (const [policy, numRuns] of [
		['pessimistic', 16],
		['optimistic', 10],
	] as const)
		it(`sequences of operations leave what a simple model says, and nothing behind (${policy})`, () => {
			fc.assert(
				fc.property(fc.array(anyOp, { maxLength: 200, size: 'max' }), (ops) => {
					const bench = new Bench(policy);
					for (const [i, op] of ops.entries()) {
						bench.run(op);
						bench.check(`after ${i}: ${JSON.stringify(op)}`);
					}
					bench.finish();
					expect(bench.h6.dmasan.reports.map((r) => r.text)).to.deep.equal([]);
				}),
				{ numRuns },
			);
		});

	it('the same sequence a second time on one machine allocates nothing more', () => {
		fc.assert(
			fc.property(fc.array(anyOp, { maxLength: 100, size: 'max' }), (ops) => {
				const bench = new Bench('pessimistic');
				const round = () => {
					for (const op of ops) bench.run(op);
					bench.finish();
					bench.expected = [];
					bench.h6.reports();
				};
				const again = () => {
					for (let i = 0; i < DOMAINS; i++) bench.domains.push(bench.fresh());
				};
				round();
				again();
				round();
				again();
				const check = bench.h6.leakCheck();
				round();
				again();
				expect(check()).to.deep.equal([]);
			}),
			{ numRuns: 4 },
		);
	});

	it('finds the DMA API without translation when it goes by whatever is attached (deviation)', () => {
		const steps: Op[] = [
			{ op: 'attach', domain: 0 },
			{ op: 'type', word: 'DMA' },
			{ op: 'bind', dev: 0 },
			{ op: 'detach' },
			{ op: 'dma', dev: 0, phys: 0, size: K4, dir: DMA_TO_DEVICE },
		];
		for (const flaw of [false, true]) {
			const bench = new Bench('pessimistic');
			const run = () => {
				for (const [i, op] of steps.entries()) {
					bench.run(op);
					// What iommu_setup_dma_ops() of Linux leaves behind: the attached domain is not the DMA API's.
					if (flaw && i === 1) for (const dev of bench.devices) dev.dma_iommu = false;
					bench.check(op.op);
				}
			};
			if (flaw) expect(run).to.throw('dma');
			else run();
		}
	});
});
