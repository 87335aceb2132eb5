// SPDX-License-Identifier: GPL-2.0-only
// Several clocks of a device at once: all of them, or none.
// Linux 6.12: drivers/clk/clk-bulk.c
//
// Left out: clk_bulk_get_all() and its like.
import {
	type clk_bulk_data,
	clk_disable,
	clk_enable,
	clk_get,
	clk_prepare,
	clk_put,
	clk_unprepare,
} from '#drivers/clk/clk.js';
import { dev_err_probe } from '#linux/dev_printk.js';
import type { device } from '#linux/device.js';
import { IS_ERR, PTR_ERR } from '#linux/err.js';
import { ENOENT } from '#linux/errno.js';
import { pr_err } from '#linux/printk.js';
import type { bool, int } from '#linux/types.js';

/** Give the first @num_clks back, the last first (drivers/clk/clk-bulk.c: clk_bulk_put()). */
export function clk_bulk_put(num_clks: int, clks: readonly clk_bulk_data[]): void {
	for (let i = num_clks - 1; i >= 0; i--) {
		clk_put(clks[i]!.clk);
		clks[i]!.clk = null;
	}
}

function __clk_bulk_get(dev: device, num_clks: int, clks: readonly clk_bulk_data[], optional: bool): int {
	for (let i = 0; i < num_clks; i++) clks[i]!.clk = null;

	for (let i = 0; i < num_clks; i++) {
		const clk = clk_get(dev, clks[i]!.id);
		if (!IS_ERR(clk)) {
			clks[i]!.clk = clk;
			continue;
		}
		const ret = PTR_ERR(clk);
		if (ret === -ENOENT && optional) continue;

		dev_err_probe(dev, ret, "Failed to get clk '%s'", clks[i]!.id ?? '');
		clk_bulk_put(i, clks);
		return ret;
	}
	return 0;
}

/** The clocks of @dev that @clks name: 0, or the first error, and none (drivers/clk/clk-bulk.c: clk_bulk_get()). */
export function clk_bulk_get(dev: device, num_clks: int, clks: readonly clk_bulk_data[]): int {
	return __clk_bulk_get(dev, num_clks, clks, false);
}

/** clk_bulk_get(), and one that is not there is null (drivers/clk/clk-bulk.c: clk_bulk_get_optional()). */
export function clk_bulk_get_optional(dev: device, num_clks: int, clks: readonly clk_bulk_data[]): int {
	return __clk_bulk_get(dev, num_clks, clks, true);
}

/** Undo clk_bulk_prepare(); may sleep (drivers/clk/clk-bulk.c: clk_bulk_unprepare()). */
export function clk_bulk_unprepare(num_clks: int, clks: readonly clk_bulk_data[]): void {
	for (let i = num_clks - 1; i >= 0; i--) clk_unprepare(clks[i]!.clk);
}

/** Make all ready to be enabled; may sleep (drivers/clk/clk-bulk.c: clk_bulk_prepare()). */
export function clk_bulk_prepare(num_clks: int, clks: readonly clk_bulk_data[]): int {
	for (let i = 0; i < num_clks; i++) {
		const ret = clk_prepare(clks[i]!.clk);
		if (ret !== 0) {
			pr_err("Failed to prepare clk '%s': %d", clks[i]!.id ?? '', ret);
			clk_bulk_unprepare(i, clks);
			return ret;
		}
	}
	return 0;
}

/** Undo clk_bulk_enable(); any context (drivers/clk/clk-bulk.c: clk_bulk_disable()). */
export function clk_bulk_disable(num_clks: int, clks: readonly clk_bulk_data[]): void {
	for (let i = num_clks - 1; i >= 0; i--) clk_disable(clks[i]!.clk);
}

/** Switch all on; any context (drivers/clk/clk-bulk.c: clk_bulk_enable()). */
export function clk_bulk_enable(num_clks: int, clks: readonly clk_bulk_data[]): int {
	for (let i = 0; i < num_clks; i++) {
		const ret = clk_enable(clks[i]!.clk);
		if (ret !== 0) {
			pr_err("Failed to enable clk '%s': %d", clks[i]!.id ?? '', ret);
			clk_bulk_disable(i, clks);
			return ret;
		}
	}
	return 0;
}

/** Prepare and enable all (include/linux/clk.h: clk_bulk_prepare_enable()). */
export function clk_bulk_prepare_enable(num_clks: int, clks: readonly clk_bulk_data[]): int {
	let ret = clk_bulk_prepare(num_clks, clks);
	if (ret !== 0) return ret;
	ret = clk_bulk_enable(num_clks, clks);
	if (ret !== 0) clk_bulk_unprepare(num_clks, clks);
	return ret;
}

/** Disable and unprepare all (include/linux/clk.h: clk_bulk_disable_unprepare()). */
export function clk_bulk_disable_unprepare(num_clks: int, clks: readonly clk_bulk_data[]): void {
	clk_bulk_disable(num_clks, clks);
	clk_bulk_unprepare(num_clks, clks);
}
