// SPDX-License-Identifier: GPL-2.0-only
// A process with a fault, from outside.
import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
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
	/** How many were run. */
	readonly cases: number;
	/** By the name of a fault the cases that come to its place; only of the code as it is. */
	readonly reached: ReadonlyMap<string, readonly string[]>;
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
export function run(job: Job, known: ReadonlySet<string>, enough: (seen: Seen) => boolean): Promise<Result> {
	return new Promise((resolve) => {
		const child = fork(VICTIM, [JSON.stringify(job)], {
			execArgv: ['--stack-trace-limit=30', `--max-old-space-size=${HEAP_MB}`],
			stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
		});
		const seen: Seen[] = [];
		const reached = new Map<string, string[]>();
		const since = performance.now();
		let [cases, during, complaint, ended] = [0, '', '', false];
		const kill = (): void => {
			ended = true;
			child.kill('SIGKILL');
		};
		const add = (one: Seen): void => {
			// What a process that is killed has said before comes all the same.
			if (ended || known.has(keyOf(one))) return;
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
			else if (message.kind === 'end') [cases, ended] = [message.cases, true];
			else
				for (const fault of message.faults) reached.set(fault, [...(reached.get(fault) ?? []), message.name]);
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
			resolve({ seen, cases, reached });
		});
	});
}
