// SPDX-License-Identifier: GPL-2.0-only
// The scalers of the mixer's channels. On DE3 those of the user interface have the same registers and places.
// Linux 6.12: drivers/gpu/drm/sun4i/sun8i_vi_scaler.c, drivers/gpu/drm/sun4i/sun8i_ui_scaler.c
// Left out: the tables of filter coefficients (the machine's scaler does not filter), DE2.
import { regmap_write } from '#drivers/base/regmap/regmap.js';
import type { sun8i_mixer } from '#drivers/gpu/drm/sun4i/sun4i_drv_types.js';
import {
	DE3_VI_SCALER_UNIT_BASE,
	DE3_VI_SCALER_UNIT_SIZE,
	SUN8I_MIXER_SIZE,
	SUN8I_SCALER_VSU_CHPHASE,
	SUN8I_SCALER_VSU_CHSTEP,
	SUN8I_SCALER_VSU_CINSIZE,
	SUN8I_SCALER_VSU_CTRL,
	SUN8I_SCALER_VSU_CTRL_COEFF_RDY,
	SUN8I_SCALER_VSU_CTRL_EN,
	SUN8I_SCALER_VSU_CVPHASE,
	SUN8I_SCALER_VSU_CVSTEP,
	SUN8I_SCALER_VSU_OUTSIZE,
	SUN8I_SCALER_VSU_YHPHASE,
	SUN8I_SCALER_VSU_YHSTEP,
	SUN8I_SCALER_VSU_YINSIZE,
	SUN8I_SCALER_VSU_YVPHASE,
	SUN8I_SCALER_VSU_YVSTEP,
	SUN8I_VI_SCALER_SCALE_FRAC,
	SUN50I_SCALER_VSU_SCALE_MODE,
	SUN50I_SCALER_VSU_SCALE_MODE_NORMAL,
	SUN50I_SCALER_VSU_SCALE_MODE_UI,
} from '#drivers/gpu/drm/sun4i/sun8i_mixer_regs.js';
import type { drm_format_info } from '#include/drm/drm_fourcc.js';
import type { bool, int, u32 } from '#linux/types.js';

function sun8i_vi_scaler_base(_mixer: sun8i_mixer, channel: int): u32 {
	return DE3_VI_SCALER_UNIT_BASE + DE3_VI_SCALER_UNIT_SIZE * channel;
}

/** One scaler, on or off. Linux: drivers/gpu/drm/sun4i/sun8i_vi_scaler.c: sun8i_vi_scaler_enable() */
export function sun8i_vi_scaler_enable(mixer: sun8i_mixer, layer: int, enable: bool): void {
	const val = enable ? SUN8I_SCALER_VSU_CTRL_EN | SUN8I_SCALER_VSU_CTRL_COEFF_RDY : 0;
	regmap_write(mixer.engine.regs, SUN8I_SCALER_VSU_CTRL(sun8i_vi_scaler_base(mixer, layer)), val);
}

/**
 * Scales are source pixels for one on screen, and phases pixels, in 1/65536.
 * Linux: drivers/gpu/drm/sun4i/sun8i_vi_scaler.c: sun8i_vi_scaler_setup()
 */
export function sun8i_vi_scaler_setup(
	mixer: sun8i_mixer,
	layer: int,
	src_w: u32,
	src_h: u32,
	dst_w: u32,
	dst_h: u32,
	hscale: u32,
	vscale: u32,
	hphase: u32,
	vphase: u32,
	format: drm_format_info,
): void {
	const { regs } = mixer.engine;
	const base = sun8i_vi_scaler_base(mixer, layer);
	const { hsub, vsub } = format;

	// The registers have 20 bits after the point.
	const hp = hphase * 16;
	const vp = vphase * 16;
	const hs = hscale * 16;
	const vs = vscale * 16;
	let chphase = hp;
	let cvphase = vp;
	if (hsub === 2 && vsub === 2) {
		// Chroma samples lie between two rows.
		chphase = hp >>> 1;
		cvphase = ((vp >>> 1) - (1 << (SUN8I_VI_SCALER_SCALE_FRAC - 2))) >>> 0;
	}

	regmap_write(
		regs,
		SUN50I_SCALER_VSU_SCALE_MODE(base),
		hsub === 1 && vsub === 1 ? SUN50I_SCALER_VSU_SCALE_MODE_UI : SUN50I_SCALER_VSU_SCALE_MODE_NORMAL,
	);
	regmap_write(regs, SUN8I_SCALER_VSU_OUTSIZE(base), SUN8I_MIXER_SIZE(dst_w, dst_h));
	regmap_write(regs, SUN8I_SCALER_VSU_YINSIZE(base), SUN8I_MIXER_SIZE(src_w, src_h));
	regmap_write(regs, SUN8I_SCALER_VSU_YHSTEP(base), hs);
	regmap_write(regs, SUN8I_SCALER_VSU_YVSTEP(base), vs);
	regmap_write(regs, SUN8I_SCALER_VSU_YHPHASE(base), hp);
	regmap_write(regs, SUN8I_SCALER_VSU_YVPHASE(base), vp);
	regmap_write(
		regs,
		SUN8I_SCALER_VSU_CINSIZE(base),
		SUN8I_MIXER_SIZE(Math.floor(src_w / hsub), Math.floor(src_h / vsub)),
	);
	regmap_write(regs, SUN8I_SCALER_VSU_CHSTEP(base), Math.floor(hs / hsub));
	regmap_write(regs, SUN8I_SCALER_VSU_CVSTEP(base), Math.floor(vs / vsub));
	regmap_write(regs, SUN8I_SCALER_VSU_CHPHASE(base), chphase);
	regmap_write(regs, SUN8I_SCALER_VSU_CVPHASE(base), cvphase);
}
