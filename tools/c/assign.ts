// SPDX-License-Identifier: GPL-2.0-only
// Statements of one expression: assignments, calls, return.
import ts from 'typescript-ast';
import { HARMLESS } from '#tools/c/body.js';
import { strip } from '#tools/c/build.js';
import { type CInt, INTEGERS, isPointer, VOID } from '#tools/c/ctype.js';
import { align, flat, join, lastSpace, space } from '#tools/c/layout.js';
import type { Variable } from '#tools/c/scope.js';
import type { Statements } from '#tools/c/statement.js';
import { boundOf, type Value, wrapped } from '#tools/c/value.js';
import { locked } from '#tools/c/variable.js';

/** Calls that tell TypeScript's runtime what C does anyway. */
const NOTHING = new Set(['kmem_cache_reuse']);

export function expressionStatement(st: Statements, node: ts.Expression, indent: number, from: number): void {
	const inner = strip(node);
	const { lines } = st.body;
	if (ts.isCallExpression(inner) && NOTHING.has(inner.expression.getText(st.unit.source.ast))) return;
	if (ts.isBinaryExpression(inner)) {
		const operator = inner.operatorToken.getText(st.unit.source.ast);
		if (operator === '??=') {
			ifEmpty(st, inner, indent, from);
			return;
		}
		if (/^(?:[-+*&|^]|<<|>>>?)?=$/.test(operator)) {
			assign(st, inner, operator, indent, from);
			return;
		}
		if (/=$/.test(operator) && !/^[=!<>]/.test(operator))
			st.refuse(node, `"${operator}" is outside the kernel subset`);
	}
	if (ts.isVoidExpression(inner)) st.refuse(node, '"void" before an expression is outside the kernel subset');
	const isStep =
		(ts.isPostfixUnaryExpression(inner) || ts.isPrefixUnaryExpression(inner)) &&
		(inner.operator === ts.SyntaxKind.PlusPlusToken || inner.operator === ts.SyntaxKind.MinusMinusToken);
	if (!ts.isCallExpression(inner) && !isStep) st.refuse(node, 'this statement does nothing in C');
	const v = st.e.operand(inner);
	lines.doc([v.doc, ';'], indent, from);
}

/** `a ??= b`. */
function ifEmpty(st: Statements, node: ts.BinaryExpression, indent: number, from: number): void {
	const target = st.e.lvalue(node.left);
	const v = st.e.as(node.right, target.type);
	st.body.lines.doc(['if (!', wrapped(target, 15), ')'], indent, from);
	st.body.lines.doc([target.doc, ' =', lastSpace, v.doc, ';'], indent + 1, from);
}

export function assign(
	st: Statements,
	node: ts.BinaryExpression,
	operator: string,
	indent: number,
	from: number,
): void {
	const { lines } = st.body;
	const left = strip(node.left);
	const right = strip(node.right);
	const local = ts.isIdentifier(left) ? st.e.scope.find(left.text) : null;
	const target = st.e.lvalue(left);
	if (
		operator === '=' &&
		ts.isCallExpression(right) &&
		ts.isIdentifier(right.expression) &&
		HARMLESS.has(right.expression.text)
	) {
		locked(st, right, flat(target.doc), indent, []);
		return;
	}
	if (operator === '=') {
		const v = st.e.of(node.right);
		if (v.differs !== null) st.refuse(node.right, v.differs);
		if (target.type.kind === 'array' && target.type.of === INTEGERS.get('char')) {
			st.unit.header('linux/string.h');
			const docs = [target.doc, v.doc, ['sizeof(', target.doc, ')']];
			lines.doc(['strscpy(', align(join(docs, [',', space])), ');'], indent, from);
			return;
		}
		if (target.type.kind === 'struct' || target.type.kind === 'array')
			st.refuse(
				node,
				'C copies what is assigned here, and TypeScript has both names mean one; copy member by member',
			);
		// An array of words cuts what is stored in it, here as in C.
		const isCut = ts.isElementAccessExpression(left) && target.type.kind === 'int' && v.type.kind === 'int';
		const c = isCut ? v : st.e.convert(v, target.type, node.right);
		if (local !== null && !(local.max !== null && v.max !== null && v.max <= local.max)) local.max = null;
		st.e.twice(node, [target, c]);
		lines.doc(
			[target.doc, ' =', lastSpace, c.sized === null ? c.doc : c.sized(flat(target.doc)), ';'],
			indent,
			from,
		);
		return;
	}
	const sign = operator.slice(0, -1);
	if (target.type.kind !== 'int' && !(isPointer(target.type) && (sign === '+' || sign === '-')))
		st.refuse(node, `"${operator}" takes integers`);
	const v = compound(st, node, sign, local, target);
	lines.doc([target.doc, ` ${sign === '>>>' ? '>>' : sign}=`, lastSpace, v.doc, ';'], indent, from);
}

/** The right side of `target sign= …`, and what is known of a variable behind it. */
function compound(
	st: Statements,
	node: ts.BinaryExpression,
	sign: string,
	local: Variable | null,
	target: Value,
): Value {
	const isBits = sign === '|' || sign === '^' || sign === '&';
	const right = st.e.of(node.right);
	if (right.differs !== null && !isBits) st.refuse(node.right, right.differs);
	st.e.twice(node, [target, right]);
	const type = target.type as CInt;
	if (!isBits) {
		if (['u32', 'u16', 'u8'].includes(type.name) && sign !== '>>>')
			st.refuse(
				node,
				`C cuts this to ${type.bits} bits, and TypeScript does not; write x = (x ${sign} y) >>> 0`,
			);
		if (right.narrow && type.bits === 64) st.e.convert(right, type, node.right);
		if (local !== null) local.max = null;
		return right;
	}
	if (type.bits === 64 && type.kind === 'int')
		st.refuse(
			node,
			`"${sign}=" cuts 64 bits to 32 in TypeScript, and not in C; use and64(), or64() and their kin`,
		);
	const a = local !== null ? local.max : null;
	const b = boundOf(right);
	const max =
		sign === '&'
			? (b ?? a)
			: a !== null && b !== null
				? (1n << BigInt((a > b ? a : b).toString(2).length)) - 1n
				: null;
	const isSigned = !type.signed && (max === null || max >= 1n << 31n);
	if (local === null) {
		if (isSigned)
			st.refuse(node, `"${sign}=" may leave a negative number in TypeScript; write x = (x ${sign} y) >>> 0`);
	} else {
		local.max = max;
		if (isSigned) local.isSigned = true;
	}
	return right;
}

export function returned(st: Statements, s: ts.ReturnStatement, indent: number, from: number): void {
	if (s.expression === undefined) {
		st.body.lines.doc('return;', indent, from);
		return;
	}
	if (st.returns === VOID || st.returns.kind === 'void')
		st.refuse(s, 'a function that returns nothing returns a value');
	const inner = strip(s.expression);
	const isBool = st.returns.kind === 'int' && st.returns.name === 'bool';
	const v = isBool ? st.e.condition(inner) : st.e.as(inner, st.returns);
	if (v.sized !== null) st.refuse(s, 'an allocation has to be assigned to a variable of its type');
	st.body.lines.doc(['return ', align(v.doc), ';'], indent, from);
}
