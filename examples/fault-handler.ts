// SPDX-License-Identifier: GPL-2.0-only
// A device reads where nothing is mapped: who says what.
import { iommu_get_domain_for_dev, iommu_set_fault_handler } from '#drivers/iommu/iommu.js';
import { msleep } from '#kernel/time/timer.js';
import { dev_name } from '#linux/device.js';
import { boot } from './bench.js';

const { machine, device, master } = boot();
const domain = iommu_get_domain_for_dev(device('m0'))!;
iommu_set_fault_handler(
	domain,
	(_domain, dev, iova, flags) => {
		console.log(`handler: ${dev_name(dev)} reports 0x${iova.toString(16)}, flags ${flags}`);
		return 0;
	},
	null,
);
console.log('m0 reads 0x12345678:', master('m0').fetch(0x1234_5678, 4));
msleep(1);
console.log(machine.iommu!.explain(0, 0x1234_5678).text);
