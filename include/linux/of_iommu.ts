// SPDX-License-Identifier: GPL-2.0-only
// What the device tree's side of the IOMMU core offers.
// Linux 6.12: include/linux/of_iommu.h
// Declarations only: of_iommu_configure() and of_iommu_get_resv_regions() stand in drivers/iommu/of_iommu.ts.
export {};
