// SPDX-License-Identifier: GPL-2.0-only
// Names at the top of a file: their types, and what is known of them.
import ts from 'typescript-ast';
import { strip } from '#tools/c/build.js';
import { constantOf } from '#tools/c/constant.js';
import {
	BOOL,
	type CStruct,
	type CType,
	INT,
	INTEGERS,
	parseType,
	pointerTo,
	struct,
	UNSIGNED_INT,
	UNSIGNED_LONG,
	VOID_POINTER,
} from '#tools/c/ctype.js';
import type { Expressions } from '#tools/c/expression.js';
import { CONSTANT_TYPES, factOf } from '#tools/c/facts.js';
import { Refusal } from '#tools/c/refusal.js';
import { Scope } from '#tools/c/scope.js';
import type { Found, Source } from '#tools/c/source.js';
import { baseOf, isStructNode, memberType, namedType, paramOf, returnsOf, typeOf } from '#tools/c/types.js';
import type { Unit } from '#tools/c/unit.js';
import { boundOf } from '#tools/c/value.js';

/** The type of @name, which stands at the top of a file. */
export function typeOfGlobal(unit: Unit, name: string, found: Found, at: ts.Node): CType {
	const d = found.node as ts.VariableDeclaration;
	const init = d.initializer === undefined ? undefined : strip(d.initializer);
	const fact = found.source === unit.source ? null : factOf(name);
	if (found.source !== unit.source && Object.hasOwn(CONSTANT_TYPES, name))
		return INTEGERS.get(CONSTANT_TYPES[name]!)!;
	if (fact?.kind === 'constant') return INTEGERS.get(fact.type ?? 'int') ?? UNSIGNED_LONG;
	if (d.type !== undefined) {
		const type = typeOf(d.type, found.source);
		if (init !== undefined && ts.isArrayLiteralExpression(init)) {
			const rows = rowsOf(init, type);
			if (rows !== null) return rows;
		}
		if (type.kind === 'pointer' && ts.isArrayTypeNode(unread(d.type)))
			return { kind: 'array', of: type.to, length: '' };
		return type.kind === 'pointer' && type.to.kind === 'struct' ? type.to : type;
	}
	if (init !== undefined) {
		const made = madeOf(init);
		if (made !== null && ts.isNewExpression(made)) return structOfNew(unit, made, found.source);
		if (made !== null && ts.isObjectLiteralExpression(made)) return anonymous(unit, made, found.source);
		if (ts.isAsExpression(init) && ts.isArrayLiteralExpression(init.expression))
			return { kind: 'array', of: pointerTo(INTEGERS.get('char')!, true), length: '' };
		if (ts.isStringLiteral(init)) return pointerTo(INTEGERS.get('char')!, true);
		if (init.kind === ts.SyntaxKind.TrueKeyword || init.kind === ts.SyntaxKind.FalseKeyword) return BOOL;
		const callee = ts.isCallExpression(init) ? found.source.nameOf(init.expression) : null;
		const called = callee === null ? null : found.source.find(callee);
		const n = constantOf(init, found.source);
		if (n === null && called !== null) return answerOf(unit, callee!, called, at);
		if (n !== null) {
			if (/\b(BIT|GENMASK)\(/.test(expanded(unit, init, found.source))) return UNSIGNED_LONG;
			return n < 1n << 31n ? INT : n < 1n << 32n ? UNSIGNED_INT : UNSIGNED_LONG;
		}
	}
	return unit.source.refuse(at, `${name} has no type that C would know`);
}

/** A table of tables: as many rows as @init has, as long as its first one. Null: there are no tables in it. */
function rowsOf(init: ts.ArrayLiteralExpression, type: CType): CType | null {
	const [first] = init.elements;
	if (type.kind !== 'pointer' || type.to.kind !== 'pointer' || first === undefined) return null;
	if (!ts.isArrayLiteralExpression(first)) return null;
	const of: CType = rowsOf(first, type.to) ?? {
		kind: 'array',
		of: type.to.to,
		length: String(first.elements.length),
	};
	return { kind: 'array', of, length: String(init.elements.length) };
}

/** The text of @node with the constants in it as what they are made of. */
function expanded(unit: Unit, node: ts.Expression, source: Source, depth = 0): string {
	const name = source.nameOf(node);
	if (name !== null && depth < 8) {
		const found = source.find(name);
		if (found !== null && ts.isVariableDeclaration(found.node) && found.node.initializer !== undefined)
			return expanded(unit, found.node.initializer, found.source, depth + 1);
	}
	if (ts.isBinaryExpression(node))
		return expanded(unit, node.left, source, depth) + expanded(unit, node.right, source, depth);
	return node.getText(source.ast);
}

function structOfNew(unit: Unit, node: ts.NewExpression, source: Source): CType {
	return namedType(node.expression.getText(source.ast), source, node);
}

/** What makes a lock that is there from the start, by the function that makes one here. */
const LOCKS: Readonly<Record<string, { readonly type: CType; readonly macro: string }>> = {
	DEFINE_MUTEX: { type: struct('struct mutex'), macro: '__MUTEX_INITIALIZER' },
	DEFINE_SPINLOCK: { type: struct('spinlock_t'), macro: '__SPIN_LOCK_UNLOCKED' },
};

/** The lock that @init makes; null: it makes none. */
export function lockMade(
	init: ts.Expression,
	source: Source,
): { readonly type: CType; readonly macro: string } | null {
	const inner = strip(init);
	return ts.isCallExpression(inner) ? (LOCKS[inner.expression.getText(source.ast)] ?? null) : null;
}

/** boot_data(() => ({ a: null as device | null })): a struct without a name. */
/** Whether @node is what zeroed memory is. */
const isZero = (node: ts.Expression, source: Source): boolean =>
	node.kind === ts.SyntaxKind.NullKeyword ||
	node.kind === ts.SyntaxKind.FalseKeyword ||
	constantOf(node, source) === 0n;

function anonymous(unit: Unit, node: ts.ObjectLiteralExpression, source: Source): CStruct {
	const members = new Map<string, CType>();
	for (const p of node.properties) {
		if (!ts.isPropertyAssignment(p)) return source.refuse(p, 'boot data has members with values');
		const init = strip(p.initializer);
		if (ts.isAsExpression(init) && !isZero(init.expression, source))
			source.refuse(
				p,
				`C has ${p.name.getText(source.ast)} zero at first; assign it where the driver starts`,
			);
		const type = ts.isAsExpression(init)
			? typeOf(init.type, source)
			: init.kind === ts.SyntaxKind.FalseKeyword
				? BOOL
				: lockMade(init, source) !== null
					? lockMade(init, source)!.type
					: source.refuse(p, 'this member needs a type: 0 as u32, null as device | null');
		members.set(p.name.getText(source.ast), type);
	}
	return { kind: 'struct', name: '', found: null, members };
}

/** @p of an imported function: what cannot be C's is left open. */
export function paramType(unit: Unit, p: ts.ParameterDeclaration, source: Source): CType {
	try {
		return paramOf(p, source).type;
	} catch (e) {
		if (!(e instanceof Refusal) || source === unit.source) throw e;
		return INT;
	}
}

/** What a call of @name returns. */
export function answerOf(unit: Unit, name: string, found: Found, at: ts.Node): CType {
	const d = found.node;
	const f = ts.isVariableDeclaration(d) && d.initializer !== undefined ? strip(d.initializer) : d;
	if (ts.isIdentifier(f)) {
		const other = found.source.find(f.text);
		if (other !== null) return answerOf(unit, f.text, other, at);
	}
	if (!ts.isFunctionDeclaration(f) && !ts.isArrowFunction(f))
		return unit.source.refuse(at, `${name} is no function of C's`);
	if (
		ts.isArrowFunction(f) &&
		!ts.isBlock(f.body) &&
		/\b(BIT|GENMASK)\(/.test(f.body.getText(found.source.ast))
	)
		return UNSIGNED_LONG;
	try {
		return returnsOf(f, found.source);
	} catch (e) {
		const fact = factOf(name);
		if (e instanceof Refusal && fact?.returns !== undefined) return parseType(fact.returns);
		if (e instanceof Refusal && found.source !== unit.source) return VOID_POINTER;
		throw e;
	}
}

/** What a macro with parameters cannot exceed. */
export function boundOfMacro(e: Expressions, found: Found): bigint | null {
	const d = found.node;
	const f = ts.isVariableDeclaration(d) && d.initializer !== undefined ? strip(d.initializer) : d;
	if (!ts.isArrowFunction(f) || ts.isBlock(f.body) || found.source !== e.unit.source) return null;
	const scope = new Scope();
	for (const p of f.parameters) scope.add(p.name.getText(e.unit.source.ast), UNSIGNED_INT);
	return boundOf(e.within(scope).of(f.body));
}

/** The member of @s that is a @name itself. */
export function memberOfType(unit: Unit, s: CStruct, name: string): string | null {
	const base = baseOf(s);
	if (base?.type.name === name) return base.member;
	const d = s.found?.node;
	if (d === undefined || !isStructNode(d)) return null;
	for (const m of d.members) {
		if (!ts.isPropertyDeclaration(m)) continue;
		const t = memberType(m, s.found!.source);
		if (t.kind === 'struct' && t.name === name) return m.name.getText(s.found!.source.ast);
	}
	return null;
}

/** Without readonly and parentheses. */
const unread = (node: ts.TypeNode): ts.TypeNode =>
	ts.isTypeOperatorNode(node) || ts.isParenthesizedTypeNode(node) ? unread(node.type) : node;

/** What is made at each boot: `boot_data(() => x)` is x, and so is `new struct(…)`. */
export function madeOf(init: ts.Expression): ts.Expression | null {
	if (ts.isNewExpression(init)) return init;
	if (!ts.isCallExpression(init) || init.expression.getText() !== 'boot_data') return null;
	const f = init.arguments[0];
	if (f === undefined || !ts.isArrowFunction(f) || ts.isBlock(f.body)) return null;
	return strip(f.body);
}
