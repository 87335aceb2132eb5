// SPDX-License-Identifier: GPL-2.0-only
// A translation level by level, and the mappings of a device, as data and as lines.

import { hex } from '#hw/core/register-file.js';
import { hexWord } from '#hw/iommu/format.js';
import { accessText, NO_PASID, type WalkStep } from '#hw/iommu/iommu.js';
import type { Mapping as DomainMapping } from '#watch/agreement.js';
import type { JournalEvent } from '#watch/journal.js';
import { type Client, directionText, type Mapping } from '#watch/mappings.js';
import { seconds } from '#watch/report.js';
import type { Master, Session } from './session.js';

/** Who did something, and when. */
export interface By {
	readonly what: string;
	readonly time: number;
	/** The sanitiser's number of the event. */
	readonly event: number;
	/** The kernel's functions at that moment, innermost first; of what comes often, those of one like it. */
	readonly trace: readonly string[];
}

export interface Range {
	readonly first: string;
	readonly last: string;
	readonly phys: string;
}

/** One piece of IOVA space as the IOMMU API was told to map it. */
export interface Covered extends Range {
	readonly rights: string;
	readonly pageSize: number;
	readonly mapped: By;
	readonly unmapped: By | null;
}

/** A mapping of the DMA API. */
export interface Mapped {
	readonly device: string;
	readonly addr: string;
	readonly size: number;
	readonly direction: string;
	readonly pages: readonly Range[];
	readonly mapped: By;
	readonly unmapped: By | null;
}

/** A word on the way, as each sees it. */
export interface Level {
	readonly table: string;
	readonly index: number;
	readonly addr: string;
	readonly memory: string;
	readonly cpu: string;
	readonly dirty: boolean;
	readonly kind: string;
	readonly fields: readonly {
		readonly name: string;
		readonly bits: string;
		readonly value: string;
		readonly text?: string;
	}[];
	readonly caches: readonly {
		readonly cache: string;
		readonly word: string;
		readonly time: number;
		readonly reason: string;
		readonly by: string;
	}[];
}

export interface Walk {
	readonly device: string;
	readonly stream: number;
	readonly iommu: string | null;
	readonly state: string;
	readonly iova: string;
	readonly levels: readonly Level[];
	/** null: nowhere. */
	readonly phys: string | null;
	readonly rights: string;
	/** What the kernel means to have there, or had last. */
	readonly covered: Covered | null;
	readonly mapping: Mapped | null;
}

export interface Maps {
	readonly device: string;
	readonly mappings: readonly Mapped[];
	/** What is mapped by the IOMMU API alone. */
	readonly ranges: readonly Covered[];
}

const addr8 = (value: number): string => hex(value, 8);

function byOf(event: JournalEvent): By {
	const { what, time, number } = event;
	return { what, time, event: number, trace: event.trace() };
}

function coveredOf(first: number, last: number, mapping: DomainMapping): Covered {
	const { iova, phys, prot, pgsize, made, ended } = mapping;
	return {
		first: addr8(first),
		last: addr8(last),
		phys: addr8(phys + (first - iova)),
		rights: accessText(prot & 7),
		pageSize: pgsize,
		mapped: byOf(made),
		unmapped: ended === null ? null : byOf(ended),
	};
}

function mappedOf(mapping: Mapping): Mapped {
	const { client, addr, size, dir, parts, made, ended, kind } = mapping;
	return {
		device: client.name,
		addr: addr8(addr),
		size,
		direction: kind === 'coherent' ? 'coherent' : directionText(dir),
		pages: parts.map(({ first, last, actual }) => ({
			first: addr8(first),
			last: addr8(last),
			phys: addr8(actual),
		})),
		mapped: byOf(made),
		unmapped: ended === null ? null : byOf(ended),
	};
}

/** Those whose mappings @master uses: with its port. */
export function clientsOf({ dmasan }: Session, { port, dev }: Master): Client[] {
	return dmasan.buffers.clients.filter((client) => client.dev === dev || client.ports.includes(port));
}

function mappingAt(clients: readonly Client[], iova: number): Mapping | null {
	for (const { live } of clients) {
		const part = live.find(iova, iova);
		if (part !== null) return part.mapping;
	}
	for (const client of clients) {
		const ended = client.lastEnded(iova);
		if (ended !== null) return ended;
	}
	return null;
}

/** What the kernel means to have at @iova for @master, or had last. */
function coveredAt({ dmasan }: Session, { port }: Master, iova: number): Covered | null {
	const watch = dmasan.domains.ofPort(port);
	if (watch === null) return null;
	const range = watch.mappings.find(iova);
	if (range !== null) return coveredOf(range.first, range.last, range.value);
	const ended = watch.ended.findLast(({ first, last }) => first <= iova && iova <= last);
	return ended === undefined ? null : coveredOf(ended.first, ended.last, ended.value);
}

function levelOf(step: WalkStep): Level {
	const word = (value: bigint): string => hexWord(value, step.bytes);
	return {
		table: step.table,
		index: step.index,
		addr: addr8(step.addr),
		memory: word(step.memory),
		cpu: word(step.cpu),
		dirty: step.dirty,
		kind: step.kind,
		fields: step.fields.map(({ name, bits: [high, low], value, text }) => ({
			name,
			bits: high === low ? `${high}` : `${high}:${low}`,
			value: `0x${value.toString(16)}`,
			...(text === undefined ? {} : { text }),
		})),
		caches: step.cached.map(({ cache, entry }) => ({
			cache,
			word: word(entry.bits),
			time: entry.time,
			reason: entry.reason,
			by: `stream ${entry.stream} at ${addr8(entry.at)}`,
		})),
	};
}

/** Where @iova leads @master, and why. */
export function walkOf(session: Session, master: Master, iova: number): Walk {
	const { port } = master;
	const iommu = session.machine.iommuOf(port);
	const found = iommu?.explain(port.stream, iova, NO_PASID) ?? null;
	const mapping = mappingAt(clientsOf(session, master), iova);
	const direct = found === null || found.state === 'off' || found.state === 'bypass';
	const phys = direct ? iova : found.leaf.phys;
	return {
		device: port.name,
		stream: port.stream,
		iommu: iommu?.name ?? null,
		state: found?.state ?? 'no IOMMU',
		iova: addr8(iova),
		levels: direct ? [] : found.steps.map(levelOf),
		phys: phys < 0 ? null : addr8(phys),
		rights: direct ? 'all' : accessText(found.leaf.rights),
		covered: coveredAt(session, master, iova),
		mapping: mapping === null ? null : mappedOf(mapping),
	};
}

function whoLines(verb: string, { what, time, event, trace }: By, most = 6): string[] {
	return [
		`${verb} by ${what}() at ${seconds(time)} (event ${event}):`,
		...trace.slice(0, most).map((frame) => `  ${frame}`),
	];
}

function levelLines({ table, index, addr, memory, cpu, dirty, kind, fields, caches }: Level): string[] {
	const how = cpu === memory ? 'the same' : dirty ? `${cpu}, not cleaned` : `${cpu}, stale`;
	return [
		`${table}[${hex(index, 3)}] at ${addr}: ${memory}, ${kind === 'invalid' ? 'not valid' : `a ${kind}`}`,
		`  CPU: ${how}${dirty && cpu === memory ? ', in a dirty line' : ''}`,
		`  fields: ${fields.map(({ name, bits, value, text }) => `${name}[${bits}]=${text ?? value}`).join(' ')}`,
		...caches.map(
			({ cache, word, time, reason, by }) =>
				`  ${cache}: ${word}, since ${seconds(time)} (${reason}, ${by})${word === memory ? '' : ', not what memory has'}`,
		),
		...(caches.length === 0 ? ['  cached nowhere'] : []),
	];
}

function coveredLines({ first, last, phys, rights, mapped, unmapped }: Covered): string[] {
	return [
		`The IOMMU API ${unmapped === null ? 'has' : 'had'} ${first}..${last} at ${phys} (${rights}):`,
		...whoLines('mapped', mapped),
		...(unmapped === null ? [] : whoLines('unmapped', unmapped)),
	];
}

function mappedLines({ device, addr, size, direction, mapped, unmapped }: Mapped): string[] {
	return [
		`The DMA API ${unmapped === null ? 'has' : 'had'} ${size} bytes at ${addr} for ${device}, ${direction}:`,
		...whoLines('mapped', mapped),
		...(unmapped === null ? [] : whoLines('unmapped', unmapped)),
	];
}

export function walkLines(walk: Walk): string[] {
	const { device, stream, iommu, state, iova, levels, phys, rights, covered, mapping } = walk;
	return [
		iommu === null
			? `${device}, address ${iova}: no IOMMU is on the way`
			: `${device} (stream ${stream} of ${iommu}), iova ${iova}: ${state}`,
		...levels.flatMap(levelLines).map((line) => `  ${line}`),
		phys === null ? '  -> not mapped' : `  -> ${phys} (${rights})`,
		...(covered === null ? [] : coveredLines(covered)),
		...(mapping === null ? [] : mappedLines(mapping)),
		...(covered === null && mapping === null ? ['Nothing was ever mapped there, that is remembered.'] : []),
	];
}

/** All that lives in the address space of the device called @name; nothing, before the kernel has made it. */
export function mapsOf(session: Session, name: string): Maps {
	const { dmasan } = session;
	const dev = session.device(name);
	if (dev === null) return { device: name, mappings: [], ranges: [] };
	const group = dev.iommu_group;
	const sharers = dmasan.buffers.clients.filter(
		(client) => client.dev === dev || (group !== null && client.dev.iommu_group === group),
	);
	const live = sharers
		.flatMap((client) => [...client.mappings()])
		.sort((a, b) => a.addr - b.addr || a.made.number - b.made.number);
	const ranges = dmasan.domains.ofDevice(dev)?.mappings.all() ?? [];
	const alone = ranges.filter(
		({ first, last }) => !sharers.some((client) => client.live.find(first, last) !== null),
	);
	return {
		device: name,
		mappings: live.map(mappedOf),
		ranges: alone.map(({ first, last, value }) => coveredOf(first, last, value)),
	};
}

/** `map_single (tools/…)`: the innermost function that is none of the DMA API's. */
function caller({ trace }: By): string {
	const found = trace.find(
		(frame) => !/\((kernel\/dma|drivers\/iommu\/(iommu|dma-iommu)|include|lib|mm|kernel\/trace)/.test(frame),
	);
	return found === undefined ? '' : ` in ${found.split(' ')[0]}()`;
}

export function mapsLines({ device, mappings, ranges }: Maps): string[] {
	if (mappings.length === 0 && ranges.length === 0) return [`${device}: nothing is mapped`];
	return [
		...mappings.flatMap(({ device: whose, addr, size, direction, pages, mapped }) => [
			`${addr} ${size} bytes ${direction}, ${whose}: ${mapped.what}()${caller(mapped)} at ${seconds(mapped.time)} (event ${mapped.event})`,
			...pages.map(({ first, last, phys }) => `  ${first}..${last} -> ${phys}`),
		]),
		...ranges.map(
			({ first, last, phys, rights, mapped }) =>
				`${first}..${last} -> ${phys} (${rights}): ${mapped.what}()${caller(mapped)} at ${seconds(mapped.time)} (event ${mapped.event})`,
		),
	];
}
