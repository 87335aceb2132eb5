// SPDX-License-Identifier: GPL-2.0-only
// Files without a kernel under them as C of their own, and a program around them.
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { textOf } from '#tools/c/emit.js';
import { fileOf } from '#tools/c/file.js';
import { Project } from '#tools/c/source.js';
import { Unit } from '#tools/c/unit.js';
import { PROJECT } from '#tools/project.js';
import { UserError } from '#tools/run/user-error.js';

/** Where the stand-ins and the programs are. */
export const HERE = join(PROJECT, 'tests/c');

/** A program of emitted files. */
export interface Library {
	readonly name: string;
	/** Files that become C whole. */
	readonly sources: readonly string[];
	/** Headers, and what of each is needed. */
	readonly headers: Readonly<Record<string, readonly string[]>>;
	/** Headers that are ours, in this folder, by Linux's path. */
	readonly standIns?: Readonly<Record<string, string>>;
	/** What uses them, in this folder. */
	readonly programs: readonly string[];
}

/** @path of the project as C: all of it, or @only. */
export function emitted(project: Project, path: string, only?: ReadonlySet<string>): string {
	const source = project.open(join(PROJECT, path));
	if (source === null) throw new UserError(`${path}: cannot be read`);
	const unit = new Unit(project, source, {
		outside: new Set(),
		shared: new Set(),
		...(only === undefined ? {} : { only }),
	});
	unit.read();
	const text = textOf(fileOf(unit));
	if (unit.refusals.length > 0) throw new UserError(unit.refusals.map((r) => r.message).join('\n'));
	return text;
}

/** What other files have to know of the functions in @text, which was emitted. */
function prototypesOf(text: string): string[] {
	return [...text.matchAll(/^((?:[a-z][^\n;{}()]*\n)?[a-z][^;{}]*\))\n\{/gm)]
		.map((m) => `${m[1]};`)
		.filter((p) => !p.startsWith('static '));
}

const include = (header: string): string => `#include "${header}"\n`;

/** Write @library to @folder; the files to compile. */
function write(library: Library, folder: string): string[] {
	const project = new Project(PROJECT);
	const texts = new Map<string, string>();
	for (const [path, names] of Object.entries(library.headers))
		texts.set(path.replace(/ts$/, 'h'), emitted(project, path, new Set(names)));
	for (const [path, ours] of Object.entries(library.standIns ?? {}))
		texts.set(path, include(join(HERE, ours)));
	const files: string[] = [];
	const prototypes: string[] = [];
	for (const path of library.sources) {
		const text = emitted(project, path);
		const file = path.replace(/ts$/, 'c');
		texts.set(file, text);
		files.push(file);
		prototypes.push(...prototypesOf(text));
	}
	const structs = new Set(prototypes.flatMap((p) => [...p.matchAll(/\bstruct \w+/g)].map((m) => m[0])));
	texts.set(
		'prototypes.h',
		`${['kernel.h', ...Object.values(library.standIns ?? {})].map((h) => include(join(HERE, h))).join('')}\n${[...structs].map((s) => `${s};\n`).join('')}\n${prototypes.join('\n')}\n`,
	);
	// All other headers of Linux's are one here.
	for (const text of [...texts.values()])
		for (const [, header] of text.matchAll(/^#include <(.*)>$/gm))
			if (!texts.has(`include/${header!}`)) texts.set(`include/${header!}`, include(join(HERE, 'kernel.h')));
	for (const [path, text] of texts) {
		mkdirSync(dirname(join(folder, path)), { recursive: true });
		writeFileSync(join(folder, path), text);
	}
	return files.map((f) => join(folder, f));
}

const FLAGS = '-O2 -std=gnu11 -Wall -Wextra -Wno-unused-parameter -Werror'.split(' ');

/** What is undefined in C traps: for programs that are not timed. */
export const TRAPS = ['-fsanitize=undefined', '-fsanitize-undefined-trap-on-error'] as const;

/** Compile @files to @program. */
export function compile(program: string, files: readonly string[], flags: readonly string[]): void {
	const { error, status, stderr } = spawnSync('gcc', [...FLAGS, ...flags, '-o', program, ...files], {
		encoding: 'utf8',
	});
	if ((error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT')
		throw new UserError('gcc: expected a C compiler (on Debian: apt-get install gcc libc6-dev)');
	if (error !== undefined) throw error;
	if (status === 0) return;
	console.error(stderr.trimEnd());
	throw new UserError(`gcc: ${program} does not compile`);
}

/** @library as a program in @folder; @flags: gcc's, beyond those for all. */
export function build(library: Library, folder: string, flags: readonly string[] = TRAPS): string {
	const to = resolve(folder, library.name);
	rmSync(to, { recursive: true, force: true });
	const files = write(library, to);
	const program = join(to, library.name);
	compile(
		program,
		[...files, ...['kernel.c', ...library.programs].map((f) => join(HERE, f))],
		[...flags, `-I${join(to, 'include')}`, `-I${HERE}`, '-include', join(to, 'prototypes.h')],
	);
	return program;
}

/** What @program answers to @lines. */
export function answers(program: string, lines: readonly string[]): string[] {
	const { status, signal, stdout, stderr } = spawnSync(program, [], {
		input: lines.map((l) => `${l}\n`).join(''),
		encoding: 'utf8',
		maxBuffer: 1 << 30,
	});
	const said = stdout.split('\n').slice(0, -1);
	if (status !== 0 || said.length !== lines.length)
		throw new UserError(
			`${program}: stopped with ${signal ?? status} at "${lines[said.length] ?? 'the end'}": ${stderr.trim()}`,
		);
	return said;
}
