// SPDX-License-Identifier: GPL-2.0-only
// Register traffic as the vectors of boards with several IOMMUs write it: groups, polls, tables by label.

/** Of a bounce pool, in bytes. */
export const SLOT = 2048;

/** Which of our labels stands for which of theirs (T1, T2 ...), within a case. */
export class Names {
	private readonly ours = new Map<string, string>();
	private readonly theirs = new Map<string, string>();

	/** A place in a bounce pool: the pools stand elsewhere, the slots are alike. */
	private static bounced(theirs: string, ours: string): boolean {
		const mine = /^([CI]):bounce\+([0-9a-f]+):([0-9a-f]+)$/.exec(ours);
		const other = /^([CI]):([0-9a-f]+):([0-9a-f]+)$/.exec(theirs);
		if (mine === null || other === null || mine[1] !== other[1] || mine[3] !== other[3]) return false;
		return Number.parseInt(other[2]!, 16) % SLOT === Number.parseInt(mine[2]!, 16);
	}

	private pair(theirs: string, ours: string): boolean {
		const known = this.ours.get(theirs);
		if (known !== undefined || this.theirs.has(ours)) return known === ours;
		this.ours.set(theirs, ours);
		this.theirs.set(ours, theirs);
		return true;
	}

	/** Whether the texts differ in nothing but the names of tables, and in these as before. */
	same(theirs: string, ours: string): boolean {
		if (Names.bounced(theirs, ours)) return true;
		const label = /\bT\d+\b/g;
		if (theirs.replace(label, 'T') !== ours.replace(label, 'T')) return false;
		const a = theirs.match(label) ?? [];
		const b = ours.match(label) ?? [];
		return a.every((name, i) => this.pair(name, b[i]!));
	}

	/** A copy to try something with; keep() makes its findings this one's. */
	fork(): Names {
		const copy = new Names();
		copy.keep(this);
		return copy;
	}

	keep(fork: Names): void {
		for (const [theirs, ours] of fork.ours) this.pair(theirs, ours);
	}
}

/** The @i-th repetition of @event: a clean's place grows by what it cleans, a zap's address by a page. */
function repeated(event: string, i: number): string {
	const clean = /^(C:T\d+\+)([0-9a-f]+):([0-9a-f]+)$/.exec(event);
	if (clean !== null) {
		const at = Number.parseInt(clean[2]!, 16) + i * Number.parseInt(clean[3]!, 16);
		return `${clean[1]}${at.toString(16).padStart(3, '0')}:${clean[3]}`;
	}
	const zap = /^(\w+:W10=)([0-9a-f]+)$/.exec(event);
	return zap === null ? event : `${zap[1]}${(Number.parseInt(zap[2]!, 16) + i * 0x1000).toString(16)}`;
}

/** Events of a text: groups written out; a poll is a list. */
function events(text: string): (string | string[])[] {
	const out: (string | string[])[] = [];
	for (const part of text.match(/\[[^\]]*\]x\d+|\{[^}]*\}\*|\S+/g) ?? []) {
		const group = /^\[(.*)\]x(\d+)$/.exec(part);
		const poll = /^\{(.*)\}\*$/.exec(part);
		if (poll !== null) out.push(poll[1]!.trim().split(' '));
		else if (group === null) out.push(part);
		else
			for (let i = 0; i < Number(group[2]); i++)
				out.push(
					...group[1]!
						.trim()
						.split(' ')
						.map((event) => repeated(event, i)),
				);
	}
	return out;
}

/**
 * What both sides can say: clocks by whether the first user came or the last one went, which is all that a clock's
 * hardware sees; nothing of cleans of no bytes.
 */
export function audible(theirs: string): string {
	return theirs
		.replace(/clk[+-]0 ?/g, '')
		.replace(/clk([+-])\d+/g, 'clk$1')
		.replace(/C:\S+:0(?= |$|\]) ?/g, '')
		.trim();
}

/** Whether @ours, a plain list, is what @theirs describes. */
export function sameTraffic(theirs: string, ours: string, names: Names): boolean {
	const mine = ours === '' ? [] : ours.split(' ');
	let at = 0;
	for (const event of events(theirs)) {
		if (typeof event === 'string') {
			if (at >= mine.length || !names.same(event, mine[at++]!)) return false;
			continue;
		}
		let times = 0;
		while (event.every((e, i) => mine[at + i] !== undefined && names.same(e, mine[at + i]!))) {
			at += event.length;
			times++;
		}
		if (times === 0) return false;
	}
	return at === mine.length;
}
