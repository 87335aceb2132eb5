// SPDX-License-Identifier: GPL-2.0-only
// What a DRM driver gives the core.
// Linux 6.12: include/drm/drm_drv.h
import type { drm_device } from '#include/drm/drm_device.js';
import type { drm_file } from '#include/drm/drm_file.js';
import type { drm_gem_object } from '#include/drm/drm_gem.js';
import type { drm_mode_create_dumb } from '#include/uapi/drm/drm_mode.js';
import type { dma_buf, dma_buf_attachment } from '#linux/dma-buf.js';
import type { err_ptr } from '#linux/err.js';
import type { file_operations } from '#linux/fs.js';
import type { sg_table } from '#linux/scatterlist.js';
import type { bool, int, size_t, u32 } from '#linux/types.js';

export const DRIVER_GEM = 1 << 0;
export const DRIVER_MODESET = 1 << 1;
export const DRIVER_ATOMIC = 1 << 4;

export interface drm_driver {
	readonly driver_features: u32;
	readonly fops: file_operations;
	readonly name: string;
	readonly desc: string;
	readonly date: string;
	readonly major: int;
	readonly minor: int;
	readonly patchlevel?: int;
	readonly gem_create_object?: (dev: drm_device, size: size_t) => drm_gem_object | err_ptr;
	readonly gem_prime_import?: (dev: drm_device, dma_buf: dma_buf) => drm_gem_object | err_ptr;
	readonly gem_prime_import_sg_table?: (
		dev: drm_device,
		attach: dma_buf_attachment,
		sgt: sg_table,
	) => drm_gem_object | err_ptr;
	readonly dumb_create?: (file_priv: drm_file, dev: drm_device, args: drm_mode_create_dumb) => int;
	readonly open?: (dev: drm_device, file: drm_file) => int;
	readonly postclose?: (dev: drm_device, file: drm_file) => void;
}

/** include/drm/drm_drv.h: drm_core_check_feature(). Linux: include/drm/drm_drv.h: drm_core_check_feature() */
export function drm_core_check_feature(dev: drm_device, feature: u32): bool {
	return (dev.driver.driver_features & feature) === feature;
}
