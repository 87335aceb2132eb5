// SPDX-License-Identifier: GPL-2.0-only
// Device classes: devices by what they do, /sys/class.
// Linux 6.12: include/linux/device/class.h
//
// `class` is a word of the language here, so the struct is called class_.
import type { device } from '#linux/device.js';
import type { dev_pm_ops } from '#linux/pm.js';
import { attribute, type attribute_group, type sysfs_buf } from '#linux/sysfs.js';
import type { int, ref, size_t, ssize_t, umode_t } from '#linux/types.js';

/** Linux: struct class. */
export interface class_ {
	readonly name: string;
	readonly class_groups?: readonly attribute_group[];
	readonly dev_groups?: readonly attribute_group[];
	/** The name below /dev, and its mode. */
	devnode?: (dev: device, mode: ref<umode_t> | null) => string | null;
	class_release?: (class_: class_) => void;
	dev_release?: (dev: device) => void;
	shutdown_pre?: (dev: device) => int;
	readonly pm?: dev_pm_ops;
}

export class class_attribute extends attribute {
	show: ((cls: class_, attr: class_attribute, buf: sysfs_buf) => ssize_t) | null;
	store: ((cls: class_, attr: class_attribute, buf: string, count: size_t) => ssize_t) | null;
	constructor(
		name: string,
		mode: umode_t,
		show: class_attribute['show'] = null,
		store: class_attribute['store'] = null,
	) {
		super(name, mode);
		this.show = show;
		this.store = store;
	}
}

/** Something that wants to hear of every device of a class. */
export interface class_interface_ops {
	add_dev?: (dev: device) => int;
	remove_dev?: (dev: device) => void;
}
