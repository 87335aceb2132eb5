// SPDX-License-Identifier: GPL-2.0-only
// The mixer (DE3): fetches the layers by DMA and blends them.
// Linux 6.12: drivers/gpu/drm/sun4i/sun8i_mixer.c
// Left out: DE2 mixers of other chips.
import { component_add, component_del } from '#drivers/base/component.js';
import { devm_kcalloc, devm_kzalloc } from '#drivers/base/devres.js';
import { devm_platform_ioremap_resource } from '#drivers/base/platform.js';
import { devm_regmap_init_mmio, regmap_update_bits, regmap_write } from '#drivers/base/regmap/regmap.js';
import { clk_set_rate } from '#drivers/clk/clk.js';
import { devm_clk_get } from '#drivers/clk/clk-devres.js';
import {
	engine_to_sun8i_mixer,
	plane_to_sun8i_layer,
	SUN8I_LAYER_TYPE_UI,
	type sun4i_drv,
	type sun8i_layer,
	sun8i_mixer,
	type sun8i_mixer_cfg,
} from '#drivers/gpu/drm/sun4i/sun4i_drv_types.js';
import * as R from '#drivers/gpu/drm/sun4i/sun8i_mixer_regs.js';
import { sun8i_ui_layer_init_one } from '#drivers/gpu/drm/sun4i/sun8i_ui_layer.js';
import { sun8i_vi_layer_init_one } from '#drivers/gpu/drm/sun4i/sun8i_vi_layer.js';
import type { sunxi_engine, sunxi_engine_ops } from '#drivers/gpu/drm/sun4i/sunxi_engine.js';
import { iommu_device_use_default_domain } from '#drivers/iommu/iommu.js';
import { of_device_get_match_data, of_dma_configure } from '#drivers/of/device.js';
import {
	of_graph_get_endpoint_by_regs,
	of_graph_get_remote_endpoint,
	of_graph_parse_endpoint,
	of_property_present,
} from '#drivers/of/property.js';
import { reset_control_assert, reset_control_deassert } from '#drivers/reset/core.js';
import { drm_atomic_get_new_plane_state, type drm_atomic_state } from '#include/drm/drm_atomic.js';
import { type drm_crtc, drm_crtc_mask } from '#include/drm/drm_crtc.js';
import type { drm_device } from '#include/drm/drm_device.js';
import type { drm_display_mode } from '#include/drm/drm_modes.js';
import type { drm_plane } from '#include/drm/drm_plane.js';
import { DRM_MODE_FLAG_INTERLACE } from '#include/uapi/drm/drm_mode.js';
import { dma_set_mask } from '#kernel/dma/mapping.js';
import { clk_disable_unprepare, clk_prepare_enable } from '#linux/clk.js';
import type { component_ops } from '#linux/component.js';
import { dev_err } from '#linux/dev_printk.js';
import { dev_get_drvdata, dev_set_drvdata, type device } from '#linux/device.js';
import { DMA_BIT_MASK } from '#linux/dma-mapping.js';
import { ERR_PTR, type err_ptr, IS_ERR, PTR_ERR } from '#linux/err.js';
import { EINVAL, ENOMEM } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { list_add_tail, list_del, list_for_each_entry } from '#linux/list.js';
import type { of_device_id } from '#linux/mod_devicetable.js';
import { type device_node, of_node_put } from '#linux/of.js';
import { of_endpoint } from '#linux/of_graph.js';
import {
	module_platform_driver,
	type platform_device,
	platform_driver,
	to_platform_device,
} from '#linux/platform_device.js';
import type { regmap_config } from '#linux/regmap.js';
import { devm_reset_control_get } from '#linux/reset.js';
import type { bool, int, u32 } from '#linux/types.js';

function sun8i_layer_enable(layer: sun8i_layer, enable: bool): void {
	const ch_base = R.sun8i_channel_base(layer.mixer, layer.channel);
	const ui = layer.type === SUN8I_LAYER_TYPE_UI;
	const reg = ui
		? R.SUN8I_MIXER_CHAN_UI_LAYER_ATTR(ch_base, layer.overlay)
		: R.SUN8I_MIXER_CHAN_VI_LAYER_ATTR(ch_base, layer.overlay);
	const mask = ui ? R.SUN8I_MIXER_CHAN_UI_LAYER_ATTR_EN : R.SUN8I_MIXER_CHAN_VI_LAYER_ATTR_EN;
	regmap_update_bits(layer.mixer.engine.regs, reg, mask, enable ? mask : 0);
}

/** Which layers are on and where they lie; then all of it takes effect at the next frame. */
function sun8i_mixer_commit(engine: sunxi_engine, crtc: drm_crtc, state: drm_atomic_state): void {
	const mixer = engine_to_sun8i_mixer(engine);
	const bld_base = R.sun8i_blender_base(mixer);
	let route: u32 = 0;
	// The bottom is filled, whether a pipe lies on it or not.
	let pipes: u32 = R.SUN8I_MIXER_BLEND_PIPE_CTL_FC_EN(0);

	for (const plane of list_for_each_entry(state.dev.mode_config.plane_list)) {
		const layer = plane_to_sun8i_layer(plane);
		if (layer.mixer !== mixer || (plane.possible_crtcs & drm_crtc_mask(crtc)) === 0) continue;
		const plane_state = drm_atomic_get_new_plane_state(state, plane) ?? plane.state!;
		const on = plane_state.crtc !== null && plane_state.visible;
		// Written also when it is set: the bit is known to clear itself.
		sun8i_layer_enable(layer, on);
		if (on) {
			const zpos = plane_state.normalized_zpos;
			const channel: u32 = layer.channel;
			route = (route | (channel << R.SUN8I_MIXER_BLEND_ROUTE_PIPE_SHIFT(zpos))) >>> 0;
			pipes = (pipes | R.SUN8I_MIXER_BLEND_PIPE_CTL_EN(zpos)) >>> 0;
		}
	}
	const { regs } = engine;
	regmap_write(regs, R.SUN8I_MIXER_BLEND_ROUTE(bld_base), route);
	regmap_write(regs, R.SUN8I_MIXER_BLEND_PIPE_CTL(bld_base), pipes);
	regmap_write(regs, R.SUN8I_MIXER_GLOBAL_DBUFF, R.SUN8I_MIXER_GLOBAL_DBUFF_ENABLE);
}

/** Planes of all channels: those for video are below those for the user interface. */
function sun8i_layers_init(drm: drm_device, engine: sunxi_engine): (drm_plane | null)[] | err_ptr {
	const mixer = engine_to_sun8i_mixer(engine);
	const { vi_num, ui_num } = mixer.cfg;
	const planes = devm_kcalloc<drm_plane | null>(drm.dev, vi_num + ui_num + 1, null, GFP_KERNEL);
	if (!planes) return ERR_PTR(-ENOMEM);
	for (let channel = 0; channel < vi_num + ui_num; channel++) {
		const video = channel < vi_num;
		const layer = video
			? sun8i_vi_layer_init_one(drm, mixer, channel)
			: sun8i_ui_layer_init_one(drm, mixer, channel - vi_num);
		if (IS_ERR(layer)) {
			dev_err(drm.dev, "Couldn't initialize %s plane", channel === vi_num ? 'primary' : 'overlay');
			return ERR_PTR(PTR_ERR(layer));
		}
		planes[channel] = layer.plane;
	}
	return planes;
}

function sun8i_mixer_mode_set(engine: sunxi_engine, mode: drm_display_mode): void {
	const bld_base = R.sun8i_blender_base(engine_to_sun8i_mixer(engine));
	const size = R.SUN8I_MIXER_SIZE(mode.hdisplay, mode.vdisplay);
	regmap_write(engine.regs, R.SUN8I_MIXER_GLOBAL_SIZE, size);
	regmap_write(engine.regs, R.SUN8I_MIXER_BLEND_OUTSIZE(bld_base), size);
	regmap_update_bits(
		engine.regs,
		R.SUN8I_MIXER_BLEND_OUTCTL(bld_base),
		R.SUN8I_MIXER_BLEND_OUTCTL_INTERLACED,
		mode.flags & DRM_MODE_FLAG_INTERLACE ? R.SUN8I_MIXER_BLEND_OUTCTL_INTERLACED : 0,
	);
}

const sun8i_engine_ops: sunxi_engine_ops = {
	commit: sun8i_mixer_commit,
	layers_init: sun8i_layers_init,
	mode_set: sun8i_mixer_mode_set,
};

const sun8i_mixer_regmap_config: regmap_config = {
	reg_bits: 32,
	val_bits: 32,
	reg_stride: 4,
	max_register: 0xffffc,
};

/** The switches of what stands behind the blender and makes pictures nicer. */
const DE3_ENHANCERS: readonly u32[] = [
	R.SUN50I_MIXER_FCE_EN,
	R.SUN50I_MIXER_PEAK_EN,
	R.SUN50I_MIXER_LCTI_EN,
	R.SUN50I_MIXER_BLS_EN,
	R.SUN50I_MIXER_FCC_EN,
	R.SUN50I_MIXER_DNS_EN,
	R.SUN50I_MIXER_DRC_EN,
	R.SUN50I_MIXER_FMT_EN,
	R.SUN50I_MIXER_CDC0_EN,
	R.SUN50I_MIXER_CDC1_EN,
];

/** The mixer's number: that of the endpoint that its output leads to. */
function sun8i_mixer_of_get_id(node: device_node): int {
	const ep = of_graph_get_endpoint_by_regs(node, 1, -1);
	if (!ep) return -EINVAL;
	const remote = of_graph_get_remote_endpoint(ep);
	of_node_put(ep);
	if (!remote) return -EINVAL;
	const of_ep = new of_endpoint();
	of_graph_parse_endpoint(remote, of_ep);
	of_node_put(remote);
	return of_ep.id;
}

function sun8i_mixer_bind(dev: device, _master: device, data: unknown): int {
	const pdev = to_platform_device(dev);
	const drm = data as drm_device;
	const drv = drm.dev_private as sun4i_drv;

	// One 32-bit register holds an address.
	let ret = dma_set_mask(dev, DMA_BIT_MASK(32));
	if (ret) {
		dev_err(dev, 'Cannot do 32-bit DMA.');
		return ret;
	}
	const mixer = devm_kzalloc(dev, sun8i_mixer, GFP_KERNEL);
	if (!mixer) return -ENOMEM;
	dev_set_drvdata(dev, mixer);
	mixer.engine.ops = sun8i_engine_ops;
	mixer.engine.node = dev.of_node;

	if (of_property_present(dev.of_node, 'iommus')) {
		// Buffers are the DRM device's, but the mixer reads them: the DRM device maps as the mixer does.
		const joined = drm.dev.iommu_group !== null;
		ret = of_dma_configure(drm.dev, dev.of_node!, true);
		if (ret) return ret;
		// DEVIATION: its driver was bound before it had a group, and is counted off when it goes. Linux does not count it.
		if (!joined) ret = iommu_device_use_default_domain(drm.dev);
		if (ret) return ret;
	}
	// May fail: then the tree has no numbers, and whoever needs one says so.
	mixer.engine.id = sun8i_mixer_of_get_id(dev.of_node!);

	const cfg = of_device_get_match_data(dev) as sun8i_mixer_cfg | null;
	if (!cfg) return -EINVAL;
	mixer.cfg = cfg;

	const regs = devm_platform_ioremap_resource(pdev, 0);
	if (IS_ERR(regs)) return PTR_ERR(regs);
	const map = devm_regmap_init_mmio(dev, regs, sun8i_mixer_regmap_config);
	if (IS_ERR(map)) {
		dev_err(dev, "Couldn't create the mixer regmap");
		return PTR_ERR(map);
	}
	mixer.engine.regs = map;

	const reset = devm_reset_control_get(dev, null);
	if (IS_ERR(reset)) {
		dev_err(dev, "Couldn't get our reset line");
		return PTR_ERR(reset);
	}
	mixer.reset = reset;
	ret = reset_control_deassert(mixer.reset);
	if (ret) {
		dev_err(dev, "Couldn't deassert our reset line");
		return ret;
	}
	const bus_clk = devm_clk_get(dev, 'bus');
	if (IS_ERR(bus_clk)) {
		dev_err(dev, "Couldn't get the mixer bus clock");
		reset_control_assert(mixer.reset);
		return PTR_ERR(bus_clk);
	}
	mixer.bus_clk = bus_clk;
	clk_prepare_enable(mixer.bus_clk);
	const mod_clk = devm_clk_get(dev, 'mod');
	if (IS_ERR(mod_clk)) {
		dev_err(dev, "Couldn't get the mixer module clock");
		clk_disable_unprepare(mixer.bus_clk);
		reset_control_assert(mixer.reset);
		return PTR_ERR(mod_clk);
	}
	mixer.mod_clk = mod_clk;
	if (cfg.mod_rate) clk_set_rate(mixer.mod_clk, cfg.mod_rate);
	clk_prepare_enable(mixer.mod_clk);
	list_add_tail(mixer.engine.list, drv.engine_list);

	const base = R.sun8i_blender_base(mixer);
	// Registers are what they were; the engines behind the blender stay off.
	for (let i = 0; i < R.DE3_MIXER_UNIT_SIZE; i += 4) regmap_write(map, i, 0);
	for (const enable of DE3_ENHANCERS) regmap_write(map, enable, 0);

	regmap_write(map, R.SUN8I_MIXER_GLOBAL_CTL, R.SUN8I_MIXER_GLOBAL_CTL_RT_EN);
	regmap_write(map, R.SUN8I_MIXER_BLEND_BKCOLOR(base), R.SUN8I_MIXER_BLEND_COLOR_BLACK);
	// Below a video layer at the bottom there is this.
	regmap_write(map, R.SUN8I_MIXER_BLEND_PIPE_CTL(base), R.SUN8I_MIXER_BLEND_PIPE_CTL_FC_EN(0));
	regmap_write(map, R.SUN8I_MIXER_BLEND_ATTR_FCOLOR(base, 0), R.SUN8I_MIXER_BLEND_COLOR_BLACK);
	const plane_cnt = cfg.vi_num + cfg.ui_num;
	for (let i = 0; i < plane_cnt; i++)
		regmap_write(map, R.SUN8I_MIXER_BLEND_MODE(base, i), R.SUN8I_MIXER_BLEND_MODE_DEF);
	regmap_update_bits(map, R.SUN8I_MIXER_BLEND_PIPE_CTL(base), R.SUN8I_MIXER_BLEND_PIPE_CTL_EN_MSK, 0);
	return 0;
}

function sun8i_mixer_unbind(dev: device, _master: device, _data: unknown): void {
	const mixer = dev_get_drvdata<sun8i_mixer>(dev);
	list_del(mixer.engine.list);
	clk_disable_unprepare(mixer.mod_clk);
	clk_disable_unprepare(mixer.bus_clk);
	reset_control_assert(mixer.reset);
}

const sun8i_mixer_ops: component_ops = { bind: sun8i_mixer_bind, unbind: sun8i_mixer_unbind };

const sun50i_h6_mixer0_cfg: sun8i_mixer_cfg = {
	is_de3: true,
	mod_rate: 600000000,
	scaler_mask: 0xf,
	scanline_yuv: 4096,
	ui_num: 3,
	vi_num: 1,
};

function sun8i_mixer_probe(pdev: platform_device): int {
	return component_add(pdev.dev, sun8i_mixer_ops);
}

function sun8i_mixer_remove(pdev: platform_device): void {
	component_del(pdev.dev, sun8i_mixer_ops);
}

const sun8i_mixer_of_table: readonly of_device_id[] = [
	{ compatible: 'allwinner,sun50i-h6-de3-mixer-0', data: sun50i_h6_mixer0_cfg },
];

const sun8i_mixer_platform_driver = new platform_driver({
	probe: sun8i_mixer_probe,
	remove: sun8i_mixer_remove,
	driver: {
		name: 'sun8i-mixer',
		of_match_table: sun8i_mixer_of_table,
	},
});
module_platform_driver(sun8i_mixer_platform_driver);
