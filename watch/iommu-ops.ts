// SPDX-License-Identifier: GPL-2.0-only
// What the IOMMU core asks of a driver, and what comes of it: before the functions of its ops tables stand others, which
// call through and tell. Tables outlive a boot, so they stay there, and ask each time who wants to hear.

import type { device } from '#linux/device.js';
import { type err_ptr, IS_ERR } from '#linux/err.js';
import type {
	iommu_device,
	iommu_domain,
	iommu_domain_ops,
	iommu_group,
	iommu_iotlb_gather,
	iommu_ops,
} from '#linux/iommu.js';

/** A call of map_pages(), and what came of it. */
export interface MapCall {
	readonly domain: iommu_domain;
	readonly iova: number;
	readonly paddr: number;
	readonly pgsize: number;
	readonly pgcount: number;
	readonly prot: number;
	readonly ret: number;
	/** By how much *mapped has grown. */
	readonly done: number;
	readonly fn: string;
}

/** A call of unmap_pages(). */
export interface UnmapCall {
	readonly domain: iommu_domain;
	readonly iova: number;
	readonly pgsize: number;
	readonly pgcount: number;
	/** What it returned. */
	readonly size: number;
	readonly gather: iommu_iotlb_gather;
	readonly fn: string;
}

/** A call comes when the driver's function has returned, unless it says before; @fn is the driver's name for it. */
export interface IommuCalls {
	/** Before each function of a domain's; what follows tells that it has returned. */
	entering(fn: string): void;
	/** Before map_pages(), for the range. */
	mapping(domain: iommu_domain, iova: number, paddr: number, size: number): void;
	mapped(call: MapCall): void;
	/** Before unmap_pages(), for the range. */
	unmapping(domain: iommu_domain, iova: number, size: number): void;
	unmapped(call: UnmapCall): void;
	/** iova_to_phys(). */
	translated(domain: iommu_domain, iova: number, phys: number, fn: string): void;
	/** iotlb_sync_map(), for the range. */
	syncedMap(domain: iommu_domain, iova: number, size: number, ret: number, fn: string): void;
	/** iotlb_sync(). */
	synced(domain: iommu_domain, gather: iommu_iotlb_gather, fn: string): void;
	flushedAll(domain: iommu_domain, fn: string): void;
	/** Before attach_dev(). */
	attaching(domain: iommu_domain, dev: device): void;
	attached(domain: iommu_domain, dev: device, ret: number, fn: string): void;
	/** Before free(). */
	freeing(domain: iommu_domain): void;
	/** It is none any more. */
	freed(domain: iommu_domain, fn: string): void;
	allocated(domain: iommu_domain | err_ptr | null, dev: device | null, fn: string): void;
	probed(dev: device, iommu: iommu_device | err_ptr, fn: string): void;
	released(dev: device, fn: string): void;
	grouped(dev: device, group: iommu_group | err_ptr | null, fn: string): void;
	xlated(dev: device, ret: number, fn: string): void;
}

/** Who wants to hear of what the kernel that runs does now; null: nobody. */
export type Listener = () => IommuCalls | null;

/** Sees each call of a driver's function begin and end. */
export interface OpGuard {
	/** @fn is the function's name, @op its place in the table; @first: its first argument, @gfp: map_pages()'s. */
	entering(fn: string, op: string, first: unknown, gfp: unknown): void;
	leaving(ret: unknown): void;
	/** It has thrown: the kernel stands. */
	abandon(): void;
}

let guardOf: () => OpGuard | null = () => null;

/** Have whoever @guard says see the calls of all functions that tell, from now on; who did before is the result. */
export function guardOps(guard: () => OpGuard | null): () => OpGuard | null {
	const before = guardOf;
	guardOf = guard;
	return before;
}

/** Where map_pages() has its gfp. */
const GFP = 6;

/** @driver, @op of some table, seen by the guard. */
function guarded<F extends (...args: never[]) => unknown>(driver: F, op: string): F {
	const { name } = driver;
	return ((...args: never[]) => {
		const guard = guardOf();
		if (guard === null) return driver(...args);
		guard.entering(name, op, args[0], args[GFP]);
		let ret: unknown;
		try {
			ret = driver(...args);
		} catch (bug) {
			guard.abandon();
			throw bug;
		}
		guard.leaving(ret);
		return ret;
	}) as F;
}

/** Functions that tell, and the driver's behind each. */
const drivers = new WeakMap<object, unknown>();

/** What every function has of its own. */
const OF_FUNCTIONS = new Set(['length', 'name', 'prototype', 'arguments', 'caller']);

/** What a driver has put where @fn stands now. */
export function driverOf<F extends object>(fn: F): F {
	return (drivers.get(fn) as F | undefined) ?? fn;
}

/** Have the function @key of @ops, if it has one, tell, by what @told makes of it. */
function tell<T extends object, K extends keyof T>(
	ops: T,
	key: K,
	told: (call: Exclude<T[K], undefined>, fn: string) => Exclude<T[K], undefined>,
): void {
	const driver = ops[key];
	if (typeof driver !== 'function' || drivers.has(driver)) return;
	const own = guarded(driver as never, String(key)) as Exclude<T[K], undefined>;
	const call = told(own, driver.name) as (...args: unknown[]) => unknown;
	Object.defineProperty(call, 'name', { value: driver.name });
	// One that keeps things of its own, a test's double, is to be seen by whoever looks at it.
	const telling = Object.getOwnPropertyNames(driver).every((name) => OF_FUNCTIONS.has(name))
		? call
		: new Proxy(driver, { apply: (_driver, _self, args) => call(...(args as unknown[])) });
	drivers.set(telling, driver);
	ops[key] = telling as T[K];
}

/** Have a domain's ops tell. */
export function listenToDomainOps(ops: iommu_domain_ops, listener: Listener): void {
	tell(ops, 'map_pages', (call, fn) => (domain, iova, paddr, pgsize, pgcount, prot, gfp, mapped) => {
		const calls = listener();
		if (calls === null) return call(domain, iova, paddr, pgsize, pgcount, prot, gfp, mapped);
		const before = mapped.value;
		calls.entering(fn);
		calls.mapping(domain, iova, paddr as number, pgsize * pgcount);
		const ret = call(domain, iova, paddr, pgsize, pgcount, prot, gfp, mapped);
		const done = mapped.value - before;
		calls.mapped({ domain, iova, paddr: paddr as number, pgsize, pgcount, prot, ret, done, fn });
		return ret;
	});
	tell(ops, 'unmap_pages', (call, fn) => (domain, iova, pgsize, pgcount, gather) => {
		const calls = listener();
		if (calls === null) return call(domain, iova, pgsize, pgcount, gather);
		calls.entering(fn);
		calls.unmapping(domain, iova, pgsize * pgcount);
		const size = call(domain, iova, pgsize, pgcount, gather);
		calls.unmapped({ domain, iova, pgsize, pgcount, size, gather, fn });
		return size;
	});
	tell(ops, 'iova_to_phys', (call, fn) => (domain, iova) => {
		const phys = call(domain, iova);
		listener()?.translated(domain, iova as number, phys as number, fn);
		return phys;
	});
	tell(ops, 'iotlb_sync_map', (call, fn) => (domain, iova, size) => {
		const calls = listener();
		calls?.entering(fn);
		const ret = call(domain, iova, size);
		calls?.syncedMap(domain, iova, size, ret, fn);
		return ret;
	});
	tell(ops, 'iotlb_sync', (call, fn) => (domain, gather) => {
		const calls = listener();
		calls?.entering(fn);
		call(domain, gather);
		calls?.synced(domain, gather, fn);
	});
	tell(ops, 'flush_iotlb_all', (call, fn) => (domain) => {
		const calls = listener();
		calls?.entering(fn);
		call(domain);
		calls?.flushedAll(domain, fn);
	});
	tell(ops, 'attach_dev', (call, fn) => (domain, dev) => {
		const calls = listener();
		calls?.entering(fn);
		calls?.attaching(domain, dev);
		const ret = call(domain, dev);
		calls?.attached(domain, dev, ret, fn);
		return ret;
	});
	tell(ops, 'free', (call, fn) => (domain) => {
		const calls = listener();
		calls?.entering(fn);
		calls?.freeing(domain);
		call(domain);
		calls?.freed(domain, fn);
	});
}

/** Have all that a driver does, from now on, be told to whoever @listener says. */
export function listenToOps(ops: iommu_ops, listener: Listener): void {
	if (ops.default_domain_ops !== undefined) listenToDomainOps(ops.default_domain_ops, listener);
	for (const domain of [ops.identity_domain, ops.blocked_domain, ops.release_domain, ops.default_domain])
		if (domain?.ops != null) listenToDomainOps(domain.ops, listener);
	const made = <D extends iommu_domain | err_ptr | null>(domain: D, dev: device | null, fn: string): D => {
		const own = domain === null || IS_ERR(domain) ? null : (domain as iommu_domain).ops;
		if (own != null) listenToDomainOps(own, listener);
		listener()?.allocated(domain, dev, fn);
		return domain;
	};
	tell(ops, 'domain_alloc', (call, fn) => (type) => made(call(type), null, fn));
	tell(ops, 'domain_alloc_paging', (call, fn) => (dev) => made(call(dev), dev, fn));
	tell(ops, 'probe_device', (call, fn) => (dev) => {
		const iommu = call(dev);
		listener()?.probed(dev, iommu, fn);
		return iommu;
	});
	tell(ops, 'release_device', (call, fn) => (dev) => {
		call(dev);
		listener()?.released(dev, fn);
	});
	tell(ops, 'device_group', (call, fn) => (dev) => {
		const group = call(dev);
		listener()?.grouped(dev, group, fn);
		return group;
	});
	tell(ops, 'of_xlate', (call, fn) => (dev, args) => {
		const ret = call(dev, args);
		listener()?.xlated(dev, ret, fn);
		return ret;
	});
}
