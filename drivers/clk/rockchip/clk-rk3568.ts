// SPDX-License-Identifier: GPL-2.0-only
// The clock units of RK3566 and RK3568: what the blocks behind IOMMUs, and the power domains, need.
// Linux 6.12: drivers/clk/rockchip/clk-rk3568.c
//
// Left out: every other clock (an always-on dummy), what clk.ts leaves out, the driver for a unit that is not there
// at boot.
import {
	GATE,
	RK3568_CLKGATE_CON,
	RK3568_PMU_SOFTRST_CON,
	RK3568_SOFTRST_CON,
	type rockchip_clk_branch,
	rockchip_clk_init,
	rockchip_clk_of_add_provider,
	rockchip_clk_register_branches,
} from '#drivers/clk/rockchip/clk.js';
import { rockchip_register_softrst } from '#drivers/clk/rockchip/softrst.js';
import { of_iomap } from '#drivers/of/address.js';
import * as cru from '#include/dt-bindings/clock/rk3568-cru.js';
import { CLK_OF_DECLARE } from '#linux/clk-provider.js';
import { IS_ERR } from '#linux/err.js';
import { iounmap } from '#linux/io.js';
import type { device_node } from '#linux/of_node.js';
import { pr_err } from '#linux/printk.js';

/** One more than the last number in the binding, for each unit. */
const CLK_NR_CLKS = 451;
const CLKPMU_NR_CLKS = 51;

const rk3568_clk_branches: readonly rockchip_clk_branch[] = [
	GATE(cru.ACLK_PIPE, 'aclk_pipe', 'xin24m', RK3568_CLKGATE_CON(10), 0),
	GATE(cru.PCLK_PIPE, 'pclk_pipe', 'aclk_pipe', RK3568_CLKGATE_CON(10), 1),
	GATE(cru.ACLK_VI, 'aclk_vi', 'xin24m', RK3568_CLKGATE_CON(18), 0),
	GATE(cru.HCLK_VI, 'hclk_vi', 'aclk_vi', RK3568_CLKGATE_CON(18), 1),
	GATE(cru.PCLK_VI, 'pclk_vi', 'aclk_vi', RK3568_CLKGATE_CON(18), 2),
	GATE(cru.ACLK_VO, 'aclk_vo', 'xin24m', RK3568_CLKGATE_CON(20), 0),
	GATE(cru.HCLK_VO, 'hclk_vo', 'aclk_vo', RK3568_CLKGATE_CON(20), 1),
	GATE(cru.PCLK_VO, 'pclk_vo', 'aclk_vo', RK3568_CLKGATE_CON(20), 2),
	GATE(cru.ACLK_VOP_PRE, 'aclk_vop_pre', 'xin24m', RK3568_CLKGATE_CON(20), 6),
	GATE(cru.ACLK_VOP, 'aclk_vop', 'aclk_vop_pre', RK3568_CLKGATE_CON(20), 8),
	GATE(cru.HCLK_VOP, 'hclk_vop', 'hclk_vo', RK3568_CLKGATE_CON(20), 9),
	GATE(cru.DCLK_VOP0, 'dclk_vop0', 'xin24m', RK3568_CLKGATE_CON(20), 10),
	GATE(cru.DCLK_VOP1, 'dclk_vop1', 'xin24m', RK3568_CLKGATE_CON(20), 11),
	GATE(cru.DCLK_VOP2, 'dclk_vop2', 'xin24m', RK3568_CLKGATE_CON(20), 12),
	GATE(cru.ACLK_VPU_PRE, 'aclk_vpu_pre', 'xin24m', RK3568_CLKGATE_CON(22), 0),
	GATE(cru.HCLK_VPU_PRE, 'hclk_vpu_pre', 'aclk_vpu_pre', RK3568_CLKGATE_CON(22), 1),
	GATE(cru.ACLK_VPU, 'aclk_vpu', 'aclk_vpu_pre', RK3568_CLKGATE_CON(22), 4),
	GATE(cru.HCLK_VPU, 'hclk_vpu', 'hclk_vpu_pre', RK3568_CLKGATE_CON(22), 5),
	GATE(cru.ACLK_RGA_PRE, 'aclk_rga_pre', 'xin24m', RK3568_CLKGATE_CON(23), 0),
	GATE(cru.HCLK_RGA_PRE, 'hclk_rga_pre', 'aclk_rga_pre', RK3568_CLKGATE_CON(23), 1),
	GATE(cru.PCLK_RGA_PRE, 'pclk_rga_pre', 'aclk_rga_pre', RK3568_CLKGATE_CON(22), 12),
	GATE(cru.ACLK_JENC, 'aclk_jenc', 'aclk_rga_pre', RK3568_CLKGATE_CON(23), 14),
	GATE(cru.HCLK_JENC, 'hclk_jenc', 'hclk_rga_pre', RK3568_CLKGATE_CON(23), 15),
	GATE(cru.ACLK_RKVENC_PRE, 'aclk_rkvenc_pre', 'xin24m', RK3568_CLKGATE_CON(24), 0),
	GATE(cru.HCLK_RKVENC_PRE, 'hclk_rkvenc_pre', 'aclk_rkvenc_pre', RK3568_CLKGATE_CON(24), 1),
	GATE(cru.ACLK_RKVDEC_PRE, 'aclk_rkvdec_pre', 'xin24m', RK3568_CLKGATE_CON(25), 0),
	GATE(cru.HCLK_RKVDEC_PRE, 'hclk_rkvdec_pre', 'aclk_rkvdec_pre', RK3568_CLKGATE_CON(25), 1),
];

function rk3568_clk_init(np: device_node): void {
	const reg_base = of_iomap(np, 0);
	if (reg_base === null) {
		pr_err('%s: could not map cru region', 'rk3568_clk_init');
		return;
	}
	const ctx = rockchip_clk_init(np, reg_base, CLK_NR_CLKS);
	if (IS_ERR(ctx)) {
		pr_err('%s: rockchip clk init failed', 'rk3568_clk_init');
		iounmap(reg_base);
		return;
	}
	rockchip_clk_register_branches(ctx, rk3568_clk_branches);
	rockchip_register_softrst(np, 30, reg_base + RK3568_SOFTRST_CON(0));
	rockchip_clk_of_add_provider(np, ctx);
}
CLK_OF_DECLARE('rk3568_cru', 'rockchip,rk3568-cru', rk3568_clk_init);

function rk3568_pmu_clk_init(np: device_node): void {
	const reg_base = of_iomap(np, 0);
	if (reg_base === null) {
		pr_err('%s: could not map cru pmu region', 'rk3568_pmu_clk_init');
		return;
	}
	const ctx = rockchip_clk_init(np, reg_base, CLKPMU_NR_CLKS);
	if (IS_ERR(ctx)) {
		pr_err('%s: rockchip pmu clk init failed', 'rk3568_pmu_clk_init');
		iounmap(reg_base);
		return;
	}
	rockchip_register_softrst(np, 1, reg_base + RK3568_PMU_SOFTRST_CON(0));
	rockchip_clk_of_add_provider(np, ctx);
}
CLK_OF_DECLARE('rk3568_cru_pmu', 'rockchip,rk3568-pmucru', rk3568_pmu_clk_init);
