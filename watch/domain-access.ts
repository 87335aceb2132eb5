// SPDX-License-Identifier: GPL-2.0-only
// What devices access, against what is mapped for them.
//
//   INV-LIVE-MAP   a device was let through where nothing is mapped for it
//   INV-PERM       or not with that right

import type { DmaPort } from '#hw/core/dma-port.js';
import { hex } from '#hw/core/register-file.js';
import { accessText, READ, WRITE } from '#hw/iommu/iommu.js';
import { dev_name } from '#linux/device.js';
import type { DomainAttach } from './domain-attach.js';
import { type DomainSet, type DomainWatch, stateOf } from './domain-set.js';
import type { Watched } from './watcher.js';

export class DomainAccess {
	constructor(
		readonly watched: Watched,
		readonly set: DomainSet,
		readonly attach: DomainAttach,
	) {}

	/** @port got through to @phys at @addr. */
	access(port: DmaPort, addr: number, phys: number, size: number, write: boolean): void {
		if (phys < 0) return;
		const watch = this.set.ofPort(port);
		if (watch === null || watch.partial || stateOf(watch.domain) !== 'translate') return;
		const range = watch.mappings.find(addr);
		if (range !== null && (range.value.prot & (write ? WRITE : READ)) !== 0) return;
		for (const dev of watch.devices) if (dev_name(dev) === port.name && this.attach.isSwitching(dev)) return;
		const access = { addr, phys, size, write };
		const place = `${Math.floor(addr / 4096)}`;
		if (range === null) {
			if (watch.isOwed(addr)) return;
			const ended = watch.lastEnded(addr);
			const kind = ended === null ? 'never-mapped' : 'use-after-unmap';
			this.watched.find({
				invariant: 'INV-LIVE-MAP',
				kind,
				device: port.name,
				moment: 'access',
				place,
				access,
				details: [
					...(ended === null ? this.#neighbours(watch, addr) : []),
					...(ended === null ? [] : ended.made.lines('Mapped')),
					...(ended?.ended == null ? [] : ended.ended.lines('Unmapped')),
					this.watched.machine.iommuOf(port)?.explain(port.stream, addr).text ?? '',
				],
				advice:
					ended === null
						? `nobody has mapped ${hex(addr, 8)} in the domain of ${port.name}: the tables, or a cache, have a word for it that no call of map_pages() asked for`
						: `${port.name} goes on after ${ended.ended?.what ?? 'the unmapping'}(): it was not stopped, or the invalidation of ${hex(addr, 8)} is missing`,
			});
			return;
		}
		const asked = accessText(range.value.prot & (READ | WRITE));
		this.watched.find({
			invariant: 'INV-PERM',
			kind: 'forbidden-access',
			device: port.name,
			moment: 'access',
			place,
			access,
			details: [
				`It is mapped for ${asked}`,
				...range.value.made.lines('Mapped'),
				this.watched.machine.iommuOf(port)?.explain(port.stream, addr).text ?? '',
			],
			advice: `${range.value.made.what}() was asked for ${asked} at ${hex(range.first, 8)}, and what it wrote lets ${port.name} do more`,
		});
	}

	#neighbours(watch: DomainWatch, addr: number): string[] {
		return watch.mappings
			.nearest(addr)
			.map(({ first, last }) =>
				first > addr
					? `${first - addr} bytes before what is mapped at ${hex(first, 8)}`
					: `${addr - last} bytes behind what is mapped up to ${hex(last, 8)}`,
			);
	}
}
