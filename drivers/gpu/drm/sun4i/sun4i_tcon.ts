// SPDX-License-Identifier: GPL-2.0-only
// The timing controller of the TV path.
// Linux 6.12: drivers/gpu/drm/sun4i/sun4i_tcon.c
// Left out: channel 0 (panels, LVDS, DSI), interlace, page flip events, chips without TCON TOP.
import { component_add, component_del } from '#drivers/base/component.js';
import { put_device } from '#drivers/base/core.js';
import { devm_kzalloc } from '#drivers/base/devres.js';
import { devm_platform_ioremap_resource, platform_get_irq } from '#drivers/base/platform.js';
import {
	devm_regmap_init_mmio,
	regmap_read,
	regmap_update_bits,
	regmap_write,
} from '#drivers/base/regmap/regmap.js';
import { clk_set_rate } from '#drivers/clk/clk.js';
import { devm_clk_get, devm_clk_get_enabled } from '#drivers/clk/clk-devres.js';
import { drm_crtc_handle_vblank } from '#drivers/gpu/drm/drm_vblank.js';
import { sun4i_crtc_init } from '#drivers/gpu/drm/sun4i/sun4i_crtc.js';
import {
	type sun4i_drv,
	sun4i_tcon,
	type sun4i_tcon_quirks,
} from '#drivers/gpu/drm/sun4i/sun4i_drv_types.js';
import {
	sun8i_tcon_top_de_config,
	sun8i_tcon_top_set_hdmi_src,
} from '#drivers/gpu/drm/sun4i/sun8i_tcon_top.js';
import type { sunxi_engine } from '#drivers/gpu/drm/sun4i/sunxi_engine.js';
import { of_device_get_match_data } from '#drivers/of/device.js';
import { of_find_device_by_node } from '#drivers/of/platform.js';
import {
	of_graph_get_port_by_id,
	of_graph_get_remote_endpoint,
	of_graph_get_remote_node,
	of_graph_get_remote_port,
	of_graph_get_remote_port_parent,
	of_property_read_u32,
} from '#drivers/of/property.js';
import { reset_control_assert, reset_control_reset } from '#drivers/reset/core.js';
import type { drm_encoder } from '#include/drm/drm_connector.js';
import type { drm_device } from '#include/drm/drm_device.js';
import type { drm_display_mode } from '#include/drm/drm_modes.js';
import {
	DRM_MODE_ENCODER_TMDS,
	DRM_MODE_FLAG_PHSYNC,
	DRM_MODE_FLAG_PVSYNC,
} from '#include/uapi/drm/drm_mode.js';
import { clk_disable_unprepare, clk_prepare_enable } from '#linux/clk.js';
import type { component_ops } from '#linux/component.js';
import { dev_err } from '#linux/dev_printk.js';
import { dev_get_drvdata, dev_name, dev_set_drvdata, type device } from '#linux/device.js';
import { ERR_PTR, type err_ptr, IS_ERR, PTR_ERR } from '#linux/err.js';
import { EINVAL, ELOOP, ENOMEM, EPROBE_DEFER } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { devm_request_irq, IRQ_HANDLED, IRQ_NONE, type irqreturn_t } from '#linux/interrupt.js';
import { list_add_tail, list_count_nodes, list_del, list_for_each_entry } from '#linux/list.js';
import type { of_device_id } from '#linux/mod_devicetable.js';
import {
	type device_node,
	for_each_available_child_of_node,
	of_get_child_count,
	of_node_put,
} from '#linux/of.js';
import {
	module_platform_driver,
	type platform_device,
	platform_driver,
	to_platform_device,
} from '#linux/platform_device.js';
import type { regmap_config } from '#linux/regmap.js';
import { devm_reset_control_get } from '#linux/reset.js';
import {
	type bool,
	type int,
	ref,
	type size_t,
	type u32,
	type unsigned_int,
	type unsigned_long,
} from '#linux/types.js';

/* The first endpoint that there is, whatever its number */
const ANY_ENDPOINT = -1;

const SUN4I_TCON_GCTL_REG = 0x0;
const SUN4I_TCON_GCTL_TCON_ENABLE = 0x8000_0000;
const SUN4I_TCON_GCTL_IOMAP_MASK = 1;
const SUN4I_TCON_GCTL_IOMAP_TCON1 = 1;
const SUN4I_TCON_GINT0_REG = 0x4;
/* VBLANK of both channels, and the end of a triggered frame */
const GINT0_ENABLES = 0xc800_0000;
const GINT0_FLAGS = 0xc800;
const SUN4I_TCON_GINT1_REG = 0x8;
const SUN4I_TCON0_IO_POL_REG = 0x88;
const SUN4I_TCON0_IO_POL_HSYNC_POSITIVE = 1 << 25;
const SUN4I_TCON0_IO_POL_VSYNC_POSITIVE = 1 << 24;
const SUN4I_TCON1_CTL_REG = 0x90;
const SUN4I_TCON1_CTL_TCON_ENABLE = 0x8000_0000;
const SUN4I_TCON1_CTL_INTERLACE_ENABLE = 1 << 20;
const SUN4I_TCON1_CTL_CLK_DELAY_MASK = 0x1f0;
const SUN4I_TCON1_BASIC0_REG = 0x94;
const SUN4I_TCON1_BASIC1_REG = 0x98;
const SUN4I_TCON1_BASIC2_REG = 0x9c;
const SUN4I_TCON1_BASIC3_REG = 0xa0;
const SUN4I_TCON1_BASIC4_REG = 0xa4;
const SUN4I_TCON1_BASIC5_REG = 0xa8;
const SUN4I_TCON0_IO_TRI_REG = 0x8c;
const SUN4I_TCON1_IO_TRI_REG = 0xf4;

/**
 * The controller, and the clock of its pixels, on or off.
 * Linux: drivers/gpu/drm/sun4i/sun4i_tcon.c: sun4i_tcon_set_status()
 */
export function sun4i_tcon_set_status(tcon: sun4i_tcon, encoder: drm_encoder | null, enabled: bool): void {
	if (!encoder || encoder.encoder_type !== DRM_MODE_ENCODER_TMDS) return;
	regmap_update_bits(
		tcon.regs,
		SUN4I_TCON_GCTL_REG,
		SUN4I_TCON_GCTL_TCON_ENABLE,
		enabled ? SUN4I_TCON_GCTL_TCON_ENABLE : 0,
	);
	regmap_update_bits(
		tcon.regs,
		SUN4I_TCON1_CTL_REG,
		SUN4I_TCON1_CTL_TCON_ENABLE,
		enabled ? SUN4I_TCON1_CTL_TCON_ENABLE : 0,
	);
	if (enabled) clk_prepare_enable(tcon.sclk1);
	else clk_disable_unprepare(tcon.sclk1);
}

/**
 * The interrupt at vertical blanking, on or off.
 * Linux: drivers/gpu/drm/sun4i/sun4i_tcon.c: sun4i_tcon_enable_vblank()
 */
export function sun4i_tcon_enable_vblank(tcon: sun4i_tcon, enable: bool): void {
	regmap_update_bits(tcon.regs, SUN4I_TCON_GINT0_REG, GINT0_ENABLES, enable ? GINT0_ENABLES : 0);
}

function size_of(mode: drm_display_mode): u32 {
	return (((mode.crtc_hdisplay - 1) & 0xfff) << 16) | ((mode.crtc_vdisplay - 1) & 0xfff);
}

function sun4i_tcon1_mode_set(tcon: sun4i_tcon, mode: drm_display_mode): void {
	const { regs } = tcon;
	const rate: unsigned_long = mode.crtc_clock;
	clk_set_rate(tcon.sclk1, rate * 1000);

	const clk_delay: u32 = Math.min(mode.vtotal - mode.vdisplay - 2, 30);
	regmap_update_bits(
		regs,
		SUN4I_TCON1_CTL_REG,
		SUN4I_TCON1_CTL_CLK_DELAY_MASK,
		(clk_delay << 4) & SUN4I_TCON1_CTL_CLK_DELAY_MASK,
	);
	regmap_update_bits(regs, SUN4I_TCON1_CTL_REG, SUN4I_TCON1_CTL_INTERLACE_ENABLE, 0);
	// Input, scaler and output are one size: this scaler is not used.
	regmap_write(regs, SUN4I_TCON1_BASIC0_REG, size_of(mode));
	regmap_write(regs, SUN4I_TCON1_BASIC1_REG, size_of(mode));
	regmap_write(regs, SUN4I_TCON1_BASIC2_REG, size_of(mode));

	let bp = mode.crtc_htotal - mode.crtc_hsync_start;
	regmap_write(regs, SUN4I_TCON1_BASIC3_REG, (((mode.crtc_htotal - 1) & 0x1fff) << 16) | ((bp - 1) & 0xfff));
	bp = mode.crtc_vtotal - mode.crtc_vsync_start;
	// In half lines.
	regmap_write(regs, SUN4I_TCON1_BASIC4_REG, (((mode.vtotal * 2) & 0x1fff) << 16) | ((bp - 1) & 0xfff));
	const hsync = mode.crtc_hsync_end - mode.crtc_hsync_start;
	const vsync = mode.crtc_vsync_end - mode.crtc_vsync_start;
	regmap_write(regs, SUN4I_TCON1_BASIC5_REG, (((hsync - 1) & 0x3ff) << 16) | ((vsync - 1) & 0x3ff));

	let val: u32 = 0;
	if (mode.flags & DRM_MODE_FLAG_PHSYNC) val |= SUN4I_TCON0_IO_POL_HSYNC_POSITIVE;
	if (mode.flags & DRM_MODE_FLAG_PVSYNC) val |= SUN4I_TCON0_IO_POL_VSYNC_POSITIVE;
	regmap_write(regs, SUN4I_TCON0_IO_POL_REG, val);
	regmap_update_bits(regs, SUN4I_TCON_GCTL_REG, SUN4I_TCON_GCTL_IOMAP_MASK, SUN4I_TCON_GCTL_IOMAP_TCON1);
}

/** Timings, clock and path for @mode. Linux: drivers/gpu/drm/sun4i/sun4i_tcon.c: sun4i_tcon_mode_set() */
export function sun4i_tcon_mode_set(
	tcon: sun4i_tcon,
	encoder: drm_encoder | null,
	mode: drm_display_mode,
): void {
	if (!encoder || encoder.encoder_type !== DRM_MODE_ENCODER_TMDS) return;
	sun4i_tcon1_mode_set(tcon, mode);
	if (tcon.quirks.set_mux) tcon.quirks.set_mux(tcon, encoder);
}

function sun4i_tcon_handler(_irq: int, private_: unknown): irqreturn_t {
	const tcon = private_ as sun4i_tcon;
	const status = new ref<unsigned_int>(0);
	regmap_read(tcon.regs, SUN4I_TCON_GINT0_REG, status);
	if ((status.value & GINT0_FLAGS) === 0) return IRQ_NONE;
	drm_crtc_handle_vblank(tcon.crtc.crtc);
	regmap_update_bits(tcon.regs, SUN4I_TCON_GINT0_REG, GINT0_FLAGS, 0);
	return IRQ_HANDLED;
}

/** As many blocks as a pipeline is looked through for its engine. */
const MAX_PIPELINE_DEPTH = 16;

/**
 * The engine that feeds @node, found against the stream; -ELOOP when the stream goes in a circle.
 * DEVIATION: 6.12 follows a circle until its stack ends.
 */
function sun4i_tcon_find_engine_traverse(
	drv: sun4i_drv,
	node: device_node,
	port_id: u32,
	depth: int,
): sunxi_engine | err_ptr {
	if (depth === MAX_PIPELINE_DEPTH) return ERR_PTR(-ELOOP);
	const port = of_graph_get_port_by_id(node, port_id);
	if (!port) return ERR_PTR(-EINVAL);
	let count: int = 0;
	let ep: device_node | null = null;
	for (const child of for_each_available_child_of_node(port)) {
		ep = child;
		count++;
	}
	of_node_put(port);
	if (count !== 1) return ERR_PTR(-EINVAL);
	const remote = of_graph_get_remote_port_parent(ep!);
	if (!remote) return ERR_PTR(-EINVAL);
	for (const engine of list_for_each_entry(drv.engine_list)) if (remote === engine.node) return engine;

	// Inputs have even numbers; the output that leads here has the next one.
	const reg = new ref<u32>(0);
	const remote_port = of_graph_get_remote_port(ep!);
	if (of_property_read_u32(remote_port, 'reg', reg) === 0 && reg.value > 0) reg.value = (reg.value - 1) >>> 0;
	return sun4i_tcon_find_engine_traverse(drv, remote, reg.value, depth + 1);
}

/** The `reg` of the last endpoint upstream that has one. */
function sun4i_tcon_of_get_id_from_port(port: device_node): int {
	let ret: int = -EINVAL;
	for (const ep of for_each_available_child_of_node(port)) {
		const remote = of_graph_get_remote_endpoint(ep);
		if (!remote) continue;
		const reg = new ref<u32>(0);
		ret = of_property_read_u32(remote, 'reg', reg);
		of_node_put(remote);
		if (!ret) ret = reg.value;
	}
	return ret;
}

function sun4i_tcon_find_engine(drv: sun4i_drv, node: device_node): sunxi_engine | err_ptr {
	const port = of_graph_get_port_by_id(node, 0);
	if (!port) return ERR_PTR(-EINVAL);
	if (of_get_child_count(port) > 1) {
		// Behind a TCON TOP controllers are counted as they come.
		const id = list_count_nodes(drv.tcon_list);
		for (const engine of list_for_each_entry(drv.engine_list)) {
			const engine_id: size_t = engine.id;
			if (engine_id === id) return engine;
		}
		return ERR_PTR(-EINVAL);
	}
	return sun4i_tcon_find_engine_traverse(drv, node, 0, 0);
}

const sun4i_tcon_regmap_config: regmap_config = {
	reg_bits: 32,
	val_bits: 32,
	reg_stride: 4,
	max_register: 0x800,
};

/** Clocks, registers, interrupt and CRTC of a controller that is out of reset. */
function sun4i_tcon_init(dev: device, tcon: sun4i_tcon, engine: sunxi_engine): int {
	const pdev = to_platform_device(dev);

	const clk = devm_clk_get_enabled(dev, 'ahb');
	if (IS_ERR(clk)) {
		dev_err(dev, "Couldn't get the TCON bus clock");
		return PTR_ERR(clk);
	}
	tcon.clk = clk;
	const sclk1 = devm_clk_get(dev, 'tcon-ch1');
	if (IS_ERR(sclk1)) {
		dev_err(dev, "Couldn't get the TCON channel 1 clock");
		return PTR_ERR(sclk1);
	}
	tcon.sclk1 = sclk1;
	const regs = devm_platform_ioremap_resource(pdev, 0);
	if (IS_ERR(regs)) return PTR_ERR(regs);
	const map = devm_regmap_init_mmio(dev, regs, sun4i_tcon_regmap_config);
	if (IS_ERR(map)) {
		dev_err(dev, "Couldn't create the TCON regmap");
		return PTR_ERR(map);
	}
	tcon.regs = map;
	// Off, no interrupts, all lines tri-stated.
	regmap_write(map, SUN4I_TCON_GCTL_REG, 0);
	regmap_write(map, SUN4I_TCON_GINT0_REG, 0);
	regmap_write(map, SUN4I_TCON_GINT1_REG, 0);
	regmap_write(map, SUN4I_TCON0_IO_TRI_REG, 0xffffffff);
	regmap_write(map, SUN4I_TCON1_IO_TRI_REG, 0xffffffff);

	const irq = platform_get_irq(pdev, 0);
	if (irq < 0) return irq;
	const err = devm_request_irq(dev, irq, sun4i_tcon_handler, 0, dev_name(dev), tcon);
	if (err) {
		dev_err(dev, "Couldn't request the IRQ");
		return err;
	}
	const crtc = sun4i_crtc_init(tcon.drm, engine, tcon);
	if (IS_ERR(crtc)) {
		dev_err(dev, "Couldn't create our CRTC");
		return PTR_ERR(crtc);
	}
	tcon.crtc = crtc;
	return 0;
}

function sun4i_tcon_bind(dev: device, _master: device, data: unknown): int {
	const drm = data as drm_device;
	const drv = drm.dev_private as sun4i_drv;

	const engine = sun4i_tcon_find_engine(drv, dev.of_node!);
	if (IS_ERR(engine)) {
		if (PTR_ERR(engine) === -ELOOP) dev_err(dev, 'The pipeline leads in a circle');
		dev_err(dev, "Couldn't find matching engine");
		return -EPROBE_DEFER;
	}
	const tcon = devm_kzalloc(dev, sun4i_tcon, GFP_KERNEL);
	if (!tcon) return -ENOMEM;
	dev_set_drvdata(dev, tcon);
	tcon.drm = drm;
	tcon.dev = dev;
	tcon.id = engine.id;
	tcon.quirks = of_device_get_match_data(dev) as sun4i_tcon_quirks;

	const lcd_rst = devm_reset_control_get(dev, 'lcd');
	if (IS_ERR(lcd_rst)) {
		dev_err(dev, "Couldn't get our reset line");
		return PTR_ERR(lcd_rst);
	}
	tcon.lcd_rst = lcd_rst;
	let ret = reset_control_reset(lcd_rst);
	if (ret) {
		dev_err(dev, "Couldn't deassert our reset line");
		return ret;
	}
	ret = sun4i_tcon_init(dev, tcon, engine);
	if (ret) {
		reset_control_assert(lcd_rst);
		return ret;
	}
	list_add_tail(tcon.list, drv.tcon_list);
	return 0;
}

function sun4i_tcon_unbind(dev: device, _master: device, _data: unknown): void {
	const tcon = dev_get_drvdata<sun4i_tcon>(dev);
	list_del(tcon.list);
}

const sun4i_tcon_ops: component_ops = { bind: sun4i_tcon_bind, unbind: sun4i_tcon_unbind };

/** Have TCON TOP lead the mixer here and HDMI away. Linux: sun8i_r40_tcon_tv_set_mux() */
function sun8i_r40_tcon_tv_set_mux(tcon: sun4i_tcon, encoder: drm_encoder): int {
	const node = tcon.dev.of_node!;
	const port = of_graph_get_port_by_id(node, 0);
	const top_node = of_graph_get_remote_node(node, 0, ANY_ENDPOINT);
	const top = top_node ? of_find_device_by_node(top_node) : null;
	let ret: int = port && top ? 0 : -EINVAL;
	if (port && top) {
		// What TCON TOP calls this controller.
		const id = sun4i_tcon_of_get_id_from_port(port);
		if (encoder.encoder_type === DRM_MODE_ENCODER_TMDS) ret = sun8i_tcon_top_set_hdmi_src(top.dev, id);
		if (!ret) ret = sun8i_tcon_top_de_config(top.dev, tcon.id, id);
	}
	if (top) put_device(top.dev);
	if (top_node) of_node_put(top_node);
	if (port) of_node_put(port);
	return ret;
}

const sun8i_r40_tv_quirks: sun4i_tcon_quirks = {
	has_channel_0: false,
	has_channel_1: true,
	polarity_in_ch0: true,
	set_mux: sun8i_r40_tcon_tv_set_mux,
};

export const sun4i_tcon_of_table: readonly of_device_id[] = [
	{ compatible: 'allwinner,sun8i-r40-tcon-tv', data: sun8i_r40_tv_quirks },
];

function sun4i_tcon_probe(pdev: platform_device): int {
	return component_add(pdev.dev, sun4i_tcon_ops);
}

function sun4i_tcon_remove(pdev: platform_device): void {
	component_del(pdev.dev, sun4i_tcon_ops);
}

const sun4i_tcon_platform_driver = new platform_driver({
	probe: sun4i_tcon_probe,
	remove: sun4i_tcon_remove,
	driver: { name: 'sun4i-tcon', of_match_table: sun4i_tcon_of_table },
});
module_platform_driver(sun4i_tcon_platform_driver);
