// SPDX-License-Identifier: GPL-2.0-only
// Functions of the port that C writes otherwise: macros over names, views that are pointers, structs that are sizes.
import ts from 'typescript-ast';
import { argList, callDoc, strip, structOf } from '#tools/c/build.js';
import {
	type CInt,
	type CStruct,
	type CType,
	INT,
	pointerTo,
	struct,
	U32,
	U64,
	UNSIGNED_LONG,
	VOID,
	VOID_POINTER,
} from '#tools/c/ctype.js';
import type { Expressions } from '#tools/c/expression.js';
import { memberOfType } from '#tools/c/global.js';
import { align, type Doc, flat, join, space } from '#tools/c/layout.js';
import { isStructNode, memberType, namedType, ofOneCpu, typeOf } from '#tools/c/types.js';
import { boundOf, LIMIT_32, PREC, type Value, value, wrapped } from '#tools/c/value.js';

/** What @node becomes; null: as any call. */
type Intrinsic = (e: Expressions, node: ts.CallExpression) => Value | null;

/** The name of what @node calls. */
const calleeOf = (e: Expressions, node: ts.CallExpression): string =>
	e.unit.source.nameOf(node.expression) ?? node.expression.getText(e.unit.source.ast);

const call = (name: string, docs: readonly Doc[], type: CType, more: Partial<Value> = {}): Value =>
	value([name, '(', align(join(docs, [',', space])), ')'], type, more);

/** An allocation of a class: as big as what the variable that gets it points to. */
const sized =
	(classAt: number, shape: (size: string, args: readonly Doc[]) => readonly Doc[]): Intrinsic =>
	(e, node) => {
		const what = strip(node.arguments[classAt]!);
		const s = e.structNamed(what);
		const isAddress = what.kind === ts.SyntaxKind.NullKeyword;
		if (s === null && !isAddress) return null;
		const name = calleeOf(e, node);
		const others = node.arguments.filter((_, i) => i !== classAt);
		const args = e.args(node, others, []).map((a) => a.doc);
		e.unit.use(name);
		const [arg] = node.typeArguments ?? [];
		const address = arg === undefined ? VOID_POINTER : typeOf(arg, e.unit.source);
		const type = pointerTo(s ?? address);
		return value('', type, {
			effects: true,
			sized: (target) =>
				callDoc(
					name,
					shape(`sizeof(*${target})`, args).map((d) => value(d, INT)),
				),
		});
	};

/** A view of memory as other words: the same pointer in C. */
const sameAddress =
	(type: CType): Intrinsic =>
	(e, node) => ({ ...e.operand(node.arguments[0]!), type, lvalue: false });

const toVirt =
	(type: CType): Intrinsic =>
	(e, node) => {
		e.unit.use('phys_to_virt');
		const [phys] = e.args(node, [node.arguments[0]!], []);
		return call('phys_to_virt', [phys!.doc], type, { effects: phys!.effects, untyped: true });
	};

/** A poll macro: its condition stands there as it is. @before: how many arguments come before the variable. */
const poll =
	(before: number): Intrinsic =>
	(e, node) => {
		const name = calleeOf(e, node);
		e.unit.use(name);
		const args = node.arguments;
		const first = e.args(node, args.slice(0, before), []);
		const [ref, test] = [strip(args[before]!), strip(args[before + 1]!)];
		if (!ts.isArrowFunction(test) || ts.isBlock(test.body))
			return e.refuse(
				args[before + 1]!,
				`the condition of ${name}() is an arrow with one expression: (val) => …`,
			);
		const [param] = test.parameters;
		const variable = e.unit.pollVariable(e, ref, param?.name.getText(e.unit.source.ast) ?? null);
		const condition = e.condition(test.body);
		const rest = e.args(node, args.slice(before + 2), []);
		const docs = [...first.map((v) => v.doc), variable, condition.doc, ...rest.map((v) => v.doc)];
		return call(name, docs, INT, { effects: true });
	};

/** In a list of what, and by which of its members. */
function entryOf(e: Expressions, node: ts.Expression): { head: Value; entry: CStruct; member: string } {
	const head = e.operand(node);
	const s = structOf(head.type);
	if (s?.entry === undefined)
		return e.refuse(node, 'what is in this list? Its head needs a type: list_head<…>');
	return { head: e.pointer(head, null), entry: s.entry, member: listMember(e, node, s.entry) };
}

/** The member of @entry that is its place in a list: `node: list_head<entry> = new list_head<entry>(this)`. */
export function listMember(e: Expressions, at: ts.Node, entry: CStruct): string {
	const d = entry.found?.node;
	if (d !== undefined && isStructNode(d))
		for (const m of d.members) {
			if (!ts.isPropertyDeclaration(m) || m.initializer === undefined || !ts.isNewExpression(m.initializer))
				continue;
			const t = memberType(m, entry.found!.source);
			if (t.kind === 'struct' && t.name === 'struct list_head' && m.initializer.arguments?.length === 1)
				return m.name.getText(entry.found!.source.ast);
		}
	return e.refuse(at, `${entry.name} has no member that could be in a list`);
}

const listEntry: Intrinsic = (e, node) => {
	const name = calleeOf(e, node);
	e.unit.use(name);
	const { head, entry, member } = entryOf(e, node.arguments[0]!);
	return call(name, [head.doc, entry.name, member], pointerTo(entry));
};

/** A macro over an expression whose type it has. */
const typedByFirst =
	(name: string): Intrinsic =>
	(e, node) => {
		const values = e.args(node, node.arguments, []);
		e.unit.use(name);
		return value([name, ...argList(values)], values[0]!.type, { effects: values.some((v) => v.effects) });
	};

/** shl64(a, n), shr64(a, n): C shifts any width. */
const shift64 =
	(sign: '<<' | '>>'): Intrinsic =>
	(e, node) => {
		const a = e.operand(node.arguments[0]!);
		const n = e.operand(node.arguments[1]!);
		e.twice(node, [a, n]);
		const type = a.type as CInt;
		const left: Doc = type.bits === 64 ? operandOfShift(a) : ['(u64)', wrapped(a, PREC.cast)];
		const known = boundOf(a);
		return value([left, ` ${sign} `, operandOfShift(n)], type.bits === 64 ? type : U64, {
			prec: PREC.shift,
			operator: sign,
			max: sign === '>>' ? known : null,
			effects: a.effects || n.effects,
		});
	};

const operandOfShift = (v: Value): Doc =>
	v.prec <= PREC.shift || v.operator !== '' ? ['(', v.doc, ')'] : v.doc;

/** and64(a, b) and its kin. */
const bits64 =
	(sign: string, prec: number): Intrinsic =>
	(e, node) => {
		const [a, b] = node.arguments.map((x) => e.operand(x));
		e.twice(node, [a!, b!]);
		const inner = (v: Value): Doc => (v.operator !== '' ? ['(', v.doc, ')'] : v.doc);
		return value([inner(a!), ` ${sign} `, inner(b!)], U64, {
			prec,
			operator: sign,
			effects: a!.effects || b!.effects,
		});
	};

/** What a field of @mask can hold. */
const fieldGet: Intrinsic = (e, node) => {
	const values = e.args(node, node.arguments, []);
	e.unit.use('FIELD_GET');
	const mask = values[0]!.max;
	const max = mask !== null && mask > 0n ? mask / (mask & -mask) : null;
	return value(['FIELD_GET', ...argList(values)], UNSIGNED_LONG, {
		max,
		effects: values.some((v) => v.effects),
	});
};

const fieldPrep: Intrinsic = (e, node) => {
	const values = e.args(node, node.arguments, []);
	e.unit.use('FIELD_PREP');
	return value(['FIELD_PREP', ...argList(values)], UNSIGNED_LONG, {
		max: values[0]!.max,
		effects: values.some((v) => v.effects),
	});
};

const bit: Intrinsic = (e, node) => {
	const values = e.args(node, node.arguments, []);
	const name = calleeOf(e, node);
	e.unit.use(name);
	const n = e.unit.constant(node);
	if (n !== null && BigInt(Number(n)) !== n)
		e.refuse(node, 'a number beyond 2^53 is none that TypeScript can hold');
	const max = n ?? LIMIT_32 - 1n;
	return value([name, ...argList(values)], UNSIGNED_LONG, { max });
};

/** What only TypeScript needs a call for: in C it is its argument @at. */
const argument =
	(at: number): Intrinsic =>
	(e, node) =>
		e.operand(node.arguments[at]!);

/** One CPU's object. */
const cpuPointer: Intrinsic = (e, node) => {
	const name = calleeOf(e, node);
	e.unit.use(name);
	const values = e.args(node, node.arguments, []);
	return value(callDoc(name, values), ofOneCpu(values[0]!.type), { effects: values.some((v) => v.effects) });
};

/** A macro that takes the name of a struct. */
const ofStruct =
	(type: (s: CStruct) => CType): Intrinsic =>
	(e, node) => {
		const name = calleeOf(e, node);
		const [what, ...rest] = node.arguments;
		const s = e.structNamed(strip(what!));
		if (s === null) return null;
		e.unit.use(name);
		const others = e.args(node, rest, []).map((v) => v.doc);
		// KMEM_CACHE() puts "struct" before the name itself.
		const said = name === 'KMEM_CACHE' ? s.name.replace('struct ', '') : s.name;
		return call(name, [said, ...others], type(s), { effects: true });
	};

/** Entries of a scatterlist lie behind each other in C. */
const sgAt: Intrinsic = (e, node) => {
	const [sgl, i] = e.args(node, node.arguments, []);
	return value(['&', wrapped(sgl!, PREC.primary), '[', i!.doc, ']'], sgl!.type, {
		prec: PREC.unary,
		effects: sgl!.effects || i!.effects,
	});
};

/** An array of them from the heap. */
const kmallocSg: Intrinsic = (e, node) => {
	const [n, gfp] = e.args(node, node.arguments, []);
	e.unit.header('linux/slab.h');
	const returns = pointerTo(namedType('scatterlist', e.unit.source, node));
	return call('kmalloc_array', [n!.doc, 'sizeof(struct scatterlist)', gfp!.doc], returns, { effects: true });
};

/** As @name, which has another name in C. */
const renamed =
	(name: string, header: string, type: CType): Intrinsic =>
	(e, node) => {
		e.unit.header(header);
		return value(callDoc(name, e.args(node, node.arguments, [])), type, { effects: true });
	};

const sgZero: Intrinsic = (e, node) => {
	const [sgl, n] = e.args(node, node.arguments, []);
	e.unit.header('linux/string.h');
	const size: Doc = ['sizeof(*', wrapped(sgl!, PREC.unary), ') * ', wrapped(n!, PREC.multiply)];
	return call('memset', [sgl!.doc, '0', size], VOID_POINTER, { effects: true });
};

export const INTRINSICS: Readonly<Record<string, Intrinsic>> = {
	BIT: bit,
	GENMASK: bit,
	FIELD_GET: fieldGet,
	FIELD_PREP: fieldPrep,
	kzalloc: sized(0, (size, [gfp]) => [size, gfp!]),
	kmalloc: sized(0, (size, [gfp]) => [size, gfp!]),
	kcalloc: sized(1, (size, [n, gfp]) => [n!, size, gfp!]),
	devm_kzalloc: sized(1, (size, [dev, gfp]) => [dev!, size, gfp!]),
	devm_kmalloc: sized(1, (size, [dev, gfp]) => [dev!, size, gfp!]),
	devm_kcalloc: sized(2, (size, [dev, n, gfp]) => [dev!, n!, size, gfp!]),
	words: sameAddress(pointerTo(U32)),
	bytes: sameAddress(VOID_POINTER),
	phys_to_virt: toVirt(VOID_POINTER),
	phys_to_virt_words: toVirt(pointerTo(U32)),
	readl_poll_timeout: poll(1),
	readl_poll_timeout_atomic: poll(1),
	readl_relaxed_poll_timeout: poll(1),
	readx_poll_timeout: poll(2),
	readx_poll_timeout_atomic: poll(2),
	// A fault that C's own access is.
	deref: argument(0),
	// How much a view holds is nothing that C knows.
	view_room: argument(1),
	alloc_percpu: ofStruct((s) => pointerTo({ ...s, name: `${s.name} __percpu` })),
	KMEM_CACHE: ofStruct(() => pointerTo(struct('struct kmem_cache'))),
	per_cpu_ptr: cpuPointer,
	raw_cpu_ptr: cpuPointer,
	this_cpu_ptr: cpuPointer,
	sg_at: sgAt,
	kmalloc_sg: kmallocSg,
	kfree_sg: renamed('kfree', 'linux/slab.h', VOID),
	sg_zero: sgZero,
	sg_assign: (e, node) => {
		const [to, from] = e.args(node, node.arguments, []);
		// `*&x` is x.
		const behind = (v: Value): string => `*${flat(wrapped(v, PREC.unary))}`.replace(/^\*&/, '');
		const docs: Doc = [behind(to!), ' = ', behind(from!)];
		return value(docs, VOID, { prec: PREC.assign, effects: true });
	},
	list_first_entry: listEntry,
	list_last_entry: listEntry,
	list_first_entry_or_null: listEntry,
	// A word of a table is its address in C.
	cmpxchg: (e, node) => {
		const [table, index, ...rest] = e.args(node, node.arguments, []);
		e.unit.use('cmpxchg');
		const of = table!.type.kind === 'pointer' ? table!.type.to : U32;
		const place: Doc = ['&', wrapped(table!, PREC.primary), '[', index!.doc, ']'];
		return call('cmpxchg', [place, ...rest.map((v) => v.doc)], of, { effects: true });
	},
	// An address stays one, with what is an error in it.
	ERR_PTR: (e, node) => {
		const [v] = e.args(node, node.arguments, []);
		e.unit.use('ERR_PTR');
		return call('ERR_PTR', [v!.doc], VOID_POINTER, { effects: v!.effects });
	},
	PTR_ERR: (e, node) => {
		const [v] = e.args(node, node.arguments, []);
		e.unit.use('PTR_ERR');
		return call('PTR_ERR', [v!.doc], INT, { effects: v!.effects });
	},
	container_of: (e, node) => {
		const s = e.structNamed(strip(node.arguments[1]!));
		const pointer = e.operand(node.arguments[0]!);
		const inner = structOf(pointer.type);
		if (s === null || inner === null)
			return e.refuse(node, 'container_of() takes a struct, and the class that it lies in');
		e.unit.use('container_of');
		const member = memberOfType(e.unit, s, inner.name);
		if (member === null) return e.refuse(node, `${s.name} has no ${inner.name} in it`);
		return call('container_of', [e.pointer(pointer, null).doc, s.name, member], pointerTo(s));
	},
	shl64: shift64('<<'),
	shr64: shift64('>>'),
	and64: bits64('&', PREC.and),
	or64: bits64('|', PREC.or),
	xor64: bits64('^', PREC.xor),
	min: typedByFirst('min'),
	max: typedByFirst('max'),
	clamp: typedByFirst('clamp'),
	PAGE_ALIGN: typedByFirst('PAGE_ALIGN'),
	ALIGN: typedByFirst('ALIGN'),
	platform_get_drvdata: (e, node) => typedAnswer(e, node),
	dev_get_drvdata: (e, node) => typedAnswer(e, node),
};

/** void * in C; here the type argument tells what it is. */
function typedAnswer(e: Expressions, node: ts.CallExpression): Value {
	const name = calleeOf(e, node);
	e.unit.use(name);
	const [arg] = node.typeArguments ?? [];
	return value(
		callDoc(name, e.args(node, node.arguments, [])),
		arg === undefined ? VOID_POINTER : typeOf(arg, e.unit.source),
		{ effects: false, untyped: true },
	);
}
