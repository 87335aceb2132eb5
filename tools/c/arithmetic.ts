// SPDX-License-Identifier: GPL-2.0-only
// Sums, products and quotients: where C cuts to 32 bits, and TypeScript does not.
import type ts from 'typescript-ast';
import { callDoc } from '#tools/c/build.js';
import { constantOf } from '#tools/c/constant.js';
import { BOOL, type CInt, INT } from '#tools/c/ctype.js';
import { NARROW, WRAPS } from '#tools/c/differs.js';
import type { Expressions } from '#tools/c/expression.js';
import { joined } from '#tools/c/joined.js';
import { arithmetic, boundOf, LIMIT_32, limitOf, type Value, value } from '#tools/c/value.js';

export function integers(e: Expressions, node: ts.Node, a: Value, b: Value, operator: string): CInt {
	if (a.type.kind !== 'int' || b.type.kind !== 'int' || a.type === BOOL || b.type === BOOL)
		return e.refuse(node, `"${operator}" takes integers; a comparison is none`);
	return arithmetic(a.type, b.type, INT);
}

const MAX_EXACT = 1n << 53n;

/** An operand of a sum: that C has cut it does not matter, if the whole is cut. */
function part(e: Expressions, node: ts.Expression): Value {
	const v = e.of(node);
	return v.differs === WRAPS ? v : e.operand(node);
}

export function sum(e: Expressions, node: ts.BinaryExpression, operator: string): Value {
	const a = part(e, node.left);
	const b = part(e, node.right);
	if (a.type.kind === 'pointer' && b.type.kind === 'int' && operator !== '*')
		return joined(e, node, operator, a, b, a.type);
	const type = integers(e, node, a, b, operator);
	if (type.bits === 64 && (a.narrow || b.narrow)) e.refuse(node, NARROW);
	const n = constantOf(node, e.unit.source);
	if (n !== null && n > limitOf(type))
		e.refuse(
			node,
			`C computes this in the ${type.bits} bits of ${type.name}, and ${n} is more; write the number`,
		);
	if (n !== null) return joined(e, node, operator, a, b, type, { max: n >= 0n ? n : null });
	const ba = boundOf(a);
	const bb = boundOf(b);
	const known = ba !== null && bb !== null;
	const max = !known || operator === '-' ? null : operator === '+' ? ba + bb : ba * bb;
	const isWord = (v: Value): boolean => v.type.kind === 'int' && WORDS.has(v.type.name);
	const mayWrap = type.bits === 32 && !(max !== null && max < LIMIT_32) && !isIndex(operator, a, b);
	const isCut = a.differs === WRAPS || b.differs === WRAPS;
	const words = (mayWrap && !type.signed && (isWord(a) || isWord(b))) || isCut;
	const product = operator === '*' && isCut ? (ba ?? MAX_EXACT) * (bb ?? MAX_EXACT) : 0n;
	if (product > MAX_EXACT)
		e.refuse(node, 'this product may exceed 2^53, where TypeScript rounds, and C does not; mask its factors');
	const narrow = mayWrap && operator !== '-';
	return joined(e, node, operator, a, b, type, {
		max: max !== null && max < (type.bits === 64 ? 1n << 64n : LIMIT_32) ? max : null,
		differs: words ? WRAPS : null,
		narrow,
	});
}

export function remainder(e: Expressions, node: ts.BinaryExpression): Value {
	const a = e.operand(node.left);
	const b = e.operand(node.right);
	const type = integers(e, node, a, b, '%');
	if (boundOf(a) === null && (b.type as CInt).signed === false)
		e.refuse(node, '"%" of a number with a sign by one without is unsigned in C; give them one type');
	const bound = boundOf(b);
	return joined(e, node, '%', a, b, type, { max: bound !== null && bound > 0n ? bound - 1n : null });
}

/** PAGE_ALIGN(x) / PAGE_SIZE has no fraction. */
function isWhole(e: Expressions, node: ts.BinaryExpression): boolean {
	const text = node.getText(e.unit.source.ast);
	return /^PAGE_ALIGN\([^()]*\) \/ PAGE_SIZE$/.test(text);
}

export function quotient(e: Expressions, node: ts.BinaryExpression): Value {
	const n = constantOf(node, e.unit.source);
	if (n === null && isWhole(e, node)) return divided(e, node);
	if (n === null) e.refuse(node, '"/" of integers has a fraction in TypeScript; write Math.floor(a / b)');
	const a = e.operand(node.left);
	const b = e.operand(node.right);
	return joined(e, node, '/', a, b, integers(e, node, a, b, '/'), { max: n });
}

/** Math.floor(a / b): what `/` is in C for what is not negative. */
export function divided(e: Expressions, node: ts.BinaryExpression): Value {
	const a = e.operand(node.left);
	const b = e.operand(node.right);
	const type = integers(e, node, a, b, '/');
	if (type.signed && (boundOf(a) === null || boundOf(b) === null))
		e.refuse(
			node,
			'C rounds a negative quotient towards 0, and Math.floor() does not; use types without a sign',
		);
	return joined(e, node, '/', a, b, type, { max: boundOf(a) });
}

/** Math.ceil(a / b). */
export function roundedUp(e: Expressions, node: ts.BinaryExpression): Value {
	const v = divided(e, node);
	e.unit.header('linux/math.h');
	return value(callDoc('DIV_ROUND_UP', [e.operand(node.left), e.operand(node.right)]), v.type, {
		effects: v.effects,
	});
}

/** Types whose values are words of the hardware: their sums and products wrap in C. */
const WORDS = new Set(['u32', 'u16', 'u8', 'uint32_t']);

/** An index times the size of a word, or of a record: no index is so large. */
const isIndex = (operator: string, a: Value, b: Value): boolean =>
	operator === '*' && [a, b].some((v) => v.max !== null && v.max < 256n);
