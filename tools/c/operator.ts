// SPDX-License-Identifier: GPL-2.0-only
// Operators with two operands, and what C does not say of their order.
import ts from 'typescript-ast';
import { upcast } from '#tools/c/access.js';
import { quotient, remainder, sum } from '#tools/c/arithmetic.js';
import { bitwise, shift } from '#tools/c/bits.js';
import { strip, structOf } from '#tools/c/build.js';
import { constantOf } from '#tools/c/constant.js';
import { BOOL, INT, isPointer } from '#tools/c/ctype.js';
import { NARROW } from '#tools/c/differs.js';
import type { Expressions } from '#tools/c/expression.js';
import { joined, not, sameSign } from '#tools/c/joined.js';
import { align, space } from '#tools/c/layout.js';
import { arithmetic, limitOf, PREC, type Value, value, wrapped } from '#tools/c/value.js';

export function binary(e: Expressions, node: ts.BinaryExpression): Value {
	const operator = node.operatorToken.getText(e.unit.source.ast);
	switch (operator) {
		case '&&':
		case '||':
			return joined(e, node, operator, e.condition(node.left), e.condition(node.right), BOOL);
		case '===':
		case '!==':
			return equality(e, node, operator === '===' ? '==' : '!=');
		case '<':
		case '>':
		case '<=':
		case '>=':
			return comparison(e, node, operator);
		case '+':
		case '-':
		case '*':
			return sum(e, node, operator);
		case '%':
			return remainder(e, node);
		case '/':
			return quotient(e, node);
		case '&':
		case '|':
		case '^':
			return bitwise(e, node, operator);
		case '<<':
		case '>>':
		case '>>>':
			return shift(e, node, operator);
		case '**': {
			const n = constantOf(node, e.unit.source);
			if (n === null || n >= 2n ** 53n) e.refuse(node, '"**" is outside the kernel subset; shift instead');
			return e.refuse(node, `"**" is outside the kernel subset; write 0x${n!.toString(16)}, or shl64()`);
		}
		case '??':
			return orElse(e, node);
		case '==':
		case '!=':
			return e.refuse(node, `"${operator}" converts what it compares; write "${operator}="`);
		case '=':
			return e.refuse(node, 'an assignment inside an expression is outside the kernel subset');
	}
	return e.refuse(node, `"${operator}" is outside the kernel subset`);
}

/** `a ?? b` of pointers: `a ?: b`. */
function orElse(e: Expressions, node: ts.BinaryExpression): Value {
	const a = e.pointer(e.operand(node.left), null);
	const b = e.pointer(e.operand(node.right), null);
	if (!isPointer(a.type)) e.refuse(node, '"??" takes pointers: a number is never null in C');
	const docs = [wrapped(a, PREC.conditional + 1), ' ?:', space, wrapped(b, PREC.conditional + 1)];
	return value(align(docs), a.type, { prec: PREC.conditional, effects: a.effects || b.effects });
}

function equality(e: Expressions, node: ts.BinaryExpression, operator: string): Value {
	const right = strip(node.right);
	let a = e.isZero(right) ? e.zeroable(node.left) : e.operand(node.left);
	let b = e.operand(right);
	if (b.isNull) return operator === '==' ? not(a) : { ...a, type: BOOL };
	if (a.isNull) return operator === '==' ? not(b) : { ...b, type: BOOL };
	const isAddress = (v: Value): boolean => v.type.kind === 'struct' || isPointer(v.type);
	if (isAddress(a) && isAddress(b)) {
		a = e.pointer(a, null);
		b = e.pointer(b, null);
		const sa = structOf(a.type);
		const sb = structOf(b.type);
		if (sa !== null && sb !== null && sa.name !== sb.name) {
			if (upcast(sa, sb.name) !== null) a = e.pointer(a, sb);
			else if (upcast(sb, sa.name) !== null) b = e.pointer(b, sa);
		}
	}
	sameSign(e, node, `${operator}=`, a, b);
	if (isString(a) && isString(b))
		e.refuse(node, 'C compares the addresses of strings, and not what they say; use strcmp()');
	if (isString(a) !== isString(b) && (a.type.kind === 'int' || b.type.kind === 'int'))
		e.refuse(node, 'a character of C is a number, and a string is an address');
	return joined(e, node, operator, a, b, BOOL);
}

const isString = (v: Value): boolean =>
	v.type.kind === 'pointer' && v.type.to.kind === 'int' && v.type.to.name === 'char';

function comparison(e: Expressions, node: ts.BinaryExpression, operator: string): Value {
	const a = e.operand(node.left);
	const b = e.operand(node.right);
	if (a.type.kind === 'int' && b.type.kind === 'int') {
		if (a.type === BOOL || b.type === BOOL)
			e.refuse(node, 'a comparison is no number, and is not compared by size');
		sameSign(e, node, operator, a, b);
		const n = e.unit.constant(node.right);
		if (n !== null && a.type !== BOOL && a.type.bits < 64 && n > limitOf(a.type))
			e.refuse(node, `no ${a.type.name} is as large as ${n}: C would know the answer, or cut`);
		const zero = b.max === 0n && strip(node.right).kind === ts.SyntaxKind.NumericLiteral;
		if (zero && !a.type.signed && (operator === '<' || operator === '>='))
			e.refuse(node, `what has no sign is never below 0 in C: "${operator} 0" says nothing`);
		if ((a.narrow && b.type.bits === 64) || (b.narrow && a.type.bits === 64)) e.refuse(node, NARROW);
	}
	return joined(e, node, operator, a, b, BOOL);
}

export function conditional(e: Expressions, node: ts.ConditionalExpression): Value {
	const test = e.condition(node.condition);
	let a = e.operand(node.whenTrue);
	let b = e.operand(node.whenFalse);
	if (a.type.kind === 'struct' || b.type.kind === 'struct') {
		a = e.pointer(a, null);
		b = e.pointer(b, null);
	}
	sameSign(e, node, '?:', a, b);
	let type = a.isNull ? b.type : a.type;
	if (a.type.kind === 'int' && b.type.kind === 'int' && a.type !== BOOL)
		type = arithmetic(a.type, b.type, INT);
	const bound = a.max !== null && b.max !== null ? (a.max > b.max ? a.max : b.max) : null;
	const first = test.prec <= PREC.conditional ? ['(', test.doc, ')'] : test.doc;
	return value(
		align([first, ' ?', space, wrapped(a, PREC.conditional + 1), ' :', space, wrapped(b, PREC.conditional)]),
		type,
		{ prec: PREC.conditional, max: bound, effects: test.effects || a.effects || b.effects },
	);
}
