// SPDX-License-Identifier: GPL-2.0-only
// The default picture: scattered pages, and the one picture that they make.
//
//     node build/tools/draw-picture.js [OUT]        (default: examples/picture.jpg)
//
// A grid of tiles shows a landscape with a low sun. On the right it is whole; to the left the tiles come apart,
// drift, turn and sink into the dark, each with its own shade: physical memory. Everything follows from the formulas
// below and one seed, so the file is the same each time.

import { writeFileSync } from 'node:fs';
import { argv } from 'node:process';
import { encodeJpeg, type RgbImage } from './jpeg-encode.js';
import { projectFile } from './project.js';

const WIDTH = 800;
const HEIGHT = 608;
const TILE = 50.6667;
const ACROSS = 16;
const DOWN = 12;

type Rgb = readonly [number, number, number];

function mix(a: Rgb, b: Rgb, t: number): Rgb {
	const k = Math.min(1, Math.max(0, t));
	return [a[0] + (b[0] - a[0]) * k, a[1] + (b[1] - a[1]) * k, a[2] + (b[2] - a[2]) * k];
}

function smooth(from: number, to: number, x: number): number {
	const t = Math.min(1, Math.max(0, (x - from) / (to - from)));
	return t * t * (3 - 2 * t);
}

/** xorshift32: numbers in [0, 1). */
function randomOf(seed: number): () => number {
	let state = seed;
	return () => {
		state ^= state << 13;
		state ^= state >>> 17;
		state ^= state << 5;
		return (state >>> 0) / 2 ** 32;
	};
}

/** Height of a ridge at x, by a few waves. */
function ridge(x: number, base: number, size: number, phase: number): number {
	return (
		base +
		size * Math.sin(x * 0.0095 + phase) +
		size * 0.45 * Math.sin(x * 0.023 + phase * 2.3) +
		size * 0.18 * Math.sin(x * 0.061 + phase * 5.1)
	);
}

/** The landscape at (x, y), in pixels of the whole picture. */
function landscape(x: number, y: number): Rgb {
	const sun: readonly [number, number] = [575, 300];
	const distance = Math.hypot(x - sun[0], y - sun[1]);
	let colour = mix([22, 38, 92], [252, 176, 96], y / 400);
	colour = mix(colour, [255, 226, 160], 0.85 * Math.exp(-distance / 130));
	colour = mix([255, 247, 220], colour, smooth(50, 54, distance));
	const cloud = Math.sin(x * 0.012 + Math.sin(y * 0.05) * 1.4) * Math.sin(y * 0.045 + x * 0.004);
	colour = mix(colour, [244, 150, 130], 0.5 * smooth(0.45, 0.95, cloud) * smooth(280, 60, y));
	const ridges: readonly [number, number, number, Rgb][] = [
		[330, 26, 0.4, [126, 104, 140]],
		[378, 30, 2.1, [82, 82, 124]],
		[432, 26, 4.4, [44, 66, 96]],
	];
	for (const [base, size, phase, shade] of ridges)
		colour = mix(
			colour,
			mix(shade, [255, 190, 130], 0.35 * Math.exp(-distance / 220)),
			smooth(-1, 1, y - ridge(x, base, size, phase)),
		);
	// Water, which shows the sun as a broken road.
	if (y > 486) {
		const glitter =
			Math.sin(y * 0.9 + Math.sin(x * 0.05) * 2) * Math.exp(-Math.abs(x - sun[0]) / (40 + (y - 486)));
		colour = mix(
			mix([36, 62, 104], [14, 28, 58], (y - 486) / 122),
			[255, 214, 150],
			0.75 * Math.max(0, glitter),
		);
	}
	return colour;
}

interface Tile {
	readonly column: number;
	readonly row: number;
	readonly x: number;
	readonly y: number;
	readonly cos: number;
	readonly sin: number;
	readonly scale: number;
	/** 0: at home and bright; 1: far away. */
	readonly away: number;
	readonly tint: Rgb;
}

function scatter(): Tile[] {
	const random = randomOf(0x1c0e_000d);
	const tiles: Tile[] = [];
	for (let row = 0; row < DOWN; row++)
		for (let column = 0; column < ACROSS; column++) {
			const away = smooth(9.2, 1.5, column + (random() - 0.5) * 2.4);
			const angle = (random() - 0.5) * 1.5 * away;
			const hue = random();
			tiles.push({
				column,
				row,
				x: (column + 0.5) * TILE + (random() - 0.62) * 130 * away,
				y: (row + 0.5) * TILE + (random() - 0.5) * 170 * away,
				cos: Math.cos(angle),
				sin: Math.sin(angle),
				scale: 1 - 0.38 * away * random(),
				away,
				tint: hue < 0.34 ? [70, 190, 200] : hue < 0.67 ? [240, 120, 150] : [250, 200, 90],
			});
		}
	// The far ones first, so that the near ones lie on top.
	return tiles.sort((a, b) => b.away - a.away || a.row - b.row || a.column - b.column);
}

/** The dark below: a faint lattice of page frames. */
function background(x: number, y: number): Rgb {
	const glow = mix([10, 12, 24], [26, 30, 56], 1 - Math.hypot(x - 260, y - 300) / 520);
	const [fx, fy] = [x % TILE, y % TILE];
	const line = Math.min(fx, TILE - fx, fy, TILE - fy);
	return mix(glow, [58, 66, 104], 0.55 * smooth(1.2, 0.2, line));
}

/** The tile's colour and how much of it covers the point; null beside the tile. */
function sample(tile: Tile, x: number, y: number): { colour: Rgb; cover: number } | null {
	const [dx, dy] = [(x - tile.x) / tile.scale, (y - tile.y) / tile.scale];
	const u = dx * tile.cos + dy * tile.sin;
	const v = -dx * tile.sin + dy * tile.cos;
	const edge = TILE / 2 - Math.max(Math.abs(u), Math.abs(v));
	if (edge < -7 * tile.away) return null;
	if (edge < 0) return { colour: [4, 5, 12], cover: 0.5 * tile.away * (1 + edge / 7) };
	const picture = landscape((tile.column + 0.5) * TILE + u, (tile.row + 0.5) * TILE + v);
	let colour = mix(picture, tile.tint, 0.28 * tile.away);
	colour = mix(colour, [12, 14, 28], 0.3 * tile.away);
	const rim = smooth(2.6, 0.8, edge) * Math.min(1, tile.away * 3);
	colour = mix(colour, mix(tile.tint, [255, 255, 255], 0.35), 0.7 * rim);
	return { colour, cover: tile.away === 0 ? 1 : smooth(0, 0.9, edge) };
}

/** The committed default picture: the same bytes at every call. */
export function drawPicture(): RgbImage {
	const tiles = scatter();
	const sums = new Float64Array(WIDTH * HEIGHT * 3);
	for (let y = 0; y < HEIGHT; y++)
		for (let x = 0; x < WIDTH; x++) sums.set(background(x + 0.5, y + 0.5), (y * WIDTH + x) * 3);
	for (const tile of tiles) {
		const reach = TILE * 0.72 + 8;
		const [x0, x1] = [
			Math.max(0, Math.floor(tile.x - reach)),
			Math.min(WIDTH - 1, Math.ceil(tile.x + reach)),
		];
		const [y0, y1] = [
			Math.max(0, Math.floor(tile.y - reach)),
			Math.min(HEIGHT - 1, Math.ceil(tile.y + reach)),
		];
		for (let y = y0; y <= y1; y++)
			for (let x = x0; x <= x1; x++) {
				const hit = sample(tile, x + 0.5, y + 0.5);
				if (hit === null) continue;
				const at = (y * WIDTH + x) * 3;
				for (let i = 0; i < 3; i++) sums[at + i] += (hit.colour[i] - sums[at + i]) * hit.cover;
			}
	}
	const data = new Uint8Array(sums.length);
	for (let i = 0; i < sums.length; i++) data[i] = Math.round(Math.min(255, Math.max(0, sums[i])));
	return { width: WIDTH, height: HEIGHT, data };
}

if (import.meta.url.endsWith('/tools/draw-picture.js') && argv[1]?.endsWith('draw-picture.js')) {
	const out = argv[2] ?? projectFile('examples/picture.jpg');
	const jpeg = encodeJpeg(drawPicture(), { subsampling: '420', quality: 86 });
	writeFileSync(out, jpeg);
	console.log(`${out}: ${WIDTH}x${HEIGHT}, ${jpeg.length} bytes`);
}
