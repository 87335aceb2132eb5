// SPDX-License-Identifier: GPL-2.0-only
// printf() with the kernel's extensions.
// Linux 6.12: lib/vsprintf.c
//
// Numbers come by value, also where C passes a pointer to one (%pa, %pad). A pointer's address is not
// a fact here: %p of an object prints what Linux prints before it has a hash key.
// Left out: %pB %pd %pD %pE %pg %pG %pI %pi %pt %pU %pfw
import { format_gfp_flags } from '#include/trace/events/mmflags.js';
import { ERR_PTR, err_ptr } from '#linux/err.js';
import { errname } from '#linux/errno.js';
import type { gfp_t, int, size_t, u32, u64 } from '#linux/types.js';

/** A format and its arguments, for %pV. */
export class va_format {
	constructor(
		readonly fmt: string,
		readonly va: readonly printk_arg[],
	) {}
}

export type printk_arg = number | bigint | string | boolean | object | null | undefined;

/** What %pOF needs to know of a device-tree node. */
interface of_node_like {
	readonly full_name: string;
	readonly parent: of_node_like | null;
	readonly phandle?: u32;
}

/** What %pR needs to know of a resource. */
interface resource_like {
	readonly start: u64;
	readonly end: u64;
	readonly flags: u32;
}

const IORESOURCE_TYPE_BITS = 0x1f00;
const IORESOURCE_IO = 0x100;
const IORESOURCE_MEM = 0x200;
const IORESOURCE_IRQ = 0x400;
const IORESOURCE_DMA = 0x800;
const IORESOURCE_BUS = 0x1000;
const IORESOURCE_PREFETCH = 0x2000;
const IORESOURCE_MEM_64 = 0x10_0000;
const IORESOURCE_WINDOW = 0x20_0000;
const IORESOURCE_DISABLED = 0x1000_0000;
const IORESOURCE_UNSET = 0x2000_0000;

interface printf_spec {
	left: boolean;
	plus: boolean;
	space: boolean;
	alt: boolean;
	zero: boolean;
	width: int;
	precision: int;
	/** Bits of the integer: 8, 16, 32 or 64. */
	bits: int;
}

// digit: C's integer conversions cut the value to the type that the length modifier names.
function digits_of(v: number | bigint, bits: int, base: int): string {
	if (typeof v === 'number') {
		if (!Number.isFinite(v)) v = 0;
		if (v >= 0 && v <= Number.MAX_SAFE_INTEGER) {
			const cut = bits === 64 ? v : v % 2 ** bits;
			return Math.floor(cut).toString(base);
		}
		// U64_MAX is a double just above the greatest 64-bit value: it stands for all ones.
		v = v >= 2 ** 64 ? -1n : BigInt(Math.trunc(v));
	}
	return BigInt.asUintN(bits, v).toString(base);
}

function signed_digits(v: number | bigint, bits: int): [boolean, string] {
	if (
		typeof v === 'number' &&
		Number.isSafeInteger(v) &&
		(bits === 64 || (v >= -(2 ** (bits - 1)) && v < 2 ** (bits - 1)))
	)
		return [v < 0, Math.abs(v).toString()];
	let b: bigint;
	if (typeof v === 'bigint') b = v;
	else if (!Number.isFinite(v)) b = 0n;
	else b = v >= 2 ** 64 ? -1n : BigInt(Math.trunc(v));
	b = BigInt.asIntN(bits, b);
	return [b < 0n, (b < 0n ? -b : b).toString()];
}

function pad(s: string, spec: printf_spec): string {
	if (s.length >= spec.width) return s;
	return spec.left ? s.padEnd(spec.width) : s.padStart(spec.width);
}

function number(conv: string, v: number | bigint, spec: printf_spec): string {
	let sign = '';
	let prefix = '';
	let digits: string;
	if (conv === 'd') {
		const [neg, text] = signed_digits(v, spec.bits);
		digits = text;
		sign = neg ? '-' : spec.plus ? '+' : spec.space ? ' ' : '';
	} else {
		digits = digits_of(v, spec.bits, conv === 'u' ? 10 : conv === 'o' ? 8 : 16);
		if (conv === 'X') digits = digits.toUpperCase();
		if (spec.alt && conv === 'o') prefix = '0';
		if (spec.alt && (conv === 'x' || conv === 'X')) prefix = conv === 'x' ? '0x' : '0X';
	}
	if (spec.precision >= 0) digits = digits.padStart(spec.precision, '0');
	else if (spec.zero && !spec.left) digits = digits.padStart(spec.width - sign.length - prefix.length, '0');
	return pad(sign + prefix + digits, spec);
}

function to_number(arg: printk_arg): number | bigint {
	switch (typeof arg) {
		case 'number':
		case 'bigint':
			return arg;
		case 'boolean':
			return arg ? 1 : 0;
		case 'string':
			return arg.length === 0 ? 0 : arg.charCodeAt(0);
		default:
			return arg instanceof err_ptr ? arg.errno : 0;
	}
}

function hex64(v: u64): string {
	return digits_of(v, 64, 16).padStart(16, '0');
}

function pointer_string(arg: printk_arg): string {
	if (arg === null || arg === undefined) return hex64(0);
	if (typeof arg === 'number' || typeof arg === 'bigint') return hex64(Number(arg));
	if (arg instanceof err_ptr) return hex64(arg.errno);
	return '(____ptrval____)';
}

function resource_string(arg: printk_arg, raw: boolean): string {
	if (arg === null || arg === undefined) return '(null)';
	const res = arg as resource_like;
	const mem = (v: u64): string => `0x${digits_of(v, 64, 16).padStart(8, '0')}`;
	const dec = (v: u64): string => v.toString();
	const bus = (v: u64): string => v.toString(16).padStart(2, '0');
	const io = (v: u64): string => `0x${v.toString(16).padStart(4, '0')}`;
	const flags = res.flags;
	let out = '[';
	let fmt = mem;
	let decode = !raw;
	switch (flags & IORESOURCE_TYPE_BITS) {
		case IORESOURCE_IO:
			out += 'io  ';
			fmt = io;
			break;
		case IORESOURCE_MEM:
			out += 'mem ';
			break;
		case IORESOURCE_IRQ:
			out += 'irq ';
			fmt = dec;
			break;
		case IORESOURCE_DMA:
			out += 'dma ';
			fmt = dec;
			break;
		case IORESOURCE_BUS:
			out += 'bus ';
			fmt = bus;
			break;
		default:
			out += '??? ';
			decode = false;
	}
	if (decode && (flags & IORESOURCE_UNSET) !== 0) {
		out += `size ${fmt(res.end - res.start + 1)}`;
	} else {
		out += fmt(res.start);
		if (res.start !== res.end) out += `-${fmt(res.end)}`;
	}
	if (decode) {
		if ((flags & IORESOURCE_MEM_64) !== 0) out += ' 64bit';
		if ((flags & IORESOURCE_PREFETCH) !== 0) out += ' pref';
		if ((flags & IORESOURCE_WINDOW) !== 0) out += ' window';
		if ((flags & IORESOURCE_DISABLED) !== 0) out += ' disabled';
	} else {
		out += ` flags 0x${flags.toString(16)}`;
	}
	return `${out}]`;
}

function node_basename(node: of_node_like): string {
	return node.full_name.slice(node.full_name.lastIndexOf('/') + 1);
}

function node_path(node: of_node_like): string {
	if (node.parent === null) return '/';
	let path = '';
	for (let n: of_node_like = node; n.parent !== null; n = n.parent) path = `/${node_basename(n)}${path}`;
	return path;
}

function device_node_string(arg: printk_arg, fmt: string): string {
	if (arg === null || arg === undefined) return '(null)';
	if (arg instanceof err_ptr) return hex64(arg.errno);
	const node = arg as of_node_like;
	const parts: string[] = [];
	for (const c of fmt === '' ? 'f' : fmt) {
		if (c === 'f') parts.push(node_path(node));
		else if (c === 'n') parts.push((node_basename(node).split('@')[0] as string) || '/');
		else if (c === 'p') parts.push(`${node.phandle ?? 0}`);
		else if (c === 'P') parts.push(node_basename(node) || '/');
	}
	return parts.join(':');
}

function hex_string(arg: printk_arg, width: int, sep: string): string {
	const bytes = arg as Uint8Array;
	const n = Math.min(width > 0 ? width : bytes.length, 64, bytes.length);
	const out: string[] = [];
	for (let i = 0; i < n; i++) out.push(bytes[i]!.toString(16).padStart(2, '0'));
	return out.join(sep);
}

function bitmap_list_string(arg: printk_arg, nbits: int): string {
	const map = arg as Uint32Array;
	const set = (b: int): boolean => ((map[b >>> 5]! >>> (b & 31)) & 1) !== 0;
	const out: string[] = [];
	for (let b = 0; b < nbits; b++) {
		if (!set(b)) continue;
		const first = b;
		while (b + 1 < nbits && set(b + 1)) b++;
		out.push(first === b ? `${first}` : `${first}-${b}`);
	}
	return out.join(',');
}

function fourcc_string(v: u32): string {
	let out = '';
	for (let i = 0; i < 4; i++) {
		const c = (v >>> (8 * i)) & (i === 3 ? 0x7f : 0xff);
		out += c >= 0x20 && c < 0x7f ? String.fromCharCode(c) : '.';
	}
	return `${out} ${v & 0x8000_0000 ? 'big' : 'little'}-endian (0x${(v >>> 0).toString(16).padStart(8, '0')})`;
}

// What follows %p, and how many letters of the format it took.
function pointer(rest: string, arg: printk_arg, spec: printf_spec): [string, int] {
	const word = /^[A-Za-z0-9]*/.exec(rest)![0];
	switch (word[0]) {
		case 'a': {
			const n = word[1] === 'd' || word[1] === 'p' ? 2 : 1;
			return [`0x${hex64(Number(to_number(arg)))}`, n];
		}
		case 'e': {
			const err = arg instanceof err_ptr ? arg : typeof arg === 'number' && arg < 0 ? ERR_PTR(arg) : null;
			return [err === null ? pointer_string(arg) : errname(err.errno), 1];
		}
		case 'h': {
			const sep = word[1] === 'C' ? ':' : word[1] === 'D' ? '-' : word[1] === 'N' ? '' : ' ';
			return [hex_string(arg, spec.width, sep), sep === ' ' ? 1 : 2];
		}
		case 'b':
			return [bitmap_list_string(arg, spec.width), word[1] === 'l' ? 2 : 1];
		case 'M':
			return [hex_string(arg, 6, ':'), 1];
		case 'R':
			return [resource_string(arg, false), 1];
		case 'r':
			return [resource_string(arg, true), 1];
		case 'O': {
			const flags = /^[fnpP]*/.exec(word.slice(2))![0];
			return [device_node_string(arg, flags), 2 + flags.length];
		}
		case 'G':
			if (word[1] === 'g') return [format_gfp_flags(Number(to_number(arg))), 2];
			break;
		case 'V':
			if (arg instanceof va_format) return [vsnprintf_text(arg.fmt, arg.va), 1];
			break;
		case 's':
		case 'S':
			if (typeof arg === 'function') return [`${arg.name}${word[0] === 'S' ? '+0x0' : ''}`, 1];
			return [typeof arg === 'string' ? arg : pointer_string(arg), 1];
		case 'x':
			return [typeof arg === 'number' ? hex64(arg) : pointer_string(arg), 1];
		case 'K':
			return [pointer_string(arg), 1];
		case '4':
			if (word.startsWith('4cc')) return [fourcc_string(Number(to_number(arg))), 3];
			break;
	}
	return [pointer_string(arg), 0];
}

function string_of(arg: printk_arg, spec: printf_spec): string {
	let s: string;
	if (arg === null || arg === undefined) s = '(null)';
	else if (arg instanceof err_ptr) s = '(efault)';
	else s = String(arg);
	return spec.precision >= 0 ? s.slice(0, spec.precision) : s;
}

/** The whole text of a format and its arguments. */
export function vsnprintf_text(fmt: string, args: readonly printk_arg[]): string {
	if (!fmt.includes('%')) return fmt;
	let out = '';
	let used = 0;
	let i = 0;
	for (;;) {
		const at = fmt.indexOf('%', i);
		if (at < 0) return out + fmt.slice(i);
		out += fmt.slice(i, at);
		i = at + 1;
		const spec: printf_spec = {
			left: false,
			plus: false,
			space: false,
			alt: false,
			zero: false,
			width: -1,
			precision: -1,
			bits: 32,
		};
		for (; ; i++) {
			const c = fmt[i];
			if (c === '-') spec.left = true;
			else if (c === '+') spec.plus = true;
			else if (c === ' ') spec.space = true;
			else if (c === '#') spec.alt = true;
			else if (c === '0') spec.zero = true;
			else break;
		}
		if (fmt[i] === '*') {
			spec.width = Number(to_number(args[used++]));
			if (spec.width < 0) {
				spec.left = true;
				spec.width = -spec.width;
			}
			i++;
		} else {
			for (; fmt[i]! >= '0' && fmt[i]! <= '9'; i++)
				spec.width = Math.max(spec.width, 0) * 10 + Number(fmt[i]);
		}
		if (fmt[i] === '.') {
			i++;
			spec.precision = 0;
			if (fmt[i] === '*') {
				spec.precision = Math.max(0, Number(to_number(args[used++])));
				i++;
			} else {
				for (; fmt[i]! >= '0' && fmt[i]! <= '9'; i++) spec.precision = spec.precision * 10 + Number(fmt[i]);
			}
		}
		for (; ; i++) {
			const c = fmt[i];
			if (c === 'h') spec.bits = spec.bits === 16 ? 8 : 16;
			else if (c === 'l' || c === 'L' || c === 'z' || c === 't' || c === 'j') spec.bits = 64;
			else break;
		}
		const conv = fmt[i++];
		switch (conv) {
			case 'd':
			case 'i':
				out += number('d', to_number(args[used++]), spec);
				break;
			case 'u':
			case 'x':
			case 'X':
			case 'o':
				out += number(conv, to_number(args[used++]), spec);
				break;
			case 'c': {
				const arg = args[used++];
				out += pad(
					typeof arg === 'string' ? arg.slice(0, 1) : String.fromCharCode(Number(to_number(arg)) & 0xff),
					spec,
				);
				break;
			}
			case 's':
				out += pad(string_of(args[used++], spec), spec);
				break;
			case 'p': {
				const [text, taken] = pointer(fmt.slice(i, i + 8), args[used++], spec);
				out += text.length < spec.width && !/^[hb]/.test(fmt[i] ?? '') ? pad(text, spec) : text;
				i += taken;
				break;
			}
			case '%':
				out += '%';
				break;
			default:
				// Linux gives up on the rest of a format that it does not know.
				return out + fmt.slice(at);
		}
	}
}

/** kasprintf() with the arguments in an array (lib/kasprintf.c: kvasprintf()). */
export function kasprintf_va(fmt: string, args: readonly printk_arg[]): string {
	return vsnprintf_text(fmt, args);
}

/** A new string. Strings are the language's: no allocation can fail (lib/kasprintf.c: kasprintf()). */
export function kasprintf(_gfp: gfp_t, fmt: string, ...args: printk_arg[]): string {
	return vsnprintf_text(fmt, args);
}

/** The text; there is no buffer to overrun (lib/vsprintf.c: sprintf()). */
export function sprintf(fmt: string, ...args: printk_arg[]): string {
	return vsnprintf_text(fmt, args);
}

/** The text, cut to @size - 1 letters (lib/vsprintf.c: snprintf()). */
export function snprintf(size: size_t, fmt: string, ...args: printk_arg[]): string {
	return vsnprintf_text(fmt, args).slice(0, Math.max(0, size - 1));
}

/** snprintf(); in C they differ in the length that they answer (lib/vsprintf.c: scnprintf()). */
export const scnprintf = snprintf;
