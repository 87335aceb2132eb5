// SPDX-License-Identifier: GPL-2.0-only
// What the kernel means to have mapped, domain by domain, and who is attached to which: kept by what the core asks of the
// IOMMU's driver. As each of its functions returns, what came of it is checked: by contract.ts (results), by agreement.ts
// (the hardware), and by the parts:
//
//   domain-maps.ts    what is mapped
//   domain-tables.ts  what the tables, and the driver, say of it
//   domain-owed.ts    what the hardware is yet to be told
//   domain-attach.ts  who is attached to which
//   domain-access.ts  what devices access
//
// What is known of each domain, for all of them: domain-set.ts.

import type { DmaPort } from '#hw/core/dma-port.js';
import type { Iommu } from '#hw/iommu/iommu.js';
import { dev_name, type device } from '#linux/device.js';
import { type err_ptr, IS_ERR } from '#linux/err.js';
import type { iommu_device, iommu_domain, iommu_group, iommu_iotlb_gather } from '#linux/iommu.js';
import { Agreement } from './agreement.js';
import { Contract } from './contract.js';
import { DomainAccess } from './domain-access.js';
import { DomainAttach } from './domain-attach.js';
import { DomainMaps } from './domain-maps.js';
import { DomainOwed } from './domain-owed.js';
import { DomainSet, type DomainWatch } from './domain-set.js';
import { DomainTables } from './domain-tables.js';
import type { DriverLog } from './driver-log.js';
import {
	type IommuCalls,
	type Listener,
	listenToDomainOps,
	type MapCall,
	type UnmapCall,
} from './iommu-ops.js';
import { watchDomains } from './kernel.js';
import type { Tables } from './tables.js';
import type { Watched, Watcher } from './watcher.js';

export class Domains implements IommuCalls, Watcher {
	readonly #set: DomainSet;
	readonly #contract: Contract;
	readonly #maps: DomainMaps;
	readonly #tables: DomainTables;
	readonly #owed: DomainOwed;
	readonly #attach: DomainAttach;
	readonly #access: DomainAccess;
	/** The device that a driver's release_device() was called for last. */
	lastReleased: device | null = null;

	/** @listener: who of all that watch hears of what the kernel that runs does now. */
	constructor(
		readonly watched: Watched,
		readonly tables: Tables,
		readonly log: DriverLog,
		readonly listener: Listener,
	) {
		const set = new DomainSet(watched);
		const contract = new Contract(watched);
		const agreement = new Agreement(watched, log);
		this.#set = set;
		this.#contract = contract;
		this.#tables = new DomainTables(watched, set, tables, contract, agreement);
		this.#owed = new DomainOwed(watched, set, this.#tables, contract, agreement);
		this.#maps = new DomainMaps(watched, set, log, this.#tables, this.#owed, contract);
		this.#attach = new DomainAttach(watched, set, tables, contract, agreement);
		this.#access = new DomainAccess(watched, set, this.#attach);
	}

	watchKernel(): () => void {
		return watchDomains(this, this.listener);
	}

	/** Have @domain, whose ops are no table of the driver's, tell. */
	listenTo(domain: iommu_domain): void {
		if (domain.ops !== null) listenToDomainOps(domain.ops, this.listener);
	}

	/** What is known of @domain; undefined: nothing. */
	known(domain: iommu_domain): DomainWatch | undefined {
		return this.#set.known(domain);
	}

	/** Whose @watch's domain is, in a report. */
	nameOf(watch: DomainWatch): string {
		return this.#set.name(watch);
	}

	/** The domain that @port's stream is in, as far as the kernel knows; null: not watched. */
	ofPort(port: DmaPort): DomainWatch | null {
		return this.#set.ofPort(port);
	}

	/** The domain that @dev is attached to, as far as the kernel has told. */
	ofDevice(dev: device): DomainWatch | null {
		return this.#set.ofDevice(dev);
	}

	/** Whether something was unmapped there, in any domain, that is yet to be flushed. */
	isOwed(addr: number): boolean {
		return this.#set.isOwed(addr);
	}

	/** Whether @dev is behind an IOMMU that the machine has a model of. */
	drives(dev: device): boolean {
		const parent = dev.iommu?.iommu_dev?.dev?.parent ?? null;
		return parent !== null && this.watched.machine.iommus.some(({ name }) => name === dev_name(parent));
	}

	/** @dev was there before anybody watched. */
	adopt(dev: device): void {
		this.#attach.adopt(dev);
	}

	/** @dev is no longer behind an IOMMU. */
	left(dev: device): void {
		this.#set.remove(dev);
	}

	commanded(iommu: Iommu): void {
		this.#maps.commanded(iommu);
		this.#attach.commanded(iommu);
	}

	access(port: DmaPort, addr: number, phys: number, size: number, write: boolean): void {
		this.#access.access(port, addr, phys, size, write);
	}

	/** Nothing goes on: nothing may be owed. */
	quiet(): void {
		for (const watch of this.#set.all()) this.#owed.noneWaits(watch, 'quiet');
	}

	// --- as the driver's functions return

	entering(fn: string): void {
		this.log.enter(fn);
	}

	mapping(domain: iommu_domain, iova: number, paddr: number, size: number): void {
		this.#maps.mapping(domain, iova, paddr, size);
	}

	mapped(call: MapCall): void {
		this.#maps.mapped(call);
	}

	unmapping(domain: iommu_domain, iova: number, size: number): void {
		this.#maps.unmapping(domain, iova, size);
	}

	unmapped(call: UnmapCall): void {
		this.#maps.unmapped(call);
	}

	translated(domain: iommu_domain, iova: number, phys: number, fn: string): void {
		this.#tables.translated(domain, iova, phys, fn);
	}

	syncedMap(domain: iommu_domain, iova: number, size: number, ret: number, fn: string): void {
		this.log.leave();
		this.#owed.syncedMap(domain, iova, size, ret, fn);
	}

	synced(domain: iommu_domain, gather: iommu_iotlb_gather, fn: string): void {
		this.log.leave();
		this.#owed.synced(domain, gather, fn);
	}

	flushedAll(domain: iommu_domain, fn: string): void {
		this.log.leave();
		this.#owed.flushedAll(domain, fn);
	}

	attaching(domain: iommu_domain, dev: device): void {
		this.#attach.attaching(domain, dev);
		this.log.begin();
	}

	attached(domain: iommu_domain, dev: device, ret: number, fn: string): void {
		this.log.leave();
		this.#attach.attached(domain, dev, ret, fn);
	}

	freeing(domain: iommu_domain): void {
		this.log.begin();
		const watch = this.#set.known(domain);
		if (watch === undefined) return;
		watch.freeing = true;
		this.#owed.noneWaits(watch, 'return');
	}

	freed(domain: iommu_domain, fn: string): void {
		this.log.leave();
		const watch = this.#set.known(domain);
		if (watch === undefined) return;
		this.#set.delete(domain);
		this.tables.ended(watch);
		if (watch.root >= 0) this.#attach.notInUse(watch.root, watch.iommus, fn);
	}

	allocated(domain: iommu_domain | err_ptr | null, dev: device | null, fn: string): void {
		this.#contract.gave(domain, true, dev === null ? 'the IOMMU' : dev_name(dev), fn);
		// A driver may have had one at this place before.
		if (domain !== null && !IS_ERR(domain)) this.#set.renew(domain);
	}

	probed(dev: device, iommu: iommu_device | err_ptr, fn: string): void {
		this.#contract.gave(iommu, false, dev_name(dev), fn);
	}

	released(dev: device, _fn: string): void {
		this.lastReleased = dev;
	}

	grouped(dev: device, group: iommu_group | err_ptr | null, fn: string): void {
		this.#contract.gave(group, false, dev_name(dev), fn);
	}

	xlated(dev: device, ret: number, fn: string): void {
		this.#contract.returned(ret, dev_name(dev), fn);
	}

	// --- as the core's functions return (its tracepoints)

	mapReturns(): void {
		this.#owed.mapReturns();
	}

	unmapReturns(): void {
		this.#owed.unmapReturns();
	}
}
