// SPDX-License-Identifier: GPL-2.0-only
// Page frame numbers and addresses.
// Linux 6.12: include/linux/pfn.h
import { PAGE_SIZE } from '#asm/page-def.js';
import type { phys_addr_t, unsigned_long } from '#linux/types.js';

/** @x rounded up to a page boundary (include/linux/pfn.h: PFN_ALIGN()). */
export function PFN_ALIGN(x: unsigned_long): unsigned_long {
	return Math.ceil(x / PAGE_SIZE) * PAGE_SIZE;
}

/** The first whole page at or above @x (include/linux/pfn.h: PFN_UP()). */
export function PFN_UP(x: phys_addr_t): unsigned_long {
	return Math.ceil(x / PAGE_SIZE);
}

/** The page that @x lies in (include/linux/pfn.h: PFN_DOWN()). */
export function PFN_DOWN(x: phys_addr_t): unsigned_long {
	return Math.floor(x / PAGE_SIZE);
}

/** The address of page frame @x (include/linux/pfn.h: PFN_PHYS()). */
export function PFN_PHYS(x: unsigned_long): phys_addr_t {
	return x * PAGE_SIZE;
}

/** The page frame of address @x (include/linux/pfn.h: PHYS_PFN()). */
export function PHYS_PFN(x: phys_addr_t): unsigned_long {
	return Math.floor(x / PAGE_SIZE);
}
