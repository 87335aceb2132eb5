// SPDX-License-Identifier: GPL-2.0-only
// Comments: they stand where they stood, wrapped as the kernel wraps them.
import ts from 'typescript-ast';
import { TAB, WIDTH, wrapWords } from '#tools/c/layout.js';
import type { Source } from '#tools/c/source.js';

/** One comment, or lines of `//` that belong together. */
export interface Comment {
	readonly kind: 'line' | 'block' | 'doc';
	/** Without what marks them. */
	readonly lines: readonly string[];
	/** Where it starts, from 1 on. */
	readonly line: number;
	/** An empty line is between it and what follows. */
	readonly apart: boolean;
}

const lineAt = (source: Source, pos: number): number =>
	source.ast.getLineAndCharacterOfPosition(pos).line + 1;

/** @text without what would begin or end a comment of C's. */
const inert = (text: string): string => text.replaceAll('*/', '* /').replaceAll('/*', '/ *');

function textOf(source: Source, range: ts.CommentRange): string[] {
	const text = source.text.slice(range.pos, range.end);
	if (range.kind === ts.SyntaxKind.SingleLineCommentTrivia) return [inert(text.replace(/^\/\/ ?/, ''))];
	return inert(text.replace(/\*\/$/, ''))
		.replace(/^\/ \*\*?/, '')
		.trimEnd()
		.split('\n')
		.map((l, i) => (i === 0 ? l.trim() : l.replace(/^\s*\* ?/, '').trimEnd()))
		.filter((l, i, all) => l !== '' || (i > 0 && i < all.length - 1));
}

/** The comments in @ranges, those of `//` joined. */
function group(source: Source, ranges: readonly ts.CommentRange[], end: number): Comment[] {
	const out: Comment[] = [];
	for (const [i, r] of ranges.entries()) {
		const isLine = r.kind === ts.SyntaxKind.SingleLineCommentTrivia;
		const next = ranges[i + 1]?.pos ?? end;
		const apart = source.text.slice(r.end, next).split('\n').length > 2;
		const kind = isLine ? 'line' : source.text.startsWith('/**', r.pos) ? 'doc' : 'block';
		const last = out[out.length - 1];
		const lines = textOf(source, r);
		source.said.add(r.pos);
		// What a tool is told stays here.
		if (/^(biome-ignore|SPDX|SKELETON:)/.test(lines[0] ?? '')) continue;
		if (isLine && last?.kind === 'line' && !last.apart)
			out[out.length - 1] = { ...last, lines: [...last.lines, ...lines], apart };
		else out.push({ kind, lines, line: lineAt(source, r.pos), apart });
	}
	return out;
}

/** The comments before @node. */
export function before(source: Source, node: ts.Node): Comment[] {
	const ranges = ts.getLeadingCommentRanges(source.text, node.getFullStart()) ?? [];
	// One that ends the line before belongs to what that line has.
	const own = ranges.filter(
		(r) => node.getFullStart() === 0 || source.text.slice(node.getFullStart(), r.pos).includes('\n'),
	);
	return group(source, own, node.getStart(source.ast));
}

/** The comments at the end of @node's last line. */
export function behind(source: Source, node: ts.Node): Comment[] {
	const end = node.getEnd();
	const comma = source.text[end] === ',' ? 1 : 0;
	return group(source, ts.getTrailingCommentRanges(source.text, end + comma) ?? [], end);
}

/** The comments inside @node, but for those before its first token. */
export function inside(source: Source, node: ts.Node): Comment[] {
	const found: ts.CommentRange[] = [];
	const seen = new Set<number>();
	const visit = (n: ts.Node): void => {
		const ranges = [
			...(ts.getLeadingCommentRanges(source.text, n.getFullStart()) ?? []),
			...(ts.getTrailingCommentRanges(source.text, n.getEnd()) ?? []),
		];
		for (const r of ranges)
			if (r.pos >= node.getStart(source.ast) && r.end <= node.getEnd() && !seen.has(r.pos)) {
				seen.add(r.pos);
				found.push(r);
			}
		n.getChildren(source.ast).forEach(visit);
	};
	node.getChildren(source.ast).forEach(visit);
	found.sort((a, b) => a.pos - b.pos);
	return group(source, found, node.getEnd());
}

/** The comments at @node, inside it and around it. */
export function around(source: Source, node: ts.Node): Comment[] {
	const first = ts.getLeadingCommentRanges(source.text, node.getFullStart()) ?? [];
	const same = ts.getTrailingCommentRanges(source.text, node.getFullStart()) ?? [];
	const own = [...same, ...first.filter((r) => !same.some((o) => o.pos === r.pos))];
	return [...group(source, own, node.getStart(source.ast)), ...inside(source, node), ...behind(source, node)];
}

/** The comments behind the bracket that opens @block, in its line. */
export const atStart = (source: Source, block: ts.Node): Comment[] =>
	behind(source, block.getFirstToken(source.ast)!);

/** The comments before the bracket that closes @block. */
export function atEnd(source: Source, block: ts.Node): Comment[] {
	const close = block.getLastToken(source.ast)!;
	return before(source, close);
}

/** The comments of @source that no line of C has; those of what is left out of C do not count. */
export function lost(source: Source, isLeftOut: (node: ts.Statement) => boolean): number[] {
	const at: number[] = [];
	const seen = new Set<number>();
	const visit = (n: ts.Node): void => {
		const ranges = [
			...(ts.getLeadingCommentRanges(source.text, n.getFullStart()) ?? []),
			...(ts.getTrailingCommentRanges(source.text, n.getEnd()) ?? []),
		];
		for (const r of ranges) {
			if (seen.has(r.pos) || source.said.has(r.pos)) continue;
			seen.add(r.pos);
			at.push(lineAt(source, r.pos));
		}
		n.getChildren(source.ast).forEach(visit);
	};
	for (const s of source.ast.statements) if (!isLeftOut(s)) visit(s);
	visit(source.ast.endOfFileToken);
	return at;
}

/** Lines that draw something, or a list: they stay as they are. */
const isDrawn = (lines: readonly string[]): boolean =>
	lines.some((l) => /\S {2,}\S|^ {2,}\S|\+--|^[|+]|^ *[-*] |^@\w+:/.test(l));

/** @lines in paragraphs, each wrapped to @width unless it is a drawing. */
export function wrapped(lines: readonly string[], width: number): string[] {
	const out: string[] = [];
	let paragraph: string[] = [];
	const flush = (): void => {
		out.push(...(isDrawn(paragraph) ? paragraph : wrapWords(paragraph.join(' '), width)));
		paragraph = [];
	};
	for (const l of lines) {
		if (l.trim() === '') {
			flush();
			out.push('');
		} else paragraph.push(l);
	}
	flush();
	return out;
}

/** @lines as a comment of C's, @indent tabs deep. */
export function comment(lines: readonly string[], indent: number, opener = '/*'): string[] {
	const tabs = '\t'.repeat(indent);
	const width = WIDTH - indent * TAB;
	const one = lines.join(' ').trim();
	if (opener === '/*' && !isDrawn(lines) && !lines.includes('') && one.length + 6 <= width)
		return [`${tabs}/* ${one} */`];
	const body = wrapped(lines, width - 3).map((l) => `${tabs} *${l === '' ? '' : ` ${l}`}`);
	return [`${tabs}${opener}`, ...body, `${tabs} */`];
}

/** What a docstring says, in the parts that kernel-doc has. */
export interface Doc {
	readonly text: readonly string[];
	/** By name. */
	readonly params: ReadonlyMap<string, string>;
	readonly returns: string | null;
}

/** Where Linux has it: of no use in Linux itself. */
const SOURCE =
	/\s*\((?:Linux: )?[\w./-]+\.[ch](?:: [^()]*(?:\(\))?)?\)|\s*Linux: (?:[\w./-]+\.[ch]: )?\w+\(\)(?=$|\n)/g;

export function parseDoc(lines: readonly string[]): Doc {
	const text: string[] = [];
	const params = new Map<string, string>();
	let returns: string | null = null;
	let open: string | null = null;
	for (const l of lines) {
		const p = /^@(\w+): (.*)$/.exec(l);
		if (p !== null) {
			open = p[1]!;
			params.set(open, p[2]!);
		} else if (/^Returns?:? /.test(l) && text.length > 0) {
			returns = l.replace(/^Returns?:? /, '');
			open = '';
		} else if (open !== null && l !== '' && /^\s/.test(l)) {
			if (open === '') returns += ` ${l.trim()}`;
			else params.set(open, `${params.get(open)} ${l.trim()}`);
		} else {
			open = null;
			text.push(l);
		}
	}
	const joined = text.join('\n').replace(SOURCE, '').split('\n');
	while (joined[joined.length - 1] === '') joined.pop();
	return { text: joined, params, returns };
}

/** The first sentence of @text, without its end, and what follows. */
function firstSentence(text: readonly string[]): readonly [string, string] {
	const all = text.join('\n').split('\n\n');
	const first = all[0]!.replace(/\s+/g, ' ').trim();
	const m = /^(.*?[^.])\.(?: (.*))?$/.exec(first);
	const rest = [m?.[2] ?? '', ...all.slice(1)].filter((p) => p !== '').join('\n\n');
	return [m?.[1] ?? first, rest];
}

/** @doc as kernel-doc of @name, a function (`name()`) or a struct (`struct name`), with its @params in their order. */
export function kernelDoc(name: string, doc: Doc, params: readonly string[]): string[] {
	const [short, rest] = firstSentence(doc.text);
	const out: string[] = ['/**'];
	const put = (lines: readonly string[], first: string, more: string): void => {
		for (const [i, l] of lines.entries()) out.push(` * ${i === 0 ? first : more}${l}`.trimEnd());
	};
	put(wrapWords(`${name} - ${short}`, WIDTH - 3), '', '    ');
	for (const p of params) put(wrapWords(`@${p}: ${doc.params.get(p)}`, WIDTH - 3), '', '\t');
	for (const paragraph of rest === '' ? [] : rest.split('\n\n')) {
		out.push(' *');
		put(wrapped(paragraph.split('\n'), WIDTH - 3), '', '');
	}
	if (doc.returns !== null) {
		out.push(' *');
		put(wrapWords(`Return: ${doc.returns}`, WIDTH - 3), '', '');
	}
	out.push(' */');
	return out;
}
