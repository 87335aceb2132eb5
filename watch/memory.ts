// SPDX-License-Identifier: GPL-2.0-only
// The kernel's memory as its allocators tell of it: bytes of slabs, and blocks of pages, with who allocated and who freed
// them. What was there before anybody watched is not known.

import { pfn_to_page_if_made } from '#asm/memory.js';
import { PAGE_SIZE } from '#asm/page-def.js';
import { hex } from '#hw/core/register-file.js';
import { kasan, type kasan_checker } from '#linux/kasan.js';
import { virt_to_phys } from '#linux/mm.js';
import type { page } from '#linux/mm_types.js';
import { MAX_PAGE_ORDER } from '#linux/mmzone.js';
import type { void_ptr } from '#linux/types.js';
import { type kmem_cache, slab } from '#mm/slab.js';
import { KASAN_CALLS, listen } from './fan-out.js';
import type { JournalEvent } from './journal.js';
import type { Watched, Watcher } from './watcher.js';

export interface Allocation {
	readonly phys: number;
	/** Bytes that were asked for. */
	readonly size: number;
	/** `kmalloc-64`, `4 pages`. */
	readonly what: string;
	readonly made: JournalEvent;
	/** Who freed it; null while it lives. */
	freed: JournalEvent | null;
}

export class Memory implements Watcher, kasan_checker {
	/** Called before memory is given back, with what it was. */
	readonly onFree: ((allocation: Allocation) => void)[] = [];
	/** Called when memory is somebody's. */
	readonly onAlloc: ((allocation: Allocation) => void)[] = [];

	/** The last of each place. */
	readonly #objects = new Map<number, Allocation>();
	/** By order and frame: blocks are cut and joined, the last event of a frame counts. */
	readonly #blocks = Array.from({ length: MAX_PAGE_ORDER + 1 }, () => new Map<number, Allocation>());

	constructor(readonly watched: Watched) {}

	watchKernel(): () => void {
		this.#objects.clear();
		for (const blocks of this.#blocks) blocks.clear();
		return listen<'checker', kasan_checker>(kasan, 'checker', KASAN_CALLS, this);
	}

	/** What the bytes at @phys belong to, or belonged to last; null: nobody told. */
	at(phys: number): Allocation | null {
		return this.#objectAt(phys) ?? this.#blockAt(Math.floor(phys / PAGE_SIZE));
	}

	/** The lines of a report about @allocation. */
	lines({ phys, size, what, made, freed }: Allocation): string[] {
		return [
			`The memory is ${what} at ${hex(phys, 8)}, ${size} bytes`,
			...made.lines('Allocated'),
			...(freed === null ? [] : freed.lines('Freed')),
		];
	}

	#objectAt(phys: number): Allocation | null {
		const owner = pfn_to_page_if_made(Math.floor(phys / PAGE_SIZE))?.owner;
		if (!(owner instanceof slab)) return null;
		return this.#objects.get(phys - ((phys - owner.phys) % owner.slab_cache.size)) ?? null;
	}

	#blockAt(pfn: number): Allocation | null {
		let last: Allocation | null = null;
		for (let order = 0; order <= MAX_PAGE_ORDER; order++) {
			const block = this.#blocks[order].get(pfn - (pfn % 2 ** order));
			if (block !== undefined && (last === null || numberOf(block) > numberOf(last))) last = block;
		}
		return last;
	}

	#made(allocation: Allocation): void {
		for (const listener of this.onAlloc) listener(allocation);
	}

	#gone(allocation: Allocation): void {
		for (const listener of this.onFree) listener(allocation);
		allocation.freed = this.#event('free');
	}

	#event(what: string): JournalEvent {
		return this.watched.journal.record(what, 'the kernel');
	}

	// --- mm tells

	kmalloc(s: kmem_cache<Uint8Array>, object: void_ptr, size: number): void {
		const phys = virt_to_phys(object) as number;
		const allocation = { phys, size, what: s.name, made: this.#event('kmalloc'), freed: null };
		this.#objects.set(phys, allocation);
		this.#made(allocation);
	}

	slab_free(_s: kmem_cache<Uint8Array>, object: ArrayBufferView): void {
		const allocation = this.#objects.get(virt_to_phys(object) as number);
		if (allocation !== undefined) this.#gone(allocation);
	}

	kmalloc_large(ptr: void_ptr, size: number): void {
		const phys = virt_to_phys(ptr) as number;
		const pages = this.#blockAt(phys / PAGE_SIZE);
		if (pages === null) return;
		const order = Math.log2(pages.size / PAGE_SIZE);
		this.#blocks[order].set(phys / PAGE_SIZE, { ...pages, size, what: 'kmalloc-large' });
	}

	kfree_large(ptr: ArrayBufferView): void {
		const allocation = this.#blockAt((virt_to_phys(ptr) as number) / PAGE_SIZE);
		if (allocation !== null && allocation.freed === null) this.#gone(allocation);
	}

	unpoison_pages(page: page, order: number): void {
		const allocation: Allocation = {
			phys: page.pfn * PAGE_SIZE,
			size: PAGE_SIZE * 2 ** order,
			what: order === 0 ? 'a page' : `${2 ** order} pages`,
			made: this.#event('alloc_pages'),
			freed: null,
		};
		this.#blocks[order].set(page.pfn, allocation);
		this.#made(allocation);
	}

	poison_pages(page: page, order: number): void {
		const block = this.#blockAt(page.pfn);
		// What is not known was there before anybody watched, and kfree() has told of what is large.
		if (block === null || block.freed !== null) return;
		const [phys, size] = [page.pfn * PAGE_SIZE, PAGE_SIZE * 2 ** order];
		const allocation = block.phys === phys && block.size === size ? block : { ...block, phys, size };
		this.#blocks[order].set(page.pfn, allocation);
		this.#gone(allocation);
	}
}

/** That of the last event of @allocation. */
function numberOf({ made, freed }: Allocation): number {
	return (freed ?? made).number;
}
