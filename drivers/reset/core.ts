// SPDX-License-Identifier: GPL-2.0-only
// Reset lines: who provides them, who holds them, and in which state.
// Linux 6.12: drivers/reset/core.c
//
// Left out: arrays of lines, lookup tables, lines made from GPIOs, acquire and release.

import { get_device, put_device } from '#drivers/base/core.js';
import { devm_add_action_or_reset, devres_add, devres_alloc, devres_free } from '#drivers/base/devres.js';
import { of_parse_phandle_with_args } from '#drivers/of/base.js';
import { of_node_put } from '#drivers/of/dynamic.js';
import { of_property_match_string } from '#drivers/of/property.js';
import { WARN, WARN_ON } from '#linux/bug.js';
import { dev_name, type device } from '#linux/device.js';
import { ERR_PTR, type err_ptr, IS_ERR, IS_ERR_OR_NULL } from '#linux/err.js';
import { EBUSY, EILSEQ, EINVAL, ENOENT, ENOMEM, ENOTSUPP, EPERM, EPROBE_DEFER } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp_types.js';
import { boot_data } from '#linux/init.js';
import { kref, kref_get, kref_init, kref_put } from '#linux/kref.js';
import { list_add, list_del, list_for_each_entry, list_head } from '#linux/list.js';
import { mutex, mutex_lock, mutex_unlock } from '#linux/mutex.js';
import { type device_node, of_phandle_args } from '#linux/of_node.js';
import type { reset_controller_dev } from '#linux/reset-controller.js';
import { kfree, kzalloc } from '#linux/slab.js';
import type { bool, int, u32, unsigned_int } from '#linux/types.js';

export const RESET_CONTROL_FLAGS_BIT_SHARED = 1 << 0;
export const RESET_CONTROL_FLAGS_BIT_OPTIONAL = 1 << 1;
export const RESET_CONTROL_FLAGS_BIT_ACQUIRED = 1 << 2;
/** Release it right away. */
export const RESET_CONTROL_FLAGS_BIT_DEASSERTED = 1 << 3;

/** With whom a line is shared, and whether it must be there: one of the following, which cannot be combined. */
export type reset_control_flags = unsigned_int;
export const RESET_CONTROL_EXCLUSIVE = RESET_CONTROL_FLAGS_BIT_ACQUIRED;
export const RESET_CONTROL_EXCLUSIVE_DEASSERTED =
	RESET_CONTROL_EXCLUSIVE | RESET_CONTROL_FLAGS_BIT_DEASSERTED;
/** Somebody may hold it meanwhile; of no use here, where nobody can acquire it later. */
export const RESET_CONTROL_EXCLUSIVE_RELEASED = 0;
export const RESET_CONTROL_SHARED = RESET_CONTROL_FLAGS_BIT_SHARED;
export const RESET_CONTROL_SHARED_DEASSERTED = RESET_CONTROL_SHARED | RESET_CONTROL_FLAGS_BIT_DEASSERTED;
export const RESET_CONTROL_OPTIONAL_EXCLUSIVE = RESET_CONTROL_EXCLUSIVE | RESET_CONTROL_FLAGS_BIT_OPTIONAL;
export const RESET_CONTROL_OPTIONAL_EXCLUSIVE_DEASSERTED =
	RESET_CONTROL_EXCLUSIVE_DEASSERTED | RESET_CONTROL_FLAGS_BIT_OPTIONAL;
export const RESET_CONTROL_OPTIONAL_EXCLUSIVE_RELEASED = RESET_CONTROL_FLAGS_BIT_OPTIONAL;
export const RESET_CONTROL_OPTIONAL_SHARED = RESET_CONTROL_SHARED | RESET_CONTROL_FLAGS_BIT_OPTIONAL;
export const RESET_CONTROL_OPTIONAL_SHARED_DEASSERTED =
	RESET_CONTROL_SHARED_DEASSERTED | RESET_CONTROL_FLAGS_BIT_OPTIONAL;

/** One line, for all who share it or for the one who has it. */
export class reset_control {
	rcdev: reset_controller_dev | null = null;
	list: list_head<reset_control> = new list_head<reset_control>(this);
	id: unsigned_int = 0;
	refcnt: kref = new kref(this);
	acquired: bool = false;
	shared: bool = false;
	/** How many sharers want it released. */
	deassert_count: int = 0;
	/** How many sharers have pulsed it; only the first pulse happens. */
	triggered_count: int = 0;
}

const state = boot_data(() => ({
	reset_list_mutex: new mutex('reset_list_mutex'),
	reset_controller_list: new list_head<reset_controller_dev>(),
}));

function rcdev_name(rcdev: reset_controller_dev): string {
	if (rcdev.dev !== null) return dev_name(rcdev.dev);
	return rcdev.of_node?.full_name ?? '(null)';
}

/** One cell is the line's number (drivers/reset/core.c: of_reset_simple_xlate()). */
function of_reset_simple_xlate(rcdev: reset_controller_dev, reset_spec: of_phandle_args): int {
	const id: u32 = reset_spec.args[0];
	return id >= rcdev.nr_resets ? -EINVAL : id;
}

/** Offer a controller's lines (drivers/reset/core.c: reset_controller_register()). */
export function reset_controller_register(rcdev: reset_controller_dev): int {
	if (rcdev.of_xlate === null) {
		rcdev.of_reset_n_cells = 1;
		rcdev.of_xlate = of_reset_simple_xlate;
	}
	mutex_lock(state.reset_list_mutex);
	list_add(rcdev.list, state.reset_controller_list);
	mutex_unlock(state.reset_list_mutex);
	return 0;
}

/** Take a controller's lines back (drivers/reset/core.c: reset_controller_unregister()). */
export function reset_controller_unregister(rcdev: reset_controller_dev): void {
	mutex_lock(state.reset_list_mutex);
	list_del(rcdev.list);
	mutex_unlock(state.reset_list_mutex);
}

/**
 * reset_controller_register() that ends with @dev's binding
 * (drivers/reset/core.c: devm_reset_controller_register()).
 */
export function devm_reset_controller_register(dev: device, rcdev: reset_controller_dev): int {
	const ret = reset_controller_register(rcdev);
	if (ret !== 0) return ret;
	return devm_add_action_or_reset(dev, reset_controller_unregister, rcdev);
}

/** Pulse the line (drivers/reset/core.c: reset_control_reset()). -ENOTSUPP: the controller cannot. */
export function reset_control_reset(rstc: reset_control | err_ptr | null): int {
	if (rstc === null) return 0;
	if (WARN_ON(IS_ERR(rstc)) || IS_ERR(rstc)) return -EINVAL;
	const rcdev = rstc.rcdev as reset_controller_dev;
	if (rcdev.ops.reset === undefined) return -ENOTSUPP;
	if (rstc.shared) {
		if (WARN_ON(rstc.deassert_count !== 0)) return -EINVAL;
		if (++rstc.triggered_count !== 1) return 0;
	} else if (!rstc.acquired) {
		return -EPERM;
	}
	const ret = rcdev.ops.reset(rcdev, rstc.id);
	if (rstc.shared && ret !== 0) rstc.triggered_count--;
	return ret;
}

/**
 * Put the device in reset (drivers/reset/core.c: reset_control_assert()).
 *
 * A shared line stays released until the last of those who released it asks for this.
 */
export function reset_control_assert(rstc: reset_control | err_ptr | null): int {
	if (rstc === null) return 0;
	if (WARN_ON(IS_ERR(rstc)) || IS_ERR(rstc)) return -EINVAL;
	const rcdev = rstc.rcdev as reset_controller_dev;
	if (rstc.shared) {
		if (WARN_ON(rstc.triggered_count !== 0)) return -EINVAL;
		if (WARN_ON(rstc.deassert_count === 0)) return -EINVAL;
		if (--rstc.deassert_count !== 0) return 0;
		if (rcdev.ops.assert === undefined) return 0;
	} else {
		if (rcdev.ops.assert === undefined) return -ENOTSUPP;
		if (WARN(!rstc.acquired, 'reset %s (ID: %u) is not acquired', rcdev_name(rcdev), rstc.id)) return -EPERM;
	}
	return rcdev.ops.assert(rcdev, rstc.id);
}

/** Release the device from reset (drivers/reset/core.c: reset_control_deassert()). */
export function reset_control_deassert(rstc: reset_control | err_ptr | null): int {
	if (rstc === null) return 0;
	if (WARN_ON(IS_ERR(rstc)) || IS_ERR(rstc)) return -EINVAL;
	const rcdev = rstc.rcdev as reset_controller_dev;
	if (rstc.shared) {
		if (WARN_ON(rstc.triggered_count !== 0)) return -EINVAL;
		if (++rstc.deassert_count !== 1) return 0;
	} else if (WARN(!rstc.acquired, 'reset %s (ID: %u) is not acquired', rcdev_name(rcdev), rstc.id)) {
		return -EPERM;
	}
	// A controller that cannot has lines that release themselves.
	if (rcdev.ops.deassert === undefined) return 0;
	return rcdev.ops.deassert(rcdev, rstc.id);
}

/** 1: in reset, 0: not, -ENOTSUPP: the controller cannot say (drivers/reset/core.c: reset_control_status()). */
export function reset_control_status(rstc: reset_control | err_ptr | null): int {
	if (rstc === null) return 0;
	if (WARN_ON(IS_ERR(rstc)) || IS_ERR(rstc)) return -EINVAL;
	const rcdev = rstc.rcdev as reset_controller_dev;
	return rcdev.ops.status?.(rcdev, rstc.id) ?? -ENOTSUPP;
}

function __reset_control_get_internal(
	rcdev: reset_controller_dev,
	index: unsigned_int,
	flags: unsigned_int,
): reset_control | err_ptr {
	const shared = (flags & RESET_CONTROL_FLAGS_BIT_SHARED) !== 0;
	const acquired = (flags & RESET_CONTROL_FLAGS_BIT_ACQUIRED) !== 0;
	for (const rstc of list_for_each_entry(rcdev.reset_control_head)) {
		if (rstc.id !== index) continue;
		// One more exclusive holder is right when it does not act yet.
		if (!rstc.shared && !shared && !acquired) break;
		if (WARN_ON(!rstc.shared || !shared)) return ERR_PTR(-EBUSY);
		kref_get(rstc.refcnt);
		return rstc;
	}
	const rstc = kzalloc(reset_control, GFP_KERNEL);
	if (rstc === null) return ERR_PTR(-ENOMEM);
	rstc.rcdev = rcdev;
	list_add(rstc.list, rcdev.reset_control_head);
	rstc.id = index;
	kref_init(rstc.refcnt);
	rstc.acquired = acquired;
	rstc.shared = shared;
	if (rcdev.dev !== null) get_device(rcdev.dev);
	return rstc;
}

function __reset_control_release(kref: kref): void {
	const rstc = kref.container as reset_control;
	list_del(rstc.list);
	if (rstc.rcdev?.dev !== null) put_device(rstc.rcdev?.dev ?? null);
	kfree(rstc);
}

/**
 * The line that entry @index, or the one named @id, of @node's `resets` means
 * (drivers/reset/core.c: __of_reset_control_get()).
 *
 * Returns the control; null for an optional one that the tree does not name; -ENOENT when it names none,
 * -EPROBE_DEFER while its controller is not there, -EBUSY when somebody has it, -EINVAL when the tree is wrong.
 */
export function __of_reset_control_get(
	node: device_node | null,
	id: string | null,
	index: int,
	flags: unsigned_int,
): reset_control | err_ptr | null {
	const optional = (flags & RESET_CONTROL_FLAGS_BIT_OPTIONAL) !== 0;
	if (node === null) return ERR_PTR(-EINVAL);
	let at = index;
	if (id !== null) {
		at = of_property_match_string(node, 'reset-names', id);
		if (at === -EILSEQ) return ERR_PTR(at);
		if (at < 0) return optional ? null : ERR_PTR(-ENOENT);
	}
	const args = new of_phandle_args();
	const ret = of_parse_phandle_with_args(node, 'resets', '#reset-cells', at, args);
	if (ret === -EINVAL) return ERR_PTR(ret);
	if (ret !== 0) return optional ? null : ERR_PTR(ret);

	mutex_lock(state.reset_list_mutex);
	let rcdev: reset_controller_dev | null = null;
	for (const r of list_for_each_entry(state.reset_controller_list))
		if (r.of_node === args.np) {
			rcdev = r;
			break;
		}
	let rstc: reset_control | err_ptr;
	if (rcdev === null) {
		rstc = ERR_PTR(-EPROBE_DEFER);
	} else if (WARN_ON(args.args_count !== rcdev.of_reset_n_cells)) {
		rstc = ERR_PTR(-EINVAL);
	} else {
		const rstc_id = rcdev.of_xlate?.(rcdev, args) ?? -EINVAL;
		rstc =
			rstc_id < 0
				? ERR_PTR(rstc_id)
				: __reset_control_get_internal(rcdev, rstc_id, flags & ~RESET_CONTROL_FLAGS_BIT_OPTIONAL);
	}
	mutex_unlock(state.reset_list_mutex);
	of_node_put(args.np);
	return rstc;
}

/** A line of @dev (drivers/reset/core.c: __reset_control_get()). */
export function __reset_control_get(
	dev: device,
	id: string | null,
	index: int,
	flags: unsigned_int,
): reset_control | err_ptr | null {
	const shared = (flags & RESET_CONTROL_FLAGS_BIT_SHARED) !== 0;
	const acquired = (flags & RESET_CONTROL_FLAGS_BIT_ACQUIRED) !== 0;
	if (WARN_ON(shared && acquired)) return ERR_PTR(-EINVAL);
	if (dev.of_node !== null) return __of_reset_control_get(dev.of_node, id, index, flags);
	return (flags & RESET_CONTROL_FLAGS_BIT_OPTIONAL) !== 0 ? null : ERR_PTR(-ENOENT);
}

/** Give a line back; in whatever state it is (drivers/reset/core.c: reset_control_put()). */
export function reset_control_put(rstc: reset_control | err_ptr | null): void {
	if (IS_ERR_OR_NULL(rstc) || rstc === null) return;
	mutex_lock(state.reset_list_mutex);
	kref_put(rstc.refcnt, __reset_control_release);
	mutex_unlock(state.reset_list_mutex);
}

class reset_devres {
	rstc: reset_control | null = null;
}

function devm_reset_control_release(_dev: device, res: unknown): void {
	reset_control_put((res as reset_devres).rstc);
}

function devm_reset_control_release_deasserted(_dev: device, res: unknown): void {
	const { rstc } = res as reset_devres;

	reset_control_assert(rstc);
	reset_control_put(rstc);
}

/**
 * __reset_control_get() that ends with @dev's binding (drivers/reset/core.c: __devm_reset_control_get()).
 *
 * With one of the _DEASSERTED flags the line is released until then. Returns the line; null when it is optional and
 * not there; or an error pointer, of reset_control_deassert() too.
 */
export function __devm_reset_control_get(
	dev: device,
	id: string | null,
	index: int,
	flags: reset_control_flags,
): reset_control | err_ptr | null {
	const deasserted = (flags & RESET_CONTROL_FLAGS_BIT_DEASSERTED) !== 0;
	const release = deasserted ? devm_reset_control_release_deasserted : devm_reset_control_release;

	const ptr = devres_alloc(release, reset_devres, GFP_KERNEL);
	if (ptr === null) return ERR_PTR(-ENOMEM);

	let rstc = __reset_control_get(dev, id, index, flags & ~RESET_CONTROL_FLAGS_BIT_DEASSERTED);
	const ret = deasserted && !IS_ERR(rstc) ? reset_control_deassert(rstc) : 0;
	if (ret !== 0) {
		reset_control_put(rstc);
		rstc = ERR_PTR(ret);
	}
	if (IS_ERR_OR_NULL(rstc) || rstc === null) {
		devres_free(ptr);
		return rstc;
	}
	ptr.rstc = rstc;
	devres_add(dev, ptr);
	return rstc;
}

/** Pulse @dev's line, if it has one (include/linux/reset.h: device_reset_optional()). */
export function device_reset_optional(dev: device): int {
	const rstc = __reset_control_get(dev, null, 0, RESET_CONTROL_OPTIONAL_EXCLUSIVE);
	if (IS_ERR(rstc)) return rstc.errno;
	const ret = reset_control_reset(rstc);
	reset_control_put(rstc);
	return ret;
}
