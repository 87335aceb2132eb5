// SPDX-License-Identifier: GPL-2.0-only
// What all that a user can name by number has in common.
// Linux 6.12: include/drm/drm_mode_object.h, include/drm/drm_property.h
// Left out: blobs, bitmasks, properties that hold objects.
import type { drm_device } from '#include/drm/drm_device.js';
import { kref } from '#linux/kref.js';
import { list_head } from '#linux/list.js';
import type { embedded, int, u32, u64, unsigned_int } from '#linux/types.js';

export class drm_mode_object implements embedded {
	id: u32 = 0;
	type: u32 = 0;
	properties: drm_object_properties | null = null;
	readonly refcount = new kref(this);
	free_cb: ((kref: kref) => void) | null = null;
	readonly container: object | null;
	constructor(container: object | null = null) {
		this.container = container;
	}
}

export const DRM_OBJECT_MAX_PROPERTY = 24;

export class drm_object_properties {
	count: int = 0;
	readonly properties: (drm_property | null)[] = new Array(DRM_OBJECT_MAX_PROPERTY).fill(null);
	readonly values: u64[] = new Array(DRM_OBJECT_MAX_PROPERTY).fill(0);
}

export class drm_property_enum {
	value: u64 = 0;
	name = '';
	readonly head = new list_head<drm_property_enum>(this);
}

export class drm_property {
	readonly head = new list_head<drm_property>(this);
	readonly base = new drm_mode_object(this);
	flags: u32 = 0;
	name = '';
	num_values: unsigned_int = 0;
	/** Of a range: its ends. */
	values: u64[] = [];
	dev!: drm_device;
	readonly enum_list = new list_head<drm_property_enum>();
}
