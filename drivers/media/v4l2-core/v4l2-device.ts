// SPDX-License-Identifier: GPL-2.0-only
// Registering the top of a V4L2 device.
// Linux 6.12: drivers/media/v4l2-core/v4l2-device.c
// Left out: sub-devices.
import { get_device, put_device } from '#drivers/base/core.js';
import { v4l2_device } from '#include/media/v4l2-device.js';
import { WARN_ON } from '#linux/bug.js';
import { dev_get_drvdata, dev_name, dev_set_drvdata, type device } from '#linux/device.js';
import { EINVAL } from '#linux/errno.js';
import { type kref, kref_init, kref_put } from '#linux/kref.js';
import { spin_lock_init } from '#linux/spinlock.js';
import { container_of, type int } from '#linux/types.js';

/** Fill in @v4l2_dev for @dev; its name becomes "driver device" unless it has one. -EINVAL. Linux: v4l2_device_register() */
export function v4l2_device_register(dev: device | null, v4l2_dev: v4l2_device): int {
	if (v4l2_dev === null) return -EINVAL;

	spin_lock_init(v4l2_dev.lock);
	kref_init(v4l2_dev.ref);
	v4l2_dev.dev = dev;
	if (dev === null) return WARN_ON(v4l2_dev.name === '') ? -EINVAL : 0;
	get_device(dev);

	if (v4l2_dev.name === '') v4l2_dev.name = `${dev.driver!.name} ${dev_name(dev)}`;
	if (!dev_get_drvdata(dev)) dev_set_drvdata(dev, v4l2_dev);
	return 0;
}

function v4l2_device_release(ref: kref): void {
	const v4l2_dev = container_of(ref, v4l2_device);
	v4l2_dev.release?.(v4l2_dev);
}

/** Linux: v4l2_device_put() */
export function v4l2_device_put(v4l2_dev: v4l2_device): int {
	return kref_put(v4l2_dev.ref, v4l2_device_release);
}

/** The parent device goes away. Linux: v4l2_device_disconnect() */
export function v4l2_device_disconnect(v4l2_dev: v4l2_device): void {
	if (v4l2_dev.dev === null) return;
	if (dev_get_drvdata(v4l2_dev.dev) === v4l2_dev) dev_set_drvdata(v4l2_dev.dev, null);
	put_device(v4l2_dev.dev);
	v4l2_dev.dev = null;
}

/** Undo v4l2_device_register(); a second call does nothing. Linux: v4l2_device_unregister() */
export function v4l2_device_unregister(v4l2_dev: v4l2_device | null): void {
	if (v4l2_dev === null || v4l2_dev.name === '') return;
	v4l2_device_disconnect(v4l2_dev);
	v4l2_dev.name = '';
}
