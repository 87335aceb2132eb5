// SPDX-License-Identifier: GPL-2.0-only
// struct device, and what hangs on it.
// Linux 6.12: include/linux/device.h
//
// A pointer that C only declares forward is typed by the file that defines it.
//
// Left out: MSI, energy model, pin control, physical location, removable.
import type { device_private } from '#drivers/base/base.js';
import type { devres_node } from '#drivers/base/devres.js';
import type { dma_coherent_mem } from '#kernel/dma/coherent.js';
import type { bus_type } from '#linux/device/bus.js';
import type { class_ } from '#linux/device/class.js';
import type { device_driver } from '#linux/device/driver.js';
import type { bus_dma_region } from '#linux/dma-direct.js';
import type { dma_map_ops } from '#linux/dma-map-ops.js';
import type { fwnode_handle } from '#linux/fwnode.js';
import type { dev_iommu, iommu_group } from '#linux/iommu.js';
import { kobject, kobject_name } from '#linux/kobject.js';
import { kref } from '#linux/kref.js';
import { list_head } from '#linux/list.js';
import { mutex, mutex_lock, mutex_trylock, mutex_unlock } from '#linux/mutex.js';
import { NUMA_NO_NODE } from '#linux/numa.js';
import type { device_node } from '#linux/of.js';
import { type dev_pm_domain, dev_pm_info, type dev_pm_ops } from '#linux/pm.js';
import { refcount_t } from '#linux/refcount.js';
import { spinlock_t } from '#linux/spinlock.js';
import type { io_tlb_mem, io_tlb_pool } from '#linux/swiotlb.js';
import { attribute, type attribute_group, type sysfs_buf } from '#linux/sysfs.js';
import {
	type bool,
	container_of,
	type dev_t,
	type int,
	type ref,
	type size_t,
	type ssize_t,
	type u32,
	type u64,
	type umode_t,
	type unsigned_int,
	type unsigned_long,
} from '#linux/types.js';
import { work_struct } from '#linux/workqueue.js';
import type { cma } from '#mm/cma.js';

export type * from '#linux/device/bus.js';
export {
	BUS_NOTIFY_ADD_DEVICE,
	BUS_NOTIFY_BIND_DRIVER,
	BUS_NOTIFY_BOUND_DRIVER,
	BUS_NOTIFY_DEL_DEVICE,
	BUS_NOTIFY_DRIVER_NOT_BOUND,
	BUS_NOTIFY_REMOVED_DEVICE,
	BUS_NOTIFY_UNBIND_DRIVER,
	BUS_NOTIFY_UNBOUND_DRIVER,
} from '#linux/device/bus.js';
export type { class_ } from '#linux/device/class.js';
export { device_driver } from '#linux/device/driver.js';

export interface device_type {
	readonly name?: string;
	readonly groups?: readonly attribute_group[];
	devnode?: (dev: device, mode: ref<umode_t> | null) => string | null;
	release?: (dev: device) => void;
	readonly pm?: dev_pm_ops;
}

export class device_attribute extends attribute {
	show: ((dev: device, attr: device_attribute, buf: sysfs_buf) => ssize_t) | null;
	store: ((dev: device, attr: device_attribute, buf: string, count: size_t) => ssize_t) | null;
	constructor(
		name: string,
		mode: umode_t,
		show: device_attribute['show'] = null,
		store: device_attribute['store'] = null,
	) {
		super(name, mode);
		this.show = show;
		this.store = store;
	}
}

/** A device attribute of @name (include/linux/device.h: DEVICE_ATTR()). */
export function DEVICE_ATTR(
	name: string,
	mode: umode_t,
	show: device_attribute['show'],
	store: device_attribute['store'],
): device_attribute {
	return new device_attribute(name, mode, show, store);
}

/** A read-only device attribute (include/linux/device.h: DEVICE_ATTR_RO()). */
export function DEVICE_ATTR_RO(name: string, show: device_attribute['show']): device_attribute {
	return new device_attribute(name, 0o444, show, null);
}

/** A device attribute to read and write (include/linux/device.h: DEVICE_ATTR_RW()). */
export function DEVICE_ATTR_RW(
	name: string,
	show: device_attribute['show'],
	store: device_attribute['store'],
): device_attribute {
	return new device_attribute(name, 0o644, show, store);
}

/** A write-only device attribute (include/linux/device.h: DEVICE_ATTR_WO()). */
export function DEVICE_ATTR_WO(name: string, store: device_attribute['store']): device_attribute {
	return new device_attribute(name, 0o200, null, store);
}

/** What a device's scatterlists must keep to. */
export class device_dma_parameters {
	max_segment_size: unsigned_int = 0;
	min_align_mask: unsigned_int = 0;
	segment_boundary_mask: unsigned_long = 0;
}

export enum device_link_state {
	DL_STATE_NONE = -1,
	DL_STATE_DORMANT = 0,
	DL_STATE_AVAILABLE,
	DL_STATE_CONSUMER_PROBE,
	DL_STATE_ACTIVE,
	DL_STATE_SUPPLIER_UNBIND,
}
export const {
	DL_STATE_NONE,
	DL_STATE_DORMANT,
	DL_STATE_AVAILABLE,
	DL_STATE_CONSUMER_PROBE,
	DL_STATE_ACTIVE,
	DL_STATE_SUPPLIER_UNBIND,
} = device_link_state;

/** The core does not track the drivers of the two ends. */
export const DL_FLAG_STATELESS = 1 << 0;
export const DL_FLAG_AUTOREMOVE_CONSUMER = 1 << 1;
export const DL_FLAG_PM_RUNTIME = 1 << 2;
export const DL_FLAG_RPM_ACTIVE = 1 << 3;
export const DL_FLAG_AUTOREMOVE_SUPPLIER = 1 << 4;
export const DL_FLAG_AUTOPROBE_CONSUMER = 1 << 5;
export const DL_FLAG_MANAGED = 1 << 6;
export const DL_FLAG_SYNC_STATE_ONLY = 1 << 7;
export const DL_FLAG_INFERRED = 1 << 8;
export const DL_FLAG_CYCLE = 1 << 9;

export enum dl_dev_state {
	DL_DEV_NO_DRIVER = 0,
	DL_DEV_PROBING,
	DL_DEV_DRIVER_BOUND,
	DL_DEV_UNBINDING,
}
export const { DL_DEV_NO_DRIVER, DL_DEV_PROBING, DL_DEV_DRIVER_BOUND, DL_DEV_UNBINDING } = dl_dev_state;

export class dev_links_info {
	suppliers: list_head<device_link> = new list_head<device_link>();
	consumers: list_head<device_link> = new list_head<device_link>();
	defer_sync: list_head<device>;
	status: dl_dev_state = DL_DEV_NO_DRIVER;
	constructor(dev: device) {
		this.defer_sync = new list_head<device>(dev);
	}
}

export class device {
	kobj: kobject = new kobject(this);
	parent: device | null = null;
	p: device_private | null = null;
	/** The name until device_add() makes it the kobject's. */
	init_name: string | null = null;
	type: device_type | null = null;
	bus: bus_type | null = null;
	driver: device_driver | null = null;
	platform_data: unknown = null;
	driver_data: unknown = null;
	driver_override: string | null = null;
	mutex: mutex = new mutex('dev->mutex');
	links: dev_links_info = new dev_links_info(this);
	power: dev_pm_info = new dev_pm_info(this);
	pm_domain: dev_pm_domain | null = null;
	dma_ops: dma_map_ops | null = null;
	/** What the device can address, streaming. */
	dma_mask: ref<u64> | null = null;
	/** What it can address for coherent buffers. */
	coherent_dma_mask: u64 = 0;
	/** What the bus above lets through; 0: everything. */
	bus_dma_limit: u64 = 0;
	dma_range_map: readonly bus_dma_region[] | null = null;
	dma_parms: device_dma_parameters | null = null;
	dma_pools: list_head<unknown> = new list_head<unknown>();
	dma_mem: dma_coherent_mem | null = null;
	cma_area: cma | null = null;
	dma_io_tlb_mem: io_tlb_mem | null = null;
	/** Bounce buffers that were made for single mappings. */
	dma_io_tlb_pools: list_head<io_tlb_pool> = new list_head<io_tlb_pool>();
	/** For changes of that list. */
	dma_io_tlb_lock: spinlock_t = new spinlock_t('dev->dma_io_tlb_lock');
	/** It has bounced something; only kept with swiotlb_dynamic=on. */
	dma_uses_io_tlb: bool = false;
	of_node: device_node | null = null;
	fwnode: fwnode_handle | null = null;
	numa_node: int = NUMA_NO_NODE;
	devt: dev_t = 0;
	id: u32 = 0;
	devres_lock: spinlock_t = new spinlock_t('dev->devres_lock');
	devres_head: list_head<devres_node> = new list_head<devres_node>();
	class: class_ | null = null;
	groups: readonly attribute_group[] | null = null;
	release: ((dev: device) => void) | null = null;
	iommu_group: iommu_group | null = null;
	iommu: dev_iommu | null = null;
	offline_disabled: bool = false;
	offline: bool = false;
	of_node_reused: bool = false;
	state_synced: bool = false;
	/** A driver matched it once, so a supplier's absence is worth a deferral. */
	can_match: bool = false;
	/** Snoops the CPU's caches. */
	dma_coherent: bool = false;
	dma_skip_sync: bool = false;
	/** The DMA API goes through dma-iommu. */
	dma_iommu: bool = false;
	/** Bits DEV_FLAG_. */
	flags: unsigned_long = 0;
	/** The struct that embeds the device. */
	readonly container: object | null;
	constructor(container: object | null = null) {
		this.container = container;
	}
}

export class device_link {
	supplier!: device;
	s_node: list_head<device_link> = new list_head<device_link>(this);
	consumer!: device;
	c_node: list_head<device_link> = new list_head<device_link>(this);
	link_dev: device = new device(this);
	status: device_link_state = DL_STATE_NONE;
	flags: u32 = 0;
	/** How often the consumer's runtime PM holds the supplier, plus one. */
	readonly rpm_active = new refcount_t(1);
	kref: kref = new kref(this);
	/** The supplier was resumed for the consumer's probe. */
	supplier_preactivated: bool = false;
	readonly rm_work = new work_struct(this);
}

/** The device that embeds @kobj (include/linux/device.h: kobj_to_dev()). */
export function kobj_to_dev(kobj: kobject): device {
	return container_of(kobj, device);
}

/** The name: that before registration, or the kobject's (include/linux/device.h: dev_name()). */
export function dev_name(dev: device): string {
	return dev.init_name ?? kobject_name(dev.kobj);
}

/** The driver's data (include/linux/device.h: dev_get_drvdata()). C's `void *` is the caller's to name. */
export function dev_get_drvdata<T = unknown>(dev: device): T {
	return dev.driver_data as T;
}

/** Set the driver's data (include/linux/device.h: dev_set_drvdata()). */
export function dev_set_drvdata(dev: device, data: unknown): void {
	dev.driver_data = data;
}

/** The board's data (include/linux/device.h: dev_get_platdata()). */
export function dev_get_platdata<T = unknown>(dev: device): T {
	return dev.platform_data as T;
}

/** The NUMA node (include/linux/device.h: dev_to_node()). */
export function dev_to_node(dev: device): int {
	return dev.numa_node;
}

/** Set the NUMA node (include/linux/device.h: set_dev_node()). */
export function set_dev_node(dev: device, node: int): void {
	dev.numa_node = node;
}

/** Whether device_add() has run and device_del() has not (include/linux/device.h: device_is_registered()). */
export function device_is_registered(dev: device): bool {
	return dev.kobj.state_in_sysfs;
}

/** device_add() has come so far that a driver may be bound. */
export const DEV_FLAG_READY_TO_PROBE = 0;

/** Whether a driver may be bound yet (include/linux/device.h: dev_ready_to_probe()). */
export function dev_ready_to_probe(dev: device): bool {
	return (dev.flags & (1 << DEV_FLAG_READY_TO_PROBE)) !== 0;
}

/** From now on it may (include/linux/device.h: dev_set_ready_to_probe()). */
export function dev_set_ready_to_probe(dev: device): void {
	dev.flags |= 1 << DEV_FLAG_READY_TO_PROBE;
}

/** Leave @dev out of power management; before it is registered (include/linux/device.h: device_set_pm_not_required()). */
export function device_set_pm_not_required(dev: device): void {
	dev.power.no_pm = true;
}

/** Send no uevents (include/linux/device.h: dev_set_uevent_suppress()). */
export function dev_set_uevent_suppress(dev: device, val: bool): void {
	dev.kobj.uevent_suppress = val;
}

/** Serialises what is done with @dev's driver (include/linux/device.h: device_lock()). */
export function device_lock(dev: device): void {
	mutex_lock(dev.mutex);
}

/** Let the device's mutex go (include/linux/device.h: device_unlock()). */
export function device_unlock(dev: device): void {
	mutex_unlock(dev.mutex);
}

/** Take the device's mutex if it is free: 1 then (include/linux/device.h: device_trylock()). */
export function device_trylock(dev: device): int {
	return mutex_trylock(dev.mutex) ? 1 : 0;
}
