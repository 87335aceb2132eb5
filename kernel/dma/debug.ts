// SPDX-License-Identifier: GPL-2.0-only
// dma-debug: remember every mapping, and report what a driver does wrong with it.
// Linux 6.12: kernel/dma/debug.c, kernel/dma/debug.h (CONFIG_DMA_API_DEBUG, CONFIG_DMA_API_DEBUG_SG)
//
// Deviations: no configuration switches it on, `dma_debug=on` on the command line does (`dma_debug=all`: and shows every
// error, not the first only); without it every call costs the look at one flag. The platform bus is watched for drivers
// that leave mappings behind: Linux watches PCI and VIO, which are not here. Memory that is freed while it is mapped is
// reported. Entries are structs of the slab allocator, a page's worth in one allocation; a bucket is made when something
// first goes into it.
// Left out: check_for_stack(). No stack is in this machine's RAM: what C would find there is an array of the language,
// which debug_dma_map_single() reports as invalid area.
import { L1_CACHE_SHIFT } from '#asm/cache.js';
import { bus_register_notifier } from '#drivers/base/bus.js';
import { dev_driver_string } from '#drivers/base/core.js';
import { platform_bus_type } from '#drivers/base/platform.js';
import { debugfs_create_bool, debugfs_create_u32 } from '#fs/debugfs/file.js';
import { debugfs_create_dir, debugfs_create_file } from '#fs/debugfs/inode.js';
import { simple_read_from_buffer } from '#fs/libfs.js';
import { DEFINE_SHOW_ATTRIBUTE, seq_printf } from '#fs/seq_file.js';
import { kernel_image, memory_intersects } from '#include/asm-generic/sections.js';
import { is_swiotlb_active } from '#kernel/dma/swiotlb.js';
import { type stack_trace, stack_trace_print, stack_trace_save } from '#kernel/stacktrace.js';
import { get_option } from '#lib/cmdline.js';
import { for_each_sg } from '#lib/scatterlist.js';
import { WARN, WARN_ONCE } from '#linux/bug.js';
import { dev_info } from '#linux/dev_printk.js';
import type { device_driver } from '#linux/device/driver.js';
import { BUS_NOTIFY_UNBOUND_DRIVER, type bus_type, dev_name, type device } from '#linux/device.js';
import {
	DMA_BIDIRECTIONAL,
	DMA_FROM_DEVICE,
	DMA_TO_DEVICE,
	type dma_data_direction,
} from '#linux/dma-direction.js';
import {
	DMA_ATTR_SKIP_CPU_SYNC,
	DMA_MAPPING_ERROR,
	dma_debug_hook,
	dma_get_max_seg_size,
	dma_get_seg_boundary,
	dma_mapping_error,
} from '#linux/dma-mapping.js';
import { EBUSY, EEXIST, EINVAL, ENOMEM } from '#linux/errno.js';
import type { file, file_operations } from '#linux/fs.js';
import { __GFP_NOWARN, GFP_ATOMIC, GFP_KERNEL } from '#linux/gfp_types.js';
import { __setup, boot_data, core_initcall, core_initcall_sync, postcore_initcall } from '#linux/init.js';
import {
	list_add,
	list_add_tail,
	list_del,
	list_first_entry,
	list_for_each_entry,
	list_head,
} from '#linux/list.js';
import { and64, not64, xor64 } from '#linux/math64.js';
import {
	PAGE_SHIFT,
	PAGE_SIZE,
	page_to_phys,
	phys_to_page,
	phys_to_virt,
	virt_addr_valid,
	virt_to_phys,
} from '#linux/mm.js';
import type { page } from '#linux/mm_types.js';
import { notifier_block } from '#linux/notifier.js';
import { pr_err, pr_err_once, pr_info, pr_warn, type printk_arg } from '#linux/printk.js';
import { type scatterlist, sg_dma_address, sg_dma_len, sg_phys } from '#linux/scatterlist.js';
import type { seq_file } from '#linux/seq_file.js';
import { kcalloc, kfree, kzalloc } from '#linux/slab.js';
import { spin_lock_irqsave, spin_unlock_irqrestore, spinlock_t } from '#linux/spinlock.js';
import {
	type bool,
	type dma_addr_t,
	type gfp_t,
	type int,
	type loff_t,
	type phys_addr_t,
	ref,
	type size_t,
	type ssize_t,
	U64_MAX,
	type u32,
	type u64,
	type unsigned_long,
	type void_ptr,
} from '#linux/types.js';
import {
	DEFINE_XARRAY,
	XA_MARK_0,
	xa_clear_mark,
	xa_erase,
	xa_get_mark,
	xa_insert,
	xa_set_mark,
} from '#linux/xarray.js';
import { is_vmalloc_addr } from '#mm/vmalloc.js';

const HASH_SIZE = 16384;
const HASH_FN_SHIFT = 13;

const PREALLOC_DMA_DEBUG_ENTRIES = 1 << 16;
/** sizeof(struct dma_debug_entry) on arm64. */
const SIZEOF_DMA_DEBUG_ENTRY = 128;
/** How many entries the pool grows by. */
/** Each is an object of the language: more take minutes. */
const MAX_PREALLOC_ENTRIES = 1 << 20;
const DMA_DEBUG_DYNAMIC_ENTRIES = PAGE_SIZE / SIZEOF_DMA_DEBUG_ENTRY;

const DMA_DEBUG_STACKTRACE_ENTRIES = 5;
const NAME_MAX_LEN = 64;

const dma_debug_single = 0;
const dma_debug_sg = 1;
const dma_debug_coherent = 2;
const dma_debug_resource = 3;
const dma_debug_noncoherent = 4;

const MAP_ERR_CHECK_NOT_APPLICABLE = 0;
const MAP_ERR_NOT_CHECKED = 1;
const MAP_ERR_CHECKED = 2;

const maperr2str = [
	'dma map error check not applicable',
	'dma map error not checked',
	'dma map error checked',
] as const;
const type2name = ['single', 'scatter-gather', 'coherent', 'resource', 'noncoherent'] as const;
const dir2name = ['DMA_BIDIRECTIONAL', 'DMA_TO_DEVICE', 'DMA_FROM_DEVICE', 'DMA_NONE'] as const;

/** A piece of memory that is mapped; of no size: there is none. */
class dma_debug_memory {
	readonly list = new list_head<dma_debug_memory>(this);
	entry: dma_debug_entry | null = null;
	/** The entry's further pieces. */
	next: dma_debug_memory | null = null;
	start: phys_addr_t = 0;
	end: phys_addr_t = 0;
}

/** One mapping; on the free list, in a bucket of the hash, or what to look for. */
class dma_debug_entry {
	readonly list = new list_head<dma_debug_entry>(this);
	dev: device | null = null;
	dev_addr: u64 = 0;
	size: u64 = 0;
	type: int = dma_debug_single;
	direction: int = DMA_BIDIRECTIONAL;
	/** The caller's entries, and what they came out as. */
	sg_call_ents: int = 0;
	sg_mapped_ents: int = 0;
	paddr: phys_addr_t = 0;
	map_err_type: int = MAP_ERR_CHECK_NOT_APPLICABLE;
	stack_entries: stack_trace | null = null;
	/** The memory that must not be freed before the unmap; of a list all of it, in its first entry. */
	readonly memory = new dma_debug_memory();
}

class hash_bucket {
	readonly list = new list_head<dma_debug_entry>();
	readonly lock = new spinlock_t('dma_entry_hash.lock');
}

const state = boot_data(() => ({
	/** Undefined: nothing was ever there. */
	dma_entry_hash: [] as (hash_bucket | undefined)[],
	free_entries: new list_head<dma_debug_entry>(),
	free_entries_lock: new spinlock_t('free_entries_lock'),
	/** Set until dma_debug=on, and for good when memory runs out. */
	global_disable: new ref<bool>(true),
	dma_debug_initialized: false as bool,
	error_count: new ref<u32>(0),
	show_all_errors: new ref<u32>(0),
	show_num_errors: new ref<u32>(1),
	num_free_entries: new ref<u32>(0),
	min_free_entries: new ref<u32>(0),
	nr_total_entries: new ref<u32>(0),
	nr_prealloc_entries: PREALLOC_DMA_DEBUG_ENTRIES as u32,
	/** The driver that reports are wanted of; '' for all. */
	current_driver_name: '',
	current_driver: null as device_driver | null,
	/** A reader-writer lock in C. */
	driver_name_lock: new spinlock_t('driver_name_lock'),
	dma_active_cacheline: DEFINE_XARRAY<dma_debug_entry>(),
	radix_lock: new spinlock_t('radix_lock'),
	mapped_memory: new list_head<dma_debug_memory>(),
	mapped_memory_lock: new spinlock_t('mapped_memory_lock'),
}));

function dma_debug_disabled(): bool {
	return !state.dma_debug_initialized || state.global_disable.value;
}

function dump_entry_trace(entry: dma_debug_entry | null): void {
	if (entry === null || entry.stack_entries === null) return;
	pr_warn('DMA-API: Mapped at:');
	stack_trace_print(entry.stack_entries, 0);
}

function driver_filter(dev: device | null): bool {
	if (state.current_driver_name === '') return true;
	if (dev === null) return false;
	const drv = dev.driver;
	// The filter knows a name; the first driver that has it is the one.
	if (state.current_driver !== null) return drv === state.current_driver;
	if (drv === null) return false;

	const flags = spin_lock_irqsave(state.driver_name_lock);
	const ret = drv.name.slice(0, NAME_MAX_LEN - 1) === state.current_driver_name;
	if (ret) state.current_driver = drv;
	spin_unlock_irqrestore(state.driver_name_lock, flags);
	return ret;
}

/** Count an error, and report it unless the filter or num_errors forbids it. */
function err_printk(
	dev: device | null,
	entry: dma_debug_entry | null,
	format: string,
	...arg: printk_arg[]
): void {
	state.error_count.value++;
	const wanted = state.show_all_errors.value !== 0 || state.show_num_errors.value > 0;
	if (driver_filter(dev) && wanted) {
		const driver = dev !== null ? dev_driver_string(dev) : 'NULL';
		const name = dev !== null ? dev_name(dev) : 'NULL';
		WARN(true, `DMA-API: %s %s: ${format}`, driver, name, ...arg);
		dump_entry_trace(entry);
	}
	if (state.show_all_errors.value === 0 && state.show_num_errors.value > 0) state.show_num_errors.value--;
}

/** Neighbouring 8 KiB of DMA addresses are in neighbouring buckets; bucket_find_contain() lives by that. */
function hash_fn(entry: dma_debug_entry): int {
	return hash_index(entry.dev_addr);
}

function hash_index(dev_addr: u64): int {
	const index = Math.floor(dev_addr / 2 ** HASH_FN_SHIFT) % HASH_SIZE;
	return index < 0 ? index + HASH_SIZE : index;
}

function lock_bucket(idx: int, flags: ref<unsigned_long>): hash_bucket {
	let bucket = state.dma_entry_hash[idx];
	if (bucket === undefined) {
		bucket = new hash_bucket();
		state.dma_entry_hash[idx] = bucket;
	}
	flags.value = spin_lock_irqsave(bucket.lock);
	return bucket;
}

function get_hash_bucket(entry: dma_debug_entry, flags: ref<unsigned_long>): hash_bucket {
	return lock_bucket(hash_fn(entry), flags);
}

function put_hash_bucket(bucket: hash_bucket, flags: unsigned_long): void {
	spin_unlock_irqrestore(bucket.lock, flags);
}

type match_fn = (a: dma_debug_entry, b: dma_debug_entry) => bool;

function exact_match(a: dma_debug_entry, b: dma_debug_entry): bool {
	return a.dev_addr === b.dev_addr && a.dev === b.dev;
}

/** Whether @a is inside @b. */
function containing_match(a: dma_debug_entry, b: dma_debug_entry): bool {
	return a.dev === b.dev && b.dev_addr <= a.dev_addr && b.dev_addr + b.size >= a.dev_addr + a.size;
}

/**
 * Without an IOMMU, memory that is mapped twice has one address twice. The entry that agrees in everything is the
 * one; one that does not is only taken when there is no choice.
 */
function __hash_bucket_find(
	bucket: hash_bucket,
	ref: dma_debug_entry,
	match: match_fn,
): dma_debug_entry | null {
	let only: dma_debug_entry | null = null;
	let matches = 0;
	for (const entry of list_for_each_entry(bucket.list)) {
		if (!match(ref, entry)) continue;
		const perfect =
			entry.size === ref.size &&
			entry.type === ref.type &&
			entry.direction === ref.direction &&
			entry.sg_call_ents === ref.sg_call_ents;
		if (perfect) return entry;
		matches++;
		only = entry;
	}
	return matches === 1 ? only : null;
}

function bucket_find_exact(bucket: hash_bucket, ref: dma_debug_entry): dma_debug_entry | null {
	return __hash_bucket_find(bucket, ref, exact_match);
}

/** The entry that @ref is inside of; it may begin in an earlier bucket, which is then the one that is locked. */
function bucket_find_contain(
	bucket: ref<hash_bucket>,
	ref: dma_debug_entry,
	flags: ref<unsigned_long>,
): dma_debug_entry | null {
	const limit = Math.min(HASH_SIZE, Math.floor(ref.dev_addr / 2 ** HASH_FN_SHIFT) + 1);
	for (let i = 1; i <= limit; i++) {
		const entry = __hash_bucket_find(bucket.value, ref, containing_match);
		if (entry !== null) return entry;
		put_hash_bucket(bucket.value, flags.value);
		bucket.value = lock_bucket(hash_index(ref.dev_addr - i * 2 ** HASH_FN_SHIFT), flags);
	}
	return null;
}

function hash_bucket_add(bucket: hash_bucket, entry: dma_debug_entry): void {
	list_add_tail(entry.list, bucket.list);
}

function hash_bucket_del(entry: dma_debug_entry): void {
	list_del(entry.list);
}

// Which cache lines devices may write: each mapping stands for the line that it begins in. The three marks of an
// element count, in binary, how many more mappings begin there.
const XA_NR_MARKS = 3;
const ACTIVE_CACHELINE_MAX_OVERLAP = (1 << XA_NR_MARKS) - 1;
const CACHELINE_PER_PAGE_SHIFT = PAGE_SHIFT - L1_CACHE_SHIFT;
const CACHELINES_PER_PAGE = 1 << CACHELINE_PER_PAGE_SHIFT;

function to_cacheline_number(entry: dma_debug_entry): phys_addr_t {
	return Math.floor((entry.paddr / PAGE_SIZE) * CACHELINES_PER_PAGE);
}

function active_cacheline_read_overlap(cln: phys_addr_t): int {
	let overlap = 0;
	for (let i = 0; i < XA_NR_MARKS; i++)
		if (xa_get_mark(state.dma_active_cacheline, cln, XA_MARK_0 + i)) overlap |= 1 << i;
	return overlap;
}

function active_cacheline_set_overlap(cln: phys_addr_t, overlap: int): int {
	if (overlap > ACTIVE_CACHELINE_MAX_OVERLAP || overlap < 0) return overlap;
	for (let i = 0; i < XA_NR_MARKS; i++) {
		const set = (overlap & (1 << i)) !== 0;
		if (set) xa_set_mark(state.dma_active_cacheline, cln, XA_MARK_0 + i);
		else xa_clear_mark(state.dma_active_cacheline, cln, XA_MARK_0 + i);
	}
	return overlap;
}

function active_cacheline_inc_overlap(cln: phys_addr_t): void {
	const overlap = active_cacheline_set_overlap(cln, active_cacheline_read_overlap(cln) + 1);
	// Mappings leak, by all appearance.
	WARN_ONCE(
		overlap > ACTIVE_CACHELINE_MAX_OVERLAP,
		'DMA-API: exceeded %d overlapping mappings of cacheline %pa',
		ACTIVE_CACHELINE_MAX_OVERLAP,
		cln,
	);
}

/** -1 when the last mapping of the line is gone. */
function active_cacheline_dec_overlap(cln: phys_addr_t): int {
	return active_cacheline_set_overlap(cln, active_cacheline_read_overlap(cln) - 1);
}

function active_cacheline_insert(entry: dma_debug_entry): int {
	// Memory that the device only reads may be shared.
	if (entry.direction === DMA_TO_DEVICE) return 0;

	const cln = to_cacheline_number(entry);
	const flags = spin_lock_irqsave(state.radix_lock);
	let rc = xa_insert(state.dma_active_cacheline, cln, entry, GFP_ATOMIC | __GFP_NOWARN);
	if (rc === -EBUSY) {
		// What a radix tree calls it.
		rc = -EEXIST;
		active_cacheline_inc_overlap(cln);
	}
	spin_unlock_irqrestore(state.radix_lock, flags);
	return rc;
}

function active_cacheline_remove(entry: dma_debug_entry): void {
	if (entry.direction === DMA_TO_DEVICE) return;
	const cln = to_cacheline_number(entry);
	const flags = spin_lock_irqsave(state.radix_lock);
	if (active_cacheline_dec_overlap(cln) < 0) xa_erase(state.dma_active_cacheline, cln);
	spin_unlock_irqrestore(state.radix_lock, flags);
}

function entry_text(entry: dma_debug_entry, idx: int): [string, ...printk_arg[]] {
	return [
		'%s idx %d P=%pa D=%llx L=%llx cln=%pa %s %s',
		type2name[entry.type]!,
		idx,
		entry.paddr,
		entry.dev_addr,
		entry.size,
		to_cacheline_number(entry),
		dir2name[entry.direction]!,
		maperr2str[entry.map_err_type]!,
	];
}

/** Log the mappings of @dev, or of all devices (kernel/dma/debug.c: debug_dma_dump_mappings()). */
export function debug_dma_dump_mappings(dev: device | null): void {
	for (let idx = 0; idx < state.dma_entry_hash.length; idx++) {
		const bucket = state.dma_entry_hash[idx];
		if (bucket === undefined) continue;
		const flags = spin_lock_irqsave(bucket.lock);
		for (const entry of list_for_each_entry(bucket.list))
			if (dev === null || dev === entry.dev) dev_info(entry.dev, ...entry_text(entry, idx));
		spin_unlock_irqrestore(bucket.lock, flags);
	}
}

function dump_show(seq: seq_file, _v: unknown): int {
	for (let idx = 0; idx < state.dma_entry_hash.length; idx++) {
		const bucket = state.dma_entry_hash[idx];
		if (bucket === undefined) continue;
		const flags = spin_lock_irqsave(bucket.lock);
		for (const entry of list_for_each_entry(bucket.list)) {
			const dev = entry.dev as device;
			const [fmt, ...args] = entry_text(entry, idx);
			seq_printf(seq, `%s %s ${fmt}\n`, dev_driver_string(dev), dev_name(dev), ...args);
		}
		spin_unlock_irqrestore(bucket.lock, flags);
	}
	return 0;
}
const dump_fops = DEFINE_SHOW_ATTRIBUTE(dump_show);

function add_dma_entry(entry: dma_debug_entry, attrs: unsigned_long): void {
	const flags = new ref<unsigned_long>(0);
	const bucket = get_hash_bucket(entry, flags);
	hash_bucket_add(bucket, entry);
	put_hash_bucket(bucket, flags.value);

	const rc = active_cacheline_insert(entry);
	if (rc === -ENOMEM) {
		pr_err_once('DMA-API: cacheline tracking ENOMEM, dma-debug disabled');
		state.global_disable.value = true;
	} else if (
		rc === -EEXIST &&
		(attrs & DMA_ATTR_SKIP_CPU_SYNC) === 0 &&
		// CONFIG_DMA_BOUNCE_UNALIGNED_KMALLOC: small buffers share a line, and bounce.
		!is_swiotlb_active(entry.dev as device)
	) {
		err_printk(entry.dev, entry, "cacheline tracking EEXIST, overlapping mappings aren't supported");
	}
}

function dma_debug_create_entries(gfp: gfp_t): int {
	const entries = kcalloc(DMA_DEBUG_DYNAMIC_ENTRIES, dma_debug_entry, gfp);
	if (entries === null) return -ENOMEM;
	for (const entry of entries) list_add_tail(entry.list, state.free_entries);
	state.num_free_entries.value += DMA_DEBUG_DYNAMIC_ENTRIES;
	state.nr_total_entries.value += DMA_DEBUG_DYNAMIC_ENTRIES;
	return 0;
}

function __dma_entry_alloc(): dma_debug_entry {
	const entry = list_first_entry(state.free_entries);
	list_del(entry.list);
	entry.dev = null;
	entry.dev_addr = 0;
	entry.size = 0;
	entry.type = dma_debug_single;
	entry.direction = DMA_BIDIRECTIONAL;
	entry.sg_call_ents = 0;
	entry.sg_mapped_ents = 0;
	entry.paddr = 0;
	entry.map_err_type = MAP_ERR_CHECK_NOT_APPLICABLE;
	entry.stack_entries = null;

	state.num_free_entries.value--;
	if (state.num_free_entries.value < state.min_free_entries.value)
		state.min_free_entries.value = state.num_free_entries.value;
	return entry;
}

/** Say so each time that the pool has grown by its first size. */
function __dma_entry_alloc_check_leak(nr_entries: u32): void {
	const times = Math.floor(nr_entries / state.nr_prealloc_entries);
	if (nr_entries % state.nr_prealloc_entries < DMA_DEBUG_DYNAMIC_ENTRIES)
		pr_info('DMA-API: dma_debug_entry pool grown to %u (%u00%%)', nr_entries, times);
}

function dma_entry_alloc(): dma_debug_entry | null {
	const flags = spin_lock_irqsave(state.free_entries_lock);
	let nr_entries = 0;
	if (state.num_free_entries.value === 0) {
		if (dma_debug_create_entries(GFP_ATOMIC) !== 0) {
			state.global_disable.value = true;
			spin_unlock_irqrestore(state.free_entries_lock, flags);
			pr_err('DMA-API: debugging out of memory - disabling');
			return null;
		}
		nr_entries = state.nr_total_entries.value;
	}
	const entry = __dma_entry_alloc();
	spin_unlock_irqrestore(state.free_entries_lock, flags);

	// Printing may map something itself.
	if (nr_entries !== 0) __dma_entry_alloc_check_leak(nr_entries);
	entry.stack_entries = stack_trace_save(DMA_DEBUG_STACKTRACE_ENTRIES, 1);
	return entry;
}

function dma_entry_free(entry: dma_debug_entry): void {
	active_cacheline_remove(entry);
	forget_memory(entry);
	const flags = spin_lock_irqsave(state.free_entries_lock);
	list_add(entry.list, state.free_entries);
	state.num_free_entries.value++;
	spin_unlock_irqrestore(state.free_entries_lock, flags);
}

function filter_read(_file: file, user_buf: Uint8Array, count: size_t, ppos: ref<loff_t>): ssize_t {
	if (state.current_driver_name === '') return 0;
	const flags = spin_lock_irqsave(state.driver_name_lock);
	const buf = `${state.current_driver_name}\n`;
	spin_unlock_irqrestore(state.driver_name_lock, flags);
	return simple_read_from_buffer(user_buf, count, ppos, buf, buf.length);
}

/** The first word is the driver's name; what begins with something else than a letter or digit ends the filter. */
function filter_write(_file: file, userbuf: Uint8Array, count: size_t, _ppos: ref<loff_t>): ssize_t {
	const text = String.fromCharCode(...userbuf.subarray(0, Math.min(count, NAME_MAX_LEN - 1)));
	const name = /^[0-9A-Za-z][^\s\0]*/.exec(text)?.[0] ?? '';

	const flags = spin_lock_irqsave(state.driver_name_lock);
	if (name !== '') pr_info('DMA-API: enable driver filter for driver [%s]', name);
	else if (state.current_driver_name !== '') pr_info('DMA-API: switching off dma-debug driver filter');
	state.current_driver_name = name;
	state.current_driver = null;
	spin_unlock_irqrestore(state.driver_name_lock, flags);
	return count;
}

const filter_fops: file_operations = { read: filter_read, write: filter_write };

function dma_debug_fs_init(): int {
	const dentry = debugfs_create_dir('dma-api', null);
	debugfs_create_bool('disabled', 0o444, dentry, state.global_disable);
	debugfs_create_u32('error_count', 0o444, dentry, state.error_count);
	debugfs_create_u32('all_errors', 0o644, dentry, state.show_all_errors);
	debugfs_create_u32('num_errors', 0o644, dentry, state.show_num_errors);
	debugfs_create_u32('num_free_entries', 0o444, dentry, state.num_free_entries);
	debugfs_create_u32('min_free_entries', 0o444, dentry, state.min_free_entries);
	debugfs_create_u32('nr_total_entries', 0o444, dentry, state.nr_total_entries);
	debugfs_create_file('driver_filter', 0o644, dentry, null, filter_fops);
	debugfs_create_file('dump', 0o444, dentry, null, dump_fops);
	return 0;
}
core_initcall_sync(dma_debug_fs_init);

/** How many mappings @dev has; one of them in @out_entry. */
function device_dma_allocations(dev: device, out_entry: ref<dma_debug_entry | null>): int {
	let count = 0;
	for (const bucket of state.dma_entry_hash) {
		if (bucket === undefined) continue;
		const flags = spin_lock_irqsave(bucket.lock);
		for (const entry of list_for_each_entry(bucket.list)) {
			if (entry.dev !== dev) continue;
			count++;
			out_entry.value = entry;
		}
		spin_unlock_irqrestore(bucket.lock, flags);
	}
	return count;
}

function dma_debug_device_change(_nb: notifier_block, action: unsigned_long, data: unknown): int {
	if (dma_debug_disabled() || action !== BUS_NOTIFY_UNBOUND_DRIVER) return 0;

	const dev = data as device;
	const leaked = new ref<dma_debug_entry | null>(null);
	const count = device_dma_allocations(dev, leaked);
	const entry = leaked.value;
	if (entry === null) return 0;
	err_printk(
		dev,
		entry,
		'device driver has pending DMA allocations while released from device [count=%d]\n' +
			'One of leaked entries details: [device address=0x%016llx] [size=%llu bytes] ' +
			'[mapped with %s] [mapped as %s]',
		count,
		entry.dev_addr,
		entry.size,
		dir2name[entry.direction]!,
		type2name[entry.type]!,
	);
	return 0;
}

/** Report drivers on @bus that leave mappings behind (kernel/dma/debug.c: dma_debug_add_bus()). */
export function dma_debug_add_bus(bus: bus_type): void {
	if (dma_debug_disabled()) return;
	const nb = kzalloc(notifier_block, GFP_KERNEL);
	if (nb === null) {
		pr_err('DMA-API: dma_debug_add_bus: out of memory');
		return;
	}
	nb.notifier_call = dma_debug_device_change;
	bus_register_notifier(bus, nb);
}

function dma_debug_init(): int {
	if (state.global_disable.value) return 0;

	state.dma_entry_hash = new Array<hash_bucket | undefined>(HASH_SIZE).fill(undefined);
	const nr_pages = Math.ceil(state.nr_prealloc_entries / DMA_DEBUG_DYNAMIC_ENTRIES);
	for (let i = 0; i < nr_pages; i++) dma_debug_create_entries(GFP_KERNEL);

	const total = state.nr_total_entries.value;
	if (state.num_free_entries.value >= state.nr_prealloc_entries) {
		pr_info('DMA-API: preallocated %d debug entries', total);
	} else if (state.num_free_entries.value > 0) {
		const asked = state.nr_prealloc_entries;
		pr_warn('DMA-API: %d debug entries requested but only %d allocated', asked, total);
	} else {
		pr_err('DMA-API: debugging out of memory error - disabled');
		state.global_disable.value = true;
		return 0;
	}
	state.min_free_entries.value = state.num_free_entries.value;
	state.dma_debug_initialized = true;
	dma_debug_hook.mapping_error = debug_dma_mapping_error;
	dma_debug_hook.memory_freed = debug_dma_memory_freed;
	pr_info('DMA-API: debugging enabled by kernel config');
	return 0;
}
core_initcall(dma_debug_init);

function dma_debug_watch_platform_bus(): int {
	dma_debug_add_bus(platform_bus_type);
	return 0;
}
postcore_initcall(dma_debug_watch_platform_bus);

function dma_debug_cmdline(str: string | null): int {
	if (str === null) return -EINVAL;
	if (str.startsWith('off')) {
		pr_info('DMA-API: debugging disabled on kernel command line');
		state.global_disable.value = true;
	} else if (str.startsWith('on') || str.startsWith('all')) {
		state.global_disable.value = false;
		if (str.startsWith('all')) state.show_all_errors.value = 1;
	}
	return 1;
}
__setup('dma_debug=', dma_debug_cmdline);

function dma_debug_entries_cmdline(str: string | null): int {
	if (str === null) return -EINVAL;
	const nr = new ref<int>(0);
	// DEVIATION: 6.12 takes its default for what is no number, and divides by 0. The upper limit is ours.
	if (get_option(new ref(str), nr) === 0 || nr.value <= 0 || nr.value > MAX_PREALLOC_ENTRIES) return -EINVAL;
	state.nr_prealloc_entries = nr.value;
	return 1;
}
__setup('dma_debug_entries=', dma_debug_entries_cmdline);

function check_unmap(ref_entry: dma_debug_entry): void {
	const { dev, dev_addr, size, type } = ref_entry;
	const flags = new ref<unsigned_long>(0);
	const bucket = get_hash_bucket(ref_entry, flags);
	const entry = bucket_find_exact(bucket, ref_entry);
	if (entry === null) {
		// dma_mapping_error() looks into the hash too.
		put_hash_bucket(bucket, flags.value);
		if (dma_mapping_error(dev as device, dev_addr) !== 0)
			err_printk(dev, null, 'device driver tries to free an invalid DMA memory address');
		else
			err_printk(
				dev,
				null,
				'device driver tries to free DMA memory it has not allocated [device address=0x%016llx] [size=%llu bytes]',
				dev_addr,
				size,
			);
		return;
	}

	if (size !== entry.size)
		err_printk(
			dev,
			entry,
			'device driver frees DMA memory with different size ' +
				'[device address=0x%016llx] [map size=%llu bytes] [unmap size=%llu bytes]',
			dev_addr,
			entry.size,
			size,
		);
	if (type !== entry.type)
		err_printk(
			dev,
			entry,
			'device driver frees DMA memory with wrong function ' +
				'[device address=0x%016llx] [size=%llu bytes] [mapped as %s] [unmapped as %s]',
			dev_addr,
			size,
			type2name[entry.type]!,
			type2name[type]!,
		);
	else if (
		(entry.type === dma_debug_coherent || entry.type === dma_debug_noncoherent) &&
		ref_entry.paddr !== entry.paddr
	)
		err_printk(
			dev,
			entry,
			'device driver frees DMA memory with different CPU address ' +
				'[device address=0x%016llx] [size=%llu bytes] [cpu alloc address=0x%pa] [cpu free address=0x%pa]',
			dev_addr,
			size,
			entry.paddr,
			ref_entry.paddr,
		);
	if (ref_entry.sg_call_ents !== 0 && type === dma_debug_sg && ref_entry.sg_call_ents !== entry.sg_call_ents)
		err_printk(
			dev,
			entry,
			'device driver frees DMA sg list with different entry count [map count=%d] [unmap count=%d]',
			entry.sg_call_ents,
			ref_entry.sg_call_ents,
		);
	if (ref_entry.direction !== entry.direction)
		err_printk(
			dev,
			entry,
			'device driver frees DMA memory with different direction ' +
				'[device address=0x%016llx] [size=%llu bytes] [mapped with %s] [unmapped with %s]',
			dev_addr,
			size,
			dir2name[entry.direction]!,
			dir2name[ref_entry.direction]!,
		);
	if (entry.map_err_type === MAP_ERR_NOT_CHECKED)
		err_printk(
			dev,
			entry,
			// No space before the bracket: Linux's format.
			'device driver failed to check map error[device address=0x%016llx] [size=%llu bytes] [mapped as %s]',
			dev_addr,
			size,
			type2name[entry.type]!,
		);

	hash_bucket_del(entry);
	put_hash_bucket(bucket, flags.value);
	// Not under the bucket's lock: it takes radix_lock.
	dma_entry_free(entry);
}

/** The two reports on what a sync does against the mapping's direction; a reader sees here which is which. */
function report_sync_direction(
	dev: device,
	ref_entry: dma_debug_entry,
	entry: dma_debug_entry,
	what: string,
): void {
	err_printk(
		dev,
		entry,
		`device driver syncs ${what} [device address=0x%016llx] [size=%llu bytes] [mapped with %s] [synced with %s]`,
		ref_entry.dev_addr,
		entry.size,
		dir2name[entry.direction]!,
		dir2name[ref_entry.direction]!,
	);
}

function check_synced_entry(
	dev: device,
	ref_entry: dma_debug_entry,
	entry: dma_debug_entry,
	to_cpu: bool,
): void {
	if (ref_entry.size > entry.size)
		err_printk(
			dev,
			entry,
			'device driver syncs DMA memory outside allocated range ' +
				'[device address=0x%016llx] [allocation size=%llu bytes] [sync offset+size=%llu]',
			entry.dev_addr,
			entry.size,
			ref_entry.size,
		);
	if (entry.direction === DMA_BIDIRECTIONAL) return;

	if (ref_entry.direction !== entry.direction)
		report_sync_direction(dev, ref_entry, entry, 'DMA memory with different direction');
	if (to_cpu && entry.direction !== DMA_FROM_DEVICE && ref_entry.direction !== DMA_TO_DEVICE)
		report_sync_direction(dev, ref_entry, entry, 'device read-only DMA memory for cpu');
	if (!to_cpu && entry.direction !== DMA_TO_DEVICE && ref_entry.direction !== DMA_FROM_DEVICE)
		report_sync_direction(dev, ref_entry, entry, 'device write-only DMA memory to device');
	if (
		ref_entry.sg_call_ents !== 0 &&
		ref_entry.type === dma_debug_sg &&
		ref_entry.sg_call_ents !== entry.sg_call_ents
	)
		err_printk(
			ref_entry.dev,
			entry,
			'device driver syncs DMA sg list with different entry count [map count=%d] [sync count=%d]',
			entry.sg_call_ents,
			ref_entry.sg_call_ents,
		);
}

/**
 * Report a driver that maps the kernel's own code or constants. DEVIATION: @addr is physical; Linux compares addresses
 * that never meet on arm64 (Documentation/deviations.md).
 */
function check_for_illegal_area(dev: device, addr: phys_addr_t, len: unsigned_long): void {
	if (!memory_intersects(kernel_image.start, kernel_image.end, addr, len)) return;
	err_printk(
		dev,
		null,
		'device driver maps memory from kernel text or rodata [addr=%p] [len=%lu]',
		phys_to_virt(addr),
		len,
	);
}

/** A piece more of what @entry maps; null when memory ran out: it can be freed unnoticed, all else is still checked. */
function memory_alloc(entry: dma_debug_entry): dma_debug_memory | null {
	const first = entry.memory;
	if (first.end === first.start) return first;
	const memory = kzalloc(dma_debug_memory, GFP_ATOMIC | __GFP_NOWARN);
	if (memory === null) return null;
	memory.next = first.next;
	first.next = memory;
	return memory;
}

/** Count a mapping more, or one less, of each page that @memory has a part of. */
function memory_count(memory: dma_debug_memory, step: int): void {
	for (let at = memory.start - (memory.start % PAGE_SIZE); at < memory.end; at += PAGE_SIZE)
		phys_to_page(at).dma_mapped += step;
}

/** Remember that @entry maps @size bytes at @start. */
function remember_memory(entry: dma_debug_entry, start: phys_addr_t, size: size_t): void {
	if (size === 0) return;
	const memory = memory_alloc(entry);
	if (memory === null) return;
	memory.entry = entry;
	memory.start = start;
	memory.end = start + size;
	const flags = spin_lock_irqsave(state.mapped_memory_lock);
	list_add_tail(memory.list, state.mapped_memory);
	memory_count(memory, 1);
	spin_unlock_irqrestore(state.mapped_memory_lock, flags);
}

function forget_memory(entry: dma_debug_entry): void {
	const first = entry.memory;
	if (first.end === first.start) return;
	const flags = spin_lock_irqsave(state.mapped_memory_lock);
	for (let memory: dma_debug_memory | null = first; memory !== null; memory = memory.next) {
		memory_count(memory, -1);
		list_del(memory.list);
	}
	spin_unlock_irqrestore(state.mapped_memory_lock, flags);

	for (let memory = first.next; memory !== null; ) {
		const next: dma_debug_memory | null = memory.next;
		kfree(memory);
		memory = next;
	}
	first.next = null;
	first.end = first.start;
}

function page_is_mapped(addr: phys_addr_t, size: size_t): bool {
	for (let at = addr - (addr % PAGE_SIZE); at < addr + size; at += PAGE_SIZE)
		if (phys_to_page(at).dma_mapped !== 0) return true;
	return false;
}

/** The entry of a mapping that has a byte of @size from @addr. */
function find_mapped(addr: phys_addr_t, size: size_t): dma_debug_entry | null {
	let entry: dma_debug_entry | null = null;
	const flags = spin_lock_irqsave(state.mapped_memory_lock);
	for (const memory of list_for_each_entry(state.mapped_memory)) {
		if (memory.start >= addr + size || memory.end <= addr) continue;
		entry = memory.entry;
		break;
	}
	spin_unlock_irqrestore(state.mapped_memory_lock, flags);
	return entry;
}

/**
 * In kfree() and as pages are freed: report each mapping that has a part of the memory, once.
 *
 * DEVIATION: Linux has no such check since debug_dma_assert_idle() went (Documentation/deviations.md).
 */
function debug_dma_memory_freed(addr: phys_addr_t, size: size_t): void {
	if (dma_debug_disabled() || !page_is_mapped(addr, size)) return;
	for (let entry = find_mapped(addr, size); entry !== null; entry = find_mapped(addr, size)) {
		err_printk(
			entry.dev,
			entry,
			'memory is freed while it is mapped ' +
				'[address=%pa] [device address=0x%016llx] [size=%llu bytes] [mapped with %s] [mapped as %s]',
			addr,
			entry.dev_addr,
			entry.size,
			dir2name[entry.direction]!,
			type2name[entry.type]!,
		);
		forget_memory(entry);
	}
}

function check_sync(dev: device, ref_entry: dma_debug_entry, to_cpu: bool): void {
	const flags = new ref<unsigned_long>(0);
	const bucket = new ref(get_hash_bucket(ref_entry, flags));
	const entry = bucket_find_contain(bucket, ref_entry, flags);
	if (entry === null)
		err_printk(
			dev,
			null,
			'device driver tries to sync DMA memory it has not allocated [device address=0x%016llx] [size=%llu bytes]',
			ref_entry.dev_addr,
			ref_entry.size,
		);
	else check_synced_entry(dev, ref_entry, entry, to_cpu);
	put_hash_bucket(bucket.value, flags.value);
}

function check_sg_segment(dev: device, sg: scatterlist): void {
	const max_seg = dma_get_max_seg_size(dev);
	if (sg.length > max_seg)
		err_printk(
			dev,
			null,
			'mapping sg segment longer than device claims to support [len=%u] [max=%u]',
			sg.length,
			max_seg,
		);

	const boundary = dma_get_seg_boundary(dev);
	const start = sg_dma_address(sg);
	// An empty segment at 0 ends at the last address there is.
	const end = start + sg_dma_len(sg) === 0 ? U64_MAX : start + sg_dma_len(sg) - 1;
	if (and64(xor64(start, end), not64(boundary)) !== 0)
		err_printk(
			dev,
			null,
			'mapping sg segment across boundary [start=0x%016llx] [end=0x%016llx] [boundary=0x%016llx]',
			start,
			end,
			boundary,
		);
}

/** Before dma_map_single() (kernel/dma/debug.c: debug_dma_map_single()). */
export function debug_dma_map_single(dev: device, addr: void_ptr, len: unsigned_long): void {
	if (dma_debug_disabled()) return;
	if (!virt_addr_valid(addr))
		err_printk(dev, null, 'device driver maps memory from invalid area [addr=%p] [len=%lu]', addr, len);
	if (is_vmalloc_addr(addr))
		err_printk(dev, null, 'device driver maps memory from vmalloc area [addr=%p] [len=%lu]', addr, len);
}

/** After dma_map_page_attrs() (kernel/dma/debug.c: debug_dma_map_page()). */
export function debug_dma_map_page(
	dev: device,
	page: page,
	offset: size_t,
	size: size_t,
	direction: dma_data_direction,
	dma_addr: dma_addr_t,
	attrs: unsigned_long,
): void {
	if (dma_debug_disabled() || dma_mapping_error(dev, dma_addr) !== 0) return;
	const entry = dma_entry_alloc();
	if (entry === null) return;
	entry.dev = dev;
	entry.type = dma_debug_single;
	entry.paddr = page_to_phys(page) + offset;
	entry.dev_addr = dma_addr;
	entry.size = size;
	entry.direction = direction;
	entry.map_err_type = MAP_ERR_NOT_CHECKED;
	check_for_illegal_area(dev, entry.paddr, size);
	remember_memory(entry, entry.paddr, size);
	add_dma_entry(entry, attrs);
}

/**
 * In dma_mapping_error(): the caller looked. Of several mappings with one address the first is meant that was not
 * looked at yet (kernel/dma/debug.c: debug_dma_mapping_error()).
 */
export function debug_dma_mapping_error(dev: device, dma_addr: dma_addr_t): void {
	if (dma_debug_disabled()) return;
	const ref_entry = looked_for(dma_debug_single, dev, dma_addr, 0, DMA_BIDIRECTIONAL);
	const flags = new ref<unsigned_long>(0);
	const bucket = get_hash_bucket(ref_entry, flags);
	for (const entry of list_for_each_entry(bucket.list)) {
		if (!exact_match(ref_entry, entry) || entry.map_err_type !== MAP_ERR_NOT_CHECKED) continue;
		entry.map_err_type = MAP_ERR_CHECKED;
		break;
	}
	put_hash_bucket(bucket, flags.value);
}

/** What an unmap or a sync says of the mapping. */
function looked_for(
	type: int,
	dev: device,
	dev_addr: dma_addr_t,
	size: size_t,
	direction: int,
): dma_debug_entry {
	const ref_entry = new dma_debug_entry();
	ref_entry.type = type;
	ref_entry.dev = dev;
	ref_entry.dev_addr = dev_addr;
	ref_entry.size = size;
	ref_entry.direction = direction;
	return ref_entry;
}

/** Before the end of a mapping of a page (kernel/dma/debug.c: debug_dma_unmap_page()). */
export function debug_dma_unmap_page(
	dev: device,
	dma_addr: dma_addr_t,
	size: size_t,
	direction: dma_data_direction,
): void {
	if (dma_debug_disabled()) return;
	check_unmap(looked_for(dma_debug_single, dev, dma_addr, size, direction));
}

/** After a list was mapped: an entry for each of its segments (kernel/dma/debug.c: debug_dma_map_sg()). */
export function debug_dma_map_sg(
	dev: device,
	sg: scatterlist,
	nents: int,
	mapped_ents: int,
	direction: dma_data_direction,
	attrs: unsigned_long,
): void {
	if (dma_debug_disabled()) return;
	for (const s of for_each_sg(sg, nents)) check_for_illegal_area(dev, sg_phys(s), s.length);

	let first = true;
	for (const s of for_each_sg(sg, mapped_ents)) {
		const entry = dma_entry_alloc();
		if (entry === null) return;
		// The segments are DMA addresses; which memory is behind them the list's own entries say.
		if (first) for (const m of for_each_sg(sg, nents)) remember_memory(entry, sg_phys(m), m.length);
		first = false;
		entry.type = dma_debug_sg;
		entry.dev = dev;
		entry.paddr = sg_phys(s);
		entry.size = sg_dma_len(s);
		entry.dev_addr = sg_dma_address(s);
		entry.direction = direction;
		entry.sg_call_ents = nents;
		entry.sg_mapped_ents = mapped_ents;
		check_sg_segment(dev, s);
		add_dma_entry(entry, attrs);
	}
}

function get_nr_mapped_entries(ref_entry: dma_debug_entry): int {
	const flags = new ref<unsigned_long>(0);
	const bucket = get_hash_bucket(ref_entry, flags);
	const mapped_ents = bucket_find_exact(bucket, ref_entry)?.sg_mapped_ents ?? 0;
	put_hash_bucket(bucket, flags.value);
	return mapped_ents;
}

function looked_for_sg(dev: device, s: scatterlist, nelems: int, direction: int): dma_debug_entry {
	const ref_entry = looked_for(dma_debug_sg, dev, sg_dma_address(s), sg_dma_len(s), direction);
	ref_entry.paddr = sg_phys(s);
	ref_entry.sg_call_ents = nelems;
	return ref_entry;
}

/** Before the end of a list's mapping (kernel/dma/debug.c: debug_dma_unmap_sg()). */
export function debug_dma_unmap_sg(
	dev: device,
	sglist: scatterlist,
	nelems: int,
	dir: dma_data_direction,
): void {
	if (dma_debug_disabled()) return;
	let mapped_ents = 0;
	let i = 0;
	for (const s of for_each_sg(sglist, nelems)) {
		const ref_entry = looked_for_sg(dev, s, nelems, dir);
		// A list that is not known is looked for entry by entry.
		if (mapped_ents !== 0 && i >= mapped_ents) break;
		if (i === 0) mapped_ents = get_nr_mapped_entries(ref_entry);
		check_unmap(ref_entry);
		i++;
	}
}

/** After coherent memory was allocated (kernel/dma/debug.c: debug_dma_alloc_coherent()). */
export function debug_dma_alloc_coherent(
	dev: device,
	size: size_t,
	dma_addr: dma_addr_t,
	virt: void_ptr | null,
	attrs: unsigned_long,
): void {
	if (dma_debug_disabled() || virt === null) return;
	// A cookie (DMA_ATTR_NO_KERNEL_MAPPING) is no memory.
	const paddr = virt_to_phys(virt);
	if (paddr < 0) return;
	const entry = dma_entry_alloc();
	if (entry === null) return;
	entry.type = dma_debug_coherent;
	entry.dev = dev;
	entry.paddr = paddr;
	entry.size = size;
	entry.dev_addr = dma_addr;
	entry.direction = DMA_BIDIRECTIONAL;
	// A vmap()ed buffer's pages are the DMA API's own business.
	if (!is_vmalloc_addr(virt)) remember_memory(entry, paddr, size);
	add_dma_entry(entry, attrs);
}

/** Before coherent memory is freed (kernel/dma/debug.c: debug_dma_free_coherent()). */
export function debug_dma_free_coherent(
	dev: device,
	size: size_t,
	virt: void_ptr,
	dma_addr: dma_addr_t,
): void {
	if (dma_debug_disabled()) return;
	const paddr = virt_to_phys(virt);
	if (paddr < 0) return;
	const ref_entry = looked_for(dma_debug_coherent, dev, dma_addr, size, DMA_BIDIRECTIONAL);
	ref_entry.paddr = paddr;
	check_unmap(ref_entry);
}

/** After something that is not RAM was mapped (kernel/dma/debug.c: debug_dma_map_resource()). */
export function debug_dma_map_resource(
	dev: device,
	addr: phys_addr_t,
	size: size_t,
	direction: dma_data_direction,
	dma_addr: dma_addr_t,
	attrs: unsigned_long,
): void {
	// DEVIATION: 6.12 remembers a mapping that failed, and no unmap ever takes it away (Documentation/deviations.md).
	if (dma_debug_disabled() || dma_addr === DMA_MAPPING_ERROR) return;
	const entry = dma_entry_alloc();
	if (entry === null) return;
	entry.type = dma_debug_resource;
	entry.dev = dev;
	entry.paddr = addr;
	entry.size = size;
	entry.dev_addr = dma_addr;
	entry.direction = direction;
	entry.map_err_type = MAP_ERR_NOT_CHECKED;
	add_dma_entry(entry, attrs);
}

/** Before the end of such a mapping (kernel/dma/debug.c: debug_dma_unmap_resource()). */
export function debug_dma_unmap_resource(
	dev: device,
	dma_addr: dma_addr_t,
	size: size_t,
	direction: dma_data_direction,
): void {
	if (dma_debug_disabled()) return;
	check_unmap(looked_for(dma_debug_resource, dev, dma_addr, size, direction));
}

/** kernel/dma/debug.c: debug_dma_sync_single_for_cpu(). */
export function debug_dma_sync_single_for_cpu(
	dev: device,
	dma_handle: dma_addr_t,
	size: size_t,
	direction: dma_data_direction,
): void {
	if (dma_debug_disabled()) return;
	check_sync(dev, looked_for(dma_debug_single, dev, dma_handle, size, direction), true);
}

/** kernel/dma/debug.c: debug_dma_sync_single_for_device(). */
export function debug_dma_sync_single_for_device(
	dev: device,
	dma_handle: dma_addr_t,
	size: size_t,
	direction: dma_data_direction,
): void {
	if (dma_debug_disabled()) return;
	check_sync(dev, looked_for(dma_debug_single, dev, dma_handle, size, direction), false);
}

/** The segments that a list came out as are looked at; none when the first is not known. */
function check_sync_sg(dev: device, sg: scatterlist, nelems: int, direction: int, to_cpu: bool): void {
	let mapped_ents = 0;
	let i = 0;
	for (const s of for_each_sg(sg, nelems)) {
		const ref_entry = looked_for_sg(dev, s, nelems, direction);
		if (i === 0) mapped_ents = get_nr_mapped_entries(ref_entry);
		if (i >= mapped_ents) break;
		check_sync(dev, ref_entry, to_cpu);
		i++;
	}
}

/** kernel/dma/debug.c: debug_dma_sync_sg_for_cpu(). */
export function debug_dma_sync_sg_for_cpu(
	dev: device,
	sg: scatterlist,
	nelems: int,
	direction: dma_data_direction,
): void {
	if (!dma_debug_disabled()) check_sync_sg(dev, sg, nelems, direction, true);
}

/** kernel/dma/debug.c: debug_dma_sync_sg_for_device(). */
export function debug_dma_sync_sg_for_device(
	dev: device,
	sg: scatterlist,
	nelems: int,
	direction: dma_data_direction,
): void {
	if (!dma_debug_disabled()) check_sync_sg(dev, sg, nelems, direction, false);
}

/** After dma_alloc_pages() (kernel/dma/debug.c: debug_dma_alloc_pages()). */
export function debug_dma_alloc_pages(
	dev: device,
	page: page,
	size: size_t,
	direction: dma_data_direction,
	dma_addr: dma_addr_t,
	attrs: unsigned_long,
): void {
	if (dma_debug_disabled()) return;
	const entry = dma_entry_alloc();
	if (entry === null) return;
	entry.type = dma_debug_noncoherent;
	entry.dev = dev;
	entry.paddr = page_to_phys(page);
	entry.size = size;
	entry.dev_addr = dma_addr;
	entry.direction = direction;
	remember_memory(entry, entry.paddr, size);
	add_dma_entry(entry, attrs);
}

/** Before dma_free_pages() (kernel/dma/debug.c: debug_dma_free_pages()). */
export function debug_dma_free_pages(
	dev: device,
	page: page,
	size: size_t,
	direction: dma_data_direction,
	dma_addr: dma_addr_t,
): void {
	if (dma_debug_disabled()) return;
	const ref_entry = looked_for(dma_debug_noncoherent, dev, dma_addr, size, direction);
	ref_entry.paddr = page_to_phys(page);
	check_unmap(ref_entry);
}

function dma_debug_driver_setup(str: string | null): int {
	state.current_driver_name = (str ?? '').slice(0, NAME_MAX_LEN - 1);
	if (state.current_driver_name !== '')
		pr_info('DMA-API: enable driver filter for driver [%s]', state.current_driver_name);
	return 1;
}
__setup('dma_debug_driver=', dma_debug_driver_setup);
