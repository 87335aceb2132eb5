// SPDX-License-Identifier: GPL-2.0-only
// One run of a board's scripts, step by step: what each answered, its register accesses, the kernel's messages.
import { UserError } from '#tools/run/user-error.js';

export interface Step {
	/** `03-traffic 12`. */
	readonly place: string;
	readonly command: string;
	/** As JSON, its keys in order. */
	readonly answer: string;
	readonly accesses: readonly string[];
	readonly messages: readonly string[];
}

export interface Script {
	/** `03-traffic`. */
	readonly name: string;
	readonly number: number;
	/** One a step. */
	readonly commands: readonly string[];
}

/** The steps of the script @text. */
export function parseScript(name: string, text: string): Script {
	const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
	const begin = /^begin (\d+)$/.exec(lines[0] ?? '');
	if (begin === null)
		throw new UserError(`${name}: expected "begin NUMBER" in the first line, got "${lines[0]}"`);
	return { name: name.replace(/\.ops$/, ''), number: Number(begin[1]), commands: lines.slice(1) };
}

/** What the guest printed, file by file. */
function filesOf(text: string): Map<string, string[]> {
	const files = new Map<string, string[]>();
	let lines: string[] | null = null;
	for (const line of text.split('\n')) {
		const file = /^@@FILE (\S+)$/.exec(line);
		if (file !== null) {
			lines = [];
			files.set(file[1]!, lines);
		} else if (line.startsWith('@@END ')) lines = null;
		else lines?.push(line);
	}
	return files;
}

/** What a slow host makes the guest say, at any time, and how long it took to fall asleep. */
const NOISE =
	/^(hrtimer: interrupt took|random: |clocksource: |workqueue: |sched: |rcu: |PM: |Filesystems sync|Freezing |OOM killer|printk: Suspending|Restarting tasks|.*deferred probe pending|.*module verification failed)/;

/** @messages without what depends on the host. */
export function withoutNoise(messages: readonly string[]): string[] {
	return messages.filter((text) => !NOISE.test(text));
}

/** Of what the kernel says while it boots, what IOMMUs and groups say. */
export function aboutIommus(messages: readonly string[]): string[] {
	return messages.filter((text) => /^\S+ \S+\.iommu: |: Adding to iommu group /.test(text));
}

/** The kernel's messages by the step's mark, `SCRIPT.STEP`; of a warning only where it is. Before all steps: `boot`. */
export function messagesOf(log: readonly string[]): Map<string, string[]> {
	const steps = new Map<string, string[]>([['boot', []]]);
	let step: string[] = steps.get('boot')!;
	let warning = false;
	for (const line of log) {
		const text = line.replace(/^\[\s*\d+\.\d+\] /, '');
		const mark = /^KIT-STEP (\d+\.\d+)$/.exec(text);
		if (mark !== null) {
			step = [];
			steps.set(mark[1]!, step);
			warning = false;
		} else if (text.includes('[ cut here ]')) warning = true;
		else if (warning) {
			const at = /^WARNING: .* at \S+:\d+ ([\w.]+)\+0x/.exec(text);
			if (at !== null) step.push(`<WARNING in ${at[1]}>`);
			warning = !text.startsWith('---[ end trace');
		} else step.push(...withoutNoise([text]));
	}
	return steps;
}

/** @text, which is JSON, with its keys in order. */
export function canonical(text: string): string {
	const sorted = (_key: string, value: unknown): unknown =>
		value !== null && typeof value === 'object' && !Array.isArray(value)
			? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
			: value;
	try {
		return JSON.stringify(JSON.parse(text), sorted);
	} catch {
		return text;
	}
}

/** The run whose guest printed @text. */
export function readRun(scripts: readonly Script[], text: string, where: string): Step[] {
	const files = filesOf(text);
	const messages = messagesOf(files.get('dmesg') ?? []);
	return scripts.flatMap(({ name, number, commands }) => {
		const lines = new Map(
			(files.get(`${name}.ops`) ?? []).map((line) => {
				const [n, answer, accesses] = line.split('\t');
				return [n, { answer, accesses }];
			}),
		);
		return commands.map((command, i) => {
			const line = lines.get(`${i + 1}`);
			const said = messages.get(`${number}.${i + 1}`);
			if (line?.answer === undefined || said === undefined)
				throw new UserError(`${where}: ${name} step ${i + 1} (${command}) is not there`);
			return {
				place: `${name} ${i + 1}`,
				command,
				answer: canonical(line.answer),
				accesses: (line.accesses ?? '').split(' ').filter((access) => access !== ''),
				// A driver that is built in has had its say before.
				messages: command === 'boot' ? aboutIommus([...messages.get('boot')!, ...said]) : said,
			};
		});
	});
}
