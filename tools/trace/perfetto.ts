// SPDX-License-Identifier: GPL-2.0-only
// A recording as a Perfetto trace: TrackEvents on a track for each CPU, master and IOMMU.
//
// A mapping is a slice from its map to its unmap, on one of several tracks of the same name, as many as there are at a
// time; pieces that one call has mapped side by side are one. A flow leads from it to the bursts that used it, and to
// the faults in it.

import type { Machine } from '#hw/core/machine.js';
import type { Step } from '#watch/recorder.js';
import {
	COUNTER,
	INSTANT,
	PerfettoFile,
	SLICE_BEGIN,
	SLICE_END,
	UNIT_BYTES,
	UNIT_COUNT,
} from './perfetto-file.js';
import { Mappings } from './perfetto-mappings.js';
import type { TraceWriter } from './writer.js';

/** The groups of tracks, and in which order they stand. */
const GROUPS = ['CPUs', 'DMA masters', 'IOMMUs', 'counters'] as const;
type Group = (typeof GROUPS)[number];

/** The group of the track that each kind of step is on. */
const GROUP_OF: Readonly<Record<Step['kind'], Group>> = {
	alloc: 'CPUs',
	clean: 'CPUs',
	command: 'IOMMUs',
	dma: 'DMA masters',
	drop: 'IOMMUs',
	fault: 'IOMMUs',
	fill: 'IOMMUs',
	free: 'CPUs',
	invalidate: 'CPUs',
	irq: 'CPUs',
	log: 'CPUs',
	mmio: 'CPUs',
	table: 'IOMMUs',
	trace: 'CPUs',
	walk: 'IOMMUs',
};

/** A counter's value from a step on. */
interface Sample {
	readonly number: number;
	readonly counter: string;
	readonly value: number;
}

const LINES = 'dirty lines cleaned';
const MAPPED = 'mapped bytes';

/** What an event is called: its text up to the first figure. */
function nameOf({ kind, who, text }: Step): string {
	if (kind === 'log') return text;
	const what = /^(?:W 0x\w+|.*?)(?=: | at | \(| 0x| = |$)/.exec(text)?.[0] ?? '';
	if (kind === 'clean' || kind === 'invalidate') return `${kind} lines`;
	if (kind === 'trace') return what;
	if (kind === 'irq') return /(?<= name=).*/.exec(text)?.[0] ?? what;
	return kind === 'mmio' ? `${who} ${what}` : `${kind} ${what}`;
}

export class PerfettoWriter implements TraceWriter {
	readonly #samples: Sample[] = [];
	readonly #last = new Map<string, number>();

	constructor(readonly machine: Machine) {}

	step({ number, kind }: Step): void {
		this.#sample(number, LINES, this.machine.ram.stats.linesCleaned);
		// What TLBs have answered matters where they are asked.
		if (kind !== 'dma' && kind !== 'fill' && kind !== 'fault') return;
		for (const iommu of this.machine.iommus) {
			const hits = iommu.figures().filter(({ name }) => name.endsWith('hits'));
			const sum = hits.reduce((all, { value }) => all + value, 0);
			this.#sample(number, `${iommu.name} hits`, sum);
		}
	}

	#sample(number: number, counter: string, value: number): void {
		if (this.#last.get(counter) === value) return;
		this.#last.set(counter, value);
		this.#samples.push({ number, counter, value });
	}

	done(steps: readonly Step[]): Uint8Array {
		const file = new PerfettoFile();
		const groups = new Map(GROUPS.map((name, i) => [name, file.process(i + 1, name)]));
		const tracks = new Map<string, number>();
		const track = (group: Group, name: string): number => {
			const key = `${group} ${name}`;
			const found = tracks.get(key) ?? file.track(name, groups.get(group) as number);
			tracks.set(key, found);
			return found;
		};
		const { machine } = this;
		for (let cpu = 0; cpu < machine.nr_cpus; cpu++) track('CPUs', `cpu${cpu}`);
		for (const { name } of machine.ports) track('DMA masters', name);
		for (const { name } of machine.iommus) track('IOMMUs', name);
		const counters = new Map<string, number>();
		const count = (time: number, name: string, value: number): void => {
			const unit = name === MAPPED ? UNIT_BYTES : UNIT_COUNT;
			const uuid = counters.get(name) ?? file.counter(name, groups.get('counters') as number, unit);
			counters.set(name, uuid);
			file.event(time, COUNTER, uuid, { value });
		};
		const mappings = new Mappings(steps);
		const lanes = Array.from({ length: mappings.lanes }, () =>
			file.track('mappings', groups.get('IOMMUs') as number),
		);
		/** Masters whose addresses are IOVAs. */
		const translated = new Set(
			machine.ports.filter((port) => machine.iommuOf(port) !== null).map(({ name }) => name),
		);
		const fills = new Map<string, number>();
		/** Handlers that have not returned, innermost last: where they run. */
		const handlers: number[] = [];
		let sampled = 0;
		for (const step of steps) {
			const { number, time, kind, who, text, addr } = step;
			for (; this.#samples[sampled]?.number === number; sampled++)
				count(time, this.#samples[sampled].counter, this.#samples[sampled].value);
			const group = GROUP_OF[kind];
			const on = track(group, group === 'CPUs' && !who.startsWith('cpu') ? 'cpu0' : who);
			if (kind === 'irq' && text.startsWith('irq_handler_exit')) {
				if (handlers.pop() !== undefined) file.event(time, SLICE_END, on);
				continue;
			}
			const flow =
				(kind === 'dma' && translated.has(who)) || kind === 'fault' ? mappings.at(addr, number) : null;
			const type = kind === 'irq' || kind === 'dma' ? SLICE_BEGIN : INSTANT;
			file.event(time, type, on, { name: nameOf(step), step, flow: flow?.id ?? null });
			if (kind === 'dma') file.event(step.end, SLICE_END, on);
			if (kind === 'irq') handlers.push(on);
			if (kind === 'fill') {
				fills.set(who, (fills.get(who) ?? 0) + 1);
				count(time, `${who} fills`, fills.get(who) as number);
			}
			for (const mapping of mappings.endingAt(number)) file.event(time, SLICE_END, lanes[mapping.lane]);
			const begun = mappings.beginningAt(number);
			if (begun !== null)
				file.event(time, SLICE_BEGIN, lanes[begun.lane], { name: begun.name, step, flow: begun.id });
			const bytes = mappings.bytesAfter(number);
			if (bytes !== null) count(time, MAPPED, bytes);
		}
		const end = steps.at(-1)?.end ?? 0;
		for (const on of handlers.reverse()) file.event(end, SLICE_END, on);
		for (const mapping of mappings.open()) file.event(end, SLICE_END, lanes[mapping.lane]);
		return file.bytes;
	}
}
