// SPDX-License-Identifier: GPL-2.0-only
// Functions of numbers alone - table words, fields of registers, indexes, alignment - as C beside TypeScript.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from 'typescript-ast';
import { strip } from '#tools/c/build.js';
import { constantOf } from '#tools/c/constant.js';
import { type CInt, type CType, declare } from '#tools/c/ctype.js';
import { PURE } from '#tools/c/facts.js';
import { Project, type Source } from '#tools/c/source.js';
import { returnsOf, typeOf } from '#tools/c/types.js';
import { PROJECT } from '#tools/project.js';
import { UserError } from '#tools/run/user-error.js';
import { random } from '../random.js';
import { answers, compile, emitted, HERE, TRAPS } from './library.js';

/** A function of integers. */
interface Pure {
	readonly name: string;
	readonly params: readonly CInt[];
	/** How many bits an argument of each has: C says nothing of numbers that are none of the hardware's. */
	readonly widths: readonly number[];
	readonly returns: CInt;
}

type Callable = ts.FunctionDeclaration | ts.ArrowFunction;

/** What @name is in @source, if it can be called. */
function callableOf(source: Source, name: string): Callable | null {
	const d = source.declared.get(name);
	if (d === undefined) return null;
	if (ts.isFunctionDeclaration(d)) return d;
	const init = ts.isVariableDeclaration(d) && d.initializer !== undefined ? strip(d.initializer) : null;
	return init !== null && ts.isArrowFunction(init) ? init : null;
}

/** Masters and domains have numbers of so many bits; what they stand for is a bit of a register. */
const BIT_NUMBER = 3;

/** A frame number of 4 KiB fills a word at most. */
const ADDRESS = 44;

/** Whether @f, called @name, makes a bit, or the place of a register, of what it is given the number of. */
const takesNumber = (name: string, f: Callable, source: Source): boolean =>
	ts.isArrowFunction(f) &&
	(name.endsWith('_REG') || /\bBIT\((?=[^)]*[a-z])/.test(f.body.getText(source.ast)));

function widthOf(type: CInt): number {
	if (type.name.startsWith('enum ')) return 4;
	if (/^(?:phys|dma)_addr_t$/.test(type.name)) return ADDRESS;
	return Math.min(type.signed ? type.bits - 1 : type.bits, 53);
}

function integer(what: () => CType): CInt | null {
	try {
		const type = what();
		return type.kind === 'int' ? type : null;
	} catch {
		return null;
	}
}

/** All functions of @source that take and give integers, and look at nothing else. */
class Search {
	/** Names that the functions need: other functions and constants of the file, and constants of others. */
	readonly own = new Set<string>();
	readonly foreign = new Map<string, bigint>();
	private readonly known = new Map<string, Pure | null>();

	constructor(readonly source: Source) {}

	all(): Pure[] {
		return [...this.source.declared.keys()].map((n) => this.pure(n)).filter((p) => p !== null);
	}

	private pure(name: string): Pure | null {
		const known = this.known.get(name);
		if (known !== undefined) return known;
		this.known.set(name, null);
		const f = callableOf(this.source, name);
		if (f?.body === undefined || f.parameters.length === 0) return null;
		const params = f.parameters.map((p) => integer(() => typeOf(p.type!, this.source)));
		const returns = integer(() =>
			f.type === undefined && ts.isArrowFunction(f)
				? { kind: 'int', name: 'unsigned long', bits: 64, signed: false }
				: returnsOf(f, this.source),
		);
		if (returns === null || params.includes(null)) return null;
		const uses = new Set([name]);
		if (!this.looksAtNumbersOnly(f, uses)) return null;
		for (const n of uses) this.own.add(n);
		for (const t of [...(params as CInt[]), returns])
			if (t.name.startsWith('enum ')) this.own.add(t.name.slice('enum '.length));
		const widths = (params as CInt[]).map((t) =>
			takesNumber(name, f, this.source) ? BIT_NUMBER : widthOf(t),
		);
		const found = { name, params: params as CInt[], widths, returns };
		this.known.set(name, found);
		return found;
	}

	/** Whether @f's body has only numbers in it; @uses takes what it needs of its file. */
	private looksAtNumbersOnly(f: Callable, uses: Set<string>): boolean {
		const local = new Set<string>();
		let ok = true;
		const visit = (n: ts.Node): void => {
			if (!ok || ts.isTypeNode(n)) return;
			if (ts.isParameter(n) || ts.isVariableDeclaration(n)) local.add(n.name.getText(this.source.ast));
			if (ts.isElementAccessExpression(n) || ts.isNewExpression(n) || ts.isStringLiteral(n)) ok = false;
			else if (ts.isPropertyAccessExpression(n)) ok = n.expression.getText(this.source.ast) === 'Math';
			else if (ts.isIdentifier(n)) ok = local.has(n.text) || this.isNumber(n, uses);
			else ts.forEachChild(n, visit);
		};
		for (const p of f.parameters) visit(p);
		visit(f.body!);
		return ok;
	}

	private isNumber(n: ts.Identifier, uses: Set<string>): boolean {
		const name = n.text;
		const d = this.source.declared.get(name);
		if (callableOf(this.source, name) !== null) {
			uses.add(name);
			return uses.size < 2 || this.pure(name) !== null || name === [...uses][0];
		}
		if (d !== undefined) {
			const init = ts.isVariableDeclaration(d) ? d.initializer : undefined;
			if (init === undefined || constantOf(n, this.source) === null) return false;
			uses.add(name);
			let ok = true;
			const visit = (x: ts.Node): void => {
				if (ts.isIdentifier(x)) ok &&= this.isNumber(x, uses);
				else ts.forEachChild(x, visit);
			};
			visit(init);
			return ok;
		}
		if (PURE.has(name) && !/virt|^(?:words|bytes)$/.test(name)) return true;
		const value = constantOf(n, this.source);
		if (value !== null) this.foreign.set(name, value);
		return value !== null;
	}
}

const EDGES = [
	0n,
	1n,
	2n,
	3n,
	0x3ffn,
	0xfffn,
	0x1000n,
	0xfffffn,
	0x10_0000n,
	0x7fff_ffffn,
	0x8000_0000n,
	0xffff_f000n,
	0xffff_ffffn,
	0x1_0000_0000n,
	0xff_ffff_f000n,
	0x100_0000_0000n,
	0xffff_ffff_ffffn,
	(1n << 53n) - 1n,
];

/** What numbers the parameters of @f are called with: edges, and any. */
function inputs(f: Pure, count: number, next: () => number): bigint[][] {
	const any = (width: number, at: number, i: number): bigint => {
		if (width === 1) return BigInt((i >> at) & 1);
		const bits = BigInt(width);
		const edge = EDGES[Math.floor(next() * EDGES.length)]!;
		const wide = (BigInt(Math.floor(next() * 2 ** 32)) << 21n) | BigInt(Math.floor(next() * 2 ** 21));
		const n = f.params.length === 1 && i < EDGES.length ? EDGES[i]! : next() < 0.5 ? edge : wide;
		const shifted = next() < 0.3 ? n >> BigInt(Math.floor(next() * 53)) : n;
		return shifted & ((1n << bits) - 1n);
	};
	return Array.from({ length: count }, (_, i) => f.widths.map((w, at) => any(w, at, i)));
}

/** A program of C that calls the functions by their numbers. */
function harness(text: string, functions: readonly Pure[]): string {
	const cases = functions.map(({ name, params, returns }, i) => {
		const args = params.map((t) => `(${declare(t, '').trim()})number()`);
		const temporaries = args.map((a, n) => `\t\t__typeof__(${a}) a${n} = ${a};\n`).join('');
		const call = `${name}(${args.map((_, n) => `a${n}`).join(', ')})`;
		const out = returns.signed
			? `printf("%lld", (long long)${call})`
			: `printf("%llu", (unsigned long long)${call})`;
		return `\tcase ${i}: {\n${temporaries}\t\t${out};\n\t\tbreak;\n\t}\n`;
	});
	return `${text}
#include "steps.h"

void prepare(void)
{
}

bool play(const char *command)
{
	switch (atoi(command)) {
${cases.join('')}	}
	return true;
}
`;
}

export interface PureResult {
	readonly functions: number;
	readonly calls: number;
	readonly differences: readonly string[];
}

/** Compare all pure functions of @path, each called @count times. */
export async function comparePure(path: string, folder: string, count: number): Promise<PureResult> {
	const project = new Project(PROJECT);
	const source = project.open(join(PROJECT, path));
	if (source === null) throw new UserError(`${path}: cannot be read`);
	const search = new Search(source);
	const functions = search.all();
	const defines = [...search.foreign].map(
		([n, v]) => `#ifndef ${n}\n#define ${n} ${v}${v > 0x7fff_ffffn ? 'UL' : ''}\n#endif\n`,
	);
	const text = emitted(project, path, search.own).replaceAll(/^#include .*$/gm, '');
	const name = path.replaceAll(/[/.]/g, '-');
	const to = resolve(folder, name);
	mkdirSync(to, { recursive: true });
	const file = join(to, 'pure.c');
	writeFileSync(file, harness(`#include "kernel.h"\n${defines.join('')}${text}`, functions));
	compile(join(to, 'play'), [file, join(HERE, 'kernel.c'), join(HERE, 'steps.c')], [...TRAPS, `-I${HERE}`]);

	// The functions are no one else's business: a copy of the module gives them away.
	const built = join(PROJECT, 'build', path.replace(/ts$/, 'js'));
	const copy = join(PROJECT, 'build/tests/c', `${name}.pure.js`);
	const exports = functions.map((f) => `${f.name} as pure_${f.name}`).join(', ');
	writeFileSync(
		copy,
		`${readFileSync(built, 'utf8').replace(/\/\/# sourceMappingURL.*/, '')}\nexport { ${exports} };\n`,
	);
	const module = (await import(pathToFileURL(copy).href)) as Record<
		string,
		(...args: unknown[]) => number | boolean
	>;
	rmSync(copy);

	const next = random(1);
	const calls = functions.flatMap((f, i) => inputs(f, count, next).map((args) => ({ f, i, args })));
	const said = answers(
		join(to, 'play'),
		calls.map(({ i, args }) => [i, ...args].join(' ')),
	);
	const differences: string[] = [];
	for (const [n, { f, args }] of calls.entries()) {
		const here = Number(
			module[`pure_${f.name}`]!(...args.map((a, at) => (f.params[at]!.bits === 1 ? a !== 0n : Number(a)))),
		);
		const c = said[n]!.split(' ')[0]!;
		if (Number(c) !== here)
			differences.push(
				`${f.name}(${args.map((a) => `0x${a.toString(16)}`).join(', ')}): C ${c}, TypeScript ${here}`,
			);
	}
	return { functions: functions.length, calls: calls.length, differences };
}
