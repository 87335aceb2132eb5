// SPDX-License-Identifier: GPL-2.0-only
// Clock and reset numbers of the RK3568: those of the blocks behind IOMMUs, and of the power domains.
// Linux 6.12: include/dt-bindings/clock/rk3568-cru.h
export const ACLK_PIPE = 126;
export const PCLK_PIPE = 127;
export const ACLK_VI = 203;
export const HCLK_VI = 204;
export const PCLK_VI = 205;
export const ACLK_VO = 217;
export const HCLK_VO = 218;
export const PCLK_VO = 219;
export const ACLK_VOP_PRE = 220;
export const ACLK_VOP = 221;
export const HCLK_VOP = 222;
export const DCLK_VOP0 = 223;
export const DCLK_VOP1 = 224;
export const DCLK_VOP2 = 225;
export const ACLK_VPU_PRE = 236;
export const HCLK_VPU_PRE = 237;
export const ACLK_VPU = 238;
export const HCLK_VPU = 239;
export const ACLK_RGA_PRE = 240;
export const HCLK_RGA_PRE = 241;
export const PCLK_RGA_PRE = 242;
export const ACLK_JENC = 253;
export const HCLK_JENC = 254;
export const ACLK_RKVENC_PRE = 257;
export const HCLK_RKVENC_PRE = 258;
export const ACLK_RKVDEC_PRE = 262;
export const HCLK_RKVDEC_PRE = 263;
