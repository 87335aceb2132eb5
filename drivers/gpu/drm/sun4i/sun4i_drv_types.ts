// SPDX-License-Identifier: GPL-2.0-only
// What the parts of a pipeline know of each other.
// Linux 6.12: drivers/gpu/drm/sun4i/sun4i_drv.h, sun4i_tcon.h, sun4i_crtc.h, sun8i_mixer.h (the structs)
import type { regmap } from '#drivers/base/regmap/regmap.js';
import { sunxi_engine } from '#drivers/gpu/drm/sun4i/sunxi_engine.js';
import { drm_connector, drm_encoder } from '#include/drm/drm_connector.js';
import { drm_crtc } from '#include/drm/drm_crtc.js';
import type { drm_device } from '#include/drm/drm_device.js';
import { drm_plane } from '#include/drm/drm_plane.js';
import type { clk } from '#linux/clk.js';
import type { device } from '#linux/device.js';
import { list_head } from '#linux/list.js';
import type { reset_control } from '#linux/reset.js';
import { type bool, container_of, type int, type unsigned_int, type unsigned_long } from '#linux/types.js';

export class sun4i_drv {
	readonly engine_list = new list_head<sunxi_engine>();
	readonly tcon_list = new list_head<sun4i_tcon>();
}

export interface sun4i_tcon_quirks {
	readonly has_channel_0: bool;
	readonly has_channel_1: bool;
	readonly polarity_in_ch0: bool;
	readonly set_mux?: (tcon: sun4i_tcon, encoder: drm_encoder) => int;
}

export class sun4i_tcon {
	dev!: device;
	drm!: drm_device;
	regs!: regmap;
	clk!: clk;
	sclk1!: clk;
	lcd_rst!: reset_control;
	quirks!: sun4i_tcon_quirks;
	crtc!: sun4i_crtc;
	id: int = 0;
	readonly list = new list_head<sun4i_tcon>(this);
}

export class sun4i_crtc {
	readonly crtc = new drm_crtc(this);
	engine!: sunxi_engine;
	tcon!: sun4i_tcon;
}

/** The struct that @crtc is in. Linux: drivers/gpu/drm/sun4i/sun4i_crtc.h: drm_crtc_to_sun4i_crtc() */
export function drm_crtc_to_sun4i_crtc(crtc: drm_crtc): sun4i_crtc {
	return container_of(crtc, sun4i_crtc);
}

export interface sun8i_mixer_cfg {
	readonly vi_num: int;
	readonly ui_num: int;
	readonly scaler_mask: int;
	readonly mod_rate: unsigned_long;
	readonly is_de3: bool;
	readonly scanline_yuv: unsigned_int;
}

export class sun8i_mixer {
	readonly engine = new sunxi_engine(this);
	cfg!: sun8i_mixer_cfg;
	reset!: reset_control;
	bus_clk!: clk;
	mod_clk!: clk;
}

/** The mixer that @engine is in. Linux: drivers/gpu/drm/sun4i/sun8i_mixer.h: engine_to_sun8i_mixer() */
export function engine_to_sun8i_mixer(engine: sunxi_engine): sun8i_mixer {
	return container_of(engine, sun8i_mixer);
}

export const SUN8I_LAYER_TYPE_UI = 0;
export const SUN8I_LAYER_TYPE_VI = 1;

export class sun8i_layer {
	readonly plane = new drm_plane(this);
	mixer!: sun8i_mixer;
	type: int = SUN8I_LAYER_TYPE_UI;
	channel: int = 0;
	overlay: int = 0;
}

/** The layer that @plane is in. Linux: drivers/gpu/drm/sun4i/sun8i_mixer.h: plane_to_sun8i_layer() */
export function plane_to_sun8i_layer(plane: drm_plane): sun8i_layer {
	return container_of(plane, sun8i_layer);
}

export class sun8i_dw_hdmi {
	dev!: device;
	readonly encoder = new drm_encoder(this);
	/** C: in struct dw_hdmi, made by its bridge. */
	readonly connector = new drm_connector(this);
	clk_tmds!: clk;
	rst_ctrl!: reset_control;
}
