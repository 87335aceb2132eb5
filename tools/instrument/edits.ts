// SPDX-License-Identifier: GPL-2.0-only
// Changes of the built code, in memory, as data: what kprobes do to a kernel that runs, and what a person does who tries
// out a mistake. The sources stay as they are.

/** Text for text. */
export interface Replace {
	readonly kind: 'replace';
	/** The module by its path in the project, without an ending: `drivers/iommu/iova`. */
	readonly file: string;
	/** Has to be there once. */
	readonly find: string;
	readonly with: string;
}

/**
 * A probe at the entry of a function. It asks `globalThis.kprobe(name)`: undefined goes on, `{ ret }` is returned in the
 * function's stead.
 */
export interface Entry {
	readonly kind: 'entry';
	readonly file: string;
	readonly function: string;
}

/**
 * A probe around a function: `globalThis.kretprobe(name, function, arguments)`. It may call the function, which asks once
 * more: undefined goes on, `{ ret }` is returned.
 */
export interface Return {
	readonly kind: 'return';
	readonly file: string;
	readonly function: string;
}

/**
 * `globalThis.kprobe_access(array, 'load' | 'store')` before each access `name[...]` to an array that the
 * code calls one of @names (`dt`, `domain.dt`).
 */
export interface Access {
	readonly kind: 'access';
	readonly file: string;
	readonly names: readonly string[];
	/** Not in these functions: they go through whole tables that nobody else uses. */
	readonly except?: readonly string[];
}

export type Edit = Replace | Entry | Return | Access;

/** An edit that does not fit the file it is for. */
export class EditError extends Error {
	override readonly name = 'EditError';
}

const CLOSES: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };

/** The index of what closes the bracket at @open. Good for what the compiler emits outside of texts and patterns. */
function closing(code: string, open: number): number {
	const close = CLOSES[code[open]];
	let depth = 0;
	for (let at = open; at < code.length; at++) {
		if (code[at] === code[open]) depth++;
		else if (code[at] === close && --depth === 0) return at;
	}
	return -1;
}

function replaceOnce(code: string, { file, find, with: text }: Replace): string {
	const at = code.indexOf(find);
	if (at < 0) throw new EditError(`${file}: nowhere is there "${find}"`);
	if (code.indexOf(find, at + 1) >= 0) throw new EditError(`${file}: "${find}" is there more than once`);
	return code.slice(0, at) + text + code.slice(at + find.length);
}

/** Where the body of the function @name of @file opens. */
function bodyOf(code: string, file: string, name: string): number {
	const head = new RegExp(`^(export )?function ${name}\\(`, 'm').exec(code);
	if (head === null) throw new EditError(`${file}: there is no function ${name}()`);
	return code.indexOf('{', closing(code, head.index + head[0].length - 1));
}

/** @code with @asks as the first that the function @name does; what that answers, if anything, is what it returns. */
function askFirst(code: string, file: string, name: string, asks: string, local: string): string {
	const body = bodyOf(code, file, name);
	const probe = `const ${local} = globalThis.${asks}; if (${local} !== undefined) return ${local}.ret;`;
	return `${code.slice(0, body + 1)} ${probe}${code.slice(body + 1)}`;
}

function probeEntry(code: string, { file, function: name }: Entry): string {
	return askFirst(code, file, name, `kprobe?.(${JSON.stringify(name)})`, '__probe');
}

function probeReturn(code: string, { file, function: name }: Return): string {
	return askFirst(code, file, name, `kretprobe?.(${JSON.stringify(name)}, ${name}, arguments)`, '__call');
}

function probeAccesses(code: string, { file, names, except = [] }: Access): string {
	let found = 0;
	const left = except.map((name) => bodyOf(code, file, name)).map((from) => [from, closing(code, from)]);
	const arrays = names.map((name) => name.replaceAll('.', '\\.')).join('|');
	const probed = code.replace(
		new RegExp(`(?<![\\w.$])(${arrays})\\[`, 'g'),
		(all, name: string, at: number) => {
			if (left.some(([from, to]) => at > from && at < to)) return all;
			found++;
			const end = closing(code, at + name.length);
			const kind = /^\s*=(?!=)/.test(code.slice(end + 1)) ? 'store' : 'load';
			return `(globalThis.kprobe_access?.(${name}, '${kind}'), ${name})[`;
		},
	);
	if (found === 0) throw new EditError(`${file}: no access to ${names.join(', ')}`);
	return probed;
}

/** The code of the module @file with those of @edits that are for it. */
export function applyEdits(file: string, code: string, edits: readonly Edit[]): string {
	let out = code;
	for (const edit of edits) {
		if (edit.file !== file) continue;
		if (edit.kind === 'replace') out = replaceOnce(out, edit);
		else if (edit.kind === 'entry') out = probeEntry(out, edit);
		else if (edit.kind === 'return') out = probeReturn(out, edit);
		else out = probeAccesses(out, edit);
	}
	return out;
}
