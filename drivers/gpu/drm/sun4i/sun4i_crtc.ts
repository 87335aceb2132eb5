// SPDX-License-Identifier: GPL-2.0-only
// A mixer and a timing controller together are a CRTC.
// Linux 6.12: drivers/gpu/drm/sun4i/sun4i_crtc.c
// Left out: page flip events.
import { devm_kzalloc } from '#drivers/base/devres.js';
import {
	drm_atomic_helper_crtc_destroy_state,
	drm_atomic_helper_crtc_duplicate_state,
	drm_atomic_helper_crtc_reset,
	drm_atomic_helper_set_config,
} from '#drivers/gpu/drm/drm_atomic_helper.js';
import { drm_crtc_cleanup, drm_crtc_init_with_planes } from '#drivers/gpu/drm/drm_crtc.js';
import { drm_crtc_vblank_off, drm_crtc_vblank_on } from '#drivers/gpu/drm/drm_vblank.js';
import {
	drm_crtc_to_sun4i_crtc,
	sun4i_crtc,
	type sun4i_tcon,
} from '#drivers/gpu/drm/sun4i/sun4i_drv_types.js';
import {
	sun4i_tcon_enable_vblank,
	sun4i_tcon_mode_set,
	sun4i_tcon_set_status,
} from '#drivers/gpu/drm/sun4i/sun4i_tcon.js';
import type { sunxi_engine } from '#drivers/gpu/drm/sun4i/sunxi_engine.js';
import { of_graph_get_port_by_id } from '#drivers/of/property.js';
import type { drm_atomic_state } from '#include/drm/drm_atomic.js';
import type { drm_encoder } from '#include/drm/drm_connector.js';
import {
	type drm_crtc,
	type drm_crtc_funcs,
	drm_crtc_helper_add,
	type drm_crtc_helper_funcs,
	drm_crtc_mask,
} from '#include/drm/drm_crtc.js';
import type { drm_device } from '#include/drm/drm_device.js';
import { DRM_PLANE_TYPE_OVERLAY, DRM_PLANE_TYPE_PRIMARY, type drm_plane } from '#include/drm/drm_plane.js';
import { dev_err } from '#linux/dev_printk.js';
import { ERR_PTR, type err_ptr, IS_ERR, PTR_ERR } from '#linux/err.js';
import { ENOMEM } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { list_for_each_entry } from '#linux/list.js';
import type { int } from '#linux/types.js';

function sun4i_crtc_get_encoder(crtc: drm_crtc): drm_encoder | null {
	for (const encoder of list_for_each_entry(crtc.dev.mode_config.encoder_list))
		if (encoder.crtc === crtc) return encoder;
	return null;
}

function sun4i_crtc_atomic_flush(crtc: drm_crtc, state: drm_atomic_state): void {
	const { engine } = drm_crtc_to_sun4i_crtc(crtc);
	engine.ops.commit(engine, crtc, state);
}

function sun4i_crtc_atomic_enable(crtc: drm_crtc, _state: drm_atomic_state): void {
	const encoder = sun4i_crtc_get_encoder(crtc);
	sun4i_tcon_set_status(drm_crtc_to_sun4i_crtc(crtc).tcon, encoder, true);
	drm_crtc_vblank_on(crtc);
}

function sun4i_crtc_atomic_disable(crtc: drm_crtc, _state: drm_atomic_state): void {
	const encoder = sun4i_crtc_get_encoder(crtc);
	drm_crtc_vblank_off(crtc);
	sun4i_tcon_set_status(drm_crtc_to_sun4i_crtc(crtc).tcon, encoder, false);
}

function sun4i_crtc_mode_set_nofb(crtc: drm_crtc): void {
	const { tcon, engine } = drm_crtc_to_sun4i_crtc(crtc);
	const mode = crtc.state!.adjusted_mode;
	sun4i_tcon_mode_set(tcon, sun4i_crtc_get_encoder(crtc), mode);
	if (engine.ops.mode_set) engine.ops.mode_set(engine, mode);
}

const sun4i_crtc_helper_funcs: drm_crtc_helper_funcs = {
	atomic_flush: sun4i_crtc_atomic_flush,
	atomic_enable: sun4i_crtc_atomic_enable,
	atomic_disable: sun4i_crtc_atomic_disable,
	mode_set_nofb: sun4i_crtc_mode_set_nofb,
};

function sun4i_crtc_enable_vblank(crtc: drm_crtc): int {
	sun4i_tcon_enable_vblank(drm_crtc_to_sun4i_crtc(crtc).tcon, true);
	return 0;
}

function sun4i_crtc_disable_vblank(crtc: drm_crtc): void {
	sun4i_tcon_enable_vblank(drm_crtc_to_sun4i_crtc(crtc).tcon, false);
}

const sun4i_crtc_funcs: drm_crtc_funcs = {
	atomic_destroy_state: drm_atomic_helper_crtc_destroy_state,
	atomic_duplicate_state: drm_atomic_helper_crtc_duplicate_state,
	destroy: drm_crtc_cleanup,
	reset: drm_atomic_helper_crtc_reset,
	set_config: drm_atomic_helper_set_config,
	enable_vblank: sun4i_crtc_enable_vblank,
	disable_vblank: sun4i_crtc_disable_vblank,
};

/**
 * The CRTC of a mixer and a timing controller, with its planes. -ENOMEM, or what a plane says.
 * Linux: drivers/gpu/drm/sun4i/sun4i_crtc.c: sun4i_crtc_init()
 */
export function sun4i_crtc_init(
	drm: drm_device,
	engine: sunxi_engine,
	tcon: sun4i_tcon,
): sun4i_crtc | err_ptr {
	const scrtc = devm_kzalloc(drm.dev, sun4i_crtc, GFP_KERNEL);
	if (!scrtc) return ERR_PTR(-ENOMEM);
	scrtc.engine = engine;
	scrtc.tcon = tcon;

	const planes = engine.ops.layers_init(drm, engine);
	if (IS_ERR(planes)) {
		dev_err(drm.dev, "Couldn't create the planes");
		return ERR_PTR(PTR_ERR(planes));
	}
	let primary: drm_plane | null = null;
	for (let i = 0; planes[i]; i++) if (planes[i]!.type === DRM_PLANE_TYPE_PRIMARY) primary = planes[i];
	const ret = drm_crtc_init_with_planes(drm, scrtc.crtc, primary, null, sun4i_crtc_funcs, null);
	if (ret) {
		dev_err(drm.dev, "Couldn't init DRM CRTC");
		return ERR_PTR(ret);
	}
	drm_crtc_helper_add(scrtc.crtc, sun4i_crtc_helper_funcs);
	// The output of the timing controller: encoders find their CRTC by it.
	scrtc.crtc.port = of_graph_get_port_by_id(tcon.dev.of_node!, 1);
	for (let i = 0; planes[i]; i++)
		if (planes[i]!.type === DRM_PLANE_TYPE_OVERLAY) planes[i]!.possible_crtcs = drm_crtc_mask(scrtc.crtc);
	return scrtc;
}
