// SPDX-License-Identifier: GPL-2.0-only
// make bugs: each fault of the catalogue in a process of its own, under `make check` and the sanitiser. What saw it?
import '#tools/lost-output.js';
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { PROJECT } from '#tools/project.js';
import { quoted, statusOf, UsageError, UserError, wholeNumber } from '#tools/run/user-error.js';
import { FAULTS } from './catalogue.js';
import { type Fault, isFit, unfitness } from './fault.js';
import type { Job } from './job.js';
import { run } from './process.js';
import { gradeOf, keyOf, type Seen } from './seen.js';
import { lineOf, type Row, rowOf, summaryOf } from './table.js';
import { type Workload, workloadOf } from './workloads.js';

const USAGE = 'usage: make bugs [ONLY="a part of a fault\'s name"] [SEED=number]';

/** As many at a time as there are processors. */
async function inParallel<T>(items: readonly T[], each: (item: T) => Promise<void>): Promise<void> {
	let next = 0;
	const one = async (): Promise<void> => {
		while (next < items.length) await each(items[next++] as T);
	};
	await Promise.all(Array.from({ length: availableParallelism() }, one));
}

/** The code as it is: what is said of that (tests of mistakes say much), and which cases come to which fault. */
interface Sound {
	readonly known: ReadonlySet<string>;
	readonly reached: ReadonlyMap<string, readonly string[]>;
}

/** @workload, driver by driver, and its test files. */
function partsOf({ drivers, files }: Workload): Pick<Job, 'drivers' | 'files'>[] {
	const parts = drivers.map((driver) => ({ drivers: [driver], files: [] as readonly string[] }));
	return files.length === 0 ? parts : [...parts, { drivers: [], files }];
}

/** Run the parts of @workloads, each once. */
async function soundOf(workloads: readonly Workload[], seed: number): Promise<Map<string, Sound>> {
	const parts = new Map(workloads.flatMap(partsOf).map((part) => [JSON.stringify(part), part]));
	const sound = new Map<string, Sound>();
	await inParallel([...parts], async ([key, part]) => {
		const result = await run({ ...part, fault: null, cases: null, seed }, new Set(), () => false);
		const { seen, cases, reached } = result;
		const what = [...part.drivers, ...part.files].join(', ');
		const broken = seen.find(({ channel }) => channel === 'crash');
		if (broken !== undefined) throw new UserError(`${what}: the code as it is ends with ${broken.text}`);
		sound.set(key, { known: new Set(seen.map(keyOf)), reached });
		console.log(`${what}: ${cases} cases; of the code as it is they say ${seen.length} things`);
	});
	return sound;
}

async function rowsOf(faults: readonly Fault[], seed: number): Promise<Row[]> {
	const sound = await soundOf([...new Set(faults.map(workloadOf))], seed);
	const rows = new Map<Fault, Row>();
	await inParallel(faults, async (fault) => {
		const workload = workloadOf(fault);
		const parts = partsOf(workload).map((part) => sound.get(JSON.stringify(part)) as Sound);
		const known = new Set(parts.flatMap((part) => [...part.known]));
		const cases = parts.flatMap(({ reached }) => reached.get(fault.name) ?? []);
		const enough = (seen: Seen): boolean => gradeOf(fault, seen) === 'return';
		const job = { ...workload, fault, cases, seed };
		const seen = cases.length === 0 ? [] : (await run(job, known, enough)).seen;
		const row = rowOf(fault, seen, cases.length);
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

async function main(args: readonly string[]): Promise<number> {
	if (args.includes('--help') || args.includes('-h')) {
		console.log(USAGE);
		return 0;
	}
	if (args.length > 0) throw new UsageError(`${quoted(args.join(' '))}: expected no arguments`, USAGE);
	const only = process.env['ONLY'] ?? '';
	const seed = wholeNumber('SEED', process.env['SEED'] ?? '', 1);
	const exact = FAULTS.filter(({ name }) => name === only);
	const chosen = exact.length > 0 ? exact : FAULTS.filter(({ name }) => name.includes(only));
	if (chosen.length === 0) throw new UsageError(`ONLY: no fault has ${quoted(only)} in its name`, USAGE);
	const unfit = chosen.map(unfitness).filter((why) => why !== null);
	for (const why of unfit) console.error(why);
	const rows = await rowsOf(chosen.filter(isFit), seed);
	const summary = summaryOf(rows);
	console.log(`\n${summary}`);
	write(rows, summary);
	return unfit.length > 0 || rows.some(({ grade }) => grade === 'missed') ? 1 : 0;
}

process.exitCode = await statusOf(() => main(process.argv.slice(2)));
