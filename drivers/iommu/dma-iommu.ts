// SPDX-License-Identifier: GPL-2.0-only
// The DMA API behind an IOMMU: each mapping gets addresses of the domain.
// Linux 6.12: drivers/iommu/dma-iommu.c
// Left out: peer-to-peer pages that are within reach (no two devices here are peers on a PCI bus: all are refused),
// ACPI's reserved regions.

import {
	arch_dma_prep_coherent,
	arch_sync_dma_for_cpu,
	arch_sync_dma_for_device,
} from '#arch/arm64/mm/dma-mapping.js';
import { can_deref, deref } from '#arch/arm64/mm/fault.js';
import { PAGE_KERNEL } from '#asm/pgtable.js';
import {
	device_iommu_capable,
	iommu_deferred_attach,
	iommu_get_dma_domain,
	iommu_get_domain_for_dev,
	iommu_get_resv_regions,
	iommu_iova_to_phys,
	iommu_map,
	iommu_map_sg,
	iommu_put_resv_regions,
	iommu_unmap_fast,
} from '#drivers/iommu/iommu.js';
import { iommu_put_pages_list } from '#drivers/iommu/iommu-pages.js';
import {
	alloc_iova_fast,
	free_cached_iovas,
	free_iova_fast,
	init_iova_domain,
	iova_cache_get,
	iova_domain_init_rcaches,
	iova_rcache_range,
	put_iova_domain,
	reserve_iova,
} from '#drivers/iommu/iova.js';
import { of_iommu_get_resv_regions } from '#drivers/iommu/of_iommu.js';
import { pci_find_host_bridge } from '#drivers/pci/host-bridge.js';
import { trace_swiotlb_bounced } from '#include/trace/events/swiotlb.js';
import { dma_mmap_from_dev_coherent } from '#kernel/dma/coherent.js';
import { dma_alloc_contiguous, dma_free_contiguous } from '#kernel/dma/contiguous.js';
import { dma_tell_unmapped } from '#kernel/dma/linear.js';
import { dma_pgprot } from '#kernel/dma/mapping.js';
import { dma_alloc_from_pool, dma_free_from_pool } from '#kernel/dma/pool.js';
import {
	dma_common_contiguous_remap,
	dma_common_find_pages,
	dma_common_free_remap,
	dma_common_pages_remap,
} from '#kernel/dma/remap.js';
import {
	is_swiotlb_active,
	swiotlb_max_mapping_size,
	swiotlb_sync_single_for_cpu,
	swiotlb_sync_single_for_device,
	swiotlb_tbl_map_single,
	swiotlb_tbl_unmap_single,
} from '#kernel/dma/swiotlb.js';
import { is_kdump_kernel } from '#kernel/elfcorehdr.js';
import { kstrtobool } from '#lib/kstrtox.js';
import { list_sort } from '#lib/list_sort.js';
import { sg_alloc_table, sg_alloc_table_from_pages, sg_free_table, sg_next } from '#lib/scatterlist.js';
import { ALIGN } from '#linux/align.js';
import {
	atomic_read,
	atomic_set,
	type atomic_t,
	atomic_xchg,
	atomic64_inc,
	atomic64_read,
	atomic64_set,
	type atomic64_t,
} from '#linux/atomic.js';
import { WARN_ON } from '#linux/bug.js';
import { for_each_possible_cpu } from '#linux/cpumask.js';
import { dev_err, dev_notice, dev_WARN_ONCE, dev_warn_once } from '#linux/dev_printk.js';
import { dev_name, dev_to_node, type device } from '#linux/device.js';
import { dma_range_map_max, dma_range_map_min } from '#linux/dma-direct.js';
import {
	DMA_BIDIRECTIONAL,
	DMA_FROM_DEVICE,
	DMA_TO_DEVICE,
	type dma_data_direction,
	valid_dma_direction,
} from '#linux/dma-direction.js';
import {
	dev_is_dma_coherent,
	dma_kmalloc_needs_bounce,
	dma_kmalloc_safe,
	dma_kmalloc_size_aligned,
	PCI_P2PDMA_MAP_THRU_HOST_BRIDGE,
	pci_p2pdma_map_segment,
	pci_p2pdma_map_state,
} from '#linux/dma-map-ops.js';
import {
	DMA_ATTR_ALLOC_SINGLE_PAGES,
	DMA_ATTR_FORCE_CONTIGUOUS,
	DMA_ATTR_PRIVILEGED,
	DMA_ATTR_SKIP_CPU_SYNC,
	DMA_BIT_MASK,
	DMA_MAPPING_ERROR,
	dma_get_mask,
	dma_get_max_seg_size,
	dma_get_min_align_mask,
	dma_get_seg_boundary,
} from '#linux/dma-mapping.js';
import { EEXIST, EFAULT, EINVAL, EIO, ENOMEM, ENXIO, EOVERFLOW, EREMOTEIO } from '#linux/errno.js';
import {
	__GFP_COMP,
	__GFP_DMA,
	__GFP_DMA32,
	__GFP_HIGHMEM,
	__GFP_NORETRY,
	__GFP_NOWARN,
	__GFP_ZERO,
	GFP_ATOMIC,
	GFP_KERNEL,
	gfpflags_allow_blocking,
} from '#linux/gfp.js';
import { arch_initcall, boot_data, early_param } from '#linux/init.js';
import {
	type dev_iommu,
	IOMMU_CACHE,
	IOMMU_CAP_DEFERRED_FLUSH,
	IOMMU_DOMAIN_DMA,
	IOMMU_DOMAIN_DMA_FQ,
	IOMMU_DOMAIN_UNMANAGED,
	IOMMU_MMIO,
	IOMMU_NOEXEC,
	IOMMU_PRIV,
	IOMMU_READ,
	IOMMU_RESV_MSI,
	IOMMU_RESV_SW_MSI,
	IOMMU_WRITE,
	type iommu_domain,
	iommu_iotlb_gather,
	iommu_iotlb_gather_init,
	iommu_iotlb_sync,
	iommu_is_dma_domain,
	type iommu_resv_region,
} from '#linux/iommu.js';
import { IORESOURCE_MEM, resource_type } from '#linux/ioport.js';
import {
	iova_align,
	iova_align_down,
	iova_domain,
	iova_mask,
	iova_offset,
	iova_pfn,
	iova_shift,
} from '#linux/iova.js';
import { jiffies, msecs_to_jiffies } from '#linux/jiffies.js';
import {
	INIT_LIST_HEAD,
	list_add,
	list_del,
	list_empty,
	list_entry,
	list_for_each_entry,
	list_for_each_entry_safe,
	list_head,
	list_splice,
} from '#linux/list.js';
import { bits_per, ilog2, is_power_of_2 } from '#linux/log2.js';
import { __ffs64, and64, lower_32_bits, shr64, upper_32_bits } from '#linux/math64.js';
import { is_pci_p2pdma_page } from '#linux/memremap.js';
import { min, min_not_zero } from '#linux/minmax.js';
import {
	get_order,
	nth_page,
	PAGE_ALIGN,
	PAGE_SHIFT,
	PAGE_SIZE,
	PageHighMem,
	page_address,
	page_to_pfn,
	page_to_phys,
	phys_to_virt,
	virt_to_page,
	vma_pages,
} from '#linux/mm.js';
import type { page, vm_area_struct } from '#linux/mm_types.js';
import { MAX_PAGE_ORDER } from '#linux/mmzone.js';
import { type msi_desc, msi_desc_set_iommu_msi_iova, msi_desc_to_dev, type msi_msg } from '#linux/msi.js';
import { mutex, mutex_lock, mutex_unlock } from '#linux/mutex.js';
import { dev_is_pci, type pci_dev, to_pci_dev } from '#linux/pci.js';
import { alloc_percpu, free_percpu, per_cpu_ptr, type percpu, raw_cpu_ptr } from '#linux/percpu.js';
import { pr_info, pr_warn } from '#linux/printk.js';
import { type resource_entry, resource_list_for_each_entry } from '#linux/resource_ext.js';
import {
	SG_DMA_SWIOTLB,
	type scatterlist,
	sg_dma_is_swiotlb,
	sg_dma_mark_swiotlb,
	sg_page,
	sg_phys,
	sg_set_page,
	sg_table,
} from '#linux/scatterlist.js';
import { kfree, kmalloc, kvcalloc, kvfree, kzalloc } from '#linux/slab.js';
import { spin_lock_irqsave, spin_unlock_irqrestore, spinlock_t } from '#linux/spinlock.js';
import { del_timer_sync, from_timer, mod_timer, timer_list, timer_setup } from '#linux/timer.js';
import {
	type bool,
	type dma_addr_t,
	type gfp_t,
	type int,
	type phys_addr_t,
	ref,
	SIZE_MAX,
	type size_t,
	type ssize_t,
	U32_MAX,
	U64_MAX,
	type u64,
	type unsigned_int,
	type unsigned_long,
	type void_ptr,
} from '#linux/types.js';
import { VM_MAP } from '#linux/vmalloc.js';
import { remap_pfn_range, vm_map_pages } from '#mm/memory.js';
import { __free_page, alloc_pages_node, split_page } from '#mm/page_alloc.js';
import { is_vmalloc_addr, vmalloc_to_page, vmalloc_to_pfn, vmap, vunmap } from '#mm/vmalloc.js';

/** A page of a doorbell that a domain maps. */
class iommu_dma_msi_page {
	readonly list = new list_head<iommu_dma_msi_page>(this);
	iova: dma_addr_t = 0;
	phys: phys_addr_t = 0;
}

type iommu_dma_cookie_type = int;
/** A whole address space of the DMA API's. */
const IOMMU_DMA_IOVA_COOKIE = 0;
/** Someone else's address space, in which MSI doorbells get addresses one after the other. */
const IOMMU_DMA_MSI_COOKIE = 1;

type iommu_dma_queue_type = int;
const IOMMU_DMA_OPTS_PER_CPU_QUEUE = 0;
const IOMMU_DMA_OPTS_SINGLE_QUEUE = 1;

class iommu_dma_options {
	qt: iommu_dma_queue_type = IOMMU_DMA_OPTS_PER_CPU_QUEUE;
	fq_size: size_t = 0;
	/** Milliseconds. */
	fq_timeout: unsigned_int = 0;
}

/** What the DMA API keeps with a domain (drivers/iommu/dma-iommu.c: struct iommu_dma_cookie). */
export class iommu_dma_cookie {
	type: iommu_dma_cookie_type = IOMMU_DMA_IOVA_COOKIE;
	readonly iovad = new iova_domain();
	single_fq: iova_fq | null = null;
	percpu_fq: percpu<iova_fq> | null = null;
	/** Flushes begun; an entry remembers it. */
	readonly fq_flush_start_cnt: atomic64_t = { counter: 0 };
	/** Flushes done; entries older than that may be freed. */
	readonly fq_flush_finish_cnt: atomic64_t = { counter: 0 };
	readonly fq_timer = new timer_list(this);
	readonly fq_timer_on: atomic_t = { counter: 0 };
	/** The next address of an MSI cookie. */
	msi_iova: dma_addr_t = 0;
	readonly msi_page_list = new list_head<iommu_dma_msi_page>();
	/** The domain, once its unmaps are queued. */
	fq_domain: iommu_domain | null = null;
	readonly options = new iommu_dma_options();
	readonly mutex = new mutex('iommu_dma_cookie.mutex');
}

const state = boot_data(() => ({
	/** Some attaches wait for the first mapping: that of a kernel that follows one that crashed (C: a static key). */
	iommu_deferred_attach_enabled: false as bool,
	/** Addresses can be given out. */
	have_iova_cache: false as bool,
	/** Two that prepare the same doorbell map it once. */
	msi_prepare_lock: new mutex('msi_prepare_lock'),
	/** Do not prefer addresses below 4 GiB. */
	iommu_dma_forcedac: false as bool,
}));

function iommu_dma_forcedac_setup(str: string | null): int {
	const value = new ref<bool>(false);
	const ret = kstrtobool(str ?? '', value);
	if (ret === 0) {
		state.iommu_dma_forcedac = value.value;
		if (value.value) pr_info('Forcing DAC for PCI devices');
	}
	return ret;
}
early_param('iommu.forcedac', iommu_dma_forcedac_setup);

/** Entries of each CPU's queue. */
const IOVA_DEFAULT_FQ_SIZE = 256;
/** Entries of a queue that all CPUs share. */
const IOVA_SINGLE_FQ_SIZE = 32768;
const IOVA_DEFAULT_FQ_TIMEOUT = 10;
const IOVA_SINGLE_FQ_TIMEOUT = 1000;

/** A range that is unmapped but maybe still cached by the hardware. */
class iova_fq_entry {
	iova_pfn: unsigned_long = 0;
	pages: unsigned_long = 0;
	/** Its table pages. */
	readonly freelist = new list_head<object>();
	counter: u64 = 0;
}

class iova_fq {
	readonly lock = new spinlock_t('iova_fq');
	head: unsigned_int = 0;
	tail: unsigned_int = 0;
	mod_mask: unsigned_int = 0;
	entries: iova_fq_entry[] = [];
}

function fq_full(fq: iova_fq): bool {
	return ((fq.tail + 1) & fq.mod_mask) === fq.head;
}

/** The entry to fill; the queue is not full and its lock is held. */
function fq_ring_add(fq: iova_fq): iova_fq_entry {
	const entry = fq.entries[fq.tail];
	fq.tail = (fq.tail + 1) & fq.mod_mask;
	return entry;
}

/** Free what was queued before the last flush began. */
function fq_ring_free_locked(cookie: iommu_dma_cookie, fq: iova_fq): void {
	const finished = atomic64_read(cookie.fq_flush_finish_cnt);
	while (fq.head !== fq.tail) {
		const entry = fq.entries[fq.head];
		if (entry.counter >= finished) break;
		iommu_put_pages_list(entry.freelist as list_head<page>);
		INIT_LIST_HEAD(entry.freelist);
		free_iova_fast(cookie.iovad, entry.iova_pfn, entry.pages);
		fq.head = (fq.head + 1) & fq.mod_mask;
	}
}

function fq_ring_free(cookie: iommu_dma_cookie, fq: iova_fq): void {
	const flags = spin_lock_irqsave(fq.lock);
	fq_ring_free_locked(cookie, fq);
	spin_unlock_irqrestore(fq.lock, flags);
}

function fq_flush_iotlb(cookie: iommu_dma_cookie): void {
	const domain = cookie.fq_domain as iommu_domain;
	atomic64_inc(cookie.fq_flush_start_cnt);
	domain.ops!.flush_iotlb_all?.(domain);
	atomic64_inc(cookie.fq_flush_finish_cnt);
}

function fq_flush_timeout(t: timer_list): void {
	const cookie = from_timer(t, iommu_dma_cookie);

	atomic_set(cookie.fq_timer_on, 0);
	fq_flush_iotlb(cookie);
	if (cookie.options.qt === IOMMU_DMA_OPTS_SINGLE_QUEUE) {
		fq_ring_free(cookie, cookie.single_fq as iova_fq);
		return;
	}
	for (const cpu of for_each_possible_cpu())
		fq_ring_free(cookie, per_cpu_ptr(cookie.percpu_fq as percpu<iova_fq>, cpu));
}

/** Leave freeing a range to the next flush. */
function queue_iova(
	cookie: iommu_dma_cookie,
	pfn: unsigned_long,
	pages: unsigned_long,
	freelist: list_head<object>,
): void {
	const fq =
		cookie.options.qt === IOMMU_DMA_OPTS_SINGLE_QUEUE
			? (cookie.single_fq as iova_fq)
			: raw_cpu_ptr(cookie.percpu_fq as percpu<iova_fq>);
	const flags = spin_lock_irqsave(fq.lock);

	// First what a flush on another CPU has set free: the queue may turn out not to be full.
	fq_ring_free_locked(cookie, fq);
	if (fq_full(fq)) {
		fq_flush_iotlb(cookie);
		fq_ring_free_locked(cookie, fq);
	}

	const entry = fq_ring_add(fq);
	entry.iova_pfn = pfn;
	entry.pages = pages;
	entry.counter = atomic64_read(cookie.fq_flush_start_cnt);
	list_splice(freelist, entry.freelist);
	spin_unlock_irqrestore(fq.lock, flags);

	if (atomic_read(cookie.fq_timer_on) === 0 && atomic_xchg(cookie.fq_timer_on, 1) === 0)
		mod_timer(cookie.fq_timer, jiffies() + msecs_to_jiffies(cookie.options.fq_timeout));
}

/** Free the entries' tables; their ranges go with the whole space. */
function iommu_dma_free_fq_entries(fq: iova_fq): void {
	for (; fq.head !== fq.tail; fq.head = (fq.head + 1) & fq.mod_mask)
		iommu_put_pages_list(fq.entries[fq.head].freelist as list_head<page>);
	kvfree(fq.entries);
	fq.entries = [];
}

function iommu_dma_free_fq_single(fq: iova_fq): void {
	iommu_dma_free_fq_entries(fq);
	kvfree(fq);
}

function iommu_dma_free_fq_percpu(percpu_fq: percpu<iova_fq>): void {
	for (const cpu of for_each_possible_cpu()) {
		const fq = per_cpu_ptr(percpu_fq, cpu);
		if (fq.entries.length !== 0) iommu_dma_free_fq_entries(fq);
	}
	free_percpu(percpu_fq);
}

function iommu_dma_free_fq(cookie: iommu_dma_cookie): void {
	if (cookie.fq_domain === null) return;
	del_timer_sync(cookie.fq_timer);
	if (cookie.options.qt === IOMMU_DMA_OPTS_SINGLE_QUEUE)
		iommu_dma_free_fq_single(cookie.single_fq as iova_fq);
	else iommu_dma_free_fq_percpu(cookie.percpu_fq as percpu<iova_fq>);
}

function iommu_dma_init_one_fq(fq: iova_fq, fq_size: size_t): int {
	const entries = kvcalloc(fq_size, iova_fq_entry, GFP_KERNEL);
	if (entries === null) return -ENOMEM;
	fq.head = 0;
	fq.tail = 0;
	fq.mod_mask = fq_size - 1;
	fq.entries = entries;
	return 0;
}

function iommu_dma_init_fq_single(cookie: iommu_dma_cookie): int {
	const queue = kzalloc(iova_fq, GFP_KERNEL);
	if (queue === null) return -ENOMEM;
	if (iommu_dma_init_one_fq(queue, cookie.options.fq_size) !== 0) {
		kvfree(queue);
		return -ENOMEM;
	}
	cookie.single_fq = queue;
	return 0;
}

function iommu_dma_init_fq_percpu(cookie: iommu_dma_cookie): int {
	const queue = alloc_percpu(iova_fq);
	if (queue === null) return -ENOMEM;
	for (const cpu of for_each_possible_cpu()) {
		if (iommu_dma_init_one_fq(per_cpu_ptr(queue, cpu), cookie.options.fq_size) !== 0) {
			iommu_dma_free_fq_percpu(queue);
			return -ENOMEM;
		}
	}
	cookie.percpu_fq = queue;
	return 0;
}

/**
 * Queue the unmaps of @domain from now on. The caller keeps two of these from running at once.
 *
 * Return: 0 or -ENOMEM. Linux: drivers/iommu/dma-iommu.c: iommu_dma_init_fq()
 */
export function iommu_dma_init_fq(domain: iommu_domain): int {
	const cookie = domain.iova_cookie as iommu_dma_cookie;
	if (cookie.fq_domain !== null) return 0;

	atomic64_set(cookie.fq_flush_start_cnt, 0);
	atomic64_set(cookie.fq_flush_finish_cnt, 0);
	const rc =
		cookie.options.qt === IOMMU_DMA_OPTS_SINGLE_QUEUE
			? iommu_dma_init_fq_single(cookie)
			: iommu_dma_init_fq_percpu(cookie);
	if (rc !== 0) {
		pr_warn('iova flush queue initialization failed');
		return -ENOMEM;
	}

	timer_setup(cookie.fq_timer, fq_flush_timeout, 0);
	atomic_set(cookie.fq_timer_on, 0);
	// Unmaps that run at the same time look at this: everything else must be ready.
	cookie.fq_domain = domain;
	return 0;
}

/** A page of a doorbell, in bytes. */
function cookie_msi_granule(cookie: iommu_dma_cookie): size_t {
	return cookie.type === IOMMU_DMA_IOVA_COOKIE ? cookie.iovad.granule : PAGE_SIZE;
}

function cookie_alloc(type: iommu_dma_cookie_type): iommu_dma_cookie | null {
	const cookie = kzalloc(iommu_dma_cookie, GFP_KERNEL);
	if (cookie !== null) cookie.type = type;
	return cookie;
}

/** Make @domain ready for the DMA API (drivers/iommu/dma-iommu.c: iommu_get_dma_cookie()). */
export function iommu_get_dma_cookie(domain: iommu_domain): int {
	if (domain.iova_cookie !== null) return -EEXIST;
	// DEVIATION: at boot there may have been no memory for them. Linux goes on without, and follows a null pointer.
	if (!state.have_iova_cache && iommu_dma_init() !== 0) return -ENOMEM;
	domain.iova_cookie = cookie_alloc(IOMMU_DMA_IOVA_COOKIE);
	return domain.iova_cookie === null ? -ENOMEM : 0;
}

/**
 * Let MSI doorbells of an unmanaged domain be mapped from @base on.
 *
 * Return: 0, -EINVAL, -EEXIST, -ENOMEM. Linux: drivers/iommu/dma-iommu.c: iommu_get_msi_cookie()
 */
export function iommu_get_msi_cookie(domain: iommu_domain, base: dma_addr_t): int {
	if (domain.type !== IOMMU_DOMAIN_UNMANAGED) return -EINVAL;
	if (domain.iova_cookie !== null) return -EEXIST;

	const cookie = cookie_alloc(IOMMU_DMA_MSI_COOKIE);
	if (cookie === null) return -ENOMEM;
	cookie.msi_iova = base;
	domain.iova_cookie = cookie;
	return 0;
}

/** Free what a cookie holds; its space is as it was before the first device. */
function cookie_reset_space(cookie: iommu_dma_cookie): void {
	if (cookie.type === IOMMU_DMA_IOVA_COOKIE && cookie.iovad.granule !== 0) {
		iommu_dma_free_fq(cookie);
		cookie.fq_domain = null;
		put_iova_domain(cookie.iovad);
		cookie.iovad.granule = 0;
		cookie.iovad.start_pfn = 0;
	}
	for (const msi of list_for_each_entry_safe(cookie.msi_page_list)) {
		list_del(msi.list);
		kfree(msi);
	}
}

/** Free a domain's cookie of either kind (drivers/iommu/dma-iommu.c: iommu_put_dma_cookie()). */
export function iommu_put_dma_cookie(domain: iommu_domain): void {
	const cookie = domain.iova_cookie;
	if (cookie === null) return;

	cookie_reset_space(cookie);
	kfree(cookie);
	domain.iova_cookie = null;
}

/** The reserved regions that firmware describes (drivers/iommu/dma-iommu.c: iommu_dma_get_resv_regions()). */
export function iommu_dma_get_resv_regions(dev: device, list: list_head<iommu_resv_region>): void {
	if (dev.of_node !== null) of_iommu_get_resv_regions(dev, list);
}

/** Devices of one domain may share a doorbell. */
function cookie_has_msi_page(cookie: iommu_dma_cookie, phys: phys_addr_t): bool {
	for (const msi_page of list_for_each_entry(cookie.msi_page_list)) if (msi_page.phys === phys) return true;
	return false;
}

/** Doorbells that are not translated: address and physical address are one. */
function cookie_init_hw_msi_region(cookie: iommu_dma_cookie, start: phys_addr_t, end: phys_addr_t): int {
	const iovad = cookie.iovad;
	const first = start - iova_offset(iovad, start as number);
	const num_pages = iova_align(iovad, end - first) / iovad.granule;

	for (let i = 0; i < num_pages; i++) {
		const phys = first + i * iovad.granule;
		if (cookie_has_msi_page(cookie, phys)) continue;
		const msi_page = kmalloc(iommu_dma_msi_page, GFP_KERNEL);
		if (msi_page === null) return -ENOMEM;
		msi_page.phys = phys;
		msi_page.iova = msi_page.phys as number;
		list_add(msi_page.list, cookie.msi_page_list);
	}
	return 0;
}

function iommu_dma_ranges_sort(
	_priv: unknown,
	a: list_head<resource_entry>,
	b: list_head<resource_entry>,
): int {
	return list_entry(a).res.start > list_entry(b).res.start ? 1 : 0;
}

/** Keep what lies from @start up to the window at @end out of the space, when there is something. */
function reserve_iova_gap(dev: pci_dev, iovad: iova_domain, start: dma_addr_t, end: dma_addr_t): int {
	if (end < start) {
		dev_err(dev.dev, 'Failed to reserve IOVA [%pa-%pa]', start, end);
		return -EINVAL;
	}
	if (end === start) return 0;
	// As a double, the last address of all is one too high for a division.
	const hi = shr64(end, iova_shift(iovad));
	return reserve_iova(iovad, iova_pfn(iovad, start), hi) === null ? -ENOMEM : 0;
}

/**
 * Keep out of the space what never reaches the IOMMU from a PCI device: addresses that the host bridge gives to other
 * devices, and those between and behind its windows on memory.
 */
function iova_reserve_pci_windows(dev: pci_dev, iovad: iova_domain): int {
	if (dev.bus === null) return 0;
	const bridge = pci_find_host_bridge(dev.bus);

	for (const window of resource_list_for_each_entry(bridge.windows)) {
		if (resource_type(window.res) !== IORESOURCE_MEM) continue;
		const lo = iova_pfn(iovad, (window.res.start - window.offset) as number);
		const hi = iova_pfn(iovad, (window.res.end - window.offset) as number);
		if (reserve_iova(iovad, lo, hi) === null) return -ENOMEM;
	}

	let start: dma_addr_t = 0;
	list_sort(null, bridge.dma_ranges, iommu_dma_ranges_sort);
	for (const window of resource_list_for_each_entry(bridge.dma_ranges)) {
		const ret = reserve_iova_gap(dev, iovad, start, (window.res.start - window.offset) as number);
		if (ret !== 0) return ret;
		start = (window.res.end - window.offset + 1) as number;
	}
	if (list_empty(bridge.dma_ranges) || start >= U64_MAX) return 0;
	return reserve_iova_gap(dev, iovad, start, U64_MAX);
}

/** Keep the device's reserved regions out of the space. */
function iova_reserve_iommu_regions(dev: device, domain: iommu_domain): int {
	const cookie = domain.iova_cookie as iommu_dma_cookie;
	const iovad = cookie.iovad;
	const resv_regions = new list_head<iommu_resv_region>();
	let ret: int = 0;

	if (dev_is_pci(dev)) {
		// DEVIATION: as below.
		free_cached_iovas(iovad);
		ret = iova_reserve_pci_windows(to_pci_dev(dev), iovad);
		if (ret !== 0) return ret;
	}

	iommu_get_resv_regions(dev, resv_regions);
	// DEVIATION: for a device that joins late, addresses that are cached for reuse must not lie in its regions.
	if (!list_empty(resv_regions)) free_cached_iovas(iovad);
	for (const region of list_for_each_entry(resv_regions)) {
		// That one moves: doorbells get their addresses when they are mapped.
		if (region.type === IOMMU_RESV_SW_MSI) continue;

		const start = region.start as number;
		const last = iova_pfn(iovad, start + region.length - 1);
		// Linux goes on, and may give the region away.
		if (reserve_iova(iovad, iova_pfn(iovad, start), last) === null) ret = -ENOMEM;
		else if (region.type === IOMMU_RESV_MSI)
			ret = cookie_init_hw_msi_region(cookie, region.start, region.start + region.length);
		if (ret !== 0) break;
	}
	iommu_put_resv_regions(dev, resv_regions);
	return ret;
}

/** Whether @dev must see nothing but the bytes of its buffers: the rest of a granule is somebody else's. */
function dev_is_untrusted(dev: device): bool {
	return dev_is_pci(dev) && to_pci_dev(dev).untrusted !== 0;
}

/** Whether a buffer may not be mapped where it is: for the device's sake, or as it may share cache lines. */
function dev_use_swiotlb(dev: device, size: size_t, dir: dma_data_direction): bool {
	return dev_is_untrusted(dev) || dma_kmalloc_needs_bounce(dev, size, dir);
}

/** One such entry is enough for the whole list. */
function dev_use_sg_swiotlb(dev: device, sg: scatterlist, nents: int, dir: dma_data_direction): bool {
	if (dev_is_untrusted(dev)) return true;
	if (dma_kmalloc_safe(dev, dir)) return false;
	let s: scatterlist | null = sg;
	for (let i = 0; i < nents && can_deref(s); i++, s = sg_next(s)) {
		if (!dma_kmalloc_size_aligned(s.length)) return true;
	}
	return false;
}

function iommu_dma_init_options(options: iommu_dma_options, dev: device): void {
	if (dev.iommu!.shadow_on_flush) {
		// A flush is expensive there: rarely, and all at once.
		options.qt = IOMMU_DMA_OPTS_SINGLE_QUEUE;
		options.fq_timeout = IOVA_SINGLE_FQ_TIMEOUT;
		options.fq_size = IOVA_SINGLE_FQ_SIZE;
	} else {
		options.qt = IOMMU_DMA_OPTS_PER_CPU_QUEUE;
		options.fq_size = IOVA_DEFAULT_FQ_SIZE;
		options.fq_timeout = IOVA_DEFAULT_FQ_TIMEOUT;
	}
}

/** The first device sets the space up, the others must fit it; the cookie's mutex is held. */
function __iommu_dma_init_domain(domain: iommu_domain, dev: device): int {
	const cookie = domain.iova_cookie as iommu_dma_cookie;
	const iovad = cookie.iovad;
	const granule = 2 ** __ffs64(domain.pgsize_bitmap);
	// Address 0 is never given out: it would look like a failure.
	const base_pfn = Math.max(1, Math.floor(domain.geometry.aperture_start / granule));

	if (iovad.start_pfn !== 0) {
		if (granule !== iovad.granule || base_pfn !== iovad.start_pfn) {
			pr_warn('Incompatible range for DMA domain');
			return -EFAULT;
		}
		// DEVIATION: what this device reserves is no address for the others either. Its twin looks at the first only.
		return iova_reserve_iommu_regions(dev, domain);
	}

	// DEVIATION: init_iova_domain() is about to die of that, in Linux without a word.
	if (granule > PAGE_SIZE)
		dev_err(
			dev,
			"the smallest page of its IOMMU is %#lx bytes, the CPU's %#lx: the DMA API cannot use that; iommu.passthrough=1 or a driver's def_domain_type leaves it direct",
			granule,
			PAGE_SIZE,
		);
	init_iova_domain(iovad, granule, base_pfn);
	let ret = iova_domain_init_rcaches(iovad);
	if (ret === 0) {
		iommu_dma_init_options(cookie.options, dev);
		// Whoever cannot queue unmaps gets a strict domain.
		if (
			domain.type === IOMMU_DOMAIN_DMA_FQ &&
			(!device_iommu_capable(dev, IOMMU_CAP_DEFERRED_FLUSH) || iommu_dma_init_fq(domain) !== 0)
		)
			domain.type = IOMMU_DOMAIN_DMA;
		ret = iova_reserve_iommu_regions(dev, domain);
	}
	// Linux leaves a space that looks ready to the domain's next device.
	if (ret !== 0) cookie_reset_space(cookie);
	return ret;
}

function iommu_dma_init_domain(domain: iommu_domain, dev: device): int {
	const cookie = domain.iova_cookie;
	const map = dev.dma_range_map;

	if (cookie === null || cookie.type !== IOMMU_DMA_IOVA_COOKIE) return -EINVAL;
	if (
		map !== null &&
		(dma_range_map_min(map) > domain.geometry.aperture_end ||
			dma_range_map_max(map) < domain.geometry.aperture_start)
	) {
		pr_warn('specified DMA range outside IOMMU capability');
		return -EFAULT;
	}

	mutex_lock(cookie.mutex);
	const ret = __iommu_dma_init_domain(domain, dev);
	mutex_unlock(cookie.mutex);
	return ret;
}

/** The IOMMU_… rights of a mapping. */
function dma_info_to_prot(dir: dma_data_direction, coherent: bool, attrs: unsigned_long): int {
	if (!valid_dma_direction(dir)) return 0;
	let prot = coherent ? IOMMU_CACHE : 0;
	if (dir !== DMA_FROM_DEVICE) prot |= IOMMU_READ;
	if (dir !== DMA_TO_DEVICE) prot |= IOMMU_WRITE;
	return (attrs & DMA_ATTR_PRIVILEGED) === 0 ? prot : prot | IOMMU_PRIV;
}

/** An address for @size bytes (whole granules), 0 when there is none. */
function iommu_dma_alloc_iova(domain: iommu_domain, size: size_t, dma_limit: u64, dev: device): dma_addr_t {
	const cookie = domain.iova_cookie as iommu_dma_cookie;
	const iovad = cookie.iovad;

	if (cookie.type === IOMMU_DMA_MSI_COOKIE) {
		cookie.msi_iova += size;
		return cookie.msi_iova - size;
	}

	const shift = iova_shift(iovad);
	let limit = min_not_zero(dma_limit, dev.bus_dma_limit);
	if (domain.geometry.force_aperture) limit = min(limit, domain.geometry.aperture_end);

	// Much of what can do more than 32 bits has never been tried with more.
	const dev_iommu = dev.iommu as dev_iommu;
	if (limit > DMA_BIT_MASK(32) && dev_iommu.pci_32bit_workaround !== 0) {
		const low = alloc_iova_fast(iovad, size / iovad.granule, shr64(DMA_BIT_MASK(32), shift), false);
		if (low !== 0) return low * iovad.granule;
		dev_iommu.pci_32bit_workaround = 0;
		dev_notice(dev, 'Using %d-bit DMA addresses', bits_per(limit));
	}
	return alloc_iova_fast(iovad, size / iovad.granule, shr64(limit, shift), true) * iovad.granule;
}

function iommu_dma_free_iova(
	cookie: iommu_dma_cookie,
	iova: dma_addr_t,
	size: size_t,
	gather: iommu_iotlb_gather | null,
): void {
	const iovad = cookie.iovad;
	const pages = size / iovad.granule;

	if (cookie.type === IOMMU_DMA_MSI_COOKIE) cookie.msi_iova -= size;
	else if (gather?.queued) queue_iova(cookie, iova_pfn(iovad, iova), pages, gather.freelist);
	else free_iova_fast(iovad, iova_pfn(iovad, iova), pages);
}

function __iommu_dma_unmap(dev: device, dma_addr: dma_addr_t, size: size_t): void {
	const domain = iommu_get_dma_domain(dev) as iommu_domain;
	const cookie = domain.iova_cookie as iommu_dma_cookie;
	const iovad = cookie.iovad;
	const iova_off = iova_offset(iovad, dma_addr);
	const start = dma_addr - iova_off;
	const len = iova_align(iovad, size + iova_off);
	const gather = new iommu_iotlb_gather();

	iommu_iotlb_gather_init(gather);
	gather.queued = cookie.fq_domain !== null;
	const unmapped = iommu_unmap_fast(domain, start, len, gather);
	WARN_ON(unmapped !== len);

	if (!gather.queued) iommu_iotlb_sync(domain, gather);
	iommu_dma_free_iova(cookie, start, len, gather);
}

function __iommu_dma_map(dev: device, phys: phys_addr_t, size: size_t, prot: int, dma_mask: u64): dma_addr_t {
	const domain = iommu_get_dma_domain(dev) as iommu_domain;
	const cookie = domain.iova_cookie as iommu_dma_cookie;
	const iovad = cookie.iovad;
	const iova_off = iova_offset(iovad, phys as number);

	if (state.iommu_deferred_attach_enabled && iommu_deferred_attach(dev, domain) !== 0)
		return DMA_MAPPING_ERROR;

	// Offsets are kept inside a granule only.
	if (dev_WARN_ONCE(dev, dma_get_min_align_mask(dev) > iova_mask(iovad), 'Unsupported alignment constraint'))
		return DMA_MAPPING_ERROR;

	const len = iova_align(iovad, size + iova_off);
	const iova = iommu_dma_alloc_iova(domain, len, dma_mask, dev);
	if (iova === 0) return DMA_MAPPING_ERROR;
	if (iommu_map(domain, iova, phys - iova_off, len, prot, GFP_ATOMIC) !== 0) {
		iommu_dma_free_iova(cookie, iova, len, null);
		return DMA_MAPPING_ERROR;
	}
	return iova + iova_off;
}

function __iommu_dma_free_pages(pages: (page | null)[], count: int): void {
	for (let i = count - 1; i >= 0; i--) __free_page(deref(deref(pages)[i]));
	kvfree(deref(pages));
}

/**
 * @count pages, in the largest blocks that the IOMMU can map as one and that are to be had.
 * @order_mask: the orders that are worth having
 */
function __iommu_dma_alloc_pages(
	dev: device,
	count: unsigned_int,
	order_mask: unsigned_long,
	gfp: gfp_t,
): (page | null)[] | null {
	const nid = dev_to_node(dev);
	let orders = order_mask & (2 ** (MAX_PAGE_ORDER + 1) - 1);
	if (orders === 0) return null;

	const pages = kvcalloc<page>(count, null, GFP_KERNEL);
	if (pages === null) return null;

	const flags = gfp | __GFP_NOWARN | __GFP_HIGHMEM;
	let i = 0;
	while (i < count) {
		// Orders that failed, or are too large now, are not tried again.
		orders &= 2 ** (32 - Math.clz32(count - i)) - 1;
		let got: page | null = null;
		let order = 0;
		while (orders !== 0) {
			order = 31 - Math.clz32(orders);
			const only = orders === 1 << order;
			got = alloc_pages_node(nid, only ? flags : flags | __GFP_NORETRY, order);
			if (got !== null) break;
			orders &= ~(1 << order);
		}
		if (got === null) {
			__iommu_dma_free_pages(pages, i);
			return null;
		}
		if (order !== 0) split_page(got, order);
		for (let k = 0; k < 1 << order; k++) pages[i++] = nth_page(got, k);
	}
	return pages;
}

/** Pages behind one range of device addresses; @sgt lists them, its first entry holds the range. */
function __iommu_dma_alloc_noncontiguous(
	dev: device,
	size: size_t,
	sgt: sg_table,
	gfp: gfp_t,
	attrs: unsigned_long,
): (page | null)[] | null {
	const domain = iommu_get_dma_domain(dev) as iommu_domain;
	const cookie = domain.iova_cookie as iommu_dma_cookie;
	const ioprot = dma_info_to_prot(DMA_BIDIRECTIONAL, dev_is_dma_coherent(dev), attrs);
	let alloc_sizes = domain.pgsize_bitmap % 2 ** 32;
	let min_size = 2 ** __ffs64(alloc_sizes);
	let bytes = size;

	if (state.iommu_deferred_attach_enabled && iommu_deferred_attach(dev, domain) !== 0) return null;

	if (min_size < PAGE_SIZE) {
		min_size = PAGE_SIZE;
		alloc_sizes = (alloc_sizes | PAGE_SIZE) >>> 0;
	} else {
		bytes = ALIGN(bytes, min_size);
	}
	if ((attrs & DMA_ATTR_ALLOC_SINGLE_PAGES) !== 0) alloc_sizes = min_size;

	const count = PAGE_ALIGN(bytes) / PAGE_SIZE;
	const pages = __iommu_dma_alloc_pages(dev, count, alloc_sizes >>> PAGE_SHIFT, gfp);
	if (pages === null) return null;

	bytes = iova_align(cookie.iovad, bytes);
	const iova = iommu_dma_alloc_iova(domain, bytes, dev.coherent_dma_mask, dev);
	undo_pages: {
		if (iova === 0) break undo_pages;
		undo_iova: {
			// From here on the flags are for the table and the IOMMU's own tables.
			const table_gfp = gfp & ~(__GFP_DMA | __GFP_DMA32 | __GFP_HIGHMEM | __GFP_COMP);
			if (sg_alloc_table_from_pages(sgt, pages as page[], count, 0, bytes, table_gfp) !== 0) break undo_iova;

			if ((ioprot & IOMMU_CACHE) === 0) {
				let sg = sgt.sgl;
				for (let i = 0; i < sgt.orig_nents && can_deref(sg); i++, sg = sg_next(sg))
					arch_dma_prep_coherent(sg_page(sg), sg.length);
			}

			const sgl = deref(sgt.sgl);
			const ret = iommu_map_sg(domain, iova, sgl, sgt.orig_nents, ioprot, table_gfp);
			if (ret < 0 || ret < bytes) {
				sg_free_table(sgt);
				break undo_iova;
			}
			sgl.dma_address = iova;
			sgl.dma_length = bytes;
			return pages;
		}
		iommu_dma_free_iova(cookie, iova, bytes, null);
	}
	__iommu_dma_free_pages(pages, count);
	return null;
}

/** A coherent buffer from pages that lie anywhere, as one range for CPU and device. */
function iommu_dma_alloc_remap(
	dev: device,
	size: size_t,
	dma_handle: ref<dma_addr_t>,
	gfp: gfp_t,
	attrs: unsigned_long,
): void_ptr | null {
	const prot = dma_pgprot(dev, PAGE_KERNEL, attrs);
	const sgt = new sg_table();
	const pages = __iommu_dma_alloc_noncontiguous(dev, size, sgt, gfp, attrs);
	if (pages === null) return null;

	deref(dma_handle).value = deref(sgt.sgl).dma_address;
	sg_free_table(sgt);
	const vaddr = dma_common_pages_remap(pages as page[], size, prot, null);
	if (vaddr === null) {
		__iommu_dma_unmap(dev, dma_handle.value, size);
		__iommu_dma_free_pages(pages, PAGE_ALIGN(size) / PAGE_SIZE);
		return null;
	}
	return vaddr;
}

/** The table of a non-contiguous allocation, and its pages. */
class dma_sgt_handle extends sg_table {
	pages: (page | null)[] | null = null;
}

function sgt_handle(sgt: sg_table): dma_sgt_handle {
	return deref(sgt) as dma_sgt_handle;
}

/** drivers/iommu/dma-iommu.c: iommu_dma_alloc_noncontiguous(); see dma_alloc_noncontiguous(). */
export function iommu_dma_alloc_noncontiguous(
	dev: device,
	size: size_t,
	dir: dma_data_direction,
	gfp: gfp_t,
	attrs: unsigned_long,
): sg_table | null {
	const sh = kmalloc(dma_sgt_handle, gfp);
	if (sh === null) return null;
	sh.pages = __iommu_dma_alloc_noncontiguous(dev, size, sh, gfp, attrs);
	if (sh.pages === null) {
		kfree(sh);
		return null;
	}
	return sh;
}

/** drivers/iommu/dma-iommu.c: iommu_dma_free_noncontiguous() */
export function iommu_dma_free_noncontiguous(
	dev: device,
	size: size_t,
	sgt: sg_table,
	dir: dma_data_direction,
): void {
	const sh = sgt_handle(sgt);
	__iommu_dma_unmap(dev, deref(sgt.sgl).dma_address, size);
	__iommu_dma_free_pages(sh.pages as page[], PAGE_ALIGN(size) / PAGE_SIZE);
	sg_free_table(sh);
	kfree(sh);
}

/** drivers/iommu/dma-iommu.c: iommu_dma_vmap_noncontiguous() */
export function iommu_dma_vmap_noncontiguous(dev: device, size: size_t, sgt: sg_table): void_ptr | null {
	return vmap(deref(sgt_handle(sgt).pages) as page[], PAGE_ALIGN(size) / PAGE_SIZE, VM_MAP, PAGE_KERNEL);
}

/** include/linux/iommu-dma.h: iommu_dma_vunmap_noncontiguous() */
export function iommu_dma_vunmap_noncontiguous(dev: device, vaddr: void_ptr): void {
	vunmap(vaddr);
}

/** drivers/iommu/dma-iommu.c: iommu_dma_mmap_noncontiguous() */
export function iommu_dma_mmap_noncontiguous(
	dev: device,
	vma: vm_area_struct,
	size: size_t,
	sgt: sg_table,
): int {
	const count = PAGE_ALIGN(size) / PAGE_SIZE;
	if (deref(vma).vm_pgoff >= count || vma_pages(vma) > count - vma.vm_pgoff) return -ENXIO;
	return vm_map_pages(vma, sgt_handle(sgt).pages as page[], count);
}

/** drivers/iommu/dma-iommu.c: iommu_dma_sync_single_for_cpu() */
export function iommu_dma_sync_single_for_cpu(
	dev: device,
	dma_handle: dma_addr_t,
	size: size_t,
	dir: dma_data_direction,
): void {
	const coherent = dev_is_dma_coherent(dev);
	if (coherent && !dev_use_swiotlb(dev, size, dir)) return;

	const phys = iommu_iova_to_phys(iommu_get_dma_domain(dev) as iommu_domain, dma_handle);
	if (!coherent) {
		if (dir !== DMA_TO_DEVICE) dma_tell_unmapped(dev, 'dma_sync_single_for_cpu', dma_handle, phys, size);
		arch_sync_dma_for_cpu(phys, size, dir);
	}
	swiotlb_sync_single_for_cpu(dev, phys, size, dir);
}

/** drivers/iommu/dma-iommu.c: iommu_dma_sync_single_for_device() */
export function iommu_dma_sync_single_for_device(
	dev: device,
	dma_handle: dma_addr_t,
	size: size_t,
	dir: dma_data_direction,
): void {
	const coherent = dev_is_dma_coherent(dev);
	if (coherent && !dev_use_swiotlb(dev, size, dir)) return;

	const phys = iommu_iova_to_phys(iommu_get_dma_domain(dev) as iommu_domain, dma_handle);
	swiotlb_sync_single_for_device(dev, phys, size, dir);
	if (coherent) return;
	dma_tell_unmapped(dev, 'dma_sync_single_for_device', dma_handle, phys, size);
	arch_sync_dma_for_device(phys, size, dir);
}

/** Every entry of @sgl to one side: by @sync_single what is bounced, else the caches alone, by @sync_arch. */
function sync_sg(
	dev: device,
	sgl: scatterlist,
	nelems: int,
	dir: dma_data_direction,
	sync_single: typeof iommu_dma_sync_single_for_cpu,
	sync_arch: typeof arch_sync_dma_for_cpu,
): void {
	const bounced = sg_dma_is_swiotlb(sgl);
	if (!bounced && dev_is_dma_coherent(dev)) return;

	let sg: scatterlist | null = sgl;
	for (let i = 0; i < nelems && can_deref(sg); i++, sg = sg_next(sg)) {
		if (bounced) sync_single(dev, sg.dma_address, sg.length, dir);
		else sync_arch(sg_phys(sg), sg.length, dir);
	}
}

/** drivers/iommu/dma-iommu.c: iommu_dma_sync_sg_for_cpu() */
export function iommu_dma_sync_sg_for_cpu(
	dev: device,
	sgl: scatterlist,
	nelems: int,
	dir: dma_data_direction,
): void {
	sync_sg(dev, sgl, nelems, dir, iommu_dma_sync_single_for_cpu, arch_sync_dma_for_cpu);
}

/** drivers/iommu/dma-iommu.c: iommu_dma_sync_sg_for_device() */
export function iommu_dma_sync_sg_for_device(
	dev: device,
	sgl: scatterlist,
	nelems: int,
	dir: dma_data_direction,
): void {
	sync_sg(dev, sgl, nelems, dir, iommu_dma_sync_single_for_device, arch_sync_dma_for_device);
}

/**
 * Clear what an untrusted device sees around its bounced buffer: the start and the end of its granules.
 *
 * DEVIATION: its twin leaves the zeros in the CPU's cache, where a device that does not snoop misses them.
 */
function clear_padding(
	iovad: iova_domain,
	phys: phys_addr_t,
	size: size_t,
	coherent: bool,
	dir: dma_data_direction,
): void {
	const start = iova_align_down(iovad, phys as number);
	const end = iova_align(iovad, (phys as number) + size);
	const granules = phys_to_virt(start, end - start);

	granules.fill(0, 0, (phys as number) - start);
	granules.fill(0, (phys as number) + size - start);
	if (!coherent) arch_sync_dma_for_device(start, end - start, dir);
}

/** drivers/iommu/dma-iommu.c: iommu_dma_map_page(); see dma_map_page_attrs(). */
export function iommu_dma_map_page(
	dev: device,
	page: page,
	offset: unsigned_long,
	size: size_t,
	dir: dma_data_direction,
	attrs: unsigned_long,
): dma_addr_t {
	const coherent = dev_is_dma_coherent(dev);
	const prot = dma_info_to_prot(dir, coherent, attrs);
	const domain = iommu_get_dma_domain(dev) as iommu_domain;
	const iovad = (domain.iova_cookie as iommu_dma_cookie).iovad;
	let phys: phys_addr_t = page_to_phys(page) + offset;

	// What fills whole granules shares no line with anything.
	if (
		dev_use_swiotlb(dev, size, dir) &&
		(iova_offset(iovad, phys as number) !== 0 || iova_offset(iovad, size) !== 0)
	) {
		if (!is_swiotlb_active(dev)) {
			dev_warn_once(dev, 'DMA bounce buffers are inactive, unable to map unaligned transaction.');
			return DMA_MAPPING_ERROR;
		}
		trace_swiotlb_bounced(dev, phys as number, size);
		phys = swiotlb_tbl_map_single(dev, phys, size, iova_mask(iovad), dir, attrs);
		if ((phys as number) === (DMA_MAPPING_ERROR as number)) return DMA_MAPPING_ERROR;
		if (dev_is_untrusted(dev)) clear_padding(iovad, phys, size, coherent, dir);
	}

	if (!coherent && (attrs & DMA_ATTR_SKIP_CPU_SYNC) === 0) {
		dma_tell_unmapped(dev, 'dma_map_page', phys as number, phys, size);
		arch_sync_dma_for_device(phys, size, dir);
	}

	const iova = __iommu_dma_map(dev, phys, size, prot, dma_get_mask(dev));
	if (iova === DMA_MAPPING_ERROR) swiotlb_tbl_unmap_single(dev, phys, size, dir, attrs);
	return iova;
}

/** drivers/iommu/dma-iommu.c: iommu_dma_unmap_page() */
export function iommu_dma_unmap_page(
	dev: device,
	dma_handle: dma_addr_t,
	size: size_t,
	dir: dma_data_direction,
	attrs: unsigned_long,
): void {
	const phys = iommu_iova_to_phys(iommu_get_dma_domain(dev) as iommu_domain, dma_handle);
	if (WARN_ON(phys === 0)) return;

	if ((attrs & DMA_ATTR_SKIP_CPU_SYNC) === 0 && !dev_is_dma_coherent(dev))
		arch_sync_dma_for_cpu(phys, size, dir);
	__iommu_dma_unmap(dev, dma_handle, size);
	swiotlb_tbl_unmap_single(dev, phys, size, dir, attrs);
}

/**
 * Restore the entries of a mapped list and write the segments over the list's DMA fields.
 *
 * iommu_dma_map_sg() left each entry's offset and length in its DMA fields, and made the entry itself whole
 * granules, padding included. An entry joins the segment before it when it starts on a granule, does not begin at
 * a boundary that segments must not cross, and the segment stays short enough.
 */
function __finalise_sg(dev: device, sg: scatterlist, nents: int, iova: dma_addr_t): int {
	const seg_mask = dma_get_seg_boundary(dev);
	const max_len = dma_get_max_seg_size(dev);
	let cur = sg;
	let cur_len = 0;
	let count = 0;
	let dma_addr = iova;
	let s: scatterlist | null = sg;

	for (let i = 0; i < nents && can_deref(s); i++, s = sg_next(s)) {
		const s_iova_off = s.dma_address;
		const s_length = s.dma_length;
		const s_iova_len = s.length;

		s.dma_address = DMA_MAPPING_ERROR;
		s.dma_length = 0;
		s.offset += s_iova_off;
		s.length = s_length;

		// Unsigned in C: what is too long already takes more.
		const room = (max_len - cur_len) >>> 0;
		// DEVIATION: in 6.12 it takes more until the length of the segment wraps.
		const fits = room >= s_length && cur_len + s_length <= U32_MAX;
		if (cur_len !== 0 && s_iova_off === 0 && and64(dma_addr, seg_mask) !== 0 && fits) {
			cur_len += s_length;
		} else {
			if (i > 0) cur = sg_next(cur) as scatterlist;
			cur_len = s_length;
			count++;
			cur.dma_address = dma_addr + s_iova_off;
		}
		cur.dma_length = cur_len;
		dma_addr += s_iova_len;

		// Something lies between this entry and the next.
		if (s_length + s_iova_off < s_iova_len) cur_len = 0;
	}
	return count;
}

/** Restore the entries of a list whose mapping failed. */
function __invalidate_sg(sg: scatterlist, nents: int): void {
	let s: scatterlist | null = sg;
	for (let i = 0; i < nents && can_deref(s); i++, s = sg_next(s)) {
		if (s.dma_address !== DMA_MAPPING_ERROR) s.offset = (s.offset + s.dma_address) % 2 ** 32;
		if (s.dma_length !== 0) s.length = s.dma_length;
		s.dma_address = DMA_MAPPING_ERROR;
		s.dma_length = 0;
	}
}

function iommu_dma_unmap_sg_swiotlb(
	dev: device,
	sg: scatterlist,
	nents: int,
	dir: dma_data_direction,
	attrs: unsigned_long,
): void {
	let s: scatterlist | null = sg;
	for (let i = 0; i < nents && can_deref(s); i++, s = sg_next(s))
		iommu_dma_unmap_page(dev, s.dma_address, s.dma_length, dir, attrs);
}

/** Map a list entry by entry, since some must bounce. */
function iommu_dma_map_sg_swiotlb(
	dev: device,
	sg: scatterlist,
	nents: int,
	dir: dma_data_direction,
	attrs: unsigned_long,
): int {
	sg_dma_mark_swiotlb(sg);
	let s: scatterlist | null = sg;
	for (let i = 0; i < nents && can_deref(s); i++, s = sg_next(s)) {
		s.dma_address = iommu_dma_map_page(dev, sg_page(s), s.offset, s.length, dir, attrs);
		if (s.dma_address === DMA_MAPPING_ERROR) {
			iommu_dma_unmap_sg_swiotlb(dev, sg, i, dir, attrs | DMA_ATTR_SKIP_CPU_SYNC);
			return -EIO;
		}
		s.dma_length = s.length;
	}
	return nents;
}

/** How far from @len to the next boundary of @mask: (mask - len + 1) & mask. */
function sg_pad_len(mask: unsigned_long, len: size_t): size_t {
	// Numbers as large as this are multiples of 2048; none but that of an empty list may come out as U64_MAX.
	if (mask >= U64_MAX) return len === 0 ? 0 : U64_MAX - Math.max(len, 2048);
	const span = mask + 1;
	if (is_power_of_2(span)) return len % span === 0 ? 0 : span - (len % span);
	const left = span - len;
	return and64(left < 0 ? left + 2 ** 53 : left, mask);
}

/** Mark the entries from @sg on as not prepared. */
function iommu_dma_forget_sg(sg: scatterlist | null, nents: int): void {
	let s = sg;
	for (let i = 0; i < nents && can_deref(s); i++, s = sg_next(s)) {
		s.dma_address = DMA_MAPPING_ERROR;
		s.dma_length = 0;
	}
}

/**
 * Make every entry whole granules, and let entries grow by what keeps the next one from crossing a boundary.
 *
 * Return: the bytes of device addresses needed, -EOVERFLOW, or -EREMOTEIO.
 */
function iommu_dma_prepare_sg(
	dev: device,
	iovad: iova_domain,
	sg: scatterlist,
	nents: int,
	mask: unsigned_long,
): ssize_t {
	let iova_len = 0;
	let prev: scatterlist | null = null;
	let p2pdma_state: pci_p2pdma_map_state | null = null;
	let s: scatterlist | null = sg;

	for (let i = 0; i < nents && can_deref(s); i++, s = sg_next(s)) {
		if (is_pci_p2pdma_page(sg_page(s))) {
			p2pdma_state ??= new pci_p2pdma_map_state();
			// One that the device reaches through the host bridge is mapped as memory is.
			if (pci_p2pdma_map_segment(p2pdma_state, dev, s) !== PCI_P2PDMA_MAP_THRU_HOST_BRIDGE) {
				iommu_dma_forget_sg(s, nents - i);
				return -EREMOTEIO;
			}
		}

		const s_iova_off = iova_offset(iovad, s.offset);
		const pad_len = sg_pad_len(mask, iova_len);
		const s_length = iova_align(iovad, s.length + s_iova_off);

		// The DMA fields are free until the end: they keep what must be restored.
		s.dma_address = s_iova_off;
		s.dma_length = s.length;
		s.offset -= s_iova_off;
		if (s_length > U32_MAX) {
			iommu_dma_forget_sg(sg_next(s), nents - i - 1);
			return -EOVERFLOW;
		}
		s.length = s_length;

		// Nothing is as long as -1 in C: an empty entry is padded in any case.
		const longest = s_length === 0 ? U64_MAX : s_length - 1;
		if (prev !== null && pad_len !== 0 && pad_len < longest) {
			if (prev.length + pad_len > U32_MAX) {
				iommu_dma_forget_sg(sg_next(s), nents - i - 1);
				return -EOVERFLOW;
			}
			prev.length += pad_len;
			iova_len += pad_len;
		}
		iova_len += s_length;
		prev = s;
	}
	return iova_len;
}

/**
 * Map a list as one range of device addresses, in as few segments as the device's limits let.
 *
 * Return: the number of segments, -ENOMEM without an address, -EREMOTEIO for a PCI device's memory, else -EINVAL;
 * -EIO when bouncing failed.
 * Linux: drivers/iommu/dma-iommu.c: iommu_dma_map_sg()
 */
export function iommu_dma_map_sg(
	dev: device,
	sg: scatterlist,
	nents: int,
	dir: dma_data_direction,
	attrs: unsigned_long,
): int {
	const domain = iommu_get_dma_domain(dev) as iommu_domain;
	const cookie = domain.iova_cookie as iommu_dma_cookie;
	const prot = dma_info_to_prot(dir, dev_is_dma_coherent(dev), attrs);

	if (state.iommu_deferred_attach_enabled) {
		const attached = iommu_deferred_attach(dev, domain);
		if (attached !== 0) return attached === -ENOMEM || attached === -EREMOTEIO ? attached : -EINVAL;
	}

	if (dev_use_sg_swiotlb(dev, sg, nents, dir)) return iommu_dma_map_sg_swiotlb(dev, sg, nents, dir, attrs);
	// DEVIATION: Linux never takes the mark back, and unmaps a list that bounced once entry by entry ever after.
	sg.dma_flags &= ~SG_DMA_SWIOTLB;

	if ((attrs & DMA_ATTR_SKIP_CPU_SYNC) === 0) iommu_dma_sync_sg_for_device(dev, sg, nents, dir);

	let ret: ssize_t = iommu_dma_prepare_sg(dev, cookie.iovad, sg, nents, dma_get_seg_boundary(dev));
	if (ret === 0) return __finalise_sg(dev, sg, nents, 0);
	if (ret > 0) {
		const iova_len = ret;
		const iova = iommu_dma_alloc_iova(domain, iova_len, dma_get_mask(dev), dev);
		if (iova === 0) {
			ret = -ENOMEM;
		} else {
			ret = iommu_map_sg(domain, iova, sg, nents, prot, GFP_ATOMIC);
			if (ret >= iova_len) return __finalise_sg(dev, sg, nents, iova);
			iommu_dma_free_iova(cookie, iova, iova_len, null);
		}
	}
	__invalidate_sg(sg, nents);
	return ret === -ENOMEM || ret === -EREMOTEIO ? ret : -EINVAL;
}

/** drivers/iommu/dma-iommu.c: iommu_dma_unmap_sg() */
export function iommu_dma_unmap_sg(
	dev: device,
	sg: scatterlist,
	nents: int,
	dir: dma_data_direction,
	attrs: unsigned_long,
): void {
	if (sg_dma_is_swiotlb(sg)) {
		iommu_dma_unmap_sg_swiotlb(dev, sg, nents, dir, attrs);
		return;
	}
	if ((attrs & DMA_ATTR_SKIP_CPU_SYNC) === 0) iommu_dma_sync_sg_for_cpu(dev, sg, nents, dir);

	// The segments are one range; the first entry without a length ends them.
	const start = sg.dma_address;
	let end = 0;
	let s: scatterlist | null = sg;
	for (let i = 0; i < nents && can_deref(s) && s.dma_length !== 0; i++, s = sg_next(s))
		end = s.dma_address + s.dma_length;
	if (end !== 0) __iommu_dma_unmap(dev, start, end - start);
}

/** drivers/iommu/dma-iommu.c: iommu_dma_map_resource() */
export function iommu_dma_map_resource(
	dev: device,
	phys: phys_addr_t,
	size: size_t,
	dir: dma_data_direction,
	attrs: unsigned_long,
): dma_addr_t {
	const prot = dma_info_to_prot(dir, false, attrs) | IOMMU_MMIO;
	return __iommu_dma_map(dev, phys, size, prot, dma_get_mask(dev));
}

/** drivers/iommu/dma-iommu.c: iommu_dma_unmap_resource() */
export function iommu_dma_unmap_resource(
	dev: device,
	handle: dma_addr_t,
	size: size_t,
	dir: dma_data_direction,
	attrs: unsigned_long,
): void {
	__iommu_dma_unmap(dev, handle, size);
}

/** Free a coherent buffer that is unmapped; its address tells which kind it is. */
function __iommu_dma_free(dev: device, size: size_t, cpu_addr: void_ptr): void {
	const alloc_size = PAGE_ALIGN(size);
	if (dma_free_from_pool(dev, cpu_addr, alloc_size)) return;

	let pages: (page | null)[] | null = null;
	let page: page | null = null;
	if (is_vmalloc_addr(cpu_addr)) {
		pages = dma_common_find_pages(cpu_addr);
		if (pages === null) page = vmalloc_to_page(cpu_addr);
		dma_common_free_remap(cpu_addr, alloc_size);
	} else {
		page = virt_to_page(cpu_addr);
	}
	if (pages !== null) __iommu_dma_free_pages(pages, alloc_size / PAGE_SIZE);
	if (page !== null) dma_free_contiguous(dev, page, alloc_size);
}

/** drivers/iommu/dma-iommu.c: iommu_dma_free() */
export function iommu_dma_free(
	dev: device,
	size: size_t,
	cpu_addr: void_ptr,
	handle: dma_addr_t,
	attrs: unsigned_long,
): void {
	__iommu_dma_unmap(dev, handle, size);
	__iommu_dma_free(dev, size, cpu_addr);
}

/** Contiguous memory, cleared; @pagep takes its first page. */
function iommu_dma_alloc_pages(
	dev: device,
	size: size_t,
	pagep: ref<page | null>,
	gfp: gfp_t,
	attrs: unsigned_long,
): void_ptr | null {
	const coherent = dev_is_dma_coherent(dev);
	const alloc_size = PAGE_ALIGN(size);
	const page =
		dma_alloc_contiguous(dev, alloc_size, gfp) ??
		alloc_pages_node(dev_to_node(dev), gfp, get_order(alloc_size));
	if (page === null) return null;

	let cpu_addr: void_ptr | null;
	if (!coherent || PageHighMem(page)) {
		cpu_addr = dma_common_contiguous_remap(page, alloc_size, dma_pgprot(dev, PAGE_KERNEL, attrs), null);
		if (cpu_addr === null) {
			dma_free_contiguous(dev, page, alloc_size);
			return null;
		}
		if (!coherent) arch_dma_prep_coherent(page, size);
	} else {
		cpu_addr = page_address(page, alloc_size);
	}
	pagep.value = page;
	cpu_addr.fill(0, 0, alloc_size);
	return cpu_addr;
}

/** drivers/iommu/dma-iommu.c: iommu_dma_alloc(); see dma_alloc_attrs(). */
export function iommu_dma_alloc(
	dev: device,
	size: size_t,
	handle: ref<dma_addr_t>,
	gfp: gfp_t,
	attrs: unsigned_long,
): void_ptr | null {
	const coherent = dev_is_dma_coherent(dev);
	const ioprot = dma_info_to_prot(DMA_BIDIRECTIONAL, coherent, attrs);
	const may_block = gfpflags_allow_blocking(gfp);
	const flags = gfp | __GFP_ZERO;

	if (may_block && (attrs & DMA_ATTR_FORCE_CONTIGUOUS) === 0)
		return iommu_dma_alloc_remap(dev, size, handle, flags, attrs);

	const page = new ref<page | null>(null);
	let cpu_addr: void_ptr | null;
	if (!may_block && !coherent) {
		const from_pool = new ref<void_ptr | null>(null);
		page.value = dma_alloc_from_pool(dev, PAGE_ALIGN(size), from_pool, flags, null);
		cpu_addr = page.value === null ? null : from_pool.value;
	} else {
		cpu_addr = iommu_dma_alloc_pages(dev, size, page, flags, attrs);
	}
	if (cpu_addr === null) return null;

	deref(handle).value = __iommu_dma_map(
		dev,
		page_to_phys(page.value as page),
		size,
		ioprot,
		dev.coherent_dma_mask,
	);
	if (handle.value === DMA_MAPPING_ERROR) {
		__iommu_dma_free(dev, size, cpu_addr);
		return null;
	}
	return cpu_addr;
}

/** drivers/iommu/dma-iommu.c: iommu_dma_mmap(); see dma_mmap_attrs(). */
export function iommu_dma_mmap(
	dev: device,
	vma: vm_area_struct,
	cpu_addr: void_ptr,
	dma_addr: dma_addr_t,
	size: size_t,
	attrs: unsigned_long,
): int {
	const nr_pages = PAGE_ALIGN(size) / PAGE_SIZE;
	const off = deref(vma).vm_pgoff;
	const ret = new ref<int>(0);

	vma.vm_page_prot = dma_pgprot(dev, vma.vm_page_prot, attrs);
	if (dma_mmap_from_dev_coherent(dev, vma, cpu_addr, size, ret)) return ret.value;
	if (off >= nr_pages || vma_pages(vma) > nr_pages - off) return -ENXIO;

	let pfn: unsigned_long;
	if (is_vmalloc_addr(cpu_addr)) {
		const pages = dma_common_find_pages(cpu_addr);
		if (pages !== null) return vm_map_pages(vma, pages as page[], nr_pages);
		pfn = vmalloc_to_pfn(cpu_addr);
	} else {
		pfn = page_to_pfn(virt_to_page(cpu_addr));
	}
	return remap_pfn_range(vma, vma.vm_start, pfn + off, vma.vm_end - vma.vm_start, vma.vm_page_prot);
}

/** drivers/iommu/dma-iommu.c: iommu_dma_get_sgtable(); see dma_get_sgtable_attrs(). */
export function iommu_dma_get_sgtable(
	dev: device,
	sgt: sg_table,
	cpu_addr: void_ptr,
	dma_addr: dma_addr_t,
	size: size_t,
	attrs: unsigned_long,
): int {
	let page: page;
	if (is_vmalloc_addr(cpu_addr)) {
		const pages = dma_common_find_pages(cpu_addr);
		if (pages !== null)
			return sg_alloc_table_from_pages(
				sgt,
				pages as page[],
				PAGE_ALIGN(size) / PAGE_SIZE,
				0,
				size,
				GFP_KERNEL,
			);
		page = vmalloc_to_page(cpu_addr) as page;
	} else {
		page = virt_to_page(cpu_addr);
	}

	const ret = sg_alloc_table(sgt, 1, GFP_KERNEL);
	if (ret === 0) sg_set_page(deref(sgt.sgl), page, PAGE_ALIGN(size), 0);
	return ret;
}

/** drivers/iommu/dma-iommu.c: iommu_dma_get_merge_boundary() */
export function iommu_dma_get_merge_boundary(dev: device): unsigned_long {
	return 2 ** __ffs64((iommu_get_dma_domain(dev) as iommu_domain).pgsize_bitmap) - 1;
}

/** drivers/iommu/dma-iommu.c: iommu_dma_opt_mapping_size() */
export function iommu_dma_opt_mapping_size(): size_t {
	return iova_rcache_range();
}

/** drivers/iommu/dma-iommu.c: iommu_dma_max_mapping_size() */
export function iommu_dma_max_mapping_size(dev: device): size_t {
	return dev_is_untrusted(dev) ? swiotlb_max_mapping_size(dev) : SIZE_MAX;
}

/** Let the DMA API use @dev's domain, if it is one for that (drivers/iommu/dma-iommu.c: iommu_setup_dma_ops()). */
export function iommu_setup_dma_ops(dev: device): void {
	// DEVIATION: its twin asks the domain that is attached now. That may be somebody's own, and then the device would
	// be without translation in the DMA API after that domain has gone.
	const domain = iommu_get_dma_domain(dev);

	if (dev_is_pci(dev)) (dev.iommu as dev_iommu).pci_32bit_workaround = state.iommu_dma_forcedac ? 0 : 1;
	dev.dma_iommu = iommu_is_dma_domain(domain);
	if (dev.dma_iommu && iommu_dma_init_domain(domain, dev) !== 0) {
		pr_warn('Failed to set up IOMMU for device %s; retaining platform DMA ops', dev_name(dev));
		dev.dma_iommu = false;
	}
}

/** Where @dev sees the doorbell at @msi_addr: an old page of @domain, or a new one. Null: no memory, no address. */
function iommu_dma_get_msi_page(
	dev: device,
	msi_addr: phys_addr_t,
	domain: iommu_domain,
): iommu_dma_msi_page | null {
	const cookie = domain.iova_cookie as iommu_dma_cookie;
	const size = cookie_msi_granule(cookie);
	const phys = msi_addr - ((msi_addr as number) % size);

	for (const msi_page of list_for_each_entry(cookie.msi_page_list))
		if (msi_page.phys === phys) return msi_page;

	const msi_page = kzalloc(iommu_dma_msi_page, GFP_KERNEL);
	if (msi_page === null) return null;

	const iova = iommu_dma_alloc_iova(domain, size, dma_get_mask(dev), dev);
	if (iova !== 0) {
		const prot = IOMMU_WRITE | IOMMU_NOEXEC | IOMMU_MMIO;
		if (iommu_map(domain, iova, phys, size, prot, GFP_KERNEL) === 0) {
			msi_page.phys = phys;
			msi_page.iova = iova;
			list_add(msi_page.list, cookie.msi_page_list);
			return msi_page;
		}
		iommu_dma_free_iova(cookie, iova, size, null);
	}
	kfree(msi_page);
	return null;
}

/**
 * Have the domain that is attached to @desc's device map the doorbell at @msi_addr, and note where.
 *
 * Return: 0, also when nothing is translated, or -ENOMEM. May sleep.
 * Linux: drivers/iommu/dma-iommu.c: iommu_dma_prepare_msi()
 */
export function iommu_dma_prepare_msi(desc: msi_desc, msi_addr: phys_addr_t): int {
	const dev = msi_desc_to_dev(desc);
	const domain = iommu_get_domain_for_dev(dev);
	const cookie = domain?.iova_cookie ?? null;

	if (domain === null || cookie === null) {
		msi_desc_set_iommu_msi_iova(desc, 0, 0);
		return 0;
	}

	mutex_lock(state.msi_prepare_lock);
	const msi_page = iommu_dma_get_msi_page(dev, msi_addr, domain);
	mutex_unlock(state.msi_prepare_lock);
	if (msi_page === null) return -ENOMEM;

	msi_desc_set_iommu_msi_iova(desc, msi_page.iova, ilog2(cookie_msi_granule(cookie)));
	return 0;
}

/**
 * Put the address that the device sees in @msg, which has the doorbell's own.
 *
 * Linux: drivers/iommu/dma-iommu.c: iommu_dma_compose_msi_msg()
 */
export function iommu_dma_compose_msi_msg(desc: msi_desc, msg: msi_msg): void {
	if (desc.iommu_msi_shift === 0) return;

	const granule = 2 ** desc.iommu_msi_shift;
	const iova = desc.iommu_msi_iova * granule;
	msg.address_hi = upper_32_bits(iova);
	msg.address_lo = lower_32_bits(iova) + (msg.address_lo % granule);
}

function iommu_dma_init(): int {
	state.iommu_deferred_attach_enabled = is_kdump_kernel();
	const ret = iova_cache_get();
	state.have_iova_cache = ret === 0;
	return ret;
}
arch_initcall(iommu_dma_init);
