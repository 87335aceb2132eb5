// SPDX-License-Identifier: GPL-2.0-only
// Reset numbers of the display engine's own clock unit.
// Linux 6.12: include/dt-bindings/reset/sun8i-de2.h

export const RST_MIXER0 = 0;
export const RST_MIXER1 = 1;
export const RST_WB = 2;
export const RST_ROT = 3;
