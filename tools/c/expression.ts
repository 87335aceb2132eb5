// SPDX-License-Identifier: GPL-2.0-only
// Expressions. Each becomes what a C programmer would have written, or is refused.
import ts from 'typescript-ast';
import { cast, element, ifThere, member, upcast } from '#tools/c/access.js';
import { bits } from '#tools/c/bits.js';
import { quote, strip } from '#tools/c/build.js';
import { call } from '#tools/c/call.js';
import { constantOf } from '#tools/c/constant.js';
import {
	BOOL,
	CHAR_POINTER,
	type CInt,
	type CStruct,
	type CType,
	declare,
	INT,
	isPointer,
	pointerTo,
	UNSIGNED_INT,
	UNSIGNED_LONG,
	VOID_POINTER,
} from '#tools/c/ctype.js';
import { NARROW, SIGNED } from '#tools/c/differs.js';
import { KEYWORDS } from '#tools/c/facts.js';
import { typeOfGlobal } from '#tools/c/global.js';
import { joined, not } from '#tools/c/joined.js';
import { type Doc, flat, join } from '#tools/c/layout.js';
import { binary, conditional } from '#tools/c/operator.js';
import { outside } from '#tools/c/outside.js';
import type { Scope, Variable } from '#tools/c/scope.js';
import type { Found } from '#tools/c/source.js';
import { namedType, returnsOf } from '#tools/c/types.js';
import type { Unit } from '#tools/c/unit.js';
import { arithmetic, LIMIT_32, limitOf, PREC, type Value, value, wrapped } from '#tools/c/value.js';

/** What is as wide as an address in C. */
const ADDRESSES = new Set(['unsigned long', 'size_t', 'dma_addr_t', 'phys_addr_t', 'resource_size_t']);

/** Turns the expressions of one function into C. */
export class Expressions {
	constructor(
		readonly unit: Unit,
		public scope: Scope,
	) {}

	refuse(node: ts.Node, sentence: string): never {
		return this.unit.source.refuse(node, sentence);
	}

	/** The same, with the names of @scope. */
	within(scope: Scope): Expressions {
		return new Expressions(this.unit, scope);
	}

	/** @node as an operand: nothing that the two languages see differently. */
	operand(node: ts.Expression): Value {
		const v = this.of(node);
		if (v.differs !== null) this.refuse(node, v.differs);
		if (v.sized !== null) this.refuse(node, 'an allocation has to be assigned to a variable of its type');
		return v;
	}

	/** @node as a value of type @want. */
	as(node: ts.Expression, want: CType): Value {
		return this.convert(this.operand(node), want, node);
	}

	/** @v, which @node is, where C wants a @want. */
	convert(v: Value, want: CType, node: ts.Node): Value {
		if (v.narrow && want.kind === 'int' && want.bits === 64) this.refuse(node, NARROW);
		if (v.type === BOOL && want.kind === 'int' && want.name !== 'bool')
			this.refuse(node, 'a comparison is no number; write "? 1 : 0"');
		if (want.kind === 'int' && v.type.kind === 'int') this.fits(v, v.type, want, node);
		if (!isPointer(want)) return v;
		return this.pointer(v, want.kind === 'pointer' && want.to.kind === 'struct' ? want.to : null);
	}

	/** Whether a @want of C's can hold @v, as TypeScript's number does. */
	private fits(v: Value, from: CInt, want: CInt, node: ts.Node): void {
		if (want.name === 'bool') {
			if (from.name !== 'bool') this.refuse(node, 'a number is no bool; write "!== 0"');
			return;
		}
		const max = v.max ?? (from.signed ? null : limitOf(from));
		if (max !== null && max <= limitOf(want)) return;
		const n = this.unit.constant(node as ts.Expression);
		if (n !== null && want.bits < 64 && n > limitOf(want)) this.refuse(node, `${want.name} holds no ${n}`);
		// Addresses and sizes go to registers as they are, and registers take what they have.
		if (from.bits > want.bits && !ADDRESSES.has(from.name))
			this.refuse(
				node,
				`C cuts this to the ${want.bits} bits of ${want.name}, and TypeScript does not; mask it, or use a wider type`,
			);
		if (from.signed && !want.signed && flat(v.doc).startsWith('-'))
			this.refuse(node, `${want.name} has no sign in C: a negative number is another one there`);
	}

	/** @v as a pointer, to the struct @want if that is known. */
	pointer(v: Value, want: CStruct | null): Value {
		const isValue = v.type.kind === 'struct';
		const from = v.type.kind === 'struct' ? v.type : v.type.kind === 'pointer' ? v.type.to : null;
		if (from?.kind !== 'struct' || v.isNull) return v;
		const path = want === null || want.name === from.name ? null : upcast(from, want.name);
		if (path === null)
			return isValue
				? { ...v, doc: ['&', wrapped(v, PREC.unary)], prec: PREC.unary, type: pointerTo(from) }
				: v;
		const doc = ['&', wrapped(v, PREC.primary), isValue ? '.' : '->', path];
		return { ...v, doc, prec: PREC.unary, type: pointerTo(want!) };
	}

	/** @node as C's condition: whether it is not 0. */
	condition(node: ts.Expression): Value {
		const inner = strip(node);
		if (ts.isBinaryExpression(inner)) {
			const operator = inner.operatorToken.getText(this.unit.source.ast);
			const right = strip(inner.right);
			if ((operator === '===' || operator === '!==') && this.isZero(right)) {
				const v = this.zeroable(inner.left);
				if (!(v.type.kind === 'int' && v.type.name === 'bool'))
					return operator === '!==' ? { ...v, type: BOOL, differs: null } : not(v);
			}
			if (operator === '&&' || operator === '||') {
				const a = this.condition(inner.left);
				const b = this.condition(inner.right);
				return joined(this, inner, operator, a, b, BOOL);
			}
		}
		if (ts.isPrefixUnaryExpression(inner) && inner.operator === ts.SyntaxKind.ExclamationToken)
			return not(this.condition(inner.operand));
		if (ts.isPropertyAccessExpression(inner) && inner.questionDotToken !== undefined)
			return ifThere(this, inner);
		const v = this.zeroable(node);
		return v.differs === null ? this.operand(node) : { ...v, differs: null };
	}

	/** An operand of which only counts whether it is 0: its sign does not matter. */
	zeroable(node: ts.Expression): Value {
		const v = this.of(node);
		if (v.differs !== null && v.differs !== SIGNED) this.refuse(node, v.differs);
		if (v.type.kind === 'struct')
			this.refuse(node, `${flat(v.doc)} lies in its struct in C, and is never null there`);
		return v;
	}

	isZero(node: ts.Expression): boolean {
		return node.kind === ts.SyntaxKind.NullKeyword || (ts.isNumericLiteral(node) && node.text === '0');
	}

	/** @node, with what may have to be known of it. */
	of(node: ts.Expression): Value {
		if (ts.isParenthesizedExpression(node) || ts.isNonNullExpression(node)) return this.of(node.expression);
		if (ts.isNumericLiteral(node)) return this.number(node);
		if (ts.isStringLiteral(node)) return value(quote(node.text), CHAR_POINTER);
		if (ts.isIdentifier(node)) return this.identifier(node);
		if (ts.isPropertyAccessExpression(node)) {
			const name = this.unit.source.nameOf(node);
			return name === null ? member(this, node) : this.named(node, name);
		}
		if (ts.isElementAccessExpression(node)) return element(this, node);
		if (ts.isAsExpression(node)) return cast(this, node);
		if (ts.isPrefixUnaryExpression(node)) return this.prefix(node);
		if (ts.isPostfixUnaryExpression(node)) {
			const v = this.lvalue(node.operand);
			const sign = node.operator === ts.SyntaxKind.PlusPlusToken ? '++' : '--';
			return value([wrapped(v, PREC.primary), sign], v.type, { effects: true });
		}
		if (ts.isBinaryExpression(node)) return binary(this, node);
		if (ts.isConditionalExpression(node)) return conditional(this, node);
		if (ts.isCallExpression(node)) return call(this, node);
		if (ts.isTemplateExpression(node)) return this.text(node);
		switch (node.kind) {
			case ts.SyntaxKind.TrueKeyword:
				return value('true', BOOL);
			case ts.SyntaxKind.FalseKeyword:
				return value('false', BOOL);
			case ts.SyntaxKind.NullKeyword:
				return value('NULL', VOID_POINTER, { isNull: true });
		}
		return this.refuse(node, outside(node));
	}

	/** A template literal of names for texts: C puts strings that follow each other together. */
	private text(node: ts.TemplateExpression): Value {
		const parts: Doc[] = node.head.text === '' ? [] : [quote(node.head.text)];
		for (const span of node.templateSpans) {
			const name = this.unit.source.nameOf(span.expression);
			const d = name === null ? undefined : this.unit.source.find(name)?.node;
			const init = d !== undefined && ts.isVariableDeclaration(d) ? d.initializer : undefined;
			if (init === undefined || !ts.isStringLiteral(init)) return this.refuse(node, outside(node));
			parts.push(this.operand(span.expression).doc);
			if (span.literal.text !== '') parts.push(quote(span.literal.text));
		}
		return value(join(parts, ' '), CHAR_POINTER);
	}

	private number(node: ts.NumericLiteral): Value {
		const text = node.getText(this.unit.source.ast).replaceAll('_', '');
		const n = Number(text);
		if (!Number.isInteger(n)) this.refuse(node, 'a fraction is outside the kernel subset');
		if (n > Number.MAX_SAFE_INTEGER)
			this.refuse(node, 'a number beyond 2^53 is none that TypeScript can hold');
		if (/[ob]/i.test(text.slice(0, 2)))
			this.refuse(node, 'octal and binary numbers are outside the kernel subset');
		const type = n < 2 ** 31 ? INT : n < 2 ** 32 ? UNSIGNED_INT : UNSIGNED_LONG;
		return value(
			text.replace(/^(\d+)e(\d+)$/i, (_, n: string, zeros: string) => n + '0'.repeat(Number(zeros))),
			type,
			{ max: BigInt(n) },
		);
	}

	private identifier(node: ts.Identifier): Value {
		const name = node.text;
		if (name === 'undefined') this.refuse(node, 'undefined is outside the kernel subset; C has NULL and 0');
		const v = this.scope.find(name);
		return v !== null ? this.variable(node, v) : this.named(node, name);
	}

	/** What stands at the top of a file. */
	private named(node: ts.Expression, name: string): Value {
		const found = this.unit.source.find(name);
		if (found === null) return this.refuse(node, `nothing declares ${name}`);
		this.unit.use(name);
		return this.global(node, name, found);
	}

	variable(node: ts.Node, v: Variable): Value {
		if (KEYWORDS.has(v.name)) throw new Error(`${v.name}: a keyword of C that was let through`);
		if (v.isRef)
			this.refuse(
				node,
				`the address of ${v.name} is gone with its block in C; pass it to a function, or take ${v.name}.value`,
			);
		return value(v.name, v.type, {
			lvalue: true,
			max: v.max,
			differs: v.isSigned ? SIGNED : null,
		});
	}

	private global(node: ts.Expression, name: string, found: Found): Value {
		const d = found.node;
		if (ts.isFunctionDeclaration(d))
			return value(name, {
				kind: 'function',
				returns: returnsOf(d, found.source),
				params: [],
			});
		if (ts.isClassDeclaration(d)) {
			const type = namedType(name, this.unit.source, node);
			return value(`sizeof(${declare(type, '')})`, UNSIGNED_LONG, { max: LIMIT_32 / 2n - 1n });
		}
		if (!ts.isVariableDeclaration(d))
			return this.refuse(node, `${name} is a type, and stands where a value does`);
		const max = constantOf(node, this.unit.source);
		return value(name, typeOfGlobal(this.unit, name, found, node), {
			max: max !== null && max >= 0n ? max : null,
			lvalue: found.source === this.unit.source,
		});
	}

	private prefix(node: ts.PrefixUnaryExpression): Value {
		switch (node.operator) {
			case ts.SyntaxKind.ExclamationToken:
				return not(this.condition(node.operand));
			case ts.SyntaxKind.MinusToken: {
				const v = this.operand(node.operand);
				if (v.type.kind !== 'int') return this.refuse(node, '"-" takes a number');
				if (!v.type.signed && v.max === null)
					this.refuse(
						node,
						'"-" of an unsigned number is another number in C; subtract it from 0 in a type with a sign',
					);
				return value(['-', wrapped(v, PREC.unary)], arithmetic(v.type, INT, INT), {
					prec: PREC.unary,
					effects: v.effects,
				});
			}
			case ts.SyntaxKind.TildeToken: {
				const v = bits(this, node.operand);
				const type = arithmetic(v.type as CInt, INT, INT);
				return value(['~', wrapped(v, PREC.unary)], type, {
					prec: PREC.unary,
					effects: v.effects,
					differs: SIGNED,
				});
			}
			case ts.SyntaxKind.PlusPlusToken:
			case ts.SyntaxKind.MinusMinusToken: {
				const v = this.lvalue(node.operand);
				const sign = node.operator === ts.SyntaxKind.PlusPlusToken ? '++' : '--';
				return value([sign, wrapped(v, PREC.unary)], v.type, { prec: PREC.unary, effects: true });
			}
		}
		return this.refuse(node, '"+" before an expression is outside the kernel subset');
	}

	lvalue(node: ts.Expression): Value {
		const v = this.of(node);
		return v.lvalue ? v : this.refuse(node, `${flat(v.doc)} is nothing that C could assign to`);
	}

	/** Two calls that change something, whose order C does not say. */
	twice(node: ts.Node, parts: readonly Value[]): void {
		if (parts.filter((p) => p.effects).length > 1)
			this.refuse(
				node,
				'C does not say which of the two calls in this expression comes first; give one its own statement',
			);
		const place = this.unit.order.clash(unordered(node));
		if (place !== null)
			this.refuse(
				node,
				`C does not say whether ${saidOf(place)} is read before or behind what changes it here; give one its own statement`,
			);
	}

	/** @args, as parameters of @params; what goes beyond is passed as it is. */
	args(
		node: ts.CallExpression,
		args: readonly ts.Expression[],
		params: readonly (CType | undefined)[],
	): Value[] {
		const values = args.map((a, i) => {
			const want = params[i];
			const inner = strip(a);
			const v = ts.isIdentifier(inner) ? this.scope.find(inner.text) : null;
			if (v?.isRef === true) return value(['&', v.name], pointerTo(v.type), { prec: PREC.unary });
			if (ts.isArrowFunction(inner) || ts.isFunctionExpression(inner))
				return this.refuse(a, 'a function inside a function is outside the kernel subset');
			const got = want === undefined ? this.operand(a) : this.as(a, want);
			// In C a function gets the address of a struct.
			return got.type.kind === 'struct' ? this.pointer(got, null) : got;
		});
		this.twice(node, values);
		return values;
	}

	/** The struct that the name of a class, in @node, says. */
	structNamed(node: ts.Expression): CStruct | null {
		if (!ts.isIdentifier(node)) return null;
		const found = this.unit.source.find(node.text);
		if (found === null || !ts.isClassDeclaration(found.node)) return null;
		const type = namedType(node.text, this.unit.source, node);
		this.unit.use(node.text);
		return type.kind === 'struct' ? type : null;
	}
}

/** The parts of @node whose order C does not say. */
function unordered(node: ts.Node): readonly ts.Expression[] {
	if (ts.isCallExpression(node)) return node.arguments;
	if (ts.isElementAccessExpression(node)) return [node.expression, node.argumentExpression];
	if (!ts.isBinaryExpression(node)) return [];
	const isAssigned = node.operatorToken.kind === ts.SyntaxKind.EqualsToken;
	const left = strip(node.left);
	if (!isAssigned) return [left, node.right];
	// What is assigned to is not read, but what leads there is.
	if (ts.isPropertyAccessExpression(left)) return [left.expression, node.right];
	return ts.isElementAccessExpression(left) ? [left.expression, left.argumentExpression, node.right] : [];
}

const saidOf = (place: string): string => (place === '[]' ? 'an element' : place.replace(/^\./, ''));
