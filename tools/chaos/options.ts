// SPDX-License-Identifier: GPL-2.0-only
// The command line of `linux-iommu chaos`.
import { parseArgs } from 'node:util';
import { DRIVER_EXPECTED } from '#tools/check/options.js';
import { quoted, UsageError } from '#tools/run/user-error.js';

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
	'usage: make chaos DRIVER=sun50i-iommu [SEED=number] [SEEDS=1000] [SHRINK=1]\n' +
	'   or: linux-iommu chaos [--seed number] [--seeds number] [--steps number] [--only "decisions"] [--shrink] DRIVER,\n' +
	'       or the folder of one';

const KEY = /^(step \d+|-?\d+\.\d+|habit \w+|page placement)$/;

function whole(name: string, text: string, fallback: number): number {
	if (text === '') return fallback;
	if (!/^\d{1,9}$/.test(text))
		throw new UsageError(`${name}: expected a whole number of up to nine digits, got ${quoted(text)}`);
	return Number(text);
}

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
	const text = { type: 'string', default: '' } as const;
	const flag = { type: 'boolean', default: false } as const;
	let parsed: {
		values: {
			seed: string;
			seeds: string;
			steps: string;
			only: string;
			shrink: boolean;
			help: boolean;
		};
		positionals: string[];
	};
	try {
		parsed = parseArgs({
			args: [...args],
			allowPositionals: true,
			options: {
				seed: text,
				seeds: text,
				steps: text,
				only: text,
				shrink: flag,
				help: { ...flag, short: 'h' },
			},
		});
	} catch (e) {
		throw new UsageError((e as Error).message, USAGE);
	}
	const { values, positionals } = parsed;
	if (values.help) return null;
	if (positionals.length > 1)
		throw new UsageError(`expected one driver, got ${positionals.map(quoted).join(' and ')}`, USAGE);
	const [driver = ''] = positionals;
	if (driver === '') throw new UsageError(DRIVER_EXPECTED, USAGE);
	const only = parseOnly(values.only);
	return {
		driver,
		seed: whole('SEED', values.seed, 1),
		seeds: whole('SEEDS', values.seeds, only !== null || values.seed !== '' ? 1 : 1000),
		steps: whole('STEPS', values.steps, 60),
		only,
		shrink: values.shrink,
	};
}
