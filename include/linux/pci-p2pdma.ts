// SPDX-License-Identifier: GPL-2.0-only
// Peer-to-peer DMA: the names that the DMA code asks; there is no PCI.
// Linux 6.12: include/linux/pci-p2pdma.h, include/linux/dma-map-ops.h
// Left out: everything but is_pci_p2pdma_page(), which answers as without CONFIG_PCI_P2PDMA.
import type { page } from '#linux/mm_types.js';
import type { bool } from '#linux/types.js';

/** Whether @page is memory of a PCI device (include/linux/memremap.h: is_pci_p2pdma_page()). */
export function is_pci_p2pdma_page(page: page): bool {
	return false;
}
