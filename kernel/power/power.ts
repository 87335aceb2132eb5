// SPDX-License-Identifier: GPL-2.0-only
// What the files of power management share.
// Linux 6.12: kernel/power/power.h; pm_wq: kernel/power/main.c
import { workqueue_struct } from '#kernel/workqueue.js';
import { boot_data } from '#linux/init.js';
import type { int } from '#linux/types.js';
import { WQ_FREEZABLE } from '#linux/workqueue.js';

/** Runtime PM's requests; there before any device is (C makes it in a core_initcall). */
export const pm_wq = boot_data(() => new workqueue_struct('pm', WQ_FREEZABLE));

/** Where a suspend turns round; none: nowhere. */
export const TEST_NONE = 0;
export const TEST_CORE = 1;
export const TEST_CPUS = 2;
export const TEST_PLATFORM = 3;
export const TEST_DEVICES = 4;
export const TEST_FREEZER = 5;

/** The test that was asked for (C: pm_test_level). */
export const pm_test = boot_data(() => ({ level: TEST_NONE as int }));
