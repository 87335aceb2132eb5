// SPDX-License-Identifier: GPL-2.0-only
// What the tables in memory, and the driver when it is asked, say of what is mapped: as an operation has returned.

import type { iommu_domain } from '#linux/iommu.js';
import type { Agreement, Owed } from './agreement.js';
import type { Contract } from './contract.js';
import { type DomainSet, type DomainWatch, stateOf, within } from './domain-set.js';
import { driverOf } from './iommu-ops.js';
import type { Tables } from './tables.js';
import type { Watched } from './watcher.js';

export class DomainTables {
	/** How many words the tables had seen change when the last operation was looked at. */
	#seen = 0;
	/** The driver's own iova_to_phys() is asked; not by the kernel. */
	#asking = false;

	constructor(
		readonly watched: Watched,
		readonly set: DomainSet,
		readonly tables: Tables,
		readonly contract: Contract,
		readonly agreement: Agreement,
	) {}

	/** The tables say what @span's operation was to make them say, and of its neighbours what they said before. */
	inTables(watch: DomainWatch, { first, last, by }: Owed): void {
		const streams = this.set.translating(watch);
		const { mappings } = watch;
		if (!this.agreement.compare(streams, mappings, first, last, by)) return;
		if (!this.#ask(watch, last, `${by}() has returned, and `)) return;
		if (last - first >= 4096 && !this.#ask(watch, first, `${by}() has returned, and `)) return;
		if (watch.partial) return;
		// Where each word was seen as it changed, none beside the range was among them.
		const seen = this.tables.seen !== this.#seen;
		this.#seen = this.tables.seen;
		for (const beside of seen ? [] : [first - 1, last + 1])
			if (beside >= 0 && !watch.isOwed(beside)) this.agreement.compare(streams, mappings, beside, beside, by);
		this.#othersAt(watch, first, by);
	}

	/** What the other domains have at @at is as it was. */
	#othersAt(watch: DomainWatch, at: number, fn: string): void {
		if (this.set.size === 1) return;
		for (const other of this.set.all()) {
			if (other === watch || other.partial || other.devices.length === 0 || other.root < 0) continue;
			if (stateOf(other.domain) !== 'translate' || other.isOwed(at)) continue;
			this.agreement.compare(this.set.translating(other), other.mappings, at, at, fn);
		}
	}

	/** A mapping that failed has left [@first, @last] as it was. */
	undone(watch: DomainWatch, first: number, last: number, fn: string): void {
		if (watch.partial || within(watch.changing, first)) return;
		const streams = this.set.translating(watch);
		if (this.agreement.compare(streams, watch.mappings, first, first, fn) && last - first >= 4096)
			this.agreement.compare(streams, watch.mappings, last, last, fn);
		this.#ask(watch, first, `${fn}() has failed, and `);
	}

	/** Ask the driver where @iova leads; false: it is wrong. */
	#ask(watch: DomainWatch, iova: number, after: string): boolean {
		const ops = watch.domain.ops;
		const asked = ops?.iova_to_phys;
		if (asked === undefined || watch.partial) return true;
		const { machine } = this.watched;
		// Nobody comes in between: it is not the kernel that asks.
		const { hook } = machine;
		machine.hook = null;
		this.#asking = true;
		const phys = driverOf(asked)(watch.domain, iova) as number;
		this.#asking = false;
		machine.hook = hook;
		return this.contract.translated(
			iova,
			phys,
			meantAt(watch, iova),
			this.set.name(watch),
			asked.name,
			after,
		);
	}

	translated(domain: iommu_domain, iova: number, phys: number, fn: string): void {
		const watch = this.set.known(domain);
		if (watch === undefined || watch.partial || this.#asking || watch.isOwed(iova)) return;
		this.contract.translated(iova, phys, meantAt(watch, iova), this.set.name(watch), fn, '');
	}
}

/** Where @iova is to lead; -1: nowhere. */
function meantAt({ mappings }: DomainWatch, iova: number): number {
	const range = mappings.find(iova);
	return range === null ? -1 : range.value.phys + (iova - range.value.iova);
}
