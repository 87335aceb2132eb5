// SPDX-License-Identifier: GPL-2.0-only
// The slab allocator: structs as objects, bytes as views on simulated RAM.
// Linux 6.12: mm/slub.c
//
// A struct is a JavaScript object; what the allocator adds is its life: it is counted, it ends once, and
// a use after its end is reported. Bytes come from pages, cut into objects of a size class.
// slab_debug on the command line (U: who allocated and freed; F: report uses of freed structs and
// overwritten poison; -: nothing, not even poison).
// Left out: per-CPU slabs, red zones, freelist randomisation, memcg, sysfs; one empty slab a cache is kept
import { machine, schedule_point } from '#arch/arm64/kernel/setup.js';
import { page_to_phys, pfn_to_page, phys_to_virt, virt_to_phys } from '#asm/memory.js';
import { PAGE_SIZE } from '#asm/page-def.js';
import { get_order } from '#include/asm-generic/getorder.js';
import { _raw_spin_lock_irqsave, _raw_spin_unlock_irqrestore } from '#kernel/locking/spinlock.js';
import { caller_site, kernel_report, print_tainted } from '#kernel/panic.js';
import { vprintk_emit } from '#kernel/printk/printk.js';
import { __might_sleep } from '#kernel/sched/core.js';
import { dma_debug_hook } from '#linux/dma-mapping.js';
import {
	__GFP_COMP,
	__GFP_DIRECT_RECLAIM,
	__GFP_DMA,
	__GFP_NORETRY,
	__GFP_NOWARN,
	__GFP_ZERO,
	GFP_DMA32,
} from '#linux/gfp_types.js';
import { boot_data, early_param } from '#linux/init.js';
import { kasan_kfree_large, kasan_kmalloc, kasan_kmalloc_large, kasan_slab_free } from '#linux/kasan.js';
import { debug_kernel } from '#linux/kconfig.js';
import {
	list_add,
	list_del,
	list_del_init,
	list_empty,
	list_first_entry,
	list_for_each_entry,
	list_head,
} from '#linux/list.js';
import type { page } from '#linux/mm_types.js';
import { pr_warn_once } from '#linux/printk.js';
import type { bool, gfp_t, int, phys_addr_t, size_t, unsigned_int } from '#linux/types.js';
import { should_failslab, slab_fault } from '#mm/failslab.js';
import { __free_pages, alloc_pages } from '#mm/page_alloc.js';
import {
	freed_object,
	KMALLOC_MAX_CACHE_SIZE,
	KMALLOC_MAX_SIZE,
	kmem_cache,
	large_kmalloc,
	POISON_FREE,
	SLAB_CACHE_DMA,
	SLAB_CACHE_DMA32,
	SLAB_HWCACHE_ALIGN,
	SLAB_KMALLOC,
	slab,
	slab_track,
	ZERO_SIZE_PTR,
} from '#mm/slab.js';

type struct_type<T> = new () => T;
type any_cache = kmem_cache<never>;

/** Where an object says which cache it is of, and a class which cache makes it. */
const SLAB_CACHE = Symbol('slab_cache');

/** Where an array says how many elements it was made with. */
const SLAB_ELEMENTS = Symbol('slab_elements');
/** What all arrays of structs and pointers may have together: they take no simulated memory, and the heap has an end. */
const MAX_ELEMENTS = 2 ** 22;

interface marked {
	[SLAB_ELEMENTS]?: size_t;
	[SLAB_CACHE]?: any_cache | freed_object;
}

/** The sizes of kmalloc()'s caches. */
export const kmalloc_sizes: readonly unsigned_int[] = [
	8, 16, 32, 64, 96, 128, 192, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768,
].filter((size) => size <= KMALLOC_MAX_CACHE_SIZE);

export const slab_state = boot_data(() => ({
	slab_caches: new list_head<any_cache>(),
	/** kmalloc-N by index of kmalloc_sizes; the second row is ZONE_DMA's. */
	kmalloc_caches: [[], []] as (kmem_cache<Uint8Array> | null)[][],
	/** Distinguishes one boot's caches from the last one's. */
	boot: {},
	/** Large allocations. */
	nr_large: 0,
	/** The elements of all arrays that are alive. */
	elements: 0,
	store_user: false as bool,
	check_use: false as bool,
	poison: true as bool,
}));

/** What is checked: no value is freed objects and users (mm/slub.c: setup_slub_debug()). */
function setup_slub_debug(val: string | null): int {
	const flags = val ?? 'FU';
	slab_state.store_user = flags.includes('U');
	slab_state.check_use = flags.includes('F');
	slab_state.poison = !flags.includes('-');
	return 0;
}

early_param('slab_debug', setup_slub_debug);
early_param('slub_debug', setup_slub_debug);

function site(): string {
	return slab_state.store_user ? caller_site() : '';
}

function by(what: string, where: string): string {
	return where === '' ? `${what} somewhere: boot with slab_debug=U to learn where` : `${what} at ${where}`;
}

/** Put a new cache on the list of all (mm/slub.c: do_kmem_cache_create()). */
export function do_kmem_cache_create<T extends object>(
	name: string,
	size: unsigned_int,
	align: unsigned_int,
	flags: unsigned_int,
	ctor: ((obj: T) => void) | null,
	type: struct_type<T> | null,
): kmem_cache<T> {
	const s = new kmem_cache<T>(name, type);
	s.flags = flags;
	s.ctor = ctor;
	if (type === null) {
		s.object_size = size;
		s.align = calculate_alignment(flags, align, size);
		s.size = Math.ceil(Math.max(size, 8) / s.align) * s.align;
		s.oo_order = calculate_order(s.size);
	}
	list_add(s.list, slab_state.slab_caches);
	return s;
}

// mm/slab_common.c: calculate_alignment(): objects of half a cache line or less share it.
function calculate_alignment(flags: unsigned_int, align: unsigned_int, size: unsigned_int): unsigned_int {
	let least = align;
	if ((flags & SLAB_HWCACHE_ALIGN) !== 0) {
		let line = 64;
		while (size <= line / 2) line /= 2;
		least = Math.max(least, line);
	}
	return Math.ceil(Math.max(least, 8) / 8) * 8;
}

// The order whose slabs hold some sixteen objects, at most order 3, more only when one object needs it.
function calculate_order(size: unsigned_int): unsigned_int {
	const least = get_order(size);
	for (let order = Math.max(least, Math.min(3, get_order(16 * size))); order <= 3; order++) {
		const bytes = PAGE_SIZE * 2 ** order;
		if (bytes % size <= bytes / 16) return order;
	}
	return Math.max(least, Math.min(3, get_order(4 * size)));
}

function struct_cache<T extends object>(type: struct_type<T>): kmem_cache<T> {
	// A class inherits its base's mark: it is its own only when it names this class.
	const known = (type as marked)[SLAB_CACHE] as kmem_cache<T> | undefined;
	if (known !== undefined && known.type === type && known.boot === slab_state.boot) return known;
	const s = do_kmem_cache_create<T>(type.name, 0, 0, SLAB_KMALLOC, null, type);
	(type as marked)[SLAB_CACHE] = s as unknown as any_cache;
	s.boot = slab_state.boot;
	return s;
}

function struct_alloc<T extends object>(s: kmem_cache<T>, type: struct_type<T>): T {
	s.live++;
	s.allocated++;
	const freed = s.free_structs.pop();
	if (freed !== undefined && !debug_kernel.on) return freed;
	const obj = freed ?? new type();
	(obj as marked)[SLAB_CACHE] = s as unknown as any_cache;
	if (slab_state.store_user) list_add(new slab_track(obj, caller_site()).node, s.tracked);
	return obj;
}

// The checks that every allocation passes; false: it is made to fail (mm/slub.c: slab_pre_alloc_hook()).
function slab_pre_alloc_hook(name: string, size: size_t, flags: gfp_t): bool {
	if ((flags & __GFP_DIRECT_RECLAIM) !== 0) __might_sleep('kmalloc');
	schedule_point('alloc', 0);
	// The question is should_failslab()'s own: asked here, where it is inlined, it spares a call for each object.
	return slab_fault.nth === 0 || !should_failslab(name, size, flags);
}

/** A struct; what it holds is what its class says (include/linux/slab.h: kmalloc()). */
export function kzalloc_struct<T extends object>(type: struct_type<T>, flags: gfp_t): T | null {
	if (!slab_pre_alloc_hook(type.name, 0, flags)) return null;
	return struct_alloc(struct_cache(type), type);
}

export const kmalloc_struct = kzalloc_struct;

/** An array of structs, or with null of null pointers (include/linux/slab.h: kcalloc()). */
export function kmalloc_array_of<T extends object>(n: size_t, type: struct_type<T>, flags: gfp_t): T[] | null;
export function kmalloc_array_of<T extends object>(
	n: size_t,
	type: struct_type<T> | null,
	flags: gfp_t,
): (T | null)[] | null;
export function kmalloc_array_of<T extends object>(
	n: size_t,
	type: struct_type<T> | null,
	flags: gfp_t,
): (T | null)[] | null {
	if (!slab_pre_alloc_hook(type === null ? 'Array' : type.name, 0, flags)) return null;
	if (n > MAX_ELEMENTS - slab_state.elements) {
		if ((flags & __GFP_NOWARN) === 0)
			pr_warn_once('slab: no room for %zu elements: the arrays of this build have %u', n, MAX_ELEMENTS);
		return null;
	}
	slab_state.elements += n;
	const type_of_array = Array as unknown as struct_type<(T | null)[]>;
	const arr = struct_alloc(struct_cache(type_of_array), type_of_array);
	(arr as marked)[SLAB_ELEMENTS] = n;
	for (let i = 0; i < n; i++) arr.push(type === null ? null : new type());
	return arr;
}

function alloc_slab_page(order: unsigned_int, flags: gfp_t): page | null {
	return alloc_pages((flags & ~__GFP_ZERO) | __GFP_COMP, order);
}

function set_owner(phys: phys_addr_t, order: unsigned_int, owner: object | null): void {
	const pfn = phys / PAGE_SIZE;
	for (let i = 0; i < 2 ** order; i++) pfn_to_page(pfn + i).owner = owner;
}

// mm/slub.c: new_slab()
function new_slab(s: kmem_cache<Uint8Array>, flags: gfp_t): slab | null {
	let gfp = flags;
	if ((s.flags & SLAB_CACHE_DMA32) !== 0) gfp |= GFP_DMA32;
	if ((s.flags & SLAB_CACHE_DMA) !== 0) gfp |= __GFP_DMA;
	let order = s.oo_order;
	const least = get_order(s.size);
	let p = alloc_slab_page(
		order,
		order > least ? (gfp | __GFP_NOWARN | __GFP_NORETRY) & ~__GFP_DIRECT_RECLAIM : gfp,
	);
	if (p === null && order > least) {
		order = least;
		p = alloc_slab_page(order, gfp);
	}
	if (p === null) return null;
	const bytes = PAGE_SIZE * 2 ** order;
	const phys = page_to_phys(p);
	const sl = new slab(
		s,
		phys_to_virt(phys, bytes),
		phys,
		order,
		Math.floor(bytes / s.size),
		slab_state.store_user,
	);
	set_owner(phys, order, sl);
	s.nr_slabs++;
	if (s.ctor !== null) for (let i = 0; i < sl.objects; i++) s.ctor(object_at(s, sl, i, s.object_size));
	else if (poisons(s)) sl.base.fill(POISON_FREE, 0, sl.objects * s.size);
	return sl;
}

function discard_slab(s: kmem_cache<Uint8Array>, sl: slab): void {
	set_owner(sl.phys, sl.order, null);
	s.nr_slabs--;
	__free_pages(pfn_to_page(sl.phys / PAGE_SIZE), sl.order);
}

function object_at(s: kmem_cache<Uint8Array>, sl: slab, i: unsigned_int, size: size_t): Uint8Array {
	return new Uint8Array(sl.base.buffer, sl.base.byteOffset + i * s.size, size);
}

/** Whether free objects of @s hold what nobody stores; one that was made ready stays as it is. */
function poisons(s: kmem_cache<Uint8Array>): bool {
	return debug_kernel.on && slab_state.poison && s.ctor === null;
}

function check_poison(s: kmem_cache<Uint8Array>, sl: slab, i: unsigned_int): void {
	const obj = object_at(s, sl, i, s.object_size);
	for (let at = 0; at < obj.length; at++) {
		if (obj[at] === POISON_FREE) continue;
		kernel_report(3, [
			`BUG ${s.name} (${print_tainted()}): Poison overwritten`,
			`0x${(sl.phys + i * s.size + at).toString(16)}: byte 0x${obj[at]!.toString(16)} in place of 0x6b, offset ${at} of a free object of ${s.object_size} bytes; ${by('freed', sl.sites?.[i] ?? '')}`,
		]);
		return;
	}
}

// A slab with a free object that is on the list of such, or null; the lock is held (mm/slub.c: get_partial()).
function get_partial(s: kmem_cache<Uint8Array>): slab | null {
	if (!list_empty(s.partial)) return list_first_entry(s.partial);
	const sl = s.empty;
	if (sl === null) return null;
	s.empty = null;
	list_add(sl.list, s.partial);
	return sl;
}

function bytes_alloc(s: kmem_cache<Uint8Array>, flags: gfp_t, size: size_t): Uint8Array | null {
	let irq = _raw_spin_lock_irqsave(s.list_lock);
	let sl = get_partial(s);
	if (sl === null) {
		// The page allocator must not be called under the lock. What others do meanwhile does no harm.
		_raw_spin_unlock_irqrestore(s.list_lock, irq);
		sl = new_slab(s, flags);
		if (sl === null) return null;
		irq = _raw_spin_lock_irqsave(s.list_lock);
		list_add(sl.list, s.partial);
	}
	const i = sl.freelist[--sl.nr_free] as int;
	if (sl.nr_free === 0) list_del_init(sl.list);
	sl.in_use[i] = size + 1;
	if (sl.sites !== null) sl.sites[i] = site();
	s.live++;
	s.allocated++;
	_raw_spin_unlock_irqrestore(s.list_lock, irq);
	if (slab_state.check_use && poisons(s)) check_poison(s, sl, i);
	const obj = object_at(s, sl, i, size);
	// Zeros are stores too, also where zeros were: the lines are dirty from now on.
	if ((flags & __GFP_ZERO) !== 0) machine.memory.zero(sl.phys + i * s.size, s.object_size);
	return kasan_kmalloc(s, obj, size, flags);
}

/** The kmalloc cache of a size, made at first use (mm/slab.h: kmalloc_slab()). */
export function kmalloc_slab(size: size_t, flags: gfp_t): kmem_cache<Uint8Array> {
	let i = 0;
	while ((kmalloc_sizes[i] as number) < size) i++;
	const dma = (flags & __GFP_DMA) !== 0 ? 1 : 0;
	const row = slab_state.kmalloc_caches[dma]!;
	let s = row[i] ?? null;
	if (s === null) {
		const bytes = kmalloc_sizes[i] as number;
		const short = bytes >= 1024 ? `${bytes / 1024}k` : `${bytes}`;
		// A power of two is aligned to itself, 96 and 192 to what divides them.
		const align = bytes & -bytes;
		s = do_kmem_cache_create<Uint8Array>(
			`${dma ? 'dma-' : ''}kmalloc-${short}`,
			bytes,
			align,
			SLAB_KMALLOC | (dma ? SLAB_CACHE_DMA : 0),
			null,
			null,
		);
		row[i] = s;
	}
	return s;
}

/** Make kmalloc()'s caches, now that there are pages (mm/slub.c: kmem_cache_init()). */
export function kmem_cache_init(): void {
	for (const size of kmalloc_sizes) kmalloc_slab(size, 0);
	vprintk_emit(6, 'SLUB: HWalign=%d, Order=0-3, MinObjects=0, CPUs=%u, Nodes=1', [64, machine.nr_cpus]);
}

function large_alloc(size: size_t, flags: gfp_t): Uint8Array | null {
	const order = get_order(size);
	const p = alloc_pages(flags | __GFP_COMP, order);
	if (p === null) return null;
	const phys = page_to_phys(p);
	set_owner(phys, order, new large_kmalloc(phys, order, size, site()));
	slab_state.nr_large++;
	return kasan_kmalloc_large(phys_to_virt(phys, size), size, flags);
}

/** @size bytes of RAM (mm/slub.c: __kmalloc_noprof()). */
export function __kmalloc_bytes(size: size_t, flags: gfp_t): Uint8Array | null {
	if (size === 0) return ZERO_SIZE_PTR;
	if (size > KMALLOC_MAX_SIZE || !(size > 0)) return null;
	if (size > KMALLOC_MAX_CACHE_SIZE)
		return slab_pre_alloc_hook('kmalloc-large', size, flags) ? large_alloc(size, flags) : null;
	const s = kmalloc_slab(size, flags);
	return slab_pre_alloc_hook(s.name, size, flags) ? bytes_alloc(s, flags, size) : null;
}

/** @n words of RAM, for a bitmap (lib/bitmap.c: bitmap_alloc()). */
export function kmalloc_array_of_words(n: size_t, flags: gfp_t): Uint32Array | null {
	// C's words have 64 bits; so that a bitmap of 32 takes what it takes there.
	const bytes = __kmalloc_bytes(Math.ceil(n / 2) * 8, flags);
	return bytes === null ? null : new Uint32Array(bytes.buffer, bytes.byteOffset, n);
}

/** An object of @s (mm/slub.c: kmem_cache_alloc_noprof()). */
export function kmem_cache_alloc_obj<T extends object>(s: kmem_cache<T>, flags: gfp_t): T | null {
	if (!slab_pre_alloc_hook(s.name, s.object_size, flags)) return null;
	if (s.type !== null) return struct_alloc(s, s.type);
	const b = s as unknown as kmem_cache<Uint8Array>;
	return bytes_alloc(b, flags, b.object_size) as unknown as T | null;
}

// From now on each field of @obj reports who touches it, and goes on with its last value.
function quarantine(obj: object, name: string, freed: string): void {
	for (const key of Object.keys(obj)) {
		let value: unknown = (obj as Record<string, unknown>)[key];
		let reported = false;
		const report = (what: string): void => {
			if (reported) return;
			reported = true;
			kernel_report(3, [
				`BUG: KASAN: slab-use-after-free: ${what} of ${name}.${key} at ${caller_site()}`,
				by('freed', freed),
			]);
		};
		Object.defineProperty(obj, key, {
			configurable: true,
			enumerable: true,
			get: () => {
				report('read');
				return value;
			},
			set: (v: unknown) => {
				report('write');
				value = v;
			},
		});
	}
}

function untrack(s: any_cache, obj: object): void {
	for (const t of list_for_each_entry(s.tracked)) {
		if (t.obj !== obj) continue;
		list_del(t.node);
		return;
	}
}

function double_free(name: string, freed: string): void {
	kernel_report(3, [`BUG: KASAN: double-free of ${name} at ${caller_site()}`, by('freed', freed)]);
}

// Keep @obj for the next who asks @s. It is a debug kernel's to mark it as freed besides: that costs more than all else.
function recycle(s: kmem_cache<object>, obj: object): void {
	s.zero!(obj);
	s.free_structs.push(obj);
}

function struct_free(obj: object, from: any_cache | null): void {
	const mark = (obj as marked)[SLAB_CACHE];
	if (mark === undefined) {
		kernel_report(4, [
			`WARNING: kfree of a ${obj.constructor.name} that no allocator made, at ${caller_site()}`,
		]);
		return;
	}
	if (mark instanceof freed_object) {
		double_free(mark.cache.name, mark.site);
		return;
	}
	if (from !== null && from !== mark) {
		kernel_report(4, [
			`WARNING: cache_from_obj: Wrong slab cache. ${from.name} but object is from ${mark.name}`,
		]);
	}
	mark.live--;
	if (mark.zero !== null) {
		recycle(mark as unknown as kmem_cache<object>, obj);
		if (!debug_kernel.on) return;
	}
	if (Array.isArray(obj)) slab_state.elements -= (obj as marked)[SLAB_ELEMENTS] ?? 0;
	if (slab_state.store_user) {
		untrack(mark, obj);
		(obj as marked)[SLAB_CACHE] = new freed_object(mark, caller_site());
	} else {
		(obj as marked)[SLAB_CACHE] = mark.freed;
	}
	if (slab_state.check_use) quarantine(obj, mark.name, slab_state.store_user ? caller_site() : '');
}

function bad_free(x: ArrayBufferView, why: string): void {
	kernel_report(4, [
		`WARNING: kfree of an address that kmalloc did not give: ${why}, at ${caller_site()}`,
		`phys 0x${virt_to_phys(x).toString(16)}, ${x.byteLength} bytes`,
	]);
}

function bytes_free(x: ArrayBufferView, from: kmem_cache<Uint8Array> | null): void {
	if (x === ZERO_SIZE_PTR) return;
	const phys = virt_to_phys(x);
	if (phys < 0) {
		bad_free(x, 'it is no simulated RAM');
		return;
	}
	const head = pfn_to_page(Math.floor(phys / PAGE_SIZE));
	const owner = head.owner;
	if (owner instanceof large_kmalloc) {
		if (phys !== owner.phys) {
			bad_free(x, 'it points into the object');
			return;
		}
		kasan_kfree_large(x);
		set_owner(owner.phys, owner.order, null);
		slab_state.nr_large--;
		__free_pages(pfn_to_page(owner.phys / PAGE_SIZE), owner.order);
		return;
	}
	if (!(owner instanceof slab)) {
		bad_free(x, 'the page is no slab; it may have been freed before');
		return;
	}
	const s = owner.slab_cache;
	if (from !== null && from !== s)
		kernel_report(4, [
			`WARNING: cache_from_obj: Wrong slab cache. ${from.name} but object is from ${s.name}`,
		]);
	const i = Math.floor((phys - owner.phys) / s.size);
	if (owner.phys + i * s.size !== phys) {
		bad_free(x, 'it points into the object');
		return;
	}
	if (owner.in_use[i] === 0) {
		double_free(s.name, owner.sites?.[i] ?? '');
		return;
	}
	dma_debug_hook.memory_freed?.(phys, s.object_size);
	kasan_slab_free(s, x, false);
	const irq = _raw_spin_lock_irqsave(s.list_lock);
	owner.in_use[i] = 0;
	if (owner.sites !== null) owner.sites[i] = site();
	if (poisons(s)) owner.base.fill(POISON_FREE, i * s.size, i * s.size + s.object_size);
	owner.freelist[owner.nr_free++] = i;
	s.live--;
	let discard: slab | null = null;
	if (owner.nr_free === 1) list_add(owner.list, s.partial);
	if (owner.nr_free === owner.objects) {
		list_del_init(owner.list);
		if (s.empty === null) s.empty = owner;
		else discard = owner;
	}
	_raw_spin_unlock_irqrestore(s.list_lock, irq);
	if (discard !== null) discard_slab(s, discard);
}

/**
 * kfree - End the life of what kmalloc() and its kin made (mm/slub.c: kfree())
 * @object: a struct, an array, or bytes; null is fine
 */
export function kfree(object: object | null): void {
	if (object === null) return;
	if (ArrayBuffer.isView(object)) bytes_free(object, null);
	else struct_free(object, null);
}

/** kfree() of an object of @s (mm/slub.c: kmem_cache_free()). */
export function kmem_cache_free<T extends object>(s: kmem_cache<T>, x: T): void {
	if (ArrayBuffer.isView(x)) bytes_free(x, s as unknown as kmem_cache<Uint8Array>);
	else if (s.zero !== null && !debug_kernel.on) {
		s.live--;
		recycle(s as unknown as kmem_cache<object>, x);
	} else struct_free(x, s as unknown as any_cache);
}

/** The bytes that the allocator has set aside for @object (mm/slab_common.c: ksize()). */
export function ksize(object: ArrayBufferView | null): size_t {
	if (object === null || object === ZERO_SIZE_PTR) return 0;
	const phys = virt_to_phys(object);
	const owner = phys < 0 ? null : pfn_to_page(Math.floor(phys / PAGE_SIZE)).owner;
	if (owner instanceof slab) return owner.slab_cache.object_size;
	return owner instanceof large_kmalloc ? PAGE_SIZE * 2 ** owner.order : 0;
}

/** Give the empty slab of @s back; false: there are live objects (mm/slub.c: __kmem_cache_shrink()). */
export function __kmem_cache_shrink(s: any_cache): bool {
	const empty = s.empty;
	if (empty !== null) {
		s.empty = null;
		discard_slab(s as unknown as kmem_cache<Uint8Array>, empty);
	}
	return s.live === 0;
}

/** __kmem_cache_shrink() of every cache, so that a count of used pages counts live objects only. */
export function slab_shrink_all(): void {
	for (const s of list_for_each_entry(slab_state.slab_caches)) __kmem_cache_shrink(s);
}

/** Live objects by cache or struct name, for a leak check: compare two of them. */
export function slab_live(): Record<string, unsigned_int> {
	const out: Record<string, unsigned_int> = {};
	for (const s of list_for_each_entry(slab_state.slab_caches))
		if (s.live > 0) out[s.name] = (out[s.name] ?? 0) + s.live;
	if (slab_state.nr_large > 0) out['kmalloc-large'] = slab_state.nr_large;
	return out;
}

/** One line for each kind of object of which more live now than in @before; with slab_debug=U, who made them. */
export function slab_leaks(before: Record<string, unsigned_int>): string[] {
	const out: string[] = [];
	const now = slab_live();
	for (const name of Object.keys(now)) {
		const more = (now[name] as number) - (before[name] ?? 0);
		if (more <= 0) continue;
		out.push(`${name}: ${more} object${more === 1 ? '' : 's'} more than before`);
		for (const s of list_for_each_entry(slab_state.slab_caches)) {
			if (s.name !== name) continue;
			let n = 0;
			for (const t of list_for_each_entry(s.tracked)) if (n++ < more) out.push(`  allocated at ${t.site}`);
		}
	}
	return out;
}
