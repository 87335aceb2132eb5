// SPDX-License-Identifier: GPL-2.0-only
// The IOMMU core: drivers on one side, groups and domains on the other.
// Linux 6.12: drivers/iommu/iommu.c
//
// Left out: buses other than the platform bus, and with them pci_device_group() and fsl_mc_device_group();
// SVA's hold on an mm; memory encryption; capable() (everybody here is root); module references (drivers are built
// in); MSI isolation, which no platform device has.
import { deref } from '#arch/arm64/mm/fault.js';
import { bus_for_each_dev, bus_register_notifier, bus_unregister_notifier } from '#drivers/base/bus.js';
import { platform_bus_type } from '#drivers/base/platform.js';
import {
	dev_fwnode,
	device_property_read_u32,
	fwnode_handle_get,
	fwnode_handle_put,
} from '#drivers/base/property.js';
import {
	iommu_dma_init_fq,
	iommu_get_dma_cookie,
	iommu_put_dma_cookie,
	iommu_setup_dma_ops,
} from '#drivers/iommu/dma-iommu.js';
import { iommu_debugfs_setup } from '#drivers/iommu/iommu-debugfs.js';
import { dev_iommu_ops, iommu_fwspec_ops } from '#drivers/iommu/iommu-priv.js';
import { iommu_device_link, iommu_device_unlink } from '#drivers/iommu/iommu-sysfs.js';
import { sysfs_create_file, sysfs_emit, sysfs_emit_at, sysfs_remove_file } from '#fs/sysfs/file.js';
import { sysfs_create_link, sysfs_create_link_nowarn, sysfs_remove_link } from '#fs/sysfs/symlink.js';
import {
	trace_add_device_to_group,
	trace_attach_device_to_domain,
	trace_io_page_fault,
	trace_map,
	trace_remove_device_from_group,
	trace_unmap,
} from '#include/trace/events/iommu.js';
import { kernel_kobj } from '#kernel/ksysfs.js';
import {
	kobject_create_and_add,
	kobject_get,
	kobject_init_and_add,
	kobject_put,
	kset_create_and_add,
} from '#lib/kobject.js';
import { kstrtobool } from '#lib/kstrtox.js';
import { sg_next } from '#lib/scatterlist.js';
import { sysfs_streq } from '#lib/string_helpers.js';
import { kasprintf } from '#lib/vsprintf.js';
import {
	xa_empty,
	xa_erase,
	xa_insert,
	xa_is_err,
	xa_load,
	xa_release,
	xa_reserve,
	xa_store,
} from '#lib/xarray.js';
import { ALIGN, ALIGN_DOWN, IS_ALIGNED } from '#linux/align.js';
import { __ffs, __fls } from '#linux/bitops.js';
import { BIT, GENMASK_ULL } from '#linux/bits.js';
import { BUG_ON, WARN_ON, WARN_ON_ONCE, WARN_ONCE } from '#linux/bug.js';
import { dev_err, dev_err_ratelimited, dev_info, dev_warn, dev_warn_once } from '#linux/dev_printk.js';
import type { bus_type } from '#linux/device/bus.js';
import { BUS_NOTIFY_ADD_DEVICE, BUS_NOTIFY_REMOVED_DEVICE, type device } from '#linux/device.js';
import { ERR_PTR, type err_ptr, IS_ERR, PTR_ERR } from '#linux/err.js';
import {
	EBUSY,
	EEXIST,
	EINVAL,
	EIO,
	ENODEV,
	ENOENT,
	ENOMEM,
	ENOSYS,
	EOPNOTSUPP,
	EPERM,
	EPROBE_DEFER,
} from '#linux/errno.js';
import type { fwnode_handle } from '#linux/fwnode.js';
import {
	__GFP_COMP,
	__GFP_DMA,
	__GFP_DMA32,
	__GFP_HIGHMEM,
	GFP_KERNEL,
	gfpflags_allow_blocking,
} from '#linux/gfp.js';
import { ida, ida_alloc, ida_alloc_range, ida_free } from '#linux/idr.js';
import { boot_data, core_initcall, early_param, subsys_initcall } from '#linux/init.js';
import {
	__IOMMU_DOMAIN_PAGING,
	dev_iommu,
	dev_iommu_fwspec_get,
	dev_iommu_fwspec_set,
	IOMMU_DOMAIN_ALLOC_FLAGS,
	IOMMU_DOMAIN_BLOCKED,
	IOMMU_DOMAIN_DMA,
	IOMMU_DOMAIN_DMA_FQ,
	IOMMU_DOMAIN_IDENTITY,
	IOMMU_DOMAIN_PLATFORM,
	IOMMU_DOMAIN_UNMANAGED,
	IOMMU_FIRST_GLOBAL_PASID,
	IOMMU_NO_PASID,
	IOMMU_PASID_INVALID,
	IOMMU_RESV_DIRECT,
	IOMMU_RESV_DIRECT_RELAXABLE,
	type ioasid_t,
	type iommu_attach_handle,
	type iommu_cap,
	type iommu_dev_features,
	type iommu_device,
	type iommu_domain,
	type iommu_fault_handler_t,
	iommu_flush_iotlb_all,
	iommu_fwspec,
	iommu_iotlb_gather,
	iommu_iotlb_gather_init,
	iommu_iotlb_sync,
	iommu_is_dma_domain,
	type iommu_ops,
	iommu_resv_region,
	type iommu_resv_type,
} from '#linux/iommu.js';
import { might_sleep_if } from '#linux/kernel.js';
import { type kobj_type, kobject, kobject_name, type kset } from '#linux/kobject.js';
import {
	INIT_LIST_HEAD,
	list_add_tail,
	list_count_nodes,
	list_del,
	list_del_init,
	list_empty,
	list_first_entry,
	list_for_each_entry,
	list_for_each_entry_safe,
	list_head,
} from '#linux/list.js';
import { lockdep_assert_held } from '#linux/lockdep.js';
import { is_power_of_2 } from '#linux/log2.js';
import { and64, or64, xor64 } from '#linux/math64.js';
import { mutex, mutex_init, mutex_lock, mutex_unlock } from '#linux/mutex.js';
import { NOTIFY_DONE, NOTIFY_OK, notifier_block } from '#linux/notifier.js';
import { dev_is_pci, to_pci_dev } from '#linux/pci.js';
import { pr_debug, pr_debug_enabled, pr_err, pr_info, pr_warn } from '#linux/printk.js';
import { type scatterlist, sg_dma_is_bus_address, sg_phys, type sg_table } from '#linux/scatterlist.js';
import { KMALLOC_MAX_SIZE, kcalloc, kfree, kstrdup, kzalloc } from '#linux/slab.js';
import { spin_lock, spin_unlock, spinlock_t } from '#linux/spinlock.js';
import { attribute, type sysfs_buf, type sysfs_ops } from '#linux/sysfs.js';
import {
	type bool,
	container_of,
	type dma_addr_t,
	type gfp_t,
	type int,
	type phys_addr_t,
	ref,
	type size_t,
	type ssize_t,
	type u32,
	type umode_t,
	type unsigned_int,
	type unsigned_long,
} from '#linux/types.js';
import { xa_init, xa_lock, xa_unlock, xarray } from '#linux/xarray.js';

// As Debian configures the kernel.
const CONFIG_IOMMU_DEFAULT_PASSTHROUGH = false;
const CONFIG_IOMMU_DEFAULT_DMA_STRICT = true;
const CONFIG_IOMMU_DEBUGFS = false;

// The user has spoken on the command line about ...
export const IOMMU_CMD_LINE_DMA_API = 1 << 0;
export const IOMMU_CMD_LINE_STRICT = 1 << 1;

const state = boot_data(() => ({
	iommu_group_kset: null as kset | null,
	iommu_group_ida: new ida(),
	iommu_global_pasid_ida: new ida(),
	iommu_def_domain_type: 0 as unsigned_int,
	iommu_dma_strict: CONFIG_IOMMU_DEFAULT_DMA_STRICT as bool,
	iommu_cmd_line: 0 as u32,
	iommu_device_list: new list_head<iommu_device>(),
	iommu_device_lock: new spinlock_t('iommu_device_lock'),
}));

/** Devices are probed one at a time, whoever asks: a driver that registers, or the bus that finds a device. */
export const iommu_probe_device_lock: mutex = boot_data(() => new mutex('iommu_probe_device_lock'));

/** Devices that the hardware cannot tell apart; they share one domain. */
export class iommu_group {
	kobj: kobject = new kobject(this);
	/** The directory of links to the members. It holds the group, and it is what group references count. */
	devices_kobj: kobject | null = null;
	devices: list_head<group_device> = new list_head<group_device>();
	pasid_array: xarray<iommu_attach_handle> = new xarray<iommu_attach_handle>();
	mutex: mutex = new mutex('iommu_group.mutex');
	/** The driver's own, and what ends it. */
	iommu_data: unknown = null;
	iommu_data_release: ((iommu_data: unknown) => void) | null = null;
	name: string | null = null;
	id: int = 0;
	/** The kernel's own domain, for the DMA API. */
	default_domain: iommu_domain | null = null;
	/** What is attached while somebody else owns the group and has attached nothing. */
	blocking_domain: iommu_domain | null = null;
	/** What is attached now. */
	domain: iommu_domain | null = null;
	/** In the list of groups whose default domain is yet to come. */
	entry: list_head<iommu_group> = new list_head<iommu_group>(this);
	/** Drivers bound for the DMA API, or claims of @owner. */
	owner_cnt: unsigned_int = 0;
	owner: unknown = null;
}

/** One member of a group. */
export class group_device {
	list: list_head<group_device> = new list_head<group_device>(this);
	dev!: device;
	/** Of the link to the device in the group's directory. */
	name: string | null = null;
}

class iommu_group_attribute extends attribute {
	constructor(
		name: string,
		mode: umode_t,
		readonly show: ((group: iommu_group, buf: sysfs_buf) => ssize_t) | null,
		readonly store: ((group: iommu_group, buf: string, count: size_t) => ssize_t) | null,
	) {
		super(name, mode);
	}
}

/** Each member of @group; the current one may leave. */
function for_each_group_device(group: iommu_group): Iterable<group_device> {
	return list_for_each_entry_safe(group.devices);
}

const iommu_group_resv_type_string = ['direct', 'direct-relaxable', 'reserved', 'msi', 'msi'];

/** There is no way back: whatever fails, the old domain must not stay attached. */
const IOMMU_SET_DOMAIN_MUST_SUCCEED = 1 << 0;

/** A function, so that nothing of the platform bus is needed before this file is loaded. */
function iommu_buses(): readonly bus_type[] {
	return [platform_bus_type];
}

function iommu_domain_type_str(t: unsigned_int): string {
	switch (t) {
		case IOMMU_DOMAIN_BLOCKED:
			return 'Blocked';
		case IOMMU_DOMAIN_IDENTITY:
			return 'Passthrough';
		case IOMMU_DOMAIN_UNMANAGED:
			return 'Unmanaged';
		case IOMMU_DOMAIN_DMA:
		case IOMMU_DOMAIN_DMA_FQ:
			return 'Translated';
		case IOMMU_DOMAIN_PLATFORM:
			return 'Platform';
		default:
			return 'Unknown';
	}
}

function iommu_subsys_init(): int {
	const by_user = (flag: u32): string =>
		(state.iommu_cmd_line & flag) !== 0 ? ' (set via kernel command line)' : '';

	if ((state.iommu_cmd_line & IOMMU_CMD_LINE_DMA_API) === 0) {
		if (CONFIG_IOMMU_DEFAULT_PASSTHROUGH) iommu_set_default_passthrough(false);
		else iommu_set_default_translated(false);
	}
	const translated = !iommu_default_passthrough();
	if (translated && !state.iommu_dma_strict) state.iommu_def_domain_type = IOMMU_DOMAIN_DMA_FQ;

	pr_info(
		'iommu: Default domain type: %s%s',
		iommu_domain_type_str(state.iommu_def_domain_type),
		by_user(IOMMU_CMD_LINE_DMA_API),
	);
	if (translated) {
		pr_info(
			'iommu: DMA domain TLB invalidation policy: %s mode%s',
			state.iommu_dma_strict ? 'strict' : 'lazy',
			by_user(IOMMU_CMD_LINE_STRICT),
		);
	}

	const buses = iommu_buses();
	const nb = kcalloc(buses.length, notifier_block, GFP_KERNEL);
	if (nb === null) return -ENOMEM;
	for (let i = 0; i < buses.length; i++) {
		nb[i]!.notifier_call = iommu_bus_notifier;
		bus_register_notifier(buses[i]!, nb[i]!);
	}
	return 0;
}
subsys_initcall(iommu_subsys_init);

function remove_iommu_group(dev: device, data: unknown): int {
	if (dev.iommu !== null && dev.iommu.iommu_dev === data) iommu_release_device(dev);
	return 0;
}

/**
 * iommu_device_register() - make one piece of IOMMU hardware known (Linux: drivers/iommu/iommu.c)
 * @iommu: what stands for it
 * @ops: its driver
 * @hwdev: its device, by whose firmware node the masters find it; may be null
 *
 * Masters that are there already, and wait, are probed now; with a driver's first instance their groups and
 * default domains come to be. Returns 0 or an errno, after which nothing is left registered. May sleep.
 */
export function iommu_device_register(iommu: iommu_device, ops: iommu_ops, hwdev: device | null): int {
	iommu.ops = ops;
	if (hwdev !== null) iommu.fwnode = dev_fwnode(hwdev);

	spin_lock(state.iommu_device_lock);
	list_add_tail(iommu.list, state.iommu_device_list);
	spin_unlock(state.iommu_device_lock);

	for (const bus of iommu_buses()) {
		const err = bus_iommu_probe(bus);
		if (err !== 0) {
			iommu_device_unregister(iommu);
			return err;
		}
	}
	return 0;
}

/** Release every master of @iommu and forget it (Linux: drivers/iommu/iommu.c: iommu_device_unregister()). */
export function iommu_device_unregister(iommu: iommu_device): void {
	for (const bus of iommu_buses()) bus_for_each_dev(bus, null, iommu, remove_iommu_group);

	spin_lock(state.iommu_device_lock);
	list_del(iommu.list);
	spin_unlock(state.iommu_device_lock);

	// The reference that generic_single_device_group() took for the instance.
	iommu_group_put(iommu.singleton_group);
	iommu.singleton_group = null;
}

/** Undo iommu_device_register_bus(); the devices of @bus have gone before (Linux: drivers/iommu/iommu.c: iommu_device_unregister_bus()). */
export function iommu_device_unregister_bus(iommu: iommu_device, bus: bus_type, nb: notifier_block): void {
	bus_unregister_notifier(bus, nb);
	iommu_device_unregister(iommu);
}

/**
 * iommu_device_register_bus() - an IOMMU for a bus that the core does not watch (Linux: drivers/iommu/iommu.c)
 * @nb: tells of devices that come and go, until iommu_device_unregister_bus()
 *
 * For tests that bring a bus of their own. Returns 0 or an errno, after which nothing is left registered.
 */
export function iommu_device_register_bus(
	iommu: iommu_device,
	ops: iommu_ops,
	bus: bus_type,
	nb: notifier_block,
): int {
	iommu.ops = ops;
	nb.notifier_call = iommu_bus_notifier;
	let err = bus_register_notifier(bus, nb);
	if (err !== 0) return err;

	spin_lock(state.iommu_device_lock);
	list_add_tail(iommu.list, state.iommu_device_list);
	spin_unlock(state.iommu_device_lock);

	err = bus_iommu_probe(bus);
	if (err !== 0) iommu_device_unregister_bus(iommu, bus, nb);
	return err;
}

function dev_iommu_get(dev: device): dev_iommu | null {
	lockdep_assert_held(iommu_probe_device_lock);
	if (dev.iommu !== null) return dev.iommu;

	const param = kzalloc(dev_iommu, GFP_KERNEL);
	if (param === null) return null;
	mutex_init(param.lock);
	dev.iommu = param;
	return param;
}

/** Forget all that the core knows of @dev (Linux: drivers/iommu/iommu.c: dev_iommu_free()). */
export function dev_iommu_free(dev: device): void {
	const param = deref(deref(dev).iommu);

	dev.iommu = null;
	if (param.fwspec !== null) {
		fwnode_handle_put(param.fwspec.iommu_fwnode);
		kfree(param.fwspec);
	}
	kfree(param);
}

/** Whether a driver stands behind @dev; a group alone (VFIO without an IOMMU) does not count. */
function dev_has_iommu(dev: device): bool {
	return deref(dev).iommu !== null && dev.iommu!.iommu_dev !== null;
}

function dev_iommu_get_max_pasids(dev: device): u32 {
	const bits = new ref<u32>(0);
	const err = device_property_read_u32(dev, 'pasid-num-bits', bits);

	return Math.min(err === 0 ? 2 ** bits.value : 0, dev.iommu!.iommu_dev!.max_pasids);
}

/** Keep the driver's own @priv with @dev; called from of_xlate() (Linux: drivers/iommu/iommu.c: dev_iommu_priv_set()). */
export function dev_iommu_priv_set(dev: device, priv: unknown): void {
	lockdep_assert_held(iommu_probe_device_lock);
	deref(deref(dev).iommu).priv = priv;
}

/** Have the driver probe @dev, and find it a group. */
function iommu_init_device(dev: device, ops: iommu_ops): int {
	let ret: int;

	if (dev_iommu_get(dev) === null) return -ENOMEM;

	undo: {
		const iommu_dev = ops.probe_device!(dev);
		if (IS_ERR(iommu_dev)) {
			ret = PTR_ERR(iommu_dev);
			break undo;
		}
		dev.iommu!.iommu_dev = iommu_dev;

		release: {
			ret = iommu_device_link(iommu_dev, dev);
			if (ret !== 0) break release;

			let group = ops.device_group!(dev);
			if (WARN_ON_ONCE(group === null) || group === null) group = ERR_PTR(-EINVAL);
			if (IS_ERR(group)) {
				ret = PTR_ERR(group);
				iommu_device_unlink(iommu_dev, dev);
				break release;
			}
			dev.iommu_group = group;
			dev.iommu!.max_pasids = dev_iommu_get_max_pasids(dev);
			if (ops.is_attach_deferred) dev.iommu!.attach_deferred = ops.is_attach_deferred(dev) ? 1 : 0;
			return 0;
		}
		ops.release_device?.(dev);
	}
	dev.iommu!.iommu_dev = null;
	dev_iommu_free(dev);
	return ret;
}

/** The end of the domains that the core made for @group; its last member has gone. */
function iommu_group_free_domains(group: iommu_group): void {
	const dma = group.default_domain;
	const blocking = group.blocking_domain;

	if (dma !== null) iommu_domain_free(dma);
	if (blocking !== null) iommu_domain_free(blocking);
	group.default_domain = null;
	group.blocking_domain = null;
	group.domain = null;
}

/**
 * Undo iommu_init_device(). After release_device() (or the attach of release_domain) the driver must not use any
 * domain for @dev: with the group's last member its domains are freed.
 */
function iommu_deinit_device(dev: device): void {
	const group = dev.iommu_group!;
	const ops = dev_iommu_ops(dev);

	lockdep_assert_held(group.mutex);

	iommu_device_unlink(dev.iommu!.iommu_dev!, dev);

	// A device whose attach is still deferred was never touched: leave it so.
	if (dev.iommu!.attach_deferred === 0 && ops.release_domain)
		ops.release_domain.ops!.attach_dev!(ops.release_domain, dev);
	ops.release_device?.(dev);

	if (list_empty(group.devices)) iommu_group_free_domains(group);

	// The reference to the group is the caller's to put.
	dev.iommu_group = null;
	dev_iommu_free(dev);
	dev.dma_iommu = false;
}

/**
 * Probe @dev if the hardware it points to has a driver by now. Without @group_list a new group gets its default
 * domain here; with it the group is put in the list, and the caller does that when all members are known.
 */
function __iommu_probe_device(dev: device, group_list: list_head<iommu_group> | null): int {
	const ops = iommu_fwspec_ops(dev_iommu_fwspec_get(dev));
	if (ops === null) return -ENODEV;

	lockdep_assert_held(iommu_probe_device_lock);
	if (iommu_get_group_of(dev) !== null) return 0;

	let ret = iommu_init_device(dev, ops);
	if (ret !== 0) return ret;

	const group = iommu_get_group_of(dev)!;
	const gdev = iommu_group_alloc_device(group, dev);

	mutex_lock(group.mutex);
	undo: {
		if (IS_ERR(gdev)) {
			ret = PTR_ERR(gdev);
			break undo;
		}
		// The default domain's set-up attaches every member, so this one has to be there.
		list_add_tail(gdev.list, group.devices);
		WARN_ON(group.default_domain !== null && group.domain === null);

		if (group.default_domain !== null) iommu_create_device_direct_mappings(group.default_domain, dev);
		if (group.domain !== null) ret = __iommu_device_set_domain(group, dev, group.domain, 0);
		else if (group.default_domain === null) {
			if (group_list === null) ret = iommu_setup_default_domain(group, 0);
			else if (list_empty(group.entry)) list_add_tail(group.entry, group_list);
		}
		if (ret !== 0) {
			list_del(gdev.list);
			__iommu_group_free_device(group, gdev);
			break undo;
		}

		if (group.default_domain !== null) iommu_setup_dma_ops(dev);
		mutex_unlock(group.mutex);
		return 0;
	}
	iommu_deinit_device(dev);
	mutex_unlock(group.mutex);
	iommu_group_put(group);
	return ret;
}

/** dev->iommu_group, read anew. */
function iommu_get_group_of(dev: device): iommu_group | null {
	return dev.iommu_group;
}

/**
 * iommu_probe_device() - put @dev behind its IOMMU (Linux: drivers/iommu/iommu.c)
 *
 * Returns 0, also when that was done before; -ENODEV when it has none, or none with a driver; or what failed.
 */
export function iommu_probe_device(dev: device): int {
	mutex_lock(iommu_probe_device_lock);
	const ret = __iommu_probe_device(dev, null);
	mutex_unlock(iommu_probe_device_lock);
	if (ret !== 0) return ret;

	iommu_group_do_probe_finalize(dev);
	return 0;
}

function __iommu_group_free_device(group: iommu_group, grp_dev: group_device): void {
	const dev = grp_dev.dev;

	sysfs_remove_link(group.devices_kobj!, grp_dev.name!);
	sysfs_remove_link(dev.kobj, 'iommu_group');
	trace_remove_device_from_group(group.id, dev);

	// Nobody can own an empty group, nor have left a domain of his own in it.
	if (list_empty(group.devices)) WARN_ON(group.owner_cnt !== 0 || group.domain !== group.default_domain);

	kfree(grp_dev);
}

/** Take @dev out of its group, and put the reference that it held. */
function __iommu_group_remove_device(dev: device): void {
	const group = dev.iommu_group!;

	mutex_lock(group.mutex);
	for (const device of for_each_group_device(group)) {
		if (device.dev !== dev) continue;
		list_del(device.list);
		__iommu_group_free_device(group, device);
		if (dev_has_iommu(dev)) iommu_deinit_device(dev);
		else dev.iommu_group = null;
		break;
	}
	mutex_unlock(group.mutex);
	iommu_group_put(group);
}

function iommu_release_device(dev: device): void {
	if (dev.iommu_group !== null) __iommu_group_remove_device(dev);
	// What is left when no driver ever came.
	if (dev.iommu !== null) dev_iommu_free(dev);
}

function iommu_set_def_domain_type(str: string | null): int {
	const pt = new ref<bool>(false);
	const ret = kstrtobool(str ?? '', pt);
	if (ret !== 0) return ret;

	if (pt.value) iommu_set_default_passthrough(true);
	else iommu_set_default_translated(true);
	return 0;
}
early_param('iommu.passthrough', iommu_set_def_domain_type);

function iommu_dma_setup(str: string | null): int {
	const strict = new ref<bool>(state.iommu_dma_strict);
	const ret = kstrtobool(str ?? '', strict);

	state.iommu_dma_strict = strict.value;
	if (ret === 0) state.iommu_cmd_line |= IOMMU_CMD_LINE_STRICT;
	return ret;
}
early_param('iommu.strict', iommu_dma_setup);

/** A driver cannot do without immediate flushes (Linux: drivers/iommu/iommu.c: iommu_set_dma_strict()). */
export function iommu_set_dma_strict(): void {
	state.iommu_dma_strict = true;
	if (state.iommu_def_domain_type === IOMMU_DOMAIN_DMA_FQ) state.iommu_def_domain_type = IOMMU_DOMAIN_DMA;
}

const iommu_group_sysfs_ops: sysfs_ops = {
	show: (kobj, attr, buf) =>
		attr instanceof iommu_group_attribute && attr.show !== null
			? attr.show(container_of(kobj, iommu_group), buf)
			: -EIO,
	store: (kobj, attr, buf, count) =>
		attr instanceof iommu_group_attribute && attr.store !== null
			? attr.store(container_of(kobj, iommu_group), buf, count)
			: -EIO,
};

function iommu_group_create_file(group: iommu_group, attr: iommu_group_attribute): int {
	return sysfs_create_file(group.kobj, attr);
}

function iommu_group_remove_file(group: iommu_group, attr: iommu_group_attribute): void {
	sysfs_remove_file(group.kobj, attr);
}

function iommu_group_show_name(group: iommu_group, buf: sysfs_buf): ssize_t {
	return sysfs_emit(buf, '%s\n', group.name);
}

/**
 * Add a copy of @new_ to @regions, which stay sorted by start (and by type where starts are the same); it is
 * merged with regions of its own type that it touches or overlaps.
 */
function iommu_insert_resv_region(new_: iommu_resv_region, regions: list_head<iommu_resv_region>): int {
	const nr = iommu_alloc_resv_region(new_.start, new_.length, new_.prot, new_.type, GFP_KERNEL);
	if (nr === null) return -ENOMEM;

	let before = regions;
	for (const iter of list_for_each_entry(regions)) {
		if (nr.start < iter.start || (nr.start === iter.start && nr.type <= iter.type)) {
			before = iter.list;
			break;
		}
	}
	list_add_tail(nr.list, before);

	let top: iommu_resv_region | null = null;
	for (const iter of list_for_each_entry_safe(regions)) {
		if (iter.type !== nr.type) continue;
		if (top === null || iter.start > top.start + top.length) {
			top = iter;
			continue;
		}
		top.length = Math.max(top.start + top.length, iter.start + iter.length) - top.start;
		list_del(iter.list);
		kfree(iter);
	}
	return 0;
}

function iommu_insert_device_resv_regions(
	dev_resv_regions: list_head<iommu_resv_region>,
	group_resv_regions: list_head<iommu_resv_region>,
): int {
	for (const entry of list_for_each_entry(dev_resv_regions)) {
		const ret = iommu_insert_resv_region(entry, group_resv_regions);
		if (ret !== 0) return ret;
	}
	return 0;
}

/** The reserved regions of all members, sorted and merged, in @head (Linux: drivers/iommu/iommu.c: iommu_get_group_resv_regions()). */
export function iommu_get_group_resv_regions(group: iommu_group, head: list_head<iommu_resv_region>): int {
	let ret: int = 0;

	mutex_lock(deref(group).mutex);
	for (const device of for_each_group_device(group)) {
		// The file in sysfs is there for groups without a driver, too.
		if (!dev_has_iommu(device.dev)) break;

		const dev_resv_regions = new list_head<iommu_resv_region>();
		iommu_get_resv_regions(device.dev, dev_resv_regions);
		ret = iommu_insert_device_resv_regions(dev_resv_regions, head);
		iommu_put_resv_regions(device.dev, dev_resv_regions);
		if (ret !== 0) break;
	}
	mutex_unlock(group.mutex);
	return ret;
}

function iommu_group_show_resv_regions(group: iommu_group, buf: sysfs_buf): ssize_t {
	const group_resv_regions = new list_head<iommu_resv_region>();
	let offset = 0;

	iommu_get_group_resv_regions(group, group_resv_regions);
	for (const region of list_for_each_entry_safe(group_resv_regions)) {
		offset += sysfs_emit_at(
			buf,
			offset,
			'0x%016llx 0x%016llx %s\n',
			region.start,
			region.start + region.length - 1,
			iommu_group_resv_type_string[region.type],
		);
		kfree(region);
	}
	return offset;
}

/** How the file "type" calls a type of domain. */
function iommu_domain_word(type: unsigned_int): string {
	switch (type) {
		case IOMMU_DOMAIN_BLOCKED:
			return 'blocked';
		case IOMMU_DOMAIN_IDENTITY:
			return 'identity';
		case IOMMU_DOMAIN_UNMANAGED:
			return 'unmanaged';
		case IOMMU_DOMAIN_DMA:
			return 'DMA';
		case IOMMU_DOMAIN_DMA_FQ:
			return 'DMA-FQ';
		default:
			return 'unknown';
	}
}

function iommu_group_show_type(group: iommu_group, buf: sysfs_buf): ssize_t {
	mutex_lock(group.mutex);
	const type = group.default_domain?.type ?? null;
	mutex_unlock(group.mutex);

	return sysfs_emit(buf, '%s\n', type !== null ? iommu_domain_word(type) : 'unknown');
}

const iommu_group_attr_name = new iommu_group_attribute('name', 0o444, iommu_group_show_name, null);
const iommu_group_attr_reserved_regions = new iommu_group_attribute(
	'reserved_regions',
	0o444,
	iommu_group_show_resv_regions,
	null,
);
const iommu_group_attr_type = new iommu_group_attribute(
	'type',
	0o644,
	iommu_group_show_type,
	iommu_group_store_type,
);

function iommu_group_release(kobj: kobject): void {
	const group = container_of(kobj, iommu_group);

	pr_debug('iommu: Releasing group %d', group.id);

	group.iommu_data_release?.(group.iommu_data);
	ida_free(state.iommu_group_ida, group.id);

	// iommu_deinit_device() has freed them with the last member.
	WARN_ON(group.default_domain !== null);
	WARN_ON(group.blocking_domain !== null);

	kfree(group);
}

const iommu_group_ktype: kobj_type = {
	sysfs_ops: iommu_group_sysfs_ops,
	release: iommu_group_release,
};

/**
 * iommu_group_alloc() - make a group without members (Linux: drivers/iommu/iommu.c)
 *
 * It comes with a reference, to be put with iommu_group_put() once there are members, which hold their own.
 * Returns the group or an error pointer.
 */
export function iommu_group_alloc(): iommu_group | err_ptr {
	const group = kzalloc(iommu_group, GFP_KERNEL);
	if (group === null) return ERR_PTR(-ENOMEM);

	group.kobj.kset = state.iommu_group_kset;
	mutex_init(group.mutex);
	INIT_LIST_HEAD(group.devices);
	INIT_LIST_HEAD(group.entry);
	xa_init(group.pasid_array);

	let ret = ida_alloc(state.iommu_group_ida, GFP_KERNEL);
	if (ret < 0) {
		kfree(group);
		return ERR_PTR(ret);
	}
	group.id = ret;

	// What the group hangs on: when that is put, iommu_group_release() does the rest.
	let held = group.kobj;
	undo: {
		ret = kobject_init_and_add(group.kobj, iommu_group_ktype, null, '%d', group.id);
		if (ret !== 0) break undo;

		const devices = kobject_create_and_add('devices', group.kobj);
		if (devices === null) {
			ret = -ENOMEM;
			break undo;
		}
		// The directory "devices" keeps its parent alive: from here on its reference count is the group's.
		group.devices_kobj = devices;
		kobject_put(group.kobj);
		held = devices;

		for (const attr of [iommu_group_attr_reserved_regions, iommu_group_attr_type]) {
			ret = iommu_group_create_file(group, attr);
			if (ret !== 0) break undo;
		}

		pr_debug('iommu: Allocated group %d', group.id);
		return group;
	}
	kobject_put(held);
	return ERR_PTR(ret);
}

/** What iommu_group_set_iommudata() left (Linux: drivers/iommu/iommu.c: iommu_group_get_iommudata()). */
export function iommu_group_get_iommudata(group: iommu_group): unknown {
	return deref(group).iommu_data;
}

/** Keep a driver's @iommu_data with @group; @release ends it, with the group (Linux: drivers/iommu/iommu.c: iommu_group_set_iommudata()). */
export function iommu_group_set_iommudata(
	group: iommu_group,
	iommu_data: unknown,
	release: ((iommu_data: unknown) => void) | null,
): void {
	deref(group).iommu_data = iommu_data;
	group.iommu_data_release = release;
}

/** Give @group a name, shown in its file "name"; null takes an old one away (Linux: drivers/iommu/iommu.c: iommu_group_set_name()). */
export function iommu_group_set_name(group: iommu_group, name: string | null): int {
	if (deref(group).name !== null) {
		iommu_group_remove_file(group, iommu_group_attr_name);
		group.name = null;
		if (name === null) return 0;
	}

	group.name = kstrdup(name, GFP_KERNEL);
	if (group.name === null) return -ENOMEM;

	const ret = iommu_group_create_file(group, iommu_group_attr_name);
	if (ret !== 0) group.name = null;
	return ret;
}

/**
 * Map one to one in @domain what the firmware says @dev is using. A page that translates already is left alone:
 * the regions of two devices may overlap.
 */
function iommu_create_device_direct_mappings(domain: iommu_domain, dev: device): int {
	const pg_size = domain.pgsize_bitmap !== 0 ? BIT(__ffs(domain.pgsize_bitmap)) : 0;
	const mappings = new list_head<iommu_resv_region>();
	const for_dma = iommu_is_dma_domain(domain);
	let ret: int = 0;

	if (WARN_ON_ONCE(for_dma && pg_size === 0)) return -EINVAL;

	iommu_get_resv_regions(dev, mappings);

	out: {
		for (const entry of list_for_each_entry(mappings)) {
			if (entry.type === IOMMU_RESV_DIRECT) dev.iommu!.require_direct = 1;
			if (!for_dma) continue;
			if (entry.type !== IOMMU_RESV_DIRECT && entry.type !== IOMMU_RESV_DIRECT_RELAXABLE) continue;

			const end = ALIGN(entry.start + entry.length, pg_size);
			let run: size_t = 0;
			// DEVIATION: the page in which it starts belongs to it. Its twin rounds up, and leaves that page out.
			for (let addr = ALIGN_DOWN(entry.start, pg_size); addr <= end; addr += pg_size) {
				if (addr !== end && iommu_iova_to_phys(domain, addr) === 0) {
					run += pg_size;
					continue;
				}
				if (run === 0) continue;
				ret = iommu_map(domain, addr - run, addr - run, run, entry.prot, GFP_KERNEL);
				if (ret !== 0) break out;
				run = 0;
			}
		}
		if (for_dma && !list_empty(mappings)) iommu_flush_iotlb_all(domain);
	}
	iommu_put_resv_regions(dev, mappings);
	return ret;
}

/** A member for @group with its links in sysfs, not yet in the list; __iommu_group_free_device() undoes it. */
function iommu_group_alloc_device(group: iommu_group, dev: device): group_device | err_ptr {
	let ret: int;

	const device = kzalloc(group_device, GFP_KERNEL);
	if (device === null) return ERR_PTR(-ENOMEM);
	device.dev = dev;

	undo: {
		ret = sysfs_create_link(deref(dev).kobj, deref(group).kobj, 'iommu_group');
		if (ret !== 0) break undo;

		// Devices of two buses may bear one name; the second then gets a number.
		device.name = kasprintf(GFP_KERNEL, '%s', kobject_name(dev.kobj));
		for (let i = 0; ; i++) {
			ret = -ENOMEM;
			if (device.name === null) break;
			ret = sysfs_create_link_nowarn(group.devices_kobj!, dev.kobj, device.name);
			if (ret !== -EEXIST) break;
			device.name = kasprintf(GFP_KERNEL, '%s.%d', kobject_name(dev.kobj), i);
		}
		if (ret !== 0) {
			sysfs_remove_link(dev.kobj, 'iommu_group');
			break undo;
		}

		trace_add_device_to_group(group.id, dev);
		dev_info(dev, 'Adding to iommu group %d', group.id);
		return device;
	}
	kfree(device);
	dev_err(dev, 'Failed to add to iommu group %d: %d', group.id, ret);
	return ERR_PTR(ret);
}

/** Make @dev a member of @group, which it then holds (Linux: drivers/iommu/iommu.c: iommu_group_add_device()). */
export function iommu_group_add_device(group: iommu_group, dev: device): int {
	const gdev = iommu_group_alloc_device(group, dev);
	if (IS_ERR(gdev)) return PTR_ERR(gdev);

	iommu_group_ref_get(group);
	dev.iommu_group = group;

	mutex_lock(group.mutex);
	list_add_tail(gdev.list, group.devices);
	mutex_unlock(group.mutex);
	return 0;
}

/** Take @dev out of its group; the reference it held is put (Linux: drivers/iommu/iommu.c: iommu_group_remove_device()). */
export function iommu_group_remove_device(dev: device): void {
	const group = deref(dev).iommu_group;
	if (group === null) return;

	dev_info(dev, 'Removing from iommu group %d', group.id);
	__iommu_group_remove_device(dev);
}

/** Complain when the mutex of @dev's group is not held (Linux: drivers/iommu/iommu.c: iommu_group_mutex_assert()). */
export function iommu_group_mutex_assert(dev: device): void {
	lockdep_assert_held(deref(deref(dev).iommu_group).mutex);
}

function iommu_group_first_dev(group: iommu_group): device {
	lockdep_assert_held(group.mutex);
	return deref(list_first_entry(group.devices)).dev;
}

/**
 * iommu_group_for_each_dev() - call @fn for each member (Linux: drivers/iommu/iommu.c)
 *
 * The group's mutex is held meanwhile: nobody joins or leaves. Ends at, and returns, the first result that is not 0.
 */
export function iommu_group_for_each_dev<T>(
	group: iommu_group,
	data: T,
	fn: (dev: device, data: T) => int,
): int {
	let ret: int = 0;

	mutex_lock(deref(group).mutex);
	for (const device of for_each_group_device(group)) {
		ret = fn(device.dev, data);
		if (ret !== 0) break;
	}
	mutex_unlock(group.mutex);
	return ret;
}

/** The group of @dev, or null; to be put with iommu_group_put() (Linux: drivers/iommu/iommu.c: iommu_group_get()). */
export function iommu_group_get(dev: device): iommu_group | null {
	const group = deref(dev).iommu_group;

	if (group !== null) kobject_get(group.devices_kobj!);
	return group;
}

/** One more reference to @group (Linux: drivers/iommu/iommu.c: iommu_group_ref_get()). */
export function iommu_group_ref_get(group: iommu_group): iommu_group {
	kobject_get(deref(group).devices_kobj!);
	return group;
}

/** Put a reference; the last ends the group (Linux: drivers/iommu/iommu.c: iommu_group_put()). */
export function iommu_group_put(group: iommu_group | null): void {
	if (group !== null) kobject_put(group.devices_kobj);
}

/** The number that names @group in sysfs (Linux: drivers/iommu/iommu.c: iommu_group_id()). */
export function iommu_group_id(group: iommu_group): int {
	return deref(group).id;
}

/** For drivers that can tell every device apart: a group each (Linux: drivers/iommu/iommu.c: generic_device_group()). */
export function generic_device_group(dev: device): iommu_group | err_ptr {
	return iommu_group_alloc();
}

/** For drivers that can tell none apart: one group for all of an instance (Linux: drivers/iommu/iommu.c: generic_single_device_group()). */
export function generic_single_device_group(dev: device): iommu_group | err_ptr {
	const iommu = deref(deref(deref(dev).iommu).iommu_dev);

	if (iommu.singleton_group === null) {
		const group = iommu_group_alloc();
		if (IS_ERR(group)) return group;
		iommu.singleton_group = group;
	}
	return iommu_group_ref_get(iommu.singleton_group);
}

function __iommu_group_alloc_default_domain(group: iommu_group, req_type: int): iommu_domain | err_ptr {
	if (group.default_domain !== null && group.default_domain.type === req_type) return group.default_domain;
	return __iommu_group_domain_alloc(group, req_type);
}

/** A default domain of @req_type; 0: what the system wants, or else what the driver can. */
function iommu_group_alloc_default_domain(group: iommu_group, req_type: int): iommu_domain | err_ptr {
	const ops = dev_iommu_ops(iommu_group_first_dev(group));

	lockdep_assert_held(group.mutex);

	if (ops.default_domain) return req_type === ops.default_domain.type ? ops.default_domain : ERR_PTR(-EINVAL);

	if (req_type !== 0) return __iommu_group_alloc_default_domain(group, req_type);

	let dom = __iommu_group_alloc_default_domain(group, state.iommu_def_domain_type);
	if (!IS_ERR(dom)) return dom;
	// DEVIATION: Linux makes -EINVAL of a shortage of memory, too.
	if (state.iommu_def_domain_type === IOMMU_DOMAIN_DMA)
		return PTR_ERR(dom) === -ENOMEM ? dom : ERR_PTR(-EINVAL);

	dom = __iommu_group_alloc_default_domain(group, IOMMU_DOMAIN_DMA);
	if (IS_ERR(dom)) return dom;
	pr_warn(
		'iommu: Failed to allocate default IOMMU domain of type %u for group %s - Falling back to IOMMU_DOMAIN_DMA',
		state.iommu_def_domain_type,
		group.name,
	);
	return dom;
}

/** The kernel's own domain of @group (Linux: drivers/iommu/iommu.c: iommu_group_default_domain()). */
export function iommu_group_default_domain(group: iommu_group): iommu_domain | null {
	return deref(group).default_domain;
}

function probe_iommu_group(dev: device, data: unknown): int {
	mutex_lock(iommu_probe_device_lock);
	const ret = __iommu_probe_device(dev, data as list_head<iommu_group>);
	mutex_unlock(iommu_probe_device_lock);

	return ret === -ENODEV ? 0 : ret;
}

function iommu_bus_notifier(nb: notifier_block, action: unsigned_long, data: unknown): int {
	const dev = data as device;

	switch (action) {
		case BUS_NOTIFY_ADD_DEVICE:
			return iommu_probe_device(dev) !== 0 ? NOTIFY_DONE : NOTIFY_OK;
		case BUS_NOTIFY_REMOVED_DEVICE:
			iommu_release_device(dev);
			return NOTIFY_OK;
		default:
			return NOTIFY_DONE;
	}
}

/** @cur_type, as long as the driver's wish for @dev does not contradict. */
function iommu_get_def_domain_type(group: iommu_group, dev: device, cur_type: int): int {
	const ops = dev_iommu_ops(dev);
	const type = ops.default_domain ? ops.default_domain.type : (ops.def_domain_type?.(dev) ?? 0);

	if (type === 0 || type === cur_type) return cur_type;
	if (cur_type === 0) return type;

	dev_err_ratelimited(
		dev,
		'IOMMU driver error, requesting conflicting def_domain_type, %s and %s, for devices in group %u.',
		iommu_domain_type_str(cur_type),
		iommu_domain_type_str(type),
		group.id,
	);
	// A driver may insist on identity or on DMA; identity wins.
	return type === IOMMU_DOMAIN_IDENTITY ? type : cur_type;
}

/** The type that @group should get: 0 when nobody cares, -1 when the driver does not allow @target_type. */
function iommu_get_default_domain_type(group: iommu_group, target_type: int): int {
	let untrusted: device | null = null;
	let driver_type = 0;

	lockdep_assert_held(group.mutex);

	for (const gdev of for_each_group_device(group)) {
		driver_type = iommu_get_def_domain_type(group, gdev.dev, driver_type);
		if (dev_is_pci(gdev.dev) && to_pci_dev(gdev.dev).untrusted !== 0) untrusted = gdev.dev;
	}

	if (untrusted !== null) {
		if (driver_type !== 0 && driver_type !== IOMMU_DOMAIN_DMA) {
			dev_err_ratelimited(
				untrusted,
				'Device is not trusted, but driver is overriding group %u to %s, refusing to probe.',
				group.id,
				iommu_domain_type_str(driver_type),
			);
			return -1;
		}
		driver_type = IOMMU_DOMAIN_DMA;
	}

	if (target_type === 0) return driver_type;
	return driver_type === 0 || driver_type === target_type ? target_type : -1;
}

function iommu_group_do_probe_finalize(dev: device): void {
	dev_iommu_ops(dev).probe_finalize?.(dev);
}

/**
 * bus_iommu_probe() - probe every device of @bus that waits for an IOMMU (Linux: drivers/iommu/iommu.c)
 *
 * New groups get their default domain when all their members are known, so that the type and the one-to-one
 * mappings suit all of them.
 */
export function bus_iommu_probe(bus: bus_type): int {
	const group_list = new list_head<iommu_group>();

	let ret = bus_for_each_dev(bus, null, group_list, probe_iommu_group);
	if (ret !== 0) return ret;

	for (const group of list_for_each_entry_safe(group_list)) {
		mutex_lock(group.mutex);
		list_del_init(group.entry);
		ret = iommu_setup_default_domain(group, 0);
		if (ret !== 0) {
			mutex_unlock(group.mutex);
			return ret;
		}
		for (const gdev of for_each_group_device(group)) iommu_setup_dma_ops(gdev.dev);
		mutex_unlock(group.mutex);

		// Not under the mutex: probe_finalize() may come back into the core.
		for (const gdev of for_each_group_device(group)) iommu_group_do_probe_finalize(gdev.dev);
	}
	return 0;
}

/** Whether some IOMMU is there that may serve @bus; a guess (Linux: drivers/iommu/iommu.c: iommu_present()). */
export function iommu_present(bus: bus_type): bool {
	if (!iommu_buses().includes(bus)) return false;

	spin_lock(state.iommu_device_lock);
	const ret = !list_empty(state.iommu_device_list);
	spin_unlock(state.iommu_device_lock);
	return ret;
}

/** Whether @dev's IOMMU can @cap (Linux: drivers/iommu/iommu.c: device_iommu_capable()). */
export function device_iommu_capable(dev: device, cap: iommu_cap): bool {
	if (!dev_has_iommu(dev)) return false;
	return dev_iommu_ops(dev).capable?.(dev, cap) ?? false;
}

/** Whether the MSIs of every member are kept apart (Linux: drivers/iommu/iommu.c: iommu_group_has_isolated_msi()). */
export function iommu_group_has_isolated_msi(group: iommu_group): bool {
	mutex_lock(deref(group).mutex);
	// A device without an MSI domain, as all are here, is not isolated.
	const ret = list_empty(group.devices);
	mutex_unlock(group.mutex);
	return ret;
}

/** Have @handler called, with @token, for each fault in @domain (Linux: drivers/iommu/iommu.c: iommu_set_fault_handler()). */
export function iommu_set_fault_handler(
	domain: iommu_domain,
	handler: iommu_fault_handler_t | null,
	token: unknown,
): void {
	BUG_ON(domain === null);

	domain.handler = handler;
	domain.handler_token = token;
}

/** The driver's one domain of this type, if it has such; complete as it is, and never freed. */
function iommu_static_domain(ops: iommu_ops, alloc_type: unsigned_int): iommu_domain | null {
	switch (alloc_type) {
		case IOMMU_DOMAIN_IDENTITY:
			return ops.identity_domain ?? null;
		case IOMMU_DOMAIN_BLOCKED:
			return ops.blocked_domain ?? null;
		default:
			return null;
	}
}

/** A domain as the driver makes it. A driver may say no with null as well. */
function iommu_driver_domain(
	ops: iommu_ops,
	dev: device | null,
	type: unsigned_int,
	alloc_type: unsigned_int,
): iommu_domain | err_ptr {
	const paging = (type & __IOMMU_DOMAIN_PAGING) !== 0 && ops.domain_alloc_paging !== undefined;

	if (!paging && !ops.domain_alloc) return ERR_PTR(-EOPNOTSUPP);
	return (paging ? ops.domain_alloc_paging!(dev) : ops.domain_alloc!(alloc_type)) ?? ERR_PTR(-ENOMEM);
}

function __iommu_domain_alloc(
	ops: iommu_ops,
	dev: device | null,
	type: unsigned_int,
): iommu_domain | err_ptr {
	const alloc_type = (type & IOMMU_DOMAIN_ALLOC_FLAGS) >>> 0;

	const shared = iommu_static_domain(ops, alloc_type);
	if (shared !== null) return shared;

	const domain = iommu_driver_domain(ops, dev, type, alloc_type);
	if (IS_ERR(domain)) return domain;

	// A driver may have set the last two itself.
	domain.type = type;
	domain.owner = ops;
	if (domain.pgsize_bitmap === 0) domain.pgsize_bitmap = ops.pgsize_bitmap ?? 0;
	domain.ops ??= ops.default_domain_ops ?? null;

	const rc = iommu_is_dma_domain(domain) ? iommu_get_dma_cookie(domain) : 0;
	if (rc === 0) return domain;
	iommu_domain_free(domain);
	return ERR_PTR(rc);
}

function __iommu_group_domain_alloc(group: iommu_group, type: unsigned_int): iommu_domain | err_ptr {
	const dev = iommu_group_first_dev(group);

	return __iommu_domain_alloc(dev_iommu_ops(dev), dev, type);
}

function __iommu_domain_alloc_dev(dev: device, data: unknown): int {
	const ops = data as ref<iommu_ops | null>;

	if (!dev_has_iommu(dev)) return 0;
	if (
		WARN_ONCE(
			ops.value !== null && ops.value !== dev_iommu_ops(dev),
			"Multiple IOMMU drivers present for bus %s, which the public IOMMU API can't fully support yet. You will still need to disable one or more for this to work, sorry!",
			dev.bus?.name ?? '',
		)
	)
		return -EBUSY;

	ops.value = dev_iommu_ops(dev);
	return 0;
}

/** An unmanaged domain for some device of @bus, or null; iommu_paging_domain_alloc() knows for which (Linux: drivers/iommu/iommu.c: iommu_domain_alloc()). */
export function iommu_domain_alloc(bus: bus_type): iommu_domain | null {
	const ops = new ref<iommu_ops | null>(null);

	const err = bus_for_each_dev(bus, null, ops, __iommu_domain_alloc_dev);
	if (err !== 0 || ops.value === null) return null;

	const domain = __iommu_domain_alloc(ops.value, null, IOMMU_DOMAIN_UNMANAGED);
	return IS_ERR(domain) ? null : domain;
}

/**
 * iommu_paging_domain_alloc() - a domain that the caller fills with mappings (Linux: drivers/iommu/iommu.c)
 * @dev: a device that it will be attached to
 *
 * Returns the domain, to be freed with iommu_domain_free(), or an error pointer; -ENODEV: no IOMMU.
 */
export function iommu_paging_domain_alloc(dev: device): iommu_domain | err_ptr {
	if (!dev_has_iommu(dev)) return ERR_PTR(-ENODEV);
	return __iommu_domain_alloc(dev_iommu_ops(dev), dev, IOMMU_DOMAIN_UNMANAGED);
}

/** End @domain, which must not be attached any more (Linux: drivers/iommu/iommu.c: iommu_domain_free()). */
export function iommu_domain_free(domain: iommu_domain): void {
	iommu_put_dma_cookie(deref(domain));
	domain.ops!.free?.(domain);
}

/** Back to the kernel's own domain, or to the blocking one while the group has an owner. */
function __iommu_group_set_core_domain(group: iommu_group): void {
	__iommu_group_set_domain_nofail(group, group.owner !== null ? group.blocking_domain : group.default_domain);
}

function __iommu_attach_device(domain: iommu_domain, dev: device): int {
	if (!domain.ops!.attach_dev) return -ENODEV;

	const ret = domain.ops!.attach_dev(domain, dev);
	if (ret !== 0) return ret;
	dev.iommu!.attach_deferred = 0;
	trace_attach_device_to_domain(dev);
	return 0;
}

/**
 * iommu_attach_device() - attach @domain to the only device of a group (Linux: drivers/iommu/iommu.c)
 *
 * Returns 0; -ENODEV without a group; -EINVAL when the group has more members, or the domain does not suit the
 * device (another may); -EBUSY when another domain is attached already.
 */
export function iommu_attach_device(domain: iommu_domain, dev: device): int {
	const group = deref(dev).iommu_group;
	if (group === null) return -ENODEV;

	mutex_lock(group.mutex);
	const alone = list_count_nodes(group.devices) === 1;
	const ret = alone ? __iommu_attach_group(domain, group) : -EINVAL;
	mutex_unlock(group.mutex);
	return ret;
}

/** Make good an attach that was put off until the first mapping (Linux: drivers/iommu/iommu.c: iommu_deferred_attach()). */
export function iommu_deferred_attach(dev: device, domain: iommu_domain): int {
	const param = deref(dev).iommu;
	if (param === null || param.attach_deferred === 0) return 0;
	return __iommu_attach_device(domain, dev);
}

/** Undo iommu_attach_device() (Linux: drivers/iommu/iommu.c: iommu_detach_device()). */
export function iommu_detach_device(domain: iommu_domain, dev: device): void {
	const group = deref(dev).iommu_group;
	if (group === null) return;

	mutex_lock(group.mutex);
	if (!WARN_ON(domain !== group.domain) && !WARN_ON(list_count_nodes(group.devices) !== 1))
		__iommu_group_set_core_domain(group);
	mutex_unlock(group.mutex);
}

/** The domain that is attached to @dev now, or null (Linux: drivers/iommu/iommu.c: iommu_get_domain_for_dev()). */
export function iommu_get_domain_for_dev(dev: device): iommu_domain | null {
	const group = deref(dev).iommu_group;
	return group !== null ? group.domain : null;
}

/** The DMA API's domain, for callers that know there is one (Linux: drivers/iommu/iommu.c: iommu_get_dma_domain()). */
export function iommu_get_dma_domain(dev: device): iommu_domain {
	return deref(deref(deref(dev).iommu_group).default_domain);
}

function __iommu_attach_group(domain: iommu_domain, group: iommu_group): int {
	const now = group.domain;

	if (now !== null && now !== group.default_domain && now !== group.blocking_domain) return -EBUSY;

	const dev = iommu_group_first_dev(group);
	if (!dev_has_iommu(dev) || dev_iommu_ops(dev) !== deref(domain).owner) return -EINVAL;

	return __iommu_group_set_domain(group, domain);
}

/**
 * iommu_attach_group() - attach @domain to all devices of @group (Linux: drivers/iommu/iommu.c)
 *
 * Returns 0; -EBUSY when a domain other than the kernel's own is attached; -EINVAL when the domain is another
 * driver's or does not suit; else what the driver said.
 */
export function iommu_attach_group(domain: iommu_domain, group: iommu_group): int {
	mutex_lock(deref(group).mutex);
	const ret = __iommu_attach_group(domain, group);
	mutex_unlock(group.mutex);
	return ret;
}

/** Go from whatever is attached to @new_domain at once (Linux: drivers/iommu/iommu.c: iommu_group_replace_domain()). */
export function iommu_group_replace_domain(group: iommu_group, new_domain: iommu_domain | null): int {
	if (new_domain === null) return -EINVAL;

	mutex_lock(deref(group).mutex);
	const ret = __iommu_group_set_domain(group, new_domain);
	mutex_unlock(group.mutex);
	return ret;
}

function __iommu_device_set_domain(
	group: iommu_group,
	dev: device,
	new_domain: iommu_domain,
	flags: unsigned_int,
): int {
	const blocks = new_domain.type === IOMMU_DOMAIN_BLOCKED || new_domain === group.blocking_domain;

	// Firmware uses the device: what it uses must go on translating, and so nobody can own such a device.
	if (dev.iommu!.require_direct !== 0 && blocks) {
		dev_warn(
			dev,
			'Firmware has requested this device have a 1:1 IOMMU mapping, rejecting configuring the device without a 1:1 mapping. Contact your platform vendor.',
		);
		return -EINVAL;
	}

	if (dev.iommu!.attach_deferred !== 0) {
		if (new_domain === group.default_domain) return 0;
		dev.iommu!.attach_deferred = 0;
	}

	const ret = __iommu_attach_device(new_domain, dev);
	if (ret === 0) return 0;

	// The old domain is about to go, so at least it must not stay attached.
	const last_resort = group.blocking_domain;
	if ((flags & IOMMU_SET_DOMAIN_MUST_SUCCEED) !== 0 && last_resort !== null && last_resort !== new_domain)
		__iommu_attach_device(last_resort, dev);
	return ret;
}

/**
 * Attach @new_domain to each member. When one refuses, those before it (and it) get the old domain back, unless
 * there is no way back (IOMMU_SET_DOMAIN_MUST_SUCCEED): then the rest is tried all the same, and the group is
 * said to have the new domain. A device may lose DMA meanwhile, but sees nothing except these two domains.
 */
function __iommu_group_set_domain_internal(
	group: iommu_group,
	new_domain: iommu_domain | null,
	flags: unsigned_int,
): int {
	let result = 0;

	lockdep_assert_held(group.mutex);

	if (group.domain === new_domain) return 0;
	if (WARN_ON(new_domain === null) || new_domain === null) return -EINVAL;

	for (const gdev of for_each_group_device(group)) {
		const ret = __iommu_device_set_domain(group, gdev.dev, new_domain, flags);
		if (ret === 0) continue;
		if ((flags & IOMMU_SET_DOMAIN_MUST_SUCCEED) === 0) {
			// Those up to and with this one get back what they had. There is none before the first attach.
			for (const done of for_each_group_device(group)) {
				if (group.domain !== null)
					WARN_ON(
						__iommu_device_set_domain(group, done.dev, group.domain, IOMMU_SET_DOMAIN_MUST_SUCCEED) !== 0,
					);
				if (done === gdev) break;
			}
			return ret;
		}
		result = ret;
	}
	group.domain = new_domain;
	return result;
}

function __iommu_group_set_domain(group: iommu_group, new_domain: iommu_domain | null): int {
	return __iommu_group_set_domain_internal(group, new_domain, 0);
}

function __iommu_group_set_domain_nofail(group: iommu_group, new_domain: iommu_domain | null): void {
	WARN_ON(__iommu_group_set_domain_internal(group, new_domain, IOMMU_SET_DOMAIN_MUST_SUCCEED) !== 0);
}

/** Undo iommu_attach_group() (Linux: drivers/iommu/iommu.c: iommu_detach_group()). */
export function iommu_detach_group(domain: iommu_domain, group: iommu_group): void {
	mutex_lock(deref(group).mutex);
	__iommu_group_set_core_domain(group);
	mutex_unlock(group.mutex);
}

/** Where @iova leads in @domain; 0: nowhere (Linux: drivers/iommu/iommu.c: iommu_iova_to_phys()). */
export function iommu_iova_to_phys(domain: iommu_domain, iova: dma_addr_t): phys_addr_t {
	if (deref(domain).type === IOMMU_DOMAIN_IDENTITY) return iova as number;
	if (domain.type === IOMMU_DOMAIN_BLOCKED) return 0;
	return domain.ops!.iova_to_phys!(domain, iova);
}

/**
 * The biggest page of @domain that both addresses allow and @size fills. @count gets how many of them to take
 * before a bigger page becomes possible, or the range ends.
 */
function iommu_pgsize(
	domain: iommu_domain,
	iova: unsigned_long,
	paddr: phys_addr_t,
	size: size_t,
	count: ref<size_t>,
): size_t {
	// Most hardware has one size, and all is a multiple of it.
	if (is_power_of_2(domain.pgsize_bitmap)) {
		count.value = Math.floor(size / domain.pgsize_bitmap);
		return domain.pgsize_bitmap;
	}

	const addr_merge = or64(iova, paddr);
	let pgsizes = and64(domain.pgsize_bitmap, GENMASK_ULL(__fls(size), 0));
	if (addr_merge !== 0) pgsizes = and64(pgsizes, GENMASK_ULL(__ffs(addr_merge), 0));
	BUG_ON(pgsizes === 0);
	const pgsize = BIT(__fls(pgsizes));

	// Sizes are powers of two: what is left of the bitmap above pgsize begins with the next one.
	const bigger = domain.pgsize_bitmap - (domain.pgsize_bitmap % (pgsize * 2));
	if (bigger !== 0) {
		const pgsize_next = BIT(__ffs(bigger));

		// It is of use only where both addresses reach a boundary of it together ...
		if (xor64(iova, paddr) % pgsize_next === 0) {
			const offset = pgsize_next - (addr_merge % pgsize_next);

			// ... and something as big lies behind that boundary.
			if (offset + pgsize_next <= size) size = offset;
		}
	}
	count.value = Math.floor(size / pgsize);
	return pgsize;
}

function __iommu_map(
	domain: iommu_domain,
	iova: unsigned_long,
	paddr: phys_addr_t,
	size: size_t,
	prot: int,
	gfp: gfp_t,
): int {
	const ops = deref(domain).ops!;
	const count = new ref<size_t>(0);
	const mapped = new ref<size_t>(0);
	let done: size_t = 0;
	let ret: int = 0;

	if ((domain.type & __IOMMU_DOMAIN_PAGING) === 0) return -EINVAL;
	if (WARN_ON(!ops.map_pages || domain.pgsize_bitmap === 0)) return -ENODEV;

	const min_pagesz = BIT(__ffs(domain.pgsize_bitmap));
	if (!IS_ALIGNED(iova, min_pagesz) || !IS_ALIGNED(paddr, min_pagesz) || !IS_ALIGNED(size, min_pagesz)) {
		pr_err('iommu: unaligned: iova 0x%lx pa %pa size 0x%zx min_pagesz 0x%x', iova, paddr, size, min_pagesz);
		return -EINVAL;
	}

	if (pr_debug_enabled()) pr_debug('iommu: map: iova 0x%lx pa %pa size 0x%zx', iova, paddr, size);

	while (done < size) {
		const pgsize = iommu_pgsize(domain, iova + done, paddr + done, size - done, count);

		if (pr_debug_enabled())
			pr_debug(
				'iommu: mapping: iova 0x%lx pa %pa pgsize 0x%zx count %zu',
				iova + done,
				paddr + done,
				pgsize,
				count.value,
			);
		mapped.value = 0;
		ret = ops.map_pages!(domain, iova + done, paddr + done, pgsize, count.value, prot, gfp, mapped);
		// A call that fails may have mapped some pages all the same.
		done += mapped.value;
		if (ret !== 0) break;
	}

	if (ret !== 0) iommu_unmap(domain, iova, done);
	else trace_map(iova, paddr, size);
	return ret;
}

/** Page-level details are the driver's affair: whoever maps must not ask for a kind of memory. */
const STRANGE_GFP_FLAGS = __GFP_COMP | __GFP_DMA | __GFP_DMA32 | __GFP_HIGHMEM;

/**
 * iommu_map() - let @iova lead to @paddr for @size bytes (Linux: drivers/iommu/iommu.c)
 * @prot: IOMMU_READ and the like
 * @gfp: how to allocate tables; sleeps when that allows it
 *
 * Addresses and size are multiples of the smallest page. Nothing is mapped when it fails: -EINVAL for a bad
 * argument or a domain that takes no mappings, else what the driver said (-EBUSY: something is mapped there).
 */
export function iommu_map(
	domain: iommu_domain,
	iova: unsigned_long,
	paddr: phys_addr_t,
	size: size_t,
	prot: int,
	gfp: gfp_t,
): int {
	might_sleep_if(gfpflags_allow_blocking(gfp));
	if (WARN_ON_ONCE((gfp & STRANGE_GFP_FLAGS) !== 0)) return -EINVAL;

	let ret = __iommu_map(domain, iova, paddr, size, prot, gfp);
	if (ret === 0 && domain.ops!.iotlb_sync_map) {
		ret = domain.ops!.iotlb_sync_map(domain, iova, size);
		if (ret !== 0) iommu_unmap(domain, iova, size);
	}
	return ret;
}

function __iommu_unmap(
	domain: iommu_domain,
	iova: unsigned_long,
	size: size_t,
	iotlb_gather: iommu_iotlb_gather,
): size_t {
	const ops = deref(domain).ops!;
	const count = new ref<size_t>(0);
	let unmapped: size_t = 0;

	if ((domain.type & __IOMMU_DOMAIN_PAGING) === 0) return 0;
	if (WARN_ON(!ops.unmap_pages || domain.pgsize_bitmap === 0)) return 0;

	const min_pagesz = BIT(__ffs(domain.pgsize_bitmap));
	if (!IS_ALIGNED(iova, min_pagesz) || !IS_ALIGNED(size, min_pagesz)) {
		pr_err('iommu: unaligned: iova 0x%lx size 0x%zx min_pagesz 0x%x', iova, size, min_pagesz);
		return 0;
	}

	if (pr_debug_enabled()) pr_debug('iommu: unmap this: iova 0x%lx size 0x%zx', iova, size);

	// The first hole ends it. A page that is bigger than asked for goes whole.
	while (unmapped < size) {
		const at = iova + unmapped;
		const pgsize = iommu_pgsize(domain, at, at, size - unmapped, count);
		const unmapped_page = ops.unmap_pages!(domain, at, pgsize, count.value, iotlb_gather);
		if (unmapped_page === 0) break;

		if (pr_debug_enabled()) pr_debug('iommu: unmapped: iova 0x%lx size 0x%zx', at, unmapped_page);
		unmapped += unmapped_page;
	}

	trace_unmap(iova, size, unmapped);
	return unmapped;
}

/**
 * iommu_unmap() - end the mapping of a range, and flush (Linux: drivers/iommu/iommu.c)
 *
 * Returns the bytes that are no longer mapped: up to the first hole, and more than @size when a page reaches beyond.
 */
export function iommu_unmap(domain: iommu_domain, iova: unsigned_long, size: size_t): size_t {
	const iotlb_gather = new iommu_iotlb_gather();

	iommu_iotlb_gather_init(iotlb_gather);
	const ret = __iommu_unmap(domain, iova, size, iotlb_gather);
	iommu_iotlb_sync(domain, iotlb_gather);
	return ret;
}

/** iommu_unmap() whose flush is the caller's to do, with @iotlb_gather (Linux: drivers/iommu/iommu.c: iommu_unmap_fast()). */
export function iommu_unmap_fast(
	domain: iommu_domain,
	iova: unsigned_long,
	size: size_t,
	iotlb_gather: iommu_iotlb_gather,
): size_t {
	return __iommu_unmap(domain, iova, size, iotlb_gather);
}

/**
 * iommu_map_sg() - map a scatterlist from @iova on, without gaps (Linux: drivers/iommu/iommu.c)
 *
 * Pieces that follow each other in memory are mapped as one. Entries with a bus address of their own are passed
 * over. Returns the bytes mapped, or an errno, after which nothing is.
 */
export function iommu_map_sg(
	domain: iommu_domain,
	iova: unsigned_long,
	sg: scatterlist,
	nents: unsigned_int,
	prot: int,
	gfp: gfp_t,
): ssize_t {
	let start: phys_addr_t = 0;
	let len: size_t = 0;
	let mapped: size_t = 0;
	let ret: int = 0;

	might_sleep_if(gfpflags_allow_blocking(gfp));
	if (WARN_ON_ONCE((gfp & STRANGE_GFP_FLAGS) !== 0)) return -EINVAL;

	undo: {
		let at: scatterlist | null = sg;
		for (let i = 0; i < nents && at !== null; i++, at = sg_next(at)) {
			const s_phys = sg_phys(at);

			if (len !== 0 && s_phys !== start + len) {
				ret = __iommu_map(domain, iova + mapped, start, len, prot, gfp);
				if (ret !== 0) break undo;
				mapped += len;
				len = 0;
			}
			if (sg_dma_is_bus_address(at)) continue;
			if (len === 0) start = s_phys;
			len += at.length;
		}
		if (len !== 0) {
			ret = __iommu_map(domain, iova + mapped, start, len, prot, gfp);
			if (ret !== 0) break undo;
			mapped += len;
		}
		const { ops } = deref(domain);
		if (ops!.iotlb_sync_map) {
			ret = ops!.iotlb_sync_map(domain, iova, mapped);
			if (ret !== 0) break undo;
		}
		return mapped;
	}
	iommu_unmap(domain, iova, mapped);
	return ret;
}

/** iommu_map_sg() of a whole table; may sleep (Linux: include/linux/iommu.h: iommu_map_sgtable()). */
export function iommu_map_sgtable(
	domain: iommu_domain,
	iova: unsigned_long,
	sgt: sg_table,
	prot: int,
): ssize_t {
	return iommu_map_sg(domain, iova, deref(sgt).sgl!, sgt.orig_nents, prot, GFP_KERNEL);
}

/**
 * report_iommu_fault() - a driver saw a fault (Linux: drivers/iommu/iommu.c)
 * @dev: the device that made the access, or what the driver knows best
 * @flags: IOMMU_FAULT_READ or IOMMU_FAULT_WRITE
 *
 * Returns what the domain's handler says: 0 when it dealt with the fault, -ENOSYS to have the driver do as it
 * always does; that too when there is no handler. Any context.
 */
export function report_iommu_fault(domain: iommu_domain, dev: device, iova: unsigned_long, flags: int): int {
	let ret = -ENOSYS;

	const { handler, handler_token } = deref(domain);
	if (handler !== null) ret = handler(domain, dev, iova, flags, handler_token);
	trace_io_page_fault(dev, iova, flags);
	return ret;
}

function iommu_init(): int {
	state.iommu_group_kset = kset_create_and_add('iommu_groups', null, kernel_kobj());
	BUG_ON(state.iommu_group_kset === null);

	if (CONFIG_IOMMU_DEBUGFS) iommu_debugfs_setup();
	return 0;
}
core_initcall(iommu_init);

/** Linux: drivers/iommu/iommu.c: iommu_enable_nesting() */
export function iommu_enable_nesting(domain: iommu_domain): int {
	if (deref(domain).type !== IOMMU_DOMAIN_UNMANAGED || !domain.ops!.enable_nesting) return -EINVAL;
	return domain.ops!.enable_nesting(domain);
}

/** Linux: drivers/iommu/iommu.c: iommu_set_pgtable_quirks() */
export function iommu_set_pgtable_quirks(domain: iommu_domain, quirk: unsigned_long): int {
	if (deref(domain).type !== IOMMU_DOMAIN_UNMANAGED || !domain.ops!.set_pgtable_quirks) return -EINVAL;
	return domain.ops!.set_pgtable_quirks(domain, quirk);
}

/** The regions of @dev's address space that are not to be mapped freely, in @list (Linux: drivers/iommu/iommu.c: iommu_get_resv_regions()). */
export function iommu_get_resv_regions(dev: device, list: list_head<iommu_resv_region>): void {
	dev_iommu_ops(dev).get_resv_regions?.(dev, list);
}

/** End what iommu_get_resv_regions() answered (Linux: drivers/iommu/iommu.c: iommu_put_resv_regions()). */
export function iommu_put_resv_regions(dev: device, list: list_head<iommu_resv_region>): void {
	for (const entry of list_for_each_entry_safe(deref(list))) {
		if (entry.free !== null) entry.free(dev, entry);
		else kfree(entry);
	}
}

/** A region for a driver's get_resv_regions(), or null (Linux: drivers/iommu/iommu.c: iommu_alloc_resv_region()). */
export function iommu_alloc_resv_region(
	start: phys_addr_t,
	length: size_t,
	prot: int,
	type: iommu_resv_type,
	gfp: gfp_t,
): iommu_resv_region | null {
	const region = kzalloc(iommu_resv_region, gfp);
	if (region === null) return null;

	INIT_LIST_HEAD(region.list);
	region.start = start;
	region.length = length;
	region.prot = prot;
	region.type = type;
	return region;
}

/** Default domains let everything through (Linux: drivers/iommu/iommu.c: iommu_set_default_passthrough()). */
export function iommu_set_default_passthrough(cmd_line: bool): void {
	if (cmd_line) state.iommu_cmd_line |= IOMMU_CMD_LINE_DMA_API;
	state.iommu_def_domain_type = IOMMU_DOMAIN_IDENTITY;
}

/** Default domains translate (Linux: drivers/iommu/iommu.c: iommu_set_default_translated()). */
export function iommu_set_default_translated(cmd_line: bool): void {
	if (cmd_line) state.iommu_cmd_line |= IOMMU_CMD_LINE_DMA_API;
	state.iommu_def_domain_type = IOMMU_DOMAIN_DMA;
}

/** Linux: drivers/iommu/iommu.c: iommu_default_passthrough() */
export function iommu_default_passthrough(): bool {
	return state.iommu_def_domain_type === IOMMU_DOMAIN_IDENTITY;
}

/** The type of default domains about which nobody has a say of his own (C: the variable of this name). */
export function iommu_def_domain_type(): unsigned_int {
	return state.iommu_def_domain_type;
}

/** What the command line spoke about, IOMMU_CMD_LINE_… (C: the variable of this name). */
export function iommu_cmd_line(): u32 {
	return state.iommu_cmd_line;
}

/** The driver that registered hardware with @fwnode, or null (Linux: drivers/iommu/iommu.c: iommu_ops_from_fwnode()). */
export function iommu_ops_from_fwnode(fwnode: fwnode_handle | null): iommu_ops | null {
	let ops: iommu_ops | null = null;

	spin_lock(state.iommu_device_lock);
	for (const iommu of list_for_each_entry(state.iommu_device_list)) {
		if (iommu.fwnode === fwnode) {
			ops = iommu.ops;
			break;
		}
	}
	spin_unlock(state.iommu_device_lock);
	return ops;
}

/**
 * iommu_fwspec_init() - say that @dev sits behind the hardware of @iommu_fwnode (Linux: drivers/iommu/iommu.c)
 *
 * Returns 0, also when that was said before; -EPROBE_DEFER while it has no driver; -EINVAL when another driver's
 * hardware was named before.
 */
export function iommu_fwspec_init(dev: device, iommu_fwnode: fwnode_handle): int {
	const ops = iommu_ops_from_fwnode(iommu_fwnode);
	if (ops === null) return -EPROBE_DEFER;

	const old = dev_iommu_fwspec_get(dev);
	if (old !== null) return ops === iommu_fwspec_ops(old) ? 0 : -EINVAL;

	if (dev_iommu_get(dev) === null) return -ENOMEM;

	const fwspec = kzalloc(iommu_fwspec, GFP_KERNEL);
	if (fwspec === null) return -ENOMEM;

	fwnode_handle_get(iommu_fwnode);
	fwspec.iommu_fwnode = iommu_fwnode;
	dev_iommu_fwspec_set(dev, fwspec);
	return 0;
}

/** Undo iommu_fwspec_init() (Linux: drivers/iommu/iommu.c: iommu_fwspec_free()). */
export function iommu_fwspec_free(dev: device): void {
	const fwspec = dev_iommu_fwspec_get(dev);
	if (fwspec === null) return;

	fwnode_handle_put(fwspec.iommu_fwnode);
	kfree(fwspec);
	dev_iommu_fwspec_set(dev, null);
}

/** Append @num_ids of @ids to the ids that @dev presents (Linux: drivers/iommu/iommu.c: iommu_fwspec_add_ids()). */
export function iommu_fwspec_add_ids(dev: device, ids: readonly u32[], num_ids: int): int {
	let fwspec = dev_iommu_fwspec_get(dev);
	if (fwspec === null) return -EINVAL;

	// The first id has its place in the struct; for more of them it has to grow, and so may move.
	const new_num = fwspec.num_ids + num_ids;
	if (WARN_ON_ONCE(new_num * 4 > KMALLOC_MAX_SIZE)) return -ENOMEM;
	if (new_num > 1) {
		const bigger = kzalloc(iommu_fwspec, GFP_KERNEL);
		if (bigger === null) return -ENOMEM;
		bigger.iommu_fwnode = fwspec.iommu_fwnode;
		bigger.flags = fwspec.flags;
		bigger.num_ids = fwspec.num_ids;
		bigger.ids = fwspec.ids;
		kfree(fwspec);
		fwspec = bigger;
		dev_iommu_fwspec_set(dev, fwspec);
	}

	for (let i = 0; i < num_ids; i++) fwspec.ids[fwspec.num_ids + i] = deref(ids)[i]!;
	fwspec.num_ids = new_num;
	return 0;
}

/** Linux: drivers/iommu/iommu.c: iommu_dev_enable_feature(); -ENODEV when nobody can. */
export function iommu_dev_enable_feature(dev: device, feat: iommu_dev_features): int {
	if (!dev_has_iommu(dev)) return -ENODEV;
	return dev_iommu_ops(dev).dev_enable_feat?.(dev, feat) ?? -ENODEV;
}

/** Linux: drivers/iommu/iommu.c: iommu_dev_disable_feature(); -EBUSY when nobody can. */
export function iommu_dev_disable_feature(dev: device, feat: iommu_dev_features): int {
	if (!dev_has_iommu(dev)) return -EBUSY;
	return dev_iommu_ops(dev).dev_disable_feat?.(dev, feat) ?? -EBUSY;
}

/**
 * Give @group a (new) default domain, and attach it. @target_type: its type; 0: what the driver or else the system
 * wants. The old one is freed when all went well, and is back when not.
 */
function iommu_setup_default_domain(group: iommu_group, target_type: int): int {
	const old_dom = group.default_domain;
	let direct_failed = false;
	let ret: int;

	lockdep_assert_held(group.mutex);

	const req_type = iommu_get_default_domain_type(group, target_type);
	if (req_type < 0) return -EINVAL;

	const dom = iommu_group_alloc_default_domain(group, req_type);
	if (IS_ERR(dom)) return PTR_ERR(dom);
	if (dom === old_dom) return 0;

	// Before the attach, so that what the firmware is doing goes on.
	for (const gdev of for_each_group_device(group)) {
		if (iommu_create_device_direct_mappings(dom, gdev.dev) === 0) continue;
		direct_failed = true;
		dev_warn_once(
			gdev.dev.iommu!.iommu_dev!.dev!,
			'IOMMU driver was not able to establish FW requested direct mapping.',
		);
	}

	// Early, because __iommu_device_set_domain() compares with it.
	group.default_domain = dom;

	undo: {
		if (group.domain === null) {
			// The first attach must not fail. If it does, the domain stays, to be freed as the devices are released.
			ret = __iommu_group_set_domain_internal(group, dom, IOMMU_SET_DOMAIN_MUST_SUCCEED);
			if (WARN_ON(ret !== 0)) {
				if (old_dom !== null) iommu_domain_free(old_dom);
				return ret;
			}
		} else {
			ret = __iommu_group_set_domain(group, dom);
			if (ret !== 0) break undo;
		}

		// Some drivers cannot map before the first attach. Then there was a gap, but better late than never.
		if (direct_failed) {
			for (const gdev of for_each_group_device(group)) {
				ret = iommu_create_device_direct_mappings(dom, gdev.dev);
				if (ret === 0) continue;
				if (old_dom !== null)
					__iommu_group_set_domain_internal(group, old_dom, IOMMU_SET_DOMAIN_MUST_SUCCEED);
				break undo;
			}
		}

		if (old_dom !== null) iommu_domain_free(old_dom);
		return ret;
	}
	if (old_dom !== null) {
		iommu_domain_free(dom);
		group.default_domain = old_dom;
	}
	return ret;
}

/** The type that a word in the file "type" asks for; 0: the system's own choice. */
function iommu_domain_type_from_word(word: string): int {
	for (const type of [IOMMU_DOMAIN_IDENTITY, IOMMU_DOMAIN_DMA, IOMMU_DOMAIN_DMA_FQ])
		if (sysfs_streq(word, iommu_domain_word(type))) return type;
	return sysfs_streq(word, 'auto') ? 0 : -EINVAL;
}

/**
 * A write to the group's file "type". DMA to DMA-FQ goes at any time; all else needs a group that no driver is
 * bound to.
 */
function iommu_group_store_type(group: iommu_group, buf: string, count: size_t): ssize_t {
	let ret: int;

	if (WARN_ON(group === null) || group.default_domain === null) return -EINVAL;

	const req_type = iommu_domain_type_from_word(buf);
	if (req_type < 0) return req_type;

	mutex_lock(group.mutex);
	if (req_type === IOMMU_DOMAIN_DMA_FQ && group.default_domain.type === IOMMU_DOMAIN_DMA) {
		ret = iommu_dma_init_fq(group.default_domain);
		if (ret === 0) group.default_domain.type = IOMMU_DOMAIN_DMA_FQ;
	} else if (list_empty(group.devices) || group.owner_cnt !== 0) ret = -EPERM;
	else {
		ret = iommu_setup_default_domain(group, req_type);
		if (ret === 0) for (const gdev of for_each_group_device(group)) iommu_setup_dma_ops(gdev.dev);
	}
	mutex_unlock(group.mutex);
	return ret !== 0 ? ret : count;
}

/**
 * iommu_device_use_default_domain() - a driver that uses the DMA API is about to bind (Linux: drivers/iommu/iommu.c)
 *
 * Returns 0; -EPROBE_DEFER while the group has no default domain yet; -EBUSY when somebody owns the group.
 */
export function iommu_device_use_default_domain(dev: device): int {
	const group = dev.iommu_group;
	let ret: int = 0;

	if (group === null) return 0;

	mutex_lock(group.mutex);
	const claimed =
		group.domain !== group.default_domain || group.owner !== null || !xa_empty(group.pasid_array);
	if (group.default_domain === null) ret = -EPROBE_DEFER;
	else if (group.owner_cnt !== 0 && claimed) ret = -EBUSY;
	else group.owner_cnt++;
	mutex_unlock(group.mutex);
	return ret;
}

/** Undo iommu_device_use_default_domain(), after the driver has gone (Linux: drivers/iommu/iommu.c: iommu_device_unuse_default_domain()). */
export function iommu_device_unuse_default_domain(dev: device): void {
	const group = dev.iommu_group;
	if (group === null) return;

	mutex_lock(group.mutex);
	if (!WARN_ON(group.owner_cnt === 0 || !xa_empty(group.pasid_array))) group.owner_cnt--;
	mutex_unlock(group.mutex);
}

/** A driver without a blocking domain gets an empty one: it blocks as well. */
function __iommu_group_alloc_blocking_domain(group: iommu_group): int {
	if (group.blocking_domain !== null) return 0;

	let domain = __iommu_group_domain_alloc(group, IOMMU_DOMAIN_BLOCKED);
	if (IS_ERR(domain)) domain = __iommu_group_domain_alloc(group, IOMMU_DOMAIN_UNMANAGED);
	if (IS_ERR(domain)) return PTR_ERR(domain);
	group.blocking_domain = domain;
	return 0;
}

function __iommu_take_dma_ownership(group: iommu_group, owner: unknown): int {
	const attached = group.domain !== null && group.domain !== group.default_domain;
	if (attached || !xa_empty(group.pasid_array)) return -EBUSY;

	let ret = __iommu_group_alloc_blocking_domain(group);
	if (ret === 0) ret = __iommu_group_set_domain(group, group.blocking_domain);
	if (ret === 0) {
		group.owner = owner;
		group.owner_cnt++;
	}
	return ret;
}

/**
 * iommu_group_claim_dma_owner() - own all DMA of @group (Linux: drivers/iommu/iommu.c)
 * @owner: who; anything but null
 *
 * DMA is blocked until the owner attaches a domain. Returns 0; -EPERM when the group is in use, by a driver or an
 * owner, this one included; -EBUSY when a domain is attached that is not the kernel's.
 */
export function iommu_group_claim_dma_owner(group: iommu_group, owner: unknown): int {
	if (WARN_ON(owner === null)) return -EINVAL;

	mutex_lock(deref(group).mutex);
	const ret = group.owner_cnt !== 0 ? -EPERM : __iommu_take_dma_ownership(group, owner);
	mutex_unlock(group.mutex);
	return ret;
}

/** iommu_group_claim_dma_owner() by a device; the same owner may claim more devices of the group (Linux: drivers/iommu/iommu.c: iommu_device_claim_dma_owner()). */
export function iommu_device_claim_dma_owner(dev: device, owner: unknown): int {
	const group = deref(dev).iommu_group;
	let ret: int = 0;

	if (WARN_ON(owner === null)) return -EINVAL;
	if (group === null) return -ENODEV;

	mutex_lock(group.mutex);
	if (group.owner_cnt === 0) ret = __iommu_take_dma_ownership(group, owner);
	else if (group.owner !== owner) ret = -EPERM;
	else group.owner_cnt++;
	mutex_unlock(group.mutex);
	return ret;
}

function __iommu_release_dma_ownership(group: iommu_group): void {
	if (WARN_ON(group.owner_cnt === 0 || group.owner === null || !xa_empty(group.pasid_array))) return;

	group.owner_cnt = 0;
	group.owner = null;
	__iommu_group_set_domain_nofail(group, group.default_domain);
}

/** Undo iommu_group_claim_dma_owner() (Linux: drivers/iommu/iommu.c: iommu_group_release_dma_owner()). */
export function iommu_group_release_dma_owner(group: iommu_group): void {
	mutex_lock(deref(group).mutex);
	__iommu_release_dma_ownership(group);
	mutex_unlock(group.mutex);
}

/** Undo one iommu_device_claim_dma_owner() (Linux: drivers/iommu/iommu.c: iommu_device_release_dma_owner()). */
export function iommu_device_release_dma_owner(dev: device): void {
	const group = deref(deref(dev).iommu_group);

	mutex_lock(group.mutex);
	if (group.owner_cnt > 1) group.owner_cnt--;
	else __iommu_release_dma_ownership(group);
	mutex_unlock(group.mutex);
}

/** Whether a driver or an owner uses @group; true only for the moment (Linux: drivers/iommu/iommu.c: iommu_group_dma_owner_claimed()). */
export function iommu_group_dma_owner_claimed(group: iommu_group): bool {
	mutex_lock(deref(group).mutex);
	const user = group.owner_cnt;
	mutex_unlock(group.mutex);
	return user !== 0;
}

/** Whether @dev can send a PASID at all; those that cannot are of no account. */
function has_pasids(device: group_device): bool {
	return device.dev.iommu!.max_pasids > 0;
}

/** Whether every member that can send PASIDs can send this one. */
function iommu_group_takes_pasid(group: iommu_group, pasid: ioasid_t): bool {
	for (const device of for_each_group_device(group))
		if (has_pasids(device) && pasid >= device.dev.iommu!.max_pasids) return false;
	return true;
}

function __iommu_set_group_pasid(domain: iommu_domain, group: iommu_group, pasid: ioasid_t): int {
	for (const device of for_each_group_device(group)) {
		if (!has_pasids(device)) continue;
		const ret = domain.ops!.set_dev_pasid!(domain, device.dev, pasid, null);
		if (ret === 0) continue;

		for (const done of for_each_group_device(group)) {
			if (done === device) break;
			if (has_pasids(done)) dev_iommu_ops(done.dev).remove_dev_pasid!(done.dev, pasid, domain);
		}
		return ret;
	}
	return 0;
}

function __iommu_remove_group_pasid(group: iommu_group, pasid: ioasid_t, domain: iommu_domain): void {
	for (const device of for_each_group_device(group))
		if (has_pasids(device)) dev_iommu_ops(device.dev).remove_dev_pasid!(device.dev, pasid, domain);
}

/**
 * iommu_attach_device_pasid() - attach @domain to one PASID of @dev's group (Linux: drivers/iommu/iommu.c)
 * @handle: kept while it is attached; may be null
 *
 * Returns 0; -EOPNOTSUPP when the domain's driver knows no PASIDs; -ENODEV without a group; -EINVAL for a PASID
 * or a domain that cannot be; -EBUSY when the PASID has a domain.
 */
export function iommu_attach_device_pasid(
	domain: iommu_domain,
	dev: device,
	pasid: ioasid_t,
	handle: iommu_attach_handle | null,
): int {
	const group = deref(dev).iommu_group;
	let ret: int = 0;

	if (!deref(domain).ops!.set_dev_pasid) return -EOPNOTSUPP;
	if (group === null) return -ENODEV;
	if (!dev_has_iommu(dev) || dev_iommu_ops(dev) !== domain.owner || pasid === IOMMU_NO_PASID) return -EINVAL;

	mutex_lock(group.mutex);
	out: {
		if (!iommu_group_takes_pasid(group, pasid)) {
			ret = -EINVAL;
			break out;
		}
		if (handle !== null) handle.domain = domain;
		ret = xa_insert(group.pasid_array, pasid, handle, GFP_KERNEL);
		if (ret !== 0) break out;

		ret = __iommu_set_group_pasid(domain, group, pasid);
		if (ret !== 0) xa_erase(group.pasid_array, pasid);
	}
	mutex_unlock(group.mutex);
	return ret;
}

/** Undo iommu_attach_device_pasid() (Linux: drivers/iommu/iommu.c: iommu_detach_device_pasid()). */
export function iommu_detach_device_pasid(domain: iommu_domain, dev: device, pasid: ioasid_t): void {
	const group = deref(deref(dev).iommu_group);

	mutex_lock(group.mutex);
	__iommu_remove_group_pasid(group, pasid, domain);
	xa_erase(group.pasid_array, pasid);
	mutex_unlock(group.mutex);
}

/** A PASID that no other device uses, or IOMMU_PASID_INVALID (Linux: drivers/iommu/iommu.c: iommu_alloc_global_pasid()). */
export function iommu_alloc_global_pasid(dev: device): ioasid_t {
	const max_pasids = deref(deref(dev).iommu).max_pasids;
	if (max_pasids === 0) return IOMMU_PASID_INVALID;

	const ret = ida_alloc_range(
		state.iommu_global_pasid_ida,
		IOMMU_FIRST_GLOBAL_PASID,
		max_pasids - 1,
		GFP_KERNEL,
	);
	return ret < 0 ? IOMMU_PASID_INVALID : ret;
}

/** Linux: drivers/iommu/iommu.c: iommu_free_global_pasid() */
export function iommu_free_global_pasid(pasid: ioasid_t): void {
	if (WARN_ON(pasid === IOMMU_PASID_INVALID)) return;
	ida_free(state.iommu_global_pasid_ida, pasid);
}

/**
 * iommu_attach_handle_get() - the handle that a domain was attached with (Linux: drivers/iommu/iommu.c)
 * @type: the domain's type must be this; 0: any
 *
 * Returns the handle, or -ENOENT (nothing there) or -EBUSY (another type) as error pointer.
 */
export function iommu_attach_handle_get(
	group: iommu_group,
	pasid: ioasid_t,
	type: unsigned_int,
): iommu_attach_handle | err_ptr {
	let ret: iommu_attach_handle | err_ptr;

	// Under the lock a handle that is found is attached, and so has its domain.
	xa_lock(deref(group).pasid_array);
	const handle = xa_load(group.pasid_array, pasid);
	if (handle === null) ret = ERR_PTR(-ENOENT);
	else ret = type === 0 || type === handle.domain!.type ? handle : ERR_PTR(-EBUSY);
	xa_unlock(group.pasid_array);
	return ret;
}

/** iommu_attach_group() that keeps @handle (Linux: drivers/iommu/iommu.c: iommu_attach_group_handle()). */
export function iommu_attach_group_handle(
	domain: iommu_domain,
	group: iommu_group,
	handle: iommu_attach_handle | null,
): int {
	if (handle !== null) handle.domain = domain;

	mutex_lock(deref(group).mutex);
	let ret = xa_insert(group.pasid_array, IOMMU_NO_PASID, handle, GFP_KERNEL);
	if (ret === 0) {
		ret = __iommu_attach_group(domain, group);
		if (ret !== 0) xa_erase(group.pasid_array, IOMMU_NO_PASID);
	}
	mutex_unlock(group.mutex);
	return ret;
}

/** Undo iommu_attach_group_handle() (Linux: drivers/iommu/iommu.c: iommu_detach_group_handle()). */
export function iommu_detach_group_handle(domain: iommu_domain, group: iommu_group): void {
	mutex_lock(deref(group).mutex);
	__iommu_group_set_core_domain(group);
	xa_erase(group.pasid_array, IOMMU_NO_PASID);
	mutex_unlock(group.mutex);
}

/** iommu_group_replace_domain() that keeps @handle (Linux: drivers/iommu/iommu.c: iommu_replace_group_handle()). */
export function iommu_replace_group_handle(
	group: iommu_group,
	new_domain: iommu_domain | null,
	handle: iommu_attach_handle | null,
): int {
	let ret: int = 0;

	if (new_domain === null) return -EINVAL;

	mutex_lock(deref(group).mutex);
	// The place is taken before the attach, so that keeping the handle cannot fail after it.
	if (handle !== null) {
		ret = xa_reserve(group.pasid_array, IOMMU_NO_PASID, GFP_KERNEL);
		if (ret === 0) handle.domain = new_domain;
	}
	if (ret === 0) {
		ret = __iommu_group_set_domain(group, new_domain);
		if (ret === 0) {
			const curr = xa_store(group.pasid_array, IOMMU_NO_PASID, handle, GFP_KERNEL);
			WARN_ON(xa_is_err(curr));
		} else xa_release(group.pasid_array, IOMMU_NO_PASID);
	}
	mutex_unlock(group.mutex);
	return ret;
}
