// SPDX-License-Identifier: GPL-2.0-only
// What the comment at the head of a kernel file says: what it is, its twins in Linux, and how much of them it has.

/** The folders of the kernel half. */
export const KERNEL = ['arch', 'drivers', 'fs', 'include', 'init', 'kernel', 'lib', 'mm'] as const;

/** `whole`: all that matters here of its twins; `part`: something is left out; `own`: it has no twin. */
export type Scope = 'whole' | 'part' | 'own';

export interface Head {
	/** Its lines, without the licence and the twins. */
	readonly lines: readonly string[];
	/** Paths in Linux's tree. */
	readonly twins: readonly string[];
	readonly scope: Scope;
}

const LICENCE = '// SPDX-License-Identifier: GPL-2.0-only';
const TWIN = /^Linux 6\.12: (.*)$/;
const NO_TWIN = /^none\b/;
const PATH = /[\w./*-]+\.[chS]\b|(?:[\w-]+\/)*Makefile|(?:[\w-]+\/)+(?=$|[,;])/g;

/** The paths in @said. A name without a folder is in that of the path before it; what is in brackets explains. */
function pathsIn(said: string): string[] {
	const paths: string[] = [];
	for (const [path] of said.replace(/\([^)]*\)/g, '').matchAll(PATH)) {
		const folder = /^.*\//.exec(paths.at(-1) ?? '')?.[0] ?? '';
		paths.push(path.includes('/') ? path : folder + path);
	}
	return paths;
}

/** The head of the file of @text; null where it says neither a twin nor that there is none. */
export function headOf(text: string): Head | null {
	const [first, ...rest] = text.split('\n');
	if (first !== LICENCE) return null;
	const end = rest.findIndex((line) => !line.startsWith('//'));
	const lines = rest.slice(0, end < 0 ? undefined : end).map((line) => line.slice(2).trim());
	if (lines.some((line) => line.startsWith('No twin in Linux'))) return { lines, twins: [], scope: 'own' };
	const at = lines.findIndex((line) => TWIN.test(line));
	if (at < 0) return null;
	const said = TWIN.exec(lines[at]!)![1]!;
	if (NO_TWIN.test(said)) return { lines, twins: [], scope: 'own' };
	// Behind a semicolon stands what this file has of others.
	const twins = pathsIn(said.split(/;|: /)[0]!);
	if (twins.length === 0) return null;
	const about = lines.toSpliced(at, 1);
	return {
		lines: about,
		twins,
		scope: about.some((line) => /\bLeft out:|\b[Aa] stub\b/.test(line)) ? 'part' : 'whole',
	};
}
