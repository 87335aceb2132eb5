// SPDX-License-Identifier: GPL-2.0-only
// Two operands and what is between them: parentheses where C, its readers, or gcc ask for them.
import type ts from 'typescript-ast';
import { BOOL, type CInt, type CType } from '#tools/c/ctype.js';
import type { Expressions } from '#tools/c/expression.js';
import { align, type Doc, space } from '#tools/c/layout.js';
import { PREC, type Value, value } from '#tools/c/value.js';

export function joined(
	e: Expressions,
	node: ts.BinaryExpression,
	operator: string,
	a: Value,
	b: Value,
	type: CType,
	more: Partial<Value> = {},
): Value {
	const sequenced = operator === '&&' || operator === '||';
	if (!sequenced) e.twice(node, [a, b]);
	const prec = PRECEDENCE[operator]!;
	return value(
		[align([side(a, prec, operator, false), ` ${operator}`, space, side(b, prec, operator, true)])],
		type,
		{
			prec,
			operator,
			effects: a.effects || b.effects,
			...more,
		},
	);
}

/** One with a sign and one without: C makes both unsigned. */
export function sameSign(e: Expressions, node: ts.Node, operator: string, a: Value, b: Value): void {
	if (a.type.kind !== 'int' || b.type.kind !== 'int' || a.type.signed === b.type.signed) return;
	const [signed, other] = a.type.signed ? [a, b] : [b, a];
	if (signed.max === null && (other.type as CInt).bits >= (signed.type as CInt).bits)
		e.refuse(
			node,
			`"${operator}" of a number with a sign and one without: C makes both unsigned; give them one type`,
		);
}

export const PRECEDENCE: Readonly<Record<string, number>> = {
	'*': PREC.multiply,
	'/': PREC.multiply,
	'%': PREC.multiply,
	'+': PREC.add,
	'-': PREC.add,
	'<<': PREC.shift,
	'>>': PREC.shift,
	'<': PREC.compare,
	'>': PREC.compare,
	'<=': PREC.compare,
	'>=': PREC.compare,
	'==': PREC.equal,
	'!=': PREC.equal,
	'&': PREC.and,
	'^': PREC.xor,
	'|': PREC.or,
	'&&': PREC.andAnd,
	'||': PREC.orOr,
};

export function not(v: Value): Value {
	const text = v.doc;
	// `!!x` and `!(a == b)` have shorter forms.
	if (v.operator === '==' || v.operator === '!=') {
		const swapped = v.operator === '==' ? '!=' : '==';
		return { ...v, doc: withSign(v.doc, swapped), operator: swapped, type: BOOL, differs: null };
	}
	return value(['!', v.prec < PREC.unary ? ['(', text, ')'] : text], BOOL, {
		prec: PREC.unary,
		effects: v.effects,
	});
}

/** A comparison, as joined() makes it, with the other sign. */
export function withSign(doc: Doc, sign: string): Doc {
	const [left, , gap, right] = (doc as { readonly body: readonly Doc[] }).body;
	return align([left!, ` ${sign}`, gap!, right!]);
}

export const BITS = new Set(['&', '|', '^', '<<', '>>']);

export const COMPARES = new Set(['==', '!=', '<', '>', '<=', '>=']);

/** @v beside @operator: in parentheses where C's rules ask for them, and where readers, and gcc, do. */
export function side(v: Value, prec: number, operator: string, isRight: boolean): Doc {
	const weaker = v.prec < prec || (v.prec === prec && isRight);
	const mixed = v.operator !== '' && v.operator !== operator && (BITS.has(operator) || BITS.has(v.operator));
	const both =
		(operator === '||' && v.operator === '&&') || (COMPARES.has(operator) && COMPARES.has(v.operator));
	const same =
		v.operator === operator &&
		(operator === '&&' || operator === '||' || operator === '|' || operator === '&');
	return (weaker && !same) || mixed || both ? ['(', v.doc, ')'] : v.doc;
}
