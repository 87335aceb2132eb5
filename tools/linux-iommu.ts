#!/usr/bin/env node
// SPDX-License-Identifier: GPL-2.0-only
// One program: linux-iommu VERB …
import { complain, UsageError } from '#tools/run/user-error.js';

interface Verb {
	readonly does: string;
	/** Its program, which takes the arguments behind it and answers the exit status. */
	readonly program: () => Promise<{ main(args: readonly string[]): Promise<number> }>;
}

const VERBS: Readonly<Record<string, Verb>> = {
	c: {
		does: 'kernel C from a driver that is written in the kernel subset',
		program: () => import('#tools/c/main.js'),
	},
	chaos: {
		does: 'clients that do everything right, on hardware that does what it may, seed after seed',
		program: () => import('#tools/chaos/main.js'),
	},
	check: {
		does: 'whether an IOMMU driver does what it has to, case after case',
		program: () => import('#tools/check/main.js'),
	},
	'fail-nth': {
		does: 'each step of a life with an IOMMU, with its first, second, third … failure',
		program: () => import('#tools/fail-nth/main.js'),
	},
	new: {
		does: 'a folder of your own for a new IOMMU',
		program: () => import('#tools/new/main.js'),
	},
};

const USAGE = [
	'usage: linux-iommu VERB …',
	...Object.entries(VERBS).map(([verb, { does }]) => `  ${verb.padEnd(10)}${does}`),
	'linux-iommu VERB --help says what a verb takes. Exit status: 0 when all is well, 1 when something failed, 2 for a',
	'command line that is none.',
].join('\n');

const [verb = '', ...rest] = process.argv.slice(2);
if (verb === '--help' || verb === '-h') console.log(USAGE);
else if (Object.hasOwn(VERBS, verb)) process.exitCode = await (await VERBS[verb].program()).main(rest);
else process.exitCode = complain(new UsageError(`"${verb}": expected a verb`, USAGE));
