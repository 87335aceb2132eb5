// SPDX-License-Identifier: GPL-2.0-only
// for.
import ts from 'typescript-ast';
import { strip } from '#tools/c/build.js';
import { type CType, INT, sameType } from '#tools/c/ctype.js';
import { controlled } from '#tools/c/flow.js';
import { align, type Doc, join, space } from '#tools/c/layout.js';
import { Scope } from '#tools/c/scope.js';
import type { Statements } from '#tools/c/statement.js';
import { typeOf } from '#tools/c/types.js';

export function loop(st: Statements, s: ts.ForStatement, indent: number, from: number): void {
	const scope = st.e.scope;
	st.e.scope = new Scope(scope);
	const first: Doc[] = [];
	const { initializer } = s;
	if (initializer !== undefined && ts.isVariableDeclarationList(initializer)) {
		for (const d of initializer.declarations) {
			if (!ts.isIdentifier(d.name) || d.initializer === undefined) {
				st.refuse(d, 'a loop starts from a value');
				return;
			}
			const type =
				d.type !== undefined ? typeOf(d.type, st.unit.source) : loopType(st, s, d.name.text, d.initializer);
			const v = st.e.as(d.initializer, type);
			first.push([d.name.text, ' = ', v.doc]);
			loopVariable(st, d, d.name.text, type);
		}
	} else if (initializer !== undefined) {
		const a = strip(initializer);
		if (!ts.isBinaryExpression(a) || a.operatorToken.kind !== ts.SyntaxKind.EqualsToken) {
			st.refuse(s, 'a loop starts with an assignment');
			return;
		}
		const target = st.e.lvalue(a.left);
		first.push([target.doc, ' = ', st.e.as(a.right, target.type).doc]);
	}
	const test = s.condition === undefined ? null : st.e.condition(s.condition).doc;
	const step = s.incrementor === undefined ? null : stepOf(st, s.incrementor);
	const head: Doc = [
		'for (',
		align([
			join(first, ', '),
			';',
			test === null ? '' : [space, test],
			';',
			step === null ? '' : [space, step],
		]),
		')',
	];
	controlled(st, head, s.statement, indent, from);
	st.e.scope = scope;
}

/** A loop's variable is declared with its block's others. */
export function loopVariable(st: Statements, d: ts.Node, name: string, type: CType): void {
	st.checkLocal(d, name);
	const same = st.body.locals.find((l) => l.name === name);
	if (same !== undefined && !sameType(same.type, type))
		st.refuse(d, `C has both variables ${name} in one block, and they differ in type; give one another name`);
	if (same === undefined) st.body.locals.push({ name, type, first: null, from: st.lineOf(d), comments: [] });
	st.e.scope.add(name, type);
}

/** A counter has the type of what it is compared with. */
function loopType(st: Statements, s: ts.ForStatement, name: string, first: ts.Expression): CType {
	let bound: ts.Expression | null = null;
	const visit = (n: ts.Node): void => {
		if (bound !== null || !ts.isBinaryExpression(n)) return void ts.forEachChild(n, visit);
		const isCompared = /^(?:[<>]=?|[!=]==)$/.test(n.operatorToken.getText(st.unit.source.ast));
		const left = strip(n.left);
		if (isCompared && ts.isIdentifier(left) && left.text === name) bound = n.right;
		else ts.forEachChild(n, visit);
	};
	if (s.condition !== undefined) visit(s.condition);
	const start = st.e.of(first);
	const t = bound === null ? start.type : st.e.of(bound).type;
	if (start.type.kind === 'int' && st.unit.constant(first) === null) return start.type;
	if (t.kind !== 'int') return start.type.kind === 'int' ? INT : start.type;
	return t.bits < 32 ? INT : t;
}

function stepOf(st: Statements, node: ts.Expression): Doc {
	const inner = strip(node);
	if (!ts.isBinaryExpression(inner)) return st.e.operand(inner).doc;
	const operator = inner.operatorToken.getText(st.unit.source.ast);
	if (operator === ',') return [stepOf(st, inner.left), ', ', stepOf(st, inner.right)];
	const target = st.e.lvalue(inner.left);
	if (operator === '=') return [target.doc, ' = ', st.e.as(inner.right, target.type).doc];
	if (operator !== '+=' && operator !== '-=') st.refuse(node, 'a loop goes on with ++, --, += or -=');
	return [target.doc, ` ${operator} `, st.e.as(inner.right, target.type).doc];
}
