// SPDX-License-Identifier: GPL-2.0-only
// Runtime power management: a device sleeps while nobody uses it.
// Linux 6.12: include/linux/pm_runtime.h

import {
	__pm_runtime_disable,
	__pm_runtime_idle,
	__pm_runtime_resume,
	__pm_runtime_set_status,
	__pm_runtime_suspend,
	pm_runtime_now,
	RPM_ASYNC,
	RPM_AUTO,
	RPM_GET_PUT,
} from '#drivers/base/power/runtime.js';
import { atomic_add_unless, atomic_inc } from '#linux/atomic.js';
import type { device } from '#linux/device.js';
import { RPM_ACTIVE, RPM_SUSPENDED } from '#linux/pm.js';
import type { bool, int } from '#linux/types.js';

export {
	__pm_runtime_use_autosuspend,
	devm_pm_runtime_enable,
	devm_pm_runtime_get_noresume,
	devm_pm_runtime_set_active_enabled,
	pm_runtime_allow,
	pm_runtime_autosuspend_expiration,
	pm_runtime_barrier,
	pm_runtime_block_if_disabled,
	pm_runtime_blocked,
	pm_runtime_drop_link,
	pm_runtime_enable,
	pm_runtime_forbid,
	pm_runtime_force_resume,
	pm_runtime_force_suspend,
	pm_runtime_get_if_active,
	pm_runtime_get_if_in_use,
	pm_runtime_get_suppliers,
	pm_runtime_irq_safe,
	pm_runtime_need_not_resume,
	pm_runtime_new_link,
	pm_runtime_no_callbacks,
	pm_runtime_put_suppliers,
	pm_runtime_reinit,
	pm_runtime_release_supplier,
	pm_runtime_set_autosuspend_delay,
	pm_runtime_unblock,
	pm_schedule_suspend,
	RPM_ASYNC,
	RPM_AUTO,
	RPM_GET_PUT,
	RPM_NOWAIT,
} from '#drivers/base/power/runtime.js';

import { __pm_runtime_use_autosuspend } from '#drivers/base/power/runtime.js';

/** Use the device, and wait until it is up (include/linux/pm_runtime.h: pm_runtime_get_sync()). Counts also on failure. */
export function pm_runtime_get_sync(dev: device): int {
	return __pm_runtime_resume(dev, RPM_GET_PUT);
}

/** pm_runtime_get_sync() that does not count on failure (include/linux/pm_runtime.h: pm_runtime_resume_and_get()). */
export function pm_runtime_resume_and_get(dev: device): int {
	const ret = __pm_runtime_resume(dev, RPM_GET_PUT);
	if (ret < 0) {
		pm_runtime_put_noidle(dev);
		return ret;
	}
	return 0;
}

/** One more user; the device is resumed, perhaps later. Negative errno when that failed (include/linux/pm_runtime.h: pm_runtime_get()). */
export function pm_runtime_get(dev: device): int {
	return __pm_runtime_resume(dev, RPM_GET_PUT | RPM_ASYNC);
}

/** Only count (include/linux/pm_runtime.h: pm_runtime_get_noresume()). */
export function pm_runtime_get_noresume(dev: device): void {
	atomic_inc(dev.power.usage_count);
}

/** Only count down (include/linux/pm_runtime.h: pm_runtime_put_noidle()). */
export function pm_runtime_put_noidle(dev: device): void {
	atomic_add_unless(dev.power.usage_count, -1, 0);
}

/** Done with the device; it may sleep some time later (include/linux/pm_runtime.h: pm_runtime_put()). */
export function pm_runtime_put(dev: device): int {
	return __pm_runtime_idle(dev, RPM_GET_PUT | RPM_ASYNC);
}

/** Done with the device; it may sleep now (include/linux/pm_runtime.h: pm_runtime_put_sync()). */
export function pm_runtime_put_sync(dev: device): int {
	return __pm_runtime_idle(dev, RPM_GET_PUT);
}

/** One user less; the last one suspends the device at once, without asking idle (include/linux/pm_runtime.h: pm_runtime_put_sync_suspend()). */
export function pm_runtime_put_sync_suspend(dev: device): int {
	return __pm_runtime_suspend(dev, RPM_GET_PUT);
}

/** Done; it sleeps when it was idle for the autosuspend delay (include/linux/pm_runtime.h: pm_runtime_put_autosuspend()). */
export function pm_runtime_put_autosuspend(dev: device): int {
	return __pm_runtime_suspend(dev, RPM_GET_PUT | RPM_ASYNC | RPM_AUTO);
}

/** One user less; the last one suspends the device after its delay (include/linux/pm_runtime.h: pm_runtime_put_sync_autosuspend()). */
export function pm_runtime_put_sync_autosuspend(dev: device): int {
	return __pm_runtime_suspend(dev, RPM_GET_PUT | RPM_AUTO);
}

/** Suspend the device now if nobody uses it: 0 or a negative errno (include/linux/pm_runtime.h: pm_runtime_suspend()). */
export function pm_runtime_suspend(dev: device): int {
	return __pm_runtime_suspend(dev, 0);
}

/** Resume the device now: 1 when it was active, 0, or a negative errno (include/linux/pm_runtime.h: pm_runtime_resume()). */
export function pm_runtime_resume(dev: device): int {
	return __pm_runtime_resume(dev, 0);
}

/** Have the idle callback decide whether to suspend: 0 or a negative errno (include/linux/pm_runtime.h: pm_runtime_idle()). */
export function pm_runtime_idle(dev: device): int {
	return __pm_runtime_idle(dev, 0);
}

/** pm_runtime_idle() from process context, later (include/linux/pm_runtime.h: pm_request_idle()). */
export function pm_request_idle(dev: device): int {
	return __pm_runtime_idle(dev, RPM_ASYNC);
}

/** pm_runtime_resume() from process context, later (include/linux/pm_runtime.h: pm_request_resume()). */
export function pm_request_resume(dev: device): int {
	return __pm_runtime_resume(dev, RPM_ASYNC);
}

/** Say, while it is disabled, that the device is up (include/linux/pm_runtime.h: pm_runtime_set_active()). */
export function pm_runtime_set_active(dev: device): int {
	return __pm_runtime_set_status(dev, RPM_ACTIVE);
}

/** Say, while it is disabled, that the device sleeps (include/linux/pm_runtime.h: pm_runtime_set_suspended()). */
export function pm_runtime_set_suspended(dev: device): int {
	return __pm_runtime_set_status(dev, RPM_SUSPENDED);
}

/** Stop runtime PM of @dev (include/linux/pm_runtime.h: pm_runtime_disable()). */
export function pm_runtime_disable(dev: device): void {
	__pm_runtime_disable(dev, true);
}

/** Suspend after a delay from now on (include/linux/pm_runtime.h: pm_runtime_use_autosuspend()). */
export function pm_runtime_use_autosuspend(dev: device): void {
	__pm_runtime_use_autosuspend(dev, true);
}

/** Suspend without a delay from now on (include/linux/pm_runtime.h: pm_runtime_dont_use_autosuspend()). */
export function pm_runtime_dont_use_autosuspend(dev: device): void {
	__pm_runtime_use_autosuspend(dev, false);
}

/** The delay begins now (include/linux/pm_runtime.h: pm_runtime_mark_last_busy()). */
export function pm_runtime_mark_last_busy(dev: device): void {
	dev.power.last_busy = pm_runtime_now();
}

/** Whether the device is active, or runtime power management is off for it (include/linux/pm_runtime.h: pm_runtime_active()). */
export function pm_runtime_active(dev: device): bool {
	return dev.power.runtime_status === RPM_ACTIVE || dev.power.disable_depth > 0;
}

/** Whether the device is suspended (include/linux/pm_runtime.h: pm_runtime_suspended()). */
export function pm_runtime_suspended(dev: device): bool {
	return dev.power.runtime_status === RPM_SUSPENDED && dev.power.disable_depth === 0;
}

/** Whether the device is suspended, also where runtime power management is off (include/linux/pm_runtime.h: pm_runtime_status_suspended()). */
export function pm_runtime_status_suspended(dev: device): bool {
	return dev.power.runtime_status === RPM_SUSPENDED;
}

/** Whether runtime power management is on for the device (include/linux/pm_runtime.h: pm_runtime_enabled()). */
export function pm_runtime_enabled(dev: device): bool {
	return dev.power.disable_depth === 0;
}
