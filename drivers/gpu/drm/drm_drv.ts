// SPDX-License-Identifier: GPL-2.0-only
// DRM devices and their nodes: made, registered, counted, freed.
// Linux 6.12: drivers/gpu/drm/drm_drv.c
// Left out: render and accel nodes, unplugging, managed resources, debugfs, panic screens.
import { device_add, device_del, get_device, put_device } from '#drivers/base/core.js';
import { DRM_MAJOR, DRM_MINORS } from '#drivers/gpu/drm/drm_internal.js';
import { drm_sysfs_init, drm_sysfs_minor_alloc } from '#drivers/gpu/drm/drm_sysfs.js';
import { drm_vblank_cleanup } from '#drivers/gpu/drm/drm_vblank.js';
import { cdev_add, cdev_init } from '#fs/char_dev.js';
import { drm_device } from '#include/drm/drm_device.js';
import type { drm_driver } from '#include/drm/drm_drv.js';
import { drm_minor } from '#include/drm/drm_file.js';
import { cdev } from '#linux/cdev.js';
import type { device } from '#linux/device.js';
import { dev_name } from '#linux/device.js';
import { ERR_PTR, type err_ptr, IS_ERR, PTR_ERR } from '#linux/err.js';
import { ENODEV, ENOMEM } from '#linux/errno.js';
import type { file, file_operations, inode } from '#linux/fs.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { idr, idr_alloc, idr_find, idr_remove } from '#linux/idr.js';
import { boot_data, device_initcall } from '#linux/init.js';
import { iminor, MKDEV } from '#linux/kdev_t.js';
import { type kref, kref_get, kref_init, kref_put } from '#linux/kref.js';
import { pr_err, pr_info } from '#linux/printk.js';
import { kfree, kzalloc } from '#linux/slab.js';
import type { bool, int, unsigned_int, unsigned_long } from '#linux/types.js';

const state = boot_data(() => ({
	drm_minors_idr: new idr<drm_minor>(),
	cdev: new cdev(),
	drm_core_init_complete: false as bool,
}));

function drm_minor_alloc(dev: drm_device): int {
	const minor = kzalloc(drm_minor, GFP_KERNEL);
	if (!minor) return -ENOMEM;
	minor.dev = dev;
	const index = idr_alloc(state.drm_minors_idr, minor, 0, DRM_MINORS, GFP_KERNEL);
	if (index < 0) {
		kfree(minor);
		return index;
	}
	minor.index = index;
	const kdev = drm_sysfs_minor_alloc(minor);
	if (IS_ERR(kdev)) {
		idr_remove(state.drm_minors_idr, index);
		kfree(minor);
		return PTR_ERR(kdev);
	}
	minor.kdev = kdev;
	dev.primary = minor;
	return 0;
}

function drm_minor_free(dev: drm_device): void {
	const minor = dev.primary;
	if (!minor) return;
	dev.primary = null;
	put_device(minor.kdev);
	idr_remove(state.drm_minors_idr, minor.index);
	kfree(minor);
}

/**
 * The node with that number, whose device gets a reference. -ENODEV.
 * Linux: drivers/gpu/drm/drm_drv.c: drm_minor_acquire()
 */
export function drm_minor_acquire(minor_id: unsigned_int): drm_minor | err_ptr {
	const minor = idr_find(state.drm_minors_idr, minor_id);
	if (!minor?.dev.registered) return ERR_PTR(-ENODEV);
	drm_dev_get(minor.dev);
	return minor;
}

/** Undo drm_minor_acquire(). Linux: drivers/gpu/drm/drm_drv.c: drm_minor_release() */
export function drm_minor_release(minor: drm_minor): void {
	drm_dev_put(minor.dev);
}

/** A device with one reference; not registered yet. Linux: drivers/gpu/drm/drm_drv.c: drm_dev_alloc() */
export function drm_dev_alloc(driver: drm_driver, parent: device): drm_device | err_ptr {
	if (!state.drm_core_init_complete) {
		pr_err('[drm:%s] *ERROR* DRM core is not initialized', 'drm_dev_init');
		return ERR_PTR(-ENODEV);
	}
	const dev = kzalloc(drm_device, GFP_KERNEL);
	if (!dev) return ERR_PTR(-ENOMEM);
	kref_init(dev.ref);
	dev.dev = get_device(parent)!;
	dev.driver = driver;
	const ret = drm_minor_alloc(dev);
	if (ret) {
		put_device(dev.dev);
		kfree(dev);
		return ERR_PTR(ret);
	}
	return dev;
}

function drm_dev_release(ref: kref): void {
	const dev = ref.container as drm_device;
	drm_vblank_cleanup(dev);
	drm_minor_free(dev);
	put_device(dev.dev);
	kfree(dev);
}

/** Keep @dev. Linux: drivers/gpu/drm/drm_drv.c: drm_dev_get() */
export function drm_dev_get(dev: drm_device): void {
	kref_get(dev.ref);
}

/**
 * Drop a reference; the last one frees the device and its node.
 * Linux: drivers/gpu/drm/drm_drv.c: drm_dev_put()
 */
export function drm_dev_put(dev: drm_device | null): void {
	if (dev) kref_put(dev.ref, drm_dev_release);
}

/** From here on users can open it. Linux: drivers/gpu/drm/drm_drv.c: drm_dev_register() */
export function drm_dev_register(dev: drm_device, _flags: unsigned_long): int {
	const { driver } = dev;
	const minor = dev.primary!;
	const ret = device_add(minor.kdev!);
	if (ret) return ret;
	dev.registered = true;
	pr_info(
		'[drm] Initialized %s %d.%d.%d for %s on minor %d',
		driver.name,
		driver.major,
		driver.minor,
		driver.patchlevel ?? 0,
		dev_name(dev.dev),
		minor.index,
	);
	return 0;
}

/**
 * Nobody can open it any more; files that are open hold it, and their ioctls fail.
 * Linux: drivers/gpu/drm/drm_drv.c: drm_dev_unregister()
 */
export function drm_dev_unregister(dev: drm_device): void {
	if (!dev.registered) return;
	dev.registered = false;
	device_del(dev.primary!.kdev!);
}

/** The open of every DRM node: hand the file to its driver. Linux: drm_stub_open() */
function drm_stub_open(inode: inode, filp: file): int {
	const minor = drm_minor_acquire(iminor(inode));
	if (IS_ERR(minor)) return PTR_ERR(minor);
	const { fops } = minor.dev.driver;
	filp.f_op = fops;
	const err = fops.open ? fops.open(inode, filp) : 0;
	drm_minor_release(minor);
	return err;
}

const drm_stub_fops: file_operations = { open: drm_stub_open };

function drm_core_init(): int {
	let ret = drm_sysfs_init();
	if (ret) {
		pr_err('[drm:%s] *ERROR* Cannot create DRM class: %d', 'drm_core_init', ret);
		return ret;
	}
	cdev_init(state.cdev, drm_stub_fops);
	ret = cdev_add(state.cdev, MKDEV(DRM_MAJOR, 0), DRM_MINORS);
	state.drm_core_init_complete = !ret;
	return ret;
}

device_initcall(drm_core_init);
