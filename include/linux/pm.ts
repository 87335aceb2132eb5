// SPDX-License-Identifier: GPL-2.0-only
// Power management of devices: callbacks, and the runtime state of each.
// Linux 6.12: include/linux/pm.h
//
// Left out: system sleep phases beyond suspend/resume, wake-up sources, QoS.
import type { pm_clock_entry } from '#drivers/base/power/clock_ops.js';
import type { device } from '#linux/device.js';
import { hrtimer } from '#linux/hrtimer.js';
import { list_head } from '#linux/list.js';
import type { pm_domain_data } from '#linux/pm_domain.js';
import { spinlock_t } from '#linux/spinlock.js';
import type { atomic_t, bool, embedded, int, u32, u64, unsigned_int } from '#linux/types.js';
import { wait_queue_head } from '#linux/wait.js';
import { work_struct } from '#linux/workqueue.js';

export interface pm_message_t {
	event: int;
}

export interface dev_pm_ops {
	prepare?: (dev: device) => int;
	complete?: (dev: device) => void;
	suspend?: (dev: device) => int;
	resume?: (dev: device) => int;
	suspend_late?: (dev: device) => int;
	resume_early?: (dev: device) => int;
	suspend_noirq?: (dev: device) => int;
	resume_noirq?: (dev: device) => int;
	runtime_suspend?: (dev: device) => int;
	runtime_resume?: (dev: device) => int;
	runtime_idle?: (dev: device) => int;
}

export enum rpm_status {
	RPM_INVALID = -1,
	RPM_ACTIVE = 0,
	RPM_RESUMING,
	RPM_SUSPENDED,
	RPM_SUSPENDING,
	RPM_BLOCKED,
}
export const { RPM_INVALID, RPM_ACTIVE, RPM_RESUMING, RPM_SUSPENDED, RPM_SUSPENDING, RPM_BLOCKED } =
	rpm_status;

export enum rpm_request {
	RPM_REQ_NONE = 0,
	RPM_REQ_IDLE,
	RPM_REQ_SUSPEND,
	RPM_REQ_AUTOSUSPEND,
	RPM_REQ_RESUME,
}
export const { RPM_REQ_NONE, RPM_REQ_IDLE, RPM_REQ_SUSPEND, RPM_REQ_AUTOSUSPEND, RPM_REQ_RESUME } =
	rpm_request;

export interface dev_pm_domain {
	ops: dev_pm_ops;
	detach?: (dev: device, power_off: bool) => void;
	activate?: (dev: device) => int;
	sync?: (dev: device) => void;
	dismiss?: (dev: device) => void;
}

/** What the layer around the driver keeps of a device: its clocks, its place in a domain. */
export class pm_subsys_data {
	lock: spinlock_t = new spinlock_t('pm_subsys_data.lock');
	refcount: unsigned_int = 0;
	clock_list: list_head<pm_clock_entry> = new list_head<pm_clock_entry>();
	domain_data: pm_domain_data | null = null;
}

export class dev_pm_info implements embedded {
	power_state: pm_message_t = { event: 0 };
	can_wakeup: bool = false;
	in_dpm_list: bool = false;
	is_prepared: bool = false;
	is_suspended: bool = false;
	is_noirq_suspended: bool = false;
	is_late_suspended: bool = false;
	/** It takes no part in any of this. */
	no_pm: bool = false;
	driver_flags: u32 = 0;
	lock: spinlock_t = new spinlock_t('dev->power.lock');
	/** In the list of all that sleep with the system. */
	readonly entry = new list_head<dev_pm_info>(this);
	/** Those who wait for a callback to end. */
	readonly wait_queue = new wait_queue_head();
	readonly suspend_timer = new hrtimer(this);
	/** When that is due, in ns; 0: it is not armed. */
	timer_expires: u64 = 0;
	/** Does what was put off. */
	readonly work = new work_struct(this);
	usage_count: atomic_t = { counter: 0 };
	child_count: atomic_t = { counter: 0 };
	disable_depth: unsigned_int = 1;
	idle_notification: bool = false;
	request_pending: bool = false;
	deferred_resume: bool = false;
	needs_force_resume: bool = false;
	runtime_auto: bool = true;
	ignore_children: bool = false;
	no_callbacks: bool = false;
	irq_safe: bool = false;
	use_autosuspend: bool = false;
	timer_autosuspends: bool = false;
	links_count: unsigned_int = 0;
	request: rpm_request = RPM_REQ_NONE;
	runtime_status: rpm_status = RPM_SUSPENDED;
	last_status: rpm_status = RPM_INVALID;
	runtime_error: int = 0;
	autosuspend_delay: int = 0;
	last_busy: u64 = 0;
	subsys_data: pm_subsys_data | null = null;
	readonly container: device;
	constructor(dev: device) {
		this.container = dev;
	}
}
