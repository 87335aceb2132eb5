// SPDX-License-Identifier: GPL-2.0-only
// What prints: the newline that C's formats end with, and the addresses that some of them take.
import ts from 'typescript-ast';
import { argList, quote, strip } from '#tools/c/build.js';
import { CHAR_POINTER, declare, pointerTo, VOID } from '#tools/c/ctype.js';
import type { Expressions } from '#tools/c/expression.js';
import { outside } from '#tools/c/outside.js';
import { PREC, type Value, value, wrapped } from '#tools/c/value.js';

const LEVEL = '(emerg|alert|crit|err|warn|notice|info|dbg|warning|cont)';
const DEV = new RegExp(`^(dev|drm)_${LEVEL}(_once|_ratelimited)?$`);
const V4L2 = /^v4l2_(err|warn|info)$/;
const PR = new RegExp(`^(pr)_${LEVEL}(_once|_ratelimited)?$`);

/** Which argument of @name is a format; null: none. */
export function printkFormatAt(name: string): number | null {
	if (DEV.test(name) || V4L2.test(name) || name === 'WARN' || name === 'WARN_ONCE') return 1;
	if (PR.test(name) || name === 'printk' || name === 'panic') return 0;
	if (name === 'snprintf' || name === 'scnprintf') return 2;
	if (name === 'dev_err_probe') return 2;
	return null;
}

/** A conversion of a format: `lx`, `pad`, `s`. */
interface Conversion {
	readonly length: string;
	readonly kind: string;
}

/** The conversions of @format, in their order; a `*` takes an int. */
function conversions(format: string): Conversion[] {
	const found: Conversion[] = [];
	for (const m of format.matchAll(
		/%[-+ #0]*(\d+|\*)?(?:\.(\d+|\*))?(hh|h|ll|l|z|t)?(%|p[A-Za-z]*|[a-zA-Z])/g,
	)) {
		if (m[4] === '%') continue;
		for (const width of [m[1], m[2]]) if (width === '*') found.push({ length: '', kind: 'd' });
		found.push({ length: m[3] ?? '', kind: m[4]! });
	}
	return found;
}

const LONG = new Set(['unsigned long', 'long', 'size_t', 'ssize_t', 'loff_t']);

/** Refuse @v, which @node is, where gcc would warn of it behind %@length@kind. */
function check(e: Expressions, node: ts.Node, { length, kind }: Conversion, v: Value): void {
	const said = `%${length}${kind}`;
	const is = declare(v.type, '').trim();
	if (kind === 's') {
		const isText =
			(v.type.kind === 'pointer' ? v.type.to : v.type.kind === 'array' ? v.type.of : null) ?? null;
		if (isText?.kind !== 'int' || isText.bits !== 8)
			e.refuse(node, `${said} takes a string, and this is ${is} in C`);
	} else if (kind.startsWith('p')) {
		if (v.type.kind === 'int') e.refuse(node, `${said} takes a pointer, and this is ${is} in C`);
	} else {
		if (v.type.kind !== 'int') {
			e.refuse(node, `${said} takes a number, and this is ${is} in C`);
			return;
		}
		const { bits, name } = v.type;
		const isLong = bits === 64 && LONG.has(name);
		const fits =
			length === 'll'
				? bits === 64 && !isLong
				: length === 'l' || length === 'z' || length === 't'
					? isLong
					: bits <= 32;
		const better = bits <= 32 ? '' : isLong ? (name.endsWith('size_t') ? 'z' : 'l') : 'll';
		if (!fits) e.refuse(node, `${said} does not take ${is}; write %${better}${kind}`);
	}
}

/** Extensions of %p that take the address of a variable. */
const BY_ADDRESS = /^p(ad|a[pd]?)$/;

export function printk(e: Expressions, node: ts.CallExpression, name: string, at: number): Value {
	const format = node.arguments[at];
	const inner = format === undefined ? undefined : strip(format);
	if (inner !== undefined && (ts.isTemplateExpression(inner) || ts.isNoSubstitutionTemplateLiteral(inner)))
		return e.refuse(inner, outside(inner));
	if (inner === undefined || !ts.isStringLiteral(inner))
		return e.refuse(node, `${name}() takes a string as its format, with the values behind it`);
	if (inner.text.includes('\0')) e.refuse(node, 'a string of C ends at its first NUL');
	const kinds = conversions(inner.text);
	const rest = node.arguments.slice(at + 1);
	if (kinds.length !== rest.length)
		e.refuse(node, `the format has ${kinds.length} conversions, and ${rest.length} values follow`);
	const before = e.args(node, node.arguments.slice(0, at), at === 0 ? [] : [pointerTo(VOID)]);
	const isMessage = !name.endsWith('printf');
	const text = isMessage && !inner.text.endsWith('\n') ? `${inner.text}\n` : inner.text;
	const values = rest.map((a, i) =>
		BY_ADDRESS.test(kinds[i]!.kind) ? addressOf(e, a, kinds[i]!.kind) : passed(e, a, kinds[i]!),
	);
	const all = [...before, value(quote(text), CHAR_POINTER), ...values];
	e.twice(node, all);
	return value([name, ...argList(all)], VOID, { effects: true });
}

function passed(e: Expressions, node: ts.Expression, conversion: Conversion): Value {
	const v = e.operand(node);
	check(e, node, conversion, v);
	return v.type.kind === 'struct' ? e.pointer(v, null) : v;
}

function addressOf(e: Expressions, node: ts.Expression, kind: string): Value {
	const inner = ts.isAsExpression(node) ? strip(node.expression) : strip(node);
	const v = e.operand(inner);
	if (!v.lvalue || (!ts.isIdentifier(inner) && !ts.isPropertyAccessExpression(inner)))
		e.refuse(node, `%${kind} takes the address of its value in C; give the value a variable`);
	if (v.type.kind !== 'int' || v.type.bits !== 64)
		e.refuse(node, `%${kind} takes an address of 64 bits; give the value a variable of such a type`);
	return value(['&', wrapped(v, PREC.unary)], pointerTo(v.type), { prec: PREC.unary });
}
