// SPDX-License-Identifier: GPL-2.0-only
// The life of domains, groups and devices: attach, replace, detach, claim, release, unbind, rebind, in every order.

import { device_shutdown } from '#drivers/base/core.js';
import {
	iommu_attach_device,
	iommu_attach_group,
	iommu_detach_device,
	iommu_device_claim_dma_owner,
	iommu_device_release_dma_owner,
	iommu_get_dma_domain,
	iommu_group_claim_dma_owner,
	iommu_group_dma_owner_claimed,
	iommu_group_release_dma_owner,
	iommu_group_replace_domain,
} from '#drivers/iommu/iommu.js';
import { NO_PASID } from '#hw/iommu/iommu.js';
import { dma_map_single, dma_unmap_single } from '#kernel/dma/mapping.js';
import { DMA_BIDIRECTIONAL } from '#linux/dma-direction.js';
import { dma_mapping_error } from '#linux/dma-mapping.js';
import { EBUSY, EINVAL, EPERM } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import type { iommu_domain } from '#linux/iommu.js';
import { kfree, kmalloc } from '#linux/slab.js';
import { slab_shrink_all } from '#mm/slub.js';
import { setType, typeOf } from '#tests/drivers/iommu/rig.js';
import { BOTH, type Case, GROUPS, ONE_GROUP, PASSTHROUGH } from '../case.js';
import type { Rig } from '../rig.js';

const group = 'life';

/** How often a thing is repeated that must leave nothing behind. */
const ROUNDS = 3;

/** Nothing may be left by @round, done again and again, the first time not counted: what is kept is kept once. */
export function leavesNothing(rig: Rig, what: string, round: (n: number) => void): void {
	// The largest first: caches and slabs grow once.
	round(ROUNDS);
	slab_shrink_all();
	const left = rig.leakCheck();
	for (let n = 1; n <= ROUNDS; n++) round(n);
	slab_shrink_all();
	const lost = left();
	rig.holds(`${what}, ${ROUNDS} times, leaves behind: ${lost.join('; ')}`, lost.length === 0);
}

/** A page through the DMA API: the master reaches it while it is mapped, and only then. */
export function dmaWorks(rig: Rig, n = 0): void {
	const dev = rig.device(n);
	const buffer = kmalloc(rig.page, GFP_KERNEL)!;
	buffer.fill(0x11);
	const dma = dma_map_single(dev, buffer, rig.page, DMA_BIDIRECTIONAL);
	rig.equal('dma_mapping_error()', dma_mapping_error(dev, dma), 0);
	rig.access(n, dma as number, true, true);
	dma_unmap_single(dev, dma, rig.page, DMA_BIDIRECTIONAL);
	rig.equal('what the device wrote', [...buffer.subarray(0, 5)], [1, 2, 3, 4, 0x11]);
	if (typeOf(dev) === 'DMA') rig.access(n, dma as number, false, false);
	kfree(buffer);
}

export const life: readonly Case[] = [
	{
		group,
		says: 'attaching, mapping, detaching and freeing leaves nothing behind',
		blames: 'driver',
		everyBoard: true,
		run(rig) {
			const covers = rig.description.tableCovers;
			leavesNothing(rig, 'a domain with mappings', () => {
				const domain = rig.attached();
				rig.map(domain, 0, rig.memory, 3 * rig.page);
				rig.map(domain, 5 * covers - rig.page, rig.memory, 2 * rig.page);
				rig.access(0, 0, true, true);
				rig.unmap(domain, 0, 3 * rig.page);
				// The other range is freed as it is.
				rig.detachAndFree(domain);
			});
		},
	},
	{
		group,
		says: 'a domain that is never attached is freed whole, empty or not',
		blames: 'driver',
		run(rig) {
			leavesNothing(rig, 'a domain', (n) => {
				const domain = rig.domain();
				for (let i = 0; i < n; i++) rig.map(domain, i * rig.description.tableCovers, rig.memory);
				rig.free(domain);
			});
		},
	},
	{
		group,
		says: 'going back and forth between domains leaves nothing behind',
		blames: 'driver',
		run(rig) {
			const domains = [rig.domain(), rig.domain()];
			for (const domain of domains) rig.map(domain, rig.page, rig.memory);
			rig.equal('iommu_attach_group()', rig.attach(domains[0]), 0);
			leavesNothing(rig, 'replacing', () => {
				for (const domain of [domains[1], domains[0]]) {
					rig.equal('iommu_group_replace_domain()', rig.replace(domain), 0);
					rig.access(0, rig.page, true, true);
				}
				rig.detach(domains[0]);
				rig.access(0, rig.page, false, false);
				rig.equal('iommu_attach_group()', rig.attach(domains[0]), 0);
			});
		},
	},
	{
		group,
		says: 'a group that has a domain takes no other until it is detached',
		blames: 'core',
		run(rig) {
			const [one, two] = [rig.attached(), rig.domain()];
			rig.map(one, rig.page, rig.memory);
			for (const domain of [two, one])
				rig.equal(
					'iommu_attach_group() to a group that is attached',
					iommu_attach_group(domain, rig.group(0)),
					-EBUSY,
				);
			rig.equal('iommu_group_replace_domain(NULL)', iommu_group_replace_domain(rig.group(0), null), -EINVAL);
			rig.equal('the domain of the group', rig.current() === one, true);
			rig.access(0, rig.page, true, true);
			rig.detach(one);
			rig.equal('the domain of the group', rig.current() === iommu_get_dma_domain(rig.device(0)), true);
			rig.equal('iommu_attach_group() after detaching', rig.attach(two), 0);
			rig.access(0, rig.page, false, false);
		},
	},
	{
		group,
		says: 'attach, replace, detach, map and free in any order: always the domain that is attached answers',
		blames: 'driver',
		policies: BOTH,
		run(rig) {
			const { page } = rig;
			const at = rig.description.tableCovers + page;
			/** Each domain that is alive, and where it leads. */
			const live = new Map<iommu_domain, number>();
			let now: iommu_domain | null = null;
			for (let step = 0; step < 60; step++) {
				const others = [...live.keys()].filter((domain) => domain !== now);
				const other = others.length > 0 ? rig.oneOf(others) : null;
				switch (rig.pick(6)) {
					case 0:
						if (live.size < 4) live.set(rig.domain(), -1);
						break;
					case 1:
						if (other === null) break;
						if (now !== null) rig.detach(now);
						rig.equal('iommu_attach_group()', rig.attach(other), 0);
						now = other;
						break;
					case 2:
						if (other === null) break;
						rig.equal('iommu_group_replace_domain()', rig.replace(other), 0);
						now = other;
						break;
					case 3:
						if (now !== null) rig.detach(now);
						now = null;
						break;
					case 4:
						if (other === null) break;
						rig.free(other);
						live.delete(other);
						break;
					default: {
						const domain = live.size > 0 ? rig.oneOf([...live.keys()]) : null;
						if (domain === null) break;
						if (live.get(domain) !== -1) rig.unmap(domain, at);
						const phys = rig.random() < 0.7 ? rig.memory + rig.pick(64) * page : -1;
						if (phys !== -1) rig.map(domain, at, phys);
						live.set(domain, phys);
					}
				}
				const phys = now === null ? -1 : live.get(now)!;
				rig.within(`after step ${step}`, () => {
					rig.clean('the step');
					for (const n of rig.sharers) rig.access(n, at, false, phys !== -1);
					if (phys !== -1) rig.leads(now!, at, phys);
				});
			}
		},
	},
	{
		group,
		says: 'a group with an owner is blocked until that attaches a domain, and afterwards',
		blames: 'core',
		run(rig) {
			const { page } = rig;
			const own = rig.group(0);
			const [me, you] = [{ name: 'me' }, { name: 'you' }];
			rig.equal(
				'iommu_group_claim_dma_owner() with a driver bound',
				iommu_group_claim_dma_owner(own, me),
				-EPERM,
			);
			dmaWorks(rig);
			rig.masters.unbind();
			rig.equal('iommu_group_dma_owner_claimed()', iommu_group_dma_owner_claimed(own), false);
			for (let round = 0; round < 2; round++) {
				rig.equal('iommu_group_claim_dma_owner()', iommu_group_claim_dma_owner(own, me), 0);
				rig.equal('iommu_group_claim_dma_owner() by another', iommu_group_claim_dma_owner(own, you), -EPERM);
				for (const n of rig.sharers) rig.access(n, page, true, false);
				const domain = rig.attached();
				rig.map(domain, page, rig.memory);
				for (const n of rig.sharers) rig.access(n, page, true, true);
				rig.detach(domain);
				rig.clean('iommu_detach_group()');
				for (const n of rig.sharers) rig.access(n, page, false, false);
				rig.free(domain);
				iommu_group_release_dma_owner(own);
			}
			rig.masters.bind();
			dmaWorks(rig);
		},
	},
	{
		group,
		says: 'a driver binds to a device whose group has an owner when that has let go',
		blames: 'core',
		run(rig) {
			const own = rig.group(0);
			rig.masters.unbind();
			rig.equal('iommu_device_claim_dma_owner()', iommu_device_claim_dma_owner(rig.device(0), own), 0);
			rig.equal('iommu_device_claim_dma_owner() again', iommu_device_claim_dma_owner(rig.device(0), own), 0);
			rig.equal(
				'iommu_device_claim_dma_owner() by another',
				iommu_device_claim_dma_owner(rig.device(0), rig),
				-EPERM,
			);
			iommu_device_release_dma_owner(rig.device(0));
			rig.access(0, rig.page, false, false);
			rig.equal('iommu_group_dma_owner_claimed()', iommu_group_dma_owner_claimed(own), true);
			iommu_device_release_dma_owner(rig.device(0));
			rig.equal('iommu_group_dma_owner_claimed()', iommu_group_dma_owner_claimed(own), false);
			rig.masters.bind();
			dmaWorks(rig);
		},
	},
	{
		group,
		says: 'unbinding and binding drivers leaves nothing behind, and DMA works each time',
		blames: 'core',
		run(rig) {
			leavesNothing(rig, 'unbinding and binding', () => {
				rig.masters.unbind();
				rig.masters.bind();
				dmaWorks(rig);
			});
		},
	},
	{
		group,
		says: 'a device that is alone in its group can be attached by itself',
		blames: 'core',
		needs: [GROUPS],
		run(rig) {
			const domain = rig.domain();
			rig.map(domain, rig.page, rig.memory);
			rig.equal('iommu_attach_device()', iommu_attach_device(domain, rig.device(0)), 0);
			rig.access(0, rig.page, true, true);
			iommu_detach_device(domain, rig.device(0));
			rig.access(0, rig.page, false, false);
		},
	},
	{
		group,
		says: 'a device with others in its group cannot be attached by itself',
		blames: 'core',
		needs: [ONE_GROUP],
		run(rig) {
			const domain = rig.domain();
			rig.equal('iommu_attach_device()', iommu_attach_device(domain, rig.device(0)), -EINVAL);
			rig.equal('the domain of the group', rig.current() === iommu_get_dma_domain(rig.device(0)), true);
		},
	},
	{
		group,
		says: 'a domain serves several groups, and the one that leaves sees nothing of it any more',
		blames: 'driver',
		needs: [GROUPS],
		run(rig) {
			const { domain, masters } = rig.shared();
			rig.map(domain, rig.page, rig.memory, 2 * rig.page);
			for (const n of masters) rig.access(n, rig.page, true, true);
			for (const [i, n] of masters.entries()) {
				rig.detach(domain, n);
				rig.clean('iommu_detach_group()');
				rig.access(n, rig.page, false, false);
				for (const m of masters.slice(i + 1)) rig.access(m, rig.page, true, true);
			}
			rig.unmap(domain, rig.page);
			rig.equal('iommu_attach_group()', rig.attach(domain, masters.at(-1)), 0);
			rig.access(masters.at(-1)!, rig.page, false, false);
			rig.access(masters.at(-1)!, 2 * rig.page, false, true);
		},
	},
	{
		group,
		says: 'the type of a group changes, in any order, with what it means for accesses',
		blames: 'driver',
		everyBoard: true,
		needs: [PASSTHROUGH],
		run(rig) {
			const dev = rig.device(0);
			let was = '';
			rig.masters.unbind();
			for (const type of [
				'identity',
				'DMA',
				'identity',
				'DMA-FQ',
				'identity',
				'auto',
				'DMA',
				'DMA-FQ',
				'DMA',
				'DMA',
			]) {
				rig.equal(`writing "${type}" to the type`, setType(dev, type), 0);
				// A queue is for those that claim it, or asked for where there is a DMA domain already.
				const claimed = type !== 'DMA-FQ' || was !== 'identity' || rig.description.deferredFlush;
				if (type !== 'auto') rig.equal('the type', typeOf(dev), claimed ? type : 'DMA');
				was = typeOf(dev);
				rig.clean('the change of the type');
				for (const n of rig.sharers) {
					const through = typeOf(dev) === 'identity';
					const state = rig.iommuOf(n).state(rig.stream(n), NO_PASID);
					const meant = through ? state === 'off' || state === 'bypass' : state === 'translate';
					rig.holds(
						`the type is "${typeOf(dev)}", and the hardware's state for ${rig.master(n)} is "${state}"`,
						meant,
					);
					rig.access(n, rig.memory, true, through);
				}
			}
			rig.masters.bind();
			dmaWorks(rig);
		},
	},
	{
		group,
		says: 'the type cannot be changed while a driver is bound',
		blames: 'core',
		run(rig) {
			const dev = rig.device(0);
			for (const type of ['identity', 'auto']) rig.equal(`writing "${type}"`, setType(dev, type), -EPERM);
			rig.equal('writing "nonsense"', setType(dev, 'nonsense'), -EINVAL);
			rig.equal('the type', typeOf(dev), 'DMA');
			dmaWorks(rig);
		},
	},
	{
		group,
		says: 'devices that are removed, one after the other, give their memory back, and the others go on',
		blames: 'driver',
		run(rig) {
			const left = rig.leakCheck();
			for (let n = 0; n < rig.count; n++) {
				for (let m = n; m < rig.count; m++) dmaWorks(rig, m);
				rig.masters.remove(rig.master(n));
				rig.clean(`the removal of ${rig.master(n)}`);
			}
			rig.machine.advance(10_000_000);
			const lost = left().filter((line) => !line.startsWith('-') && !/^-?\d+ pages$/.test(line));
			rig.holds(`removing all devices leaves behind: ${lost.join('; ')}`, lost.length === 0);
		},
	},
	{
		group,
		says: 'a device that is removed while its domain is attached leaves nothing that is walked',
		blames: 'driver',
		run(rig) {
			const domain = rig.attached();
			rig.map(domain, rig.page, rig.memory);
			rig.access(0, rig.page, true, true);
			rig.detachAndFree(domain);
			const streams = rig.sharers.map((n) => [rig.iommuOf(n), rig.stream(n)] as const);
			for (const n of rig.sharers) rig.masters.remove(rig.master(n));
			rig.settle();
			rig.clean('the removal of the devices');
			for (const [iommu, stream] of streams)
				rig.holds(
					`after the removal of its device, stream ${stream} still translates`,
					iommu.state(stream, NO_PASID) !== 'translate',
				);
		},
	},
	{
		group,
		says: 'the machine is shut down in silence while masters work',
		blames: 'driver',
		run(rig) {
			dmaWorks(rig);
			device_shutdown();
			rig.machine.advance(1_000_000);
		},
	},
];
