// SPDX-License-Identifier: GPL-2.0-only
// The machine that a test boots: dma-debug and DMASAN watch, and what they report fails the test.
import { Machine, type MachineOptions } from '#hw/core/machine.js';
import { withHighMemory } from '#tests/hw/high-memory.js';
import { attachSanitiser } from '#tests/sanitiser.js';

/** Every error counts, not the first alone. The pool is for a test's few mappings: it costs a boot nothing to notice. */
const DMA_DEBUG = 'dma_debug=all dma_debug_entries=512';

export interface TestMachineOptions extends MachineOptions {
	/** Bytes of memory from 4 GiB on, beside what the tree has: where pages come from that nobody asked for below. */
	readonly highMemory?: number;
}

/**
 * @options with dma-debug and DMASAN on. A test of the DMA API's misuse says expectWarning(), or `dma_debug=off` on
 * its own command line, which comes last; one of a fault of the machine says expectFinding().
 */
export function watched(options: TestMachineOptions = {}): MachineOptions {
	const commandLine = `${DMA_DEBUG} ${options.commandLine ?? ''}`.trim();
	return { onBuilt: attachSanitiser, ...options, commandLine };
}

/** A machine with the tree @dtb, watched. */
export function testMachine(dtb: Uint8Array, options: TestMachineOptions = {}): Machine {
	const { highMemory = 0 } = options;
	return new Machine(highMemory === 0 ? dtb : withHighMemory(dtb, highMemory), watched(options));
}
