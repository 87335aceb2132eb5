// SPDX-License-Identifier: GPL-2.0-only
// The table of the kernel half's files and their twins, in Documentation/linux-map.md.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT } from '#tools/project.js';
import { type Head, headOf, KERNEL } from './head.js';

const PAGE = 'Documentation/linux-map.md';
const TITLE = '## The files, and their twins';

/** The kernel half's files, by their paths in the project. */
export function kernelFiles(project = PROJECT): string[] {
	return KERNEL.flatMap((folder) =>
		readdirSync(join(project, folder), { recursive: true, encoding: 'utf8' })
			.filter((path) => path.endsWith('.ts'))
			.map((path) => `${folder}/${path.replaceAll('\\', '/')}`)
			.sort(),
	);
}

/** The generated part of the page, for files with these heads. */
export function table(files: readonly { readonly path: string; readonly head: Head }[]): string {
	const count = (scope: string): number => files.filter(({ head }) => head.scope === scope).length;
	return [
		TITLE,
		'',
		'Written by `make linux-map` from the head of each file, and checked by `make lint`. *whole*: all that is of use here;',
		'*part*: the head says what is left out; *own*: Linux has no such file.',
		`${files.length} files: ${count('whole')} whole, ${count('part')} part, ${count('own')} own.`,
		'',
		'| file | in Linux 6.12 | |',
		'|---|---|---|',
		...files.map(
			({ path, head: { twins, scope } }) =>
				`| \`${path}\` | ${twins.map((twin) => `\`${twin}\``).join(', ')} | ${scope} |`,
		),
		'',
	].join('\n');
}

/** What is wrong in @project, one line each. @write: the table is written where all heads say what they have to. */
export function linuxMap(project: string, write: boolean): string[] {
	const heads = kernelFiles(project).map((path) => ({
		path,
		head: headOf(readFileSync(join(project, path), 'utf8')),
	}));
	const without = heads.filter(({ head }) => head === null);
	if (without.length > 0)
		return without.map(
			({ path }) => `${path}:1: expected a licence, and then "// Linux 6.12: PATH" or "// Linux 6.12: none"`,
		);
	const page = readFileSync(join(project, PAGE), 'utf8');
	const at = page.indexOf(TITLE);
	const made =
		(at < 0 ? `${page.trimEnd()}\n\n` : page.slice(0, at)) +
		table(heads.map(({ path, head }) => ({ path, head: head! })));
	if (made === page) return [];
	if (!write) {
		const [old, now] = [page, made].map((text) => text.split('\n'));
		const line = now!.findIndex((text, i) => text !== old![i]);
		const place = line < 0 ? now!.length : line;
		return [`${PAGE}:${place + 1}: expected "${now![place] ?? ''}", as the files say: run make linux-map`];
	}
	writeFileSync(join(project, PAGE), made);
	return [];
}
