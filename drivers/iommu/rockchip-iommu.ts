// SPDX-License-Identifier: GPL-2.0-only
// The IOMMUs of Rockchip's chips, in both of their table formats.
// Linux 6.12: drivers/iommu/rockchip-iommu.c
//
// A chip has several, each before a master of its own. One IOMMU is one or more MMUs, a register window each, which
// are told the same things. It is on while its master is: the master's device link resumes it.
//
// Where this driver knowingly differs from its twin the comment says DEVIATION; Documentation/deviations.md tells
// why. The table vocabulary is exported for tests, which walk the tables themselves.

import { bytes, pfn_valid, phys_to_virt, phys_to_virt_words, words } from '#asm/memory.js';
import { device_link_add, device_link_remove, put_device } from '#drivers/base/core.js';
import { devm_kcalloc, devm_kfree, devm_kzalloc } from '#drivers/base/devres.js';
import { platform_get_irq, platform_get_resource, platform_irq_count } from '#drivers/base/platform.js';
import { device_property_read_bool } from '#drivers/base/property.js';
import { clk_bulk_data } from '#drivers/clk/clk.js';
import {
	clk_bulk_disable,
	clk_bulk_enable,
	clk_bulk_prepare,
	clk_bulk_unprepare,
} from '#drivers/clk/clk-bulk.js';
import { devm_clk_bulk_get } from '#drivers/clk/clk-devres.js';
import {
	dev_iommu_priv_set,
	generic_single_device_group,
	iommu_device_register,
	iommu_device_unregister,
	report_iommu_fault,
} from '#drivers/iommu/iommu.js';
import { iommu_alloc_page, iommu_free_page } from '#drivers/iommu/iommu-pages.js';
import { iommu_device_sysfs_add, iommu_device_sysfs_remove } from '#drivers/iommu/iommu-sysfs.js';
import { of_device_get_match_data } from '#drivers/of/device.js';
import { of_find_device_by_node } from '#drivers/of/platform.js';
import {
	dma_map_single,
	dma_set_mask_and_coherent,
	dma_sync_single_for_device,
	dma_unmap_single,
} from '#kernel/dma/mapping.js';
import { devm_free_irq } from '#kernel/irq/devres.js';
import { devm_ioremap_resource } from '#lib/devres.js';
import { BIT } from '#linux/bits.js';
import { WARN_ON, WARN_ON_ONCE } from '#linux/bug.js';
import { dev_dbg, dev_err, dev_warn_once } from '#linux/dev_printk.js';
import {
	DL_FLAG_PM_RUNTIME,
	DL_FLAG_STATELESS,
	dev_get_drvdata,
	dev_name,
	type device,
} from '#linux/device.js';
import { DMA_TO_DEVICE } from '#linux/dma-direction.js';
import { dev_is_dma_coherent } from '#linux/dma-map-ops.js';
import { DMA_BIT_MASK, dma_mapping_error } from '#linux/dma-mapping.js';
import { ERR_PTR, type err_ptr, IS_ERR, PTR_ERR } from '#linux/err.js';
import { EADDRINUSE, EFAULT, EINVAL, ENODEV, ENOENT, ENOMEM } from '#linux/errno.js';
import { GFP_ATOMIC, GFP_DMA32, GFP_KERNEL } from '#linux/gfp.js';
import { boot_data } from '#linux/init.js';
import { devm_request_irq, IRQ_HANDLED, IRQ_NONE, IRQF_SHARED, type irqreturn_t } from '#linux/interrupt.js';
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
import { readx_poll_timeout } from '#linux/iopoll.js';
import { IORESOURCE_MEM } from '#linux/ioport.js';
import {
	INIT_LIST_HEAD,
	list_add_tail,
	list_del_init,
	list_empty,
	list_first_entry,
	list_for_each_entry,
	list_head,
} from '#linux/list.js';
import { fls64, lower_32_bits, shl64, upper_32_bits } from '#linux/math64.js';
import type { of_device_id } from '#linux/mod_devicetable.js';
import type { of_phandle_args } from '#linux/of_node.js';
import { PHYS_PFN } from '#linux/pfn.js';
import {
	builtin_platform_driver,
	type platform_device,
	platform_driver,
	platform_get_drvdata,
	platform_set_drvdata,
} from '#linux/platform_device.js';
import type { dev_pm_ops } from '#linux/pm.js';
import {
	pm_runtime_disable,
	pm_runtime_enable,
	pm_runtime_force_resume,
	pm_runtime_force_suspend,
	pm_runtime_get_if_active,
	pm_runtime_put,
} from '#linux/pm_runtime.js';
import { pr_err } from '#linux/printk.js';
import { kfree, kzalloc } from '#linux/slab.js';
import {
	assert_spin_locked,
	spin_lock_init,
	spin_lock_irqsave,
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
	type u64,
	type unsigned_int,
	type unsigned_long,
} from '#linux/types.js';

// The directory, as a directory word would have it.
const RK_MMU_DTE_ADDR = 0x00;
const RK_MMU_STATUS = 0x04;
const RK_MMU_COMMAND = 0x08;
const RK_MMU_PAGE_FAULT_ADDR = 0x0c;
// Writing an IOVA drops what is cached for it.
const RK_MMU_ZAP_ONE_LINE = 0x10;
const RK_MMU_INT_CLEAR = 0x18;
const RK_MMU_INT_MASK = 0x1c;
const RK_MMU_INT_STATUS = 0x20;
const RK_MMU_AUTO_GATING = 0x24;

const DTE_ADDR_DUMMY = 0xcafebabe;

const RK_MMU_POLL_PERIOD_US = 100;
const RK_MMU_FORCE_RESET_TIMEOUT_US = 100_000;
const RK_MMU_POLL_TIMEOUT_US = 1000;

const RK_MMU_STATUS_PAGING_ENABLED = BIT(0);
const RK_MMU_STATUS_PAGE_FAULT_ACTIVE = BIT(1);
const RK_MMU_STATUS_STALL_ACTIVE = BIT(2);
const RK_MMU_STATUS_PAGE_FAULT_IS_WRITE = BIT(5);

const RK_MMU_CMD_ENABLE_PAGING = 0;
const RK_MMU_CMD_DISABLE_PAGING = 1;
const RK_MMU_CMD_ENABLE_STALL = 2;
const RK_MMU_CMD_DISABLE_STALL = 3;
const RK_MMU_CMD_ZAP_CACHE = 4;
const RK_MMU_CMD_PAGE_FAULT_DONE = 5;
const RK_MMU_CMD_FORCE_RESET = 6;

const RK_MMU_IRQ_PAGE_FAULT = 0x01;
const RK_MMU_IRQ_BUS_ERROR = 0x02;
const RK_MMU_IRQ_MASK = RK_MMU_IRQ_PAGE_FAULT | RK_MMU_IRQ_BUS_ERROR;

const NUM_DT_ENTRIES = 1024;
const NUM_PT_ENTRIES = 1024;

const SPAGE_ORDER = 12;
const SPAGE_SIZE = 1 << SPAGE_ORDER;

const PT_ENTRY_SIZE = 4;

const DISABLE_FETCH_DTE_TIME_LIMIT = BIT(31);

// Whatever fits in one page table: 4 KiB to 4 MiB.
const RK_IOMMU_PGSIZE_BITMAP = 0x007ff000;

const rk_iommu_clocks = ['aclk', 'iface'] as const;

/** A table format. */
interface rk_iommu_ops {
	/** The address in a directory word, or in a page word. */
	pt_address: (dte: u32) => phys_addr_t;
	mk_dtentries: (pt_dma: dma_addr_t) => u32;
	mk_ptentries: (page: phys_addr_t, prot: int) => u32;
	/** DEVIATION: the bits of a page word that are rights. Its twin takes the first format's in both. */
	page_flags_mask: u32;
	/** What the walker, and a word, can address. */
	dma_bit_mask: u64;
	/** Where tables come from. */
	gfp_flags: gfp_t;
}

/** One IOMMU: one or more MMUs that are told the same. */
export class rk_iommu {
	dev!: device;
	bases: __iomem[] = [];
	num_mmu: int = 0;
	num_irq: int = 0;
	clocks: clk_bulk_data[] = [];
	num_clocks: int = 0;
	reset_disabled: bool = false;
	iommu: iommu_device = new iommu_device(this);
	/** In rk_iommu_domain.iommus. */
	node: list_head<rk_iommu> = new list_head<rk_iommu>(this);
	/** To what it is attached; in force only while it is in use. */
	domain!: iommu_domain;
	/** DEVIATION: whether @domain is in force. Its twin takes that from runtime PM, which an enable that failed does not tell. */
	enabled: bool = false;
}

/** One address space, of any number of IOMMUs. */
export class rk_iommu_domain extends iommu_domain {
	iommus: list_head<rk_iommu> = new list_head<rk_iommu>();
	/** The directory, as the CPU and as the walker know it. */
	dt!: Uint32Array;
	dt_dma: dma_addr_t = 0;
	/** DEVIATION: whose view of memory the tables are kept in step with. Its twin has one device for all domains. */
	dma_dev!: device;
	/** Guards @iommus. */
	iommus_lock: spinlock_t = new spinlock_t('iommus_lock');
	/** Guards the tables; taken before @iommus_lock. */
	dt_lock: spinlock_t = new spinlock_t('dt_lock');
}

/** What this driver knows of a master. */
class rk_iommudata {
	iommu: rk_iommu | null = null;
}

const rk = boot_data(() => ({
	/** The first IOMMU: for what no IOMMU is known for. */
	dma_dev: null as device | null,
	/** The format of this machine. */
	ops: null as rk_iommu_ops | null,
}));

/** The format; set by the first probe, and so before anything that asks. */
function rk_ops(): rk_iommu_ops {
	return rk.ops!;
}

/** Clean @count words from @dma on out of the cache. */
function rk_table_flush(dom: rk_iommu_domain, dma: dma_addr_t, count: unsigned_int): void {
	dma_sync_single_for_device(dom.dma_dev, dma, count * PT_ENTRY_SIZE, DMA_TO_DEVICE);
}

/**
 * @dom as what it is; the caller knows that it is one of this driver (drivers/iommu/rockchip-iommu.c: to_rk_domain()).
 */
export function to_rk_domain(dom: iommu_domain): rk_iommu_domain {
	return dom as rk_iommu_domain;
}

/*
 * Two levels translate an address. The directory (DT) has a word for each 4 MiB of the address space, a page table
 * (PT) one for each of the 1024 pages of 4 MiB. Each is one page.
 *
 * A directory word (DTE), in the first format:
 *
 *  31                  12 11               1  0
 * +----------------------+------------------+---+
 * | address of PT, 31:12 | reserved         | V |
 * +----------------------+------------------+---+
 *
 * and in the second:
 *
 *  31            12 11     8 7      4 3  1  0
 * +----------------+--------+--------+----+---+
 * | address, 31:12 | 35:32  | 39:36  |    | V |
 * +----------------+--------+--------+----+---+
 */
const RK_DTE_PT_ADDRESS_MASK = 0xfffff000;
const RK_DTE_PT_VALID = BIT(0);

function rk_dte_pt_address(dte: u32): phys_addr_t {
	return (dte & RK_DTE_PT_ADDRESS_MASK) >>> 0;
}

function rk_dte_pt_address_v2(dte: u32): phys_addr_t {
	const high = ((dte >>> 8) & 0xf) | (((dte >>> 4) & 0xf) << 4);

	return rk_dte_pt_address(dte) + shl64(high, 32);
}

/** Whether @dte points to a page table (drivers/iommu/rockchip-iommu.c: rk_dte_is_pt_valid()). */
export function rk_dte_is_pt_valid(dte: u32): bool {
	return (dte & RK_DTE_PT_VALID) !== 0;
}

function rk_mk_dte(pt_dma: dma_addr_t): u32 {
	return ((lower_32_bits(pt_dma as number) & RK_DTE_PT_ADDRESS_MASK) | RK_DTE_PT_VALID) >>> 0;
}

function rk_mk_dte_v2(pt_dma: dma_addr_t): u32 {
	const high = upper_32_bits(pt_dma as number);

	return (rk_mk_dte(pt_dma) | ((high & 0xf) << 8) | (((high >>> 4) & 0xf) << 4)) >>> 0;
}

/*
 * A page word (PTE), in both formats. The first has flags of the cache in 8:3, if bit 3 says that they count; they
 * are never set. In the second bit 3 is for secure masters.
 *
 *  31             12 11  9 8     3  2   1   0
 * +-----------------+-----+-------+---+---+---+
 * | page, 31:12     |     | flags | W | R | V |
 * +-----------------+-----+-------+---+---+---+
 *
 *  31            12 11    8 7     4  3   2   1   0
 * +----------------+-------+-------+---+---+---+---+
 * | page, 31:12    | 35:32 | 39:36 | S | W | R | V |
 * +----------------+-------+-------+---+---+---+---+
 */
const RK_PTE_PAGE_FLAGS_MASK = 0x000001fe;
const RK_PTE_PAGE_FLAGS_MASK_V2 = 0x0000000e;
const RK_PTE_PAGE_WRITABLE = BIT(2);
const RK_PTE_PAGE_READABLE = BIT(1);
const RK_PTE_PAGE_VALID = BIT(0);

/** Whether @pte maps a page (drivers/iommu/rockchip-iommu.c: rk_pte_is_page_valid()). */
export function rk_pte_is_page_valid(pte: u32): bool {
	return (pte & RK_PTE_PAGE_VALID) !== 0;
}

function rk_pte_rights(prot: int): u32 {
	let flags: u32 = 0;

	flags |= (prot & IOMMU_READ) !== 0 ? RK_PTE_PAGE_READABLE : 0;
	flags |= (prot & IOMMU_WRITE) !== 0 ? RK_PTE_PAGE_WRITABLE : 0;
	return flags;
}

// The valid bit is where a directory word has it.
function rk_mk_pte(page: phys_addr_t, prot: int): u32 {
	return (rk_mk_dte(page as number) | rk_pte_rights(prot)) >>> 0;
}

function rk_mk_pte_v2(page: phys_addr_t, prot: int): u32 {
	return (rk_mk_dte_v2(page as number) | rk_pte_rights(prot)) >>> 0;
}

/** Address and rights stay in the word. */
function rk_mk_pte_invalid(pte: u32): u32 {
	return (pte & ~RK_PTE_PAGE_VALID) >>> 0;
}

/*
 *  31         22 21         12 11           0
 * +-------------+-------------+--------------+
 * | index in DT | index in PT | offset       |
 * +-------------+-------------+--------------+
 */
const RK_IOVA_DTE_SHIFT = 22;
const RK_IOVA_PTE_SHIFT = 12;
const RK_IOVA_PTE_MASK = 0x003ff000;
const RK_IOVA_PAGE_MASK = 0x00000fff;

/** Which directory word translates @iova (drivers/iommu/rockchip-iommu.c: rk_iova_dte_index()). */
export function rk_iova_dte_index(iova: dma_addr_t): u32 {
	return lower_32_bits(iova as number) >>> RK_IOVA_DTE_SHIFT;
}

/** Which word of its page table translates @iova (drivers/iommu/rockchip-iommu.c: rk_iova_pte_index()). */
export function rk_iova_pte_index(iova: dma_addr_t): u32 {
	return (lower_32_bits(iova as number) & RK_IOVA_PTE_MASK) >>> RK_IOVA_PTE_SHIFT;
}

function rk_iova_page_offset(iova: dma_addr_t): u32 {
	return lower_32_bits(iova as number) & RK_IOVA_PAGE_MASK;
}

/** The address in @word by this machine's format (Linux: rk_ops->pt_address()). */
export function rk_pt_address(word: u32): phys_addr_t {
	return rk_ops().pt_address(word);
}

function rk_iommu_read(base: __iomem, offset: u32): u32 {
	return readl(base + offset);
}

function rk_iommu_write(base: __iomem, offset: u32, value: u32): void {
	writel(value, base + offset);
}

function rk_iommu_base_command(base: __iomem, command: u32): void {
	writel(command, base + RK_MMU_COMMAND);
}

function rk_iommu_command(iommu: rk_iommu, command: u32): void {
	for (let i = 0; i < iommu.num_mmu; i++) rk_iommu_base_command(iommu.bases[i]!, command);
}

function rk_iommu_zap_lines(iommu: rk_iommu, iova_start: dma_addr_t, size: size_t): void {
	const iova_end = iova_start + size;

	for (let i = 0; i < iommu.num_mmu; i++)
		for (let iova = iova_start; iova < iova_end; iova += SPAGE_SIZE)
			rk_iommu_write(iommu.bases[i]!, RK_MMU_ZAP_ONE_LINE, iova as number);
}

/** Whether @bit is set in every MMU's status; all are read. */
function rk_iommu_all_status(iommu: rk_iommu, bit: u32): bool {
	let all = true;

	for (let i = 0; i < iommu.num_mmu; i++)
		if ((rk_iommu_read(iommu.bases[i]!, RK_MMU_STATUS) & bit) === 0) all = false;
	return all;
}

function rk_iommu_is_stall_active(iommu: rk_iommu): bool {
	return rk_iommu_all_status(iommu, RK_MMU_STATUS_STALL_ACTIVE);
}

function rk_iommu_is_paging_enabled(iommu: rk_iommu): bool {
	return rk_iommu_all_status(iommu, RK_MMU_STATUS_PAGING_ENABLED);
}

function rk_iommu_is_reset_done(iommu: rk_iommu): bool {
	let done = true;

	for (let i = 0; i < iommu.num_mmu; i++)
		if (rk_iommu_read(iommu.bases[i]!, RK_MMU_DTE_ADDR) !== 0) done = false;
	return done;
}

/** Wait until @is answers @want, for a millisecond; then say of every MMU that @what has timed out. */
function rk_iommu_poll(iommu: rk_iommu, is: (iommu: rk_iommu) => bool, want: bool, what: string): int {
	const ret = readx_poll_timeout(
		is,
		iommu,
		new ref<bool>(false),
		(val) => val === want,
		RK_MMU_POLL_PERIOD_US,
		RK_MMU_POLL_TIMEOUT_US,
	);
	if (ret !== 0)
		for (let i = 0; i < iommu.num_mmu; i++)
			dev_err(
				iommu.dev,
				'%s request timed out, status: %#08x',
				what,
				rk_iommu_read(iommu.bases[i]!, RK_MMU_STATUS),
			);
	return ret;
}

function rk_iommu_enable_stall(iommu: rk_iommu): int {
	if (rk_iommu_is_stall_active(iommu)) return 0;

	// An MMU that does not translate has nothing to hold back.
	if (!rk_iommu_is_paging_enabled(iommu)) return 0;

	// One that firmware left in a page fault would never stall.
	for (let i = 0; i < iommu.num_mmu; i++)
		if ((rk_iommu_read(iommu.bases[i]!, RK_MMU_STATUS) & RK_MMU_STATUS_PAGE_FAULT_ACTIVE) !== 0)
			rk_iommu_base_command(iommu.bases[i]!, RK_MMU_CMD_PAGE_FAULT_DONE);

	rk_iommu_command(iommu, RK_MMU_CMD_ENABLE_STALL);
	return rk_iommu_poll(iommu, rk_iommu_is_stall_active, true, 'Enable stall');
}

function rk_iommu_disable_stall(iommu: rk_iommu): int {
	if (!rk_iommu_is_stall_active(iommu)) return 0;

	rk_iommu_command(iommu, RK_MMU_CMD_DISABLE_STALL);
	return rk_iommu_poll(iommu, rk_iommu_is_stall_active, false, 'Disable stall');
}

function rk_iommu_enable_paging(iommu: rk_iommu): int {
	if (rk_iommu_is_paging_enabled(iommu)) return 0;

	rk_iommu_command(iommu, RK_MMU_CMD_ENABLE_PAGING);
	return rk_iommu_poll(iommu, rk_iommu_is_paging_enabled, true, 'Enable paging');
}

function rk_iommu_disable_paging(iommu: rk_iommu): int {
	if (!rk_iommu_is_paging_enabled(iommu)) return 0;

	rk_iommu_command(iommu, RK_MMU_CMD_DISABLE_PAGING);
	return rk_iommu_poll(iommu, rk_iommu_is_paging_enabled, false, 'Disable paging');
}

function rk_iommu_force_reset(iommu: rk_iommu): int {
	if (iommu.reset_disabled) return 0;

	// The reset is over when this register is 0 again; so it must be able to hold something.
	const dte_addr = lower_32_bits(rk_ops().pt_address(DTE_ADDR_DUMMY) as number);
	for (let i = 0; i < iommu.num_mmu; i++) {
		rk_iommu_write(iommu.bases[i]!, RK_MMU_DTE_ADDR, dte_addr);
		if (rk_iommu_read(iommu.bases[i]!, RK_MMU_DTE_ADDR) !== dte_addr) {
			dev_err(iommu.dev, 'Error during raw reset. MMU_DTE_ADDR is not functioning');
			return -EFAULT;
		}
	}

	rk_iommu_command(iommu, RK_MMU_CMD_FORCE_RESET);

	// DEVIATION: once a millisecond, for a tenth of a second. Its twin has the two exchanged: three reads in all.
	const ret = readx_poll_timeout(
		rk_iommu_is_reset_done,
		iommu,
		new ref<bool>(false),
		(val) => val,
		RK_MMU_POLL_TIMEOUT_US,
		RK_MMU_FORCE_RESET_TIMEOUT_US,
	);
	if (ret !== 0) dev_err(iommu.dev, 'FORCE_RESET command timed out');
	return ret;
}

/** The table word at @phys. DEVIATION: 0 where no memory is; its twin would crash on a register that was never set. */
function rk_table_word(phys: phys_addr_t): u32 {
	return pfn_valid(PHYS_PFN(phys)) ? phys_to_virt_words(phys, 1)[0]! : 0;
}

/** Say what MMU @index's tables have for @iova. */
function log_iova(iommu: rk_iommu, index: int, iova: dma_addr_t): void {
	const ops = rk_ops();
	const dte_index = rk_iova_dte_index(iova);
	const pte_index = rk_iova_pte_index(iova);
	const page_offset = rk_iova_page_offset(iova);
	let pte_addr_phys: phys_addr_t = 0;
	let pte: u32 = 0;
	let page_addr_phys: phys_addr_t = 0;
	let page_flags: u32 = 0;

	const mmu_dte_addr_phys = ops.pt_address(rk_iommu_read(iommu.bases[index]!, RK_MMU_DTE_ADDR));
	const dte_addr_phys: phys_addr_t = mmu_dte_addr_phys + PT_ENTRY_SIZE * dte_index;
	const dte = rk_table_word(dte_addr_phys);

	if (rk_dte_is_pt_valid(dte)) {
		pte_addr_phys = ops.pt_address(dte) + pte_index * PT_ENTRY_SIZE;
		pte = rk_table_word(pte_addr_phys);

		if (rk_pte_is_page_valid(pte)) {
			page_addr_phys = ops.pt_address(pte) + page_offset;
			page_flags = (pte & ops.page_flags_mask) >>> 0;
		}
	}

	dev_err(
		iommu.dev,
		'iova = %pad: dte_index: %#03x pte_index: %#03x page_offset: %#03x',
		iova as number,
		dte_index,
		pte_index,
		page_offset,
	);
	dev_err(
		iommu.dev,
		'mmu_dte_addr: %pa dte@%pa: %#08x valid: %u pte@%pa: %#08x valid: %u page@%pa flags: %#03x',
		mmu_dte_addr_phys,
		dte_addr_phys,
		dte,
		rk_dte_is_pt_valid(dte) ? 1 : 0,
		pte_addr_phys,
		pte,
		rk_pte_is_page_valid(pte) ? 1 : 0,
		page_addr_phys,
		page_flags,
	);
}

/** MMU @index has stopped at an access to @iova: say why, and let a handler do something about it. */
function rk_iommu_page_fault(iommu: rk_iommu, index: int, iova: dma_addr_t): void {
	const base = iommu.bases[index]!;
	const status = rk_iommu_read(base, RK_MMU_STATUS);
	const flags = (status & RK_MMU_STATUS_PAGE_FAULT_IS_WRITE) !== 0 ? IOMMU_FAULT_WRITE : IOMMU_FAULT_READ;

	dev_err(
		iommu.dev,
		'Page fault at %pad of type %s',
		iova as number,
		flags === IOMMU_FAULT_WRITE ? 'write' : 'read',
	);
	log_iova(iommu, index, iova);

	// Whatever the handler answers: the MMU goes on.
	if (iommu.domain !== rk_identity_domain) report_iommu_fault(iommu.domain, iommu.dev, iova, flags);
	else dev_err(iommu.dev, 'Page fault while iommu not attached to domain?');

	rk_iommu_base_command(base, RK_MMU_CMD_ZAP_CACHE);
}

function rk_iommu_irq(irq: int, dev_id: unknown): irqreturn_t {
	const iommu = dev_id as rk_iommu;
	let ret: irqreturn_t = IRQ_NONE;

	// The line is shared, and one without power may not be asked.
	const err = pm_runtime_get_if_active(iommu.dev);
	if (err === 0 || WARN_ON_ONCE(err < 0)) return ret;

	out: {
		if (WARN_ON(clk_bulk_enable(iommu.num_clocks, iommu.clocks))) break out;

		for (let i = 0; i < iommu.num_mmu; i++) {
			const base = iommu.bases[i]!;
			const int_status = rk_iommu_read(base, RK_MMU_INT_STATUS);
			if (int_status === 0) continue;

			ret = IRQ_HANDLED;
			const iova: dma_addr_t = rk_iommu_read(base, RK_MMU_PAGE_FAULT_ADDR);

			if ((int_status & RK_MMU_IRQ_PAGE_FAULT) !== 0) rk_iommu_page_fault(iommu, i, iova);

			if ((int_status & RK_MMU_IRQ_BUS_ERROR) !== 0)
				dev_err(iommu.dev, 'BUS_ERROR occurred at %pad', iova as number);

			if ((int_status & ~RK_MMU_IRQ_MASK) !== 0)
				dev_err(iommu.dev, 'unexpected int_status: %#08x', int_status);

			// DEVIATION: cleared before the MMU goes on. Its twin does it after, and so clears the next fault, too.
			rk_iommu_write(base, RK_MMU_INT_CLEAR, int_status);
			if ((int_status & RK_MMU_IRQ_PAGE_FAULT) !== 0) rk_iommu_base_command(base, RK_MMU_CMD_PAGE_FAULT_DONE);
		}

		clk_bulk_disable(iommu.num_clocks, iommu.clocks);
	}
	pm_runtime_put(iommu.dev);
	return ret;
}

/** The page table that @dte, a valid word, points to. */
function rk_dte_to_page_table(dte: u32): Uint32Array {
	return phys_to_virt_words(rk_ops().pt_address(dte), NUM_PT_ENTRIES);
}

function rk_iommu_iova_to_phys(domain: iommu_domain, iova: dma_addr_t): phys_addr_t {
	const rk_domain = to_rk_domain(domain);
	let phys: phys_addr_t = 0;

	const flags = spin_lock_irqsave(rk_domain.dt_lock);
	const dte = rk_domain.dt[rk_iova_dte_index(iova)]!;
	if (rk_dte_is_pt_valid(dte)) {
		const pte = rk_dte_to_page_table(dte)[rk_iova_pte_index(iova)]!;
		if (rk_pte_is_page_valid(pte)) phys = rk_ops().pt_address(pte) + rk_iova_page_offset(iova);
	}
	spin_unlock_irqrestore(rk_domain.dt_lock, flags);

	return phys;
}

/** Drop what is cached of a range, in every IOMMU that translates by @rk_domain. */
function rk_iommu_zap_iova(rk_domain: rk_iommu_domain, iova: dma_addr_t, size: size_t): void {
	const flags = spin_lock_irqsave(rk_domain.iommus_lock);

	for (const iommu of list_for_each_entry(rk_domain.iommus)) {
		// One without power has forgotten everything; one that is off is told to when it is enabled.
		const ret = pm_runtime_get_if_active(iommu.dev);
		if (WARN_ON_ONCE(ret < 0) || ret === 0) continue;
		// DEVIATION: without clocks there is nothing to access, and nothing to disable. Its twin warns, and does both.
		if (iommu.enabled && !WARN_ON(clk_bulk_enable(iommu.num_clocks, iommu.clocks))) {
			rk_iommu_zap_lines(iommu, iova, size);
			clk_bulk_disable(iommu.num_clocks, iommu.clocks);
		}
		pm_runtime_put(iommu.dev);
	}

	spin_unlock_irqrestore(rk_domain.iommus_lock, flags);
}

/** Only the ends of a range can share a line, or a directory word, with what was mapped before. */
function rk_iommu_zap_iova_first_last(rk_domain: rk_iommu_domain, iova: dma_addr_t, size: size_t): void {
	rk_iommu_zap_iova(rk_domain, iova, SPAGE_SIZE);
	if (size > SPAGE_SIZE) rk_iommu_zap_iova(rk_domain, iova + size - SPAGE_SIZE, SPAGE_SIZE);
}

/** The page table for @iova, made if need be. */
function rk_dte_get_page_table(rk_domain: rk_iommu_domain, iova: dma_addr_t): Uint32Array | err_ptr {
	const index = rk_iova_dte_index(iova);

	assert_spin_locked(rk_domain.dt_lock);

	const dte = rk_domain.dt[index]!;
	if (rk_dte_is_pt_valid(dte)) return rk_dte_to_page_table(dte);

	const page_table = iommu_alloc_page(GFP_ATOMIC | rk_ops().gfp_flags);
	if (page_table === null) return ERR_PTR(-ENOMEM);

	// The table first: the walker must not find one through the directory that is not there yet.
	const pt_dma = dma_map_single(rk_domain.dma_dev, page_table, SPAGE_SIZE, DMA_TO_DEVICE);
	if (dma_mapping_error(rk_domain.dma_dev, pt_dma) !== 0) {
		dev_err(rk_domain.dma_dev, 'DMA mapping error while allocating page table');
		iommu_free_page(page_table);
		return ERR_PTR(-ENOMEM);
	}

	rk_domain.dt[index] = rk_ops().mk_dtentries(pt_dma);
	rk_table_flush(rk_domain, rk_domain.dt_dma + index * PT_ENTRY_SIZE, 1);
	return words(page_table, NUM_PT_ENTRIES);
}

/** Make words invalid up to the first that is: how many bytes that unmaps. @pte_dma is where the first is. */
function rk_iommu_unmap_iova(
	rk_domain: rk_iommu_domain,
	pte_addr: Uint32Array,
	pte_dma: dma_addr_t,
	size: size_t,
): size_t {
	const pte_total = Math.floor(size / SPAGE_SIZE);
	let pte_count: size_t;

	assert_spin_locked(rk_domain.dt_lock);

	for (pte_count = 0; pte_count < pte_total; pte_count++) {
		const pte = pte_addr[pte_count]!;
		if (!rk_pte_is_page_valid(pte)) break;
		pte_addr[pte_count] = rk_mk_pte_invalid(pte);
	}
	// DEVIATION: not when there was none: dma-debug takes no bytes, where two tables meet, for memory of neither.
	if (pte_count > 0) rk_table_flush(rk_domain, pte_dma, pte_count);

	return pte_count * SPAGE_SIZE;
}

/** Write the words of a range; if one is taken, none. */
function rk_iommu_map_iova(
	rk_domain: rk_iommu_domain,
	pte_addr: Uint32Array,
	pte_dma: dma_addr_t,
	iova: dma_addr_t,
	paddr: phys_addr_t,
	size: size_t,
	prot: int,
): int {
	const pte_total = Math.floor(size / SPAGE_SIZE);

	assert_spin_locked(rk_domain.dt_lock);

	for (let pte_count = 0; pte_count < pte_total; pte_count++) {
		const done = pte_count * SPAGE_SIZE;
		const pte = pte_addr[pte_count]!;
		if (rk_pte_is_page_valid(pte)) {
			const taken = iova + done;
			const page_phys = rk_ops().pt_address(pte);
			const phys = paddr + done;

			rk_iommu_unmap_iova(rk_domain, pte_addr, pte_dma, done);
			pr_err(
				'iova: %pad already mapped to %pa cannot remap to phys: %pa prot: %#x',
				taken,
				page_phys,
				phys,
				prot,
			);
			return -EADDRINUSE;
		}
		pte_addr[pte_count] = rk_ops().mk_ptentries(paddr + done, prot);
	}
	rk_table_flush(rk_domain, pte_dma, pte_total);

	rk_iommu_zap_iova_first_last(rk_domain, iova, size);
	return 0;
}

/** Map one chunk: 4 KiB to 4 MiB, aligned to its size, and so within one page table. The core comes back for others. */
function rk_iommu_map(
	domain: iommu_domain,
	_iova: unsigned_long,
	paddr: phys_addr_t,
	size: size_t,
	count: size_t,
	prot: int,
	gfp: gfp_t,
	mapped: ref<size_t>,
): int {
	const rk_domain = to_rk_domain(domain);
	const iova: dma_addr_t = _iova;
	const mask = rk_ops().dma_bit_mask;

	// DEVIATION: no word can say where this is. Its twin drops the upper bits, and maps other memory.
	if (paddr + size - 1 > mask) {
		dev_warn_once(rk_domain.dma_dev, 'attempt to map address beyond %d bits', fls64(mask));
		return -EINVAL;
	}

	const flags = spin_lock_irqsave(rk_domain.dt_lock);

	const page_table = rk_dte_get_page_table(rk_domain, iova);
	if (IS_ERR(page_table)) {
		spin_unlock_irqrestore(rk_domain.dt_lock, flags);
		return PTR_ERR(page_table);
	}

	const dte = rk_domain.dt[rk_iova_dte_index(iova)]!;
	const pte_index = rk_iova_pte_index(iova);
	const pte_dma: dma_addr_t = (rk_ops().pt_address(dte) as number) + pte_index * PT_ENTRY_SIZE;
	const ret = rk_iommu_map_iova(rk_domain, page_table.subarray(pte_index), pte_dma, iova, paddr, size, prot);

	spin_unlock_irqrestore(rk_domain.dt_lock, flags);
	if (ret === 0) mapped.value = size;
	return ret;
}

/** Unmap one chunk, up to the first page that is not mapped: how many bytes it was. The table stays. */
function rk_iommu_unmap(
	domain: iommu_domain,
	_iova: unsigned_long,
	size: size_t,
	count: size_t,
	gather: iommu_iotlb_gather,
): size_t {
	const rk_domain = to_rk_domain(domain);
	const iova: dma_addr_t = _iova;

	const flags = spin_lock_irqsave(rk_domain.dt_lock);

	const dte = rk_domain.dt[rk_iova_dte_index(iova)]!;
	if (!rk_dte_is_pt_valid(dte)) {
		spin_unlock_irqrestore(rk_domain.dt_lock, flags);
		return 0;
	}

	const pte_index = rk_iova_pte_index(iova);
	const pte_dma: dma_addr_t = (rk_ops().pt_address(dte) as number) + pte_index * PT_ENTRY_SIZE;
	const unmap_size = rk_iommu_unmap_iova(
		rk_domain,
		rk_dte_to_page_table(dte).subarray(pte_index),
		pte_dma,
		size,
	);

	spin_unlock_irqrestore(rk_domain.dt_lock, flags);

	rk_iommu_zap_iova(rk_domain, iova, unmap_size);

	return unmap_size;
}

function rk_iommu_from_dev(dev: device): rk_iommu | null {
	const data = dev_iommu_priv_get(dev) as rk_iommudata | null;

	return data !== null ? data.iommu : null;
}

/** Translation off: there is no other identity. In use only. Errors are of no avail: go on. */
function rk_iommu_disable(iommu: rk_iommu): void {
	iommu.enabled = false;
	// DEVIATION: as above.
	if (WARN_ON(clk_bulk_enable(iommu.num_clocks, iommu.clocks))) return;
	rk_iommu_enable_stall(iommu);
	rk_iommu_disable_paging(iommu);
	for (let i = 0; i < iommu.num_mmu; i++) {
		rk_iommu_write(iommu.bases[i]!, RK_MMU_INT_MASK, 0);
		rk_iommu_write(iommu.bases[i]!, RK_MMU_DTE_ADDR, 0);
	}
	rk_iommu_disable_stall(iommu);
	clk_bulk_disable(iommu.num_clocks, iommu.clocks);
}

/** Put its domain in force, from a reset on. In use only. */
function rk_iommu_enable(iommu: rk_iommu): int {
	const dte_addr = rk_ops().mk_dtentries(to_rk_domain(iommu.domain).dt_dma);

	let ret = clk_bulk_enable(iommu.num_clocks, iommu.clocks);
	if (ret !== 0) return ret;

	out_disable_clocks: {
		ret = rk_iommu_enable_stall(iommu);
		if (ret !== 0) break out_disable_clocks;

		out_disable_stall: {
			ret = rk_iommu_force_reset(iommu);
			if (ret !== 0) break out_disable_stall;

			// What is unmapped from here on may be cached.
			iommu.enabled = true;

			for (let i = 0; i < iommu.num_mmu; i++) {
				const base = iommu.bases[i]!;
				rk_iommu_write(base, RK_MMU_DTE_ADDR, dte_addr);
				rk_iommu_base_command(base, RK_MMU_CMD_ZAP_CACHE);
				rk_iommu_write(base, RK_MMU_INT_MASK, RK_MMU_IRQ_MASK);

				// With the limit the walker gives up on a busy bus, and blocks.
				const auto_gate = rk_iommu_read(base, RK_MMU_AUTO_GATING) | DISABLE_FETCH_DTE_TIME_LIMIT;
				rk_iommu_write(base, RK_MMU_AUTO_GATING, auto_gate >>> 0);
			}

			ret = rk_iommu_enable_paging(iommu);
			iommu.enabled = ret === 0;
		}
		rk_iommu_disable_stall(iommu);
	}
	clk_bulk_disable(iommu.num_clocks, iommu.clocks);
	return ret;
}

/** Take @iommu from its domain's list. */
function rk_iommu_leave_domain(iommu: rk_iommu): void {
	const rk_domain = to_rk_domain(iommu.domain);

	iommu.domain = rk_identity_domain;

	const flags = spin_lock_irqsave(rk_domain.iommus_lock);
	list_del_init(iommu.node);
	spin_unlock_irqrestore(rk_domain.iommus_lock, flags);
}

/** The way back. */
function rk_iommu_enter_domain(iommu: rk_iommu, domain: iommu_domain): void {
	iommu.domain = domain;
	if (domain === rk_identity_domain) return;

	const rk_domain = to_rk_domain(domain);
	const flags = spin_lock_irqsave(rk_domain.iommus_lock);
	list_add_tail(iommu.node, rk_domain.iommus);
	spin_unlock_irqrestore(rk_domain.iommus_lock, flags);
}

/** Take @iommu from its domain, which goes out of force. */
function rk_iommu_stop(iommu: rk_iommu): void {
	rk_iommu_leave_domain(iommu);

	// DEVIATION: as long as it is on, here and below, not only while it is in use. Between its last user and its suspend
	// its twin leaves it walking tables that are freed, and does not give it the next ones.
	const ret = pm_runtime_get_if_active(iommu.dev);
	WARN_ON_ONCE(ret < 0);
	if (ret > 0) {
		if (iommu.enabled) rk_iommu_disable(iommu);
		pm_runtime_put(iommu.dev);
	}
}

function rk_iommu_identity_attach(identity_domain: iommu_domain, dev: device): int {
	const iommu = rk_iommu_from_dev(dev);
	if (iommu === null) return -ENODEV;

	dev_dbg(dev, 'Detaching from iommu domain');

	if (iommu.domain !== identity_domain) rk_iommu_stop(iommu);
	return 0;
}

const rk_identity_ops: iommu_domain_ops = {
	attach_dev: rk_iommu_identity_attach,
};

const rk_identity_domain: iommu_domain = boot_data(
	() => new iommu_domain({ type: IOMMU_DOMAIN_IDENTITY, ops: rk_identity_ops }),
);

/** Map, or unmap, the first @count page tables of @rk_domain for @dma_dev, or all: how many it was; fewer: no more can be. */
function rk_iommu_map_tables(
	rk_domain: rk_iommu_domain,
	dma_dev: device,
	map: bool,
	count: unsigned_int,
): unsigned_int {
	let done: unsigned_int = 0;

	for (let i = 0; i < NUM_DT_ENTRIES && done < count; i++) {
		const dte = rk_domain.dt[i]!;
		if (!rk_dte_is_pt_valid(dte)) continue;
		const pt_phys = rk_ops().pt_address(dte);
		if (!map) {
			dma_unmap_single(dma_dev, pt_phys as number, SPAGE_SIZE, DMA_TO_DEVICE);
		} else {
			const pt_dma = dma_map_single(dma_dev, phys_to_virt(pt_phys, SPAGE_SIZE), SPAGE_SIZE, DMA_TO_DEVICE);
			if (dma_mapping_error(dma_dev, pt_dma) !== 0) break;
		}
		done++;
	}
	return done;
}

/**
 * DEVIATION: map @rk_domain's tables for @dma_dev, which cleans them, and keep them in step for it from now on: its
 * walker does not snoop, and those before it did. 0 or -ENOMEM, and nothing has changed.
 */
function rk_iommu_domain_set_dma_dev(rk_domain: rk_iommu_domain, dma_dev: device): int {
	const flags = spin_lock_irqsave(rk_domain.dt_lock);
	let ret = -ENOMEM;

	const dt_dma = dma_map_single(dma_dev, bytes(rk_domain.dt), SPAGE_SIZE, DMA_TO_DEVICE);
	if (dma_mapping_error(dma_dev, dt_dma) === 0) {
		let total: unsigned_int = 0;
		for (let i = 0; i < NUM_DT_ENTRIES; i++) if (rk_dte_is_pt_valid(rk_domain.dt[i]!)) total++;
		const done = rk_iommu_map_tables(rk_domain, dma_dev, true, NUM_DT_ENTRIES);
		if (done === total) {
			rk_iommu_map_tables(rk_domain, rk_domain.dma_dev, false, NUM_DT_ENTRIES);
			dma_unmap_single(rk_domain.dma_dev, rk_domain.dt_dma, SPAGE_SIZE, DMA_TO_DEVICE);
			rk_domain.dma_dev = dma_dev;
			rk_domain.dt_dma = dt_dma;
			ret = 0;
		} else {
			rk_iommu_map_tables(rk_domain, dma_dev, false, done);
			dma_unmap_single(dma_dev, dt_dma, SPAGE_SIZE, DMA_TO_DEVICE);
		}
	}

	spin_unlock_irqrestore(rk_domain.dt_lock, flags);
	return ret;
}

/** If it is on, have @iommu translate by its domain. */
function rk_iommu_start(iommu: rk_iommu): int {
	let ret = pm_runtime_get_if_active(iommu.dev);
	if (ret === 0 || WARN_ON_ONCE(ret < 0)) return 0;

	ret = 0;
	if (!iommu.enabled) ret = rk_iommu_enable(iommu);
	if (ret !== 0) rk_iommu_disable(iommu);

	pm_runtime_put(iommu.dev);
	return ret;
}

function rk_iommu_attach_device(domain: iommu_domain, dev: device): int {
	const rk_domain = to_rk_domain(domain);

	// A device that only stands for others has no IOMMU of its own.
	const iommu = rk_iommu_from_dev(dev);
	if (iommu === null) return 0;

	dev_dbg(dev, 'Attaching to iommu domain');

	// What failed before may work now.
	if (iommu.domain === domain) return rk_iommu_start(iommu);

	const old_domain = iommu.domain;
	let ret: int = 0;
	if (dev_is_dma_coherent(rk_domain.dma_dev) && !dev_is_dma_coherent(iommu.dev))
		ret = rk_iommu_domain_set_dma_dev(rk_domain, iommu.dev);
	if (ret === 0) ret = rk_iommu_identity_attach(rk_identity_domain, dev);
	if (ret !== 0) return ret;

	rk_iommu_enter_domain(iommu, domain);
	ret = rk_iommu_start(iommu);
	if (ret !== 0) {
		// DEVIATION: to where it was, which the core goes on to name. Its twin stays in identity, for good.
		rk_iommu_leave_domain(iommu);
		rk_iommu_enter_domain(iommu, old_domain);
	}
	return ret;
}

function rk_iommu_domain_alloc_paging(dev: device | null): iommu_domain | null {
	if (rk.dma_dev === null) return null;

	const rk_domain = kzalloc(rk_iommu_domain, GFP_KERNEL);
	if (rk_domain === null) return null;

	const iommu = dev !== null ? rk_iommu_from_dev(dev) : null;
	rk_domain.dma_dev = iommu !== null ? iommu.dev : rk.dma_dev;

	err_free_domain: {
		const dt = iommu_alloc_page(GFP_KERNEL | rk_ops().gfp_flags);
		if (dt === null) break err_free_domain;
		rk_domain.dt = words(dt, NUM_DT_ENTRIES);

		err_free_dt: {
			rk_domain.dt_dma = dma_map_single(rk_domain.dma_dev, dt, SPAGE_SIZE, DMA_TO_DEVICE);
			if (dma_mapping_error(rk_domain.dma_dev, rk_domain.dt_dma) !== 0) {
				dev_err(rk_domain.dma_dev, 'DMA map error for DT');
				break err_free_dt;
			}

			spin_lock_init(rk_domain.iommus_lock);
			spin_lock_init(rk_domain.dt_lock);
			INIT_LIST_HEAD(rk_domain.iommus);

			rk_domain.geometry.aperture_start = 0;
			rk_domain.geometry.aperture_end = DMA_BIT_MASK(32);
			rk_domain.geometry.force_aperture = true;

			return rk_domain;
		}
		iommu_free_page(dt);
	}
	kfree(rk_domain);

	return null;
}

function rk_iommu_domain_free(domain: iommu_domain): void {
	const rk_domain = to_rk_domain(domain);

	// DEVIATION: with its last master gone the core frees a domain that an IOMMU still has. Its twin warns, and goes on
	// to walk freed memory.
	while (!list_empty(rk_domain.iommus)) rk_iommu_stop(list_first_entry(rk_domain.iommus));

	for (let i = 0; i < NUM_DT_ENTRIES; i++) {
		const dte = rk_domain.dt[i]!;
		if (!rk_dte_is_pt_valid(dte)) continue;
		const pt_phys = rk_ops().pt_address(dte);
		dma_unmap_single(rk_domain.dma_dev, pt_phys as number, SPAGE_SIZE, DMA_TO_DEVICE);
		iommu_free_page(phys_to_virt(pt_phys, SPAGE_SIZE));
	}

	dma_unmap_single(rk_domain.dma_dev, rk_domain.dt_dma, SPAGE_SIZE, DMA_TO_DEVICE);
	iommu_free_page(bytes(rk_domain.dt));

	kfree(rk_domain);
}

function rk_iommu_probe_device(dev: device): iommu_device | err_ptr {
	const iommu = rk_iommu_from_dev(dev);
	if (iommu === null) return ERR_PTR(-ENODEV);

	// DEVIATION: without the link nobody would ever switch the IOMMU on. Its twin goes on, and crashes at the release.
	const link = device_link_add(dev, iommu.dev, DL_FLAG_STATELESS | DL_FLAG_PM_RUNTIME);
	if (link === null) {
		// Nobody releases a device that was not probed.
		devm_kfree(rk.dma_dev!, dev_iommu_priv_get(dev) as rk_iommudata);
		dev_iommu_priv_set(dev, null);
		return ERR_PTR(-ENODEV);
	}

	return iommu.iommu;
}

function rk_iommu_release_device(dev: device): void {
	const data = dev_iommu_priv_get(dev) as rk_iommudata;

	// DEVIATION: if it is there. A device that is removed has lost it by now, and its twin deletes it once more.
	device_link_remove(dev, data.iommu!.dev);
	// DEVIATION: it is nobody's now. Its twin keeps it until the IOMMU's driver goes, which is never.
	devm_kfree(rk.dma_dev!, data);
}

function rk_iommu_of_xlate(dev: device, args: of_phandle_args): int {
	let data = dev_iommu_priv_get(dev) as rk_iommudata | null;

	// Of two IOMMUs that a master names it is behind the last one.
	if (data === null) {
		data = devm_kzalloc(rk.dma_dev!, rk_iommudata, GFP_KERNEL);
		if (data === null) return -ENOMEM;
	}

	const iommu_dev = of_find_device_by_node(args.np!)!;

	data.iommu = platform_get_drvdata(iommu_dev);
	dev_iommu_priv_set(dev, data);

	put_device(iommu_dev.dev);

	return 0;
}

const rk_iommu_ops: iommu_ops = {
	identity_domain: rk_identity_domain,
	domain_alloc_paging: rk_iommu_domain_alloc_paging,
	probe_device: rk_iommu_probe_device,
	release_device: rk_iommu_release_device,
	device_group: generic_single_device_group,
	pgsize_bitmap: RK_IOMMU_PGSIZE_BITMAP,
	of_xlate: rk_iommu_of_xlate,
	default_domain_ops: {
		attach_dev: rk_iommu_attach_device,
		map_pages: rk_iommu_map,
		unmap_pages: rk_iommu_unmap,
		iova_to_phys: rk_iommu_iova_to_phys,
		free: rk_iommu_domain_free,
	},
};

/** The register windows: those that can be mapped. DEVIATION: without holes; its twin would use the wrong ones. */
function rk_iommu_map_windows(iommu: rk_iommu, pdev: platform_device): int {
	const num_res = pdev.num_resources;
	let err = -EINVAL;

	const bases = devm_kcalloc(pdev.dev, num_res, null, GFP_KERNEL);
	if (bases === null) return -ENOMEM;
	iommu.bases = bases;

	for (let i = 0; i < num_res; i++) {
		const res = platform_get_resource(pdev, IORESOURCE_MEM, i);
		if (res === null) continue;
		const base = devm_ioremap_resource(pdev.dev, res);
		if (!IS_ERR(base)) iommu.bases[iommu.num_mmu++] = base;
		else if (i === 0) err = PTR_ERR(base);
	}
	return iommu.num_mmu === 0 ? err : 0;
}

function rk_iommu_request_irqs(iommu: rk_iommu, pdev: platform_device): int {
	for (let i = 0; i < iommu.num_irq; i++) {
		const irq = platform_get_irq(pdev, i);
		if (irq < 0) return irq;

		const err = devm_request_irq(iommu.dev, irq, rk_iommu_irq, IRQF_SHARED, dev_name(iommu.dev), iommu);
		if (err !== 0) return err;
	}
	return 0;
}

function rk_iommu_probe(pdev: platform_device): int {
	const dev = pdev.dev;

	const iommu = devm_kzalloc(dev, rk_iommu, GFP_KERNEL);
	if (iommu === null) return -ENOMEM;

	iommu.domain = rk_identity_domain;
	platform_set_drvdata(pdev, iommu);
	iommu.dev = dev;

	const ops = of_device_get_match_data(dev) as rk_iommu_ops;
	rk.ops ??= ops;

	// Domains are made for any of them.
	if (WARN_ON(rk.ops !== ops)) return -EINVAL;

	let err = rk_iommu_map_windows(iommu, pdev);
	if (err !== 0) return err;

	iommu.num_irq = platform_irq_count(pdev);
	if (iommu.num_irq < 0) return iommu.num_irq;

	iommu.reset_disabled = device_property_read_bool(dev, 'rockchip,disable-mmu-reset');

	iommu.num_clocks = rk_iommu_clocks.length;
	const clocks = devm_kcalloc(dev, iommu.num_clocks, clk_bulk_data, GFP_KERNEL);
	if (clocks === null) return -ENOMEM;
	iommu.clocks = clocks;
	for (let i = 0; i < iommu.num_clocks; i++) clocks[i]!.id = rk_iommu_clocks[i]!;

	// Old trees have none.
	err = devm_clk_bulk_get(dev, iommu.num_clocks, clocks);
	if (err === -ENOENT) iommu.num_clocks = 0;
	else if (err !== 0) return err;

	err = clk_bulk_prepare(iommu.num_clocks, clocks);
	if (err !== 0) return err;

	err_unprepare_clocks: {
		err = iommu_device_sysfs_add(iommu.iommu, dev, null, dev_name(dev));
		if (err !== 0) break err_unprepare_clocks;

		err_remove_sysfs: {
			err = iommu_device_register(iommu.iommu, rk_iommu_ops, dev);
			if (err !== 0) break err_remove_sysfs;

			const first = rk.dma_dev === null;
			rk.dma_dev ??= dev;

			pm_runtime_enable(dev);

			err = rk_iommu_request_irqs(iommu, pdev);
			if (err === 0) {
				dma_set_mask_and_coherent(dev, ops.dma_bit_mask);
				return 0;
			}

			pm_runtime_disable(dev);
			// DEVIATION: the core forgets it, and so does this driver. Its twin leaves both with what is about to be freed.
			if (first) rk.dma_dev = null;
			iommu_device_unregister(iommu.iommu);
		}
		iommu_device_sysfs_remove(iommu.iommu);
	}
	clk_bulk_unprepare(iommu.num_clocks, clocks);
	return err;
}

function rk_iommu_shutdown(pdev: platform_device): void {
	const iommu = platform_get_drvdata<rk_iommu>(pdev);

	for (let i = 0; i < iommu.num_irq; i++) devm_free_irq(iommu.dev, platform_get_irq(pdev, i), iommu);

	pm_runtime_force_suspend(pdev.dev);
}

function rk_iommu_suspend(dev: device): int {
	const iommu = dev_get_drvdata<rk_iommu>(dev);

	if (iommu.enabled) rk_iommu_disable(iommu);
	return 0;
}

function rk_iommu_resume(dev: device): int {
	const iommu = dev_get_drvdata<rk_iommu>(dev);

	if (iommu.domain === rk_identity_domain) return 0;

	return rk_iommu_enable(iommu);
}

const rk_iommu_pm_ops: dev_pm_ops = {
	runtime_suspend: rk_iommu_suspend,
	runtime_resume: rk_iommu_resume,
	suspend: pm_runtime_force_suspend,
	resume: pm_runtime_force_resume,
};

const iommu_data_ops_v1: rk_iommu_ops = {
	pt_address: rk_dte_pt_address,
	mk_dtentries: rk_mk_dte,
	mk_ptentries: rk_mk_pte,
	page_flags_mask: RK_PTE_PAGE_FLAGS_MASK,
	dma_bit_mask: DMA_BIT_MASK(32),
	gfp_flags: GFP_DMA32,
};

const iommu_data_ops_v2: rk_iommu_ops = {
	pt_address: rk_dte_pt_address_v2,
	mk_dtentries: rk_mk_dte_v2,
	mk_ptentries: rk_mk_pte_v2,
	page_flags_mask: RK_PTE_PAGE_FLAGS_MASK_V2,
	dma_bit_mask: DMA_BIT_MASK(40),
	gfp_flags: 0,
};

const rk_iommu_dt_ids: readonly of_device_id[] = [
	{ compatible: 'rockchip,iommu', data: iommu_data_ops_v1 },
	{ compatible: 'rockchip,rk3568-iommu', data: iommu_data_ops_v2 },
];

const rk_iommu_driver = new platform_driver({
	probe: rk_iommu_probe,
	shutdown: rk_iommu_shutdown,
	driver: {
		name: 'rk_iommu',
		of_match_table: rk_iommu_dt_ids,
		pm: rk_iommu_pm_ops,
		suppress_bind_attrs: true,
	},
});
builtin_platform_driver(rk_iommu_driver);
