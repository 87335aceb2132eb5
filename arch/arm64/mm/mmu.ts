// SPDX-License-Identifier: GPL-2.0-only
// The linear map: which memory has an address in it.
// Linux 6.12: arch/arm64/mm/mmu.c
// Left out: the page tables; the map is a list of ranges.

import { set_linear_map } from '#asm/memory.js';
import { memblock_is_nomap, memblock_region } from '#linux/memblock.js';
import { for_each_mem_region } from '#mm/memblock.js';

/** Map what memblock knows as memory, but for no-map regions (arch/arm64/mm/mmu.c: paging_init()). */
export function paging_init(): void {
	const ranges: memblock_region[] = [];
	for (const r of for_each_mem_region())
		if (!memblock_is_nomap(r)) ranges.push(new memblock_region(r.base, r.size, r.flags));
	set_linear_map(ranges);
}
