// SPDX-License-Identifier: GPL-2.0-only
// Variables of a block: their types, and where C declares them and gives them their first value.
import ts from 'typescript-ast';
import { HARMLESS, type Local } from '#tools/c/body.js';
import { strip, structOf } from '#tools/c/build.js';
import { before, behind, inside } from '#tools/c/comment.js';
import { type CType, isPointer, pointerTo, U32, UNSIGNED_LONG } from '#tools/c/ctype.js';
import { SIGNED } from '#tools/c/differs.js';
import { align, type Doc, flat, join, lastSpace, space } from '#tools/c/layout.js';
import { inPlace, ownMemory } from '#tools/c/memory.js';
import type { Variable } from '#tools/c/scope.js';
import type { Statements } from '#tools/c/statement.js';
import { memberOf, typeOf } from '#tools/c/types.js';
import { boundOf, LIMIT_32, type Value, wrapped } from '#tools/c/value.js';

export function variables(st: Statements, s: ts.VariableStatement, indent: number): void {
	for (const d of s.declarationList.declarations) {
		const comments = [
			...before(st.unit.source, s),
			...inside(st.unit.source, s),
			...behind(st.unit.source, s),
		];
		try {
			if (ts.isObjectBindingPattern(d.name)) takenApart(st, d, d.name, indent, comments);
			else if (ts.isIdentifier(d.name)) variable(st, d, d.name.text, indent, comments);
			else st.refuse(d, 'an array that is taken apart is outside the kernel subset');
		} catch (e) {
			for (const name of namesIn(d.name)) st.e.scope.refuse(name);
			throw e;
		}
	}
}

/** `const { a, b: c } = x`. */
function takenApart(
	st: Statements,
	d: ts.VariableDeclaration,
	pattern: ts.ObjectBindingPattern,
	indent: number,
	comments: Local['comments'],
): void {
	const object = st.e.operand(d.initializer!);
	const s = structOf(object.type);
	for (const [i, el] of pattern.elements.entries()) {
		if (!ts.isIdentifier(el.name) || el.dotDotDotToken !== undefined || el.initializer !== undefined)
			st.refuse(el, 'only members by their name can be taken from a struct');
		const member = (el.propertyName ?? el.name).getText(st.unit.source.ast);
		const m = s !== null ? memberOf(s, member) : null;
		if (m === null) {
			st.refuse(el, `${flat(object.doc)} has no member ${member}`);
			return;
		}
		const doc: Doc = [wrapped(object, 16), isPointer(object.type) ? '->' : '.', m.path, member];
		const v: Value = { ...object, doc, type: m.type, effects: object.effects };
		put(
			st,
			el,
			(el.name as ts.Identifier).text,
			st.e.pointer(v, null),
			indent,
			i === 0 ? comments : [],
			null,
		);
	}
}

export function variable(
	st: Statements,
	d: ts.VariableDeclaration,
	name: string,
	indent: number,
	comments: Local['comments'],
): void {
	const declared = d.type === undefined ? null : typeOf(d.type, st.unit.source);
	if (d.initializer === undefined) {
		if (declared === null) st.refuse(d, `${name} has no type`);
		st.declare(d, name, declared!, null, false, comments);
		st.body.lines.comments(comments, indent);
		return;
	}
	const init = strip(d.initializer);
	if (ts.isNewExpression(init) && init.expression.getText(st.unit.source.ast) === 'ref') {
		reference(st, d, init, name, indent, comments);
		return;
	}
	const own = ownMemory(st, d, init, declared);
	if (own !== null) {
		inPlace(st, d, init, name, own, indent, comments);
		return;
	}
	if (ts.isCallExpression(init) && ts.isIdentifier(init.expression) && HARMLESS.has(init.expression.text)) {
		st.declare(d, name, UNSIGNED_LONG, null);
		st.body.atHead = false;
		locked(st, init, name, indent, comments);
		return;
	}
	const v = st.e.of(init);
	const isConst = (d.parent.flags & ts.NodeFlags.Const) !== 0;
	// A constant may be negative in TypeScript for as long as each use of it says `>>> 0`.
	if (v.differs !== null && !(v.differs === SIGNED && isConst)) st.refuse(d, v.differs);
	const type = declared ?? inferred(st, d, init, v);
	put(st, d, name, st.e.convert(v, type, init), indent, comments, type);
}

/** `const val = new ref<u32>(0)`: a variable, of which others get the address. */
function reference(
	st: Statements,
	d: ts.VariableDeclaration,
	init: ts.NewExpression,
	name: string,
	indent: number,
	comments: Local['comments'],
): void {
	const [arg] = init.typeArguments ?? [];
	if (arg === undefined) {
		st.refuse(d, 'new ref needs a type: new ref<u32>(0)');
		return;
	}
	const type = typeOf(arg, st.unit.source);
	const [first] = init.arguments ?? [];
	const v = first !== undefined ? st.e.as(first, type) : null;
	st.body.lines.comments(comments, indent);
	const isAnswer = isOnlyAnAnswer(st, d, name);
	const isLate = !st.body.atHead && v !== null && !isAnswer;
	st.declare(d, name, type, isAnswer || isLate ? null : (v?.doc ?? null), true);
	if (isLate) st.body.lines.doc([name, ' = ', v!.doc, ';'], indent, st.lineOf(d));
}

/** Whether @name is first of all written by a call that gets its address. */
function isOnlyAnAnswer(st: Statements, d: ts.Node, name: string): boolean {
	let statement: ts.Node = d;
	while (!ts.isStatement(statement)) statement = statement.parent;
	const block = statement.parent;
	if (!ts.isBlock(block)) return false;
	const next = block.statements[block.statements.indexOf(statement as ts.Statement) + 1];
	let isPassed = false;
	const visit = (n: ts.Node): void => {
		if (ts.isCallExpression(n) && n.arguments.some((a) => ts.isIdentifier(a) && a.text === name))
			// What this file has may read it, and so does what compares.
			isPassed =
				ts.isIdentifier(n.expression) &&
				!st.unit.source.declared.has(n.expression.text) &&
				!/cmpxchg/.test(n.expression.text);
		ts.forEachChild(n, visit);
	};
	if (next !== undefined) visit(next);
	return isPassed;
}

/** The type of a variable that does not say its own. */
function inferred(st: Statements, d: ts.Node, init: ts.Expression, v: Value): CType {
	if (v.isNull) st.refuse(d, 'this variable needs a type: null has none');
	if (v.type.kind === 'void') st.refuse(d, 'what returns nothing has no value');
	if (v.type.kind === 'struct') return pointerTo(v.type);
	if (v.type.kind === 'array') return pointerTo(v.type.of);
	if (v.type.kind !== 'int' || v.type.name === 'bool') return v.type;
	const isConst = (d.parent.flags & ts.NodeFlags.Const) !== 0;
	const constant = st.unit.constant(init);
	if (constant !== null && constant >= 0n && !isConst)
		st.refuse(d, 'this variable needs a type: C would take that of its first value');
	// What was a mask in C's widest type is a word again.
	const bound = boundOf(v);
	const isMask =
		v.type.bits === 64 && bound !== null && bound < LIMIT_32 && /^unsigned long/.test(v.type.name);
	return isMask && !ts.isIdentifier(init) && !ts.isPropertyAccessExpression(init) ? U32 : v.type;
}

/** Give the new variable @name its value @v: at its block's head where nothing stands in between. */
function put(
	st: Statements,
	d: ts.Node,
	name: string,
	v: Value,
	indent: number,
	comments: Local['comments'],
	type: CType | null,
): void {
	const of = type ?? v.type;
	const from = st.lineOf(d);
	const known = st.body.locals.some((l) => l.name === name);
	if (st.body.atHead && !v.effects && v.sized === null && !known) {
		remember(st.declare(d, name, of, v.doc, false, comments), v, isSteady(d, name));
		return;
	}
	st.body.atHead = false;
	const variable = st.declare(d, name, of, null);
	remember(variable, v, isSteady(d, name));
	st.body.lines.comments(comments, indent);
	st.body.lines.doc([name, ' =', lastSpace, v.sized === null ? v.doc : v.sized(name), ';'], indent, from);
}

/** What @variable can be, now that @v was stored in it. */
function remember(variable: Variable, v: Value, isKnown: boolean): void {
	variable.max = isKnown ? v.max : null;
	variable.isSigned = v.differs === SIGNED;
}

export function locked(
	st: Statements,
	node: ts.CallExpression,
	flags: string,
	indent: number,
	comments: Local['comments'],
): void {
	const name = node.expression.getText(st.unit.source.ast);
	st.unit.use(name);
	const [lock] = st.e.args(node, node.arguments, []);
	st.body.lines.comments(comments, indent);
	st.body.lines.doc(
		[name, '(', align(join([lock!.doc, flags], [',', space])), ');'],
		indent,
		st.lineOf(node),
	);
}

function namesIn(name: ts.BindingName): string[] {
	if (ts.isIdentifier(name)) return [name.text];
	return name.elements.flatMap((e) => (ts.isBindingElement(e) ? namesIn(e.name) : []));
}

/** Whether what is known of @name, which @d declares, stays so but for the assignments that follow: no step, no loop changes it. */
function isSteady(d: ts.Node, name: string): boolean {
	let body: ts.Node = d;
	while (!ts.isFunctionDeclaration(body) && body.parent !== undefined) body = body.parent;
	let steady = true;
	const visit = (n: ts.Node, inLoop: boolean): void => {
		const isStep =
			(ts.isPrefixUnaryExpression(n) || ts.isPostfixUnaryExpression(n)) &&
			(n.operator === ts.SyntaxKind.PlusPlusToken || n.operator === ts.SyntaxKind.MinusMinusToken);
		const target = isStep ? n.operand : inLoop && isAssignment(n) ? n.left : null;
		if (target !== null && ts.isIdentifier(target) && target.text === name) steady = false;
		ts.forEachChild(n, (c) => visit(c, inLoop || ts.isIterationStatement(n, false)));
	};
	visit(body, false);
	return steady;
}

/** But for `|=`, which sets what it sets, however often. */
const isAssignment = (n: ts.Node): n is ts.BinaryExpression =>
	ts.isBinaryExpression(n) &&
	n.operatorToken.kind >= ts.SyntaxKind.FirstAssignment &&
	n.operatorToken.kind <= ts.SyntaxKind.LastAssignment &&
	n.operatorToken.kind !== ts.SyntaxKind.BarEqualsToken;
