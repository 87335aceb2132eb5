// SPDX-License-Identifier: GPL-2.0-only
// Types of C, as far as kernel code here needs them.
import type { Found } from '#tools/c/source.js';

export type CType = CVoid | CInt | CPointer | CStruct | CArray | CFunction;

export interface CVoid {
	readonly kind: 'void';
}

/** An integer, enumerations and bool among them. */
export interface CInt {
	readonly kind: 'int';
	readonly name: string;
	readonly bits: number;
	readonly signed: boolean;
}

export interface CPointer {
	readonly kind: 'pointer';
	readonly to: CType;
	/** What it points to is not changed through it. */
	readonly isConst: boolean;
}

/** A struct itself, not a pointer to one. */
export interface CStruct {
	readonly kind: 'struct';
	/** As C says it: `struct device`, `spinlock_t`; '' has no name. */
	readonly name: string;
	/** Who declares it in TypeScript. */
	readonly found: Found | null;
	/** Of a struct without a name. */
	readonly members?: ReadonlyMap<string, CType>;
	/** Of a list's head: what is in the list. */
	readonly entry?: CStruct;
}

export interface CArray {
	readonly kind: 'array';
	readonly of: CType;
	readonly length: string;
}

export interface CFunction {
	readonly kind: 'function';
	/** What a typedef calls it. */
	readonly name?: string;
	readonly returns: CType;
	readonly params: readonly CParam[];
}

export interface CParam {
	readonly name: string;
	readonly type: CType;
}

const int = (name: string, bits: number, signed: boolean): CInt => ({ kind: 'int', name, bits, signed });

export const VOID: CType = { kind: 'void' };
export const BOOL = int('bool', 1, false);
export const INT = int('int', 32, true);
export const U32 = int('u32', 32, false);
export const UNSIGNED_INT = int('unsigned int', 32, false);
export const UNSIGNED_LONG = int('unsigned long', 64, false);
export const U64 = int('u64', 64, false);

/** Integer types by their name in C, of arm64. */
export const INTEGERS: ReadonlyMap<string, CInt> = new Map(
	[
		BOOL,
		INT,
		U32,
		UNSIGNED_INT,
		UNSIGNED_LONG,
		U64,
		int('unsigned long long', 64, false),
		int('long long', 64, true),
		int('char', 8, false),
		int('u8', 8, false),
		int('u16', 16, false),
		int('s8', 8, true),
		int('s16', 16, true),
		int('s32', 32, true),
		int('s64', 64, true),
		int('uint32_t', 32, false),
		int('__u8', 8, false),
		int('__u16', 16, false),
		int('__u32', 32, false),
		int('__u64', 64, false),
		int('__s32', 32, true),
		int('__s64', 64, true),
		int('long', 64, true),
		int('size_t', 64, false),
		int('ssize_t', 64, true),
		int('loff_t', 64, true),
		int('gfp_t', 32, false),
		int('slab_flags_t', 32, false),
		int('umode_t', 16, false),
		int('dev_t', 32, false),
		int('phys_addr_t', 64, false),
		int('resource_size_t', 64, false),
		int('dma_addr_t', 64, false),
		int('irqreturn_t', 32, true),
		int('ktime_t', 64, true),
		int('netdev_tx_t', 32, true),
	].map((t) => [t.name, t]),
);

export const pointerTo = (to: CType, isConst = false): CPointer => ({ kind: 'pointer', to, isConst });
export const VOID_POINTER = pointerTo(VOID);
export const CHAR_POINTER = pointerTo(INTEGERS.get('char')!, true);
export const IOMEM: CPointer = pointerTo({ kind: 'struct', name: 'void __iomem', found: null });
export const struct = (name: string, found: Found | null = null): CStruct => ({
	kind: 'struct',
	name,
	found,
});
export const enumOf = (name: string): CInt => int(name, 32, false);

export const isPointer = (t: CType): t is CPointer | CArray => t.kind === 'pointer' || t.kind === 'array';

/** @type @name, as a declaration says it, without its semicolon. */
export function declare(type: CType, name: string): string {
	const gap = (base: string): string =>
		`${base}${name === '' ? '' : name.startsWith('*') ? ' ' : ' '}${name}`;
	switch (type.kind) {
		case 'void':
			return gap('void');
		case 'int':
			return gap(type.name);
		case 'struct':
			return gap(type.name);
		case 'array':
			return declare(type.of, `${name}[${type.length}]`);
		case 'function':
			return type.name !== undefined
				? gap(type.name)
				: declare(type.returns, `${name}(${paramList(type.params)})`);
		case 'pointer': {
			const inner = type.to.kind === 'function' && type.to.name === undefined ? `(*${name})` : `*${name}`;
			const text = declare(type.to, inner);
			return type.isConst && type.to.kind !== 'function' ? asConst(text, type.to) : text;
		}
	}
}

// `char *const *x` would be something else.
const asConst = (text: string, to: CType): string =>
	to.kind === 'pointer' ? text.replace(/\*(?=\*[^*]*$)/, '* const ') : `const ${text}`;

export const paramList = (params: readonly CParam[]): string =>
	params.length === 0 ? 'void' : params.map((p) => declare(p.type, p.name)).join(', ');

export function sameType(a: CType, b: CType): boolean {
	return declare(a, '') === declare(b, '');
}

/** What @text says in C, without a name: `const struct device *`, `int (*)(struct device *)`, `u32[]`. */
export function parseType(text: string): CType {
	const t = text.trim();
	const call = /^(.*?)\(\*\)\((.*)\)$/.exec(t);
	if (call !== null)
		return pointerTo({
			kind: 'function',
			returns: parseType(call[1]!),
			params: splitParams(call[2]!).map((p) => ({ name: '', type: parseType(p) })),
		});
	const array = /^(.*)\[(\w*)\]$/.exec(t);
	if (array !== null) return { kind: 'array', of: parseType(array[1]!), length: array[2]! };
	if (t.endsWith('*')) {
		const to = t.slice(0, -1).trim();
		const isConst = /^const\b/.test(to) && !to.endsWith('*');
		return pointerTo(parseType(to), isConst);
	}
	const name = t
		.replace(/\b(const|volatile)\b/g, '')
		.trim()
		.replace(/\s+/g, ' ');
	if (name === 'void') return VOID;
	return INTEGERS.get(name) ?? (name.startsWith('enum ') ? enumOf(name) : struct(name));
}

function splitParams(list: string): string[] {
	const parts: string[] = [];
	let depth = 0;
	let from = 0;
	for (let i = 0; i <= list.length; i++) {
		if ('(['.includes(list[i] ?? ' ')) depth++;
		else if (')]'.includes(list[i] ?? ' ')) depth--;
		else if (i === list.length || (list[i] === ',' && depth === 0)) {
			parts.push(list.slice(from, i).trim());
			from = i + 1;
		}
	}
	return parts.filter((p) => p !== '' && p !== 'void');
}
