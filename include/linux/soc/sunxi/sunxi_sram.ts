// SPDX-License-Identifier: GPL-2.0-only
// SRAM that a device borrows from the CPU.
// Linux 6.12: include/linux/soc/sunxi/sunxi_sram.h
export { sunxi_sram_claim, sunxi_sram_release } from '#drivers/soc/sunxi/sunxi_sram.js';
