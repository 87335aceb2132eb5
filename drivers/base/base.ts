// SPDX-License-Identifier: GPL-2.0-only
// What the driver core keeps to itself.
// Linux 6.12: drivers/base/base.h
import type { bus_type } from '#linux/device/bus.js';
import type { class_ } from '#linux/device/class.js';
import type { device_driver } from '#linux/device/driver.js';
import type { device } from '#linux/device.js';
import { klist, klist_node } from '#linux/klist.js';
import { kobject, kset } from '#linux/kobject.js';
import { list_head } from '#linux/list.js';
import { mutex } from '#linux/mutex.js';
import { blocking_notifier_head } from '#linux/notifier.js';
import type { bool, int } from '#linux/types.js';

/** The core's half of a bus or of a class. */
export class subsys_private {
	subsys: kset = new kset(this);
	devices_kset: kset | null = null;
	interfaces: list_head<subsys_interface> = new list_head<subsys_interface>();
	mutex: mutex = new mutex('subsys mutex');
	drivers_kset: kset | null = null;
	klist_devices: klist<device_private> = new klist<device_private>();
	klist_drivers: klist<driver_private> = new klist<driver_private>();
	bus_notifier: blocking_notifier_head = new blocking_notifier_head();
	drivers_autoprobe: bool = true;
	bus: bus_type | null = null;
	dev_root: device | null = null;
	/** Of a class: the directories below devices that hold its members. */
	glue_dirs: kset = new kset(this);
	class: class_ | null = null;
}

/** Somebody who wants to see every device of a subsystem. */
export class subsys_interface {
	name: string = '';
	subsys: class_ | null = null;
	node: list_head<subsys_interface> = new list_head<subsys_interface>(this);
	add_dev: ((dev: device, sif: subsys_interface) => int) | null = null;
	remove_dev: ((dev: device, sif: subsys_interface) => void) | null = null;
}

/** The core's half of a driver. */
export class driver_private {
	kobj: kobject = new kobject(this);
	klist_devices: klist<device_private> = new klist<device_private>();
	knode_bus: klist_node<driver_private> = new klist_node<driver_private>(this);
	driver!: device_driver;
}

/** The core's half of a device. */
export class device_private {
	klist_children: klist<device_private> = new klist<device_private>();
	knode_parent: klist_node<device_private> = new klist_node<device_private>(this);
	knode_driver: klist_node<device_private> = new klist_node<device_private>(this);
	knode_bus: klist_node<device_private> = new klist_node<device_private>(this);
	knode_class: klist_node<device_private> = new klist_node<device_private>(this);
	deferred_probe: list_head<device_private> = new list_head<device_private>(this);
	/** Why its probe was deferred, for debugfs and the time-out's message. */
	deferred_probe_reason: string | null = null;
	device!: device;
	dead: bool = false;
}
