// SPDX-License-Identifier: GPL-2.0-only
// Command lines of `make run`, and its variables: options that are there, nearly there or not, with values that are none.
import { type FuzzTarget, pick } from '#tests/fuzz/fuzz.js';
import { parseOptions } from '#tools/run/options.js';
import { oneLine, UserError } from '#tools/run/user-error.js';

const OPTIONS = ['picture', 'out', 'dtb', 'mem', 'append', 'verbose', 'help'];
const VALUES = [
	'',
	'-',
	'--',
	'-1',
	'0',
	'64M',
	'3G',
	'4g',
	'1e9',
	'0x40000000',
	'NaN',
	'Infinity',
	'9'.repeat(400),
	'a b',
	'$(false)',
	'`false`',
	'"\'',
	'\n',
	'\0',
	'\u{1f600}',
	'\ud800',
	'--out=x',
	'__proto__',
];

const VARIABLES = ['PICTURE', 'OUT', 'DTB', 'MEM', 'CMDLINE'];

const characters = (random: () => number): string =>
	Array.from({ length: Math.floor(random() * 6) }, () => String.fromCharCode(random() * 0x180)).join('');

const value = (random: () => number): string => (random() < 0.7 ? pick(random, VALUES) : characters(random));

function argument(random: () => number): string[] {
	const name = random() < 0.9 ? pick(random, OPTIONS) : value(random);
	switch (Math.floor(random() * 5)) {
		case 0:
			return [`--${name}`];
		case 1:
			return [`--${name}=${value(random)}`];
		case 2:
			return [`-${name.charAt(0)}`, value(random)];
		case 3:
			return [value(random)];
		default:
			return [`--${name}`, value(random)];
	}
}

/** Some of the variables. */
function environment(random: () => number): Record<string, string> {
	const set = VARIABLES.filter(() => random() < 0.2);
	return Object.fromEntries(set.map((name) => [name, value(random)]));
}

export const commandLines: FuzzTarget = {
	name: 'command-lines',
	step(random) {
		const argv = Array.from({ length: Math.floor(random() * 5) }, () => argument(random)).flat();
		const variables = environment(random);
		try {
			parseOptions(argv, variables);
		} catch (e) {
			if (e instanceof UserError && oneLine(e.message).length < 500) return;
			throw new Error(`${JSON.stringify([argv, variables])}: ${String(e)}`, { cause: e });
		}
	},
};
