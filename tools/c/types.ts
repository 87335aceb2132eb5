// SPDX-License-Identifier: GPL-2.0-only
// From what TypeScript declares to C's types. The checker of TypeScript would see `number` where a source says `u32`:
// the type as it is written is what counts.
import ts from 'typescript-ast';
import { constantOf } from '#tools/c/constant.js';
import {
	BOOL,
	type CArray,
	CHAR_POINTER,
	type CStruct,
	type CType,
	enumOf,
	INT,
	INTEGERS,
	IOMEM,
	parseType,
	pointerTo,
	struct,
	U32,
	UNSIGNED_LONG,
	VOID,
	VOID_POINTER,
} from '#tools/c/ctype.js';
import { BASE_MEMBERS, CONST_STRUCTS, ENUMS, factOf, POINTED } from '#tools/c/facts.js';
import type { Found, Source } from '#tools/c/source.js';

/** Types that are called otherwise in C, or that are no types there. */
const NAMES: Readonly<Record<string, CType>> = {
	unsigned_int: INTEGERS.get('unsigned int')!,
	unsigned_long: UNSIGNED_LONG,
	boolean: BOOL,
	Uint8Array: pointerTo(INTEGERS.get('u8')!),
	Uint16Array: pointerTo(INTEGERS.get('u16')!),
	Uint32Array: pointerTo(U32),
	Float64Array: pointerTo(UNSIGNED_LONG),
	Int32Array: pointerTo(INT),
	void_ptr: VOID_POINTER,
	bitmap: pointerTo(UNSIGNED_LONG),
	err_ptr: VOID_POINTER,
	__iomem: IOMEM,
};

/** A member of a struct: how one gets there, and what it is. */
export interface Member {
	/** The structs that it begins with, as `domain.`; mostly ''. */
	readonly path: string;
	readonly type: CType;
}

type StructNode = ts.ClassDeclaration | ts.InterfaceDeclaration;

export const isStructNode = (node: ts.Node): node is StructNode =>
	ts.isClassDeclaration(node) || ts.isInterfaceDeclaration(node);

/** Whether @alias is one of an integer whose values follow it: an enumeration. */
export function isEnumeration(found: Found): boolean {
	const { node, source } = found;
	if (!ts.isTypeAliasDeclaration(node) || !ts.isTypeReferenceNode(node.type)) return false;
	return enumerators(node, source).length > 0;
}

/** The constants right behind @alias whose names begin with its own. */
export function enumerators(alias: ts.TypeAliasDeclaration, source: Source): ts.VariableStatement[] {
	const { statements } = source.ast;
	const prefix = `${alias.name.text.toUpperCase().replace(/_(ACI|TYPE|STATUS)$/, '')}_`;
	const own: ts.VariableStatement[] = [];
	for (let i = statements.indexOf(alias) + 1; i < statements.length; i++) {
		const s = statements[i]!;
		if (!ts.isVariableStatement(s)) break;
		const [d] = s.declarationList.declarations;
		if (d === undefined || !ts.isIdentifier(d.name) || !d.name.text.startsWith(prefix)) break;
		if (d.initializer === undefined || !ts.isNumericLiteral(d.initializer)) break;
		own.push(s);
	}
	return own;
}

/** The C type of what @node says in @source. A struct's name there means a pointer to it. */
export function typeOf(node: ts.TypeNode, source: Source): CType {
	if (ts.isParenthesizedTypeNode(node)) return typeOf(node.type, source);
	if (ts.isTypeOperatorNode(node)) {
		const type = typeOf(node.type, source);
		return type.kind === 'pointer' && type.to.kind === 'int' ? pointerTo(type.to, true) : type;
	}
	if (ts.isUnionTypeNode(node)) return typeOfUnion(node, source);
	if (ts.isArrayTypeNode(node)) {
		const of = typeOf(node.elementType, source);
		// What may be null is an address, and so is what is part of nothing.
		if (ts.isUnionTypeNode(unparenthesized(node.elementType)) || isPointed(of)) return pointerTo(of);
		// An array of structs has them in itself.
		return pointerTo(of.kind === 'pointer' && of.to.kind === 'struct' && of !== IOMEM ? of.to : of);
	}
	if (ts.isFunctionTypeNode(node))
		return pointerTo({
			kind: 'function',
			returns: typeOf(node.type, source),
			params: node.parameters.map((p) => paramOf(p, source)),
		});
	if (ts.isTypeReferenceNode(node)) return typeOfReference(node, source);
	if (ts.isTypeLiteralNode(node)) {
		const members = new Map<string, CType>();
		for (const m of node.members)
			if (ts.isPropertySignature(m) && m.type !== undefined)
				members.set(m.name.getText(source.ast), typeOf(m.type, source));
		return { kind: 'struct', name: '', found: null, members };
	}
	switch (node.kind) {
		case ts.SyntaxKind.VoidKeyword:
			return VOID;
		case ts.SyntaxKind.BooleanKeyword:
			return BOOL;
		case ts.SyntaxKind.StringKeyword:
			return CHAR_POINTER;
		case ts.SyntaxKind.UnknownKeyword:
		case ts.SyntaxKind.ObjectKeyword:
			return VOID_POINTER;
		case ts.SyntaxKind.NumberKeyword:
			return source.refuse(
				node,
				'"number" is outside the kernel subset; C has int, u32, size_t and the like',
			);
	}
	return source.refuse(node, `the type ${node.getText(source.ast)} is outside the kernel subset`);
}

const unparenthesized = (node: ts.TypeNode): ts.TypeNode =>
	ts.isParenthesizedTypeNode(node) ? unparenthesized(node.type) : node;

/** Whether an array of @type has addresses in it. */
const isPointed = (type: CType): boolean =>
	type.kind === 'pointer' && type.to.kind === 'struct' && POINTED.has(type.to.name.replace(/^struct /, ''));

/** null and err_ptr are values of the pointer that they stand beside. */
function typeOfUnion(node: ts.UnionTypeNode, source: Source): CType {
	const left = node.types.filter((t) => {
		const text = t.getText(source.ast);
		return text !== 'null' && text !== 'undefined' && text !== 'err_ptr';
	});
	if (left.length === 0) return VOID_POINTER;
	if (left.length > 1)
		source.refuse(node, 'a union of types is outside the kernel subset; only null and err_ptr may be added');
	return typeOf(left[0]!, source);
}

/** One parameter of a function. */
export function paramOf(p: ts.ParameterDeclaration, source: Source): { name: string; type: CType } {
	if (!ts.isIdentifier(p.name))
		return source.refuse(p, 'a parameter that is taken apart is outside the kernel subset');
	if (p.type === undefined) return source.refuse(p, `the parameter ${p.name.text} has no type`);
	return { name: p.name.text, type: typeOf(p.type, source) };
}

function typeOfReference(node: ts.TypeReferenceNode, source: Source): CType {
	const name = node.typeName.getText(source.ast);
	if (Object.hasOwn(NAMES, name)) return NAMES[name]!;
	const known = INTEGERS.get(name);
	if (known !== undefined) return known;
	const arg = node.typeArguments?.[0];
	if (name === 'ref' && arg !== undefined) return pointerTo(typeOf(arg, source));
	if (name === 'percpu' && arg !== undefined) return perCpu(typeOf(arg, source));
	const t = namedType(name, source, node);
	if (t.kind === 'void') return VOID_POINTER;
	if (t.kind === 'struct') {
		const isConst = CONST_STRUCTS.has(name) || isOwnTable(t);
		const entry = arg !== undefined && name === 'list_head' ? typeOf(arg, source) : null;
		const s: CStruct =
			entry?.kind === 'pointer' && entry.to.kind === 'struct' ? { ...t, entry: entry.to } : t;
		return pointerTo(s, isConst);
	}
	return t;
}

const PERCPU = ' __percpu';

/** What @type points to, one for each CPU. */
const perCpu = (type: CType): CType =>
	type.kind === 'pointer' && type.to.kind === 'struct'
		? pointerTo({ ...type.to, name: `${type.to.name}${PERCPU}` })
		: type;

/** One CPU's of what is one for each. */
export const ofOneCpu = (type: CType): CType =>
	type.kind === 'pointer' && type.to.kind === 'struct'
		? pointerTo({ ...type.to, name: type.to.name.replace(PERCPU, '') })
		: type;

/** An interface in a driver is a table that nobody changes. */
const isOwnTable = (t: CStruct): boolean =>
	t.found !== null && ts.isInterfaceDeclaration(t.found.node) && t.found.source.path.includes('drivers/');

/** What @name is as a type in @source: a struct itself, or another type. */
export function namedType(name: string, source: Source, at: ts.Node): CType {
	const found = source.find(name, 'type');
	const fact = factOf(name);
	if (fact?.kind === 'enum' || ENUMS.has(name)) return enumOf(`enum ${name}`);
	if (fact?.kind === 'typedef' && fact.type !== undefined) {
		const under = parseType(fact.type);
		if (under.kind === 'struct' && fact.returns !== undefined)
			return pointerTo({
				kind: 'function',
				name,
				returns: parseType(fact.returns),
				params: (fact.params ?? []).map((p) => ({ name: '', type: parseType(p) })),
			});
		return under.kind === 'int' ? { ...under, name } : under;
	}
	if (fact?.kind === 'struct') return struct(`struct ${name}`, found);
	// A type parameter of an imported function: whatever it is called with.
	if (found === null && /^[A-Z]$/.test(name)) return VOID;
	if (found === null) return source.refuse(at, `nothing declares the type ${name}`);
	const { node } = found;
	if (isStructNode(node)) return struct(name.endsWith('_t') ? name : `struct ${name}`, found);
	if (ts.isTypeAliasDeclaration(node)) {
		if (isEnumeration(found)) return enumOf(`enum ${name}`);
		return typeOf(node.type, found.source);
	}
	if (ts.isEnumDeclaration(node)) return enumOf(`enum ${name}`);
	return source.refuse(at, `${name} is no type`);
}

/** What a struct that extends another calls it. */
export const baseMember = (base: string): string =>
	BASE_MEMBERS[base] ?? base.slice(base.lastIndexOf('_') + 1);

/** The struct that @s begins with, and what it is called there. */
export function baseOf(s: CStruct): { member: string; type: CStruct } | null {
	if (s.found === null || !ts.isClassDeclaration(s.found.node)) return null;
	const clause = s.found.node.heritageClauses?.find((h) => h.token === ts.SyntaxKind.ExtendsKeyword);
	const expression = clause?.types[0]?.expression;
	if (expression === undefined) return null;
	const name = expression.getText(s.found.source.ast);
	const type = namedType(name, s.found.source, expression);
	return type.kind === 'struct' ? { member: baseMember(name), type } : null;
}

/** The member @name of @s. */
export function memberOf(s: CStruct, name: string): Member | null {
	if (s.members !== undefined) {
		const type = s.members.get(name);
		return type === undefined ? null : { path: '', type };
	}
	const known = factOf(s.name.replace(/^struct /, ''))?.members;
	const text = known !== undefined && Object.hasOwn(known, name) ? known[name] : undefined;
	if (text !== undefined) return { path: '', type: named(parseType(text), s) };
	if (s.found === null || !isStructNode(s.found.node)) return null;
	for (const m of s.found.node.members)
		if (m.name !== undefined && m.name.getText(s.found.source.ast) === name)
			return { path: '', type: memberType(m, s.found.source) };
	const base = baseOf(s);
	const inner = base !== null ? memberOf(base.type, name) : null;
	return inner === null ? null : { path: `${base!.member}.${inner.path}`, type: inner.type };
}

/** A struct that only C's text names gets the declaration that it has here. */
function named(type: CType, from: CStruct): CType {
	if (type.kind === 'pointer') return { ...type, to: named(type.to, from) };
	if (type.kind !== 'struct' || type.found !== null || from.found === null) return type;
	const found = from.found.source.find(type.name.replace(/^struct /, ''), 'type');
	return found === null ? type : { ...type, found };
}

/** What the member @m of a class or an interface is: made with `new` it lies in the struct. */
export function memberType(m: ts.ClassElement | ts.TypeElement, source: Source): CType {
	if (ts.isPropertyDeclaration(m)) {
		const made = m.initializer !== undefined && ts.isNewExpression(m.initializer);
		const array = m.initializer === undefined ? null : arrayOf(m.initializer, source);
		if (array !== null) return array;
		if (m.type === undefined) {
			if (made) return madeType(m.initializer as ts.NewExpression, source);
			const inner = m.initializer === undefined ? null : inlineOf(m.initializer, source);
			if (inner !== null) return inner;
			return source.refuse(m, `the member ${m.name.getText(source.ast)} has no type`);
		}
		const type = typeOf(m.type, source);
		return made && type.kind === 'pointer' && type.to.kind === 'struct' ? type.to : type;
	}
	if (ts.isPropertySignature(m) && m.type !== undefined) return typeOf(m.type, source);
	if (ts.isGetAccessorDeclaration(m) && m.type !== undefined) return typeOf(m.type, source);
	if (ts.isMethodSignature(m) && m.type !== undefined)
		return pointerTo({
			kind: 'function',
			returns: typeOf(m.type, source),
			params: m.parameters.map((p) => paramOf(p, source)),
		});
	return source.refuse(m, 'a method of a struct is outside the kernel subset; C has functions');
}

/** How long `new Uint32Array(16)`, or an array of structs made there, is, and of what; null: @init is no such. */
export function arrayOf(init: ts.Expression, source: Source): CArray | null {
	if (ts.isArrayLiteralExpression(init)) {
		const [first] = init.elements;
		if (first === undefined || !init.elements.every((e) => ts.isNewExpression(e))) return null;
		const of = namedType((first as ts.NewExpression).expression.getText(source.ast), source, init);
		return { kind: 'array', of, length: String(init.elements.length) };
	}
	if (!ts.isNewExpression(init)) return null;
	const name = init.expression.getText(source.ast);
	const type =
		/^(?:(?:Ui|I)nt(?:8|16|32)|Float64)Array$/.test(name) && Object.hasOwn(NAMES, name) ? NAMES[name]! : null;
	const [length] = init.arguments ?? [];
	if (type?.kind !== 'pointer') return null;
	const [, more] = init.arguments ?? [];
	if (length === undefined || more !== undefined || constantOf(length, source) === null)
		return source.refuse(init, 'how long an array in a struct is has to be a constant in C');
	return { kind: 'array', of: type.to, length: length.getText(source.ast) };
}

/** The struct that @init makes; of a list's head also what is in the list. */
function madeType(init: ts.NewExpression, source: Source): CType {
	const type = namedType(init.expression.getText(source.ast), source, init);
	const [arg] = init.typeArguments ?? [];
	if (type.kind !== 'struct' || type.name !== 'struct list_head' || arg === undefined) return type;
	const entry = typeOf(arg, source);
	return entry.kind === 'pointer' && entry.to.kind === 'struct' ? { ...type, entry: entry.to } : type;
}

/** What a member without a type starts as: text is an array of characters, `{ a: new x() }` a struct without a name. */
function inlineOf(init: ts.Expression, source: Source): CType | null {
	if (ts.isStringLiteral(init)) return { kind: 'array', of: INTEGERS.get('char')!, length: '' };
	if (!ts.isObjectLiteralExpression(init)) return null;
	const members = new Map<string, CType>();
	for (const p of init.properties) {
		const value = ts.isPropertyAssignment(p) ? p.initializer : source.refuse(p, 'a member has a value');
		const type = ts.isNewExpression(value)
			? namedType(value.expression.getText(source.ast), source, value)
			: ts.isAsExpression(value)
				? typeOf(value.type, source)
				: (inlineOf(value, source) ?? source.refuse(p, 'this member needs a type: 0 as u32'));
		members.set(p.name!.getText(source.ast), type);
	}
	return { kind: 'struct', name: '', found: null, members };
}

/** What the call of @node, in @source, returns; @fallback when no type is written. */
export function returnsOf(node: ts.FunctionDeclaration | ts.ArrowFunction, source: Source): CType {
	return node.type === undefined ? INT : typeOf(node.type, source);
}
