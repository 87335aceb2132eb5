// SPDX-License-Identifier: GPL-2.0-only
// The machine that a test boots: dma-debug watches, and each of its reports is a WARN, which fails the test.
import { Machine, type MachineOptions } from '#hw/machine.js';

/** Every error counts, not the first alone. The pool is for a test's few mappings: it costs a boot nothing to notice. */
const DMA_DEBUG = 'dma_debug=all dma_debug_entries=512';

/** A machine with the tree @dtb. A test of the DMA API's misuse says `dma_debug=off`, or expectWarning(). */
export function testMachine(dtb: Uint8Array, options: MachineOptions = {}): Machine {
	const commandLine = `${DMA_DEBUG} ${options.commandLine ?? ''}`.trim();
	return new Machine(dtb, { ...options, commandLine });
}
