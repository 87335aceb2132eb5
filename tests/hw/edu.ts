// SPDX-License-Identifier: GPL-2.0-only
// A board with the teaching IOMMU, and test masters behind four of its streams.

import type { Machine, MachineOptions } from '#hw/core/machine.js';
import { blobOf, GIC, type Node, RAM } from '#tests/hw/board.js';
import { testMachine } from '#tests/machine.js';

export const EDU = 0x3100000;
export const EDU_NAME = '3100000.iommu';

export function eduTree(extra: Node = {}, iommu: Node = {}): Node {
	const masters: Record<string, Node> = {};
	for (const stream of [1, 2, 3, 63])
		masters[`m${stream}`] = { compatible: 'oracle,master', iommus: [3, stream] };
	return {
		'#address-cells': [1],
		'#size-cells': [1],
		'interrupt-parent': [1],
		'memory@40000000': { device_type: 'memory', reg: [RAM, 0x10000000] },
		'interrupt-controller@3021000': {
			compatible: 'arm,gic-400',
			reg: [GIC, 0x1000, GIC + 0x1000, 0x2000],
			'interrupt-controller': true,
			'#interrupt-cells': [3],
			phandle: [1],
		},
		'iommu@3100000': {
			compatible: 'linux-iommu-ts,edu-iommu',
			reg: [EDU, 0x1000],
			interrupts: [0, 60, 4],
			'#iommu-cells': [1],
			phandle: [3],
			...iommu,
		},
		...masters,
		...extra,
	};
}

export function edu(options: MachineOptions = {}, extra: Node = {}, iommu: Node = {}): Machine {
	return testMachine(blobOf(eduTree(extra, iommu)), options);
}
