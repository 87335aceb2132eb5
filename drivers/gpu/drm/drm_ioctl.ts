// SPDX-License-Identifier: GPL-2.0-only
// From the number of an ioctl to its function.
// Linux 6.12: drivers/gpu/drm/drm_ioctl.c
// Left out: copying from and to user space (the argument is the struct itself), drivers' own ioctls, and all that
// the headers of include/uapi/drm leave out.
import { drm_mode_getconnector, drm_mode_getencoder } from '#drivers/gpu/drm/drm_connector.js';
import { drm_mode_getcrtc, drm_mode_setcrtc } from '#drivers/gpu/drm/drm_crtc.js';
import {
	drm_mode_create_dumb_ioctl,
	drm_mode_destroy_dumb_ioctl,
	drm_mode_mmap_dumb_ioctl,
} from '#drivers/gpu/drm/drm_dumb_buffers.js';
import { drm_mode_addfb2_ioctl, drm_mode_rmfb_ioctl } from '#drivers/gpu/drm/drm_framebuffer.js';
import { drm_gem_close_ioctl } from '#drivers/gpu/drm/drm_gem.js';
import { drm_mode_getresources } from '#drivers/gpu/drm/drm_mode_config.js';
import {
	drm_mode_obj_get_properties_ioctl,
	drm_mode_obj_set_property_ioctl,
} from '#drivers/gpu/drm/drm_mode_object.js';
import { drm_mode_getplane, drm_mode_getplane_res, drm_mode_setplane } from '#drivers/gpu/drm/drm_plane.js';
import { drm_prime_fd_to_handle_ioctl, drm_prime_handle_to_fd_ioctl } from '#drivers/gpu/drm/drm_prime.js';
import { drm_mode_getproperty_ioctl } from '#drivers/gpu/drm/drm_property.js';
import { drm_wait_vblank_ioctl } from '#drivers/gpu/drm/drm_vblank.js';
import type { drm_device } from '#include/drm/drm_device.js';
import type { drm_file } from '#include/drm/drm_file.js';
import * as drm from '#include/uapi/drm/drm.js';
import * as mode from '#include/uapi/drm/drm_mode.js';
import { EACCES, EFAULT, EINVAL, ENODEV, ENOTTY } from '#linux/errno.js';
import type { file } from '#linux/fs.js';
import type { int, long, u32, unsigned_int } from '#linux/types.js';

/** Only for who may set modes. */
export const DRM_MASTER = 1 << 1;
/** Also for render nodes. */
export const DRM_RENDER_ALLOW = 1 << 5;

interface drm_ioctl_desc {
	readonly cmd: u32;
	readonly flags: u32;
	/** -EFAULT for an argument of another type: in C, an address that does not hold what it should. */
	readonly func: (dev: drm_device, data: unknown, file_priv: drm_file) => int;
	readonly name: string;
}

function DRM_IOCTL_DEF<T>(
	name: string,
	cmd: u32,
	type: new () => T,
	func: (dev: drm_device, data: T, file_priv: drm_file) => int,
	flags: u32,
): drm_ioctl_desc {
	return {
		name,
		cmd,
		flags,
		func: (dev, data, file_priv) => (data instanceof type ? func(dev, data, file_priv) : -EFAULT),
	};
}

/** Linux: drm_version() */
function drm_version(dev: drm_device, version: drm.drm_version, _file_priv: drm_file): int {
	version.version_major = dev.driver.major;
	version.version_minor = dev.driver.minor;
	version.version_patchlevel = dev.driver.patchlevel ?? 0;
	version.name = dev.driver.name;
	version.date = dev.driver.date;
	version.desc = dev.driver.desc;
	return 0;
}

function drm_getcap(dev: drm_device, req: drm.drm_get_cap, _file_priv: drm_file): int {
	req.value = 0;
	switch (req.capability) {
		case drm.DRM_CAP_DUMB_BUFFER:
			if (dev.driver.dumb_create) req.value = 1;
			return 0;
		case drm.DRM_CAP_PRIME:
			req.value = drm.DRM_PRIME_CAP_IMPORT | drm.DRM_PRIME_CAP_EXPORT;
			return 0;
		case drm.DRM_CAP_TIMESTAMP_MONOTONIC:
		case drm.DRM_CAP_VBLANK_HIGH_CRTC:
		case drm.DRM_CAP_ADDFB2_MODIFIERS:
			req.value = 1;
			return 0;
		case drm.DRM_CAP_DUMB_PREFERRED_DEPTH:
			return 0;
		default:
			return -EINVAL;
	}
}

function drm_setclientcap(_dev: drm_device, req: drm.drm_set_client_cap, file_priv: drm_file): int {
	if (req.capability !== drm.DRM_CLIENT_CAP_UNIVERSAL_PLANES || req.value > 1) return -EINVAL;
	file_priv.universal_planes = req.value === 1;
	return 0;
}

const drm_ioctls: readonly drm_ioctl_desc[] = [
	DRM_IOCTL_DEF('VERSION', drm.DRM_IOCTL_VERSION, drm.drm_version, drm_version, DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF('GET_CAP', drm.DRM_IOCTL_GET_CAP, drm.drm_get_cap, drm_getcap, DRM_RENDER_ALLOW),
	DRM_IOCTL_DEF('SET_CLIENT_CAP', drm.DRM_IOCTL_SET_CLIENT_CAP, drm.drm_set_client_cap, drm_setclientcap, 0),
	DRM_IOCTL_DEF(
		'GEM_CLOSE',
		drm.DRM_IOCTL_GEM_CLOSE,
		drm.drm_gem_close,
		drm_gem_close_ioctl,
		DRM_RENDER_ALLOW,
	),
	DRM_IOCTL_DEF(
		'PRIME_HANDLE_TO_FD',
		drm.DRM_IOCTL_PRIME_HANDLE_TO_FD,
		drm.drm_prime_handle,
		drm_prime_handle_to_fd_ioctl,
		DRM_RENDER_ALLOW,
	),
	DRM_IOCTL_DEF(
		'PRIME_FD_TO_HANDLE',
		drm.DRM_IOCTL_PRIME_FD_TO_HANDLE,
		drm.drm_prime_handle,
		drm_prime_fd_to_handle_ioctl,
		DRM_RENDER_ALLOW,
	),
	DRM_IOCTL_DEF('WAIT_VBLANK', drm.DRM_IOCTL_WAIT_VBLANK, drm.drm_wait_vblank, drm_wait_vblank_ioctl, 0),
	DRM_IOCTL_DEF(
		'MODE_GETRESOURCES',
		drm.DRM_IOCTL_MODE_GETRESOURCES,
		mode.drm_mode_card_res,
		drm_mode_getresources,
		0,
	),
	DRM_IOCTL_DEF('MODE_GETCRTC', drm.DRM_IOCTL_MODE_GETCRTC, mode.drm_mode_crtc, drm_mode_getcrtc, 0),
	DRM_IOCTL_DEF('MODE_SETCRTC', drm.DRM_IOCTL_MODE_SETCRTC, mode.drm_mode_crtc, drm_mode_setcrtc, DRM_MASTER),
	DRM_IOCTL_DEF(
		'MODE_GETENCODER',
		drm.DRM_IOCTL_MODE_GETENCODER,
		mode.drm_mode_get_encoder,
		drm_mode_getencoder,
		0,
	),
	DRM_IOCTL_DEF(
		'MODE_GETCONNECTOR',
		drm.DRM_IOCTL_MODE_GETCONNECTOR,
		mode.drm_mode_get_connector,
		drm_mode_getconnector,
		0,
	),
	DRM_IOCTL_DEF(
		'MODE_GETPROPERTY',
		drm.DRM_IOCTL_MODE_GETPROPERTY,
		mode.drm_mode_get_property,
		drm_mode_getproperty_ioctl,
		0,
	),
	DRM_IOCTL_DEF('MODE_RMFB', drm.DRM_IOCTL_MODE_RMFB, mode.drm_mode_rmfb_arg, drm_mode_rmfb_ioctl, 0),
	DRM_IOCTL_DEF(
		'MODE_CREATE_DUMB',
		drm.DRM_IOCTL_MODE_CREATE_DUMB,
		mode.drm_mode_create_dumb,
		drm_mode_create_dumb_ioctl,
		0,
	),
	DRM_IOCTL_DEF(
		'MODE_MAP_DUMB',
		drm.DRM_IOCTL_MODE_MAP_DUMB,
		mode.drm_mode_map_dumb,
		drm_mode_mmap_dumb_ioctl,
		0,
	),
	DRM_IOCTL_DEF(
		'MODE_DESTROY_DUMB',
		drm.DRM_IOCTL_MODE_DESTROY_DUMB,
		mode.drm_mode_destroy_dumb,
		drm_mode_destroy_dumb_ioctl,
		0,
	),
	DRM_IOCTL_DEF(
		'MODE_GETPLANERESOURCES',
		drm.DRM_IOCTL_MODE_GETPLANERESOURCES,
		mode.drm_mode_get_plane_res,
		drm_mode_getplane_res,
		0,
	),
	DRM_IOCTL_DEF('MODE_GETPLANE', drm.DRM_IOCTL_MODE_GETPLANE, mode.drm_mode_get_plane, drm_mode_getplane, 0),
	DRM_IOCTL_DEF(
		'MODE_SETPLANE',
		drm.DRM_IOCTL_MODE_SETPLANE,
		mode.drm_mode_set_plane,
		drm_mode_setplane,
		DRM_MASTER,
	),
	DRM_IOCTL_DEF('MODE_ADDFB2', drm.DRM_IOCTL_MODE_ADDFB2, mode.drm_mode_fb_cmd2, drm_mode_addfb2_ioctl, 0),
	DRM_IOCTL_DEF(
		'MODE_OBJ_GETPROPERTIES',
		drm.DRM_IOCTL_MODE_OBJ_GETPROPERTIES,
		mode.drm_mode_obj_get_properties,
		drm_mode_obj_get_properties_ioctl,
		0,
	),
	DRM_IOCTL_DEF(
		'MODE_OBJ_SETPROPERTY',
		drm.DRM_IOCTL_MODE_OBJ_SETPROPERTY,
		mode.drm_mode_obj_set_property,
		drm_mode_obj_set_property_ioctl,
		DRM_MASTER,
	),
];

/** Linux: drm_ioctl_permit() */
function drm_ioctl_permit(flags: u32, file_priv: drm_file): int {
	return flags & DRM_MASTER && !file_priv.is_master ? -EACCES : 0;
}

/**
 * The unlocked_ioctl of DRM files. -ENOTTY: no DRM ioctl; -EINVAL: not known; -EACCES: not the master.
 * Linux: drivers/gpu/drm/drm_ioctl.c: drm_ioctl()
 */
export function drm_ioctl(filp: file, cmd: unsigned_int, arg: unknown): long {
	const file_priv = filp.private_data as drm_file;
	const { dev } = file_priv.minor;
	if (!dev.registered) return -ENODEV;
	if (((cmd >>> 8) & 0xff) !== drm.DRM_IOCTL_BASE) return -ENOTTY;
	for (const ioctl of drm_ioctls)
		if (ioctl.cmd === cmd) return drm_ioctl_permit(ioctl.flags, file_priv) || ioctl.func(dev, arg, file_priv);
	return -EINVAL;
}
