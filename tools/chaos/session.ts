// SPDX-License-Identifier: GPL-2.0-only
// Seed after seed, and what is said of the first that fails.
// First, so that initcalls run in link order whatever else is imported.
import '#init/vmlinux.js';

import type { Description } from '#tools/check/description.js';
import { moduleOf } from '#tools/check/options.js';
import type { ChaosOptions } from './options.js';
import { type Outcome, runChaos, shrinkChaos } from './run.js';

/** The command that repeats @outcome; @only: with its decisions alone. */
function again({ driver, steps }: ChaosOptions, { seed, decisions }: Outcome, only: boolean): string {
	const keys = only ? ` --only='${decisions.map(({ key }) => key).join(', ')}'` : '';
	return `node build/tools/linux-iommu.js chaos --seed=${seed} --steps=${steps}${keys} '${driver}'`;
}

/** What went wrong, and how to see it once more. */
function tell(options: ChaosOptions, description: Description, outcome: Outcome): void {
	const { seed, decisions, failure } = outcome;
	console.log(`seed ${seed}, ${decisions.length} decisions:`);
	console.log(failure);
	console.log(`once more:\n  ${again(options, outcome, options.only !== null)}`);
	if (!options.shrink) {
		console.log(`cut down to the decisions that matter:\n  ${again(options, outcome, false)} --shrink`);
		return;
	}
	const least = shrinkChaos(description, outcome, options.steps);
	console.log(`the fewest decisions that still fail, ${least.decisions.length} of ${decisions.length}:`);
	for (const { text } of least.decisions) console.log(`  ${text}`);
	console.log(least.failure);
	console.log(`only these:\n  ${again(options, least, true)}`);
}

/** Run what @options ask for; the exit status. */
export async function chaos(options: ChaosOptions): Promise<number> {
	const { description }: { description: Description } = await import(moduleOf(options.driver));
	const { seed: first, seeds, steps, only } = options;
	let points = 0;
	for (let seed = first; seed < first + seeds; seed++) {
		const outcome = runChaos(description, seed, steps, only);
		points += outcome.points;
		if (outcome.failure === null) continue;
		tell(options, description, outcome);
		return 1;
	}
	const last = seeds === 1 ? '' : ` to ${first + seeds - 1}`;
	console.log(
		`${description.name}: seed ${first}${last}, ${points.toLocaleString('en-US')} scheduling points: nothing to report`,
	);
	return 0;
}
