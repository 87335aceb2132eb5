// SPDX-License-Identifier: GPL-2.0-only
// /sys/kernel.
// Linux 6.12: kernel/ksysfs.c
// Left out: its attributes (fscaps, uevent_seqnum, kexec_loaded and the like) and /sys/kernel/notes.
import { kobject_create_and_add } from '#lib/kobject.js';
import { ENOMEM } from '#linux/errno.js';
import { boot_data, core_initcall } from '#linux/init.js';
import type { kobject } from '#linux/kobject.js';
import type { int } from '#linux/types.js';

const ksysfs = boot_data(() => ({ kernel_kobj: null as kobject | null }));

/** The directory; null before core_initcall time (C: a variable). */
export function kernel_kobj(): kobject | null {
	return ksysfs.kernel_kobj;
}

function ksysfs_init(): int {
	ksysfs.kernel_kobj = kobject_create_and_add('kernel', null);
	return ksysfs.kernel_kobj === null ? -ENOMEM : 0;
}
core_initcall(ksysfs_init);
