// SPDX-License-Identifier: GPL-2.0-only
// A stub client in the place of Rockchip's display, codec and camera drivers: it copies memory by DMA.
// Linux 6.12: none. Those that it stands for are drivers/gpu/drm/rockchip/rockchip_drm_vop.c, rockchip_drm_vop2.c,
// drivers/staging/media/rkvdec/rkvdec.c, drivers/media/platform/verisilicon/hantro_drv.c,
// drivers/media/platform/rockchip/rkisp1/rkisp1-dev.c
//
// What it does as they do: DMA API, runtime PM (which switches its power domain, its clocks and, by the device link,
// its IOMMU), an interrupt that it shares with the IOMMU. The registers are those of the machine's stub.
import { devm_kzalloc } from '#drivers/base/devres.js';
import { devm_platform_ioremap_resource, platform_get_irq } from '#drivers/base/platform.js';
import { dma_map_single, dma_set_mask_and_coherent, dma_unmap_single } from '#kernel/dma/mapping.js';
import { complete, completion, reinit_completion, wait_for_completion_timeout } from '#linux/completion.js';
import { dev_err, dev_err_probe } from '#linux/dev_printk.js';
import { dev_get_drvdata, dev_name, type device } from '#linux/device.js';
import { DMA_FROM_DEVICE, DMA_TO_DEVICE } from '#linux/dma-direction.js';
import { DMA_BIT_MASK, dma_mapping_error } from '#linux/dma-mapping.js';
import { IS_ERR, PTR_ERR } from '#linux/err.js';
import { EFAULT, ENOMEM, ETIMEDOUT } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp_types.js';
import { devm_request_irq, IRQ_HANDLED, IRQ_NONE, IRQF_SHARED, type irqreturn_t } from '#linux/interrupt.js';
import { readl, writel } from '#linux/io.js';
import { msecs_to_jiffies } from '#linux/jiffies.js';
import type { of_device_id } from '#linux/mod_devicetable.js';
import {
	module_platform_driver,
	type platform_device,
	platform_driver,
	platform_get_drvdata,
	platform_set_drvdata,
} from '#linux/platform_device.js';
import {
	pm_runtime_disable,
	pm_runtime_enable,
	pm_runtime_get_if_in_use,
	pm_runtime_put,
	pm_runtime_resume_and_get,
} from '#linux/pm_runtime.js';
import type { __iomem, int, size_t, u32 } from '#linux/types.js';

const STUB_SRC = 0x00;
const STUB_DST = 0x04;
const STUB_LEN = 0x08;
const STUB_START = 0x0c;
/** How it ended; a bit is cleared by writing it. */
const STUB_STATUS = 0x10;
const STUB_STATUS_REFUSED = 1 << 1;

const STUB_TIMEOUT_MS = 100;

class dma_stub {
	dev: device | null = null;
	base: __iomem = 0;
	status: u32 = 0;
	readonly done = new completion();
}

function dma_stub_irq(_irq: int, dev_id: unknown): irqreturn_t {
	const stub = dev_id as dma_stub;

	// The IOMMU's, when this device sleeps.
	if (pm_runtime_get_if_in_use(stub.dev as device) <= 0) return IRQ_NONE;
	const status = readl(stub.base + STUB_STATUS);
	if (status !== 0) {
		writel(status, stub.base + STUB_STATUS);
		stub.status = status;
		complete(stub.done);
	}
	pm_runtime_put(stub.dev as device);
	return status !== 0 ? IRQ_HANDLED : IRQ_NONE;
}

/** Have the stub copy from DMA address @src to @dst, as it is: 0, -EFAULT when it was refused, -ETIMEDOUT. */
export function dma_stub_transfer(dev: device, dst: u32, src: u32, len: size_t): int {
	const stub = dev_get_drvdata<dma_stub>(dev);

	let ret = pm_runtime_resume_and_get(dev);
	if (ret < 0) return ret;

	reinit_completion(stub.done);
	writel(src, stub.base + STUB_SRC);
	writel(dst, stub.base + STUB_DST);
	writel(len, stub.base + STUB_LEN);
	writel(1, stub.base + STUB_START);

	if (wait_for_completion_timeout(stub.done, msecs_to_jiffies(STUB_TIMEOUT_MS)) === 0) ret = -ETIMEDOUT;
	else ret = (stub.status & STUB_STATUS_REFUSED) !== 0 ? -EFAULT : 0;

	pm_runtime_put(dev);
	return ret;
}

/** Copy @src to @dst, memory of equal size, by @dev's DMA: 0, -ENOMEM when it cannot be mapped, or as dma_stub_transfer(). */
export function dma_stub_copy(dev: device, dst: Uint8Array, src: Uint8Array): int {
	let ret = -ENOMEM;

	const from = dma_map_single(dev, src, src.length, DMA_TO_DEVICE);
	if (dma_mapping_error(dev, from) !== 0) return ret;

	const to = dma_map_single(dev, dst, dst.length, DMA_FROM_DEVICE);
	if (dma_mapping_error(dev, to) === 0) {
		ret = dma_stub_transfer(dev, to, from, src.length);
		dma_unmap_single(dev, to, dst.length, DMA_FROM_DEVICE);
	}
	dma_unmap_single(dev, from, src.length, DMA_TO_DEVICE);
	return ret;
}

function dma_stub_probe(pdev: platform_device): int {
	const dev = pdev.dev;

	const stub = devm_kzalloc(dev, dma_stub, GFP_KERNEL);
	if (stub === null) return -ENOMEM;
	stub.dev = dev;
	platform_set_drvdata(pdev, stub);

	const base = devm_platform_ioremap_resource(pdev, 0);
	if (IS_ERR(base)) return PTR_ERR(base);
	stub.base = base;

	const irq = platform_get_irq(pdev, 0);
	if (irq < 0) return irq;

	let ret = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(32));
	if (ret !== 0) return dev_err_probe(dev, ret, 'no 32-bit DMA');

	pm_runtime_enable(dev);
	ret = devm_request_irq(dev, irq, dma_stub_irq, IRQF_SHARED, dev_name(dev), stub);
	if (ret !== 0) {
		dev_err(dev, 'no interrupt %d: %d', irq, ret);
		pm_runtime_disable(dev);
	}
	return ret;
}

function dma_stub_remove(pdev: platform_device): void {
	const stub = platform_get_drvdata<dma_stub>(pdev);
	pm_runtime_disable(stub.dev as device);
}

const dma_stub_of_match: readonly of_device_id[] = [
	{ compatible: 'rockchip,rk3399-vop-big' },
	{ compatible: 'rockchip,rk3399-vop-lit' },
	{ compatible: 'rockchip,rk3566-vop' },
	{ compatible: 'rockchip,rk3568-vop' },
	{ compatible: 'rockchip,rk3399-vpu' },
	{ compatible: 'rockchip,rk3568-vpu' },
	{ compatible: 'rockchip,rk3568-vepu' },
	{ compatible: 'rockchip,rk3399-vdec' },
	{ compatible: 'rockchip,rk3399-cif-isp' },
];

const dma_stub_driver = new platform_driver({
	probe: dma_stub_probe,
	remove: dma_stub_remove,
	driver: { name: 'dma-stub', of_match_table: dma_stub_of_match },
});
module_platform_driver(dma_stub_driver);
