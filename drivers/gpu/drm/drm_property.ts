// SPDX-License-Identifier: GPL-2.0-only
// Properties: named values that users ask for and set.
// Linux 6.12: drivers/gpu/drm/drm_property.c
// Left out: blobs, bitmasks, objects as values.
import {
	drm_mode_object_add,
	drm_mode_object_find,
	drm_mode_object_unregister,
} from '#drivers/gpu/drm/drm_mode_object.js';
import type { drm_device } from '#include/drm/drm_device.js';
import type { drm_file } from '#include/drm/drm_file.js';
import { drm_property, drm_property_enum } from '#include/drm/drm_mode_object.js';
import {
	DRM_MODE_OBJECT_PROPERTY,
	DRM_MODE_PROP_ENUM,
	DRM_MODE_PROP_IMMUTABLE,
	DRM_MODE_PROP_RANGE,
	type drm_mode_get_property,
	drm_mode_property_enum,
} from '#include/uapi/drm/drm_mode.js';
import { ENOENT } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { list_add_tail, list_del, list_for_each_entry, list_for_each_entry_safe } from '#linux/list.js';
import { kfree, kzalloc } from '#linux/slab.js';
import type { bool, int, u32, u64 } from '#linux/types.js';

/**
 * A property without values yet; null when there is no memory.
 * Linux: drivers/gpu/drm/drm_property.c: drm_property_create()
 */
export function drm_property_create(
	dev: drm_device,
	flags: u32,
	name: string,
	num_values: int,
): drm_property | null {
	const property = kzalloc(drm_property, GFP_KERNEL);
	if (!property) return null;
	property.dev = dev;
	if (drm_mode_object_add(dev, property.base, DRM_MODE_OBJECT_PROPERTY)) {
		kfree(property);
		return null;
	}
	property.flags = flags;
	property.num_values = num_values;
	property.name = name;
	list_add_tail(property.head, dev.mode_config.property_list);
	return property;
}

/**
 * A property that is a number from @min to @max.
 * Linux: drivers/gpu/drm/drm_property.c: drm_property_create_range()
 */
export function drm_property_create_range(
	dev: drm_device,
	flags: u32,
	name: string,
	min: u64,
	max: u64,
): drm_property | null {
	const property = drm_property_create(dev, flags | DRM_MODE_PROP_RANGE, name, 2);
	if (!property) return null;
	property.values = [min, max];
	return property;
}

/**
 * A property that is one of a few named values.
 * Linux: drivers/gpu/drm/drm_property.c: drm_property_create_enum()
 */
export function drm_property_create_enum(
	dev: drm_device,
	flags: u32,
	name: string,
	props: readonly { readonly type: u64; readonly name: string }[],
	num_values: int,
): drm_property | null {
	const property = drm_property_create(dev, flags | DRM_MODE_PROP_ENUM, name, num_values);
	if (!property) return null;
	for (let i = 0; i < num_values; i++) {
		const entry = kzalloc(drm_property_enum, GFP_KERNEL);
		if (!entry) {
			drm_property_destroy(dev, property);
			return null;
		}
		entry.value = props[i].type;
		entry.name = props[i].name;
		list_add_tail(entry.head, property.enum_list);
	}
	return property;
}

/** Free @property and its names. Linux: drivers/gpu/drm/drm_property.c: drm_property_destroy() */
export function drm_property_destroy(dev: drm_device, property: drm_property): void {
	for (const entry of list_for_each_entry_safe(property.enum_list)) {
		list_del(entry.head);
		kfree(entry);
	}
	drm_mode_object_unregister(dev, property.base);
	list_del(property.head);
	kfree(property);
}

/** Whether @property takes @value. Linux: drm_property_change_valid_get() */
export function drm_property_change_valid(property: drm_property, value: u64): bool {
	if (property.flags & DRM_MODE_PROP_IMMUTABLE) return false;
	if (property.flags & DRM_MODE_PROP_RANGE) return value >= property.values[0] && value <= property.values[1];
	for (const entry of list_for_each_entry(property.enum_list)) if (entry.value === value) return true;
	return false;
}

/**
 * DRM_IOCTL_MODE_GETPROPERTY: name, kind and values. -ENOENT.
 * Linux: drivers/gpu/drm/drm_property.c: drm_mode_getproperty_ioctl()
 */
export function drm_mode_getproperty_ioctl(
	dev: drm_device,
	out_resp: drm_mode_get_property,
	file_priv: drm_file,
): int {
	const obj = drm_mode_object_find(dev, file_priv, out_resp.prop_id, DRM_MODE_OBJECT_PROPERTY);
	if (!obj) return -ENOENT;
	const property = obj.container as drm_property;
	out_resp.name = property.name;
	out_resp.flags = property.flags;
	if (property.flags & DRM_MODE_PROP_ENUM) {
		let copied = 0;
		for (const entry of list_for_each_entry(property.enum_list)) {
			if (out_resp.enum_blob_ptr && copied < out_resp.count_enum_blobs) {
				const out = new drm_mode_property_enum();
				out.value = entry.value;
				out.name = entry.name;
				out_resp.enum_blob_ptr[copied] = out;
			}
			copied++;
		}
		out_resp.count_enum_blobs = copied;
	}
	if (out_resp.values_ptr)
		for (let i = 0; i < property.values.length && i < out_resp.count_values; i++)
			out_resp.values_ptr[i] = property.values[i];
	out_resp.count_values = property.num_values;
	return 0;
}
