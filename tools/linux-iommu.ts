#!/usr/bin/env node
// SPDX-License-Identifier: GPL-2.0-only
// One program: linux-iommu VERB …
import { complain, UsageError } from '#tools/run/user-error.js';

/** Each verb's program, which takes the arguments behind it and answers the exit status. */
const VERBS: Readonly<
	Record<string, () => Promise<{ main(args: readonly string[]): number | Promise<number> }>>
> = {
	chaos: () => import('#tools/chaos/main.js'),
	check: () => import('#tools/check/main.js'),
	'fail-nth': () => import('#tools/fail-nth/main.js'),
	new: () => import('#tools/new/main.js'),
};

const USAGE = `usage: linux-iommu VERB …\nverbs: ${Object.keys(VERBS).join(', ')}`;

const [verb = '', ...rest] = process.argv.slice(2);
if (verb === '--help') console.log(USAGE);
else if (Object.hasOwn(VERBS, verb)) process.exitCode = await (await VERBS[verb]()).main(rest);
else process.exitCode = complain(new UsageError(`"${verb}": expected a verb`, USAGE));
