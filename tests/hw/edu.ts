// SPDX-License-Identifier: GPL-2.0-only
// A board with the teaching IOMMU, and test masters behind four of its streams.

import type { Machine, MachineOptions } from '#hw/core/machine.js';
import type { TestMaster } from '#hw/misc/test-master.js';
import { blobOf, boardTree, type Node, poke, RAM } from '#tests/hw/board.js';
import { testMachine } from '#tests/machine.js';

export const EDU = 0x3100000;
export const EDU_NAME = '3100000.iommu';

export function eduTree(extra: Node = {}, iommu: Node = {}): Node {
	const masters: Record<string, Node> = {};
	for (const stream of [1, 2, 3, 63])
		masters[`m${stream}`] = { compatible: 'oracle,master', iommus: [3, stream] };
	return boardTree({
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
	});
}

export function edu(options: MachineOptions = {}, extra: Node = {}, iommu: Node = {}): Machine {
	return testMachine(blobOf(eduTree(extra, iommu)), options);
}

/** The block's registers by name, as Documentation/edu-iommu.md has them. */
export const REG = {
	ID: 0x00,
	CTRL: 0x04,
	STATUS: 0x08,
	STAB_BASE: 0x10,
	CMDQ_BASE: 0x20,
	CMDQ_SIZE: 0x24,
	CMDQ_PROD: 0x28,
	CMDQ_CONS: 0x2c,
	EVTQ_BASE: 0x30,
	EVTQ_SIZE: 0x34,
	EVTQ_PROD: 0x38,
	EVTQ_CONS: 0x3c,
	INT_STATUS: 0x40,
	INT_ENABLE: 0x44,
} as const;

const STAB = RAM + 0x100000;
const CMDQ = RAM + 0x101000;
const EVTQ = RAM + 0x102000;
const ROOTS = RAM + 0x110000;
const TABLES = RAM + 0x200000;
const QUEUE_LG2 = 3;

/** The block driven by hand, without a kernel: tables and queues at fixed places in memory. */
export class EduBench {
	readonly machine: Machine;
	#prod = 0;

	constructor(options: MachineOptions = {}, extra: Node = {}) {
		this.machine = edu(options, extra);
	}

	r(reg: number): number {
		return this.machine.mmio_read(EDU + reg, 4);
	}

	w(reg: number, value: number): void {
		this.machine.mmio_write(EDU + reg, 4, value);
	}

	master(stream: number): TestMaster {
		return this.machine.model(`m${stream}`) as TestMaster;
	}

	/** Tables, queues and ENABLE. */
	enable(): this {
		this.w(REG.STAB_BASE, STAB / 4096);
		this.w(REG.CMDQ_BASE, CMDQ / 4096);
		this.w(REG.CMDQ_SIZE, QUEUE_LG2);
		this.w(REG.EVTQ_BASE, EVTQ / 4096);
		this.w(REG.EVTQ_SIZE, QUEUE_LG2);
		this.w(REG.CTRL, 1);
		this.machine.advance(1000);
		return this;
	}

	/** The stream-table entry, in memory, without telling anybody. */
	stream(stream: number, word: number, root = 0): void {
		poke(this.machine, STAB + 8 * stream, word);
		poke(this.machine, STAB + 8 * stream + 4, root / 4096);
	}

	/** @stream translates by the tables of @domain. */
	translates(stream: number, domain: number): void {
		this.stream(stream, 1 | (2 << 1) | (domain << 8), ROOTS + 4096 * domain);
	}

	/** A page of 4 KiB in @domain, in memory, without telling anybody. */
	map(domain: number, iova: number, phys: number, rights = 3): void {
		const table = TABLES + 4096 * (1024 * domain + (iova >>> 22));
		poke(this.machine, ROOTS + 4096 * domain + 4 * (iova >>> 22), (table / 4096) * 16 + 1);
		poke(this.machine, table + 4 * ((iova >>> 12) & 0x3ff), (phys / 4096) * 16 + 2 * rights + 1);
	}

	mapLarge(domain: number, iova: number, phys: number, rights = 3): void {
		poke(this.machine, ROOTS + 4096 * domain + 4 * (iova >>> 22), (phys / 4096) * 16 + 8 + 2 * rights + 1);
	}

	unmap(domain: number, iova: number): void {
		poke(this.machine, TABLES + 4096 * (1024 * domain + (iova >>> 22)) + 4 * ((iova >>> 12) & 0x3ff), 0);
	}

	/** Put commands into the queue, and give them time. */
	command(...records: (readonly number[])[]): void {
		for (const record of records) {
			const at = CMDQ + 16 * (this.#prod % 2 ** QUEUE_LG2);
			for (let i = 0; i < 4; i++) poke(this.machine, at + 4 * i, record[i] ?? 0);
			this.#prod = (this.#prod + 1) % 2 ** (QUEUE_LG2 + 1);
		}
		this.w(REG.CMDQ_PROD, this.#prod);
		this.machine.advance(10_000);
	}

	/** The event at @index of the queue. */
	event(index: number): number[] {
		return [0, 1, 2, 3].map((i) => this.machine.ram.readWord(EVTQ + 16 * index + 4 * i));
	}
}
