// SPDX-License-Identifier: GPL-2.0-only
// The first cell of a GIC interrupt specifier.
// Linux 6.12: include/dt-bindings/interrupt-controller/arm-gic.h

export const GIC_SPI = 0;
export const GIC_PPI = 1;
