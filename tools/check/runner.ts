// SPDX-License-Identifier: GPL-2.0-only
// Runs cases one after the other, each on a machine of its own, and says what came of them.

import { AssertionError } from 'chai';
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
		const boards = [description, ...(c.everyBoard === true ? (description.variants ?? []) : [])];
		return boards.flatMap((board) =>
			policies.map((policy) => {
				const marks = [
					...(policies.length === 1 ? [] : [policy]),
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

/** Run it. */
export function runOne(run: Run, seed: number): Outcome {
	const { name, lack } = run;
	const { blames } = run.case;
	if (lack !== null) return { name, blames, lack, problems: [] };
	const heard = new Heard();
	const log: string[] = [];
	const options: MachineOptions = {
		seed,
		policy: run.policy,
		stormLimit: STORM,
		...run.case.machine,
		onConsole: (_level, line) => log.push(line),
	};
	const problems: string[] = [];
	findings.length = 0;
	try {
		run.case.run(new Rig(run.description, options, heard));
		heard.last?.end();
	} catch (e) {
		problems.push(said(e, log));
	}
	heard.warnings.push(...panic_state.warnings.splice(0));
	problems.push(
		...heard.remarks,
		...unexpected(
			'finding',
			findings.splice(0).filter((text) => !heard.findingsAllowed.some((pattern) => pattern.test(text))),
			heard.findingsExpected,
		),
		...unexpected('warning', heard.warnings, heard.warningsExpected).map((w) => warningText(w, log)),
	);
	return { name, blames, lack, problems };
}
