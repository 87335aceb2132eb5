// SPDX-License-Identifier: GPL-2.0-only
// /sys/class/iommu: the hardware instances, linked to the devices behind them.
// Linux 6.12: drivers/iommu/iommu-sysfs.c

import { class_register } from '#drivers/base/class.js';
import { device_add, device_initialize, device_unregister, put_device } from '#drivers/base/core.js';
import { sysfs_add_link_to_group, sysfs_remove_link_from_group } from '#fs/sysfs/group.js';
import { sysfs_create_link_nowarn, sysfs_remove_link } from '#fs/sysfs/symlink.js';
import { kobject_set_name } from '#lib/kobject.js';
import type { printk_arg } from '#lib/vsprintf.js';
import type { class_ } from '#linux/device/class.js';
import { dev_name, dev_set_drvdata, device } from '#linux/device.js';
import { ENOMEM } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { postcore_initcall } from '#linux/init.js';
import type { iommu_device } from '#linux/iommu.js';
import { kfree, kzalloc } from '#linux/slab.js';
import type { attribute_group } from '#linux/sysfs.js';
import type { int } from '#linux/types.js';

/** An empty directory "devices", for the links. */
const dev_groups: readonly attribute_group[] = [{ name: 'devices', attrs: [] }];

function release_device(dev: device): void {
	kfree(dev);
}

const iommu_class: class_ = {
	name: 'iommu',
	dev_release: release_device,
	dev_groups,
};

function iommu_dev_init(): int {
	return class_register(iommu_class);
}
postcore_initcall(iommu_dev_init);

/**
 * iommu_device_sysfs_add() - give @iommu a device of class iommu (Linux: drivers/iommu/iommu-sysfs.c)
 * @parent: the hardware's own device
 * @groups: more attributes, or null
 * @fmt: the name
 *
 * Returns 0 or an errno.
 */
export function iommu_device_sysfs_add(
	iommu: iommu_device,
	parent: device | null,
	groups: readonly attribute_group[] | null,
	fmt: string,
	...args: printk_arg[]
): int {
	const dev = kzalloc(device, GFP_KERNEL);
	iommu.dev = dev;
	if (dev === null) return -ENOMEM;

	device_initialize(dev);
	dev.class = iommu_class;
	dev.parent = parent;
	dev.groups = groups;

	let ret = kobject_set_name(dev.kobj, fmt, ...args);
	if (ret === 0) ret = device_add(dev);
	if (ret !== 0) {
		put_device(dev);
		return ret;
	}
	dev_set_drvdata(dev, iommu);
	return 0;
}

/** Undo iommu_device_sysfs_add() (Linux: drivers/iommu/iommu-sysfs.c: iommu_device_sysfs_remove()). */
export function iommu_device_sysfs_remove(iommu: iommu_device): void {
	dev_set_drvdata(iommu.dev!, null);
	device_unregister(iommu.dev!);
	iommu.dev = null;
}

/** Link @link into @iommu's "devices", and @iommu as "iommu" into @link (Linux: drivers/iommu/iommu-sysfs.c: iommu_device_link()). */
export function iommu_device_link(iommu: iommu_device, link: device): int {
	const kobj = iommu.dev!.kobj;

	let ret = sysfs_add_link_to_group(kobj, 'devices', link.kobj, dev_name(link));
	if (ret !== 0) return ret;

	ret = sysfs_create_link_nowarn(link.kobj, kobj, 'iommu');
	if (ret !== 0) sysfs_remove_link_from_group(kobj, 'devices', dev_name(link));
	return ret;
}

/** Undo iommu_device_link() (Linux: drivers/iommu/iommu-sysfs.c: iommu_device_unlink()). */
export function iommu_device_unlink(iommu: iommu_device, link: device): void {
	sysfs_remove_link(link.kobj, 'iommu');
	sysfs_remove_link_from_group(iommu.dev!.kobj, 'devices', dev_name(link));
}
