// SPDX-License-Identifier: GPL-2.0-only
// What a device shows with: set up, listed, reset, taken down.
// Linux 6.12: drivers/gpu/drm/drm_mode_config.c
// Left out: most standard properties.
import { drm_property_create_enum, drm_property_destroy } from '#drivers/gpu/drm/drm_property.js';
import type { drm_device } from '#include/drm/drm_device.js';
import type { drm_file } from '#include/drm/drm_file.js';
import {
	DRM_PLANE_TYPE_CURSOR,
	DRM_PLANE_TYPE_OVERLAY,
	DRM_PLANE_TYPE_PRIMARY,
} from '#include/drm/drm_plane.js';
import { DRM_MODE_PROP_IMMUTABLE, type drm_mode_card_res } from '#include/uapi/drm/drm_mode.js';
import { WARN_ON } from '#linux/bug.js';
import { ENOMEM } from '#linux/errno.js';
import { idr_destroy } from '#linux/idr.js';
import { list_empty, list_for_each_entry, list_for_each_entry_safe, type list_head } from '#linux/list.js';
import { mutex_lock, mutex_unlock } from '#linux/mutex.js';
import type { int, u32 } from '#linux/types.js';

const drm_plane_type_enum_list = [
	{ type: DRM_PLANE_TYPE_OVERLAY, name: 'Overlay' },
	{ type: DRM_PLANE_TYPE_PRIMARY, name: 'Primary' },
	{ type: DRM_PLANE_TYPE_CURSOR, name: 'Cursor' },
];

/** Linux: drm_mode_config_init() (drmm_mode_config_init()) */
export function drm_mode_config_init(dev: drm_device): int {
	const prop = drm_property_create_enum(
		dev,
		DRM_MODE_PROP_IMMUTABLE,
		'type',
		drm_plane_type_enum_list,
		drm_plane_type_enum_list.length,
	);
	if (!prop) return -ENOMEM;
	dev.mode_config.plane_type_property = prop;
	return 0;
}

/**
 * Every object to the state that the hardware has. -ENOMEM: there was none for one of them, which has no state now.
 * Linux: drivers/gpu/drm/drm_mode_config.c: drm_mode_config_reset()
 */
export function drm_mode_config_reset(dev: drm_device): int {
	// DEVIATION: void in Linux, whose first commit then follows a null pointer.
	let whole = true;
	for (const plane of list_for_each_entry(dev.mode_config.plane_list)) {
		plane.funcs.reset(plane);
		whole &&= plane.state !== null;
	}
	for (const crtc of list_for_each_entry(dev.mode_config.crtc_list)) {
		crtc.funcs.reset(crtc);
		whole &&= crtc.state !== null;
	}
	for (const connector of list_for_each_entry(dev.mode_config.connector_list)) {
		connector.funcs.reset(connector);
		whole &&= connector.state !== null;
	}
	return whole ? 0 : -ENOMEM;
}

/**
 * Everything that was made known is freed.
 * Linux: drivers/gpu/drm/drm_mode_config.c: drm_mode_config_cleanup()
 */
export function drm_mode_config_cleanup(dev: drm_device): void {
	const config = dev.mode_config;
	for (const connector of list_for_each_entry_safe(config.connector_list)) connector.funcs.destroy(connector);
	WARN_ON(!list_empty(config.fb_list));
	for (const plane of list_for_each_entry_safe(config.plane_list)) plane.funcs.destroy(plane);
	for (const crtc of list_for_each_entry_safe(config.crtc_list)) crtc.funcs.destroy(crtc);
	for (const property of list_for_each_entry_safe(config.property_list)) drm_property_destroy(dev, property);
	config.plane_type_property = null;
	idr_destroy(config.object_idr);
}

function put_ids<T extends { readonly base: { readonly id: u32 } }>(
	list: list_head<T>,
	ids: u32[] | null,
	room: u32,
): u32 {
	let count = 0;
	for (const entry of list_for_each_entry(list)) {
		if (ids && count < room) ids[count] = entry.base.id;
		count++;
	}
	return count;
}

/**
 * DRM_IOCTL_MODE_GETRESOURCES: numbers of all but planes, and the limits.
 * Linux: drivers/gpu/drm/drm_mode_config.c: drm_mode_getresources()
 */
export function drm_mode_getresources(
	dev: drm_device,
	card_res: drm_mode_card_res,
	file_priv: drm_file,
): int {
	const config = dev.mode_config;

	let fbs = 0;
	mutex_lock(file_priv.fbs_lock);
	for (const fb of list_for_each_entry(file_priv.fbs)) {
		if (card_res.fb_id_ptr && fbs < card_res.count_fbs) card_res.fb_id_ptr[fbs] = fb.base.id;
		fbs++;
	}
	mutex_unlock(file_priv.fbs_lock);
	card_res.count_fbs = fbs;
	card_res.max_height = config.max_height;
	card_res.min_height = config.min_height;
	card_res.max_width = config.max_width;
	card_res.min_width = config.min_width;
	card_res.count_crtcs = put_ids(config.crtc_list, card_res.crtc_id_ptr, card_res.count_crtcs);
	card_res.count_encoders = put_ids(config.encoder_list, card_res.encoder_id_ptr, card_res.count_encoders);
	card_res.count_connectors = put_ids(
		config.connector_list,
		card_res.connector_id_ptr,
		card_res.count_connectors,
	);
	return 0;
}
