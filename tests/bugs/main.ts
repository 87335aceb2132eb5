// SPDX-License-Identifier: GPL-2.0-only
// make bugs: each fault of the catalogue in a process of its own, under `make check` and the sanitiser. What saw it?
import '#tools/lost-output.js';
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { PROJECT } from '#tools/project.js';
import { complain, UserError } from '#tools/run/user-error.js';
import { FAULTS } from './catalogue.js';
import { editOf, type Fault, FaultError } from './fault.js';
import { isReached, run } from './process.js';
import { best, gradeOf, keyOf, type Seen } from './seen.js';
import { lineOf, type Row, rowOf, summaryOf } from './table.js';
import { type Workload, workloadOf } from './workloads.js';

const USAGE = 'usage: make bugs [ONLY="a part of a fault\'s name"] [SEED=number]';

/** What makes @fault unfit for the code; null: nothing. */
function unfitness(fault: Fault): string | null {
	try {
		editOf(fault);
		return null;
	} catch (e) {
		if (e instanceof FaultError) return e.message;
		throw e;
	}
}

/** As many at a time as there are processors. */
async function inParallel<T>(items: readonly T[], each: (item: T) => Promise<void>): Promise<void> {
	let next = 0;
	const one = async (): Promise<void> => {
		while (next < items.length) await each(items[next++] as T);
	};
	await Promise.all(Array.from({ length: availableParallelism() }, one));
}

/** What is said of the code as it is, by workload: tests of mistakes say much. */
async function knownOf(
	workloads: readonly Workload[],
	seed: number,
): Promise<Map<Workload, ReadonlySet<string>>> {
	const known = new Map<Workload, ReadonlySet<string>>();
	await inParallel(workloads, async (workload) => {
		const { seen, cases } = await run({ ...workload, fault: null, only: '', seed }, new Set(), () => false);
		const broken = seen.find(({ channel }) => channel === 'crash');
		if (broken !== undefined)
			throw new UserError(`${workload.path}: the code as it is ends with ${broken.text}`);
		known.set(workload, new Set(seen.map(keyOf)));
		console.log(`${workload.path}: ${cases} cases; of the code as it is they say ${seen.length} things`);
	});
	return known;
}

async function rowsOf(faults: readonly Fault[], seed: number): Promise<Row[]> {
	const known = await knownOf([...new Set(faults.map(workloadOf))], seed);
	const rows = new Map<Fault, Row>();
	await inParallel(faults, async (fault) => {
		const workload = workloadOf(fault);
		const job = { ...workload, fault, only: '', seed };
		const enough = (seen: Seen): boolean => gradeOf(fault, seen) === 'return';
		const result = await run(job, known.get(workload) ?? new Set(), enough);
		const reached = best(fault, result.seen) !== null || (await isReached(job, fault));
		const row = rowOf(fault, result, reached);
		rows.set(fault, row);
		console.log(lineOf(row));
	});
	return faults.map((fault) => rows.get(fault) as Row);
}

/** The table as text and as data, in out/. */
function write(rows: readonly Row[], summary: string): void {
	const out = join(PROJECT, 'out');
	mkdirSync(out, { recursive: true });
	writeFileSync(join(out, 'bugs.txt'), `${rows.map(lineOf).join('\n')}\n\n${summary}\n`);
	writeFileSync(join(out, 'bugs.json'), `${JSON.stringify(rows, null, '\t')}\n`);
}

async function main(): Promise<number> {
	const only = process.env['ONLY'] ?? '';
	const seed = process.env['SEED'] || '1';
	const exact = FAULTS.filter(({ name }) => name === only);
	const chosen = exact.length > 0 ? exact : FAULTS.filter(({ name }) => name.includes(only));
	if (!/^\d{1,9}$/.test(seed) || chosen.length === 0) {
		const what =
			chosen.length === 0
				? `ONLY: no fault has "${only}" in its name`
				: `SEED: expected a whole number, got "${seed}"`;
		console.error(`${what}\n${USAGE}`);
		return 2;
	}
	const unfit = chosen.map(unfitness).filter((why) => why !== null);
	for (const why of unfit) console.error(why);
	const rows = await rowsOf(
		chosen.filter((fault) => unfitness(fault) === null),
		Number(seed),
	);
	const summary = summaryOf(rows);
	console.log(`\n${summary}`);
	write(rows, summary);
	return unfit.length > 0 || rows.some(({ grade }) => grade === 'missed') ? 1 : 0;
}

try {
	process.exitCode = await main();
} catch (e) {
	if (!(e instanceof UserError)) throw e;
	process.exitCode = complain(e);
}
