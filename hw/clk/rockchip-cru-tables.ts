// SPDX-License-Identifier: GPL-2.0-only
// Which bit of which register gates a clock of an RK3399 or RK356x, by number, and the gate before it.
//
// Numbers: include/dt-bindings/clock/rk3399-cru.h, rk3568-cru.h. Places: Linux 6.12, drivers/clk/rockchip/
// clk-rk3399.c, clk-rk3568.c, clk.h. Here stand the clocks of the blocks behind IOMMUs, and those of the power
// domains; any other runs.

/** [number (0: none), name, gate register, bit (register -1: no gate of its own), name of the one before ('': it runs)]. */
export type CruGate = readonly [id: number, name: string, con: number, bit: number, parent: string];

export interface CruTable {
	readonly gates: readonly CruGate[];
	/** Offsets of the first gate register and the first reset register, and how many there are. */
	readonly gateOffset: number;
	readonly gateCount: number;
	readonly resetOffset: number;
	readonly resetCount: number;
}

export const CRU_RK3399: CruTable = {
	gates: [
		[76, 'clk_sdmmc', 6, 1, ''],
		[110, 'clk_isp0', 11, 4, ''],
		[111, 'clk_isp1', 11, 5, ''],
		[125, 'clk_uphy0_tcpdphy_ref', 13, 4, ''],
		[126, 'clk_uphy0_tcpdcore', 13, 5, ''],
		[127, 'clk_uphy1_tcpdphy_ref', 13, 6, ''],
		[128, 'clk_uphy1_tcpdcore', 13, 7, ''],
		[158, 'clk_vdu_core', 4, 4, ''],
		[182, 'dclk_vop0_div', 10, 12, ''],
		[180, 'dclk_vop0', -1, 0, 'dclk_vop0_div'],
		[183, 'dclk_vop1_div', 10, 13, ''],
		[181, 'dclk_vop1', -1, 0, 'dclk_vop1_div'],
		[159, 'clk_vdu_ca', 4, 5, ''],
		[0, 'aclk_gpu_pre', 13, 0, ''],
		[208, 'aclk_gpu', 30, 8, 'aclk_gpu_pre'],
		[0, 'aclk_gmac_pre', 6, 10, ''],
		[213, 'aclk_gmac', 32, 0, 'aclk_gmac_pre'],
		[263, 'aclk_vop0_pre', 10, 8, ''],
		[217, 'aclk_vop0', 28, 3, 'aclk_vop0_pre'],
		[264, 'aclk_vop1_pre', 10, 10, ''],
		[219, 'aclk_vop1', 28, 7, 'aclk_vop1_pre'],
		[0, 'aclk_rga_pre', 4, 8, ''],
		[220, 'aclk_rga', 16, 8, 'aclk_rga_pre'],
		[222, 'aclk_hdcp', 11, 12, ''],
		[0, 'aclk_iep_pre', 4, 6, ''],
		[225, 'aclk_iep', 16, 0, 'aclk_iep_pre'],
		[229, 'aclk_isp0', 12, 8, ''],
		[230, 'aclk_isp1', 12, 10, ''],
		[233, 'aclk_isp0_wrapper', 27, 5, 'aclk_isp0'],
		[480, 'hclk_isp1', 12, 11, 'aclk_isp1'],
		[234, 'aclk_isp1_wrapper', 27, 8, 'hclk_isp1'],
		[0, 'aclk_vcodec_pre', 4, 0, ''],
		[235, 'aclk_vcodec', 17, 0, 'aclk_vcodec_pre'],
		[0, 'aclk_vdu_pre', 4, 2, ''],
		[237, 'aclk_vdu', 17, 8, 'aclk_vdu_pre'],
		[244, 'aclk_usb3', 12, 0, ''],
		[0, 'pclk_gmac_pre', 6, 11, 'aclk_gmac_pre'],
		[358, 'pclk_gmac', 32, 2, 'pclk_gmac_pre'],
		[362, 'pclk_edp', 11, 11, ''],
		[364, 'pclk_edp_ctrl', 32, 13, 'pclk_edp'],
		[370, 'pclk_hdcp', 11, 10, 'aclk_hdcp'],
		[461, 'hclk_sd', 12, 13, ''],
		[462, 'hclk_sdmmc', 33, 8, 'hclk_sd'],
		[0, 'hclk_vop0_pre', 10, 9, 'aclk_vop0_pre'],
		[473, 'hclk_vop0', 28, 2, 'hclk_vop0_pre'],
		[0, 'hclk_vop1_pre', 10, 11, 'aclk_vop1_pre'],
		[475, 'hclk_vop1', 28, 6, 'hclk_vop1_pre'],
		[0, 'hclk_iep_pre', 4, 7, 'aclk_iep_pre'],
		[477, 'hclk_iep', 16, 2, 'hclk_iep_pre'],
		[479, 'hclk_isp0', 12, 9, 'aclk_isp0'],
		[483, 'hclk_isp0_wrapper', 27, 4, 'hclk_isp0'],
		[484, 'hclk_isp1_wrapper', 27, 7, 'aclk_isp0'],
		[0, 'hclk_rga_pre', 4, 9, 'aclk_rga_pre'],
		[485, 'hclk_rga', 16, 10, 'hclk_rga_pre'],
		[487, 'hclk_hdcp', 11, 3, 'aclk_hdcp'],
		[0, 'hclk_vcodec_pre', 4, 1, 'aclk_vcodec_pre'],
		[490, 'hclk_vcodec', 17, 2, 'hclk_vcodec_pre'],
		[0, 'hclk_vdu_pre', 4, 3, 'aclk_vdu_pre'],
		[492, 'hclk_vdu', 17, 10, 'hclk_vdu_pre'],
		[494, 'hclk_sdio', 34, 4, ''],
	],
	gateOffset: 0x300,
	gateCount: 35,
	resetOffset: 0x400,
	resetCount: 21,
};

export const PMUCRU_RK3399: CruTable = {
	gates: [],
	gateOffset: 0x100,
	gateCount: 3,
	resetOffset: 0x110,
	resetCount: 2,
};

export const CRU_RK3568: CruTable = {
	gates: [
		[126, 'aclk_pipe', 10, 0, ''],
		[127, 'pclk_pipe', 10, 1, 'aclk_pipe'],
		[203, 'aclk_vi', 18, 0, ''],
		[204, 'hclk_vi', 18, 1, 'aclk_vi'],
		[205, 'pclk_vi', 18, 2, 'aclk_vi'],
		[217, 'aclk_vo', 20, 0, ''],
		[218, 'hclk_vo', 20, 1, 'aclk_vo'],
		[219, 'pclk_vo', 20, 2, 'aclk_vo'],
		[220, 'aclk_vop_pre', 20, 6, ''],
		[221, 'aclk_vop', 20, 8, 'aclk_vop_pre'],
		[222, 'hclk_vop', 20, 9, 'hclk_vo'],
		[223, 'dclk_vop0', 20, 10, ''],
		[224, 'dclk_vop1', 20, 11, ''],
		[225, 'dclk_vop2', 20, 12, ''],
		[236, 'aclk_vpu_pre', 22, 0, ''],
		[237, 'hclk_vpu_pre', 22, 1, 'aclk_vpu_pre'],
		[238, 'aclk_vpu', 22, 4, 'aclk_vpu_pre'],
		[239, 'hclk_vpu', 22, 5, 'hclk_vpu_pre'],
		[240, 'aclk_rga_pre', 23, 0, ''],
		[241, 'hclk_rga_pre', 23, 1, 'aclk_rga_pre'],
		[242, 'pclk_rga_pre', 22, 12, 'aclk_rga_pre'],
		[253, 'aclk_jenc', 23, 14, 'aclk_rga_pre'],
		[254, 'hclk_jenc', 23, 15, 'hclk_rga_pre'],
		[257, 'aclk_rkvenc_pre', 24, 0, ''],
		[258, 'hclk_rkvenc_pre', 24, 1, 'aclk_rkvenc_pre'],
		[262, 'aclk_rkvdec_pre', 25, 0, ''],
		[263, 'hclk_rkvdec_pre', 25, 1, 'aclk_rkvdec_pre'],
	],
	gateOffset: 0x300,
	gateCount: 36,
	resetOffset: 0x400,
	resetCount: 30,
};

export const PMUCRU_RK3568: CruTable = {
	gates: [],
	gateOffset: 0x180,
	gateCount: 3,
	resetOffset: 0x200,
	resetCount: 1,
};
