// SPDX-License-Identifier: GPL-2.0-only
// The Rockchip driver on the model: power, domains, tables, caches, what it mends.
// Its register traffic, word for word: tests/golden (rockchip-*.json).
import { expect } from 'chai';
import fc from 'fast-check';
import { bus_find_device_by_name } from '#drivers/base/bus.js';
import { device_link_wait_removal, device_shutdown } from '#drivers/base/core.js';
import { platform_bus_type, platform_device_unregister } from '#drivers/base/platform.js';
import {
	iommu_attach_group,
	iommu_detach_group,
	iommu_domain_free,
	iommu_map,
	iommu_paging_domain_alloc,
	iommu_set_fault_handler,
	iommu_unmap,
} from '#drivers/iommu/iommu.js';
import { IS_ERR } from '#linux/err.js';
import { EADDRINUSE, EFAULT, EINVAL, ETIMEDOUT } from '#linux/errno.js';
import { GFP_ATOMIC, GFP_KERNEL } from '#linux/gfp.js';
import type { iommu_domain } from '#linux/iommu.js';
import { to_platform_device } from '#linux/platform_device.js';
import { pm_runtime_set_suspended } from '#linux/pm_runtime.js';
import { leakCheck } from '#tests/leaks.js';
import { expectWarning } from '#tests/setup.js';
import { asked, BUFFER, K4, MIB4, Rockchip, RW, UNITS, walk } from './rockchip.js';

function newDomain(rk: Rockchip, master: number): iommu_domain {
	const domain = iommu_paging_domain_alloc(rk.device(master));
	if (IS_ERR(domain)) throw new Error(`no domain: ${domain.errno}`);
	return domain;
}

function attach(rk: Rockchip, master: number, domain: iommu_domain): number {
	return iommu_attach_group(domain, rk.device(master).iommu_group!);
}

function map(domain: iommu_domain, iova: number, phys: number, size = K4, prot = RW): number {
	return iommu_map(domain, iova, phys, size, prot, GFP_KERNEL);
}

const paging = (rk: Rockchip, unit: keyof typeof UNITS): boolean[] =>
	rk.unit(unit).mmus.map((mmu) => mmu.paging);

describe('rockchip_iommu', () => {
	describe('power', () => {
		it('touches no register in probe and attach', () => {
			const rk = new Rockchip();
			expect(rk.machine.bus.reads + rk.machine.bus.writes).to.be.greaterThan(0);
			for (const unit of ['A', 'B', 'C', 'D'] as const)
				for (const mmu of rk.unit(unit).mmus) expect(mmu.registers.get('AUTO_GATING')).to.equal(1);
		});

		it('translates in every window while the master is on, and in none before and after', () => {
			const rk = new Rockchip();
			expect(paging(rk, 'B')).to.deep.equal([false, false]);
			expect(rk.use(1)).to.equal(0);
			expect(paging(rk, 'B')).to.deep.equal([true, true]);
			expect(paging(rk, 'A')).to.deep.equal([false]);
			rk.release(1);
			expect(paging(rk, 'B')).to.deep.equal([false, false]);
		});

		it('stays on until the last of its masters is off', () => {
			const rk = new Rockchip();
			rk.use(2);
			rk.use(5);
			rk.release(2);
			expect(paging(rk, 'C')).to.deep.equal([true, true]);
			rk.release(5);
			expect(paging(rk, 'C')).to.deep.equal([false, false]);
		});

		it('is suspended at shutdown, whoever uses it', () => {
			const rk = new Rockchip();
			for (const m of [0, 1, 2, 6]) rk.use(m);
			device_shutdown();
			for (const unit of ['A', 'B', 'C', 'D'] as const) expect(paging(rk, unit)).to.not.include(true);
		});

		it('fails the resume of a master when the reset never ends, until the error is cleared', () => {
			const rk = new Rockchip();
			rk.unit('A').stuck.add('reset');
			const before = rk.machine.now();
			expect(rk.use(0)).to.equal(-ETIMEDOUT);
			// A tenth of a second, as the driver means it: 6.12 gives up after three reads.
			expect((rk.machine.now() - before) / 1e6).to.be.within(100, 110);
			expect(rk.said(/FORCE_RESET command timed out/)).to.have.length(1);
			rk.unit('A').stuck.clear();
			rk.release(0);
			expect(rk.use(0)).to.equal(-EINVAL);
			rk.release(0);
			pm_runtime_set_suspended(bus_find_device_by_name(platform_bus_type, null, UNITS.A)!);
			pm_runtime_set_suspended(rk.device(0));
			expect(rk.use(0)).to.equal(0);
			expect(paging(rk, 'A')).to.deep.equal([true]);
		});

		it('answers -EFAULT when the directory register keeps nothing', () => {
			const rk = new Rockchip();
			rk.unit('B').stuck.add('directory of MMU 1');
			expect(rk.use(1)).to.equal(-EFAULT);
			expect(paging(rk, 'B')).to.deep.equal([false, false]);
		});
	});

	describe('domains', () => {
		it('are one a group: masters of different IOMMUs reach different memory by the same address', () => {
			const rk = new Rockchip();
			rk.use(0);
			rk.use(1);
			map(rk.domainOf(0), 0x10_0000, BUFFER);
			map(rk.domainOf(1), 0x10_0000, BUFFER + K4);
			rk.writes(0, 0x10_0000);
			expect(rk.machine.ram.readWord(BUFFER)).to.equal(0x04030201);
			expect(rk.machine.ram.readWord(BUFFER + K4)).to.equal(0);
			rk.writes(1, 0x10_0000);
			expect(rk.machine.ram.readWord(BUFFER + K4)).to.equal(0x04030201);
		});

		it('serve several IOMMUs, and no cache of any keeps what is unmapped', () => {
			const rk = new Rockchip();
			const domain = newDomain(rk, 0);
			for (const m of [0, 1]) {
				rk.use(m);
				expect(attach(rk, m, domain)).to.equal(0);
			}
			map(domain, MIB4, BUFFER, 2 * K4);
			for (const m of [0, 1]) expect([rk.tries(m, MIB4), rk.tries(m, MIB4 + K4)]).to.deep.equal([true, true]);
			expect(iommu_unmap(domain, MIB4, 2 * K4)).to.equal(2 * K4);
			expect(rk.stale()).to.deep.equal([]);
			for (const m of [0, 1]) expect(rk.tries(m, MIB4)).to.equal(false);
			for (const m of [0, 1]) iommu_detach_group(domain, rk.device(m).iommu_group!);
			iommu_domain_free(domain);
		});

		// C is never reset: what it has cached only a zap drops.
		for (const [master, unit] of [
			[0, 'A'],
			[2, 'C'],
		] as const)
			it(`changed while in use take effect at once, and leave nothing cached (${unit})`, () => {
				const rk = new Rockchip();
				rk.use(master);
				map(rk.domainOf(master), 0, BUFFER);
				rk.tries(master, 0);
				const domain = newDomain(rk, master);
				map(domain, 0, BUFFER + K4);
				expect(attach(rk, master, domain)).to.equal(0);
				rk.writes(master, 0);
				expect([rk.machine.ram.readWord(BUFFER), rk.machine.ram.readWord(BUFFER + K4)]).to.deep.equal([
					0, 0x04030201,
				]);
				iommu_detach_group(domain, rk.device(master).iommu_group!);
				iommu_domain_free(domain);
			});

		it('are zapped page by page when a large chunk is unmapped', () => {
			const rk = new Rockchip();
			rk.use(0);
			const domain = rk.domainOf(0);
			map(domain, MIB4, BUFFER, 64 * K4);
			for (let i = 0; i < 64; i += 7) rk.tries(0, MIB4 + i * K4);
			expect(iommu_unmap(domain, MIB4, 64 * K4)).to.equal(64 * K4);
			expect(rk.stale()).to.deep.equal([]);
		});

		it('that cannot be put in force leave the one that is named: the next resume enables it', () => {
			const rk = new Rockchip();
			rk.use(0);
			const old = rk.domainOf(0);
			map(old, 0, BUFFER);
			const domain = newDomain(rk, 0);
			rk.unit('A').stuck.add('reset');
			expectWarning(/__iommu_group_set_domain_internal/);
			expect(attach(rk, 0, domain)).to.equal(-ETIMEDOUT);
			expect(rk.domainOf(0)).to.equal(old);
			rk.unit('A').stuck.clear();
			rk.release(0);
			expect(rk.use(0)).to.equal(0);
			expect(paging(rk, 'A')).to.deep.equal([true]);
			rk.writes(0, 0);
			expect(rk.machine.ram.readWord(BUFFER)).to.equal(0x04030201);
			iommu_domain_free(domain);
		});

		it('free all their tables', () => {
			const rk = new Rockchip();
			const left = leakCheck();
			const domain = newDomain(rk, 0);
			for (const iova of [0, MIB4, 5 * MIB4]) map(domain, iova, BUFFER, 3 * K4);
			iommu_domain_free(domain);
			expect(left()).to.deep.equal([]);
		});
	});

	describe('tables', () => {
		for (const [board, second] of [
			['rk-v1', false],
			['rk-v2', true],
		] as const)
			it(`are clean in the cache, and lead where the driver says (${board})`, () => {
				const rk = new Rockchip(board);
				const domain = newDomain(rk, 0);
				for (const [iova, size] of [
					[0, K4],
					[MIB4 - K4, 2 * K4],
					[0xff80_0000, 2 * MIB4],
				] as const) {
					expect(map(domain, iova, BUFFER + (iova % MIB4), size)).to.equal(0);
					for (const at of [iova, iova + size - K4]) {
						expect(walk(rk.machine, domain, at + 12, second)).to.equal(
							BUFFER + (iova % MIB4) + at - iova + 12,
						);
						expect(asked(domain, at + 12)).to.equal(BUFFER + (iova % MIB4) + at - iova + 12);
					}
				}
				iommu_domain_free(domain);
			});

		it('hold 40 bits in the second format', () => {
			const rk = new Rockchip('rk-v2high');
			const domain = newDomain(rk, 0);
			expect(map(domain, 0, 0x8_1000_0000)).to.equal(0);
			expect(walk(rk.machine, domain, 0, true)).to.equal(0x8_1000_0000);
			expect(map(domain, K4, 0x100_0000_0000)).to.equal(-EINVAL);
			iommu_domain_free(domain);
		});

		it('refuse memory that a word of the first format cannot name', () => {
			const rk = new Rockchip('rk-v1high');
			const domain = newDomain(rk, 0);
			expect(map(domain, 0, 0x8_1000_0000)).to.equal(-EINVAL);
			expect(asked(domain, 0)).to.equal(-1);
			expect(rk.said(/beyond 32 bits/)).to.have.length(1);
			iommu_domain_free(domain);
		});

		it('are not synced where nothing is unmapped: dma-debug knows no range of no bytes', () => {
			const rk = new Rockchip();
			const domain = rk.domainOf(0);
			for (let n = 0; n < 8; n++) map(domain, n * MIB4 + K4, BUFFER, K4);
			for (let n = 0; n < 8; n++) expect(iommu_unmap(domain, n * MIB4, K4)).to.equal(0);
			for (let n = 0; n < 8; n++) expect(map(domain, n * MIB4, BUFFER, 2 * K4)).to.equal(-EADDRINUSE);
			for (let n = 0; n < 8; n++) iommu_unmap(domain, n * MIB4 + K4, K4);
		});

		it('refuse what is mapped already, and keep it', () => {
			const rk = new Rockchip();
			const domain = newDomain(rk, 0);
			map(domain, 2 * K4, BUFFER);
			expect(map(domain, 0, BUFFER + K4, 4 * K4)).to.equal(-EADDRINUSE);
			expect([0, K4, 2 * K4, 3 * K4].map((iova) => walk(rk.machine, domain, iova))).to.deep.equal([
				-1,
				-1,
				BUFFER,
				-1,
			]);
			iommu_domain_free(domain);
		});

		it('of an IOMMU that does not snoop are cleaned, also when the first one snoops', () => {
			const rk = new Rockchip('rk-walkcoh');
			rk.use(1);
			const domain = rk.domainOf(1);
			map(domain, 0, BUFFER);
			expect(walk(rk.machine, domain, 0)).to.equal(BUFFER);
			expect(rk.tries(1, 0)).to.equal(true);
		});

		it('made for an IOMMU that snoops are cleaned when one comes that does not', () => {
			const rk = new Rockchip('rk-walkcoh');
			const domain = newDomain(rk, 0);
			map(domain, 0, BUFFER);
			rk.use(1);
			attach(rk, 1, domain);
			expect(rk.tries(1, 0)).to.equal(true);
			iommu_detach_group(domain, rk.device(1).iommu_group!);
			iommu_domain_free(domain);
		});
	});

	for (const policy of ['pessimistic', 'optimistic'] as const)
		it(`keeps caches and tables in step through any calls (${policy})`, () => {
			const page = fc.integer({ min: 0, max: 40 });
			const calls = fc.array(
				fc.record({
					what: fc.constantFrom('map', 'unmap', 'look', 'power'),
					first: page,
					pages: fc.integer({ min: 1, max: 9 }),
				}),
				{ minLength: 5, maxLength: 20 },
			);
			fc.assert(
				fc.property(calls, (list) => {
					const rk = new Rockchip('rk-v1', { policy });
					const domain = rk.domainOf(1);
					// Around a directory word's border.
					const at = (n: number): number => MIB4 - 20 * K4 + n * K4;
					const mapped = new Map<number, number>();
					let on = false;
					for (const { what, first, pages } of list) {
						if (what === 'map') {
							const free = Array.from({ length: pages }, (_x, i) => first + i).every((n) => !mapped.has(n));
							const ret = map(domain, at(first), BUFFER + first * K4, pages * K4);
							expect(ret).to.equal(free ? 0 : -EADDRINUSE);
							if (free) for (let i = 0; i < pages; i++) mapped.set(first + i, BUFFER + (first + i) * K4);
						} else if (what === 'unmap') {
							let end = first;
							while (end < first + pages && mapped.has(end)) mapped.delete(end++);
							expect(iommu_unmap(domain, at(first), pages * K4)).to.equal((end - first) * K4);
						} else if (what === 'look') {
							for (let i = 0; i < pages; i++)
								if (on) expect(rk.tries(1, at(first + i))).to.equal(mapped.has(first + i));
						} else {
							if (on) rk.release(1);
							else rk.use(1);
							on = !on;
						}
						expect(rk.stale(), what).to.deep.equal([]);
						expect(walk(rk.machine, domain, at(first))).to.equal(mapped.get(first) ?? -1);
					}
				}),
				{ seed: 9, numRuns: 6 },
			);
		});

	describe('faults', () => {
		it('are reported with what the tables say, and let the master go on', () => {
			const rk = new Rockchip();
			rk.use(0);
			expect(rk.tries(0, 0x1234_5678)).to.equal(false);
			expect(rk.said(/Page fault|dte@/).map((l) => l.replace(/.*iommu: /, ''))).to.have.length.greaterThan(1);
			map(rk.domainOf(0), 0x1234_5000, BUFFER);
			expect(rk.tries(0, 0x1234_5678)).to.equal(true);
		});

		it('say whether it was a write, to the handler too, which may map what was missing', () => {
			const rk = new Rockchip();
			rk.use(0);
			const domain = rk.domainOf(0);
			const seen: number[][] = [];
			iommu_set_fault_handler(
				domain,
				(d, _dev, iova, flags) => {
					seen.push([iova, flags]);
					return iommu_map(d, iova - (iova % K4), BUFFER, K4, RW, GFP_ATOMIC);
				},
				null,
			);
			expect(rk.writes(0, 0x5004)).to.equal(false);
			rk.machine.advance(1000);
			expect(seen).to.deep.equal([[0x5004, 1]]);
			expect(rk.writes(0, 0x5004)).to.equal(true);
			expect(rk.stale()).to.deep.equal([]);
		});

		it('at a page without the right are faults', () => {
			const rk = new Rockchip();
			rk.use(0);
			map(rk.domainOf(0), 0, BUFFER, K4, 1);
			expect(rk.tries(0, 0)).to.equal(true);
			expect(rk.writes(0, 0)).to.equal(false);
			rk.machine.advance(1000);
			expect(rk.said(/Page fault at 0x0000000000000000 of type write/)).to.have.length(1);
			expect(rk.machine.ram.readWord(BUFFER)).to.equal(0);
		});

		it('of the two IOMMUs on one interrupt line are both answered', () => {
			const rk = new Rockchip();
			rk.use(0);
			rk.use(6);
			expect([rk.reads(0, 0x1000), rk.reads(6, 0x2000)]).to.deep.equal([false, false]);
			rk.machine.advance(1000);
			expect(rk.said(/Page fault at/)).to.have.length(2);
			expect([rk.unit('A').mmus[0]!.status & 2, rk.unit('D').mmus[0]!.status & 2]).to.deep.equal([0, 0]);
		});

		it('of one that comes as the MMU goes on are not cleared with the one before', () => {
			const rk = new Rockchip();
			rk.use(0);
			const mmu = rk.unit('A').mmus[0]!;
			// The master is quick: it tries again as soon as it may, three times.
			let again = 3;
			const write = mmu.write.bind(mmu);
			mmu.write = (offset, width, value) => {
				write(offset, width, value);
				if (offset === 0x08 && value === 5 && again-- > 0) rk.reads(0, 0x7000);
			};
			rk.reads(0, 0x1000);
			rk.machine.advance(10_000);
			expect(rk.said(/Page fault at/)).to.have.length(4);
			expect(mmu.status & 2).to.equal(0);
		});

		it('with a directory register that leads nowhere are reported, too', () => {
			const rk = new Rockchip();
			rk.use(0);
			rk.unit('A').mmus[0]!.registers.set('DTE_ADDR', 0xf000_0001);
			rk.reads(0, 0x1000);
			rk.machine.advance(1000);
			expect(rk.said(/BUS_ERROR occurred at 0x0000000000001000/)).to.have.length(1);
		});

		it('show the rights of the second format alone', () => {
			const rk = new Rockchip('rk-v2high');
			rk.use(0);
			map(rk.domainOf(0), 0, 0x8_1000_0000, K4, 1);
			rk.writes(0, 0);
			rk.machine.advance(1000);
			expect(rk.said(/page@0x0000000810000000 flags: 0x2$/)).to.have.length(1);
		});
	});

	it('is named after its masters', () => {
		const rk = new Rockchip();
		expect([rk.unit('A').streamName(), rk.unit('C').streamName()]).to.deep.equal(['m0', 'm2, m5']);
	});

	it('lets a master go that is removed, and walks no tables of it any more', () => {
		const rk = new Rockchip();
		rk.use(6);
		const dev = rk.device(6);
		const supplier = bus_find_device_by_name(platform_bus_type, null, UNITS.D)!;
		platform_device_unregister(to_platform_device(dev));
		expect(supplier.links.consumers.next).to.equal(supplier.links.consumers);
		device_link_wait_removal();
		expect(rk.unit('D').mmus[0]!.registers.get('DTE_ADDR')).to.equal(0);
	});

	it('refuses an IOMMU of the other format, and that alone', () => {
		expectWarning(/rk_iommu_probe/);
		const rk = new Rockchip('rk-mixed', { commandLine: 'deferred_probe_timeout=10' });
		expect([...rk.masters.devices.keys()]).to.include.members(['m0', 'm2', 'm5', 'm6']);
		expect([...rk.masters.devices.keys()]).to.not.include('m1');
		expect(rk.use(0)).to.equal(0);
	});
});
