// SPDX-License-Identifier: GPL-2.0-only
// Reset lines, for those who provide them.
// Linux 6.12: include/linux/reset-controller.h
import type { reset_control } from '#drivers/reset/core.js';
import type { device } from '#linux/device.js';
import { list_head } from '#linux/list.js';
import type { module } from '#linux/module.js';
import type { device_node, of_phandle_args } from '#linux/of.js';
import type { int, unsigned_int, unsigned_long } from '#linux/types.js';

export interface reset_control_ops {
	/** A whole pulse, for lines that clear themselves. */
	reset?: (rcdev: reset_controller_dev, id: unsigned_long) => int;
	assert?: (rcdev: reset_controller_dev, id: unsigned_long) => int;
	deassert?: (rcdev: reset_controller_dev, id: unsigned_long) => int;
	/** 1: asserted, 0: not, or a negative errno. */
	status?: (rcdev: reset_controller_dev, id: unsigned_long) => int;
}

/** A controller, embedded in its driver's struct. */
export class reset_controller_dev {
	ops: reset_control_ops = {};
	owner: module | null = null;
	list: list_head<reset_controller_dev> = new list_head<reset_controller_dev>(this);
	reset_control_head: list_head<reset_control> = new list_head<reset_control>();
	dev: device | null = null;
	of_node: device_node | null = null;
	of_reset_n_cells: int = 0;
	of_xlate: ((rcdev: reset_controller_dev, reset_spec: of_phandle_args) => int) | null = null;
	nr_resets: unsigned_int = 0;
	readonly container: object | null;
	constructor(container: object | null = null) {
		this.container = container;
	}
}
