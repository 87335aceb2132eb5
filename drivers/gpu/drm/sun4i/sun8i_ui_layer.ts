// SPDX-License-Identifier: GPL-2.0-only
// Layers of the user interface: RGB, with alpha.
// Linux 6.12: drivers/gpu/drm/sun4i/sun8i_ui_layer.c
// Left out: 16-bit formats and those with alpha last.
import { devm_kzalloc } from '#drivers/base/devres.js';
import { regmap_update_bits, regmap_write } from '#drivers/base/regmap/regmap.js';
import {
	drm_atomic_helper_check_plane_state,
	drm_atomic_helper_disable_plane,
	drm_atomic_helper_plane_destroy_state,
	drm_atomic_helper_plane_duplicate_state,
	drm_atomic_helper_plane_reset,
	drm_atomic_helper_update_plane,
} from '#drivers/gpu/drm/drm_atomic_helper.js';
import {
	drm_plane_create_alpha_property,
	drm_plane_create_zpos_property,
} from '#drivers/gpu/drm/drm_blend.js';
import { drm_fb_dma_get_gem_obj } from '#drivers/gpu/drm/drm_fb_dma_helper.js';
import { drm_plane_cleanup, drm_universal_plane_init } from '#drivers/gpu/drm/drm_plane.js';
import {
	plane_to_sun8i_layer,
	SUN8I_LAYER_TYPE_UI,
	sun8i_layer,
	type sun8i_mixer,
} from '#drivers/gpu/drm/sun4i/sun4i_drv_types.js';
import { sun8i_mixer_drm_format_to_hw } from '#drivers/gpu/drm/sun4i/sun8i_formats.js';
import * as R from '#drivers/gpu/drm/sun4i/sun8i_mixer_regs.js';
import { sun8i_vi_scaler_enable, sun8i_vi_scaler_setup } from '#drivers/gpu/drm/sun4i/sun8i_vi_scaler.js';
import {
	drm_atomic_get_existing_crtc_state,
	drm_atomic_get_new_plane_state,
	type drm_atomic_state,
} from '#include/drm/drm_atomic.js';
import type { drm_device } from '#include/drm/drm_device.js';
import {
	DRM_FORMAT_ABGR8888,
	DRM_FORMAT_ARGB8888,
	DRM_FORMAT_BGR888,
	DRM_FORMAT_RGB888,
	DRM_FORMAT_XBGR8888,
	DRM_FORMAT_XRGB8888,
} from '#include/drm/drm_fourcc.js';
import {
	DRM_BLEND_ALPHA_OPAQUE,
	DRM_PLANE_NO_SCALING,
	DRM_PLANE_TYPE_OVERLAY,
	DRM_PLANE_TYPE_PRIMARY,
	type drm_plane,
	type drm_plane_funcs,
	drm_plane_helper_add,
	type drm_plane_helper_funcs,
} from '#include/drm/drm_plane.js';
import { type drm_rect, drm_rect_height, drm_rect_width } from '#include/drm/drm_rect.js';
import { WARN_ON } from '#linux/bug.js';
import { dev_err } from '#linux/dev_printk.js';
import { ERR_PTR, type err_ptr, IS_ERR } from '#linux/err.js';
import { EINVAL, ENOMEM } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { lower_32_bits } from '#linux/math64.js';
import { type bool, type int, ref, type u32, type unsigned_int } from '#linux/types.js';

/**
 * The layer's own alpha, and that of its pixels.
 * Linux: drivers/gpu/drm/sun4i/: sun8i_ui_layer_update_alpha(), sun8i_vi_layer_update_alpha()
 */
export function sun8i_layer_update_alpha(mixer: sun8i_mixer, attr: u32, plane: drm_plane): void {
	const { alpha } = plane.state!;
	const mode =
		alpha === DRM_BLEND_ALPHA_OPAQUE
			? R.CHAN_LAYER_ATTR_ALPHA_MODE_PIXEL
			: R.CHAN_LAYER_ATTR_ALPHA_MODE_COMBINED;
	regmap_update_bits(
		mixer.engine.regs,
		attr,
		(R.CHAN_LAYER_ATTR_ALPHA_MASK | R.CHAN_LAYER_ATTR_ALPHA_MODE_MASK) >>> 0,
		(R.CHAN_LAYER_ATTR_ALPHA(alpha >>> 8) | mode) >>> 0,
	);
}

/** Where on the screen the pipe of a layer lies. */
export function sun8i_layer_update_place(mixer: sun8i_mixer, zpos: unsigned_int, dst: drm_rect): void {
	const { regs } = mixer.engine;
	const bld_base = R.sun8i_blender_base(mixer);
	const size = R.SUN8I_MIXER_SIZE(drm_rect_width(dst), drm_rect_height(dst));
	regmap_write(regs, R.SUN8I_MIXER_BLEND_ATTR_COORD(bld_base, zpos), R.SUN8I_MIXER_COORD(dst.x1, dst.y1));
	regmap_write(regs, R.SUN8I_MIXER_BLEND_ATTR_INSIZE(bld_base, zpos), size);
}

function sun8i_ui_layer_update_coord(
	mixer: sun8i_mixer,
	channel: int,
	overlay: int,
	plane: drm_plane,
	zpos: unsigned_int,
): void {
	const state = plane.state!;
	const { regs } = mixer.engine;
	const ch_base = R.sun8i_channel_base(mixer, channel);
	const { src, dst } = state;
	const src_w = drm_rect_width(src) >>> 16;
	const src_h = drm_rect_height(src) >>> 16;
	const dst_w: u32 = drm_rect_width(dst);
	const dst_h: u32 = drm_rect_height(dst);
	const hphase = src.x1 % 65536;
	const vphase = src.y1 % 65536;

	const insize = R.SUN8I_MIXER_SIZE(src_w, src_h);
	regmap_write(regs, R.SUN8I_MIXER_CHAN_UI_LAYER_SIZE(ch_base, overlay), insize);
	regmap_write(regs, R.SUN8I_MIXER_CHAN_UI_OVL_SIZE(ch_base), insize);
	const scaled = src_w !== dst_w || src_h !== dst_h || hphase !== 0 || vphase !== 0;
	if (scaled) {
		// By what was asked for: clipping does not change a scale.
		const hscale = Math.floor(state.src_w / state.crtc_w);
		const vscale = Math.floor(state.src_h / state.crtc_h);
		const { format } = state.fb!;
		sun8i_vi_scaler_setup(mixer, channel, src_w, src_h, dst_w, dst_h, hscale, vscale, hphase, vphase, format);
	}
	sun8i_vi_scaler_enable(mixer, channel, scaled);
	sun8i_layer_update_place(mixer, zpos, dst);
}

function sun8i_ui_layer_update_formats(
	mixer: sun8i_mixer,
	channel: int,
	overlay: int,
	plane: drm_plane,
): int {
	const fmt = plane.state!.fb!.format;
	const hw_fmt = new ref<u32>(0);
	const ret = sun8i_mixer_drm_format_to_hw(fmt.format, hw_fmt);
	if (ret || fmt.is_yuv) return -EINVAL;
	regmap_update_bits(
		mixer.engine.regs,
		R.SUN8I_MIXER_CHAN_UI_LAYER_ATTR(R.sun8i_channel_base(mixer, channel), overlay),
		R.CHAN_LAYER_ATTR_FBFMT_MASK,
		(hw_fmt.value << R.CHAN_LAYER_ATTR_FBFMT_OFFSET) >>> 0,
	);
	return 0;
}

function sun8i_ui_layer_update_buffer(
	mixer: sun8i_mixer,
	channel: int,
	overlay: int,
	plane: drm_plane,
): void {
	const { fb, src } = plane.state!;
	const ch_base = R.sun8i_channel_base(mixer, channel);
	const pitch = fb!.pitches[0];
	// To the first pixel that is shown, from the first one there is.
	const inside = ((((src.y1 >>> 16) * pitch) >>> 0) + (((src.x1 >>> 16) * fb!.format.cpp[0]) >>> 0)) >>> 0;
	const dma_addr = drm_fb_dma_get_gem_obj(fb!, 0)!.dma_addr.value + fb!.offsets[0] + inside;
	const { regs } = mixer.engine;
	regmap_write(regs, R.SUN8I_MIXER_CHAN_UI_LAYER_PITCH(ch_base, overlay), pitch);
	regmap_write(regs, R.SUN8I_MIXER_CHAN_UI_LAYER_TOP_LADDR(ch_base, overlay), lower_32_bits(dma_addr));
}

/** The atomic_check of both kinds of layers. */
export function sun8i_layer_atomic_check(plane: drm_plane, state: drm_atomic_state): int {
	const new_plane_state = drm_atomic_get_new_plane_state(state, plane)!;
	const layer = plane_to_sun8i_layer(plane);
	const { crtc } = new_plane_state;
	if (!crtc) return 0;
	const crtc_state = drm_atomic_get_existing_crtc_state(state, crtc);
	if (WARN_ON(!crtc_state) || !crtc_state) return -EINVAL;

	const scales = (layer.mixer.cfg.scaler_mask & (1 << layer.channel)) !== 0;
	return drm_atomic_helper_check_plane_state(
		new_plane_state,
		crtc_state,
		scales ? R.SUN8I_VI_SCALER_SCALE_MIN : DRM_PLANE_NO_SCALING,
		scales ? R.SUN8I_VI_SCALER_SCALE_MAX : DRM_PLANE_NO_SCALING,
		true,
		true,
	);
}

function sun8i_ui_layer_atomic_update(plane: drm_plane, state: drm_atomic_state): void {
	const new_state = drm_atomic_get_new_plane_state(state, plane)!;
	const { mixer, channel, overlay } = plane_to_sun8i_layer(plane);
	if (!new_state.crtc || !new_state.visible) return;

	sun8i_ui_layer_update_coord(mixer, channel, overlay, plane, new_state.normalized_zpos);
	const attr = R.SUN8I_MIXER_CHAN_UI_LAYER_ATTR(R.sun8i_channel_base(mixer, channel), overlay);
	sun8i_layer_update_alpha(mixer, attr, plane);
	sun8i_ui_layer_update_formats(mixer, channel, overlay, plane);
	sun8i_ui_layer_update_buffer(mixer, channel, overlay, plane);
}

const sun8i_ui_layer_helper_funcs: drm_plane_helper_funcs = {
	atomic_check: sun8i_layer_atomic_check,
	atomic_update: sun8i_ui_layer_atomic_update,
};

export const sun8i_layer_funcs: drm_plane_funcs = {
	atomic_destroy_state: drm_atomic_helper_plane_destroy_state,
	atomic_duplicate_state: drm_atomic_helper_plane_duplicate_state,
	destroy: drm_plane_cleanup,
	disable_plane: drm_atomic_helper_disable_plane,
	reset: drm_atomic_helper_plane_reset,
	update_plane: drm_atomic_helper_update_plane,
};

const sun8i_ui_layer_formats: readonly u32[] = [
	DRM_FORMAT_ABGR8888,
	DRM_FORMAT_ARGB8888,
	DRM_FORMAT_BGR888,
	DRM_FORMAT_RGB888,
	DRM_FORMAT_XBGR8888,
	DRM_FORMAT_XRGB8888,
];

/** What both kinds of layers begin with: a plane of the mixer's @channel that can be faded and put in any order. */
export function sun8i_layer_init(
	drm: drm_device,
	mixer: sun8i_mixer,
	channel: int,
	primary: bool,
	formats: readonly u32[],
	format_count: unsigned_int,
): sun8i_layer | err_ptr {
	const layer = devm_kzalloc(drm.dev, sun8i_layer, GFP_KERNEL);
	if (!layer) return ERR_PTR(-ENOMEM);
	layer.mixer = mixer;
	layer.channel = channel;

	const { plane } = layer;
	const type = primary ? DRM_PLANE_TYPE_PRIMARY : DRM_PLANE_TYPE_OVERLAY;
	let ret = drm_universal_plane_init(
		drm,
		plane,
		0,
		sun8i_layer_funcs,
		formats,
		format_count,
		null,
		type,
		null,
	);
	let failure = "Couldn't initialize layer";
	if (!ret) {
		ret = drm_plane_create_alpha_property(plane);
		failure = "Couldn't add alpha property";
	}
	if (!ret) {
		ret = drm_plane_create_zpos_property(plane, channel, 0, mixer.cfg.vi_num + mixer.cfg.ui_num - 1);
		failure = "Couldn't add zpos property";
	}
	if (!ret) return layer;
	dev_err(drm.dev, '%s', failure);
	return ERR_PTR(ret);
}

/**
 * Plane @index of those for the user interface. -ENOMEM.
 * Linux: drivers/gpu/drm/sun4i/sun8i_ui_layer.c: sun8i_ui_layer_init_one()
 */
export function sun8i_ui_layer_init_one(
	drm: drm_device,
	mixer: sun8i_mixer,
	index: int,
): sun8i_layer | err_ptr {
	const channel = mixer.cfg.vi_num + index;
	const count = sun8i_ui_layer_formats.length;
	const layer = sun8i_layer_init(drm, mixer, channel, index === 0, sun8i_ui_layer_formats, count);
	if (IS_ERR(layer)) return layer;
	layer.type = SUN8I_LAYER_TYPE_UI;
	drm_plane_helper_add(layer.plane, sun8i_ui_layer_helper_funcs);
	return layer;
}
