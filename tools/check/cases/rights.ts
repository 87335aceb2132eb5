// SPDX-License-Identifier: GPL-2.0-only
// Rights: what was asked for is what is enforced, for every master and both directions.

import { dma_map_single, dma_unmap_single } from '#kernel/dma/mapping.js';
import { DMA_BIDIRECTIONAL, DMA_FROM_DEVICE, DMA_TO_DEVICE } from '#linux/dma-direction.js';
import { dma_mapping_error } from '#linux/dma-mapping.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { IOMMU_READ, IOMMU_WRITE, type iommu_domain } from '#linux/iommu.js';
import { kfree, kmalloc } from '#linux/slab.js';
import type { Case, Need } from '../case.js';
import { type Rig, RW } from '../rig.js';

const group = 'rights';

const READ_ONLY: Need = { lack: 'no read-only pages', met: (d) => d.rights.includes(IOMMU_READ) };

/** Both directions at @iova by master @n, as @prot has it. */
function enforced(rig: Rig, n: number, iova: number, prot: number): void {
	rig.within(`a page with prot ${prot}`, () => {
		rig.access(n, iova, false, (prot & IOMMU_READ) !== 0);
		rig.access(n, iova, true, (prot & IOMMU_WRITE) !== 0);
	});
}

function eachRight(rig: Rig, domain: iommu_domain, visit: (iova: number, prot: number) => void): void {
	const { rights } = rig.description;
	const at = 2 * rig.description.tableCovers;
	// Side by side: who fetches a neighbour must not take its rights.
	for (const [i, prot] of rights.entries())
		rig.map(domain, at + i * rig.page, rig.memory + i * rig.page, rig.page, prot);
	for (const [i, prot] of rights.entries()) visit(at + i * rig.page, prot);
	for (const i of rights.keys()) rig.unmap(domain, at + i * rig.page);
}

export const rights: readonly Case[] = [
	{
		group,
		says: 'every combination is enforced for every master',
		blames: 'driver',
		everyBoard: true,
		run(rig) {
			const domain = rig.attached();
			for (const n of rig.sharers) eachRight(rig, domain, (iova, prot) => enforced(rig, n, iova, prot));
		},
	},
	{
		group,
		says: 'masters behind other IOMMUs, or in other groups, are held to the same',
		blames: 'driver',
		needs: [{ lack: 'all masters are in one group', met: (d) => !d.oneGroup }],
		run(rig) {
			for (let n = 1; n < rig.count; n++) {
				const domain = rig.attached(n);
				eachRight(rig, domain, (iova, prot) => enforced(rig, n, iova, prot));
				rig.detachAndFree(domain, n);
			}
		},
	},
	{
		group,
		says: 'a page that gets other rights has those at once, whatever was used before',
		blames: 'driver',
		run(rig) {
			const domain = rig.attached();
			const at = rig.description.tableCovers;
			for (const before of rig.description.rights)
				for (const after of rig.description.rights) {
					rig.map(domain, at, rig.memory, rig.page, before);
					for (const n of rig.sharers) enforced(rig, n, at, before);
					rig.unmap(domain, at);
					rig.map(domain, at, rig.memory, rig.page, after);
					rig.clean('iommu_map()');
					for (const n of rig.sharers) enforced(rig, n, at, after);
					rig.unmap(domain, at);
				}
		},
	},
	{
		group,
		says: 'nothing is written by a refused write, and nothing is read by a refused read',
		blames: 'model',
		needs: [READ_ONLY],
		run(rig) {
			const domain = rig.attached();
			rig.map(domain, rig.page, rig.memory, rig.page, IOMMU_READ);
			const before = rig.machine.memory.peekMemory(rig.memory, rig.page);
			rig.access(0, rig.page + 8, true, false);
			rig.equal('memory after a refused write', rig.machine.memory.peekMemory(rig.memory, rig.page), before);
			rig.unmap(domain, rig.page);
		},
	},
	{
		group,
		says: 'the DMA API gives what its direction says, and no more',
		blames: 'core',
		needs: [READ_ONLY],
		run(rig) {
			for (const [dir, prot] of [
				[DMA_TO_DEVICE, IOMMU_READ],
				[DMA_FROM_DEVICE, IOMMU_WRITE],
				[DMA_BIDIRECTIONAL, RW],
			]) {
				const buffer = kmalloc(rig.page, GFP_KERNEL)!;
				for (const n of rig.sharers) {
					const dma = dma_map_single(rig.device(n), buffer, rig.page, dir);
					rig.equal('dma_mapping_error()', dma_mapping_error(rig.device(n), dma), 0);
					enforced(rig, n, dma as number, rig.description.rights.includes(prot) ? prot : RW);
					dma_unmap_single(rig.device(n), dma, rig.page, dir);
				}
				kfree(buffer);
			}
		},
	},
];
