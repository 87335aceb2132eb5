#!/usr/bin/env node
// SPDX-License-Identifier: GPL-2.0-only
// One program: linux-iommu VERB …
import { complain, UsageError } from '#tools/run/user-error.js';

interface Verb {
	readonly does: string;
	/** Its program, which takes the arguments behind it and answers the exit status. */
	readonly program: () => Promise<{ main(args: readonly string[]): Promise<number> }>;
}

/** The verb @name of those that look at a board. */
const look = (name: string, does: string): Verb => ({
	does,
	program: async () => (await import('#tools/see/look.js')).lookVerb(name),
});

/** A verb whose program reads the command line itself, as it is imported. */
const standing = (does: string, usage: string, load: () => Promise<unknown>): Verb => ({
	does,
	program: async () => ({
		main: async (args) => {
			if (args.includes('--help') || args.includes('-h')) {
				console.log(`usage: linux-iommu ${usage}`);
				return 0;
			}
			process.argv.splice(2, Number.POSITIVE_INFINITY, ...args);
			await load();
			return Number(process.exitCode ?? 0);
		},
	}),
});

const VERBS: Readonly<Record<string, Verb>> = {
	bench: standing(
		'what mapping costs, in wall time',
		'bench [--only WORDS] [--native]',
		() => import('#tools/bench/main.js'),
	),
	boot: {
		does: 'any board, then a prompt: map, dma, walk, back …; or a script of that',
		program: () => import('#tools/see/boot.js'),
	},
	c: {
		does: 'kernel C from a driver that is written in the kernel subset',
		program: () => import('#tools/c/main.js'),
	},
	cat: look('cat', "what a file of the board's /sys, /proc, debugfs or tracefs says"),
	chaos: {
		does: 'clients that do everything right, on hardware that does what it may, seed after seed',
		program: () => import('#tools/chaos/main.js'),
	},
	check: {
		does: 'whether an IOMMU driver does what it has to, case after case',
		program: () => import('#tools/check/main.js'),
	},
	echo: look('echo', 'write a line to such a file'),
	'fail-nth': {
		does: 'each step of a life with an IOMMU, with its first, second, third … failure',
		program: () => import('#tools/fail-nth/main.js'),
	},
	golden: standing(
		"the captured kernel's steps, replayed",
		'golden [-v] [FOLDER]',
		() => import('#tests/golden/main.js'),
	),
	ls: look('ls', 'what is in such a directory'),
	maps: look('maps', 'what a device has mapped: pages, direction, by whom and when'),
	new: {
		does: 'a folder of your own for a new IOMMU',
		program: () => import('#tools/new/main.js'),
	},
	page: {
		does: 'the machine in a browser: forward and back in time, with the prompt beside it',
		program: () => import('#tools/page/main.js'),
	},
	run: {
		does: 'the main job: a picture is decoded, shown, and what the IOMMU is for; --step: pauses',
		program: () => import('#tools/see/run.js'),
	},
	trace: {
		does: 'the main job, recorded: as ftrace text, a Perfetto file, or JSON lines',
		program: () => import('#tools/trace/main.js'),
	},
	tree: look('tree', 'such a directory, and those in it'),
	walk: look('walk', 'a translation level by level, as memory, CPU and caches have it'),
	why: look('why', 'the history of an address, and whose bug it is'),
};

const USAGE = [
	'usage: linux-iommu VERB …',
	...Object.entries(VERBS).map(([verb, { does }]) => `  ${verb.padEnd(10)}${does}`),
	'linux-iommu VERB --help says what a verb takes. Exit status: 0 when all is well, 1 when something failed, 2 for a',
	'command line that is none.',
].join('\n');

// Traces name lines of the sources.
process.setSourceMapsEnabled(true);
const [verb = '', ...rest] = process.argv.slice(2);
if (verb === '--help' || verb === '-h') console.log(USAGE);
else if (Object.hasOwn(VERBS, verb)) process.exitCode = await (await VERBS[verb].program()).main(rest);
else process.exitCode = complain(new UsageError(`"${verb}": expected a verb`, USAGE));
