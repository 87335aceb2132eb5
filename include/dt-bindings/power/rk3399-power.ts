// SPDX-License-Identifier: GPL-2.0-only
// Numbers of the power domains of the RK3399 that its driver switches.
// Linux 6.12: include/dt-bindings/power/rk3399-power.h

export const RK3399_PD_TCPD0 = 8;
export const RK3399_PD_TCPD1 = 9;
export const RK3399_PD_CCI = 10;
export const RK3399_PD_CCI0 = 11;
export const RK3399_PD_CCI1 = 12;
export const RK3399_PD_PERILP = 13;
export const RK3399_PD_PERIHP = 14;
export const RK3399_PD_CENTER = 30;
export const RK3399_PD_VIO = 15;
export const RK3399_PD_GPU = 35;
export const RK3399_PD_VCODEC = 31;
export const RK3399_PD_VDU = 32;
export const RK3399_PD_RGA = 33;
export const RK3399_PD_IEP = 34;
export const RK3399_PD_VO = 16;
export const RK3399_PD_VOPB = 17;
export const RK3399_PD_VOPL = 18;
export const RK3399_PD_ISP0 = 19;
export const RK3399_PD_ISP1 = 20;
export const RK3399_PD_HDCP = 21;
export const RK3399_PD_GMAC = 22;
export const RK3399_PD_EMMC = 23;
export const RK3399_PD_USB3 = 24;
export const RK3399_PD_EDP = 25;
export const RK3399_PD_GIC = 26;
export const RK3399_PD_SD = 27;
export const RK3399_PD_SDIOAUDIO = 28;
