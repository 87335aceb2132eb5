// SPDX-License-Identifier: GPL-2.0-only
// Linux's names: each is exported, with its parameters, members and value.
//
// api.json beside this file is what must be there: of each group of the interface facts that the port was made from,
// [name, kind, parameters | members | value] of what is public and of the first tier. What is not here, or is here
// in another shape, and why, stands in Documentation/linux-map.md, whose two tables this program reads.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Declaration, declarationsOf } from './declarations.js';

const KERNEL = ['arch', 'drivers', 'fs', 'include', 'init', 'kernel', 'lib', 'mm'];
const FACTS = 'tools/lint/api.json';
const MAP = 'Documentation/linux-map.md';
/** The headings of the table of what is not here, and of what has other parameters. */
const ABSENT = '| name | group | reason |';
const RESHAPED = '| name | parameters here | reason |';
/** In the second table: some of C's parameters are not here, the others are, in their order. */
const FEWER = 'fewer';

/** @definition: the parameters where the function is defined, when those of its header have other names. */
type Entry = readonly [name: string, kind: string, detail?: unknown, definition?: readonly string[]];

interface Row {
	readonly pattern: RegExp;
	readonly text: string;
	/** The second column. */
	readonly second: string;
	used: boolean;
}

/** Linux's @name as we can have it: a word of the language gets an underscore. */
const own = (name: string): string => (name === 'class' || name === 'delete' ? `${name}_` : name);

function sources(dir: string, out: string[] = []): string[] {
	for (const name of readdirSync(dir)) {
		const path = join(dir, name);
		if (statSync(path).isDirectory()) sources(path, out);
		else if (name.endsWith('.ts')) out.push(path);
	}
	return out;
}

/** The rows below @heading, one for each name in the first column; `*` in a name stands for any characters. */
function rowsOf(map: string, heading: string): Row[] {
	const start = map.indexOf(heading);
	if (start < 0) throw new Error(`${MAP}: no table "${heading}"`);
	const table = map.slice(start).split('\n\n')[0]!.split('\n').slice(2);
	return table.flatMap((line) => {
		const [, names = '', second = ''] = line.split('|');
		return Array.from(names.matchAll(/`([^`]+)`/g), ([, text]) => ({
			pattern: new RegExp(`^${text!.replace(/[.()+]/g, '\\$&').replaceAll('*', '.*')}$`),
			text: text!,
			second: second.trim(),
			used: false,
		}));
	});
}

const map = readFileSync(MAP, 'utf8');
const absent = rowsOf(map, ABSENT);
const reshaped = rowsOf(map, RESHAPED);

const declared = new Map<string, Declaration[]>();
for (const d of KERNEL.flatMap((dir) => sources(dir)).flatMap((f) =>
	declarationsOf(f, readFileSync(f, 'utf8')),
))
	declared.set(d.name, [...(declared.get(d.name) ?? []), d]);

const problems: string[] = [];

/** The row of @rows that speaks of @name, which is thereby used. */
function rowFor(rows: Row[], name: string): Row | undefined {
	const row = rows.find((r) => r.pattern.test(name));
	if (row !== undefined) row.used = true;
	return row;
}

/** Note a problem with @name, unless the map says that it is not here. */
function report(name: string, text: string): void {
	if (rowFor(absent, name) === undefined) problems.push(`${name}: ${text}`);
}

const plain = (param: string): string => param.replace(/^_+/, '').toLowerCase();

/**
 * Whether our parameter @ours is C's @theirs, but for underscores in front and the case that macros have theirs in.
 * A header may leave a name out, and a macro say one letter.
 */
function sameParam(ours: string, theirs: string): boolean {
	if (theirs.endsWith('...')) return ours === '...';
	return plain(theirs).length <= 1 || plain(ours) === own(plain(theirs));
}

/** Whether @ours are @theirs, some of which are left out. */
function isPartOf(ours: readonly string[], theirs: readonly string[]): boolean {
	let i = 0;
	for (const name of theirs) if (i < ours.length && sameParam(ours[i]!, name)) i++;
	return i === ours.length;
}

function paramsFit(name: string, ours: readonly string[], theirs: readonly string[]): boolean {
	if (ours.length === theirs.length && ours.every((p, i) => sameParam(p, theirs[i]!))) return true;
	const row = reshaped.find((r) => r.pattern.test(name));
	if (row === undefined) return false;
	const listed = /^`\((.*)\)`$/.exec(row.second)?.[1];
	const fits =
		listed === undefined ? row.second === FEWER && isPartOf(ours, theirs) : listed === ours.join(', ');
	if (fits) row.used = true;
	return fits;
}

/** Compare the parameters of what we have under @name with each of C's lists. */
function checkParams(
	name: string,
	ours: readonly (readonly string[] | null)[],
	theirs: readonly (readonly string[])[],
): void {
	const known = ours.filter((p) => p !== null);
	if (known.length > 0 && !known.some((p) => theirs.some((t) => paramsFit(name, p, t))))
		report(name, `parameters (${known[0]!.join(', ')}), Linux has (${theirs[0]!.join(', ')})`);
}

/** A member of struct @name, or of one that it begins with. */
function memberOf(name: string, member: string): { readonly params: readonly string[] | null } | undefined {
	for (const d of declared.get(own(name)) ?? []) {
		const params = d.members?.get(member);
		if (params !== undefined) return { params };
		const inherited = d.base === null ? undefined : memberOf(d.base, member);
		if (inherited !== undefined) return inherited;
	}
	return undefined;
}

async function checkValue(name: string, expected: unknown): Promise<void> {
	const values: unknown[] = [];
	for (const d of declared.get(name) ?? []) {
		const module = await import(pathToFileURL(resolve('build', d.file.replace(/\.ts$/, '.js'))).href);
		if (d.kind !== 'type') values.push(module[name]);
	}
	// A string is a number too long for JSON; both sides round it alike.
	const rounded = typeof expected === 'string' && /^-?\d+$/.test(expected) ? Number(expected) : expected;
	if (!values.includes(rounded)) report(name, `is ${values.join(', ')}, Linux has ${String(expected)}`);
}

function checkCallback(name: string, theirs: readonly string[]): void {
	const [struct, member] = name.split('.') as [string, string];
	const ours = memberOf(struct, member);
	if (ours === undefined) report(name, 'not there');
	else checkParams(name, [ours.params], [theirs]);
}

function checkStruct(name: string, members: readonly string[]): void {
	for (const [i, member] of members.entries()) {
		// What a struct begins with may be its base class.
		const base = i === 0 && (declared.get(own(name)) ?? []).some((d) => d.base !== null);
		if (!base && memberOf(name, member) === undefined) report(`${name}.${member}`, 'no such member');
	}
}

/** The members of an enum are constants of the file. */
async function checkEnum(name: string, members: Record<string, unknown>): Promise<void> {
	for (const [member, value] of Object.entries(members))
		if (declared.has(member)) await checkValue(member, value);
		else if (rowFor(absent, name) === undefined) report(member, `not exported (enum ${name})`);
	if (!name.startsWith('(') && !declared.has(name)) report(name, 'no type of this name');
}

async function check([name, kind, detail, definition]: Entry): Promise<void> {
	if (kind === 'callback-member') return checkCallback(name, detail as string[]);
	if (kind === 'enum') return checkEnum(name, detail as Record<string, unknown>);

	const found = declared.get(own(name));
	if (found === undefined) return report(name, 'not exported');
	if (kind === 'constant') return checkValue(name, detail);
	if (kind === 'struct') return checkStruct(name, detail as string[]);
	if (detail === undefined) return;
	const theirs = definition === undefined ? [detail as string[]] : [detail as string[], definition];
	checkParams(
		name,
		found.map((d) => d.params),
		theirs,
	);
}

const facts = JSON.parse(readFileSync(FACTS, 'utf8')) as Record<string, readonly Entry[]>;
for (const entry of Object.values(facts).flat()) await check(entry);
for (const row of [...absent, ...reshaped])
	if (!row.used) problems.push(`${MAP}: \`${row.text}\` is listed, and nothing is amiss with it`);

for (const p of new Set(problems)) console.error(p);
if (problems.length > 0) process.exitCode = 1;
