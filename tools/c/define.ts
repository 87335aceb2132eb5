// SPDX-License-Identifier: GPL-2.0-only
// Constants and macros: #defines, in columns.
import ts from 'typescript-ast';
import { strip } from '#tools/c/build.js';
import { before, behind, inside } from '#tools/c/comment.js';
import { Expressions } from '#tools/c/expression.js';
import { madeOf } from '#tools/c/global.js';
import { columns, flat, TAB, WIDTH } from '#tools/c/layout.js';
import type { Line } from '#tools/c/lines.js';
import { Scope } from '#tools/c/scope.js';
import { table } from '#tools/c/table.js';
import { paramOf } from '#tools/c/types.js';
import type { Unit } from '#tools/c/unit.js';

export function constant(unit: Unit, s: ts.VariableStatement, d: ts.VariableDeclaration): void {
	if (!ts.isIdentifier(d.name)) {
		unit.attempt(() =>
			unit.source.refuse(d, 'what is taken apart outside a function is outside the kernel subset'),
		);
		return;
	}
	const name = d.name.text;
	const init = d.initializer === undefined ? undefined : strip(d.initializer);
	const made = init === undefined ? null : madeOf(init);
	const isArray =
		init !== undefined && ts.isArrayLiteralExpression(ts.isAsExpression(init) ? init.expression : init);
	if (
		made !== null ||
		isArray ||
		(d.type !== undefined && init !== undefined && ts.isObjectLiteralExpression(init))
	) {
		table(unit, s, d, name, made ?? init!);
		return;
	}
	unit.item('define', name, s, (lines) => {
		if ((s.declarationList.flags & ts.NodeFlags.Const) === 0)
			unit.source.refuse(
				d,
				'a variable outside a function is boot_data() here: it comes anew with each boot',
			);
		lines.comments([...before(unit.source, s), ...inside(unit.source, s), ...behind(unit.source, s)], 0);
		if (init === undefined) return unit.source.refuse(d, `${name} has no value`);
		const [head, body] = ts.isArrowFunction(init) ? macro(unit, name, init) : [name, defined(unit, init)];
		lines.text([`#define ${head}\t${body}`], unit.source.lineOf(s));
		return null;
	});
}

/** The text of a constant. */
function defined(unit: Unit, init: ts.Expression): string {
	const v = new Expressions(unit, new Scope()).of(init);
	const text = flat(v.doc);
	return v.prec < 16 ? `(${text})` : text;
}

/** An arrow of one expression is a macro: its parameters stand in parentheses. */
function macro(unit: Unit, name: string, f: ts.ArrowFunction): [string, string] {
	if (ts.isBlock(f.body))
		unit.source.refuse(
			f,
			'a function is written with "function" in the kernel subset; an arrow of one expression is a macro',
		);
	const scope = new Scope();
	const params = f.parameters.map((p) => paramOf(p, unit.source));
	for (const p of params) scope.add(p.name, p.type);
	const v = new Expressions(unit, scope).of(f.body as ts.Expression);
	let text = flat(v.doc);
	for (const p of params)
		text = text.replace(
			new RegExp(`(?<![\\w>.(])${p.name}(?!\\w)|(?<=\\()${p.name}(?=\\s*[-+*/&|<>])`, 'g'),
			`(${p.name})`,
		);
	return [`${name}(${params.map((p) => p.name).join(', ')})`, v.prec < 16 ? `(${text})` : text];
}

/** Values of #defines that follow each other stand in one column, as do their names. */
export function aligned(lines: readonly Line[]): Line[] {
	const out: Line[] = [];
	for (let i = 0; i < lines.length; ) {
		let end = i;
		while (end < lines.length && /^#define [^\t]*\t/.test(lines[end]!.text)) end++;
		if (end === i) {
			out.push(lines[i++]!);
			continue;
		}
		const block = lines.slice(i, end);
		const width = Math.max(...block.map((l) => l.text.split('\t')[0]!.length));
		const column = Math.ceil((width + 1) / TAB) * TAB;
		for (const l of block) {
			const [head, body] = l.text.split('\t') as [string, string];
			const tabs = Math.ceil((column - head.length) / TAB);
			for (const text of folded(head, '\t'.repeat(tabs), body)) out.push({ text, from: l.from });
		}
		i = end;
	}
	return out;
}

/** A #define in lines of 80 columns: behind the name what is too long, and then at its operators. */
function folded(head: string, gap: string, body: string): string[] {
	if (columns(head + gap + body) <= WIDTH) return [head + gap + body];
	const lines: string[] = [`${head} \\`];
	let line = '\t';
	for (const part of body.split(/(?<= [|&+] )/)) {
		if (columns(line + part.trimEnd()) > WIDTH - 2) {
			lines.push(`${line.trimEnd()} \\`);
			line = '\t ';
		}
		line += part;
	}
	lines.push(line);
	return lines;
}
