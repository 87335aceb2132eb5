// SPDX-License-Identifier: GPL-2.0-only
// Bit operations and shifts: TypeScript does them in 32 bits with a sign, C in the width of its operands.
import type ts from 'typescript-ast';
import { integers } from '#tools/c/arithmetic.js';
import { strip } from '#tools/c/build.js';
import { constantOf } from '#tools/c/constant.js';
import { type CInt, INT, U32 } from '#tools/c/ctype.js';
import { SIGNED, WRAPS } from '#tools/c/differs.js';
import type { Expressions } from '#tools/c/expression.js';
import { joined } from '#tools/c/joined.js';
import { flat } from '#tools/c/layout.js';
import { boundOf, LIMIT_32, PREC, type Value, value, wrapped } from '#tools/c/value.js';

/** An operand of a bit operation: TypeScript takes its lower 32 bits, with whatever sign. */
export function bits(e: Expressions, node: ts.Expression): Value {
	const v = e.of(node);
	if (v.differs !== null && v.differs !== SIGNED && v.differs !== WRAPS) e.refuse(node, v.differs);
	if (v.type.kind !== 'int' || v.type.name === 'bool')
		return e.refuse(node, 'bit operations take integers; a comparison is none');
	return v;
}

export function bitwise(e: Expressions, node: ts.BinaryExpression, operator: string): Value {
	const a = bits(e, node.left);
	const b = bits(e, node.right);
	const type = integers(e, node, a, b, operator);
	const ba = boundOf(a);
	const bb = boundOf(b);
	const fits = (m: bigint | null): boolean => m !== null && m < LIMIT_32;
	if (
		operator === '&'
			? !fits(ba) && !fits(bb) && type.bits === 64
			: type.bits === 64 && (!fits(ba) || !fits(bb))
	)
		if (!(operator === '&' && (complement(a) || complement(b)) && (fits(ba) || fits(bb))))
			e.refuse(
				node,
				`"${operator}" cuts 64 bits to 32 in TypeScript, and not in C; use and64(), or64() and their kin`,
			);
	let max: bigint | null = null;
	if (operator === '&') max = ba === null ? bb : bb === null ? ba : ba < bb ? ba : bb;
	else if (ba !== null && bb !== null) max = (1n << BigInt((ba > bb ? ba : bb).toString(2).length)) - 1n;
	const signed = max === null || max >= 1n << 31n;
	const bothInt = type.signed;
	return joined(e, node, operator, a, b, type, {
		max,
		differs: signed && !bothInt ? SIGNED : null,
	});
}

export function shift(e: Expressions, node: ts.BinaryExpression, operator: string): Value {
	if (operator === '>>>' && strip(node.right).getText(e.unit.source.ast) === '0') return unsigned(e, node);
	const a = bits(e, node.left);
	const b = e.operand(node.right);
	const type = integers(e, node, a, INT_VALUE, operator);
	const bound = boundOf(a);
	const by = constantOf(node.right, e.unit.source);
	if (by !== null && (by < 0n || by > 31n))
		e.refuse(node, `TypeScript shifts by the lower 5 bits of ${by}, and C does not say what it does`);
	if (type.bits === 64 && (bound === null || bound >= LIMIT_32))
		e.refuse(node, `"${operator}" cuts 64 bits to 32 in TypeScript, and not in C; use shl64() or shr64()`);
	if (operator === '>>' && !type.signed)
		e.refuse(node, '">>" gives what has no sign one in TypeScript; write ">>>"');
	if (operator === '<<') {
		const max = bound !== null && by !== null ? bound << by : null;
		const small = max !== null && max < 1n << 31n;
		if (type.signed && !small && a.max === null)
			e.refuse(node, '"<<" of a number with a sign may overflow, which C does not define; use u32');
		return joined(e, node, '<<', a, b, type, {
			max: max !== null && max < LIMIT_32 ? max : null,
			differs: small || (type.signed && a.max !== null) ? null : SIGNED,
			narrow: type.bits === 32 && !small && constantOf(node, e.unit.source) === null,
		});
	}
	// ">>>" looks at 32 bits without a sign; so has C to.
	const left =
		operator === '>>>' && type.signed && bound === null
			? value(['(u32)', wrapped(a, PREC.cast)], U32, { prec: PREC.cast })
			: a;
	return joined(e, node, '>>', left, b, left.type, {
		max: bound !== null && by !== null ? bound >> by : null,
	});
}

/** `>>> 0`: nothing in C where the type is one of 32 bits without a sign, else a cast. */
function unsigned(e: Expressions, node: ts.BinaryExpression): Value {
	const v = bits(e, node.left);
	const type = v.type as CInt;
	const clean = { ...v, differs: null, narrow: false };
	if (!type.signed && type.bits <= 32) return clean;
	const bound = boundOf(v);
	if (v.differs !== SIGNED && bound !== null && bound < LIMIT_32) return clean;
	if (v.operator !== '' && v.operator !== '~' && bound !== null && bound < LIMIT_32) return clean;
	return value(['(u32)', wrapped(v, PREC.cast)], U32, { prec: PREC.cast, effects: v.effects });
}

const INT_VALUE = value('0', INT);

const complement = (v: Value): boolean => flat(v.doc).startsWith('~');
