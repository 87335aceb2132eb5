// SPDX-License-Identifier: GPL-2.0-only
// The video engine's power, clocks, interrupt and watchdog.
// Linux 6.12: drivers/staging/media/sunxi/cedrus/cedrus_hw.c
// Left out: the modes of codecs other than JPEG.
import { devm_platform_ioremap_resource, platform_get_irq } from '#drivers/base/platform.js';
import { clk_set_rate } from '#drivers/clk/clk.js';
import { devm_clk_get } from '#drivers/clk/clk-devres.js';
import {
	v4l2_m2m_buf_done_and_job_finish,
	v4l2_m2m_get_curr_priv,
} from '#drivers/media/v4l2-core/v4l2-mem2mem.js';
import { of_device_get_match_data } from '#drivers/of/device.js';
import { of_reserved_mem_device_init, of_reserved_mem_device_release } from '#drivers/of/of_reserved_mem.js';
import { reset_control_assert, reset_control_reset } from '#drivers/reset/core.js';
import * as regs from '#drivers/staging/media/sunxi/cedrus/cedrus_regs.js';
import {
	CEDRUS_IRQ_ERROR,
	CEDRUS_IRQ_NONE,
	type cedrus_ctx,
	cedrus_dev,
	type cedrus_variant,
	cedrus_write,
} from '#drivers/staging/media/sunxi/cedrus/cedrus_types.js';
import { v4l2_err } from '#include/media/v4l2-device.js';
import { VB2_BUF_STATE_DONE, VB2_BUF_STATE_ERROR } from '#include/media/videobuf2-core.js';
import { V4L2_PIX_FMT_JPEG, V4L2_PIX_FMT_NV12, type v4l2_pix_format } from '#include/uapi/linux/videodev2.js';
import { ALIGN } from '#linux/align.js';
import { type clk, clk_disable_unprepare, clk_prepare_enable } from '#linux/clk.js';
import { dev_err } from '#linux/dev_printk.js';
import { dev_get_drvdata, dev_name, type device } from '#linux/device.js';
import { type err_ptr, IS_ERR, PTR_ERR } from '#linux/err.js';
import { EINVAL, ENODEV } from '#linux/errno.js';
import { devm_request_irq, IRQ_HANDLED, IRQ_NONE, type irqreturn_t } from '#linux/interrupt.js';
import {
	pm_runtime_disable,
	pm_runtime_enable,
	pm_runtime_enabled,
	pm_runtime_status_suspended,
} from '#linux/pm_runtime.js';
import { devm_reset_control_get } from '#linux/reset.js';
import { sunxi_sram_claim, sunxi_sram_release } from '#linux/soc/sunxi/sunxi_sram.js';
import { container_of, type int, type u32 } from '#linux/types.js';
import { cancel_delayed_work, to_delayed_work, type work_struct } from '#linux/workqueue.js';

/** Select the engine that decodes the source format. -EINVAL. Linux: cedrus_engine_enable() */
export function cedrus_engine_enable(ctx: cedrus_ctx): int {
	let reg: u32 = regs.VE_MODE_REC_WR_MODE_2MB | regs.VE_MODE_DDR_MODE_BW_128;

	switch (ctx.src_fmt.pixelformat) {
		// JPEG is a mode of the MPEG engine.
		case V4L2_PIX_FMT_JPEG:
			reg |= regs.VE_MODE_DEC_MPEG;
			break;
		default:
			return -EINVAL;
	}
	if (ctx.src_fmt.width === 4096) reg |= regs.VE_MODE_PIC_WIDTH_IS_4096;
	if (ctx.src_fmt.width > 2048) reg |= regs.VE_MODE_PIC_WIDTH_MORE_2048;

	cedrus_write(ctx.dev, regs.VE_MODE, reg);
	return 0;
}

/** No engine. Linux: cedrus_engine_disable() */
export function cedrus_engine_disable(dev: cedrus_dev): void {
	cedrus_write(dev, regs.VE_MODE, regs.VE_MODE_DISABLED);
}

/** The layout of the picture that the engine writes. Linux: cedrus_dst_format_set() */
export function cedrus_dst_format_set(dev: cedrus_dev, fmt: v4l2_pix_format): void {
	const { width, height } = fmt;
	const chroma_size = Math.floor(((ALIGN(width, 16) * ALIGN(height, 16)) >>> 0) / 2);

	switch (fmt.pixelformat) {
		case V4L2_PIX_FMT_NV12:
			cedrus_write(dev, regs.VE_PRIMARY_OUT_FMT, regs.VE_PRIMARY_OUT_FMT_NV12);
			cedrus_write(dev, regs.VE_PRIMARY_CHROMA_BUF_LEN, Math.floor(chroma_size / 2));
			cedrus_write(
				dev,
				regs.VE_PRIMARY_FB_LINE_STRIDE,
				(regs.VE_PRIMARY_FB_LINE_STRIDE_LUMA(ALIGN(width, 16)) |
					regs.VE_PRIMARY_FB_LINE_STRIDE_CHROMA(Math.floor(ALIGN(width, 16) / 2))) >>>
					0,
			);
			break;
		default:
			cedrus_write(dev, regs.VE_PRIMARY_OUT_FMT, regs.VE_PRIMARY_OUT_FMT_TILED_32_NV12);
			cedrus_write(dev, regs.VE_CHROMA_BUF_LEN, regs.VE_SECONDARY_OUT_FMT_TILED_32_NV12);
			break;
	}
}

function cedrus_irq(_irq: int, data: unknown): irqreturn_t {
	const dev = data as cedrus_dev;

	// Nothing to cancel: the watchdog came first, and has ended the job.
	if (!cancel_delayed_work(dev.watchdog_work)) return IRQ_HANDLED;

	const ctx = v4l2_m2m_get_curr_priv(dev.m2m_dev) as cedrus_ctx | null;
	if (!ctx) {
		v4l2_err(dev.v4l2_dev, 'Instance released before the end of transaction');
		return IRQ_NONE;
	}
	const codec = ctx.current_codec!;
	const status = codec.irq_status(ctx);
	if (status === CEDRUS_IRQ_NONE) return IRQ_NONE;

	codec.irq_disable(ctx);
	codec.irq_clear(ctx);
	v4l2_m2m_buf_done_and_job_finish(
		dev.m2m_dev,
		ctx.fh.m2m_ctx!,
		status === CEDRUS_IRQ_ERROR ? VB2_BUF_STATE_ERROR : VB2_BUF_STATE_DONE,
	);
	return IRQ_HANDLED;
}

/** The engine has not answered in time: reset it and fail the job. Linux: cedrus_watchdog() */
export function cedrus_watchdog(work: work_struct): void {
	const dev = container_of(to_delayed_work(work), cedrus_dev);

	const ctx = v4l2_m2m_get_curr_priv(dev.m2m_dev) as cedrus_ctx | null;
	if (!ctx) return;

	v4l2_err(dev.v4l2_dev, 'frame processing timed out!');
	reset_control_reset(dev.rstc);
	v4l2_m2m_buf_done_and_job_finish(dev.m2m_dev, ctx.fh.m2m_ctx!, VB2_BUF_STATE_ERROR);
}

/** Clocks off, reset on. Linux: cedrus_hw_suspend() */
export function cedrus_hw_suspend(device: device): int {
	const dev = dev_get_drvdata<cedrus_dev>(device);

	clk_disable_unprepare(dev.ram_clk);
	clk_disable_unprepare(dev.mod_clk);
	clk_disable_unprepare(dev.ahb_clk);
	reset_control_assert(dev.rstc);
	return 0;
}

/** Reset, clocks on. Linux: cedrus_hw_resume() */
export function cedrus_hw_resume(device: device): int {
	const dev = dev_get_drvdata<cedrus_dev>(device);

	let ret = reset_control_reset(dev.rstc);
	if (ret) {
		dev_err(dev.dev, 'Failed to apply reset');
		return ret;
	}
	err_rst: {
		ret = clk_prepare_enable(dev.ahb_clk);
		if (ret) {
			dev_err(dev.dev, 'Failed to enable AHB clock');
			break err_rst;
		}
		err_ahb_clk: {
			ret = clk_prepare_enable(dev.mod_clk);
			if (ret) {
				dev_err(dev.dev, 'Failed to enable MOD clock');
				break err_ahb_clk;
			}
			ret = clk_prepare_enable(dev.ram_clk);
			if (!ret) return 0;
			dev_err(dev.dev, 'Failed to enable RAM clock');
			clk_disable_unprepare(dev.mod_clk);
		}
		clk_disable_unprepare(dev.ahb_clk);
	}
	reset_control_assert(dev.rstc);
	return ret;
}

/** A clock of the engine, by its name in the tree; @what is its name in a message. */
function cedrus_get_clk(dev: cedrus_dev, id: string, what: string): clk | err_ptr {
	const found = devm_clk_get(dev.dev, id);
	if (IS_ERR(found)) dev_err(dev.dev, 'Failed to get %s clock', what);
	return found;
}

/** Clocks, reset line and registers, all given back with the binding. */
function cedrus_get_resources(dev: cedrus_dev): int {
	const ahb_clk = cedrus_get_clk(dev, 'ahb', 'AHB');
	if (IS_ERR(ahb_clk)) return PTR_ERR(ahb_clk);
	const mod_clk = cedrus_get_clk(dev, 'mod', 'MOD');
	if (IS_ERR(mod_clk)) return PTR_ERR(mod_clk);
	const ram_clk = cedrus_get_clk(dev, 'ram', 'RAM');
	if (IS_ERR(ram_clk)) return PTR_ERR(ram_clk);

	const rstc = devm_reset_control_get(dev.dev, null);
	if (IS_ERR(rstc)) {
		dev_err(dev.dev, 'Failed to get reset control');
		return PTR_ERR(rstc);
	}
	const base = devm_platform_ioremap_resource(dev.pdev, 0);
	if (IS_ERR(base)) {
		dev_err(dev.dev, 'Failed to map registers');
		return PTR_ERR(base);
	}
	dev.ahb_clk = ahb_clk;
	dev.mod_clk = mod_clk;
	dev.ram_clk = ram_clk;
	dev.rstc = rstc;
	dev.base = base;
	return 0;
}

/** Leave power to runtime PM; where there is none, the engine is on for as long as it is bound. */
function cedrus_hw_power(dev: cedrus_dev): int {
	pm_runtime_enable(dev.dev);
	if (pm_runtime_enabled(dev.dev)) return 0;
	const ret = cedrus_hw_resume(dev.dev);
	if (ret !== 0) pm_runtime_disable(dev.dev);
	return ret;
}

/** Find everything that the engine needs. Linux: cedrus_hw_probe() */
export function cedrus_hw_probe(dev: cedrus_dev): int {
	const variant = of_device_get_match_data(dev.dev) as cedrus_variant | null;
	if (variant === null) return -EINVAL;
	dev.capabilities = variant.capabilities;

	const irq_dec = platform_get_irq(dev.pdev, 0);
	if (irq_dec <= 0) return irq_dec;
	let ret = devm_request_irq(dev.dev, irq_dec, cedrus_irq, 0, dev_name(dev.dev), dev);
	if (ret !== 0) {
		dev_err(dev.dev, 'Failed to request IRQ');
		return ret;
	}
	ret = of_reserved_mem_device_init(dev.dev);
	if (ret !== 0 && ret !== -ENODEV) {
		dev_err(dev.dev, 'Failed to reserve memory');
		return ret;
	}

	undo_mem: {
		ret = sunxi_sram_claim(dev.dev);
		if (ret !== 0) {
			dev_err(dev.dev, 'Failed to claim SRAM');
			break undo_mem;
		}
		undo_sram: {
			ret = cedrus_get_resources(dev);
			if (ret !== 0) break undo_sram;
			ret = clk_set_rate(dev.mod_clk, variant.mod_rate);
			if (ret !== 0) {
				dev_err(dev.dev, 'Failed to set clock rate');
				break undo_sram;
			}
			ret = cedrus_hw_power(dev);
			if (ret === 0) return 0;
		}
		sunxi_sram_release(dev.dev);
	}
	of_reserved_mem_device_release(dev.dev);
	return ret;
}

/** Undo cedrus_hw_probe(). */
export function cedrus_hw_remove(dev: cedrus_dev): void {
	pm_runtime_disable(dev.dev);
	if (!pm_runtime_status_suspended(dev.dev)) cedrus_hw_suspend(dev.dev);
	sunxi_sram_release(dev.dev);
	of_reserved_mem_device_release(dev.dev);
}
