// SPDX-License-Identifier: GPL-2.0-only
// What the IOMMU core asks of a driver, and what comes of it: before the functions of its ops tables stand others, which
// call through and tell. Tables outlive a boot, so they stay there, and ask each time who wants to hear.

import type { device } from '#linux/device.js';
import { type err_ptr, IS_ERR } from '#linux/err.js';
import type { iommu_domain, iommu_domain_ops, iommu_iotlb_gather, iommu_ops } from '#linux/iommu.js';

/** Each comes when the driver's function has returned; @fn is that function's name. */
export interface IommuCalls {
	/** Before map_pages(), and unmap_pages(), of the range; and after, whatever came of it. */
	changing(domain: iommu_domain, iova: number, size: number): void;
	changed(domain: iommu_domain): void;
	mapped(domain: iommu_domain, iova: number, paddr: number, size: number, prot: number, fn: string): void;
	unmapped(domain: iommu_domain, iova: number, size: number, gather: iommu_iotlb_gather, fn: string): void;
	/** iotlb_sync_map(), for the range. */
	syncedMap(domain: iommu_domain, iova: number, size: number, fn: string): void;
	/** iotlb_sync(): what @gather has gathered. */
	synced(domain: iommu_domain, gather: iommu_iotlb_gather, fn: string): void;
	flushedAll(domain: iommu_domain, fn: string): void;
	/** Before attach_dev(). */
	attaching(dev: device): void;
	attached(domain: iommu_domain, dev: device, ret: number, fn: string): void;
	/** free(): it is none any more. */
	freed(domain: iommu_domain): void;
}

/** Who wants to hear of what the kernel that runs does now; null: nobody. */
export type Listener = () => IommuCalls | null;

/** The tables that tell. */
const telling = new WeakSet<object>();

/** Have the function @key of @ops, if it has one, tell; whoever looks at it sees the driver's. */
function tell<T extends object, K extends keyof T>(
	ops: T,
	key: K,
	listener: Listener,
	told: (
		calls: IommuCalls,
		call: Exclude<T[K], undefined>,
		...args: Parameters<Extract<T[K], (...args: never[]) => unknown>>
	) => unknown,
): void {
	const driver = ops[key];
	if (typeof driver !== 'function') return;
	ops[key] = new Proxy(driver, {
		apply(call, self, args) {
			const calls = listener();
			if (calls === null) return Reflect.apply(call, self, args);
			return told(calls, call as Exclude<T[K], undefined>, ...(args as never));
		},
	});
}

/** Have a domain's ops tell. */
function listenToDomainOps(ops: iommu_domain_ops, listener: Listener): void {
	if (telling.has(ops)) return;
	telling.add(ops);
	tell(ops, 'map_pages', listener, (calls, call, domain, iova, paddr, pgsize, pgcount, prot, gfp, mapped) => {
		const before = mapped.value;
		calls.changing(domain, iova, pgsize * pgcount);
		const ret = call(domain, iova, paddr, pgsize, pgcount, prot, gfp, mapped);
		calls.changed(domain);
		if (mapped.value > before)
			calls.mapped(domain, iova, paddr as number, mapped.value - before, prot, call.name);
		return ret;
	});
	tell(ops, 'unmap_pages', listener, (calls, call, domain, iova, pgsize, pgcount, gather) => {
		calls.changing(domain, iova, pgsize * pgcount);
		const size = call(domain, iova, pgsize, pgcount, gather);
		calls.changed(domain);
		if (size > 0) calls.unmapped(domain, iova, size, gather, call.name);
		return size;
	});
	tell(ops, 'iotlb_sync_map', listener, (calls, call, domain, iova, size) => {
		const ret = call(domain, iova, size);
		calls.syncedMap(domain, iova, size, call.name);
		return ret;
	});
	tell(ops, 'iotlb_sync', listener, (calls, call, domain, gather) => {
		call(domain, gather);
		calls.synced(domain, gather, call.name);
	});
	tell(ops, 'flush_iotlb_all', listener, (calls, call, domain) => {
		call(domain);
		calls.flushedAll(domain, call.name);
	});
	tell(ops, 'attach_dev', listener, (calls, call, domain, dev) => {
		calls.attaching(dev);
		const ret = call(domain, dev);
		calls.attached(domain, dev, ret, call.name);
		return ret;
	});
	tell(ops, 'free', listener, (calls, call, domain) => {
		call(domain);
		calls.freed(domain);
	});
}

/** Have all that a driver does, from now on, be told to whoever @listener says. */
export function listenToOps(ops: iommu_ops, listener: Listener): void {
	if (telling.has(ops)) return;
	telling.add(ops);
	if (ops.default_domain_ops !== undefined) listenToDomainOps(ops.default_domain_ops, listener);
	for (const domain of [ops.identity_domain, ops.blocked_domain, ops.release_domain, ops.default_domain])
		if (domain?.ops != null) listenToDomainOps(domain.ops, listener);
	const made = <D extends iommu_domain | err_ptr | null>(domain: D): D => {
		const ops = domain === null || IS_ERR(domain) ? null : (domain as iommu_domain).ops;
		if (ops !== null) listenToDomainOps(ops, listener);
		return domain;
	};
	tell(ops, 'domain_alloc', listener, (_calls, call, type) => made(call(type)));
	tell(ops, 'domain_alloc_paging', listener, (_calls, call, dev) => made(call(dev)));
}
