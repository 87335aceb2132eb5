// SPDX-License-Identifier: GPL-2.0-only
// Numbers for all that users name, references, properties.
// Linux 6.12: drivers/gpu/drm/drm_mode_object.c, drivers/gpu/drm/drm_property.c
// Left out: leases, blobs, properties of connectors and CRTCs that users could set.
import { drm_plane_set_property } from '#drivers/gpu/drm/drm_plane.js';
import type { drm_device } from '#include/drm/drm_device.js';
import type { drm_file } from '#include/drm/drm_file.js';
import {
	DRM_OBJECT_MAX_PROPERTY,
	type drm_mode_object,
	type drm_object_properties,
	drm_property,
	drm_property_enum,
} from '#include/drm/drm_mode_object.js';
import type { drm_plane } from '#include/drm/drm_plane.js';
import {
	DRM_MODE_OBJECT_ANY,
	DRM_MODE_OBJECT_PLANE,
	DRM_MODE_OBJECT_PROPERTY,
	DRM_MODE_PROP_ENUM,
	DRM_MODE_PROP_IMMUTABLE,
	DRM_MODE_PROP_RANGE,
	type drm_mode_get_property,
	type drm_mode_obj_get_properties,
	type drm_mode_obj_set_property,
	drm_mode_property_enum,
} from '#include/uapi/drm/drm_mode.js';
import { WARN_ON } from '#linux/bug.js';
import { EINVAL, ENOENT } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { idr_alloc, idr_find, idr_remove } from '#linux/idr.js';
import { type kref, kref_get, kref_get_unless_zero, kref_init, kref_put } from '#linux/kref.js';
import { list_add_tail, list_del, list_for_each_entry, list_for_each_entry_safe } from '#linux/list.js';
import { mutex_lock, mutex_unlock } from '#linux/mutex.js';
import { kfree, kzalloc } from '#linux/slab.js';
import type { bool, int, u32, u64 } from '#linux/types.js';

/** A number for @obj; @register: users find it at once. -ENOMEM, -ENOSPC. Linux: __drm_mode_object_add() */
export function __drm_mode_object_add(
	dev: drm_device,
	obj: drm_mode_object,
	obj_type: u32,
	register: bool,
	obj_free_cb: ((kref: kref) => void) | null,
): int {
	mutex_lock(dev.mode_config.idr_mutex);
	let ret = idr_alloc(dev.mode_config.object_idr, obj, 1, 0, GFP_KERNEL);
	if (ret >= 0) {
		obj.id = ret;
		obj.type = obj_type;
		if (obj_free_cb) {
			obj.free_cb = obj_free_cb;
			kref_init(obj.refcount);
		}
		ret = 0;
	}
	mutex_unlock(dev.mode_config.idr_mutex);
	return ret;
}

export function drm_mode_object_add(dev: drm_device, obj: drm_mode_object, obj_type: u32): int {
	return __drm_mode_object_add(dev, obj, obj_type, true, null);
}

/** Linux: drm_mode_object_unregister() */
export function drm_mode_object_unregister(dev: drm_device, object: drm_mode_object): void {
	mutex_lock(dev.mode_config.idr_mutex);
	if (object.id) {
		idr_remove(dev.mode_config.object_idr, object.id);
		object.id = 0;
	}
	mutex_unlock(dev.mode_config.idr_mutex);
}

/** The object with that number and type, with a reference, or null. Linux: drm_mode_object_find() */
export function drm_mode_object_find(
	dev: drm_device,
	_file_priv: drm_file | null,
	id: u32,
	type: u32,
): drm_mode_object | null {
	mutex_lock(dev.mode_config.idr_mutex);
	let obj = idr_find(dev.mode_config.object_idr, id);
	if (obj && type !== DRM_MODE_OBJECT_ANY && obj.type !== type) obj = null;
	if (obj?.free_cb && !kref_get_unless_zero(obj.refcount)) obj = null;
	mutex_unlock(dev.mode_config.idr_mutex);
	return obj;
}

export function drm_mode_object_get(obj: drm_mode_object): void {
	if (obj.free_cb) kref_get(obj.refcount);
}

export function drm_mode_object_put(obj: drm_mode_object): void {
	if (obj.free_cb) kref_put(obj.refcount, obj.free_cb);
}

/** Linux: drm_object_attach_property() */
export function drm_object_attach_property(
	obj: drm_mode_object,
	property: drm_property,
	init_val: u64,
): void {
	const props = obj.properties;
	if (WARN_ON(props === null || props.count === DRM_OBJECT_MAX_PROPERTY) || props === null) return;
	props.properties[props.count] = property;
	props.values[props.count] = init_val;
	props.count++;
}

/** Linux: drm_property_create() */
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

/** Linux: drm_property_create_range() */
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

/** Linux: drm_property_create_enum() */
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

/** Linux: drm_property_destroy() */
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

/** Linux: drm_mode_getproperty_ioctl() */
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

/** The value that @property of @props has now. */
function drm_object_property_value(obj: drm_mode_object, props: drm_object_properties, i: int): u64 {
	const state = obj.type === DRM_MODE_OBJECT_PLANE ? (obj.container as drm_plane).state : null;
	const plane = obj.container as drm_plane;
	if (state) {
		const property = props.properties[i];
		if (property === plane.color_encoding_property) return state.color_encoding;
		if (property === plane.color_range_property) return state.color_range;
		if (property === plane.alpha_property) return state.alpha;
		if (property === plane.zpos_property) return state.zpos;
	}
	return props.values[i];
}

/** Linux: drm_mode_obj_get_properties_ioctl() */
export function drm_mode_obj_get_properties_ioctl(
	dev: drm_device,
	arg: drm_mode_obj_get_properties,
	file_priv: drm_file,
): int {
	mutex_lock(dev.mode_config.mutex);
	let ret = -ENOENT;
	const obj = drm_mode_object_find(dev, file_priv, arg.obj_id, arg.obj_type);
	if (obj) {
		const props = obj.properties;
		ret = props ? 0 : -EINVAL;
		if (props) {
			for (let i = 0; i < props.count && i < arg.count_props; i++) {
				if (arg.props_ptr) arg.props_ptr[i] = props.properties[i]!.base.id;
				if (arg.prop_values_ptr) arg.prop_values_ptr[i] = drm_object_property_value(obj, props, i);
			}
			arg.count_props = props.count;
		}
		drm_mode_object_put(obj);
	}
	mutex_unlock(dev.mode_config.mutex);
	return ret;
}

/** Linux: drm_mode_obj_set_property_ioctl() */
export function drm_mode_obj_set_property_ioctl(
	dev: drm_device,
	arg: drm_mode_obj_set_property,
	file_priv: drm_file,
): int {
	const arg_obj = drm_mode_object_find(dev, file_priv, arg.obj_id, arg.obj_type);
	if (!arg_obj) return -ENOENT;

	let ret: int = -EINVAL;
	const { properties } = arg_obj;
	for (let i = 0; properties && i < properties.count; i++) {
		const property = properties.properties[i]!;
		if (property.base.id !== arg.prop_id) continue;
		if (arg_obj.type === DRM_MODE_OBJECT_PLANE && drm_property_change_valid(property, arg.value))
			ret = drm_plane_set_property(arg_obj.container as drm_plane, property, arg.value);
	}
	drm_mode_object_put(arg_obj);
	return ret;
}
