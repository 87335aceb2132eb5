// SPDX-License-Identifier: GPL-2.0-only
// Aggregate devices: bound as one when the last of their components is there.
// Linux 6.12: drivers/base/component.c
//
// Left out: the debugfs view, component_master_is_bound().

import { device_match_of_node } from '#drivers/base/core.js';
import { devres_close_group, devres_open_group, devres_release_group } from '#drivers/base/devres.js';
import { WARN_ON } from '#linux/bug.js';
import type { component_master_ops, component_ops } from '#linux/component.js';
import { dev_dbg, dev_err } from '#linux/dev_printk.js';
import type { device } from '#linux/device.js';
import { dev_name } from '#linux/device.js';
import type { err_ptr } from '#linux/err.js';
import { ERR_PTR, IS_ERR } from '#linux/err.js';
import { EINVAL, ENOMEM, ENXIO, EPROBE_DEFER } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp_types.js';
import { boot_data } from '#linux/init.js';
import {
	list_add_tail,
	list_del,
	list_for_each_entry,
	list_for_each_entry_safe,
	list_head,
} from '#linux/list.js';
import { mutex, mutex_lock, mutex_unlock } from '#linux/mutex.js';
import { kfree, kzalloc } from '#linux/slab.js';
import type { bool, int, ref } from '#linux/types.js';

type compare_t = (dev: device, data: unknown) => int;
type release_t = (dev: device, data: unknown) => void;

class component_match_array {
	data: unknown = null;
	compare: compare_t | null = null;
	compare_typed: ((dev: device, subcomponent: int, data: unknown) => int) | null = null;
	release: release_t | null = null;
	component: component | null = null;
	duplicate: bool = false;
}

/** Which components an aggregate device wants. */
export class component_match {
	compare: component_match_array[] = [];
}

class aggregate_device {
	node: list_head<aggregate_device> = new list_head<aggregate_device>(this);
	bound: bool = false;
	ops!: component_master_ops;
	parent!: device;
	match: component_match | null = null;
}

class component {
	node: list_head<component> = new list_head<component>(this);
	adev: aggregate_device | null = null;
	bound: bool = false;
	ops!: component_ops;
	subcomponent: int = 0;
	dev!: device;
}

const state = boot_data(() => ({
	component_mutex: new mutex('component_mutex'),
	component_list: new list_head<component>(),
	aggregate_devices: new list_head<aggregate_device>(),
}));

function aggregate_device_find(parent: device, ops: component_master_ops | null): aggregate_device | null {
	for (const m of list_for_each_entry(state.aggregate_devices))
		if (m.parent === parent && (ops === null || m.ops === ops)) return m;
	return null;
}

function find_component(adev: aggregate_device, mc: component_match_array): component | null {
	for (const c of list_for_each_entry(state.component_list)) {
		if (c.adev !== null && c.adev !== adev) continue;
		if (mc.compare?.(c.dev, mc.data)) return c;
		if (mc.compare_typed?.(c.dev, c.subcomponent, mc.data)) return c;
	}
	return null;
}

function find_components(adev: aggregate_device): int {
	for (const mc of adev.match?.compare ?? []) {
		if (mc.component !== null) continue;
		const c = find_component(adev, mc);
		dev_dbg(adev.parent, 'found component %s', c !== null ? dev_name(c.dev) : '(none)');
		if (c === null) return -ENXIO;
		// The same component may be asked for twice; it is bound once.
		mc.duplicate = c.adev !== null;
		mc.component = c;
		c.adev = adev;
	}
	return 0;
}

function remove_component(adev: aggregate_device, c: component): void {
	for (const mc of adev.match?.compare ?? []) if (mc.component === c) mc.component = null;
}

/** 1 when @adev was bound, 0 when a component is missing or is not its own, else the error of its bind(). */
function try_to_bring_up_aggregate_device(adev: aggregate_device, c: component | null): int {
	if (find_components(adev)) return 0;
	if (c !== null && c.adev !== adev) return 0;
	if (devres_open_group(adev.parent, adev, GFP_KERNEL) === null) return -ENOMEM;
	const ret = adev.ops.bind(adev.parent);
	if (ret < 0) {
		devres_release_group(adev.parent, adev);
		return ret;
	}
	devres_close_group(adev.parent, adev);
	adev.bound = true;
	return 1;
}

function try_to_bring_up_masters(c: component): int {
	let ret = 0;
	for (const adev of list_for_each_entry(state.aggregate_devices)) {
		if (adev.bound) continue;
		ret = try_to_bring_up_aggregate_device(adev, c);
		if (ret !== 0) break;
	}
	return ret;
}

function take_down_aggregate_device(adev: aggregate_device): void {
	if (!adev.bound) return;
	adev.ops.unbind(adev.parent);
	devres_release_group(adev.parent, adev);
	adev.bound = false;
}

/** The end of all that @match wants. Linux leaves it to @parent's devres. */
function component_match_release(parent: device, match: component_match | null): void {
	for (const mc of match?.compare ?? []) {
		mc.release?.(parent, mc.data);
		kfree(mc);
	}
	kfree(match);
}

/** For component_match_add(): the component of a tree node (drivers/base/component.c: component_compare_of()). */
export function component_compare_of(dev: device, data: unknown): int {
	return device_match_of_node(dev, data);
}

/** drivers/base/component.c: component_release_of(). */
export function component_release_of(dev: device, data: unknown): void {}

/** drivers/base/component.c: component_compare_dev(). */
export function component_compare_dev(dev: device, data: unknown): int {
	return dev === data ? 1 : 0;
}

/** drivers/base/component.c: component_compare_dev_name(). */
export function component_compare_dev_name(dev: device, data: unknown): int {
	return dev_name(dev) === data ? 1 : 0;
}

/**
 * component_match_add_release - Want one more component (drivers/base/component.c: component_match_add_release())
 * @matchptr: what is wanted so far; becomes an error pointer without memory
 */
export function component_match_add_release(
	parent: device,
	matchptr: ref<component_match | null | err_ptr>,
	release: release_t | null,
	compare: compare_t,
	compare_data: unknown,
): void {
	if (IS_ERR(matchptr.value)) return;

	const match = matchptr.value ?? kzalloc(component_match, GFP_KERNEL);
	const mc = match !== null ? kzalloc(component_match_array, GFP_KERNEL) : null;
	if (match === null || mc === null) {
		component_match_release(parent, match);
		matchptr.value = ERR_PTR(-ENOMEM);
		return;
	}
	mc.compare = compare;
	mc.release = release;
	mc.data = compare_data;
	match.compare.push(mc);
	matchptr.value = match;
}

/** Want one more component (include/linux/component.h: component_match_add()). */
export function component_match_add(
	parent: device,
	matchptr: ref<component_match | null | err_ptr>,
	compare: compare_t,
	compare_data: unknown,
): void {
	component_match_add_release(parent, matchptr, null, compare, compare_data);
}

function free_aggregate_device(adev: aggregate_device): void {
	list_del(adev.node);
	for (const mc of adev.match?.compare ?? []) if (mc.component !== null) mc.component.adev = null;
	component_match_release(adev.parent, adev.match);
	kfree(adev);
}

/** @parent is bound by @ops when all of @match are there (drivers/base/component.c: component_master_add_with_match()). */
export function component_master_add_with_match(
	parent: device,
	ops: component_master_ops,
	match: component_match | null | err_ptr,
): int {
	if (IS_ERR(match)) return match.errno;
	const adev = kzalloc(aggregate_device, GFP_KERNEL);
	if (adev === null) {
		component_match_release(parent, match);
		return -ENOMEM;
	}
	adev.parent = parent;
	adev.ops = ops;
	adev.match = match;
	mutex_lock(state.component_mutex);
	list_add_tail(adev.node, state.aggregate_devices);
	const ret = try_to_bring_up_aggregate_device(adev, null);
	if (ret < 0) free_aggregate_device(adev);
	mutex_unlock(state.component_mutex);
	return Math.min(ret, 0);
}

/** Unbind and forget it (drivers/base/component.c: component_master_del()). */
export function component_master_del(parent: device, ops: component_master_ops): void {
	mutex_lock(state.component_mutex);
	const adev = aggregate_device_find(parent, ops);
	if (adev !== null) {
		take_down_aggregate_device(adev);
		free_aggregate_device(adev);
	}
	mutex_unlock(state.component_mutex);
}

function component_unbind(c: component, adev: aggregate_device, data: unknown): void {
	if (WARN_ON(!c.bound)) return;
	c.ops.unbind?.(c.dev, adev.parent, data);
	c.bound = false;
	devres_release_group(c.dev, c);
}

/** Unbind all components, the last first (drivers/base/component.c: component_unbind_all()). */
export function component_unbind_all(parent: device, data: unknown): void {
	const adev = aggregate_device_find(parent, null);
	if (adev === null || adev.match === null) return;
	for (let i = adev.match.compare.length - 1; i >= 0; i--) {
		const mc = adev.match.compare[i] as component_match_array;
		if (!mc.duplicate && mc.component !== null) component_unbind(mc.component, adev, data);
	}
}

function component_bind(c: component, adev: aggregate_device, data: unknown): int {
	// Two groups: the master's own, should the bind fail, and the component's.
	if (devres_open_group(adev.parent, null, GFP_KERNEL) === null) return -ENOMEM;
	if (devres_open_group(c.dev, c, GFP_KERNEL) === null) {
		devres_release_group(adev.parent, null);
		return -ENOMEM;
	}
	dev_dbg(adev.parent, 'binding %s', dev_name(c.dev));
	const ret = c.ops.bind?.(c.dev, adev.parent, data) ?? 0;
	if (!ret) {
		c.bound = true;
		devres_close_group(c.dev, null);
		// The master's group goes with the master's own.
		devres_close_group(adev.parent, null);
	} else {
		devres_release_group(c.dev, null);
		devres_release_group(adev.parent, null);
		if (ret !== -EPROBE_DEFER) dev_err(adev.parent, 'failed to bind %s: %d', dev_name(c.dev), ret);
	}
	return ret;
}

/** Bind all components in the order they were asked for, or none (drivers/base/component.c: component_bind_all()). */
export function component_bind_all(parent: device, data: unknown): int {
	const adev = aggregate_device_find(parent, null);
	if (adev === null || adev.match === null) return -EINVAL;
	const compare = adev.match.compare;
	let ret = 0;
	let i = 0;
	for (; i < compare.length; i++) {
		const mc = compare[i] as component_match_array;
		if (mc.duplicate || mc.component === null) continue;
		ret = component_bind(mc.component, adev, data);
		if (ret) break;
	}
	if (ret) {
		for (i--; i >= 0; i--) {
			const mc = compare[i] as component_match_array;
			if (!mc.duplicate && mc.component !== null) component_unbind(mc.component, adev, data);
		}
	}
	return ret;
}

function __component_add(dev: device, ops: component_ops, subcomponent: int): int {
	const c = kzalloc(component, GFP_KERNEL);
	if (c === null) return -ENOMEM;
	c.ops = ops;
	c.dev = dev;
	c.subcomponent = subcomponent;
	mutex_lock(state.component_mutex);
	list_add_tail(c.node, state.component_list);
	const ret = try_to_bring_up_masters(c);
	if (ret < 0) {
		if (c.adev !== null) remove_component(c.adev, c);
		list_del(c.node);
		kfree(c);
	}
	mutex_unlock(state.component_mutex);
	return Math.min(ret, 0);
}

/** @dev is a component, there from now on (drivers/base/component.c: component_add()). */
export function component_add(dev: device, ops: component_ops): int {
	return __component_add(dev, ops, 0);
}

/** drivers/base/component.c: component_add_typed(). */
export function component_add_typed(dev: device, ops: component_ops, subcomponent: int): int {
	if (WARN_ON(subcomponent === 0)) return -EINVAL;
	return __component_add(dev, ops, subcomponent);
}

/** @dev is no component any more; what it is part of is unbound (drivers/base/component.c: component_del()). */
export function component_del(dev: device, ops: component_ops): void {
	let found: component | null = null;
	mutex_lock(state.component_mutex);
	for (const c of list_for_each_entry_safe(state.component_list)) {
		if (c.dev === dev && c.ops === ops) {
			list_del(c.node);
			found = c;
			break;
		}
	}
	if (found !== null && found.adev !== null) {
		take_down_aggregate_device(found.adev);
		remove_component(found.adev, found);
	}
	mutex_unlock(state.component_mutex);
	WARN_ON(found === null);
	kfree(found);
}
