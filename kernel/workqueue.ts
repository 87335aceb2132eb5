// SPDX-License-Identifier: GPL-2.0-only
// Work for later, in process context.
// Linux 6.12: kernel/workqueue.c
//
// One pool of workers serves all queues. A worker is a task that is made ready when there is work, and runs
// when the running code sleeps or goes idle; when its work sleeps too, another worker takes the next item.
// Left out: CPU and NUMA placement, attributes, rescuers, BH queues, the watchdog, sysfs
import { cpu_context } from '#asm/current.js';
import { _raw_spin_lock_irqsave, _raw_spin_unlock_irqrestore } from '#kernel/locking/spinlock.js';
import { kernel_report } from '#kernel/panic.js';
import { __might_sleep, alloc_pid_nr, schedule, wake_up_process } from '#kernel/sched/core.js';
import { mod_timer, timer_delete } from '#kernel/time/timer.js';
import { kasprintf_va, type printk_arg } from '#lib/vsprintf.js';
import { WARN_ON, WARN_ON_ONCE } from '#linux/bug.js';
import { GFP_KERNEL } from '#linux/gfp_types.js';
import { boot_data } from '#linux/init.js';
import { jiffies } from '#linux/jiffies.js';
import {
	list_add,
	list_add_tail,
	list_del_init,
	list_empty,
	list_first_entry,
	list_for_each_entry,
	list_head,
} from '#linux/list.js';
import { PF_WQ_WORKER, TASK_UNINTERRUPTIBLE, task_struct } from '#linux/sched/task.js';
import { raw_spinlock_t } from '#linux/spinlock_types.js';
import type { timer_list } from '#linux/timer_types.js';
import type { bool, int, unsigned_int, unsigned_long } from '#linux/types.js';
import type { delayed_work, work_struct } from '#linux/workqueue.js';
import { kfree, kzalloc_struct } from '#mm/slub.js';

const WQ_MAX_ACTIVE = 512;
const WQ_DFL_ACTIVE = WQ_MAX_ACTIVE / 2;
const __WQ_ORDERED = 1 << 17;
const WQ_UNBOUND = 1 << 1;

export class workqueue_struct {
	name: string;
	flags: unsigned_int;
	max_active: int;
	nr_active: int = 0;
	/** Items over max_active. */
	readonly inactive_works = new list_head<work_struct>();
	draining: bool = false;
	constructor(name: string = '', flags: unsigned_int = 0, max_active: int = WQ_DFL_ACTIVE) {
		this.name = name;
		this.flags = flags;
		this.max_active = max_active;
	}
}

class worker {
	readonly node = new list_head<worker>(this);
	readonly task: task_struct;
	current_work: work_struct | null = null;
	current_wq: workqueue_struct | null = null;
	constructor(id: int) {
		this.task = new task_struct(alloc_pid_nr(), `kworker/0:${id}`);
		this.task.flags = PF_WQ_WORKER;
		this.task.thread_fn = worker_thread;
		this.task.thread_data = this;
	}
}

/** One who waits for an item or a queue to be done. */
class wq_waiter {
	readonly node = new list_head<wq_waiter>(this);
	constructor(readonly task: task_struct) {}
}

const pool = boot_data(() => ({
	lock: new raw_spinlock_t('&pool->lock'),
	worklist: new list_head<work_struct>(),
	idle_list: new list_head<worker>(),
	busy_list: new list_head<worker>(),
	waiters: new list_head<wq_waiter>(),
	nr_workers: 0 as int,
}));

export const system_wq = boot_data(() => new workqueue_struct('events'));
export const system_percpu_wq = boot_data(() => new workqueue_struct('events'));
export const system_highpri_wq = boot_data(() => new workqueue_struct('events_highpri'));
export const system_long_wq = boot_data(() => new workqueue_struct('events_long'));
export const system_unbound_wq = boot_data(
	() => new workqueue_struct('events_unbound', WQ_UNBOUND, WQ_MAX_ACTIVE),
);
export const system_freezable_wq = boot_data(() => new workqueue_struct('events_freezable'));
export const system_power_efficient_wq = boot_data(() => new workqueue_struct('events_power_efficient'));

function kick_pool(): void {
	if (list_empty(pool.worklist)) return;
	let w: worker;
	if (list_empty(pool.idle_list)) {
		w = new worker(pool.nr_workers++);
		list_add(w.node, pool.idle_list);
	} else {
		w = list_first_entry(pool.idle_list);
	}
	wake_up_process(w.task);
}

function insert_work(wq: workqueue_struct, work: work_struct): void {
	if (wq.nr_active < wq.max_active) {
		wq.nr_active++;
		list_add_tail(work.entry, pool.worklist);
		kick_pool();
	} else {
		list_add_tail(work.entry, wq.inactive_works);
	}
}

function __queue_work(wq: workqueue_struct, work: work_struct): void {
	if (WARN_ON_ONCE(wq.draining && cpu_context.current.flags !== PF_WQ_WORKER)) {
		work.pending = false;
		return;
	}
	const flags = _raw_spin_lock_irqsave(pool.lock);
	// On the way to the lock someone may have cancelled it, and queued it anew.
	if (work.pending && list_empty(work.entry)) {
		work.wq = wq;
		insert_work(wq, work);
	}
	_raw_spin_unlock_irqrestore(pool.lock, flags);
}

// An item of @wq is gone: the next of those over max_active may go.
function pwq_dec_nr_active(wq: workqueue_struct): void {
	wq.nr_active--;
	if (list_empty(wq.inactive_works) || wq.nr_active >= wq.max_active) return;
	const next = list_first_entry(wq.inactive_works);
	list_del_init(next.entry);
	wq.nr_active++;
	list_add_tail(next.entry, pool.worklist);
	kick_pool();
}

function wake_waiters(): void {
	for (const w of list_for_each_entry(pool.waiters)) wake_up_process(w.task);
}

// Run the next item; false when there is none. It is chosen under the lock, so that nobody can take it back any more.
function process_one_work(w: worker): bool {
	const flags = _raw_spin_lock_irqsave(pool.lock);
	const work = next_work();
	if (work === null) {
		_raw_spin_unlock_irqrestore(pool.lock, flags);
		return false;
	}
	const wq = work.wq as workqueue_struct;
	list_del_init(work.entry);
	work.pending = false;
	w.current_work = work;
	w.current_wq = wq;
	const func = work.func;
	// Someone else may have to go on when this item sleeps.
	kick_pool();
	_raw_spin_unlock_irqrestore(pool.lock, flags);
	if (!WARN_ON(func === null) && func !== null) func(work);
	const task = w.task;
	if (task.preempt_count !== 0 || task.lockdep_depth !== 0) {
		kernel_report(3, [
			`BUG: workqueue leaked lock or atomic: ${task.comm}/0x${task.preempt_count.toString(16).padStart(8, '0')}/${task.pid}`,
			`     last function: ${func?.name ?? ''}`,
		]);
		task.preempt_count = 0;
		task.lockdep_depth = 0;
	}
	const irq = _raw_spin_lock_irqsave(pool.lock);
	w.current_work = null;
	w.current_wq = null;
	pwq_dec_nr_active(wq);
	wake_waiters();
	_raw_spin_unlock_irqrestore(pool.lock, irq);
	return true;
}

// The item that runs now must be over before it runs again.
function next_work(): work_struct | null {
	for (const work of list_for_each_entry(pool.worklist)) {
		let running = false;
		for (const w of list_for_each_entry(pool.busy_list)) if (w.current_work === work) running = true;
		if (!running) return work;
	}
	return null;
}

function worker_thread(data: unknown): void {
	const w = data as worker;
	list_del_init(w.node);
	list_add(w.node, pool.busy_list);
	while (process_one_work(w));
	list_del_init(w.node);
	list_add(w.node, pool.idle_list);
}

/** Put @work on @wq; false when it was pending (kernel/workqueue.c: queue_work_on()). */
export function queue_work_on(_cpu: int, wq: workqueue_struct, work: work_struct): bool {
	if (work.pending) return false;
	work.pending = true;
	__queue_work(wq, work);
	return true;
}

/** The timer of a delayed item has fired (kernel/workqueue.c: delayed_work_timer_fn()). */
export function delayed_work_timer_fn(t: timer_list): void {
	const dwork = t.container as delayed_work;
	__queue_work(dwork.wq as workqueue_struct, dwork.work);
}

function __queue_delayed_work(
	cpu: int,
	wq: workqueue_struct,
	dwork: delayed_work,
	delay: unsigned_long,
): void {
	WARN_ON_ONCE(dwork.timer.pending);
	dwork.wq = wq;
	dwork.cpu = cpu;
	if (delay === 0) __queue_work(wq, dwork.work);
	else mod_timer(dwork.timer, jiffies() + delay);
}

/** queue_work_on() after @delay ticks (kernel/workqueue.c: queue_delayed_work_on()). */
export function queue_delayed_work_on(
	cpu: int,
	wq: workqueue_struct,
	dwork: delayed_work,
	delay: unsigned_long,
): bool {
	if (dwork.work.pending) return false;
	dwork.work.pending = true;
	__queue_delayed_work(cpu, wq, dwork, delay);
	return true;
}

/** Queue, or set a new delay; true when it was pending (kernel/workqueue.c: mod_delayed_work_on()). */
export function mod_delayed_work_on(
	cpu: int,
	wq: workqueue_struct,
	dwork: delayed_work,
	delay: unsigned_long,
): bool {
	const was = grab_pending(dwork.work, dwork.timer);
	dwork.work.pending = true;
	__queue_delayed_work(cpu, wq, dwork, delay);
	return was;
}

// Take @work off its timer or queue; whether it was pending. One that is on the way to its queue is in neither.
function grab_pending(work: work_struct, timer: timer_list | null): bool {
	const flags = _raw_spin_lock_irqsave(pool.lock);
	if (!work.pending) {
		_raw_spin_unlock_irqrestore(pool.lock, flags);
		return false;
	}
	if ((timer === null || timer_delete(timer) === 0) && !list_empty(work.entry)) {
		const wq = work.wq as workqueue_struct;
		let active = true;
		for (const w of list_for_each_entry(wq.inactive_works)) if (w === work) active = false;
		list_del_init(work.entry);
		if (active) pwq_dec_nr_active(wq);
	}
	work.pending = false;
	wake_waiters();
	_raw_spin_unlock_irqrestore(pool.lock, flags);
	return true;
}

function find_worker_executing_work(work: work_struct): worker | null {
	for (const w of list_for_each_entry(pool.busy_list)) if (w.current_work === work) return w;
	return null;
}

// Sleep until @done; true when there was anything to wait for.
function wait_until(done: () => bool, what: string): bool {
	if (done()) return false;
	const task = cpu_context.current;
	const waiter = new wq_waiter(task);
	list_add_tail(waiter.node, pool.waiters);
	while (!done()) {
		task.__state = TASK_UNINTERRUPTIBLE;
		task.wchan = what;
		schedule();
	}
	list_del_init(waiter.node);
	return true;
}

/** Wait until @work has run, if it is pending or runs; whether there was anything to wait for (kernel/workqueue.c: flush_work()). */
export function flush_work(work: work_struct): bool {
	__might_sleep('flush_work');
	if (WARN_ON(work.func === null)) return false;
	const queued = (): bool => work.pending && !list_empty(work.entry);
	return wait_until(
		() => !queued() && find_worker_executing_work(work) === null,
		`work ${work.func?.name ?? ''}`,
	);
}

/** flush_work(), at once when it waits for its timer (kernel/workqueue.c: flush_delayed_work()). */
export function flush_delayed_work(dwork: delayed_work): bool {
	if (timer_delete(dwork.timer) !== 0) __queue_work(dwork.wq as workqueue_struct, dwork.work);
	return flush_work(dwork.work);
}

/** Take @work back if it has not begun (kernel/workqueue.c: cancel_work()). */
export function cancel_work(work: work_struct): bool {
	return grab_pending(work, null);
}

/** cancel_work(), and wait for it if it has begun: whether it was pending (kernel/workqueue.c: cancel_work_sync()). */
export function cancel_work_sync(work: work_struct): bool {
	__might_sleep('cancel_work_sync');
	const ret = grab_pending(work, null);
	wait_until(() => find_worker_executing_work(work) === null, `work ${work.func?.name ?? ''}`);
	return ret;
}

/** Take @dwork off its timer or queue: whether it was pending. It may still be running (kernel/workqueue.c: cancel_delayed_work()). */
export function cancel_delayed_work(dwork: delayed_work): bool {
	return grab_pending(dwork.work, dwork.timer);
}

/** cancel_delayed_work(), and wait until it does not run any more (kernel/workqueue.c: cancel_delayed_work_sync()). */
export function cancel_delayed_work_sync(dwork: delayed_work): bool {
	__might_sleep('cancel_delayed_work_sync');
	const ret = grab_pending(dwork.work, dwork.timer);
	wait_until(() => find_worker_executing_work(dwork.work) === null, `work ${dwork.work.func?.name ?? ''}`);
	return ret;
}

/** Wait until all that is on @wq now has run (kernel/workqueue.c: __flush_workqueue()). */
export function flush_workqueue(wq: workqueue_struct): void {
	__might_sleep('flush_workqueue');
	wait_until(() => wq.nr_active === 0 && list_empty(wq.inactive_works), `workqueue ${wq.name}`);
}

/** flush_workqueue(), and only its own items may queue more (kernel/workqueue.c: drain_workqueue()). */
export function drain_workqueue(wq: workqueue_struct): void {
	wq.draining = true;
	flush_workqueue(wq);
	wq.draining = false;
}

/**
 * alloc_workqueue - Make a queue (kernel/workqueue.c: alloc_workqueue())
 * @fmt: its name's format
 * @flags: WQ_*
 * @max_active: how many items may run at a time; 0: the default
 */
export function alloc_workqueue(
	fmt: string,
	flags: unsigned_int,
	max_active: int,
	...args: printk_arg[]
): workqueue_struct | null {
	const wq = kzalloc_struct(workqueue_struct, GFP_KERNEL);
	if (wq === null) return null;
	wq.name = kasprintf_va(fmt, args);
	wq.flags = flags;
	wq.max_active = max_active > 0 ? Math.min(max_active, WQ_MAX_ACTIVE) : WQ_DFL_ACTIVE;
	return wq;
}

/** A queue whose items run one at a time, in order (include/linux/workqueue.h: alloc_ordered_workqueue()). */
export function alloc_ordered_workqueue(
	fmt: string,
	flags: unsigned_int,
	...args: printk_arg[]
): workqueue_struct | null {
	return alloc_workqueue(fmt, WQ_UNBOUND | __WQ_ORDERED | flags, 1, ...args);
}

/** The end of a queue; what is on it runs first (kernel/workqueue.c: destroy_workqueue()). */
export function destroy_workqueue(wq: workqueue_struct): void {
	drain_workqueue(wq);
	kfree(wq);
}
