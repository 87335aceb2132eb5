// SPDX-License-Identifier: GPL-2.0-only
// A small IOMMU driver whose ops are spies: it does what a test tells it.
import sinon from 'sinon';
import { get_device, put_device } from '#drivers/base/core.js';
import { platform_device_register_simple, platform_device_unregister } from '#drivers/base/platform.js';
import {
	generic_device_group,
	iommu_device_register,
	iommu_device_unregister,
	iommu_fwspec_add_ids,
	iommu_fwspec_init,
	iommu_probe_device,
	iommu_probe_device_lock,
} from '#drivers/iommu/iommu.js';
import { iommu_device_sysfs_add, iommu_device_sysfs_remove } from '#drivers/iommu/iommu-sysfs.js';
import type { device } from '#linux/device.js';
import { IS_ERR } from '#linux/err.js';
import { fwnode_handle } from '#linux/fwnode.js';
import {
	IOMMU_DOMAIN_IDENTITY,
	iommu_device,
	iommu_domain,
	type iommu_domain_ops,
	type iommu_iotlb_gather,
	type iommu_ops,
} from '#linux/iommu.js';
import { mutex_lock, mutex_unlock } from '#linux/mutex.js';
import type { platform_device } from '#linux/platform_device.js';
import type { ref } from '#linux/types.js';

export const K4 = 0x1000;
export const K64 = 0x10000;
export const M2 = 0x200000;
export const G1 = 0x40000000;

/** A domain that keeps its pages in a Map: by address, where they lead and how big they are. */
export class TestDomain extends iommu_domain {
	pages = new Map<number, { phys: number; size: number; prot: number }>();
}

export class TestDriver {
	/** What attach_dev answers, by device; 0 when nothing is set. */
	attachResult = new Map<device, number>();
	/** Decides instead, when it is set. */
	attach: ((domain: iommu_domain, dev: device) => number) | null = null;
	/** Pages that map_pages refuses, with the error. */
	refuse = new Map<number, number>();
	/** Domains made, and freed. */
	made: TestDomain[] = [];
	freed: iommu_domain[] = [];

	readonly fwnode = new fwnode_handle();
	readonly iommu = new iommu_device();
	readonly devices: platform_device[] = [];

	readonly domainOps = {
		attach_dev: sinon.spy((domain: iommu_domain, dev: device) => this.#attach(domain, dev)),
		map_pages: sinon.spy(
			(
				domain: iommu_domain,
				iova: number,
				paddr: number,
				pgsize: number,
				pgcount: number,
				prot: number,
				_gfp: number,
				mapped: ref<number>,
			) => {
				const { pages } = domain as TestDomain;
				for (let i = 0; i < pgcount; i++) {
					const error = this.refuse.get(iova + i * pgsize);
					if (error !== undefined) return error;
					pages.set(iova + i * pgsize, { phys: paddr + i * pgsize, size: pgsize, prot });
					mapped.value += pgsize;
				}
				return 0;
			},
		),
		unmap_pages: sinon.spy((domain: iommu_domain, iova: number, pgsize: number, pgcount: number) => {
			const { pages } = domain as TestDomain;
			let done = 0;
			while (done < pgsize * pgcount) {
				const page = pages.get(iova + done);
				if (page === undefined) break;
				pages.delete(iova + done);
				done += page.size;
			}
			return done;
		}),
		iova_to_phys: sinon.spy((domain: iommu_domain, iova: number) => {
			for (const [start, page] of (domain as TestDomain).pages)
				if (iova >= start && iova < start + page.size) return page.phys + (iova - start);
			return 0;
		}),
		flush_iotlb_all: sinon.spy(),
		iotlb_sync: sinon.spy((_domain: iommu_domain, _gather: iommu_iotlb_gather) => {}),
		iotlb_sync_map: sinon.spy((_domain: iommu_domain, _iova: number, _size: number) => 0),
		free: sinon.spy((domain: iommu_domain) => {
			this.freed.push(domain);
		}),
	} satisfies iommu_domain_ops;

	readonly identity = new iommu_domain({
		type: IOMMU_DOMAIN_IDENTITY,
		ops: { attach_dev: sinon.spy((domain: iommu_domain, dev: device) => this.#attach(domain, dev)) },
	});

	readonly ops: iommu_ops;

	constructor(
		readonly name: string,
		over: Partial<iommu_ops> = {},
	) {
		this.ops = {
			identity_domain: this.identity,
			pgsize_bitmap: K4 | K64 | M2 | G1,
			probe_device: sinon.spy(() => this.iommu),
			release_device: sinon.spy(),
			probe_finalize: sinon.spy(),
			device_group: sinon.spy(generic_device_group),
			domain_alloc_paging: sinon.spy(() => {
				const domain = new TestDomain();
				domain.geometry.aperture_end = 0xffff_ffff;
				domain.geometry.force_aperture = true;
				this.made.push(domain);
				return domain;
			}),
			default_domain_ops: this.domainOps,
			...over,
		};
		this.iommu.fwnode = this.fwnode;
	}

	#attach(domain: iommu_domain, dev: device): number {
		return this.attach !== null ? this.attach(domain, dev) : (this.attachResult.get(dev) ?? 0);
	}

	register(): number {
		const ret = iommu_device_sysfs_add(this.iommu, null, null, this.name);
		return ret !== 0 ? ret : iommu_device_register(this.iommu, this.ops, null);
	}

	unregister(): void {
		iommu_device_unregister(this.iommu);
		iommu_device_sysfs_remove(this.iommu);
	}

	/** A device, not yet behind the IOMMU. */
	plainDevice(name: string): device {
		const pdev = platform_device_register_simple(name, -1, null, 0);
		if (IS_ERR(pdev)) throw new Error(`cannot register ${name}: ${pdev.errno}`);
		this.devices.push(pdev);
		return pdev.dev;
	}

	/** Say that @dev presents @ids to this IOMMU, as of_iommu does. */
	point(dev: device, ...ids: number[]): number {
		mutex_lock(iommu_probe_device_lock);
		let ret = iommu_fwspec_init(dev, this.fwnode);
		if (ret === 0 && ids.length > 0) ret = iommu_fwspec_add_ids(dev, ids, ids.length);
		mutex_unlock(iommu_probe_device_lock);
		return ret;
	}

	/** Put @dev, which points here, behind the IOMMU: what iommu_probe_device() answers. */
	probe(dev: device): number {
		return iommu_probe_device(dev);
	}

	/** A device behind the IOMMU. */
	device(name: string, ...ids: number[]): device {
		const dev = this.plainDevice(name);
		const ret = this.point(dev, ...ids) || iommu_probe_device(dev);
		if (ret !== 0) throw new Error(`cannot probe ${name}: ${ret}`);
		return dev;
	}

	remove(dev: device): void {
		const pdev = this.devices.find((p) => p.dev === dev)!;
		get_device(dev);
		platform_device_unregister(pdev);
		put_device(dev);
	}
}
