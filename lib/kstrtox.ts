// SPDX-License-Identifier: GPL-2.0-only
// Numbers from strings, strictly.
// Linux 6.12: lib/kstrtox.c
// 64-bit results are exact to 2^53 - 1 (DESIGN.md, "Numbers").
import { EINVAL, ERANGE } from '#linux/errno.js';
import type {
	bool,
	int,
	long,
	ref,
	s64,
	size_t,
	u8,
	u16,
	u32,
	u64,
	unsigned_int,
	unsigned_long,
} from '#linux/types.js';

function prefix_of(s: string, base: unsigned_int): [unsigned_int, string] {
	let b = base;
	if (b === 0) {
		if (/^0x[0-9a-f]/i.test(s)) b = 16;
		else if (s.startsWith('0')) b = 8;
		else b = 10;
	}
	return [b, b === 16 && /^0x/i.test(s) ? s.slice(2) : s];
}

function digits(s: string, base: unsigned_int): int {
	let n = 0;
	while (n < s.length) {
		const d = Number.parseInt(s[n] as string, 36);
		if (!(d < base)) break;
		n++;
	}
	return n;
}

function parse(s: string, base: unsigned_int, min: s64, max: u64, res: ref<s64>): int {
	let text = s.endsWith('\n') ? s.slice(0, -1) : s;
	let sign = 1;
	if (text.startsWith('-') && min < 0) {
		sign = -1;
		text = text.slice(1);
	} else if (text.startsWith('+')) {
		text = text.slice(1);
	}
	const [b, rest] = prefix_of(text, base);
	const n = digits(rest, b);
	if (n === 0 || n !== rest.length) return -EINVAL;
	let v = 0n;
	for (const c of rest) v = v * BigInt(b) + BigInt(Number.parseInt(c, 36));
	if (v >= 1n << 64n) return -ERANGE;
	const value = sign * Number(v);
	if (value < min || value > max) return -ERANGE;
	res.value = value;
	return 0;
}

/** An unsigned 64-bit number: 0, -EINVAL, -ERANGE (lib/kstrtox.c: kstrtoull()). */
export function kstrtoull(s: string, base: unsigned_int, res: ref<u64>): int {
	return parse(s, base, 0, 2 ** 64, res);
}

export const kstrtou64 = kstrtoull;

/** An unsigned number of 64 bits, as kstrtoull() (lib/kstrtox.c: kstrtoul()). */
export function kstrtoul(s: string, base: unsigned_int, res: ref<unsigned_long>): int {
	return kstrtoull(s, base, res);
}

/** The same of a text in user space, a line end behind it or not (lib/kstrtox.c: kstrtoul_from_user()). */
export function kstrtoul_from_user(
	buf: Uint8Array,
	count: size_t,
	base: unsigned_int,
	res: ref<unsigned_long>,
): int {
	return kstrtoul(new TextDecoder().decode(buf.subarray(0, count)), base, res);
}

/** A signed number of 64 bits: 0, -EINVAL, -ERANGE (lib/kstrtox.c: kstrtoll()). */
export function kstrtoll(s: string, base: unsigned_int, res: ref<s64>): int {
	return parse(s, base, -(2 ** 63), 2 ** 63, res);
}

/** A signed number of 64 bits, as kstrtoll() (lib/kstrtox.c: kstrtol()). */
export function kstrtol(s: string, base: unsigned_int, res: ref<long>): int {
	return kstrtoll(s, base, res);
}

/** An unsigned number of 32 bits: 0, -EINVAL, -ERANGE (lib/kstrtox.c: kstrtouint()). */
export function kstrtouint(s: string, base: unsigned_int, res: ref<unsigned_int>): int {
	return parse(s, base, 0, 0xffff_ffff, res);
}

/** An unsigned number of 32 bits, as kstrtouint() (lib/kstrtox.c: kstrtou32()). */
export function kstrtou32(s: string, base: unsigned_int, res: ref<u32>): int {
	return kstrtouint(s, base, res);
}

/** An unsigned number of 16 bits: 0, -EINVAL, -ERANGE (lib/kstrtox.c: kstrtou16()). */
export function kstrtou16(s: string, base: unsigned_int, res: ref<u16>): int {
	return parse(s, base, 0, 0xffff, res);
}

/** An unsigned number of 8 bits: 0, -EINVAL, -ERANGE (lib/kstrtox.c: kstrtou8()). */
export function kstrtou8(s: string, base: unsigned_int, res: ref<u8>): int {
	return parse(s, base, 0, 0xff, res);
}

/** A signed number of 32 bits: 0, -EINVAL, -ERANGE (lib/kstrtox.c: kstrtoint()). */
export function kstrtoint(s: string, base: unsigned_int, res: ref<int>): int {
	return parse(s, base, -0x8000_0000, 0x7fff_ffff, res);
}

/** y, t, 1, on or n, f, 0, off, by the first letters (lib/kstrtox.c: kstrtobool()). */
export function kstrtobool(s: string | null, res: ref<bool>): int {
	if (s === null || s === '') return -EINVAL;
	const c = s[0]!.toLowerCase();
	if (c === 'y' || c === 't' || c === '1') res.value = true;
	else if (c === 'n' || c === 'f' || c === '0') res.value = false;
	else if (c === 'o' && s[1]?.toLowerCase() === 'n') res.value = true;
	else if (c === 'o' && s[1]?.toLowerCase() === 'f') res.value = false;
	else return -EINVAL;
	return 0;
}

/** The number that @cp begins with, and, in @endp, what follows it (lib/vsprintf.c: simple_strtoull()). */
export function simple_strtoull(cp: string, endp: ref<string> | null, base: unsigned_int): u64 {
	const [b, rest] = prefix_of(cp, base);
	const n = digits(rest, b);
	if (endp !== null) endp.value = n === 0 ? cp : rest.slice(n);
	let v = 0;
	for (let i = 0; i < n; i++) v = v * b + Number.parseInt(rest[i] as string, 36);
	return v;
}

export const simple_strtoul = simple_strtoull;
