// SPDX-License-Identifier: GPL-2.0-only
// Requesting, freeing, enabling, disabling and waiting for interrupts.
// Linux 6.12: kernel/irq/manage.c
//
// A threaded handler runs as a work item on the system work queue, in place of a kernel thread of its own.
// Left out: affinity, per-CPU interrupts and NMIs, wake-up, power management, forced threading.
import {
	irq_autostart,
	irq_disable,
	irq_shutdown,
	irq_startup,
	mask_irq,
	unmask_irq,
} from '#kernel/irq/chip.js';
import { irq_to_desc } from '#kernel/irq/irqdesc.js';
import { IRQS_ONESHOT, irq_settings_can_request, irqd_clear, irqd_set } from '#kernel/irq/settings.js';
import { flush_work } from '#kernel/workqueue.js';
import { WARN } from '#linux/bug.js';
import { EBUSY, EINVAL, ENOMEM, ENOSYS } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp_types.js';
import { in_interrupt } from '#linux/hardirq.js';
import {
	IRQ_LEVEL,
	IRQ_NOAUTOEN,
	IRQ_TYPE_LEVEL_MASK,
	IRQ_TYPE_SENSE_MASK,
	IRQCHIP_SET_TYPE_MASKED,
	IRQD_LEVEL,
	IRQD_TRIGGER_MASK,
	irqd_get_trigger_type,
	irqd_irq_disabled,
	irqd_irq_masked,
	irqd_set_trigger_type,
} from '#linux/irq.js';
import type { irq_desc } from '#linux/irqdesc.js';
import {
	IRQF_NO_AUTOEN,
	IRQF_ONESHOT,
	IRQF_SHARED,
	IRQF_TRIGGER_MASK,
	type irq_handler_t,
	irqaction,
} from '#linux/irqhandler.js';
import { IRQ_WAKE_THREAD } from '#linux/irqreturn.js';
import { might_sleep } from '#linux/kernel.js';
import { pr_debug, pr_err } from '#linux/printk.js';
import { kfree, kzalloc } from '#linux/slab.js';
import { spin_lock_irqsave, spin_unlock_irqrestore } from '#linux/spinlock.js';
import type { int, unsigned_int, unsigned_long } from '#linux/types.js';
import { INIT_WORK, type work_struct } from '#linux/workqueue.js';

/** The default for a threaded interrupt: wake the thread (kernel/irq/manage.c: irq_default_primary_handler()). */
export const irq_default_primary_handler: irq_handler_t = () => IRQ_WAKE_THREAD;

/** Wait until no handler of @irq runs any more; may sleep (kernel/irq/manage.c: synchronize_irq()). */
export function synchronize_irq(irq: unsigned_int): void {
	const desc = irq_to_desc(irq);
	if (desc === null) return;
	might_sleep();
	// On one CPU no hard handler is in the middle of anything while this runs; threads may be.
	for (let action = desc.action; action !== null; action = action.next)
		if (action.thread_fn !== null) flush_work(action.thread);
}

function __disable_irq(desc: irq_desc): void {
	if (desc.depth++ === 0) irq_disable(desc);
}

/** Hold back @irq; calls nest (kernel/irq/manage.c: disable_irq_nosync()). */
export function disable_irq_nosync(irq: unsigned_int): void {
	const desc = irq_to_desc(irq);
	if (desc === null) return;
	const flags = spin_lock_irqsave(desc.lock);
	__disable_irq(desc);
	spin_unlock_irqrestore(desc.lock, flags);
}

/** disable_irq_nosync(), and wait for running handlers; may sleep (kernel/irq/manage.c: disable_irq()). */
export function disable_irq(irq: unsigned_int): void {
	might_sleep();
	disable_irq_nosync(irq);
	synchronize_irq(irq);
}

function __enable_irq(desc: irq_desc): void {
	switch (desc.depth) {
		case 0:
			WARN(true, 'Unbalanced enable for IRQ %d', desc.irq_data.irq);
			break;
		case 1:
			irq_startup(desc);
			break;
		default:
			desc.depth--;
			break;
	}
}

/** Undo one disable_irq(); what waits at the controller comes now (kernel/irq/manage.c: enable_irq()). */
export function enable_irq(irq: unsigned_int): void {
	const desc = irq_to_desc(irq);
	if (desc === null) return;
	const flags = spin_lock_irqsave(desc.lock);
	if (!WARN(desc.irq_data.chip === null, 'enable_irq before setup/request_irq: irq %u', irq))
		__enable_irq(desc);
	spin_unlock_irqrestore(desc.lock, flags);
}

/** Set how @desc is triggered; its lock is held (kernel/irq/manage.c: __irq_set_trigger()). */
export function __irq_set_trigger(desc: irq_desc, flags: unsigned_long): int {
	const d = desc.irq_data;
	const chip = d.chip;
	if (chip?.irq_set_type === undefined) {
		pr_debug('genirq: No set_type function for IRQ %d (%s)', d.irq, chip?.name ?? 'unknown');
		return 0;
	}
	let unmask = false;
	if (((chip.flags ?? 0) & IRQCHIP_SET_TYPE_MASKED) !== 0) {
		unmask = !irqd_irq_disabled(d) && !irqd_irq_masked(d);
		mask_irq(desc);
	}
	const type = flags & IRQ_TYPE_SENSE_MASK;
	const ret = chip.irq_set_type(d, type);
	if (ret >= 0) {
		irqd_clear(d, IRQD_TRIGGER_MASK);
		irqd_set_trigger_type(d, type);
		irqd_clear(d, IRQD_LEVEL);
		desc.status_use_accessors &= ~(IRQ_LEVEL | IRQ_TYPE_SENSE_MASK);
		desc.status_use_accessors |= type;
		if ((type & IRQ_TYPE_LEVEL_MASK) !== 0) {
			irqd_set(d, IRQD_LEVEL);
			desc.status_use_accessors |= IRQ_LEVEL;
		}
	} else {
		pr_err('genirq: Setting trigger mode %u for irq %u failed (%ps)', type, d.irq, chip.irq_set_type);
	}
	if (unmask) unmask_irq(desc);
	if (ret < 0) return ret;
	return 0;
}

function irq_thread(work: work_struct): void {
	const action = work.container as irqaction;
	const desc = irq_to_desc(action.irq);
	if (desc === null || action.thread_fn === null) return;
	action.thread_fn(action.irq, action.dev_id);
	// A ONESHOT line opens again when its last thread is done.
	const flags = spin_lock_irqsave(desc.lock);
	if (desc.threads_active > 0) desc.threads_active--;
	if (desc.threads_active === 0 && !irqd_irq_disabled(desc.irq_data) && irqd_irq_masked(desc.irq_data))
		unmask_irq(desc);
	spin_unlock_irqrestore(desc.lock, flags);
}

function irq_flags_mismatch(desc: irq_desc, old: irqaction, action: irqaction): int {
	pr_err(
		'genirq: Flags mismatch irq %d. %08x (%s) vs. %08x (%s)',
		desc.irq_data.irq,
		action.flags,
		action.name,
		old.flags,
		old.name,
	);
	return -EBUSY;
}

/** Put @action on @desc (kernel/irq/manage.c: __setup_irq()). */
function __setup_irq(irq: unsigned_int, desc: irq_desc, action: irqaction): int {
	if (desc.irq_data.chip === null) return -ENOSYS;
	action.irq = irq;
	if ((action.flags & IRQF_TRIGGER_MASK) === 0) action.flags |= irqd_get_trigger_type(desc.irq_data);
	if (action.handler === irq_default_primary_handler && (action.flags & IRQF_ONESHOT) === 0) {
		pr_err('genirq: Threaded irq requested with handler=NULL and !ONESHOT for %s (irq %d)', action.name, irq);
		return -EINVAL;
	}
	if (action.thread_fn !== null) INIT_WORK(action.thread, irq_thread);

	const flags = spin_lock_irqsave(desc.lock);
	const old = desc.action;
	let ret = 0;
	if (old !== null) {
		const oldtype = irqd_get_trigger_type(desc.irq_data);
		const agree =
			(old.flags & action.flags & IRQF_SHARED) !== 0 &&
			oldtype === (action.flags & IRQF_TRIGGER_MASK) &&
			(old.flags & IRQF_ONESHOT) === (action.flags & IRQF_ONESHOT);
		if (!agree) {
			ret = irq_flags_mismatch(desc, old, action);
		} else {
			let last = old;
			while (last.next !== null) last = last.next;
			last.next = action;
		}
	} else {
		if ((action.flags & IRQF_TRIGGER_MASK) !== 0)
			ret = __irq_set_trigger(desc, action.flags & IRQF_TRIGGER_MASK);
		if (ret === 0) {
			desc.core_internal_state__do_not_mess_with_it = 0;
			if ((action.flags & IRQF_ONESHOT) !== 0) desc.core_internal_state__do_not_mess_with_it |= IRQS_ONESHOT;
			desc.threads_active = 0;
			desc.irq_count = 0;
			desc.irqs_unhandled = 0;
			desc.action = action;
			if ((action.flags & IRQF_NO_AUTOEN) !== 0) desc.status_use_accessors |= IRQ_NOAUTOEN;
			irq_autostart(desc);
			desc.status_use_accessors &= ~IRQ_NOAUTOEN;
		}
	}
	spin_unlock_irqrestore(desc.lock, flags);
	return ret;
}

/** Take @dev_id's action off @irq (kernel/irq/manage.c: __free_irq()). */
function __free_irq(desc: irq_desc, dev_id: unknown): irqaction | null {
	const irq = desc.irq_data.irq;
	WARN(in_interrupt(), 'Trying to free IRQ %d from IRQ context!', irq);
	const flags = spin_lock_irqsave(desc.lock);
	let before: irqaction | null = null;
	let action = desc.action;
	while (action !== null && action.dev_id !== dev_id) {
		before = action;
		action = action.next;
	}
	if (action === null) {
		WARN(true, 'Trying to free already-free IRQ %d', irq);
		spin_unlock_irqrestore(desc.lock, flags);
		return null;
	}
	if (before === null) desc.action = action.next;
	else before.next = action.next;
	if (desc.action === null) irq_shutdown(desc);
	spin_unlock_irqrestore(desc.lock, flags);
	if (action.thread_fn !== null) flush_work(action.thread);
	return action;
}

/** Give up @irq; afterwards no handler of @dev_id runs (kernel/irq/manage.c: free_irq()). Returns its name. */
export function free_irq(irq: unsigned_int, dev_id: unknown): string | null {
	const desc = irq_to_desc(irq);
	if (desc === null) return null;
	const action = __free_irq(desc, dev_id);
	if (action === null) return null;
	const devname = action.name;
	kfree(action);
	return devname;
}

/**
 * Have @handler called in hard-irq context, and @thread_fn in process context when it answers IRQ_WAKE_THREAD
 * (kernel/irq/manage.c: request_threaded_irq()).
 *
 * @handler: null: only wakes the thread, and needs IRQF_ONESHOT
 * @dev_id: must not be null on a shared line
 * Returns 0, -EINVAL, -ENOMEM, -ENOSYS, or -EBUSY when the line has other users who do not share.
 */
export function request_threaded_irq(
	irq: unsigned_int,
	handler: irq_handler_t | null,
	thread_fn: irq_handler_t | null,
	irqflags: unsigned_long,
	devname: string | null,
	dev_id: unknown,
): int {
	if ((irqflags & IRQF_SHARED) !== 0 && (dev_id === null || dev_id === undefined)) return -EINVAL;
	if ((irqflags & IRQF_SHARED) !== 0 && (irqflags & IRQF_NO_AUTOEN) !== 0) return -EINVAL;
	const desc = irq_to_desc(irq);
	if (desc === null) return -EINVAL;
	if (!irq_settings_can_request(desc)) return -EINVAL;
	if (handler === null && thread_fn === null) return -EINVAL;

	const action = kzalloc(irqaction, GFP_KERNEL);
	if (action === null) return -ENOMEM;
	action.handler = handler ?? irq_default_primary_handler;
	action.thread_fn = thread_fn;
	action.flags = irqflags;
	action.name = devname;
	action.dev_id = dev_id;
	const retval = __setup_irq(irq, desc, action);
	if (retval !== 0) kfree(action);
	return retval;
}

/** Whether somebody could request @irq (kernel/irq/manage.c: can_request_irq()). */
export function can_request_irq(irq: unsigned_int, irqflags: unsigned_long): int {
	const desc = irq_to_desc(irq);
	if (desc === null || !irq_settings_can_request(desc)) return 0;
	return desc.action === null || (irqflags & desc.action.flags & IRQF_SHARED) !== 0 ? 1 : 0;
}
