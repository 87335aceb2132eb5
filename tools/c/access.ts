// SPDX-License-Identifier: GPL-2.0-only
// Members, elements and casts.
import ts from 'typescript-ast';
import { strip, structOf } from '#tools/c/build.js';
import { constantOf } from '#tools/c/constant.js';
import { BOOL, type CStruct, declare, isPointer, pointerTo, UNSIGNED_LONG } from '#tools/c/ctype.js';
import { WRAPS } from '#tools/c/differs.js';
import type { Expressions } from '#tools/c/expression.js';
import { headerOfStruct } from '#tools/c/facts.js';
import { align, flat, join, space } from '#tools/c/layout.js';
import { baseOf, memberOf, typeOf } from '#tools/c/types.js';
import { PREC, type Value, value, wrapped } from '#tools/c/value.js';

export function member(e: Expressions, node: ts.PropertyAccessExpression): Value {
	if (node.questionDotToken !== undefined)
		e.refuse(node, '"?." is outside the kernel subset; write the test for null');
	const name = node.name.text;
	if (name === 'length' && !hasLength(e, node.expression)) return length(e, node);
	const inner = strip(node.expression);
	if (name === 'value') {
		// What is a reference here only because a member has no address.
		const inside = ts.isPropertyAccessExpression(inner) ? e.operand(inner) : null;
		if (inside?.type.kind === 'int' && inside.lvalue) return inside;
		const v = ts.isIdentifier(inner) ? e.scope.find(inner.text) : null;
		if (v?.isRef === true) return value(v.name, v.type, { lvalue: true });
		const pointer = e.operand(node.expression);
		if (pointer.type.kind === 'pointer' && pointer.type.to.kind !== 'struct')
			return value(['*', wrapped(pointer, PREC.unary)], pointer.type.to, {
				prec: PREC.unary,
				lvalue: true,
			});
	}
	return memberIn(e, node, e.operand(node.expression));
}

/** `a?.b` as a condition: `a && a->b`. */
export function ifThere(e: Expressions, node: ts.PropertyAccessExpression): Value {
	const object = e.operand(node.expression);
	if (object.effects) e.refuse(node, '"?." would call twice in C; give what is called a variable');
	const inner = memberIn(e, node, object);
	return value([object.doc, ' &&', space, inner.doc], BOOL, { prec: PREC.andAnd, operator: '&&' });
}

function memberIn(e: Expressions, node: ts.PropertyAccessExpression, object: Value): Value {
	const name = node.name.text;
	if (object.untyped) e.refuse(node, 'this is void * in C; give it a variable of its type');
	const s = structOf(object.type);
	if (s === null)
		return e.refuse(
			node,
			`${flat(object.doc)} is no struct (${declare(object.type, '').trim()}), and has no member ${name}`,
		);
	const found = memberOf(s, name);
	const header = headerOfStruct(s.name, s.found?.source.path ?? '');
	if (header !== null) e.unit.header(header);
	if (found === null) return e.refuse(node, `${s.name} has no member ${name} that C would have`);
	const arrow = isPointer(object.type) ? '->' : '.';
	return value([wrapped(object, PREC.primary), arrow, found.path, name], found.type, {
		lvalue: true,
		effects: object.effects,
	});
}

/** Whether @node is a struct with a member length. */
function hasLength(e: Expressions, node: ts.Expression): boolean {
	const s = structOf(e.of(node).type);
	return s !== null && memberOf(s, 'length') !== null;
}

function length(e: Expressions, node: ts.PropertyAccessExpression): Value {
	const inner = strip(node.expression);
	if (ts.isIdentifier(inner)) {
		const v = e.operand(inner);
		if (v.type.kind === 'array') {
			e.unit.header('linux/array_size.h');
			return value(['ARRAY_SIZE(', v.doc, ')'], UNSIGNED_LONG);
		}
	}
	return e.refuse(node, 'C does not know the length of what a pointer points to; pass it along');
}

export function element(e: Expressions, node: ts.ElementAccessExpression): Value {
	const array = e.operand(node.expression);
	if (!isPointer(array.type)) return e.refuse(node, `${flat(array.doc)} is no array`);
	const of = array.type.kind === 'array' ? array.type.of : array.type.to;
	if (array.untyped && constantOf(node.argumentExpression, e.unit.source) === 0n)
		return value(['*(', declare(array.type, ''), ')', wrapped(array, PREC.unary)], of, {
			prec: PREC.unary,
		});
	if (array.untyped) e.refuse(node, 'this is void * in C; give it a variable of its type');
	if (of.kind === 'void') e.refuse(node, 'bytes behind void * have no index in C; give the pointer a type');
	const index = indexOf(e, node.argumentExpression);
	e.twice(node, [array, index]);
	return value([wrapped(array, PREC.primary), '[', align(index.doc), ']'], of, {
		lvalue: true,
		effects: array.effects || index.effects,
	});
}

/** An index: no array is so long that it would wrap. */
function indexOf(e: Expressions, node: ts.Expression): Value {
	const v = e.of(node);
	if (v.differs !== null && v.differs !== WRAPS) e.refuse(node, v.differs);
	return { ...v, differs: null };
}

export function cast(e: Expressions, node: ts.AsExpression): Value {
	const v = e.of(node.expression);
	const text = node.type.getText(e.unit.source.ast);
	// An address as a number: C's are.
	if (text === 'number' || text === 'const') return v;
	const to = typeOf(node.type, e.unit.source);
	if (v.type.kind === 'int' && to.kind !== 'int')
		e.refuse(node, `a cast of a number to ${text} is outside the kernel subset`);
	if (to.kind === 'int')
		return v.type.kind === 'int' ? v : e.refuse(node, `a cast to ${text} is outside the kernel subset`);
	const from = structOf(v.type);
	const want = structOf(to);
	const untyped = v.type.kind === 'pointer' && v.type.to.kind === 'void';
	if (from === null || want === null || from.name === want.name) return { ...v, type: to, untyped };
	const path = upcast(want, from.name);
	if (path === null) return upcast(from, want.name) === null ? { ...v, type: to } : e.pointer(v, want);
	e.unit.header('linux/container_of.h');
	return value(
		['container_of(', align(join([e.pointer(v, null).doc, want.name, path], [',', space])), ')'],
		pointerTo(want),
		{ effects: v.effects },
	);
}

/** The steps from @from to the struct @want that it begins with, as `a.b`; null: it does not. */
export function upcast(from: CStruct, want: string): string | null {
	const base = baseOf(from);
	// What a typedef of Linux's begins with is its own affair.
	if (base === null || from.name.endsWith('_t')) return null;
	if (base.type.name === want) return base.member;
	const rest = upcast(base.type, want);
	return rest === null ? null : `${base.member}.${rest}`;
}
