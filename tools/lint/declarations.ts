// SPDX-License-Identifier: GPL-2.0-only
// What a source file exports: names, parameters, members. Enough of the grammar for kernel code, and no more:
// TypeScript 7 has no parser that a program could call.

/** One exported name. */
export interface Declaration {
	readonly file: string;
	readonly name: string;
	readonly kind: string;
	/** A function's parameters. */
	readonly params: readonly string[] | null;
	/** A struct's members; with the parameters of those that are functions. */
	readonly members: ReadonlyMap<string, readonly string[] | null> | null;
	/** The struct that it begins with. */
	readonly base: string | null;
}

const CLOSES: Record<string, string> = { '(': ')', '[': ']', '{': '}', '<': '>' };

/** @text with its comments and the insides of its strings gone; lines stay where they are. */
export function withoutComments(text: string): string {
	return text.replace(
		/\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g,
		(m) => (m.startsWith('/') ? m.replace(/[^\n]/g, '') : "''"),
	);
}

/** Where the bracket at @start is closed. The `>` of an arrow closes nothing. */
function closing(text: string, start: number): number {
	const open = text[start];
	const close = CLOSES[open ?? ''];
	let depth = 0;
	for (let i = start; i < text.length; i++) {
		if (text[i] === open) depth++;
		else if (text[i] === close && !(close === '>' && text[i - 1] === '=') && --depth === 0) return i;
	}
	return text.length;
}

/** The parts of @text between commas that no bracket encloses. */
function atCommas(text: string): string[] {
	const parts: string[] = [];
	let from = 0;
	for (let i = 0; i <= text.length; i++) {
		if (i < text.length && CLOSES[text[i]!] !== undefined) i = closing(text, i);
		else if (i === text.length || text[i] === ',') {
			parts.push(text.slice(from, i).trim());
			from = i + 1;
		}
	}
	return parts.filter((p) => p !== '');
}

const paramNames = (list: string): string[] =>
	atCommas(list).map((p) => (p.startsWith('...') ? '...' : (/^\w+/.exec(p)?.[0] ?? '?')));

/** The parameters of the function type that @type says, or null when it says none. */
function callbackParams(type: string): string[] | null {
	for (let i = type.indexOf('('); i >= 0; i = type.indexOf('(', i + 1)) {
		const end = closing(type, i);
		if (/^\s*=>/.test(type.slice(end + 1))) return paramNames(type.slice(i + 1, end));
	}
	return null;
}

/** The members of a class or an interface whose body is @body. */
function membersOf(body: string): Map<string, string[] | null> {
	const members = new Map<string, string[] | null>();
	let depth = 0;
	let at = 0;
	for (const line of body.split('\n')) {
		const m =
			depth === 0 ? /^\s*(?:(?:readonly|declare|override)\s+)*(\w+)[?!]?\s*([:=(;])/.exec(line) : null;
		if (m !== null && m[1] !== 'constructor') {
			const from = at + m[0].length - 1;
			const type = m[2] === '(' ? `${body.slice(from, closing(body, from) + 1)} =>` : memberType(body, from);
			members.set(m[1]!, callbackParams(type));
		}
		depth += (line.match(/[([{]/g) ?? []).length - (line.match(/[)\]}]/g) ?? []).length;
		at += line.length + 1;
	}
	return members;
}

/** What stands behind a member's name, up to its semicolon. */
function memberType(body: string, from: number): string {
	let i = from;
	for (; i < body.length && body[i] !== ';'; i++) if ('([{'.includes(body[i]!)) i = closing(body, i);
	return body.slice(from, i);
}

/** Everything that the file @file, whose text is @source, exports under a name of its own. */
export function declarationsOf(file: string, source: string): Declaration[] {
	const text = withoutComments(source);
	const found: Declaration[] = [];
	const form = /^export (?:abstract )?(function\*?|const|let|class|interface|type|enum) (\w+)/gm;
	for (const m of text.matchAll(form)) {
		const kind = m[1]!.replace('*', '');
		let at = m.index + m[0].length;
		let params: string[] | null = null;
		let members: Map<string, string[] | null> | null = null;
		let base: string | null = null;
		if (kind === 'function') {
			if (text[at] === '<') at = closing(text, at) + 1;
			params = paramNames(text.slice(at + 1, closing(text, at)));
		} else if (kind === 'class' || kind === 'interface') {
			const open = text.indexOf('{', at);
			base = /\bextends (\w+)/.exec(text.slice(at, open))?.[1] ?? null;
			members = membersOf(text.slice(open + 1, closing(text, open)));
		} else if (kind === 'type') params = callbackParams(text.slice(at, text.indexOf(';', at)));
		found.push({ file, name: m[2]!, kind, params, members, base });
	}
	for (const m of text.matchAll(/^export (?:type )?\{([^}]*)\}/gm))
		for (const part of atCommas(m[1]!)) {
			const [, from, to] = /^(?:type )?(\w+)(?: as (\w+))?$/.exec(part) ?? [];
			// Under its own name it is found where it stands.
			if (to !== undefined && to !== from)
				found.push({ file, name: to, kind: 'renamed', params: null, members: null, base: null });
		}
	return found;
}
