// SPDX-License-Identifier: GPL-2.0-only
// Clocks by device name, for boards without a device tree.
// Linux 6.12: include/linux/clkdev.h
import type { clk } from '#drivers/clk/clk.js';
import type { clk_hw } from '#linux/clk-provider.js';
import { list_head } from '#linux/list.js';

export class clk_lookup {
	node: list_head<clk_lookup> = new list_head<clk_lookup>(this);
	dev_id: string | null = null;
	con_id: string | null = null;
	clk: clk | null = null;
	clk_hw: clk_hw | null = null;
}
