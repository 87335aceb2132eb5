// SPDX-License-Identifier: GPL-2.0-only
// INV-PAIR of the DMA API: what is unmapped, freed or synced is what was mapped or allocated: address, size, direction,
// entries, the CPU's address, and the twin of the function. dma-debug warns of much of that; this is on without it, too.

import { hex } from '#hw/core/register-file.js';
import { DMA_BIDIRECTIONAL, DMA_FROM_DEVICE, DMA_TO_DEVICE } from '#linux/dma-direction.js';
import { PAGE_ALIGN } from '#linux/mm.js';
import { type Client, directionText, driverOf, type Kind, type Mapping, type Part } from './mappings.js';
import { asReturns } from './report.js';
import type { Watched } from './watcher.js';

/** What a function that ends a mapping was called with. */
export interface Ending {
	readonly fn: string;
	readonly kind: Kind;
	readonly addr: number;
	readonly size: number;
	readonly dir: number;
	/** What the mapping's own is to be; null: not asked for. */
	readonly handle: object | null;
	readonly nents: number;
}

/** A range that a sync was called for. */
export interface Sync {
	readonly fn: string;
	readonly addr: number;
	readonly size: number;
	readonly dir: number;
	readonly forCpu: boolean;
}

export class BufferPairs {
	constructor(readonly watched: Watched) {}

	/** @mapping is what @ending ends: whether the rest fits, too. */
	ends(mapping: Mapping, ending: Ending): void {
		const { fn, size, dir, nents, handle, kind } = ending;
		const { made } = mapping;
		if (kind !== mapping.kind)
			this.#find(
				mapping.client,
				mapping,
				'wrong-twin',
				fn,
				`${made.what}() is undone by its own twin, not by ${fn}()`,
			);
		else if (nents !== mapping.nents)
			this.#find(
				mapping.client,
				mapping,
				'wrong-nents',
				fn,
				`${fn}() was called with ${nents} entries: it takes the ${mapping.nents} that ${made.what}() was called with, not what that answered`,
			);
		else if (size !== mapping.size)
			this.#find(
				mapping.client,
				mapping,
				'wrong-size',
				fn,
				`${fn}() was called with ${size} bytes, ${made.what}() with ${mapping.size}: the driver has to remember the size that it mapped`,
			);
		else if (dir !== mapping.dir)
			this.#find(
				mapping.client,
				mapping,
				'wrong-direction-at-end',
				fn,
				`${fn}() was called with ${directionText(dir)}, ${made.what}() with ${directionText(mapping.dir)}: they have to agree, or the CPU's lines are not dropped, or are dropped with its stores`,
			);
		else if (handle !== null && mapping.handle !== null && !sameAddress(handle, mapping.handle))
			this.#find(
				mapping.client,
				mapping,
				'wrong-cpu-address',
				fn,
				`${fn}() was called with another CPU address than ${made.what}() answered for ${hex(mapping.addr, 8)}`,
			);
	}

	/** There is no mapping that @ending could end. */
	unknown(client: Client, { fn, addr, size }: Ending): void {
		const ended = client.lastEnded(addr);
		const inside = client.live.find(addr, addr);
		if (inside !== null) {
			this.#find(
				client,
				inside.mapping,
				'wrong-address',
				fn,
				`${fn}() was called with ${hex(addr, 8)}, which is ${addr - inside.mapping.addr} bytes inside a mapping: it takes what ${inside.mapping.made.what}() answered, ${hex(inside.mapping.addr, 8)}`,
			);
			return;
		}
		if (ended !== null && ended.addr === addr) {
			this.#find(
				client,
				ended,
				'double-unmap',
				fn,
				`${fn}() ends for the second time what ${ended.ended?.what ?? ''}() has ended: forget the address when it is unmapped`,
			);
			return;
		}
		this.#find(
			client,
			null,
			'never-mapped',
			fn,
			`${fn}(${hex(addr, 8)}, ${size} bytes) is called for what ${client.name} never mapped: an address of another device, one that was changed, or that of a mapping that failed`,
		);
	}

	/** @part is where @sync begins, null: nowhere. Whether the sync is one of a live mapping, and fits. */
	syncs(client: Client, part: Part | null, sync: Sync): boolean {
		const { fn, addr, size, dir, forCpu } = sync;
		if (part === null) {
			const ended = client.lastEnded(addr);
			this.#find(
				client,
				ended,
				ended === null ? 'sync-never-mapped' : 'sync-after-unmap',
				fn,
				ended === null
					? `${fn}(${hex(addr, 8)}, ${size} bytes) is called for what ${client.name} never mapped: it takes the address that the mapping answered`
					: `${fn}() is called for a mapping that has ended: the sync has to come before the unmap, which does its work, too`,
			);
			return false;
		}
		const { mapping } = part;
		const { kind, made } = mapping;
		// Whole pages were allocated.
		const end =
			kind === 'page' || kind === 'resource' ? part.last + 1 : PAGE_ALIGN(mapping.addr + mapping.size);
		if (addr + size > end && kind !== 'sg') {
			const over = addr + size - end;
			this.#find(
				client,
				mapping,
				'sync-too-long',
				fn,
				`${fn}() goes ${over} bytes beyond the end of what ${made.what}() mapped`,
			);
			return false;
		}
		const wrong =
			mapping.dir !== DMA_BIDIRECTIONAL &&
			kind !== 'coherent' &&
			dir !== mapping.dir &&
			!(kind === 'noncontiguous' || kind === 'pages');
		if (!wrong) return true;
		const lost = forCpu
			? dir === DMA_TO_DEVICE
				? ': nothing of what the device wrote is brought to the CPU'
				: ''
			: dir === DMA_FROM_DEVICE
				? ': nothing of what the CPU wrote is brought to the device'
				: '';
		this.#find(
			client,
			mapping,
			'sync-direction',
			fn,
			`${fn}() was called with ${directionText(dir)} for a mapping of ${directionText(mapping.dir)}: they have to agree${lost}`,
		);
		return false;
	}

	/** @nents entries of @mapping are synced. */
	syncsSg(mapping: Mapping, nents: number, fn: string): void {
		if (mapping.kind !== 'sg' || nents === mapping.nents) return;
		this.#find(
			mapping.client,
			mapping,
			'wrong-nents',
			fn,
			`${fn}() was called with ${nents} entries: it takes the ${mapping.nents} that ${mapping.made.what}() was called with, not what that answered`,
		);
	}

	#find(client: Client, mapping: Mapping | null, kind: string, fn: string, advice: string): void {
		this.watched.find({
			invariant: 'INV-PAIR',
			kind,
			device: client.name,
			...asReturns(fn, `${fn} ${mapping === null ? '' : mapping.addr}`),
			details: mapping === null ? [] : mapping.lines(),
			advice: mapping === null ? advice : `${advice}${driversOf(mapping)}`,
		});
	}
}

/** Whether two pointers are one: views of the same place, or the same cookie. */
function sameAddress(a: object, b: object): boolean {
	if (!ArrayBuffer.isView(a) || !ArrayBuffer.isView(b)) return a === b;
	return a.buffer === b.buffer && a.byteOffset === b.byteOffset;
}

/** Whose calls they are. */
function driversOf({ made, ended }: Mapping): string {
	const [by, undone] = [driverOf(made), driverOf(ended)];
	return by === '' && undone === '' ? '' : ` (mapped${by || ' elsewhere'}, ended${undone || ' elsewhere'})`;
}
