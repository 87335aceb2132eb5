// SPDX-License-Identifier: GPL-2.0-only
// A booted golden board with its masters bound, for tests of the DMA API.
import { readFileSync } from 'node:fs';
import type { Machine } from '#hw/core/machine.js';
import { dma_set_mask_and_coherent } from '#kernel/dma/mapping.js';
import type { device } from '#linux/device.js';
import { Masters } from '#tests/drivers/iommu/masters.js';
import { flatTree, type Tree } from '#tests/drivers/of/flat-tree.js';
import { leakCheck } from '#tests/leaks.js';
import { testMachine } from '#tests/machine.js';
import { attachSanitiser } from '#tests/sanitiser.js';

/** Memory that no allocation touches (the boards' `bufs` regions). */
export const BUFS = 0x1000_0000;
/** 4 MiB, where 6.12 takes 64 by itself: each slot is an object that every boot makes. */
const POOL = 'swiotlb=2048';

export class Board {
	readonly masters: Masters;
	readonly log: string[] = [];

	/**
	 * Boards: main (m0-m2 behind the IOMMU, m1 coherent), direct (m3, m4 without one; 2 GiB above 4 GiB). The bounce
	 * pool is that of @pool, but on board main, which has a small one by itself, and where @commandLine says a size.
	 * @prepare gets at the machine before the sanitiser looks at what its models are.
	 */
	constructor(
		name: string | Uint8Array,
		commandLine = '',
		pool = POOL,
		prepare: (machine: Machine) => void = () => {},
	) {
		const dtb = typeof name === 'string' ? readFileSync(`tests/golden/vectors/boards/${name}.dtb`) : name;
		const machine = testMachine(dtb, {
			commandLine: name === 'main' ? commandLine : `${pool} ${commandLine}`.trim(),
			onConsole: (_level, line) => this.log.push(line),
			onBuilt: (built) => {
				prepare(built);
				attachSanitiser(built);
			},
		});
		this.masters = new Masters(machine);
	}

	/** A master's device with a 32-bit mask. */
	device(name: string): device {
		const dev = this.masters.device(name);
		dma_set_mask_and_coherent(dev, 0xffff_ffff);
		return dev;
	}

	/** What is left of allocations made since; the result of the second call must be empty. */
	readonly leakCheck = leakCheck;
}

/** An address and a size as cells of boardTree(). */
export function reg(base: number, size: number): number[] {
	return [Math.floor(base / 2 ** 32), base >>> 0, Math.floor(size / 2 ** 32), size >>> 0];
}

/**
 * The blob of a board with 1 GiB at 1 GiB and 1 GiB at 32 GiB, without an IOMMU, whose masters m3 (which does not
 * snoop) and m4 (which does) have @properties more; @reserved is what its memory reserves.
 */
export function boardTree(reserved: Tree, properties: Tree = {}): Uint8Array {
	return flatTree({
		model: 'Test board',
		compatible: 'oracle,board',
		'#address-cells': [2],
		'#size-cells': [2],
		'memory@40000000': {
			device_type: 'memory',
			reg: [...reg(0x4000_0000, 0x4000_0000), ...reg(0x8_0000_0000, 0x4000_0000)],
		},
		'reserved-memory': { '#address-cells': [2], '#size-cells': [2], ranges: true, ...reserved },
		m3: { compatible: 'oracle,master', 'oracle,index': [3], ...properties },
		m4: { compatible: 'oracle,master', 'oracle,index': [4], 'dma-coherent': true, ...properties },
	});
}

/** Bytes that tell where they belong. */
export function pattern(length: number, seed: number): Uint8Array {
	const bytes = new Uint8Array(length);
	for (let i = 0; i < length; i++) bytes[i] = seed + 3 * i + 5 * (i >> 8);
	return bytes;
}
