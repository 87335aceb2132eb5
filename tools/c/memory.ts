// SPDX-License-Identifier: GPL-2.0-only
// Arrays and structs that lie in a function.
import ts from 'typescript-ast';
import type { Local } from '#tools/c/body.js';
import type { CArray, CType } from '#tools/c/ctype.js';
import { align, type Doc, join, lastSpace, space } from '#tools/c/layout.js';
import type { Statements } from '#tools/c/statement.js';
import { arrayOf } from '#tools/c/types.js';

/** What `new Uint32Array(16)`, `new struct()` or a list of values is of; null: @init is no such. */
export function ownMemory(
	st: Statements,
	d: ts.VariableDeclaration,
	init: ts.Expression,
	declared: CType | null,
): CType | null {
	const array = arrayOf(init, st.unit.source);
	if (array !== null) return array;
	if (ts.isNewExpression(init)) {
		const type = (init.arguments ?? []).length === 0 ? st.e.structNamed(init.expression) : null;
		// An empty list's head points to itself.
		return type?.name === 'struct list_head' ? null : type;
	}
	if (!ts.isArrayLiteralExpression(init)) return null;
	if (declared?.kind !== 'pointer')
		return st.refuse(d, 'an array in a function needs a type: const a: u32[] = [ … ]');
	return { kind: 'array', of: declared.to, length: String(init.elements.length) };
}

/** The variable @name with its own memory of @type. */
export function inPlace(
	st: Statements,
	d: ts.VariableDeclaration,
	init: ts.Expression,
	name: string,
	type: CType,
	indent: number,
	comments: Local['comments'],
): void {
	if (outlives(d, name)) st.refuse(d, `${name} would outlive its function; use kzalloc()`);
	const values = ts.isArrayLiteralExpression(init)
		? init.elements.map((el) => st.e.as(el, (type as CArray).of))
		: [];
	if (type.kind === 'struct') st.unit.use(type.name.replace(/^struct /, ''));
	const list = align(
		join(
			values.map((v) => v.doc),
			[',', space],
		),
	);
	const isEarly = st.body.atHead && !values.some((v) => v.effects);
	if (values.length === 0 || isEarly) {
		const first: Doc = values.length === 0 ? '{}' : ['{ ', list, ' }'];
		st.declare(d, name, type, first, false, comments);
		return;
	}
	st.body.atHead = false;
	st.declare(d, name, type, null);
	st.body.lines.comments(comments, indent);
	for (const [i, v] of values.entries())
		st.body.lines.doc([`${name}[${i}] =`, lastSpace, v.doc, ';'], indent, st.lineOf(d));
}

/** Whether @name, a variable of @d's function, is anywhere but in a call, or where its members are. */
function outlives(d: ts.Node, name: string): boolean {
	let f: ts.Node = d;
	while (!ts.isFunctionDeclaration(f) && f.parent !== undefined) f = f.parent;
	let found = false;
	const visit = (n: ts.Node): void => {
		if (ts.isIdentifier(n) && n.text === name && n.parent !== d) {
			const p = n.parent;
			const isPlace =
				(ts.isPropertyAccessExpression(p) || ts.isElementAccessExpression(p)) && p.expression === n;
			const isName = (ts.isPropertyAccessExpression(p) || ts.isPropertyAssignment(p)) && p.name === n;
			const isPassed = ts.isCallExpression(p) && p.arguments.includes(n);
			if (!isPlace && !isName && !isPassed && !ts.isForOfStatement(p)) found = true;
		}
		ts.forEachChild(n, visit);
	};
	visit(f);
	return found;
}
