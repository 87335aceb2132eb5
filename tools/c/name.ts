// SPDX-License-Identifier: GPL-2.0-only
// Names that cannot be C's.
import type ts from 'typescript-ast';
import { INTEGERS } from '#tools/c/ctype.js';
import { factOf, KEYWORDS } from '#tools/c/facts.js';
import type { Source } from '#tools/c/source.js';

/** Macros that no header of the kernel's has to bring. */
const MACROS = new Set(['NULL', 'true', 'false', 'linux', 'unix', 'errno']);

/** Refuse @name, at @node, if it is no identifier, or a word of C's. */
export function checkWord(source: Source, node: ts.Node, name: string): void {
	if (KEYWORDS.has(name)) source.refuse(node, `${name} is a word of C's, and no name there`);
	if (!/^\w+$/.test(name)) source.refuse(node, `names of C's have letters of ASCII, digits and _: ${name}`);
}

/** Refuse @name for a parameter, a variable or a label, which a macro of Linux's would replace. */
export function checkName(source: Source, node: ts.Node, name: string): void {
	checkWord(source, node, name);
	if (INTEGERS.has(name)) source.refuse(node, `${name} is a type of C's, and no name there`);
	const kind = factOf(name)?.kind;
	if (MACROS.has(name) || kind === 'macro' || (kind === 'constant' && /^[A-Z]/.test(name)))
		source.refuse(node, `${name} is a macro of Linux's, and would be replaced; give it another name`);
}
