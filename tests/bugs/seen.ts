// SPDX-License-Identifier: GPL-2.0-only
// What is seen of a fault, by whom, and how good that is.
import type { Moment } from '#watch/report.js';
import type { Broken, Fault } from './fault.js';

/** Who speaks: the sanitiser, a warning of the kernel, dma-debug, the leak check, a case's own assertion, or the end. */
export type Channel = 'finding' | 'warning' | 'dma-debug' | 'leak' | 'case' | 'crash' | 'hang';

/** One thing that is seen. */
export interface Seen {
	readonly channel: Channel;
	/** What it says is broken; null: it names nothing. */
	readonly invariant: string | null;
	readonly moment: Moment | null;
	/** A word or a line: `stale-tlb`, `WARNING: …`. */
	readonly what: string;
	/** Virtual time of the machine, in nanoseconds. */
	readonly time: number;
	/** The case that ran. */
	readonly during: string;
	readonly text: string;
}

/** Of two things with the same key the second says nothing new. */
export const keyOf = ({ channel, what, during }: Seen): string => `${during} ${channel} ${what}`;

/** From best to worst. */
export type Grade = 'return' | 'damage' | 'other' | 'symptom' | 'missed';

export const GRADES: readonly Grade[] = ['return', 'damage', 'other', 'symptom', 'missed'];

/** What each grade is called. */
export const GRADE_NAMES: Readonly<Record<Grade, string>> = {
	return: 'as the wrong operation returns',
	damage: 'the right invariant, at the damage',
	other: 'another invariant',
	symptom: 'a symptom only',
	missed: 'missed',
};

interface Kind {
	readonly pattern: RegExp;
	readonly invariant: Broken;
	readonly moment: Moment;
}

// Linux' own checkers say what is broken, too. The first that fits.
const KINDS: readonly Kind[] = [
	{ pattern: /sleeping function called|scheduling while atomic/, invariant: 'INV-SLEEP', moment: 'return' },
	{
		pattern:
			/inconsistent lock state|recursive locking|circular locking|spinlock (bad magic|recursion|already unlocked|wrong)|bad unlock balance|lock held when returning|lockdep|held lock|suspicious RCU|BUG: .*deadlock|spinlock\.[jt]s:\d+ ass/i,
		invariant: 'INV-RACE',
		moment: 'return',
	},
	{
		pattern: /pending DMA allocations|device driver has pending DMA/,
		invariant: 'INV-LEAK',
		moment: 'quiet',
	},
	{ pattern: /failed to check map error/, invariant: 'INV-ERR', moment: 'return' },
	{ pattern: /DMA-API: .*(reservation|overlap|EEXIST)/, invariant: 'INV-IOVA', moment: 'return' },
	{ pattern: /DMA-API: .*(longer than|boundary)/, invariant: 'INV-RANGE', moment: 'return' },
	{ pattern: /DMA-API: /, invariant: 'INV-PAIR', moment: 'return' },
	{
		pattern: /refcount_t|use-after-free|double-free|already free|Bad page state|invalid-free|UAF|poison/i,
		invariant: 'INV-REFS',
		moment: 'return',
	},
	{
		pattern:
			/(already (disabled|unprepared|enabled))|Unbalanced pm_runtime|usage count underflow|Runtime PM/i,
		invariant: 'INV-PWR',
		moment: 'return',
	},
	{
		pattern:
			/still has objects|objects remaining|remaining on|left behind|still (allocated|mapped|in use)|leak|\blost\b|more than before|not freed/i,
		invariant: 'INV-LEAK',
		moment: 'quiet',
	},
];

/** A problem that is no finding of the sanitiser: as what it is seen. */
export function seenIn(problem: string, during: string, time: number): Seen {
	const line = problem.split('\n').find((l) => l.trim() !== '') ?? '';
	const kind = KINDS.find(({ pattern }) => pattern.test(problem)) ?? null;
	let channel: Channel = 'case';
	if (/DMA-API/.test(problem)) channel = 'dma-debug';
	else if (/has not ended|MachineHang|never ends|hang/i.test(problem)) channel = 'hang';
	else if (/WARN|BUG:|Bad page|refcount_t|cut here|the kernel stopped|Kernel panic/.test(problem))
		channel = 'warning';
	else if (/^(TypeError|RangeError|ReferenceError|InternalError)/.test(line)) channel = 'crash';
	else if (/still there|left behind|more than before|not (given|freed) back/.test(problem)) channel = 'leak';
	const named = channel === 'case' || channel === 'crash' ? null : kind;
	return {
		channel,
		invariant: named?.invariant ?? null,
		moment: named?.moment ?? null,
		what: line.slice(0, 160),
		time,
		during,
		text: problem,
	};
}

/** How good it is that @seen was said of @fault. */
export function gradeOf(fault: Fault, seen: Seen): Grade {
	if (seen.invariant === null) return 'symptom';
	if (!(fault.breaks as readonly string[]).includes(seen.invariant))
		return seen.channel === 'finding' ? 'other' : 'symptom';
	return seen.moment === 'return' ? 'return' : 'damage';
}

/** The best of what was seen of @fault; null: nothing was. The first, of equals. */
export function best(fault: Fault, all: readonly Seen[]): Seen | null {
	for (const grade of GRADES) {
		const found = all.find((seen) => gradeOf(fault, seen) === grade);
		if (found !== undefined) return found;
	}
	return null;
}
