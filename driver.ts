// SPDX-License-Identifier: GPL-2.0-only
// The teaching IOMMU: several domains, two page sizes, a command and an event queue.
// No twin in Linux: written from Documentation/edu-iommu.md, in the manner of Linux 6.12's drivers.

import { bytes, phys_to_virt_words, virt_to_phys, words } from '#asm/memory.js';
import { put_device } from '#drivers/base/core.js';
import { devm_kzalloc } from '#drivers/base/devres.js';
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
import { cmpxchg } from '#linux/atomic.js';
import { FIELD_GET, FIELD_PREP } from '#linux/bitfield.js';
import { BIT, GENMASK } from '#linux/bits.js';
import { dev_err, dev_err_ratelimited } from '#linux/dev_printk.js';
import { dev_name, type device } from '#linux/device.js';
import { DMA_TO_DEVICE } from '#linux/dma-direction.js';
import { DMA_BIT_MASK, dma_mapping_error } from '#linux/dma-mapping.js';
import { ERR_PTR, type err_ptr, IS_ERR, PTR_ERR } from '#linux/err.js';
import { EEXIST, EINVAL, ENODEV, ENOMEM, ERANGE } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { ida, ida_alloc_max, ida_free } from '#linux/idr.js';
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
const MY_ID_REG = 0x00;
const MY_ID_STREAMS_LG2 = GENMASK(15, 8);
const MY_ID_DOMAINS_LG2 = GENMASK(23, 16);

const MY_CTRL_REG = 0x04;
const MY_CTRL_ENABLE = BIT(0);
const MY_STATUS_REG = 0x08;

// Frame numbers: addresses in units of 4 KiB.
const MY_STAB_BASE_REG = 0x10;
const MY_CMDQ_BASE_REG = 0x20;
const MY_CMDQ_SIZE_REG = 0x24;
const MY_CMDQ_PROD_REG = 0x28;
const MY_CMDQ_CONS_REG = 0x2c;
const MY_EVTQ_BASE_REG = 0x30;
const MY_EVTQ_SIZE_REG = 0x34;
const MY_EVTQ_PROD_REG = 0x38;
const MY_EVTQ_CONS_REG = 0x3c;

// Status bits are cleared by writing 1.
const MY_INT_STATUS_REG = 0x40;
const MY_INT_ENABLE_REG = 0x44;
const MY_INT_EVENT = BIT(0);
const MY_INT_OVERFLOW = BIT(1);
const MY_INT_COMMAND = BIT(2);
const MY_INT_ALL = MY_INT_EVENT | MY_INT_OVERFLOW | MY_INT_COMMAND;

/*
 * A stream-table entry: two words, the first of which says whether the second counts.
 */
const MY_STREAM_WORDS = 2;
const MY_STREAM_VALID = BIT(0);
const MY_STREAM_MODE = GENMASK(2, 1);
const MY_STREAM_MODE_REFUSE = 0;
const MY_STREAM_MODE_BYPASS = 1;
const MY_STREAM_MODE_TRANSLATE = 2;
const MY_STREAM_DOMAIN = GENMASK(11, 8);

// Commands and events are records of four words.
const MY_RECORD_WORDS = 4;
const MY_QUEUE_LG2 = 8;
const MY_QUEUE_RECORDS = 1 << MY_QUEUE_LG2;
const MY_QUEUE_BYTES = MY_QUEUE_RECORDS * MY_RECORD_WORDS * 4;
const MY_QUEUE_POSITION = GENMASK(MY_QUEUE_LG2, 0);
const MY_QUEUE_INDEX = GENMASK(MY_QUEUE_LG2 - 1, 0);
const MY_QUEUE_WRAP = BIT(MY_QUEUE_LG2);

const MY_CMD_INV_STREAM = 1;
const MY_CMD_INV_DOMAIN = 2;
const MY_CMD_INV_RANGE = 3;
const MY_CMD_INV_RANGE_TABLES = BIT(8);
const MY_CMD_SYNC = 4;
const MY_CMD_TIMEOUT_US = 100000;

const MY_EVENT_REASON = GENMASK(7, 0);
const MY_EVENT_STREAM = 1;
const MY_EVENT_TRANSLATION = 2;
const MY_EVENT_WRITE = BIT(8);

const MY_FRAME_SHIFT = 12;

/** What the driver knows of one stream. */
export class my_iommu_stream {
	/** Whose it is; null: nobody's. */
	dev: device | null = null;
	domain: iommu_domain | null = null;
}

/** One IOMMU block. */
export class my_iommu {
	iommu: iommu_device = new iommu_device(this);
	dev!: device;
	base: __iomem = 0;
	nr_streams: unsigned_int = 0;
	/** Guards streams[] and the stream table. */
	stream_lock: spinlock_t = new spinlock_t('my_stream_lock');
	streams: my_iommu_stream[] = [];
	stab!: Uint32Array;
	/** The numbers that translations are tagged with. */
	max_domain: unsigned_int = 0;
	domain_ids: ida = new ida();
	cmdq_lock: spinlock_t = new spinlock_t('my_cmdq_lock');
	cmdq!: Uint32Array;
	cmdq_prod: u32 = 0;
	evtq!: Uint32Array;
	evtq_cons: u32 = 0;
}

/** One address space. */
export class my_iommu_domain extends iommu_domain {
	iommu!: my_iommu;
	id: unsigned_int = 0;
	/** The level-1 table. */
	root!: Uint32Array;
}

function to_my_domain(domain: iommu_domain): my_iommu_domain {
	return domain as my_iommu_domain;
}

function my_read(iommu: my_iommu, offset: u32): u32 {
	return readl(iommu.base + offset);
}

function my_write(iommu: my_iommu, offset: u32, value: u32): void {
	writel(value, iommu.base + offset);
}

function my_frame(phys: phys_addr_t): u32 {
	return shr64(phys as number, MY_FRAME_SHIFT);
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
const MY_TABLE_WORDS = 1024;
const MY_L1_INDEX = GENMASK(31, 22);
const MY_L2_INDEX = GENMASK(21, 12);

const MY_PTE_VALID = BIT(0);
const MY_PTE_READ = BIT(1);
const MY_PTE_WRITE = BIT(2);
const MY_PTE_LARGE = BIT(3);
const MY_PTE_FRAME = GENMASK(31, 4);

/** Which level-1 word is for @iova. */
function my_l1_index(iova: unsigned_long): u32 {
	return FIELD_GET(MY_L1_INDEX, iova);
}

function my_l2_index(iova: unsigned_long): u32 {
	return FIELD_GET(MY_L2_INDEX, iova);
}

function my_pte_is_valid(pte: u32): bool {
	return (pte & MY_PTE_VALID) !== 0;
}

function my_pte_is_table(pte: u32): bool {
	return (pte & (MY_PTE_VALID | MY_PTE_LARGE)) === MY_PTE_VALID;
}

function my_pte_phys(pte: u32): phys_addr_t {
	return shl64(FIELD_GET(MY_PTE_FRAME, pte), MY_FRAME_SHIFT);
}

/** The level-2 table that @pte, a level-1 word, names. */
function my_pte_table(pte: u32): Uint32Array {
	return phys_to_virt_words(my_pte_phys(pte), MY_TABLE_WORDS);
}

function my_mk_table(phys: phys_addr_t): u32 {
	return (FIELD_PREP(MY_PTE_FRAME, my_frame(phys)) | MY_PTE_VALID) >>> 0;
}

function my_mk_pte(phys: phys_addr_t, size: size_t, prot: int): u32 {
	let pte = (FIELD_PREP(MY_PTE_FRAME, my_frame(phys)) | MY_PTE_VALID) >>> 0;

	if ((prot & IOMMU_READ) !== 0) pte |= MY_PTE_READ;
	if ((prot & IOMMU_WRITE) !== 0) pte |= MY_PTE_WRITE;
	if (size === SZ_4M) pte |= MY_PTE_LARGE;
	return pte >>> 0;
}

/** Have the walker see the @count words of @table from @index on. */
function my_table_flush(iommu: my_iommu, table: Uint32Array, index: u32, count: unsigned_int): void {
	const dma: dma_addr_t = (virt_to_phys(table) as number) + index * 4;

	dma_sync_single_for_device(iommu.dev, dma, count * 4, DMA_TO_DEVICE);
}

/** A table for the walker, empty; null: no memory. */
function my_alloc_table(iommu: my_iommu, gfp: gfp_t): Uint32Array | null {
	const page = iommu_alloc_page(gfp);
	if (page === null) return null;

	const table = words(page, MY_TABLE_WORDS);
	const dma = dma_map_single(iommu.dev, bytes(table), SZ_4K, DMA_TO_DEVICE);
	// The walker reads physical addresses: anything between would be wrong.
	if (dma_mapping_error(iommu.dev, dma) === 0 && (dma as number) === (virt_to_phys(table) as number))
		return table;

	if (dma_mapping_error(iommu.dev, dma) === 0) dma_unmap_single(iommu.dev, dma, SZ_4K, DMA_TO_DEVICE);
	iommu_free_page(table);
	return null;
}

function my_free_table(iommu: my_iommu, table: Uint32Array): void {
	dma_unmap_single(iommu.dev, virt_to_phys(table) as number, SZ_4K, DMA_TO_DEVICE);
	iommu_free_page(table);
}

/** Wait until CONS is @cons, or anywhere else than there (@away). */
function my_cmdq_wait(iommu: my_iommu, cons: u32, away: bool): int {
	const val = new ref<u32>(0);

	return readl_poll_timeout_atomic(
		iommu.base + MY_CMDQ_CONS_REG,
		val,
		() => (val.value === cons) !== away,
		1,
		MY_CMD_TIMEOUT_US,
	);
}

/** Put one command into the queue; @iommu's cmdq_lock is held. -ETIMEDOUT: the queue is full and stays so. */
function my_cmdq_put(iommu: my_iommu, word: u32, target: u32, first: u32, last: u32): int {
	const full = (iommu.cmdq_prod ^ MY_QUEUE_WRAP) >>> 0;
	const ret = my_cmdq_wait(iommu, full, true);
	if (ret !== 0) return ret;

	const at = (iommu.cmdq_prod & MY_QUEUE_INDEX) * MY_RECORD_WORDS;
	iommu.cmdq[at] = word;
	iommu.cmdq[at + 1] = target;
	iommu.cmdq[at + 2] = first;
	iommu.cmdq[at + 3] = last;
	iommu.cmdq_prod = ((iommu.cmdq_prod + 1) & MY_QUEUE_POSITION) >>> 0;
	my_write(iommu, MY_CMDQ_PROD_REG, iommu.cmdq_prod);
	return 0;
}

// SKELETON: how your chip is told to forget, and how one knows that it has.
/** Execute one command, and wait until it has taken effect. */
function my_cmdq_issue(iommu: my_iommu, word: u32, target: u32, first: u32, last: u32): void {
	const flags = spin_lock_irqsave(iommu.cmdq_lock);
	let ret = my_cmdq_put(iommu, word, target, first, last);
	if (ret === 0) ret = my_cmdq_put(iommu, MY_CMD_SYNC, 0, 0, 0);
	if (ret === 0) ret = my_cmdq_wait(iommu, iommu.cmdq_prod, false);
	spin_unlock_irqrestore(iommu.cmdq_lock, flags);

	if (ret !== 0) dev_err_ratelimited(iommu.dev, 'command %#x timed out', word);
}

function my_iommu_flush_iotlb_all(domain: iommu_domain): void {
	const my_domain = to_my_domain(domain);

	my_cmdq_issue(my_domain.iommu, MY_CMD_INV_DOMAIN, my_domain.id, 0, 0);
}

/** What was invalid may be cached as such: level-1 words, too, of tables that are new. */
function my_iommu_iotlb_sync_map(domain: iommu_domain, iova: unsigned_long, size: size_t): int {
	const my_domain = to_my_domain(domain);
	const word = MY_CMD_INV_RANGE | MY_CMD_INV_RANGE_TABLES;

	if (size !== 0) my_cmdq_issue(my_domain.iommu, word, my_domain.id, iova, iova + size - 1);
	return 0;
}

function my_iommu_iotlb_sync(domain: iommu_domain, gather: iommu_iotlb_gather): void {
	const my_domain = to_my_domain(domain);

	// Nothing was unmapped.
	if (gather.pgsize === 0) return;
	my_cmdq_issue(my_domain.iommu, MY_CMD_INV_RANGE, my_domain.id, gather.start, gather.end);
}

/** The level-2 table for @iova, made if need be. Who comes second, of two that make it at once, takes the first's. */
function my_get_table(my_domain: my_iommu_domain, iova: unsigned_long, gfp: gfp_t): Uint32Array | err_ptr {
	const { iommu, root } = my_domain;
	const index = my_l1_index(iova);

	const pte = root[index]!;
	if (my_pte_is_table(pte)) return my_pte_table(pte);
	if (my_pte_is_valid(pte)) return ERR_PTR(-EEXIST);

	const table = my_alloc_table(iommu, gfp);
	if (table === null) return ERR_PTR(-ENOMEM);

	const old = cmpxchg(root, index, 0, my_mk_table(virt_to_phys(table)));
	// Also when another made it: that one's line may not be clean yet.
	my_table_flush(iommu, root, index, 1);
	if (old === 0) return table;

	my_free_table(iommu, table);
	return my_pte_is_table(old) ? my_pte_table(old) : ERR_PTR(-EEXIST);
}

/** Take the level-2 table at @index away if nothing is mapped in it: a large page can then take its place. */
function my_drop_table(my_domain: my_iommu_domain, index: u32): bool {
	const { iommu, root } = my_domain;
	const table = my_pte_table(root[index]!);

	for (let i = 0; i < MY_TABLE_WORDS; i++) if (my_pte_is_valid(table[i]!)) return false;

	root[index] = 0;
	my_table_flush(iommu, root, index, 1);
	const first = index * SZ_4M;
	const word = MY_CMD_INV_RANGE | MY_CMD_INV_RANGE_TABLES;
	my_cmdq_issue(iommu, word, my_domain.id, first, first + SZ_4M - 1);
	my_free_table(iommu, table);
	return true;
}

/** Map one page of @size. */
function my_map_page(
	my_domain: my_iommu_domain,
	iova: unsigned_long,
	paddr: phys_addr_t,
	size: size_t,
	prot: int,
	gfp: gfp_t,
): int {
	const { iommu } = my_domain;
	let table: Uint32Array | err_ptr = my_domain.root;
	let index = my_l1_index(iova);

	if (size === SZ_4M) {
		if (my_pte_is_table(table[index]!) && !my_drop_table(my_domain, index)) return -EEXIST;
	} else {
		table = my_get_table(my_domain, iova, gfp);
		if (IS_ERR(table)) return PTR_ERR(table);
		index = my_l2_index(iova);
	}
	if (my_pte_is_valid(table[index]!)) {
		dev_err(iommu.dev, 'iova %#lx already mapped to %pa', iova, my_pte_phys(table[index]!));
		return -EEXIST;
	}

	table[index] = my_mk_pte(paddr, size, prot);
	my_table_flush(iommu, table, index, 1);
	return 0;
}

function my_iommu_map_pages(
	domain: iommu_domain,
	iova: unsigned_long,
	paddr: phys_addr_t,
	pgsize: size_t,
	pgcount: size_t,
	prot: int,
	gfp: gfp_t,
	mapped: ref<size_t>,
): int {
	const my_domain = to_my_domain(domain);
	const last = pgcount * pgsize - 1;

	if (iova + last > DMA_BIT_MASK(32) || (paddr as number) + last > DMA_BIT_MASK(40)) return -ERANGE;

	for (let i = 0; i < pgcount; i++) {
		const at = i * pgsize;
		const ret = my_map_page(my_domain, iova + at, (paddr as number) + at, pgsize, prot, gfp);
		if (ret !== 0) return ret;
		mapped.value += pgsize;
	}
	return 0;
}

/** Unmap pages of one size, up to the first that is not mapped so. Tables stay. */
function my_iommu_unmap_pages(
	domain: iommu_domain,
	iova: unsigned_long,
	pgsize: size_t,
	pgcount: size_t,
	gather: iommu_iotlb_gather,
): size_t {
	const my_domain = to_my_domain(domain);
	const { iommu, root } = my_domain;

	for (let i = 0; i < pgcount; i++) {
		const at = iova + i * pgsize;
		const l1 = my_l1_index(at);
		let table = root;
		let index = l1;

		if (pgsize !== SZ_4M) {
			if (!my_pte_is_table(root[l1]!)) return i * pgsize;
			table = my_pte_table(root[l1]!);
			index = my_l2_index(at);
		} else if (my_pte_is_table(root[l1]!)) return i * pgsize;
		if (!my_pte_is_valid(table[index]!)) return i * pgsize;

		table[index] = 0;
		my_table_flush(iommu, table, index, 1);
		if (!iommu_iotlb_gather_queued(gather)) iommu_iotlb_gather_add_page(domain, gather, at, pgsize);
	}
	return pgcount * pgsize;
}

function my_iommu_iova_to_phys(domain: iommu_domain, iova: dma_addr_t): phys_addr_t {
	const { root } = to_my_domain(domain);
	const at = iova as number;

	if (at > DMA_BIT_MASK(32)) return 0;
	let pte = root[my_l1_index(at)]!;
	let size: size_t = SZ_4M;
	if (my_pte_is_table(pte)) {
		pte = my_pte_table(pte)[my_l2_index(at)]!;
		size = SZ_4K;
	}
	return my_pte_is_valid(pte) ? (my_pte_phys(pte) as number) + (at % size) : 0;
}

// SKELETON: how a stream gets its tables. It may be in use: no address may lead to the wrong page meanwhile.
/** Tell the hardware what becomes of @sid. Only words[0] of a live entry may change without a detour. */
function my_write_stream(iommu: my_iommu, sid: u32, word: u32, root: u32): void {
	const at = sid * MY_STREAM_WORDS;
	const { stab } = iommu;

	if (my_stream_translates(stab[at]!) && stab[at + 1] !== root) {
		stab[at] = 0;
		my_cmdq_issue(iommu, MY_CMD_INV_STREAM, sid, 0, 0);
	}
	stab[at + 1] = root;
	stab[at] = word;
	my_cmdq_issue(iommu, MY_CMD_INV_STREAM, sid, 0, 0);
}

function my_stream_translates(word: u32): bool {
	return FIELD_GET(MY_STREAM_MODE, word) === MY_STREAM_MODE_TRANSLATE;
}

/** Put all streams of @dev into @domain, which is known to the hardware as @word and @root. */
function my_attach_streams(dev: device, domain: iommu_domain, word: u32, root: u32): void {
	const iommu = dev_iommu_priv_get(dev) as my_iommu;
	const fwspec = dev_iommu_fwspec_get(dev)!;
	for (let i = 0; i < fwspec.num_ids; i++) {
		const sid = fwspec.ids[i]!;

		const flags = spin_lock_irqsave(iommu.stream_lock);
		iommu.streams[sid]!.domain = domain;
		my_write_stream(iommu, sid, word, root);
		spin_unlock_irqrestore(iommu.stream_lock, flags);
	}
}

function my_iommu_attach_dev(domain: iommu_domain, dev: device): int {
	const my_domain = to_my_domain(domain);

	if (my_domain.iommu !== dev_iommu_priv_get(dev)) return -EINVAL;

	const word =
		MY_STREAM_VALID |
		FIELD_PREP(MY_STREAM_MODE, MY_STREAM_MODE_TRANSLATE) |
		FIELD_PREP(MY_STREAM_DOMAIN, my_domain.id);
	my_attach_streams(dev, domain, word, my_frame(virt_to_phys(my_domain.root)));
	return 0;
}

function my_iommu_identity_attach(domain: iommu_domain, dev: device): int {
	const word = MY_STREAM_VALID | FIELD_PREP(MY_STREAM_MODE, MY_STREAM_MODE_BYPASS);

	my_attach_streams(dev, domain, word, 0);
	return 0;
}

const my_iommu_identity_ops: iommu_domain_ops = {
	attach_dev: my_iommu_identity_attach,
};

const my_iommu_identity_domain: iommu_domain = boot_data(
	() => new iommu_domain({ type: IOMMU_DOMAIN_IDENTITY, ops: my_iommu_identity_ops }),
);

function my_iommu_blocked_attach(domain: iommu_domain, dev: device): int {
	const word = MY_STREAM_VALID | FIELD_PREP(MY_STREAM_MODE, MY_STREAM_MODE_REFUSE);

	my_attach_streams(dev, domain, word, 0);
	return 0;
}

const my_iommu_blocked_ops: iommu_domain_ops = {
	attach_dev: my_iommu_blocked_attach,
};

const my_iommu_blocked_domain: iommu_domain = boot_data(
	() => new iommu_domain({ type: IOMMU_DOMAIN_BLOCKED, ops: my_iommu_blocked_ops }),
);

// SKELETON: an address space: its root, its number, and which addresses it has.
function my_iommu_domain_alloc_paging(dev: device | null): iommu_domain | null {
	if (dev === null) return null;
	const iommu = dev_iommu_priv_get(dev) as my_iommu;

	const my_domain = kzalloc(my_iommu_domain, GFP_KERNEL);
	if (my_domain === null) return null;
	my_domain.iommu = iommu;

	err_free_domain: {
		const id = ida_alloc_max(iommu.domain_ids, iommu.max_domain, GFP_KERNEL);
		if (id < 0) break err_free_domain;
		my_domain.id = id;

		const root = my_alloc_table(iommu, GFP_KERNEL);
		if (root === null) {
			ida_free(iommu.domain_ids, id);
			break err_free_domain;
		}
		my_domain.root = root;
		my_domain.geometry.aperture_start = 0;
		my_domain.geometry.aperture_end = DMA_BIT_MASK(32);
		my_domain.geometry.force_aperture = true;
		return my_domain;
	}
	kfree(my_domain);
	return null;
}

function my_iommu_domain_free(domain: iommu_domain): void {
	const my_domain = to_my_domain(domain);
	const { iommu, root } = my_domain;

	// Nothing that is cached may outlive the tables, nor meet the next domain with this number.
	my_iommu_flush_iotlb_all(domain);
	for (let i = 0; i < MY_TABLE_WORDS; i++)
		if (my_pte_is_table(root[i]!)) my_free_table(iommu, my_pte_table(root[i]!));
	my_free_table(iommu, root);
	ida_free(iommu.domain_ids, my_domain.id);
	kfree(my_domain);
}

function my_iommu_capable(dev: device, cap: iommu_cap): bool {
	return cap === IOMMU_CAP_DEFERRED_FLUSH;
}

function my_iommu_probe_device(dev: device): iommu_device | err_ptr {
	const iommu = dev_iommu_priv_get(dev) as my_iommu | null;
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

function my_iommu_release_device(dev: device): void {
	const iommu = dev_iommu_priv_get(dev) as my_iommu;
	const fwspec = dev_iommu_fwspec_get(dev)!;
	const flags = spin_lock_irqsave(iommu.stream_lock);
	for (let i = 0; i < fwspec.num_ids; i++) {
		iommu.streams[fwspec.ids[i]!]!.dev = null;
		iommu.streams[fwspec.ids[i]!]!.domain = null;
	}
	spin_unlock_irqrestore(iommu.stream_lock, flags);
}

function my_iommu_of_xlate(dev: device, args: of_phandle_args): int {
	const iommu_pdev = of_find_device_by_node(args.np!)!;

	dev_iommu_priv_set(dev, platform_get_drvdata(iommu_pdev));
	put_device(iommu_pdev.dev);

	return iommu_fwspec_add_ids(dev, args.args, 1);
}

// SKELETON: your page sizes; no blocked_domain if your chip cannot refuse.
const my_iommu_ops: iommu_ops = {
	identity_domain: my_iommu_identity_domain,
	blocked_domain: my_iommu_blocked_domain,
	release_domain: my_iommu_blocked_domain,
	pgsize_bitmap: SZ_4K | SZ_4M,
	capable: my_iommu_capable,
	device_group: generic_device_group,
	domain_alloc_paging: my_iommu_domain_alloc_paging,
	of_xlate: my_iommu_of_xlate,
	probe_device: my_iommu_probe_device,
	release_device: my_iommu_release_device,
	default_domain_ops: {
		attach_dev: my_iommu_attach_dev,
		flush_iotlb_all: my_iommu_flush_iotlb_all,
		iotlb_sync_map: my_iommu_iotlb_sync_map,
		iotlb_sync: my_iommu_iotlb_sync,
		iova_to_phys: my_iommu_iova_to_phys,
		map_pages: my_iommu_map_pages,
		unmap_pages: my_iommu_unmap_pages,
		free: my_iommu_domain_free,
	},
};

/** Report the event in the four words from @at on. */
function my_iommu_report(iommu: my_iommu, at: unsigned_int): void {
	const reason = FIELD_GET(MY_EVENT_REASON, iommu.evtq[at]!);
	const write = (iommu.evtq[at]! & MY_EVENT_WRITE) !== 0;
	const sid = iommu.evtq[at + 1]!;
	const iova = iommu.evtq[at + 2]!;

	dev_err_ratelimited(
		iommu.dev,
		'stream %u: %s %s 0x%08x',
		sid,
		reason === MY_EVENT_STREAM ? 'no domain:' : reason === MY_EVENT_TRANSLATION ? 'not mapped:' : 'no right:',
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

function my_iommu_irq(irq: int, dev_id: unknown): irqreturn_t {
	const iommu = dev_id as my_iommu;

	const status = my_read(iommu, MY_INT_STATUS_REG);
	if ((status & MY_INT_ALL) === 0) return IRQ_NONE;
	// First: what comes from here on interrupts again.
	my_write(iommu, MY_INT_STATUS_REG, status);

	if ((status & MY_INT_COMMAND) !== 0) dev_err(iommu.dev, 'a command was refused');
	if ((status & MY_INT_OVERFLOW) !== 0) dev_err_ratelimited(iommu.dev, 'events were lost');

	while (my_read(iommu, MY_EVTQ_PROD_REG) !== iommu.evtq_cons) {
		my_iommu_report(iommu, (iommu.evtq_cons & MY_QUEUE_INDEX) * MY_RECORD_WORDS);
		iommu.evtq_cons = ((iommu.evtq_cons + 1) & MY_QUEUE_POSITION) >>> 0;
		my_write(iommu, MY_EVTQ_CONS_REG, iommu.evtq_cons);
	}
	return IRQ_HANDLED;
}

/** @count words that CPU and hardware share; null: no memory. @base: the register that says where. */
function my_iommu_alloc_shared(iommu: my_iommu, size: size_t, base: u32): Uint32Array | null {
	const dma = new ref<dma_addr_t>(0);

	const view = dmam_alloc_coherent(iommu.dev, size, dma, GFP_KERNEL);
	if (view === null) return null;

	my_write(iommu, base, my_frame(dma.value as number));
	return words(view, size / 4);
}

/** Stream table and queues, all empty: what has no entry is refused. */
function my_iommu_init_memory(iommu: my_iommu): int {
	const stab_size = iommu.nr_streams * MY_STREAM_WORDS * 4;

	const stab = my_iommu_alloc_shared(iommu, stab_size, MY_STAB_BASE_REG);
	if (stab === null) return -ENOMEM;
	iommu.stab = stab;

	const cmdq = my_iommu_alloc_shared(iommu, MY_QUEUE_BYTES, MY_CMDQ_BASE_REG);
	if (cmdq === null) return -ENOMEM;
	iommu.cmdq = cmdq;
	my_write(iommu, MY_CMDQ_SIZE_REG, MY_QUEUE_LG2);

	const evtq = my_iommu_alloc_shared(iommu, MY_QUEUE_BYTES, MY_EVTQ_BASE_REG);
	if (evtq === null) return -ENOMEM;
	iommu.evtq = evtq;
	my_write(iommu, MY_EVTQ_SIZE_REG, MY_QUEUE_LG2);
	return 0;
}

function my_iommu_set_enable(iommu: my_iommu, enable: u32): int {
	const val = new ref<u32>(0);

	my_write(iommu, MY_CTRL_REG, enable);
	return readl_poll_timeout_atomic(
		iommu.base + MY_STATUS_REG,
		val,
		() => val.value === enable,
		1,
		MY_CMD_TIMEOUT_US,
	);
}

// SKELETON: clocks, resets and power, if it has them, then registers, interrupt, and what it can do.
function my_iommu_probe(pdev: platform_device): int {
	const dev = pdev.dev;

	const iommu = devm_kzalloc(dev, my_iommu, GFP_KERNEL);
	if (iommu === null) return -ENOMEM;
	iommu.dev = dev;
	spin_lock_init(iommu.stream_lock);
	spin_lock_init(iommu.cmdq_lock);
	platform_set_drvdata(pdev, iommu);

	const base = devm_platform_ioremap_resource(pdev, 0);
	if (IS_ERR(base)) return PTR_ERR(base);
	iommu.base = base;

	const irq = platform_get_irq(pdev, 0);
	if (irq < 0) return irq;

	let ret = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(40));
	if (ret !== 0) return ret;

	const id = my_read(iommu, MY_ID_REG);
	iommu.nr_streams = 1 << FIELD_GET(MY_ID_STREAMS_LG2, id);
	iommu.max_domain = (1 << FIELD_GET(MY_ID_DOMAINS_LG2, id)) - 1;
	for (let i = 0; i < iommu.nr_streams; i++) iommu.streams.push(new my_iommu_stream());

	ret = my_iommu_init_memory(iommu);
	if (ret !== 0) return ret;

	ret = devm_request_irq(dev, irq, my_iommu_irq, 0, dev_name(dev), iommu);
	if (ret !== 0) return ret;
	my_write(iommu, MY_INT_ENABLE_REG, MY_INT_ALL);

	ret = my_iommu_set_enable(iommu, MY_CTRL_ENABLE);
	if (ret !== 0) {
		dev_err(dev, 'cannot be enabled');
		return ret;
	}

	err_disable: {
		ret = iommu_device_sysfs_add(iommu.iommu, dev, null, dev_name(dev));
		if (ret !== 0) break err_disable;

		ret = iommu_device_register(iommu.iommu, my_iommu_ops, dev);
		if (ret === 0) return 0;

		iommu_device_sysfs_remove(iommu.iommu);
	}
	my_iommu_set_enable(iommu, 0);
	return ret;
}

function my_iommu_remove(pdev: platform_device): void {
	const iommu = platform_get_drvdata(pdev) as my_iommu;

	iommu_device_unregister(iommu.iommu);
	iommu_device_sysfs_remove(iommu.iommu);
	my_iommu_set_enable(iommu, 0);
}

const my_iommu_dt: readonly of_device_id[] = [{ compatible: 'vendor,my-iommu' }];

const my_iommu_driver = new platform_driver({
	driver: {
		name: 'my-iommu',
		of_match_table: my_iommu_dt,
		suppress_bind_attrs: true,
	},
	probe: my_iommu_probe,
	remove: my_iommu_remove,
});
builtin_platform_driver(my_iommu_driver);
