// SPDX-License-Identifier: GPL-2.0-only
// Resources: ranges of addresses or numbers that devices and drivers claim.
// Linux 6.12: include/linux/ioport.h
// Left out: port I/O, resource constraints, and the PnP and PCI bits.
import type { bool, resource_size_t, unsigned_long } from '#linux/types.js';

export class resource {
	start: resource_size_t = 0;
	/** The last address of the range, not the first behind it. */
	end: resource_size_t = 0;
	name: string | null = null;
	flags: unsigned_long = 0;
	desc: unsigned_long = 0;
	parent: resource | null = null;
	sibling: resource | null = null;
	child: resource | null = null;
}

export const IORESOURCE_BITS = 0x000000ff;
export const IORESOURCE_TYPE_BITS = 0x00001f00;
export const IORESOURCE_IO = 0x00000100;
export const IORESOURCE_MEM = 0x00000200;
export const IORESOURCE_REG = 0x00000300;
export const IORESOURCE_IRQ = 0x00000400;
export const IORESOURCE_DMA = 0x00000800;
export const IORESOURCE_BUS = 0x00001000;
export const IORESOURCE_PREFETCH = 0x00002000;
export const IORESOURCE_READONLY = 0x00004000;
export const IORESOURCE_CACHEABLE = 0x00008000;
export const IORESOURCE_MEM_64 = 0x00100000;
export const IORESOURCE_WINDOW = 0x00200000;
export const IORESOURCE_MUXED = 0x00400000;
export const IORESOURCE_SYSRAM = 0x01000000;
export const IORESOURCE_EXCLUSIVE = 0x08000000;
export const IORESOURCE_DISABLED = 0x10000000;
export const IORESOURCE_UNSET = 0x20000000;
export const IORESOURCE_BUSY = 0x80000000;
export const IORESOURCE_SYSTEM_RAM = IORESOURCE_MEM | IORESOURCE_SYSRAM;
export const IORESOURCE_MEM_NONPOSTED = 1 << 7;

/** How many addresses @res covers (include/linux/ioport.h: resource_size()). */
export function resource_size(res: resource): resource_size_t {
	return res.end - res.start + 1;
}

/** The kind of @res: one of IORESOURCE_MEM, _IRQ, ... (include/linux/ioport.h: resource_type()). */
export function resource_type(res: resource): unsigned_long {
	return res.flags & IORESOURCE_TYPE_BITS;
}

/** Whether all of @r2 lies in @r1 (include/linux/ioport.h: resource_contains()). */
export function resource_contains(r1: resource, r2: resource): bool {
	if (resource_type(r1) !== resource_type(r2)) return false;
	if (((r1.flags | r2.flags) & IORESOURCE_UNSET) !== 0) return false;
	return r1.start <= r2.start && r1.end >= r2.end;
}

/** Whether the two have an address in common (include/linux/ioport.h: resource_overlaps()). */
export function resource_overlaps(r1: resource, r2: resource): bool {
	return r1.start <= r2.end && r1.end >= r2.start;
}

/** A resource by value (include/linux/ioport.h: DEFINE_RES_NAMED()). */
export function DEFINE_RES_NAMED(
	start: resource_size_t,
	size: resource_size_t,
	name: string | null,
	flags: unsigned_long,
): resource {
	const res = new resource();
	res.start = start;
	res.end = start + size - 1;
	res.name = name;
	res.flags = flags;
	return res;
}

/** A range of memory addresses (include/linux/ioport.h: DEFINE_RES_MEM()). */
export function DEFINE_RES_MEM(start: resource_size_t, size: resource_size_t): resource {
	return DEFINE_RES_NAMED(start, size, null, IORESOURCE_MEM);
}

/** One interrupt (include/linux/ioport.h: DEFINE_RES_IRQ()). */
export function DEFINE_RES_IRQ(irq: resource_size_t): resource {
	return DEFINE_RES_NAMED(irq, 1, null, IORESOURCE_IRQ);
}
