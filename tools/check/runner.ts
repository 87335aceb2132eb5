// SPDX-License-Identifier: GPL-2.0-only
// Runs cases one after the other, each on a machine of its own, and says what came of them.

import { AssertionError } from 'chai';
import { machine } from '#arch/arm64/kernel/setup.js';
import type { MachineOptions } from '#hw/core/machine.js';
import { MachineHang } from '#hw/core/machine.js';
import type { Policy } from '#hw/core/model.js';
import { kernel_bug, panic_state } from '#kernel/panic.js';
import { findings } from '#tests/sanitiser.js';
import { type Case, lackOf, nameOf } from './case.js';
import type { Description } from './description.js';
import { CheckFailure, Heard, Rig } from './rig.js';

/** A case on one machine: with one policy. */
export interface Run {
	readonly case: Case;
	/** The driver's, or that of one of its variants. */
	readonly description: Description;
	readonly policy: Policy;
	/** What ONLY= selects by, and repeats it alone. */
	readonly name: string;
	/** Why it does not apply; null: it does. */
	readonly lack: string | null;
}

export interface Outcome {
	readonly name: string;
	readonly blames: string;
	/** Why it was not run; null: it was. */
	readonly lack: string | null;
	/** What is wrong, each with its report; empty: it passed. */
	readonly problems: readonly string[];
}

/** An interrupt that is not lowered comes again at once: a million times take a minute. */
const STORM = 300;

const PESSIMISTIC: readonly Policy[] = ['pessimistic'];

/** All runs of @cases for @description, in order. */
export function runsOf(cases: readonly Case[], description: Description): Run[] {
	return cases.flatMap((c) => {
		const policies = c.policies ?? PESSIMISTIC;
		const variants = (description.variants ?? []).filter(({ groups }) => groups?.includes(c.group) !== false);
		const boards = [description, ...(c.everyBoard === true ? variants : [])];
		return boards.flatMap((board) =>
			(board === description ? policies : policies.slice(0, 1)).map((policy) => {
				const marks = [
					...(policies.length === 1 || board !== description ? [] : [policy]),
					...(board === description ? [] : [board.name]),
				];
				const name = marks.length === 0 ? nameOf(c) : `${nameOf(c)} (${marks.join(', ')})`;
				return { case: c, description: board, policy, name, lack: lackOf(c, board) };
			}),
		);
	});
}

/** Those that @only selects: the one of that name, else all that have it in their names. */
export function select(runs: readonly Run[], only: string): Run[] {
	const exact = runs.filter(({ name }) => name === only);
	return exact.length > 0 ? exact : runs.filter(({ name }) => name.includes(only));
}

/** The log from the line before the first warning on: what came with it. */
const WARNING_LINES = 24;
function warningText(warning: string, log: readonly string[]): string {
	const at = log.findIndex((line) => line.includes(warning));
	const cut = log.findLastIndex((line, i) => i <= at && line.includes('[ cut here ]'));
	const from = cut < 0 ? at : cut + 1;
	return from < 0 ? warning : log.slice(from, from + WARNING_LINES).join('\n');
}

function said(e: unknown, log: readonly string[]): string {
	if (e instanceof CheckFailure || e instanceof MachineHang || e instanceof AssertionError) return e.message;
	// The kernel has put its own report into its warnings.
	if (e instanceof kernel_bug) return `the kernel stopped: ${warningText(e.message, log)}`;
	return e instanceof Error ? (e.stack ?? e.message) : String(e);
}

/** @texts without those that were expected, each once, and what was expected and did not come. */
function unexpected(what: string, texts: readonly string[], expected: readonly RegExp[]): string[] {
	const missing = expected.filter((pattern) => !texts.some((text) => pattern.test(text)));
	return [
		...new Set(texts.filter((text) => !expected.some((pattern) => pattern.test(text)))),
		...missing.map((pattern) => `expected a ${what} like ${pattern}, and there was none`),
	];
}

/** What a case ran on, and what was said there. */
interface Bench {
	readonly rig: Rig;
	/** What makes such a machine. */
	readonly key: string;
	readonly log: string[];
}

/** The one that the last case has left as it was. */
let kept: Bench | null = null;

/** The same for runs whose machines are made in the same way. */
function keyOf({ case: c, description, policy }: Run, seed: number): string {
	return JSON.stringify([description.name, c.machine, policy, seed]);
}

/** The problems of @run, on the machine that was kept, if it @shares that. */
function problemsOf(run: Run, seed: number, shared: Bench | null): string[] {
	const heard = new Heard();
	const log = shared?.log ?? [];
	log.length = 0;
	const options: MachineOptions = {
		seed,
		policy: run.policy,
		stormLimit: STORM,
		...run.case.machine,
		onConsole: (_level, line) => log.push(line),
	};
	const problems: string[] = [];
	findings.length = 0;
	kept = null;
	let rig: Rig | null = null;
	try {
		rig = shared?.rig.goOn(heard) ?? new Rig(run.description, options, heard, run.case.elsewhere);
		run.case.run(rig);
		heard.last?.end();
	} catch (e) {
		problems.push(said(e, log));
	}
	heard.warnings.push(...panic_state.warnings.splice(0));
	const found = findings.splice(0);
	problems.push(
		...heard.remarks,
		...unexpected(
			'finding',
			found.filter((text) => !heard.findingsAllowed.some((pattern) => pattern.test(text))),
			heard.findingsExpected,
		),
		...unexpected('warning', heard.warnings, heard.warningsExpected).map((w) => warningText(w, log)),
	);
	const asItWas = problems.length === 0 && found.length === 0 && heard.warnings.length === 0;
	if (run.case.shares === true && asItWas && rig !== null && heard.last === rig)
		kept = { rig, key: keyOf(run, seed), log };
	return problems;
}

/** Run it. */
export function runOne(run: Run, seed: number): Outcome {
	const { name, lack } = run;
	const { blames } = run.case;
	if (lack !== null) return { name, blames, lack, problems: [] };
	const goesOn =
		run.case.shares === true &&
		kept !== null &&
		kept.rig.machine === machine &&
		kept.key === keyOf(run, seed);
	const shared = goesOn ? kept : null;
	const problems = problemsOf(run, seed, shared);
	if (shared === null || problems.length === 0) return { name, blames, lack, problems };
	// The command that repeats it has no cases before it: that says what is wrong, if it can.
	const alone = problemsOf(run, seed, null);
	const after = problems.map((problem) => `${AFTER_OTHERS}:\n${problem}`);
	return { name, blames, lack, problems: alone.length > 0 ? alone : after };
}

const AFTER_OTHERS = "on a machine that the group's cases before it have used, and not alone";
