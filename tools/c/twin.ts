// SPDX-License-Identifier: GPL-2.0-only
// What a file is called in C: by its twin in Linux, which its head names.
import { basename } from 'node:path';

/** The files that the head of @text, which @path has, names as its twins: `sun4i_drv.h`, `sun4i_tcon.h`. */
function twinsOf(text: string): string[] {
	const line = /^\/\/ Linux 6\.12: (.*)$/m.exec(text)?.[1] ?? '';
	return [...line.matchAll(/([\w-]+\.[ch])\b/g)].map((m) => m[1]!);
}

/** Whether @text's twin is a header, and it only says what files share. */
export function isHeader(text: string): boolean {
	const twins = twinsOf(text);
	return twins.length > 0 && twins.every((t) => t.endsWith('.h'));
}

/** What the file of @text, at @path, is called in C: a header as its twin, if it is the only one. */
export function nameInC(path: string, text: string): string {
	const name = basename(path, '.ts');
	if (!isHeader(text)) return `${name}.c`;
	const [twin, ...more] = twinsOf(text);
	return more.length === 0 ? twin! : `${name}.h`;
}

/** The header that says what others may use of the file @name in C. */
export const headerNameOf = (name: string): string => name.replace(/\.c$/, '.h');
