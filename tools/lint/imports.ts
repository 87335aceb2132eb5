// SPDX-License-Identifier: GPL-2.0-only
// The import rules of DESIGN.md: one door between kernel and machine, and which cycles may be.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

const KERNEL = ['arch', 'drivers', 'fs', 'include', 'init', 'kernel', 'lib', 'mm'];
const MACHINE = ['hw', 'tools', 'tests'];
const ALIASES: Record<string, string> = {
	'#linux/': 'include/linux/',
	'#include/': 'include/',
	'#asm/': 'arch/arm64/include/asm/',
};
/** The only kernel file that the machine may name, and only its types. */
const DOOR = 'arch/arm64/include/asm/machine.ts';

interface Import {
	readonly from: string;
	readonly to: string;
	readonly typeOnly: boolean;
	readonly line: number;
}

function sources(dir: string, out: string[] = []): string[] {
	for (const name of readdirSync(dir)) {
		const path = join(dir, name);
		if (statSync(path).isDirectory()) sources(path, out);
		else if (name.endsWith('.ts')) out.push(path);
	}
	return out;
}

/** The file that @specifier names, or null for a package. */
function resolve(from: string, specifier: string): string | null {
	let path: string | null = null;
	if (specifier.startsWith('.')) path = normalize(join(dirname(from), specifier));
	else if (specifier.startsWith('#')) {
		const alias = Object.keys(ALIASES).find((a) => specifier.startsWith(a));
		path = alias ? ALIASES[alias] + specifier.slice(alias.length) : specifier.slice(1);
	}
	return path === null ? null : path.replace(/\.js$/, '.ts');
}

function importsOf(file: string): Import[] {
	const text = readFileSync(file, 'utf8');
	const found: Import[] = [];
	for (const m of text.matchAll(/^(import|export)(\s+type)?\s[^;]*?from\s+'([^']+)'|^import\s+'([^']+)'/gm)) {
		const specifier = m[3] ?? m[4] ?? '';
		const to = resolve(file, specifier);
		const typeOnly =
			m[2] !== undefined || /^import\s*\{(\s*type\s+\w+(\s+as\s+\w+)?\s*,?)+\}\s*from/.test(m[0]);
		const line = text.slice(0, m.index).split('\n').length;
		if (to !== null) found.push({ from: file, to, typeOnly, line });
		else if (KERNEL.includes(file.split('/')[0] ?? ''))
			found.push({ from: file, to: `package ${specifier}`, typeOnly, line });
	}
	return found;
}

const top = (path: string): string => path.split('/')[0] ?? '';

function checkBorders(imports: Import[]): string[] {
	const bad: string[] = [];
	for (const i of imports) {
		const at = `${i.from}:${i.line}`;
		if (KERNEL.includes(top(i.from))) {
			if (i.to.startsWith('package '))
				bad.push(`${at}: kernel code has no runtime dependency, found ${i.to}`);
			else if (MACHINE.includes(top(i.to))) bad.push(`${at}: kernel code may not import ${i.to}`);
		} else if (top(i.from) === 'hw' && KERNEL.includes(top(i.to)) && !(i.to === DOOR && i.typeOnly))
			bad.push(`${at}: hw/ may import nothing of the kernel but the types of ${DOOR}, found ${i.to}`);
		else if (top(i.from) === 'hw' && ['tools', 'tests'].includes(top(i.to)))
			bad.push(`${at}: hw/ may not import ${i.to}`);
	}
	return bad;
}

/** The strongly connected parts of the import graph that have more than one file (Tarjan). */
function cycles(imports: Import[]): string[][] {
	const edges = new Map<string, string[]>();
	for (const i of imports) if (!i.typeOnly) edges.set(i.from, [...(edges.get(i.from) ?? []), i.to]);
	const index = new Map<string, number>();
	const low = new Map<string, number>();
	const stack: string[] = [];
	const found: string[][] = [];
	const visit = (v: string): void => {
		index.set(v, index.size);
		low.set(v, index.get(v)!);
		stack.push(v);
		for (const w of edges.get(v) ?? []) {
			if (!index.has(w)) {
				visit(w);
				low.set(v, Math.min(low.get(v)!, low.get(w)!));
			} else if (stack.includes(w)) low.set(v, Math.min(low.get(v)!, index.get(w)!));
		}
		if (low.get(v) !== index.get(v)) return;
		const part = stack.splice(stack.indexOf(v));
		if (part.length > 1) found.push(part.sort());
	};
	for (const v of edges.keys()) if (!index.has(v)) visit(v);
	return found;
}

const imports = [...KERNEL, ...MACHINE].flatMap((dir) => sources(dir)).flatMap(importsOf);
const problems = checkBorders(imports);
for (const part of cycles(imports)) {
	const kernelOnly = part.every((f) => KERNEL.includes(top(f)) && top(f) !== 'include');
	if (!kernelOnly) problems.push(`import cycle: ${part.join(', ')}`);
}
for (const p of problems) console.error(p);
if (problems.length > 0) process.exitCode = 1;
