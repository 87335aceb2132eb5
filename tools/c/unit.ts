// SPDX-License-Identifier: GPL-2.0-only
// One file: its items in their order, what each of them uses, and what C has to know before.
import ts from 'typescript-ast';
import { strip } from '#tools/c/build.js';
import { before, lost } from '#tools/c/comment.js';
import { constantOf } from '#tools/c/constant.js';
import { constant } from '#tools/c/define.js';
import type { Expressions } from '#tools/c/expression.js';
import { factOf, headerOf } from '#tools/c/facts.js';
import { functionItem } from '#tools/c/function.js';
import { align, type Doc, join, space } from '#tools/c/layout.js';
import { Lines } from '#tools/c/lines.js';
import { Order } from '#tools/c/order.js';
import { Consequence, Refusal } from '#tools/c/refusal.js';
import { unsound } from '#tools/c/sound.js';
import type { Project, Source } from '#tools/c/source.js';
import type { Statements } from '#tools/c/statement.js';
import { aliasItem, structItem } from '#tools/c/struct.js';
import { isHeader, nameInC } from '#tools/c/twin.js';
import { isStructNode, typeOf } from '#tools/c/types.js';

/** Something at the top of the file. */
export interface Item {
	readonly kind: 'define' | 'enum' | 'struct' | 'function' | 'variable' | 'call';
	readonly name: string;
	readonly lines: Lines;
	/** Names of this file that it needs. */
	readonly uses: Set<string>;
	readonly headers: Set<string>;
	/** How it is announced to what stands before it; null: it need not be, or cannot. */
	readonly forward: Doc | null;
	/** What a header says of it. */
	readonly extern: Doc | null;
	/** An empty line is before it. */
	readonly apart: boolean;
}

/** What is wanted of a file. */
export interface Options {
	/** Names that other files use: these are not static. */
	readonly outside: ReadonlySet<string>;
	/** Write these names only; not given: all. */
	readonly only?: ReadonlySet<string>;
	/** Names that other files of the same driver use: the file's header says them. */
	readonly shared: ReadonlySet<string>;
}

export class Unit {
	readonly refusals: Refusal[] = [];
	/** Functions that nothing in C calls. */
	readonly unused: string[] = [];
	readonly items: Item[] = [];
	uses = new Set<string>();
	headers = new Set<string>();
	statements: Statements | null = null;
	readonly pure = new Map<string, boolean>();
	extern: Doc | null = null;
	/** It is a header itself. */
	readonly isHeader: boolean;

	readonly order: Order;

	constructor(
		readonly project: Project,
		readonly source: Source,
		readonly options: Options,
	) {
		this.isHeader = isHeader(source.text);
		this.order = new Order(source);
	}

	/** Do @what; what it refuses is noted, and the rest goes on. */
	attempt(what: () => void): void {
		try {
			what();
		} catch (e) {
			if (e instanceof Consequence) return;
			if (!(e instanceof Refusal)) throw e;
			if (!this.refusals.some((r) => r.message === e.message)) this.refusals.push(e);
		}
	}

	/** Note that the item that is being written needs @name. */
	use(name: string): void {
		if (this.source.declared.has(name)) this.uses.add(name);
		const from = this.source.importOf(name);
		if (from === null) return;
		const header = headerOf(from.name, from.path, this.project.ownHeader(from.path, this.source.path));
		if (header !== null && header !== '') this.headers.add(header);
	}

	header(header: string): void {
		this.headers.add(header);
	}

	constant(node: ts.Expression): bigint | null {
		return constantOf(node, this.source);
	}

	/** The variable that a poll macro reads into: @ref's, which @param also means, or a new one. */
	pollVariable(e: Expressions, ref: ts.Expression, param: string | null): string {
		if (ts.isIdentifier(ref)) {
			const v = e.scope.find(ref.text);
			if (v === null || !v.isRef)
				return this.source.refuse(ref, 'a poll macro reads into a variable made with new ref');
			if (param !== null && param !== v.name) e.scope.alias(param, v);
			return v.name;
		}
		const [arg] = ts.isNewExpression(ref) ? (ref.typeArguments ?? []) : [];
		if (arg === undefined || this.statements === null)
			return this.source.refuse(ref, 'a poll macro reads into a variable made with new ref<type>');
		const name = param ?? 'val';
		this.statements.declare(ref, name, typeOf(arg, this.source), null);
		return name;
	}

	/** Whether the statement @s is a comment's only owner, and what it says. */
	item(kind: Item['kind'], name: string, node: ts.Node, write: (lines: Lines) => Doc | null): void {
		this.uses = new Set();
		this.headers = new Set();
		this.extern = null;
		const lines = new Lines();
		this.attempt(() => {
			const forward = write(lines);
			const { text } = this.source;
			const lead = text.slice(node.getFullStart(), node.getStart(this.source.ast));
			const apart = /\n[ \t]*\n/.test(
				lead.slice(0, lead.search(/\/[/*]/) < 0 ? lead.length : lead.search(/\/[/*]/)),
			);
			const { uses, headers, extern } = this;
			this.items.push({ kind, name, lines, uses, headers, forward, extern, apart });
		});
	}

	/** Read the file. */
	read(): void {
		this.refusals.push(...unsound(this.project, this.source));
		if (this.refusals.length > 0) return;
		const taken = new Set<ts.Statement>();
		for (const s of this.source.ast.statements) {
			if (taken.has(s) || ts.isImportDeclaration(s) || ts.isExportDeclaration(s)) continue;
			if (!this.isWanted(s)) continue;
			if (ts.isVariableStatement(s)) {
				for (const d of s.declarationList.declarations) constant(this, s, d);
			} else if (ts.isTypeAliasDeclaration(s)) aliasItem(this, s, taken);
			else if (isStructNode(s)) structItem(this, s);
			else if (ts.isFunctionDeclaration(s)) functionItem(this, s);
			else if (ts.isExpressionStatement(s)) this.topCall(s);
			else
				this.attempt(() =>
					this.source.refuse(s, 'this has no place outside a function in the kernel subset'),
				);
		}
		if (this.refusals.length > 0) return;
		for (const line of lost(
			this.source,
			(s) => ts.isImportDeclaration(s) || ts.isExportDeclaration(s) || !this.isWanted(s),
		))
			this.refusals.push(
				new Refusal(
					this.source.path,
					line,
					'this comment has no place in C; put it on lines of its own, before a statement',
				),
			);
	}

	/** Whether @s is to be written. Loops of Linux's are macros of its headers. */
	private isWanted(s: ts.Statement): boolean {
		if (ts.isFunctionDeclaration(s) && /^Iterable</.test(s.type?.getText(this.source.ast) ?? ''))
			if (factOf(s.name!.text)?.kind === 'macro') return false;
		const { only } = this.options;
		if (only === undefined) return true;
		return ts.isVariableStatement(s)
			? s.declarationList.declarations.some((d) => only.has(d.name.getText(this.source.ast)))
			: 'name' in s && only.has((s.name as ts.Identifier).text);
	}

	/** Whether C's other files see @s. */
	isExported(s: ts.FunctionDeclaration): boolean {
		if (this.options.outside.has(s.name!.text)) return true;
		return this.isLibrary && s.modifiers?.some((m) => m.kind === ts.SyntaxKind.ExportKeyword) === true;
	}

	/** Without a driver in it, or around it, a file is a library: what it exports is what it is for. */
	get isLibrary(): boolean {
		return this.options.shared.size === 0 && !this.source.ast.statements.some(ts.isExpressionStatement);
	}

	/** Note what the types in @node need. */
	useType(node: ts.Node): void {
		const visit = (n: ts.Node): void => {
			if (ts.isTypeReferenceNode(n)) this.use(n.typeName.getText(this.source.ast));
			if (ts.isNewExpression(n)) this.use(n.expression.getText(this.source.ast));
			ts.forEachChild(n, visit);
		};
		visit(node);
	}

	/** `builtin_platform_driver(x)`, at the end of a file. */
	private topCall(s: ts.ExpressionStatement): void {
		this.item('call', '', s, (lines) => {
			lines.comments(before(this.source, s), 0);
			const node = strip(s.expression);
			if (!ts.isCallExpression(node) || !ts.isIdentifier(node.expression))
				return this.source.refuse(s, 'outside functions C has declarations only');
			const name = node.expression.text;
			this.use(name);
			const args = node.arguments.map((a) => {
				const inner = strip(a);
				if (!ts.isIdentifier(inner)) return this.source.refuse(a, `${name}() takes names`);
				this.use(inner.text);
				return inner.text;
			});
			lines.doc([name, '(', align(join(args, [',', space])), ');'], 0, this.source.lineOf(s));
			return null;
		});
	}

	get nameInC(): string {
		return nameInC(this.source.path, this.source.text);
	}
}
