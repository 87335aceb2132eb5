// SPDX-License-Identifier: GPL-2.0-only
// Timing of cases that are compared with each other: in turns, so that a noisy moment hits them all.
import { Bench } from 'tinybench';

/** ns a round. On a busy computer the best tells more than the median. */
export interface Figure {
	readonly median: number;
	readonly best: number;
}

/** Time batches of @round for @ms. */
export async function time(name: string, round: () => void, batch: number, ms: number): Promise<Figure> {
	const bench = new Bench({ time: ms, warmupTime: ms / 2 });
	bench.add(
		name,
		() => {
			for (let i = 0; i < batch; i++) round();
		},
		{ async: false },
	);
	const [task] = await bench.run();
	const { result } = task!;
	if (result.state !== 'completed') throw new Error(`${name}: ${result.state}`);
	const { p50, min } = result.latency;
	return { median: (p50 * 1e6) / batch, best: (min * 1e6) / batch };
}

/** Each of @measurements once, then each once more, @turns times; of one's turns the median, and the best of all. */
export async function inTurns(
	measurements: readonly (() => Figure | Promise<Figure>)[],
	turns: number,
): Promise<Figure[]> {
	const seen: Figure[][] = measurements.map(() => []);
	for (let turn = 0; turn < turns; turn++)
		for (const [i, measure] of measurements.entries()) seen[i].push(await measure());
	return seen.map((figures) => ({
		median: middle(figures.map((f) => f.median)),
		best: Math.min(...figures.map((f) => f.best)),
	}));
}

function middle(values: number[]): number {
	const sorted = [...values].sort((a, b) => a - b);
	return sorted[sorted.length >> 1];
}

/** `48.1 ns`, `2.94 us`: three digits. */
export function duration(ns: number): string {
	const [value, unit] = ns < 1000 ? [ns, 'ns'] : ns < 1e6 ? [ns / 1000, 'us'] : [ns / 1e6, 'ms'];
	return `${value.toPrecision(3)} ${unit}`;
}

/** Rows of text as columns: the first to the left, the others to the right. */
export function table(rows: readonly (readonly string[])[]): string {
	const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
	return rows
		.map((row) =>
			row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  '),
		)
		.map((line) => line.trimEnd())
		.join('\n');
}
