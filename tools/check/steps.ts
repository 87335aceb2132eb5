// SPDX-License-Identifier: GPL-2.0-only
// The steps of a life with an IOMMU, each as something that can be done, fail, and be taken back.

import { phys_to_page } from '#asm/memory.js';
import { bus_find_device_by_name } from '#drivers/base/bus.js';
import { put_device } from '#drivers/base/core.js';
import { platform_bus_type, platform_device_unregister } from '#drivers/base/platform.js';
import {
	iommu_attach_group,
	iommu_group_replace_domain,
	iommu_map,
	iommu_map_sgtable,
	iommu_paging_domain_alloc,
	iommu_unmap,
} from '#drivers/iommu/iommu.js';
import { of_platform_device_create } from '#drivers/of/platform.js';
import { sysfs_write } from '#fs/sysfs/user.js';
import {
	dma_alloc_coherent,
	dma_free_coherent,
	dma_map_page,
	dma_map_sgtable,
	dma_unmap_page,
	dma_unmap_sgtable,
} from '#kernel/dma/mapping.js';
import { pm_wq } from '#kernel/power/power.js';
import { sg_alloc_table, sg_free_table, sg_next } from '#lib/scatterlist.js';
import { DMA_BIDIRECTIONAL } from '#linux/dma-direction.js';
import { dma_mapping_error } from '#linux/dma-mapping.js';
import { IS_ERR, PTR_ERR } from '#linux/err.js';
import { EACCES, EINVAL, EIO, ENODEV, ENOMEM } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import type { iommu_domain } from '#linux/iommu.js';
import { OF_POPULATED, of_node_clear_flag } from '#linux/of_node.js';
import { to_platform_device } from '#linux/platform_device.js';
import {
	pm_runtime_put_sync,
	pm_runtime_resume_and_get,
	pm_runtime_set_suspended,
	pm_runtime_suspended,
} from '#linux/pm_runtime.js';
import { sg_dma_address, sg_set_page, sg_table } from '#linux/scatterlist.js';
import { ref } from '#linux/types.js';
import { flush_workqueue } from '#linux/workqueue.js';
import { type Need, RUNTIME_PM } from './case.js';
import { type Rig, RW } from './rig.js';

/** A step on one machine. */
export interface Step {
	/** 0, or a negative errno. */
	run(): number;
	/** After 0: it has the full effect; throws when it has not. @failed: although something below it has failed. */
	works(failed: boolean): void;
	/** After 0: as it was before. */
	undo(): void;
	/** After an error: nothing has happened; throws when something has. */
	nothing(): void;
}

export interface StepKind {
	/** `iommu_attach_group()`. */
	readonly name: string;
	/** What it answers instead of what really failed, if it does. */
	readonly errors: readonly number[];
	/** The hardware has a part in it, which it may never end. */
	readonly hangs: boolean;
	/** What it needs of the driver and its board, if it needs something. */
	readonly needs?: Need;
	/** On @rig, where nothing but the boards's own has happened. */
	prepare(rig: Rig): Step;
}

/** Where the steps map: pages on both sides of where a new table begins. */
function placeOf(rig: Rig): number {
	return 3 * rig.description.tableCovers - 2 * rig.page;
}

const PAGES = 4;

/** All of the range at @iova leads to consecutive memory from @phys on, or (-1) nowhere. */
function leadsAll(rig: Rig, domain: iommu_domain, iova: number, phys: number): void {
	for (let n = 0; n < PAGES; n++) {
		const at = phys < 0 ? -1 : phys + n * rig.page;
		rig.equal('iommu_iova_to_phys()', rig.asked(domain, iova + n * rig.page), at);
	}
}

const alloc: StepKind = {
	name: 'iommu_paging_domain_alloc()',
	errors: [-ENOMEM],
	hangs: false,
	prepare(rig) {
		let domain: iommu_domain;
		return {
			run() {
				const got = iommu_paging_domain_alloc(rig.device(0));
				if (IS_ERR(got)) return PTR_ERR(got);
				domain = got;
				return 0;
			},
			works: () => leadsAll(rig, domain, placeOf(rig), -1),
			undo: () => rig.free(domain),
			nothing: () => {},
		};
	},
};

/** A domain is attached by @attach, and by iommu_detach_group() it goes. */
function attaching(name: string, attach: (rig: Rig, domain: iommu_domain) => number): StepKind {
	return {
		name,
		errors: [],
		hangs: true,
		prepare(rig) {
			const iova = placeOf(rig);
			const domain = rig.domain();
			rig.map(domain, iova, rig.memory, PAGES * rig.page);
			const before = rig.current();
			const dma = dma_map_page(rig.device(0), phys_to_page(rig.memory), 0, rig.page, DMA_BIDIRECTIONAL);
			rig.equal('dma_mapping_error()', dma_mapping_error(rig.device(0), dma), 0);
			const old = (): void => {
				rig.holds('the domain is the one of before', rig.current() === before);
				rig.access(0, dma, true, true);
			};
			return {
				run: () => attach(rig, domain),
				works() {
					rig.holds('the domain is the one that was attached', rig.current() === domain);
					for (let n = 0; n < PAGES; n++) rig.access(0, iova + n * rig.page, true, true);
				},
				undo() {
					rig.detach(domain);
					old();
				},
				nothing: old,
			};
		},
	};
}

/** Pages appear in a domain that is attached, by @map. */
function mapping(
	name: string,
	errors: readonly number[],
	map: (rig: Rig, domain: iommu_domain, iova: number) => number,
): StepKind {
	return {
		name,
		errors,
		hangs: true,
		prepare(rig) {
			const domain = rig.attached();
			const iova = placeOf(rig);
			// What stands beside it has to stay.
			rig.map(domain, iova - rig.page, rig.memory + 16 * rig.page);
			const beside = (): void => {
				rig.leads(domain, iova - rig.page, rig.memory + 16 * rig.page);
				rig.access(0, iova - rig.page, false, true);
			};
			return {
				run: () => map(rig, domain, iova),
				works() {
					leadsAll(rig, domain, iova, rig.memory);
					for (let n = 0; n < PAGES; n++) rig.access(0, iova + n * rig.page, true, true);
					beside();
				},
				undo: () => rig.unmap(domain, iova, PAGES * rig.page),
				nothing() {
					leadsAll(rig, domain, iova, -1);
					beside();
				},
			};
		},
	};
}

/** A list of PAGES pages that do not lie beside each other. */
function listOf(rig: Rig, apart: number): sg_table | number {
	const sgt = new sg_table();
	const ret = sg_alloc_table(sgt, PAGES, GFP_KERNEL);
	if (ret !== 0) return ret;
	let sg = sgt.sgl;
	for (let n = 0; n < PAGES; n++, sg = sg_next(sg!))
		sg_set_page(sg!, phys_to_page(rig.memory + n * apart), rig.page, 0);
	return sgt;
}

const mapSg = mapping('iommu_map_sgtable()', [-ENOMEM], (rig, domain, iova) => {
	const sgt = listOf(rig, rig.page);
	if (typeof sgt === 'number') return sgt;
	const mapped = iommu_map_sgtable(domain, iova, sgt, RW) as number;
	sg_free_table(sgt);
	return mapped < 0 ? mapped : mapped === PAGES * rig.page ? 0 : -EIO;
});

const unmap: StepKind = {
	name: 'iommu_unmap()',
	errors: [],
	hangs: true,
	prepare(rig) {
		const domain = rig.attached();
		const iova = placeOf(rig);
		const size = PAGES * rig.page;
		rig.map(domain, iova, rig.memory, size);
		return {
			run: () => ((iommu_unmap(domain, iova, size) as number) === size ? 0 : -EIO),
			works: () => leadsAll(rig, domain, iova, -1),
			undo: () => rig.map(domain, iova, rig.memory, size),
			nothing: () => {},
		};
	},
};

const mapPage: StepKind = {
	name: 'dma_map_page()',
	errors: [-ENOMEM],
	hangs: false,
	prepare(rig) {
		const dev = rig.device(0);
		let dma = 0;
		return {
			run() {
				dma = dma_map_page(dev, phys_to_page(rig.memory), 0, PAGES * rig.page, DMA_BIDIRECTIONAL);
				return dma_mapping_error(dev, dma);
			},
			works() {
				for (let n = 0; n < PAGES; n++) rig.access(0, dma + n * rig.page, true, true);
			},
			undo: () => dma_unmap_page(dev, dma, PAGES * rig.page, DMA_BIDIRECTIONAL),
			nothing: () => {},
		};
	},
};

const mapSgtable: StepKind = {
	name: 'dma_map_sgtable()',
	errors: [-ENOMEM, -EIO],
	hangs: false,
	prepare(rig) {
		const dev = rig.device(0);
		let sgt: sg_table;
		return {
			run() {
				const made = listOf(rig, 3 * rig.page);
				if (typeof made === 'number') return made;
				const ret = dma_map_sgtable(dev, made, DMA_BIDIRECTIONAL, 0);
				if (ret !== 0) sg_free_table(made);
				sgt = made;
				return ret;
			},
			works: () => rig.access(0, sg_dma_address(sgt.sgl!), true, true),
			undo() {
				dma_unmap_sgtable(dev, sgt, DMA_BIDIRECTIONAL, 0);
				sg_free_table(sgt);
			},
			nothing: () => {},
		};
	},
};

const coherent: StepKind = {
	name: 'dma_alloc_coherent()',
	errors: [-ENOMEM],
	hangs: false,
	prepare(rig) {
		const dev = rig.device(0);
		const size = PAGES * rig.page;
		const dma = new ref(0);
		let bytes: Uint8Array | null;
		return {
			run() {
				bytes = dma_alloc_coherent(dev, size, dma, GFP_KERNEL);
				return bytes === null ? -ENOMEM : 0;
			},
			works: () => rig.access(0, dma.value, true, true),
			undo: () => dma_free_coherent(dev, size, bytes, dma.value),
			nothing: () => {},
		};
	},
};

const DRIVER = '/sys/bus/platform/drivers/test-masters';

const bind: StepKind = {
	name: "a master's driver is bound",
	errors: [-ENODEV],
	hangs: false,
	prepare(rig) {
		const name = rig.master(0);
		const unbind = (): void => rig.equal('unbind', sysfs_write(`${DRIVER}/unbind`, name), name.length);
		unbind();
		return {
			run() {
				const ret = sysfs_write(`${DRIVER}/bind`, name);
				return ret === name.length ? 0 : ret;
			},
			works: () => rig.holds('it is bound', rig.masters.devices.has(name)),
			undo: unbind,
			nothing: () => rig.holds('it is not bound', !rig.masters.devices.has(name)),
		};
	},
};

const create: StepKind = {
	name: 'a master is found',
	errors: [-ENODEV, -EINVAL],
	hangs: false,
	prepare(rig) {
		const name = rig.master(rig.count - 1);
		const found = (): ReturnType<typeof to_platform_device> | null => {
			const dev = bus_find_device_by_name(platform_bus_type, null, name);
			if (dev === null) return null;
			put_device(dev);
			return to_platform_device(dev);
		};
		const node = rig.device(rig.count - 1).of_node!;
		const remove = (): void => {
			of_node_clear_flag(node, OF_POPULATED);
			platform_device_unregister(found()!);
		};
		remove();
		return {
			run: () => (of_platform_device_create(node, null, null) === null ? -ENODEV : 0),
			works(failed) {
				// Without its group it is not bound, and nobody uses it; there it may try again.
				if (!rig.masters.devices.has(name)) sysfs_write('/sys/bus/platform/drivers_probe', name);
				rig.holds('it is bound', rig.masters.devices.has(name));
				// A device that cannot be put behind its IOMMU is bound without, if there is memory. As on Linux.
				if (!failed) rig.holds('it is in a group', found()?.dev.iommu_group != null);
			},
			undo: remove,
			nothing: () => rig.holds('it is not there', found() === null),
		};
	},
};

/** All from the first page on, as a client does it, who takes everything back when a part fails. */
const life: StepKind = {
	name: 'a domain comes and goes',
	errors: [-ENOMEM],
	hangs: false,
	prepare(rig) {
		const iova = placeOf(rig);
		const size = PAGES * rig.page;
		let domain: iommu_domain;
		const detach = (): void => {
			rig.detach(domain);
			rig.free(domain);
		};
		return {
			run() {
				const got = iommu_paging_domain_alloc(rig.device(0));
				if (IS_ERR(got)) return PTR_ERR(got);
				domain = got;
				let ret = iommu_map(domain, iova, rig.memory, size, RW, GFP_KERNEL);
				if (ret === 0) ret = rig.attach(domain);
				if (ret !== 0) {
					rig.free(domain);
					return ret;
				}
				ret = iommu_map(domain, iova + 4 * rig.description.tableCovers, rig.memory, size, RW, GFP_KERNEL);
				if (ret !== 0) detach();
				return ret;
			},
			works() {
				for (let n = 0; n < PAGES; n++) rig.access(0, iova + n * rig.page, true, true);
			},
			undo: detach,
			nothing: () => {},
		};
	},
};

/** A master that was off is switched on, and what was mapped before is there. */
const power: StepKind = {
	name: 'pm_runtime_resume_and_get()',
	errors: [-EIO, -EACCES, -EINVAL],
	hangs: true,
	needs: RUNTIME_PM,
	prepare(rig) {
		const dev = rig.device(0);
		const domain = rig.attached();
		const iova = placeOf(rig);
		rig.map(domain, iova, rig.memory, PAGES * rig.page);
		const supplier = bus_find_device_by_name(platform_bus_type, null, rig.iommuOf(0).name)!;
		put_device(supplier);
		const off = (): void => {
			pm_runtime_put_sync(dev);
			flush_workqueue(pm_wq);
		};
		off();
		return {
			run: () => pm_runtime_resume_and_get(dev),
			works: () => rig.access(0, iova, true, true),
			undo: off,
			nothing() {
				// Linux remembers that a resume has failed, of the IOMMU's as well, until somebody says what it is now.
				for (const one of [supplier, dev]) {
					rig.holds('it is not in use', pm_runtime_suspended(one) || one.power.runtime_error !== 0);
					pm_runtime_set_suspended(one);
				}
			},
		};
	},
};

export const STEPS: readonly StepKind[] = [
	life,
	alloc,
	attaching('iommu_attach_group()', (rig, domain) => iommu_attach_group(domain, rig.group(0))),
	attaching('iommu_group_replace_domain()', (rig, domain) =>
		iommu_group_replace_domain(rig.group(0), domain),
	),
	mapping('iommu_map()', [-ENOMEM], (rig, domain, iova) =>
		iommu_map(domain, iova, rig.memory, PAGES * rig.page, RW, GFP_KERNEL),
	),
	mapSg,
	unmap,
	mapPage,
	mapSgtable,
	coherent,
	bind,
	create,
	power,
];
