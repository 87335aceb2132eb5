// SPDX-License-Identifier: GPL-2.0-only
// Statements: declarations at the head of their block, labelled blocks as goto and labels, braces where the kernel
// has them.
import ts from 'typescript-ast';
import { expressionStatement, returned } from '#tools/c/assign.js';
import { Body, type Local } from '#tools/c/body.js';
import { around, atEnd, atStart, before, behind, inside } from '#tools/c/comment.js';
import { type CType, declare, sameType } from '#tools/c/ctype.js';
import { each } from '#tools/c/each.js';
import { Expressions } from '#tools/c/expression.js';
import { controlled, ifElse, switched } from '#tools/c/flow.js';
import { align, type Doc, lastSpace } from '#tools/c/layout.js';
import { Lines } from '#tools/c/lines.js';
import { loop } from '#tools/c/loop.js';
import { checkName } from '#tools/c/name.js';
import { outside } from '#tools/c/outside.js';
import { Scope, type Variable } from '#tools/c/scope.js';
import type { Unit } from '#tools/c/unit.js';
import { variables } from '#tools/c/variable.js';

/** Turns the body of one function into C. */
export class Statements {
	readonly e: Expressions;
	private readonly labels = new Set<string>();
	body = new Body();

	constructor(
		readonly unit: Unit,
		scope: Scope,
		readonly returns: CType,
		private readonly params: ReadonlySet<string>,
	) {
		this.e = new Expressions(unit, scope);
	}

	refuse(node: ts.Node, sentence: string): never {
		return this.unit.source.refuse(node, sentence);
	}

	lineOf(node: ts.Node): number {
		return this.unit.source.lineOf(node);
	}

	/** @block's inside, @indent tabs deep. */
	block(block: ts.Block, indent: number): Lines {
		const outer = this.body;
		const scope = this.e.scope;
		this.body = new Body(ts.isFunctionDeclaration(block.parent));
		this.e.scope = new Scope(scope);
		this.body.lines.comments(atStart(this.unit.source, block), indent);
		this.statements(block.statements, indent);
		const last = this.body.lines;
		last.comments(atEnd(this.unit.source, block), indent);
		const lines = this.finished(indent);
		this.body = outer;
		this.e.scope = scope;
		return lines;
	}

	/** Declarations that have values in their order, then the others, those of one type in one line. */
	finished(indent: number): Lines {
		const { locals, lines } = this.body;
		const out = new Lines();
		for (const l of locals)
			if (l.first !== null) {
				out.comments(l.comments, indent);
				out.doc([declare(l.type, l.name), ' =', lastSpace, l.first, ';'], indent, l.from);
			}
		const bare = locals.filter((l) => l.first === null);
		for (const [i, l] of bare.entries()) {
			if (bare.findIndex((o) => sameType(o.type, l.type)) < i && l.type.kind === 'int') continue;
			const names =
				l.type.kind === 'int' ? bare.filter((o) => sameType(o.type, l.type)).map((o) => o.name) : [l.name];
			out.doc([declare(l.type, names[0]!), ...names.slice(1).map((n) => `, ${n}`), ';'], indent, l.from);
		}
		if (!out.isEmpty && !lines.isEmpty) out.gap();
		out.append(lines);
		return out;
	}

	statements(list: readonly ts.Statement[], indent: number): void {
		for (const s of list) {
			this.unit.attempt(() => {
				this.separate(s);
				this.statement(s, indent);
			});
		}
	}

	/** The empty line before @s, if there is one. */
	private separate(s: ts.Node): void {
		const { text } = this.unit.source;
		const lead = text.slice(s.getFullStart(), s.getStart(this.unit.source.ast));
		const head = lead.slice(0, lead.search(/\/[/*]/) < 0 ? lead.length : lead.search(/\/[/*]/));
		if (head.split('\n').length > 2) this.body.lines.gap();
	}

	statement(s: ts.Statement, indent: number): void {
		if (ts.isVariableStatement(s)) variables(this, s, indent);
		else if (!ts.isEmptyStatement(s)) {
			this.body.atHead = false;
			const comments = before(this.unit.source, s);
			const isSimple =
				ts.isReturnStatement(s) || ts.isExpressionStatement(s) || ts.isBreakOrContinueStatement(s);
			if (isSimple) comments.push(...inside(this.unit.source, s), ...behind(this.unit.source, s));
			else for (const part of headOf(s)) comments.push(...around(this.unit.source, part));
			this.body.lines.comments(comments, indent);
			this.action(s, indent, this.lineOf(s));
		}
	}

	private action(s: ts.Statement, indent: number, from: number): void {
		const { lines } = this.body;
		const tabs = '\t'.repeat(indent);
		if (ts.isExpressionStatement(s)) expressionStatement(this, s.expression, indent, from);
		else if (ts.isReturnStatement(s)) returned(this, s, indent, from);
		else if (ts.isIfStatement(s)) ifElse(this, s, indent, '');
		else if (ts.isForStatement(s)) loop(this, s, indent, from);
		else if (ts.isForOfStatement(s)) each(this, s, indent, from);
		else if (ts.isWhileStatement(s))
			controlled(
				this,
				['while (', align(this.e.condition(s.expression).doc), ')'],
				s.statement,
				indent,
				from,
			);
		else if (ts.isDoStatement(s)) {
			lines.text([`${tabs}do {`], from);
			lines.append(this.inner(s.statement, indent + 1));
			lines.doc(['} while (', align(this.e.condition(s.expression).doc), ');'], indent, from);
		} else if (ts.isSwitchStatement(s)) switched(this, s, indent, from);
		else if (ts.isBreakStatement(s))
			lines.doc(s.label === undefined ? 'break;' : `goto ${s.label.text};`, indent, from);
		else if (ts.isContinueStatement(s)) {
			if (s.label !== undefined)
				this.refuse(s, 'C has no continue of an outer loop; use a flag, or a function');
			lines.doc('continue;', indent, from);
		} else if (ts.isLabeledStatement(s)) this.labelled(s, indent, from);
		else if (ts.isBlock(s)) {
			lines.text([`${tabs}{`], from);
			lines.append(this.block(s, indent + 1));
			lines.text([`${tabs}}`], from);
		} else this.refuse(s, outside(s));
	}

	/** `name: { … }`: the block as it is, then the label that its `break`s go to. */
	private labelled(s: ts.LabeledStatement, indent: number, from: number): void {
		if (!ts.isBlock(s.statement)) this.refuse(s, 'a label stands before a block; C has no labelled loops');
		const name = s.label.text;
		checkName(this.unit.source, s, name);
		if (this.labels.has(name)) this.refuse(s, `C has one label ${name} in a function`);
		this.labels.add(name);
		const block = s.statement as ts.Block;
		// In C all of it is one block: a name is one variable.
		const scope = this.e.scope;
		this.e.scope = new Scope(scope);
		this.statements(block.statements, indent);
		this.body.lines.comments(atEnd(this.unit.source, block), indent);
		this.e.scope = scope;
		if (!isLeft(block, name)) return;
		const { lines } = this.body;
		while (lines.all[lines.all.length - 1]?.text === '') lines.all.pop();
		lines.gap();
		lines.text([`${name}:`], from);
		const parent = s.parent;
		// C wants a statement behind a label.
		const isLast = ts.isBlock(parent) && parent.statements[parent.statements.length - 1] === s;
		if (isLast && !ts.isLabeledStatement(parent.parent)) lines.doc(';', indent, from);
	}

	/** Whether C can have a variable @name in the block that is being written. */
	checkLocal(node: ts.Node, name: string): void {
		checkName(this.unit.source, node, name);
		const isHere = this.body.locals.some((l) => l.name === name);
		if (isHere && this.e.scope.find(name) !== null)
			this.refuse(node, `C has one variable ${name} in this block, and two are meant; give one another name`);
		if (this.body.isOutermost && this.params.has(name))
			this.refuse(node, `${name} is a parameter already, and C has both in one block`);
	}

	/** Make @name a variable of the block that is being written. */
	declare(
		node: ts.Node,
		name: string,
		type: CType,
		first: Doc | null,
		isRef = false,
		comments: Local['comments'] = [],
	): Variable {
		this.checkLocal(node, name);
		const same = this.body.locals.find((l) => l.name === name);
		if (same !== undefined) {
			if (!sameType(same.type, type))
				this.refuse(
					node,
					`C has both variables ${name} in one block, and they differ in type; give one another name`,
				);
		} else this.body.locals.push({ name, type, first, from: this.lineOf(node), comments });
		return this.e.scope.add(name, type, isRef);
	}

	inner(s: ts.Statement, indent: number): Lines {
		if (ts.isBlock(s)) return this.block(s, indent);
		const outer = this.body;
		this.body = new Body();
		this.unit.attempt(() => this.statement(s, indent));
		const lines = this.finished(indent);
		this.body = outer;
		return lines;
	}
}

/** Whether something in @block leaves it by its label @name. */
function isLeft(block: ts.Block, name: string): boolean {
	let found = false;
	const visit = (n: ts.Node): void => {
		if (ts.isBreakStatement(n) && n.label?.text === name) found = true;
		ts.forEachChild(n, visit);
	};
	visit(block);
	return found;
}

/** What stands in the parentheses of @s: its comments go before it. */
function headOf(s: ts.Statement): readonly ts.Node[] {
	if (ts.isIfStatement(s) || ts.isWhileStatement(s) || ts.isDoStatement(s) || ts.isSwitchStatement(s))
		return [s.expression];
	if (ts.isForOfStatement(s)) return [s.initializer, s.expression];
	if (!ts.isForStatement(s)) return [];
	return [s.initializer, s.condition, s.incrementor].filter((n) => n !== undefined);
}
