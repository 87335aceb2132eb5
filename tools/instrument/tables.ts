// SPDX-License-Identifier: GPL-2.0-only
// Loads and stores of words that CPUs and hardware share are scheduling points, too: before each, anything may happen.
// The drivers' tables are typed arrays, whose accesses nobody sees unless they are probed.

import { machine } from '#arch/arm64/kernel/setup.js';
import { probes } from '#watch/probes.js';
import type { Edit } from './edits.js';

/** What the drivers call their tables and queues. */
export const TABLES: readonly Edit[] = [
	{
		kind: 'access',
		file: 'drivers/iommu/sun50i-iommu',
		names: ['dt', 'sun50i_domain.dt', 'page_table'],
		except: ['sun50i_iommu_domain_free'],
	},
	{
		kind: 'access',
		file: 'drivers/iommu/rockchip-iommu',
		names: ['rk_domain.dt', 'pte_addr'],
		except: ['rk_iommu_domain_free', 'rk_iommu_map_tables', 'rk_iommu_domain_set_dma_dev'],
	},
	{
		kind: 'access',
		file: 'drivers/iommu/edu-iommu',
		names: ['root', 'table', 'stab', 'iommu.cmdq'],
		except: ['edu_iommu_domain_free', 'edu_drop_table'],
	},
];

/** Have accesses to TABLES, which are probed, be scheduling points. */
export function watchTables(): void {
	probes.kprobe_access = (array, kind) => {
		if (machine.hook !== null) machine.schedule_point(kind, machine.memory.phys_of(array));
	};
}
