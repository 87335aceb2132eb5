// SPDX-License-Identifier: GPL-2.0-only
// Four IOMMUs of two kinds at work on one board: one address leads each group's masters elsewhere.
import { iommu_get_domain_for_dev, iommu_iova_to_phys, iommu_map } from '#drivers/iommu/iommu.js';
import { figure } from '#hw/iommu/iommu.js';
import { msleep } from '#kernel/time/timer.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { IOMMU_READ, IOMMU_WRITE } from '#linux/iommu.js';
import { pm_runtime_enable, pm_runtime_get_sync } from '#linux/pm_runtime.js';
import { boot } from './bench.js';

const { machine, device, master } = boot(3, '', 'arch/arm64/boot/dts/edu/two-kinds.dtb');
for (const [n, name] of ['de', 've', 'vop', 'vdec', 'rga'].entries()) {
	const dev = device(name);
	pm_runtime_enable(dev);
	pm_runtime_get_sync(dev);
	const domain = iommu_get_domain_for_dev(dev)!;
	// "ve" is in the group of "de": what is mapped for one is mapped for the other.
	if (iommu_iova_to_phys(domain, 0x10_0000) === 0)
		iommu_map(domain, 0x10_0000, 0x4800_0000 + n * 4096, 4096, IOMMU_READ | IOMMU_WRITE, GFP_KERNEL);
	const iommu = machine.iommuOf(master(name).port)!;
	const stored = master(name).store(0x10_0000, new TextEncoder().encode(name));
	const page = (iommu_iova_to_phys(domain, 0x10_0000) as number).toString(16);
	console.log(`${name}: group ${dev.iommu_group!.id} of ${iommu.name}, stores at 0x${page}: ${stored}`);
}
for (const name of ['ve', 'vdec']) console.log(`${name} goes astray:`, master(name).fetch(0x500_0000, 4));
msleep(1);
for (const iommu of machine.iommus) console.log(`${iommu.name}: faults ${figure(iommu, 'faults')}`);
