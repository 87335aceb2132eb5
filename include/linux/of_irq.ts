// SPDX-License-Identifier: GPL-2.0-only
// Interrupts in the device tree.
// Linux 6.12: include/linux/of_irq.h
import type { device_node } from '#linux/of.js';
import type { int } from '#linux/types.js';

export type of_irq_init_cb_t = (node: device_node, parent: device_node | null) => int;
