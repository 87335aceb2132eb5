// SPDX-License-Identifier: GPL-2.0-only
// The display mixer (DE3, mixer 0): fetches layers from memory by DMA, converts, blends.
//
// Registers: Linux 6.12, drivers/gpu/drm/sun4i/sun8i_mixer.h, sun8i_vi_layer.h, sun8i_ui_layer.h,
// sun8i_vi_scaler.h. Channel 0 is the video channel (NV12, NV21 or RGB), 1 to 3 are for the user interface.
// Settings take effect at the frame after GLOBAL_DBUFF was written. Rows whose fetch was refused are black: what the
// chip shows then nobody has written down, and zeros would be green in NV12.
//
// Not modelled: the filters of the scalers (a sample is the nearest one, also for chroma), overlays 1 to 3 of a
// channel, colour keys, fill colours of pipes, premultiplied alpha, the enhancement blocks behind 0x70000, 10-bit and
// tiled formats, interlace.

import type { DmaPort } from '#hw/core/dma-port.js';
import type { DeviceModel, DmaTarget, ModelContext, Models } from '#hw/core/model.js';
import { RegisterFile, type RegisterSpec } from '#hw/core/register-file.js';
import { FBFMT_NV12, FBFMT_NV21, type Frame, type Layer, Picture, RGB_FORMATS } from './compose.js';
import { monitorOf, type Raster, type RasterSource } from './monitor.js';

const CHANNELS = 4;
const PIPES = 5;
const CH_BASE = 0x1000;
const CH_SIZE = 0x800;

const ATTR_EN = 1;
const ATTR_RGB = 1 << 15;

function channelRegisters(channel: number): RegisterSpec[] {
	const base = CH_BASE + channel * CH_SIZE;
	const vi = channel === 0;
	const name = `CH${channel}`;
	const planes = vi ? 3 : 1;
	return [
		{
			name: `${name}_ATTR`,
			offset: base,
			access: 'RW',
			fields: [
				{ name: 'EN', bits: [0, 0] },
				{ name: 'ALPHA_MODE', bits: [2, 1], values: { 0: 'pixel', 1: 'layer', 2: 'combined' } },
				{ name: 'FBFMT', bits: [12, 8] },
				{ name: 'RGB_MODE', bits: [15, 15] },
				{ name: 'ALPHA', bits: [31, 24] },
			],
			doc: `Layer attributes (SUN8I_MIXER_CHAN_${vi ? 'VI' : 'UI'}_LAYER_ATTR)`,
		},
		{
			name: `${name}_SIZE`,
			offset: base + 0x4,
			access: 'RW',
			doc: 'Height - 1 above, width - 1 below (LAYER_SIZE)',
		},
		{ name: `${name}_COORD`, offset: base + 0x8, access: 'RW', doc: 'Place in the overlay (LAYER_COORD)' },
		{
			name: `${name}_PITCH`,
			offset: base + 0xc,
			access: 'RW',
			count: planes,
			doc: 'Bytes a row (LAYER_PITCH)',
		},
		{
			name: `${name}_TOP_LADDR`,
			offset: base + (vi ? 0x18 : 0x10),
			access: 'RW',
			count: planes,
			doc: 'DMA address of the first byte, one for each plane (LAYER_TOP_LADDR)',
		},
		{
			name: `${name}_OVL_SIZE`,
			offset: base + (vi ? 0xe8 : 0x88),
			access: 'RW',
			doc: 'Size of the overlay (OVL_SIZE)',
		},
		...(vi
			? [
					{
						name: `${name}_DS`,
						offset: base + 0xf0,
						access: 'RW' as const,
						count: 4,
						doc: 'Coarse scaling (HDS, VDS)',
					},
				]
			: []),
	];
}

/** The scaler of a channel: its sizes and steps are kept; the samples it makes are the nearest ones. */
function scalerRegisters(channel: number): RegisterSpec[] {
	const base = 0x20000 + channel * 0x8000;
	const name = `SCALER${channel}`;
	const reg = (suffix: string, offset: number, count: number, doc: string): RegisterSpec => ({
		name: `${name}_${suffix}`,
		offset: base + offset,
		access: 'RW',
		count,
		doc,
	});
	return [
		reg('CTRL', 0x0, 1, 'Enable, coefficients ready (SUN8I_SCALER_VSU_CTRL)'),
		reg('MODE', 0x10, 1, 'Kind of scaling (SUN50I_SCALER_VSU_SCALE_MODE)'),
		reg('OUTSIZE', 0x40, 1, 'SUN8I_SCALER_VSU_OUTSIZE'),
		reg('Y', 0x80, 7, 'Size, steps and phases of luma (SUN8I_SCALER_VSU_YINSIZE to YVPHASE)'),
		reg('C', 0xc0, 7, 'Size, steps and phases of chroma (SUN8I_SCALER_VSU_CINSIZE to CVPHASE)'),
	];
}

const BLD = 0x800;

export const mixerRegisters: readonly RegisterSpec[] = [
	{
		name: 'GLOBAL_CTL',
		offset: 0x0,
		access: 'RW',
		fields: [{ name: 'RT_EN', bits: [0, 0] }],
		doc: 'SUN8I_MIXER_GLOBAL_CTL',
	},
	{ name: 'GLOBAL_STATUS', offset: 0x4, access: 'RO', doc: 'SUN8I_MIXER_GLOBAL_STATUS' },
	{
		name: 'GLOBAL_DBUFF',
		offset: 0x8,
		access: 'RW',
		mask: 1,
		doc: 'Take the settings over at the next frame; reads 0 when done (SUN8I_MIXER_GLOBAL_DBUFF)',
	},
	{ name: 'GLOBAL_SIZE', offset: 0xc, access: 'RW', doc: 'SUN8I_MIXER_GLOBAL_SIZE' },
	{
		name: 'PIPE_CTL',
		offset: BLD,
		access: 'RW',
		fields: [
			{ name: 'EN', bits: [12, 8] },
			{ name: 'FC_EN', bits: [4, 0] },
		],
		doc: 'Which pipes blend, which fill (SUN8I_MIXER_BLEND_PIPE_CTL)',
	},
	{
		name: 'FCOLOR',
		offset: BLD + 0x4,
		access: 'RW',
		count: PIPES,
		stride: 16,
		doc: 'Fill colour (BLEND_ATTR_FCOLOR)',
	},
	{
		name: 'INSIZE',
		offset: BLD + 0x8,
		access: 'RW',
		count: PIPES,
		stride: 16,
		doc: 'Size on screen (BLEND_ATTR_INSIZE)',
	},
	{
		name: 'COORD',
		offset: BLD + 0xc,
		access: 'RW',
		count: PIPES,
		stride: 16,
		doc: 'Place on screen (BLEND_ATTR_COORD)',
	},
	{
		name: 'ROUTE',
		offset: BLD + 0x80,
		access: 'RW',
		doc: 'Channel of each pipe, four bits each (BLEND_ROUTE)',
	},
	{ name: 'PREMULTIPLY', offset: BLD + 0x84, access: 'RW', doc: 'BLEND_PREMULTIPLY' },
	{ name: 'BKCOLOR', offset: BLD + 0x88, access: 'RW', doc: 'Colour where no pipe is (BLEND_BKCOLOR)' },
	{ name: 'OUTSIZE', offset: BLD + 0x8c, access: 'RW', doc: 'Size of the raster (BLEND_OUTSIZE)' },
	{
		name: 'MODE',
		offset: BLD + 0x90,
		access: 'RW',
		count: PIPES,
		doc: 'Blend mode; only source over is known (BLEND_MODE)',
	},
	{ name: 'CK_CTL', offset: BLD + 0xb0, access: 'RW', count: 2, doc: 'Colour keys (BLEND_CK_CTL, CK_CFG)' },
	{ name: 'OUTCTL', offset: BLD + 0xfc, access: 'RW', doc: 'BLEND_OUTCTL' },
	{
		name: 'CSC_CTL',
		offset: BLD + 0x100,
		access: 'RW',
		doc: 'Colour conversion on, a bit a channel (SUN50I_MIXER_BLEND_CSC_CTL)',
	},
	{
		name: 'CSC_COEFF',
		offset: BLD + 0x110,
		access: 'RW',
		count: CHANNELS * 12,
		doc: 'Three rows of three factors in 1/2^17 and a word of offsets, for each channel (SUN50I_MIXER_BLEND_CSC_COEFF)',
	},
	...Array.from({ length: CHANNELS }, (_, c) => channelRegisters(c)).flat(),
	...Array.from({ length: CHANNELS }, (_, c) => scalerRegisters(c)).flat(),
];

const width = (size: number): number => (size & 0xffff) + 1;
const height = (size: number): number => (size >>> 16) + 1;

/** The pipes that blend, each with its channel, which is on. */
function channelsOf(s: RegisterFile): [pipe: number, channel: number][] {
	const on: [number, number][] = [];
	for (let pipe = 0; pipe < PIPES; pipe++) {
		if ((s.get('PIPE_CTL') & (0x100 << pipe)) === 0) continue;
		const channel = (s.get('ROUTE') >>> (pipe * 4)) & 0xf;
		if (channel < CHANNELS && (s.get(`CH${channel}_ATTR`) & ATTR_EN) !== 0) on.push([pipe, channel]);
	}
	return on;
}

/** What @channel fetches of each plane of its layer; null: its format is not known. */
function planesOf(s: RegisterFile, channel: number): { rowBytes: number; rows: number }[] | null {
	const attr = s.get(`CH${channel}_ATTR`);
	const size = s.get(`CH${channel}_SIZE`);
	const [w, h] = [width(size), height(size)];
	const format = (attr >>> 8) & 0x1f;
	if (channel !== 0 || (attr & ATTR_RGB) !== 0) {
		const f = RGB_FORMATS[format];
		return f === undefined ? null : [{ rowBytes: w * f.bytes, rows: h }];
	}
	if (format !== FBFMT_NV12 && format !== FBFMT_NV21) return null;
	return [
		{ rowBytes: w, rows: h },
		{ rowBytes: 2 * Math.ceil(w / 2), rows: Math.ceil(h / 2) },
	];
}

export class Mixer implements DeviceModel, RasterSource {
	readonly registers = new RegisterFile(mixerRegisters);
	readonly addressLines = 32;
	onTold: ((write: boolean | null) => void) | null = null;
	readonly #dma: DmaPort;
	/** The settings that the current frames are made with: a copy of the registers' as of the last take-over. */
	#settings = new RegisterFile(mixerRegisters);
	#frame: Frame | null = null;
	/** Somebody has a picture of the frame. */
	#kept = false;
	/** While the next frame is fetched, the planes of the last, if nobody has a picture of it: most are as large. */
	#spare: Uint8Array[] = [];
	/** Frames for which some fetch was refused. */
	underruns = 0;

	constructor(
		readonly name: string,
		private readonly ctx: ModelContext,
	) {
		this.#dma = ctx.dma(0);
		monitorOf(ctx.machine).source = this;
		this.registers.onWrite = (register, _index, value) => {
			if (register === 'GLOBAL_DBUFF' && value !== 0) this.onTold?.(null);
		};
		this.registers.onHole = (offset, write, value) => {
			if (write && value !== 0)
				ctx.machine.note(
					name,
					`Unimplemented write to block 0x${(offset & ~0x7ff).toString(16)}: filters and enhancers do nothing`,
				);
		};
	}

	read(offset: number, w: number): number {
		return this.registers.read(offset, w);
	}

	write(offset: number, w: number, value: number): void {
		this.registers.write(offset, value, w);
	}

	reset(): void {
		this.registers.reset();
		this.#settings.reset();
		this.#frame = null;
	}

	/** Read the layers of a frame from memory. */
	fetch(): void {
		if (!this.ctx.powered()) {
			this.#frame = null;
			return;
		}
		if (this.registers.get('GLOBAL_DBUFF') !== 0) this.#takeOver();
		const s = this.#settings;
		if ((s.get('GLOBAL_CTL') & 1) === 0) {
			this.#frame = null;
			return;
		}
		if (!this.#kept) this.#spare = (this.#frame?.layers ?? []).flatMap(({ planes }) => planes);
		this.#kept = false;
		const layers: Layer[] = [];
		for (const [pipe, channel] of channelsOf(s)) {
			const layer = this.#fetchLayer(pipe, channel);
			if (layer !== null) layers.push(layer);
		}
		if (layers.some((layer) => layer.rows < layer.height)) this.underruns++;
		const size = s.get('OUTSIZE');
		this.#frame = { width: width(size), height: height(size), background: s.get('BKCOLOR'), layers };
		this.#spare = [];
	}

	/** The planes of the frames that are shown, and of those that are to be. */
	targets(): DmaTarget[] {
		if (!this.ctx.powered() || !monitorOf(this.ctx.machine).running) return [];
		const told = this.registers.get('GLOBAL_DBUFF') !== 0 ? this.#targetsOf(this.registers) : [];
		return [...told, ...this.#targetsOf(this.#settings)];
	}

	#targetsOf(s: RegisterFile): DmaTarget[] {
		if ((s.get('GLOBAL_CTL') & 1) === 0) return [];
		const targets: DmaTarget[] = [];
		for (const [, channel] of channelsOf(s))
			for (const [i, { rowBytes, rows }] of (planesOf(s, channel) ?? []).entries())
				targets.push({
					port: this.#dma,
					addr: s.get(`CH${channel}_TOP_LADDR`, i),
					size: (rows - 1) * s.get(`CH${channel}_PITCH`, i) + rowBytes,
					write: false,
					by: `CH${channel}_TOP_LADDR[${i}], ${rows} rows of ${rowBytes} bytes, each ${s.get(`CH${channel}_PITCH`, i)} bytes behind the last`,
				});
		return targets;
	}

	#takeOver(): void {
		for (const spec of mixerRegisters)
			for (let i = 0; i < (spec.count ?? 1); i++)
				this.#settings.set(spec.name, this.registers.get(spec.name, i), i);
		this.registers.set('GLOBAL_DBUFF', 0);
	}

	/** The layer with its pixels, as far as they could be read; null when its format is not known. */
	#fetchLayer(pipe: number, channel: number): Layer | null {
		const s = this.#settings;
		const name = `CH${channel}`;
		const attr = s.get(`${name}_ATTR`);
		const size = s.get(`${name}_SIZE`);
		const [w, h] = [width(size), height(size)];
		const format = (attr >>> 8) & 0x1f;
		const rgb = channel !== 0 || (attr & ATTR_RGB) !== 0;
		const planes: Uint8Array[] = [];
		let whole = h;
		const fetchPlane = (index: number, rowBytes: number, rows: number): void => {
			const bytes = this.#plane(rowBytes * rows);
			const addr = s.get(`${name}_TOP_LADDR`, index);
			const pitch = s.get(`${name}_PITCH`, index);
			for (let row = 0; row < rows; row++)
				if (!this.#dma.read(addr + row * pitch, bytes.subarray(row * rowBytes, (row + 1) * rowBytes))) {
					whole = Math.min(whole, Math.floor((row * h) / rows));
					break;
				}
			planes.push(bytes);
		};
		const wanted = planesOf(s, channel);
		if (wanted === null) return this.#unknownFormat(format);
		for (const [i, { rowBytes, rows }] of wanted.entries()) fetchPlane(i, rowBytes, rows);
		let csc: Int32Array | null = null;
		if ((s.get('CSC_CTL') & (1 << channel)) !== 0) {
			csc = new Int32Array(12);
			for (let i = 0; i < 12; i++) csc[i] = s.get('CSC_COEFF', channel * 12 + i) | 0;
		}
		const coord = s.get('COORD', pipe);
		const out = s.get('INSIZE', pipe);
		return {
			width: w,
			height: h,
			outWidth: width(out),
			outHeight: height(out),
			x: coord & 0xffff,
			y: coord >>> 16,
			format,
			rgb,
			alphaMode: (attr >>> 1) & 3,
			alpha: attr >>> 24,
			csc,
			planes,
			rows: whole,
		};
	}

	#plane(size: number): Uint8Array {
		const at = this.#spare.findIndex(({ length }) => length === size);
		return at < 0 ? new Uint8Array(size) : this.#spare.splice(at, 1)[0];
	}

	#unknownFormat(format: number): null {
		this.ctx.machine.note(this.name, `pixel format ${format} is not modelled: the layer is not shown`);
		return null;
	}

	compose(): Raster | null {
		if (this.#frame === null) return null;
		this.#kept = true;
		return new Picture(this.#frame);
	}
}

export const mixerModels: Models = { 'allwinner,sun50i-h6-de3-mixer-0': (ctx) => new Mixer(ctx.name, ctx) };
