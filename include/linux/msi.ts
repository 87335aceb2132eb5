// SPDX-License-Identifier: GPL-2.0-only
// An interrupt that is a write to an address, as far as the IOMMU layer asks.
// Linux 6.12: include/linux/msi.h
// Left out: domains, allocation, masks: no interrupt controller here takes such writes.
import type { device } from '#linux/device.js';
import type { u32, u64, unsigned_int } from '#linux/types.js';

/** What a device is told to write, and where (include/linux/msi.h: struct msi_msg). */
export class msi_msg {
	address_lo: u32 = 0;
	address_hi: u32 = 0;
	data: u32 = 0;
}

/** One such interrupt of a device (include/linux/msi.h: struct msi_desc). */
export class msi_desc {
	dev: device | null = null;
	/** The doorbell's page as the device sees it, in units of 1 << iommu_msi_shift. */
	iommu_msi_iova: u64 = 0;
	/** 0: the doorbell is not translated. */
	iommu_msi_shift: unsigned_int = 0;
}

/** The device (include/linux/msi.h: msi_desc_to_dev()). */
export function msi_desc_to_dev(desc: msi_desc): device {
	return desc.dev as device;
}

/** Note where the doorbell's page is (include/linux/msi.h: msi_desc_set_iommu_msi_iova()). */
export function msi_desc_set_iommu_msi_iova(desc: msi_desc, msi_iova: u64, msi_shift: unsigned_int): void {
	desc.iommu_msi_iova = Math.floor(msi_iova / 2 ** msi_shift);
	desc.iommu_msi_shift = msi_shift;
}
