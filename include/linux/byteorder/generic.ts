// SPDX-License-Identifier: GPL-2.0-only
// Numbers in memory whose byte order is not the CPU's.
// Linux 6.12: include/linux/byteorder/generic.h
import type { int, u32 } from '#linux/types.js';

/** The big-endian 32-bit number at byte @at of @p. */
export function be32_to_cpup(p: Uint8Array, at: int = 0): u32 {
	return ((p[at]! << 24) | (p[at + 1]! << 16) | (p[at + 2]! << 8) | p[at + 3]!) >>> 0;
}

/** Store @value big-endian at byte @at of @p. */
export function cpu_to_be32p(value: u32, p: Uint8Array, at: int = 0): void {
	p[at] = value >>> 24;
	p[at + 1] = value >>> 16;
	p[at + 2] = value >>> 8;
	p[at + 3] = value;
}
