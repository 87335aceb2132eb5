// SPDX-License-Identifier: GPL-2.0-only
// Fields of a register word, named by their mask.
// Linux 6.12: include/linux/bitfield.h
import { __ffs64, and64, not64, or64, shl64, shr64 } from '#linux/math64.js';
import { type bool, type int, U32_MAX, type u32, type u64 } from '#linux/types.js';

function shift_of(mask: u64): int {
	return mask <= U32_MAX ? 31 - Math.clz32(mask & -mask) : __ffs64(mask);
}

/** The largest value that the field of @mask holds (include/linux/bitfield.h: FIELD_MAX()). */
export function FIELD_MAX(mask: u64): u64 {
	return mask <= U32_MAX ? mask >>> shift_of(mask) : shr64(mask, __ffs64(mask));
}

/** Whether @val fits the field of @mask (include/linux/bitfield.h: FIELD_FIT()). */
export function FIELD_FIT(mask: u64, val: u64): bool {
	return val >= 0 && val <= FIELD_MAX(mask);
}

/** @val at the place of @mask; bits that do not fit are cut (include/linux/bitfield.h: FIELD_PREP()). */
export function FIELD_PREP(mask: u64, val: u64): u64 {
	if (mask <= U32_MAX && val <= U32_MAX) return ((val << shift_of(mask)) & mask) >>> 0;
	return and64(shl64(val, shift_of(mask)), mask);
}

/** The field of @mask in @reg, at bit 0 (include/linux/bitfield.h: FIELD_GET()). */
export function FIELD_GET(mask: u64, reg: u64): u64 {
	if (mask <= U32_MAX && reg <= U32_MAX) return (reg & mask) >>> shift_of(mask);
	return shr64(and64(reg, mask), shift_of(mask));
}

/** @reg with the field of @mask set to @val (include/linux/bitfield.h: FIELD_MODIFY() in later kernels; u32_replace_bits()). */
export function u32_replace_bits(old: u32, val: u32, mask: u32): u32 {
	return ((old & ~mask) | FIELD_PREP(mask, val)) >>> 0;
}

/** u32_replace_bits() of a 64-bit word (include/linux/bitfield.h: u64_replace_bits()). */
export function u64_replace_bits(old: u64, val: u64, mask: u64): u64 {
	return or64(and64(old, not64(mask)), FIELD_PREP(mask, val));
}

export const u32_encode_bits = (val: u32, mask: u32): u32 => FIELD_PREP(mask, val);
export const u32_get_bits = (reg: u32, mask: u32): u32 => FIELD_GET(mask, reg);
