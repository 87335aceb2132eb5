// SPDX-License-Identifier: GPL-2.0-only
// The TypeScript sources of the kernel half, parsed: who declares a name.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript-ast';
import { Refusal } from '#tools/c/refusal.js';
import { headerNameOf, nameInC } from '#tools/c/twin.js';

/** What declares a name at the top of a file. */
export type Declaration =
	| ts.FunctionDeclaration
	| ts.ClassDeclaration
	| ts.InterfaceDeclaration
	| ts.TypeAliasDeclaration
	| ts.EnumDeclaration
	| ts.VariableDeclaration;

/** An imported name: what it is called where it is declared, and the path as the import says it. */
export interface Imported {
	readonly name: string;
	readonly path: string;
}

/** A declaration, and the file that it is in. */
export interface Found {
	readonly node: Declaration;
	readonly source: Source;
}

const ALIASES: readonly (readonly [string, string])[] = [
	['#linux/', 'include/linux/'],
	['#asm/', 'arch/arm64/include/asm/'],
	['#', ''],
];

/** A parsed file. */
export class Source {
	readonly ast: ts.SourceFile;
	/** Values and types, which may share a name, as a struct and a variable may in C. */
	/** Comments that were written, by their position. */
	readonly said = new Set<number>();
	readonly declared = new Map<string, Declaration>();
	private readonly types = new Map<string, Declaration>();
	private readonly imports = new Map<string, Imported>();
	/** `import * as x from 'path'`, by x: in C its names have no x before them. */
	private readonly spaces = new Map<string, string>();
	/** `export { a as b } from 'path'`, by b; without a path it is a name of this file. */
	private readonly passed = new Map<string, { readonly name: string; readonly path: string | null }>();
	/** `export * from 'path'`. */
	private readonly stars: string[] = [];

	constructor(
		/** As a message names it: relative to where the program was started. */
		readonly path: string,
		readonly text: string,
		private readonly project: Project,
	) {
		this.ast = ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true);
		for (const statement of this.ast.statements) this.learn(statement);
	}

	private learn(statement: ts.Statement): void {
		if (ts.isVariableStatement(statement)) {
			for (const d of statement.declarationList.declarations)
				if (ts.isIdentifier(d.name)) this.declared.set(d.name.text, d);
		} else if (
			ts.isFunctionDeclaration(statement) ||
			ts.isClassDeclaration(statement) ||
			ts.isInterfaceDeclaration(statement) ||
			ts.isTypeAliasDeclaration(statement) ||
			ts.isEnumDeclaration(statement)
		) {
			const isType = ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement);
			const map = isType ? this.types : this.declared;
			// Of overloads the first tells the types that callers see.
			if (statement.name !== undefined && !map.has(statement.name.text))
				map.set(statement.name.text, statement);
			if (ts.isClassDeclaration(statement) && statement.name !== undefined)
				this.types.set(statement.name.text, statement);
		} else if (ts.isImportDeclaration(statement)) {
			const names = statement.importClause?.namedBindings;
			const path = (statement.moduleSpecifier as ts.StringLiteral).text;
			if (names !== undefined && ts.isNamespaceImport(names)) this.spaces.set(names.name.text, path);
			if (names !== undefined && ts.isNamedImports(names))
				for (const e of names.elements)
					this.imports.set(e.name.text, { name: (e.propertyName ?? e.name).text, path });
		} else if (ts.isExportDeclaration(statement) && statement.exportClause !== undefined) {
			const path = statement.moduleSpecifier as ts.StringLiteral | undefined;
			if (ts.isNamedExports(statement.exportClause))
				for (const e of statement.exportClause.elements)
					this.passed.set(e.name.text, { name: (e.propertyName ?? e.name).text, path: path?.text ?? null });
		} else if (ts.isExportDeclaration(statement)) {
			this.stars.push((statement.moduleSpecifier as ts.StringLiteral).text);
		}
	}

	/** The line of @node's first token, from 1 on. */
	lineOf(node: ts.Node): number {
		return this.ast.getLineAndCharacterOfPosition(node.getStart(this.ast)).line + 1;
	}

	refuse(node: ts.Node, sentence: string): never {
		throw new Refusal(this.path, this.lineOf(node), sentence);
	}

	/** Where @name is imported from. */
	importOf(name: string): Imported | null {
		const known = this.imports.get(name);
		if (known !== undefined) return known;
		for (const path of this.spaces.values())
			if (this.project.open(path, this.path)?.exports(name) === true) return { name, path };
		return null;
	}

	private exports(name: string): boolean {
		if (this.declared.has(name) || this.passed.has(name)) return true;
		return this.stars.some((path) => this.project.open(path, this.path)?.exports(name) === true);
	}

	/** The name of a file's that @node says: `a`, or `x.a` where x is all of a file. */
	nameOf(node: ts.Expression): string | null {
		if (ts.isIdentifier(node)) return node.text;
		if (!ts.isPropertyAccessExpression(node) || !ts.isIdentifier(node.expression)) return null;
		return this.spaces.has(node.expression.text) ? node.name.text : null;
	}

	/** What @name stands for here, as a value or as a type; null: nothing that a file of the kernel half declares. */
	find(name: string, as: 'value' | 'type' = 'value'): Found | null {
		const node =
			(as === 'type' ? this.types : this.declared).get(name) ??
			this.declared.get(name) ??
			this.types.get(name);
		if (node !== undefined) return { node, source: this };
		const from = this.importOf(name) ?? this.passed.get(name);
		if (from !== undefined && from !== null) {
			if (from.path === null) return from.name === name ? null : this.find(from.name, as);
			return this.project.open(from.path, this.path)?.find(from.name, as) ?? null;
		}
		for (const path of this.stars) {
			const found = this.project.open(path, this.path)?.find(name, as);
			if (found !== null && found !== undefined) return found;
		}
		return null;
	}
}

/** All files that were asked for, each parsed once. */
export class Project {
	private readonly files = new Map<string, Source | null>();

	constructor(
		/** The folder that `#` means. */
		readonly root: string,
	) {}

	/** The header of @path, which a file of the same driver imports it by; null: it is none of its folder. */
	ownHeader(path: string, from: string): string | null {
		const file = this.fileOf(path, from);
		const source = file === null || dirname(file) !== dirname(resolve(from)) ? null : this.open(path, from);
		return source === null ? null : headerNameOf(nameInC(file!, source.text));
	}

	/** That file, parsed. */
	open(path: string, from = ''): Source | null {
		const file = this.fileOf(path, from);
		if (file === null) return null;
		const known = this.files.get(file);
		if (known !== undefined) return known;
		const source = existsSync(file)
			? new Source(relative(process.cwd(), file), readFileSync(file, 'utf8'), this)
			: null;
		this.files.set(file, source);
		return source;
	}

	/** The file that @from imports as @path; null: none of ours. */
	fileOf(path: string, from: string): string | null {
		const ts = path.replace(/\.js$/, '.ts');
		if (ts.startsWith('.')) return resolve(dirname(from), ts);
		for (const [alias, folder] of ALIASES)
			if (ts.startsWith(alias)) return join(this.root, folder, ts.slice(alias.length));
		return path.endsWith('.ts') ? resolve(path) : null;
	}
}
