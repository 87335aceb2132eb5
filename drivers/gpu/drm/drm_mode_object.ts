// SPDX-License-Identifier: GPL-2.0-only
// Numbers for all that users name, references, properties.
// Linux 6.12: drivers/gpu/drm/drm_mode_object.c
// Left out: leases, properties of connectors and CRTCs that users could set.
import {
	drm_atomic_commit,
	drm_atomic_state_alloc,
	drm_atomic_state_put,
} from '#drivers/gpu/drm/drm_atomic.js';
import { drm_atomic_get_property, drm_atomic_set_property } from '#drivers/gpu/drm/drm_atomic_uapi.js';
import type { drm_device } from '#include/drm/drm_device.js';
import type { drm_file } from '#include/drm/drm_file.js';
import {
	DRM_OBJECT_MAX_PROPERTY,
	type drm_mode_object,
	type drm_object_properties,
	type drm_property,
} from '#include/drm/drm_mode_object.js';
import {
	DRM_MODE_OBJECT_ANY,
	type drm_mode_obj_get_properties,
	type drm_mode_obj_set_property,
} from '#include/uapi/drm/drm_mode.js';
import { WARN_ON } from '#linux/bug.js';
import { EINVAL, ENOENT, ENOMEM } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { idr_alloc, idr_find, idr_remove } from '#linux/idr.js';
import { type kref, kref_get, kref_get_unless_zero, kref_init, kref_put } from '#linux/kref.js';
import { mutex_lock, mutex_unlock } from '#linux/mutex.js';
import { type bool, type int, ref, type u32, type u64 } from '#linux/types.js';

/**
 * A number for @obj; @register: users find it at once. -ENOMEM, -ENOSPC.
 * Linux: drivers/gpu/drm/drm_mode_object.c: __drm_mode_object_add()
 */
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

/**
 * A number for an object that lives as long as the device.
 * Linux: drivers/gpu/drm/drm_mode_object.c: drm_mode_object_add()
 */
export function drm_mode_object_add(dev: drm_device, obj: drm_mode_object, obj_type: u32): int {
	return __drm_mode_object_add(dev, obj, obj_type, true, null);
}

/** Take the number back. Linux: drivers/gpu/drm/drm_mode_object.c: drm_mode_object_unregister() */
export function drm_mode_object_unregister(dev: drm_device, object: drm_mode_object): void {
	mutex_lock(dev.mode_config.idr_mutex);
	if (object.id) {
		idr_remove(dev.mode_config.object_idr, object.id);
		object.id = 0;
	}
	mutex_unlock(dev.mode_config.idr_mutex);
}

/**
 * The object with that number and type, with a reference, or null.
 * Linux: drivers/gpu/drm/drm_mode_object.c: drm_mode_object_find()
 */
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

/**
 * Keep @obj, if it is of those that are counted.
 * Linux: drivers/gpu/drm/drm_mode_object.c: drm_mode_object_get()
 */
export function drm_mode_object_get(obj: drm_mode_object): void {
	if (obj.free_cb) kref_get(obj.refcount);
}

/**
 * Drop a reference, if it is of those that are counted.
 * Linux: drivers/gpu/drm/drm_mode_object.c: drm_mode_object_put()
 */
export function drm_mode_object_put(obj: drm_mode_object): void {
	if (obj.free_cb) kref_put(obj.refcount, obj.free_cb);
}

/**
 * @obj has @property, with @init_val until it is set.
 * Linux: drivers/gpu/drm/drm_mode_object.c: drm_object_attach_property()
 */
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

function drm_mode_obj_find_prop_id(props: drm_object_properties, prop_id: u32): drm_property | null {
	for (let i = 0; i < props.count; i++)
		if (props.properties[i]!.base.id === prop_id) return props.properties[i];
	return null;
}

/** Numbers and values of the properties of @obj, as far as @arg has room for them. */
function drm_mode_object_get_properties(
	obj: drm_mode_object,
	props: drm_object_properties,
	arg: drm_mode_obj_get_properties,
): void {
	const room = Math.min(props.count, arg.count_props);
	for (let i = 0; i < room; i++) {
		const prop = props.properties[i]!;
		const val = new ref<u64>(props.values[i]);
		drm_atomic_get_property(obj, prop, val);
		if (arg.props_ptr) arg.props_ptr[i] = prop.base.id;
		if (arg.prop_values_ptr) arg.prop_values_ptr[i] = val.value;
	}
	arg.count_props = props.count;
}

/**
 * -ENOENT: no such object; -EINVAL: it cannot have properties.
 * Linux: drivers/gpu/drm/drm_mode_object.c: drm_mode_obj_get_properties_ioctl()
 */
export function drm_mode_obj_get_properties_ioctl(
	dev: drm_device,
	arg: drm_mode_obj_get_properties,
	file_priv: drm_file,
): int {
	mutex_lock(dev.mode_config.mutex);
	let ret: int = -ENOENT;
	const obj = drm_mode_object_find(dev, file_priv, arg.obj_id, arg.obj_type);
	if (obj) {
		ret = obj.properties ? 0 : -EINVAL;
		if (obj.properties) drm_mode_object_get_properties(obj, obj.properties, arg);
		drm_mode_object_put(obj);
	}
	mutex_unlock(dev.mode_config.mutex);
	return ret;
}

/** One property of one object, as a commit of its own. */
function set_property_atomic(obj: drm_mode_object, prop: drm_property, prop_value: u64): int {
	const { dev } = prop;
	const state = drm_atomic_state_alloc(dev);
	if (!state) return -ENOMEM;

	mutex_lock(dev.mode_config.mutex);
	let ret = drm_atomic_set_property(state, obj, prop, prop_value);
	if (!ret) ret = drm_atomic_commit(state);
	mutex_unlock(dev.mode_config.mutex);
	drm_atomic_state_put(state);
	return ret;
}

/**
 * -ENOENT: no such object; -EINVAL: it has no such property, or not with that value.
 * Linux: drivers/gpu/drm/drm_mode_object.c: drm_mode_obj_set_property_ioctl()
 */
export function drm_mode_obj_set_property_ioctl(
	dev: drm_device,
	arg: drm_mode_obj_set_property,
	file_priv: drm_file,
): int {
	const arg_obj = drm_mode_object_find(dev, file_priv, arg.obj_id, arg.obj_type);
	if (!arg_obj) return -ENOENT;

	let ret: int = -EINVAL;
	const property = arg_obj.properties ? drm_mode_obj_find_prop_id(arg_obj.properties, arg.prop_id) : null;
	if (property) ret = set_property_atomic(arg_obj, property, arg.value);
	drm_mode_object_put(arg_obj);
	return ret;
}
