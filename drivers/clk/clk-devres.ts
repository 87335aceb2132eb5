// SPDX-License-Identifier: GPL-2.0-only
// Clocks that end with their device's binding.
// Linux 6.12: drivers/clk/clk-devres.c
import { devm_add_action_or_reset, devres_add, devres_alloc, devres_free } from '#drivers/base/devres.js';
import { clk_disable_unprepare, clk_get, clk_prepare_enable, clk_put } from '#drivers/clk/clk.js';
import { clk_bulk_get, clk_bulk_get_optional, clk_bulk_put } from '#drivers/clk/clk-bulk.js';
import type { clk, clk_bulk_data } from '#linux/clk.js';
import type { device } from '#linux/device.js';
import { ERR_PTR, type err_ptr, IS_ERR, PTR_ERR } from '#linux/err.js';
import { ENOENT, ENOMEM } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp_types.js';
import type { bool, int } from '#linux/types.js';

/** clk_get() that ends with @dev's binding (drivers/clk/clk-devres.c: devm_clk_get()). */
export function devm_clk_get(dev: device, id: string | null): clk | err_ptr {
	const c = clk_get(dev, id);
	if (IS_ERR(c)) return c;
	const ret = devm_add_action_or_reset(dev, clk_put, c);
	return ret !== 0 ? ERR_PTR(ret) : c;
}

/** devm_clk_get() of a clock that may be absent: null then (drivers/clk/clk-devres.c: devm_clk_get_optional()). */
export function devm_clk_get_optional(dev: device, id: string | null): clk | err_ptr | null {
	const c = devm_clk_get(dev, id);
	return IS_ERR(c) && PTR_ERR(c) === -ENOENT ? null : c;
}

/** devm_clk_get(), prepared and enabled until @dev is unbound (drivers/clk/clk-devres.c: devm_clk_get_enabled()). */
export function devm_clk_get_enabled(dev: device, id: string | null): clk | err_ptr {
	const c = devm_clk_get(dev, id);
	if (IS_ERR(c)) return c;
	let ret = clk_prepare_enable(c);
	if (ret === 0) ret = devm_add_action_or_reset(dev, clk_disable_unprepare, c);
	return ret !== 0 ? ERR_PTR(ret) : c;
}

class clk_bulk_devres {
	clks: readonly clk_bulk_data[] = [];
	num_clks: int = 0;
}

function devm_clk_bulk_release(_dev: device, res: unknown): void {
	const devres = res as clk_bulk_devres;
	clk_bulk_put(devres.num_clks, devres.clks);
}

function __devm_clk_bulk_get(
	dev: device,
	num_clks: int,
	clks: readonly clk_bulk_data[],
	optional: bool,
): int {
	const devres = devres_alloc(devm_clk_bulk_release, clk_bulk_devres, GFP_KERNEL);
	if (devres === null) return -ENOMEM;

	const ret = optional ? clk_bulk_get_optional(dev, num_clks, clks) : clk_bulk_get(dev, num_clks, clks);
	if (ret !== 0) {
		devres_free(devres);
		return ret;
	}
	devres.clks = clks;
	devres.num_clks = num_clks;
	devres_add(dev, devres);
	return 0;
}

/** clk_bulk_get() that ends with @dev's binding (drivers/clk/clk-devres.c: devm_clk_bulk_get()). */
export function devm_clk_bulk_get(dev: device, num_clks: int, clks: readonly clk_bulk_data[]): int {
	return __devm_clk_bulk_get(dev, num_clks, clks, false);
}

/** clk_bulk_get_optional() that ends with @dev's binding (drivers/clk/clk-devres.c: devm_clk_bulk_get_optional()). */
export function devm_clk_bulk_get_optional(dev: device, num_clks: int, clks: readonly clk_bulk_data[]): int {
	return __devm_clk_bulk_get(dev, num_clks, clks, true);
}
