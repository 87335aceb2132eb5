// SPDX-License-Identifier: GPL-2.0-only
// Structs and enumerations.
import ts from 'typescript-ast';
import { strip } from '#tools/c/build.js';
import { around, atEnd, before, behind, inside } from '#tools/c/comment.js';
import { constantOf } from '#tools/c/constant.js';
import { type CType, declare } from '#tools/c/ctype.js';
import type { Lines } from '#tools/c/lines.js';
import { checkWord } from '#tools/c/name.js';
import type { Source } from '#tools/c/source.js';
import { arrayOf, baseOf, enumerators, memberType, typeOf } from '#tools/c/types.js';
import type { Unit } from '#tools/c/unit.js';

export function aliasItem(unit: Unit, s: ts.TypeAliasDeclaration, taken: Set<ts.Statement>): void {
	const values = enumerators(s, unit.source);
	if (values.length === 0) {
		unit.item('struct', s.name.text, s, (lines) => {
			lines.comments(before(unit.source, s), 0);
			const type = typeOf(s.type, unit.source);
			if (type.kind !== 'pointer' || type.to.kind !== 'function')
				unit.source.refuse(
					s,
					'a name for another type is outside the kernel subset, but for functions and enumerations',
				);
			lines.doc(['typedef ', declare(type, s.name.text), ';'], 0, unit.source.lineOf(s));
			return null;
		});
		return;
	}
	for (const v of values) taken.add(v);
	unit.item('enum', s.name.text, s, (lines) => {
		lines.comments(before(unit.source, s), 0);
		lines.text([`enum ${s.name.text} {`], unit.source.lineOf(s));
		for (const v of values) {
			const [d] = v.declarationList.declarations;
			lines.comments(before(unit.source, v), 1);
			lines.text(
				[`\t${d!.name.getText(unit.source.ast)} = ${d!.initializer!.getText(unit.source.ast)},`],
				unit.source.lineOf(v),
			);
		}
		lines.text(['};'], unit.source.lineOf(values[values.length - 1]!));
		return null;
	});
}

/** The member that container_of() reads here: in C an offset tells. */
const CONTAINER = 'container';

/** Whether @m does nothing but say in what its struct lies. */
const isOnlyContainer = (unit: Unit, m: ts.ConstructorDeclaration): boolean =>
	(m.body?.statements ?? []).every((s) => {
		const text = s.getText(unit.source.ast);
		return /^super\((null)?\)/.test(text) || new RegExp(`^\\(?this\\b.*\\.${CONTAINER} = `).test(text);
	});

/** Members of a class or an interface. */
export function structItem(unit: Unit, s: ts.ClassDeclaration | ts.InterfaceDeclaration): void {
	const name = s.name!.text;
	unit.item('struct', name, s, (lines) => {
		const type = {
			kind: 'struct',
			name: `struct ${name}`,
			found: { node: s, source: unit.source },
		} as const;
		// Which struct it lies in is nothing that C has to keep.
		const isEmbedded =
			s.heritageClauses?.some((h) =>
				h.types.some((t) => t.expression.getText(unit.source.ast) === 'embedded'),
			) === true;
		for (const m of s.members)
			if (ts.isConstructorDeclaration(m) && !isEmbedded && !isOnlyContainer(unit, m))
				unit.source.refuse(
					m,
					"C's kzalloc() runs no constructor; assign the members where the struct is made",
				);
		const isLeft = (m: ts.ClassElement | ts.TypeElement): boolean =>
			ts.isConstructorDeclaration(m) || m.name?.getText(unit.source.ast) === CONTAINER;
		for (const m of s.members.filter(isLeft)) around(unit.source, m);
		const members = s.members.filter((m) => !isLeft(m));
		for (const m of members) {
			checkMember(unit, m);
			if (ts.isPropertyDeclaration(m) && m.initializer !== undefined && ts.isNewExpression(m.initializer))
				checkMade(unit, s, m, m.initializer);
		}
		const [doc, ...rest] = before(unit.source, s).reverse();
		lines.comments(rest.reverse(), 0);
		if (doc !== undefined) lines.comments([doc.apart ? doc : { ...doc, apart: false }], 0);
		lines.text([`struct ${name} {`], unit.source.lineOf(s));
		const base = baseOf(type);
		if (base !== null) {
			unit.use(base.type.name.replace(/^struct /, ''));
			lines.text([`\t${declare(base.type, base.member)};`], unit.source.lineOf(s));
		}
		for (const m of members) {
			lines.comments([...before(unit.source, m), ...inside(unit.source, m), ...behind(unit.source, m)], 1);
			const t = memberType(m, unit.source);
			unit.useType(m);
			member(lines, t, m.name!.getText(unit.source.ast), 1, unit.source.lineOf(m));
		}
		lines.comments(atEnd(unit.source, s), 1);
		lines.text(['};'], unit.source.ast.getLineAndCharacterOfPosition(s.end).line + 1);
		return `struct ${name};`;
	});
}

/** One member, @indent tabs deep; of a struct without a name they stand there. */
function member(lines: Lines, type: CType, name: string, indent: number, from: number): void {
	if (type.kind !== 'struct' || type.members === undefined) {
		lines.doc([declare(type, name), ';'], indent, from);
		return;
	}
	const tabs = '\t'.repeat(indent);
	lines.text([`${tabs}struct {`], from);
	for (const [inner, t] of type.members) member(lines, t, inner, indent + 1, from);
	lines.text([`${tabs}} ${name};`], from);
}

export const REF_STAYS =
	'a ref is the address of a variable, which may be gone in C: only parameters and variables may be one';

/** Whether @node says a ref, as it is or in an array. */
export function isRef(node: ts.Node, source: Source): boolean {
	if (ts.isTypeReferenceNode(node) && node.typeName.getText(source.ast) === 'ref') return true;
	if (ts.isFunctionTypeNode(node)) return false;
	return ts.forEachChild(node, (n) => isRef(n, source)) ?? false;
}

/** What C has to be told to make where TypeScript's `new` makes it. */
const MAKERS: Readonly<Record<string, string>> = {
	list_head: 'INIT_LIST_HEAD',
	spinlock_t: 'spin_lock_init',
	raw_spinlock_t: 'raw_spin_lock_init',
	idr: 'idr_init',
	xarray: 'xa_init',
	rwlock_t: 'rwlock_init',
	mutex: 'mutex_init',
	completion: 'init_completion',
	wait_queue_head: 'init_waitqueue_head',
	ida: 'ida_init',
};

/** Refuse the member @m of @s if nothing makes it: memory of zeros is no lock, and no empty list. */
function checkMade(unit: Unit, s: ts.Node, m: ts.PropertyDeclaration, init: ts.NewExpression): void {
	const type = init.expression.getText(unit.source.ast);
	const maker = Object.hasOwn(MAKERS, type) ? MAKERS[type]! : null;
	// An entry of a list is made by what puts it there.
	if (maker === null || (type === 'list_head' && (init.arguments?.length ?? 0) > 0)) return;
	const name = m.name.getText(unit.source.ast);
	const isExported =
		ts.isClassDeclaration(s) && s.modifiers?.some((x) => x.kind === ts.SyntaxKind.ExportKeyword);
	// Whoever allocates it makes what is in it; another file may.
	const struct = ts.isClassDeclaration(s) ? s.name?.text : undefined;
	const isMadeHere = new RegExp(`\\b(?:devm_)?k[zc]alloc\\([^)]*\\b${struct}\\b`).test(unit.source.text);
	const isElsewhere = isExported && !isMadeHere;
	if (isElsewhere || new RegExp(`\\b${maker}\\([^)]*\\b${name}\\b`).test(unit.source.text)) return;
	unit.source.refuse(m, `memory of zeros is no ${type} in C: call ${maker}() where the struct is made`);
}

/** What a member starts as has to be what zeroed memory is. */
function checkMember(unit: Unit, m: ts.ClassElement | ts.TypeElement): void {
	if (ts.isMethodDeclaration(m) || ts.isGetAccessorDeclaration(m) || ts.isSetAccessorDeclaration(m))
		unit.source.refuse(m, 'a method of a struct is outside the kernel subset; C has functions');
	checkWord(unit.source, m, m.name?.getText(unit.source.ast) ?? '_');
	if (
		(ts.isPropertyDeclaration(m) || ts.isPropertySignature(m)) &&
		m.type !== undefined &&
		isRef(m.type, unit.source)
	)
		unit.source.refuse(m, REF_STAYS);
	if (!ts.isPropertyDeclaration(m) || m.initializer === undefined) return;
	const init = strip(m.initializer);
	const isEmptyArray = ts.isArrayLiteralExpression(init) && init.elements.length === 0;
	const isZero =
		constantOf(init, unit.source) === 0n ||
		init.kind === ts.SyntaxKind.NullKeyword ||
		init.kind === ts.SyntaxKind.FalseKeyword;
	if (isEmptyArray || isZero || arrayOf(init, unit.source) !== null) return;
	if (ts.isObjectLiteralExpression(init) || ts.isNewExpression(init)) {
		// How long it is says what it is in C; without that it would be a pointer to nothing.
		memberType(m, unit.source);
		return;
	}
	unit.source.refuse(
		m,
		`C's kzalloc() makes ${m.name.getText(unit.source.ast)} zero, and not ${init.getText(unit.source.ast)}; assign it where the struct is made`,
	);
}
