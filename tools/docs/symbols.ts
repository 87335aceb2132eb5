// SPDX-License-Identifier: GPL-2.0-only
// What a file exports, with its prototype and what is said of it.
import ts from 'typescript-ast';

export type Kind = 'function' | 'struct' | 'type' | 'value';

export interface Named {
	readonly name: string;
	readonly kind: Kind;
	/** As the source has it, without `export` and without a function's body. */
	readonly prototype: string;
	/** The comment before it, without its frame; '' where there is none. */
	readonly says: string;
	/** Line in the file, from 1. */
	readonly line: number;
}

/** Longer values are not shown. */
const MOST_OF_VALUE = 240;

/** The text of a comment with its frame. */
function unframed(comment: string): string {
	return comment
		.replace(/^\/\*\*?|\*\/$/g, '')
		.split('\n')
		.map((line) => line.trim().replace(/^\* ?/, ''))
		.join('\n')
		.trim();
}

/** The last comment of the kind that is for readers before @node. */
function saidOf(node: ts.Node, text: string): string {
	const ranges = ts.getLeadingCommentRanges(text, node.pos) ?? [];
	const said = ranges
		.map(({ pos, end }) => text.slice(pos, end))
		.findLast((comment) => comment.startsWith('/**'));
	return said === undefined ? '' : unframed(said);
}

/** The names that a declaration binds: one, or those that it takes a value apart into. */
function namesIn(name: ts.BindingName): string[] {
	if (ts.isIdentifier(name)) return [name.text];
	return name.elements.flatMap((element) => (ts.isBindingElement(element) ? namesIn(element.name) : []));
}

/** A variable that is a function, up to its body, or its type and, where that is short, its value. */
function variable(
	node: ts.VariableDeclaration,
	text: string,
	word: string,
): { kind: Kind; prototype: string } {
	const { initializer: value } = node;
	const from = node.getStart();
	if (value !== undefined && ts.isArrowFunction(value))
		return {
			kind: 'function',
			prototype: `${word} ${text.slice(from, value.equalsGreaterThanToken.end)} …`,
		};
	const whole = text.slice(from, node.end);
	const short = whole.length <= MOST_OF_VALUE || value === undefined;
	return { kind: 'value', prototype: `${word} ${short ? whole : `${text.slice(from, value.getStart())}…`}` };
}

/** All that the file @path, whose text is @text, exports where it is declared, in the file's order. */
export function symbolsOf(path: string, text: string): Named[] {
	const ast = ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true);
	const line = (node: ts.Node): number => ast.getLineAndCharacterOfPosition(node.getStart()).line + 1;
	return ast.statements.flatMap((node): Named[] => {
		const exported = ts.canHaveModifiers(node)
			? ts.getModifiers(node)?.find(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)
			: undefined;
		if (exported === undefined) return [];
		const says = saidOf(node, text);
		const up = (end: number): string => text.slice(exported.end, end).trim();
		if (ts.isVariableStatement(node)) {
			const word = node.declarationList.flags & ts.NodeFlags.Const ? 'const' : 'let';
			return node.declarationList.declarations.flatMap((d) =>
				namesIn(d.name).map((name) => ({ name, ...variable(d, text, word), says, line: line(d) })),
			);
		}
		if (ts.isFunctionDeclaration(node)) {
			const name = node.name?.text ?? '';
			return [{ name, kind: 'function', prototype: up(node.body?.pos ?? node.end), says, line: line(node) }];
		}
		if (ts.isClassDeclaration(node) || ts.isInterfaceDeclaration(node))
			return [
				{ name: node.name?.text ?? '', kind: 'struct', prototype: up(node.end), says, line: line(node) },
			];
		if (ts.isTypeAliasDeclaration(node) || ts.isEnumDeclaration(node))
			return [{ name: node.name.text, kind: 'type', prototype: up(node.end), says, line: line(node) }];
		return [];
	});
}
