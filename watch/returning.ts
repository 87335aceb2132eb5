// SPDX-License-Identifier: GPL-2.0-only
// Functions of the core that the sanitiser sees begin and return, where their code is probed (tools/instrument): what no
// tracepoint tells. Others see nothing of them.

export interface Returning {
	/** The module by its path, without an ending. */
	readonly file: string;
	readonly names: readonly string[];
}

export const RETURNING: readonly Returning[] = [
	{
		file: 'drivers/iommu/iommu',
		names: [
			// core-maps.ts
			'iommu_map',
			'iommu_map_sg',
			'iommu_unmap',
			'iommu_pgsize',
			// core-groups.ts
			'iommu_attach_group',
			'iommu_attach_device',
			'iommu_detach_group',
			'iommu_detach_device',
			'iommu_group_replace_domain',
			'iommu_device_use_default_domain',
			'iommu_device_unuse_default_domain',
			'iommu_group_claim_dma_owner',
			'iommu_device_claim_dma_owner',
			'iommu_group_release_dma_owner',
			'iommu_device_release_dma_owner',
			'iommu_setup_default_domain',
			'iommu_probe_device',
			'iommu_deinit_device',
			'__iommu_attach_device',
			// core-domains.ts
			'iommu_driver_domain',
			'iommu_domain_free',
			'report_iommu_fault',
		],
	},
	{
		file: 'drivers/iommu/iova',
		names: [
			// core-iovas.ts
			'alloc_iova',
			'alloc_iova_fast',
			'reserve_iova',
			'free_iova_fast',
			'put_iova_domain',
			'remove_iova',
			'iova_insert_between',
			'iova_insert_rbtree',
		],
	},
	{
		file: 'drivers/iommu/dma-iommu',
		names: [
			// core-iovas.ts
			'iommu_put_dma_cookie',
			'iommu_dma_alloc_iova',
			'__iommu_dma_init_domain',
			// core-dma.ts
			'__iommu_dma_free',
		],
	},
	{
		file: 'kernel/dma/mapping',
		names: ['dma_mmap_attrs', 'dma_alloc_attrs'],
	},
];
