// SPDX-License-Identifier: GPL-2.0-only
// The history of an address: an IOVA, a physical one, or that of a table word. Each step of the run that is about it, who
// was at work in the kernel, and whose bug it is, if the sanitiser knows.

import { hex } from '#hw/core/register-file.js';
import { NO_PASID } from '#hw/iommu/iommu.js';
import type { JournalEvent } from '#watch/journal.js';
import type { Step } from '#watch/recorder.js';
import { seconds } from '#watch/report.js';
import type { Replay } from './replay.js';
import type { Session } from './session.js';
import { writes } from './steps.js';

/** Something that happened to the address. */
export interface Incident {
	readonly time: number;
	/** Its step; null: the recorder has none, only the sanitiser's journal. */
	readonly step: number | null;
	readonly kind: string;
	readonly text: string;
	/** The kernel's functions at that moment, innermost first. */
	readonly trace: readonly string[];
}

export interface Verdict {
	readonly invariant: string;
	readonly kind: string;
	readonly time: number;
	/** One sentence: what is probably wrong, and where. */
	readonly advice: string;
}

export interface Why {
	readonly address: string;
	/** What kinds of address it is. */
	readonly is: readonly string[];
	readonly incidents: readonly Incident[];
	/** Incidents in the middle that are left out. */
	readonly omitted: number;
	/** What the sanitiser says of it. */
	readonly verdicts: readonly Verdict[];
}

/** How many incidents are told: the first, and the last. */
const FIRST = 8;
const LAST = 24;
/** How many functions of each are shown. */
const FRAMES = 5;
const PAGE = 4096;

/** The steps whose addresses are IOVAs, and those with addresses of memory. */
const BY_IOVA: ReadonlySet<string> = new Set(['dma', 'drop', 'fault', 'fill', 'trace']);
const BY_PHYS: ReadonlySet<string> = new Set(['clean', 'invalidate', 'table', 'walk']);

interface Range {
	readonly first: number;
	readonly last: number;
}

const within = ({ first, last }: Range, addr: number): boolean => first <= addr && addr <= last;

/** What is known of @addr: as an IOVA, in memory, as a word of a table. */
interface Meanings {
	readonly texts: string[];
	/** IOVAs that are meant, or that lead, or led, to it. */
	readonly iovas: Range[];
	/** The same of memory: itself, and the words that lead it on. */
	readonly phys: Range[];
	/** Memory whose allocation matters: its own, and what it leads, or led, to. */
	readonly memory: number[];
}

function meaningsOf({ dmasan, machine }: Session, addr: number): Meanings {
	const texts: string[] = [];
	const iovas: Range[] = [];
	const phys: Range[] = [];
	const memory = new Set<number>();
	const here = { first: addr, last: addr };
	for (const client of dmasan.buffers.clients) {
		const all = [...client.mappings(), ...client.ended];
		for (const { parts, ended } of all)
			for (const part of parts) {
				if (within(part, addr)) {
					texts.push(`an address that ${client.name} ${ended === null ? 'has' : 'had'} mapped`);
					iovas.push(here);
					memory.add(part.phys + (addr - part.first));
				}
				const at = { first: part.phys, last: part.phys + part.size - 1 };
				if (within(at, addr)) {
					const iova = part.first + (addr - part.phys);
					texts.push(`memory that ${client.name} ${ended === null ? 'has' : 'had'} at ${hex(iova, 8)}`);
					iovas.push({ first: iova, last: iova });
				}
			}
	}
	const seen = new Set<number>();
	for (const port of machine.ports) {
		const iommu = machine.iommuOf(port);
		const watch = dmasan.domains.ofPort(port);
		if (iommu === null || watch === null) continue;
		const known = watch.mappings.find(addr) !== null || watch.ended.some((range) => within(range, addr));
		if (!known || iommu.state(port.stream, NO_PASID) !== 'translate') continue;
		iovas.push(here);
		const word = iommu.explain(port.stream, addr).steps.at(-1);
		if (word === undefined || word.addr < 0 || seen.has(word.addr)) continue;
		seen.add(word.addr);
		texts.push(`an IOVA of ${port.name}, whose ${word.table} word is at ${hex(word.addr, 8)}`);
		phys.push({ first: word.addr, last: word.addr + word.bytes - 1 });
	}
	if (machine.ram.is_ram(addr, 1)) {
		phys.push(here);
		memory.add(addr);
		const owner = dmasan.memory.at(addr);
		texts.push(
			`memory${owner === null ? '' : `, ${owner.freed === null ? '' : 'free, once '}${owner.what} at ${hex(owner.phys, 8)}`}`,
		);
	}
	return { texts: [...new Set(texts)], iovas, phys, memory: [...memory] };
}

/** The range that the text of an invalidation names; null: none. */
function rangeIn(text: string): Range | null {
	const [, first, last] = /(0x[\da-f]{5,})(?:\.\.(0x[\da-f]+))?/.exec(text) ?? [];
	if (first === undefined) return null;
	const from = Number(first);
	return { first: from, last: last === undefined ? from - (from % PAGE) + PAGE - 1 : Number(last) };
}

function isAbout(step: Step, addr: number, { iovas, phys }: Meanings): boolean {
	const { kind, text } = step;
	if (kind === 'mmio') return step.addr === addr;
	if (kind === 'command') {
		const range = rangeIn(text);
		return range !== null && iovas.some(({ first }) => within(range, first));
	}
	if (kind === 'dma' && phys.some(({ first, last }) => writes(step, first, last - first + 1))) return true;
	const own = { first: step.addr, last: step.addr + Math.max(1, step.size) - 1 };
	const among = BY_IOVA.has(kind) ? iovas : BY_PHYS.has(kind) ? phys : [];
	const faulted = kind === 'fault' && step.addr === addr;
	return (
		step.addr >= 0 && (faulted || among.some(({ first, last }) => first <= own.last && own.first <= last))
	);
}

function ofJournal(kind: string, text: string, event: JournalEvent): Incident {
	return { time: event.time, step: null, kind, text, trace: event.trace() };
}

/** Who allocated, and freed, the memory at @addr. */
function ofMemory({ dmasan }: Session, addr: number): { made: Incident[]; freed: Incident[] } {
	const owner = dmasan.memory.at(addr);
	if (owner === null) return { made: [], freed: [] };
	const what = `${owner.what} at ${hex(owner.phys, 8)}, ${owner.size} bytes`;
	return {
		made: [ofJournal('alloc', what, owner.made)],
		freed: owner.freed === null ? [] : [ofJournal('free', what, owner.freed)],
	};
}

/** What the sanitiser has found about @addr. */
function verdictsOf({ dmasan }: Session, addr: number): Verdict[] {
	const names = [hex(addr, 8), hex(addr - (addr % PAGE), 8)];
	return dmasan.reports.flatMap(({ invariant, kind, time, advice, access, text }) => {
		const there =
			access !== undefined && within({ first: access.addr, last: access.addr + access.size - 1 }, addr);
		return there || names.some((name) => text.includes(name)) ? [{ invariant, kind, time, advice }] : [];
	});
}

/** The history of @addr up to the moment that is looked at. */
export function whyOf(replay: Replay, addr: number): Why {
	const { session } = replay;
	const meanings = meaningsOf(session, addr);
	const steps = replay.steps.filter((step) => step.number <= replay.at && isAbout(step, addr, meanings));
	const memory = meanings.memory.map((phys) => ofMemory(session, phys));
	const verdicts = verdictsOf(session, addr);
	const omitted = Math.max(0, steps.length - FIRST - LAST);
	const told = omitted === 0 ? steps : [...steps.slice(0, FIRST), ...steps.slice(-LAST)];
	const traces = replay.tracesAt(new Set(told.map(({ number }) => number)));
	const incidents = told.map(({ time, number, kind, who, text }) => ({
		time,
		step: number,
		kind,
		text: `${who}: ${text}`,
		trace: traces.get(number) ?? [],
	}));
	return {
		address: hex(addr, 8),
		is: meanings.texts,
		incidents: [
			...memory.flatMap(({ made }) => made),
			...incidents,
			...memory.flatMap(({ freed }) => freed),
		].sort((a, b) => a.time - b.time),
		omitted,
		verdicts,
	};
}

/** The functions of @trace that say something: not the way to the register, the cache or the tracepoint. */
function shown(trace: readonly string[]): readonly string[] {
	const from = trace.findIndex((frame) => !/\((include|arch|kernel\/(trace|printk))\//.test(frame));
	return trace.slice(Math.max(0, from), Math.max(0, from) + FRAMES);
}

export function whyLines({ address, is, incidents, omitted, verdicts }: Why): string[] {
	const last = verdicts.at(-1);
	return [
		`${address}: ${is.length === 0 ? 'nothing that was ever mapped, and no memory' : is.join('; ')}`,
		...incidents.flatMap(({ time, step, kind, text, trace }, i) => [
			...(omitted > 0 && i === FIRST ? [`  … ${omitted} more`] : []),
			`  ${seconds(time)}  ${step === null ? '' : `step ${step} `}[${kind}] ${text}`,
			...shown(trace).map((frame) => `      ${frame}`),
		]),
		...(incidents.length === 0 ? ['  nothing has happened to it'] : []),
		last === undefined
			? 'The sanitiser has nothing to say of it.'
			: `Whose bug it is: ${last.advice} (${last.kind}, ${last.invariant}, found at ${seconds(last.time)})`,
	];
}
