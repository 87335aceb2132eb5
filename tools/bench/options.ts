// SPDX-License-Identifier: GPL-2.0-only
// The command line of `make bench`.
import { parseArgs } from 'node:util';
import { CASES, type Case, type CaseKey } from '#tools/bench/cases.js';
import { UsageError } from '#tools/run/user-error.js';

export interface BenchOptions {
	/** The hot paths to measure. */
	readonly keys: readonly CaseKey[];
	/** How long each is measured at a time. */
	readonly ms: number;
	/** Nothing was picked: the tables of growth too. */
	readonly all: boolean;
	/** C beside the cases that it has too. */
	readonly native: boolean;
}

const USAGE = 'usage: make bench [ONLY="words of a case\'s name"] [NATIVE=1]';

/** What the command line asks for. */
export function parseBench(argv: string[]): BenchOptions {
	let only: string;
	let time: string;
	let native: boolean;
	try {
		({
			values: { only, time, native },
		} = parseArgs({
			args: argv,
			options: {
				only: { type: 'string', default: '' },
				time: { type: 'string', default: '300' },
				native: { type: 'boolean', default: false },
			},
		}));
	} catch (e) {
		throw new UsageError((e as Error).message, USAGE);
	}
	const ms = Number(time);
	if (!(ms > 0 && ms < Infinity)) throw new UsageError(`--time: expected milliseconds, got "${time}"`);
	const keys = (Object.keys(CASES) as CaseKey[]).filter((key) => CASES[key].name.includes(only));
	if (keys.length === 0) {
		const names = Object.values(CASES).map(({ name }) => `"${name}"`);
		throw new UsageError(`ONLY: expected a part of ${names.join(', ')}; got "${only}"`);
	}
	if (native && !keys.some((key) => (CASES[key] as Case).native))
		throw new UsageError(
			`NATIVE: expected a case that C has too, those of alloc_iova; ONLY is "${only}"`,
			USAGE,
		);
	return { keys, ms, all: only === '', native };
}
