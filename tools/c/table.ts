// SPDX-License-Identifier: GPL-2.0-only
// Structs and arrays with values: designated initialisers.
import ts from 'typescript-ast';
import { strip } from '#tools/c/build.js';
import { before, behind } from '#tools/c/comment.js';
import { type CArray, type CType, declare, VOID_POINTER } from '#tools/c/ctype.js';
import { Expressions } from '#tools/c/expression.js';
import { OWNED } from '#tools/c/facts.js';
import { lockMade, typeOfGlobal } from '#tools/c/global.js';
import { align, type Doc, join, space } from '#tools/c/layout.js';
import { Lines } from '#tools/c/lines.js';
import { Scope } from '#tools/c/scope.js';
import { memberOf, typeOf } from '#tools/c/types.js';
import type { Unit } from '#tools/c/unit.js';

/** The locks of boot data @name, which are there from the start. */
function locksOf(unit: Unit, node: ts.ObjectLiteralExpression, name: string): Lines {
	const lines = new Lines();
	for (const p of node.properties) {
		const macro = ts.isPropertyAssignment(p) ? lockMade(p.initializer, unit.source)?.macro : undefined;
		const member = p.name!.getText(unit.source.ast);
		if (macro !== undefined)
			lines.doc([`.${member} = ${macro}(${name}.${member}),`], 1, unit.source.lineOf(p));
	}
	return lines;
}

/** A struct, or an array of them, with values. */
export function table(
	unit: Unit,
	s: ts.VariableStatement,
	d: ts.VariableDeclaration,
	name: string,
	init: ts.Expression,
): void {
	unit.item('variable', name, s, (lines) => {
		if (d.type !== undefined) unit.useType(d.type);
		const comments = [...before(unit.source, s), ...behind(unit.source, s)];
		lines.comments(comments, 0);
		const from = unit.source.lineOf(s);
		const type = typeOfGlobal(unit, name, { node: d, source: unit.source }, d);
		const storage = unit.options.outside.has(name) ? '' : 'static ';
		const isConst = isConstTable(unit, d, type);
		if (type.kind === 'struct' && type.members !== undefined) {
			lines.text([`${storage}struct {`], from);
			for (const p of (init as ts.ObjectLiteralExpression).properties) {
				lines.comments([...before(unit.source, p), ...behind(unit.source, p)], 1);
				const member = p.name!.getText(unit.source.ast);
				lines.doc([declare(type.members.get(member)!, member), ';'], 1, unit.source.lineOf(p));
				unit.useType(p);
			}
			const values = locksOf(unit, init as ts.ObjectLiteralExpression, name);
			if (values.isEmpty) {
				lines.text([`} ${name};`], from);
				return null;
			}
			lines.text([`} ${name} = {`], from);
			lines.append(values);
			lines.text(['};'], from);
			return null;
		}
		const literal = ts.isAsExpression(init)
			? strip(init.expression)
			: ts.isNewExpression(init)
				? fields(unit, init)
				: init;
		if (type.kind === 'struct' && ts.isNewExpression(init))
			unit.use(init.expression.getText(unit.source.ast));
		const declarator =
			type.kind === 'array' && type.of.kind === 'pointer'
				? `const char * const ${name}[]`
				: declare(type, name);
		const head = `${storage}${isConst && !declarator.startsWith('const') ? 'const ' : ''}${declarator}`;
		unit.extern = `extern ${head};`;
		lines.text([`${head} = {`], from);
		if (literal !== null) initializer(unit, lines, literal, type, 1);
		lines.text(['};'], unit.source.ast.getLineAndCharacterOfPosition(s.end).line + 1);
		return type.kind === 'array' ? null : `${head};`;
	});
}

function isConstTable(unit: Unit, d: ts.VariableDeclaration, type: CType): boolean {
	if (type.kind === 'array') return true;
	if (d.type === undefined) return false;
	const t = typeOf(d.type, unit.source);
	return t.kind === 'pointer' && t.isConst;
}

/** `new platform_driver({ … })`. */
function fields(unit: Unit, node: ts.NewExpression): ts.Expression | null {
	const [arg] = node.arguments ?? [];
	if (arg === undefined) return null;
	const inner = strip(arg);
	return ts.isObjectLiteralExpression(inner)
		? inner
		: unit.source.refuse(arg, 'a struct outside a function gets its values as { member: value }');
}

function initializer(unit: Unit, lines: Lines, node: ts.Expression, type: CType, indent: number): void {
	const tabs = '\t'.repeat(indent);
	if (ts.isArrayLiteralExpression(node)) {
		if (type.kind !== 'array') {
			unit.source.refuse(node, 'an array stands where none is expected');
			return;
		}
		for (const el of node.elements) {
			lines.comments(before(unit.source, el), indent);
			const inner = strip(el);
			if (ts.isArrayLiteralExpression(inner) && type.of.kind === 'array')
				row(unit, lines, inner, type.of, indent);
			else if (ts.isObjectLiteralExpression(inner))
				lines.doc([oneLine(unit, inner, type.of), ','], indent, unit.source.lineOf(el));
			else lines.doc([tableValue(unit, inner, type.of), ','], indent, unit.source.lineOf(el));
		}
		if (type.of.kind === 'struct' && /of_device_id$/.test(type.of.name))
			lines.text([`${tabs}{ /* sentinel */ }`], 0);
		return;
	}
	if (!ts.isObjectLiteralExpression(node)) {
		unit.source.refuse(node, 'a struct outside a function gets its values as { member: value }');
		return;
	}
	const s =
		type.kind === 'struct' ? type : type.kind === 'pointer' && type.to.kind === 'struct' ? type.to : null;
	if (s === null) {
		unit.source.refuse(node, 'values with names stand where no struct is');
		return;
	}
	for (const p of node.properties) {
		const name = p.name?.getText(unit.source.ast) ?? '';
		if (!ts.isPropertyAssignment(p)) {
			unit.source.refuse(p, 'a member has a value behind its name: name: value');
			return;
		}
		lines.comments([...before(unit.source, p), ...behind(unit.source, p)], indent);
		const m = memberOf(s, name);
		if (m === null) {
			unit.source.refuse(p, `${s.name} has no member ${name} in C`);
			return;
		}
		const inner = strip(p.initializer);
		const from = unit.source.lineOf(p);
		if (ts.isObjectLiteralExpression(inner)) {
			const isPointer = m.type.kind === 'pointer';
			const of = m.type.kind === 'pointer' ? m.type.to : m.type;
			const cast = isPointer
				? `&(${m.type.kind === 'pointer' && m.type.isConst ? 'const ' : ''}${declare(of, '')}) `
				: '';
			lines.text([`${tabs}.${name} = ${cast}{`], from);
			initializer(unit, lines, inner, of, indent + 1);
			lines.text([`${tabs}},`], unit.source.ast.getLineAndCharacterOfPosition(p.end).line + 1);
		} else lines.doc([`.${name} = `, align(tableValue(unit, inner, m.type)), ','], indent, from);
	}
	// A module's ops say whose they are.
	const owner = memberOf(s, 'owner');
	const isOps = /_(?:f?ops|operations)$/.test(s.name);
	const has = node.properties.some((p) => p.name?.getText(unit.source.ast) === 'owner');
	const isOwned = owner?.type.kind === 'pointer' || OWNED.has(s.name.replace(/^struct /, ''));
	if (isOps && !has && isOwned) {
		unit.header('linux/module.h');
		lines.text([`${tabs}.owner = THIS_MODULE,`], unit.source.lineOf(node));
	}
}

/** A table in a table. */
function row(unit: Unit, lines: Lines, node: ts.ArrayLiteralExpression, type: CArray, indent: number): void {
	const from = unit.source.lineOf(node);
	const { of } = type;
	if (of.kind !== 'array') {
		const values = node.elements.map((el) => tableValue(unit, strip(el), of));
		lines.doc(['{ ', align(join(values, [',', space])), ' },'], indent, from);
		return;
	}
	lines.text([`${'\t'.repeat(indent)}{`], from);
	initializer(unit, lines, node, type, indent + 1);
	lines.text([`${'\t'.repeat(indent)}},`], from);
}

/** `{ .a = 1, .b = 2 }`. */
export function oneLine(unit: Unit, node: ts.ObjectLiteralExpression, type: CType): Doc {
	const parts = node.properties.map((p): Doc => {
		const name = p.name!.getText(unit.source.ast);
		if (!ts.isPropertyAssignment(p))
			return unit.source.refuse(p, 'a member has a value behind its name: name: value');
		const m = type.kind === 'struct' ? memberOf(type, name) : null;
		if (m === null) return unit.source.refuse(p, `${declare(type, '')} has no member ${name} in C`);
		return [`.${name} = `, tableValue(unit, strip(p.initializer), m.type)];
	});
	return ['{ ', align(join(parts, [',', space])), ' }'];
}

function tableValue(unit: Unit, node: ts.Expression, type: CType): Doc {
	const want = type.kind === 'pointer' || type.kind === 'int' ? type : VOID_POINTER;
	return new Expressions(unit, new Scope()).as(node, want).doc;
}
