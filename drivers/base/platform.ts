// SPDX-License-Identifier: GPL-2.0-only
// The platform bus: devices at an address, made from the device tree.
// Linux 6.12: drivers/base/platform.c
//
// Left out: assigned clocks (of_clk_set_defaults()), ACPI, MSI, early platform devices, power domains, system sleep, I/O ports.

import { PAGE_SIZE } from '#asm/page.js';
import { bus_find_device, bus_for_each_dev, bus_register } from '#drivers/base/bus.js';
import {
	dev_set_name,
	device_add,
	device_del,
	device_initialize,
	device_register,
	put_device,
} from '#drivers/base/core.js';
import { device_match_driver_override } from '#drivers/base/dd.js';
import { driver_register, driver_unregister } from '#drivers/base/driver.js';
import { dev_pm_domain_attach, dev_pm_domain_detach } from '#drivers/base/power/domain.js';
import { dev_fwnode } from '#drivers/base/property.js';
import { iommu_device_unuse_default_domain, iommu_device_use_default_domain } from '#drivers/iommu/iommu.js';
import { of_device_modalias, of_dma_configure, of_driver_match_device } from '#drivers/of/device.js';
import { of_irq_count, of_irq_get, of_irq_get_byname } from '#drivers/of/irq.js';
import { sysfs_emit } from '#fs/sysfs/file.js';
import { insert_resource, iomem_resource, release_resource } from '#kernel/resource.js';
import { devm_ioremap_resource } from '#lib/devres.js';
import { ida_free } from '#lib/idr.js';
import { WARN } from '#linux/bug.js';
import { dev_err, dev_err_probe, dev_warn } from '#linux/dev_printk.js';
import type { bus_type } from '#linux/device/bus.js';
import type { device_driver } from '#linux/device/driver.js';
import { PROBE_FORCE_SYNCHRONOUS, PROBE_PREFER_ASYNCHRONOUS } from '#linux/device/driver.js';
import type { platform_device_info, platform_driver } from '#linux/device/platform.js';
import {
	PLATFORM_DEVID_AUTO,
	PLATFORM_DEVID_NONE,
	platform_device,
	to_platform_device,
	to_platform_driver,
} from '#linux/device/platform.js';
import { DEVICE_ATTR_RO, device } from '#linux/device.js';
import { arch_teardown_dma_ops } from '#linux/dma-map-ops.js';
import { DMA_BIT_MASK } from '#linux/dma-mapping.js';
import type { err_ptr } from '#linux/err.js';
import { ERR_PTR, IS_ERR } from '#linux/err.js';
import { EBUSY, EINVAL, ENODEV, ENOMEM, ENXIO, EPROBE_DEFER } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp_types.js';
import { ida, ida_alloc } from '#linux/idr.js';
import { boot_data } from '#linux/init.js';
import { IORESOURCE_IRQ, IORESOURCE_MEM, resource, resource_type } from '#linux/ioport.js';
import { kobject } from '#linux/kobject.js';
import type { platform_device_id } from '#linux/mod_devicetable.js';
import type { module } from '#linux/module.js';
import { is_of_node, to_of_node } from '#linux/of.js';
import { pr_debug, pr_err } from '#linux/printk.js';
import { kcalloc, kfree, kzalloc } from '#linux/slab.js';
import type { attribute, attribute_group } from '#linux/sysfs.js';
import type { __iomem, bool, int, ref, size_t, umode_t, unsigned_int } from '#linux/types.js';

const state = boot_data(() => ({
	platform_devid_ida: new ida(),
}));

/** /sys/devices/platform, the parent of those that have no other (drivers/base/platform.c: platform_bus). */
export const platform_bus: device = new device();

/** The @num-th resource of @type (drivers/base/platform.c: platform_get_resource()). */
export function platform_get_resource(
	dev: platform_device,
	type: unsigned_int,
	num: unsigned_int,
): resource | null {
	let n = num;
	for (let i = 0; i < dev.num_resources; i++) {
		const r = dev.resource[i] as resource;
		if (type === resource_type(r) && n-- === 0) return r;
	}
	return null;
}

/** The @num-th memory resource (drivers/base/platform.c: platform_get_mem_or_io()). */
export function platform_get_resource_byname(
	dev: platform_device,
	type: unsigned_int,
	name: string,
): resource | null {
	for (let i = 0; i < dev.num_resources; i++) {
		const r = dev.resource[i] as resource;
		if (type === resource_type(r) && r.name === name) return r;
	}
	return null;
}

/** Claim and map the @index-th memory resource (drivers/base/platform.c: devm_platform_ioremap_resource()). */
export function devm_platform_ioremap_resource(
	pdev: platform_device,
	index: unsigned_int,
): __iomem | err_ptr {
	return devm_platform_get_and_ioremap_resource(pdev, index, null);
}

/** The same, and tell which it was (drivers/base/platform.c: devm_platform_get_and_ioremap_resource()). */
export function devm_platform_get_and_ioremap_resource(
	pdev: platform_device,
	index: unsigned_int,
	res: ref<resource | null> | null,
): __iomem | err_ptr {
	const r = platform_get_resource(pdev, IORESOURCE_MEM, index);
	if (res !== null) res.value = r;
	return devm_ioremap_resource(pdev.dev, r);
}

/** The same by name (drivers/base/platform.c: devm_platform_ioremap_resource_byname()). */
export function devm_platform_ioremap_resource_byname(
	pdev: platform_device,
	name: string,
): __iomem | err_ptr {
	return devm_ioremap_resource(pdev.dev, platform_get_resource_byname(pdev, IORESOURCE_MEM, name));
}

/** The @num-th interrupt, or -ENXIO (drivers/base/platform.c: platform_get_irq_optional()). */
export function platform_get_irq_optional(dev: platform_device, num: unsigned_int): int {
	const fwnode = dev_fwnode(dev.dev);
	let ret = -ENXIO;
	const np = is_of_node(fwnode) ? to_of_node(fwnode) : null;
	if (np !== null) ret = of_irq_get(np, num);
	if (!(ret > 0 || ret === -EPROBE_DEFER)) {
		const r = platform_get_resource(dev, IORESOURCE_IRQ, num);
		ret = r !== null ? r.start : -ENXIO;
	}
	if (WARN(ret === 0, '0 is an invalid IRQ number')) return -EINVAL;
	return ret;
}

/** The @num-th interrupt; says when there is none (drivers/base/platform.c: platform_get_irq()). */
export function platform_get_irq(dev: platform_device, num: unsigned_int): int {
	const ret = platform_get_irq_optional(dev, num);
	if (ret < 0) return dev_err_probe(dev.dev, ret, 'IRQ index %u not found', num);
	return ret;
}

function __platform_get_irq_byname(dev: platform_device, name: string): int {
	const fwnode = dev_fwnode(dev.dev);
	const np = is_of_node(fwnode) ? to_of_node(fwnode) : null;
	if (np !== null) {
		const ret = of_irq_get_byname(np, name);
		if (ret > 0 || ret === -EPROBE_DEFER) return ret;
	}
	const r = platform_get_resource_byname(dev, IORESOURCE_IRQ, name);
	if (r === null) return -ENXIO;
	if (WARN(r.start === 0, '0 is an invalid IRQ number')) return -EINVAL;
	return r.start;
}

/** The interrupt called @name (drivers/base/platform.c: platform_get_irq_byname()). */
export function platform_get_irq_byname(dev: platform_device, name: string): int {
	const ret = __platform_get_irq_byname(dev, name);
	if (ret < 0) return dev_err_probe(dev.dev, ret, 'IRQ %s not found', name);
	return ret;
}

/** drivers/base/platform.c: platform_get_irq_byname_optional(). */
export function platform_get_irq_byname_optional(dev: platform_device, name: string): int {
	return __platform_get_irq_byname(dev, name);
}

/** How many interrupts there are (drivers/base/platform.c: platform_irq_count()). */
export function platform_irq_count(dev: platform_device): int {
	const np = dev.dev.of_node;
	if (np !== null) return of_irq_count(np);
	let nr = 0;
	for (let ret = platform_get_irq_optional(dev, nr); ret >= 0; ret = platform_get_irq_optional(dev, nr)) nr++;
	return nr;
}

function setup_pdev_dma_masks(pdev: platform_device): void {
	pdev.dev.dma_parms = pdev.dma_parms;
	if (!pdev.dev.coherent_dma_mask) pdev.dev.coherent_dma_mask = DMA_BIT_MASK(32);
	if (pdev.dev.dma_mask === null) {
		pdev.platform_dma_mask.value = DMA_BIT_MASK(32);
		pdev.dev.dma_mask = pdev.platform_dma_mask;
	}
}

/** Drop a device that was not added (drivers/base/platform.c: platform_device_put()). */
export function platform_device_put(pdev: platform_device | null): void {
	if (pdev !== null) put_device(pdev.dev);
}

function platform_device_release(dev: device): void {
	const pdev = to_platform_device(dev);
	// Held since of_device_alloc().
	if (pdev.resource.length > 0) kfree(pdev.resource);
	kfree(pdev);
}

/** A device that is not added yet (drivers/base/platform.c: platform_device_alloc()). */
export function platform_device_alloc(name: string, id: int): platform_device | null {
	const pa = kzalloc(platform_device, GFP_KERNEL);
	if (pa === null) return null;
	pa.name = name;
	pa.id = id;
	device_initialize(pa.dev);
	pa.dev.release = platform_device_release;
	setup_pdev_dma_masks(pa);
	return pa;
}

/** Give @pdev a copy of @res (drivers/base/platform.c: platform_device_add_resources()). */
export function platform_device_add_resources(
	pdev: platform_device,
	res: readonly resource[] | null,
	num: unsigned_int,
): int {
	let r: resource[] = [];
	if (res !== null && num > 0) {
		const copy = kcalloc(num, resource, GFP_KERNEL);
		if (copy === null) return -ENOMEM;
		for (const [i, item] of copy.entries()) {
			const from = res[i] as resource;
			item.start = from.start;
			item.end = from.end;
			item.name = from.name;
			item.flags = from.flags;
		}
		r = copy;
	}
	if (pdev.resource.length > 0) kfree(pdev.resource);
	pdev.resource = r;
	pdev.num_resources = num;
	return 0;
}

/** Give @pdev its board's data (drivers/base/platform.c: platform_device_add_data()). */
export function platform_device_add_data(pdev: platform_device, data: unknown, size: size_t): int {
	pdev.dev.platform_data = data;
	return 0;
}

/** Put @pdev on the bus (drivers/base/platform.c: platform_device_add()). */
export function platform_device_add(pdev: platform_device): int {
	const dev = pdev.dev;
	if (dev.parent === null) dev.parent = platform_bus;
	dev.bus = platform_bus_type;
	switch (pdev.id) {
		case PLATFORM_DEVID_NONE:
			dev_set_name(dev, '%s', pdev.name);
			break;
		case PLATFORM_DEVID_AUTO: {
			const id = ida_alloc(state.platform_devid_ida, GFP_KERNEL);
			if (id < 0) return id;
			pdev.id = id;
			pdev.id_auto = true;
			dev_set_name(dev, '%s.%d.auto', pdev.name, pdev.id);
			break;
		}
		default:
			dev_set_name(dev, '%s.%d', pdev.name, pdev.id);
	}
	for (let i = 0; i < pdev.num_resources; i++) {
		const r = pdev.resource[i] as resource;
		if (r.name === null || r.name === '') r.name = dev.kobj.name;
		const p = r.parent ?? (resource_type(r) === IORESOURCE_MEM ? iomem_resource : null);
		if (p !== null && insert_resource(p, r)) {
			dev_err(dev, 'failed to claim resource %d: %pR', i, r);
			platform_device_add_undo(pdev, i);
			return -EBUSY;
		}
	}
	pr_debug("Registering platform device '%s'. Parent at %s", dev.kobj.name ?? '', dev.parent.kobj.name ?? '');
	const ret = device_add(dev);
	if (ret) platform_device_add_undo(pdev, pdev.num_resources);
	return ret;
}

function platform_device_add_undo(pdev: platform_device, claimed: int): void {
	if (pdev.id_auto) {
		ida_free(state.platform_devid_ida, pdev.id);
		pdev.id = PLATFORM_DEVID_AUTO;
	}
	for (let i = claimed - 1; i >= 0; i--) {
		const r = pdev.resource[i] as resource;
		if (r.parent) release_resource(r);
	}
}

/** Take @pdev from the bus (drivers/base/platform.c: platform_device_del()). */
export function platform_device_del(pdev: platform_device | null): void {
	if (pdev === null || IS_ERR(pdev)) return;
	device_del(pdev.dev);
	platform_device_add_undo(pdev, pdev.num_resources);
}

/** Add a device that the caller made; after a failure: platform_device_put() (drivers/base/platform.c). */
export function platform_device_register(pdev: platform_device): int {
	device_initialize(pdev.dev);
	setup_pdev_dma_masks(pdev);
	return platform_device_add(pdev);
}

/** drivers/base/platform.c: platform_device_unregister(). */
export function platform_device_unregister(pdev: platform_device | null): void {
	platform_device_del(pdev);
	platform_device_put(pdev);
}

/** Make and add a device (drivers/base/platform.c: platform_device_register_full()). */
export function platform_device_register_full(pdevinfo: platform_device_info): platform_device | err_ptr {
	const pdev = platform_device_alloc(pdevinfo.name, pdevinfo.id);
	if (pdev === null) return ERR_PTR(-ENOMEM);
	pdev.dev.parent = pdevinfo.parent ?? null;
	pdev.dev.fwnode = pdevinfo.fwnode ?? null;
	if (is_of_node(pdev.dev.fwnode)) pdev.dev.of_node = to_of_node(pdev.dev.fwnode);
	pdev.dev.of_node_reused = pdevinfo.of_node_reused ?? false;
	if (pdevinfo.dma_mask) {
		pdev.platform_dma_mask.value = pdevinfo.dma_mask;
		pdev.dev.dma_mask = pdev.platform_dma_mask;
		pdev.dev.coherent_dma_mask = pdevinfo.dma_mask;
	}
	let ret = platform_device_add_resources(pdev, pdevinfo.res ?? null, pdevinfo.res?.length ?? 0);
	if (!ret && pdevinfo.data !== undefined)
		ret = platform_device_add_data(pdev, pdevinfo.data, pdevinfo.size_data ?? 0);
	if (!ret) ret = platform_device_add(pdev);
	if (ret) {
		platform_device_put(pdev);
		return ERR_PTR(ret);
	}
	return pdev;
}

/** Make and add a device without resources (include/linux/platform_device.h: platform_device_register_simple()). */
export function platform_device_register_simple(
	name: string,
	id: int,
	res: readonly resource[] | null,
	num: unsigned_int,
): platform_device | err_ptr {
	return platform_device_register_full({ name, id, res: res?.slice(0, num) ?? null });
}

/** drivers/base/platform.c: __platform_driver_register(). */
export function __platform_driver_register(drv: platform_driver, owner: module | null): int {
	if (owner !== null) drv.driver.owner = owner;
	drv.driver.bus = platform_bus_type;
	return driver_register(drv.driver);
}

/** drivers/base/platform.c: platform_driver_unregister(). */
export function platform_driver_unregister(drv: platform_driver): void {
	driver_unregister(drv.driver);
}

function platform_probe_fail(pdev: platform_device): int {
	return -ENXIO;
}

function is_bound_to_driver(dev: device, driver: device_driver): int {
	return dev.driver === driver ? 1 : 0;
}

/**
 * __platform_driver_probe - Register @drv for the devices that are there now (drivers/base/platform.c)
 * @drv: the driver; loses its probe, so that it binds nothing later
 * @probe: what is called for each device
 *
 * -ENODEV, and not registered, when nothing was bound. Its probe cannot defer.
 */
export function __platform_driver_probe(
	drv: platform_driver,
	probe: (pdev: platform_device) => int,
	module: module | null,
): int {
	if (drv.driver.probe_type === PROBE_PREFER_ASYNCHRONOUS) {
		pr_err(
			'%s: drivers registered with %s can not be probed asynchronously',
			drv.driver.name,
			'__platform_driver_probe',
		);
		return -EINVAL;
	}
	// Now or never: there is no second chance by deferral, by sysfs or by another thread.
	drv.probe = probe;
	drv.prevent_deferred_probe = true;
	drv.driver.suppress_bind_attrs = true;
	drv.driver.probe_type = PROBE_FORCE_SYNCHRONOUS;

	const ret = __platform_driver_register(drv, module);
	if (ret !== 0) return ret;
	drv.probe = platform_probe_fail;
	if (bus_for_each_dev(platform_bus_type, null, drv.driver, is_bound_to_driver) !== 0) return 0;
	platform_driver_unregister(drv);
	return -ENODEV;
}

/** Register several drivers, or none (drivers/base/platform.c: __platform_register_drivers()). */
export function platform_register_drivers(drivers: readonly platform_driver[], count: unsigned_int): int {
	for (let i = 0; i < count; i++) {
		const err = __platform_driver_register(drivers[i] as platform_driver, null);
		if (err < 0) {
			pr_err('failed to register platform driver %s: %d', (drivers[i] as platform_driver).driver.name, err);
			while (i-- > 0) platform_driver_unregister(drivers[i] as platform_driver);
			return err;
		}
	}
	return 0;
}

/** drivers/base/platform.c: platform_unregister_drivers(). */
export function platform_unregister_drivers(drivers: readonly platform_driver[], count: unsigned_int): void {
	for (let i = count - 1; i >= 0; i--) platform_driver_unregister(drivers[i] as platform_driver);
}

function platform_match_id(
	id: readonly platform_device_id[],
	pdev: platform_device,
): platform_device_id | null {
	for (const entry of id) {
		if (pdev.name === entry.name) {
			pdev.id_entry = entry;
			return entry;
		}
	}
	return null;
}

function platform_dev_attrs_visible(kobj: { readonly container: object | null }, a: attribute): umode_t {
	const dev = kobj.container as device;
	if (a.name === 'numa_node' && dev.numa_node === -1) return 0;
	return a.mode;
}

const platform_dev_group: attribute_group = {
	attrs: [
		DEVICE_ATTR_RO('modalias', (dev, _attr, buf) => {
			const len = of_device_modalias(dev, buf, PAGE_SIZE);

			if (len !== -ENODEV) return len;
			return sysfs_emit(buf, 'platform:%s\n', to_platform_device(dev).name);
		}),
		DEVICE_ATTR_RO('numa_node', (dev, _attr, buf) => sysfs_emit(buf, '%d\n', dev.numa_node)),
	],
	is_visible: platform_dev_attrs_visible,
};

function platform_match(dev: device, drv: device_driver): int {
	const pdev = to_platform_device(dev);
	const pdrv = to_platform_driver(drv);
	const ret = device_match_driver_override(dev, drv);
	if (ret >= 0) return ret;
	if (of_driver_match_device(dev, drv)) return 1;
	if (pdrv.id_table !== null) return platform_match_id(pdrv.id_table, pdev) !== null ? 1 : 0;
	return pdev.name === drv.name ? 1 : 0;
}

function platform_probe(_dev: device): int {
	const drv = to_platform_driver(_dev.driver as device_driver);
	const dev = to_platform_device(_dev);
	// Registered by platform_driver_probe(), whose time is over.
	if (drv.probe === platform_probe_fail) return -ENXIO;
	let ret = dev_pm_domain_attach(_dev, true);
	if (ret === 0 && drv.probe !== null) {
		ret = drv.probe(dev);
		if (ret !== 0) dev_pm_domain_detach(_dev, true);
	}
	if (drv.prevent_deferred_probe && ret === -EPROBE_DEFER) {
		dev_warn(_dev, 'probe deferral not supported');
		ret = -ENXIO;
	}
	return ret;
}

function platform_remove(_dev: device): void {
	const drv = to_platform_driver(_dev.driver as device_driver);
	drv.remove?.(to_platform_device(_dev));
	dev_pm_domain_detach(_dev, true);
}

function platform_shutdown(_dev: device): void {
	if (_dev.driver === null) return;
	to_platform_driver(_dev.driver).shutdown?.(to_platform_device(_dev));
}

/** What the firmware says of the device's DMA, before its probe (drivers/base/platform.c: platform_dma_configure()). */
function platform_dma_configure(dev: device): int {
	const drv = to_platform_driver(dev.driver as device_driver);
	const fwnode = dev_fwnode(dev);
	let ret = 0;
	const np = is_of_node(fwnode) ? to_of_node(fwnode) : null;
	if (np !== null) ret = of_dma_configure(dev, np, true);
	if (ret || drv.driver_managed_dma) return ret;
	ret = iommu_device_use_default_domain(dev);
	if (ret) arch_teardown_dma_ops(dev);
	return ret;
}

function platform_dma_cleanup(dev: device): void {
	const drv = to_platform_driver(dev.driver as device_driver);
	if (!drv.driver_managed_dma) iommu_device_unuse_default_domain(dev);
}

/** /sys/bus/platform. */
export const platform_bus_type: bus_type = {
	name: 'platform',
	dev_groups: [platform_dev_group],
	driver_override: true,
	match: platform_match,
	probe: platform_probe,
	remove: platform_remove,
	shutdown: platform_shutdown,
	dma_configure: platform_dma_configure,
	dma_cleanup: platform_dma_cleanup,
};

/** The first platform device after @start that @drv fits (drivers/base/platform.c: platform_find_device_by_driver()). */
export function platform_find_device_by_driver(start: device | null, drv: device_driver): device | null {
	return bus_find_device(platform_bus_type, start, drv, (dev, d) => platform_match(dev, d as device_driver));
}

/** Whether @dev is on the platform bus (include/linux/platform_device.h: dev_is_platform()). */
export function dev_is_platform(dev: device): bool {
	return dev.bus === platform_bus_type;
}

/** Make /sys/devices/platform and /sys/bus/platform (drivers/base/platform.c: platform_bus_init()). */
export function platform_bus_init(): int {
	// Static in C: loaded anew with each boot.
	platform_bus.kobj = new kobject(platform_bus);
	platform_bus.p = null;
	platform_bus.parent = null;
	platform_bus.init_name = 'platform';
	let error = device_register(platform_bus);
	if (error) {
		put_device(platform_bus);
		return error;
	}
	error = bus_register(platform_bus_type);
	if (error) device_del(platform_bus);
	return error;
}
