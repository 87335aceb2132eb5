// SPDX-License-Identifier: GPL-2.0-only
// make bench: what the hot paths cost, and how that grows with size and with what is mapped already.
import '#init/vmlinux.js';
import '#tools/lost-output.js';
import { DMA_MAP_TO_DEVICE, map_benchmark } from '#linux/map_benchmark.js';
import { bootWay, type Way } from '#tools/bench/boards.js';
import { CASES, type CaseKey, mapSingle, treePair } from '#tools/bench/cases.js';
import { ask, bindBenchmark } from '#tools/bench/dma_map_benchmark.js';
import { type Case, duration, type Figure, inTurns, table, time } from '#tools/bench/measure.js';
import { type BenchOptions, parseBench } from '#tools/bench/options.js';
import { complain, UserError } from '#tools/run/user-error.js';

const TURNS = 3;
const SIZES = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024];
const LIVE = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000];
/** More than IOVA caches hold: each such range comes from the tree. */
const UNCACHED_PAGES = 33;

const times = (a: number, b: number): string => `${(a / b).toFixed(1)}x`;

/** The hot paths, with what is asked of them. */
async function hotPaths(keys: readonly CaseKey[], ms: number): Promise<Partial<Record<CaseKey, Figure>>> {
	const cases: readonly Case[] = keys.map((key) => CASES[key]);
	const figures = await inTurns(cases, TURNS, ms);
	console.log(
		table([
			['one round', 'median', 'best', 'wanted', 'best/wanted'],
			...cases.map(({ name, target }, i) => {
				const { median, best } = figures[i];
				const wanted = target === null ? ['', ''] : [`< ${duration(target)}`, times(best, target)];
				return [name, duration(median), duration(best), ...wanted];
			}),
		]),
	);
	return Object.fromEntries(keys.map((key, i) => [key, figures[i]]));
}

/** What was measured in turns, side by side. */
function ratios({
	fast,
	tree1k,
	tree100k,
	strict,
	watched,
	lazy,
	direct,
	list,
}: Partial<Record<CaseKey, Figure>>): void {
	const rows: string[][] = [];
	const add = (what: string, a: Figure | undefined, b: Figure | undefined, per = 1): void => {
		if (a !== undefined && b !== undefined) rows.push([what, times(a.best / per, b.best)]);
	};
	add('IOVA by the tree, 1,000 live : by the magazines', tree1k, fast);
	add('IOVA by the tree, 100,000 live : 1,000 live', tree100k, tree1k);
	add('4 KiB strict : direct', strict, direct);
	add('4 KiB strict, the sanitiser watches : strict', watched, strict);
	add('4 KiB strict : lazy', strict, lazy);
	add('4 KiB lazy : direct', lazy, direct);
	add('a page of a list of 64 : a page alone', list, strict, 64);
	if (rows.length > 0) console.log(`\n${table([['ratio in this run', ''], ...rows])}`);
}

/** dma_map_benchmark by the size of a mapping. */
function bySize(): void {
	const ways: readonly Way[] = ['strict', 'lazy', 'direct'];
	const cells = new Map<string, string>();
	for (const pages of SIZES)
		for (const way of ways) {
			bootWay(way);
			bindBenchmark();
			const question = new map_benchmark();
			Object.assign(question, { threads: 1, seconds: 1, node: -1, dma_bits: 32, granule: pages });
			question.dma_dir = DMA_MAP_TO_DEVICE;
			ask(question);
			const { avg_map_100ns: map, avg_unmap_100ns: unmap } = question;
			cells.set(`${pages} ${way}`, `${(map / 10).toFixed(1)} + ${(unmap / 10).toFixed(1)}`);
		}
	console.log(
		'\ndma_map_benchmark, to the device, map + unmap in us (each buffer is written to before it is mapped):',
	);
	console.log(
		table([
			['pages', ...ways],
			...SIZES.map((pages) => [String(pages), ...ways.map((way) => cells.get(`${pages} ${way}`)!)]),
		]),
	);
}

/** What more of the same does to one more mapping. */
async function byLive(ms: number): Promise<void> {
	const rows: string[][] = [];
	for (const live of LIVE) {
		const tree = await time('alloc_iova', treePair(live), 1000, ms / 3);
		const cached = await time('4 KiB', mapSingle('strict', 1, live), 100, ms / 3);
		const uncached = await time('132 KiB', mapSingle('strict', UNCACHED_PAGES, live), 10, ms / 3);
		rows.push([live.toLocaleString('en'), ...[tree, cached, uncached].map(({ best }) => duration(best))]);
	}
	console.log(
		'\nOne more, by pages that are mapped already (best; strict; 132 KiB is past the IOVA caches):',
	);
	console.log(
		table([['live', 'alloc_iova + free_iova', 'map + unmap 4 KiB', 'map + unmap 132 KiB'], ...rows]),
	);
}

async function main({ keys, ms, all }: BenchOptions): Promise<void> {
	console.log(`By this computer's clock, ${TURNS} turns in one process:\n`);
	ratios(await hotPaths(keys, ms));
	if (!all) return;
	bySize();
	await byLive(ms);
}

try {
	await main(parseBench(process.argv.slice(2)));
} catch (e) {
	if (!(e instanceof UserError)) throw e;
	process.exitCode = complain(e);
}
