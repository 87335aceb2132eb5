// SPDX-License-Identifier: GPL-2.0-only
// Where lines break, as the kernel breaks them: at 80 columns, what goes on below the parenthesis that it is in.

/** Text with the places where it may go on in the next line. */
export type Doc = string | Break | Align | readonly Doc[];

/** A place to break at; unbroken it is @flat. @last: only if the line is too long without. */
interface Break {
	readonly kind: 'break';
	readonly flat: string;
	readonly last: boolean;
}

/** What breaks inside goes on in the column where @body begins. */
interface Align {
	readonly kind: 'align';
	readonly body: Doc;
	/** Not there, but a tab behind the line before. */
	readonly tab: boolean;
}

export const soft: Doc = { kind: 'break', flat: '', last: false };
export const space: Doc = { kind: 'break', flat: ' ', last: false };
/** Behind an assignment's sign: rather break anywhere else. */
export const lastSpace: Doc = { kind: 'break', flat: ' ', last: true };
export const align = (body: Doc): Doc => ({ kind: 'align', body, tab: false });
export const tabbed = (body: Doc): Doc => ({ kind: 'align', body, tab: true });

/** @parts with @between them. */
export function join(parts: readonly Doc[], between: Doc): Doc {
	return parts.flatMap((p, i) => (i === 0 ? [p] : [between, p]));
}

export const TAB = 8;
export const WIDTH = 80;

type Piece =
	| string
	| { readonly break: Break; readonly depth: number }
	| { readonly open: Align }
	| { readonly close: true };

function flatten(doc: Doc, depth: number, out: Piece[]): Piece[] {
	if (typeof doc === 'string') out.push(doc);
	else if (isList(doc)) for (const d of doc) flatten(d, depth, out);
	else if (doc.kind === 'break') out.push({ break: doc, depth });
	else {
		out.push({ open: doc });
		flatten(doc.body, depth + 1, out);
		out.push({ close: true });
	}
	return out;
}

const isList = (doc: Doc): doc is readonly Doc[] => Array.isArray(doc);

/** @doc in one line. */
export function flat(doc: Doc): string {
	if (typeof doc === 'string') return doc;
	if (isList(doc)) return doc.map(flat).join('');
	return doc.kind === 'break' ? doc.flat : flat(doc.body);
}

/** How wide what follows the break at @at is, up to the next place of the same or an outer depth. */
function unit(pieces: readonly Piece[], at: number): number {
	const { depth } = pieces[at] as { depth: number };
	let width = 0;
	for (let i = at + 1; i < pieces.length; i++) {
		const p = pieces[i]!;
		if (typeof p === 'string') width += p.length;
		else if ('break' in p) {
			if (p.depth <= depth) break;
			width += p.break.flat.length;
		}
	}
	return width;
}

const columns = (text: string): number => {
	let at = 0;
	for (const c of text) at = c === '\t' ? (Math.floor(at / TAB) + 1) * TAB : at + 1;
	return at;
};

const indent = (column: number): string => '\t'.repeat(Math.floor(column / TAB)) + ' '.repeat(column % TAB);

function fill(pieces: readonly Piece[], start: string, withLast: boolean): string[] {
	const lines: string[] = [];
	const margins = [columns(/^\s*/.exec(start)![0]) + TAB];
	let line = start;
	let atStart = false;
	for (const [i, p] of pieces.entries()) {
		if (typeof p === 'string') {
			line += p;
			atStart = false;
		} else if ('open' in p) margins.push(p.open.tab ? margins[0]! : columns(line));
		else if ('close' in p) margins.pop();
		else {
			const margin = margins[margins.length - 1]!;
			const width = unit(pieces, i);
			const fits = columns(line) + p.break.flat.length + width <= WIDTH;
			const gains = margin < columns(line);
			if (fits || atStart || !gains || (p.break.last && !withLast)) line += p.break.flat;
			else {
				lines.push(line.trimEnd());
				line = indent(margin);
				atStart = true;
			}
		}
	}
	lines.push(line);
	return lines;
}

const over = (lines: readonly string[]): number =>
	lines.reduce((sum, l) => sum + Math.max(0, columns(l) - WIDTH), 0);

/** @doc as lines, the first behind @start. */
export function layout(doc: Doc, start: string): string[] {
	const pieces = flatten(doc, 0, []);
	const lines = fill(pieces, start, false);
	if (over(lines) === 0 || !pieces.some((p) => typeof p === 'object' && 'break' in p && p.break.last))
		return lines;
	const broken = fill(pieces, start, true);
	return over(broken) < over(lines) ? broken : lines;
}

/** Words of @text in lines of at most @width columns. */
export function wrapWords(text: string, width: number): string[] {
	const lines: string[] = [];
	let line = '';
	for (const word of text.split(/\s+/).filter((w) => w !== '')) {
		if (line !== '' && line.length + 1 + word.length > width) {
			lines.push(line);
			line = word;
		} else line += (line === '' ? '' : ' ') + word;
	}
	if (line !== '') lines.push(line);
	return lines;
}

export { columns };
