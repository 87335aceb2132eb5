// SPDX-License-Identifier: GPL-2.0-only
// What has to be right of a file before anything in it can be C: it is TypeScript, and what it imports is there.
import ts from 'typescript-ast';
import { Refusal } from '#tools/c/refusal.js';
import type { Project, Source } from '#tools/c/source.js';

/** What is wrong with @source's grammar; else with its imports; else that nothing is in it. */
export function unsound(project: Project, source: Source): Refusal[] {
	const wrong = syntax(source);
	if (wrong.length > 0) return wrong;
	if (source.ast.statements.length === 0)
		return [new Refusal(source.path, 1, 'nothing is in this file that C would have')];
	return source.ast.statements.flatMap((s) => (ts.isImportDeclaration(s) ? imports(project, source, s) : []));
}

function syntax(source: Source): Refusal[] {
	const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext };
	const { diagnostics } = ts.transpileModule(source.text, { reportDiagnostics: true, compilerOptions });
	// What comes behind the first is mostly its consequence.
	return (diagnostics ?? []).slice(0, 1).map((d) => {
		const { line } = source.ast.getLineAndCharacterOfPosition(d.start ?? 0);
		const text = ts.flattenDiagnosticMessageText(d.messageText, ' ').replace(/\.$/, '');
		return new Refusal(source.path, line + 1, `this is no TypeScript: ${text}`);
	});
}

function imports(project: Project, source: Source, s: ts.ImportDeclaration): Refusal[] {
	const path = (s.moduleSpecifier as ts.StringLiteral).text;
	const line = source.lineOf(s);
	if (project.open(path, source.path) === null)
		return [new Refusal(source.path, line, `no file of the kernel half is imported as '${path}'`)];
	const names = s.importClause?.namedBindings;
	if (names === undefined || !ts.isNamedImports(names)) return [];
	return names.elements.flatMap((e) => {
		const found = source.find(e.name.text) ?? source.find(e.name.text, 'type');
		const name = (e.propertyName ?? e.name).text;
		return found === null
			? [new Refusal(source.path, source.lineOf(e), `'${path}' declares no ${name}`)]
			: [];
	});
}
