// SPDX-License-Identifier: GPL-2.0-only
// Runtime power management: users are counted, with callbacks at the edges.
// Linux 6.12: drivers/base/power/runtime.c, generic_ops.c
//
// Left out: RPM_NOWAIT races (one thing runs at a time), sysfs control ("auto"/"on"), statistics, QoS.

import { devm_add_action_or_reset } from '#drivers/base/devres.js';
import { ktime_get_mono_fast_ns } from '#kernel/time/timekeeping.js';
import { dev_warn } from '#linux/dev_printk.js';
import type { device, device_link } from '#linux/device.js';
import { DL_FLAG_PM_RUNTIME } from '#linux/device.js';
import { EACCES, EAGAIN, EBUSY, EINPROGRESS, EINVAL, EIO } from '#linux/errno.js';
import { msecs_to_jiffies } from '#linux/jiffies.js';
import { list_for_each_entry, list_for_each_entry_reverse } from '#linux/list.js';
import type { dev_pm_ops, rpm_request, rpm_status } from '#linux/pm.js';
import {
	dev_pm_info,
	RPM_ACTIVE,
	RPM_INVALID,
	RPM_REQ_AUTOSUSPEND,
	RPM_REQ_IDLE,
	RPM_REQ_NONE,
	RPM_REQ_RESUME,
	RPM_REQ_SUSPEND,
	RPM_RESUMING,
	RPM_SUSPENDED,
	RPM_SUSPENDING,
} from '#linux/pm.js';
import type { bool, int, u64 } from '#linux/types.js';
import type { work_struct } from '#linux/workqueue.js';
import {
	cancel_delayed_work,
	INIT_DELAYED_WORK,
	mod_delayed_work,
	system_wq,
	to_delayed_work,
} from '#linux/workqueue.js';

export const RPM_ASYNC = 0x01;
export const RPM_NOWAIT = 0x02;
export const RPM_GET_PUT = 0x04;
export const RPM_AUTO = 0x08;

type rpm_callback_name = 'runtime_suspend' | 'runtime_resume' | 'runtime_idle';

/** Now, in ns (drivers/base/power/runtime.c: ktime_get_mono_fast_ns()). */
export function pm_runtime_now(): u64 {
	return ktime_get_mono_fast_ns();
}

/** What the outermost layer that has PM at all wants called, else the driver's own. */
function rpm_get_callback(dev: device, name: rpm_callback_name): ((dev: device) => int) | undefined {
	let ops: dev_pm_ops | undefined;
	if (dev.pm_domain !== null) ops = dev.pm_domain.ops;
	else if (dev.type?.pm !== undefined) ops = dev.type.pm;
	else if (dev.class?.pm !== undefined) ops = dev.class.pm;
	else if (dev.bus?.pm !== undefined) ops = dev.bus.pm;
	return ops?.[name] ?? dev.driver?.pm?.[name];
}

function rpm_get_suppliers(dev: device): int {
	for (const link of list_for_each_entry(dev.links.suppliers)) {
		if (!(link.flags & DL_FLAG_PM_RUNTIME)) continue;
		const retval = __pm_runtime_resume(link.supplier, RPM_GET_PUT);
		// A supplier without runtime PM is taken to be up.
		if (retval < 0 && retval !== -EACCES) {
			if (link.supplier.power.usage_count.counter > 0) link.supplier.power.usage_count.counter--;
			return retval;
		}
		link.rpm_active++;
	}
	return 0;
}

function pm_runtime_release_supplier(link: device_link): void {
	while (link.rpm_active > 1) {
		link.rpm_active--;
		if (link.supplier.power.usage_count.counter > 0) link.supplier.power.usage_count.counter--;
	}
}

function rpm_put_suppliers(dev: device): void {
	for (const link of list_for_each_entry(dev.links.suppliers)) {
		if (!(link.flags & DL_FLAG_PM_RUNTIME)) continue;
		pm_runtime_release_supplier(link);
		__pm_runtime_idle(link.supplier, RPM_ASYNC);
	}
}

function rpm_callback(cb: ((dev: device) => int) | undefined, dev: device): int {
	if (cb === undefined) return 0;
	const retval = cb(dev);
	if (retval < 0 && retval !== -EAGAIN && retval !== -EBUSY) dev.power.runtime_error = retval;
	return retval !== -EACCES ? retval : -EIO;
}

function pm_runtime_cancel_pending(dev: device): void {
	dev.power.request = RPM_REQ_NONE;
	dev.power.request_pending = false;
	dev.power.timer_autosuspends = false;
	cancel_delayed_work(dev.power.work);
}

function rpm_queue(dev: device, request: rpm_request, delay: u64): void {
	dev.power.request = request;
	dev.power.request_pending = true;
	mod_delayed_work(system_wq, dev.power.work, delay);
}

function pm_runtime_work(work: work_struct): void {
	const dev = to_delayed_work(work).container as device;
	const req = dev.power.request;
	dev.power.request = RPM_REQ_NONE;
	dev.power.request_pending = false;
	switch (req) {
		case RPM_REQ_IDLE:
			rpm_idle(dev, 0);
			break;
		case RPM_REQ_SUSPEND:
			rpm_suspend(dev, 0);
			break;
		case RPM_REQ_AUTOSUSPEND:
			rpm_suspend(dev, RPM_AUTO);
			break;
		case RPM_REQ_RESUME:
			rpm_resume(dev, 0);
			break;
		default:
	}
}

function rpm_check_suspend_allowed(dev: device): int {
	const power = dev.power;
	if (power.runtime_error) return -EINVAL;
	if (power.disable_depth > 0) return -EACCES;
	if (power.usage_count.counter > 0) return -EAGAIN;
	if (!power.ignore_children && power.child_count.counter > 0) return -EBUSY;
	if (power.runtime_status === RPM_SUSPENDED) return 1;
	return 0;
}

/** When the device may sleep by its autosuspend delay; 0: now. */
function pm_runtime_autosuspend_expiration(dev: device): u64 {
	if (!dev.power.use_autosuspend || dev.power.autosuspend_delay < 0) return 0;
	const expires = dev.power.last_busy + dev.power.autosuspend_delay * 1_000_000;
	return expires > pm_runtime_now() ? expires : 0;
}

function rpm_idle(dev: device, rpmflags: int): int {
	let retval = rpm_check_suspend_allowed(dev);
	if (retval < 0) return retval;
	if (dev.power.runtime_status !== RPM_ACTIVE) return -EAGAIN;
	if (dev.power.idle_notification) return -EINPROGRESS;
	const callback = rpm_get_callback(dev, 'runtime_idle');
	if (rpmflags & RPM_ASYNC) {
		if (!dev.power.request_pending || dev.power.request === RPM_REQ_NONE) rpm_queue(dev, RPM_REQ_IDLE, 0);
		return 0;
	}
	dev.power.idle_notification = true;
	retval = callback !== undefined && !dev.power.no_callbacks ? callback(dev) : 0;
	dev.power.idle_notification = false;
	return retval ? retval : rpm_suspend(dev, rpmflags | RPM_AUTO);
}

function rpm_suspend(dev: device, rpmflags: int): int {
	let retval = rpm_check_suspend_allowed(dev);
	if (retval < 0) return retval;
	if (dev.power.runtime_status === RPM_RESUMING && !(rpmflags & RPM_ASYNC)) return -EAGAIN;
	if (retval) return retval;

	if (rpmflags & RPM_AUTO) {
		const expires = pm_runtime_autosuspend_expiration(dev);
		if (expires !== 0) {
			dev.power.timer_expires = expires;
			const ms = Math.ceil((expires - pm_runtime_now()) / 1_000_000);
			rpm_queue(dev, RPM_REQ_AUTOSUSPEND, msecs_to_jiffies(ms));
			return 0;
		}
	}
	pm_runtime_cancel_pending(dev);
	if (dev.power.runtime_status === RPM_SUSPENDING) return rpmflags & RPM_ASYNC ? -EINPROGRESS : 0;
	if (rpmflags & RPM_ASYNC) {
		rpm_queue(dev, rpmflags & RPM_AUTO ? RPM_REQ_AUTOSUSPEND : RPM_REQ_SUSPEND, 0);
		return 0;
	}
	if (!dev.power.no_callbacks) {
		dev.power.runtime_status = RPM_SUSPENDING;
		retval = rpm_callback(rpm_get_callback(dev, 'runtime_suspend'), dev);
		if (retval) {
			dev.power.runtime_status = RPM_ACTIVE;
			return retval;
		}
	}
	dev.power.runtime_status = RPM_SUSPENDED;
	if (dev.parent !== null && dev.parent.power.child_count.counter > 0) dev.parent.power.child_count.counter--;
	if (dev.power.links_count > 0) rpm_put_suppliers(dev);
	// The parent may sleep as well.
	if (dev.parent !== null && !dev.parent.power.ignore_children && !dev.power.irq_safe)
		rpm_idle(dev.parent, 0);
	return 0;
}

function rpm_resume(dev: device, rpmflags: int): int {
	let retval: int;
	if (dev.power.runtime_error) return -EINVAL;
	if (dev.power.disable_depth > 0) {
		const active = dev.power.runtime_status === RPM_ACTIVE && dev.power.last_status === RPM_ACTIVE;
		return active ? 1 : -EACCES;
	}
	// A pending suspend is off; an autosuspend stays armed, and finds the device in use.
	dev.power.request = RPM_REQ_NONE;
	if (!dev.power.timer_autosuspends) pm_runtime_cancel_pending(dev);
	if (dev.power.runtime_status === RPM_ACTIVE) return 1;
	if (dev.power.runtime_status === RPM_RESUMING || dev.power.runtime_status === RPM_SUSPENDING) {
		return rpmflags & RPM_ASYNC ? -EINPROGRESS : -EBUSY;
	}
	if (rpmflags & RPM_ASYNC) {
		rpm_queue(dev, RPM_REQ_RESUME, 0);
		return 0;
	}
	const parent = dev.parent;
	if (parent !== null && !dev.power.no_callbacks) {
		parent.power.usage_count.counter++;
		if (!parent.power.disable_depth && !parent.power.ignore_children) {
			rpm_resume(parent, 0);
			if (parent.power.runtime_status !== RPM_ACTIVE) {
				__pm_runtime_idle(parent, RPM_GET_PUT);
				return -EBUSY;
			}
		}
	}
	retval = 0;
	if (!dev.power.no_callbacks) {
		dev.power.runtime_status = RPM_RESUMING;
		if (dev.power.links_count > 0) retval = rpm_get_suppliers(dev);
		if (!retval) retval = rpm_callback(rpm_get_callback(dev, 'runtime_resume'), dev);
		if (retval) {
			dev.power.runtime_status = RPM_SUSPENDED;
			if (dev.power.links_count > 0) rpm_put_suppliers(dev);
		}
	}
	if (!retval) {
		dev.power.runtime_status = RPM_ACTIVE;
		dev.power.last_busy = pm_runtime_now();
		if (parent !== null) parent.power.child_count.counter++;
		rpm_idle(dev, RPM_ASYNC);
	}
	if (parent !== null && !dev.power.no_callbacks) __pm_runtime_idle(parent, RPM_GET_PUT | RPM_ASYNC);
	return retval;
}

/** Drop a use; 0 when it was the last, positive when others are left, -EINVAL when there was none. */
function rpm_drop_usage_count(dev: device): int {
	const count = dev.power.usage_count;
	if (count.counter <= 0) {
		dev_warn(dev, 'Runtime PM usage count underflow!');
		return -EINVAL;
	}
	return --count.counter;
}

/** drivers/base/power/runtime.c: __pm_runtime_idle(). */
export function __pm_runtime_idle(dev: device, rpmflags: int): int {
	if (rpmflags & RPM_GET_PUT) {
		const retval = rpm_drop_usage_count(dev);
		if (retval < 0) return retval;
		if (retval > 0) return 0;
	}
	return rpm_idle(dev, rpmflags);
}

/** drivers/base/power/runtime.c: __pm_runtime_suspend(). */
export function __pm_runtime_suspend(dev: device, rpmflags: int): int {
	if (rpmflags & RPM_GET_PUT) {
		const retval = rpm_drop_usage_count(dev);
		if (retval < 0) return retval;
		if (retval > 0) return 0;
	}
	return rpm_suspend(dev, rpmflags);
}

/** drivers/base/power/runtime.c: __pm_runtime_resume(). */
export function __pm_runtime_resume(dev: device, rpmflags: int): int {
	if (rpmflags & RPM_GET_PUT) dev.power.usage_count.counter++;
	return rpm_resume(dev, rpmflags);
}

/** Say what state the hardware is in (drivers/base/power/runtime.c: __pm_runtime_set_status()). */
export function __pm_runtime_set_status(dev: device, status: rpm_status): int {
	if (status !== RPM_ACTIVE && status !== RPM_SUSPENDED) return -EINVAL;
	if (dev.power.disable_depth === 0 && !dev.power.runtime_error) return -EAGAIN;
	const parent = dev.parent;
	if (dev.power.runtime_status !== status && parent !== null) {
		if (status === RPM_SUSPENDED) {
			if (parent.power.child_count.counter > 0) parent.power.child_count.counter--;
		} else if (
			!parent.power.disable_depth &&
			!parent.power.ignore_children &&
			parent.power.runtime_status !== RPM_ACTIVE
		) {
			return -EBUSY;
		} else if (dev.power.runtime_status === RPM_SUSPENDED) {
			parent.power.child_count.counter++;
		}
	}
	dev.power.runtime_status = status;
	dev.power.runtime_error = 0;
	return 0;
}

/** Nothing pending is left when it returns (drivers/base/power/runtime.c: pm_runtime_barrier()). */
export function pm_runtime_barrier(dev: device): int {
	if (!dev.power.request_pending) return 0;
	dev.power.usage_count.counter++;
	let retval = 0;
	if (dev.power.request === RPM_REQ_RESUME) {
		rpm_resume(dev, 0);
		retval = 1;
	}
	pm_runtime_cancel_pending(dev);
	dev.power.usage_count.counter--;
	return retval;
}

/** drivers/base/power/runtime.c: __pm_runtime_disable(). */
export function __pm_runtime_disable(dev: device, check_resume: bool): void {
	if (dev.power.disable_depth > 0) {
		dev.power.disable_depth++;
		return;
	}
	if (check_resume && dev.power.request_pending && dev.power.request === RPM_REQ_RESUME) {
		dev.power.usage_count.counter++;
		rpm_resume(dev, 0);
		dev.power.usage_count.counter--;
	}
	dev.power.disable_depth++;
	pm_runtime_cancel_pending(dev);
	dev.power.last_status = dev.power.runtime_status;
}

/** Start runtime PM of @dev (drivers/base/power/runtime.c: pm_runtime_enable()). */
export function pm_runtime_enable(dev: device): void {
	if (dev.power.disable_depth === 0) {
		dev_warn(dev, 'Unbalanced %s!', 'pm_runtime_enable');
		return;
	}
	if (--dev.power.disable_depth > 0) return;
	dev.power.last_status = RPM_INVALID;
}

/** pm_runtime_enable() undone with the driver (drivers/base/power/runtime.c: devm_pm_runtime_enable()). */
export function devm_pm_runtime_enable(dev: device): int {
	pm_runtime_enable(dev);
	return devm_add_action_or_reset(
		dev,
		(data: unknown): void => {
			__pm_runtime_use_autosuspend(data as device, false);
			__pm_runtime_disable(data as device, true);
		},
		dev,
	);
}

/** Its callbacks may run in atomic context (drivers/base/power/runtime.c: pm_runtime_irq_safe()). */
export function pm_runtime_irq_safe(dev: device): void {
	if (dev.parent !== null) __pm_runtime_resume(dev.parent, RPM_GET_PUT);
	dev.power.irq_safe = true;
}

/** It has no callbacks to call (drivers/base/power/runtime.c: pm_runtime_no_callbacks()). */
export function pm_runtime_no_callbacks(dev: device): void {
	dev.power.no_callbacks = true;
}

function update_autosuspend(dev: device, old_delay: int, old_use: int): void {
	const delay = dev.power.autosuspend_delay;
	if (dev.power.use_autosuspend && delay < 0) {
		// A negative delay keeps it awake.
		if (!old_use || old_delay >= 0) {
			dev.power.usage_count.counter++;
			rpm_resume(dev, 0);
		}
	} else {
		if (old_use && old_delay < 0 && dev.power.usage_count.counter > 0) dev.power.usage_count.counter--;
		rpm_idle(dev, RPM_AUTO);
	}
}

/** Sleep only after @delay ms idle (drivers/base/power/runtime.c: pm_runtime_set_autosuspend_delay()). */
export function pm_runtime_set_autosuspend_delay(dev: device, delay: int): void {
	const old_delay = dev.power.autosuspend_delay;
	const old_use = dev.power.use_autosuspend ? 1 : 0;
	dev.power.autosuspend_delay = delay;
	update_autosuspend(dev, old_delay, old_use);
}

/** drivers/base/power/runtime.c: __pm_runtime_use_autosuspend(). */
export function __pm_runtime_use_autosuspend(dev: device, use: bool): void {
	const old_delay = dev.power.autosuspend_delay;
	const old_use = dev.power.use_autosuspend ? 1 : 0;
	dev.power.use_autosuspend = use;
	update_autosuspend(dev, old_delay, old_use);
}

/** Asleep and disabled until used (drivers/base/power/main.c: device_pm_init(), runtime.c: pm_runtime_init()). */
export function device_pm_init(dev: device): void {
	dev.power = new dev_pm_info(dev);
	INIT_DELAYED_WORK(dev.power.work, pm_runtime_work);
}

/** After an unbind: as if it had never been used (drivers/base/power/runtime.c: pm_runtime_reinit()). */
export function pm_runtime_reinit(dev: device): void {
	if (dev.power.disable_depth === 0) return;
	if (dev.power.runtime_status === RPM_ACTIVE) __pm_runtime_set_status(dev, RPM_SUSPENDED);
	if (dev.power.irq_safe) {
		dev.power.irq_safe = false;
		if (dev.parent !== null) __pm_runtime_idle(dev.parent, RPM_GET_PUT | RPM_ASYNC);
	}
	dev.power.needs_force_resume = false;
}

/** Wake the suppliers for a probe (drivers/base/power/runtime.c: pm_runtime_get_suppliers()). */
export function pm_runtime_get_suppliers(dev: device): void {
	for (const link of list_for_each_entry(dev.links.suppliers)) {
		if (!(link.flags & DL_FLAG_PM_RUNTIME)) continue;
		link.supplier_preactivated = true;
		__pm_runtime_resume(link.supplier, RPM_GET_PUT);
	}
}

/** drivers/base/power/runtime.c: pm_runtime_put_suppliers(). */
export function pm_runtime_put_suppliers(dev: device): void {
	for (const link of list_for_each_entry_reverse(dev.links.suppliers)) {
		if (!link.supplier_preactivated) continue;
		link.supplier_preactivated = false;
		__pm_runtime_idle(link.supplier, RPM_GET_PUT | RPM_ASYNC);
	}
}

/** drivers/base/power/runtime.c: pm_runtime_new_link(). */
export function pm_runtime_new_link(dev: device): void {
	dev.power.links_count++;
}

/** drivers/base/power/runtime.c: pm_runtime_drop_link(). */
export function pm_runtime_drop_link(link: device_link): void {
	if (!(link.flags & DL_FLAG_PM_RUNTIME)) return;
	link.consumer.power.links_count--;
	pm_runtime_release_supplier(link);
	__pm_runtime_idle(link.supplier, RPM_ASYNC);
}

/** Put it to sleep for good (system sleep, remove) (drivers/base/power/runtime.c: pm_runtime_force_suspend()). */
export function pm_runtime_force_suspend(dev: device): int {
	__pm_runtime_disable(dev, false);
	if (dev.power.runtime_status === RPM_SUSPENDED) return 0;
	const ret = rpm_get_callback(dev, 'runtime_suspend')?.(dev) ?? 0;
	if (ret) {
		pm_runtime_enable(dev);
		return ret;
	}
	if (dev.power.usage_count.counter > 1) dev.power.needs_force_resume = true;
	__pm_runtime_set_status(dev, RPM_SUSPENDED);
	return 0;
}

/** drivers/base/power/runtime.c: pm_runtime_force_resume(). */
export function pm_runtime_force_resume(dev: device): int {
	let ret = 0;
	if (dev.power.runtime_status === RPM_SUSPENDED && dev.power.needs_force_resume) {
		__pm_runtime_set_status(dev, RPM_ACTIVE);
		ret = rpm_get_callback(dev, 'runtime_resume')?.(dev) ?? 0;
		if (ret) __pm_runtime_set_status(dev, RPM_SUSPENDED);
	}
	dev.power.needs_force_resume = false;
	pm_runtime_enable(dev);
	return ret;
}
