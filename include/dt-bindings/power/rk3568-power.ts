// SPDX-License-Identifier: GPL-2.0-only
// Numbers of the power domains of RK3566 and RK3568 that its driver switches.
// Linux 6.12: include/dt-bindings/power/rk3568-power.h

export const RK3568_PD_NPU = 6;
export const RK3568_PD_GPU = 7;
export const RK3568_PD_VI = 8;
export const RK3568_PD_VO = 9;
export const RK3568_PD_RGA = 10;
export const RK3568_PD_VPU = 11;
export const RK3568_PD_RKVDEC = 13;
export const RK3568_PD_RKVENC = 14;
export const RK3568_PD_PIPE = 15;
