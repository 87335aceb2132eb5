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
import { DIV_ROUND_UP } from '#linux/math.js';
import { PAGE_ALIGN } from '#linux/mm.js';
import { type int, ref, U32_MAX, type u32, type u64 } from '#linux/types.js';

/** -ENOSYS, -EINVAL when something is 0 or the size has no 32 bits, or the driver's answer. */
export function drm_mode_create_dumb(dev: drm_device, args: create_dumb, file_priv: drm_file): int {
	if (!dev.driver.dumb_create) return -ENOSYS;
	if (!args.width || !args.height || !args.bpp) return -EINVAL;

	if (args.bpp > U32_MAX - 8) return -EINVAL;
	const cpp = DIV_ROUND_UP(args.bpp, 8);
	if (cpp > U32_MAX / args.width) return -EINVAL;
	const stride = cpp * args.width;
	if (args.height > U32_MAX / stride) return -EINVAL;
	if (PAGE_ALIGN(args.height * stride) > U32_MAX) return -EINVAL;

	args.handle = 0;
	args.pitch = 0;
	args.size = 0;
	return dev.driver.dumb_create(file_priv, dev, args);
}

export function drm_mode_create_dumb_ioctl(dev: drm_device, args: create_dumb, file_priv: drm_file): int {
	return drm_mode_create_dumb(dev, args, file_priv);
}

export function drm_mode_mmap_dumb_ioctl(dev: drm_device, args: drm_mode_map_dumb, file_priv: drm_file): int {
	if (!dev.driver.dumb_create) return -ENOSYS;
	const offset = new ref<u64>(args.offset);
	const ret = drm_gem_dumb_map_offset(file_priv, dev, args.handle, offset);
	args.offset = offset.value;
	return ret;
}

export function drm_mode_destroy_dumb(dev: drm_device, handle: u32, file_priv: drm_file): int {
	if (!dev.driver.dumb_create) return -ENOSYS;
	return drm_gem_handle_delete(file_priv, handle);
}

export function drm_mode_destroy_dumb_ioctl(dev: drm_device, args: destroy_dumb, file_priv: drm_file): int {
	return drm_mode_destroy_dumb(dev, args.handle, file_priv);
}
