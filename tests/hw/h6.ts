// SPDX-License-Identifier: GPL-2.0-only
// The H6 in small, for tests of the machine; the vocabulary of its page tables.

import type { Machine, MachineOptions } from '#hw/core/machine.js';
import { testMachine } from '#tests/machine.js';
import { blobOf, boardTree, type Node, poke, RAM } from './board.js';

export const CCU = 0x3001000;
export const IOMMU = 0x30f0000;
/** SPI 57 (sun50i-h6-iommu.json, "resources"). */
export const IOMMU_INTID = 89;

/** The IOMMU's node. */
export const IOMMU_NODE: Node = {
	compatible: 'allwinner,sun50i-h6-iommu',
	reg: [IOMMU, 0x10000],
	interrupts: [0, 57, 4],
	clocks: [2, 51],
	resets: [2, 15],
	'#iommu-cells': [1],
	phandle: [3],
};

/** An H6 in small: interrupt controller, clocks, IOMMU, and a test master behind each of its six ports. */
export function h6Tree(extra: Node = {}): Node {
	const masters: Record<string, Node> = {};
	for (let m = 0; m < 6; m++) masters[`m${m}`] = { compatible: 'oracle,master', iommus: [3, m] };
	return boardTree({
		compatible: 'allwinner,sun50i-h6',
		'clock@3001000': {
			compatible: 'allwinner,sun50i-h6-ccu',
			reg: [CCU, 0x1000],
			'#clock-cells': [1],
			'#reset-cells': [1],
			phandle: [2],
		},
		'iommu@30f0000': IOMMU_NODE,
		...masters,
		direct: { compatible: 'oracle,master' },
		...extra,
	});
}

export function h6(options: MachineOptions = {}, extra: Node = {}): Machine {
	return testMachine(blobOf(h6Tree(extra)), options);
}

/** Clock on and reset released for the IOMMU: bits 0 and 16 of 0x7bc (ccu-sun50i-h6.c). */
export function powerIommu(machine: Machine): void {
	machine.mmio_write(CCU + 0x7bc, 4, 0x10001);
}

export const readIommu = (machine: Machine, offset: number): number => machine.mmio_read(IOMMU + offset, 4);
export const writeIommu = (machine: Machine, offset: number, value: number): void =>
	machine.mmio_write(IOMMU + offset, 4, value);

export const DIRECTORY = RAM + 0x100000;
const TABLES = RAM + 0x200000;

/**
 * Map @iova to @phys in the tables at DIRECTORY, in memory, without telling anybody. The page table of MiB n is
 * at TABLES + 1 KiB * n. ACI 4 is read and write (sun50i-iommu.c).
 */
export function mapPage(machine: Machine, iova: number, phys: number, aci = 4): void {
	const table = TABLES + 0x400 * (iova >>> 20);
	poke(machine, DIRECTORY + 4 * (iova >>> 20), table | 1);
	poke(machine, table + 4 * ((iova >>> 12) & 0xff), ((phys & 0xfffff000) | (aci << 4) | 2) >>> 0);
}

export function unmapPage(machine: Machine, iova: number): void {
	poke(machine, TABLES + 0x400 * (iova >>> 20) + 4 * ((iova >>> 12) & 0xff), 0);
}

/** The enable sequence of sun50i_iommu_enable(), with the rights of domain 2 kept. */
export function enableIommu(machine: Machine): void {
	powerIommu(machine);
	writeIommu(machine, 0x050, DIRECTORY);
	writeIommu(machine, 0x070, 0x3f);
	writeIommu(machine, 0x030, 0);
	writeIommu(machine, 0x100, 0x3003f);
	writeIommu(machine, 0x0b0, 0x0fff0000);
	writeIommu(machine, 0x0b4, 0x05550aaa);
	flushAll(machine);
	writeIommu(machine, 0x040, 1);
	writeIommu(machine, 0x020, 1);
}

export function flushAll(machine: Machine): void {
	writeIommu(machine, 0x080, 0x3003f);
	waitClear(machine, 0x080);
}

/** Read until zero, 1 us apart; how often it was not. */
export function waitClear(machine: Machine, offset: number): number {
	for (let n = 0; n < 100; n++) {
		if (readIommu(machine, offset) === 0) return n;
		machine.advance(1000);
	}
	throw new Error(`register 0x${offset.toString(16)} never cleared`);
}

/** Invalidate one page in the TLBs, as sun50i_iommu_zap_iova() does. */
export function zapPage(machine: Machine, iova: number, mask = 0xfffff000): void {
	writeIommu(machine, 0x040, 0);
	writeIommu(machine, 0x090, iova);
	writeIommu(machine, 0x094, mask);
	writeIommu(machine, 0x098, 1);
	waitClear(machine, 0x098);
	writeIommu(machine, 0x040, 1);
}

export function zapDirectory(machine: Machine, iova: number): void {
	writeIommu(machine, 0x040, 0);
	writeIommu(machine, 0x0a0, iova);
	writeIommu(machine, 0x0a8, 1);
	waitClear(machine, 0x0a8);
	writeIommu(machine, 0x040, 1);
}
