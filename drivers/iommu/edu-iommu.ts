// SPDX-License-Identifier: GPL-2.0-only
// The teaching IOMMU: several domains, two page sizes, a command and an event queue.
// No twin in Linux: written from Documentation/edu-iommu.md, in the manner of Linux 6.12's drivers.

import { bytes, phys_to_virt_words, virt_to_phys, words } from '#asm/memory.js';
import { put_device } from '#drivers/base/core.js';
import { devm_kcalloc, devm_kzalloc } from '#drivers/base/devres.js';
import { devm_platform_ioremap_resource, platform_get_irq } from '#drivers/base/platform.js';
import {
	dev_iommu_priv_set,
	generic_device_group,
	iommu_device_register,
	iommu_device_unregister,
	iommu_fwspec_add_ids,
	report_iommu_fault,
} from '#drivers/iommu/iommu.js';
import { iommu_alloc_page, iommu_free_page } from '#drivers/iommu/iommu-pages.js';
import { iommu_device_sysfs_add, iommu_device_sysfs_remove } from '#drivers/iommu/iommu-sysfs.js';
import { of_find_device_by_node } from '#drivers/of/platform.js';
import {
	dma_map_single,
	dma_set_mask_and_coherent,
	dma_sync_single_for_device,
	dma_unmap_single,
	dmam_alloc_coherent,
} from '#kernel/dma/mapping.js';
import { FIELD_GET, FIELD_PREP } from '#linux/bitfield.js';
import { BIT, GENMASK } from '#linux/bits.js';
import { dev_err, dev_err_ratelimited } from '#linux/dev_printk.js';
import { dev_name, type device } from '#linux/device.js';
import { DMA_TO_DEVICE } from '#linux/dma-direction.js';
import { DMA_BIT_MASK, dma_mapping_error } from '#linux/dma-mapping.js';
import { ERR_PTR, type err_ptr, IS_ERR, PTR_ERR } from '#linux/err.js';
import { EEXIST, EINVAL, ENODEV, ENOMEM, ERANGE } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { ida, ida_alloc_max, ida_free, ida_init } from '#linux/idr.js';
import { boot_data } from '#linux/init.js';
import { devm_request_irq, IRQ_HANDLED, IRQ_NONE, type irqreturn_t } from '#linux/interrupt.js';
import { readl, writel } from '#linux/io.js';
import {
	dev_iommu_fwspec_get,
	dev_iommu_priv_get,
	IOMMU_CAP_DEFERRED_FLUSH,
	IOMMU_DOMAIN_BLOCKED,
	IOMMU_DOMAIN_IDENTITY,
	IOMMU_FAULT_READ,
	IOMMU_FAULT_WRITE,
	IOMMU_READ,
	IOMMU_WRITE,
	type iommu_cap,
	iommu_device,
	iommu_domain,
	type iommu_domain_ops,
	type iommu_iotlb_gather,
	iommu_iotlb_gather_add_page,
	iommu_iotlb_gather_queued,
	type iommu_ops,
} from '#linux/iommu.js';
import { readl_poll_timeout_atomic } from '#linux/iopoll.js';
import { shl64, shr64 } from '#linux/math64.js';
import type { of_device_id } from '#linux/mod_devicetable.js';
import type { of_phandle_args } from '#linux/of_node.js';
import {
	builtin_platform_driver,
	type platform_device,
	platform_driver,
	platform_get_drvdata,
	platform_set_drvdata,
} from '#linux/platform_device.js';
import { SZ_4K, SZ_4M } from '#linux/sizes.js';
import { kfree, kzalloc } from '#linux/slab.js';
import { spin_lock_init, spin_lock_irqsave, spin_unlock_irqrestore, spinlock_t } from '#linux/spinlock.js';
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

// SKELETON: your registers and their bits.
// What the block can do.
const EDU_ID_REG = 0x00;
const EDU_ID_STREAMS_LG2 = GENMASK(15, 8);
const EDU_ID_DOMAINS_LG2 = GENMASK(23, 16);

const EDU_CTRL_REG = 0x04;
const EDU_CTRL_ENABLE = BIT(0);
const EDU_STATUS_REG = 0x08;

// Frame numbers: addresses in units of 4 KiB.
const EDU_STAB_BASE_REG = 0x10;
const EDU_CMDQ_BASE_REG = 0x20;
const EDU_CMDQ_SIZE_REG = 0x24;
const EDU_CMDQ_PROD_REG = 0x28;
const EDU_CMDQ_CONS_REG = 0x2c;
const EDU_EVTQ_BASE_REG = 0x30;
const EDU_EVTQ_SIZE_REG = 0x34;
const EDU_EVTQ_PROD_REG = 0x38;
const EDU_EVTQ_CONS_REG = 0x3c;

// Status bits are cleared by writing 1.
const EDU_INT_STATUS_REG = 0x40;
const EDU_INT_ENABLE_REG = 0x44;
const EDU_INT_EVENT = BIT(0);
const EDU_INT_OVERFLOW = BIT(1);
const EDU_INT_COMMAND = BIT(2);
const EDU_INT_ALL = EDU_INT_EVENT | EDU_INT_OVERFLOW | EDU_INT_COMMAND;

/*
 * A stream-table entry: two words, the first of which says whether the second counts.
 */
const EDU_STREAM_WORDS = 2;
const EDU_STREAM_VALID = BIT(0);
const EDU_STREAM_MODE = GENMASK(2, 1);
const EDU_STREAM_MODE_REFUSE = 0;
const EDU_STREAM_MODE_BYPASS = 1;
const EDU_STREAM_MODE_TRANSLATE = 2;
const EDU_STREAM_DOMAIN = GENMASK(11, 8);

// Commands and events are records of four words.
const EDU_RECORD_WORDS = 4;
const EDU_QUEUE_LG2 = 8;
const EDU_QUEUE_RECORDS = 1 << EDU_QUEUE_LG2;
const EDU_QUEUE_BYTES = EDU_QUEUE_RECORDS * EDU_RECORD_WORDS * 4;
const EDU_QUEUE_POSITION = GENMASK(EDU_QUEUE_LG2, 0);
const EDU_QUEUE_INDEX = GENMASK(EDU_QUEUE_LG2 - 1, 0);
const EDU_QUEUE_WRAP = BIT(EDU_QUEUE_LG2);

const EDU_CMD_INV_STREAM = 1;
const EDU_CMD_INV_DOMAIN = 2;
const EDU_CMD_INV_RANGE = 3;
const EDU_CMD_INV_RANGE_TABLES = BIT(8);
const EDU_CMD_SYNC = 4;
const EDU_CMD_TIMEOUT_US = 100000;

const EDU_EVENT_REASON = GENMASK(7, 0);
const EDU_EVENT_STREAM = 1;
const EDU_EVENT_TRANSLATION = 2;
const EDU_EVENT_WRITE = BIT(8);

const EDU_FRAME_SHIFT = 12;

/** What the driver knows of one stream. */
export class edu_iommu_stream {
	/** Whose it is; null: nobody's. */
	dev: device | null = null;
	domain: iommu_domain | null = null;
}

/** One IOMMU block. */
export class edu_iommu {
	iommu: iommu_device = new iommu_device(this);
	dev!: device;
	base: __iomem = 0;
	nr_streams: unsigned_int = 0;
	/** Guards streams[] and the stream table. */
	stream_lock: spinlock_t = new spinlock_t('edu_stream_lock');
	streams: edu_iommu_stream[] = [];
	stab!: Uint32Array;
	/** The numbers that translations are tagged with. */
	max_domain: unsigned_int = 0;
	domain_ids: ida = new ida();
	/** Guards the command queue. */
	cmdq_lock: spinlock_t = new spinlock_t('edu_cmdq_lock');
	cmdq!: Uint32Array;
	cmdq_prod: u32 = 0;
	evtq!: Uint32Array;
	evtq_cons: u32 = 0;
}

/** One address space. */
export class edu_iommu_domain extends iommu_domain {
	iommu!: edu_iommu;
	id: unsigned_int = 0;
	/** A level-1 word that names a table is stored, and cleaned, under it. */
	lock: spinlock_t = new spinlock_t('edu_domain_lock');
	/** The level-1 table. */
	root!: Uint32Array;
}

function to_edu_domain(domain: iommu_domain): edu_iommu_domain {
	return domain as edu_iommu_domain;
}

function edu_read(iommu: edu_iommu, offset: u32): u32 {
	return readl(iommu.base + offset);
}

function edu_write(iommu: edu_iommu, offset: u32, value: u32): void {
	writel(value, iommu.base + offset);
}

function edu_frame(phys: phys_addr_t): u32 {
	return shr64(phys as number, EDU_FRAME_SHIFT);
}

// SKELETON: your page tables, as mk and is functions: nothing below them knows a bit.
/*
 * Page tables: two levels of 1,024 words.
 *
 *  31            22 21            12 11             0
 * +---------------+----------------+---------------+
 * | level-1 index | level-2 index  | offset        |
 * +---------------+----------------+---------------+
 *
 *  31                                4   3     2   1   0
 * +---------------------------------+-------+---+---+-------+
 * | frame number                    | LARGE | W | R | VALID |
 * +---------------------------------+-------+---+---+-------+
 */
const EDU_TABLE_WORDS = 1024;
const EDU_L1_INDEX = GENMASK(31, 22);
const EDU_L2_INDEX = GENMASK(21, 12);

const EDU_PTE_VALID = BIT(0);
const EDU_PTE_READ = BIT(1);
const EDU_PTE_WRITE = BIT(2);
const EDU_PTE_LARGE = BIT(3);
const EDU_PTE_FRAME = GENMASK(31, 4);

/** Which level-1 word is for @iova. */
function edu_l1_index(iova: unsigned_long): u32 {
	return FIELD_GET(EDU_L1_INDEX, iova);
}

function edu_l2_index(iova: unsigned_long): u32 {
	return FIELD_GET(EDU_L2_INDEX, iova);
}

function edu_pte_is_valid(pte: u32): bool {
	return (pte & EDU_PTE_VALID) !== 0;
}

function edu_pte_is_table(pte: u32): bool {
	return (pte & (EDU_PTE_VALID | EDU_PTE_LARGE)) === EDU_PTE_VALID;
}

function edu_pte_phys(pte: u32): phys_addr_t {
	return shl64(FIELD_GET(EDU_PTE_FRAME, pte), EDU_FRAME_SHIFT);
}

/** The level-2 table that @pte, a level-1 word, names. */
function edu_pte_table(pte: u32): Uint32Array {
	return phys_to_virt_words(edu_pte_phys(pte), EDU_TABLE_WORDS);
}

function edu_mk_table(phys: phys_addr_t): u32 {
	return (FIELD_PREP(EDU_PTE_FRAME, edu_frame(phys)) | EDU_PTE_VALID) >>> 0;
}

function edu_mk_pte(phys: phys_addr_t, size: size_t, prot: int): u32 {
	let pte = (FIELD_PREP(EDU_PTE_FRAME, edu_frame(phys)) | EDU_PTE_VALID) >>> 0;

	if ((prot & IOMMU_READ) !== 0) pte |= EDU_PTE_READ;
	if ((prot & IOMMU_WRITE) !== 0) pte |= EDU_PTE_WRITE;
	if (size === SZ_4M) pte |= EDU_PTE_LARGE;
	return pte >>> 0;
}

/** Have the walker see the @count words of @table from @index on. */
function edu_table_flush(iommu: edu_iommu, table: Uint32Array, index: u32, count: unsigned_int): void {
	const dma: dma_addr_t = (virt_to_phys(table) as number) + index * 4;

	dma_sync_single_for_device(iommu.dev, dma, count * 4, DMA_TO_DEVICE);
}

/** A table for the walker, empty; null: no memory. */
function edu_alloc_table(iommu: edu_iommu, gfp: gfp_t): Uint32Array | null {
	const page = iommu_alloc_page(gfp);
	if (page === null) return null;

	const table = words(page, EDU_TABLE_WORDS);
	const dma = dma_map_single(iommu.dev, bytes(table), SZ_4K, DMA_TO_DEVICE);
	// The walker reads physical addresses: anything between would be wrong.
	if (dma_mapping_error(iommu.dev, dma) === 0 && (dma as number) === (virt_to_phys(table) as number))
		return table;

	if (dma_mapping_error(iommu.dev, dma) === 0) dma_unmap_single(iommu.dev, dma, SZ_4K, DMA_TO_DEVICE);
	iommu_free_page(table);
	return null;
}

function edu_free_table(iommu: edu_iommu, table: Uint32Array): void {
	dma_unmap_single(iommu.dev, virt_to_phys(table) as number, SZ_4K, DMA_TO_DEVICE);
	iommu_free_page(table);
}

/** Wait until CONS is @cons, or anywhere else than there (@away). */
function edu_cmdq_wait(iommu: edu_iommu, cons: u32, away: bool): int {
	const val = new ref<u32>(0);

	return readl_poll_timeout_atomic(
		iommu.base + EDU_CMDQ_CONS_REG,
		val,
		() => (val.value === cons) !== away,
		1,
		EDU_CMD_TIMEOUT_US,
	);
}

/** Put one command into the queue; @iommu's cmdq_lock is held. -ETIMEDOUT: the queue is full and stays so. */
function edu_cmdq_put(iommu: edu_iommu, word: u32, target: u32, first: u32, last: u32): int {
	const full = (iommu.cmdq_prod ^ EDU_QUEUE_WRAP) >>> 0;
	const ret = edu_cmdq_wait(iommu, full, true);
	if (ret !== 0) return ret;

	const at = (iommu.cmdq_prod & EDU_QUEUE_INDEX) * EDU_RECORD_WORDS;
	iommu.cmdq[at] = word;
	iommu.cmdq[at + 1] = target;
	iommu.cmdq[at + 2] = first;
	iommu.cmdq[at + 3] = last;
	iommu.cmdq_prod = ((iommu.cmdq_prod + 1) & EDU_QUEUE_POSITION) >>> 0;
	edu_write(iommu, EDU_CMDQ_PROD_REG, iommu.cmdq_prod);
	return 0;
}

// SKELETON: how your chip is told to forget, and how one knows that it has.
/** Execute one command, and wait until it has taken effect. */
function edu_cmdq_issue(iommu: edu_iommu, word: u32, target: u32, first: u32, last: u32): void {
	const flags = spin_lock_irqsave(iommu.cmdq_lock);
	let ret = edu_cmdq_put(iommu, word, target, first, last);
	if (ret === 0) ret = edu_cmdq_put(iommu, EDU_CMD_SYNC, 0, 0, 0);
	if (ret === 0) ret = edu_cmdq_wait(iommu, iommu.cmdq_prod, false);
	spin_unlock_irqrestore(iommu.cmdq_lock, flags);

	if (ret !== 0) dev_err_ratelimited(iommu.dev, 'command %#x timed out', word);
}

function edu_iommu_flush_iotlb_all(domain: iommu_domain): void {
	const edu_domain = to_edu_domain(domain);

	edu_cmdq_issue(edu_domain.iommu, EDU_CMD_INV_DOMAIN, edu_domain.id, 0, 0);
}

/** Have the walker look anew at a range, level-1 words too. */
function edu_forget_tables(edu_domain: edu_iommu_domain, iova: unsigned_long, size: size_t): void {
	const word = EDU_CMD_INV_RANGE | EDU_CMD_INV_RANGE_TABLES;

	edu_cmdq_issue(edu_domain.iommu, word, edu_domain.id, iova, iova + size - 1);
}

/** What was invalid may be cached as such: level-1 words, too, of tables that are new. */
function edu_iommu_iotlb_sync_map(domain: iommu_domain, iova: unsigned_long, size: size_t): int {
	if (size !== 0) edu_forget_tables(to_edu_domain(domain), iova, size);
	return 0;
}

function edu_iommu_iotlb_sync(domain: iommu_domain, gather: iommu_iotlb_gather): void {
	const edu_domain = to_edu_domain(domain);

	// Nothing was unmapped.
	if (gather.pgsize === 0) return;
	edu_cmdq_issue(edu_domain.iommu, EDU_CMD_INV_RANGE, edu_domain.id, gather.start, gather.end);
}

/**
 * The level-2 table for @iova, made if need be. Under the domain's lock: who finds a table has to know that the walker
 * can find it, too.
 */
function edu_get_table(edu_domain: edu_iommu_domain, iova: unsigned_long, gfp: gfp_t): Uint32Array | err_ptr {
	const { iommu, root } = edu_domain;
	const index = edu_l1_index(iova);

	let flags = spin_lock_irqsave(edu_domain.lock);
	let pte = root[index]!;
	spin_unlock_irqrestore(edu_domain.lock, flags);
	if (edu_pte_is_table(pte)) return edu_pte_table(pte);
	if (edu_pte_is_valid(pte)) return ERR_PTR(-EEXIST);

	const table = edu_alloc_table(iommu, gfp);
	if (table === null) return ERR_PTR(-ENOMEM);

	flags = spin_lock_irqsave(edu_domain.lock);
	pte = root[index]!;
	if (!edu_pte_is_valid(pte)) {
		root[index] = edu_mk_table(virt_to_phys(table));
		edu_table_flush(iommu, root, index, 1);
	}
	spin_unlock_irqrestore(edu_domain.lock, flags);
	if (!edu_pte_is_valid(pte)) return table;

	// Another was quicker.
	edu_free_table(iommu, table);
	return edu_pte_is_table(pte) ? edu_pte_table(pte) : ERR_PTR(-EEXIST);
}

/** Take the level-2 table at @index away if nothing is mapped in it: a large page can then take its place. */
function edu_drop_table(edu_domain: edu_iommu_domain, index: u32): bool {
	const { iommu, root } = edu_domain;
	const table = edu_pte_table(root[index]!);

	for (let i = 0; i < EDU_TABLE_WORDS; i++) if (edu_pte_is_valid(table[i]!)) return false;

	root[index] = 0;
	edu_table_flush(iommu, root, index, 1);
	edu_forget_tables(edu_domain, FIELD_PREP(EDU_L1_INDEX, index), SZ_4M);
	edu_free_table(iommu, table);
	return true;
}

/** Map one page of @size. */
function edu_map_page(
	edu_domain: edu_iommu_domain,
	iova: unsigned_long,
	paddr: phys_addr_t,
	size: size_t,
	prot: int,
	gfp: gfp_t,
): int {
	const { iommu } = edu_domain;
	let table: Uint32Array | err_ptr = edu_domain.root;
	let index = edu_l1_index(iova);

	if (size === SZ_4M) {
		if (edu_pte_is_table(table[index]!) && !edu_drop_table(edu_domain, index)) return -EEXIST;
	} else {
		table = edu_get_table(edu_domain, iova, gfp);
		if (IS_ERR(table)) return PTR_ERR(table);
		index = edu_l2_index(iova);
	}
	if (edu_pte_is_valid(table[index]!)) {
		const phys = edu_pte_phys(table[index]!);

		dev_err(iommu.dev, 'iova %#lx already mapped to %pa', iova, phys);
		return -EEXIST;
	}

	table[index] = edu_mk_pte(paddr, size, prot);
	edu_table_flush(iommu, table, index, 1);
	return 0;
}

function edu_iommu_map_pages(
	domain: iommu_domain,
	iova: unsigned_long,
	paddr: phys_addr_t,
	pgsize: size_t,
	pgcount: size_t,
	prot: int,
	gfp: gfp_t,
	mapped: ref<size_t>,
): int {
	const edu_domain = to_edu_domain(domain);
	const last = pgcount * pgsize - 1;

	if (iova + last > DMA_BIT_MASK(32) || (paddr as number) + last > DMA_BIT_MASK(40)) return -ERANGE;

	for (let i = 0; i < pgcount; i++) {
		const at = i * pgsize;
		const ret = edu_map_page(edu_domain, iova + at, (paddr as number) + at, pgsize, prot, gfp);
		if (ret !== 0) {
			// No iotlb_sync_map() follows, and the tables that were made stay.
			edu_iommu_flush_iotlb_all(domain);
			return ret;
		}
		mapped.value += pgsize;
	}
	return 0;
}

/**
 * Unmap up to the first page that is not mapped. The core chooses @pgsize by the addresses: a range of a large page may
 * have been mapped by small ones. Part of a large page stays. Tables stay.
 */
function edu_iommu_unmap_pages(
	domain: iommu_domain,
	iova: unsigned_long,
	pgsize: size_t,
	pgcount: size_t,
	gather: iommu_iotlb_gather,
): size_t {
	const edu_domain = to_edu_domain(domain);
	const { iommu, root } = edu_domain;
	let size: size_t = 0;

	for (let done = 0; done < pgcount * pgsize; done += size) {
		const at = iova + done;
		let table = root;
		let index = edu_l1_index(at);

		size = SZ_4M;
		if (edu_pte_is_table(root[index]!)) {
			table = edu_pte_table(root[index]!);
			index = edu_l2_index(at);
			size = SZ_4K;
		}
		if (size > pgsize || !edu_pte_is_valid(table[index]!)) return done;

		table[index] = 0;
		edu_table_flush(iommu, table, index, 1);
		if (!iommu_iotlb_gather_queued(gather)) iommu_iotlb_gather_add_page(domain, gather, at, size);
	}
	return pgcount * pgsize;
}

function edu_iommu_iova_to_phys(domain: iommu_domain, iova: dma_addr_t): phys_addr_t {
	const { root } = to_edu_domain(domain);
	const at = iova as number;

	if (at > DMA_BIT_MASK(32)) return 0;
	let pte = root[edu_l1_index(at)]!;
	let size: size_t = SZ_4M;
	if (edu_pte_is_table(pte)) {
		pte = edu_pte_table(pte)[edu_l2_index(at)]!;
		size = SZ_4K;
	}
	return edu_pte_is_valid(pte) ? (edu_pte_phys(pte) as number) + (at % size) : 0;
}

// SKELETON: how a stream gets its tables. It may be in use: no address may lead to the wrong page meanwhile.
/** Tell the hardware what becomes of @sid. Only words[0] of a live entry may change without a detour. */
function edu_write_stream(iommu: edu_iommu, sid: u32, word: u32, root: u32): void {
	const at = sid * EDU_STREAM_WORDS;
	const { stab } = iommu;

	if (edu_stream_translates(stab[at]!) && stab[at + 1] !== root) {
		stab[at] = 0;
		edu_cmdq_issue(iommu, EDU_CMD_INV_STREAM, sid, 0, 0);
	}
	stab[at + 1] = root;
	stab[at] = word;
	edu_cmdq_issue(iommu, EDU_CMD_INV_STREAM, sid, 0, 0);
}

function edu_stream_translates(word: u32): bool {
	return FIELD_GET(EDU_STREAM_MODE, word) === EDU_STREAM_MODE_TRANSLATE;
}

/** Put all streams of @dev into @domain, which is known to the hardware as @word and @root. */
function edu_attach_streams(dev: device, domain: iommu_domain, word: u32, root: u32): void {
	const iommu = dev_iommu_priv_get(dev) as edu_iommu;
	const fwspec = dev_iommu_fwspec_get(dev)!;
	for (let i = 0; i < fwspec.num_ids; i++) {
		const sid = fwspec.ids[i]!;

		const flags = spin_lock_irqsave(iommu.stream_lock);
		iommu.streams[sid]!.domain = domain;
		edu_write_stream(iommu, sid, word, root);
		spin_unlock_irqrestore(iommu.stream_lock, flags);
	}
}

function edu_iommu_attach_dev(domain: iommu_domain, dev: device): int {
	const edu_domain = to_edu_domain(domain);

	if (edu_domain.iommu !== dev_iommu_priv_get(dev)) return -EINVAL;

	const word =
		EDU_STREAM_VALID |
		FIELD_PREP(EDU_STREAM_MODE, EDU_STREAM_MODE_TRANSLATE) |
		FIELD_PREP(EDU_STREAM_DOMAIN, edu_domain.id);
	edu_attach_streams(dev, domain, word, edu_frame(virt_to_phys(edu_domain.root)));
	return 0;
}

function edu_iommu_identity_attach(domain: iommu_domain, dev: device): int {
	const word = EDU_STREAM_VALID | FIELD_PREP(EDU_STREAM_MODE, EDU_STREAM_MODE_BYPASS);

	edu_attach_streams(dev, domain, word, 0);
	return 0;
}

const edu_iommu_identity_ops: iommu_domain_ops = {
	attach_dev: edu_iommu_identity_attach,
};

const edu_iommu_identity_domain: iommu_domain = boot_data(
	() => new iommu_domain({ type: IOMMU_DOMAIN_IDENTITY, ops: edu_iommu_identity_ops }),
);

function edu_iommu_blocked_attach(domain: iommu_domain, dev: device): int {
	const word = EDU_STREAM_VALID | FIELD_PREP(EDU_STREAM_MODE, EDU_STREAM_MODE_REFUSE);

	edu_attach_streams(dev, domain, word, 0);
	return 0;
}

const edu_iommu_blocked_ops: iommu_domain_ops = {
	attach_dev: edu_iommu_blocked_attach,
};

const edu_iommu_blocked_domain: iommu_domain = boot_data(
	() => new iommu_domain({ type: IOMMU_DOMAIN_BLOCKED, ops: edu_iommu_blocked_ops }),
);

// SKELETON: an address space: its root, its number, and which addresses it has.
function edu_iommu_domain_alloc_paging(dev: device | null): iommu_domain | null {
	if (dev === null) return null;
	const iommu = dev_iommu_priv_get(dev) as edu_iommu;

	const edu_domain = kzalloc(edu_iommu_domain, GFP_KERNEL);
	if (edu_domain === null) return null;
	edu_domain.iommu = iommu;
	spin_lock_init(edu_domain.lock);

	err_free_domain: {
		const id = ida_alloc_max(iommu.domain_ids, iommu.max_domain, GFP_KERNEL);
		if (id < 0) break err_free_domain;
		edu_domain.id = id;

		const root = edu_alloc_table(iommu, GFP_KERNEL);
		if (root === null) {
			ida_free(iommu.domain_ids, id);
			break err_free_domain;
		}
		edu_domain.root = root;
		edu_domain.geometry.aperture_start = 0;
		edu_domain.geometry.aperture_end = DMA_BIT_MASK(32);
		edu_domain.geometry.force_aperture = true;
		return edu_domain;
	}
	kfree(edu_domain);
	return null;
}

function edu_iommu_domain_free(domain: iommu_domain): void {
	const edu_domain = to_edu_domain(domain);
	const { iommu, root } = edu_domain;

	// Nothing that is cached may outlive the tables, nor meet the next domain with this number.
	edu_iommu_flush_iotlb_all(domain);
	for (let i = 0; i < EDU_TABLE_WORDS; i++)
		if (edu_pte_is_table(root[i]!)) edu_free_table(iommu, edu_pte_table(root[i]!));
	edu_free_table(iommu, root);
	ida_free(iommu.domain_ids, edu_domain.id);
	kfree(edu_domain);
}

function edu_iommu_capable(dev: device, cap: iommu_cap): bool {
	return cap === IOMMU_CAP_DEFERRED_FLUSH;
}

function edu_iommu_probe_device(dev: device): iommu_device | err_ptr {
	const iommu = dev_iommu_priv_get(dev) as edu_iommu | null;
	const fwspec = dev_iommu_fwspec_get(dev);
	if (iommu === null || fwspec === null) return ERR_PTR(-ENODEV);

	for (let i = 0; i < fwspec.num_ids; i++) {
		const sid = fwspec.ids[i]!;

		if (sid >= iommu.nr_streams) {
			dev_err(dev, 'stream %u: this IOMMU has 0 to %u', sid, iommu.nr_streams - 1);
			return ERR_PTR(-EINVAL);
		}
		// Two devices behind one stream could not be told apart.
		if (iommu.streams[sid]!.dev !== null && iommu.streams[sid]!.dev !== dev) {
			dev_err(dev, "stream %u is %s's", sid, dev_name(iommu.streams[sid]!.dev!));
			return ERR_PTR(-EINVAL);
		}
	}
	for (let i = 0; i < fwspec.num_ids; i++) iommu.streams[fwspec.ids[i]!]!.dev = dev;
	return iommu.iommu;
}

function edu_iommu_release_device(dev: device): void {
	const iommu = dev_iommu_priv_get(dev) as edu_iommu;
	const fwspec = dev_iommu_fwspec_get(dev)!;
	const flags = spin_lock_irqsave(iommu.stream_lock);
	for (let i = 0; i < fwspec.num_ids; i++) {
		iommu.streams[fwspec.ids[i]!]!.dev = null;
		iommu.streams[fwspec.ids[i]!]!.domain = null;
	}
	spin_unlock_irqrestore(iommu.stream_lock, flags);
}

function edu_iommu_of_xlate(dev: device, args: of_phandle_args): int {
	const iommu_pdev = of_find_device_by_node(args.np!)!;

	dev_iommu_priv_set(dev, platform_get_drvdata(iommu_pdev));
	put_device(iommu_pdev.dev);

	return iommu_fwspec_add_ids(dev, args.args, 1);
}

// SKELETON: your page sizes; no blocked_domain if your chip cannot refuse.
const edu_iommu_ops: iommu_ops = {
	identity_domain: edu_iommu_identity_domain,
	blocked_domain: edu_iommu_blocked_domain,
	release_domain: edu_iommu_blocked_domain,
	pgsize_bitmap: SZ_4K | SZ_4M,
	capable: edu_iommu_capable,
	device_group: generic_device_group,
	domain_alloc_paging: edu_iommu_domain_alloc_paging,
	of_xlate: edu_iommu_of_xlate,
	probe_device: edu_iommu_probe_device,
	release_device: edu_iommu_release_device,
	default_domain_ops: {
		attach_dev: edu_iommu_attach_dev,
		flush_iotlb_all: edu_iommu_flush_iotlb_all,
		iotlb_sync_map: edu_iommu_iotlb_sync_map,
		iotlb_sync: edu_iommu_iotlb_sync,
		iova_to_phys: edu_iommu_iova_to_phys,
		map_pages: edu_iommu_map_pages,
		unmap_pages: edu_iommu_unmap_pages,
		free: edu_iommu_domain_free,
	},
};

/** Report the event in the four words from @at on. */
function edu_iommu_report(iommu: edu_iommu, at: unsigned_int): void {
	const reason = FIELD_GET(EDU_EVENT_REASON, iommu.evtq[at]!);
	const write = (iommu.evtq[at]! & EDU_EVENT_WRITE) !== 0;
	const sid = iommu.evtq[at + 1]!;
	const iova = iommu.evtq[at + 2]!;

	dev_err_ratelimited(
		iommu.dev,
		'stream %u: %s %s 0x%08x',
		sid,
		reason === EDU_EVENT_STREAM
			? 'no domain:'
			: reason === EDU_EVENT_TRANSLATION
				? 'not mapped:'
				: 'no right:',
		write ? 'write to' : 'read of',
		iova,
	);
	if (sid >= iommu.nr_streams) return;

	const flags = spin_lock_irqsave(iommu.stream_lock);
	const { dev, domain } = iommu.streams[sid]!;
	spin_unlock_irqrestore(iommu.stream_lock, flags);
	if (dev !== null && domain !== null)
		report_iommu_fault(domain, dev, iova, write ? IOMMU_FAULT_WRITE : IOMMU_FAULT_READ);
}

function edu_iommu_irq(irq: int, dev_id: unknown): irqreturn_t {
	const iommu = dev_id as edu_iommu;

	const status = edu_read(iommu, EDU_INT_STATUS_REG);
	if ((status & EDU_INT_ALL) === 0) return IRQ_NONE;
	// First: what comes from here on interrupts again.
	edu_write(iommu, EDU_INT_STATUS_REG, status);

	if ((status & EDU_INT_COMMAND) !== 0) dev_err(iommu.dev, 'a command was refused');
	if ((status & EDU_INT_OVERFLOW) !== 0) dev_err_ratelimited(iommu.dev, 'events were lost');

	while (edu_read(iommu, EDU_EVTQ_PROD_REG) !== iommu.evtq_cons) {
		edu_iommu_report(iommu, (iommu.evtq_cons & EDU_QUEUE_INDEX) * EDU_RECORD_WORDS);
		iommu.evtq_cons = ((iommu.evtq_cons + 1) & EDU_QUEUE_POSITION) >>> 0;
		edu_write(iommu, EDU_EVTQ_CONS_REG, iommu.evtq_cons);
	}
	return IRQ_HANDLED;
}

/** @count words that CPU and hardware share; null: no memory. @base: the register that says where. */
function edu_iommu_alloc_shared(iommu: edu_iommu, size: size_t, base: u32): Uint32Array | null {
	const dma = new ref<dma_addr_t>(0);

	const view = dmam_alloc_coherent(iommu.dev, size, dma, GFP_KERNEL);
	if (view === null) return null;

	edu_write(iommu, base, edu_frame(dma.value as number));
	return words(view, size / 4);
}

/** Stream table and queues, all empty: what has no entry is refused. */
function edu_iommu_init_memory(iommu: edu_iommu): int {
	const stab_size = iommu.nr_streams * EDU_STREAM_WORDS * 4;

	const stab = edu_iommu_alloc_shared(iommu, stab_size, EDU_STAB_BASE_REG);
	if (stab === null) return -ENOMEM;
	iommu.stab = stab;

	const cmdq = edu_iommu_alloc_shared(iommu, EDU_QUEUE_BYTES, EDU_CMDQ_BASE_REG);
	if (cmdq === null) return -ENOMEM;
	iommu.cmdq = cmdq;
	edu_write(iommu, EDU_CMDQ_SIZE_REG, EDU_QUEUE_LG2);

	const evtq = edu_iommu_alloc_shared(iommu, EDU_QUEUE_BYTES, EDU_EVTQ_BASE_REG);
	if (evtq === null) return -ENOMEM;
	iommu.evtq = evtq;
	edu_write(iommu, EDU_EVTQ_SIZE_REG, EDU_QUEUE_LG2);
	return 0;
}

function edu_iommu_set_enable(iommu: edu_iommu, enable: u32): int {
	const val = new ref<u32>(0);

	edu_write(iommu, EDU_CTRL_REG, enable);
	return readl_poll_timeout_atomic(
		iommu.base + EDU_STATUS_REG,
		val,
		() => val.value === enable,
		1,
		EDU_CMD_TIMEOUT_US,
	);
}

// SKELETON: clocks, resets and power, if it has them, then registers, interrupt, and what it can do.
function edu_iommu_probe(pdev: platform_device): int {
	const dev = pdev.dev;

	const iommu = devm_kzalloc(dev, edu_iommu, GFP_KERNEL);
	if (iommu === null) return -ENOMEM;
	iommu.dev = dev;
	spin_lock_init(iommu.stream_lock);
	spin_lock_init(iommu.cmdq_lock);
	ida_init(iommu.domain_ids);
	platform_set_drvdata(pdev, iommu);

	const base = devm_platform_ioremap_resource(pdev, 0);
	if (IS_ERR(base)) return PTR_ERR(base);
	iommu.base = base;

	const irq = platform_get_irq(pdev, 0);
	if (irq < 0) return irq;

	let ret = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(40));
	if (ret !== 0) return ret;

	const id = edu_read(iommu, EDU_ID_REG);
	iommu.nr_streams = 1 << FIELD_GET(EDU_ID_STREAMS_LG2, id);
	iommu.max_domain = (1 << FIELD_GET(EDU_ID_DOMAINS_LG2, id)) - 1;

	const streams = devm_kcalloc(dev, iommu.nr_streams, edu_iommu_stream, GFP_KERNEL);
	if (streams === null) return -ENOMEM;
	iommu.streams = streams;

	ret = edu_iommu_init_memory(iommu);
	if (ret !== 0) return ret;

	ret = devm_request_irq(dev, irq, edu_iommu_irq, 0, dev_name(dev), iommu);
	if (ret !== 0) return ret;
	edu_write(iommu, EDU_INT_ENABLE_REG, EDU_INT_ALL);

	ret = edu_iommu_set_enable(iommu, EDU_CTRL_ENABLE);
	if (ret !== 0) {
		dev_err(dev, 'cannot be enabled');
		return ret;
	}

	err_disable: {
		ret = iommu_device_sysfs_add(iommu.iommu, dev, null, dev_name(dev));
		if (ret !== 0) break err_disable;

		ret = iommu_device_register(iommu.iommu, edu_iommu_ops, dev);
		if (ret === 0) return 0;

		iommu_device_sysfs_remove(iommu.iommu);
	}
	edu_iommu_set_enable(iommu, 0);
	return ret;
}

function edu_iommu_remove(pdev: platform_device): void {
	const iommu = platform_get_drvdata(pdev) as edu_iommu;

	iommu_device_unregister(iommu.iommu);
	iommu_device_sysfs_remove(iommu.iommu);
	edu_iommu_set_enable(iommu, 0);
}

const edu_iommu_dt: readonly of_device_id[] = [{ compatible: 'linux-iommu-ts,edu-iommu' }];

const edu_iommu_driver = new platform_driver({
	driver: {
		name: 'edu-iommu',
		of_match_table: edu_iommu_dt,
		suppress_bind_attrs: true,
	},
	probe: edu_iommu_probe,
	remove: edu_iommu_remove,
});
builtin_platform_driver(edu_iommu_driver);
