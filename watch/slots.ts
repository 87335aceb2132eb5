// SPDX-License-Identifier: GPL-2.0-only
// INV-LEAK and INV-BOUNCE of bounce slots: a mapping's slots are free when it has ended, none is taken at a quiet point
// that no mapping has, and the counters of a pool agree with its slots.

import { PAGE_SIZE } from '#asm/page-def.js';
import { hex } from '#hw/core/register-file.js';
import { atomic_long_read } from '#linux/atomic.js';
import { list_for_each_entry } from '#linux/list.js';
import { IO_TLB_SIZE, type io_tlb_mem, type io_tlb_pool, swiotlb_find_pool } from '#linux/swiotlb.js';
import type { Client, Mapping, Part } from './mappings.js';
import type { Memory } from './memory.js';
import type { Watched } from './watcher.js';

export class Slots {
	/** Buffers that the DMA API has had bounced: whoever else takes slots knows what it does. */
	readonly #buffers = new Set<number>();

	constructor(
		readonly watched: Watched,
		readonly memory: Memory,
	) {}

	clear(): void {
		this.#buffers.clear();
	}

	/** The buffer at @phys is about to be bounced. */
	bounced(phys: number): void {
		this.#buffers.add(phys);
	}

	/** @mapping's end has returned: its slots are free. */
	freed(mapping: Mapping, clients: readonly Client[]): void {
		for (const part of mapping.parts) {
			if (!part.bounced) continue;
			const pool = swiotlb_find_pool(mapping.client.dev, part.actual);
			const slot = pool?.slots?.[Math.floor((part.actual - pool.start) / IO_TLB_SIZE)];
			if (slot === undefined || slot.list !== 0 || isTaken(part, clients)) continue;
			const fn = mapping.ended?.what ?? 'the unmapping';
			this.watched.find({
				invariant: 'INV-LEAK',
				kind: 'slot-not-freed',
				device: mapping.client.name,
				moment: 'return',
				what: `${fn}()`,
				place: `${fn} ${mapping.kind}`,
				details: [
					`${fn}() has returned, and the bounce slot at ${hex(part.actual, 8)} is still taken`,
					...mapping.lines(),
				],
				advice: `${fn}() has to call swiotlb_tbl_unmap_single() with the physical address of the slot, looked up before the IOMMU's mapping is gone`,
			});
		}
	}

	/** Nothing goes on: the pools of all @clients. */
	quiet(operation: string, clients: readonly Client[]): void {
		const mems = new Set(clients.map(({ dev }) => dev.dma_io_tlb_mem));
		const live = new Set<number>();
		for (const { live: parts } of clients)
			for (const part of parts.all())
				if (part.bounced)
					for (let at = part.actual; ; at += IO_TLB_SIZE) {
						live.add(Math.floor(at / IO_TLB_SIZE));
						if (Math.floor(at / IO_TLB_SIZE) >= Math.floor((part.actual + part.size - 1) / IO_TLB_SIZE))
							break;
					}
		for (const mem of mems) if (mem !== null) this.#settled(operation, mem, live, clients);
	}

	#settled(operation: string, mem: io_tlb_mem, live: ReadonlySet<number>, clients: readonly Client[]): void {
		const user = clients.find(({ dev }) => dev.dma_io_tlb_mem === mem)?.name ?? 'swiotlb';
		let taken = 0;
		for (const pool of list_for_each_entry(mem.pools)) taken += this.#pool(operation, pool, live, user);
		const used = atomic_long_read(mem.total_used);
		if (used === taken) return;
		this.watched.find({
			invariant: 'INV-BOUNCE',
			kind: 'slot-count',
			device: user,
			moment: 'quiet',
			place: 'total_used',
			details: [`After ${operation}: io_tlb_used says ${used}, and ${taken} slots are taken`],
			advice: `inc_used_and_hiwater() and dec_used() are called with other numbers than swiotlb_find_slots() takes and swiotlb_release_slots() frees`,
		});
	}

	/** The slots of @pool that are taken. */
	#pool(operation: string, pool: io_tlb_pool, live: ReadonlySet<number>, user: string): number {
		const slots = pool.slots ?? [];
		let taken = 0;
		for (let i = 0; i < pool.nslabs; i++) {
			const { list, orig_addr } = slots[i];
			if (list !== 0) continue;
			taken++;
			const at = pool.start + i * IO_TLB_SIZE;
			if (live.has(Math.floor(at / IO_TLB_SIZE)) || !this.#buffers.has(orig_addr)) continue;
			const owner = this.memory.at(orig_addr);
			this.watched.find({
				invariant: 'INV-LEAK',
				kind: 'leaked-slot',
				device: user,
				moment: 'quiet',
				place: `${orig_addr - (orig_addr % PAGE_SIZE)}`,
				details: [
					`After ${operation}: the bounce slot at ${hex(at, 8)} is taken for the buffer at ${hex(orig_addr, 8)}, which nobody has mapped`,
					...(owner === null ? [] : this.memory.lines(owner)),
				],
				advice: `a mapping that failed behind swiotlb_tbl_map_single(), or ended, did not call swiotlb_tbl_unmap_single() for ${hex(at, 8)}`,
			});
		}
		return taken;
	}
}

/** Whether a live mapping has the slot of @part by now. */
function isTaken({ actual }: Part, clients: readonly Client[]): boolean {
	for (const { live } of clients)
		for (const other of live.all())
			if (other.bounced && Math.floor(other.actual / IO_TLB_SIZE) === Math.floor(actual / IO_TLB_SIZE))
				return true;
	return false;
}
