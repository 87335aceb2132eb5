// SPDX-License-Identifier: GPL-2.0-only
// Work for later, in process context.
// Linux 6.12: include/linux/workqueue.h, include/linux/workqueue_types.h
// Left out: CPU placement, attributes, rescuers, RCU work

import type { workqueue_struct } from '#kernel/workqueue.js';
import {
	delayed_work_timer_fn,
	mod_delayed_work_on,
	queue_delayed_work_on,
	queue_work_on,
	system_wq,
} from '#kernel/workqueue.js';
import { list_head } from '#linux/list.js';
import { timer_list, timer_setup } from '#linux/timer.js';
import { type bool, container_of, type embedded, type int, type unsigned_long } from '#linux/types.js';

export type { workqueue_struct } from '#kernel/workqueue.js';
export {
	alloc_workqueue,
	cancel_delayed_work,
	cancel_delayed_work_sync,
	cancel_work,
	cancel_work_sync,
	destroy_workqueue,
	drain_workqueue,
	flush_delayed_work,
	flush_work,
	flush_workqueue,
	system_freezable_wq,
	system_highpri_wq,
	system_long_wq,
	system_percpu_wq,
	system_power_efficient_wq,
	system_unbound_wq,
	system_wq,
} from '#kernel/workqueue.js';

export const WQ_BH = 1 << 0;
export const WQ_UNBOUND = 1 << 1;
export const WQ_FREEZABLE = 1 << 2;
export const WQ_MEM_RECLAIM = 1 << 3;
export const WQ_HIGHPRI = 1 << 4;
export const WQ_CPU_INTENSIVE = 1 << 5;
export const WQ_SYSFS = 1 << 6;
export const WQ_POWER_EFFICIENT = 1 << 7;
export const __WQ_ORDERED = 1 << 17;
export const WQ_MAX_ACTIVE = 512;
export const WORK_CPU_UNBOUND: int = 32;

export type work_func_t = (work: work_struct) => void;

export class work_struct implements embedded {
	/** The queue that it is pending on or has an armed timer for: C's WORK_STRUCT_PENDING_BIT. */
	pending: bool = false;
	/** The queue it was last put on. */
	wq: workqueue_struct | null = null;
	readonly entry = new list_head<work_struct>(this);
	func: work_func_t | null = null;
	readonly container: object | null;
	constructor(container: object | null = null, func: work_func_t | null = null) {
		this.container = container;
		this.func = func;
	}
}

export class delayed_work implements embedded {
	readonly work = new work_struct(this);
	readonly timer = new timer_list(this);
	wq: workqueue_struct | null = null;
	/** The CPU that it was asked for. */
	cpu: int = 0;
	readonly container: object | null;
	constructor(container: object | null = null, func: work_func_t | null = null) {
		this.container = container;
		this.work.func = func;
		timer_setup(this.timer, delayed_work_timer_fn, 0);
	}
}

/** The delayed work that @work is part of (include/linux/workqueue.h: to_delayed_work()). */
export function to_delayed_work(work: work_struct): delayed_work {
	return container_of(work, delayed_work);
}

/** Make @work an item that runs @func, and that is on no queue (include/linux/workqueue.h: INIT_WORK()). */
export function INIT_WORK(work: work_struct, func: work_func_t): void {
	work.pending = false;
	work.wq = null;
	work.func = func;
	work.entry.next = work.entry;
	work.entry.prev = work.entry;
}

export const INIT_WORK_ONSTACK = INIT_WORK;

/** Make @work an item that runs @func, neither queued nor armed (include/linux/workqueue.h: INIT_DELAYED_WORK()). */
export function INIT_DELAYED_WORK(work: delayed_work, func: work_func_t): void {
	INIT_WORK(work.work, func);
	timer_setup(work.timer, delayed_work_timer_fn, 0);
}

export const INIT_DEFERRABLE_WORK = INIT_DELAYED_WORK;

/** A work item of its own; make it inside boot_data() (include/linux/workqueue.h: DECLARE_WORK()). */
export function DECLARE_WORK(func: work_func_t): work_struct {
	return new work_struct(null, func);
}

/** A delayed item of its own; make it inside boot_data() (include/linux/workqueue.h: DECLARE_DELAYED_WORK()). */
export function DECLARE_DELAYED_WORK(func: work_func_t): delayed_work {
	return new delayed_work(null, func);
}

/** Whether @work waits to run (include/linux/workqueue.h: work_pending()). */
export function work_pending(work: work_struct): bool {
	return work.pending;
}

/** Whether @w waits for its time or to run (include/linux/workqueue.h: delayed_work_pending()). */
export function delayed_work_pending(w: delayed_work): bool {
	return work_pending(w.work);
}

/** Put @work on @wq; false when it was pending already (include/linux/workqueue.h: queue_work()). */
export function queue_work(wq: workqueue_struct, work: work_struct): bool {
	return queue_work_on(WORK_CPU_UNBOUND, wq, work);
}

/** queue_work() after @delay ticks (include/linux/workqueue.h: queue_delayed_work()). */
export function queue_delayed_work(wq: workqueue_struct, dwork: delayed_work, delay: unsigned_long): bool {
	return queue_delayed_work_on(WORK_CPU_UNBOUND, wq, dwork, delay);
}

/** Queue, or change the delay; true when it was pending (include/linux/workqueue.h: mod_delayed_work()). */
export function mod_delayed_work(wq: workqueue_struct, dwork: delayed_work, delay: unsigned_long): bool {
	return mod_delayed_work_on(WORK_CPU_UNBOUND, wq, dwork, delay);
}

/** queue_work() on the queue of everybody (include/linux/workqueue.h: schedule_work()). */
export function schedule_work(work: work_struct): bool {
	return queue_work(system_wq, work);
}

/** queue_work_on() on the queue of everybody (include/linux/workqueue.h: schedule_work_on()). */
export function schedule_work_on(cpu: int, work: work_struct): bool {
	return queue_work_on(cpu, system_wq, work);
}

/** queue_delayed_work() on the queue of everybody (include/linux/workqueue.h: schedule_delayed_work()). */
export function schedule_delayed_work(dwork: delayed_work, delay: unsigned_long): bool {
	return queue_delayed_work(system_wq, dwork, delay);
}

/** A queue that runs one item at a time, in order (include/linux/workqueue.h: alloc_ordered_workqueue()). */
export { alloc_ordered_workqueue } from '#kernel/workqueue.js';
export { queue_delayed_work_on, queue_work_on };
