// SPDX-License-Identifier: GPL-2.0-only
// Devices in the order in which they may be resumed, and their way through a sleep of the system.
// Linux 6.12: drivers/base/power/main.c, power.h
//
// Left out: asynchronous suspend and resume, direct completion (each device is suspended and resumed), wake-up
// sources, hibernation, watchdogs, syscore operations, statistics.

import { get_device, put_device } from '#drivers/base/core.js';
import { device_block_probing, device_unblock_probing, wait_for_device_probe } from '#drivers/base/dd.js';
import {
	__pm_runtime_disable,
	pm_runtime_barrier,
	pm_runtime_block_if_disabled,
	pm_runtime_enable,
	pm_runtime_init,
	pm_runtime_remove,
	pm_runtime_unblock,
} from '#drivers/base/power/runtime.js';
import { dev_dbg, dev_err, dev_info, dev_warn } from '#linux/dev_printk.js';
import { dev_name, type device, device_lock, device_unlock } from '#linux/device.js';
import { boot_data } from '#linux/init.js';
import {
	INIT_LIST_HEAD,
	list_add_tail,
	list_del_init,
	list_empty,
	list_first_entry,
	list_head,
	list_last_entry,
	list_move,
	list_move_tail,
} from '#linux/list.js';
import { mutex, mutex_lock, mutex_unlock } from '#linux/mutex.js';
import { dev_pm_info, type dev_pm_ops } from '#linux/pm.js';
import { pm_runtime_get_noresume, pm_runtime_put } from '#linux/pm_runtime.js';
import type { bool, int } from '#linux/types.js';

export const dpm_state = boot_data(() => ({
	/** Who is needed stands before who needs it. */
	dpm_list: new list_head<dev_pm_info>(),
	/** A device's place says how far it has come. */
	dpm_prepared_list: new list_head<dev_pm_info>(),
	dpm_suspended_list: new list_head<dev_pm_info>(),
	dpm_late_early_list: new list_head<dev_pm_info>(),
	dpm_noirq_list: new list_head<dev_pm_info>(),
	dpm_list_mtx: new mutex('dpm_list_mtx'),
}));

/** Whether @dev is in the list (drivers/base/power/power.h: device_pm_initialized()). */
export function device_pm_initialized(dev: device): bool {
	return dev.power.in_dpm_list;
}

/** Runtime PM and system sleep of a new device (drivers/base/power/power.h: device_pm_init()). */
export function device_pm_init(dev: device): void {
	const no_pm = dev.power.no_pm;

	dev.power = new dev_pm_info(dev);
	dev.power.no_pm = no_pm;
	INIT_LIST_HEAD(dev.power.entry);
	pm_runtime_init(dev);
}

/** Hold the list still (drivers/base/power/main.c: device_pm_lock()). */
export function device_pm_lock(): void {
	mutex_lock(dpm_state.dpm_list_mtx);
}

/** Let it go (drivers/base/power/main.c: device_pm_unlock()). */
export function device_pm_unlock(): void {
	mutex_unlock(dpm_state.dpm_list_mtx);
}

/** Put @dev at the end of the list (drivers/base/power/main.c: device_pm_add()). */
export function device_pm_add(dev: device): void {
	if (dev.power.no_pm) return;

	dev_dbg(dev, 'Adding info for %s:%s', dev.bus?.name ?? 'No Bus', dev_name(dev));
	device_pm_lock();
	if (dev.parent?.power.is_prepared === true)
		dev_warn(dev, 'parent %s should not be sleeping', dev_name(dev.parent));
	list_add_tail(dev.power.entry, dpm_state.dpm_list);
	dev.power.in_dpm_list = true;
	device_pm_unlock();
}

/** Take @dev from it, and end its runtime PM (drivers/base/power/main.c: device_pm_remove()). */
export function device_pm_remove(dev: device): void {
	if (dev.power.no_pm) return;

	dev_dbg(dev, 'Removing info for %s:%s', dev.bus?.name ?? 'No Bus', dev_name(dev));
	device_pm_lock();
	list_del_init(dev.power.entry);
	dev.power.in_dpm_list = false;
	device_pm_unlock();
	pm_runtime_remove(dev);
}

/** Move @dev to the end; the lock is held (drivers/base/power/main.c: device_pm_move_last()). */
export function device_pm_move_last(dev: device): void {
	dev_dbg(dev, 'Moving %s:%s to end of list', dev.bus?.name ?? 'No Bus', dev_name(dev));
	list_move_tail(dev.power.entry, dpm_state.dpm_list);
}

type dpm_callback_name =
	| 'prepare'
	| 'suspend'
	| 'suspend_late'
	| 'suspend_noirq'
	| 'resume_noirq'
	| 'resume_early'
	| 'resume';

/** What the outermost layer that has PM at all wants called, else the driver's own. */
function dpm_get_callback(dev: device, name: dpm_callback_name): ((dev: device) => int) | undefined {
	let ops: dev_pm_ops | undefined;
	if (dev.pm_domain !== null) ops = dev.pm_domain.ops;
	else if (dev.type?.pm !== undefined) ops = dev.type.pm;
	else if (dev.class?.pm !== undefined) ops = dev.class.pm;
	else if (dev.bus?.pm !== undefined) ops = dev.bus.pm;
	return ops?.[name] ?? dev.driver?.pm?.[name];
}

function dpm_run_callback(dev: device, name: dpm_callback_name): int {
	const error = dpm_get_callback(dev, name)?.(dev) ?? 0;
	if (error !== 0) dev_err(dev, 'PM: failed to %s: error %d', name, error);
	return error;
}

/** No runtime suspend from here on; a parent that did would not come back for its child. */
function device_prepare(dev: device): int {
	pm_runtime_get_noresume(dev);
	pm_runtime_block_if_disabled(dev);

	device_lock(dev);
	const ret = dpm_get_callback(dev, 'prepare')?.(dev) ?? 0;
	device_unlock(dev);

	if (ret < 0) {
		pm_runtime_unblock(dev);
		pm_runtime_put(dev);
		return ret;
	}
	dev.power.is_prepared = true;
	return 0;
}

function device_suspend(dev: device): int {
	// A runtime resume that is asked for comes first.
	pm_runtime_barrier(dev);

	device_lock(dev);
	const error = dpm_run_callback(dev, 'suspend');
	if (error === 0) dev.power.is_suspended = true;
	device_unlock(dev);
	return error;
}

function device_suspend_late(dev: device): int {
	__pm_runtime_disable(dev, false);
	const error = dpm_run_callback(dev, 'suspend_late');
	if (error === 0) dev.power.is_late_suspended = true;
	return error;
}

function device_suspend_noirq(dev: device): int {
	const error = dpm_run_callback(dev, 'suspend_noirq');
	if (error === 0) dev.power.is_noirq_suspended = true;
	return error;
}

function device_resume_noirq(dev: device): int {
	dev.power.is_noirq_suspended = false;
	return dpm_run_callback(dev, 'resume_noirq');
}

function device_resume_early(dev: device): int {
	dev.power.is_late_suspended = false;
	const error = dpm_run_callback(dev, 'resume_early');
	pm_runtime_enable(dev);
	return error;
}

function device_resume(dev: device): int {
	device_lock(dev);
	dev.power.is_prepared = false;
	// One that was not suspended, as another failed before its turn, is not resumed.
	const error = dev.power.is_suspended ? dpm_run_callback(dev, 'resume') : 0;
	dev.power.is_suspended = false;
	device_unlock(dev);
	return error;
}

function device_complete(dev: device): int {
	device_lock(dev);
	const ops = dev.pm_domain?.ops ?? dev.type?.pm ?? dev.class?.pm ?? dev.bus?.pm;
	(ops?.complete ?? dev.driver?.pm?.complete)?.(dev);
	device_unlock(dev);
	pm_runtime_unblock(dev);
	pm_runtime_put(dev);
	return 0;
}

/** Each device of @from, the last one first, through @step and on to @to; the first error ends it. */
function dpm_go_down(
	from: list_head<dev_pm_info>,
	to: list_head<dev_pm_info>,
	step: (dev: device) => int,
): int {
	let error = 0;

	device_pm_lock();
	while (error === 0 && !list_empty(from)) {
		const dev = list_last_entry(from).container;
		get_device(dev);
		device_pm_unlock();
		error = step(dev);
		device_pm_lock();
		if (error === 0 && !list_empty(dev.power.entry)) list_move(dev.power.entry, to);
		put_device(dev);
	}
	device_pm_unlock();
	return error;
}

/** The way back, the first one first; errors are said and forgotten. */
function dpm_go_up(
	from: list_head<dev_pm_info>,
	to: list_head<dev_pm_info>,
	step: (dev: device) => int,
): void {
	device_pm_lock();
	while (!list_empty(from)) {
		const dev = list_first_entry(from).container;
		get_device(dev);
		list_move_tail(dev.power.entry, to);
		device_pm_unlock();
		step(dev);
		device_pm_lock();
		put_device(dev);
	}
	device_pm_unlock();
}

function dpm_prepare(): int {
	let error = 0;

	// No device may be probed that would be neither suspended nor resumed.
	wait_for_device_probe();
	device_block_probing();

	device_pm_lock();
	while (error === 0 && !list_empty(dpm_state.dpm_list)) {
		const dev = list_first_entry(dpm_state.dpm_list).container;
		get_device(dev);
		device_pm_unlock();
		error = device_prepare(dev);
		device_pm_lock();
		if (error !== 0) dev_info(dev, 'not prepared for power transition: code %d', error);
		else if (!list_empty(dev.power.entry)) list_move_tail(dev.power.entry, dpm_state.dpm_prepared_list);
		put_device(dev);
	}
	device_pm_unlock();
	return error;
}

/** Prepare and suspend all devices (drivers/base/power/main.c: dpm_suspend_start()). After an error: dpm_resume_end(). */
export function dpm_suspend_start(): int {
	const error = dpm_prepare();
	if (error !== 0) return error;
	return dpm_go_down(dpm_state.dpm_prepared_list, dpm_state.dpm_suspended_list, device_suspend);
}

/** Those that wait until the others are down, and runtime PM off (drivers/base/power/main.c: dpm_suspend_late()). */
export function dpm_suspend_late(): int {
	const error = dpm_go_down(dpm_state.dpm_suspended_list, dpm_state.dpm_late_early_list, device_suspend_late);
	if (error !== 0) dpm_resume_early();
	return error;
}

/** Those that can do without interrupts (drivers/base/power/main.c: dpm_suspend_noirq()). */
export function dpm_suspend_noirq(): int {
	const error = dpm_go_down(dpm_state.dpm_late_early_list, dpm_state.dpm_noirq_list, device_suspend_noirq);
	if (error !== 0) dpm_resume_noirq();
	return error;
}

/** drivers/base/power/main.c: dpm_resume_noirq(). */
export function dpm_resume_noirq(): void {
	dpm_go_up(dpm_state.dpm_noirq_list, dpm_state.dpm_late_early_list, device_resume_noirq);
}

/** drivers/base/power/main.c: dpm_resume_early(). */
export function dpm_resume_early(): void {
	dpm_go_up(dpm_state.dpm_late_early_list, dpm_state.dpm_suspended_list, device_resume_early);
}

/** Resume all devices, and let them be used again (drivers/base/power/main.c: dpm_resume_end()). */
export function dpm_resume_end(): void {
	dpm_go_up(dpm_state.dpm_suspended_list, dpm_state.dpm_prepared_list, device_resume);
	dpm_go_down(dpm_state.dpm_prepared_list, dpm_state.dpm_list, (dev) => {
		dev.power.is_prepared = false;
		return device_complete(dev);
	});
	device_unblock_probing();
}
