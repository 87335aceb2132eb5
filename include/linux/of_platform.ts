// SPDX-License-Identifier: GPL-2.0-only
// Platform devices made from device-tree nodes.
// Linux 6.12: include/linux/of_platform.h
import type { resource_size_t } from '#linux/types.js';

/** Names and platform data that override what the tree gives. */
export interface of_dev_auxdata {
	readonly compatible: string;
	readonly phys_addr: resource_size_t;
	readonly name: string | null;
	readonly platform_data?: unknown;
}
