// SPDX-License-Identifier: GPL-2.0-only
// What the driver claims to be able to do is what it does, and what its author has described.

import { pfn_to_page } from '#asm/memory.js';
import {
	device_iommu_capable,
	iommu_attach_group,
	iommu_detach_group,
	iommu_paging_domain_alloc,
} from '#drivers/iommu/iommu.js';
import { sysfs_read, sysfs_readdir } from '#fs/sysfs/user.js';
import { NO_PASID } from '#hw/iommu/iommu.js';
import { dma_map_page, dma_unmap_page } from '#kernel/dma/mapping.js';
import { DMA_BIDIRECTIONAL } from '#linux/dma-direction.js';
import { dma_mapping_error } from '#linux/dma-mapping.js';
import { IS_ERR } from '#linux/err.js';
import { IOMMU_CAP_DEFERRED_FLUSH, type iommu_domain } from '#linux/iommu.js';
import { typeOf } from '#tests/drivers/iommu/rig.js';
import { BLOCKED, type Case, DEFERRED_FLUSH, GROUPS, ONE_GROUP, PASSTHROUGH } from '../case.js';
import { type Rig, RW } from '../rig.js';

const group = 'capabilities';

/** Each page of @count of rig.memory, mapped and unmapped once through the DMA API; the addresses. */
function cycle(rig: Rig, count: number): number[] {
	const dev = rig.device(0);
	return Array.from({ length: count }, (_x, i) => {
		const page = pfn_to_page(rig.memory / rig.page + i);
		const dma = dma_map_page(dev, page, 0, rig.page, DMA_BIDIRECTIONAL);
		rig.equal('dma_mapping_error()', dma_mapping_error(dev, dma), 0);
		rig.access(0, dma as number, true, true);
		dma_unmap_page(dev, dma, rig.page, DMA_BIDIRECTIONAL);
		return dma as number;
	});
}

export const capabilities: readonly Case[] = [
	{
		group,
		says: 'page sizes and aperture are those that are described',
		blames: 'driver',
		run(rig) {
			const domain = rig.domain();
			const { pageSizes, addressBits } = rig.description;
			const sizes = pageSizes.reduce((a, b) => a + b);
			rig.equal('pgsize_bitmap', domain.pgsize_bitmap as number, sizes);
			const { aperture_start, aperture_end, force_aperture } = domain.geometry;
			rig.equal('the aperture', [aperture_start, aperture_end], [0, 2 ** addressBits - 1]);
			rig.equal('force_aperture', force_aperture, true);
			rig.holds('the model has fewer address bits', rig.iommu.inputBits >= addressBits);
			rig.holds('the model has fewer physical bits', rig.iommu.outputBits >= rig.description.outputBits);
		},
	},
	{
		group,
		says: 'the smallest page is one page, and no more is mapped with it',
		blames: 'driver',
		run(rig) {
			const domain = rig.attached();
			rig.map(domain, rig.page, rig.memory, rig.page, RW);
			rig.access(0, rig.page - 4, false, false);
			rig.access(0, rig.page, false, true);
			rig.access(0, 2 * rig.page - 4, false, true);
			rig.access(0, 2 * rig.page, false, false);
		},
	},
	{
		group,
		says: 'every master is in a group, translated, refused where nothing is mapped, and seen in sysfs',
		blames: 'driver',
		everyBoard: true,
		run(rig) {
			const links = new Set<string>();
			for (let n = 0; n < rig.count; n++) {
				const { id } = rig.group(n);
				for (const name of sysfs_readdir(`/sys/kernel/iommu_groups/${id}/devices`) as string[])
					links.add(name);
				rig.equal(`the type of ${rig.master(n)}'s group`, typeOf(rig.device(n)), 'DMA');
				const state = rig.iommuOf(n).state(rig.stream(n), NO_PASID);
				rig.equal(`the hardware's state for ${rig.master(n)}`, state, 'translate');
				rig.access(n, rig.memory, true, false);
				const iommu = rig.iommuOf(n).name;
				const devices = sysfs_readdir(`/sys/class/iommu/${iommu}/devices`) as string[];
				rig.holds(
					`/sys/class/iommu/${iommu}/devices has no ${rig.master(n)}`,
					devices.includes(rig.master(n)),
				);
				rig.equal(
					'reserved_regions',
					String(sysfs_read(`/sys/kernel/iommu_groups/${id}/reserved_regions`)),
					'',
				);
			}
			for (const name of rig.description.masters) rig.holds(`no group in sysfs has ${name}`, links.has(name));
		},
	},
	{
		group,
		says: 'masters that cannot be told apart are in one group',
		blames: 'driver',
		needs: [ONE_GROUP],
		run: (rig) =>
			rig.equal('groups', new Set(Array.from({ length: rig.count }, (_x, n) => rig.group(n))).size, 1),
	},
	{
		group,
		says: 'masters that can be told apart are in groups of their own',
		blames: 'driver',
		needs: [GROUPS],
		run: (rig) =>
			rig.equal(
				'groups',
				new Set(Array.from({ length: rig.count }, (_x, n) => rig.group(n))).size,
				rig.count,
			),
	},
	{
		group,
		says: 'as many domains are attached at once as are described',
		blames: 'driver',
		needs: [GROUPS],
		run(rig) {
			const count = Math.min(rig.count, rig.description.domains);
			const domains: iommu_domain[] = [];
			for (let n = 0; n < count; n++) {
				const domain = rig.attached(n);
				rig.map(domain, rig.page, rig.memory + n * rig.page);
				domains.push(domain);
			}
			for (const [n] of domains.entries())
				rig.holds(
					`${rig.master(n)} does not reach its own page`,
					rig.reaches(n, rig.page, rig.memory + n * rig.page),
				);
		},
	},
	{
		group,
		says: 'domains are made and freed until there are no more, and then again',
		blames: 'driver',
		run(rig) {
			const MOST = 40;
			const counts = [0, 0].map(() => {
				const made: iommu_domain[] = [];
				while (made.length < MOST) {
					const domain = iommu_paging_domain_alloc(rig.device(0));
					if (IS_ERR(domain)) break;
					made.push(domain);
				}
				const last = made.at(-1)!;
				rig.equal('iommu_attach_group() of the last one', iommu_attach_group(last, rig.group(0)), 0);
				rig.map(last, rig.page, rig.memory);
				rig.access(0, rig.page, true, true);
				iommu_detach_group(last, rig.group(0));
				for (const domain of made) rig.free(domain);
				return made.length;
			});
			rig.equal('how many domains there were the second time', counts[1], counts[0]);
		},
	},
	{
		group,
		says: 'a kernel told to pass DMA through lets every master through, untranslated',
		blames: 'driver',
		needs: [PASSTHROUGH],
		machine: { commandLine: 'iommu.passthrough=1' },
		run(rig) {
			for (let n = 0; n < rig.count; n++) {
				rig.equal('the type', typeOf(rig.device(n)), 'identity');
				rig.holds(`${rig.master(n)} does not reach memory`, rig.reaches(n, rig.memory, rig.memory));
			}
			rig.equal('addresses of the DMA API', cycle(rig, 2), [rig.memory, rig.memory + rig.page]);
		},
	},
	{
		group,
		says: 'the blocked domain lets nothing through, and says nothing of it',
		blames: 'driver',
		needs: [BLOCKED],
		run(rig) {
			const blocked = rig.device(0).iommu!.iommu_dev!.ops!.blocked_domain!;
			rig.equal('iommu_group_replace_domain()', rig.replace(blocked), 0);
			rig.equal("the hardware's state", rig.iommuOf(0).state(rig.stream(0), NO_PASID), 'block');
			rig.access(0, rig.memory, true, false);
			rig.access(0, rig.page, false, false);
			rig.equal('reports in the log', rig.faults(), []);
			rig.equal(
				'iommu_group_replace_domain() back',
				rig.replace(rig.device(0).iommu_group!.default_domain!),
				0,
			);
			cycle(rig, 1);
		},
	},
	{
		group,
		says: 'deferred flushes are claimed where they work',
		blames: 'driver',
		run(rig) {
			const claimed = device_iommu_capable(rig.device(0), IOMMU_CAP_DEFERRED_FLUSH);
			rig.equal('IOMMU_CAP_DEFERRED_FLUSH', claimed, rig.description.deferredFlush);
		},
	},
	{
		group,
		says: 'with iommu.strict=0 what is unmapped is flushed in the end, and no address comes back before',
		blames: 'driver',
		needs: [DEFERRED_FLUSH],
		machine: { commandLine: 'iommu.strict=0' },
		run(rig) {
			rig.equal('the type', typeOf(rig.device(0)), 'DMA-FQ');
			const used = cycle(rig, 40);
			rig.equal('addresses before the flush', new Set(used).size, used.length);
			rig.machine.advance(20_000_000);
			rig.clean('the flush queue');
			for (const dma of used) rig.access(0, dma, false, false);
			// More than the queue holds.
			cycle(rig, 300);
			rig.machine.advance(20_000_000);
			rig.clean('the flush queue');
		},
	},
];
