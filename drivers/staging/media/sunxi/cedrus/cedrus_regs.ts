// SPDX-License-Identifier: GPL-2.0-only
// Registers of the video engine, as far as JPEG decoding needs them.
// Linux 6.12: drivers/staging/media/sunxi/cedrus/cedrus_regs.h
// Left out: H.264, H.265, VP8 and the MPEG picture headers. The registers that 6.12 does not name yet (JPEG_SIZE,
// JPEG_RES_INT, SD_ROT_DBLK_CTL, SRAM_RW_*, CTRL_JPEG_FORCE_420, CHROMA_FMT_400) are those of "media: cedrus: Add
// JPEG decoder" (linux-media, 31 July 2024).
import { BIT, GENMASK } from '#linux/bits.js';
import { shr64 } from '#linux/math64.js';
import type { dma_addr_t, u8, u16, u32 } from '#linux/types.js';

function SHIFT_AND_MASK_BITS(v: u32, h: u32, l: u32): u32 {
	return ((v << l) & GENMASK(h, l)) >>> 0;
}

const VE_ENGINE_DEC_MPEG = 0x100;

export const VE_MODE = 0x00;

export const VE_MODE_PIC_WIDTH_IS_4096 = BIT(22);
export const VE_MODE_PIC_WIDTH_MORE_2048 = BIT(21);
export const VE_MODE_REC_WR_MODE_2MB = 0x01 << 20;
export const VE_MODE_DDR_MODE_BW_128 = 0x03 << 16;
export const VE_MODE_DISABLED = 0x07 << 0;
export const VE_MODE_DEC_MPEG = 0x00 << 0;

export const VE_PRIMARY_CHROMA_BUF_LEN = 0xc4;

export const VE_PRIMARY_FB_LINE_STRIDE = 0xc8;

export const VE_PRIMARY_FB_LINE_STRIDE_CHROMA = (s: u32): u32 => SHIFT_AND_MASK_BITS(s, 31, 16);
export const VE_PRIMARY_FB_LINE_STRIDE_LUMA = (s: u32): u32 => SHIFT_AND_MASK_BITS(s, 15, 0);

export const VE_CHROMA_BUF_LEN = 0xe8;

export const VE_SECONDARY_OUT_FMT_TILED_32_NV12 = 0x00 << 30;

export const VE_PRIMARY_OUT_FMT = 0xec;

export const VE_PRIMARY_OUT_FMT_TILED_32_NV12 = 0x00 << 4;
export const VE_PRIMARY_OUT_FMT_NV12 = 0x04 << 4;

export const VE_DEC_MPEG_CTRL = VE_ENGINE_DEC_MPEG + 0x14;

export const VE_DEC_MPEG_CTRL_JPEG_FORCE_420 = BIT(18);
export const VE_DEC_MPEG_CTRL_VLD_DATA_REQ_IRQ_EN = BIT(5);
export const VE_DEC_MPEG_CTRL_ERROR_IRQ_EN = BIT(4);
export const VE_DEC_MPEG_CTRL_FINISH_IRQ_EN = BIT(3);
export const VE_DEC_MPEG_CTRL_IRQ_MASK =
	VE_DEC_MPEG_CTRL_FINISH_IRQ_EN | VE_DEC_MPEG_CTRL_ERROR_IRQ_EN | VE_DEC_MPEG_CTRL_VLD_DATA_REQ_IRQ_EN;

export const VE_DEC_MPEG_TRIGGER = VE_ENGINE_DEC_MPEG + 0x18;

export const VE_DEC_MPEG_TRIGGER_CHROMA_FMT_420 = 0x00 << 27;
export const VE_DEC_MPEG_TRIGGER_CHROMA_FMT_411 = 0x01 << 27;
export const VE_DEC_MPEG_TRIGGER_CHROMA_FMT_422 = 0x02 << 27;
export const VE_DEC_MPEG_TRIGGER_CHROMA_FMT_444 = 0x03 << 27;
export const VE_DEC_MPEG_TRIGGER_CHROMA_FMT_422T = 0x04 << 27;
export const VE_DEC_MPEG_TRIGGER_CHROMA_FMT_400 = 0x05 << 27;

export const VE_DEC_MPEG_TRIGGER_JPEG = 0x03 << 24;

export const VE_DEC_MPEG_TRIGGER_HW_JPEG_VLD = 0x0e << 0;

export const VE_DEC_MPEG_STATUS = VE_ENGINE_DEC_MPEG + 0x1c;

export const VE_DEC_MPEG_STATUS_VLD_DATA_REQ = BIT(2);
export const VE_DEC_MPEG_STATUS_ERROR = BIT(1);
export const VE_DEC_MPEG_STATUS_SUCCESS = BIT(0);
export const VE_DEC_MPEG_STATUS_CHECK_MASK =
	VE_DEC_MPEG_STATUS_SUCCESS | VE_DEC_MPEG_STATUS_ERROR | VE_DEC_MPEG_STATUS_VLD_DATA_REQ;
export const VE_DEC_MPEG_STATUS_CHECK_ERROR = VE_DEC_MPEG_STATUS_ERROR | VE_DEC_MPEG_STATUS_VLD_DATA_REQ;

export const VE_DEC_MPEG_VLD_ADDR = VE_ENGINE_DEC_MPEG + 0x28;

export const VE_DEC_MPEG_VLD_ADDR_FIRST_PIC_DATA = BIT(30);
export const VE_DEC_MPEG_VLD_ADDR_LAST_PIC_DATA = BIT(29);
export const VE_DEC_MPEG_VLD_ADDR_VALID_PIC_DATA = BIT(28);

/** Bits 27:4 of the address stay where they are, bits 31:28 go to the bottom. */
export function VE_DEC_MPEG_VLD_ADDR_BASE(a: dma_addr_t): u32 {
	const lo = a & GENMASK(27, 4);
	const hi = shr64(a, 28) & GENMASK(3, 0);
	return (lo | hi) >>> 0;
}

export const VE_DEC_MPEG_VLD_OFFSET = VE_ENGINE_DEC_MPEG + 0x2c;
export const VE_DEC_MPEG_VLD_LEN = VE_ENGINE_DEC_MPEG + 0x30;
export const VE_DEC_MPEG_VLD_END_ADDR = VE_ENGINE_DEC_MPEG + 0x34;

export const VE_DEC_MPEG_IQMINPUT = VE_ENGINE_DEC_MPEG + 0x80;

export const VE_DEC_MPEG_IQMINPUT_FLAG_INTRA = 0x01 << 14;
export const VE_DEC_MPEG_IQMINPUT_FLAG_NON_INTRA = 0x00 << 14;
export const VE_DEC_MPEG_IQMINPUT_WEIGHT = (i: u32, v: u8): u32 =>
	(SHIFT_AND_MASK_BITS(i, 13, 8) | SHIFT_AND_MASK_BITS(v, 7, 0)) >>> 0;

export const VE_DEC_MPEG_JPEG_SIZE = VE_ENGINE_DEC_MPEG + 0xb8;

export const VE_DEC_MPEG_JPEG_SIZE_WIDTH = (w: u16): u32 => SHIFT_AND_MASK_BITS((w - 1) >>> 0, 10, 0);
export const VE_DEC_MPEG_JPEG_SIZE_HEIGHT = (h: u16): u32 => SHIFT_AND_MASK_BITS((h - 1) >>> 0, 26, 16);

export const VE_DEC_MPEG_JPEG_RES_INT = VE_ENGINE_DEC_MPEG + 0xc0;
export const VE_DEC_MPEG_ROT_LUMA = VE_ENGINE_DEC_MPEG + 0xcc;
export const VE_DEC_MPEG_ROT_CHROMA = VE_ENGINE_DEC_MPEG + 0xd0;
export const VE_DEC_MPEG_SD_ROT_DBLK_CTL = VE_ENGINE_DEC_MPEG + 0xd4;
export const VE_DEC_MPEG_SRAM_RW_OFFSET = VE_ENGINE_DEC_MPEG + 0xe0;
export const VE_DEC_MPEG_SRAM_RW_DATA = VE_ENGINE_DEC_MPEG + 0xe4;
