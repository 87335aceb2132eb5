// SPDX-License-Identifier: GPL-2.0-only
// One page mapped and read: what iommu_map() writes, how the hardware reads it.

import { arch_sync_dma_for_device } from '#arch/arm64/mm/dma-mapping.js';
import { virt_to_phys } from '#asm/memory.js';
import { iommu_get_domain_for_dev, iommu_map, iommu_unmap } from '#drivers/iommu/iommu.js';
import { DMA_TO_DEVICE } from '#linux/dma-direction.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { IOMMU_READ } from '#linux/iommu.js';
import { get_zeroed_page } from '#mm/page_alloc.js';
import { boot } from './bench.js';

const { machine, device, master } = boot();
const iommu = machine.iommu!;
const page = get_zeroed_page(GFP_KERNEL)!;
page.set(new TextEncoder().encode('hello, device'));
arch_sync_dma_for_device(virt_to_phys(page), 4096, DMA_TO_DEVICE);

const domain = iommu_get_domain_for_dev(device('m0'))!;
console.log('iommu_map:', iommu_map(domain, 0x1000_0000, virt_to_phys(page), 4096, IOMMU_READ, GFP_KERNEL));
console.log(iommu.explain(0, 0x1000_0000).text);
console.log('m0 reads:', new TextDecoder().decode(master('m0').fetch(0x1000_0000, 13)!));
console.log('m0 may write:', master('m0').store(0x1000_0000, Uint8Array.of(1)));

console.log('iommu_unmap:', iommu_unmap(domain, 0x1000_0000, 4096));
console.log('m0 reads again:', master('m0').fetch(0x1000_0000, 13));
