// SPDX-License-Identifier: GPL-2.0-only
// All that is shown of one moment, as data.

import { hex } from '#hw/core/register-file.js';
import type { Step } from '#watch/recorder.js';
import { seconds } from '#watch/report.js';
import type { Done, Replay } from './replay.js';
import { type Maps, mapsOf } from './walk.js';

/** What a cache of an IOMMU holds. */
export interface CacheView {
	readonly iommu: string;
	readonly cache: string;
	readonly entries: readonly {
		readonly iova: string;
		readonly size: number;
		readonly phys: string;
		readonly valid: boolean;
		/** Who brought it, and how. */
		readonly from: string;
		/** In what it differs from the tables in memory; null: in nothing. */
		readonly stale: string | null;
	}[];
}

export interface View {
	/** The step that is looked at, and how many there are. */
	readonly at: number;
	readonly count: number;
	/** Behind all commands. */
	readonly now: boolean;
	readonly time: string;
	readonly step: Step | null;
	/** The kernel's functions that had not returned, innermost first. */
	readonly trace: readonly string[];
	/** Steps around the one that is looked at. */
	readonly around: readonly Step[];
	readonly log: readonly string[];
	readonly findings: readonly string[];
	/** Where the sanitiser has found something, in the whole run. */
	readonly foundAt: readonly number[];
	readonly history: readonly Done[];
	readonly maps: readonly Maps[];
	readonly caches: readonly CacheView[];
	/** How many steps of each kind fall into each of LANE_CELLS equal parts of the run. */
	readonly lanes: Readonly<Record<string, readonly number[]>>;
}

const AROUND = 40;
export const LANE_CELLS = 160;

function cachesOf({ session }: Replay): CacheView[] {
	return session.machine.iommus.flatMap((iommu) =>
		iommu.caches().map((cache) => ({
			iommu: iommu.name,
			cache: cache.name,
			entries: [...cache.entries()].map((entry) => ({
				iova: hex(entry.iova, 8),
				size: entry.size,
				phys: hex(entry.phys, 8),
				valid: entry.valid,
				from: `${entry.reason}, ${iommu.streamName(entry.stream)}, ${seconds(entry.time)}`,
				stale: iommu.contradiction(cache, entry)?.text ?? null,
			})),
		})),
	);
}

function lanesOf(steps: readonly Step[]): Record<string, number[]> {
	const lanes: Record<string, number[]> = {};
	for (const { kind, number } of steps) {
		lanes[kind] ??= new Array<number>(LANE_CELLS).fill(0);
		lanes[kind][Math.floor(((number - 1) * LANE_CELLS) / steps.length)]++;
	}
	return lanes;
}

/** What is to be seen of the moment that @replay looks at. */
export function viewOf(replay: Replay): View {
	const { session, steps, moment, at } = replay;
	const from = Math.max(0, at - AROUND);
	return {
		at,
		count: steps.length,
		now: moment === null,
		time: seconds(session.machine.now()),
		step: moment?.step ?? null,
		trace: moment?.trace ?? [],
		around: steps.slice(from, from + 2 * AROUND),
		log: session.log(),
		findings: session.dmasan.reports.map(({ text }) => text),
		foundAt: replay.findings,
		history: replay.history,
		maps: session.clients.map((name) => mapsOf(session, name)),
		caches: cachesOf(replay),
		lanes: lanesOf(steps),
	};
}
