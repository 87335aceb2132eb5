// SPDX-License-Identifier: GPL-2.0-only
// JPEG on the MPEG decoder: read the headers, program the engine.
// Linux 6.12: none yet; "media: cedrus: Add JPEG decoder" (linux-media, 31 July 2024) has the register sequence
// Left out: 4:1:1, whose rows are longer than the buffer's; pictures of several scans; sampling factors that are not
// reduced (1x2 thrice for 4:4:4): they put the blocks in an order that no register names.
//
// The engine sees no header: size, tables and format go through registers, and it reads the entropy-coded data
// from where the headers end. It does not know where the picture's buffer ends either, so the size is checked here.
import { vb2_plane_vaddr } from '#drivers/media/common/videobuf2/videobuf2-core.js';
import { cedrus_engine_enable } from '#drivers/staging/media/sunxi/cedrus/cedrus_hw.js';
import * as regs from '#drivers/staging/media/sunxi/cedrus/cedrus_regs.js';
import {
	CEDRUS_IRQ_ERROR,
	CEDRUS_IRQ_NONE,
	CEDRUS_IRQ_OK,
	type cedrus_ctx,
	type cedrus_dec_ops,
	type cedrus_dev,
	cedrus_dst_buf_addr,
	type cedrus_irq_status,
	cedrus_read,
	type cedrus_run,
	cedrus_write,
} from '#drivers/staging/media/sunxi/cedrus/cedrus_types.js';
import { vb2_get_plane_payload } from '#include/media/videobuf2-core.js';
import { vb2_dma_contig_plane_dma_addr } from '#include/media/videobuf2-dma-contig.js';
import { dev_dbg } from '#linux/dev_printk.js';
import type { device } from '#linux/device.js';
import { EINVAL } from '#linux/errno.js';
import { DIV_ROUND_UP } from '#linux/math.js';
import { memcmp } from '#linux/string.js';
import type { bool, int, size_t, u8, u16, u32, unsigned_int } from '#linux/types.js';

const CEDRUS_JPEG_MAX_SIZE = 2048;

/* Markers (ITU-T T.81, table B.1) */
const SOF0 = 0xc0;
const SOF1 = 0xc1;
const SOF15 = 0xcf;
const DHT = 0xc4;
const JPG = 0xc8;
const DAC = 0xcc;
const RST0 = 0xd0;
const RST7 = 0xd7;
const SOI = 0xd8;
const EOI = 0xd9;
const SOS = 0xda;
const DQT = 0xdb;
const DRI = 0xdd;
const APP14 = 0xee;
const TEM = 0x01;

class cedrus_jpeg_component {
	id: u8 = 0;
	h: u8 = 0;
	v: u8 = 0;
	quant: u8 = 0;
	dc: u8 = 0;
	ac: u8 = 0;
}

/** What the headers say; tables are offsets in the stream, -1 for one that is not there. */
export class cedrus_jpeg_header {
	width: u16 = 0;
	height: u16 = 0;
	num_components: u8 = 0;
	readonly components = [
		new cedrus_jpeg_component(),
		new cedrus_jpeg_component(),
		new cedrus_jpeg_component(),
	];
	readonly quant = new Int32Array(4);
	/** By class (0: DC, 1: AC) and number: [2 * class + number]. */
	readonly huffman = new Int32Array(4);
	restart_interval: u16 = 0;
	/** Where the entropy-coded data begins. */
	ecs_offset: size_t = 0;
	/** An Adobe marker says that the components are not YCbCr. */
	rgb: bool = false;
}

function get16(buf: Uint8Array, at: size_t): u16 {
	return (buf[at] << 8) | buf[at + 1];
}

function parse_dqt(dev: device, buf: Uint8Array, from: size_t, end: size_t, hdr: cedrus_jpeg_header): int {
	for (let at = from; at < end; at += 65) {
		const id = buf[at] & 0xf;
		if (buf[at] >> 4 !== 0) {
			dev_dbg(dev, 'JPEG: quantization table %u has 16-bit elements', id);
			return -EINVAL;
		}
		if (id > 3 || at + 65 > end) {
			dev_dbg(dev, 'JPEG: bad quantization table at %zu', at);
			return -EINVAL;
		}
		hdr.quant[id] = at + 1;
	}
	return 0;
}

function parse_dht(dev: device, buf: Uint8Array, from: size_t, end: size_t, hdr: cedrus_jpeg_header): int {
	for (let at = from; at < end; ) {
		const table_class = buf[at] >> 4;
		const id = buf[at] & 0xf;
		let total: unsigned_int = 0;
		// Codes of one length more are twice as many, less those that are taken; that of ones alone stays free.
		let room: int = 1;
		for (let i = 0; i < 16 && at + 17 <= end; i++) {
			room = room * 2 - buf[at + 1 + i];
			total += buf[at + 1 + i];
			if (room < 1) break;
		}
		if (table_class > 1 || id > 1 || total > 256 || room < 1 || at + 17 + total > end) {
			dev_dbg(dev, 'JPEG: bad Huffman table at %zu', at);
			return -EINVAL;
		}
		hdr.huffman[2 * table_class + id] = at + 1;
		at = at + 17 + total;
	}
	return 0;
}

function parse_sof(dev: device, buf: Uint8Array, from: size_t, end: size_t, hdr: cedrus_jpeg_header): int {
	if (hdr.num_components !== 0 || end - from < 6 || end - from !== 6 + 3 * buf[from + 5]) {
		dev_dbg(dev, 'JPEG: bad frame header at %zu', from);
		return -EINVAL;
	}
	if (buf[from] !== 8) {
		dev_dbg(dev, 'JPEG: unsupported JPEG with %u bits of precision (8 required)', buf[from]);
		return -EINVAL;
	}
	hdr.height = get16(buf, from + 1);
	hdr.width = get16(buf, from + 3);
	if (
		hdr.width === 0 ||
		hdr.height === 0 ||
		hdr.width > CEDRUS_JPEG_MAX_SIZE ||
		hdr.height > CEDRUS_JPEG_MAX_SIZE
	) {
		dev_dbg(
			dev,
			'JPEG: unsupported JPEG of resolution %ux%u (max %ux%u)',
			hdr.width,
			hdr.height,
			CEDRUS_JPEG_MAX_SIZE,
			CEDRUS_JPEG_MAX_SIZE,
		);
		return -EINVAL;
	}
	if (buf[from + 5] !== 1 && buf[from + 5] !== 3) {
		dev_dbg(dev, 'JPEG: unsupported JPEG with %u components (1 or 3 required)', buf[from + 5]);
		return -EINVAL;
	}
	hdr.num_components = buf[from + 5];
	for (let i = 0; i < hdr.num_components; i++) {
		const comp = hdr.components[i];
		comp.id = buf[from + 6 + 3 * i];
		comp.h = buf[from + 7 + 3 * i] >> 4;
		comp.v = buf[from + 7 + 3 * i] & 0xf;
		comp.quant = buf[from + 8 + 3 * i];
	}
	return 0;
}

/** Whether the DHT tables at @a and @b, their 16 counts and the symbols, are alike. */
function same_huffman(buf: Uint8Array, a: size_t, b: size_t): bool {
	let size: size_t = 16;
	for (let i = 0; i < 16; i++) size += buf[a + i];
	return memcmp(buf.subarray(a), buf.subarray(b), size) === 0;
}

function parse_sos(dev: device, buf: Uint8Array, from: size_t, end: size_t, hdr: cedrus_jpeg_header): int {
	const n = buf[from];
	if (end - from < 1 || end - from !== 4 + 2 * n || n !== hdr.num_components) {
		dev_dbg(dev, 'JPEG: bad scan header at %zu, or not all components in one scan', from);
		return -EINVAL;
	}
	for (let i = 0; i < n; i++) {
		const comp = hdr.components[i];
		comp.dc = buf[from + 2 + 2 * i] >> 4;
		comp.ac = buf[from + 2 + 2 * i] & 0xf;
		if (
			buf[from + 1 + 2 * i] !== comp.id ||
			comp.dc > 1 ||
			comp.ac > 1 ||
			hdr.huffman[comp.dc] < 0 ||
			hdr.huffman[2 + comp.ac] < 0 ||
			comp.quant > 3 ||
			hdr.quant[comp.quant] < 0
		) {
			dev_dbg(dev, 'JPEG: component %u of the scan has no tables', i);
			return -EINVAL;
		}
	}
	const cb = hdr.components[1];
	const cr = hdr.components[2];
	if (
		n === 3 &&
		(memcmp(buf.subarray(hdr.quant[cb.quant]), buf.subarray(hdr.quant[cr.quant]), 64) !== 0 ||
			!same_huffman(buf, hdr.huffman[cb.dc], hdr.huffman[cr.dc]) ||
			!same_huffman(buf, hdr.huffman[2 + cb.ac], hdr.huffman[2 + cr.ac]))
	) {
		dev_dbg(dev, 'JPEG: the two chroma components have different tables');
		return -EINVAL;
	}
	if (buf[end - 3] !== 0 || buf[end - 2] !== 63 || buf[end - 1] !== 0) {
		dev_dbg(dev, 'JPEG: the scan is not a whole baseline scan');
		return -EINVAL;
	}
	hdr.ecs_offset = end;
	return 0;
}

/** From the entropy-coded data to the marker that ends it: it has to be there, and be no second scan. */
function check_end(dev: device, buf: Uint8Array, size: size_t, hdr: cedrus_jpeg_header): int {
	for (let at = hdr.ecs_offset; at + 1 < size; at++) {
		if (buf[at] !== 0xff) continue;
		const marker = buf[at + 1];
		if (marker === 0 || marker === 0xff || (marker >= RST0 && marker <= RST7)) continue;
		if (marker === SOS || marker === DHT || marker === DQT) {
			dev_dbg(dev, 'JPEG: more than one scan');
			return -EINVAL;
		}
		return 0;
	}
	dev_dbg(dev, 'JPEG: truncated, no EOI marker in %zu bytes', size);
	return -EINVAL;
}

/**
 * Read the headers of the JPEG stream in @buf. 0, or -EINVAL when it is none, is damaged, or is of a kind that the
 * engine does not decode; dynamic debug says which.
 */
export function cedrus_jpeg_parse_header(
	dev: device,
	buf: Uint8Array,
	size: size_t,
	hdr: cedrus_jpeg_header,
): int {
	for (let i = 0; i < 4; i++) {
		hdr.quant[i] = -1;
		hdr.huffman[i] = -1;
	}
	if (size < 4 || get16(buf, 0) !== ((0xff << 8) | SOI)) {
		dev_dbg(dev, 'JPEG: no SOI marker');
		return -EINVAL;
	}
	for (let at: size_t = 2; at + 4 <= size; ) {
		const marker = buf[at + 1];
		if (buf[at] !== 0xff) {
			dev_dbg(dev, 'JPEG: no marker at %zu', at);
			return -EINVAL;
		}
		if (marker === 0xff) {
			at++;
			continue;
		}
		if (marker === SOI || marker === EOI || marker === TEM || (marker >= RST0 && marker <= RST7)) {
			dev_dbg(dev, 'JPEG: unexpected marker %#x at %zu', 0xff00 | marker, at);
			return -EINVAL;
		}
		const from = at + 4;
		const end = at + 2 + get16(buf, at + 2);
		if (end < from || end > size) {
			dev_dbg(dev, 'JPEG: truncated, the segment at %zu ends at %zu of %zu', at, end, size);
			return -EINVAL;
		}

		let ret: int = 0;
		if (marker === DQT) ret = parse_dqt(dev, buf, from, end, hdr);
		else if (marker === DHT) ret = parse_dht(dev, buf, from, end, hdr);
		else if (marker === SOF0 || marker === SOF1) ret = parse_sof(dev, buf, from, end, hdr);
		else if (marker === DRI && end - from === 2) hdr.restart_interval = get16(buf, from);
		else if (marker === APP14 && end - from >= 12 && get16(buf, from) === 0x4164)
			hdr.rgb = buf[from + 11] === 0;
		else if (marker === SOS) {
			ret = hdr.num_components === 0 ? -EINVAL : parse_sos(dev, buf, from, end, hdr);
			return ret ? ret : check_end(dev, buf, size, hdr);
		} else if (marker === DRI || marker === DAC || marker === JPG || (marker > SOF0 && marker <= SOF15)) {
			dev_dbg(dev, 'JPEG: unsupported marker %#x at %zu', 0xff00 | marker, at);
			return -EINVAL;
		}
		if (ret) return ret;
		at = end;
	}
	dev_dbg(dev, 'JPEG: truncated, no SOS marker in %zu bytes', size);
	return -EINVAL;
}

function cedrus_jpeg_irq_status(ctx: cedrus_ctx): cedrus_irq_status {
	const reg = cedrus_read(ctx.dev, regs.VE_DEC_MPEG_STATUS) & regs.VE_DEC_MPEG_STATUS_CHECK_MASK;

	if (reg === 0) return CEDRUS_IRQ_NONE;
	return reg & regs.VE_DEC_MPEG_STATUS_CHECK_ERROR ? CEDRUS_IRQ_ERROR : CEDRUS_IRQ_OK;
}

function cedrus_jpeg_irq_clear(ctx: cedrus_ctx): void {
	cedrus_write(ctx.dev, regs.VE_DEC_MPEG_STATUS, regs.VE_DEC_MPEG_STATUS_CHECK_MASK);
}

function cedrus_jpeg_irq_disable(ctx: cedrus_ctx): void {
	const reg = cedrus_read(ctx.dev, regs.VE_DEC_MPEG_CTRL) & ~regs.VE_DEC_MPEG_CTRL_IRQ_MASK;
	cedrus_write(ctx.dev, regs.VE_DEC_MPEG_CTRL, reg >>> 0);
}

/** The TRIGGER's chroma format of the sampling factors; -EINVAL for those that the engine does not know. */
function cedrus_jpeg_subsampling(hdr: cedrus_jpeg_header): int {
	const luma = hdr.components[0];
	const cb = hdr.components[1];
	const cr = hdr.components[2];
	if (hdr.num_components === 1) return regs.VE_DEC_MPEG_TRIGGER_CHROMA_FMT_400;
	if (cb.h !== 1 || cb.v !== 1 || cr.h !== 1 || cr.v !== 1) return -EINVAL;
	switch ((luma.h << 4) | luma.v) {
		case 0x22:
			return regs.VE_DEC_MPEG_TRIGGER_CHROMA_FMT_420;
		case 0x21:
			return regs.VE_DEC_MPEG_TRIGGER_CHROMA_FMT_422;
		case 0x11:
			return regs.VE_DEC_MPEG_TRIGGER_CHROMA_FMT_444;
		case 0x12:
			return regs.VE_DEC_MPEG_TRIGGER_CHROMA_FMT_422T;
		default:
			return -EINVAL;
	}
}

function cedrus_write_quantization_matrix(dev: cedrus_dev, flags: u32, buf: Uint8Array, at: size_t): void {
	for (let i = 0; i < 64; i++)
		cedrus_write(
			dev,
			regs.VE_DEC_MPEG_IQMINPUT,
			(regs.VE_DEC_MPEG_IQMINPUT_WEIGHT(i, buf[at + i]) | flags) >>> 0,
		);
}

/** For each code length: the first code, and how many codes are shorter. @at: the 16 counts of a DHT table. */
function cedrus_write_table_header(dev: cedrus_dev, buf: Uint8Array, at: size_t): unsigned_int {
	const words = new Uint32Array(16);
	let longest: int = -1;
	for (let i = 0; i < 16; i++) if (buf[at + i] !== 0) longest = i;

	let count: unsigned_int = 0;
	let code: unsigned_int = 0;
	for (let i = 0; i < 16; i++) {
		const start = i > longest ? 0xffff : code;
		words[i >> 1] = (words[i >> 1] | (start << (16 * (i & 1)))) >>> 0;
		words[8 + (i >> 2)] = (words[8 + (i >> 2)] | (count << (8 * (i & 3)))) >>> 0;
		count += buf[at + i];
		code = ((code + buf[at + i]) * 2) >>> 0;
	}
	for (let i = 0; i < 16; i++) cedrus_write(dev, regs.VE_DEC_MPEG_SRAM_RW_DATA, words[i]);
	return count;
}

/** The symbols of a DHT table, @count of them behind its 16 counts, and zeros up to 256. */
function cedrus_write_table_symbols(dev: cedrus_dev, buf: Uint8Array, at: size_t, count: unsigned_int): void {
	const word = new Uint32Array(4);
	for (let i: unsigned_int = 0; i < 256; i += 4) {
		for (let j: unsigned_int = 0; j < 4; j++) word[j] = i + j < count ? buf[at + 16 + i + j] : 0;
		cedrus_write(
			dev,
			regs.VE_DEC_MPEG_SRAM_RW_DATA,
			(word[0] | (word[1] << 8) | (word[2] << 16) | (word[3] << 24)) >>> 0,
		);
	}
}

/** All four tables: DC and AC of luma, DC and AC of chroma. */
function cedrus_jpeg_write_dh_tables(dev: cedrus_dev, buf: Uint8Array, hdr: cedrus_jpeg_header): void {
	const luma = hdr.components[0];
	const chroma = hdr.num_components === 1 ? luma : hdr.components[1];
	const at: int[] = [
		hdr.huffman[luma.dc],
		hdr.huffman[2 + luma.ac],
		hdr.huffman[chroma.dc],
		hdr.huffman[2 + chroma.ac],
	];
	const count = new Uint16Array(4);

	cedrus_write(dev, regs.VE_DEC_MPEG_SRAM_RW_OFFSET, 0);
	for (let i = 0; i < 4; i++) count[i] = cedrus_write_table_header(dev, buf, at[i]);
	for (let i = 0; i < 192; i++) cedrus_write(dev, regs.VE_DEC_MPEG_SRAM_RW_DATA, 0);
	for (let i = 0; i < 4; i++) cedrus_write_table_symbols(dev, buf, at[i], count[i]);
}

function cedrus_jpeg_setup(ctx: cedrus_ctx, run: cedrus_run): int {
	const { dev } = ctx;
	const size = vb2_get_plane_payload(run.src, 0);
	const buf = vb2_plane_vaddr(run.src, 0);
	const hdr = new cedrus_jpeg_header();

	if (!buf) return -EINVAL;
	const ret = cedrus_jpeg_parse_header(dev.dev, buf, size, hdr);
	if (ret) return ret;
	if (hdr.rgb && hdr.num_components === 3) {
		dev_dbg(dev.dev, 'JPEG: the components are not YCbCr');
		return -EINVAL;
	}

	const subsampling = cedrus_jpeg_subsampling(hdr);
	if (subsampling < 0) {
		dev_dbg(dev.dev, 'JPEG: unsupported subsampling');
		return subsampling;
	}
	ctx.codec.jpeg.subsampling = subsampling;

	// In a scan of one component an MCU is one block, whatever its factors say.
	const hmax = hdr.num_components === 1 ? 1 : hdr.components[0].h;
	const vmax = hdr.num_components === 1 ? 1 : hdr.components[0].v;
	const mcus_w = DIV_ROUND_UP(hdr.width, 8 * hmax);
	const mcus_h = DIV_ROUND_UP(hdr.height, 8 * vmax);
	if (mcus_w * 8 * hmax > ctx.dst_fmt.bytesperline || mcus_h * 8 * vmax > ctx.dst_fmt.height) {
		dev_dbg(
			dev.dev,
			'JPEG: %ux%u does not fit in a buffer of %ux%u',
			hdr.width,
			hdr.height,
			ctx.dst_fmt.width,
			ctx.dst_fmt.height,
		);
		return -EINVAL;
	}

	/* Activate the MPEG engine and select JPEG. */
	cedrus_engine_enable(ctx);
	cedrus_write(dev, regs.VE_DEC_MPEG_TRIGGER, (regs.VE_DEC_MPEG_TRIGGER_JPEG | subsampling) >>> 0);

	cedrus_write(dev, regs.VE_DEC_MPEG_JPEG_RES_INT, hdr.restart_interval);
	cedrus_write(
		dev,
		regs.VE_DEC_MPEG_JPEG_SIZE,
		(regs.VE_DEC_MPEG_JPEG_SIZE_WIDTH(mcus_w) | regs.VE_DEC_MPEG_JPEG_SIZE_HEIGHT(mcus_h)) >>> 0,
	);

	/* Tables */
	const chroma = hdr.num_components === 1 ? hdr.components[0] : hdr.components[1];
	cedrus_write_quantization_matrix(
		dev,
		regs.VE_DEC_MPEG_IQMINPUT_FLAG_INTRA,
		buf,
		hdr.quant[hdr.components[0].quant],
	);
	cedrus_write_quantization_matrix(
		dev,
		regs.VE_DEC_MPEG_IQMINPUT_FLAG_NON_INTRA,
		buf,
		hdr.quant[chroma.quant],
	);
	cedrus_jpeg_write_dh_tables(dev, buf, hdr);

	/* The picture leaves by the path of the rotated output, which does not rotate. */
	cedrus_write(dev, regs.VE_DEC_MPEG_ROT_LUMA, cedrus_dst_buf_addr(ctx, run.dst, 0));
	cedrus_write(dev, regs.VE_DEC_MPEG_ROT_CHROMA, cedrus_dst_buf_addr(ctx, run.dst, 1));
	cedrus_write(dev, regs.VE_DEC_MPEG_SD_ROT_DBLK_CTL, 0);

	/* Source offset and length in bits */
	cedrus_write(dev, regs.VE_DEC_MPEG_VLD_OFFSET, 8 * hdr.ecs_offset);
	cedrus_write(dev, regs.VE_DEC_MPEG_VLD_LEN, 8 * size);

	/* Source beginning and end */
	const src_buf_addr = vb2_dma_contig_plane_dma_addr(run.src, 0);
	cedrus_write(
		dev,
		regs.VE_DEC_MPEG_VLD_ADDR,
		(regs.VE_DEC_MPEG_VLD_ADDR_BASE(src_buf_addr) |
			regs.VE_DEC_MPEG_VLD_ADDR_VALID_PIC_DATA |
			regs.VE_DEC_MPEG_VLD_ADDR_LAST_PIC_DATA |
			regs.VE_DEC_MPEG_VLD_ADDR_FIRST_PIC_DATA) >>>
			0,
	);
	cedrus_write(dev, regs.VE_DEC_MPEG_VLD_END_ADDR, src_buf_addr + size);

	/* Interrupts, and 4:2:0 whatever the picture has */
	let reg: u32 = regs.VE_DEC_MPEG_CTRL_IRQ_MASK;
	if (subsampling !== regs.VE_DEC_MPEG_TRIGGER_CHROMA_FMT_420) reg |= regs.VE_DEC_MPEG_CTRL_JPEG_FORCE_420;
	cedrus_write(dev, regs.VE_DEC_MPEG_CTRL, reg);
	return 0;
}

function cedrus_jpeg_trigger(ctx: cedrus_ctx): void {
	cedrus_write(
		ctx.dev,
		regs.VE_DEC_MPEG_TRIGGER,
		(regs.VE_DEC_MPEG_TRIGGER_HW_JPEG_VLD | regs.VE_DEC_MPEG_TRIGGER_JPEG | ctx.codec.jpeg.subsampling) >>> 0,
	);
}

export const cedrus_dec_ops_jpeg: cedrus_dec_ops = {
	irq_clear: cedrus_jpeg_irq_clear,
	irq_disable: cedrus_jpeg_irq_disable,
	irq_status: cedrus_jpeg_irq_status,
	setup: cedrus_jpeg_setup,
	trigger: cedrus_jpeg_trigger,
};
