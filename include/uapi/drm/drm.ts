// SPDX-License-Identifier: GPL-2.0-only
// What a user program and the DRM core say to each other: capabilities, handles, vertical blanking.
// Linux 6.12: include/uapi/drm/drm.h
// Left out: authentication, legacy drivers, events, sync objects, leases.
import type { int, long, u32, u64, unsigned_long } from '#linux/types.js';

export const DRM_IOCTL_BASE = 0x64;
export const DRM_COMMAND_BASE = 0x40;

/** The number of an ioctl that gives and takes a struct of @size bytes. */
export function DRM_IOWR(nr: u32, size: u32): u32 {
	return (0xc0000000 | (size << 16) | (DRM_IOCTL_BASE << 8) | nr) >>> 0;
}

/** The number of an ioctl that only gives a struct of @size bytes. */
export function DRM_IOW(nr: u32, size: u32): u32 {
	return (0x40000000 | (size << 16) | (DRM_IOCTL_BASE << 8) | nr) >>> 0;
}

export const DRM_CAP_DUMB_BUFFER = 0x1;
export const DRM_CAP_VBLANK_HIGH_CRTC = 0x2;
export const DRM_CAP_DUMB_PREFERRED_DEPTH = 0x3;
export const DRM_CAP_PRIME = 0x5;
export const DRM_PRIME_CAP_IMPORT = 0x1;
export const DRM_PRIME_CAP_EXPORT = 0x2;
export const DRM_CAP_TIMESTAMP_MONOTONIC = 0x6;
export const DRM_CAP_ADDFB2_MODIFIERS = 0x10;

export class drm_get_cap {
	capability: u64 = 0;
	value: u64 = 0;
}

export const DRM_CLIENT_CAP_UNIVERSAL_PLANES = 2;
export const DRM_CLIENT_CAP_ATOMIC = 3;

export class drm_set_client_cap {
	capability: u64 = 0;
	value: u64 = 0;
}

export class drm_version {
	version_major: int = 0;
	version_minor: int = 0;
	version_patchlevel: int = 0;
	name = '';
	date = '';
	desc = '';
}

export class drm_gem_close {
	handle: u32 = 0;
}

export const DRM_CLOEXEC = 0o2000000;
export const DRM_RDWR = 0o2;

export class drm_prime_handle {
	handle: u32 = 0;
	flags: u32 = 0;
	fd: int = 0;
}

export const _DRM_VBLANK_ABSOLUTE = 0x0;
export const _DRM_VBLANK_RELATIVE = 0x1;
export const _DRM_VBLANK_HIGH_CRTC_MASK = 0x3e;
export const _DRM_VBLANK_HIGH_CRTC_SHIFT = 1;
export const _DRM_VBLANK_EVENT = 0x4000000;
export const _DRM_VBLANK_FLIP = 0x8000000;
export const _DRM_VBLANK_NEXTONMISS = 0x10000000;
export const _DRM_VBLANK_SECONDARY = 0x20000000;
export const _DRM_VBLANK_SIGNAL = 0x40000000;
export const _DRM_VBLANK_TYPES_MASK = _DRM_VBLANK_ABSOLUTE | _DRM_VBLANK_RELATIVE;
export const _DRM_VBLANK_FLAGS_MASK =
	_DRM_VBLANK_EVENT | _DRM_VBLANK_SIGNAL | _DRM_VBLANK_SECONDARY | _DRM_VBLANK_NEXTONMISS;

export class drm_wait_vblank_request {
	type: u32 = 0;
	sequence: u32 = 0;
	signal: unsigned_long = 0;
}

export class drm_wait_vblank_reply {
	type: u32 = 0;
	sequence: u32 = 0;
	tval_sec: long = 0;
	tval_usec: long = 0;
}

/** C: a union. */
export class drm_wait_vblank {
	readonly request = new drm_wait_vblank_request();
	readonly reply = new drm_wait_vblank_reply();
}

export const DRM_IOCTL_VERSION = DRM_IOWR(0x00, 64);
export const DRM_IOCTL_GEM_CLOSE = DRM_IOW(0x09, 8);
export const DRM_IOCTL_GET_CAP = DRM_IOWR(0x0c, 16);
export const DRM_IOCTL_SET_CLIENT_CAP = DRM_IOW(0x0d, 16);
export const DRM_IOCTL_PRIME_HANDLE_TO_FD = DRM_IOWR(0x2d, 12);
export const DRM_IOCTL_PRIME_FD_TO_HANDLE = DRM_IOWR(0x2e, 12);
export const DRM_IOCTL_WAIT_VBLANK = DRM_IOWR(0x3a, 24);
export const DRM_IOCTL_MODE_GETRESOURCES = DRM_IOWR(0xa0, 64);
export const DRM_IOCTL_MODE_GETCRTC = DRM_IOWR(0xa1, 104);
export const DRM_IOCTL_MODE_SETCRTC = DRM_IOWR(0xa2, 104);
export const DRM_IOCTL_MODE_GETENCODER = DRM_IOWR(0xa6, 20);
export const DRM_IOCTL_MODE_GETCONNECTOR = DRM_IOWR(0xa7, 80);
export const DRM_IOCTL_MODE_GETPROPERTY = DRM_IOWR(0xaa, 64);
export const DRM_IOCTL_MODE_RMFB = DRM_IOWR(0xaf, 4);
export const DRM_IOCTL_MODE_CREATE_DUMB = DRM_IOWR(0xb2, 32);
export const DRM_IOCTL_MODE_MAP_DUMB = DRM_IOWR(0xb3, 16);
export const DRM_IOCTL_MODE_DESTROY_DUMB = DRM_IOWR(0xb4, 4);
export const DRM_IOCTL_MODE_GETPLANERESOURCES = DRM_IOWR(0xb5, 16);
export const DRM_IOCTL_MODE_GETPLANE = DRM_IOWR(0xb6, 32);
export const DRM_IOCTL_MODE_SETPLANE = DRM_IOWR(0xb7, 48);
export const DRM_IOCTL_MODE_ADDFB2 = DRM_IOWR(0xb8, 104);
export const DRM_IOCTL_MODE_OBJ_GETPROPERTIES = DRM_IOWR(0xb9, 32);
export const DRM_IOCTL_MODE_OBJ_SETPROPERTY = DRM_IOWR(0xba, 24);
