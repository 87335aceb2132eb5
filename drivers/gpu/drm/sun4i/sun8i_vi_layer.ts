// SPDX-License-Identifier: GPL-2.0-only
// Video layers: YUV or RGB, scaled.
// Linux 6.12: drivers/gpu/drm/sun4i/sun8i_vi_layer.c
// Left out: DE2's alpha, formats other than NV12, NV21 and 24 and 32 bits of RGB, coarse scaling for lack of bandwidth.
import { regmap_update_bits, regmap_write } from '#drivers/base/regmap/regmap.js';
import { drm_plane_create_color_properties } from '#drivers/gpu/drm/drm_color_mgmt.js';
import { drm_fb_dma_get_gem_obj } from '#drivers/gpu/drm/drm_fb_dma_helper.js';
import {
	plane_to_sun8i_layer,
	SUN8I_LAYER_TYPE_VI,
	type sun8i_layer,
	type sun8i_mixer,
} from '#drivers/gpu/drm/sun4i/sun4i_drv_types.js';
import {
	SUN8I_CSC_MODE_YUV2RGB,
	sun8i_csc_enable_ccsc,
	sun8i_csc_set_ccsc_coefficients,
} from '#drivers/gpu/drm/sun4i/sun8i_csc.js';
import { sun8i_mixer_drm_format_to_hw } from '#drivers/gpu/drm/sun4i/sun8i_formats.js';
import * as R from '#drivers/gpu/drm/sun4i/sun8i_mixer_regs.js';
import {
	sun8i_layer_atomic_check,
	sun8i_layer_init,
	sun8i_layer_update_alpha,
	sun8i_layer_update_place,
} from '#drivers/gpu/drm/sun4i/sun8i_ui_layer.js';
import { sun8i_vi_scaler_enable, sun8i_vi_scaler_setup } from '#drivers/gpu/drm/sun4i/sun8i_vi_scaler.js';
import { drm_atomic_get_new_plane_state, type drm_atomic_state } from '#include/drm/drm_atomic.js';
import type { drm_device } from '#include/drm/drm_device.js';
import {
	DRM_FORMAT_ABGR8888,
	DRM_FORMAT_ARGB8888,
	DRM_FORMAT_BGR888,
	DRM_FORMAT_NV12,
	DRM_FORMAT_NV21,
	DRM_FORMAT_RGB888,
	DRM_FORMAT_XBGR8888,
	DRM_FORMAT_XRGB8888,
} from '#include/drm/drm_fourcc.js';
import {
	DRM_COLOR_YCBCR_BT601,
	DRM_COLOR_YCBCR_BT709,
	DRM_COLOR_YCBCR_BT2020,
	DRM_COLOR_YCBCR_FULL_RANGE,
	DRM_COLOR_YCBCR_LIMITED_RANGE,
	type drm_plane,
	drm_plane_helper_add,
	type drm_plane_helper_funcs,
} from '#include/drm/drm_plane.js';
import { drm_rect_height, drm_rect_width } from '#include/drm/drm_rect.js';
import { dev_err } from '#linux/dev_printk.js';
import { ERR_PTR, type err_ptr, IS_ERR } from '#linux/err.js';
import { lower_32_bits } from '#linux/math64.js';
import { type int, ref, type u32, type unsigned_int } from '#linux/types.js';

/** Of @size from @start, both in 1/65536 of a pixel: whole pixels in groups of @sub, and in @phase what is before. */
function whole_samples(start: u32, size: u32, sub: u32, phase: ref<u32>): u32 {
	const group_off = Math.floor(start / 65536) % sub;
	const pixels = (Math.floor(size / 65536) + group_off) >>> 0;
	// With one pixel to a sample the size stays; with more, half a group at the end is not shown.
	phase.value = ((start % 65536) + ((group_off * 65536) >>> 0)) >>> 0;
	return (pixels - (pixels % sub)) >>> 0;
}

function sun8i_vi_layer_update_coord(
	mixer: sun8i_mixer,
	channel: int,
	overlay: int,
	plane: drm_plane,
	zpos: unsigned_int,
): void {
	const state = plane.state!;
	const { format } = state.fb!;
	const { hsub, vsub } = format;
	const { regs } = mixer.engine;
	const ch_base = R.sun8i_channel_base(mixer, channel);

	// The source begins and ends on whole chroma samples; what is cut off that way is phase.
	const hphase = new ref<u32>(0);
	const vphase = new ref<u32>(0);
	let src_w = whole_samples(state.src.x1, drm_rect_width(state.src), hsub, hphase);
	const src_h = whole_samples(state.src.y1, drm_rect_height(state.src), vsub, vphase);
	const dst_w: u32 = drm_rect_width(state.dst);
	const dst_h: u32 = drm_rect_height(state.dst);
	const insize = R.SUN8I_MIXER_SIZE(src_w, src_h);
	const outsize = R.SUN8I_MIXER_SIZE(dst_w, dst_h);
	regmap_write(regs, R.SUN8I_MIXER_CHAN_VI_LAYER_SIZE(ch_base, overlay), insize);
	regmap_write(regs, R.SUN8I_MIXER_CHAN_VI_OVL_SIZE(ch_base), insize);

	let hn: u32 = 0;
	let hm: u32 = 0;
	// Subsampled chroma always needs the scaler.
	const subsampled = hsub > 1 || vsub > 1;
	if (insize !== outsize || subsampled || hphase.value || vphase.value) {
		const scanline = subsampled ? mixer.cfg.scanline_yuv : 2048;
		if (src_w > scanline) {
			hm = src_w;
			hn = scanline;
			src_w = hn;
		}
		const hscale = Math.floor(((src_w * 65536) >>> 0) / dst_w);
		const vscale = Math.floor(((src_h * 65536) >>> 0) / dst_h);
		sun8i_vi_scaler_setup(
			mixer,
			channel,
			src_w,
			src_h,
			dst_w,
			dst_h,
			hscale,
			vscale,
			hphase.value,
			vphase.value,
			format,
		);
		sun8i_vi_scaler_enable(mixer, channel, true);
	} else sun8i_vi_scaler_enable(mixer, channel, false);

	const hds = (R.SUN8I_MIXER_CHAN_VI_DS_N(hn) | R.SUN8I_MIXER_CHAN_VI_DS_M(hm)) >>> 0;
	regmap_write(regs, R.SUN8I_MIXER_CHAN_VI_HDS_Y(ch_base), hds);
	regmap_write(regs, R.SUN8I_MIXER_CHAN_VI_HDS_UV(ch_base), hds);
	regmap_write(regs, R.SUN8I_MIXER_CHAN_VI_VDS_Y(ch_base), 0);
	regmap_write(regs, R.SUN8I_MIXER_CHAN_VI_VDS_UV(ch_base), 0);

	sun8i_layer_update_place(mixer, zpos, state.dst);
}

function sun8i_vi_layer_update_formats(
	mixer: sun8i_mixer,
	channel: int,
	overlay: int,
	plane: drm_plane,
): int {
	const state = plane.state!;
	const fmt = state.fb!.format;
	const { regs } = mixer.engine;
	const attr = R.SUN8I_MIXER_CHAN_VI_LAYER_ATTR(R.sun8i_channel_base(mixer, channel), overlay);

	const hw_fmt = new ref<u32>(0);
	const ret = sun8i_mixer_drm_format_to_hw(fmt.format, hw_fmt);
	if (ret) return ret;
	regmap_update_bits(
		regs,
		attr,
		R.CHAN_LAYER_ATTR_FBFMT_MASK,
		(hw_fmt.value << R.CHAN_LAYER_ATTR_FBFMT_OFFSET) >>> 0,
	);
	if (fmt.is_yuv) {
		const { color_encoding, color_range } = state;
		sun8i_csc_set_ccsc_coefficients(mixer, channel, SUN8I_CSC_MODE_YUV2RGB, color_encoding, color_range);
	}
	sun8i_csc_enable_ccsc(mixer, channel, fmt.is_yuv);
	regmap_update_bits(
		regs,
		attr,
		R.SUN8I_MIXER_CHAN_VI_LAYER_ATTR_RGB_MODE,
		fmt.is_yuv ? 0 : R.SUN8I_MIXER_CHAN_VI_LAYER_ATTR_RGB_MODE,
	);
	return 0;
}

function sun8i_vi_layer_update_buffer(
	mixer: sun8i_mixer,
	channel: int,
	overlay: int,
	plane: drm_plane,
): void {
	const { fb, src } = plane.state!;
	const { num_planes, cpp, hsub, vsub } = fb!.format;
	const ch_base = R.sun8i_channel_base(mixer, channel);
	const { regs } = mixer.engine;
	// Whole chroma samples: one of them stands for hsub x vsub pixels.
	const column = Math.floor((src.x1 >>> 16) / hsub);
	const row = Math.floor((src.y1 >>> 16) / vsub);

	for (let i = 0; i < num_planes; i++) {
		const x = i === 0 ? (column * hsub) >>> 0 : column;
		const y = i === 0 ? (row * vsub) >>> 0 : row;
		const pitch = fb!.pitches[i];
		const start = drm_fb_dma_get_gem_obj(fb!, i)!.dma_addr.value + fb!.offsets[i];
		const dma_addr = start + ((y * pitch) >>> 0) + ((x * cpp[i]) >>> 0);
		regmap_write(regs, R.SUN8I_MIXER_CHAN_VI_LAYER_PITCH(ch_base, overlay, i), pitch);
		regmap_write(regs, R.SUN8I_MIXER_CHAN_VI_LAYER_TOP_LADDR(ch_base, overlay, i), lower_32_bits(dma_addr));
	}
}

function sun8i_vi_layer_atomic_update(plane: drm_plane, state: drm_atomic_state): void {
	const new_state = drm_atomic_get_new_plane_state(state, plane)!;
	const { mixer, channel, overlay } = plane_to_sun8i_layer(plane);
	if (!new_state.crtc || !new_state.visible) return;

	sun8i_vi_layer_update_coord(mixer, channel, overlay, plane, new_state.normalized_zpos);
	const attr = R.SUN8I_MIXER_CHAN_VI_LAYER_ATTR(R.sun8i_channel_base(mixer, channel), overlay);
	sun8i_layer_update_alpha(mixer, attr, plane);
	sun8i_vi_layer_update_formats(mixer, channel, overlay, plane);
	sun8i_vi_layer_update_buffer(mixer, channel, overlay, plane);
}

const sun8i_vi_layer_helper_funcs: drm_plane_helper_funcs = {
	atomic_check: sun8i_layer_atomic_check,
	atomic_update: sun8i_vi_layer_atomic_update,
};

const sun8i_vi_layer_de3_formats: readonly u32[] = [
	DRM_FORMAT_ABGR8888,
	DRM_FORMAT_ARGB8888,
	DRM_FORMAT_BGR888,
	DRM_FORMAT_RGB888,
	DRM_FORMAT_XBGR8888,
	DRM_FORMAT_XRGB8888,
	DRM_FORMAT_NV12,
	DRM_FORMAT_NV21,
];

/**
 * The video plane of channel @index. -ENOMEM.
 * Linux: drivers/gpu/drm/sun4i/sun8i_vi_layer.c: sun8i_vi_layer_init_one()
 */
export function sun8i_vi_layer_init_one(
	drm: drm_device,
	mixer: sun8i_mixer,
	index: int,
): sun8i_layer | err_ptr {
	// Without layers for the user interface, the first one is what users call the screen.
	const primary = !mixer.cfg.ui_num && index === 0;
	const count = sun8i_vi_layer_de3_formats.length;
	const layer = sun8i_layer_init(drm, mixer, index, primary, sun8i_vi_layer_de3_formats, count);
	if (IS_ERR(layer)) return layer;
	layer.type = SUN8I_LAYER_TYPE_VI;
	const ret = drm_plane_create_color_properties(
		layer.plane,
		(1 << DRM_COLOR_YCBCR_BT601) | (1 << DRM_COLOR_YCBCR_BT709) | (1 << DRM_COLOR_YCBCR_BT2020),
		(1 << DRM_COLOR_YCBCR_LIMITED_RANGE) | (1 << DRM_COLOR_YCBCR_FULL_RANGE),
		DRM_COLOR_YCBCR_BT709,
		DRM_COLOR_YCBCR_LIMITED_RANGE,
	);
	if (ret) {
		dev_err(drm.dev, "Couldn't add encoding and range properties!");
		return ERR_PTR(ret);
	}
	drm_plane_helper_add(layer.plane, sun8i_vi_layer_helper_funcs);
	return layer;
}
