// SPDX-License-Identifier: GPL-2.0-only
// The whole file: head, includes, items in their order, what is announced before it is defined.
import ts from 'typescript-ast';
import { quote } from '#tools/c/build.js';
import { comment } from '#tools/c/comment.js';
import { aligned } from '#tools/c/define.js';
import { body, guard, include, isShareable, isShared } from '#tools/c/items.js';
import { type Line, Lines } from '#tools/c/lines.js';
import { headerNameOf } from '#tools/c/twin.js';
import type { Unit } from '#tools/c/unit.js';

/** All of the file, as C. */
export function fileOf(unit: Unit): Line[] {
	const live = reachable(unit);
	const items = unit.items.filter((i) => i.kind !== 'function' || live.has(i.name));
	for (const i of unit.items) if (!items.includes(i)) unit.unused.push(i.name);
	const out = new Lines();
	const head = fileHead(unit);
	const spdx = 'SPDX-License-Identifier: GPL-2.0-only';
	out.text([unit.isHeader ? `/* ${spdx} */` : `// ${spdx}`], 1);
	if (head.length > 0)
		for (const [i, t] of comment(head, 0, head.length > 1 ? '/*' : '/*').entries()) out.text([t], 2 + i);
	out.gap();
	const isPart = unit.isHeader || items.some((i) => isShared(unit, i));
	const isModule = !isPart || items.some((i) => i.kind === 'call');
	const headers = new Set(items.flatMap((i) => [...i.headers]));
	if (isModule) headers.add('linux/module.h');
	if (isPart && !unit.isHeader) headers.add(headerNameOf(unit.nameInC));
	if (unit.isHeader) guard(out, unit.nameInC);
	include(out, headers);
	body(
		unit,
		out,
		items.filter((i) => unit.isHeader || !isShared(unit, i) || !isShareable(i)),
	);
	out.gap();
	if (unit.isHeader) out.text(['#endif'], 1);
	if (!isModule) {
		while (out.all[out.all.length - 1]?.text === '') out.all.pop();
		return aligned(out.all);
	}
	out.text([`MODULE_DESCRIPTION(${quote(description(unit))});`], 2);
	out.text(['MODULE_LICENSE("GPL");'], 1);
	return aligned(out.all);
}

/** The functions that are called from outside, and what those need. */
function reachable(unit: Unit): Set<string> {
	const byName = new Map(unit.items.map((i) => [i.name, i]));
	const live = new Set<string>();
	const visit = (name: string): void => {
		if (live.has(name)) return;
		live.add(name);
		for (const u of byName.get(name)?.uses ?? []) visit(u);
	};
	for (const i of unit.items) {
		if (i.kind === 'call') for (const u of i.uses) visit(u);
		if (i.kind === 'function' && unit.options.outside.has(i.name)) visit(i.name);
		if (i.kind === 'variable' && unit.options.outside.has(i.name)) visit(i.name);
	}
	if (!unit.items.some((i) => i.kind === 'call')) {
		const shared = unit.isHeader ? [] : unit.items.filter((i) => isShared(unit, i));
		const exported =
			unit.isLibrary && !unit.isHeader
				? unit.source.ast.statements.filter(ts.isFunctionDeclaration).filter((s) => unit.isExported(s))
				: [];
		const own = new Set(exported.map((s) => s.name!.text));
		const wanted = own.size > 0 ? unit.items.filter((i) => own.has(i.name)) : shared;
		for (const i of wanted.length > 0 ? wanted : unit.items) visit(i.name);
	}
	return live;
}

/** The file's head, without licence and twin. */
function fileHead(unit: Unit): string[] {
	const ranges = ts.getLeadingCommentRanges(unit.source.text, 0) ?? [];
	const lines = ranges
		.filter((r) => r.kind === ts.SyntaxKind.SingleLineCommentTrivia)
		.map((r) => unit.source.text.slice(r.pos, r.end).replace(/^\/\/ ?/, ''))
		.filter((l) => !l.startsWith('SPDX-') && !/^Linux 6\.12: /.test(l));
	while (lines[lines.length - 1] === '') lines.pop();
	return lines;
}

/** What the first line of the file's head says. */
function description(unit: Unit): string {
	return (fileHead(unit)[0] ?? unit.source.path).replace(/\.$/, '');
}
