// SPDX-License-Identifier: GPL-2.0-only
// HDMI: where the picture leaves the chip.
// Linux 6.12: drivers/gpu/drm/sun4i/sun8i_dw_hdmi.c, drivers/gpu/drm/bridge/synopsys/dw-hdmi.c (the connector)
// Left out: the Synopsys bridge and its registers, the PHY, hot plug and EDID (a monitor with a fixed list of modes is
// always there), regulators, CEC, audio.
import { component_add, component_del } from '#drivers/base/component.js';
import { devm_kzalloc } from '#drivers/base/devres.js';
import { clk_set_rate } from '#drivers/clk/clk.js';
import { devm_clk_get } from '#drivers/clk/clk-devres.js';
import {
	drm_atomic_helper_connector_destroy_state,
	drm_atomic_helper_connector_duplicate_state,
	drm_atomic_helper_connector_reset,
} from '#drivers/gpu/drm/drm_atomic_helper.js';
import {
	drm_connector_attach_encoder,
	drm_connector_cleanup,
	drm_connector_init,
	drm_encoder_cleanup,
	drm_helper_probe_single_connector_modes,
	drm_mode_probed_add,
	drm_simple_encoder_init,
} from '#drivers/gpu/drm/drm_connector.js';
import { drm_of_crtc_port_mask } from '#drivers/gpu/drm/drm_of.js';
import { sun8i_dw_hdmi } from '#drivers/gpu/drm/sun4i/sun4i_drv_types.js';
import {
	of_graph_get_port_by_id,
	of_graph_get_remote_node,
	of_graph_get_remote_port,
} from '#drivers/of/property.js';
import { reset_control_assert, reset_control_deassert } from '#drivers/reset/core.js';
import {
	type drm_connector,
	type drm_connector_funcs,
	drm_connector_helper_add,
	type drm_connector_helper_funcs,
	type drm_encoder,
	drm_encoder_helper_add,
	type drm_encoder_helper_funcs,
} from '#include/drm/drm_connector.js';
import type { drm_device } from '#include/drm/drm_device.js';
import { drm_display_mode, type drm_mode_status, MODE_CLOCK_HIGH, MODE_OK } from '#include/drm/drm_modes.js';
import {
	DRM_MODE_CONNECTOR_HDMIA,
	DRM_MODE_ENCODER_TMDS,
	DRM_MODE_FLAG_NHSYNC,
	DRM_MODE_FLAG_NVSYNC,
	DRM_MODE_FLAG_PHSYNC,
	DRM_MODE_FLAG_PVSYNC,
	DRM_MODE_TYPE_DRIVER,
	DRM_MODE_TYPE_PREFERRED,
} from '#include/uapi/drm/drm_mode.js';
import { clk_disable_unprepare, clk_prepare_enable } from '#linux/clk.js';
import type { component_ops } from '#linux/component.js';
import { dev_err, dev_err_probe } from '#linux/dev_printk.js';
import { dev_get_drvdata, dev_set_drvdata, type device } from '#linux/device.js';
import { IS_ERR, PTR_ERR } from '#linux/err.js';
import { ENOMEM, EPROBE_DEFER } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import type { of_device_id } from '#linux/mod_devicetable.js';
import { type device_node, for_each_child_of_node, of_node_put } from '#linux/of.js';
import { module_platform_driver, type platform_device, platform_driver } from '#linux/platform_device.js';
import { devm_reset_control_get } from '#linux/reset.js';
import { kzalloc } from '#linux/slab.js';
import {
	container_of,
	type int,
	type u16,
	type u32,
	type unsigned_int,
	type unsigned_long,
} from '#linux/types.js';

/* The first endpoint that there is, whatever its number */
const ANY_ENDPOINT = -1;

const P = DRM_MODE_FLAG_PHSYNC | DRM_MODE_FLAG_PVSYNC;
const N = DRM_MODE_FLAG_NHSYNC | DRM_MODE_FLAG_NVSYNC;

/* Clocks of the modes, in kHz */
const clocks: readonly int[] = [148500, 74250, 65000, 40000, 25175];

/** VESA DMT 1.0 r13 and CEA-861: display, sync start, sync end, total of a line and of a frame. */
const modes: readonly (readonly u16[])[] = [
	[1920, 2008, 2052, 2200, 1080, 1084, 1089, 1125],
	[1280, 1390, 1430, 1650, 720, 725, 730, 750],
	[1024, 1048, 1184, 1344, 768, 771, 777, 806],
	[800, 840, 968, 1056, 600, 601, 605, 628],
	[640, 656, 752, 800, 480, 490, 492, 525],
];

const polarities: readonly u32[] = [P, P, N, P, N];

function dw_hdmi_connector_get_modes(connector: drm_connector): int {
	let count: int = 0;
	for (let i: unsigned_int = 0; i < modes.length; i++) {
		const mode = kzalloc(drm_display_mode, GFP_KERNEL);
		if (!mode) break;
		mode.clock = clocks[i];
		mode.hdisplay = modes[i][0];
		mode.hsync_start = modes[i][1];
		mode.hsync_end = modes[i][2];
		mode.htotal = modes[i][3];
		mode.vdisplay = modes[i][4];
		mode.vsync_start = modes[i][5];
		mode.vsync_end = modes[i][6];
		mode.vtotal = modes[i][7];
		mode.flags = polarities[i];
		mode.type = DRM_MODE_TYPE_DRIVER | (count === 0 ? DRM_MODE_TYPE_PREFERRED : 0);
		drm_mode_probed_add(connector, mode);
		count++;
	}
	return count;
}

/** 594 MHz: what the controller can do. Linux: sun8i_dw_hdmi_mode_valid_h6() */
function dw_hdmi_connector_mode_valid(_connector: drm_connector, mode: drm_display_mode): drm_mode_status {
	return mode.clock > 594000 ? MODE_CLOCK_HIGH : MODE_OK;
}

const dw_hdmi_connector_helper_funcs: drm_connector_helper_funcs = {
	get_modes: dw_hdmi_connector_get_modes,
	mode_valid: dw_hdmi_connector_mode_valid,
};

const dw_hdmi_connector_funcs: drm_connector_funcs = {
	fill_modes: drm_helper_probe_single_connector_modes,
	destroy: drm_connector_cleanup,
	reset: drm_atomic_helper_connector_reset,
	atomic_duplicate_state: drm_atomic_helper_connector_duplicate_state,
	atomic_destroy_state: drm_atomic_helper_connector_destroy_state,
};

function sun8i_dw_hdmi_encoder_mode_set(
	encoder: drm_encoder,
	mode: drm_display_mode,
	_adj_mode: drm_display_mode,
): void {
	const hdmi = container_of(encoder, sun8i_dw_hdmi);
	const rate: unsigned_long = mode.crtc_clock;
	clk_set_rate(hdmi.clk_tmds, rate * 1000);
}

const sun8i_dw_hdmi_encoder_helper_funcs: drm_encoder_helper_funcs = {
	mode_set: sun8i_dw_hdmi_encoder_mode_set,
};

/** The CRTCs whose timing controllers TCON TOP can lead here. */
function sun8i_dw_hdmi_find_possible_crtcs(drm: drm_device, node: device_node): u32 {
	let crtcs: u32 = 0;
	const remote = of_graph_get_remote_node(node, 0, ANY_ENDPOINT);
	if (!remote) return 0;
	const port = of_graph_get_port_by_id(remote, 4);
	for (const ep of for_each_child_of_node(port)) {
		const remote_port = of_graph_get_remote_port(ep);
		if (remote_port) crtcs = (crtcs | drm_of_crtc_port_mask(drm, remote_port)) >>> 0;
	}
	of_node_put(remote);
	return crtcs;
}

function sun8i_dw_hdmi_bind(dev: device, _master: device, data: unknown): int {
	const drm = data as drm_device;
	const hdmi = devm_kzalloc(dev, sun8i_dw_hdmi, GFP_KERNEL);
	if (!hdmi) return -ENOMEM;
	hdmi.dev = dev;
	const { encoder, connector } = hdmi;

	encoder.possible_crtcs = sun8i_dw_hdmi_find_possible_crtcs(drm, dev.of_node!);
	// The CRTC may come later.
	if (encoder.possible_crtcs === 0) return -EPROBE_DEFER;

	const rst_ctrl = devm_reset_control_get(dev, 'ctrl');
	if (IS_ERR(rst_ctrl)) return dev_err_probe(dev, PTR_ERR(rst_ctrl), 'Could not get ctrl reset control');
	hdmi.rst_ctrl = rst_ctrl;
	const clk_tmds = devm_clk_get(dev, 'tmds');
	if (IS_ERR(clk_tmds)) return dev_err_probe(dev, PTR_ERR(clk_tmds), "Couldn't get the tmds clock");
	hdmi.clk_tmds = clk_tmds;
	let ret = reset_control_deassert(rst_ctrl);
	if (ret) {
		dev_err(dev, 'Could not deassert ctrl reset control');
		return ret;
	}
	ret = clk_prepare_enable(clk_tmds);
	if (ret) {
		dev_err(dev, 'Could not enable tmds clock');
		reset_control_assert(rst_ctrl);
		return ret;
	}
	drm_encoder_helper_add(encoder, sun8i_dw_hdmi_encoder_helper_funcs);
	ret = drm_simple_encoder_init(drm, encoder, DRM_MODE_ENCODER_TMDS);
	if (!ret) {
		ret = drm_connector_init(drm, connector, dw_hdmi_connector_funcs, DRM_MODE_CONNECTOR_HDMIA);
		if (!ret) {
			drm_connector_helper_add(connector, dw_hdmi_connector_helper_funcs);
			drm_connector_attach_encoder(connector, encoder);
			dev_set_drvdata(dev, hdmi);
			return 0;
		}
		drm_encoder_cleanup(encoder);
	}
	clk_disable_unprepare(clk_tmds);
	reset_control_assert(rst_ctrl);
	return ret;
}

function sun8i_dw_hdmi_unbind(dev: device, _master: device, _data: unknown): void {
	const hdmi = dev_get_drvdata<sun8i_dw_hdmi>(dev);
	drm_encoder_cleanup(hdmi.encoder);
	clk_disable_unprepare(hdmi.clk_tmds);
	reset_control_assert(hdmi.rst_ctrl);
}

const sun8i_dw_hdmi_ops: component_ops = { bind: sun8i_dw_hdmi_bind, unbind: sun8i_dw_hdmi_unbind };

function sun8i_dw_hdmi_probe(pdev: platform_device): int {
	return component_add(pdev.dev, sun8i_dw_hdmi_ops);
}

function sun8i_dw_hdmi_remove(pdev: platform_device): void {
	component_del(pdev.dev, sun8i_dw_hdmi_ops);
}

const sun8i_dw_hdmi_dt_ids: readonly of_device_id[] = [{ compatible: 'allwinner,sun50i-h6-dw-hdmi' }];

const sun8i_dw_hdmi_pltfm_driver = new platform_driver({
	probe: sun8i_dw_hdmi_probe,
	remove: sun8i_dw_hdmi_remove,
	driver: { name: 'sun8i-dw-hdmi', of_match_table: sun8i_dw_hdmi_dt_ids },
});
module_platform_driver(sun8i_dw_hdmi_pltfm_driver);
