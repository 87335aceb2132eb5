// SPDX-License-Identifier: GPL-2.0-only
// Devices of two boards: which way their DMA takes, and what made it so.
import { sysfs_read } from '#fs/sysfs/user.js';
import { boot } from './bench.js';

const boots = [
	['main', '', 'm0', 'm1', 'm3'],
	['main', 'iommu.passthrough=1', 'm0'],
	['ranges', '', 'm3', 'bus6:m6'],
	['ranges', 'swiotlb=force', 'm3'],
];
for (const [board, commandLine, ...names] of boots) {
	boot(4, commandLine, `tests/golden/vectors/boards/${board}.dtb`);
	console.log(`board "${board}", command line "${commandLine}":`);
	// One line a device that can do DMA; the kernel says it from what it has set up.
	const lines = String(sysfs_read('/sys/kernel/debug/dma/decision')).split('\n');
	for (const line of lines)
		if (names.some((name) => line.startsWith(`${name}: `)))
			console.log(`  ${line.replaceAll('; ', ';\n    ')}`);
}
