// SPDX-License-Identifier: GPL-2.0-only
// One run of chaos, again, and cut down.

import { panic_state } from '#kernel/panic.js';
import { findings } from '#tests/sanitiser.js';
import type { Description } from '#tools/check/description.js';
import { Rig } from '#tools/check/rig.js';
import { Chaos, type Decision } from '#watch/chaos.js';
import { shrink } from '#watch/shrink.js';
import { Program } from './program.js';

export interface Outcome {
	readonly seed: number;
	/** What went wrong; null: nothing. */
	readonly failure: string | null;
	readonly decisions: readonly Decision[];
	/** Scheduling points that were passed. */
	readonly points: number;
}

export const STEPS = 60;

/** What was found or warned of, the first of it. */
function heard(): string | null {
	return findings[0] ?? (panic_state.warnings.length > 0 ? `WARNING: ${panic_state.warnings[0]}` : null);
}

/** A program of @steps steps for what @description describes, with what @seed decides; @only: with these decisions. */
export function runChaos(
	description: Description,
	seed: number,
	steps = STEPS,
	only: ReadonlySet<string> | null = null,
): Outcome {
	const chaos = new Chaos(seed, only);
	findings.length = 0;
	let failure: string | null = null;
	try {
		const rig = new Rig(description, chaos.machineOptions());
		const program = new Program(rig, description);
		chaos.start(rig.machine, program.actions);
		for (let n = 0; n < steps && failure === null; n++) {
			const key = `step ${n}`;
			if (!chaos.keeps(key)) continue;
			chaos.step(n);
			const amend = chaos.record(key, key);
			const done = program.step(chaos, n);
			amend(done === null ? null : `${key}: ${done}`);
			rig.dmasan.check(`step ${n}`);
			failure = heard();
		}
		chaos.stop();
		if (failure === null) {
			program.end(chaos.draw('end'));
			rig.dmasan.check('the end');
			failure = heard();
		}
	} catch (e) {
		const { message } = e as Error;
		failure = heard() ?? (e instanceof Error ? message : String(e));
	}
	findings.length = 0;
	panic_state.warnings.length = 0;
	return { seed, failure, decisions: chaos.decisions, points: chaos.points };
}

/** What is the same of two failures that are the same: the words, not where and when. */
function kindOf(failure: string): string {
	const found = /BUG: DMASAN: ([\w-]+)/.exec(failure);
	return found?.[1] ?? failure.split('\n')[0].replace(/0x[0-9a-f]+|\d+/g, '#');
}

/** The fewest decisions of @outcome's that fail in the same way. */
export function shrinkChaos(description: Description, outcome: Outcome, steps = STEPS): Outcome {
	const { seed, failure } = outcome;
	if (failure === null) return outcome;
	let best = outcome;
	const fails = (keys: readonly string[]): boolean => {
		const again = runChaos(description, seed, steps, new Set(keys));
		if (again.failure === null || kindOf(again.failure) !== kindOf(failure)) return false;
		best = again;
		return true;
	};
	shrink(
		outcome.decisions.map(({ key }) => key),
		fails,
	);
	return best;
}
