// SPDX-License-Identifier: GPL-2.0-only
// What an expression becomes, and what has to be known of it.
import type { CInt, CType } from '#tools/c/ctype.js';
import type { Doc } from '#tools/c/layout.js';

/** How strongly operators bind in C. */
export const PREC = {
	primary: 16,
	unary: 15,
	cast: 14,
	multiply: 13,
	add: 12,
	shift: 11,
	compare: 10,
	equal: 9,
	and: 8,
	xor: 7,
	or: 6,
	andAnd: 5,
	orOr: 4,
	conditional: 3,
	assign: 2,
} as const;

/** One expression in C. */
export interface Value {
	readonly doc: Doc;
	readonly type: CType;
	readonly prec: number;
	/** What it cannot exceed, if that is known; it is not negative then. */
	readonly max: bigint | null;
	/** TypeScript may have another value than C: why, and what to write. */
	readonly differs: string | null;
	/** C computes it in 32 bits, and it may need more. */
	readonly narrow: boolean;
	/** It calls something that changes something. */
	readonly effects: boolean;
	/** It can stand on the left of `=`. */
	readonly lvalue: boolean;
	/** The operator, of one with two operands. */
	readonly operator: string;
	readonly isNull: boolean;
	/** In C it is a void *, whatever it is here. */
	readonly untyped: boolean;
	/** The class that is to be allocated, or null for addresses: an allocation, whose size is its target's. */
	readonly sized: ((target: string) => Doc) | null;
}

const PLAIN: Omit<Value, 'doc' | 'type'> = {
	prec: PREC.primary,
	max: null,
	differs: null,
	narrow: false,
	effects: false,
	lvalue: false,
	operator: '',
	isNull: false,
	untyped: false,
	sized: null,
};

export const value = (doc: Doc, type: CType, more: Partial<Value> = {}): Value => ({
	...PLAIN,
	doc,
	type,
	...more,
});

export const LIMIT_32 = 1n << 32n;

/** What an integer of @type cannot exceed. */
export const limitOf = (type: CInt): bigint => (1n << BigInt(type.signed ? type.bits - 1 : type.bits)) - 1n;

/** What @v cannot exceed by what is known of it or by its type; null: it may be negative. */
export function boundOf(v: Value): bigint | null {
	if (v.max !== null) return v.max;
	if (v.type.kind !== 'int' || v.type.signed) return null;
	return /^(gfp|slab_flags)_t$/.test(v.type.name) ? LIMIT_32 / 2n - 1n : limitOf(v.type);
}

/** C's type for an operation on @a and @b. */
export function arithmetic(a: CInt, b: CInt, int: CInt): CInt {
	const pa = a.bits < 32 ? int : a;
	const pb = b.bits < 32 ? int : b;
	if (pa.bits !== pb.bits) return pa.bits > pb.bits ? pa : pb;
	if (pa.signed === pb.signed) return pa;
	return pa.signed ? pb : pa;
}

/** @v in parentheses if it binds weaker than @prec. */
export const wrapped = (v: Value, prec: number): Doc => (v.prec < prec ? ['(', v.doc, ')'] : v.doc);
