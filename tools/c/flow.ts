// SPDX-License-Identifier: GPL-2.0-only
// if and switch, with braces where the kernel has them.
import ts from 'typescript-ast';
import { Body } from '#tools/c/body.js';
import { atEnd, before, behind } from '#tools/c/comment.js';
import type { CInt } from '#tools/c/ctype.js';
import { align, type Doc } from '#tools/c/layout.js';
import { Lines } from '#tools/c/lines.js';
import { Scope } from '#tools/c/scope.js';
import type { Statements } from '#tools/c/statement.js';

/** Whether @s stands in braces: it is more than one simple statement. */
function hasBraces(st: Statements, s: ts.Statement, lines: Lines): boolean {
	const list = ts.isBlock(s) ? s.statements : [s];
	const [only] = list;
	if (list.length !== 1 || only === undefined) return true;
	if (ts.isBlock(s) && atEnd(st.unit.source, s).length > 0) return true;
	const isSimple =
		ts.isExpressionStatement(only) ||
		ts.isReturnStatement(only) ||
		ts.isBreakStatement(only) ||
		ts.isContinueStatement(only);
	return !isSimple || lines.all.some((l) => /^\s*\/\*/.test(l.text));
}

export function controlled(st: Statements, head: Doc, s: ts.Statement, indent: number, from: number): void {
	const { lines } = st.body;
	const body = st.inner(s, indent + 1);
	const braces = hasBraces(st, s, body);
	lines.doc([head, braces ? ' {' : ''], indent, from);
	lines.append(body);
	if (braces)
		lines.text([`${'\t'.repeat(indent)}}`], st.unit.source.ast.getLineAndCharacterOfPosition(s.end).line + 1);
}

export function ifElse(
	st: Statements,
	s: ts.IfStatement,
	indent: number,
	prefix: string,
	braced = false,
): void {
	const { lines } = st.body;
	const from = st.lineOf(s);
	const test = st.e.condition(s.expression);
	if (test.differs !== null) st.refuse(s.expression, test.differs);
	const body = st.inner(s.thenStatement, indent + 1);
	const other = s.elseStatement;
	const chain = other !== undefined && ts.isIfStatement(other);
	const said = other === undefined ? [] : beforeElse(st, s);
	if (chain && said.length > 0)
		st.refuse(other, 'a comment before "else if" has no place in C; put it inside the braces');
	const otherBody = other !== undefined && !chain ? st.inner(other, indent + 1) : null;
	if (otherBody !== null && said.length > 0) {
		const head = new Lines();
		head.comments(said, indent + 1);
		otherBody.all.unshift(...head.all);
	}
	const braces =
		braced ||
		hasBraces(st, s.thenStatement, body) ||
		(otherBody !== null && hasBraces(st, other!, otherBody)) ||
		(chain && chainHasBraces(st, other));
	lines.doc([`${prefix}if (`, align(test.doc), ')', braces ? ' {' : ''], indent, from);
	lines.append(body);
	const close = braces ? '} ' : '';
	if (chain) {
		ifElse(st, other, indent, `${close}else `, braces);
		return;
	}
	if (otherBody !== null) {
		lines.text([`${'\t'.repeat(indent)}${close}else${braces ? ' {' : ''}`], st.lineOf(other!));
		lines.append(otherBody);
	}
	if (braces)
		lines.text([`${'\t'.repeat(indent)}}`], st.unit.source.ast.getLineAndCharacterOfPosition(s.end).line + 1);
}

/** The comments before @s's else. */
function beforeElse(st: Statements, s: ts.IfStatement): ReturnType<typeof before> {
	const word = s.getChildren(st.unit.source.ast).find((n) => n.kind === ts.SyntaxKind.ElseKeyword);
	return word === undefined
		? []
		: [...behind(st.unit.source, s.thenStatement), ...before(st.unit.source, word)];
}

function chainHasBraces(st: Statements, s: ts.IfStatement): boolean {
	const count = (b: ts.Statement): number => (ts.isBlock(b) ? b.statements.length : 1);
	if (count(s.thenStatement) !== 1) return true;
	const other = s.elseStatement;
	if (other === undefined) return false;
	return ts.isIfStatement(other) ? chainHasBraces(st, other) : count(other) !== 1;
}

export function switched(st: Statements, s: ts.SwitchStatement, indent: number, from: number): void {
	const { lines } = st.body;
	const on = st.e.operand(s.expression);
	const type = on.type;
	if (type.kind !== 'int' || type.name === 'bool') {
		st.refuse(s.expression, 'switch takes an integer in C');
		return;
	}
	const tabs = '\t'.repeat(indent);
	lines.doc(['switch (', align(on.doc), ') {'], indent, from);
	for (const c of s.caseBlock.clauses) {
		lines.comments(before(st.unit.source, c), indent);
		if (ts.isDefaultClause(c)) lines.text([`${tabs}default:`], st.lineOf(c));
		else lines.doc(['case ', align(caseOf(st, c.expression, type)), ':'], indent, st.lineOf(c));
		const colon = c.getChildren(st.unit.source.ast).find((n) => n.kind === ts.SyntaxKind.ColonToken)!;
		lines.comments(behind(st.unit.source, colon), indent + 1);
		const only = c.statements[0];
		const outer = st.body;
		st.body = new Body();
		const scope = st.e.scope;
		st.e.scope = new Scope(scope);
		const list =
			c.statements.length === 1 && only !== undefined && ts.isBlock(only) ? only.statements : c.statements;
		st.statements(list, indent + 1);
		if (st.body.locals.length > 0)
			st.refuse(c, 'a variable of one case needs a function of its own, or a place before the switch');
		const inner = st.finished(indent + 1);
		st.body = outer;
		st.e.scope = scope;
		lines.append(inner);
		const isLast = c === s.caseBlock.clauses[s.caseBlock.clauses.length - 1];
		if (isLast && list.length === 0) lines.doc('break;', indent + 1, st.lineOf(c));
		if (!isLast && list.length > 0 && !leaves(list[list.length - 1]!))
			lines.doc('fallthrough;', indent + 1, st.lineOf(c));
	}
	lines.comments(atEnd(st.unit.source, s.caseBlock), indent + 1);
	lines.text([`${tabs}}`], st.unit.source.ast.getLineAndCharacterOfPosition(s.end).line + 1);
}

/** What a case stands for: in C a constant of its switch's type. */
function caseOf(st: Statements, node: ts.Expression, type: CInt): Doc {
	const v = st.e.operand(node);
	const n = st.unit.constant(node);
	const found = ts.isIdentifier(node) ? st.unit.source.find(node.text)?.node : undefined;
	const isConstant =
		found !== undefined &&
		ts.isVariableDeclaration(found) &&
		st.e.scope.find((node as ts.Identifier).text) === null;
	if (v.type.kind !== 'int' || (n === null && !isConstant && !ts.isPropertyAccessExpression(node)))
		st.refuse(node, 'a case stands for a constant in C');
	if (n !== null && n < 0n && !type.signed)
		st.refuse(node, 'what has no sign is never below 0 in C: this case would be another');
	return v.doc;
}

/** Whether what follows @s is not reached from it. */
function leaves(s: ts.Statement): boolean {
	if (ts.isBlock(s)) return s.statements.length > 0 && leaves(s.statements[s.statements.length - 1]!);
	if (ts.isIfStatement(s))
		return s.elseStatement !== undefined && leaves(s.thenStatement) && leaves(s.elseStatement);
	return ts.isReturnStatement(s) || ts.isBreakOrContinueStatement(s);
}
