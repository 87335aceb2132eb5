// SPDX-License-Identifier: GPL-2.0-only
// What all of power management shares: its queue.
// Linux 6.12: kernel/power/main.c
//
// Left out: /sys/power, notifiers, statistics.
import { workqueue_struct } from '#kernel/workqueue.js';
import { boot_data } from '#linux/init.js';
import { WQ_FREEZABLE } from '#linux/workqueue.js';

/** Runtime PM's requests; there before any device is (C makes it in a core_initcall). */
export const pm_wq = boot_data(() => new workqueue_struct('pm', WQ_FREEZABLE));
