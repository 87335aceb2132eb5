// SPDX-License-Identifier: GPL-2.0-only
// The prompt's language: a line is a command, its answer lines. Nothing here is of Node's: a page has it, too.

import { run_on_cpu } from '#linux/smp.js';
import type { Command, Effect } from './command.js';
import { DMA } from './commands/dma.js';
import { FILES } from './commands/files.js';
import { IOMMU } from './commands/iommu.js';
import { JOB } from './commands/job.js';
import { REGISTERS } from './commands/registers.js';
import { SAID } from './commands/said.js';
import { TIME, type TimeCommand } from './commands/time.js';
import { Replay } from './replay.js';
import { type Scenario, type Session, stopping } from './session.js';
import { expected, type Word, wordsOf } from './words.js';

const byName = <T extends { readonly name: string }>(all: readonly T[]): ReadonlyMap<string, T> =>
	new Map(all.map((each) => [each.name, each]));

/** The commands that are about the state of a board, and those that are about when. */
const COMMANDS: ReadonlyMap<string, Command> = byName([
	...DMA,
	...REGISTERS,
	...IOMMU,
	...FILES,
	...JOB,
	...SAID,
]);
const TIMES: ReadonlyMap<string, TimeCommand> = byName(TIME);
const NAMES: readonly string[] = [...COMMANDS.keys(), ...TIMES.keys(), 'help'];

/** @line as a command of those about the state. */
function commandOf(line: string): { readonly command: Command; readonly args: readonly Word[] } {
	const [first, ...args] = wordsOf(line);
	const command = COMMANDS.get(first?.word ?? '');
	return command === undefined ? expected('a command (help lists them)', first?.word) : { command, args };
}

/** What @line answers, behind what kernel and sanitiser say of it. */
function told(session: Session, line: string): string[] {
	const { command, args } = commandOf(line);
	const { dmasan } = session;
	const from = session.logEnd;
	const before = dmasan.reports.length;
	const said = (): string[] => [
		...session.log(from),
		...dmasan.reports.slice(before).flatMap(({ text }) => text.split('\n')),
	];
	const answer = stopping(() => command.run(session, args), said);
	return [...said(), ...answer];
}

function effectOf({ effect }: Command, args: readonly Word[]): Effect {
	return typeof effect === 'function' ? effect(args) : effect;
}

export class Interpreter {
	/** The run, and what of it is looked at. */
	readonly replay: Replay;

	/** Boots @scenario's board. */
	constructor(scenario: Scenario) {
		this.replay = new Replay(scenario, told);
	}

	/** What a person reads first. */
	get greeting(): string[] {
		const { session } = this.replay;
		const { machine, adopted, scenario, clients } = session;
		const own = adopted.length === 0 ? [] : [`bound to the prompt's own driver: ${adopted.join(', ')}`];
		return [
			...session.log(),
			`${machine.tree.string('model') ?? scenario.board}: ${clients.join(', ')}`,
			...own,
		];
	}

	/** How often the sanitiser has found something. */
	get found(): number {
		return this.replay.findings.length;
	}

	/** Do the command of @line. What kernel and sanitiser say meanwhile comes before its answer. Throws a CommandError. */
	exec(line: string): string[] {
		const [first, ...args] = wordsOf(line);
		if (first === undefined) return [];
		if (first.word === 'help') return help(args[0]?.word);
		const time = TIMES.get(first.word);
		if (time !== undefined) return stopping(() => time.run(this.replay, args));
		const { command } = commandOf(line);
		return this.#inTime(line, effectOf(command, args));
	}

	/** Data of the command of @line, which only looks; null: it has none. */
	json(line: string): unknown {
		const [first, ...words] = wordsOf(line);
		const time = TIMES.get(first?.word ?? '');
		if (time !== undefined) return time.json?.(this.replay, words) ?? null;
		const { command, args } = commandOf(line);
		return command.json?.(this.replay.session, args) ?? null;
	}

	#inTime(line: string, effect: Effect): string[] {
		const replay = this.replay;
		if (effect === 'look') return told(replay.session, line);
		if (effect === 'read' && replay.moment !== null) {
			const { session } = replay;
			replay.spoil();
			// As from another CPU: this one stands still, in the midst of something.
			return run_on_cpu(1, () => told(session, line));
		}
		const dropped = replay.cut();
		const note = dropped.length === 0 ? [] : [`(what came after is dropped: ${dropped.join('; ')})`];
		return [...note, ...replay.record(line, (session) => told(session, line))];
	}

	/** What @line can go on with: the words that can stand in the place of its last one. */
	complete(line: string): string[] {
		const words = line.trimStart().split(/\s+/);
		const begun = words.at(-1) ?? '';
		const at = words.length - 2;
		const all = at < 0 ? NAMES : this.#arguments(words[0], at, begun, words.slice(1, -1));
		return all.filter((word) => word.startsWith(begun));
	}

	/** What the argument @at of the command @name can be. */
	#arguments(name: string, at: number, begun: string, args: readonly string[]): readonly string[] {
		const { replay } = this;
		if (name === 'help') return NAMES;
		if (at === 0 && TIMES.has(name)) return TIMES.get(name)?.complete?.(replay) ?? [];
		return COMMANDS.get(name)?.complete?.(replay.session, at, begun, args) ?? [];
	}
}

/** What comes behind the name of the command @name. */
export function argsOf(name: string): string {
	return (COMMANDS.get(name) ?? TIMES.get(name))?.args ?? '';
}

/** What @name, or each command, does. */
function help(name: string | undefined): string[] {
	const all = [...COMMANDS.values(), ...TIMES.values()];
	const wanted = all.filter((command) => name === undefined || command.name === name);
	if (wanted.length === 0) return expected(`a command, ${NAMES.join(', ')}`, name);
	return wanted.map((command) => `  ${`${command.name} ${command.args}`.padEnd(54)}${command.does}`);
}
