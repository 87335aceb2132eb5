// SPDX-License-Identifier: GPL-2.0-only
// Registers and bits: Linux 6.12, drivers/gpu/drm/sun4i/sun8i_mixer.h, sun8i_ui_layer.h, sun8i_vi_layer.h.
import { expect } from 'chai';
import type { Machine } from '#hw/core/machine.js';
import { monitorOf, type Raster } from '#hw/display/monitor.js';
import { type Mixer, mixerRegisters } from '#hw/display/sun8i-mixer.js';
import { RAM } from '#tests/hw/board.js';
import { enableIommu, h6, mapPage } from '#tests/hw/h6.js';

const MIXER = 0x1100000;
const GLOBAL_CTL = 0x0;
const GLOBAL_STATUS = 0x4;
const GLOBAL_DBUFF = 0x8;
const PIPE_CTL = 0x800;
const insize = (pipe: number): number => 0x808 + pipe * 16;
const coord = (pipe: number): number => 0x80c + pipe * 16;
const ROUTE = 0x880;
const BKCOLOR = 0x888;
const OUTSIZE = 0x88c;
const CSC_CTL = 0x900;
const cscCoeff = (channel: number, i: number): number => 0x910 + channel * 0x30 + i * 4;
const channelAt = (n: number): number => 0x1000 + n * 0x800;
const ATTR = 0x0;
const SIZE = 0x4;
const PITCH = 0xc;
const UI_LADDR = 0x10;
const VI_LADDR = 0x18;

const EN = 1;
const LAYER_ALPHA = 1 << 1;
const COMBINED_ALPHA = 2 << 1;
const RGB_MODE = 1 << 15;
const ARGB8888 = 0 << 8;
const XRGB8888 = 4 << 8;
const NV12 = 8 << 8;
const NV21 = 9 << 8;

const W = 8;
const H = 4;
const size = (w: number, h: number): number => ((h - 1) << 16) | (w - 1);

/** The IOVA of the picture, and the memory behind it. */
const IOVA = 0x10_0000;
const PICTURE = RAM + 0x80_0000;
const PAGE = 0x1000;

class Bench {
	readonly machine: Machine;
	constructor(iommu = false) {
		const node = { compatible: 'allwinner,sun50i-h6-de3-mixer-0', reg: [MIXER, 0x100000] };
		this.machine = h6({}, { 'mixer@1100000': iommu ? { ...node, iommus: [3, 0] } : node });
	}
	get mixer(): Mixer {
		return monitorOf(this.machine).source as Mixer;
	}
	read(offset: number): number {
		return this.machine.mmio_read(MIXER + offset, 4);
	}
	write(offset: number, value: number): void {
		this.machine.mmio_write(MIXER + offset, 4, value >>> 0);
	}
	/** On, black below, the raster W x H. */
	on(): void {
		this.write(GLOBAL_CTL, 1);
		this.write(OUTSIZE, size(W, H));
		this.write(BKCOLOR, 0xff000000);
	}
	/** A user interface layer of the raster's size on @pipe. */
	ui(channel: number, pipe: number, attr: number, addr: number): void {
		const ch = channelAt(channel);
		this.write(ch + ATTR, attr);
		this.write(ch + SIZE, size(W, H));
		this.write(ch + PITCH, W * 4);
		this.write(ch + UI_LADDR, addr);
		this.pipe(channel, pipe);
	}
	/** An NV12 or NV21 picture of the raster's size at @addr, chroma behind luma, on pipe 0. */
	video(format: number, addr: number, chroma = addr + W * H): void {
		const ch = channelAt(0);
		this.write(ch + ATTR, EN | format);
		this.write(ch + SIZE, size(W, H));
		for (const [plane, at] of [addr, chroma].entries()) {
			this.write(ch + PITCH + 4 * plane, W);
			this.write(ch + VI_LADDR + 4 * plane, at);
		}
		this.pipe(0, 0);
	}
	pipe(channel: number, pipe: number): void {
		this.write(insize(pipe), size(W, H));
		this.write(coord(pipe), 0);
		this.write(ROUTE, this.read(ROUTE) | (channel << (pipe * 4)));
		this.write(PIPE_CTL, this.read(PIPE_CTL) | (0x100 << pipe));
	}
	/** Take the settings over and make a frame. */
	show(): Raster {
		this.write(GLOBAL_DBUFF, 1);
		return this.frame()!;
	}
	frame(): Raster | null {
		monitorOf(this.machine).refresh();
		return monitorOf(this.machine).capture();
	}
	fill(addr: number, pixels: number, pixel: number[]): void {
		const bytes = new Uint8Array(pixels * pixel.length);
		for (let i = 0; i < pixels; i++) bytes.set(pixel, i * pixel.length);
		this.machine.memory.load(addr, bytes);
	}
}

const rgbAt = (r: Raster, x: number, y: number): number[] => [
	...r.rgb.subarray((y * r.width + x) * 3, (y * r.width + x) * 3 + 3),
];

/** BT.601, full range, as sun8i_csc.c (yuv2rgb_de3) has it: factors in 1/2^17, offsets of 10-bit inputs. */
const BT601_FULL = [
	0x20000, 0, 0x2cdd2, 0, 0x20000, 0xffff4fce, 0xfffe925d, 0xfe000000, 0x20000, 0x38b43, 0, 0xfe000000,
];

describe('sun8i_mixer', () => {
	it('rests at power-on: all registers zero, no picture', () => {
		const bench = new Bench();
		for (const spec of mixerRegisters)
			for (let i = 0; i < (spec.count ?? 1); i++)
				expect(bench.read(spec.offset + i * (spec.stride ?? 4)), spec.name).to.equal(0);
		expect(bench.frame()).to.equal(null);
	});

	it('keeps its status read-only and one bit of GLOBAL_DBUFF, and ignores what it does not have', () => {
		const bench = new Bench();
		bench.write(GLOBAL_STATUS, 0xffffffff);
		expect(bench.read(GLOBAL_STATUS)).to.equal(0);
		bench.write(GLOBAL_DBUFF, 0xffffffff);
		expect(bench.read(GLOBAL_DBUFF)).to.equal(1);
		bench.write(0xf0000, 0x1234);
		expect(bench.read(0xf0000)).to.equal(0);
	});

	it('takes settings over at the first frame after GLOBAL_DBUFF was written, and says so by clearing it', () => {
		const bench = new Bench();
		bench.on();
		bench.write(BKCOLOR, 0xff102030);
		expect(bench.frame()).to.equal(null);
		bench.write(GLOBAL_DBUFF, 1);
		expect(bench.read(GLOBAL_DBUFF)).to.equal(1);
		expect(rgbAt(bench.frame()!, 0, 0)).to.deep.equal([0x10, 0x20, 0x30]);
		expect(bench.read(GLOBAL_DBUFF)).to.equal(0);

		bench.write(BKCOLOR, 0xff405060);
		expect(rgbAt(bench.frame()!, 0, 0)).to.deep.equal([0x10, 0x20, 0x30]);
		expect(rgbAt(bench.show(), 0, 0)).to.deep.equal([0x40, 0x50, 0x60]);
	});

	it('reads memory anew for every frame', () => {
		const bench = new Bench();
		bench.on();
		bench.fill(PICTURE, W * H, [1, 2, 3, 0]);
		bench.ui(1, 0, EN | XRGB8888, PICTURE);
		expect(rgbAt(bench.show(), 0, 0)).to.deep.equal([3, 2, 1]);
		bench.fill(PICTURE, W * H, [7, 8, 9, 0]);
		expect(rgbAt(bench.frame()!, 0, 0)).to.deep.equal([9, 8, 7]);
	});

	it('leaves a picture as it was when its frame was fetched, whatever memory and later frames have', () => {
		const bench = new Bench();
		bench.on();
		bench.fill(PICTURE, W * H, [1, 2, 3, 0]);
		bench.ui(1, 0, EN | XRGB8888, PICTURE);
		const first = bench.show();
		for (const value of [4, 5]) {
			bench.fill(PICTURE, W * H, [value, value, value, 0]);
			monitorOf(bench.machine).refresh();
		}
		expect(rgbAt(first, 0, 0)).to.deep.equal([3, 2, 1]);
		expect(rgbAt(bench.frame()!, 0, 0)).to.deep.equal([5, 5, 5]);
	});

	it('shows XRGB8888 as it is, whatever the fourth byte says', () => {
		const bench = new Bench();
		bench.on();
		const bytes = Uint8Array.from({ length: W * H * 4 }, (_, i) => (i * 11) & 0xff);
		bench.machine.memory.load(PICTURE, bytes);
		bench.ui(1, 0, EN | XRGB8888, PICTURE);
		const raster = bench.show();
		expect(raster).to.include({ width: W, height: H });
		for (let i = 0; i < W * H; i++)
			expect(rgbAt(raster, i % W, Math.floor(i / W))).to.deep.equal([
				bytes[i * 4 + 2],
				bytes[i * 4 + 1],
				bytes[i * 4],
			]);
	});

	// Over (200, 100, 0): round((a * (10, 20, 30) + (255 - a) * below) / 255).
	const below = [200, 100, 0];
	const blends: [what: string, attr: number, pixelAlpha: number, alpha: number][] = [
		['the alpha of its pixels', ARGB8888, 64, 64],
		['nothing of a transparent pixel', ARGB8888, 0, 0],
		['all of an opaque pixel', ARGB8888, 255, 255],
		['the alpha of the layer', ARGB8888 | LAYER_ALPHA | (128 << 24), 64, 128],
		['both alphas', ARGB8888 | COMBINED_ALPHA | (128 << 24), 64, Math.round((64 * 128) / 255)],
		['the alpha of the layer also over XRGB8888', XRGB8888 | LAYER_ALPHA | (50 << 24), 0, 50],
	];
	for (const [what, attr, pixelAlpha, a] of blends)
		it(`blends ${what}`, () => {
			const bench = new Bench();
			bench.on();
			bench.fill(PICTURE, W * H, [0, 100, 200, 0]);
			bench.fill(PICTURE + PAGE, W * H, [30, 20, 10, pixelAlpha]);
			bench.ui(1, 0, EN | XRGB8888, PICTURE);
			bench.ui(2, 1, EN | attr, PICTURE + PAGE);
			const want = [10, 20, 30].map((c, i) => Math.round((c * a + below[i] * (255 - a)) / 255));
			expect(rgbAt(bench.show(), 3, 2)).to.deep.equal(want);
		});

	it('puts a layer where its pipe says and leaves the rest to what is below', () => {
		const bench = new Bench();
		bench.on();
		bench.fill(PICTURE, W * H, [0, 0, 255, 0]);
		bench.ui(3, 0, EN | XRGB8888, PICTURE);
		bench.write(coord(0), (1 << 16) | 5);
		const raster = bench.show();
		for (let y = 0; y < H; y++)
			for (let x = 0; x < W; x++)
				expect(rgbAt(raster, x, y)).to.deep.equal(x >= 5 && y >= 1 ? [255, 0, 0] : [0, 0, 0]);
	});

	it('doubles a picture of half the size with the nearest samples', () => {
		const bench = new Bench();
		bench.on();
		bench.machine.memory.load(
			PICTURE,
			Uint8Array.from({ length: (W / 2) * (H / 2) * 4 }, (_, i) => i),
		);
		bench.ui(1, 0, EN | XRGB8888, PICTURE);
		bench.write(channelAt(1) + SIZE, size(W / 2, H / 2));
		bench.write(channelAt(1) + PITCH, W * 2);
		const raster = bench.show();
		for (let y = 0; y < H; y++)
			for (let x = 0; x < W; x++) expect(rgbAt(raster, x, y)[2]).to.equal((y >> 1) * W * 2 + (x >> 1) * 4);
	});

	for (const [name, format, swapped] of [
		['NV12', NV12, false],
		['NV21', NV21, true],
	] as const)
		it(`converts ${name} with the channel's factors`, () => {
			const bench = new Bench();
			bench.on();
			// R = Y + 1.402 (Cr - 128), and so on (T.871, which is BT.601 full range).
			const pixels = [
				[120, 90, 170],
				[255, 128, 128],
				[0, 128, 128],
				[76, 85, 255],
			];
			for (const [y, cb, cr] of pixels) {
				bench.fill(PICTURE, W * H, [y]);
				bench.fill(PICTURE + W * H, (W * H) / 4, swapped ? [cr, cb] : [cb, cr]);
				bench.video(format, PICTURE);
				BT601_FULL.forEach((word, i) => {
					bench.write(cscCoeff(0, i), word);
				});
				bench.write(CSC_CTL, 1);
				const want = [
					y + 1.402 * (cr - 128),
					y - 0.344136 * (cb - 128) - 0.714136 * (cr - 128),
					y + 1.772 * (cb - 128),
				];
				rgbAt(bench.show(), 5, 3).forEach((c, i) => {
					expect(c, `${name} ${y},${cb},${cr}`).to.be.closeTo(Math.min(Math.max(want[i], 0), 255), 1);
				});
			}
		});

	it('shows the numbers of NV12 as they are while the conversion is off', () => {
		const bench = new Bench();
		bench.on();
		bench.fill(PICTURE, W * H, [120]);
		bench.fill(PICTURE + W * H, (W * H) / 4, [90, 170]);
		bench.video(NV12, PICTURE);
		expect(rgbAt(bench.show(), 0, 0)).to.deep.equal([120, 90, 170]);
	});

	it('takes RGB on the video channel when RGB_MODE is set', () => {
		const bench = new Bench();
		bench.on();
		bench.fill(PICTURE, W * H, [1, 2, 3, 0]);
		bench.video(XRGB8888 | RGB_MODE, PICTURE);
		bench.write(channelAt(0) + PITCH, W * 4);
		expect(rgbAt(bench.show(), 0, 0)).to.deep.equal([3, 2, 1]);
	});

	it('fetches through the IOMMU as its master', () => {
		const bench = new Bench(true);
		enableIommu(bench.machine);
		mapPage(bench.machine, IOVA, PICTURE);
		bench.on();
		bench.fill(PICTURE, W * H, [1, 2, 3, 0]);
		bench.ui(1, 0, EN | XRGB8888, IOVA);
		expect(rgbAt(bench.show(), 7, 3)).to.deep.equal([3, 2, 1]);
		const port = bench.machine.stats().dma.find(({ name }) => name.includes('mixer'))!;
		expect(port).to.include({ stream: 0, readBytes: W * H * 4, refused: 0 });
	});

	it('leaves rows black whose fetch was refused, and counts one underrun a frame', () => {
		const bench = new Bench(true);
		enableIommu(bench.machine);
		// The first half of the rows lies at the end of the page that is mapped.
		mapPage(bench.machine, IOVA, PICTURE);
		const start = PAGE - (H / 2) * W * 4;
		bench.on();
		bench.fill(PICTURE + start, (W * H) / 2, [1, 2, 3, 0]);
		bench.ui(1, 0, EN | XRGB8888, IOVA + start);
		const raster = bench.show();
		for (let y = 0; y < H; y++)
			for (let x = 0; x < W; x++)
				expect(rgbAt(raster, x, y)).to.deep.equal(y < H / 2 ? [3, 2, 1] : [0, 0, 0]);
		expect(bench.mixer.underruns).to.equal(1);
		bench.frame();
		expect(bench.mixer.underruns).to.equal(2);
	});

	it('leaves the rows of an NV12 picture black, not green, when either plane is refused', () => {
		for (const [luma, chroma] of [
			[0, 1],
			[1, 0],
		]) {
			const bench = new Bench(true);
			enableIommu(bench.machine);
			mapPage(bench.machine, IOVA, PICTURE);
			bench.on();
			bench.fill(PICTURE, PAGE, [200]);
			bench.video(NV12, IOVA + luma * PAGE, IOVA + chroma * PAGE);
			BT601_FULL.forEach((word, i) => {
				bench.write(cscCoeff(0, i), word);
			});
			bench.write(CSC_CTL, 1);
			expect(bench.show().rgb.every((c) => c === 0)).to.equal(true);
			expect(bench.mixer.underruns).to.equal(1);
		}
	});

	it('has no picture while it is off, and forgets its settings at reset', () => {
		const bench = new Bench();
		bench.on();
		expect(bench.show()).to.not.equal(null);
		bench.write(GLOBAL_CTL, 0);
		bench.write(GLOBAL_DBUFF, 1);
		expect(bench.frame()).to.equal(null);
		bench.on();
		bench.show();
		bench.mixer.reset();
		expect(bench.frame()).to.equal(null);
		expect(bench.read(OUTSIZE)).to.equal(0);
	});
});
