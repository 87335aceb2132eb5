// SPDX-License-Identifier: GPL-2.0-only
// The pages of make docs, as HTML that needs nothing else.
import type { Head } from './head.js';
import type { Kind, Named } from './symbols.js';

/** One file of the kernel half. */
export interface Documented {
	readonly path: string;
	readonly head: Head;
	readonly symbols: readonly Named[];
}

/** Where Linux's sources can be read. */
const LINUX = 'https://elixir.bootlin.com/linux/v6.12';

const STYLE = [
	':root { color-scheme: light dark; }',
	'body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 0 1rem 4rem; }',
	'pre { font: 14px/1.4 ui-monospace, monospace; overflow-x: auto; padding: .5rem .75rem; margin: .5rem 0; tab-size: 4;',
	'  background: color-mix(in srgb, CanvasText 7%, Canvas); border-radius: 4px; }',
	'h3 { margin: 2rem 0 0; } h3 a { color: inherit; text-decoration: none; }',
	'table { border-collapse: collapse; display: block; overflow-x: auto; }',
	'td:not(:last-child) { white-space: nowrap; }',
	'td { padding: .15rem 1rem .15rem 0; text-align: left; vertical-align: top; }',
	'code { font-family: ui-monospace, monospace; font-size: .9em; overflow-wrap: anywhere; } td code { overflow-wrap: normal; }',
].join('\n');

export function escaped(text: string): string {
	return text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
}

/** The page of @path, from the folder of all pages. */
export const pageOf = (path: string): string => path.replace(/\.ts$/, '.html');

/** From the page at @from to @to, both from the folder of all pages. */
export function way(from: string, to: string): string {
	return '../'.repeat(from.split('/').length - 1) + to;
}

export function page(at: string, title: string, body: readonly string[]): string {
	const links = ['index', 'names'].map((name) => `<a href="${way(at, `${name}.html`)}">${name}</a>`);
	return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escaped(title)}</title>
<style>
${STYLE}
</style>
<nav>${links.join(' · ')}</nav>
<main>
${body.join('\n')}
</main>
</html>
`;
}

const linux = (path: string): string =>
	path.includes('*')
		? `<code>${escaped(path)}</code>`
		: `<a href="${LINUX}/source/${escaped(path)}"><code>${escaped(path)}</code></a>`;

/** A file of Linux's, and a function in it. */
const TWIN = /((?:[\w.-]+\/)+[\w.-]+\.[chS])(?!\w)(?:: (\w+)\(\))?/g;

/** A docstring, or a head. @to: the page that has a name; null for a name that none has, or several have. */
export function prose(text: string, to: (name: string) => string | null): string {
	const marked = escaped(text)
		.replace(/`([^`]+)`/g, '<code>$1</code>')
		.replace(/(^|[\s(])@(\w+)/g, '$1<var>$2</var>')
		.replace(TWIN, (_all, path: string, name?: string) =>
			name === undefined ? linux(path) : `${linux(path)}: <a href="${LINUX}/C/ident/${name}">${name}()</a>`,
		)
		.replace(/(?<![\w/>])([a-z_]\w*)\(\)/gi, (all, name: string) => {
			const target = to(name);
			return target === null ? all : `<a href="${target}">${all}</a>`;
		});
	// A line that begins with a parameter, or an item, is one of its own.
	return marked
		.split(/\n{2,}/)
		.map((paragraph) => `<p>${paragraph.replace(/\n(?=<var>|- )/g, '<br>\n')}</p>`)
		.join('\n');
}

const KINDS: readonly (readonly [Kind, string])[] = [
	['function', 'Functions'],
	['struct', 'Structs and tables'],
	['type', 'Types'],
	['value', 'Constants and variables'],
];

/** The page of a file. @where: the page and place of each name that one file alone has. */
export function filePage(file: Documented, where: ReadonlyMap<string, string>): string {
	const at = pageOf(file.path);
	const to = (name: string): string | null => {
		const target = where.get(name);
		return target === undefined ? null : way(at, target);
	};
	const { twins, scope, lines } = file.head;
	const body = [
		`<h1><code>${escaped(file.path)}</code></h1>`,
		`<p>Linux 6.12: ${twins.map(linux).join(', ') || 'none'} (${scope}).</p>`,
		prose(lines.join('\n'), to),
	];
	for (const [kind, title] of KINDS) {
		const symbols = file.symbols.filter((symbol) => symbol.kind === kind);
		if (symbols.length > 0) body.push(`<h2>${title}</h2>`);
		for (const { name, prototype, says } of symbols)
			body.push(
				`<h3 id="${name}"><a href="#${name}">${escaped(name)}${kind === 'function' ? '()' : ''}</a></h3>`,
				`<pre>${escaped(prototype)}</pre>`,
				...(says === '' ? [] : [prose(says, to)]),
			);
	}
	return page(at, file.path, body);
}

/** All files, by folder, as Linux has them. */
export function indexPage(files: readonly Documented[]): string {
	const folders = [...new Set(files.map(({ path }) => path.slice(0, path.lastIndexOf('/'))))].sort();
	const body = [
		'<h1>The kernel half, file by file</h1>',
		'<p>By Linux path; <a href="names.html">by name</a>.</p>',
	];
	for (const folder of folders) {
		const rows = files
			.filter(({ path }) => path.slice(0, path.lastIndexOf('/')) === folder)
			.map(({ path, head: { twins, lines, scope } }) => {
				const name = path.slice(folder.length + 1);
				const first = lines.join(' ').split(/(?<=\.)\s/)[0] ?? '';
				const other = twins.filter((twin) => !twin.startsWith(path.replace(/ts$/, '')));
				const beside = other.length === 0 ? '' : ` (${other.map(linux).join(', ')})`;
				return `<tr><td><a href="${pageOf(path)}"><code>${name}</code></a><td>${scope}<td>${escaped(first)}${beside}`;
			});
		body.push(`<h2><code>${folder}</code></h2>`, '<table>', ...rows, '</table>');
	}
	return page('index.html', 'The kernel half, file by file', body);
}

/** What a name is found by. */
const letters = (name: string): string => name.replace(/^_+/, '').toLowerCase();

/** All names. */
export function namesPage(files: readonly Documented[]): string {
	const entries = files
		.flatMap(({ path, symbols }) => symbols.map(({ name, kind }) => ({ name, kind, path })))
		.sort((a, b) => (letters(a.name) < letters(b.name) ? -1 : 1));
	const sections = new Map<string, string[]>();
	for (const { name, kind, path } of entries) {
		const letter = letters(name)[0]?.toUpperCase() ?? '_';
		const text = `<a href="${pageOf(path)}#${name}"><code>${escaped(name)}${kind === 'function' ? '()' : ''}</code></a>`;
		sections.set(letter, [...(sections.get(letter) ?? []), `<tr><td>${text}<td>${escaped(path)}`]);
	}
	const sorted = [...sections].sort(([a], [b]) => (a < b ? -1 : 1));
	return page('names.html', 'The kernel half, by name', [
		'<h1>The kernel half, by name</h1>',
		`<p>${sorted.map(([letter]) => `<a href="#-${letter}">${letter}</a>`).join(' ')}</p>`,
		...sorted.flatMap(([letter, rows]) => [
			`<h2 id="-${letter}">${letter}</h2>`,
			'<table>',
			...rows,
			'</table>',
		]),
	]);
}
