// SPDX-License-Identifier: GPL-2.0-only
// Whether our answer to a step is the captured one, or a listed deviation.
import { isDeepStrictEqual } from 'node:util';
import deviations from './deviations.json' with { type: 'json' };
import type { Extra, Json } from './vectors.js';

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

/** A listed deviation that adds to Linux's answer: what @more (a regular expression) matches in ours is ours alone. */
interface Addition {
	readonly id: string;
	readonly where: Deviation['where'];
	readonly more: string;
}

/** A message that the kernel gives once a boot, or only so often: its absence in a step depends on steps before. */
const GIVEN_ONCE = [
	/: attempt to map address beyond 4GB$/,
	/: Unsupported alignment constraint$/,
	/^<WARNING in (iommu_dma_unmap_page|__iommu_dma_map|dma_direct_map_(page|resource)|swiotlb_map)>$/,
	/: swiotlb buffer is full /,
	/ overflow \(mask /,
];

function deviate(where: Deviation['where'], caseName: string, text: string): string {
	let out = text;
	for (const d of deviations as (Deviation | Addition)[]) {
		if ('more' in d || d.where !== where || (d.cases !== undefined && !d.cases.includes(caseName))) continue;
		// Nothing at all in Linux: then the whole answer is the deviation.
		out = d.linux === '' && out === '' ? d.ours : d.linux === '' ? out : out.replaceAll(d.linux, d.ours);
	}
	return out;
}

function withoutAdditions(where: Deviation['where'], text: string): string {
	let out = text;
	for (const d of deviations as (Deviation | Addition)[])
		if ('more' in d && d.where === where) out = out.replace(new RegExp(d.more, 'g'), '');
	return out;
}

export function compareText(
	where: Deviation['where'],
	caseName: string,
	theirs: string,
	ours: string,
): Verdict {
	if (theirs === ours) return 'holds';
	const listed = deviate(where, caseName, theirs);
	return listed === ours || listed === withoutAdditions(where, ours) ? 'deviates' : 'fails';
}

/** A directory's label (DT1) says only that it is one: which memory it has is the page allocator's affair. */
export function compareMmio(caseName: string, theirs: string, ours: string): Verdict {
	return compareText('mmio', caseName, theirs.replace(/=DT\d+/g, '=DT'), ours);
}

function compareMessages(caseName: string, theirs: string[], ours: string[]): Verdict {
	const rest = [...ours];
	for (const line of theirs) {
		while (rest[0] !== undefined && rest[0] !== line && GIVEN_ONCE.some((r) => r.test(rest[0]!)))
			rest.shift();
		if (rest.shift() !== line) return compareText('dmesg', caseName, theirs.join('\n'), ours.join('\n'));
	}
	if (rest.every((line) => GIVEN_ONCE.some((r) => r.test(line)))) return 'holds';
	return compareText('dmesg', caseName, theirs.join('\n'), ours.join('\n'));
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

function sameJson(pool: PoolView, theirs: Json, ours: Json): boolean {
	if (isDeepStrictEqual(theirs, ours) || samePoolAddress(pool, theirs, ours)) return true;
	if (Array.isArray(theirs) && Array.isArray(ours))
		return theirs.length === ours.length && theirs.every((t, i) => sameJson(pool, t, ours[i]!));
	if (theirs === null || ours === null || typeof theirs !== 'object' || typeof ours !== 'object')
		return false;
	// "scattered" says how the captured kernel's page allocator placed the pages.
	const keys = new Set([...Object.keys(theirs), ...Object.keys(ours)]);
	keys.delete('scattered');
	const [t, o] = [theirs as Record<string, Json>, ours as Record<string, Json>];
	return [...keys].every((k) => k in t && k in o && sameJson(pool, t[k]!, o[k]!));
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
	caseName: string,
	captured: Captured,
	pool: PoolView,
	theirs: Answer,
	ours: Answer,
): { verdict: Verdict; parts: string[] } {
	const verdicts: [string, Verdict][] = [];
	const same = sameJson(pool, theirs.result, ours.result);
	verdicts.push([
		'result',
		same
			? 'holds'
			: compareText('result', caseName, JSON.stringify(theirs.result), JSON.stringify(ours.result)),
	]);
	if (captured.mmio)
		verdicts.push(['mmio', compareMmio(caseName, theirs.extra.mmio ?? '', ours.extra.mmio ?? '')]);
	if (captured.dmesg)
		verdicts.push(['dmesg', compareMessages(caseName, theirs.extra.dmesg ?? [], ours.extra.dmesg ?? [])]);
	if (theirs.extra.rel !== undefined)
		verdicts.push(['rel', sameJson(pool, theirs.extra.rel, ours.extra.rel ?? null) ? 'holds' : 'fails']);
	const parts = verdicts.filter(([, v]) => v === 'fails').map(([k]) => k);
	if (parts.length > 0) return { verdict: 'fails', parts };
	return { verdict: verdicts.some(([, v]) => v === 'deviates') ? 'deviates' : 'holds', parts: [] };
}
