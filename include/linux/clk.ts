// SPDX-License-Identifier: GPL-2.0-only
// Clocks, for those who use them.
// Linux 6.12: include/linux/clk.h
//
// A clock pointer may be null: an absent optional clock, on which every call succeeds and does nothing.
// The inlines stand beside the functions they call, in drivers/clk/clk.ts, and are handed on here.
export type { clk, clk_bulk_data } from '#drivers/clk/clk.js';
export { clk_disable_unprepare, clk_prepare_enable } from '#drivers/clk/clk.js';
export {
	clk_bulk_disable,
	clk_bulk_disable_unprepare,
	clk_bulk_enable,
	clk_bulk_get,
	clk_bulk_get_optional,
	clk_bulk_prepare,
	clk_bulk_prepare_enable,
	clk_bulk_put,
	clk_bulk_unprepare,
} from '#drivers/clk/clk-bulk.js';
