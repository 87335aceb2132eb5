// SPDX-License-Identifier: GPL-2.0-only
// The memory part of a boot: from a tree to a page allocator that works.

import { set_machine } from '#arch/arm64/kernel/setup.js';
import { arm64_memblock_init, bootmem_init, mem_init } from '#arch/arm64/mm/init.js';
import { early_init_dt_scan, unflatten_device_tree } from '#drivers/of/fdt.js';
import type { RamRegion } from '#hw/core/ram.js';
import { parse_early_param } from '#kernel/params.js';
import { __initcalls, load_boot_data } from '#linux/init.js';
import { ref } from '#linux/types.js';
import { MemoryMachine } from '../../../mm/memory-machine.js';

export function bootTree(regions: readonly RamRegion[], fdt: Uint8Array, commandLine = ''): MemoryMachine {
	const m = new MemoryMachine(regions, fdt);
	load_boot_data();
	set_machine(m);
	const bootargs = new ref<string>('');
	if (!early_init_dt_scan(fdt, bootargs)) throw new Error('no tree');
	parse_early_param(`${bootargs.value} ${commandLine}`.trim());
	arm64_memblock_init();
	unflatten_device_tree();
	bootmem_init();
	mem_init();
	return m;
}

/** Run the initcalls of these names, in their order. */
export function runInitcalls(...names: string[]): void {
	for (const name of names) {
		const calls = __initcalls.filter((c) => c.fn.name === name);
		if (calls.length === 0) throw new Error(`no initcall ${name}`);
		for (const call of calls) call.fn();
	}
}
