// SPDX-License-Identifier: GPL-2.0-only
// The IOMMU of the H6, with a test master behind each of its six ports.

import type { Sun50iH6Iommu } from '#hw/iommu/sun50i-h6-iommu.js';
import type { TestMaster } from '#hw/misc/test-master.js';
import { EBUSY, EINVAL } from '#linux/errno.js';
import { IOMMU_READ, IOMMU_WRITE } from '#linux/iommu.js';
import { CCU, DIRECTORY, enableIommu, h6, IOMMU_NODE, mapPage } from '#tests/hw/h6.js';
import type { Description, SaidFault } from '../description.js';

const KNOWN = /Page fault for 0x([0-9a-f]{16}) \(master (-?\d+), dir (rd|wr)\)/;
const LOST = /Page fault for an unknown address \(master (\d+)\)/;

function fault(line: string): SaidFault | null {
	const known = KNOWN.exec(line);
	if (known !== null)
		return { iova: Number(`0x${known[1]}`), stream: Number(known[2]), write: known[3] === 'wr' };
	const lost = LOST.exec(line);
	return lost === null ? null : { stream: Number(lost[1]) };
}

const H6: Description = {
	name: 'sun50i-iommu',
	board: h6,
	masters: ['m0', 'm1', 'm2', 'm3', 'm4', 'm5'],
	memory: 0x4800_0000,
	oneGroup: true,
	pageSizes: [0x1000],
	tableCovers: 0x10_0000,
	addressBits: 32,
	outputBits: 32,
	domains: 1,
	rights: [0, IOMMU_READ, IOMMU_WRITE, IOMMU_READ | IOMMU_WRITE],
	mappedAlready: -EBUSY,
	beyondOutput: -EINVAL,
	deferredFlush: false,
	passthrough: true,
	blocked: false,
	stalls: true,
	faultDevice: 'iommu',
	fault,
	firmware(machine) {
		for (let page = 0; page < 4; page++)
			mapPage(machine, page * 0x1000, DIRECTORY + 0x80_0000, page === 1 ? 2 : 4);
		enableIommu(machine);
		const m0 = machine.model('m0') as TestMaster;
		for (let page = 0; page < 4; page++) m0.fetch(page * 0x1000, 4);
	},
	direction: 'permission',
	commands: [
		{ stuck: 'flush', says: /TLB Flush timed out/ },
		{ stuck: 'tlb', says: /TLB invalidation timed out/ },
		{ stuck: 'walk', says: /PTW cache invalidation timed out/ },
	],
	power: true,
	clients: true,
	// Bits 0 (clock) and 16 (out of reset) of the clock unit's register for the IOMMU.
	powered: (rig) => rig.machine.mmio_read(CCU + 0x7bc, 4) === 0x10001,
	// As sun50i_iommu_enable() leaves them.
	settings: {
		RESET: 0x8003_003f,
		ENABLE: 1,
		BYPASS: 0,
		AUTO_GATING: 1,
		TLB_PREFETCH: 0x3f,
		INT_ENABLE: 0x3_003f,
		INT_STA: 0,
	},
	setting: (rig, name) => (rig.iommu as Sun50iH6Iommu).registers.get(name),
	runtimePm: false,
};

/** The H616: all masters bypass translation at reset. */
const H616: Description = {
	...H6,
	name: 'H616',
	groups: ['bring-up', 'registers', 'rights', 'life', 'power', 'capabilities', 'isolation'],
	settings: { ...H6.settings, RESET: 0x8003_007f },
	board: (options) =>
		h6(options, { 'iommu@30f0000': { ...IOMMU_NODE, compatible: 'allwinner,sun50i-h616-iommu' } }),
};

export const description: Description = { ...H6, variants: [H616] };
