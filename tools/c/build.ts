// SPDX-License-Identifier: GPL-2.0-only
// Small pieces that expressions are made of.
import ts from 'typescript-ast';
import type { CStruct, CType } from '#tools/c/ctype.js';
import { align, type Doc, join, space } from '#tools/c/layout.js';
import type { Value } from '#tools/c/value.js';

/** The struct that @type is, or points to. */
export const structOf = (type: CType): CStruct | null =>
	type.kind === 'struct' ? type : type.kind === 'pointer' && type.to.kind === 'struct' ? type.to : null;

/** @node without parentheses, `!` and casts to number. */
export function strip(node: ts.Expression): ts.Expression {
	if (ts.isParenthesizedExpression(node) || ts.isNonNullExpression(node)) return strip(node.expression);
	return node;
}

/** `(a, b)`. */
export const argList = (values: readonly Value[]): Doc[] => [
	'(',
	align(
		join(
			values.map((v) => v.doc),
			[',', space],
		),
	),
	')',
];

export const callDoc = (name: string, values: readonly Value[]): Doc => [name, ...argList(values)];

/** @text as a string of C's. */
export function quote(text: string): string {
	const inner = text
		.replaceAll('\\', '\\\\')
		.replaceAll('"', '\\"')
		.replaceAll('\n', '\\n')
		.replaceAll('\t', '\\t')
		.replace(/[^\x20-\x7e]/g, (c) =>
			[...new TextEncoder().encode(c)].map((b) => `\\${b.toString(8).padStart(3, '0')}`).join(''),
		);
	return `"${inner}"`;
}
