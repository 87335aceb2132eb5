// SPDX-License-Identifier: GPL-2.0-only
// What the files of the DRM core share.
// Linux 6.12: drivers/gpu/drm/drm_internal.h, include/drm/drm_drv.h
export const DRM_MAJOR = 226;
export const DRM_MINORS = 64;
