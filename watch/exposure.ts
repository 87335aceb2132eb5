// SPDX-License-Identifier: GPL-2.0-only
// What a driver lets its device see beside its buffers: an IOMMU maps whole pages.
//
//   EXP-NEIGHBOUR  bytes of another allocation on a page that a device can reach
//   EXP-OWN        the buffer is a part of an object whose rest the device can reach, too
//   EXP-ELSEWHERE  what was unmapped is still mapped at another address, with as many rights

import { PAGE_SIZE } from '#asm/page-def.js';
import { hex } from '#hw/core/register-file.js';
import { DMA_BIDIRECTIONAL } from '#linux/dma-direction.js';
import type { BufferPlaces } from './buffer-places.js';
import { type Client, directionText, type Mapping } from './mappings.js';
import type { Allocation, Memory } from './memory.js';
import type { Exposure } from './report.js';
import type { Watched } from './watcher.js';

/** How many of a device's are kept for its report. */
const KEPT = 64;

interface Seen {
	readonly id: Exposure;
	readonly mapping: Mapping;
	readonly what: Allocation | null;
	count: number;
}

export class Exposures {
	/** By device, and what it is. */
	readonly #seen = new Map<Client, Map<string, Seen>>();

	constructor(
		readonly watched: Watched,
		readonly memory: Memory,
		/** Where what is mapped lies. */
		readonly places: BufferPlaces,
	) {}

	clear(): void {
		this.#seen.clear();
	}

	mapped(mapping: Mapping): void {
		if (mapping.domain === null || (mapping.kind !== 'page' && mapping.kind !== 'sg')) return;
		for (const part of mapping.parts) {
			if (part.bounced) continue;
			const end = part.phys + part.size;
			const [low, high] = [part.phys - (part.phys % PAGE_SIZE), Math.ceil(end / PAGE_SIZE) * PAGE_SIZE];
			if (low === part.phys && high === end) continue;
			const own = this.memory.at(part.phys);
			if (own !== null && (Math.max(own.phys, low) < part.phys || Math.min(own.phys + own.size, high) > end))
				this.#tell('EXP-OWN', 'exposes-own-struct', mapping, own);
			const neighbour = this.#neighbour(own, low, part.phys) ?? this.#neighbour(own, end, high);
			if (neighbour !== null) this.#tell('EXP-NEIGHBOUR', 'exposes-neighbour', mapping, neighbour);
		}
	}

	ended(mapping: Mapping): void {
		if (mapping.domain === null) return;
		const { client, dir } = mapping;
		for (const { phys, size } of mapping.parts) {
			if (!this.places.has(phys, phys + size - 1)) continue;
			const other = this.places.at(
				phys,
				phys + size - 1,
				(part) =>
					part.mapping.client === client &&
					part.mapping.domain === mapping.domain &&
					(part.mapping.dir === dir || part.mapping.dir === DMA_BIDIRECTIONAL),
			);
			if (other !== null)
				this.#tell('EXP-ELSEWHERE', 'still-mapped-elsewhere', other.mapping, this.memory.at(phys));
		}
	}

	/** What @client's driver lets the device see, as lines for a person. */
	report(client: Client): string[] {
		const lines = [`What the driver of ${client.name} lets the device see:`];
		let [bytes, pages] = [0, 0];
		for (const { phys, size } of client.live.all()) {
			bytes += size;
			pages += Math.ceil((phys + size) / PAGE_SIZE) - Math.floor(phys / PAGE_SIZE);
		}
		lines.push(
			client.domain === null
				? `  all memory that it can address: there is no IOMMU on its way, or it does not translate`
				: `  ${bytes} bytes of live mappings, on ${pages} pages: ${pages * PAGE_SIZE - bytes} bytes more than it needs`,
		);
		for (const { id, mapping, what, count } of this.#seen.get(client)?.values() ?? []) {
			const object =
				what === null ? 'memory that was there before' : `${what.what}, allocated in ${whereOf(what)}`;
			lines.push(`  ${id}, ${count} time${count === 1 ? '' : 's'}: ${object}; ${mapping.text}`);
		}
		if (lines.length === 2) lines.push('  nothing else than its buffers');
		return lines;
	}

	/** Another allocation that lives in [@first, @last); null: none. */
	#neighbour(own: Allocation | null, first: number, last: number): Allocation | null {
		if (first >= last) return null;
		for (let at = first; at < last; at += 8) {
			const found = this.memory.at(at);
			if (found === null) return null;
			if (found !== own && found.freed === null && found.phys < last && found.phys + found.size > first)
				return found;
			const next = found.phys + found.size;
			if (next > at + 8) at = next - 8;
		}
		return null;
	}

	#tell(id: Exposure, kind: string, mapping: Mapping, what: Allocation | null): void {
		const { client, made } = mapping;
		const key = `${id} ${made.what} ${what?.what} ${mapping.size}`;
		let seen = this.#seen.get(client);
		if (seen === undefined) {
			seen = new Map();
			this.#seen.set(client, seen);
		}
		const old = seen.get(key);
		if (old !== undefined) old.count++;
		else if (seen.size < KEPT) seen.set(key, { id, mapping, what, count: 1 });
		const { memory } = this;
		this.watched.find({
			invariant: id,
			kind,
			device: client.name,
			moment: 'return',
			what: `${made.what}()`,
			place: key,
			get details() {
				return [...mapping.lines(), ...(what === null ? [] : memory.lines(what))];
			},
			get advice() {
				const rest = what === null ? 'what else is there' : `${what.what} at ${hex(what.phys, 8)}`;
				return id === 'EXP-ELSEWHERE'
					? `${client.name} can still reach the buffer at ${hex(mapping.addr, 8)}, ${directionText(mapping.dir)}: it is mapped twice`
					: `an IOMMU maps whole pages: with the buffer at ${hex(mapping.addr, 8)} ${client.name} gets ${rest}; give the buffer pages of its own, or bounce it`;
			},
		});
	}
}

/** The first function that is no allocator's. */
function whereOf({ made }: Allocation): string {
	const frames = made.trace();
	return frames.find((frame) => !/\((mm|include)\//.test(frame)) ?? frames[0] ?? 'the kernel';
}
