// SPDX-License-Identifier: GPL-2.0-only
// Lines of C, each with the line of TypeScript that it comes from.
import type { Comment } from '#tools/c/comment.js';
import { comment } from '#tools/c/comment.js';
import { type Doc, layout } from '#tools/c/layout.js';

export interface Line {
	readonly text: string;
	/** From 1 on; 0: it comes from none. */
	readonly from: number;
}

/** A growing piece of a file. */
export class Lines {
	readonly all: Line[] = [];

	get isEmpty(): boolean {
		return this.all.length === 0;
	}

	text(texts: readonly string[], from: number): void {
		for (const text of texts) this.all.push({ text, from });
	}

	/** @doc, laid out, @indent tabs deep. */
	doc(doc: Doc, indent: number, from: number): void {
		this.text(layout(doc, '\t'.repeat(indent)), from);
	}

	/** An empty line, if none is there and this is not the beginning. */
	gap(): void {
		const last = this.all[this.all.length - 1];
		if (last !== undefined && last.text !== '') this.all.push({ text: '', from: 0 });
	}

	append(other: Lines): void {
		this.all.push(...other.all);
	}

	comments(comments: readonly Comment[], indent: number): void {
		for (const c of comments) {
			for (const [i, text] of comment(c.lines, indent).entries())
				this.all.push({ text, from: c.line + Math.min(i, c.lines.length - 1) });
			if (c.apart) this.gap();
		}
	}
}
