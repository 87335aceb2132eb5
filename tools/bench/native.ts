// SPDX-License-Identifier: GPL-2.0-only
// The allocator of addresses as the C that it becomes, in a program of its own.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { IOVA_BENCH } from '#tests/c/libraries.js';
import { build } from '#tests/c/library.js';
import type { IovaRound } from '#tools/bench/cases.js';
import type { Figure } from '#tools/bench/measure.js';
import { PROJECT } from '#tools/project.js';
import { UserError } from '#tools/run/user-error.js';

/** Emit and compile it, with gcc -O2: the program. */
export function buildNative(): string {
	return build(IOVA_BENCH, join(PROJECT, 'out/bench'), []);
}

/** Time batches of @round for @ms, as time() does. */
export function timeNative(
	program: string,
	{ way, live, pages }: IovaRound,
	batch: number,
	ms: number,
): Figure {
	const args = [way, live, pages, batch, ms].map(String);
	const { status, signal, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
	const [median, best] = (stdout ?? '').split(' ').map(Number);
	if (status !== 0 || !(median > 0 && best > 0))
		throw new UserError(`${program} ${args.join(' ')}: stopped with ${signal ?? status}: ${stderr?.trim()}`);
	return { median, best };
}
