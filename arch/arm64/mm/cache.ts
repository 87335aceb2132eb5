// SPDX-License-Identifier: GPL-2.0-only
// Data-cache maintenance of a range, by physical address.
// Linux 6.12: arch/arm64/mm/cache.S
// C takes virtual addresses start and end; here a range may lie in several pieces of RAM, which no one view covers.
import { machine, schedule_point } from '#arch/arm64/kernel/setup.js';
import { die_paging_request, ESR_EL1_CACHE_ABORT } from '#arch/arm64/mm/fault.js';
import { linear_address, linear_map_hole } from '#asm/memory.js';
import type { phys_addr_t, size_t } from '#linux/types.js';

/** The CPU goes through the linear map, line by line. */
function check_linear_map(phys: phys_addr_t, size: size_t): void {
	const hole = linear_map_hole(phys, size);
	if (hole >= 0) die_paging_request(linear_address(hole), ESR_EL1_CACHE_ABORT);
}

/** Write dirty lines to the point of coherency (dcache_clean_poc()). */
export function dcache_clean_poc(phys: phys_addr_t, size: size_t): void {
	if (size === 0) return;
	check_linear_map(phys, size);
	schedule_point('cache', phys);
	machine.memory.clean(phys, size);
}

/** Drop lines; those at the edges that the range covers in part are cleaned first (dcache_inval_poc()). */
export function dcache_inval_poc(phys: phys_addr_t, size: size_t): void {
	if (size === 0) return;
	check_linear_map(phys, size);
	schedule_point('cache', phys);
	machine.memory.invalidate(phys, size);
}

/** Clean, then drop (dcache_clean_inval_poc()). */
export function dcache_clean_inval_poc(phys: phys_addr_t, size: size_t): void {
	if (size === 0) return;
	check_linear_map(phys, size);
	schedule_point('cache', phys);
	machine.memory.clean_invalidate(phys, size);
}
