// SPDX-License-Identifier: GPL-2.0-only
// Pages of memory that sits on a device, as far as the DMA code asks for them.
// Linux 6.12: include/linux/memremap.h
// Left out: making such pages (memremap_pages()), and all that is not PCI's peer-to-peer memory.
import { deref } from '#arch/arm64/mm/fault.js';
import type { page } from '#linux/mm_types.js';
import type { bool } from '#linux/types.js';

/** What a piece of device memory is good for. */
export enum memory_type {
	MEMORY_DEVICE_PRIVATE = 1,
	MEMORY_DEVICE_COHERENT,
	MEMORY_DEVICE_FS_DAX,
	MEMORY_DEVICE_GENERIC,
	MEMORY_DEVICE_PCI_P2PDMA,
}
export const {
	MEMORY_DEVICE_PRIVATE,
	MEMORY_DEVICE_COHERENT,
	MEMORY_DEVICE_FS_DAX,
	MEMORY_DEVICE_GENERIC,
	MEMORY_DEVICE_PCI_P2PDMA,
} = memory_type;

/** A piece of device memory that has pages; their owner is this (C: page->pgmap, in the same union as mapping). */
export class dev_pagemap {
	type: memory_type = MEMORY_DEVICE_GENERIC;
}

/** Whether @page is memory of a PCI device (include/linux/memremap.h: is_pci_p2pdma_page()). */
export function is_pci_p2pdma_page(page: page): bool {
	const { owner } = deref(page);
	return owner instanceof dev_pagemap && owner.type === MEMORY_DEVICE_PCI_P2PDMA;
}
