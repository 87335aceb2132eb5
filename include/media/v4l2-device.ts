// SPDX-License-Identifier: GPL-2.0-only
// The top of a V4L2 device: what all of its nodes share.
// Linux 6.12: include/media/v4l2-device.h, include/media/v4l2-common.h
// Left out: sub-devices, priorities, controls of the whole device.
import type { media_device } from '#include/media/media-device.js';
import type { device } from '#linux/device.js';
import { KERN_ERR, KERN_INFO, KERN_WARNING } from '#linux/kern_levels.js';
import { kref, kref_get } from '#linux/kref.js';
import { printk } from '#linux/printk.js';
import { spinlock_t } from '#linux/spinlock.js';

/** What the nodes of one driver instance have in common (include/media/v4l2-device.h: struct v4l2_device). */
export class v4l2_device {
	dev: device | null = null;
	mdev: media_device | null = null;
	readonly lock = new spinlock_t('&v4l2_dev->lock');
	name = '';
	readonly ref = new kref(this);
	release: ((v4l2_dev: v4l2_device) => void) | null = null;
}

/** One more reference (include/media/v4l2-device.h: v4l2_device_get()). */
export function v4l2_device_get(v4l2_dev: v4l2_device): void {
	kref_get(v4l2_dev.ref);
}

type print_arg = Parameters<typeof printk>[1];

/** Log an error, with the device's name in front (include/media/v4l2-device.h: v4l2_err()). */
export function v4l2_err(dev: { readonly name: string }, fmt: string, ...args: print_arg[]): void {
	printk(`${KERN_ERR}%s: ${fmt}`, dev.name, ...args);
}

/** Log a warning, with the device's name in front (include/media/v4l2-device.h: v4l2_warn()). */
export function v4l2_warn(dev: { readonly name: string }, fmt: string, ...args: print_arg[]): void {
	printk(`${KERN_WARNING}%s: ${fmt}`, dev.name, ...args);
}

/** Log what is going on, with the device's name in front (include/media/v4l2-device.h: v4l2_info()). */
export function v4l2_info(dev: { readonly name: string }, fmt: string, ...args: print_arg[]): void {
	printk(`${KERN_INFO}%s: ${fmt}`, dev.name, ...args);
}
