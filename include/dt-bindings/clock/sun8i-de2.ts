// SPDX-License-Identifier: GPL-2.0-only
// Clock numbers of the display engine's own clock unit.
// Linux 6.12: include/dt-bindings/clock/sun8i-de2.h

export const CLK_BUS_MIXER0 = 0;
export const CLK_BUS_MIXER1 = 1;
export const CLK_BUS_WB = 2;
export const CLK_MIXER0 = 6;
export const CLK_MIXER1 = 7;
export const CLK_WB = 8;
export const CLK_BUS_ROT = 9;
export const CLK_ROT = 10;
