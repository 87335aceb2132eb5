// SPDX-License-Identifier: GPL-2.0-only
// Domains, groups, drivers: what the IOMMU core shares with drivers and users.
// Linux 6.12: include/linux/iommu.h
// Left out: page faults that can be answered (struct iopf_*, CONFIG_IOMMU_IOPF), SVA, struct iova_bitmap and
// iommu_dirty_bitmap_record(), nesting's user data copies, ACPI's RMR data, tegra_dev_iommu_get_stream_id().
// iommu_map_sgtable() stands in drivers/iommu/iommu.ts: an include must not call into drivers/.
import { deref } from '#arch/arm64/mm/fault.js';
import type { iommu_dma_cookie } from '#drivers/iommu/dma-iommu.js';
import type { iommu_group } from '#drivers/iommu/iommu.js';
import type { device } from '#linux/device.js';
import { dev_get_drvdata } from '#linux/device.js';
import type { err_ptr } from '#linux/err.js';
import type { fwnode_handle } from '#linux/fwnode.js';
import { INIT_LIST_HEAD, list_head } from '#linux/list.js';
import type { module } from '#linux/module.js';
import { mutex } from '#linux/mutex.js';
import type { of_phandle_args } from '#linux/of_node.js';
import {
	type bool,
	container_of,
	type dma_addr_t,
	type embedded,
	type gfp_t,
	type int,
	type phys_addr_t,
	type ref,
	type size_t,
	ULONG_MAX,
	type u8,
	type u32,
	type u64,
	type unsigned_int,
	type unsigned_long,
} from '#linux/types.js';

export type { iommu_dma_cookie, iommu_group };

// What a mapping allows, and how it is to be made.
export const IOMMU_READ = 1 << 0;
export const IOMMU_WRITE = 1 << 1;
/** The device's accesses snoop the CPU's caches. */
export const IOMMU_CACHE = 1 << 2;
export const IOMMU_NOEXEC = 1 << 3;
/** The target is a register (an MSI doorbell, another device), not memory. */
export const IOMMU_MMIO = 1 << 4;
/** The rights are for privileged accesses only, where the bus tells them apart. */
export const IOMMU_PRIV = 1 << 5;

export const IOMMU_FAULT_PERM_READ = 1 << 0;
export const IOMMU_FAULT_PERM_WRITE = 1 << 1;
export const IOMMU_FAULT_PERM_EXEC = 1 << 2;
export const IOMMU_FAULT_PERM_PRIV = 1 << 3;

/** enum iommu_fault_type */
export type iommu_fault_type = int;
export const IOMMU_FAULT_PAGE_REQ = 1;

export const IOMMU_FAULT_PAGE_REQUEST_PASID_VALID = 1 << 0;
export const IOMMU_FAULT_PAGE_REQUEST_LAST_PAGE = 1 << 1;
export const IOMMU_FAULT_PAGE_RESPONSE_NEEDS_PASID = 1 << 2;

export class iommu_fault_page_request {
	flags: u32 = 0;
	pasid: u32 = 0;
	grpid: u32 = 0;
	perm: u32 = 0;
	addr: u64 = 0;
	private_data: u64[] = [0, 0];
}

export class iommu_fault {
	type: u32 = 0;
	prm: iommu_fault_page_request = new iommu_fault_page_request();
}

/** enum iommu_page_response_code */
export type iommu_page_response_code = int;
export const IOMMU_PAGE_RESP_SUCCESS = 0;
export const IOMMU_PAGE_RESP_INVALID = 1;
export const IOMMU_PAGE_RESP_FAILURE = 2;

export class iommu_page_response {
	pasid: u32 = 0;
	grpid: u32 = 0;
	code: u32 = 0;
}

// The @flags of report_iommu_fault().
export const IOMMU_FAULT_READ = 0x0;
export const IOMMU_FAULT_WRITE = 0x1;

/** Hears of a fault in its domain: (domain, device, iova, IOMMU_FAULT_READ or _WRITE, the token given with it). */
export type iommu_fault_handler_t = (
	domain: iommu_domain,
	dev: device,
	iova: unsigned_long,
	flags: int,
	token: unknown,
) => int;

export class iommu_domain_geometry {
	/** The lowest and the highest address it translates. */
	aperture_start: dma_addr_t = 0;
	aperture_end: dma_addr_t = 0;
	/** Whether an access outside of the aperture is refused. */
	force_aperture: bool = false;
}

// A domain's type is a set of features.
/** iommu_map() and iommu_unmap() work on it. */
export const __IOMMU_DOMAIN_PAGING = 1 << 0;
/** The DMA API owns its address space. */
export const __IOMMU_DOMAIN_DMA_API = 1 << 1;
/** Bus address is physical address. */
export const __IOMMU_DOMAIN_PT = 1 << 2;
/** The DMA API flushes in batches. */
export const __IOMMU_DOMAIN_DMA_FQ = 1 << 3;
export const __IOMMU_DOMAIN_SVA = 1 << 4;
export const __IOMMU_DOMAIN_PLATFORM = 1 << 5;
export const __IOMMU_DOMAIN_NESTED = 1 << 6;

export const IOMMU_DOMAIN_ALLOC_FLAGS = ~__IOMMU_DOMAIN_DMA_FQ >>> 0;

/** Nothing gets through. */
export const IOMMU_DOMAIN_BLOCKED = 0;
export const IOMMU_DOMAIN_IDENTITY = __IOMMU_DOMAIN_PT;
/** The user of the IOMMU API fills it. */
export const IOMMU_DOMAIN_UNMANAGED = __IOMMU_DOMAIN_PAGING;
export const IOMMU_DOMAIN_DMA = __IOMMU_DOMAIN_PAGING | __IOMMU_DOMAIN_DMA_API;
export const IOMMU_DOMAIN_DMA_FQ = __IOMMU_DOMAIN_PAGING | __IOMMU_DOMAIN_DMA_API | __IOMMU_DOMAIN_DMA_FQ;
export const IOMMU_DOMAIN_SVA = __IOMMU_DOMAIN_SVA;
export const IOMMU_DOMAIN_PLATFORM = __IOMMU_DOMAIN_PLATFORM;
export const IOMMU_DOMAIN_NESTED = __IOMMU_DOMAIN_NESTED;

export class iommu_domain {
	type: unsigned_int = 0;
	ops: iommu_domain_ops | null = null;
	dirty_ops: iommu_dirty_ops | null = null;
	/** The driver that allocated it; null in a domain that every device may have. */
	owner: iommu_ops | null = null;
	/** The page sizes in use, as a bitmap: bit n stands for 2^n bytes. */
	pgsize_bitmap: unsigned_long = 0;
	geometry: iommu_domain_geometry = new iommu_domain_geometry();
	iova_cookie: iommu_dma_cookie | null = null;
	fault_data: unknown = null;
	handler: iommu_fault_handler_t | null = null;
	handler_token: unknown = null;

	/** @init: the members that a static domain gives a value. */
	constructor(init: Partial<iommu_domain> = {}) {
		Object.assign(this, init);
	}
}

/** Whether the DMA API owns @domain (Linux: include/linux/iommu.h: iommu_is_dma_domain()). */
export function iommu_is_dma_domain(domain: iommu_domain): bool {
	return (domain.type & __IOMMU_DOMAIN_DMA_API) !== 0;
}

/** enum iommu_cap */
export type iommu_cap = int;
/** IOMMU_CACHE is honoured. */
export const IOMMU_CAP_CACHE_COHERENCY = 0;
export const IOMMU_CAP_NOEXEC = 1;
/** The firmware kept devices away from memory, and the kernel should too. */
export const IOMMU_CAP_PRE_BOOT_PROTECTION = 2;
export const IOMMU_CAP_ENFORCE_CACHE_COHERENCY = 3;
/** Unmapping without a flush is worth something: a flush queue may be used. */
export const IOMMU_CAP_DEFERRED_FLUSH = 4;
export const IOMMU_CAP_DIRTY_TRACKING = 5;

/** enum iommu_resv_type */
export type iommu_resv_type = int;
/** Must be mapped one to one, always. */
export const IOMMU_RESV_DIRECT = 0;
/** One to one, but a device that is given away can do without. */
export const IOMMU_RESV_DIRECT_RELAXABLE = 1;
/** Never to be mapped or handed out. */
export const IOMMU_RESV_RESERVED = 2;
/** The hardware's own MSI window: not translated. */
export const IOMMU_RESV_MSI = 3;
/** A window in which software maps MSI doorbells. */
export const IOMMU_RESV_SW_MSI = 4;

export class iommu_resv_region {
	list: list_head<iommu_resv_region> = new list_head<iommu_resv_region>(this);
	start: phys_addr_t = 0;
	length: size_t = 0;
	prot: int = 0;
	type: iommu_resv_type = 0;
	/** Frees it, when that is not simply kfree(). */
	free: ((dev: device, region: iommu_resv_region) => void) | null = null;
}

/** enum iommu_dev_features */
export type iommu_dev_features = int;
export const IOMMU_DEV_FEAT_SVA = 0;
export const IOMMU_DEV_FEAT_IOPF = 1;

export const IOMMU_NO_PASID = 0;
export const IOMMU_FIRST_GLOBAL_PASID = 1;
export const IOMMU_PASID_INVALID = 0xffff_ffff;
export type ioasid_t = unsigned_int;

/** Read the dirty bits and leave them. */
export const IOMMU_DIRTY_NO_CLEAR = 1 << 0;

/** A range of which cached translations are yet to be flushed; @end is its last byte. */
export class iommu_iotlb_gather {
	start: unsigned_long = 0;
	end: unsigned_long = 0;
	/** The step in which to flush; 0 when no page was added. */
	pgsize: size_t = 0;
	/** Tables that may be freed once the flush is done. */
	freelist: list_head<object> = new list_head<object>();
	/** iotlb_sync() will not come: flush_iotlb_all() will, later. */
	queued: bool = false;
}

export class iommu_dirty_bitmap {
	bitmap: object | null = null;
	gather: iommu_iotlb_gather | null = null;
}

export interface iommu_dirty_ops {
	set_dirty_tracking?: (domain: iommu_domain, enabled: bool) => int;
	read_and_clear_dirty?: (
		domain: iommu_domain,
		iova: unsigned_long,
		size: size_t,
		flags: unsigned_long,
		dirty: iommu_dirty_bitmap,
	) => int;
}

/** What a driver does for the core: probe devices, group them, make domains. */
export interface iommu_ops {
	capable?: (dev: device, cap: iommu_cap) => bool;
	hw_info?: (dev: device, length: ref<u32>, type: ref<u32>) => object | err_ptr;
	domain_alloc?: (iommu_domain_type: unsigned_int) => iommu_domain | err_ptr | null;
	domain_alloc_user?: (
		dev: device,
		flags: u32,
		parent: iommu_domain | null,
		user_data: object | null,
	) => iommu_domain | err_ptr;
	domain_alloc_paging?: (dev: device | null) => iommu_domain | err_ptr | null;
	probe_device?: (dev: device) => iommu_device | err_ptr;
	release_device?: (dev: device) => void;
	probe_finalize?: (dev: device) => void;
	device_group?: (dev: device) => iommu_group | err_ptr | null;
	get_resv_regions?: (dev: device, list: list_head<iommu_resv_region>) => void;
	of_xlate?: (dev: device, args: of_phandle_args) => int;
	is_attach_deferred?: (dev: device) => bool;
	dev_enable_feat?: (dev: device, f: iommu_dev_features) => int;
	dev_disable_feat?: (dev: device, f: iommu_dev_features) => int;
	/** IOMMU_DOMAIN_IDENTITY or IOMMU_DOMAIN_DMA when the device needs that one, 0 when it does not care. */
	def_domain_type?: (dev: device) => int;
	remove_dev_pasid?: (dev: device, pasid: ioasid_t, domain: iommu_domain) => void;

	default_domain_ops?: iommu_domain_ops;
	pgsize_bitmap?: unsigned_long;
	owner?: module | null;
	/** Static domains that can always be attached. */
	identity_domain?: iommu_domain;
	blocked_domain?: iommu_domain;
	release_domain?: iommu_domain;
	default_domain?: iommu_domain;
	user_pasid_table?: u8;
}

/** What a driver does for one domain. */
export interface iommu_domain_ops {
	/** -EINVAL: not this device with this domain; anything else negative: it went wrong. */
	attach_dev?: (domain: iommu_domain, dev: device) => int;
	set_dev_pasid?: (domain: iommu_domain, dev: device, pasid: ioasid_t, old: iommu_domain | null) => int;
	/** Map @pgcount pages of one size; @mapped grows by what was done, also when it fails. */
	map_pages?: (
		domain: iommu_domain,
		iova: unsigned_long,
		paddr: phys_addr_t,
		pgsize: size_t,
		pgcount: size_t,
		prot: int,
		gfp: gfp_t,
		mapped: ref<size_t>,
	) => int;
	/** The number of bytes that are no longer mapped. */
	unmap_pages?: (
		domain: iommu_domain,
		iova: unsigned_long,
		pgsize: size_t,
		pgcount: size_t,
		iotlb_gather: iommu_iotlb_gather,
	) => size_t;
	flush_iotlb_all?: (domain: iommu_domain) => void;
	iotlb_sync_map?: (domain: iommu_domain, iova: unsigned_long, size: size_t) => int;
	iotlb_sync?: (domain: iommu_domain, iotlb_gather: iommu_iotlb_gather) => void;
	cache_invalidate_user?: (domain: iommu_domain, array: object) => int;
	iova_to_phys?: (domain: iommu_domain, iova: dma_addr_t) => phys_addr_t;
	enforce_cache_coherency?: (domain: iommu_domain) => bool;
	enable_nesting?: (domain: iommu_domain) => int;
	set_pgtable_quirks?: (domain: iommu_domain, quirks: unsigned_long) => int;
	free?: (domain: iommu_domain) => void;
}

/** One piece of IOMMU hardware, as the core knows it. */
export class iommu_device implements embedded {
	list: list_head<iommu_device> = new list_head<iommu_device>(this);
	ops: iommu_ops | null = null;
	fwnode: fwnode_handle | null = null;
	/** Its device in /sys/class/iommu. */
	dev: device | null = null;
	/** The one group of generic_single_device_group(). */
	singleton_group: iommu_group | null = null;
	max_pasids: u32 = 0;

	constructor(readonly container: object | null = null) {}
}

/** What the core keeps for each device (device.iommu). */
export class dev_iommu {
	lock: mutex = new mutex('dev_iommu.lock');
	fault_param: object | null = null;
	fwspec: iommu_fwspec | null = null;
	iommu_dev: iommu_device | null = null;
	/** The driver's own. */
	priv: unknown = null;
	max_pasids: u32 = 0;
	attach_deferred: u32 = 0;
	pci_32bit_workaround: u32 = 0;
	/** The device has regions of IOMMU_RESV_DIRECT. */
	require_direct: u32 = 0;
	shadow_on_flush: u32 = 0;
}

/** The iommu_device behind a device of class iommu (Linux: include/linux/iommu.h: dev_to_iommu_device()). */
export function dev_to_iommu_device(dev: device): iommu_device {
	return dev_get_drvdata(dev) as iommu_device;
}

/** The hardware behind which @dev sits; it must have been probed (Linux: include/linux/iommu.h: __iommu_get_iommu_dev()). */
export function __iommu_get_iommu_dev(dev: device): iommu_device {
	return dev.iommu!.iommu_dev!;
}

/** The driver's struct around __iommu_get_iommu_dev() (Linux: include/linux/iommu.h: iommu_get_iommu_dev()). */
export function iommu_get_iommu_dev<T extends object>(dev: device, type: new (...args: never[]) => T): T {
	return container_of(__iommu_get_iommu_dev(dev), type);
}

/** Empty @gather (Linux: include/linux/iommu.h: iommu_iotlb_gather_init()). */
export function iommu_iotlb_gather_init(gather: iommu_iotlb_gather): void {
	gather.start = ULONG_MAX;
	gather.end = 0;
	gather.pgsize = 0;
	INIT_LIST_HEAD(gather.freelist);
	gather.queued = false;
}

/** Forget every translation of @domain that the hardware has cached (Linux: include/linux/iommu.h: iommu_flush_iotlb_all()). */
export function iommu_flush_iotlb_all(domain: iommu_domain): void {
	domain.ops!.flush_iotlb_all?.(domain);
}

/** Flush what @gather holds, and empty it (Linux: include/linux/iommu.h: iommu_iotlb_sync()). */
export function iommu_iotlb_sync(domain: iommu_domain, iotlb_gather: iommu_iotlb_gather): void {
	domain.ops!.iotlb_sync?.(domain, iotlb_gather);
	iommu_iotlb_gather_init(iotlb_gather);
}

/** Whether a gap lies between the range and what @gather holds (Linux: include/linux/iommu.h: iommu_iotlb_gather_is_disjoint()). */
export function iommu_iotlb_gather_is_disjoint(
	gather: iommu_iotlb_gather,
	iova: unsigned_long,
	size: size_t,
): bool {
	const next = iova + size;

	return gather.end !== 0 && (next < gather.start || iova > gather.end + 1);
}

/** Widen @gather to hold the range too, whatever its pages (Linux: include/linux/iommu.h: iommu_iotlb_gather_add_range()). */
export function iommu_iotlb_gather_add_range(
	gather: iommu_iotlb_gather,
	iova: unsigned_long,
	size: size_t,
): void {
	const last = iova + size - 1;

	if (iova < gather.start) gather.start = iova;
	if (last > gather.end) gather.end = last;
}

/**
 * Add a page; what is there is flushed first when the page lies apart from it or is of another size
 * (Linux: include/linux/iommu.h: iommu_iotlb_gather_add_page()).
 */
export function iommu_iotlb_gather_add_page(
	domain: iommu_domain,
	gather: iommu_iotlb_gather,
	iova: unsigned_long,
	size: size_t,
): void {
	const other_size = gather.pgsize !== 0 && gather.pgsize !== size;

	if (other_size || iommu_iotlb_gather_is_disjoint(gather, iova, size)) iommu_iotlb_sync(domain, gather);
	gather.pgsize = size;
	iommu_iotlb_gather_add_range(gather, iova, size);
}

/** Whether the flush is left to a flush queue (Linux: include/linux/iommu.h: iommu_iotlb_gather_queued()). */
export function iommu_iotlb_gather_queued(gather: iommu_iotlb_gather | null): bool {
	return gather?.queued ?? false;
}

/** Where a device sits behind which IOMMU; the ids are the driver's affair. */
export class iommu_fwspec {
	iommu_fwnode: fwnode_handle | null = null;
	flags: u32 = 0;
	num_ids: unsigned_int = 0;
	ids: u32[] = [];
}

/** The device's root complex supports ATS. */
export const IOMMU_FWSPEC_PCI_RC_ATS = 1 << 0;

/** A domain as it is attached to a PASID (or to none) of a group's devices; whoever attaches owns it. */
export class iommu_attach_handle {
	domain: iommu_domain | null = null;
}

/** Linux: include/linux/iommu.h: dev_iommu_fwspec_get() */
export function dev_iommu_fwspec_get(dev: device): iommu_fwspec | null {
	const param = deref(dev).iommu;

	return param !== null ? param.fwspec : null;
}

/** Linux: include/linux/iommu.h: dev_iommu_fwspec_set() */
export function dev_iommu_fwspec_set(dev: device, fwspec: iommu_fwspec | null): void {
	deref(deref(dev).iommu).fwspec = fwspec;
}

/** What the driver gave dev_iommu_priv_set() (Linux: include/linux/iommu.h: dev_iommu_priv_get()). */
export function dev_iommu_priv_get(dev: device): unknown {
	return dev.iommu !== null ? dev.iommu.priv : null;
}
