// SPDX-License-Identifier: GPL-2.0-only
// Replays vector files: boots each board, makes the calls, compares answers.
import { device_shutdown } from '#drivers/base/core.js';
import { default_swiotlb_base } from '#kernel/dma/swiotlb.js';
import { commands } from './commands/index.js';
import {
	type Captured,
	compareMmio,
	compareStep,
	compareText,
	isRefused,
	type Place,
	type PoolView,
	placeOf,
	saysRefused,
	type Verdict,
} from './compare.js';
import type { Before } from './hardware.js';
import { boardOf } from './kinds.js';
import { Session } from './session.js';
import { textCases } from './text-cases.js';
import { Names } from './traffic.js';
import type { Case, Extra, Json, Step, VectorFile } from './vectors.js';

export interface Difference {
	readonly case: string;
	readonly step: number;
	readonly what: string;
	readonly theirs: string;
	readonly ours: string;
}

export interface Tally {
	readonly file: string;
	steps: number;
	holds: number;
	deviates: number;
	fails: number;
	/** Cases that the runner does not play, by name. */
	readonly left: string[];
	/** The same, by boot: of hardware that has no board here. */
	readonly strange: Map<string, number>;
	readonly differences: Difference[];
}

export class UnknownCommand extends Error {}

/** For tables by label, where the vectors of the session's board have them. */
function namesOf({ hardware }: Session): Names | null {
	return hardware.labelled ? new Names() : null;
}

class FileRun {
	readonly tally: Tally;
	private session: Session | null = null;
	private readonly captured: Captured;
	/** Between the cases "to-fq" and "from-fq" the groups' type is DMA-FQ. */
	private queued = false;
	private managed = false;
	/** A listed deviation has refused a call of this case: its tables are others from here on. */
	private refused = false;
	private place: Place = { boot: '', case: '', names: null };
	private pool: PoolView = { theirs: [0, 0], ours: 0, shift: null };

	constructor(
		private readonly file: VectorFile,
		private readonly boards: string,
	) {
		this.tally = {
			file: file.name,
			steps: 0,
			holds: 0,
			deviates: 0,
			fails: 0,
			left: [],
			strange: new Map(),
			differences: [],
		};
		const has = (key: keyof Extra): boolean =>
			file.cases.some(
				(c) => c.steps?.some((s) => s[3]?.[key] !== undefined) || (key === 'mmio' && c.before !== undefined),
			);
		// A file in which no step has messages, or traffic, did not capture them.
		this.captured = { mmio: has('mmio'), dmesg: has('dmesg') };
	}

	run(): Tally {
		const { strange } = this.tally;
		for (const [boot, facts] of Object.entries(this.file.boots))
			if (boardOf(boot, facts, this.boards) === undefined) strange.set(boot, 0);
			else this.runBoot(boot);
		for (const c of this.file.cases) {
			const left = strange.get(c.boot);
			if (left === undefined) this.runCase(c);
			else strange.set(c.boot, left + 1);
		}
		return this.tally;
	}

	private count(c: Case, step: number, verdict: Verdict, what: string, theirs: Json, ours: Json): void {
		this.tally.steps++;
		this.tally[verdict]++;
		if (verdict !== 'fails') return;
		const text = (v: Json): string => (typeof v === 'string' ? v : JSON.stringify(v));
		this.tally.differences.push({ case: c.case, step, what, theirs: text(theirs), ours: text(ours) });
	}

	/** What the captured boot said of its IOMMUs, and what it did when it was powered off with masters in use. */
	private runBoot(boot: string): void {
		const { messages, shutdown } = this.file.boots[boot]!;
		if (messages === undefined) return;
		const session = new Session(boot, this.file.boots[boot]!, this.boards);
		const c: Case = { case: `boot ${boot}`, boot };
		const place = placeOf(c, namesOf(session));
		const ours = session.bootMessages.filter(
			(line) => /iommu/.test(line) && !line.startsWith('Kernel command line'),
		);
		const said = (lines: readonly string[]): string => lines.join('\n');
		this.count(c, -1, compareText('dmesg', place, said(messages), said(ours)), 'messages', messages, [
			...ours,
		]);
		if (shutdown === undefined) return;
		const traffic = shutdown.slice(shutdown.indexOf(': ') + 2);
		session.takeLog();
		session.hardware.use(session, traffic);
		session.takeLog();
		device_shutdown();
		const log = session.takeLog();
		this.count(c, -1, compareMmio(place, traffic, log), 'shutdown', traffic, log);
	}

	/** A machine in the state that the case begins with. */
	private prepare(c: Case): Session {
		let session = this.session;
		if (session === null || session.boot !== c.boot || c.fresh) {
			session = new Session(c.boot, this.file.boots[c.boot]!, this.boards);
			this.session = session;
			this.managed = false;
			this.place = placeOf(c, namesOf(session));
			const before = session.hardware.prepare(session, c);
			if (before !== null) this.compareBefore(c, before);
			if (this.queued || /changed to DMA-FQ/.test(c.note ?? '')) session.setType('DMA-FQ');
		}
		if (!this.managed && (/driver_managed_dma/.test(c.note ?? '') || c.case.startsWith('unmanaged'))) {
			session.manage();
			this.managed = true;
		}
		if (this.place.case !== c.case || this.place.boot !== c.boot) this.place = placeOf(c, namesOf(session));
		const theirs = (this.file.boots[c.boot]?.swiotlb ?? ['0', '0']).map(Number) as [number, number];
		this.pool = { theirs, ours: default_swiotlb_base(), shift: null };
		for (const key of [...session.slots.keys()]) if (key.startsWith('X')) session.slots.delete(key);
		catchUp(session, c, theirs);
		session.takeLog();
		session.takeMessages();
		return session;
	}

	/** What happened since the case before: ours is the end of it, for the boot's own history may be longer. */
	private compareBefore(c: Case, before: Before): void {
		const { ours } = before;
		const theirs = before.theirs.slice(-Math.max(2 * ours.length, 1) - 64);
		const verdict = [...theirs.matchAll(/(^| )/g)]
			.map((m) => theirs.slice(m.index).trim())
			.filter((tail) => Math.abs(tail.length - ours.length) < 1000)
			.map((tail) => compareMmio(this.place, tail, ours))
			.find((v) => v !== 'fails');
		this.count(c, -1, verdict ?? 'fails', 'before', before.theirs, ours);
	}

	private runCase(c: Case): void {
		const text = textCases[c.case];
		if (c.case === 'to-fq') this.queued = true;
		if (c.case === 'from-fq') this.queued = false;
		if (c.steps === undefined || c.steps.length === 0) {
			if (text === undefined) this.tally.left.push(c.case);
			else
				for (const [i, p] of text(this.prepare(c), c).entries())
					this.count(c, i, p.verdict, p.what, p.theirs, p.ours);
			return;
		}
		const session = this.prepare(c);
		this.refused = false;
		for (const [i, step] of c.steps.entries()) this.runStep(session, c, i, step);
	}

	private runStep(session: Session, c: Case, i: number, step: Step): void {
		const [name, args, result, theirExtra] = step;
		const refused = isRefused(session.hardware.format, step);
		this.refused ||= refused;
		const command = session.hardware.commands[name] ?? commands[name];
		if (command === undefined)
			throw new UnknownCommand(`${this.file.name}: ${c.case}, step ${i}: command "${name}" is unknown`);
		const extra: Extra = {};
		let answer: Json;
		try {
			answer = command(session, args, extra);
		} catch (e) {
			answer = `threw ${(e as Error).stack?.split('\n').slice(0, 4).join(' ')}`;
		}
		const mmio = session.takeLog();
		const dmesg = session.takeMessages();
		if (mmio !== '') extra.mmio = mmio;
		if (dmesg.length > 0) extra.dmesg = dmesg;
		const { verdict, parts } = compareStep(
			this.place,
			this.captured,
			this.pool,
			{ result, extra: theirExtra ?? {} },
			{ result: answer, extra },
		);
		this.count(
			c,
			i,
			verdict === 'fails' && this.refused && (!refused || saysRefused(answer)) ? 'deviates' : verdict,
			`${name} ${JSON.stringify(args)} (${parts.join(', ')})`,
			{ result, ...(theirExtra as object) } as Json,
			{ result: answer, ...(extra as object) } as Json,
		);
	}
}

/** The first slot of the captured kernel's bounce pool that a case without an IOMMU was given; -1 for none. */
function firstBounce(c: Case): number {
	for (const step of c.steps ?? []) {
		const rel = step[3]?.rel;
		if (rel?.[0] === 'bounce') return Number(rel[1]);
	}
	return -1;
}

/** What the captured kernel's default domain counts when the case begins; -1 when the case does not say. */
function firstReference(c: Case): number {
	const [name, , result] = c.steps?.[0] ?? [];
	if (name !== 'dcur' || result === null || typeof result !== 'object' || Array.isArray(result)) return -1;
	return Number(result?.['driver_refcnt'] ?? -1);
}

/**
 * A case that goes on from others of its boot, some of which are kept apart: bring the state that they left. The
 * bounce pool is searched on from the slot given out last; each time that a group left its domain and came back,
 * the domain's count grew by two.
 */
function catchUp(session: Session, c: Case, pool: readonly [number, number]): void {
	if (c.fresh) return;
	const slot = firstBounce(c);
	if (slot >= 0 && slot < (pool[1] - pool[0]) / 2048) session.setBounceIndex(slot);
	const references = firstReference(c);
	if (references >= 0) session.leaveAndReturn(references);
}

/** Replay one file on the boards of the folder @boards. */
export function runFile(file: VectorFile, boards: string): Tally {
	return new FileRun(file, boards).run();
}
