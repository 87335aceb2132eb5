// SPDX-License-Identifier: GPL-2.0-only
// Registers: what has to hold of their values, whatever is done; how they may be used is the sanitiser's part.

import { iommu_flush_iotlb_all } from '#linux/iommu.js';
import { setType } from '#tests/drivers/iommu/rig.js';
import { type Case, type Need, PASSTHROUGH } from '../case.js';
import type { Rig } from '../rig.js';

const group = 'registers';

const SETTINGS: Need = { lack: 'no settings are described', met: (d) => d.settings !== undefined };

/** The registers that are described have the values that are described, @what having returned. */
function settled(rig: Rig, what: string): void {
	const { settings = {}, setting } = rig.description;
	for (const [name, value] of Object.entries(settings))
		rig.equal(`${name} when ${what} has returned`, setting!(rig, name), value);
}

export const registers: readonly Case[] = [
	{
		group,
		says: 'what is set up at the first attach stays so through maps, unmaps, faults and other domains',
		blames: 'driver',
		everyBoard: true,
		needs: [SETTINGS],
		run(rig) {
			const { page } = rig;
			settled(rig, 'the boot');
			const [one, two] = [rig.attached(), rig.domain()];
			settled(rig, 'iommu_attach_group()');
			rig.map(one, page, rig.memory, 4 * page);
			settled(rig, 'iommu_map()');
			rig.refuses(one, 0, rig.memory, 2 * page);
			settled(rig, 'iommu_map() that fails');
			for (const n of rig.sharers) {
				rig.access(n, page, true, true);
				rig.access(n, 9 * page, true, false);
				settled(rig, 'the fault handler');
			}
			rig.unmap(one, page, 4 * page);
			settled(rig, 'iommu_unmap()');
			iommu_flush_iotlb_all(one);
			settled(rig, 'iommu_flush_iotlb_all()');
			rig.equal('iommu_group_replace_domain()', rig.replace(two), 0);
			settled(rig, 'iommu_group_replace_domain()');
			rig.detach(two);
			settled(rig, 'iommu_detach_group()');
		},
	},
	{
		group,
		says: 'what is set up is set up again after the hardware was off',
		blames: 'driver',
		everyBoard: true,
		needs: [SETTINGS, PASSTHROUGH],
		run(rig) {
			const dev = rig.device(0);
			rig.masters.unbind();
			for (let round = 0; round < 2; round++) {
				rig.equal('writing "identity" to the type', setType(dev, 'identity'), 0);
				rig.equal('writing "DMA" to the type', setType(dev, 'DMA'), 0);
				settled(rig, 'the change of the type');
			}
			rig.masters.bind();
		},
	},
];
