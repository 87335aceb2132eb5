// SPDX-License-Identifier: GPL-2.0-only
// make bench: what the hot paths cost, and how that grows with size and with what is mapped already.
import '#init/vmlinux.js';
import '#tools/lost-output.js';
import { DMA_MAP_TO_DEVICE, map_benchmark } from '#linux/map_benchmark.js';
import { bootWay, deviceOf, type Kernel, mustQueue, type Way } from '#tools/bench/boards.js';
import { CASES, type Case, type CaseKey, iovaRound, mapSingle } from '#tools/bench/cases.js';
import { ask, bindBenchmark } from '#tools/bench/dma_map_benchmark.js';
import { timeAlone } from '#tools/bench/kernel-thread.js';
import { duration, type Figure, inTurns, table, time } from '#tools/bench/measure.js';
import { buildNative, timeNative } from '#tools/bench/native.js';
import { type BenchOptions, parseBench } from '#tools/bench/options.js';
import { complain, UserError } from '#tools/run/user-error.js';

const TURNS = 3;
const SIZES = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024];
const LIVE = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000];
/** More than IOVA caches hold: each such range comes from the tree. */
const UNCACHED_PAGES = 33;

/** Of the tables of growth. */
const KERNEL: Kernel = 'production';

const times = (a: number, b: number): string => `${(a / b).toFixed(1)}x`;

/** What was measured of one case. */
interface Measured {
	readonly debug: Figure;
	/** Undefined: the case is one of the debug kernel alone. */
	readonly production?: Figure;
	/** Undefined: C has no such case, or was not asked for. */
	readonly native?: Figure;
}

/** Each of @keys on both kernels and, with its @program, in C. */
async function measureCases(
	keys: readonly CaseKey[],
	ms: number,
	program: string | null,
): Promise<Measured[]> {
	const cases: readonly Case[] = keys.map((key) => CASES[key]);
	const measurements = cases.flatMap(({ batch, debugOnly, native }, i) => [
		() => timeAlone(keys[i], 'debug', ms),
		...(debugOnly ? [] : [() => timeAlone(keys[i], 'production', ms)]),
		...(native && program !== null ? [() => timeNative(program, native, batch, ms)] : []),
	]);
	const figures = await inTurns(measurements, TURNS);
	return cases.map(({ debugOnly, native }) => ({
		debug: figures.shift()!,
		...(debugOnly ? {} : { production: figures.shift()! }),
		...(native && program !== null ? { native: figures.shift()! } : {}),
	}));
}

/** The hot paths, with what is asked of them. */
async function hotPaths(
	keys: readonly CaseKey[],
	ms: number,
	program: string | null,
): Promise<Partial<Record<CaseKey, Measured>>> {
	const cases: readonly Case[] = keys.map((key) => CASES[key]);
	const measured = await measureCases(keys, ms, program);
	const c = (...cells: string[]): string[] => (program === null ? [] : cells);
	console.log(
		table([
			['one round', 'debug', 'production', 'median', 'wanted', 'best/wanted', ...c('C', 'best/C')],
			...cases.map(({ name, target }, i) => {
				const { debug, production, native } = measured[i];
				return [
					name,
					duration(debug.best),
					...(production ? [duration(production.best), duration(production.median)] : ['', '']),
					...(production && target !== null
						? [`< ${duration(target)}`, times(production.best, target)]
						: ['', '']),
					...c(
						...(production && native
							? [duration(native.best), times(production.best, native.best)]
							: ['', '']),
					),
				];
			}),
		]),
	);
	console.log('\nThe best of each; median, best/wanted and the ratios are of production (debug_kernel=off).');
	return Object.fromEntries(keys.map((key, i) => [key, measured[i]]));
}

/** What is compared: a case, another, and how many rounds of the other's one of the first is. */
const RATIOS: readonly (readonly [what: string, CaseKey, CaseKey, per?: number])[] = [
	['IOVA by the tree, 1,000 live : by the magazines', 'tree1k', 'fast'],
	['IOVA by the tree, 100,000 live : 1,000 live', 'tree100k', 'tree1k'],
	['4 KiB strict : direct', 'strict', 'direct'],
	['4 KiB strict, the sanitiser watches : strict', 'watched', 'strict'],
	['4 KiB strict : lazy', 'strict', 'lazy'],
	['4 KiB lazy : direct', 'lazy', 'direct'],
	['a page of a list of 64 : a page alone', 'list', 'strict', 64],
];

/** What was measured in turns, side by side. */
function ratios(measured: Partial<Record<CaseKey, Measured>>): void {
	const ratio = (a: Figure | undefined, b: Figure | undefined, per: number): string =>
		a && b ? times(a.best / per, b.best) : '';
	const rows = RATIOS.flatMap(([what, one, other, per = 1]) => {
		const [a, b] = [measured[one], measured[other]];
		return a && b ? [[what, ratio(a.debug, b.debug, per), ratio(a.production, b.production, per)]] : [];
	});
	if (rows.length > 0) console.log(`\n${table([['ratio in this run', 'debug', 'production'], ...rows])}`);
}

/** dma_map_benchmark by the size of a mapping. */
function bySize(): void {
	const ways: readonly Way[] = ['strict', 'lazy', 'direct'];
	const cells = new Map<string, string>();
	for (const pages of SIZES)
		for (const way of ways) {
			bootWay(way, KERNEL);
			// Bound to the benchmark's driver it is no video engine.
			const dev = deviceOf('');
			bindBenchmark();
			if (way === 'lazy') mustQueue(dev);
			const question = new map_benchmark();
			Object.assign(question, { threads: 1, seconds: 1, node: -1, dma_bits: 32, granule: pages });
			question.dma_dir = DMA_MAP_TO_DEVICE;
			ask(question);
			const { avg_map_100ns: map, avg_unmap_100ns: unmap } = question;
			cells.set(`${pages} ${way}`, `${(map / 10).toFixed(1)} + ${(unmap / 10).toFixed(1)}`);
		}
	console.log(
		'\ndma_map_benchmark, to the device, map + unmap in us (production; each buffer is written to before it is mapped;\n' +
			'averages of one run each, not in turns: a noisy moment hits one cell):',
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
		const tree = await time('alloc_iova', iovaRound({ way: 'tree', live, pages: 1 }, KERNEL), 1000, ms / 3);
		const cached = await time('4 KiB', mapSingle('strict', KERNEL, 1, live), 100, ms / 3);
		const uncached = await time('132 KiB', mapSingle('strict', KERNEL, UNCACHED_PAGES, live), 10, ms / 3);
		rows.push([live.toLocaleString('en'), ...[tree, cached, uncached].map(({ best }) => duration(best))]);
	}
	console.log(
		'\nOne more, by pages that are mapped already (production; best of one run each; strict; 132 KiB is past the IOVA caches):',
	);
	console.log(
		table([['live', 'alloc_iova + free_iova', 'map + unmap 4 KiB', 'map + unmap 132 KiB'], ...rows]),
	);
}

async function main({ keys, ms, all, native }: BenchOptions): Promise<void> {
	const program = native ? buildNative() : null;
	console.log(`By this computer's clock, ${TURNS} turns:\n`);
	ratios(await hotPaths(keys, ms, program));
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
