// SPDX-License-Identifier: GPL-2.0-only
// Whether our answer to a step is the captured one, or a listed deviation.
import { isDeepStrictEqual } from 'node:util';
import deviations from './deviations.json' with { type: 'json' };
import { audible, type Names, sameTraffic } from './traffic.js';
import type { Case, Extra, Json, Step } from './vectors.js';

export type Verdict = 'holds' | 'deviates' | 'fails';

/** A listed deviation: where Linux's answer has the text @linux, ours has @ours (Documentation/deviations.md). */
interface Deviation {
	readonly id: string;
	/** What the text is found in. */
	readonly where: 'mmio' | 'dmesg' | 'text' | 'result';
	/** Only for these cases, when given. */
	readonly cases?: readonly string[];
	readonly linux: string;
	readonly ours: string;
}

/** A listed deviation by pattern: what @pattern (a regular expression) finds in Linux's answer is @to in ours. */
interface Rewriting {
	readonly id: string;
	readonly where: Deviation['where'];
	/** Only in these boots, when given. */
	readonly boots?: readonly string[];
	readonly pattern: string;
	readonly to: string;
}

/** A listed deviation that adds to Linux's answer: what @more (a regular expression) matches in ours is ours alone. */
interface Addition {
	readonly id: string;
	readonly where: Deviation['where'];
	readonly boots?: readonly string[];
	readonly more: string;
}

/** A listed deviation that refuses: memory from an address on that a table word cannot hold, by the IOMMU's format. */
interface Refusal {
	readonly id: string;
	readonly beyond: Readonly<Record<string, string>>;
}

/** Where an answer was given. */
export interface Place {
	readonly boot: string;
	readonly case: string;
	/** Tables by label; null where the vectors have none. */
	readonly names: Names | null;
}

/** Where a case without tables by label is. */
export function placeOf(c: Case, names: Names | null = null): Place {
	return { boot: c.boot, case: c.case, names };
}

const LISTED: (Deviation | Rewriting | Addition)[] = [];
const REFUSALS: Refusal[] = [];
for (const d of deviations as (Deviation | Rewriting | Addition | Refusal)[])
	if ('beyond' in d) REFUSALS.push(d);
	else LISTED.push(d);

/** Where the physical addresses that a call is given stand among its arguments. */
const PHYS_ARGUMENT: Readonly<Record<string, number>> = { map: 2, mp: 2, ms: 2, mr: 2, sg: 4, mapsg: 3 };

/** Whether a listed deviation refuses this call, which names memory beyond what @format can say. */
export function isRefused(format: string, [name, args]: Step): boolean {
	const at = PHYS_ARGUMENT[name];
	if (at === undefined) return false;
	const addresses = String(args[at]).match(/\b(0x)?[0-9a-f]+(?=$|[:+,])/g) ?? [];
	return REFUSALS.some((d) => addresses.some((a) => Number(a) >= Number(d.beyond[format] ?? Infinity)));
}

/** Whether @answer is how a refused call ends. */
export function saysRefused(answer: Json): boolean {
	return /"nents":0|DMA_MAPPING_ERROR|-E(INVAL|IO)\b|-ENOMEM|-EREMOTEIO/.test(JSON.stringify(answer));
}

function holdsIn(boots: readonly string[] | undefined, boot: string): boolean {
	return boots === undefined || boots.includes(boot);
}

/** A message that the kernel gives once a boot, or only so often: its absence in a step depends on steps before. */
const GIVEN_ONCE = [
	/: attempt to map address beyond 4GB$/,
	/: Unsupported alignment constraint$/,
	/^<WARNING in (iommu_dma_unmap_page|__iommu_dma_map|dma_direct_map_(page|resource)|swiotlb_map)>$/,
	/: swiotlb buffer is full /,
	/ overflow \(mask /,
];

function deviate(where: Deviation['where'], place: Place, text: string): string {
	let out = text;
	for (const d of LISTED) {
		if ('more' in d || d.where !== where) continue;
		if ('pattern' in d) {
			if (holdsIn(d.boots, place.boot)) out = out.replace(new RegExp(d.pattern, 'g'), d.to);
			continue;
		}
		if (d.cases !== undefined && !d.cases.includes(place.case)) continue;
		// Nothing at all in Linux: then the whole answer is the deviation.
		out = d.linux === '' && out === '' ? d.ours : d.linux === '' ? out : out.replaceAll(d.linux, d.ours);
	}
	return out;
}

function withoutAdditions(where: Deviation['where'], place: Place, text: string): string {
	let out = text;
	for (const d of LISTED)
		if ('more' in d && d.where === where && holdsIn(d.boots, place.boot))
			out = out.replace(new RegExp(d.more, 'g'), '');
	return out;
}

export function compareText(where: Deviation['where'], place: Place, theirs: string, ours: string): Verdict {
	const same = (a: string, b: string): boolean => {
		if (place.names === null) return a === b;
		const fork = place.names.fork();
		const ok = where === 'mmio' ? sameTraffic(a, b, fork) : fork.same(a, b);
		if (ok) place.names.keep(fork);
		return ok;
	};
	if (same(theirs, ours)) return 'holds';
	const listed = deviate(where, place, theirs);
	return same(listed, ours) || same(listed, withoutAdditions(where, place, ours)) ? 'deviates' : 'fails';
}

/** A directory's label (DT1) says only that it is one: which memory it has is the page allocator's affair. */
export function compareMmio(place: Place, theirs: string, ours: string): Verdict {
	const text = place.names === null ? theirs.replace(/=DT\d+/g, '=DT') : audible(theirs);
	return compareText('mmio', place, text, ours);
}

function compareMessages(place: Place, theirs: string[], ours: string[]): Verdict {
	const rest = [...ours];
	for (const line of theirs) {
		while (rest[0] !== undefined && rest[0] !== line && GIVEN_ONCE.some((r) => r.test(rest[0]!)))
			rest.shift();
		const mine = rest.shift();
		if (mine !== line && !(mine !== undefined && place.names?.same(line, mine)))
			return compareText('dmesg', place, theirs.join('\n'), ours.join('\n'));
	}
	if (rest.every((line) => GIVEN_ONCE.some((r) => r.test(line)))) return 'holds';
	return compareText('dmesg', place, theirs.join('\n'), ours.join('\n'));
}

/** Whether two bounce-pool addresses are the same slot: the pools stand at different places. */
export interface PoolView {
	/** The captured kernel's pool. */
	readonly theirs: readonly [number, number];
	/** Ours minus theirs; null until the first bounce of a case tells. */
	shift: number | null;
	/** Where ours begins. */
	readonly ours: number;
}

function samePoolAddress(pool: PoolView, theirs: Json, ours: Json): boolean {
	if (typeof theirs !== 'string' || typeof ours !== 'string') return false;
	const [lo, hi] = pool.theirs;
	const at = Number(theirs);
	if (!(at >= lo && at < hi)) return false;
	const size = hi - lo;
	const place = Number(ours) - pool.ours;
	if (!(place >= 0 && place < size)) return false;
	const shift = (place - (at - lo) + size) % size;
	pool.shift ??= shift;
	return pool.shift === shift;
}

/** Theirs is "alloc|rights", a word of a page that the allocator chose. */
function samePage(theirs: string, ours: string): boolean {
	const rights = /^alloc\|([0-9a-f]+)$/.exec(theirs)?.[1];
	return rights !== undefined && (Number(ours) & 0xf) === Number.parseInt(rights, 16);
}

function sameJson(place: Place, pool: PoolView, theirs: Json, ours: Json): boolean {
	if (typeof theirs === 'string' && typeof ours === 'string' && place.names !== null)
		return samePage(theirs, ours) || place.names.same(theirs, ours);
	if (samePoolAddress(pool, theirs, ours)) return true;
	if (place.names === null && isDeepStrictEqual(theirs, ours)) return true;
	if (Array.isArray(theirs) && Array.isArray(ours))
		return theirs.length === ours.length && theirs.every((t, i) => sameJson(place, pool, t, ours[i]!));
	if (theirs === null || ours === null || typeof theirs !== 'object' || typeof ours !== 'object')
		return theirs === ours;
	// "scattered" says how the captured kernel's page allocator placed the pages.
	const keys = new Set([...Object.keys(theirs), ...Object.keys(ours)]);
	keys.delete('scattered');
	const [t, o] = [theirs as Record<string, Json>, ours as Record<string, Json>];
	return [...keys].every((k) => k in t && k in o && sameJson(place, pool, t[k]!, o[k]!));
}

export interface Answer {
	readonly result: Json;
	readonly extra: Extra;
}

/** What of a file's extras was captured at all. */
export interface Captured {
	readonly mmio: boolean;
	readonly dmesg: boolean;
}

/** Compare one step; the parts that differ are named. */
export function compareStep(
	place: Place,
	captured: Captured,
	pool: PoolView,
	theirs: Answer,
	ours: Answer,
): { verdict: Verdict; parts: string[] } {
	const verdicts: [string, Verdict][] = [];
	const same = sameJson(place, pool, theirs.result, ours.result);
	verdicts.push([
		'result',
		same ? 'holds' : compareText('result', place, JSON.stringify(theirs.result), JSON.stringify(ours.result)),
	]);
	if (captured.mmio)
		verdicts.push(['mmio', compareMmio(place, theirs.extra.mmio ?? '', ours.extra.mmio ?? '')]);
	if (captured.dmesg)
		verdicts.push(['dmesg', compareMessages(place, theirs.extra.dmesg ?? [], ours.extra.dmesg ?? [])]);
	if (theirs.extra.rel !== undefined)
		verdicts.push([
			'rel',
			sameJson(place, pool, theirs.extra.rel, ours.extra.rel ?? null) ? 'holds' : 'fails',
		]);
	const parts = verdicts.filter(([, v]) => v === 'fails').map(([k]) => k);
	if (parts.length > 0) return { verdict: 'fails', parts };
	return { verdict: verdicts.some(([, v]) => v === 'deviates') ? 'deviates' : 'holds', parts: [] };
}
