// SPDX-License-Identifier: GPL-2.0-only
// Queued unmaps (DMA-FQ): when are they flushed?
// No address comes back before (INV-IOVA). Sizes and times are those of drivers/iommu/dma-iommu.c: 256 entries a CPU
// and 10 ms, or 32768 in all and 1 s.

import { expect } from 'chai';
import fc from 'fast-check';
import sinon from 'sinon';
import { pfn_to_page } from '#asm/memory.js';
import { PAGE_SIZE } from '#asm/page-def.js';
import type { iommu_dma_cookie } from '#drivers/iommu/dma-iommu.js';
import { iommu_get_dma_domain, iommu_iova_to_phys } from '#drivers/iommu/iommu.js';
import { sysfs_read, sysfs_write } from '#fs/sysfs/user.js';
import type { Policy } from '#hw/core/model.js';
import { start_kernel } from '#init/main.js';
import { dma_unmap_page_attrs } from '#kernel/dma/mapping.js';
import { msleep } from '#kernel/time/timer.js';
import type { device } from '#linux/device.js';
import { DMA_BIDIRECTIONAL, DMA_TO_DEVICE } from '#linux/dma-direction.js';
import { DMA_ATTR_SKIP_CPU_SYNC } from '#linux/dma-mapping.js';
import { EPERM } from '#linux/errno.js';
import { IOMMU_CAP_DEFERRED_FLUSH, type iommu_domain } from '#linux/iommu.js';
import { per_cpu_ptr } from '#linux/percpu.js';
import { run_on_cpu } from '#linux/smp.js';
import { timer_pending } from '#linux/timer.js';
import { h6, IOMMU } from '#tests/hw/h6.js';
import { dma_map_page_attrs } from '#tests/kernel/dma/client.js';
import { expectFinding } from '#tests/setup.js';
import { BUFFER, H6 } from './h6.js';
import { TestDriver } from './test_driver.js';

const K4 = 0x1000;
const TYPE = '/sys/kernel/iommu_groups/0/type';
const ENTRIES = 256;

const mapPage = (dev: device, n = 0, size = K4): number =>
	dma_map_page_attrs(
		dev,
		pfn_to_page(BUFFER / PAGE_SIZE + n),
		0,
		size,
		DMA_BIDIRECTIONAL,
		DMA_ATTR_SKIP_CPU_SYNC,
	) as number;
const unmapPage = (dev: device, dma: number, size = K4): void =>
	dma_unmap_page_attrs(dev, dma, size, DMA_BIDIRECTIONAL, DMA_ATTR_SKIP_CPU_SYNC);

const cookieOf = (domain: iommu_domain) => domain.iova_cookie as iommu_dma_cookie;

/** The H6 with its group switched to DMA-FQ while drivers are bound, and the times of its whole flushes. */
class Lazy extends H6 {
	readonly flushes: number[] = [];
	/** It stays when its driver goes. */
	readonly dev: device = this.device(0);
	#last = -1e9;

	constructor(policy: Policy = 'pessimistic') {
		super({ policy, nrCpus: 2 });
		expect(sysfs_write(TYPE, 'DMA-FQ')).to.equal(6);
		this.machine.hook = (kind, where) => {
			// The write, not the reads that wait for it.
			if (kind !== 'mmio' || where !== IOMMU + 0x80 || this.machine.now() - this.#last < 5000) return;
			this.#last = this.machine.now();
			this.flushes.push(this.#last);
		};
	}

	get cookie(): iommu_dma_cookie {
		return cookieOf(iommu_get_dma_domain(this.dev));
	}

	/** How many unmaps wait in the queue of @cpu. */
	queued(cpu = 0): number {
		const fq = per_cpu_ptr(this.cookie.percpu_fq!, cpu);
		return (fq.tail - fq.head) & fq.mod_mask;
	}

	/** Map, let the device use it, unmap; the address. */
	cycle(n = 0): number {
		const dma = mapPage(this.dev, n);
		this.reads(0, dma);
		unmapPage(this.dev, dma);
		return dma;
	}
}

describe('flush_queue', () => {
	describe('the switch while drivers are bound', () => {
		it('keeps what is mapped, frees at once what was unmapped before, and queues what comes after', () => {
			const board = new H6();
			const dev = board.device(0);
			const live = mapPage(dev, 1);
			const old = mapPage(dev);
			unmapPage(dev, old);
			expect(mapPage(dev)).to.equal(old);
			unmapPage(dev, old);

			expect(sysfs_write(TYPE, 'DMA-FQ')).to.equal(6);
			expect(sysfs_read(TYPE)).to.equal('DMA-FQ\n');
			expect(board.reads(0, live)).to.equal(true);
			expect(mapPage(dev)).to.equal(old);
			unmapPage(dev, old);
			expect(mapPage(dev)).to.not.equal(old);
			unmapPage(dev, live);
		});

		it('is one way', () => {
			const { dev } = new Lazy();
			for (const word of ['DMA', 'DMA-FQ', 'identity', 'auto'])
				expect(sysfs_write(TYPE, word)).to.equal(-EPERM);
			expect(sysfs_read(TYPE)).to.equal('DMA-FQ\n');
			unmapPage(dev, mapPage(dev));
		});
	});

	describe('an unmap', () => {
		it('ends the mapping in the tables, not in the caches, until the flush', () => {
			expectFinding(/stale-tlb/);
			const board = new Lazy();
			const dma = board.cycle();
			expect(iommu_iova_to_phys(iommu_get_dma_domain(board.dev), dma)).to.equal(0);
			expect(board.flushes).to.deep.equal([]);
			expect(board.reads(0, dma)).to.equal(true);
			msleep(20);
			expect(board.stale()).to.deep.equal([]);
			expect(board.reads(0, dma)).to.equal(false);
		});

		it('is flushed 10 ms later, one flush for all that came, and no timer without any', () => {
			const board = new Lazy();
			const { machine, cookie } = board;
			expect(timer_pending(cookie.fq_timer)).to.equal(0);
			const start = machine.now();
			for (let i = 0; i < 20; i++) board.cycle(i);
			expect(board.queued()).to.equal(20);
			expect(timer_pending(cookie.fq_timer)).to.equal(1);
			msleep(40);
			expect(board.flushes).to.have.length(1);
			const after = board.flushes[0]! - start;
			// A timer ends at a tick, of 4 ms: never before its time.
			expect(after >= 10e6 && after <= 18e6, `${after} ns`).to.equal(true);
			expect([board.queued(), timer_pending(cookie.fq_timer)]).to.deep.equal([0, 0]);
			// The next unmap starts the timer anew.
			board.cycle();
			msleep(40);
			expect(board.flushes).to.have.length(2);
		});
	});

	describe('the ring', () => {
		it('holds one less than its entries, and is flushed by the unmap that finds it full', () => {
			const board = new Lazy();
			const first = board.cycle();
			for (let i = 1; i < ENTRIES - 1; i++) expect(board.cycle(i)).to.not.equal(first);
			expect([board.queued(), board.flushes.length]).to.deep.equal([ENTRIES - 1, 0]);
			board.cycle();
			expect([board.queued(), board.flushes.length]).to.deep.equal([1, 1]);
		});

		it('goes round and round: each round is one flush, and its addresses come back', () => {
			const board = new Lazy();
			const seen = new Set<number>();
			for (let i = 0; i < 3 * ENTRIES; i++) seen.add(board.cycle(i & 15));
			expect(board.flushes).to.have.length(3);
			// Two rounds' worth, since the addresses of a round are freed at its end.
			expect(seen.size).to.be.at.most(2 * ENTRIES);
			msleep(20);
			expect(board.queued()).to.equal(0);
		});

		it("is each CPU's own; the timer empties all, a full one only itself", () => {
			const board = new Lazy();
			const other = (n: number) => run_on_cpu(1, () => board.cycle(n));
			for (let i = 0; i < 3; i++) board.cycle(i);
			for (let i = 0; i < 5; i++) other(i);
			expect([board.queued(0), board.queued(1)]).to.deep.equal([3, 5]);
			msleep(20);
			expect([board.queued(0), board.queued(1), board.flushes.length]).to.deep.equal([0, 0, 1]);

			board.cycle();
			for (let i = 0; i < ENTRIES; i++) other(i);
			expect([board.queued(0), board.queued(1), board.flushes.length]).to.deep.equal([1, 1, 2]);
			// What that flush has set free here goes with the next unmap here.
			board.cycle();
			expect(board.queued(0)).to.equal(1);
		});
	});

	describe('no address', () => {
		const step = fc.record({
			what: fc.constantFrom('map', 'map', 'unmap', 'unmap', 'use', 'wait'),
			size: fc.constantFrom(K4, K4, 2 * K4, 5 * K4),
			pick: fc.nat(1000),
			cpu: fc.nat(1),
		});

		for (const policy of ['pessimistic', 'optimistic'] as const)
			it(`is given out again while a cache still has its old translation (random, ${policy})`, () => {
				fc.assert(
					fc.property(fc.array(step, { minLength: 20, maxLength: 120 }), (steps) => {
						const board = new Lazy(policy);
						const live: { dma: number; size: number; n: number }[] = [];
						for (const { what, size, pick, cpu } of steps)
							run_on_cpu(cpu, () => {
								const at = pick % (live.length || 1);
								if (what === 'map') {
									const n = pick % 64;
									const dma = mapPage(board.dev, n, size);
									expect(board.iommu.contradictions(dma, dma + size - 1).map((c) => c.text)).to.deep.equal(
										[],
									);
									for (const m of live) expect(dma + size <= m.dma || m.dma + m.size <= dma).to.equal(true);
									live.push({ dma, size, n });
								} else if (what === 'unmap' && live.length > 0) {
									const [m] = live.splice(at, 1);
									unmapPage(board.dev, m!.dma, m!.size);
								} else if (what === 'use' && live.length > 0) {
									const m = live[at]!;
									expect(board.reads(cpu, m.dma + m.size - K4)).to.equal(true);
								}
								if (what === 'wait') board.machine.advance((pick % 5) * 1_000_000);
							});
						for (const m of live) unmapPage(board.dev, m.dma, m.size);
						msleep(20);
						expect(board.stale()).to.deep.equal([]);
						expect(board.queued(0) + board.queued(1)).to.equal(0);
					}),
					{ numRuns: 8 },
				);
			});

		it('would be, without the flush (the flaw put in)', () => {
			expectFinding(/stale-after-map|reused-before-flush/);
			const board = new Lazy();
			const domain = iommu_get_dma_domain(board.dev);
			domain.ops = { ...domain.ops, flush_iotlb_all: () => {} };
			const size = 3 * K4;
			const first = mapPage(board.dev, 0, size);
			board.reads(0, first + 2 * K4);
			unmapPage(board.dev, first, size);
			msleep(20);
			// What a map invalidates hides it at the ends of the range.
			expect(mapPage(board.dev, 8, size)).to.equal(first);
			expect(board.iommu.contradictions(first, first + size - 1).map((c) => c.entry.iova)).to.include(
				first + 2 * K4,
			);
		});
	});

	describe('the end of a domain', () => {
		/** Unbind all drivers, with unmaps in the queue. */
		function unbound(): { board: Lazy } {
			const board = new Lazy();
			for (let i = 0; i < 10; i++) board.cycle(i);
			for (const name of [...board.masters.devices.keys()])
				sysfs_write('/sys/bus/platform/drivers/test-masters/unbind', name);
			expect(board.queued()).to.equal(10);
			return { board };
		}

		it('stops the timer and drops the queue; translation is off', () => {
			const { board } = unbound();
			const { cookie } = board;
			const { length } = board.flushes;
			expect(sysfs_write(TYPE, 'identity')).to.equal(8);
			expect(timer_pending(cookie.fq_timer)).to.equal(0);
			const after = board.flushes.length;
			expect(after).to.equal(length);
			msleep(50);
			expect(board.flushes).to.have.length(after);
			expect(board.dmasan.reports.map((r) => r.text)).to.deep.equal([]);
		});

		it('for another of its kind leaves nothing cached, and nothing allocated', () => {
			const { board } = unbound();
			const round = () => {
				expect(sysfs_write(TYPE, 'identity')).to.equal(8);
				expect(sysfs_write(TYPE, 'DMA')).to.equal(3);
				expect(board.stale()).to.deep.equal([]);
				sysfs_write('/sys/bus/platform/drivers/test-masters/bind', 'm0');
				expect(sysfs_write(TYPE, 'DMA-FQ')).to.equal(6);
				for (let i = 0; i < 10; i++) board.cycle(i);
				sysfs_write('/sys/bus/platform/drivers/test-masters/unbind', 'm0');
				expect(board.queued()).to.equal(10);
			};
			// Empty slabs stay, and so do addresses that are cached.
			round();
			const check = board.leakCheck();
			round();
			expect(check()).to.deep.equal([]);
		});
	});

	describe('one queue for all CPUs, for hardware that is told of each flush', () => {
		function shadow() {
			const machine = h6({ nrCpus: 2, commandLine: 'iommu.strict=0' });
			start_kernel(machine);
			const flush = sinon.spy();
			const driver: TestDriver = new TestDriver('shadow', {
				capable: (_dev, cap) => cap === IOMMU_CAP_DEFERRED_FLUSH,
				probe_device: (dev) => {
					dev.iommu!.shadow_on_flush = 1;
					return driver.iommu;
				},
			});
			// Plain functions: a spy that remembers 32768 calls is slow.
			const pages = new Set<number>();
			driver.ops.default_domain_ops = {
				...driver.domainOps,
				flush_iotlb_all: flush,
				map_pages: (_domain, iova, _paddr, pgsize, pgcount, _prot, _gfp, mapped) => {
					pages.add(iova);
					mapped.value = pgsize * pgcount;
					return 0;
				},
				unmap_pages: (_domain, iova, pgsize, pgcount) => (pages.delete(iova) ? pgsize * pgcount : 0),
				iova_to_phys: (_domain, iova) => (pages.has(iova - (iova % K4)) ? BUFFER + (iova % K4) : 0),
				iotlb_sync_map: () => 0,
			};
			expect(driver.register()).to.equal(0);
			const dev = driver.device('dev');
			const cookie = cookieOf(iommu_get_dma_domain(dev));
			const queued = () => {
				const fq = cookie.single_fq!;
				return (fq.tail - fq.head) & fq.mod_mask;
			};
			const cycle = (): number => {
				const dma = dma_map_page_attrs(
					dev,
					pfn_to_page(BUFFER / PAGE_SIZE),
					0,
					K4,
					DMA_TO_DEVICE,
					0,
				) as number;
				dma_unmap_page_attrs(dev, dma, K4, DMA_TO_DEVICE, 0);
				return dma;
			};
			return { machine, driver, dev, cookie, flush, queued, cycle };
		}

		it('is flushed after 1 s, not after 10 ms', () => {
			const { machine, cookie, flush, queued, cycle } = shadow();
			expect([cookie.percpu_fq, cookie.single_fq !== null]).to.deep.equal([null, true]);
			cycle();
			run_on_cpu(1, cycle);
			expect(queued()).to.equal(2);
			machine.advance(990e6);
			expect([flush.callCount, queued()]).to.deep.equal([0, 2]);
			machine.advance(20e6);
			expect([flush.callCount, queued()]).to.deep.equal([1, 0]);
		});

		it('holds 32767 unmaps, of both CPUs, and is flushed by the next', () => {
			const { flush, queued, cycle, cookie } = shadow();
			for (let i = 0; i < 32767; i++) cycle();
			expect([flush.callCount, queued()]).to.deep.equal([0, 32767]);
			run_on_cpu(1, cycle);
			expect([flush.callCount, queued()]).to.deep.equal([1, 1]);
			expect(cookie.single_fq!.tail).to.equal(0);
			cycle();
			expect([cookie.single_fq!.head, cookie.single_fq!.tail]).to.deep.equal([32767, 1]);
		});

		it('ends with the device, whatever it holds', () => {
			const { machine, driver, dev, flush, cycle, cookie } = shadow();
			for (let i = 0; i < 5; i++) cycle();
			driver.remove(dev);
			expect(timer_pending(cookie.fq_timer)).to.equal(0);
			machine.advance(2e9);
			expect(flush.callCount).to.equal(0);
			expect(driver.freed).to.have.length(1);
		});
	});
});
