// SPDX-License-Identifier: GPL-2.0-only
// The IOMMU of the Allwinner H6 and H616.
// Linux 6.12: drivers/iommu/sun50i-iommu.c
//
// Where this driver knowingly differs from its twin the comment says DEVIATION; Documentation/deviations.md
// tells why.

import { bytes, phys_to_virt, phys_to_virt_words, virt_to_phys, words } from '#asm/memory.js';
import { get_order } from '#asm/page.js';
import { put_device } from '#drivers/base/core.js';
import { devm_kzalloc } from '#drivers/base/devres.js';
import { devm_platform_ioremap_resource, platform_get_irq } from '#drivers/base/platform.js';
import { type clk, clk_disable_unprepare, clk_prepare_enable } from '#drivers/clk/clk.js';
import { devm_clk_get } from '#drivers/clk/clk-devres.js';
import {
	dev_iommu_priv_set,
	generic_single_device_group,
	iommu_device_register,
	iommu_device_unregister,
	iommu_fwspec_add_ids,
	report_iommu_fault,
} from '#drivers/iommu/iommu.js';
import { iommu_alloc_pages, iommu_free_pages } from '#drivers/iommu/iommu-pages.js';
import { iommu_device_sysfs_add, iommu_device_sysfs_remove } from '#drivers/iommu/iommu-sysfs.js';
import { of_find_device_by_node } from '#drivers/of/platform.js';
import { reset_control_assert, reset_control_deassert } from '#drivers/reset/core.js';
import { dma_map_single, dma_sync_single_for_device, dma_unmap_single } from '#kernel/dma/mapping.js';
import { cmpxchg } from '#linux/atomic.js';
import { FIELD_GET, FIELD_PREP } from '#linux/bitfield.js';
import { type bitmap, bitmap_free, bitmap_zalloc } from '#linux/bitmap.js';
import { set_bit, test_bit } from '#linux/bitops.js';
import { BIT, GENMASK } from '#linux/bits.js';
import { WARN_ON } from '#linux/bug.js';
import { dev_dbg, dev_err, dev_warn, dev_warn_once } from '#linux/dev_printk.js';
import { dev_name, type device } from '#linux/device.js';
import { DMA_TO_DEVICE } from '#linux/dma-direction.js';
import { DMA_BIT_MASK, DMA_MAPPING_ERROR, dma_mapping_error } from '#linux/dma-mapping.js';
import { ERR_PTR, type err_ptr, IS_ERR, PTR_ERR } from '#linux/err.js';
import { EBUSY, EINVAL, ENODEV, ENOMEM, ETIMEDOUT } from '#linux/errno.js';
import { GFP_DMA32, GFP_KERNEL } from '#linux/gfp.js';
import { boot_data } from '#linux/init.js';
import { devm_request_irq, IRQ_HANDLED, IRQ_NONE, type irqreturn_t } from '#linux/interrupt.js';
import { readl, writel } from '#linux/io.js';
import {
	dev_iommu_priv_get,
	IOMMU_DOMAIN_IDENTITY,
	IOMMU_FAULT_READ,
	IOMMU_FAULT_WRITE,
	IOMMU_READ,
	IOMMU_WRITE,
	iommu_device,
	iommu_domain,
	type iommu_domain_ops,
	type iommu_iotlb_gather,
	type iommu_ops,
} from '#linux/iommu.js';
import { readl_poll_timeout_atomic } from '#linux/iopoll.js';
import { ilog2 } from '#linux/log2.js';
import { upper_32_bits } from '#linux/math64.js';
import type { of_device_id } from '#linux/mod_devicetable.js';
import type { of_phandle_args } from '#linux/of_node.js';
import {
	builtin_platform_driver_probe,
	type platform_device,
	platform_driver,
	platform_get_drvdata,
	platform_set_drvdata,
} from '#linux/platform_device.js';
import { refcount_dec, refcount_inc, refcount_set, refcount_t } from '#linux/refcount.js';
import { devm_reset_control_get, type reset_control } from '#linux/reset.js';
import { SZ_1M, SZ_4K } from '#linux/sizes.js';
import {
	kfree,
	type kmem_cache,
	kmem_cache_create,
	kmem_cache_destroy,
	kmem_cache_free,
	kmem_cache_zalloc,
	kzalloc,
	SLAB_CACHE_DMA32,
	SLAB_HWCACHE_ALIGN,
} from '#linux/slab.js';
import {
	assert_spin_locked,
	spin_lock,
	spin_lock_init,
	spin_lock_irqsave,
	spin_unlock,
	spin_unlock_irqrestore,
	spinlock_t,
} from '#linux/spinlock.js';
import {
	type __iomem,
	type bool,
	type dma_addr_t,
	type gfp_t,
	type int,
	type phys_addr_t,
	ref,
	type size_t,
	type u32,
	type unsigned_int,
	type unsigned_long,
} from '#linux/types.js';

// A bit a master: 0 holds it in reset.
const IOMMU_RESET_REG = 0x010;
const IOMMU_RESET_RELEASE_ALL = 0xffffffff;

const IOMMU_ENABLE_REG = 0x020;
const IOMMU_ENABLE_ENABLE = BIT(0);

// A bit a master: 1 lets its accesses pass untranslated.
const IOMMU_BYPASS_REG = 0x030;

const IOMMU_AUTO_GATING_REG = 0x040;
const IOMMU_AUTO_GATING_ENABLE = BIT(0);

// Physical address of the directory, 16 KiB aligned.
const IOMMU_TTB_REG = 0x050;

const IOMMU_TLB_PREFETCH_REG = 0x070;
const IOMMU_TLB_PREFETCH_MASTER_ENABLE = (m: unsigned_int): u32 => BIT(m);

// Bits written clear themselves when that cache is empty.
const IOMMU_TLB_FLUSH_REG = 0x080;
const IOMMU_TLB_FLUSH_PTW_CACHE = BIT(17);
const IOMMU_TLB_FLUSH_MACRO_TLB = BIT(16);
const IOMMU_TLB_FLUSH_MICRO_TLB = (i: unsigned_int): u32 => BIT(i) & GENMASK(5, 0);

// Invalidate the TLB entries whose address equals ADDR in the bits of MASK; ENABLE clears itself.
const IOMMU_TLB_IVLD_ADDR_REG = 0x090;
const IOMMU_TLB_IVLD_ADDR_MASK_REG = 0x094;
const IOMMU_TLB_IVLD_ENABLE_REG = 0x098;
const IOMMU_TLB_IVLD_ENABLE_ENABLE = BIT(0);

// The same for the cached directory entry of the MiB around ADDR.
const IOMMU_PC_IVLD_ADDR_REG = 0x0a0;
const IOMMU_PC_IVLD_ENABLE_REG = 0x0a8;
const IOMMU_PC_IVLD_ENABLE_ENABLE = BIT(0);

// What each master may not do in permission domain d: two domains a word, two bits a master.
const IOMMU_DM_AUT_CTRL_REG = (d: unsigned_int): u32 => 0x0b0 + (d >>> 1) * 4;
const IOMMU_DM_AUT_CTRL_RD_UNAVAIL = (d: unsigned_int, m: unsigned_int): u32 => BIT((d & 1) * 16 + m * 2);
const IOMMU_DM_AUT_CTRL_WR_UNAVAIL = (d: unsigned_int, m: unsigned_int): u32 => BIT((d & 1) * 16 + m * 2 + 1);

const IOMMU_INT_ENABLE_REG = 0x100;
const IOMMU_INT_CLR_REG = 0x104;
const IOMMU_INT_STA_REG = 0x108;
const IOMMU_INT_INVALID_L2PG = BIT(17);
const IOMMU_INT_INVALID_L1PG = BIT(16);
// A bit a master: permission fault; in the L1PG and L2PG words: whose access it was.
const IOMMU_INT_MASTER_MASK = GENMASK(5, 0);
const IOMMU_INT_MASK = IOMMU_INT_INVALID_L1PG | IOMMU_INT_INVALID_L2PG | IOMMU_INT_MASTER_MASK;

// Permission fault of master i: the address, and the page-table word that forbade it.
const IOMMU_INT_ERR_ADDR_REG = (i: unsigned_int): u32 => 0x110 + i * 4;
const IOMMU_INT_ERR_DATA_REG = (i: unsigned_int): u32 => 0x150 + i * 4;
// No valid word in the directory (L1) or in the page table (L2): the address, and the masters to blame.
const IOMMU_INT_ERR_ADDR_L1_REG = 0x130;
const IOMMU_INT_ERR_ADDR_L2_REG = 0x134;
const IOMMU_L1PG_INT_REG = 0x0180;
const IOMMU_L2PG_INT_REG = 0x0184;

const NUM_MASTERS = 6;

const PT_ENTRY_SIZE = 4;

const NUM_DT_ENTRIES = 4096;
const DT_SIZE = NUM_DT_ENTRIES * PT_ENTRY_SIZE;

const NUM_PT_ENTRIES = 256;
const PT_SIZE = NUM_PT_ENTRIES * PT_ENTRY_SIZE;

const SPAGE_SIZE = 4096;

/** One IOMMU block. */
export class sun50i_iommu {
	iommu: iommu_device = new iommu_device(this);
	/** For the registers; the interrupt handler takes it, too. */
	iommu_lock: spinlock_t = new spinlock_t('iommu_lock');
	dev!: device;
	base: __iomem = 0;
	reset!: reset_control;
	clk!: clk;
	/**
	 * What the hardware does now: a domain's tables, or (identity) nothing. It becomes identity under @iommu_lock:
	 * who holds that and sees another domain may access registers.
	 */
	domain!: iommu_domain;
	pt_pool!: kmem_cache<Uint8Array>;
	/**
	 * DEVIATION: whether the clock is on because of us. Its twin enables it once more with every attach. It becomes false
	 * under @iommu_lock: until then the interrupt handler answers for what came before translation was turned off.
	 */
	powered: bool = false;
}

/** One address space. */
export class sun50i_iommu_domain extends iommu_domain {
	/** Starts at 1; each device that is attached adds one. */
	refcnt: refcount_t = new refcount_t();
	/** The directory, as the CPU and as the walker know it. */
	dt: Uint32Array | null = null;
	/** DEVIATION: DMA_MAPPING_ERROR while it is attached nowhere; its twin leaves there what was. */
	dt_dma: dma_addr_t = 0;
	/** DEVIATION: the directory words that the walker can see. Its twin trusts in a word that is stored. */
	dt_clean: bitmap | null = null;
	/** Where it is, or was, attached; null: the hardware has never seen it. */
	iommu: sun50i_iommu | null = null;
	/** DEVIATION: whose memory the tables come from. Its twin asks @iommu, and so cannot map before the first attach. */
	home: sun50i_iommu | null = null;
}

/**
 * @domain as what it is; the caller knows that it is one of this driver
 * (drivers/iommu/sun50i-iommu.c: to_sun50i_domain()).
 */
export function to_sun50i_domain(domain: iommu_domain): sun50i_iommu_domain {
	return domain as sun50i_iommu_domain;
}

function sun50i_iommu_from_dev(dev: device): sun50i_iommu | null {
	return dev_iommu_priv_get(dev) as sun50i_iommu | null;
}

function iommu_read(iommu: sun50i_iommu, offset: u32): u32 {
	return readl(iommu.base + offset);
}

function iommu_write(iommu: sun50i_iommu, offset: u32, value: u32): void {
	writel(value, iommu.base + offset);
}

/*
 * Two levels translate an address. A directory (DT) has a word for each MiB of the address space; a page table
 * (PT) has a word for each 4 KiB page of one MiB.
 *
 *  31           20 19        12 11           0
 * +---------------+------------+--------------+
 * | index in DT   | index in PT| offset       |
 * +---------------+------------+--------------+
 */
const SUN50I_IOVA_DTE_MASK = GENMASK(31, 20);
const SUN50I_IOVA_PTE_MASK = GENMASK(19, 12);
const SUN50I_IOVA_PAGE_MASK = GENMASK(11, 0);

/** Which directory word translates @iova (drivers/iommu/sun50i-iommu.c: sun50i_iova_get_dte_index()). */
export function sun50i_iova_get_dte_index(iova: dma_addr_t): u32 {
	return FIELD_GET(SUN50I_IOVA_DTE_MASK, iova as number);
}

/** Which word of its page table translates @iova (drivers/iommu/sun50i-iommu.c: sun50i_iova_get_pte_index()). */
export function sun50i_iova_get_pte_index(iova: dma_addr_t): u32 {
	return FIELD_GET(SUN50I_IOVA_PTE_MASK, iova as number);
}

function sun50i_iova_get_page_offset(iova: dma_addr_t): u32 {
	return FIELD_GET(SUN50I_IOVA_PAGE_MASK, iova as number);
}

/*
 * A directory word (DTE):
 *
 *  31                      10 9        2 1   0
 * +--------------------------+----------+-----+
 * | address of the PT, 1 KiB | reserved |  V  |   V: 01 is valid
 * +--------------------------+----------+-----+
 */
const SUN50I_DTE_PT_ADDRESS_MASK = GENMASK(31, 10);
const SUN50I_DTE_PT_ATTRS = GENMASK(1, 0);
const SUN50I_DTE_PT_VALID = 1;

/**
 * Physical address of the page table that a valid @dte points to
 * (drivers/iommu/sun50i-iommu.c: sun50i_dte_get_pt_address()).
 */
export function sun50i_dte_get_pt_address(dte: u32): phys_addr_t {
	return (dte & SUN50I_DTE_PT_ADDRESS_MASK) >>> 0;
}

/** Whether @dte points to a page table (drivers/iommu/sun50i-iommu.c: sun50i_dte_is_pt_valid()). */
export function sun50i_dte_is_pt_valid(dte: u32): bool {
	return (dte & SUN50I_DTE_PT_ATTRS) === SUN50I_DTE_PT_VALID;
}

function sun50i_mk_dte(pt_dma: dma_addr_t): u32 {
	return ((pt_dma & SUN50I_DTE_PT_ADDRESS_MASK) | SUN50I_DTE_PT_VALID) >>> 0;
}

/*
 * A page-table word (PTE):
 *
 *  31               12 11    8 7    4 3   2 1 0
 * +-------------------+-------+------+-----+-+-+
 * | address of the page| rsvd | ACI  | rsvd|V|r|   V: 1 is valid
 * +-------------------+-------+------+-----+-+-+
 *
 * Rights are not in the word. ACI names one of 16 permission domains, and the registers say what each master may
 * not do in it. Four of them, set up alike for every master, give the four combinations of reading and writing;
 * domain 0 is left alone, as it comes up with rights of its own.
 */
type sun50i_iommu_aci = u32;
const SUN50I_IOMMU_ACI_NONE = 1;
const SUN50I_IOMMU_ACI_RD = 2;
const SUN50I_IOMMU_ACI_WR = 3;
const SUN50I_IOMMU_ACI_RD_WR = 4;

const SUN50I_PTE_PAGE_ADDRESS_MASK = GENMASK(31, 12);
const SUN50I_PTE_ACI_MASK = GENMASK(7, 4);
const SUN50I_PTE_PAGE_VALID = BIT(1);

function sun50i_pte_get_page_address(pte: u32): phys_addr_t {
	return (pte & SUN50I_PTE_PAGE_ADDRESS_MASK) >>> 0;
}

function sun50i_get_pte_aci(pte: u32): sun50i_iommu_aci {
	return FIELD_GET(SUN50I_PTE_ACI_MASK, pte);
}

/** Whether @pte maps a page (drivers/iommu/sun50i-iommu.c: sun50i_pte_is_page_valid()). */
export function sun50i_pte_is_page_valid(pte: u32): bool {
	return (pte & SUN50I_PTE_PAGE_VALID) !== 0;
}

function sun50i_mk_pte(page: phys_addr_t, prot: int): u32 {
	let aci: sun50i_iommu_aci = SUN50I_IOMMU_ACI_NONE;

	switch (prot & (IOMMU_READ | IOMMU_WRITE)) {
		case IOMMU_READ | IOMMU_WRITE:
			aci = SUN50I_IOMMU_ACI_RD_WR;
			break;
		case IOMMU_READ:
			aci = SUN50I_IOMMU_ACI_RD;
			break;
		case IOMMU_WRITE:
			aci = SUN50I_IOMMU_ACI_WR;
			break;
	}
	const flags = FIELD_PREP(SUN50I_PTE_ACI_MASK, aci) | SUN50I_PTE_PAGE_VALID;
	return ((page & SUN50I_PTE_PAGE_ADDRESS_MASK) | flags) >>> 0;
}

/** Clean @count words of @table from the @first on out of the cache: the walker does not snoop. */
function sun50i_table_flush(
	sun50i_domain: sun50i_iommu_domain,
	table: Uint32Array,
	first: unsigned_int,
	count: unsigned_int,
): void {
	// Tables are mapped one to one, so the bus address is the physical one.
	const dma: dma_addr_t = (virt_to_phys(table) as number) + first * PT_ENTRY_SIZE;

	dma_sync_single_for_device(sun50i_domain.home!.dev, dma, count * PT_ENTRY_SIZE, DMA_TO_DEVICE);
}

/**
 * Clean a directory's word @index. DEVIATION: attached nowhere, the directory is not mapped, and the next attach
 * cleans all of it; where it is attached may be another instance than the tables' own.
 */
function sun50i_directory_flush(sun50i_domain: sun50i_iommu_domain, index: u32): void {
	const { iommu, dt_dma } = sun50i_domain;
	if (iommu === null || dt_dma === DMA_MAPPING_ERROR) return;
	const at = (dt_dma as number) + index * PT_ENTRY_SIZE;
	dma_sync_single_for_device(iommu.dev, at, PT_ENTRY_SIZE, DMA_TO_DEVICE);
}

/** Wait until the hardware has cleared @reg: 0, or -ETIMEDOUT after 2 ms. */
function sun50i_iommu_wait_clear(iommu: sun50i_iommu, reg: u32): int {
	return readl_poll_timeout_atomic(iommu.base + reg, new ref<u32>(0), (val) => val === 0, 1, 2000);
}

function sun50i_iommu_zap_iova(iommu: sun50i_iommu, iova: unsigned_long): void {
	iommu_write(iommu, IOMMU_TLB_IVLD_ADDR_REG, iova);
	iommu_write(iommu, IOMMU_TLB_IVLD_ADDR_MASK_REG, GENMASK(31, 12));
	iommu_write(iommu, IOMMU_TLB_IVLD_ENABLE_REG, IOMMU_TLB_IVLD_ENABLE_ENABLE);

	if (sun50i_iommu_wait_clear(iommu, IOMMU_TLB_IVLD_ENABLE_REG) !== 0)
		dev_warn(iommu.dev, 'TLB invalidation timed out!');
}

function sun50i_iommu_zap_ptw_cache(iommu: sun50i_iommu, iova: unsigned_long): void {
	iommu_write(iommu, IOMMU_PC_IVLD_ADDR_REG, iova);
	iommu_write(iommu, IOMMU_PC_IVLD_ENABLE_REG, IOMMU_PC_IVLD_ENABLE_ENABLE);

	if (sun50i_iommu_wait_clear(iommu, IOMMU_PC_IVLD_ENABLE_REG) !== 0)
		dev_warn(iommu.dev, 'PTW cache invalidation timed out!');
}

/** @zap at both ends of a range, and one @step beyond each; an end within a step of the start is left out. */
function sun50i_iommu_zap_ends(
	iommu: sun50i_iommu,
	zap: (iommu: sun50i_iommu, iova: unsigned_long) => void,
	iova: unsigned_long,
	size: size_t,
	step: size_t,
): void {
	const last = size > step ? iova + size : iova;

	for (let end = iova; ; end = last) {
		zap(iommu, end);
		zap(iommu, end + step);
		if (end === last) return;
	}
}

/**
 * Forget what may be cached of a range that was just mapped: what a miss left, and what a prefetch beyond an end
 * of it brought. The addresses are those that the vendor's driver takes.
 */
function sun50i_iommu_zap_range(iommu: sun50i_iommu, iova: unsigned_long, size: size_t): void {
	assert_spin_locked(iommu.iommu_lock);

	iommu_write(iommu, IOMMU_AUTO_GATING_REG, 0);
	sun50i_iommu_zap_ends(iommu, sun50i_iommu_zap_iova, iova, size, SPAGE_SIZE);
	sun50i_iommu_zap_ends(iommu, sun50i_iommu_zap_ptw_cache, iova, size, SZ_1M);
	iommu_write(iommu, IOMMU_AUTO_GATING_REG, IOMMU_AUTO_GATING_ENABLE);
}

function sun50i_iommu_flush_all_tlb(iommu: sun50i_iommu): int {
	let caches: u32 = IOMMU_TLB_FLUSH_PTW_CACHE | IOMMU_TLB_FLUSH_MACRO_TLB;

	assert_spin_locked(iommu.iommu_lock);

	for (let m = 0; m < NUM_MASTERS; m++) caches |= IOMMU_TLB_FLUSH_MICRO_TLB(m);
	iommu_write(iommu, IOMMU_TLB_FLUSH_REG, caches);

	const ret = sun50i_iommu_wait_clear(iommu, IOMMU_TLB_FLUSH_REG);
	if (ret !== 0) dev_warn(iommu.dev, 'TLB Flush timed out!');
	return ret;
}

/** Whether translation is off, and the clock with it: then no register may be accessed. */
function sun50i_iommu_is_off(iommu: sun50i_iommu): bool {
	return iommu.domain === sun50i_iommu_identity_domain;
}

/** Whether its clock is off, too: no fault is read from its registers. */
function sun50i_iommu_is_dark(iommu: sun50i_iommu): bool {
	return sun50i_iommu_is_off(iommu) && !iommu.powered;
}

function sun50i_iommu_flush_iotlb_all(domain: iommu_domain): void {
	const iommu = to_sun50i_domain(domain).iommu;

	// Nothing is cached of a domain that was never attached.
	if (iommu === null) return;

	const flags = spin_lock_irqsave(iommu.iommu_lock);
	if (!sun50i_iommu_is_off(iommu)) sun50i_iommu_flush_all_tlb(iommu);
	spin_unlock_irqrestore(iommu.iommu_lock, flags);
}

function sun50i_iommu_iotlb_sync_map(domain: iommu_domain, iova: unsigned_long, size: size_t): int {
	const iommu = to_sun50i_domain(domain).iommu;

	// DEVIATION: as above. The attach to come flushes everything.
	if (iommu === null) return 0;

	const flags = spin_lock_irqsave(iommu.iommu_lock);
	if (!sun50i_iommu_is_off(iommu)) sun50i_iommu_zap_range(iommu, iova, size);
	spin_unlock_irqrestore(iommu.iommu_lock, flags);
	return 0;
}

function sun50i_iommu_iotlb_sync(domain: iommu_domain, gather: iommu_iotlb_gather): void {
	sun50i_iommu_flush_iotlb_all(domain);
}

/** What no master may do in permission domain @aci, as bits of its register. */
function sun50i_iommu_aut_ctrl(aci: sun50i_iommu_aci, no_read: bool, no_write: bool): u32 {
	let ctrl: u32 = 0;

	for (let m = 0; m < NUM_MASTERS; m++) {
		if (no_read) ctrl |= IOMMU_DM_AUT_CTRL_RD_UNAVAIL(aci, m);
		if (no_write) ctrl |= IOMMU_DM_AUT_CTRL_WR_UNAVAIL(aci, m);
	}
	return ctrl >>> 0;
}

function sun50i_iommu_enable(iommu: sun50i_iommu): int {
	if (sun50i_iommu_is_off(iommu)) return 0;

	const sun50i_domain = to_sun50i_domain(iommu.domain);
	const no_write = sun50i_iommu_aut_ctrl(SUN50I_IOMMU_ACI_RD, false, true);
	const no_read = sun50i_iommu_aut_ctrl(SUN50I_IOMMU_ACI_WR, true, false);
	let prefetch: u32 = 0;
	for (let m = 0; m < NUM_MASTERS; m++) prefetch |= IOMMU_TLB_PREFETCH_MASTER_ENABLE(m);

	let ret = reset_control_deassert(iommu.reset);
	if (ret !== 0) return ret;

	if (!iommu.powered) {
		ret = clk_prepare_enable(iommu.clk);
		if (ret !== 0) {
			reset_control_assert(iommu.reset);
			return ret;
		}
		iommu.powered = true;
	}

	const flags = spin_lock_irqsave(iommu.iommu_lock);

	iommu_write(iommu, IOMMU_TTB_REG, sun50i_domain.dt_dma as number);
	iommu_write(iommu, IOMMU_TLB_PREFETCH_REG, prefetch >>> 0);
	iommu_write(iommu, IOMMU_BYPASS_REG, 0);
	iommu_write(iommu, IOMMU_INT_ENABLE_REG, IOMMU_INT_MASK);
	iommu_write(
		iommu,
		IOMMU_DM_AUT_CTRL_REG(SUN50I_IOMMU_ACI_NONE),
		sun50i_iommu_aut_ctrl(SUN50I_IOMMU_ACI_NONE, true, true),
	);
	iommu_write(iommu, IOMMU_DM_AUT_CTRL_REG(SUN50I_IOMMU_ACI_RD), no_write);
	// DEVIATION: both domains have their bits in this one word. Its twin writes the second's alone, and with that
	// lets everybody write to pages that are mapped to be read.
	iommu_write(iommu, IOMMU_DM_AUT_CTRL_REG(SUN50I_IOMMU_ACI_WR), (no_write | no_read) >>> 0);

	ret = sun50i_iommu_flush_all_tlb(iommu);
	if (ret === 0) {
		iommu_write(iommu, IOMMU_AUTO_GATING_REG, IOMMU_AUTO_GATING_ENABLE);
		iommu_write(iommu, IOMMU_ENABLE_REG, IOMMU_ENABLE_ENABLE);
	}

	spin_unlock_irqrestore(iommu.iommu_lock, flags);

	if (ret !== 0) sun50i_iommu_power_off(iommu);
	return ret;
}

function sun50i_iommu_power_off(iommu: sun50i_iommu): void {
	const flags = spin_lock_irqsave(iommu.iommu_lock);
	iommu.powered = false;
	spin_unlock_irqrestore(iommu.iommu_lock, flags);

	clk_disable_unprepare(iommu.clk);
	reset_control_assert(iommu.reset);
}

function sun50i_iommu_disable(iommu: sun50i_iommu): void {
	const flags = spin_lock_irqsave(iommu.iommu_lock);
	iommu.domain = sun50i_iommu_identity_domain;
	if (iommu.powered) {
		iommu_write(iommu, IOMMU_ENABLE_REG, 0);
		iommu_write(iommu, IOMMU_TTB_REG, 0);
	}
	spin_unlock_irqrestore(iommu.iommu_lock, flags);

	// When the enable had failed, it has cleaned up.
	if (iommu.powered) sun50i_iommu_power_off(iommu);
}

function sun50i_iommu_alloc_page_table(iommu: sun50i_iommu, gfp: gfp_t): Uint32Array | err_ptr {
	const page_table = kmem_cache_zalloc(iommu.pt_pool, gfp);
	if (page_table === null) return ERR_PTR(-ENOMEM);

	const pt_dma = dma_map_single(iommu.dev, page_table, PT_SIZE, DMA_TO_DEVICE);
	if (dma_mapping_error(iommu.dev, pt_dma) === 0) {
		// The CPU walks the tables, too: the address in a directory word must do for both.
		WARN_ON((pt_dma as number) !== (virt_to_phys(page_table) as number));
		return words(page_table, NUM_PT_ENTRIES);
	}

	dev_err(iommu.dev, "Couldn't map L2 Page Table");
	kmem_cache_free(iommu.pt_pool, page_table);
	return ERR_PTR(-ENOMEM);
}

function sun50i_iommu_free_page_table(iommu: sun50i_iommu, pt_phys: phys_addr_t): void {
	dma_unmap_single(iommu.dev, pt_phys as number, PT_SIZE, DMA_TO_DEVICE);
	kmem_cache_free(iommu.pt_pool, phys_to_virt(pt_phys, PT_SIZE));
}

/** The page table that @dte, a valid word, points to. */
function sun50i_dte_to_page_table(dte: u32): Uint32Array {
	return phys_to_virt_words(sun50i_dte_get_pt_address(dte), NUM_PT_ENTRIES);
}

/** Have the walker see @page_table, and find it through the directory. */
function sun50i_publish_page_table(
	sun50i_domain: sun50i_iommu_domain,
	page_table: Uint32Array,
	index: u32,
): void {
	// The table first: the walker must not find one through the directory that is not there yet.
	sun50i_table_flush(sun50i_domain, page_table, 0, NUM_PT_ENTRIES);
	sun50i_directory_flush(sun50i_domain, index);
	set_bit(index, sun50i_domain.dt_clean!);
}

/** The page table for @iova, made if need be. Who comes second, of two that make it at once, takes the first's. */
function sun50i_dte_get_page_table(
	sun50i_domain: sun50i_iommu_domain,
	iova: dma_addr_t,
	gfp: gfp_t,
): Uint32Array | err_ptr {
	const iommu = sun50i_domain.home!;
	const dt = sun50i_domain.dt!;
	const index = sun50i_iova_get_dte_index(iova);

	const dte = dt[index]!;
	if (sun50i_dte_is_pt_valid(dte)) {
		const known = sun50i_dte_to_page_table(dte);
		// Another CPU may have stored the word and not have come to cleaning it.
		if (!test_bit(index, sun50i_domain.dt_clean!)) sun50i_publish_page_table(sun50i_domain, known, index);
		return known;
	}

	let page_table = sun50i_iommu_alloc_page_table(iommu, gfp);
	if (IS_ERR(page_table)) return page_table;

	const pt_phys = virt_to_phys(page_table);
	const old_dte = cmpxchg(dt, index, 0, sun50i_mk_dte(pt_phys as number));
	if (old_dte !== 0) {
		page_table = sun50i_dte_to_page_table(old_dte);
		sun50i_iommu_free_page_table(iommu, pt_phys);
	}

	sun50i_publish_page_table(sun50i_domain, page_table, index);
	return page_table;
}

/** Map one page; the core comes back for the others. */
function sun50i_iommu_map(
	domain: iommu_domain,
	iova: unsigned_long,
	paddr: phys_addr_t,
	size: size_t,
	count: size_t,
	prot: int,
	gfp: gfp_t,
	mapped: ref<size_t>,
): int {
	const sun50i_domain = to_sun50i_domain(domain);
	const iommu = sun50i_domain.home;

	// DEVIATION: allocated for a bus and not attached yet, there is nobody to make tables for.
	if (iommu === null) return -ENODEV;

	// A page-table word has 32 bits of address, and so has everything in front of it.
	if (upper_32_bits(paddr as number) !== 0) {
		dev_warn_once(iommu.dev, 'attempt to map address beyond 4GB');
		return -EINVAL;
	}

	const page_table = sun50i_dte_get_page_table(sun50i_domain, iova, gfp);
	if (IS_ERR(page_table)) return PTR_ERR(page_table);

	const pte_index = sun50i_iova_get_pte_index(iova);
	const pte = page_table[pte_index]!;
	if (sun50i_pte_is_page_valid(pte)) {
		const page_phys = sun50i_pte_get_page_address(pte);

		dev_err(
			iommu.dev,
			'iova %pad already mapped to %pa cannot remap to %pa prot: %#x',
			iova,
			page_phys,
			paddr,
			prot,
		);
		return -EBUSY;
	}

	page_table[pte_index] = sun50i_mk_pte(paddr, prot);
	sun50i_table_flush(sun50i_domain, page_table, pte_index, 1);
	mapped.value = size;
	return 0;
}

/** Unmap one page: its size, or 0 when it was not mapped. The table stays. */
function sun50i_iommu_unmap(
	domain: iommu_domain,
	iova: unsigned_long,
	size: size_t,
	count: size_t,
	gather: iommu_iotlb_gather,
): size_t {
	const sun50i_domain = to_sun50i_domain(domain);

	const dte = sun50i_domain.dt![sun50i_iova_get_dte_index(iova)]!;
	if (!sun50i_dte_is_pt_valid(dte)) return 0;

	const page_table = sun50i_dte_to_page_table(dte);
	const pte_index = sun50i_iova_get_pte_index(iova);
	if (!sun50i_pte_is_page_valid(page_table[pte_index]!)) return 0;

	page_table[pte_index] = 0;
	sun50i_table_flush(sun50i_domain, page_table, pte_index, 1);
	return SZ_4K;
}

function sun50i_iommu_iova_to_phys(domain: iommu_domain, iova: dma_addr_t): phys_addr_t {
	const dte = to_sun50i_domain(domain).dt![sun50i_iova_get_dte_index(iova)]!;
	if (!sun50i_dte_is_pt_valid(dte)) return 0;

	const pte = sun50i_dte_to_page_table(dte)[sun50i_iova_get_pte_index(iova)]!;
	if (!sun50i_pte_is_page_valid(pte)) return 0;

	return sun50i_pte_get_page_address(pte) + sun50i_iova_get_page_offset(iova);
}

function sun50i_iommu_domain_alloc_paging(dev: device | null): iommu_domain | null {
	const sun50i_domain = kzalloc(sun50i_iommu_domain, GFP_KERNEL);
	if (sun50i_domain === null) return null;

	const dt = iommu_alloc_pages(GFP_KERNEL | GFP_DMA32, get_order(DT_SIZE));
	if (dt === null) {
		kfree(sun50i_domain);
		return null;
	}
	sun50i_domain.dt = words(dt, NUM_DT_ENTRIES);

	sun50i_domain.dt_clean = bitmap_zalloc(NUM_DT_ENTRIES, GFP_KERNEL);
	if (sun50i_domain.dt_clean === null) {
		iommu_free_pages(dt, get_order(DT_SIZE));
		kfree(sun50i_domain);
		return null;
	}
	sun50i_domain.home = dev !== null ? sun50i_iommu_from_dev(dev) : null;

	refcount_set(sun50i_domain.refcnt, 1);
	sun50i_domain.dt_dma = DMA_MAPPING_ERROR;

	sun50i_domain.geometry.aperture_start = 0;
	sun50i_domain.geometry.aperture_end = DMA_BIT_MASK(32);
	sun50i_domain.geometry.force_aperture = true;

	return sun50i_domain;
}

function sun50i_iommu_domain_free(domain: iommu_domain): void {
	const sun50i_domain = to_sun50i_domain(domain);
	const dt = sun50i_domain.dt!;

	// DEVIATION: with its last device gone the core frees a domain that the hardware is still walking.
	if (sun50i_domain.iommu !== null && sun50i_domain.iommu.domain === domain)
		sun50i_iommu_detach_domain(sun50i_domain.iommu, sun50i_domain);

	// DEVIATION: its twin frees page tables on a detach, which never happens; so they are lost.
	for (let i = 0; i < NUM_DT_ENTRIES; i++) {
		const dte = dt[i]!;
		if (!sun50i_dte_is_pt_valid(dte)) continue;
		dt[i] = 0;
		sun50i_iommu_free_page_table(sun50i_domain.home!, sun50i_dte_get_pt_address(dte));
	}

	bitmap_free(sun50i_domain.dt_clean);
	sun50i_domain.dt_clean = null;
	iommu_free_pages(dt, get_order(DT_SIZE));
	sun50i_domain.dt = null;

	kfree(sun50i_domain);
}

/**
 * Have the hardware walk @sun50i_domain's tables. DEVIATION: an attach that fails leaves what was attached before; its
 * twin has let go of that, and tells nobody. As for its twin, a flush that times out is no failure: the log has it.
 */
function sun50i_iommu_attach_domain(iommu: sun50i_iommu, sun50i_domain: sun50i_iommu_domain): int {
	const { domain: old_domain } = iommu;
	const { iommu: old_iommu, home: old_home } = sun50i_domain;

	sun50i_domain.dt_dma = dma_map_single(iommu.dev, bytes(sun50i_domain.dt!), DT_SIZE, DMA_TO_DEVICE);
	if (dma_mapping_error(iommu.dev, sun50i_domain.dt_dma) !== 0) {
		dev_err(iommu.dev, "Couldn't map L1 Page Table");
		return -ENOMEM;
	}

	const was_off = sun50i_iommu_is_off(iommu);
	iommu.domain = sun50i_domain;
	sun50i_domain.iommu = iommu;
	if (old_home === null) sun50i_domain.home = iommu;

	const ret = sun50i_iommu_enable(iommu);
	if (ret === 0 || ret === -ETIMEDOUT) {
		if (!was_off) sun50i_iommu_leave_domain(iommu, to_sun50i_domain(old_domain));
		return 0;
	}

	sun50i_iommu_set_domain(iommu, old_domain);
	sun50i_domain.iommu = old_iommu;
	sun50i_domain.home = old_home;
	sun50i_iommu_unmap_dt(iommu, sun50i_domain);

	return ret;
}

/** Who holds the lock and sees a domain may access registers: it changes under that. */
function sun50i_iommu_set_domain(iommu: sun50i_iommu, domain: iommu_domain): void {
	const flags = spin_lock_irqsave(iommu.iommu_lock);
	iommu.domain = domain;
	spin_unlock_irqrestore(iommu.iommu_lock, flags);
}

function sun50i_iommu_unmap_dt(iommu: sun50i_iommu, sun50i_domain: sun50i_iommu_domain): void {
	if (dma_mapping_error(iommu.dev, sun50i_domain.dt_dma) === 0)
		dma_unmap_single(iommu.dev, sun50i_domain.dt_dma, DT_SIZE, DMA_TO_DEVICE);
	sun50i_domain.dt_dma = DMA_MAPPING_ERROR;
}

/** The hardware has other tables now, or none. */
function sun50i_iommu_leave_domain(iommu: sun50i_iommu, sun50i_domain: sun50i_iommu_domain): void {
	sun50i_iommu_unmap_dt(iommu, sun50i_domain);
	refcount_dec(sun50i_domain.refcnt);
}

/** Turn translation off; the domain keeps what is mapped in it. */
function sun50i_iommu_detach_domain(iommu: sun50i_iommu, sun50i_domain: sun50i_iommu_domain): void {
	sun50i_iommu_disable(iommu);
	sun50i_iommu_unmap_dt(iommu, sun50i_domain);
	refcount_set(sun50i_domain.refcnt, 1);
}

/**
 * DEVIATION: with the first device of the group translation is turned off, for all; the others find that done.
 * Its twin waits for a count of 0 that it never reaches: the tables stay in use, and soon are freed memory.
 */
function sun50i_iommu_identity_attach(identity_domain: iommu_domain, dev: device): int {
	const iommu = sun50i_iommu_from_dev(dev)!;

	dev_dbg(dev, 'Detaching from IOMMU domain');

	if (iommu.domain !== identity_domain) sun50i_iommu_detach_domain(iommu, to_sun50i_domain(iommu.domain));
	return 0;
}

const sun50i_iommu_identity_ops: iommu_domain_ops = {
	attach_dev: sun50i_iommu_identity_attach,
};

const sun50i_iommu_identity_domain: iommu_domain = boot_data(
	() => new iommu_domain({ type: IOMMU_DOMAIN_IDENTITY, ops: sun50i_iommu_identity_ops }),
);

function sun50i_iommu_attach_device(domain: iommu_domain, dev: device): int {
	const sun50i_domain = to_sun50i_domain(domain);

	const iommu = sun50i_iommu_from_dev(dev);
	if (iommu === null) return -ENODEV;

	dev_dbg(dev, 'Attaching to IOMMU domain');

	// DEVIATION: a domain knows one instance, whose caches it has flushed. Its twin forgets the first at the second.
	const other = sun50i_domain.iommu;
	if (other !== null && other !== iommu && other.domain === domain) return -EINVAL;

	refcount_inc(sun50i_domain.refcnt);

	// There is one directory for all masters: what the first device brought is there for the others.
	if (iommu.domain === domain) return 0;

	const ret = sun50i_iommu_attach_domain(iommu, sun50i_domain);
	if (ret !== 0) refcount_dec(sun50i_domain.refcnt);
	return ret;
}

function sun50i_iommu_probe_device(dev: device): iommu_device | err_ptr {
	const iommu = sun50i_iommu_from_dev(dev);
	if (iommu === null) return ERR_PTR(-ENODEV);

	return iommu.iommu;
}

function sun50i_iommu_of_xlate(dev: device, args: of_phandle_args): int {
	const iommu_pdev = of_find_device_by_node(args.np!)!;

	dev_iommu_priv_set(dev, platform_get_drvdata(iommu_pdev));
	put_device(iommu_pdev.dev);

	return iommu_fwspec_add_ids(dev, args.args, 1);
}

const sun50i_iommu_ops: iommu_ops = {
	identity_domain: sun50i_iommu_identity_domain,
	pgsize_bitmap: SZ_4K,
	device_group: generic_single_device_group,
	domain_alloc_paging: sun50i_iommu_domain_alloc_paging,
	of_xlate: sun50i_iommu_of_xlate,
	probe_device: sun50i_iommu_probe_device,
	default_domain_ops: {
		attach_dev: sun50i_iommu_attach_device,
		flush_iotlb_all: sun50i_iommu_flush_iotlb_all,
		iotlb_sync_map: sun50i_iommu_iotlb_sync_map,
		iotlb_sync: sun50i_iommu_iotlb_sync,
		iova_to_phys: sun50i_iommu_iova_to_phys,
		map_pages: sun50i_iommu_map,
		unmap_pages: sun50i_iommu_unmap,
		free: sun50i_iommu_domain_free,
	},
};

function sun50i_iommu_report_fault(
	iommu: sun50i_iommu,
	master: int,
	iova: phys_addr_t,
	prot: unsigned_int,
): void {
	dev_err(
		iommu.dev,
		'Page fault for %pad (master %d, dir %s)',
		iova as number,
		master,
		prot === IOMMU_FAULT_WRITE ? 'wr' : 'rd',
	);

	// DEVIATION: not under the lock. A handler may map what is missing, and that takes it.
	const domain = iommu.domain;
	spin_unlock(iommu.iommu_lock);
	report_iommu_fault(domain, iommu.dev, iova as number, prot);
	spin_lock(iommu.iommu_lock);

	// A repaired mapping must not meet what the fault left in the caches.
	if (!sun50i_iommu_is_dark(iommu)) sun50i_iommu_zap_range(iommu, iova as number, SPAGE_SIZE);
}

/**
 * No mapping: the hardware does not say whether it was a read or a write, so call it a read. @seen: masters whose
 * fault is reported already. Returns all whose fault is, now.
 */
function sun50i_iommu_handle_pt_irq(iommu: sun50i_iommu, addr_reg: u32, blame_reg: u32, seen: u32): u32 {
	assert_spin_locked(iommu.iommu_lock);
	if (sun50i_iommu_is_dark(iommu)) return seen;

	const iova: phys_addr_t = iommu_read(iommu, addr_reg);
	const blame = iommu_read(iommu, blame_reg) & IOMMU_INT_MASTER_MASK;
	const master = ilog2(blame & ~seen);

	// DEVIATION: one address for all masters; the last fault's, so that the others' is lost. Say at least who they
	// are, and forget all that the lost ones may have left in the caches.
	let lost = false;
	for (let m = 0; m < master; m++) {
		if ((blame & ~seen & BIT(m)) === 0) continue;
		dev_err(iommu.dev, 'Page fault for an unknown address (master %d)', m);
		lost = true;
	}
	if (lost) sun50i_iommu_flush_all_tlb(iommu);

	sun50i_iommu_report_fault(iommu, master, iova, IOMMU_FAULT_READ);
	return (blame | seen) >>> 0;
}

/** A mapping without the right: what it does allow tells what was tried. */
function sun50i_iommu_handle_perm_irq(iommu: sun50i_iommu, master: unsigned_int): void {
	assert_spin_locked(iommu.iommu_lock);
	if (sun50i_iommu_is_dark(iommu)) return;

	const iova: phys_addr_t = iommu_read(iommu, IOMMU_INT_ERR_ADDR_REG(master));
	const aci = sun50i_get_pte_aci(iommu_read(iommu, IOMMU_INT_ERR_DATA_REG(master)));

	// Where neither is allowed it may have been both; a read, then.
	const dir = aci === SUN50I_IOMMU_ACI_RD ? IOMMU_FAULT_WRITE : IOMMU_FAULT_READ;

	sun50i_iommu_report_fault(iommu, master, iova, dir);
}

/** The faults of one level that nobody has reported yet. @seen and what it returns: as above. */
function sun50i_iommu_handle_late_irq(iommu: sun50i_iommu, addr_reg: u32, blame_reg: u32, seen: u32): u32 {
	if (sun50i_iommu_is_dark(iommu)) return seen;

	const blame = iommu_read(iommu, blame_reg) & IOMMU_INT_MASTER_MASK;
	return (blame & ~seen) !== 0 ? sun50i_iommu_handle_pt_irq(iommu, addr_reg, blame_reg, seen) : seen;
}

/**
 * Report the faults that @status tells of, clear them, and set the masters going again.
 *
 * DEVIATION: its twin reports one of them, and clears and resets for all. Here that one comes last.
 */
function sun50i_iommu_handle_fault(iommu: sun50i_iommu, status: u32): void {
	const has_l1 = (status & IOMMU_INT_INVALID_L1PG) !== 0;
	const has_l2 = (status & IOMMU_INT_INVALID_L2PG) !== 0;
	let stuck = status;
	let l1: u32 = 0;
	let l2: u32 = 0;

	stuck |= iommu_read(iommu, IOMMU_L1PG_INT_REG);
	stuck |= iommu_read(iommu, IOMMU_L2PG_INT_REG);

	for (let m = 0; m < NUM_MASTERS; m++) if ((status & BIT(m)) !== 0) sun50i_iommu_handle_perm_irq(iommu, m);
	if (has_l1) l1 = sun50i_iommu_handle_pt_irq(iommu, IOMMU_INT_ERR_ADDR_L1_REG, IOMMU_L1PG_INT_REG, 0);
	if (has_l2) l2 = sun50i_iommu_handle_pt_irq(iommu, IOMMU_INT_ERR_ADDR_L2_REG, IOMMU_L2PG_INT_REG, 0);

	// DEVIATION: what another master did meanwhile is about to be cleared with the rest. (Bits that are new in
	// the status are not; they raise the interrupt again.)
	if (has_l1) l1 = sun50i_iommu_handle_late_irq(iommu, IOMMU_INT_ERR_ADDR_L1_REG, IOMMU_L1PG_INT_REG, l1);
	if (has_l2) l2 = sun50i_iommu_handle_late_irq(iommu, IOMMU_INT_ERR_ADDR_L2_REG, IOMMU_L2PG_INT_REG, l2);

	// Another CPU may have turned it off while a handler ran.
	if (sun50i_iommu_is_dark(iommu)) return;

	iommu_write(iommu, IOMMU_INT_CLR_REG, status);

	// A pulse on their reset.
	stuck = (stuck | l1 | l2) & IOMMU_INT_MASTER_MASK;
	iommu_write(iommu, IOMMU_RESET_REG, ~stuck >>> 0);
	iommu_write(iommu, IOMMU_RESET_REG, IOMMU_RESET_RELEASE_ALL);
}

function sun50i_iommu_irq(irq: int, dev_id: unknown): irqreturn_t {
	const iommu = dev_id as sun50i_iommu;
	let ret: irqreturn_t = IRQ_NONE;

	spin_lock(iommu.iommu_lock);
	// It may have been turned off while the interrupt was on its way.
	const status = sun50i_iommu_is_dark(iommu) ? 0 : iommu_read(iommu, IOMMU_INT_STA_REG);
	if ((status & IOMMU_INT_MASK) !== 0) {
		sun50i_iommu_handle_fault(iommu, status);
		ret = IRQ_HANDLED;
	}
	spin_unlock(iommu.iommu_lock);
	return ret;
}

function sun50i_iommu_probe(pdev: platform_device): int {
	const dev = pdev.dev;
	let ret: int;

	const iommu = devm_kzalloc(dev, sun50i_iommu, GFP_KERNEL);
	if (iommu === null) return -ENOMEM;
	spin_lock_init(iommu.iommu_lock);
	iommu.domain = sun50i_iommu_identity_domain;
	platform_set_drvdata(pdev, iommu);
	iommu.dev = dev;

	const pt_pool = kmem_cache_create(
		dev_name(dev),
		PT_SIZE,
		PT_SIZE,
		SLAB_HWCACHE_ALIGN | SLAB_CACHE_DMA32,
		null,
	);
	if (pt_pool === null) return -ENOMEM;
	iommu.pt_pool = pt_pool;

	err_free_cache: {
		const base = devm_platform_ioremap_resource(pdev, 0);
		if (IS_ERR(base)) {
			ret = PTR_ERR(base);
			break err_free_cache;
		}
		iommu.base = base;

		const irq = platform_get_irq(pdev, 0);
		if (irq < 0) {
			ret = irq;
			break err_free_cache;
		}

		const clk = devm_clk_get(dev, null);
		if (IS_ERR(clk)) {
			dev_err(dev, "Couldn't get our clock.");
			ret = PTR_ERR(clk);
			break err_free_cache;
		}
		iommu.clk = clk;

		const reset = devm_reset_control_get(dev, null);
		if (IS_ERR(reset)) {
			dev_err(dev, "Couldn't get our reset line.");
			ret = PTR_ERR(reset);
			break err_free_cache;
		}
		iommu.reset = reset;

		ret = iommu_device_sysfs_add(iommu.iommu, dev, null, dev_name(dev));
		if (ret !== 0) break err_free_cache;

		err_remove_sysfs: {
			ret = iommu_device_register(iommu.iommu, sun50i_iommu_ops, dev);
			if (ret !== 0) break err_remove_sysfs;

			ret = devm_request_irq(dev, irq, sun50i_iommu_irq, 0, dev_name(dev), iommu);
			if (ret >= 0) return 0;

			iommu_device_unregister(iommu.iommu);
		}
		iommu_device_sysfs_remove(iommu.iommu);
	}
	kmem_cache_destroy(iommu.pt_pool);

	return ret;
}

const sun50i_iommu_dt: readonly of_device_id[] = [
	{ compatible: 'allwinner,sun50i-h6-iommu' },
	{ compatible: 'allwinner,sun50i-h616-iommu' },
];

const sun50i_iommu_driver = new platform_driver({
	driver: {
		name: 'sun50i-iommu',
		of_match_table: sun50i_iommu_dt,
		suppress_bind_attrs: true,
	},
});
builtin_platform_driver_probe(sun50i_iommu_driver, sun50i_iommu_probe);
