// SPDX-License-Identifier: GPL-2.0-only
// Clocks that end with their device's binding.
// Linux 6.12: drivers/clk/clk-devres.c
import { devm_add_action_or_reset } from '#drivers/base/devres.js';
import { clk_disable_unprepare, clk_get, clk_prepare_enable, clk_put } from '#drivers/clk/clk.js';
import type { clk } from '#linux/clk.js';
import type { device } from '#linux/device.js';
import { ERR_PTR, type err_ptr, IS_ERR, PTR_ERR } from '#linux/err.js';
import { ENOENT } from '#linux/errno.js';

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
