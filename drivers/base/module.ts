// SPDX-License-Identifier: GPL-2.0-only
// Links between drivers and the modules they are in, /sys/module.
// Linux 6.12: drivers/base/module.c; the directory of a module is kernel/params.c's
//
// Left out: parameters and sections of a module; built-in drivers that name theirs (mod_name).

import { sysfs_create_link, sysfs_remove_link } from '#fs/sysfs/symlink.js';
import {
	kobj_sysfs_ops,
	kobject_init_and_add,
	kobject_put,
	kset_create_and_add,
	kset_find_obj,
} from '#lib/kobject.js';
import type { device_driver } from '#linux/device/driver.js';
import { ENOMEM } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp_types.js';
import { boot_data } from '#linux/init.js';
import type { kobj_type, kset } from '#linux/kobject.js';
import { kobject } from '#linux/kobject.js';
import type { module } from '#linux/module.js';
import { kfree, kzalloc } from '#linux/slab.js';
import type { int } from '#linux/types.js';

const module_ktype: kobj_type = { release: (kobj: kobject): void => kfree(kobj), sysfs_ops: kobj_sysfs_ops };

const state = boot_data(() => ({
	module_kset: null as kset | null,
}));

function module_kobj(owner: module): kobject | null {
	state.module_kset ??= kset_create_and_add('module', null, null);
	const set = state.module_kset;
	if (set === null) return null;
	const found = kset_find_obj(set, owner.name);
	if (found !== null) {
		kobject_put(found);
		return found;
	}
	const kobj = kzalloc(kobject, GFP_KERNEL);
	if (kobj === null) return null;
	kobj.kset = set;
	if (kobject_init_and_add(kobj, module_ktype, null, '%s', owner.name)) {
		kobject_put(kobj);
		return null;
	}
	return kobj;
}

/** The links between @drv and @mod (drivers/base/module.c: module_add_driver()). */
export function module_add_driver(mod: module | null, drv: device_driver): int {
	if (mod === null || drv.p === null || drv.bus === null) return 0;
	const kobj = module_kobj(mod);
	if (kobj === null) return -ENOMEM;
	return sysfs_create_link(drv.p.kobj, kobj, 'module');
}

/** drivers/base/module.c: module_remove_driver(). */
export function module_remove_driver(drv: device_driver): void {
	if (drv.owner === null || drv.p === null) return;
	sysfs_remove_link(drv.p.kobj, 'module');
}
