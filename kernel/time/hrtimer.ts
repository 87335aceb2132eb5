// SPDX-License-Identifier: GPL-2.0-only
// Timers in nanoseconds, and the CPU's timer that both kinds of timers share.
// Linux 6.12: kernel/time/hrtimer.c, kernel/time/tick-sched.c
// Left out: all clock bases but the monotonic one, soft timers, nanosleep()
import { machine } from '#arch/arm64/kernel/setup.js';
import type { hrtimer, hrtimer_mode, hrtimer_restart } from '#linux/hrtimer.js';
import { boot_data } from '#linux/init.js';
import { local_irq_restore, local_irq_save } from '#linux/irqflags.js';
import { rb_add_cached, rb_erase_cached, rb_root_cached } from '#linux/rbtree.js';
import type { int, s64, u64 } from '#linux/types.js';

const HRTIMER_MODE_REL = 1;
const HRTIMER_RESTART = 1;

const base = boot_data(() => ({
	active: new rb_root_cached<hrtimer>(),
	running: null as hrtimer | null,
	/** When the timer wheel wants the CPU's timer to fire, and what to do then. */
	wheel_deadline: Number.POSITIVE_INFINITY as u64,
	wheel_expired: null as (() => void) | null,
}));

function first_expiry(): u64 {
	const node = base.active.rb_leftmost;
	return node === null ? Number.POSITIVE_INFINITY : (node.container as hrtimer).expires;
}

function reprogram(): void {
	machine.set_timer(Math.min(first_expiry(), base.wheel_deadline));
}

/** The timer wheel's next deadline in ns (kernel/time/tick-sched.c: tick_program_event()); @expired raises its softirq. */
export function tick_program_event(deadline: u64, expired: () => void): void {
	base.wheel_expired = expired;
	if (base.wheel_deadline === deadline) return;
	base.wheel_deadline = deadline;
	reprogram();
}

function enqueue(timer: hrtimer): void {
	timer.queued = true;
	rb_add_cached(
		timer.node,
		base.active,
		(a, b) => (a.container as hrtimer).expires < (b.container as hrtimer).expires,
	);
}

function dequeue(timer: hrtimer): void {
	rb_erase_cached(timer.node, base.active);
	timer.queued = false;
}

/** Make @timer one that is not armed (kernel/time/hrtimer.c: hrtimer_init()). */
export function hrtimer_init(timer: hrtimer, _clock_id: int, _mode: hrtimer_mode): void {
	timer.queued = false;
	timer.expires = 0;
}

/** Arm, or arm anew, for @tim from now or for that time (include/linux/hrtimer.h: hrtimer_start()). */
export function hrtimer_start(timer: hrtimer, tim: s64, mode: hrtimer_mode): void {
	const flags = local_irq_save();
	if (timer.queued) dequeue(timer);
	timer.expires = (mode & HRTIMER_MODE_REL) !== 0 ? machine.now() + tim : tim;
	enqueue(timer);
	reprogram();
	local_irq_restore(flags);
}

/** Disarm: 1 when it was armed, 0 when not, -1 while its function runs (kernel/time/hrtimer.c: hrtimer_try_to_cancel()). */
export function hrtimer_try_to_cancel(timer: hrtimer): int {
	if (base.running === timer) return -1;
	if (!timer.queued) return 0;
	const flags = local_irq_save();
	dequeue(timer);
	reprogram();
	local_irq_restore(flags);
	return 1;
}

/** Disarm (kernel/time/hrtimer.c: hrtimer_cancel()). */
export function hrtimer_cancel(timer: hrtimer): int {
	return hrtimer_try_to_cancel(timer) > 0 ? 1 : 0;
}

/** Move the expiry past @now by whole @interval s: how many (kernel/time/hrtimer.c: hrtimer_forward()). */
export function hrtimer_forward(timer: hrtimer, now: s64, interval: s64): u64 {
	const delta = now - timer.expires;
	if (delta < 0) return 0;
	const overruns = Math.floor(delta / interval) + 1;
	timer.expires += overruns * interval;
	return overruns;
}

/** hrtimer_forward() past the present (include/linux/hrtimer.h: hrtimer_forward_now()). */
export function hrtimer_forward_now(timer: hrtimer, interval: s64): u64 {
	return hrtimer_forward(timer, machine.now(), interval);
}

/**
 * hrtimer_interrupt - The CPU's timer has fired (kernel/time/hrtimer.c: hrtimer_interrupt())
 *
 * Runs between irq_enter() and irq_exit().
 */
export function hrtimer_interrupt(): void {
	const now = machine.now();
	for (;;) {
		const node = base.active.rb_leftmost;
		if (node === null) break;
		const timer = node.container as hrtimer;
		if (timer.expires > now) break;
		dequeue(timer);
		base.running = timer;
		const restart: hrtimer_restart = timer.function === null ? 0 : timer.function(timer);
		base.running = null;
		if (restart === HRTIMER_RESTART && !timer.queued) enqueue(timer);
	}
	if (base.wheel_deadline <= now) {
		base.wheel_deadline = Number.POSITIVE_INFINITY;
		if (base.wheel_expired !== null) base.wheel_expired();
	}
	reprogram();
}
