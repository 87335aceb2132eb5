// SPDX-License-Identifier: GPL-2.0-only
// What runs in a process with a fault: `make check`, and test files. Neither knows of it.
// First, so that initcalls run in link order whatever else is imported.
import '#init/vmlinux.js';
import { join } from 'node:path';
import Mocha from 'mocha';
import { Machine } from '#hw/core/machine.js';
import { mochaHooks } from '#tests/setup.js';
import { CASES } from '#tools/check/cases/index.js';
import type { Description } from '#tools/check/description.js';
import { runOne, runsOf } from '#tools/check/runner.js';
import { PROJECT } from '#tools/project.js';
import { Dmasan } from '#watch/dmasan.js';
import { FAULTS } from './catalogue.js';
import { Coverage } from './coverage.js';
import { isFit } from './fault.js';
import type { Job, Message } from './job.js';
import { type Seen, seenIn } from './seen.js';

/** No case needs so many; one that has a loop without an end soon does. */
const EVENT_LIMIT = 5_000_000;

let during = '';
let events = 0;
let now: Machine | null = null;
let coverage: Coverage | null = null;

/** Whether the case of that name is to run. */
type Wanted = (name: string) => boolean;

function tell(message: Message): void {
	process.send?.(message);
}

const see = (seen: Seen): void => tell({ kind: 'seen', seen });

function begin(name: string): void {
	during = name;
	events = 0;
	now = null;
	tell({ kind: 'begins', name });
}

/** The case has ended. */
function end(): void {
	if (coverage !== null) tell({ kind: 'reached', name: during, faults: coverage.take() });
}

/** What every loop of a kernel does: it takes a lock, or asks a register. */
function count(machine: Machine): void {
	now = machine;
	if (++events < EVENT_LIMIT) return;
	see(seenIn(`hang: no end after ${EVENT_LIMIT} locks and registers`, during, machine.now()));
	process.exit(1);
}

/** Hear of each finding as it is found, and end what never does. */
function listen(): void {
	const { find } = Dmasan.prototype;
	Dmasan.prototype.find = function (this: Dmasan, finding): void {
		const before = this.reports.length;
		find.call(this, finding);
		const report = this.reports[before];
		if (report === undefined) return;
		const { invariant, moment, kind, time, text } = report;
		see({ channel: 'finding', invariant, moment, what: kind, time, during, text });
	};
	const { irq_disable, mmio_read } = Machine.prototype;
	Machine.prototype.irq_disable = function (this: Machine): void {
		count(this);
		irq_disable.call(this);
	};
	Machine.prototype.mmio_read = function (this: Machine, ...args): number {
		count(this);
		return mmio_read.call(this, ...args);
	};
}

/** What a case complains of, but for findings: those are heard already. */
function complain(problems: readonly string[]): void {
	for (const problem of problems)
		if (!/BUG: DMASAN|unexpected finding/.test(problem)) see(seenIn(problem, during, now?.now() ?? 0));
}

async function conformance(driver: string, wanted: Wanted, seed: number): Promise<number> {
	const { description }: { description: Description } = await import(`#tools/check/drivers/${driver}.js`);
	let cases = 0;
	for (const run of runsOf(CASES, description)) {
		const name = `${driver}: ${run.name}`;
		if (run.lack !== null || !wanted(name)) continue;
		begin(name);
		complain(runOne(run, seed).problems);
		end();
		cases++;
	}
	return cases;
}

/** Leave of @suite those tests that are @wanted. */
function keep(suite: Mocha.Suite, wanted: Wanted): void {
	suite.tests = suite.tests.filter((test) => wanted(test.fullTitle()));
	for (const inner of suite.suites) keep(inner, wanted);
}

async function testFiles(files: readonly string[], wanted: Wanted): Promise<number> {
	if (files.length === 0) return 0;
	const mocha = new Mocha({ timeout: 0, rootHooks: mochaHooks, reporter: class {} as never });
	for (const file of files) mocha.addFile(join(PROJECT, 'build/tests', file));
	await mocha.loadFilesAsync();
	keep(mocha.suite, wanted);
	let cases = 0;
	await new Promise<void>((resolve) => {
		const runner = mocha.run(() => resolve());
		runner.on('test', (test) => {
			cases++;
			begin(test.fullTitle());
		});
		runner.on('fail', (_test, e: Error) => {
			complain([e.name === 'Error' || e.name === 'AssertionError' ? e.message : (e.stack ?? e.message)]);
		});
		runner.on('test end', () => end());
	});
	return cases;
}

export async function work({ fault, drivers, files, cases, seed }: Job): Promise<void> {
	listen();
	if (fault === null) coverage = new Coverage(FAULTS.filter(isFit));
	const names = cases === null ? null : new Set(cases);
	const wanted = (name: string): boolean => names === null || names.has(name);
	let done = 0;
	for (const driver of drivers) done += await conformance(driver, wanted, seed);
	done += await testFiles(files, wanted);
	tell({ kind: 'end', cases: done });
}
