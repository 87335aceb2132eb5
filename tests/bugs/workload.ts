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
import { runOne, runsOf, select } from '#tools/check/runner.js';
import { PROJECT } from '#tools/project.js';
import { Dmasan } from '#watch/dmasan.js';
import type { Job, Message } from './job.js';
import { type Seen, seenIn } from './seen.js';

/** No case needs so many; one that has a loop without an end soon does. */
const EVENT_LIMIT = 5_000_000;

let during = '';
let events = 0;
let now: Machine | null = null;

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

async function conformance(driver: string, only: string, seed: number): Promise<number> {
	const { description }: { description: Description } = await import(`#tools/check/drivers/${driver}.js`);
	let cases = 0;
	for (const run of select(runsOf(CASES, description), only)) {
		if (run.lack !== null) continue;
		begin(`${driver}: ${run.name}`);
		complain(runOne(run, description, seed).problems);
		cases++;
	}
	return cases;
}

async function testFiles(files: readonly string[]): Promise<number> {
	if (files.length === 0) return 0;
	const mocha = new Mocha({ timeout: 0, rootHooks: mochaHooks, reporter: class {} as never });
	for (const file of files) mocha.addFile(join(PROJECT, 'build/tests', file));
	await mocha.loadFilesAsync();
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
	});
	return cases;
}

export async function work({ drivers, files, only, seed }: Job): Promise<void> {
	listen();
	let cases = 0;
	for (const driver of drivers) cases += await conformance(driver, only, seed);
	cases += await testFiles(files);
	tell({ kind: 'end', cases });
}
