// SPDX-License-Identifier: GPL-2.0-only
// What drivers match devices by.
// Linux 6.12: include/linux/mod_devicetable.h
//
// A table is an array; where C ends it with an empty entry, it ends here.
import type { u8, unsigned_long } from '#linux/types.js';

export interface of_device_id {
	readonly name?: string;
	readonly type?: string;
	readonly compatible?: string;
	readonly data?: unknown;
}

export interface platform_device_id {
	readonly name: string;
	readonly driver_data?: unknown;
}

export interface cpu_feature_id {
	readonly feature: u8;
	readonly driver_data?: unsigned_long;
}
