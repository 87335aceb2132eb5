// SPDX-License-Identifier: GPL-2.0-only
// All steps with all failures, and a line for each.
// First, so that initcalls run in link order whatever else is imported.
import '#init/vmlinux.js';

import { panic_state } from '#kernel/panic.js';
import { findings } from '#tests/sanitiser.js';
import type { Description } from '#tools/check/description.js';
import { failBoot, failEach, failHung } from '#tools/check/fail.js';
import { moduleOf } from '#tools/check/options.js';
import { Rig } from '#tools/check/rig.js';
import { STEPS } from '#tools/check/steps.js';

interface Row {
	readonly what: string;
	/** How often something failed. */
	readonly points: readonly number[];
	/** What did not survive; null: nothing. */
	readonly problem: string | null;
}

const HEADS = ['object', 'page', 'function', 'command'];

function row(what: string, run: () => readonly number[]): Row {
	findings.length = 0;
	panic_state.warnings.length = 0;
	let points: readonly number[] = [];
	let problem: string | null = null;
	try {
		points = run();
	} catch (e) {
		problem = (e as Error).message;
	}
	return { what, points, problem: problem ?? findings[0] ?? panic_state.warnings[0] ?? null };
}

/** The exit status: 1 when something did not survive. */
export async function failNthOf(driver: string): Promise<number> {
	const { description }: { description: Description } = await import(moduleOf(driver));
	const sums = HEADS.map(() => 0);
	let failed = 0;
	const tell = ({ what, points, problem }: Row): void => {
		console.log(`${what.padEnd(32)}${points.map((n) => String(n).padStart(10)).join('')}`);
		for (const [i, n] of points.entries()) sums[i] += n;
		if (problem === null) return;
		failed++;
		console.log(`  ${problem.replaceAll('\n', '\n  ')}`);
	};
	console.log(
		`${description.name}, failures of each${' '.repeat(32)}`.slice(0, 32) +
			HEADS.map((h) => h.padStart(10)).join(''),
	);
	tell(row('boot', () => [failBoot(description, 'slab', {}), 0, failBoot(description, 'function', {}), 0]));
	for (const step of STEPS) {
		if (step.needs?.met(description) === false) continue;
		tell(
			row(step.name, () => {
				const points = failEach(new Rig(description, {}), step);
				return [points.slab, points.page, points.function, failHung(new Rig(description, {}), step)];
			}),
		);
	}
	tell({ what: 'all', points: sums.slice(), problem: null });
	return failed === 0 ? 0 : 1;
}
