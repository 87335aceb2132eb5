// SPDX-License-Identifier: GPL-2.0-only
// Functions that can fail, and how they do: what error injection may override (Linux: ALLOW_ERROR_INJECTION, and what
// their callers in 6.12 have to live with).

import { EBUSY, EEXIST, EINVAL, EIO, ENODEV, ENOENT, ENOMEM, ENXIO } from '#linux/errno.js';

/** How a function says that it has failed: a negative errno, an error pointer, null, 0, or DMA_MAPPING_ERROR. */
export type Failing = 'errno' | 'err_ptr' | 'null' | 'zero' | 'dma';

export interface Fallible {
	readonly name: string;
	/** The module by its path, without an ending. */
	readonly file: string;
	readonly how: Failing;
	/** What went wrong. Of those that do not say, what their callers make of it. */
	readonly errno: number;
}

const list = (file: string, how: Failing, errno: number, ...names: string[]): Fallible[] =>
	names.map((name) => ({ name, file, how, errno }));

export const FALLIBLE: readonly Fallible[] = [
	...list('drivers/clk/clk', 'errno', EIO, 'clk_prepare', 'clk_enable', 'clk_set_rate'),
	...list('drivers/clk/clk-devres', 'err_ptr', ENOENT, 'devm_clk_get'),
	...list('drivers/clk/clk-devres', 'errno', ENOENT, 'devm_clk_bulk_get'),
	...list('drivers/reset/core', 'errno', EIO, 'reset_control_deassert', 'reset_control_reset'),
	...list('drivers/reset/core', 'err_ptr', EBUSY, '__devm_reset_control_get'),
	...list('drivers/base/platform', 'err_ptr', EBUSY, 'devm_platform_ioremap_resource'),
	...list('drivers/base/platform', 'errno', ENXIO, 'platform_get_irq_optional'),
	...list('lib/devres', 'err_ptr', EBUSY, 'devm_ioremap_resource'),
	...list('kernel/irq/manage', 'errno', EBUSY, 'request_threaded_irq'),
	...list('drivers/iommu/iommu-sysfs', 'errno', EEXIST, 'iommu_device_sysfs_add', 'iommu_device_link'),
	...list('drivers/iommu/iommu', 'errno', EBUSY, 'iommu_device_register'),
	...list('drivers/iommu/iommu', 'errno', ENOMEM, 'iommu_fwspec_add_ids', 'iommu_map', 'iommu_map_sg'),
	...list('drivers/iommu/iova', 'zero', ENOMEM, 'alloc_iova_fast'),
	...list('drivers/iommu/iova', 'errno', ENOMEM, 'iova_domain_init_rcaches'),
	...list('kernel/dma/mapping', 'dma', ENOMEM, 'dma_map_page_attrs'),
	...list('kernel/dma/mapping', 'null', ENOMEM, 'dma_alloc_attrs'),
	...list('kernel/dma/mapping', 'errno', EIO, 'dma_set_mask', 'dma_set_coherent_mask'),
	...list('mm/vmalloc', 'null', ENOMEM, 'vmap'),
	...list('fs/sysfs/symlink', 'errno', EEXIST, 'sysfs_create_link', 'sysfs_create_link_nowarn'),
	...list('fs/sysfs/file', 'errno', ENOMEM, 'sysfs_create_file'),
	...list('fs/sysfs/group', 'errno', ENOMEM, 'sysfs_create_group'),
	...list('lib/kobject', 'errno', ENOMEM, 'kobject_add_internal'),
	...list('lib/idr', 'errno', ENOMEM, 'ida_alloc_range'),
	...list('lib/xarray', 'errno', ENOMEM, 'xa_insert'),
	...list('drivers/base/core', 'null', EINVAL, 'device_link_add'),
	// Who asked for a use has it also when the resume fails: the count is raised before.
	...list('drivers/base/power/runtime', 'errno', EINVAL, 'rpm_resume'),
	...list('drivers/base/power/domain', 'errno', ENODEV, 'dev_pm_domain_attach'),
];
