// SPDX-License-Identifier: GPL-2.0-only
// The kernel image: what is built in, in the order in which it is linked.
// Linux 6.12: Makefile, drivers/Makefile; initcalls of one level run in this order

import '#kernel/irq/irqdesc.js';
import '#kernel/workqueue.js';
import '#kernel/dma/contiguous.js';
import '#kernel/dma/coherent.js';
import '#kernel/dma/swiotlb.js';
import '#kernel/dma/pool.js';
import '#mm/cma.js';
import '#mm/dmapool.js';
import '#fs/sysfs/mount.js';
import '#fs/debugfs/inode.js';
import '#fs/tracefs/inode.js';
import '#fs/proc/root.js';
import '#fs/proc/cmdline.js';
import '#fs/proc/interrupts.js';
import '#fs/proc/meminfo.js';
import '#kernel/trace/trace.js';
import '#kernel/trace/trace_events.js';
import '#drivers/irqchip/irqchip.js';
import '#drivers/irqchip/irq-gic.js';
import '#drivers/irqchip/irq-gic-v3.js';
import '#drivers/bus/sun50i-de2.js';
import '#drivers/soc/sunxi/sunxi_sram.js';
import '#drivers/clk/clk-fixed-rate.js';
import '#drivers/clk/clk-fixed-factor.js';
import '#drivers/clk/sunxi-ng/ccu-sun50i-h6.js';
import '#drivers/clk/sunxi-ng/ccu-sun50i-h6-r.js';
import '#drivers/clk/sunxi-ng/ccu-sun50i-h616.js';
import '#drivers/clk/sunxi-ng/ccu-sun8i-de2.js';
import '#drivers/reset/reset-simple.js';
import '#drivers/iommu/iommu.js';
import '#drivers/iommu/iommu-sysfs.js';
import '#drivers/iommu/iommu-debugfs.js';
import '#drivers/iommu/dma-iommu.js';
import '#drivers/iommu/sun50i-iommu.js';
import '#drivers/gpu/drm/drm_drv.js';
import '#drivers/gpu/drm/sun4i/sun4i_drv.js';
import '#drivers/gpu/drm/sun4i/sun4i_tcon.js';
import '#drivers/gpu/drm/sun4i/sun8i_dw_hdmi.js';
import '#drivers/gpu/drm/sun4i/sun8i_mixer.js';
import '#drivers/gpu/drm/sun4i/sun8i_tcon_top.js';
import '#drivers/base/dd.js';
import '#drivers/of/platform.js';
import '#drivers/staging/media/sunxi/cedrus/cedrus.js';
