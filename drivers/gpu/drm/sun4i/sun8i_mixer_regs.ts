// SPDX-License-Identifier: GPL-2.0-only
// Registers of the mixer, its layers and scalers.
// Linux 6.12: drivers/gpu/drm/sun4i/sun8i_mixer.h, sun8i_vi_layer.h, sun8i_ui_layer.h, sun8i_vi_scaler.h
import type { sun8i_mixer } from '#drivers/gpu/drm/sun4i/sun4i_drv_types.js';
import type { int, u32 } from '#linux/types.js';

/** A size as the registers have it. Linux: drivers/gpu/drm/sun4i/sun8i_mixer.h: SUN8I_MIXER_SIZE() */
export function SUN8I_MIXER_SIZE(w: u32, h: u32): u32 {
	return (((h - 1) << 16) | (w - 1)) >>> 0;
}

/** A place as the registers have it. Linux: drivers/gpu/drm/sun4i/sun8i_mixer.h: SUN8I_MIXER_COORD() */
export function SUN8I_MIXER_COORD(x: u32, y: u32): u32 {
	return ((y << 16) | x) >>> 0;
}

export const SUN8I_MIXER_GLOBAL_CTL = 0x0;
export const SUN8I_MIXER_GLOBAL_CTL_RT_EN = 1 << 0;
export const SUN8I_MIXER_GLOBAL_DBUFF = 0x8;
export const SUN8I_MIXER_GLOBAL_DBUFF_ENABLE = 1 << 0;
export const SUN8I_MIXER_GLOBAL_SIZE = 0xc;

export const DE2_MIXER_UNIT_SIZE = 0x6000;
export const DE3_MIXER_UNIT_SIZE = 0x3000;
export const DE3_BLD_BASE = 0x0800;
const DE3_CH_BASE = 0x1000;
const DE3_CH_SIZE = 0x0800;

/* Blender: one set of registers a pipe */
export const SUN8I_MIXER_BLEND_PIPE_CTL = (base: u32): u32 => base;
export const SUN8I_MIXER_BLEND_ATTR_FCOLOR = (base: u32, x: int): u32 => (base + 0x4 + 0x10 * x) >>> 0;
export const SUN8I_MIXER_BLEND_ATTR_INSIZE = (base: u32, x: int): u32 => (base + 0x8 + 0x10 * x) >>> 0;
export const SUN8I_MIXER_BLEND_ATTR_COORD = (base: u32, x: int): u32 => (base + 0xc + 0x10 * x) >>> 0;
export const SUN8I_MIXER_BLEND_ROUTE = (base: u32): u32 => (base + 0x80) >>> 0;
export const SUN8I_MIXER_BLEND_BKCOLOR = (base: u32): u32 => (base + 0x88) >>> 0;
export const SUN8I_MIXER_BLEND_OUTSIZE = (base: u32): u32 => (base + 0x8c) >>> 0;
export const SUN8I_MIXER_BLEND_MODE = (base: u32, x: int): u32 => (base + 0x90 + 4 * x) >>> 0;
export const SUN8I_MIXER_BLEND_OUTCTL = (base: u32): u32 => (base + 0xfc) >>> 0;
export const SUN50I_MIXER_BLEND_CSC_CTL = (base: u32): u32 => (base + 0x100) >>> 0;
export const SUN50I_MIXER_BLEND_CSC_COEFF = (base: u32, layer: int, x: int): u32 =>
	(base + 0x110 + layer * 0x30 + x * 4) >>> 0;
export const SUN8I_MIXER_BLEND_PIPE_CTL_EN_MSK = 0x1f00;
export const SUN8I_MIXER_BLEND_PIPE_CTL_EN = (pipe: int): u32 => 1 << (8 + pipe);
export const SUN8I_MIXER_BLEND_PIPE_CTL_FC_EN = (pipe: int): u32 => 1 << pipe;
export const SUN8I_MIXER_BLEND_COLOR_BLACK = 0xff000000;
/** Source over. */
export const SUN8I_MIXER_BLEND_MODE_DEF = 0x03010301;
export const SUN8I_MIXER_BLEND_ROUTE_PIPE_SHIFT = (n: u32): u32 => (n << 2) >>> 0;
export const SUN8I_MIXER_BLEND_OUTCTL_INTERLACED = 1 << 1;
export const SUN50I_MIXER_BLEND_CSC_CTL_EN = (ch: int): u32 => 1 << ch;

/* Engines behind the blender, which stay off */
export const SUN50I_MIXER_FCE_EN = 0x70000;
export const SUN50I_MIXER_PEAK_EN = 0x70800;
export const SUN50I_MIXER_LCTI_EN = 0x71000;
export const SUN50I_MIXER_BLS_EN = 0x71800;
export const SUN50I_MIXER_FCC_EN = 0x72000;
export const SUN50I_MIXER_DNS_EN = 0x80000;
export const SUN50I_MIXER_DRC_EN = 0xa0000;
export const SUN50I_MIXER_FMT_EN = 0xa8000;
export const SUN50I_MIXER_CDC0_EN = 0xd0000;
export const SUN50I_MIXER_CDC1_EN = 0xd8000;

/* Pixel formats: RGB, and YUV where RGB_MODE is off */
export const SUN8I_MIXER_FBFMT_ARGB8888 = 0;
export const SUN8I_MIXER_FBFMT_ABGR8888 = 1;
export const SUN8I_MIXER_FBFMT_XRGB8888 = 4;
export const SUN8I_MIXER_FBFMT_XBGR8888 = 5;
export const SUN8I_MIXER_FBFMT_RGB888 = 8;
export const SUN8I_MIXER_FBFMT_BGR888 = 9;
export const SUN8I_MIXER_FBFMT_NV12 = 8;
export const SUN8I_MIXER_FBFMT_NV21 = 9;

/* Video channels */
export const SUN8I_MIXER_CHAN_VI_LAYER_ATTR = (base: u32, layer: int): u32 => (base + 0x30 * layer) >>> 0;
export const SUN8I_MIXER_CHAN_VI_LAYER_SIZE = (base: u32, layer: int): u32 =>
	(base + 0x30 * layer + 0x4) >>> 0;
export const SUN8I_MIXER_CHAN_VI_LAYER_PITCH = (base: u32, layer: int, plane: int): u32 =>
	(base + 0x30 * layer + 0xc + 4 * plane) >>> 0;
export const SUN8I_MIXER_CHAN_VI_LAYER_TOP_LADDR = (base: u32, layer: int, plane: int): u32 =>
	(base + 0x30 * layer + 0x18 + 4 * plane) >>> 0;
export const SUN8I_MIXER_CHAN_VI_OVL_SIZE = (base: u32): u32 => (base + 0xe8) >>> 0;
export const SUN8I_MIXER_CHAN_VI_HDS_Y = (base: u32): u32 => (base + 0xf0) >>> 0;
export const SUN8I_MIXER_CHAN_VI_HDS_UV = (base: u32): u32 => (base + 0xf4) >>> 0;
export const SUN8I_MIXER_CHAN_VI_VDS_Y = (base: u32): u32 => (base + 0xf8) >>> 0;
export const SUN8I_MIXER_CHAN_VI_VDS_UV = (base: u32): u32 => (base + 0xfc) >>> 0;
export const SUN8I_MIXER_CHAN_VI_LAYER_ATTR_EN = 1 << 0;
export const SUN8I_MIXER_CHAN_VI_LAYER_ATTR_RGB_MODE = 1 << 15;
export const SUN8I_MIXER_CHAN_VI_DS_N = (x: u32): u32 => (x << 16) >>> 0;
export const SUN8I_MIXER_CHAN_VI_DS_M = (x: u32): u32 => x;

/* Channels of the user interface */
export const SUN8I_MIXER_CHAN_UI_LAYER_ATTR = (base: u32, layer: int): u32 => (base + 0x20 * layer) >>> 0;
export const SUN8I_MIXER_CHAN_UI_LAYER_SIZE = (base: u32, layer: int): u32 =>
	(base + 0x20 * layer + 0x4) >>> 0;
export const SUN8I_MIXER_CHAN_UI_LAYER_PITCH = (base: u32, layer: int): u32 =>
	(base + 0x20 * layer + 0xc) >>> 0;
export const SUN8I_MIXER_CHAN_UI_LAYER_TOP_LADDR = (base: u32, layer: int): u32 =>
	(base + 0x20 * layer + 0x10) >>> 0;
export const SUN8I_MIXER_CHAN_UI_OVL_SIZE = (base: u32): u32 => (base + 0x88) >>> 0;
export const SUN8I_MIXER_CHAN_UI_LAYER_ATTR_EN = 1 << 0;

/* The same in both */
export const CHAN_LAYER_ATTR_ALPHA_MODE_MASK = 0x6;
export const CHAN_LAYER_ATTR_ALPHA_MODE_PIXEL = 0 << 1;
export const CHAN_LAYER_ATTR_ALPHA_MODE_COMBINED = 2 << 1;
export const CHAN_LAYER_ATTR_ALPHA_MASK = 0xff000000;
export const CHAN_LAYER_ATTR_ALPHA = (x: u32): u32 => (x << 24) >>> 0;
export const CHAN_LAYER_ATTR_FBFMT_OFFSET = 8;
export const CHAN_LAYER_ATTR_FBFMT_MASK = 0x1f00;

/* Scalers */
export const DE3_VI_SCALER_UNIT_BASE = 0x20000;
export const DE3_VI_SCALER_UNIT_SIZE = 0x08000;
export const SUN8I_VI_SCALER_SCALE_MIN = 1;
export const SUN8I_VI_SCALER_SCALE_MAX = (1 << 20) - 1;
export const SUN8I_VI_SCALER_SCALE_FRAC = 20;
export const SUN8I_SCALER_VSU_CTRL = (base: u32): u32 => base;
export const SUN50I_SCALER_VSU_SCALE_MODE = (base: u32): u32 => (base + 0x10) >>> 0;
export const SUN8I_SCALER_VSU_OUTSIZE = (base: u32): u32 => (base + 0x40) >>> 0;
export const SUN8I_SCALER_VSU_YINSIZE = (base: u32): u32 => (base + 0x80) >>> 0;
export const SUN8I_SCALER_VSU_YHSTEP = (base: u32): u32 => (base + 0x88) >>> 0;
export const SUN8I_SCALER_VSU_YVSTEP = (base: u32): u32 => (base + 0x8c) >>> 0;
export const SUN8I_SCALER_VSU_YHPHASE = (base: u32): u32 => (base + 0x90) >>> 0;
export const SUN8I_SCALER_VSU_YVPHASE = (base: u32): u32 => (base + 0x98) >>> 0;
export const SUN8I_SCALER_VSU_CINSIZE = (base: u32): u32 => (base + 0xc0) >>> 0;
export const SUN8I_SCALER_VSU_CHSTEP = (base: u32): u32 => (base + 0xc8) >>> 0;
export const SUN8I_SCALER_VSU_CVSTEP = (base: u32): u32 => (base + 0xcc) >>> 0;
export const SUN8I_SCALER_VSU_CHPHASE = (base: u32): u32 => (base + 0xd0) >>> 0;
export const SUN8I_SCALER_VSU_CVPHASE = (base: u32): u32 => (base + 0xd8) >>> 0;
export const SUN8I_SCALER_VSU_CTRL_EN = 1 << 0;
export const SUN8I_SCALER_VSU_CTRL_COEFF_RDY = 1 << 4;
export const SUN50I_SCALER_VSU_SCALE_MODE_UI = 0;
export const SUN50I_SCALER_VSU_SCALE_MODE_NORMAL = 1;

/** Where the blender begins. Linux: drivers/gpu/drm/sun4i/sun8i_mixer.h: sun8i_blender_base() */
export function sun8i_blender_base(_mixer: sun8i_mixer): u32 {
	return DE3_BLD_BASE;
}

/**
 * Where the registers of channel @channel begin.
 * Linux: drivers/gpu/drm/sun4i/sun8i_mixer.h: sun8i_channel_base()
 */
export function sun8i_channel_base(_mixer: sun8i_mixer, channel: int): u32 {
	return DE3_CH_BASE + channel * DE3_CH_SIZE;
}
