// SPDX-License-Identifier: GPL-2.0-only
// Buffers for a program that draws with the CPU.
// Linux 6.12: drivers/gpu/drm/drm_dumb_buffers.c
import { drm_gem_dumb_map_offset, drm_gem_handle_delete } from '#drivers/gpu/drm/drm_gem.js';
import type { drm_device } from '#include/drm/drm_device.js';
import type { drm_file } from '#include/drm/drm_file.js';
import type {
	drm_mode_create_dumb as create_dumb,
	drm_mode_destroy_dumb as destroy_dumb,
	drm_mode_map_dumb,
} from '#include/uapi/drm/drm_mode.js';
import { EINVAL, ENOSYS } from '#linux/errno.js';
import { PAGE_ALIGN } from '#linux/mm.js';
import { type int, ref, U32_MAX, type u32, type u64 } from '#linux/types.js';

/**
 * -ENOSYS, -EINVAL when something is 0 or the size has no 32 bits, or the driver's answer.
 * Linux: drivers/gpu/drm/drm_dumb_buffers.c: drm_mode_create_dumb()
 */
export function drm_mode_create_dumb(dev: drm_device, args: create_dumb, file_priv: drm_file): int {
	const { dumb_create } = dev.driver;
	if (!dumb_create) return -ENOSYS;
	const { width, height, bpp } = args;
	if (width === 0 || height === 0 || bpp === 0 || bpp > U32_MAX - 8) return -EINVAL;

	// A product that is too large to be exact is too large.
	const stride = width * Math.ceil(bpp / 8);
	if (stride > U32_MAX || PAGE_ALIGN(stride * height) > U32_MAX) return -EINVAL;

	// Old programs leave garbage where the answer goes.
	args.handle = args.pitch = args.size = 0;
	return dumb_create(file_priv, dev, args);
}

/**
 * DRM_IOCTL_MODE_CREATE_DUMB: drm_mode_create_dumb().
 * Linux: drivers/gpu/drm/drm_dumb_buffers.c: drm_mode_create_dumb_ioctl()
 */
export function drm_mode_create_dumb_ioctl(dev: drm_device, args: create_dumb, file_priv: drm_file): int {
	return drm_mode_create_dumb(dev, args, file_priv);
}

/**
 * DRM_IOCTL_MODE_MAP_DUMB: where to mmap() the buffer. -ENOSYS, -ENOENT, -EINVAL for an import.
 * Linux: drivers/gpu/drm/drm_dumb_buffers.c: drm_mode_mmap_dumb_ioctl()
 */
export function drm_mode_mmap_dumb_ioctl(dev: drm_device, args: drm_mode_map_dumb, file_priv: drm_file): int {
	if (!dev.driver.dumb_create) return -ENOSYS;
	const offset = new ref<u64>(args.offset);
	const ret = drm_gem_dumb_map_offset(file_priv, dev, args.handle, offset);
	args.offset = offset.value;
	return ret;
}

/** Drop the handle. -ENOSYS, -EINVAL. Linux: drivers/gpu/drm/drm_dumb_buffers.c: drm_mode_destroy_dumb() */
export function drm_mode_destroy_dumb(dev: drm_device, handle: u32, file_priv: drm_file): int {
	if (!dev.driver.dumb_create) return -ENOSYS;
	return drm_gem_handle_delete(file_priv, handle);
}

/**
 * DRM_IOCTL_MODE_DESTROY_DUMB: drm_mode_destroy_dumb().
 * Linux: drivers/gpu/drm/drm_dumb_buffers.c: drm_mode_destroy_dumb_ioctl()
 */
export function drm_mode_destroy_dumb_ioctl(dev: drm_device, args: destroy_dumb, file_priv: drm_file): int {
	return drm_mode_destroy_dumb(dev, args.handle, file_priv);
}
