// SPDX-License-Identifier: GPL-2.0-only
// What C does not order: TypeScript evaluates operands and arguments from the left, C as its compiler likes.
import ts from 'typescript-ast';
import { strip } from '#tools/c/build.js';
import type { Source } from '#tools/c/source.js';

/** Places: a variable by its name, a member as `.name` whatever it is a member of, `[]` an element. */
interface Accesses {
	readonly reads: Set<string>;
	readonly writes: Set<string>;
}

const none = (): Accesses => ({ reads: new Set(), writes: new Set() });

const ASSIGNS = /^(?:[-+*/%&|^]|\*\*|<<|>>>?|\?\?|&&|\|\|)?=$/;

/** The place that @node is; null: none that changes. */
function placeOf(node: ts.Expression): string | null {
	const inner = strip(node);
	if (ts.isIdentifier(inner)) return inner.text;
	if (ts.isPropertyAccessExpression(inner)) return `.${inner.name.text}`;
	return ts.isElementAccessExpression(inner) ? '[]' : null;
}

/** What each function of @source writes that others may read: nothing of its own variables. */
export class Order {
	private readonly known = new Map<string, ReadonlySet<string>>();
	private members: Map<string, string[]> | null = null;

	constructor(private readonly source: Source) {}

	/** What one of @parts writes, and another, whose order C does not say, reads or writes; null: nothing. */
	clash(parts: readonly ts.Expression[]): string | null {
		const all = parts.map((p) => this.accesses(p));
		for (const [i, a] of all.entries())
			for (const w of a.writes)
				for (const [j, b] of all.entries()) {
					if (i === j) continue;
					if (b.reads.has(w) || b.writes.has(w)) return w;
				}
		return null;
	}

	private accesses(node: ts.Node): Accesses {
		const out = none();
		this.visit(node, out);
		return out;
	}

	private visit(node: ts.Node, out: Accesses): void {
		if (ts.isTypeNode(node)) return;
		if (ts.isBinaryExpression(node) && ASSIGNS.test(node.operatorToken.getText(this.source.ast))) {
			const place = placeOf(node.left);
			if (place !== null) out.writes.add(place);
			if (node.operatorToken.kind !== ts.SyntaxKind.EqualsToken && place !== null) out.reads.add(place);
			ts.forEachChild(strip(node.left), (n) => this.visit(n, out));
			this.visit(node.right, out);
			return;
		}
		const isStep =
			(ts.isPrefixUnaryExpression(node) || ts.isPostfixUnaryExpression(node)) &&
			(node.operator === ts.SyntaxKind.PlusPlusToken || node.operator === ts.SyntaxKind.MinusMinusToken);
		if (isStep) {
			const place = placeOf(node.operand);
			if (place !== null) out.writes.add(place);
		}
		if (ts.isCallExpression(node)) {
			const callee = strip(node.expression);
			const names = ts.isIdentifier(callee) ? [callee.text] : this.behind(callee);
			for (const name of names) for (const w of this.writtenBy(name)) out.writes.add(w);
		}
		const place = ts.isExpression(node) ? placeOf(node) : null;
		if (place !== null) out.reads.add(place);
		if (ts.isPropertyAccessExpression(node)) this.visit(node.expression, out);
		else ts.forEachChild(node, (n) => this.visit(n, out));
	}

	/** The functions that tables of this file have in the member that @callee calls. */
	private behind(callee: ts.Expression): readonly string[] {
		if (!ts.isPropertyAccessExpression(callee)) return [];
		this.members ??= this.membersOf();
		return this.members.get(callee.name.text) ?? [];
	}

	private membersOf(): Map<string, string[]> {
		const members = new Map<string, string[]>();
		const visit = (n: ts.Node): void => {
			if (ts.isPropertyAssignment(n) && ts.isIdentifier(n.initializer)) {
				const name = n.name.getText(this.source.ast);
				members.set(name, [...(members.get(name) ?? []), n.initializer.text]);
			}
			ts.forEachChild(n, visit);
		};
		visit(this.source.ast);
		return members;
	}

	/** What calling @name writes, if this file has it; of Linux's functions none writes what a driver keeps. */
	private writtenBy(name: string): ReadonlySet<string> {
		const known = this.known.get(name);
		if (known !== undefined) return known;
		const d = this.source.declared.get(name);
		if (d === undefined || !ts.isFunctionDeclaration(d) || d.body === undefined) return new Set();
		this.known.set(name, new Set());
		const { writes } = this.accesses(d.body);
		const outside = new Set([...writes].filter((w) => /^[.[]/.test(w)));
		this.known.set(name, outside);
		return outside;
	}
}
