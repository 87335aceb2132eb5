// SPDX-License-Identifier: GPL-2.0-only
// Runtime power management: users are counted, with callbacks at the edges.
// Linux 6.12: drivers/base/power/runtime.c
//
// Left out: statistics and trace events, QoS, wake-up interrupts, memalloc_noio, sysfs control ("auto"/"on").
// Locks around atomic counters and single flags are left out too.

import { devm_add_action_or_reset } from '#drivers/base/devres.js';
import { pm_wq } from '#kernel/power/power.js';
import { ktime_get_mono_fast_ns } from '#kernel/time/timekeeping.js';
import { dump_stack } from '#lib/dump_stack.js';
import {
	atomic_add_unless,
	atomic_dec,
	atomic_inc,
	atomic_inc_not_zero,
	atomic_read,
	atomic_set,
	atomic_sub_return,
} from '#linux/atomic.js';
import { WARN_ON } from '#linux/bug.js';
import { dev_err, dev_warn } from '#linux/dev_printk.js';
import { DL_FLAG_PM_RUNTIME, dev_name, type device, type device_link } from '#linux/device.js';
import { EACCES, EAGAIN, EBUSY, EINPROGRESS, EINVAL, EIO } from '#linux/errno.js';
import {
	CLOCK_MONOTONIC,
	HRTIMER_MODE_ABS,
	HRTIMER_NORESTART,
	type hrtimer,
	hrtimer_init,
	type hrtimer_restart,
	hrtimer_start,
	hrtimer_try_to_cancel,
} from '#linux/hrtimer.js';
import { might_sleep_if } from '#linux/kernel.js';
import { list_for_each_entry } from '#linux/list.js';
import type { dev_pm_ops, rpm_request, rpm_status } from '#linux/pm.js';
import {
	dev_pm_info,
	RPM_ACTIVE,
	RPM_BLOCKED,
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
import { refcount_dec_not_one, refcount_inc } from '#linux/refcount.js';
import {
	spin_lock,
	spin_lock_irq,
	spin_lock_irqsave,
	spin_unlock,
	spin_unlock_irq,
	spin_unlock_irqrestore,
} from '#linux/spinlock.js';
import { type bool, container_of, type int, type u64, type unsigned_int } from '#linux/types.js';
import { wait_event, wake_up_all } from '#linux/wait.js';
import { cancel_work_sync, flush_work, INIT_WORK, queue_work, type work_struct } from '#linux/workqueue.js';

export const RPM_ASYNC = 0x01;
export const RPM_NOWAIT = 0x02;
export const RPM_GET_PUT = 0x04;
export const RPM_AUTO = 0x08;

type rpm_callback_name = 'runtime_suspend' | 'runtime_resume' | 'runtime_idle';
type rpm_callback_t = ((dev: device) => int) | undefined;

const NSEC_PER_MSEC = 1_000_000;

/** Now, in ns (drivers/base/power/runtime.c: ktime_get_mono_fast_ns()). */
export function pm_runtime_now(): u64 {
	return ktime_get_mono_fast_ns();
}

/** What the outermost layer that has PM at all wants called, else the driver's own. */
function rpm_get_callback(dev: device, name: rpm_callback_name): rpm_callback_t {
	let ops: dev_pm_ops | undefined;
	if (dev.pm_domain !== null) ops = dev.pm_domain.ops;
	else if (dev.type?.pm !== undefined) ops = dev.type.pm;
	else if (dev.class?.pm !== undefined) ops = dev.class.pm;
	else if (dev.bus?.pm !== undefined) ops = dev.bus.pm;
	return ops?.[name] ?? dev.driver?.pm?.[name];
}

function pm_runtime_deactivate_timer(dev: device): void {
	if (dev.power.timer_expires === 0) return;
	hrtimer_try_to_cancel(dev.power.suspend_timer);
	dev.power.timer_expires = 0;
}

/** The work may run all the same: it finds nothing to do. */
function pm_runtime_cancel_pending(dev: device): void {
	pm_runtime_deactivate_timer(dev);
	dev.power.request = RPM_REQ_NONE;
}

/** When @dev may sleep by its delay, in ns; 0: now (drivers/base/power/runtime.c: pm_runtime_autosuspend_expiration()). */
export function pm_runtime_autosuspend_expiration(dev: device): u64 {
	if (!dev.power.use_autosuspend || dev.power.autosuspend_delay < 0) return 0;
	const expires = dev.power.last_busy + dev.power.autosuspend_delay * NSEC_PER_MSEC;
	return expires > pm_runtime_now() ? expires : 0;
}

/** Whether @dev may sleep: 0, 1 when it does already, or why not. */
function rpm_check_suspend_allowed(dev: device): int {
	const power = dev.power;

	if (power.runtime_error !== 0) return -EINVAL;
	if (power.disable_depth > 0) return -EACCES;
	if (atomic_read(power.usage_count) !== 0) return -EAGAIN;
	if (!power.ignore_children && atomic_read(power.child_count) !== 0) return -EBUSY;
	// Who wants it up goes first.
	if (power.deferred_resume && power.runtime_status === RPM_SUSPENDING) return -EAGAIN;
	if (power.request_pending && power.request === RPM_REQ_RESUME) return -EAGAIN;
	return power.runtime_status === RPM_SUSPENDED ? 1 : 0;
}

function rpm_get_suppliers(dev: device): int {
	for (const link of list_for_each_entry(dev.links.suppliers)) {
		if ((link.flags & DL_FLAG_PM_RUNTIME) === 0) continue;

		const retval = __pm_runtime_resume(link.supplier, RPM_GET_PUT);
		// A supplier without runtime PM is taken to be up.
		if (retval < 0 && retval !== -EACCES) {
			atomic_add_unless(link.supplier.power.usage_count, -1, 0);
			return retval;
		}
		refcount_inc(link.rpm_active);
	}
	return 0;
}

/** Drop every hold that @link's consumer has on its supplier (drivers/base/power/runtime.c: pm_runtime_release_supplier()). */
export function pm_runtime_release_supplier(link: device_link): void {
	const count = link.supplier.power.usage_count;

	while (refcount_dec_not_one(link.rpm_active) && atomic_read(count) > 0) atomic_add_unless(count, -1, 0);
}

function __rpm_put_suppliers(dev: device, try_to_suspend: bool): void {
	for (const link of list_for_each_entry(dev.links.suppliers)) {
		pm_runtime_release_supplier(link);
		if (try_to_suspend) __pm_runtime_idle(link.supplier, RPM_ASYNC);
	}
}

function rpm_put_suppliers(dev: device): void {
	__rpm_put_suppliers(dev, true);
}

function rpm_suspend_suppliers(dev: device): void {
	for (const link of list_for_each_entry(dev.links.suppliers)) __pm_runtime_idle(link.supplier, RPM_ASYNC);
}

/** Without @dev's lock for the time of a callback. */
function rpm_unlock(dev: device): void {
	if (dev.power.irq_safe) spin_unlock(dev.power.lock);
	else spin_unlock_irq(dev.power.lock);
}

function rpm_lock(dev: device): void {
	if (dev.power.irq_safe) spin_lock(dev.power.lock);
	else spin_lock_irq(dev.power.lock);
}

/** @cb between the suppliers' coming up and their being let go. */
function __rpm_callback(cb: rpm_callback_t, dev: device): int {
	const use_links = dev.power.links_count > 0 && !dev.power.irq_safe;
	const resuming = dev.power.runtime_status === RPM_RESUMING;
	let retval = 0;

	rpm_unlock(dev);
	fail: {
		if (use_links && resuming) {
			retval = rpm_get_suppliers(dev);
			if (retval !== 0) {
				rpm_put_suppliers(dev);
				break fail;
			}
		}

		if (cb !== undefined) retval = cb(dev);

		// Asleep now, or still: it needs them no more. They are asked to sleep when this device does.
		if (use_links && resuming === (retval !== 0)) __rpm_put_suppliers(dev, false);
	}
	rpm_lock(dev);

	return retval;
}

function rpm_callback(cb: rpm_callback_t, dev: device): int {
	const retval = __rpm_callback(cb, dev);

	dev.power.runtime_error = retval;
	return retval !== -EACCES ? retval : -EIO;
}

/** Sleep until no callback of @dev is running; called and left with its lock held. */
function rpm_wait(dev: device, done: () => bool): void {
	rpm_unlock(dev);
	wait_event(dev.power.wait_queue, done);
	rpm_lock(dev);
}

function rpm_queue(dev: device, request: rpm_request): void {
	dev.power.request = request;
	if (dev.power.request_pending) return;
	dev.power.request_pending = true;
	queue_work(pm_wq, dev.power.work);
}

/** Nobody uses @dev: ask its driver, and let it sleep. The lock is held here and in the two below. */
function rpm_idle(dev: device, rpmflags: int): int {
	const power = dev.power;

	let retval = rpm_check_suspend_allowed(dev);
	if (retval < 0) {
		// Why not is said already.
	} else if (power.runtime_status !== RPM_ACTIVE) retval = -EAGAIN;
	else if (power.request_pending && power.request > RPM_REQ_IDLE) retval = -EAGAIN;
	else if (power.idle_notification) retval = -EINPROGRESS;
	if (retval !== 0) return retval;

	power.request = RPM_REQ_NONE;

	const callback = rpm_get_callback(dev, 'runtime_idle');
	if (callback === undefined || power.no_callbacks) return rpm_suspend(dev, rpmflags | RPM_AUTO);

	if ((rpmflags & RPM_ASYNC) !== 0) {
		rpm_queue(dev, RPM_REQ_IDLE);
		return 0;
	}

	power.idle_notification = true;
	rpm_unlock(dev);
	retval = callback(dev);
	rpm_lock(dev);
	power.idle_notification = false;
	wake_up_all(power.wait_queue);

	return retval !== 0 ? retval : rpm_suspend(dev, rpmflags | RPM_AUTO);
}

/** Put an autosuspend off until @expires. A timer that is armed for earlier finds out by itself. */
function rpm_arm_timer(dev: device, expires: u64): void {
	const power = dev.power;

	power.request = RPM_REQ_NONE;
	if (power.timer_expires === 0 || power.timer_expires > expires) {
		power.timer_expires = expires;
		hrtimer_start(power.suspend_timer, expires, HRTIMER_MODE_ABS);
	}
	power.timer_autosuspends = true;
}

function rpm_suspend(dev: device, rpmflags: int): int {
	const power = dev.power;
	let retval: int;

	for (;;) {
		retval = rpm_check_suspend_allowed(dev);
		if (retval < 0) return retval;
		if (power.runtime_status === RPM_RESUMING && (rpmflags & RPM_ASYNC) === 0) return -EAGAIN;
		if (retval !== 0) return retval;

		if ((rpmflags & RPM_AUTO) !== 0 && power.runtime_status !== RPM_SUSPENDING) {
			const expires = pm_runtime_autosuspend_expiration(dev);
			if (expires !== 0) {
				rpm_arm_timer(dev, expires);
				return 0;
			}
		}

		pm_runtime_cancel_pending(dev);

		if (power.runtime_status === RPM_SUSPENDING) {
			if ((rpmflags & (RPM_ASYNC | RPM_NOWAIT)) !== 0) return -EINPROGRESS;
			rpm_wait(dev, () => power.runtime_status !== RPM_SUSPENDING);
			continue;
		}

		if (power.no_callbacks) break;

		if ((rpmflags & RPM_ASYNC) !== 0) {
			rpm_queue(dev, (rpmflags & RPM_AUTO) !== 0 ? RPM_REQ_AUTOSUSPEND : RPM_REQ_SUSPEND);
			return 0;
		}

		power.runtime_status = RPM_SUSPENDING;
		retval = rpm_callback(rpm_get_callback(dev, 'runtime_suspend'), dev);
		if (retval === 0) break;

		power.runtime_status = RPM_ACTIVE;
		power.deferred_resume = false;
		wake_up_all(power.wait_queue);
		if (retval !== -EAGAIN && retval !== -EBUSY) {
			pm_runtime_cancel_pending(dev);
			return retval;
		}
		// Not now. If it was busy meanwhile, there is a new time to try it.
		power.runtime_error = 0;
		if ((rpmflags & RPM_AUTO) === 0 || pm_runtime_autosuspend_expiration(dev) === 0) return retval;
	}

	power.runtime_status = RPM_SUSPENDED;
	pm_runtime_deactivate_timer(dev);
	const parent = dev.parent;
	if (parent !== null) atomic_add_unless(parent.power.child_count, -1, 0);
	wake_up_all(power.wait_queue);

	if (power.deferred_resume) {
		power.deferred_resume = false;
		rpm_resume(dev, 0);
		return -EAGAIN;
	}
	if (power.irq_safe) return 0;

	// Those that were up for it may be able to sleep, too.
	if (parent !== null && !parent.power.ignore_children) {
		spin_unlock(power.lock);
		spin_lock(parent.power.lock);
		rpm_idle(parent, RPM_ASYNC);
		spin_unlock(parent.power.lock);
		spin_lock(power.lock);
	}
	if (power.links_count > 0) {
		spin_unlock_irq(power.lock);
		rpm_suspend_suppliers(dev);
		spin_lock_irq(power.lock);
	}
	return 0;
}

/** Hold @parent, and have it up unless it does not care for its children: 0 or -EBUSY. */
function rpm_resume_parent(dev: device, parent: device): int {
	let retval = 0;

	spin_unlock(dev.power.lock);
	atomic_inc(parent.power.usage_count);
	spin_lock(parent.power.lock);
	if (parent.power.disable_depth === 0 && !parent.power.ignore_children) {
		rpm_resume(parent, 0);
		if (parent.power.runtime_status !== RPM_ACTIVE) retval = -EBUSY;
	}
	spin_unlock(parent.power.lock);
	spin_lock(dev.power.lock);
	return retval;
}

/** Whether a device without callbacks is up as soon as it says so: its parent cannot fail it. */
function rpm_parent_is_up(parent: device): bool {
	spin_lock(parent.power.lock);
	const up =
		parent.power.disable_depth > 0 ||
		parent.power.ignore_children ||
		parent.power.runtime_status === RPM_ACTIVE;
	if (up) atomic_inc(parent.power.child_count);
	spin_unlock(parent.power.lock);
	return up;
}

function rpm_resume(dev: device, rpmflags: int): int {
	const power = dev.power;
	/** Held once it is. */
	let parent: device | null = null;
	let retval = 0;

	out: {
		for (;;) {
			if (power.runtime_error !== 0) retval = -EINVAL;
			else if (power.disable_depth > 0)
				retval = power.runtime_status === RPM_ACTIVE && power.last_status === RPM_ACTIVE ? 1 : -EACCES;
			if (retval !== 0) break out;

			// An autosuspend stays armed, and finds the device in use.
			power.request = RPM_REQ_NONE;
			if (!power.timer_autosuspends) pm_runtime_deactivate_timer(dev);

			if (power.runtime_status === RPM_ACTIVE) {
				retval = 1;
				break out;
			}

			if (power.runtime_status === RPM_RESUMING || power.runtime_status === RPM_SUSPENDING) {
				if ((rpmflags & (RPM_ASYNC | RPM_NOWAIT)) !== 0) {
					const suspending = power.runtime_status === RPM_SUSPENDING;
					if (suspending) power.deferred_resume = true;
					if (!suspending || (rpmflags & RPM_NOWAIT) !== 0) retval = -EINPROGRESS;
					break out;
				}
				rpm_wait(dev, () => power.runtime_status !== RPM_RESUMING && power.runtime_status !== RPM_SUSPENDING);
				continue;
			}

			if (power.no_callbacks && parent === null && dev.parent !== null && rpm_parent_is_up(dev.parent)) {
				retval = 1;
				break;
			}

			if ((rpmflags & RPM_ASYNC) !== 0) {
				rpm_queue(dev, RPM_REQ_RESUME);
				break out;
			}

			if (parent === null && dev.parent !== null) {
				parent = dev.parent;
				// Of one whose callbacks may run anywhere the parent is always up.
				if (!power.irq_safe) {
					retval = rpm_resume_parent(dev, parent);
					if (retval !== 0) break out;
					// Others may have done it while the lock was free.
					continue;
				}
			}

			if (power.no_callbacks) break;

			power.runtime_status = RPM_RESUMING;
			retval = rpm_callback(rpm_get_callback(dev, 'runtime_resume'), dev);
			break;
		}

		if (retval < 0) {
			power.runtime_status = RPM_SUSPENDED;
			pm_runtime_cancel_pending(dev);
		} else {
			power.runtime_status = RPM_ACTIVE;
			power.last_busy = pm_runtime_now();
			if (parent !== null) atomic_inc(parent.power.child_count);
		}
		wake_up_all(power.wait_queue);

		if (retval >= 0) rpm_idle(dev, RPM_ASYNC);
	}
	if (parent !== null && !power.irq_safe) {
		spin_unlock_irq(power.lock);
		__pm_runtime_idle(parent, RPM_GET_PUT | RPM_ASYNC);
		spin_lock_irq(power.lock);
	}
	return retval;
}

function pm_runtime_work(work: work_struct): void {
	const dev = container_of(work, dev_pm_info).container;

	spin_lock_irq(dev.power.lock);
	if (dev.power.request_pending) {
		const req = dev.power.request;
		dev.power.request = RPM_REQ_NONE;
		dev.power.request_pending = false;
		switch (req) {
			case RPM_REQ_IDLE:
				rpm_idle(dev, RPM_NOWAIT);
				break;
			case RPM_REQ_SUSPEND:
				rpm_suspend(dev, RPM_NOWAIT);
				break;
			case RPM_REQ_AUTOSUSPEND:
				rpm_suspend(dev, RPM_NOWAIT | RPM_AUTO);
				break;
			case RPM_REQ_RESUME:
				rpm_resume(dev, RPM_NOWAIT);
				break;
			default:
		}
	}
	spin_unlock_irq(dev.power.lock);
}

function pm_suspend_timer_fn(timer: hrtimer): hrtimer_restart {
	const dev = container_of(timer, dev_pm_info).container;

	const flags = spin_lock_irqsave(dev.power.lock);
	const expires = dev.power.timer_expires;
	if (expires > 0 && expires <= pm_runtime_now()) {
		dev.power.timer_expires = 0;
		rpm_suspend(dev, dev.power.timer_autosuspends ? RPM_ASYNC | RPM_AUTO : RPM_ASYNC);
	}
	spin_unlock_irqrestore(dev.power.lock, flags);
	return HRTIMER_NORESTART;
}

/** Have @dev suspended in @delay ms, or now; 0, or why not (drivers/base/power/runtime.c: pm_schedule_suspend()). */
export function pm_schedule_suspend(dev: device, delay: unsigned_int): int {
	const flags = spin_lock_irqsave(dev.power.lock);
	let retval: int;

	if (delay === 0) {
		retval = rpm_suspend(dev, RPM_ASYNC);
	} else {
		retval = rpm_check_suspend_allowed(dev);
		if (retval === 0) {
			pm_runtime_cancel_pending(dev);
			dev.power.timer_expires = pm_runtime_now() + delay * NSEC_PER_MSEC;
			dev.power.timer_autosuspends = false;
			hrtimer_start(dev.power.suspend_timer, dev.power.timer_expires, HRTIMER_MODE_ABS);
		}
	}
	spin_unlock_irqrestore(dev.power.lock, flags);
	return retval;
}

/** Drop a use; 0 when it was the last, positive when others are left, -EINVAL when there was none. */
function rpm_drop_usage_count(dev: device): int {
	const ret = atomic_sub_return(1, dev.power.usage_count);
	if (ret >= 0) return ret;

	atomic_inc(dev.power.usage_count);
	dev_warn(dev, 'Runtime PM usage count underflow!');
	return -EINVAL;
}

/** Ask for sleep: if the caller's was the last use, with RPM_GET_PUT (drivers/base/power/runtime.c: __pm_runtime_idle()). */
export function __pm_runtime_idle(dev: device, rpmflags: int): int {
	if ((rpmflags & RPM_GET_PUT) !== 0) {
		const left = rpm_drop_usage_count(dev);
		if (left !== 0) return left < 0 ? left : 0;
	}
	might_sleep_if((rpmflags & RPM_ASYNC) === 0 && !dev.power.irq_safe);

	const flags = spin_lock_irqsave(dev.power.lock);
	const retval = rpm_idle(dev, rpmflags);
	spin_unlock_irqrestore(dev.power.lock, flags);
	return retval;
}

/** The same without asking the driver's idle callback (drivers/base/power/runtime.c: __pm_runtime_suspend()). */
export function __pm_runtime_suspend(dev: device, rpmflags: int): int {
	if ((rpmflags & RPM_GET_PUT) !== 0) {
		const left = rpm_drop_usage_count(dev);
		if (left !== 0) return left < 0 ? left : 0;
	}
	might_sleep_if((rpmflags & RPM_ASYNC) === 0 && !dev.power.irq_safe);

	const flags = spin_lock_irqsave(dev.power.lock);
	const retval = rpm_suspend(dev, rpmflags);
	spin_unlock_irqrestore(dev.power.lock, flags);
	return retval;
}

/** Have @dev up: 0, 1 when it was, or an error; RPM_GET_PUT counts in any case (drivers/base/power/runtime.c: __pm_runtime_resume()). */
export function __pm_runtime_resume(dev: device, rpmflags: int): int {
	might_sleep_if(
		(rpmflags & RPM_ASYNC) === 0 && !dev.power.irq_safe && dev.power.runtime_status !== RPM_ACTIVE,
	);
	if ((rpmflags & RPM_GET_PUT) !== 0) atomic_inc(dev.power.usage_count);

	const flags = spin_lock_irqsave(dev.power.lock);
	const retval = rpm_resume(dev, rpmflags);
	spin_unlock_irqrestore(dev.power.lock, flags);
	return retval;
}

function pm_runtime_get_conditional(dev: device, ign_usage_count: bool): int {
	const power = dev.power;
	let retval: int;

	const flags = spin_lock_irqsave(power.lock);
	if (power.disable_depth > 0) {
		retval = -EINVAL;
	} else if (power.runtime_status !== RPM_ACTIVE) {
		retval = 0;
	} else if (ign_usage_count || (!power.ignore_children && atomic_read(power.child_count) > 0)) {
		retval = 1;
		atomic_inc(power.usage_count);
	} else {
		retval = atomic_inc_not_zero(power.usage_count) ? 1 : 0;
	}
	spin_unlock_irqrestore(power.lock, flags);
	return retval;
}

/** Count if @dev is up: 1, 0, or -EINVAL without runtime PM (drivers/base/power/runtime.c: pm_runtime_get_if_active()). */
export function pm_runtime_get_if_active(dev: device): int {
	return pm_runtime_get_conditional(dev, true);
}

/**
 * Count if @dev is up and somebody, or a child, uses it: 1, 0, or -EINVAL without runtime PM; any context
 * (drivers/base/power/runtime.c: pm_runtime_get_if_in_use()).
 */
export function pm_runtime_get_if_in_use(dev: device): int {
	return pm_runtime_get_conditional(dev, false);
}

/**
 * Say what state the hardware is in (drivers/base/power/runtime.c: __pm_runtime_set_status())
 * @status: RPM_ACTIVE or RPM_SUSPENDED
 *
 * Only while runtime PM is off or has failed; the error is forgotten. -EAGAIN otherwise; -EBUSY below a sleeping parent.
 */
export function __pm_runtime_set_status(dev: device, status: rpm_status): int {
	const parent = dev.parent;
	const power = dev.power;
	let want = status;
	let notify_parent = false;
	let error = 0;

	if (want !== RPM_ACTIVE && want !== RPM_SUSPENDED) return -EINVAL;

	let flags = spin_lock_irqsave(power.lock);
	if (power.runtime_error !== 0 || power.disable_depth > 0) power.disable_depth++;
	else error = -EAGAIN;
	spin_unlock_irqrestore(power.lock, flags);
	if (error !== 0) return error;

	// Held once more than needed does no harm: all that a consumer holds is dropped at once.
	if (want === RPM_ACTIVE) {
		error = rpm_get_suppliers(dev);
		if (error !== 0) want = RPM_SUSPENDED;
	}

	flags = spin_lock_irqsave(power.lock);
	out: {
		if (power.runtime_status !== want && parent !== null) {
			if (want === RPM_SUSPENDED) {
				atomic_add_unless(parent.power.child_count, -1, 0);
				notify_parent = !parent.power.ignore_children;
			} else {
				spin_lock(parent.power.lock);
				if (
					parent.power.disable_depth === 0 &&
					!parent.power.ignore_children &&
					parent.power.runtime_status !== RPM_ACTIVE
				) {
					dev_err(
						dev,
						'runtime PM trying to activate child device %s but parent (%s) is not active',
						dev_name(dev),
						dev_name(parent),
					);
					error = -EBUSY;
				} else if (power.runtime_status === RPM_SUSPENDED) {
					atomic_inc(parent.power.child_count);
				}
				spin_unlock(parent.power.lock);
				if (error !== 0) {
					want = RPM_SUSPENDED;
					break out;
				}
			}
		}
		power.runtime_status = want;
		if (error === 0) power.runtime_error = 0;
	}
	spin_unlock_irqrestore(power.lock, flags);

	if (notify_parent && parent !== null) __pm_runtime_idle(parent, RPM_ASYNC);
	if (want === RPM_SUSPENDED) rpm_put_suppliers(dev);
	pm_runtime_enable(dev);
	return error;
}

function __pm_runtime_barrier(dev: device): void {
	const power = dev.power;

	pm_runtime_deactivate_timer(dev);

	if (power.request_pending) {
		power.request = RPM_REQ_NONE;
		spin_unlock_irq(power.lock);
		cancel_work_sync(power.work);
		spin_lock_irq(power.lock);
		power.request_pending = false;
	}

	const done = (): bool =>
		power.runtime_status !== RPM_SUSPENDING &&
		power.runtime_status !== RPM_RESUMING &&
		!power.idle_notification;
	if (!done()) {
		spin_unlock_irq(power.lock);
		wait_event(power.wait_queue, done);
		spin_lock_irq(power.lock);
	}
}

/** Nothing of @dev is pending or running when it returns; 1: a resume was, and is done (drivers/base/power/runtime.c: pm_runtime_barrier()). */
export function pm_runtime_barrier(dev: device): int {
	let retval = 0;

	atomic_inc(dev.power.usage_count);
	spin_lock_irq(dev.power.lock);
	if (dev.power.request_pending && dev.power.request === RPM_REQ_RESUME) {
		rpm_resume(dev, 0);
		retval = 1;
	}
	__pm_runtime_barrier(dev);
	spin_unlock_irq(dev.power.lock);
	atomic_add_unless(dev.power.usage_count, -1, 0);
	return retval;
}

/** Runtime PM stays off while the system sleeps (drivers/base/power/runtime.c: pm_runtime_block_if_disabled()). */
export function pm_runtime_block_if_disabled(dev: device): void {
	spin_lock_irq(dev.power.lock);
	if (dev.power.disable_depth > 0 && dev.power.last_status === RPM_INVALID)
		dev.power.last_status = RPM_BLOCKED;
	spin_unlock_irq(dev.power.lock);
}

/** No longer (drivers/base/power/runtime.c: pm_runtime_unblock()). */
export function pm_runtime_unblock(dev: device): void {
	spin_lock_irq(dev.power.lock);
	if (dev.power.last_status === RPM_BLOCKED) dev.power.last_status = RPM_INVALID;
	spin_unlock_irq(dev.power.lock);
}

/**
 * Runtime PM of @dev off; nests (drivers/base/power/runtime.c: __pm_runtime_disable())
 * @check_resume: if a resume is asked for, do it first
 */
export function __pm_runtime_disable(dev: device, check_resume: bool): void {
	const power = dev.power;

	spin_lock_irq(power.lock);
	if (power.disable_depth > 0) {
		power.disable_depth++;
	} else {
		if (check_resume && power.request_pending && power.request === RPM_REQ_RESUME) {
			// In use, so that nothing puts it to sleep again.
			atomic_inc(power.usage_count);
			rpm_resume(dev, 0);
			atomic_add_unless(power.usage_count, -1, 0);
		}
		if (power.disable_depth++ === 0) {
			__pm_runtime_barrier(dev);
			power.last_status = power.runtime_status;
		}
	}
	spin_unlock_irq(power.lock);
}

/** Runtime PM of @dev on, with the last of those who had it off (drivers/base/power/runtime.c: pm_runtime_enable()). */
export function pm_runtime_enable(dev: device): void {
	const power = dev.power;

	const flags = spin_lock_irqsave(power.lock);
	if (power.disable_depth === 0) {
		dev_warn(dev, 'Unbalanced %s!', 'pm_runtime_enable');
	} else if (--power.disable_depth === 0) {
		if (power.last_status === RPM_BLOCKED) {
			dev_warn(dev, 'Attempt to enable runtime PM when it is blocked');
			dump_stack();
		}
		power.last_status = RPM_INVALID;
		if (
			power.runtime_status === RPM_SUSPENDED &&
			!power.ignore_children &&
			atomic_read(power.child_count) > 0
		)
			dev_warn(dev, 'Enabling runtime PM for inactive device with active children');
	}
	spin_unlock_irqrestore(power.lock, flags);
}

function pm_runtime_set_suspended_action(data: unknown): void {
	__pm_runtime_set_status(data as device, RPM_SUSPENDED);
}

/** Up, with runtime PM on, until the driver goes (drivers/base/power/runtime.c: devm_pm_runtime_set_active_enabled()). */
export function devm_pm_runtime_set_active_enabled(dev: device): int {
	let err = __pm_runtime_set_status(dev, RPM_ACTIVE);
	if (err !== 0) return err;

	err = devm_add_action_or_reset(dev, pm_runtime_set_suspended_action, dev);
	return err !== 0 ? err : devm_pm_runtime_enable(dev);
}

/** Whether runtime PM is held off for a system sleep (drivers/base/power/runtime.c: pm_runtime_blocked()). */
export function pm_runtime_blocked(dev: device): bool {
	return dev.power.last_status === RPM_BLOCKED;
}

function pm_runtime_disable_action(data: unknown): void {
	__pm_runtime_use_autosuspend(data as device, false);
	__pm_runtime_disable(data as device, true);
}

/** pm_runtime_enable() undone with the driver (drivers/base/power/runtime.c: devm_pm_runtime_enable()). */
export function devm_pm_runtime_enable(dev: device): int {
	pm_runtime_enable(dev);
	return devm_add_action_or_reset(dev, pm_runtime_disable_action, dev);
}

function pm_runtime_put_noidle_action(data: unknown): void {
	atomic_add_unless((data as device).power.usage_count, -1, 0);
}

/** In use until the driver goes (drivers/base/power/runtime.c: devm_pm_runtime_get_noresume()). */
export function devm_pm_runtime_get_noresume(dev: device): int {
	atomic_inc(dev.power.usage_count);
	return devm_add_action_or_reset(dev, pm_runtime_put_noidle_action, dev);
}

/** Keep @dev up until pm_runtime_allow(): user space's "on" (drivers/base/power/runtime.c: pm_runtime_forbid()). */
export function pm_runtime_forbid(dev: device): void {
	spin_lock_irq(dev.power.lock);
	if (dev.power.runtime_auto) {
		dev.power.runtime_auto = false;
		atomic_inc(dev.power.usage_count);
		rpm_resume(dev, 0);
	}
	spin_unlock_irq(dev.power.lock);
}

/** Its "auto" (drivers/base/power/runtime.c: pm_runtime_allow()). */
export function pm_runtime_allow(dev: device): void {
	spin_lock_irq(dev.power.lock);
	if (!dev.power.runtime_auto) {
		dev.power.runtime_auto = true;
		if (rpm_drop_usage_count(dev) === 0) rpm_idle(dev, RPM_AUTO | RPM_ASYNC);
	}
	spin_unlock_irq(dev.power.lock);
}

/** It has no callbacks to call (drivers/base/power/runtime.c: pm_runtime_no_callbacks()). */
export function pm_runtime_no_callbacks(dev: device): void {
	dev.power.no_callbacks = true;
}

/** Its callbacks may run in atomic context; its parent stays up (drivers/base/power/runtime.c: pm_runtime_irq_safe()). */
export function pm_runtime_irq_safe(dev: device): void {
	if (dev.parent !== null) __pm_runtime_resume(dev.parent, RPM_GET_PUT);
	dev.power.irq_safe = true;
}

/** The delay or its use has changed: a negative delay that is used keeps @dev up. The lock is held. */
function update_autosuspend(dev: device, old_delay: int, old_use: bool): void {
	if (dev.power.use_autosuspend && dev.power.autosuspend_delay < 0) {
		if (!old_use || old_delay >= 0) {
			atomic_inc(dev.power.usage_count);
			rpm_resume(dev, 0);
		}
	} else {
		if (old_use && old_delay < 0) atomic_dec(dev.power.usage_count);
		rpm_idle(dev, RPM_AUTO);
	}
}

/** Sleep only after @delay ms idle (drivers/base/power/runtime.c: pm_runtime_set_autosuspend_delay()). */
export function pm_runtime_set_autosuspend_delay(dev: device, delay: int): void {
	spin_lock_irq(dev.power.lock);
	const old_delay = dev.power.autosuspend_delay;
	dev.power.autosuspend_delay = delay;
	update_autosuspend(dev, old_delay, dev.power.use_autosuspend);
	spin_unlock_irq(dev.power.lock);
}

/** Whether the delay counts (drivers/base/power/runtime.c: __pm_runtime_use_autosuspend()). */
export function __pm_runtime_use_autosuspend(dev: device, use: bool): void {
	spin_lock_irq(dev.power.lock);
	const old_use = dev.power.use_autosuspend;
	dev.power.use_autosuspend = use;
	update_autosuspend(dev, dev.power.autosuspend_delay, old_use);
	spin_unlock_irq(dev.power.lock);
}

/** Asleep, and disabled until a driver enables it (drivers/base/power/runtime.c: pm_runtime_init()). */
export function pm_runtime_init(dev: device): void {
	const power = dev.power;

	power.runtime_status = RPM_SUSPENDED;
	power.last_status = RPM_INVALID;
	power.idle_notification = false;
	power.disable_depth = 1;
	atomic_set(power.usage_count, 0);
	power.runtime_error = 0;
	atomic_set(power.child_count, 0);
	power.ignore_children = false;
	power.runtime_auto = true;
	power.request_pending = false;
	power.request = RPM_REQ_NONE;
	power.deferred_resume = false;
	power.needs_force_resume = false;
	INIT_WORK(power.work, pm_runtime_work);
	power.timer_expires = 0;
	hrtimer_init(power.suspend_timer, CLOCK_MONOTONIC, HRTIMER_MODE_ABS);
	power.suspend_timer.function = pm_suspend_timer_fn;
}

/** After an unbind: as if it had never been used (drivers/base/power/runtime.c: pm_runtime_reinit()). */
export function pm_runtime_reinit(dev: device): void {
	if (dev.power.disable_depth === 0) return;

	if (dev.power.runtime_status === RPM_ACTIVE) __pm_runtime_set_status(dev, RPM_SUSPENDED);
	if (dev.power.irq_safe) {
		dev.power.irq_safe = false;
		if (dev.parent !== null) __pm_runtime_idle(dev.parent, RPM_GET_PUT | RPM_ASYNC);
	}
	// A driver's remove may have forced it down.
	dev.power.needs_force_resume = false;
}

/** Before @dev goes (drivers/base/power/runtime.c: pm_runtime_remove()). */
export function pm_runtime_remove(dev: device): void {
	__pm_runtime_disable(dev, false);
	flush_work(dev.power.work);
	pm_runtime_reinit(dev);
}

/** Wake the suppliers for a probe (drivers/base/power/runtime.c: pm_runtime_get_suppliers()). */
export function pm_runtime_get_suppliers(dev: device): void {
	for (const link of list_for_each_entry(dev.links.suppliers)) {
		if ((link.flags & DL_FLAG_PM_RUNTIME) === 0) continue;
		link.supplier_preactivated = true;
		__pm_runtime_resume(link.supplier, RPM_GET_PUT);
	}
}

/** Let those go that were woken for it (drivers/base/power/runtime.c: pm_runtime_put_suppliers()). */
export function pm_runtime_put_suppliers(dev: device): void {
	for (const link of list_for_each_entry(dev.links.suppliers)) {
		if (!link.supplier_preactivated) continue;
		link.supplier_preactivated = false;
		__pm_runtime_idle(link.supplier, RPM_GET_PUT | RPM_ASYNC);
	}
}

/** @dev has one more link that counts for it (drivers/base/power/runtime.c: pm_runtime_new_link()). */
export function pm_runtime_new_link(dev: device): void {
	spin_lock_irq(dev.power.lock);
	dev.power.links_count++;
	spin_unlock_irq(dev.power.lock);
}

function pm_runtime_drop_link_count(dev: device): void {
	spin_lock_irq(dev.power.lock);
	WARN_ON(dev.power.links_count === 0);
	dev.power.links_count--;
	spin_unlock_irq(dev.power.lock);
}

/** @link is about to go (drivers/base/power/runtime.c: pm_runtime_drop_link()). */
export function pm_runtime_drop_link(link: device_link): void {
	if ((link.flags & DL_FLAG_PM_RUNTIME) === 0) return;

	pm_runtime_drop_link_count(link.consumer);
	pm_runtime_release_supplier(link);
	__pm_runtime_idle(link.supplier, RPM_ASYNC);
}

/** Whether nobody would miss @dev after a system sleep (drivers/base/power/runtime.c: pm_runtime_need_not_resume()). */
export function pm_runtime_need_not_resume(dev: device): bool {
	const power = dev.power;

	return (
		atomic_read(power.usage_count) <= 1 && (atomic_read(power.child_count) === 0 || power.ignore_children)
	);
}

/**
 * Put @dev to sleep whoever uses it, with runtime PM off: for system sleep and shutdown
 * (drivers/base/power/runtime.c: pm_runtime_force_suspend()). 0, or the callback's error, and nothing has changed.
 */
export function pm_runtime_force_suspend(dev: device): int {
	__pm_runtime_disable(dev, true);
	if (dev.power.runtime_status === RPM_SUSPENDED) return 0;

	const ret = rpm_get_callback(dev, 'runtime_suspend')?.(dev) ?? 0;
	if (ret !== 0) {
		pm_runtime_enable(dev);
		return ret;
	}

	if (pm_runtime_need_not_resume(dev)) {
		__pm_runtime_set_status(dev, RPM_SUSPENDED);
	} else {
		// The parent's count of children stays: this one comes back.
		dev.power.runtime_status = RPM_SUSPENDED;
		dev.power.needs_force_resume = true;
	}
	return 0;
}

/** Undo that, for a device that was in use (drivers/base/power/runtime.c: pm_runtime_force_resume()). */
export function pm_runtime_force_resume(dev: device): int {
	let ret = 0;

	if (dev.power.runtime_status === RPM_SUSPENDED && dev.power.needs_force_resume) {
		dev.power.runtime_status = RPM_ACTIVE;
		ret = rpm_get_callback(dev, 'runtime_resume')?.(dev) ?? 0;
		if (ret !== 0) __pm_runtime_set_status(dev, RPM_SUSPENDED);
		else dev.power.last_busy = pm_runtime_now();
	}
	dev.power.needs_force_resume = false;
	pm_runtime_enable(dev);
	return ret;
}
