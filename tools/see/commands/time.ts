// SPDX-License-Identifier: GPL-2.0-only
// Forward and back in what has happened.

import { STEP_KINDS, type Step } from '#watch/recorder.js';
import type { Moment, Replay } from '../replay.js';
import { stepLine, touches, writes } from '../steps.js';
import { whyLines, whyOf } from '../why.js';
import { CommandError, expected, numberOf, type Word } from '../words.js';

/** A command that is about when. */
export interface TimeCommand {
	readonly name: string;
	readonly args: string;
	readonly does: string;
	run(replay: Replay, args: readonly Word[]): string[];
	/** The same as data, for `--json`. */
	json?(replay: Replay, args: readonly Word[]): unknown;
	/** What its first argument can be. */
	complete?(replay: Replay): readonly string[];
}

/** Functions of a stack that are shown. */
const FRAMES = 4;
/** Steps that are listed around one. */
const AROUND = 5;

function momentLines(replay: Replay, frames = FRAMES): string[] {
	const { moment, steps } = replay;
	if (moment === null) return [`now, behind step ${steps.length}`];
	const { step, trace, finding, command }: Moment = moment;
	const report = finding === null ? undefined : replay.session.dmasan.reports[finding];
	return [
		stepLine(step),
		...(report === undefined
			? []
			: [`        and then: DMASAN: ${report.kind} (${report.invariant}), in ${report.device}`]),
		...trace.slice(0, frames).map((frame) => `          ${frame}`),
		...(trace.length > frames ? [`          … ${trace.length - frames} more`] : []),
		`        (of ${steps.length} steps; command ${command}: ${replay.history[command].line})`,
	];
}

/** How many steps @word says; one without it. */
function countOf(word: Word | undefined): number {
	const count = word === undefined ? 1 : numberOf(word.word);
	return count === null || count === 0 ? expected('a number of steps, 1 or more', word?.word) : count;
}

/** Go to step @number, which has to be one. */
function goTo(replay: Replay, number: number): string[] {
	const { length } = replay.steps;
	if (number < 1)
		throw new CommandError(`expected a step from 1 to ${length}, got ${number}: nothing was before`);
	replay.goTo(number > length ? null : number);
	return momentLines(replay);
}

/** Go @by steps on; now is behind the last. */
function goBy(replay: Replay, by: number): string[] {
	if (by > 0 && replay.moment === null)
		throw new CommandError(
			`expected a moment of the past (back goes there), got now, behind step ${replay.at}`,
		);
	const at = replay.moment === null ? replay.steps.length + 1 : replay.at;
	return goTo(replay, Math.min(at + by, replay.steps.length + 1));
}

/** Which steps the words @args mean. */
function eventOf(replay: Replay, args: readonly Word[]): (step: Step) => boolean {
	const [first, second] = args;
	if (first === undefined)
		return expected('an event: fault, finding, write ADDRESS, a kind of step [ADDRESS], or a "text"', null);
	if (first.text) return ({ text, who }) => `${who}: ${text}`.includes(first.word);
	const addr = second === undefined ? null : replay.session.addressOf(second.word);
	const there = (step: Step): boolean => addr === null || touches(step, addr, 1);
	if (first.word === 'write') {
		if (addr === null) return expected('an address behind write', null);
		return (step) => writes(step, addr, 1);
	}
	const kinds: readonly string[] = STEP_KINDS;
	if (!kinds.includes(first.word))
		return expected(`finding, write, a "text", or a kind of step (${kinds.join(', ')})`, first.word);
	return (step) => step.kind === first.word && there(step);
}

const isFinding = ([first]: readonly Word[]): boolean => first?.word === 'finding' && !first.text;

/** Go to the next (@by 1) or the last (-1) of what the sanitiser has found. */
function goToFinding(replay: Replay, by: 1 | -1): string[] {
	const { findings, moment, at } = replay;
	const here = moment?.finding ?? null;
	const all = [...findings.keys()];
	const found =
		by > 0
			? all.find((i) => (here === null ? moment !== null && findings[i] >= at : i > here))
			: all.findLast((i) => (here === null ? moment === null || findings[i] < at : i < here));
	if (found === undefined)
		throw new CommandError(`expected a finding ${by > 0 ? 'behind' : 'before'} step ${at}, got none`);
	replay.goToFinding(found);
	return momentLines(replay);
}

const said = (args: readonly Word[]): string => args.map(({ word }) => word).join(' ');

const EVENTS: readonly string[] = ['finding', 'write', ...STEP_KINDS];

const back: TimeCommand = {
	name: 'back',
	args: '[N]',
	does: 'N steps back (1)',
	run: (replay, args) => goBy(replay, -countOf(args[0])),
};

const step: TimeCommand = {
	name: 'step',
	args: '[N]',
	does: 'N steps on (1)',
	run: (replay, args) => goBy(replay, countOf(args[0])),
};

const backTo: TimeCommand = {
	name: 'back-to',
	args: 'EVENT',
	does: 'back to the last: fault, finding, write ADDRESS, KIND [ADDRESS], "text"',
	complete: () => EVENTS,
	run(replay, args) {
		if (isFinding(args)) return goToFinding(replay, -1);
		const is = eventOf(replay, args);
		const behind = replay.moment === null ? replay.steps.length + 1 : replay.at;
		const found = replay.steps.findLast((each) => each.number < behind && is(each));
		if (found === undefined) throw new CommandError(`expected ${said(args)} before step ${behind}, got none`);
		return goTo(replay, found.number);
	},
};

const until: TimeCommand = {
	name: 'until',
	args: 'EVENT',
	does: 'on to the next of these',
	complete: () => EVENTS,
	run(replay, args) {
		if (isFinding(args)) return goToFinding(replay, 1);
		const is = eventOf(replay, args);
		const from = replay.moment === null ? replay.steps.length : replay.at;
		const found = replay.steps.find((each) => each.number > from && is(each));
		if (found === undefined)
			throw new CommandError(
				`expected ${said(args)} behind step ${from}, got none of ${replay.steps.length - from}`,
			);
		return goTo(replay, found.number);
	},
};

const breakAt: TimeCommand = {
	name: 'break',
	args: 'FUNCTION',
	does: 'on to the next step that this kernel function makes (goto 1 begins at the boot)',
	run(replay, args) {
		const name = args[0]?.word ?? expected('the name of a kernel function', null);
		let inside = replay.moment?.trace.some((frame) => frame.startsWith(`${name} `)) ?? false;
		const found = replay.goToFirst((_step, trace) => {
			const was = inside;
			inside = trace.some((frame) => frame.startsWith(`${name} `));
			return inside && !was;
		});
		if (!found) throw new CommandError(`expected a step of ${name}() behind step ${replay.at}, got none`);
		return momentLines(replay, FRAMES);
	},
};

const goto: TimeCommand = {
	name: 'goto',
	args: 'STEP',
	does: 'to the step of that number',
	run: (replay, args) => goTo(replay, countOf(args[0])),
};

const now: TimeCommand = {
	name: 'now',
	args: '',
	does: 'behind all commands, where new ones are done',
	run(replay) {
		replay.goTo(null);
		return momentLines(replay);
	},
};

const where: TimeCommand = {
	name: 'where',
	args: '',
	does: 'which step is looked at, in which function of the kernel',
	run: (replay) => momentLines(replay, Number.POSITIVE_INFINITY),
};

const steps: TimeCommand = {
	name: 'steps',
	args: '[FROM [TO]]',
	does: 'the steps from one to another, or around the present one',
	run(replay, args) {
		const at = replay.at;
		const from = args[0] === undefined ? at - AROUND : countOf(args[0]);
		const to = args[1] === undefined ? (args[0] === undefined ? at : from) + AROUND : countOf(args[1]);
		return replay.steps
			.filter(({ number }) => number >= from && number <= to)
			.map((each) => `${each.number === replay.moment?.step.number ? '>' : ' '}${stepLine(each)}`);
	},
};

const history: TimeCommand = {
	name: 'history',
	args: '',
	does: 'the commands, and their steps',
	run: (replay) =>
		replay.history.map(({ line, first, last }, i) => {
			const which = last < first ? 'no step' : `steps ${first} to ${last}`;
			return `${String(i).padStart(3)}  ${line}  (${which})`;
		}),
};

const why: TimeCommand = {
	name: 'why',
	args: 'ADDRESS',
	does: 'the history of an IOVA, of memory or of a table word, and whose bug it is',
	complete: ({ session }) => session.buffers.map(({ name }) => name),
	run: (replay, args) => whyLines(whyOf(replay, replay.session.addressOf(args[0]?.word))),
	json: (replay, args) => whyOf(replay, replay.session.addressOf(args[0]?.word)),
};

export const TIME: readonly TimeCommand[] = [
	why,
	step,
	back,
	until,
	backTo,
	breakAt,
	goto,
	now,
	where,
	steps,
	history,
];
