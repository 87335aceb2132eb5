// SPDX-License-Identifier: GPL-2.0-only
// The kernel's integer types by name, and pointers to scalars.
// Linux 6.12: include/linux/types.h

export type u8 = number;
export type u16 = number;
export type u32 = number;
/** Exact to 2^53 - 1; see DESIGN.md, "Numbers". */
export type u64 = number;
export type s8 = number;
export type s16 = number;
export type s32 = number;
export type s64 = number;
export type int = number;
export type long = number;
export type unsigned_int = number;
export type unsigned_long = number;
export type size_t = number;
export type ssize_t = number;
export type loff_t = number;
export type bool = boolean;
export type gfp_t = number;
export type slab_flags_t = number;
export type umode_t = number;
export type dev_t = number;
export type pgprot_t = number;
export type atomic_t = { counter: int };
/** A byte address as the kernel passes pointers to device-visible memory. */
export type void_ptr = Uint8Array;

// Address spaces are flavours: a plain number fits each, one does not fit another.
export type phys_addr_t = number & { readonly __space?: 'phys' };
export type resource_size_t = phys_addr_t;
export type dma_addr_t = number & { readonly __space?: 'dma' };
export type __iomem = number & { readonly __space?: 'iomem' };

/** A pointer to a scalar: `size_t *mapped` is `ref<size_t>`. */
export class ref<T> {
	constructor(public value: T) {}
}

export const U8_MAX = 0xff;
export const U16_MAX = 0xffff;
export const U32_MAX = 0xffff_ffff;
/** A double that compares greater than every address; formats print it as ~0. */
// biome-ignore lint/correctness/noPrecisionLoss: DESIGN.md, "Numbers": U64_MAX is this literal by decision.
export const U64_MAX = 0xffff_ffff_ffff_ffff;
export const ULONG_MAX = U64_MAX;
export const SIZE_MAX = U64_MAX;
export const PHYS_ADDR_MAX = U64_MAX;
export const INT_MAX = 0x7fff_ffff;
export const UINT_MAX = 0xffff_ffff;
export const S32_MAX = 0x7fff_ffff;

/** A struct that others embed: container_of() finds the way back to the outer struct. */
export interface embedded {
	readonly container: unknown;
}

/** The struct that embeds @ptr (Linux: include/linux/container_of.h: container_of()). */
export function container_of<T extends object>(ptr: embedded, type: new (...args: never[]) => T): T {
	if (!(ptr.container instanceof type)) throw new TypeError(`container_of: not embedded in a ${type.name}`);
	return ptr.container;
}
