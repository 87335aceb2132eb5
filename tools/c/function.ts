// SPDX-License-Identifier: GPL-2.0-only
// Functions: prototype, kernel-doc, body.
import ts from 'typescript-ast';
import { strip } from '#tools/c/build.js';
import { before, comment, kernelDoc, parseDoc } from '#tools/c/comment.js';
import { type CType, declare, parseType } from '#tools/c/ctype.js';
import { factOf } from '#tools/c/facts.js';
import { madeOf } from '#tools/c/global.js';
import { align, columns, type Doc, flat, join, layout, space } from '#tools/c/layout.js';
import type { Lines } from '#tools/c/lines.js';
import { checkName, checkWord } from '#tools/c/name.js';
import { Scope } from '#tools/c/scope.js';
import type { Source } from '#tools/c/source.js';
import { Statements } from '#tools/c/statement.js';
import { isRef, REF_STAYS } from '#tools/c/struct.js';
import { paramOf, returnsOf } from '#tools/c/types.js';
import type { Unit } from '#tools/c/unit.js';

export function functionItem(unit: Unit, s: ts.FunctionDeclaration): void {
	const name = s.name!.text;
	unit.item('function', name, s, (lines) => {
		checkWord(unit.source, s, name);
		if (s.body === undefined) return unit.source.refuse(s, 'overloads are outside the kernel subset');
		if (s.typeParameters !== undefined && !unit.isLibrary)
			unit.source.refuse(s, 'a type parameter is outside the kernel subset');
		if (s.asteriskToken !== undefined || s.modifiers?.some((m) => m.kind === ts.SyntaxKind.AsyncKeyword))
			unit.source.refuse(s, 'generators and async functions are outside the kernel subset');
		for (const p of s.parameters) {
			if (p.initializer !== undefined || p.questionToken !== undefined || p.dotDotDotToken !== undefined)
				unit.source.refuse(p, 'a parameter that may be left out is outside the kernel subset');
			if (p.type !== undefined) unit.useType(p.type);
		}
		if (s.type !== undefined) unit.useType(s.type);
		const returns = returnsOf(s, unit.source);
		if (s.type !== undefined && isRef(s.type, unit.source)) unit.source.refuse(s.type, REF_STAYS);
		const expected = prototypeOf(unit, name);
		const params = s.parameters.map((p, i) => {
			const own = paramOf(p, unit.source);
			checkName(unit.source, p, own.name);
			const want = expected?.[i];
			return { name: own.name, type: own.type, shown: want ?? own.type };
		});
		const scope = new Scope();
		for (const p of params) scope.add(p.name, p.type);
		const isStatic = unit.isHeader || !unit.isExported(s);
		const storage = unit.isHeader ? 'static inline ' : isStatic ? 'static ' : '';
		const head = (docs: readonly Doc[]): Doc => [
			declare(returns, '').trim().endsWith('*')
				? `${storage}${declare(returns, '').trim()}`
				: `${storage}${declare(returns, '').trim()} `,
			`${name}(`,
			align(docs.length === 0 ? 'void' : join(docs, [',', space])),
			')',
		];
		const prototype = head(params.map((p) => declare(p.shown, p.name)));
		documented(
			unit,
			lines,
			s,
			name,
			params.map((p) => p.name),
			isStatic,
		);
		const from = unit.source.lineOf(s);
		for (const l of signature(prototype)) lines.text([l], from);
		lines.text(['{'], from);
		unit.statements = new Statements(unit, scope, returns, new Set(params.map((p) => p.name)));
		lines.append(unit.statements.block(s.body, 1));
		unit.statements = null;
		unit.extern = [prototype, ';'];
		lines.text(['}'], unit.source.ast.getLineAndCharacterOfPosition(s.end).line + 1);
		return [prototype, ';'];
	});
}

/** The comments before a function: kernel-doc where all is said that kernel-doc asks for. */
function documented(
	unit: Unit,
	lines: Lines,
	s: ts.FunctionDeclaration,
	name: string,
	params: readonly string[],
	isStatic: boolean,
): void {
	const comments = before(unit.source, s);
	const last = comments[comments.length - 1];
	if (last?.kind !== 'doc') {
		lines.comments(
			comments.map((c, i) => (i === comments.length - 1 ? { ...c, apart: false } : c)),
			0,
		);
		return;
	}
	lines.comments(comments.slice(0, -1), 0);
	const doc = parseDoc(last.lines);
	const whole = params.every((p) => doc.params.has(p)) && (params.length > 0 || !isStatic);
	const texts = whole ? kernelDoc(`${name}()`, doc, params) : comment(plainDoc(last.lines), 0);
	for (const [i, t] of texts.entries()) lines.text([t], last.line + Math.min(i, last.lines.length - 1));
}

/** The parameters that C wants of @name because a table of Linux's has it as a member. */
function prototypeOf(unit: Unit, name: string): readonly CType[] | null {
	for (const s of unit.source.ast.statements) {
		const place = placeIn(s, name, unit.source);
		if (place === null) continue;
		const text = factOf(place.table)?.members?.[place.member];
		if (text === undefined) continue;
		const type = parseType(text);
		if (type.kind === 'pointer' && type.to.kind === 'function') return type.to.params.map((p) => p.type);
	}
	return null;
}

/** In which table of Linux's @name is a member, if the statement @s has one. */
function placeIn(s: ts.Statement, name: string, source: Source): { table: string; member: string } | null {
	if (!ts.isVariableStatement(s)) return null;
	let found: { table: string; member: string } | null = null;
	const visit = (node: ts.Expression, table: string): void => {
		const inner = strip(node);
		if (!ts.isObjectLiteralExpression(inner)) return;
		for (const p of inner.properties) {
			if (!ts.isPropertyAssignment(p)) continue;
			const member = p.name.getText(source.ast);
			const value = strip(p.initializer);
			if (ts.isIdentifier(value) && value.text === name) found = { table, member };
			const type = factOf(table)?.members?.[member];
			if (type !== undefined && ts.isObjectLiteralExpression(value)) {
				const m = /struct (\w+)/.exec(type);
				if (m !== null) visit(value, m[1]!);
			}
		}
	};
	for (const d of s.declarationList.declarations) {
		if (d.initializer === undefined) continue;
		const made = madeOf(strip(d.initializer));
		if (made !== null && ts.isNewExpression(made)) {
			const [arg] = made.arguments ?? [];
			if (arg !== undefined) visit(arg, made.expression.getText(source.ast));
		} else if (d.type !== undefined) visit(d.initializer, d.type.getText(source.ast));
	}
	return found;
}

/** A function's head: where it does not fit, what it returns gets a line of its own. */
function signature(prototype: Doc): string[] {
	const lines = layout(prototype, '');
	if (lines.every((l) => columns(l) <= 80)) return lines;
	const [returns, ...rest] = prototype as readonly Doc[];
	return [flat(returns!).trimEnd(), ...layout(rest, '')];
}

/** A docstring as a plain comment: without the words that only kernel-doc knows. */
function plainDoc(lines: readonly string[]): string[] {
	const doc = parseDoc(lines);
	const params = [...doc.params].map(([name, text]) => `@${name}: ${text}`);
	return [
		...doc.text,
		...(params.length > 0 ? ['', ...params] : []),
		...(doc.returns !== null ? ['', `Returns ${doc.returns}`] : []),
	];
}
