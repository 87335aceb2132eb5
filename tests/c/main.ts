// SPDX-License-Identifier: GPL-2.0-only
// make c-golden: files without a kernel under them, as C in a program, do each step as they do here and as Linux did.
// First, so that initcalls run in link order whatever else is imported.
import '#init/vmlinux.js';
import '#tools/lost-output.js';

import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { PROJECT } from '#tools/project.js';
import { statusOf } from '#tools/run/user-error.js';
import { commands } from '../golden/commands/index.js';
import { Session } from '../golden/session.js';
import { type Json, readVectorFolder, type Step, type VectorFile } from '../golden/vectors.js';
import { LIBRARIES } from './libraries.js';
import { answers, build } from './library.js';
import { comparePure } from './pure.js';
import { randomSteps } from './random-steps.js';

const VECTORS = join(PROJECT, 'tests/golden/vectors');
const OUT = join(PROJECT, 'out/c-golden');

/** Whose functions of numbers are compared, and how often each is called. */
const DRIVERS = ['edu', 'rockchip', 'sun50i'].map((d) => `drivers/iommu/${d}-iommu.ts`);
const CALLS = 2000;

/** One step, played here. */
interface Played {
	readonly where: string;
	readonly line: string;
	readonly here: Json;
	readonly warnings: number;
	/** What Linux answered; undefined: nobody asked it. */
	readonly linux: Json | undefined;
}

/** Plays @steps in @session. */
function play(session: Session, where: string, steps: readonly Step[], isGolden: boolean): Played[] {
	return steps.map(([name, args, result], i) => {
		const here = commands[name]!(session, args, {});
		const warnings = session.takeMessages().filter((m) => m.startsWith('<WARNING')).length;
		const line = [name, ...args].join(' ');
		return { where: `${where}, step ${i}`, line, here, warnings, linux: isGolden ? result : undefined };
	});
}

/** Compares what was played here with C; how many steps differ. */
function differences(program: string, played: readonly Played[], say: (text: string) => void): number {
	let count = 0;
	const said = answers(
		program,
		played.map((p) => p.line),
	);
	for (const [i, p] of played.entries()) {
		const text = said[i]!;
		const gap = text.lastIndexOf(' ');
		const c = JSON.parse(text.slice(0, gap)) as Json;
		const warnings = Number(text.slice(gap));
		const isSame = isDeepStrictEqual(c, p.here) && warnings === p.warnings;
		if (isSame && (p.linux === undefined || isDeepStrictEqual(c, p.linux))) continue;
		if (++count > 5) continue;
		say(`  ${p.where}: ${p.line.slice(0, 200)}`);
		say(`    C ${text.slice(0, 400)}`);
		say(`    TypeScript ${JSON.stringify(p.here).slice(0, 400)} ${p.warnings}`);
		if (p.linux !== undefined) say(`    Linux ${JSON.stringify(p.linux).slice(0, 400)}`);
	}
	return count;
}

function sessionOf(file: VectorFile): Session {
	const [boot] = Object.keys(file.boots) as [string];
	return new Session(boot, file.boots[boot]!, join(VECTORS, 'boards'));
}

async function main(): Promise<number> {
	let failed = 0;
	const files = new Map(readVectorFolder(VECTORS).map((f) => [f.name, f]));
	for (const library of LIBRARIES) {
		const program = build(library, OUT);
		const file = files.get(`${library.name}.json`)!;
		let golden = 0;
		let differ = 0;
		for (const c of file.cases) {
			const steps = (c.steps ?? []).filter((s) => library.plays(s));
			const played = play(sessionOf(file), c.case, steps, true);
			golden += played.length;
			differ += differences(program, played, (text) => console.log(text));
		}
		const random = play(sessionOf(file), 'random', randomSteps(library.name), false);
		differ += differences(program, random, (text) => console.log(text));
		console.log(
			`${library.name}: ${golden} golden steps and ${random.length} random ones, as C, ${differ} differ`,
		);
		failed += differ;
	}
	for (const driver of DRIVERS) {
		const { functions, calls, differences: differ } = await comparePure(driver, OUT, CALLS);
		for (const line of differ.slice(0, 5)) console.log(`  ${line}`);
		console.log(`${driver}: ${functions} functions of numbers, ${calls} calls as C, ${differ.length} differ`);
		failed += differ.length;
	}
	return failed === 0 ? 0 : 1;
}

process.exitCode = await statusOf(main);
