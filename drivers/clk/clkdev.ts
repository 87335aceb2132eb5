// SPDX-License-Identifier: GPL-2.0-only
// Clocks by device name.
// Linux 6.12: drivers/clk/clkdev.c
//
// Left out: lookup tables, since every board here has a device tree; clk_get() is in clk.ts.
export { clk_get, clk_put } from '#drivers/clk/clk.js';
