// SPDX-License-Identifier: GPL-2.0-only
// Colour conversion of video layers.
// Linux 6.12: drivers/gpu/drm/sun4i/sun8i_csc.c
// Left out: DE2 (its units and its table), YVU formats.
import { regmap_bulk_write, regmap_update_bits } from '#drivers/base/regmap/regmap.js';
import type { sun8i_mixer } from '#drivers/gpu/drm/sun4i/sun4i_drv_types.js';
import {
	DE3_BLD_BASE,
	SUN50I_MIXER_BLEND_CSC_COEFF,
	SUN50I_MIXER_BLEND_CSC_CTL,
	SUN50I_MIXER_BLEND_CSC_CTL_EN,
} from '#drivers/gpu/drm/sun4i/sun8i_mixer_regs.js';
import type { drm_color_encoding, drm_color_range } from '#include/drm/drm_plane.js';
import type { bool, int, u32 } from '#linux/types.js';

export const SUN8I_CSC_MODE_OFF = 0;
export const SUN8I_CSC_MODE_YUV2RGB = 1;

/**
 * [range][encoding]: three rows of R, G, B. A row is the factors of Y, U and V in 1/2^17 and a word whose upper half is
 * what is added to the row's own input (rows are Y, U, V there), in 10-bit numbers.
 */
const yuv2rgb_de3: readonly (readonly (readonly u32[])[])[] = [
	[
		[
			0x2542a, 0, 0x3312a, 0xffc00000, 0x2542a, 0xffff376b, 0xfffe5fc3, 0xfe000000, 0x2542a, 0x408d2, 0,
			0xfe000000,
		],
		[
			0x2542a, 0, 0x395e2, 0xffc00000, 0x2542a, 0xffff92d2, 0xfffeef27, 0xfe000000, 0x2542a, 0x4398c, 0,
			0xfe000000,
		],
		[
			0x2542a, 0, 0x35b7b, 0xffc00000, 0x2542a, 0xffffa017, 0xfffeb2fc, 0xfe000000, 0x2542a, 0x44896, 0,
			0xfe000000,
		],
	],
	[
		[0x20000, 0, 0x2cdd2, 0, 0x20000, 0xffff4fce, 0xfffe925d, 0xfe000000, 0x20000, 0x38b43, 0, 0xfe000000],
		[0x20000, 0, 0x3264c, 0, 0x20000, 0xffffa018, 0xffff1053, 0xfe000000, 0x20000, 0x3b611, 0, 0xfe000000],
		[0x20000, 0, 0x2f2fe, 0, 0x20000, 0xffffabc0, 0xfffedb78, 0xfe000000, 0x20000, 0x3c346, 0, 0xfe000000],
	],
];

/**
 * Factors for the colours that a plane says it has.
 * Linux: drivers/gpu/drm/sun4i/sun8i_csc.c: sun8i_csc_set_ccsc_coefficients()
 */
export function sun8i_csc_set_ccsc_coefficients(
	mixer: sun8i_mixer,
	layer: int,
	_mode: int,
	encoding: drm_color_encoding,
	range: drm_color_range,
): void {
	const addr = SUN50I_MIXER_BLEND_CSC_COEFF(DE3_BLD_BASE, layer, 0);
	regmap_bulk_write(mixer.engine.regs, addr, yuv2rgb_de3[range][encoding], 12);
}

/**
 * The conversion of one channel, on or off.
 * Linux: drivers/gpu/drm/sun4i/sun8i_csc.c: sun8i_csc_enable_ccsc()
 */
export function sun8i_csc_enable_ccsc(mixer: sun8i_mixer, layer: int, enable: bool): void {
	const mask = SUN50I_MIXER_BLEND_CSC_CTL_EN(layer);
	regmap_update_bits(mixer.engine.regs, SUN50I_MIXER_BLEND_CSC_CTL(DE3_BLD_BASE), mask, enable ? mask : 0);
}
