// SPDX-License-Identifier: GPL-2.0-only
// Time in both directions. A run is determined by its scenario and its commands, so the state at step k is had by doing
// all that again on a new machine, and stopping there.

import { kernelTrace } from '#watch/journal.js';
import { Recorder, type Step } from '#watch/recorder.js';
import { type Scenario, Session } from './session.js';
import { CommandError } from './words.js';

/** A command that was done, and which steps it made: [first, last], none when it ends before it begins. */
export interface Done {
	readonly line: string;
	readonly first: number;
	readonly last: number;
}

/** The moment that is looked at. */
export interface Moment {
	readonly step: Step;
	/** The kernel's functions that had not returned, innermost first. */
	readonly trace: readonly string[];
	/** Which of the sanitiser's findings has just been made, behind the step; null: none, the step is just being made. */
	readonly finding: number | null;
	/** Which command of the history is being done. */
	readonly command: number;
}

/** What goes through the kernel when a replay is to stop. */
const STOP = new Error('a replay has come to its step');

const NEVER = (): boolean => false;

/** How deep a stack is looked at. */
const DEPTH = 32;

export class Replay {
	/** The commands, from the boot on. */
	#history: Done[] = [];
	/** All steps of the whole run, and where the sanitiser found something. */
	#recorder: Recorder;
	#findings: readonly number[] = [];
	#session: Session;
	#moment: Moment | null = null;
	/** Which command of the history is being done again. */
	#doing = 0;
	/** Kernel code has run on a state that is in the midst of something. */
	#spoilt = false;

	/** Boots @scenario's board. @run does a command, as the first time. */
	constructor(
		readonly scenario: Scenario,
		readonly run: (session: Session, line: string) => void,
	) {
		const { session, recorder, findings } = this.#machine(NEVER, NEVER);
		this.#session = session;
		this.#recorder = recorder;
		this.#findings = findings;
		session.boot();
		this.#history.push({ line: 'boot', first: 1, last: recorder.steps.length });
	}

	/** The state that is looked at. */
	get session(): Session {
		if (this.#spoilt) this.#backTo(this.#moment);
		return this.#session;
	}

	/** All that has happened, whatever is looked at. */
	get steps(): readonly Step[] {
		return this.#recorder.steps;
	}

	get history(): readonly Done[] {
		return this.#history;
	}

	/** Where the sanitiser has found something, by step. */
	get findings(): readonly number[] {
		return this.#findings;
	}

	/** The moment that is looked at; null: now, behind all commands. */
	get moment(): Moment | null {
		return this.#moment;
	}

	/** The number of the step that is looked at. */
	get at(): number {
		return this.#moment?.step.number ?? this.steps.length;
	}

	/** Look at the state in the moment of step @number; null: at now. */
	goTo(number: number | null): void {
		this.#spoilt = false;
		if (number === null) this.#toNow();
		else this.#moment = this.#play((step) => step.number === number);
	}

	/** Look at the state as the sanitiser has made its finding @index. */
	goToFinding(index: number): void {
		this.#spoilt = false;
		this.#moment = this.#play(NEVER, (made) => made === index);
	}

	#backTo(moment: Moment | null): void {
		if (moment === null || moment.finding === null) this.goTo(moment?.step.number ?? null);
		else this.goToFinding(moment.finding);
	}

	/** Look at the first moment behind the present one that @wanted takes, by its stack too; false, and all is as before: none. */
	goToFirst(wanted: (step: Step, trace: readonly string[]) => boolean): boolean {
		const from = this.#moment?.step.number ?? this.steps.length;
		const before = this.#moment;
		if (before === null) return false;
		const found = this.#play((step) => step.number > from && wanted(step, kernelTrace(DEPTH)));
		if (found === null) this.#backTo(before);
		else this.#moment = found;
		return found !== null;
	}

	/** What was at work in the kernel at the steps @numbers. What is looked at stays the same. */
	tracesAt(numbers: ReadonlySet<number>): ReadonlyMap<number, readonly string[]> {
		const moment = this.#moment;
		const traces = new Map<number, readonly string[]>();
		this.#play((step) => {
			if (numbers.has(step.number)) traces.set(step.number, kernelTrace(DEPTH));
			return false;
		});
		this.#backTo(moment);
		return traces;
	}

	/** Kernel code runs on what is looked at, to say something: that is no part of the run. */
	spoil(): void {
		this.#spoilt = true;
	}

	/**
	 * Behind this the state is now, and @line may change it. What came after the moment that was looked at is dropped; the
	 * command that it is in the midst of is done to its end. The lines of those that are dropped.
	 */
	cut(): string[] {
		if (this.#moment === null) return [];
		const keep = this.#moment.command + 1;
		const dropped = this.#history.splice(keep).map(({ line }) => line);
		this.#toNow();
		return dropped;
	}

	/** Do @what on the state of now, as the command @line: which stays in the history if anything came of it. */
	record<T>(line: string, what: (session: Session) => T): T {
		const first = this.steps.length + 1;
		const time = this.#session.machine.now();
		let failed = false;
		try {
			return what(this.#session);
		} catch (e) {
			failed = true;
			throw e;
		} finally {
			const last = this.steps.length;
			if (!failed || last >= first || this.#session.machine.now() !== time)
				this.#history.push({ line, first, last });
		}
	}

	/** A machine of the scenario with a recorder; @stop is asked at each step whether that is the one, @stopAt at each finding. */
	#machine(
		stop: (step: Step) => boolean,
		stopAt: (finding: number) => boolean,
	): {
		session: Session;
		recorder: Recorder;
		findings: number[];
		stopped: () => Moment | null;
	} {
		let moment: Moment | null = null;
		let recorder: Recorder | null = null as Recorder | null;
		const findings: number[] = [];
		const session = new Session(this.scenario, (machine) => {
			recorder = new Recorder(machine, {
				onStep: (step) => {
					if (moment !== null || !stop(step)) return;
					moment = { step, trace: kernelTrace(DEPTH), finding: null, command: this.#doing };
					throw STOP;
				},
			});
		});
		session.dmasan.onReport = () => {
			const made = findings.push(recorder!.steps.length) - 1;
			const step = recorder!.steps.at(-1);
			if (moment !== null || step === undefined || !stopAt(made)) return;
			moment = { step, trace: kernelTrace(DEPTH), finding: made, command: this.#doing };
			throw STOP;
		};
		return { session, recorder: recorder!, findings, stopped: () => moment };
	}

	/** Do all again until @stop, or @stopAt, says so; null: it never did, and the state is now's. */
	#play(stop: (step: Step) => boolean, stopAt: (finding: number) => boolean = NEVER): Moment | null {
		const { session, recorder, findings, stopped } = this.#machine(stop, stopAt);
		this.#session = session;
		try {
			this.#doing = 0;
			session.boot();
			for (const { line } of this.#history.slice(1)) {
				this.#doing++;
				this.#again(session, line);
			}
		} catch (e) {
			if (e !== STOP) throw e;
			return stopped();
		}
		this.#recorder = recorder;
		this.#findings = findings;
		return null;
	}

	/** A command that has failed fails again. */
	#again(session: Session, line: string): void {
		try {
			this.run(session, line);
		} catch (e) {
			if (!(e instanceof CommandError)) throw e;
		}
	}

	#toNow(): void {
		this.#play(NEVER);
		this.#moment = null;
	}
}
