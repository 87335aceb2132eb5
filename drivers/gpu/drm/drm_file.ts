// SPDX-License-Identifier: GPL-2.0-only
// Open files of a DRM device.
// Linux 6.12: drivers/gpu/drm/drm_file.c, drivers/gpu/drm/drm_auth.c
// Left out: events (read, poll), statistics, masters as objects: the first who opens may set modes until he closes.
import { drm_minor_acquire, drm_minor_release } from '#drivers/gpu/drm/drm_drv.js';
import { drm_fb_release } from '#drivers/gpu/drm/drm_framebuffer.js';
import { drm_gem_open, drm_gem_release } from '#drivers/gpu/drm/drm_gem.js';
import { DRIVER_MODESET, drm_core_check_feature } from '#include/drm/drm_drv.js';
import { drm_file, type drm_minor } from '#include/drm/drm_file.js';
import { atomic_dec, atomic_inc } from '#linux/atomic.js';
import { IS_ERR, PTR_ERR } from '#linux/err.js';
import { ENOMEM } from '#linux/errno.js';
import type { file, inode } from '#linux/fs.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { iminor } from '#linux/kdev_t.js';
import { list_add, list_del } from '#linux/list.js';
import { mutex_lock, mutex_unlock } from '#linux/mutex.js';
import { kfree, kzalloc } from '#linux/slab.js';
import type { int } from '#linux/types.js';

function drm_open_helper(filp: file, minor: drm_minor): int {
	const { dev } = minor;
	const priv = kzalloc(drm_file, GFP_KERNEL);
	if (!priv) return -ENOMEM;
	priv.minor = minor;
	priv.filp = filp;
	drm_gem_open(dev, priv);
	if (dev.driver.open) {
		const ret = dev.driver.open(dev, priv);
		if (ret < 0) {
			drm_gem_release(dev, priv);
			kfree(priv);
			return ret;
		}
	}
	mutex_lock(dev.master_mutex);
	if (dev.master === null) {
		dev.master = priv;
		priv.is_master = true;
	}
	mutex_unlock(dev.master_mutex);

	filp.private_data = priv;
	mutex_lock(dev.filelist_mutex);
	list_add(priv.lhead, dev.filelist);
	mutex_unlock(dev.filelist_mutex);
	return 0;
}

/** A node is opened: a drm_file. -ENODEV, -ENOMEM. Linux: drivers/gpu/drm/drm_file.c: drm_open() */
export function drm_open(inode: inode, filp: file): int {
	const minor = drm_minor_acquire(iminor(inode));
	if (IS_ERR(minor)) return PTR_ERR(minor);
	atomic_inc(minor.dev.open_count);
	const retcode = drm_open_helper(filp, minor);
	if (retcode) {
		atomic_dec(minor.dev.open_count);
		drm_minor_release(minor);
	}
	return retcode;
}

function drm_file_free(file: drm_file): void {
	const { dev } = file.minor;
	if (drm_core_check_feature(dev, DRIVER_MODESET)) drm_fb_release(file);
	drm_gem_release(dev, file);
	mutex_lock(dev.master_mutex);
	if (dev.master === file) dev.master = null;
	mutex_unlock(dev.master_mutex);
	dev.driver.postclose?.(dev, file);
	kfree(file);
}

/**
 * A file is closed: its framebuffers and handles go, and it is no master any more.
 * Linux: drivers/gpu/drm/drm_file.c: drm_release()
 */
export function drm_release(_inode: inode, filp: file): int {
	const file_priv = filp.private_data as drm_file;
	const { minor } = file_priv;
	const { dev } = minor;
	mutex_lock(dev.filelist_mutex);
	list_del(file_priv.lhead);
	mutex_unlock(dev.filelist_mutex);
	drm_file_free(file_priv);
	atomic_dec(dev.open_count);
	drm_minor_release(minor);
	return 0;
}
