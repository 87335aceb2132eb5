// SPDX-License-Identifier: GPL-2.0-only
// What the core shows to the rest of drivers/iommu, and to nobody else.
// Linux 6.12: drivers/iommu/iommu-priv.h
import { iommu_ops_from_fwnode } from '#drivers/iommu/iommu.js';
import type { device } from '#linux/device.js';
import type { iommu_fwspec, iommu_ops } from '#linux/iommu.js';

/** The driver behind @dev, which must have been probed (Linux: drivers/iommu/iommu-priv.h: dev_iommu_ops()). */
export function dev_iommu_ops(dev: device): iommu_ops {
	return dev.iommu!.iommu_dev!.ops!;
}

/** The driver that @fwspec points to, once it has registered (Linux: drivers/iommu/iommu-priv.h: iommu_fwspec_ops()). */
export function iommu_fwspec_ops(fwspec: iommu_fwspec | null): iommu_ops | null {
	return iommu_ops_from_fwnode(fwspec !== null ? fwspec.iommu_fwnode : null);
}
