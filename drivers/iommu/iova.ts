// SPDX-License-Identifier: GPL-2.0-only
// The allocator of DMA addresses: a tree of ranges, per-CPU caches before it.
// Linux 6.12: drivers/iommu/iova.c
// Left out: CPU hotplug (a CPU's cache is never emptied because the CPU went away).
//
// Ranges are given out top-down. The tree remembers where the last search ended (cached_node, and cached32_node
// below 4 GiB), since the next free range is most likely just below. Freed ranges of up to 32 frames stay in the
// tree, and their first frames are kept in magazines: last in, first out, per CPU and per size.
import { PAGE_SIZE } from '#asm/page.js';
import { rb_erase, rb_insert_color } from '#lib/rbtree.js';
import { ALIGN_DOWN } from '#linux/align.js';
import { BUG_ON, WARN_ON } from '#linux/bug.js';
import { for_each_online_cpu, for_each_possible_cpu, num_online_cpus } from '#linux/cpumask.js';
import { ENOMEM } from '#linux/errno.js';
import { __GFP_NOWARN, GFP_ATOMIC, GFP_KERNEL } from '#linux/gfp_types.js';
import { boot_data } from '#linux/init.js';
import { iova, type iova_domain, iova_shift } from '#linux/iova.js';
import { msecs_to_jiffies } from '#linux/jiffies.js';
import { is_power_of_2, order_base_2, roundup_pow_of_two } from '#linux/log2.js';
import { shr64 } from '#linux/math64.js';
import { DEFINE_MUTEX, mutex_lock, mutex_unlock } from '#linux/mutex.js';
import { alloc_percpu, free_percpu, per_cpu_ptr, type percpu, raw_cpu_ptr } from '#linux/percpu.js';
import {
	rb_first,
	rb_first_postorder,
	rb_link_node,
	rb_next,
	rb_next_postorder,
	rb_prev,
} from '#linux/rbtree.js';
import type { rb_node } from '#linux/rbtree_types.js';
import {
	KMEM_CACHE,
	kcalloc,
	kfree,
	type kmem_cache,
	kmem_cache_alloc,
	kmem_cache_destroy,
	kmem_cache_free,
	kmem_cache_reuse,
	kmem_cache_zalloc,
	SLAB_HWCACHE_ALIGN,
} from '#linux/slab.js';
import {
	spin_lock,
	spin_lock_init,
	spin_lock_irqsave,
	spin_unlock,
	spin_unlock_irqrestore,
	spinlock_t,
} from '#linux/spinlock.js';
import {
	type bool,
	container_of,
	type gfp_t,
	type int,
	U64_MAX,
	ULONG_MAX,
	type unsigned_int,
	type unsigned_long,
} from '#linux/types.js';
import {
	cancel_delayed_work_sync,
	delayed_work,
	INIT_DELAYED_WORK,
	schedule_delayed_work,
	to_delayed_work,
	type work_struct,
} from '#linux/workqueue.js';

/** The frame of the anchor, above everything usable. */
const IOVA_ANCHOR = ULONG_MAX;

/** Ranges of 1, 2, 4, 8, 16 and 32 frames are cached. */
const IOVA_RANGE_CACHE_MAX_SIZE = 6;

/** 127 frames and a word make 1 KiB in C. */
const IOVA_MAG_SIZE = 127;

/** How long after the last push the depot is trimmed. */
const IOVA_DEPOT_DELAY_MS = 100;

/** A stack of freed frames. */
class iova_magazine {
	// A union in C: only a full magazine is ever in the depot.
	size: unsigned_long = 0;
	next: iova_magazine | null = null;
	readonly pfns = new Float64Array(IOVA_MAG_SIZE);
}

class iova_cpu_rcache {
	readonly lock = new spinlock_t('iova_cpu_rcache');
	loaded: iova_magazine | null = null;
	prev: iova_magazine | null = null;
}

/** The cache of one size (drivers/iommu/iova.c: struct iova_rcache). */
export class iova_rcache {
	readonly lock = new spinlock_t('iova_rcache');
	depot_size: unsigned_int = 0;
	/** Full magazines, the last one first. */
	depot: iova_magazine | null = null;
	cpu_rcaches: percpu<iova_cpu_rcache> | null = null;
	iovad: iova_domain | null = null;
	readonly work = new delayed_work(this);
}

const state = boot_data(() => ({
	iova_cache: null as kmem_cache<iova> | null,
	iova_magazine_cache: null as kmem_cache<iova_magazine> | null,
	iova_cache_users: 0 as unsigned_int,
	iova_cache_mutex: DEFINE_MUTEX('iova_cache_mutex'),
}));

/** One past @pfn; past the last of all it wraps, and then nothing is below. */
function pfn_after(pfn: unsigned_long): unsigned_long {
	return pfn >= ULONG_MAX ? 0 : pfn + 1;
}

function to_iova(node: rb_node<iova>): iova {
	return node as iova;
}

/**
 * Make @iovad an empty space of frames of @granule bytes.
 * @start_pfn: the lowest frame that may be given away
 *
 * Linux: drivers/iommu/iova.c: init_iova_domain()
 */
export function init_iova_domain(iovad: iova_domain, granule: unsigned_long, start_pfn: unsigned_long): void {
	// A CPU page must be a whole number of frames.
	BUG_ON(granule > PAGE_SIZE || !is_power_of_2(granule));

	const anchor = iovad.anchor;
	spin_lock_init(iovad.iova_rbtree_lock);
	iovad.granule = granule;
	iovad.start_pfn = start_pfn;
	iovad.dma_32bit_pfn = Math.floor(0x1_0000_0000 / granule);
	iovad.max32_alloc_size = iovad.dma_32bit_pfn;
	iovad.cached_node = anchor;
	iovad.cached32_node = anchor;
	anchor.pfn_lo = IOVA_ANCHOR;
	anchor.pfn_hi = IOVA_ANCHOR;
	iovad.rbroot.rb_node = null;
	rb_link_node(anchor, null, iovad.rbroot, false);
	rb_insert_color(anchor, iovad.rbroot);
}

function __cached_rbnode_insert_update(iovad: iova_domain, entry: iova): void {
	if (entry.pfn_hi < iovad.dma_32bit_pfn) iovad.cached32_node = entry;
	else iovad.cached_node = entry;
}

/** @entry is about to go: a search must start no lower than above it. */
function __cached_rbnode_delete_update(iovad: iova_domain, entry: iova): void {
	const cached32 = to_iova(iovad.cached32_node as rb_node<iova>);
	if (entry === cached32 || (entry.pfn_hi < iovad.dma_32bit_pfn && entry.pfn_lo >= cached32.pfn_lo))
		iovad.cached32_node = rb_next(entry);

	// There is room again: larger sizes are worth a search.
	if (entry.pfn_lo < iovad.dma_32bit_pfn) iovad.max32_alloc_size = iovad.dma_32bit_pfn;

	const cached = to_iova(iovad.cached_node as rb_node<iova>);
	if (entry.pfn_lo >= cached.pfn_lo) iovad.cached_node = rb_next(entry);
}

/** The lowest range that begins at or above @limit_pfn; the anchor at the latest. */
function iova_find_limit(iovad: iova_domain, limit_pfn: unsigned_long): rb_node<iova> {
	// So far up it is rarely worth looking: nearly everything lies below.
	if (limit_pfn > iovad.dma_32bit_pfn) return iovad.anchor;

	let found: rb_node<iova> = iovad.anchor;
	let node = iovad.rbroot.rb_node;
	while (node !== null) {
		if (to_iova(node).pfn_lo >= limit_pfn) {
			found = node;
			node = node.rb_left;
		} else {
			node = node.rb_right;
		}
	}
	return found;
}

/** Put @entry where its pfn_lo belongs. */
function iova_insert_rbtree(iovad: iova_domain, entry: iova): void {
	let parent: rb_node<iova> | null = null;
	let left = false;
	for (let node = iovad.rbroot.rb_node; node !== null; ) {
		const pfn_lo = to_iova(node).pfn_lo;
		if (entry.pfn_lo === pfn_lo) {
			WARN_ON(true);
			return;
		}
		parent = node;
		left = entry.pfn_lo < pfn_lo;
		node = left ? node.rb_left : node.rb_right;
	}
	rb_link_node(entry, parent, iovad.rbroot, left);
	rb_insert_color(entry, iovad.rbroot);
}

/** Put @entry right between two neighbours, of which @before may be missing. */
function iova_insert_between(
	iovad: iova_domain,
	entry: iova,
	before: rb_node<iova> | null,
	after: rb_node<iova>,
): void {
	// When the later one has a left subtree, the earlier one is its rightmost node.
	if (after.rb_left === null) rb_link_node(entry, after, iovad.rbroot, true);
	else rb_link_node(entry, before, iovad.rbroot, false);
	rb_insert_color(entry, iovad.rbroot);
}

/**
 * Find @size free frames below @limit_pfn and put them into the tree as @entry.
 *
 * The search goes down from where the last one ended. When that finds nothing, the part above that place,
 * up to the limit, gets one more search. When that fails too, nothing as large is tried below 4 GiB until
 * something there is freed.
 */
function __alloc_and_insert_iova_range(
	iovad: iova_domain,
	size: unsigned_long,
	limit_pfn: unsigned_long,
	entry: iova,
	size_aligned: bool,
): int {
	const align = size_aligned ? roundup_pow_of_two(size) : 1;
	let high_pfn = limit_pfn;
	let low_pfn = iovad.start_pfn;
	let new_pfn: unsigned_long = 0;

	const flags = spin_lock_irqsave(iovad.iova_rbtree_lock);
	const low32 = limit_pfn <= iovad.dma_32bit_pfn;
	if (low32 && size >= iovad.max32_alloc_size) {
		spin_unlock_irqrestore(iovad.iova_rbtree_lock, flags);
		return -ENOMEM;
	}

	let after = (low32 ? iovad.cached32_node : iovad.cached_node) as rb_node<iova>;
	const retry_pfn = to_iova(after).pfn_hi;
	let before: rb_node<iova> | null;
	for (let second = false; ; second = true) {
		// Each turn tries the gap between two neighbours.
		for (;;) {
			const pfn_lo = to_iova(after).pfn_lo;
			if (pfn_lo < high_pfn) high_pfn = pfn_lo;
			before = rb_prev(after);
			// Further down there is no room at all.
			if (high_pfn < size) break;
			new_pfn = ALIGN_DOWN(high_pfn - size, align);
			if (before === null || new_pfn > to_iova(before).pfn_hi || new_pfn < low_pfn) break;
			after = before;
		}
		if (high_pfn >= size && new_pfn >= low_pfn) break;

		if (second || retry_pfn >= limit_pfn) {
			iovad.max32_alloc_size = size;
			spin_unlock_irqrestore(iovad.iova_rbtree_lock, flags);
			return -ENOMEM;
		}
		high_pfn = limit_pfn;
		low_pfn = retry_pfn + 1;
		after = iova_find_limit(iovad, limit_pfn);
	}

	entry.pfn_lo = new_pfn;
	entry.pfn_hi = new_pfn + size - 1;
	iova_insert_between(iovad, entry, before, after);
	__cached_rbnode_insert_update(iovad, entry);
	spin_unlock_irqrestore(iovad.iova_rbtree_lock, flags);
	return 0;
}

/** As memset() leaves a freed range, which its cache gives out again: making an object costs more than finding a place for it. */
function zero_iova(entry: iova): void {
	entry.pfn_lo = 0;
	entry.pfn_hi = 0;
	entry.__rb_parent = null;
	entry.__rb_red = false;
	entry.rb_left = null;
	entry.rb_right = null;
}

function alloc_iova_mem(): iova | null {
	return kmem_cache_zalloc(state.iova_cache as kmem_cache<iova>, GFP_ATOMIC | __GFP_NOWARN);
}

function free_iova_mem(entry: iova): void {
	// The anchor is part of its domain.
	if (entry.pfn_lo !== IOVA_ANCHOR) kmem_cache_free(state.iova_cache as kmem_cache<iova>, entry);
}

/**
 * Allocate a range, as high as possible.
 * @size: frames
 * @limit_pfn: the last frame that may be used
 * @size_aligned: align to @size rounded up to a power of two
 *
 * Context: any. Return: the range or null. Linux: drivers/iommu/iova.c: alloc_iova()
 */
export function alloc_iova(
	iovad: iova_domain,
	size: unsigned_long,
	limit_pfn: unsigned_long,
	size_aligned: bool,
): iova | null {
	const entry = alloc_iova_mem();
	if (entry === null) return null;
	if (__alloc_and_insert_iova_range(iovad, size, pfn_after(limit_pfn), entry, size_aligned) !== 0) {
		free_iova_mem(entry);
		return null;
	}
	return entry;
}

/** The range that @pfn is part of, or null; the tree's lock is held. */
function private_find_iova(iovad: iova_domain, pfn: unsigned_long): iova | null {
	let node = iovad.rbroot.rb_node;
	while (node !== null) {
		const entry = to_iova(node);
		if (pfn < entry.pfn_lo) node = node.rb_left;
		else if (pfn > entry.pfn_hi) node = node.rb_right;
		else return entry;
	}
	return null;
}

/** Take @entry out of the tree, whose lock is held. */
function remove_iova(iovad: iova_domain, entry: iova): void {
	__cached_rbnode_delete_update(iovad, entry);
	rb_erase(entry, iovad.rbroot);
}

/** The range that @pfn is part of, or null (drivers/iommu/iova.c: find_iova()). */
export function find_iova(iovad: iova_domain, pfn: unsigned_long): iova | null {
	const flags = spin_lock_irqsave(iovad.iova_rbtree_lock);
	const entry = private_find_iova(iovad, pfn);
	spin_unlock_irqrestore(iovad.iova_rbtree_lock, flags);
	return entry;
}

/** Free @entry, which is in the tree of @iovad (drivers/iommu/iova.c: __free_iova()). */
export function __free_iova(iovad: iova_domain, iova: iova): void {
	const flags = spin_lock_irqsave(iovad.iova_rbtree_lock);
	remove_iova(iovad, iova);
	spin_unlock_irqrestore(iovad.iova_rbtree_lock, flags);
	free_iova_mem(iova);
}

/** Free the range that @pfn is part of, if there is one (drivers/iommu/iova.c: free_iova()). */
export function free_iova(iovad: iova_domain, pfn: unsigned_long): void {
	const flags = spin_lock_irqsave(iovad.iova_rbtree_lock);
	const entry = private_find_iova(iovad, pfn);
	if (entry !== null) remove_iova(iovad, entry);
	spin_unlock_irqrestore(iovad.iova_rbtree_lock, flags);
	if (entry !== null) free_iova_mem(entry);
}

/**
 * Allocate an aligned range, from the caches when they have one.
 * @size: frames; below 32 it is rounded up to a power of two, so that every cached range fits any request of its order
 * @limit_pfn: the last frame that may be used
 * @flush_rcache: when nothing is free, empty the caches and try once more
 *
 * Return: the first frame, 0 on failure. Linux: drivers/iommu/iova.c: alloc_iova_fast()
 */
export function alloc_iova_fast(
	iovad: iova_domain,
	size: unsigned_long,
	limit_pfn: unsigned_long,
	flush_rcache: bool,
): unsigned_long {
	const frames = size < 1 << (IOVA_RANGE_CACHE_MAX_SIZE - 1) ? roundup_pow_of_two(size) : size;
	const cached = iova_rcache_get(iovad, frames, pfn_after(limit_pfn));
	if (cached !== 0) return cached;

	let entry = alloc_iova(iovad, frames, limit_pfn, true);
	if (entry === null && flush_rcache) {
		free_cached_iovas(iovad);
		entry = alloc_iova(iovad, frames, limit_pfn, true);
	}
	return entry === null ? 0 : entry.pfn_lo;
}

/** Give all that is cached back to the tree; in Linux a part of alloc_iova_fast(). */
export function free_cached_iovas(iovad: iova_domain): void {
	for (const cpu of for_each_online_cpu()) free_cpu_cached_iovas(cpu, iovad);
	free_global_cached_iovas(iovad);
}

/**
 * Free a range of alloc_iova_fast(); @size as at the allocation. It may stay cached.
 *
 * Linux: drivers/iommu/iova.c: free_iova_fast()
 */
export function free_iova_fast(iovad: iova_domain, pfn: unsigned_long, size: unsigned_long): void {
	if (!iova_rcache_insert(iovad, pfn, size)) free_iova(iovad, pfn);
}

/** Free everything in @iovad (drivers/iommu/iova.c: put_iova_domain()). */
export function put_iova_domain(iovad: iova_domain): void {
	if (iovad.rcaches !== null) free_iova_rcaches(iovad);
	for (let node = rb_first_postorder(iovad.rbroot); node !== null; ) {
		const entry = to_iova(node);
		node = rb_next_postorder(node);
		free_iova_mem(entry);
	}
	iovad.rbroot.rb_node = null;
}

/** A new range in the tree, whose lock is held. */
function __insert_new_range(iovad: iova_domain, pfn_lo: unsigned_long, pfn_hi: unsigned_long): iova | null {
	const entry = alloc_iova_mem();
	if (entry !== null) {
		entry.pfn_lo = pfn_lo;
		entry.pfn_hi = pfn_hi;
		iova_insert_rbtree(iovad, entry);
	}
	return entry;
}

/**
 * Keep frames @pfn_lo to @pfn_hi from being given away. What overlaps is widened downwards, and only the
 * rest above it becomes a range of its own.
 *
 * Return: the last range that takes part, or null. Linux: drivers/iommu/iova.c: reserve_iova()
 */
export function reserve_iova(iovad: iova_domain, pfn_lo: unsigned_long, pfn_hi: unsigned_long): iova | null {
	const most = shr64(U64_MAX, iova_shift(iovad));
	if (WARN_ON(pfn_lo > most || pfn_hi > most)) return null;

	const flags = spin_lock_irqsave(iovad.iova_rbtree_lock);
	let covered: iova | null = null;
	let overlap = false;
	let lo = pfn_lo;
	for (let node = rb_first(iovad.rbroot); node !== null; node = rb_next(node)) {
		const entry = to_iova(node);
		if (lo > entry.pfn_hi || pfn_hi < entry.pfn_lo) {
			if (overlap) break;
			continue;
		}
		overlap = true;
		if (lo < entry.pfn_lo) entry.pfn_lo = lo;
		if (pfn_hi > entry.pfn_hi) {
			lo = entry.pfn_hi + 1;
			continue;
		}
		covered = entry;
		break;
	}
	if (covered === null) covered = __insert_new_range(iovad, lo, pfn_hi);
	spin_unlock_irqrestore(iovad.iova_rbtree_lock, flags);
	return covered;
}

/** The largest cached range in bytes, with CPU pages as frames (drivers/iommu/iova.c: iova_rcache_range()). */
export function iova_rcache_range(): unsigned_long {
	return PAGE_SIZE << (IOVA_RANGE_CACHE_MAX_SIZE - 1);
}

function iova_magazine_alloc(flags: gfp_t): iova_magazine | null {
	const mag: iova_magazine | null = kmem_cache_alloc(
		state.iova_magazine_cache as kmem_cache<iova_magazine>,
		flags,
	);
	if (mag !== null) {
		mag.size = 0;
		mag.next = null;
	}
	return mag;
}

function iova_magazine_free(mag: iova_magazine | null): void {
	if (mag !== null) kmem_cache_free(state.iova_magazine_cache as kmem_cache<iova_magazine>, mag);
}

/** Give the ranges of @mag back to the tree. */
function iova_magazine_free_pfns(mag: iova_magazine, iovad: iova_domain): void {
	const flags = spin_lock_irqsave(iovad.iova_rbtree_lock);
	for (let i = 0; i < mag.size; i++) {
		const entry = private_find_iova(iovad, mag.pfns[i]);
		if (WARN_ON(entry === null) || entry === null) continue;
		remove_iova(iovad, entry);
		free_iova_mem(entry);
	}
	spin_unlock_irqrestore(iovad.iova_rbtree_lock, flags);
	mag.size = 0;
}

/** The last frame pushed that is not above @limit_pfn; 0 when there is none. */
function iova_magazine_pop(mag: iova_magazine, limit_pfn: unsigned_long): unsigned_long {
	let above = mag.size;
	while (above > 0 && mag.pfns[above - 1] > limit_pfn) above--;
	if (above === 0) return 0;
	// The top takes its place.
	const pfn = mag.pfns[above - 1];
	mag.size--;
	mag.pfns[above - 1] = mag.pfns[mag.size];
	return pfn;
}

function iova_depot_pop(rcache: iova_rcache): iova_magazine {
	const mag = rcache.depot as iova_magazine;
	rcache.depot = mag.next;
	rcache.depot_size--;
	mag.next = null;
	return mag;
}

function iova_depot_push(rcache: iova_rcache, mag: iova_magazine): void {
	mag.next = rcache.depot;
	rcache.depot = mag;
	rcache.depot_size++;
}

/** Give back one magazine, and come again while the depot holds more than one for each CPU. */
function iova_depot_work_func(work: work_struct): void {
	const rcache = container_of(to_delayed_work(work), iova_rcache);
	const flags = spin_lock_irqsave(rcache.lock);
	const mag = rcache.depot_size > num_online_cpus() ? iova_depot_pop(rcache) : null;
	spin_unlock_irqrestore(rcache.lock, flags);

	if (mag !== null) {
		iova_magazine_free_pfns(mag, rcache.iovad as iova_domain);
		iova_magazine_free(mag);
		schedule_delayed_work(rcache.work, msecs_to_jiffies(IOVA_DEPOT_DELAY_MS));
	}
}

/**
 * Give @iovad its caches; alloc_iova_fast() and free_iova_fast() need them.
 *
 * Return: 0 or -ENOMEM. Linux: drivers/iommu/iova.c: iova_domain_init_rcaches()
 */
export function iova_domain_init_rcaches(iovad: iova_domain): int {
	const rcaches = kcalloc(IOVA_RANGE_CACHE_MAX_SIZE, iova_rcache, GFP_KERNEL);
	if (rcaches === null) return -ENOMEM;
	iovad.rcaches = rcaches;

	for (let order = 0; order < IOVA_RANGE_CACHE_MAX_SIZE; order++) {
		const rcache = rcaches[order];
		spin_lock_init(rcache.lock);
		rcache.iovad = iovad;
		INIT_DELAYED_WORK(rcache.work, iova_depot_work_func);
		rcache.cpu_rcaches = alloc_percpu(iova_cpu_rcache);
		if (rcache.cpu_rcaches === null) {
			free_iova_rcaches(iovad);
			return -ENOMEM;
		}
		for (const cpu of for_each_possible_cpu()) {
			const cpu_rcache = per_cpu_ptr(rcache.cpu_rcaches, cpu);
			spin_lock_init(cpu_rcache.lock);
			cpu_rcache.loaded = iova_magazine_alloc(GFP_KERNEL);
			cpu_rcache.prev = iova_magazine_alloc(GFP_KERNEL);
			if (cpu_rcache.loaded === null || cpu_rcache.prev === null) {
				free_iova_rcaches(iovad);
				return -ENOMEM;
			}
		}
	}
	return 0;
}

/**
 * Have @cpu_rcache, whose lock is held and whose magazine is full, load one with room: its other one, or a new one
 * after the full one went to the depot. Null: there is no memory for that.
 */
function iova_rcache_make_room(rcache: iova_rcache, cpu_rcache: iova_cpu_rcache): iova_magazine | null {
	const full = cpu_rcache.loaded as iova_magazine;
	let mag = cpu_rcache.prev;
	if (mag !== null && mag.size < IOVA_MAG_SIZE) {
		cpu_rcache.prev = full;
	} else {
		mag = iova_magazine_alloc(GFP_ATOMIC);
		if (mag === null) return null;
		spin_lock(rcache.lock);
		iova_depot_push(rcache, full);
		spin_unlock(rcache.lock);
		schedule_delayed_work(rcache.work, msecs_to_jiffies(IOVA_DEPOT_DELAY_MS));
	}
	cpu_rcache.loaded = mag;
	return mag;
}

/** Push a frame; false when that would take a magazine and there is no memory for one. */
function __iova_rcache_insert(rcache: iova_rcache, pfn: unsigned_long): bool {
	const cpu_rcache = raw_cpu_ptr(rcache.cpu_rcaches as percpu<iova_cpu_rcache>);
	const flags = spin_lock_irqsave(cpu_rcache.lock);
	let mag = cpu_rcache.loaded;
	if (mag !== null && mag.size === IOVA_MAG_SIZE) mag = iova_rcache_make_room(rcache, cpu_rcache);
	if (mag !== null) mag.pfns[mag.size++] = pfn;
	spin_unlock_irqrestore(cpu_rcache.lock, flags);
	return mag !== null;
}

/** Which cache ranges of @size frames go to. */
function iova_rcache_order(size: unsigned_long): unsigned_int {
	if (size > 1 << (IOVA_RANGE_CACHE_MAX_SIZE - 1)) return IOVA_RANGE_CACHE_MAX_SIZE;
	return order_base_2(size);
}

function iova_rcache_insert(iovad: iova_domain, pfn: unsigned_long, size: unsigned_long): bool {
	const order = iova_rcache_order(size);
	if (order >= IOVA_RANGE_CACHE_MAX_SIZE) return false;
	return __iova_rcache_insert((iovad.rcaches as iova_rcache[])[order], pfn);
}

/**
 * Have @cpu_rcache, whose lock is held and whose magazine is empty, load its other one, or one of the depot in place
 * of the empty one. When there is neither, the empty one stays.
 */
function iova_rcache_refill(rcache: iova_rcache, cpu_rcache: iova_cpu_rcache): iova_magazine {
	const empty = cpu_rcache.loaded as iova_magazine;
	let mag = cpu_rcache.prev as iova_magazine;
	if (mag.size > 0) {
		cpu_rcache.prev = empty;
	} else {
		mag = empty;
		spin_lock(rcache.lock);
		if (rcache.depot !== null) {
			iova_magazine_free(empty);
			mag = iova_depot_pop(rcache);
		}
		spin_unlock(rcache.lock);
	}
	cpu_rcache.loaded = mag;
	return mag;
}

/** Pop a frame that is not above @limit_pfn; 0 when this CPU's magazine has none. */
function __iova_rcache_get(rcache: iova_rcache, limit_pfn: unsigned_long): unsigned_long {
	const cpu_rcache = raw_cpu_ptr(rcache.cpu_rcaches as percpu<iova_cpu_rcache>);
	const flags = spin_lock_irqsave(cpu_rcache.lock);
	let mag = cpu_rcache.loaded as iova_magazine;
	if (mag.size === 0) mag = iova_rcache_refill(rcache, cpu_rcache);
	const pfn = iova_magazine_pop(mag, limit_pfn);
	spin_unlock_irqrestore(cpu_rcache.lock, flags);
	return pfn;
}

/** A cached range of @size frames that ends below @limit_pfn, or 0. */
function iova_rcache_get(iovad: iova_domain, size: unsigned_long, limit_pfn: unsigned_long): unsigned_long {
	const order = iova_rcache_order(size);
	if (order >= IOVA_RANGE_CACHE_MAX_SIZE) return 0;
	// A limit that has wrapped is none.
	if (limit_pfn !== 0 && limit_pfn < size) return 0;
	const last_pfn = limit_pfn !== 0 ? limit_pfn - size : ULONG_MAX;
	return __iova_rcache_get((iovad.rcaches as iova_rcache[])[order], last_pfn);
}

/** Free the caches themselves; the ranges in them stay in the tree. */
function free_iova_rcaches(iovad: iova_domain): void {
	const rcaches = iovad.rcaches as iova_rcache[];
	for (let order = 0; order < IOVA_RANGE_CACHE_MAX_SIZE; order++) {
		const rcache = rcaches[order];
		if (rcache.cpu_rcaches === null) break;
		for (const cpu of for_each_possible_cpu()) {
			const cpu_rcache = per_cpu_ptr(rcache.cpu_rcaches, cpu);
			iova_magazine_free(cpu_rcache.loaded);
			iova_magazine_free(cpu_rcache.prev);
		}
		free_percpu(rcache.cpu_rcaches);
		cancel_delayed_work_sync(rcache.work);
		while (rcache.depot !== null) iova_magazine_free(iova_depot_pop(rcache));
	}
	kfree(rcaches);
	iovad.rcaches = null;
}

/** Give all that @cpu has cached back to the tree. */
function free_cpu_cached_iovas(cpu: unsigned_int, iovad: iova_domain): void {
	const rcaches = iovad.rcaches as iova_rcache[];
	for (let order = 0; order < IOVA_RANGE_CACHE_MAX_SIZE; order++) {
		const rcache = rcaches[order];
		const cpu_rcache = per_cpu_ptr(rcache.cpu_rcaches as percpu<iova_cpu_rcache>, cpu);
		const flags = spin_lock_irqsave(cpu_rcache.lock);
		iova_magazine_free_pfns(cpu_rcache.loaded as iova_magazine, iovad);
		iova_magazine_free_pfns(cpu_rcache.prev as iova_magazine, iovad);
		spin_unlock_irqrestore(cpu_rcache.lock, flags);
	}
}

/** Give all that the depots hold back to the tree. */
function free_global_cached_iovas(iovad: iova_domain): void {
	const rcaches = iovad.rcaches as iova_rcache[];
	for (let order = 0; order < IOVA_RANGE_CACHE_MAX_SIZE; order++) {
		const rcache = rcaches[order];
		const flags = spin_lock_irqsave(rcache.lock);
		while (rcache.depot !== null) {
			const mag = iova_depot_pop(rcache);
			iova_magazine_free_pfns(mag, iovad);
			iova_magazine_free(mag);
		}
		spin_unlock_irqrestore(rcache.lock, flags);
	}
}

/** Make the slab caches at the first call; each get needs a put (drivers/iommu/iova.c: iova_cache_get()). */
export function iova_cache_get(): int {
	mutex_lock(state.iova_cache_mutex);
	if (state.iova_cache_users === 0) {
		state.iova_cache = KMEM_CACHE(iova, SLAB_HWCACHE_ALIGN);
		if (state.iova_cache !== null) state.iova_magazine_cache = KMEM_CACHE(iova_magazine, SLAB_HWCACHE_ALIGN);
		if (state.iova_cache === null || state.iova_magazine_cache === null) {
			kmem_cache_destroy(state.iova_cache);
			state.iova_cache = null;
			mutex_unlock(state.iova_cache_mutex);
			return -ENOMEM;
		}
		kmem_cache_reuse(state.iova_cache, zero_iova);
	}
	state.iova_cache_users++;
	mutex_unlock(state.iova_cache_mutex);
	return 0;
}

/** The last put destroys the slab caches (drivers/iommu/iova.c: iova_cache_put()). */
export function iova_cache_put(): void {
	mutex_lock(state.iova_cache_mutex);
	if (!WARN_ON(state.iova_cache_users === 0) && --state.iova_cache_users === 0) {
		kmem_cache_destroy(state.iova_cache);
		kmem_cache_destroy(state.iova_magazine_cache);
		state.iova_cache = null;
		state.iova_magazine_cache = null;
	}
	mutex_unlock(state.iova_cache_mutex);
}
