// SPDX-License-Identifier: GPL-2.0-only
// /sys/power.
// Linux 6.12: kernel/power/main.c
//
// Left out: all files but `state` and `pm_test`; notifiers, statistics.
import { sysfs_emit, sysfs_emit_at } from '#fs/sysfs/file.js';
import { sysfs_create_group } from '#fs/sysfs/group.js';
import { pm_test } from '#kernel/power/power.js';
import { pm_suspend } from '#kernel/power/suspend.js';
import { kobject_create_and_add } from '#lib/kobject.js';
import { EINVAL, ENOMEM } from '#linux/errno.js';
import { core_initcall } from '#linux/init.js';
import { kobj_attribute, type kobject } from '#linux/kobject.js';
import { PM_SUSPEND_TO_IDLE } from '#linux/suspend.js';
import type { sysfs_buf } from '#linux/sysfs.js';
import type { int, size_t, ssize_t } from '#linux/types.js';

const pm_tests = ['none', 'core', 'processors', 'platform', 'devices', 'freezer'];

/** @buf as far as its first newline. */
function first_line(buf: string): string {
	return buf.split('\n')[0] ?? '';
}

function pm_test_show(_kobj: kobject, _attr: kobj_attribute, buf: sysfs_buf): ssize_t {
	let count = 0;

	for (let level = 0; level < pm_tests.length; level++) {
		const fmt = level === pm_test.level ? '[%s]' : '%s';
		count += sysfs_emit_at(buf, count, fmt, pm_tests[level]!);
		count += sysfs_emit_at(buf, count, level === pm_tests.length - 1 ? '\n' : ' ');
	}
	return count;
}

function pm_test_store(_kobj: kobject, _attr: kobj_attribute, buf: string, n: size_t): ssize_t {
	const level = pm_tests.indexOf(first_line(buf));
	if (level < 0) return -EINVAL;
	pm_test.level = level;
	return n;
}

function state_show(_kobj: kobject, _attr: kobj_attribute, buf: sysfs_buf): ssize_t {
	return sysfs_emit(buf, 'freeze mem\n');
}

/** "mem" is the deepest state that the machine has: suspend to idle. */
function state_store(_kobj: kobject, _attr: kobj_attribute, buf: string, n: size_t): ssize_t {
	const line = first_line(buf);
	const error = line === 'freeze' || line === 'mem' ? pm_suspend(PM_SUSPEND_TO_IDLE) : -EINVAL;

	return error !== 0 ? error : n;
}

const attr_group = {
	attrs: [
		new kobj_attribute('state', 0o644, state_show, state_store),
		new kobj_attribute('pm_test', 0o644, pm_test_show, pm_test_store),
	],
};

function pm_init(): int {
	const power_kobj = kobject_create_and_add('power', null);
	if (power_kobj === null) return -ENOMEM;
	return sysfs_create_group(power_kobj, attr_group);
}
core_initcall(pm_init);
