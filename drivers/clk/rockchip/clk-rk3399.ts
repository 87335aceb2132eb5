// SPDX-License-Identifier: GPL-2.0-only
// The clock units of RK3399: what the blocks behind IOMMUs, and the power domains, need.
// Linux 6.12: drivers/clk/rockchip/clk-rk3399.c
//
// Left out: every other clock (an always-on dummy), what clk.ts leaves out, the driver for a unit that is not there
// at boot.
import {
	GATE,
	MUX,
	RK3399_CLKGATE_CON,
	RK3399_PMU_SOFTRST_CON,
	RK3399_SOFTRST_CON,
	type rockchip_clk_branch,
	rockchip_clk_init,
	rockchip_clk_of_add_provider,
	rockchip_clk_register_branches,
} from '#drivers/clk/rockchip/clk.js';
import { rockchip_register_softrst } from '#drivers/clk/rockchip/softrst.js';
import { of_iomap } from '#drivers/of/address.js';
import * as cru from '#include/dt-bindings/clock/rk3399-cru.js';
import { CLK_OF_DECLARE } from '#linux/clk-provider.js';
import { IS_ERR } from '#linux/err.js';
import { iounmap } from '#linux/io.js';
import type { device_node } from '#linux/of_node.js';
import { pr_err } from '#linux/printk.js';

/** One more than the last number in the binding, for each unit. */
const CLK_NR_CLKS = 497;
const CLKPMU_NR_CLKS = 51;

const rk3399_clk_branches: readonly rockchip_clk_branch[] = [
	GATE(cru.SCLK_SDMMC, 'clk_sdmmc', 'xin24m', RK3399_CLKGATE_CON(6), 1),
	GATE(cru.SCLK_ISP0, 'clk_isp0', 'xin24m', RK3399_CLKGATE_CON(11), 4),
	GATE(cru.SCLK_ISP1, 'clk_isp1', 'xin24m', RK3399_CLKGATE_CON(11), 5),
	GATE(cru.SCLK_UPHY0_TCPDPHY_REF, 'clk_uphy0_tcpdphy_ref', 'xin24m', RK3399_CLKGATE_CON(13), 4),
	GATE(cru.SCLK_UPHY0_TCPDCORE, 'clk_uphy0_tcpdcore', 'xin24m', RK3399_CLKGATE_CON(13), 5),
	GATE(cru.SCLK_UPHY1_TCPDPHY_REF, 'clk_uphy1_tcpdphy_ref', 'xin24m', RK3399_CLKGATE_CON(13), 6),
	GATE(cru.SCLK_UPHY1_TCPDCORE, 'clk_uphy1_tcpdcore', 'xin24m', RK3399_CLKGATE_CON(13), 7),
	GATE(cru.SCLK_VDU_CORE, 'clk_vdu_core', 'xin24m', RK3399_CLKGATE_CON(4), 4),
	GATE(cru.DCLK_VOP0_DIV, 'dclk_vop0_div', 'xin24m', RK3399_CLKGATE_CON(10), 12),
	MUX(cru.DCLK_VOP0, 'dclk_vop0', 'dclk_vop0_div'),
	GATE(cru.DCLK_VOP1_DIV, 'dclk_vop1_div', 'xin24m', RK3399_CLKGATE_CON(10), 13),
	MUX(cru.DCLK_VOP1, 'dclk_vop1', 'dclk_vop1_div'),
	GATE(cru.SCLK_VDU_CA, 'clk_vdu_ca', 'xin24m', RK3399_CLKGATE_CON(4), 5),
	GATE(0, 'aclk_gpu_pre', 'xin24m', RK3399_CLKGATE_CON(13), 0),
	GATE(cru.ACLK_GPU, 'aclk_gpu', 'aclk_gpu_pre', RK3399_CLKGATE_CON(30), 8),
	GATE(0, 'aclk_gmac_pre', 'xin24m', RK3399_CLKGATE_CON(6), 10),
	GATE(cru.ACLK_GMAC, 'aclk_gmac', 'aclk_gmac_pre', RK3399_CLKGATE_CON(32), 0),
	GATE(cru.ACLK_VOP0_PRE, 'aclk_vop0_pre', 'xin24m', RK3399_CLKGATE_CON(10), 8),
	GATE(cru.ACLK_VOP0, 'aclk_vop0', 'aclk_vop0_pre', RK3399_CLKGATE_CON(28), 3),
	GATE(cru.ACLK_VOP1_PRE, 'aclk_vop1_pre', 'xin24m', RK3399_CLKGATE_CON(10), 10),
	GATE(cru.ACLK_VOP1, 'aclk_vop1', 'aclk_vop1_pre', RK3399_CLKGATE_CON(28), 7),
	GATE(0, 'aclk_rga_pre', 'xin24m', RK3399_CLKGATE_CON(4), 8),
	GATE(cru.ACLK_RGA, 'aclk_rga', 'aclk_rga_pre', RK3399_CLKGATE_CON(16), 8),
	GATE(cru.ACLK_HDCP, 'aclk_hdcp', 'xin24m', RK3399_CLKGATE_CON(11), 12),
	GATE(0, 'aclk_iep_pre', 'xin24m', RK3399_CLKGATE_CON(4), 6),
	GATE(cru.ACLK_IEP, 'aclk_iep', 'aclk_iep_pre', RK3399_CLKGATE_CON(16), 0),
	GATE(cru.ACLK_ISP0, 'aclk_isp0', 'xin24m', RK3399_CLKGATE_CON(12), 8),
	GATE(cru.ACLK_ISP1, 'aclk_isp1', 'xin24m', RK3399_CLKGATE_CON(12), 10),
	GATE(cru.ACLK_ISP0_WRAPPER, 'aclk_isp0_wrapper', 'aclk_isp0', RK3399_CLKGATE_CON(27), 5),
	GATE(cru.HCLK_ISP1, 'hclk_isp1', 'aclk_isp1', RK3399_CLKGATE_CON(12), 11),
	GATE(cru.ACLK_ISP1_WRAPPER, 'aclk_isp1_wrapper', 'hclk_isp1', RK3399_CLKGATE_CON(27), 8),
	GATE(0, 'aclk_vcodec_pre', 'xin24m', RK3399_CLKGATE_CON(4), 0),
	GATE(cru.ACLK_VCODEC, 'aclk_vcodec', 'aclk_vcodec_pre', RK3399_CLKGATE_CON(17), 0),
	GATE(0, 'aclk_vdu_pre', 'xin24m', RK3399_CLKGATE_CON(4), 2),
	GATE(cru.ACLK_VDU, 'aclk_vdu', 'aclk_vdu_pre', RK3399_CLKGATE_CON(17), 8),
	GATE(cru.ACLK_USB3, 'aclk_usb3', 'xin24m', RK3399_CLKGATE_CON(12), 0),
	GATE(0, 'pclk_gmac_pre', 'aclk_gmac_pre', RK3399_CLKGATE_CON(6), 11),
	GATE(cru.PCLK_GMAC, 'pclk_gmac', 'pclk_gmac_pre', RK3399_CLKGATE_CON(32), 2),
	GATE(cru.PCLK_EDP, 'pclk_edp', 'xin24m', RK3399_CLKGATE_CON(11), 11),
	GATE(cru.PCLK_EDP_CTRL, 'pclk_edp_ctrl', 'pclk_edp', RK3399_CLKGATE_CON(32), 13),
	GATE(cru.PCLK_HDCP, 'pclk_hdcp', 'aclk_hdcp', RK3399_CLKGATE_CON(11), 10),
	GATE(cru.HCLK_SD, 'hclk_sd', 'xin24m', RK3399_CLKGATE_CON(12), 13),
	GATE(cru.HCLK_SDMMC, 'hclk_sdmmc', 'hclk_sd', RK3399_CLKGATE_CON(33), 8),
	GATE(0, 'hclk_vop0_pre', 'aclk_vop0_pre', RK3399_CLKGATE_CON(10), 9),
	GATE(cru.HCLK_VOP0, 'hclk_vop0', 'hclk_vop0_pre', RK3399_CLKGATE_CON(28), 2),
	GATE(0, 'hclk_vop1_pre', 'aclk_vop1_pre', RK3399_CLKGATE_CON(10), 11),
	GATE(cru.HCLK_VOP1, 'hclk_vop1', 'hclk_vop1_pre', RK3399_CLKGATE_CON(28), 6),
	GATE(0, 'hclk_iep_pre', 'aclk_iep_pre', RK3399_CLKGATE_CON(4), 7),
	GATE(cru.HCLK_IEP, 'hclk_iep', 'hclk_iep_pre', RK3399_CLKGATE_CON(16), 2),
	GATE(cru.HCLK_ISP0, 'hclk_isp0', 'aclk_isp0', RK3399_CLKGATE_CON(12), 9),
	GATE(cru.HCLK_ISP0_WRAPPER, 'hclk_isp0_wrapper', 'hclk_isp0', RK3399_CLKGATE_CON(27), 4),
	GATE(cru.HCLK_ISP1_WRAPPER, 'hclk_isp1_wrapper', 'aclk_isp0', RK3399_CLKGATE_CON(27), 7),
	GATE(0, 'hclk_rga_pre', 'aclk_rga_pre', RK3399_CLKGATE_CON(4), 9),
	GATE(cru.HCLK_RGA, 'hclk_rga', 'hclk_rga_pre', RK3399_CLKGATE_CON(16), 10),
	GATE(cru.HCLK_HDCP, 'hclk_hdcp', 'aclk_hdcp', RK3399_CLKGATE_CON(11), 3),
	GATE(0, 'hclk_vcodec_pre', 'aclk_vcodec_pre', RK3399_CLKGATE_CON(4), 1),
	GATE(cru.HCLK_VCODEC, 'hclk_vcodec', 'hclk_vcodec_pre', RK3399_CLKGATE_CON(17), 2),
	GATE(0, 'hclk_vdu_pre', 'aclk_vdu_pre', RK3399_CLKGATE_CON(4), 3),
	GATE(cru.HCLK_VDU, 'hclk_vdu', 'hclk_vdu_pre', RK3399_CLKGATE_CON(17), 10),
	GATE(cru.HCLK_SDIO, 'hclk_sdio', 'xin24m', RK3399_CLKGATE_CON(34), 4),
];

function rk3399_clk_init(np: device_node): void {
	const reg_base = of_iomap(np, 0);
	if (reg_base === null) {
		pr_err('%s: could not map cru region', 'rk3399_clk_init');
		return;
	}
	const ctx = rockchip_clk_init(np, reg_base, CLK_NR_CLKS);
	if (IS_ERR(ctx)) {
		pr_err('%s: rockchip clk init failed', 'rk3399_clk_init');
		iounmap(reg_base);
		return;
	}
	rockchip_clk_register_branches(ctx, rk3399_clk_branches);
	rockchip_register_softrst(np, 21, reg_base + RK3399_SOFTRST_CON(0));
	rockchip_clk_of_add_provider(np, ctx);
}
CLK_OF_DECLARE('rk3399_cru', 'rockchip,rk3399-cru', rk3399_clk_init);

function rk3399_pmu_clk_init(np: device_node): void {
	const reg_base = of_iomap(np, 0);
	if (reg_base === null) {
		pr_err('%s: could not map cru pmu region', 'rk3399_pmu_clk_init');
		return;
	}
	const ctx = rockchip_clk_init(np, reg_base, CLKPMU_NR_CLKS);
	if (IS_ERR(ctx)) {
		pr_err('%s: rockchip pmu clk init failed', 'rk3399_pmu_clk_init');
		iounmap(reg_base);
		return;
	}
	rockchip_register_softrst(np, 2, reg_base + RK3399_PMU_SOFTRST_CON(0));
	rockchip_clk_of_add_provider(np, ctx);
}
CLK_OF_DECLARE('rk3399_cru_pmu', 'rockchip,rk3399-pmucru', rk3399_pmu_clk_init);
