// SPDX-License-Identifier: GPL-2.0-only
// make c: kernel C from what is written in the kernel subset.
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import '#tools/lost-output.js';
import { emit, lineMap, textOf } from '#tools/c/emit.js';
import { CLIENTS, IN_SUBSET, nameIn, Uses } from '#tools/c/files.js';
import type { Line } from '#tools/c/lines.js';
import { Project } from '#tools/c/source.js';
import { headerNameOf, nameInC } from '#tools/c/twin.js';
import { PROJECT } from '#tools/project.js';
import { oneLine, quoted, statusOf, UsageError, UserError } from '#tools/run/user-error.js';

const USAGE = [
	'usage: make c [DRIVER=…] [OUT=FOLDER]',
	'   or: linux-iommu c [--out=FOLDER] [DRIVER …]',
	'DRIVER is a file, a folder of "make new", or a name in drivers/iommu; without it: all files that are in the subset.',
	'Kernel C is written to FOLDER (out/c), with a map of its lines beside it. Documentation/kernel-subset.md says what the',
	'subset is; of what is outside each place is named, and nothing is written.',
].join('\n');

/** A file to read, and what its C is called in the folder for it. */
interface Job {
	readonly path: string;
	readonly to: string;
}

/** What @driver means. */
function jobOf(driver: string): Job {
	const named = join(PROJECT, 'drivers/iommu', `${driver}.ts`);
	const path = [driver, `${driver}.ts`, join(driver, 'driver.ts'), named].find(
		(p) => existsSync(p) && statSync(p).isFile(),
	);
	if (path === undefined || !path.endsWith('.ts'))
		throw new UserError(
			`DRIVER: expected a file of TypeScript, a folder with a driver.ts, or a name in drivers/iommu, got ${quoted(driver)}`,
		);
	const name = nameIn(PROJECT, path);
	if (basename(path) === 'driver.ts') return { path, to: `${basename(dirname(resolve(path)))}.c` };
	const to = nameInC(path, readFileSync(path, 'utf8'));
	return { path, to: name === path && !IN_SUBSET.includes(path) ? to : join(dirname(name), to) };
}

/** Write all of @files, or, if one cannot be written, say which. */
function write(files: ReadonlyMap<string, string>): void {
	for (const [path, text] of files)
		try {
			mkdirSync(dirname(path), { recursive: true });
			writeFileSync(`${path}.new`, text);
			renameSync(`${path}.new`, path);
		} catch (e) {
			throw new UserError(`${path}: cannot be written: ${(e as Error).message}`);
		}
}

/** The verb `c`. The exit status: 1 when something is outside the subset, 2 for a command line that is none. */
export function main(args: readonly string[]): Promise<number> {
	return statusOf(() => {
		const { values, positionals } = parse(args);
		if (values.help === true) {
			console.log(USAGE);
			return 0;
		}
		const out = values.out === undefined || values.out === '' ? 'out/c' : values.out;
		const drivers = positionals.filter((d) => d !== '');
		const jobs =
			drivers.length > 0
				? drivers.map(jobOf)
				: [...IN_SUBSET, ...CLIENTS].map((f) => jobOf(join(PROJECT, f)));
		const project = new Project(PROJECT);
		const uses = new Uses(PROJECT, (path, from) => project.fileOf(path, from));
		const files = new Map<string, string>();
		const done: string[] = [];
		let refused = 0;
		for (const { path, to } of jobs) {
			const source = project.open(resolve(path));
			if (source === null) throw new UserError(`${path}: cannot be read`);
			const emitted = emit(project, source, uses.of(path), uses.ofDriver(path));
			for (const r of emitted.refusals) console.error(oneLine(r.message));
			refused += emitted.refusals.length;
			const parts: [string, readonly Line[]][] = [[to, emitted.lines]];
			if (emitted.header !== null) parts.push([headerNameOf(to), emitted.header]);
			for (const [name, lines] of parts) {
				const file = join(out, name);
				files.set(file, textOf(lines));
				files.set(`${file}.lines.json`, `${JSON.stringify(lineMap(nameIn(PROJECT, path), name, lines))}\n`);
			}
			done.push(
				...parts.map(([name, lines], i) => said(join(out, name), lines, i === 0 ? emitted.unused : [])),
			);
		}
		if (refused > 0) {
			const places = refused === 1 ? '1 place is' : `${refused} places are`;
			console.error(
				`${places} outside the kernel subset (Documentation/kernel-subset.md); nothing was written`,
			);
			return 1;
		}
		write(files);
		for (const line of done) console.log(line);
		return 0;
	});
}

function said(file: string, lines: readonly Line[], unused: readonly string[]): string {
	const left = unused.length === 0 ? '' : `; left out, as nothing in C calls them: ${unused.join(', ')}`;
	return `${file}: ${lines.length} lines${left}`;
}

function parse(args: readonly string[]): { values: { out?: string; help?: boolean }; positionals: string[] } {
	try {
		return parseArgs({
			args: [...args],
			options: { out: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
			allowPositionals: true,
		});
	} catch (e) {
		throw new UsageError((e as Error).message, USAGE);
	}
}
