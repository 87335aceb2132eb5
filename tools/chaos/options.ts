// SPDX-License-Identifier: GPL-2.0-only
// The command line of `linux-iommu chaos`.
import { FLAG, parseDriver, TEXT } from '#tools/check/options.js';
import { quoted, UsageError, wholeNumber } from '#tools/run/user-error.js';

export interface ChaosOptions {
	/** As it was given: a driver's name, or a folder. */
	readonly driver: string;
	/** The first seed, and how many. */
	readonly seed: number;
	readonly seeds: number;
	/** Steps of a program. */
	readonly steps: number;
	/** Keys of the decisions that are kept; null: all. */
	readonly only: ReadonlySet<string> | null;
	/** Cut what fails down to the fewest decisions. */
	readonly shrink: boolean;
}

export const USAGE =
	'usage: make chaos DRIVER=sun50i-iommu [SEED=number] [SEEDS=number] [ONLY="decisions"] [SHRINK=1]\n' +
	'   or: linux-iommu chaos [--seed number] [--seeds number] [--steps number] [--only "decisions"] [--shrink] DRIVER, or the folder of one';

const KEY = /^(step \d+|-?\d+\.\d+|habit \w+|page placement)$/;

/** `habit prefetch, step 3, 3.17`. */
function parseOnly(text: string): ReadonlySet<string> | null {
	if (text === '') return null;
	const keys = text.split(',').map((key) => key.trim());
	const wrong = keys.find((key) => !KEY.test(key));
	if (wrong !== undefined)
		throw new UsageError(
			`ONLY: ${quoted(wrong)} is no decision; expected what chaos prints, as in "habit prefetch, step 3, 3.17"`,
		);
	return new Set(keys);
}

/** What the command line asks for; null: for help. */
export function parseChaos(args: readonly string[]): ChaosOptions | null {
	const options = { seed: TEXT, seeds: TEXT, steps: TEXT, only: TEXT, shrink: FLAG };
	const given = parseDriver(args, USAGE, options);
	if (given === null) return null;
	const { driver, values } = given;
	const only = parseOnly(values.only);
	return {
		driver,
		seed: wholeNumber('SEED', values.seed, 1),
		seeds: wholeNumber('SEEDS', values.seeds, only !== null || values.seed !== '' ? 1 : 1000, 1),
		steps: wholeNumber('STEPS', values.steps, 60, 1),
		only,
		shrink: values.shrink,
	};
}
