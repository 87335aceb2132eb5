// SPDX-License-Identifier: GPL-2.0-only
// Rockchip's IOMMU, first format: three of them, with a master each that runtime PM switches on.

import type { RockchipIommu } from '#hw/iommu/rockchip-iommu.js';
import { EADDRINUSE, EINVAL } from '#linux/errno.js';
import { IOMMU_READ, IOMMU_WRITE } from '#linux/iommu.js';
import { pm_runtime_enable, pm_runtime_put_sync, pm_runtime_resume_and_get } from '#linux/pm_runtime.js';
import { boardBlob } from '#tests/boot.js';
import { testMachine } from '#tests/machine.js';
import type { Description } from '../description.js';

const FAULT = /Page fault at 0x([0-9a-f]{16}) of type (read|write)/;

const FIRST: Description = {
	name: 'rockchip-iommu',
	board: (options) => testMachine(boardBlob('rk-v1'), options),
	masters: ['m0', 'm1', 'm6'],
	memory: 0x1000_0000,
	oneGroup: false,
	pageSizes: [
		0x1000, 0x2000, 0x4000, 0x8000, 0x1_0000, 0x2_0000, 0x4_0000, 0x8_0000, 0x10_0000, 0x20_0000, 0x40_0000,
	],
	tableCovers: 0x40_0000,
	addressBits: 32,
	outputBits: 32,
	domains: 3,
	rights: [0, IOMMU_READ, IOMMU_WRITE, IOMMU_READ | IOMMU_WRITE],
	mappedAlready: -EADDRINUSE,
	beyondOutput: -EINVAL,
	deferredFlush: false,
	passthrough: true,
	blocked: false,
	stalls: true,
	portsPerMaster: 2,
	faultDevice: 'iommu',
	fault(line) {
		const found = FAULT.exec(line);
		return found === null ? null : { iova: Number(`0x${found[1]}`), write: found[2] === 'write' };
	},
	direction: 'always',
	commands: [],
	power: true,
	settings: { INT_MASK: 3, INT_STATUS: 0, AUTO_GATING: 0x8000_0001 },
	setting: (rig, name) => (rig.iommu as RockchipIommu).mmus[0].registers.get(name),
	runtimePm: true,
	helpless: /\brk_iommu_(zap_iova|disable)\b/,
	// Old trees have no clocks.
	saidAtBoot: /error -ENOENT: Failed to get clk/,
	prepare({ masters }) {
		masters.power = {
			on: (dev) => pm_runtime_resume_and_get(dev),
			off: (dev) => pm_runtime_put_sync(dev),
		};
		for (const dev of masters.devices.values()) {
			pm_runtime_enable(dev);
			masters.power.on(dev);
		}
	},
};

/** Two MMUs each, with and without a reset; the first of them is the only one of two masters. */
const WITHOUT_RESET: Description = {
	...FIRST,
	name: 'an IOMMU that is not reset',
	groups: ['bring-up', 'registers', 'invalidation', 'faults', 'life', 'power', 'capabilities'],
	masters: ['m2'],
	domains: 1,
};
const SECOND: Description = {
	...FIRST,
	name: 'second format',
	board: (options) => testMachine(boardBlob('rk-v2'), options),
	outputBits: 40,
};
const SNOOPING: Description = {
	...FIRST,
	name: 'walkers that snoop',
	groups: ['bring-up', 'registers', 'tables', 'mapping', 'life', 'power'],
	board: (options) => testMachine(boardBlob('rk-walkcoh'), options),
};

export const description: Description = { ...FIRST, variants: [SECOND, WITHOUT_RESET, SNOOPING] };
