// SPDX-License-Identifier: GPL-2.0-only
// Domains: who makes them, which is a group's default, what may become of that.
// What is expected is what drivers/iommu/iommu.c and dma-iommu.c of Linux 6.12 do.

import { expect } from 'chai';
import sinon from 'sinon';
import { pfn_to_page } from '#asm/memory.js';
import { PAGE_SIZE } from '#asm/page-def.js';
import { platform_bus_type } from '#drivers/base/platform.js';
import {
	generic_single_device_group,
	iommu_attach_group,
	iommu_detach_group,
	iommu_device_unuse_default_domain,
	iommu_device_use_default_domain,
	iommu_domain_alloc,
	iommu_domain_free,
	iommu_get_dma_domain,
	iommu_get_domain_for_dev,
	iommu_group_claim_dma_owner,
	iommu_group_get,
	iommu_group_put,
	iommu_group_release_dma_owner,
	iommu_map,
	iommu_unmap,
} from '#drivers/iommu/iommu.js';
import { sysfs_read } from '#fs/sysfs/user.js';
import { dma_unmap_page_attrs } from '#kernel/dma/mapping.js';
import { msleep } from '#kernel/time/timer.js';
import type { device } from '#linux/device.js';
import { bus_dma_region } from '#linux/dma-direct.js';
import { DMA_TO_DEVICE } from '#linux/dma-direction.js';
import { DMA_MAPPING_ERROR } from '#linux/dma-mapping.js';
import { ERR_PTR, IS_ERR } from '#linux/err.js';
import { EBUSY, EINVAL, ENOMEM, EPERM } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import {
	IOMMU_CAP_DEFERRED_FLUSH,
	IOMMU_DOMAIN_BLOCKED,
	IOMMU_DOMAIN_DMA,
	IOMMU_DOMAIN_DMA_FQ,
	IOMMU_DOMAIN_IDENTITY,
	IOMMU_DOMAIN_PLATFORM,
	IOMMU_DOMAIN_UNMANAGED,
	iommu_domain,
	type iommu_ops,
} from '#linux/iommu.js';
import { slab_leaks, slab_live } from '#linux/slab.js';
import { slab_fault } from '#mm/failslab.js';
import { RAM } from '#tests/hw/board.js';
import { dma_map_page_attrs } from '#tests/kernel/dma/client.js';
import { expectWarning } from '#tests/setup.js';
import { bootRig, domainFor, ok, RW, setType, typeOf } from './rig.js';
import { K4, K64, TestDomain, TestDriver } from './test_driver.js';

/** The driver says that a flush queue is worth having. */
const lazy: Partial<iommu_ops> = { capable: (_dev, cap) => cap === IOMMU_CAP_DEFERRED_FLUSH };
/** A driver that has no static identity domain. */
const noIdentity: Partial<iommu_ops> = { identity_domain: undefined };

const page = (n = 0) => pfn_to_page((RAM + 0x0800_0000) / PAGE_SIZE + n);
const mapPage = (dev: device, size = K4): number =>
	dma_map_page_attrs(dev, page(), 0, size, DMA_TO_DEVICE, 0) as number;
const unmapPage = (dev: device, dma: number, size = K4): void =>
	dma_unmap_page_attrs(dev, dma, size, DMA_TO_DEVICE, 0);

describe('iommu_domains', () => {
	describe('the default, by command line and driver', () => {
		// iommu_subsys_init(), iommu_set_def_domain_type(), iommu_dma_setup(), iommu_dma_init_domain().
		const said = {
			dma: 'iommu: Default domain type: Translated',
			dmaUser: 'iommu: Default domain type: Translated (set via kernel command line)',
			pt: 'iommu: Default domain type: Passthrough (set via kernel command line)',
			strict: 'iommu: DMA domain TLB invalidation policy: strict mode',
			strictUser: 'iommu: DMA domain TLB invalidation policy: strict mode (set via kernel command line)',
			lazyUser: 'iommu: DMA domain TLB invalidation policy: lazy mode (set via kernel command line)',
		};
		const cases: [string, Partial<iommu_ops>, string, string[]][] = [
			['', {}, 'DMA', [said.dma, said.strict]],
			['', lazy, 'DMA', [said.dma, said.strict]],
			['iommu.passthrough=1', {}, 'identity', [said.pt]],
			['iommu.passthrough=on', {}, 'identity', [said.pt]],
			['iommu.passthrough=0', {}, 'DMA', [said.dmaUser, said.strict]],
			['iommu.passthrough=1 iommu.passthrough=n', {}, 'DMA', [said.dmaUser, said.strict]],
			['iommu.passthrough=maybe', {}, 'DMA', [said.dma, said.strict]],
			['iommu.strict=1', lazy, 'DMA', [said.dma, said.strictUser]],
			['iommu.strict=0', lazy, 'DMA-FQ', [said.dma, said.lazyUser]],
			['iommu.strict=0', {}, 'DMA', [said.dma, said.lazyUser]],
			['iommu.strict=perhaps', lazy, 'DMA', [said.dma, said.strict]],
			['iommu.strict=0 iommu.passthrough=1', lazy, 'identity', [said.pt]],
			['iommu.strict=0 iommu.passthrough=0', lazy, 'DMA-FQ', [said.dmaUser, said.lazyUser]],
		];
		for (const [commandLine, ops, type, lines] of cases) {
			const cap = ops === lazy ? ' with a driver that can flush late' : '';
			it(`is ${type} for '${commandLine}'${cap}`, () => {
				const { driver, log } = bootRig(commandLine, ops);
				const dev = driver.device('a');
				expect(typeOf(dev)).to.equal(type);
				expect(dev.dma_iommu).to.equal(type !== 'identity');
				const about = log
					.filter((l) => l.includes('iommu: D'))
					.map((l) => l.replace(/^.*(iommu: D)/, '$1').trimEnd());
				expect(about).to.deep.equal(lines);
			});
		}

		it('is strict for a lazy system when the flush queue gets no memory', () => {
			const { driver, said: heard } = bootRig('iommu.strict=0', lazy);
			const dev = driver.plainDevice('a');
			expect(driver.point(dev)).to.equal(0);
			// Which allocation is the queue's: try them all.
			for (let nth = 1; !heard('iova flush queue initialization failed'); nth++) {
				expect(nth).to.be.lessThan(100);
				driver.unregister();
				expect(driver.register()).to.equal(0);
				expect(driver.point(dev)).to.equal(0);
				slab_fault.nth = nth;
				driver.probe(dev);
				slab_fault.nth = 0;
			}
			expect(typeOf(dev)).to.equal('DMA');
			expect(dev.dma_iommu).to.equal(true);
		});
	});

	describe('a driver with static domains', () => {
		it('shares them among all groups, and never frees them', () => {
			const { driver } = bootRig('iommu.passthrough=1');
			const a = driver.device('a');
			const b = driver.device('b');
			expect(a.iommu_group).to.not.equal(b.iommu_group);
			expect(iommu_get_domain_for_dev(a)).to.equal(driver.identity);
			expect(iommu_get_domain_for_dev(b)).to.equal(driver.identity);
			driver.remove(a);
			expect(iommu_get_domain_for_dev(b)).to.equal(driver.identity);
			driver.remove(b);
			expect(driver.made).to.deep.equal([]);
			expect(driver.freed).to.deep.equal([]);
		});

		it('blocks an owned group with its own blocked domain', () => {
			const attach = sinon.spy(() => 0);
			const blocked = new iommu_domain({ type: IOMMU_DOMAIN_BLOCKED, ops: { attach_dev: attach } });
			const { driver } = bootRig('', { blocked_domain: blocked });
			const dev = driver.device('a');
			const group = dev.iommu_group!;
			expect(iommu_group_claim_dma_owner(group, 'me')).to.equal(0);
			expect(iommu_get_domain_for_dev(dev)).to.equal(blocked);
			expect(attach.args).to.deep.equal([[blocked, dev]]);
			// Only the default domain was made.
			expect(driver.made.length).to.equal(1);
			iommu_group_release_dma_owner(group);
			driver.remove(dev);
			expect(driver.freed).to.deep.equal(driver.made);
		});

		it('gets its default_domain whatever else is asked for', () => {
			const platform = new iommu_domain({
				type: IOMMU_DOMAIN_PLATFORM,
				ops: { attach_dev: sinon.spy(() => 0) },
			});
			const { driver } = bootRig('iommu.passthrough=1', { default_domain: platform });
			const dev = driver.device('a');
			expect(iommu_get_dma_domain(dev)).to.equal(platform);
			expect(typeOf(dev)).to.equal('unknown');
			expect(dev.dma_iommu).to.equal(false);
			for (const word of ['identity', 'DMA', 'DMA-FQ']) expect(setType(dev, word)).to.equal(-EINVAL);
			expect(setType(dev, 'auto')).to.equal(0);
			expect(iommu_get_domain_for_dev(dev)).to.equal(platform);
		});
	});

	describe('a driver with domain_alloc()', () => {
		function old(commandLine = '', over: Partial<iommu_ops> = {}) {
			const asked: number[] = [];
			const made: TestDomain[] = [];
			const rig = bootRig(commandLine, {
				...noIdentity,
				...lazy,
				domain_alloc_paging: undefined,
				domain_alloc: (type) => {
					asked.push(type);
					const domain = new TestDomain();
					made.push(domain);
					return domain;
				},
				...over,
			});
			return { ...rig, asked, made };
		}

		it('is asked for every type, but never hears of flush queues', () => {
			const { driver, asked, made } = old('iommu.strict=0');
			const dev = driver.device('a');
			expect(asked).to.deep.equal([IOMMU_DOMAIN_DMA]);
			expect(made[0]!.type).to.equal(IOMMU_DOMAIN_DMA_FQ);
			domainFor(dev);
			expect(setType(dev, 'identity')).to.equal(0);
			expect(iommu_group_claim_dma_owner(dev.iommu_group!, 'me')).to.equal(0);
			expect(asked).to.deep.equal([
				IOMMU_DOMAIN_DMA,
				IOMMU_DOMAIN_UNMANAGED,
				IOMMU_DOMAIN_IDENTITY,
				IOMMU_DOMAIN_BLOCKED,
			]);
			expect(made.map((d) => d.type)).to.deep.equal([
				IOMMU_DOMAIN_DMA_FQ,
				IOMMU_DOMAIN_UNMANAGED,
				IOMMU_DOMAIN_IDENTITY,
				IOMMU_DOMAIN_BLOCKED,
			]);
		});

		it('frees an identity domain of its own when the type changes', () => {
			const { driver, made } = old('iommu.passthrough=1');
			const dev = driver.device('a');
			expect(setType(dev, 'DMA')).to.equal(0);
			expect(driver.freed).to.deep.equal([made[0]]);
			expect(made[0]!.type).to.equal(IOMMU_DOMAIN_IDENTITY);
		});

		it('is not asked for what domain_alloc_paging() makes', () => {
			const paging = sinon.spy((_dev: device | null) => new TestDomain());
			const { driver, asked } = old('', { domain_alloc_paging: paging });
			const dev = driver.device('a');
			domainFor(dev);
			expect(setType(dev, 'identity')).to.equal(0);
			expect(asked).to.deep.equal([IOMMU_DOMAIN_IDENTITY]);
			expect(paging.args).to.deep.equal([[dev], [dev]]);
		});

		it('blocks with an empty unmanaged domain when it makes no blocked one', () => {
			const types: number[] = [];
			const { driver } = old('', {
				domain_alloc: (type) => {
					types.push(type);
					return type === IOMMU_DOMAIN_BLOCKED ? null : new TestDomain();
				},
			});
			const dev = driver.device('a');
			expect(iommu_group_claim_dma_owner(dev.iommu_group!, 'me')).to.equal(0);
			expect(types).to.deep.equal([IOMMU_DOMAIN_DMA, IOMMU_DOMAIN_BLOCKED, IOMMU_DOMAIN_UNMANAGED]);
			expect(iommu_get_domain_for_dev(dev)!.type).to.equal(IOMMU_DOMAIN_UNMANAGED);
		});

		it('makes no blocked domain either when there is no memory', () => {
			const { driver } = old('', {
				domain_alloc: (type) => (type === IOMMU_DOMAIN_DMA ? new TestDomain() : ERR_PTR(-ENOMEM)),
			});
			const dev = driver.device('a');
			expect(iommu_group_claim_dma_owner(dev.iommu_group!, 'me')).to.equal(-ENOMEM);
			expect(iommu_get_domain_for_dev(dev)).to.equal(iommu_get_dma_domain(dev));
			expect(iommu_device_use_default_domain(dev)).to.equal(0);
		});
	});

	describe('a domain that was made', () => {
		it('takes its page sizes, ops and owner from the driver, unless it has its own', () => {
			const own = { attach_dev: () => 0 };
			let second = false;
			const { driver } = bootRig('', {
				domain_alloc_paging: () => {
					const domain = new TestDomain();
					if (second) {
						domain.pgsize_bitmap = K64;
						domain.ops = own;
					}
					return domain;
				},
			});
			const dev = driver.device('a');
			const plain = domainFor(dev);
			expect(plain.pgsize_bitmap).to.equal(driver.ops.pgsize_bitmap);
			expect(plain.ops).to.equal(driver.domainOps);
			expect(plain.owner).to.equal(driver.ops);
			second = true;
			const special = domainFor(dev);
			expect([special.pgsize_bitmap, special.ops]).to.deep.equal([K64, own]);
		});

		it('belongs to the DMA API only when that asked for it', () => {
			const { driver } = bootRig();
			const dev = driver.device('a');
			expect(iommu_get_dma_domain(dev).iova_cookie).to.not.equal(null);
			expect(domainFor(dev).iova_cookie).to.equal(null);
		});

		it('for a bus is made without a device', () => {
			const { driver } = bootRig();
			driver.device('a');
			ok(iommu_domain_alloc(platform_bus_type));
			expect((driver.ops.domain_alloc_paging as sinon.SinonSpy).lastCall.args).to.deep.equal([null]);
		});

		it('is freed again when there is no memory for the DMA API', () => {
			const { driver } = bootRig();
			const dev = driver.device('a');
			expect(setType(dev, 'identity')).to.equal(0);
			const before = slab_live();
			const freed = driver.freed.length;
			// The driver's domains are not the slab's: after the open file, the first allocation is the cookie.
			slab_fault.nth = 2;
			expect(setType(dev, 'DMA')).to.equal(-ENOMEM);
			expect(driver.freed.slice(freed)).to.deep.equal([driver.made.at(-1)]);
			expect(slab_leaks(before)).to.deep.equal([]);
			expect(typeOf(dev)).to.equal('identity');
		});

		it('is mapped into only when it takes mappings', () => {
			const { driver } = bootRig();
			const dev = driver.device('a');
			for (const type of [IOMMU_DOMAIN_IDENTITY, IOMMU_DOMAIN_BLOCKED, IOMMU_DOMAIN_PLATFORM]) {
				const domain = new iommu_domain({ type, ops: driver.domainOps, pgsize_bitmap: K4 });
				expect(iommu_map(domain, 0, 0, K4, RW, GFP_KERNEL)).to.equal(-EINVAL);
				expect(iommu_unmap(domain, 0, K4)).to.equal(0);
			}
			expect(driver.domainOps.map_pages.called).to.equal(false);
			expect(iommu_map(iommu_get_dma_domain(dev), 0, 0, K4, RW, GFP_KERNEL)).to.equal(0);
		});
	});

	describe('wishes of a driver (def_domain_type)', () => {
		it('are heard above those of the system', () => {
			const { driver } = bootRig('iommu.passthrough=1', { def_domain_type: () => IOMMU_DOMAIN_DMA });
			const dev = driver.device('a');
			expect(typeOf(dev)).to.equal('DMA');
			// iommu_get_default_domain_type(): -1 for a type other than the wish, so -EINVAL.
			expect(setType(dev, 'identity')).to.equal(-EINVAL);
			expect(setType(dev, 'auto')).to.equal(0);
			expect(typeOf(dev)).to.equal('DMA');
		});

		it('may differ between devices in groups of their own', () => {
			const wishes = new Map<string, number>([['b', IOMMU_DOMAIN_IDENTITY]]);
			const { driver } = bootRig('', { def_domain_type: (dev) => wishes.get(dev.kobj.name!) ?? 0 });
			expect(typeOf(driver.device('a'))).to.equal('DMA');
			expect(typeOf(driver.device('b'))).to.equal('identity');
		});

		it('of some members of a group are those of all', () => {
			const { driver } = bootRig('', {
				device_group: generic_single_device_group,
				def_domain_type: (dev) => (dev.kobj.name === 'b' ? IOMMU_DOMAIN_IDENTITY : 0),
			});
			const a = driver.plainDevice('a');
			const b = driver.plainDevice('b');
			driver.point(a);
			driver.point(b);
			// A second driver makes the core walk the bus, with all members before the first default domain.
			expect(new TestDriver('second').register()).to.equal(0);
			expect(iommu_get_domain_for_dev(a)).to.equal(driver.identity);
			expect(iommu_get_domain_for_dev(b)).to.equal(driver.identity);
		});

		it('come too late when the group has its default domain', () => {
			const { driver } = bootRig('', {
				device_group: generic_single_device_group,
				def_domain_type: (dev) => (dev.kobj.name === 'b' ? IOMMU_DOMAIN_IDENTITY : 0),
			});
			const a = driver.device('a');
			const b = driver.device('b');
			expect(typeOf(a)).to.equal('DMA');
			expect(iommu_get_domain_for_dev(b)).to.equal(iommu_get_dma_domain(a));
			expect(setType(a, 'auto')).to.equal(0);
			expect(typeOf(a)).to.equal('identity');
		});

		for (const [first, second, wins] of [
			['DMA', 'identity', 'identity'],
			['identity', 'DMA', 'identity'],
		]) {
			it(`that contradict each other (${first}, then ${second}) are complained about: ${wins}`, () => {
				const wish = { DMA: IOMMU_DOMAIN_DMA, identity: IOMMU_DOMAIN_IDENTITY };
				const { driver, said } = bootRig('', {
					device_group: generic_single_device_group,
					def_domain_type: (dev) => wish[(dev.kobj.name === 'a' ? first : second) as keyof typeof wish],
				});
				const a = driver.plainDevice('a');
				const b = driver.plainDevice('b');
				driver.point(a);
				driver.point(b);
				expect(new TestDriver('second').register()).to.equal(0);
				const words = { DMA: 'Translated', identity: 'Passthrough' };
				expect(
					said(
						`platform b: IOMMU driver error, requesting conflicting def_domain_type, ${words[first as keyof typeof words]} and ${words[second as keyof typeof words]}, for devices in group ${a.iommu_group!.id}.`,
					),
				).to.equal(true);
				expect(typeOf(a)).to.equal(wins);
			});
		}

		it('that cannot be met are an error, and nothing else is tried', () => {
			const { driver } = bootRig('', { ...noIdentity, def_domain_type: () => IOMMU_DOMAIN_IDENTITY });
			const dev = driver.plainDevice('a');
			driver.point(dev);
			expect(driver.probe(dev)).to.be.lessThan(0);
			expect(dev.iommu_group).to.equal(null);
			expect(driver.made).to.deep.equal([]);
		});

		it('are not needed for a fall-back from identity to DMA, which is said', () => {
			const { driver, said } = bootRig('iommu.passthrough=1', noIdentity);
			const dev = driver.device('a');
			expect(typeOf(dev)).to.equal('DMA');
			expect(
				said(
					'iommu: Failed to allocate default IOMMU domain of type 4 for group (null) - Falling back to IOMMU_DOMAIN_DMA',
				),
			).to.equal(true);
		});

		it('are no matter when even DMA fails: that is -EINVAL, whatever the driver said', () => {
			const { driver, said } = bootRig('', { domain_alloc_paging: () => ERR_PTR(-EBUSY) });
			const dev = driver.plainDevice('a');
			driver.point(dev);
			expect(driver.probe(dev)).to.equal(-EINVAL);
			expect(said('Falling back')).to.equal(false);
		});

		it('are not asked for by a driver that can do neither', () => {
			const { driver } = bootRig('iommu.passthrough=1', { ...noIdentity, domain_alloc_paging: () => null });
			const dev = driver.plainDevice('a');
			driver.point(dev);
			expect(driver.probe(dev)).to.equal(-ENOMEM);
			expect(dev.iommu).to.equal(null);
		});
	});

	describe('the file "type"', () => {
		type Case = [from: string, word: string, result: number, to: string];
		// iommu_group_store_type(): DMA to DMA-FQ at any time; else nobody may use the group.
		const unbound: Case[] = [
			['DMA', 'DMA', 0, 'DMA'],
			['DMA', 'DMA-FQ', 0, 'DMA-FQ'],
			['DMA', 'identity', 0, 'identity'],
			['DMA', 'auto', 0, 'DMA'],
			['DMA-FQ', 'DMA', 0, 'DMA'],
			['DMA-FQ', 'DMA-FQ', 0, 'DMA-FQ'],
			['DMA-FQ', 'identity', 0, 'identity'],
			['DMA-FQ', 'auto', 0, 'DMA'],
			['identity', 'DMA', 0, 'DMA'],
			['identity', 'DMA-FQ', 0, 'DMA-FQ'],
			['identity', 'identity', 0, 'identity'],
			['identity', 'auto', 0, 'DMA'],
		];
		const bound: Case[] = unbound.map(([from, word, , to]) =>
			from === 'DMA' && word === 'DMA-FQ' ? [from, word, 0, to] : [from, word, -EPERM, from],
		);
		/** A group whose default domain is of type @from. */
		function start(from: string) {
			const rig = bootRig('', lazy);
			const dev = rig.driver.device('a');
			if (from !== 'DMA') expect(setType(dev, from)).to.equal(0);
			expect(typeOf(dev)).to.equal(from);
			return { ...rig, dev };
		}

		for (const [from, word, result, to] of unbound) {
			it(`leads from ${from} with "${word}" to ${to} when nobody uses the group`, () => {
				const { dev, driver } = start(from);
				const old = iommu_get_dma_domain(dev);
				expect(setType(dev, word)).to.equal(result);
				expect(typeOf(dev)).to.equal(to);
				expect(iommu_get_domain_for_dev(dev)).to.equal(iommu_get_dma_domain(dev));
				expect(dev.dma_iommu).to.equal(to !== 'identity');
				// The domain stays when its type does, and when a queue is added.
				const stays = from === to || (from === 'DMA' && to === 'DMA-FQ');
				expect(iommu_get_dma_domain(dev) === old).to.equal(stays);
				expect(driver.freed.includes(old)).to.equal(!stays && old !== driver.identity);
				if (to !== 'identity') unmapPage(dev, mapPage(dev));
			});
		}

		for (const [from, word, result, to] of bound) {
			it(`answers ${result} to "${word}" for ${from} while a driver is bound`, () => {
				const { dev } = start(from);
				expect(iommu_device_use_default_domain(dev)).to.equal(0);
				const old = iommu_get_dma_domain(dev);
				expect(setType(dev, word)).to.equal(result);
				expect(typeOf(dev)).to.equal(to);
				expect(iommu_get_domain_for_dev(dev)).to.equal(old);
				iommu_device_unuse_default_domain(dev);
			});
		}

		it('lets nothing but DMA-FQ pass while the group has an owner', () => {
			const { dev } = start('DMA');
			const group = dev.iommu_group!;
			expect(iommu_group_claim_dma_owner(group, 'me')).to.equal(0);
			const blocking = iommu_get_domain_for_dev(dev);
			for (const word of ['DMA', 'identity', 'auto']) expect(setType(dev, word)).to.equal(-EPERM);
			expect(setType(dev, 'DMA-FQ')).to.equal(0);
			expect(typeOf(dev)).to.equal('DMA-FQ');
			expect(iommu_get_domain_for_dev(dev)).to.equal(blocking);
			iommu_group_release_dma_owner(group);
			expect(iommu_get_domain_for_dev(dev)!.type).to.equal(IOMMU_DOMAIN_DMA_FQ);
		});

		it('refuses what it does not know, and the types that nobody may ask for', () => {
			const { dev } = start('DMA');
			for (const word of ['blocked', 'unmanaged', 'unknown', 'Identity', 'DMA-fq', 'DMA\nDMA', ''])
				expect(setType(dev, word), JSON.stringify(word)).to.equal(-EINVAL);
			expect(typeOf(dev)).to.equal('DMA');
		});

		it('is "unknown", and takes nothing, once the last member has gone', () => {
			const { dev, driver } = start('DMA');
			const group = ok(iommu_group_get(dev));
			const file = `/sys/kernel/iommu_groups/${group.id}/type`;
			driver.remove(dev);
			expect(sysfs_read(file)).to.equal('unknown\n');
			iommu_group_put(group);
			expect(IS_ERR(sysfs_read(file))).to.equal(true);
		});

		it('queues nothing, and says so, when there is no memory for the queue', () => {
			const { dev, said } = start('DMA');
			const before = slab_live();
			// The first allocation is the open file.
			slab_fault.nth = 2;
			expect(setType(dev, 'DMA-FQ')).to.equal(-ENOMEM);
			slab_fault.nth = 0;
			expect(said('iova flush queue initialization failed')).to.equal(true);
			expect(typeOf(dev)).to.equal('DMA');
			expect(slab_leaks(before)).to.deep.equal([]);
			expect(setType(dev, 'DMA-FQ')).to.equal(0);
		});

		it('asks the driver for a queue when the domain is new, but not when it is there (as 6.12)', () => {
			const { driver } = bootRig();
			const dev = driver.device('a');
			expect(setType(dev, 'identity')).to.equal(0);
			expect(setType(dev, 'DMA-FQ')).to.equal(0);
			expect(typeOf(dev)).to.equal('DMA');
			expect(setType(dev, 'DMA-FQ')).to.equal(0);
			expect(typeOf(dev)).to.equal('DMA-FQ');
		});

		it('keeps the old domain, and frees the new, when that cannot be attached', () => {
			const { dev, driver } = start('identity');
			driver.attachResult.set(dev, -EBUSY);
			// The way back fails, too, which is the driver's fault.
			expectWarning(/./);
			expect(setType(dev, 'DMA')).to.equal(-EBUSY);
			driver.attachResult.clear();
			expect(typeOf(dev)).to.equal('identity');
			expect(iommu_get_domain_for_dev(dev)).to.equal(driver.identity);
			expect(driver.freed.at(-1)).to.equal(driver.made.at(-1));
			expect(setType(dev, 'DMA')).to.equal(0);
		});

		it('ends a flush queue with unmaps in it, and its timer', () => {
			const { dev, driver } = start('identity');
			const before = slab_live();
			expect(setType(dev, 'DMA-FQ')).to.equal(0);
			for (let i = 0; i < 20; i++) unmapPage(dev, mapPage(dev));
			const domain = iommu_get_dma_domain(dev);
			expect(driver.domainOps.flush_iotlb_all.called).to.equal(false);
			expect(setType(dev, 'identity')).to.equal(0);
			expect(driver.freed.at(-1)).to.equal(domain);
			expect(slab_leaks(before)).to.deep.equal([]);
			msleep(50);
			expect(driver.domainOps.flush_iotlb_all.called).to.equal(false);
		});

		it('attaches the new domain before it frees the old', () => {
			const { dev, driver } = start('DMA');
			const order: string[] = [];
			const old = iommu_get_dma_domain(dev);
			old.ops = { ...driver.domainOps, free: () => order.push('free') };
			driver.identity.ops = { attach_dev: () => order.push('attach') - order.length };
			expect(setType(dev, 'identity')).to.equal(0);
			expect(order).to.deep.equal(['attach', 'free']);
		});

		it('changes an unused group for every member', () => {
			const { driver } = bootRig('', { device_group: generic_single_device_group });
			const a = driver.device('a');
			const b = driver.device('b');
			expect(setType(a, 'identity')).to.equal(0);
			expect([a.dma_iommu, b.dma_iommu]).to.deep.equal([false, false]);
			expect(setType(b, 'DMA')).to.equal(0);
			expect([a.dma_iommu, b.dma_iommu]).to.deep.equal([true, true]);
			expect(iommu_device_use_default_domain(b)).to.equal(0);
			expect(setType(a, 'identity')).to.equal(-EPERM);
			iommu_device_unuse_default_domain(b);
		});

		it('makes a domain that somebody attached give way (as 6.12), for nobody owns the group', () => {
			const { driver } = bootRig();
			const dev = driver.device('a');
			const mine = domainFor(dev);
			expect(iommu_attach_group(mine, dev.iommu_group!)).to.equal(0);
			expect(setType(dev, 'identity')).to.equal(0);
			expect(iommu_get_domain_for_dev(dev)).to.equal(driver.identity);
			iommu_detach_group(mine, dev.iommu_group!);
			iommu_domain_free(mine);
		});
	});

	describe('geometry', () => {
		function withGeometry(start: number, end: number, force: boolean) {
			return bootRig('', {
				domain_alloc_paging: () => {
					const domain = new TestDomain();
					domain.geometry.aperture_start = start;
					domain.geometry.aperture_end = end;
					domain.geometry.force_aperture = force;
					return domain;
				},
			});
		}

		it('keeps DMA addresses at or below its end', () => {
			const { driver } = withGeometry(0, 0x0fff_ffff, true);
			const dev = driver.device('a');
			expect(mapPage(dev)).to.equal(0x0fff_f000);
			expect(mapPage(dev, K64)).to.equal(0x0ffe_0000);
		});

		it('that is not forced leaves them to the mask', () => {
			const { driver } = withGeometry(0, 0x0fff_ffff, false);
			expect(mapPage(driver.device('a'))).to.equal(0xffff_f000);
		});

		it('keeps them at or above its start, and ends when there are no more', () => {
			const { driver } = withGeometry(0x1000_0000, 0x1000_3fff, true);
			const dev = driver.device('a');
			const got = [1, 2, 3, 4].map(() => mapPage(dev));
			expect(got).to.deep.equal([0x1000_3000, 0x1000_2000, 0x1000_1000, 0x1000_0000]);
			expect(mapPage(dev)).to.equal(DMA_MAPPING_ERROR);
			unmapPage(dev, got[2]!);
			expect(mapPage(dev)).to.equal(got[2]);
		});

		it('never gives out address 0', () => {
			const { driver } = withGeometry(0, 0x1fff, true);
			const dev = driver.device('a');
			expect(mapPage(dev)).to.equal(0x1000);
			expect(mapPage(dev)).to.equal(DMA_MAPPING_ERROR);
		});

		const ranges: [string, number, number, boolean][] = [
			['below', 0x1000, 0x1000, false],
			['above', 0x9000_0000, 0x1000, false],
			['across the start of', 0x3fff_f000, 0x2000, true],
			['across the end of', 0x7fff_f000, 0x2000, true],
			['inside', 0x5000_0000, 0x1000, true],
		];
		for (const [where, start, size, fits] of ranges) {
			it(`${fits ? 'suits' : 'does not suit'} a device whose bus leads ${where} the aperture`, () => {
				const { driver, said } = withGeometry(0x4000_0000, 0x7fff_ffff, true);
				const dev = driver.plainDevice('a');
				driver.point(dev);
				const region = new bus_dma_region();
				region.cpu_start = start;
				region.dma_start = start;
				region.size = size;
				dev.dma_range_map = [region, new bus_dma_region()];
				expect(driver.probe(dev)).to.equal(0);
				expect(dev.dma_iommu).to.equal(fits);
				expect(said('specified DMA range outside IOMMU capability')).to.equal(!fits);
				expect(said('Failed to set up IOMMU for device a; retaining platform DMA ops')).to.equal(!fits);
			});
		}

		it('must be the same for each device of a domain', () => {
			const { driver, said } = bootRig('', { device_group: generic_single_device_group });
			const a = driver.device('a');
			iommu_get_dma_domain(a).geometry.aperture_start = 0x10_0000;
			const b = driver.device('b');
			expect(said('Incompatible range for DMA domain')).to.equal(true);
			expect([a.dma_iommu, b.dma_iommu]).to.deep.equal([true, false]);
		});

		it('has nothing to do with what iommu_map() takes (as 6.12)', () => {
			const { driver } = withGeometry(0, 0x0fff_ffff, true);
			const domain = domainFor(driver.device('a'));
			expect(iommu_map(domain, 0x2000_0000, 0x1000, K4, RW, GFP_KERNEL)).to.equal(0);
		});
	});
});
