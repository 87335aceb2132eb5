// SPDX-License-Identifier: GPL-2.0-only
// Aggregate devices: a driver that is bound when all its components are there.
// Linux 6.12: include/linux/component.h
import type { device } from '#linux/device.js';
import type { int } from '#linux/types.js';

export interface component_ops {
	bind?: (comp: device, master: device, master_data: unknown) => int;
	unbind?: (comp: device, master: device, master_data: unknown) => void;
}

export interface component_master_ops {
	bind: (master: device) => int;
	unbind: (master: device) => void;
}
