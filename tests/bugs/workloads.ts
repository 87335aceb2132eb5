// SPDX-License-Identifier: GPL-2.0-only
// What runs for a fault: the conformance of drivers, and the tests of what is around it.
import type { Fault } from './fault.js';

export interface Workload {
	/** The faults in files whose paths begin so have it; the first that fits. */
	readonly path: string;
	/** Conformance of these drivers, by name. */
	readonly drivers: readonly string[];
	/** And test files, by their paths in build/tests. */
	readonly files: readonly string[];
}

const tests = (folder: string, ...names: readonly string[]): string[] =>
	names.map((name) => `${folder}/${name}.test.js`);

const MEDIA = tests('drivers/staging/media/sunxi/cedrus', 'cedrus');

export const WORKLOADS: readonly Workload[] = [
	{ path: 'drivers/iommu/sun50i-iommu', drivers: ['sun50i-iommu'], files: [] },
	{ path: 'drivers/iommu/rockchip-iommu', drivers: ['rockchip-iommu'], files: [] },
	{ path: 'drivers/iommu/edu-iommu', drivers: ['edu-iommu'], files: [] },
	{
		path: 'drivers/iommu/iova',
		drivers: ['sun50i-iommu'],
		files: tests('drivers/iommu', 'iova', 'dma_iommu'),
	},
	{
		path: 'drivers/iommu/dma-iommu',
		drivers: ['edu-iommu'],
		files: tests('drivers/iommu', 'dma_iommu', 'dma_iommu_limits', 'flush_queue'),
	},
	{
		path: 'drivers/iommu/',
		drivers: ['edu-iommu', 'sun50i-iommu'],
		files: tests('drivers/iommu', 'iommu', 'iommu_domains', 'iommu_groups'),
	},
	{
		path: 'kernel/dma/',
		drivers: ['sun50i-iommu'],
		files: [
			...tests('kernel/dma', 'direct', 'mapping', 'swiotlb', 'pool', 'coherent', 'mmap'),
			...tests('drivers/iommu', 'dma_iommu'),
		],
	},
	{
		path: 'drivers/net/',
		drivers: [],
		files: tests('drivers/net/ethernet/stmicro/stmmac', 'dwmac_sun8i'),
	},
	{
		path: 'drivers/media/',
		drivers: [],
		files: [...tests('drivers/media/common/videobuf2', 'videobuf2-dma-contig'), ...MEDIA],
	},
	{ path: 'drivers/staging/', drivers: [], files: MEDIA },
	{
		path: 'drivers/gpu/',
		drivers: [],
		files: tests('drivers/gpu/drm', 'drm_gem', 'drm_prime', 'sun4i/sun4i_drv'),
	},
];

export function workloadOf({ file, name }: Fault): Workload {
	const found = WORKLOADS.find(({ path }) => file.startsWith(path));
	if (found === undefined) throw new Error(`${name}: nothing runs for ${file}`);
	return found;
}
