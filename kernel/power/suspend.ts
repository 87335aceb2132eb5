// SPDX-License-Identifier: GPL-2.0-only
// The system's way to sleep and back.
// Linux 6.12: kernel/power/suspend.c
//
// One state, suspend to idle. Nothing here can wake a machine up: with everything suspended it turns round at once.
// Left out: platform operations, other CPUs, notifiers, wake-up sources.
import {
	dpm_resume_early,
	dpm_resume_end,
	dpm_resume_noirq,
	dpm_suspend_late,
	dpm_suspend_noirq,
	dpm_suspend_start,
} from '#drivers/base/power/main.js';
import {
	pm_test,
	TEST_CPUS,
	TEST_DEVICES,
	TEST_FREEZER,
	TEST_NONE,
	TEST_PLATFORM,
} from '#kernel/power/power.js';
import { freeze_kernel_threads, freeze_processes, thaw_processes } from '#kernel/power/process.js';
import { mdelay } from '#linux/delay.js';
import { EAGAIN, EBUSY, EINVAL } from '#linux/errno.js';
import { boot_data } from '#linux/init.js';
import { mutex, mutex_trylock, mutex_unlock } from '#linux/mutex.js';
import { pr_err, pr_info, pr_warn } from '#linux/printk.js';
import { PM_SUSPEND_MAX, PM_SUSPEND_ON, PM_SUSPEND_TO_IDLE, type suspend_state_t } from '#linux/suspend.js';
import type { bool, int } from '#linux/types.js';

const state = boot_data(() => ({ system_transition_mutex: new mutex('system_transition_mutex') }));

/** Seconds that a test stays where it turns round. */
const pm_test_delay = 5;

function suspend_test(level: int): bool {
	if (pm_test.level !== level) return false;
	pr_info('PM: suspend debug: Waiting for %d second(s).', pm_test_delay);
	mdelay(pm_test_delay * 1000);
	return true;
}

function suspend_prepare(): int {
	let error = freeze_processes();
	if (error !== 0) return error;
	error = freeze_kernel_threads();
	if (error !== 0) thaw_processes();
	return error;
}

/** The last steps, without interrupts at the end. */
function suspend_enter(): int {
	let error = dpm_suspend_late();
	if (error !== 0) {
		pr_err('PM: late suspend of devices failed');
		return error;
	}
	error = dpm_suspend_noirq();
	if (error !== 0) {
		pr_err('PM: noirq suspend of devices failed');
	} else {
		suspend_test(TEST_PLATFORM);
		dpm_resume_noirq();
	}
	dpm_resume_early();
	return error;
}

/** Suspend all devices, sleep, and resume them (kernel/power/suspend.c: suspend_devices_and_enter()). */
export function suspend_devices_and_enter(): int {
	pr_info('printk: Suspending console(s) (use no_console_suspend to debug)');

	let error = dpm_suspend_start();
	if (error !== 0) pr_err('PM: Some devices failed to suspend, or early wake event detected');
	else if (!suspend_test(TEST_DEVICES)) error = suspend_enter();

	dpm_resume_end();
	return error;
}

function enter_state(): int {
	if (pm_test.level !== TEST_NONE && pm_test.level <= TEST_CPUS) {
		pr_warn('PM: Unsupported test mode for suspend to idle, please choose none/freezer/devices/platform.');
		return -EAGAIN;
	}
	if (mutex_trylock(state.system_transition_mutex) === 0) return -EBUSY;

	ksys_sync_helper();
	let error = suspend_prepare();
	if (error === 0) {
		if (!suspend_test(TEST_FREEZER)) error = suspend_devices_and_enter();
		thaw_processes();
	}
	mutex_unlock(state.system_transition_mutex);
	return error;
}

/** No file system here has a disk to write to (kernel/power/main.c: ksys_sync_helper()). */
function ksys_sync_helper(): void {
	pr_info('Filesystems sync: %d.%03d seconds', 0, 0);
}

/** Sleep; back when something has woken it (kernel/power/suspend.c: pm_suspend()). 0 or a negative errno. */
export function pm_suspend(state_: suspend_state_t): int {
	if (state_ <= PM_SUSPEND_ON || state_ >= PM_SUSPEND_MAX) return -EINVAL;

	pr_info('PM: suspend entry (%s)', 's2idle');
	const error = state_ === PM_SUSPEND_TO_IDLE ? enter_state() : -EINVAL;
	pr_info('PM: suspend exit');
	return error;
}
