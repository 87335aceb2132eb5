// SPDX-License-Identifier: GPL-2.0-only
// What `linux-iommu check` has to know of this IOMMU and its driver.
// The driver registers with the kernel as it is imported.
import '#drivers/iommu/edu-iommu.js';

import { readFileSync } from 'node:fs';
import { type EduIommu, eduIommu } from '#hw/iommu/edu-iommu.js';
import { EEXIST, ERANGE } from '#linux/errno.js';
import { IOMMU_READ, IOMMU_WRITE } from '#linux/iommu.js';
import { testMachine } from '#tests/machine.js';
import type { Description } from '#tools/check/description.js';

const BOARD = new URL('../../../../arch/arm64/boot/dts/edu/edu-board.dtb', import.meta.url);

/** How the driver's line about a fault is read. */
const FAULT = /stream (\d+): (?:no domain|not mapped|no right): (read of|write to) 0x([0-9a-f]{8})/;

// SKELETON: your chip and driver, in so many words. What a field means stands in tools/check/description.ts.
export const description: Description = {
	name: 'edu-iommu',
	board: (options) =>
		testMachine(new Uint8Array(readFileSync(BOARD)), {
			overrides: { 'linux-iommu-ts,edu-iommu': eduIommu },
			...options,
		}),
	masters: ['m0', 'm1', 'm2'],
	memory: 0x4800_0000,
	oneGroup: false,
	pageSizes: [0x1000, 0x40_0000],
	tableCovers: 0x40_0000,
	addressBits: 32,
	outputBits: 40,
	domains: 16,
	rights: [0, IOMMU_READ, IOMMU_WRITE, IOMMU_READ | IOMMU_WRITE],
	mappedAlready: -EEXIST,
	beyondOutput: -ERANGE,
	deferredFlush: true,
	passthrough: true,
	blocked: true,
	stalls: false,
	faultDevice: 'master',
	fault(line) {
		const found = FAULT.exec(line);
		if (found === null) return null;
		return { stream: Number(found[1]), write: found[2] === 'write to', iova: Number(`0x${found[3]}`) };
	},
	direction: 'always',
	commands: [{ stuck: 'commands', says: /command 0x[0-9a-f]+ timed out/ }],
	power: false,
	settings: { CTRL: 1, STATUS: 1, CMDQ_SIZE: 8, EVTQ_SIZE: 8, INT_STATUS: 0, INT_ENABLE: 7 },
	setting: (rig, name) => (rig.iommu as EduIommu).registers.get(name),
	runtimePm: false,
};
