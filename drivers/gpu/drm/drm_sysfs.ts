// SPDX-License-Identifier: GPL-2.0-only
// The class of DRM devices.
// Linux 6.12: drivers/gpu/drm/drm_sysfs.c
// Left out: connectors, events, ACPI.
import { class_register } from '#drivers/base/class.js';
import { dev_set_name, device_initialize } from '#drivers/base/core.js';
import { DRM_MAJOR } from '#drivers/gpu/drm/drm_internal.js';
import type { drm_minor } from '#include/drm/drm_file.js';
import type { class_ } from '#linux/device/class.js';
import { device } from '#linux/device.js';
import { ERR_PTR, type err_ptr } from '#linux/err.js';
import { ENOMEM } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { MKDEV } from '#linux/kdev_t.js';
import { kfree, kzalloc } from '#linux/slab.js';
import type { int } from '#linux/types.js';

const drm_class: class_ = { name: 'drm', devnode: (dev) => `dri/${dev.kobj.name ?? ''}` };

/** /sys/class/drm. Linux: drivers/gpu/drm/drm_sysfs.c: drm_sysfs_init() */
export function drm_sysfs_init(): int {
	return class_register(drm_class);
}

function drm_sysfs_release(dev: device): void {
	kfree(dev);
}

/** The node of @minor, not added yet. Linux: drivers/gpu/drm/drm_sysfs.c: drm_sysfs_minor_alloc() */
export function drm_sysfs_minor_alloc(minor: drm_minor): device | err_ptr {
	const kdev = kzalloc(device, GFP_KERNEL);
	if (!kdev) return ERR_PTR(-ENOMEM);
	device_initialize(kdev);
	kdev.devt = MKDEV(DRM_MAJOR, minor.index);
	kdev.class = drm_class;
	kdev.parent = minor.dev.dev;
	kdev.release = drm_sysfs_release;
	kdev.driver_data = minor;
	dev_set_name(kdev, 'card%d', minor.index);
	return kdev;
}
