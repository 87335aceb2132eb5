// SPDX-License-Identifier: GPL-2.0-only
// make golden: replay the golden vectors, a line a file.
// First, so that initcalls run in link order whatever else is imported.
import '#init/vmlinux.js';
import '#tools/lost-output.js';

import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { PAGE_SIZE } from '#asm/page-def.js';
import { PROJECT } from '#tools/project.js';
import { runFile, type Tally, UnknownCommand } from './runner.js';
import { SessionError } from './session.js';
import { readVectorFolder, VectorError } from './vectors.js';

const BOARDS = join(PROJECT, 'tests/golden/vectors/boards');

const USAGE = 'usage: golden [-v] [folder of vector files]';

/** How many cases of @t are of hardware that has no board here. */
function strangeCases(t: Tally): number {
	return [...t.strange.values()].reduce((sum, cases) => sum + cases, 0);
}

function printTally(t: Tally, verbose: boolean): void {
	console.log(
		`${t.file}: ${t.steps} steps, ${t.holds} hold, ${t.deviates} deviate (listed), ${t.fails} fail`,
	);
	if (t.strange.size > 0)
		console.log(
			`  not replayed, there is no board for it in tests/golden/vectors/boards: ${[...t.strange.keys()].join(', ')} (cases: ${strangeCases(t)})`,
		);
	if (t.left.length > 0) console.log(`  left out: ${t.left.join(', ')}`);
	if (!verbose) return;
	for (const d of t.differences.slice(0, 10)) {
		console.log(`  ${d.case}, step ${d.step}: ${d.what}`);
		console.log(`    Linux ${d.theirs.slice(0, 600)}`);
		console.log(`    ours  ${d.ours.slice(0, 600)}`);
	}
}

function main(): number {
	let folder = join(PROJECT, 'tests/golden/vectors');
	let verbose = false;
	try {
		const { values, positionals } = parseArgs({
			options: { verbose: { type: 'boolean', short: 'v' } },
			allowPositionals: true,
		});
		if (positionals.length > 1) throw new Error('more than one folder');
		folder = positionals[0] ?? folder;
		verbose = values.verbose ?? false;
	} catch (e) {
		console.error(`golden: ${(e as Error).message}\n${USAGE}`);
		return 2;
	}
	if (PAGE_SIZE !== 4096) {
		console.error(
			`golden: the vectors are of a kernel with pages of 4096 bytes, this one has ${PAGE_SIZE}: not replayed`,
		);
		return 2;
	}
	try {
		let failed = 0;
		let steps = 0;
		let strange = 0;
		for (const file of readVectorFolder(folder)) {
			const tally = runFile(file, BOARDS);
			printTally(tally, verbose);
			failed += tally.fails;
			steps += tally.steps;
			strange += strangeCases(tally);
		}
		if (steps === 0) throw new SessionError(`${folder}: expected at least one case of a board that is here`);
		console.log(
			`${steps - failed} passed, ${failed} failed${strange === 0 ? '' : `, ${strange} cases not replayed`}`,
		);
		return failed === 0 ? 0 : 1;
	} catch (e) {
		if (e instanceof VectorError || e instanceof UnknownCommand || e instanceof SessionError) {
			console.error(`golden: ${e.message}`);
			return 2;
		}
		throw e;
	}
}

process.exitCode = main();
