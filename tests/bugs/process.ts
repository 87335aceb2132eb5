// SPDX-License-Identifier: GPL-2.0-only
// A process with a fault, from outside.
import { fork } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { codeOf, editOf, type Fault } from './fault.js';
import type { Job, Message } from './job.js';
import { keyOf, type Seen } from './seen.js';

const VICTIM = fileURLToPath(new URL('victim.js', import.meta.url));
const HEAP_MB = 1024;
/** A process that has used so many seconds of a processor's time does not end: its loop has no events to count. */
const CPU_LIMIT_S = 60;
/** Where nobody counts those. */
const WALL_LIMIT_S = 1800;

export interface Result {
	readonly seen: readonly Seen[];
	readonly cases: number;
}

/** Seconds of processor time that process @pid has used; 0 where the system does not say. */
function cpuSeconds(pid: number): number {
	try {
		const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
			.replace(/^.*\) /, '')
			.split(' ');
		return (Number(fields[11]) + Number(fields[12])) / 100;
	} catch {
		return 0;
	}
}

/** Run @job, until it ends, or what is seen is @enough. What is @known of the code as it is does not count. */
export function run(
	job: Job,
	known: ReadonlySet<string>,
	enough: (seen: Seen) => boolean,
	env: NodeJS.ProcessEnv = {},
): Promise<Result> {
	return new Promise((resolve) => {
		const child = fork(VICTIM, [JSON.stringify(job)], {
			execArgv: ['--stack-trace-limit=30', `--max-old-space-size=${HEAP_MB}`],
			stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
			env: { ...process.env, ...env },
		});
		const seen: Seen[] = [];
		const since = performance.now();
		let [cases, during, complaint, ended] = [0, '', '', false];
		const kill = (): void => {
			ended = true;
			child.kill('SIGKILL');
		};
		const add = (one: Seen): void => {
			if (known.has(keyOf(one))) return;
			seen.push(one);
			if (enough(one)) kill();
		};
		const say = (channel: 'hang' | 'crash', what: string, text: string): void =>
			add({ channel, invariant: null, moment: null, what, time: 0, during, text });
		const timer = setInterval(() => {
			const cpu = cpuSeconds(child.pid ?? 0);
			if (cpu < CPU_LIMIT_S && performance.now() - since < WALL_LIMIT_S * 1000) return;
			say('hang', `no end after ${cpu} s of processor time`, complaint);
			kill();
		}, 1000);
		process.once('exit', kill);
		child.stderr?.on('data', (data: Buffer) => {
			complaint += data.toString();
		});
		child.on('message', (message: Message) => {
			if (message.kind === 'begins') during = message.name;
			else if (message.kind === 'seen') add(message.seen);
			else [cases, ended] = [message.cases, true];
		});
		child.on('exit', () => {
			clearInterval(timer);
			process.off('exit', kill);
			if (!ended)
				say(
					'crash',
					complaint.split('\n').find((line) => /Error|BUG/.test(line)) ?? 'the process ended',
					complaint,
				);
			resolve({ seen, cases });
		});
	});
}

interface Range {
	readonly startOffset: number;
	readonly endOffset: number;
	readonly count: number;
}

interface Coverage {
	readonly result: readonly {
		readonly url: string;
		readonly functions: readonly { readonly ranges: readonly Range[] }[];
	}[];
}

const sizeOf = ({ startOffset, endOffset }: Range): number => endOffset - startOffset;

/** Whether @job, which has @fault, comes to where that is: what is never run cannot be seen. */
export async function isReached(job: Job, fault: Fault): Promise<boolean> {
	const folder = mkdtempSync(join(tmpdir(), 'bugs-'));
	try {
		await run(job, new Set(), () => false, { NODE_V8_COVERAGE: folder });
		const edit = editOf(fault);
		const end = codeOf(fault).indexOf(edit.find) + edit.with.trimEnd().length;
		return readdirSync(folder).some((name) => {
			const { result } = JSON.parse(readFileSync(join(folder, name), 'utf8')) as Coverage;
			const around = result
				.filter(({ url }) => url.endsWith(`/build/${fault.file}.js`))
				.flatMap(({ functions }) => functions.flatMap(({ ranges }) => ranges))
				.filter(({ startOffset, endOffset }) => startOffset <= end && end < endOffset);
			return around.length > 0 && around.reduce((a, b) => (sizeOf(b) < sizeOf(a) ? b : a)).count > 0;
		});
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
}
