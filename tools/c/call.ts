// SPDX-License-Identifier: GPL-2.0-only
// Calls: by name, through a pointer, of Math's.
import ts from 'typescript-ast';
import { divided, integers, roundedUp } from '#tools/c/arithmetic.js';
import { argList, callDoc, strip, structOf } from '#tools/c/build.js';
import { constantOf } from '#tools/c/constant.js';
import { parseType, VOID } from '#tools/c/ctype.js';
import { isPure } from '#tools/c/effects.js';
import type { Expressions } from '#tools/c/expression.js';
import { factOf, VOIDS } from '#tools/c/facts.js';
import { answerOf, boundOfMacro, paramType } from '#tools/c/global.js';
import { INTRINSICS } from '#tools/c/intrinsics.js';
import { sameSign } from '#tools/c/joined.js';
import { flat, space } from '#tools/c/layout.js';
import { printk, printkFormatAt } from '#tools/c/printk.js';
import type { Found } from '#tools/c/source.js';
import { PREC, type Value, value, wrapped } from '#tools/c/value.js';

export function call(e: Expressions, node: ts.CallExpression): Value {
	if (node.questionDotToken !== undefined)
		e.refuse(node, '"?." is outside the kernel subset; write the test for null');
	const callee = strip(node.expression);
	const name = e.unit.source.nameOf(callee);
	if (name === null) return callThrough(e, node, callee);
	const known = Object.hasOwn(INTRINSICS, name) ? INTRINSICS[name] : undefined;
	const local = e.scope.find(name);
	if (local !== null) return callPointer(e, node, value(name, local.type));
	const found = e.unit.source.find(name);
	if (found === null) return e.refuse(node, `nothing declares ${name}()`);
	if (known !== undefined) {
		const v = known(e, node);
		if (v !== null) return v;
	}
	e.unit.use(name);
	return callNamed(e, node, name, found);
}

/** `name(args)` with C's own parameters, where they are known. */
function callNamed(e: Expressions, node: ts.CallExpression, name: string, found: Found): Value {
	const format = printkFormatAt(name);
	if (format !== null) return printk(e, node, name, format);
	const d = found.node;
	const isOwn = found.source === e.unit.source;
	const fact = isOwn ? null : factOf(name);
	const declared = ts.isFunctionDeclaration(d)
		? d
		: ts.isVariableDeclaration(d) && d.initializer !== undefined && ts.isArrowFunction(d.initializer)
			? d.initializer
			: null;
	const params =
		fact?.params?.map((p) => parseType(p)) ??
		declared?.parameters.map((p) => paramType(e.unit, p, found.source)) ??
		[];
	// A macro takes any number.
	const isTyped = declared === null || !ts.isArrowFunction(declared);
	const wanted = params.map((p) => (p.kind === 'int' && !isTyped ? undefined : p));
	const values = e.args(node, node.arguments, wanted);
	if (declared !== null && ts.isArrowFunction(declared)) onceEach(e, node, declared, values);
	const returns = VOIDS.has(name) ? VOID : answerOf(e.unit, name, found, node);
	const isMacro = /^[A-Z_0-9]+$/.test(name);
	return value(callDoc(name, values), returns, {
		effects: !isPure(e.unit, name) || values.some((v) => v.effects),
		max: isMacro ? (constantOf(node, e.unit.source) ?? boundOfMacro(e, found)) : null,
	});
}

function callThrough(e: Expressions, node: ts.CallExpression, callee: ts.Expression): Value {
	if (ts.isPropertyAccessExpression(callee)) {
		const object = callee.expression.getText(e.unit.source.ast);
		const what = callee.name.text;
		if (object === 'Math') return math(e, node, what);
		if (object === 'Object' && what === 'assign' && node.arguments.length === 2) return copied(e, node);
		if (what === 'subarray' && node.arguments.length === 1) {
			const array = e.operand(callee.expression);
			const index = e.operand(node.arguments[0]!);
			if (array.type.kind === 'pointer' && array.type.to.kind === 'void')
				return value([wrapped(array, PREC.add), ' + ', wrapped(index, PREC.add + 1)], array.type, {
					prec: PREC.add,
					operator: '+',
				});
			if (array.type.kind === 'pointer')
				return value(['&', wrapped(array, PREC.primary), '[', index.doc, ']'], array.type, {
					prec: PREC.unary,
				});
		}
		if (
			[
				'fill',
				'set',
				'subarray',
				'slice',
				'push',
				'map',
				'forEach',
				'pop',
				'splice',
				'includes',
				'join',
			].includes(what)
		)
			e.refuse(node, `${what}() of an array is outside the kernel subset; C does not know how long it is`);
	}
	return callPointer(e, node, e.operand(callee));
}

/** Object.assign(a, b) of two structs. */
function copied(e: Expressions, node: ts.CallExpression): Value {
	const [to, from] = node.arguments.map((a) => {
		const v = e.operand(a);
		if (structOf(v.type) === null) e.refuse(node, 'Object.assign() copies a struct to another');
		return v.type.kind === 'struct' ? v : { ...v, doc: ['*', wrapped(v, PREC.unary)], prec: PREC.unary };
	});
	if (structOf(to!.type)!.name !== structOf(from!.type)!.name)
		e.refuse(node, 'Object.assign() copies a struct to one of its own type');
	e.twice(node, [to!, from!]);
	return value([to!.doc, ' =', space, from!.doc], VOID, { prec: PREC.assign, effects: true });
}

function callPointer(e: Expressions, node: ts.CallExpression, f: Value): Value {
	const type = f.type.kind === 'pointer' ? f.type.to : f.type;
	if (type.kind !== 'function') return e.refuse(node, `${flat(f.doc)} is no function of C's`);
	const values = e.args(
		node,
		node.arguments,
		type.params.map((p) => p.type),
	);
	return value([wrapped(f, PREC.primary), ...argList(values)], type.returns, { effects: true });
}

function math(e: Expressions, node: ts.CallExpression, what: string): Value {
	const [a, b] = node.arguments;
	const inner = a !== undefined ? strip(a) : undefined;
	if ((what === 'floor' || what === 'trunc') && inner !== undefined && ts.isBinaryExpression(inner))
		if (inner.operatorToken.kind === ts.SyntaxKind.SlashToken) return divided(e, inner);
	if (what === 'ceil' && inner !== undefined && ts.isBinaryExpression(inner))
		if (inner.operatorToken.kind === ts.SyntaxKind.SlashToken) return roundedUp(e, inner);
	if (
		(what === 'min' || what === 'max') &&
		a !== undefined &&
		b !== undefined &&
		node.arguments.length === 2
	) {
		const values = e.args(node, [a, b], []);
		e.unit.header('linux/minmax.h');
		const type = integers(e, node, values[0]!, values[1]!, what);
		sameSign(e, node, `Math.${what}()`, values[0]!, values[1]!);
		return value(callDoc(what, values), type, { effects: values.some((v) => v.effects) });
	}
	return e.refuse(node, `Math.${what}() is outside the kernel subset`);
}

/** Refuse an argument that changes something and that the macro @f has not once: C evaluates it each time. */
function onceEach(
	e: Expressions,
	node: ts.CallExpression,
	f: ts.ArrowFunction,
	values: readonly Value[],
): void {
	for (const [i, v] of values.entries()) {
		const name = f.parameters[i]?.name.getText();
		if (!v.effects || name === undefined) continue;
		let times = 0;
		const visit = (n: ts.Node): void => {
			if (ts.isIdentifier(n) && n.text === name) times++;
			ts.forEachChild(n, visit);
		};
		visit(f.body);
		if (times !== 1)
			e.refuse(node.arguments[i]!, `the macro evaluates this ${times} times in C; give it a variable`);
	}
}
