// SPDX-License-Identifier: GPL-2.0-only
// The IOMMU API: domains, attach and claim, map and unmap, queries, faults.

import { platform_bus_type } from '#drivers/base/platform.js';
import { iommu_get_msi_cookie } from '#drivers/iommu/dma-iommu.js';
import {
	device_iommu_capable,
	iommu_alloc_global_pasid,
	iommu_attach_device,
	iommu_attach_device_pasid,
	iommu_attach_group,
	iommu_default_passthrough,
	iommu_detach_device,
	iommu_detach_group,
	iommu_dev_enable_feature,
	iommu_device_claim_dma_owner,
	iommu_device_release_dma_owner,
	iommu_domain_alloc,
	iommu_domain_free,
	iommu_enable_nesting,
	iommu_get_domain_for_dev,
	iommu_get_resv_regions,
	iommu_group_claim_dma_owner,
	iommu_group_dma_owner_claimed,
	iommu_group_for_each_dev,
	iommu_group_get,
	iommu_group_has_isolated_msi,
	iommu_group_id,
	iommu_group_put,
	iommu_group_release_dma_owner,
	iommu_iova_to_phys,
	iommu_map,
	iommu_map_sg,
	iommu_paging_domain_alloc,
	iommu_present,
	iommu_put_resv_regions,
	iommu_set_fault_handler,
	iommu_set_pgtable_quirks,
	iommu_unmap,
	iommu_unmap_fast,
	report_iommu_fault,
} from '#drivers/iommu/iommu.js';
import { sg_free_table } from '#lib/scatterlist.js';
import type { device } from '#linux/device.js';
import { dev_name } from '#linux/device.js';
import { IS_ERR, PTR_ERR } from '#linux/err.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import {
	dev_iommu_fwspec_get,
	IOMMU_DEV_FEAT_IOPF,
	IOMMU_DEV_FEAT_SVA,
	type iommu_domain,
	iommu_flush_iotlb_all,
	type iommu_group,
	iommu_iotlb_gather,
	iommu_iotlb_gather_init,
	iommu_iotlb_sync,
	type iommu_resv_region,
} from '#linux/iommu.js';
import { list_for_each_entry, list_head } from '#linux/list.js';
import { to_of_node } from '#linux/of_node.js';
import { pr_warn } from '#linux/printk.js';
import type { Session } from '../session.js';
import { hex, num, ret } from '../values.js';
import type { Json } from '../vectors.js';
import { domainOf } from './domains.js';
import type { Args, Command } from './index.js';
import { makeTable } from './lists.js';

const flag = (b: boolean): number => (b ? 1 : 0);

/** The number that a domain is kept under; -1 when under none. */
function knownAs(s: Session, d: iommu_domain): number {
	for (const [key, what] of s.slots) if (what === d && key.startsWith('X')) return Number(key.slice(1));
	return -1;
}

export function describeDomain(s: Session, d: iommu_domain): Json {
	return {
		known_as: knownAs(s, d),
		type: hex(d.type),
		pgsize_bitmap: hex(d.pgsize_bitmap),
		aperture_start: hex(d.geometry.aperture_start),
		aperture_end: hex(d.geometry.aperture_end),
		force_aperture: flag(d.geometry.force_aperture),
		has_cookie: flag(d.iova_cookie !== null),
		...s.hardware.describe(d),
	};
}

/** Keep a new domain as dom[X] and describe it; or the error. */
function newDomain(
	s: Session,
	x: number | string | undefined,
	d: iommu_domain | null | ReturnType<typeof iommu_paging_domain_alloc>,
): Json {
	if (d === null) return null;
	if (IS_ERR(d)) return ret(PTR_ERR(d));
	s.keep('X', num(x), d);
	return describeDomain(s, d);
}

/** Run @call on @dev's group; devices without one answer "no group". */
function onGroup(dev: device, call: (group: iommu_group) => Json): Json {
	const group = iommu_group_get(dev);
	if (group === null) return 'no group';
	const result = call(group);
	iommu_group_put(group);
	return result;
}

/** The owner tags of claims: any object will do, the same for the same tag. */
const tags: object[] = [];
function tag(n: number | string | undefined): object {
	tags[num(n)] ??= { tag: num(n) };
	return tags[num(n)]!;
}

function attachDetach(s: Session, [x, d]: Args, how: 'att' | 'det' | 'attg' | 'detg'): Json {
	const dev = s.device(num(d));
	const dom = domainOf(s, x);
	switch (how) {
		case 'att':
			return ret(iommu_attach_device(dom, dev));
		case 'det':
			iommu_detach_device(dom, dev);
			return 0;
		case 'attg':
			return onGroup(dev, (g) => ret(iommu_attach_group(dom, g)));
		case 'detg':
			return onGroup(dev, (g) => {
				iommu_detach_group(dom, g);
				return 0;
			});
	}
}

export const iommuCommands: Record<string, Command> = {
	da: (s, [x, d]) => newDomain(s, x, iommu_paging_domain_alloc(s.device(num(d)))),
	db: (s, [x]) => newDomain(s, x, iommu_domain_alloc(platform_bus_type)),
	df: (s, [x]) => {
		iommu_domain_free(domainOf(s, x));
		s.drop('X', num(x));
		return 0;
	},
	dcur: (s, [d, x]) => {
		const dom = iommu_get_domain_for_dev(s.device(num(d)));
		if (dom === null) return null;
		if (x !== undefined) s.keep('X', num(x), dom);
		return describeDomain(s, dom);
	},
	att: (s, args) => attachDetach(s, args, 'att'),
	det: (s, args) => attachDetach(s, args, 'det'),
	attg: (s, args) => attachDetach(s, args, 'attg'),
	detg: (s, args) => attachDetach(s, args, 'detg'),
	claimg: (s, [d, t]) => onGroup(s.device(num(d)), (g) => ret(iommu_group_claim_dma_owner(g, tag(t)))),
	relg: (s, [d]) =>
		onGroup(s.device(num(d)), (g) => {
			iommu_group_release_dma_owner(g);
			return 0;
		}),
	claimd: (s, [d, t]) => ret(iommu_device_claim_dma_owner(s.device(num(d)), tag(t))),
	reld: (s, [d]) => {
		iommu_device_release_dma_owner(s.device(num(d)));
		return 0;
	},
	owned: (s, [d]) => onGroup(s.device(num(d)), (g) => flag(iommu_group_dma_owner_claimed(g))),
	map: (s, [x, iova, phys, size, prot]) =>
		ret(iommu_map(domainOf(s, x), num(iova), num(phys), num(size), num(prot), GFP_KERNEL)),
	unmap: (s, [x, iova, size]) => hex(iommu_unmap(domainOf(s, x), num(iova), num(size))),
	ufast: (s, [x, iova, size, sync]) => {
		const gather = new iommu_iotlb_gather();
		iommu_iotlb_gather_init(gather);
		const unmapped = iommu_unmap_fast(domainOf(s, x), num(iova), num(size), gather);
		const out = {
			ret: hex(unmapped),
			gather: { start: hex(gather.start), end: hex(gather.end), pgsize: hex(gather.pgsize) },
		};
		if (sync) iommu_iotlb_sync(domainOf(s, x), gather);
		return out;
	},
	mapsg: (s, [x, iova, prot, list]) => {
		const { table, entries } = makeTable(String(list));
		const r = iommu_map_sg(domainOf(s, x), num(iova), table.sgl!, entries.length, num(prot), GFP_KERNEL);
		sg_free_table(table);
		return r < 0 ? ret(r) : hex(r);
	},
	dphys: (s, [x, iova]) => hex(iommu_iova_to_phys(domainOf(s, x), num(iova))),
	flushall: (s, [x]) => {
		iommu_flush_iotlb_all(domainOf(s, x));
		return 0;
	},
	gid: (s, [d]) => {
		const dev = s.device(num(d));
		const result = onGroup(dev, (g) => ({ id: iommu_group_id(g), dev_name: dev_name(dev) }));
		return result === 'no group' ? null : result;
	},
	resv: (s, [d]) => {
		const regions = new list_head<iommu_resv_region>();
		iommu_get_resv_regions(s.device(num(d)), regions);
		const out: Json[] = [];
		for (const r of list_for_each_entry(regions)) out.push([hex(r.start), hex(r.length), r.type]);
		iommu_put_resv_regions(s.device(num(d)), regions);
		return out;
	},
	gdevs: (s, [d]) =>
		onGroup(s.device(num(d)), (g) => {
			const names: string[] = [];
			iommu_group_for_each_dev(g, null, (dev) => {
				names.push(dev_name(dev));
				return 0;
			});
			return names;
		}),
	fwspec: (s, [d]) => {
		const fwspec = dev_iommu_fwspec_get(s.device(num(d)));
		if (fwspec === null) return null;
		const node = to_of_node(fwspec.iommu_fwnode);
		return {
			ids: fwspec.ids.slice(0, fwspec.num_ids),
			iommu: node === null ? '' : node.full_name.slice(node.full_name.lastIndexOf('/') + 1),
		};
	},
	misc: (s, [d]) => {
		const dev = s.device(num(d));
		const pasid = iommu_alloc_global_pasid(dev);
		return {
			iommu_present: flag(iommu_present(platform_bus_type)),
			default_passthrough: flag(iommu_default_passthrough()),
			isolated_msi: onGroup(dev, (g) => flag(iommu_group_has_isolated_msi(g))),
			feat_sva: ret(iommu_dev_enable_feature(dev, IOMMU_DEV_FEAT_SVA)),
			feat_iopf: ret(iommu_dev_enable_feature(dev, IOMMU_DEV_FEAT_IOPF)),
			global_pasid: pasid >= 0xffff_ffff ? -1 : pasid,
		};
	},
	pasid: (s, [x, d, p]) => ret(iommu_attach_device_pasid(domainOf(s, x), s.device(num(d)), num(p), null)),
	quirks: (s, [x, q]) => ret(iommu_set_pgtable_quirks(domainOf(s, x), num(q))),
	nest: (s, [x]) => ret(iommu_enable_nesting(domainOf(s, x))),
	msi: (s, [x, base]) => ret(iommu_get_msi_cookie(domainOf(s, x), num(base))),
	capable: (s, [d]) => [0, 1, 2, 3, 4, 5].map((cap) => flag(device_iommu_capable(s.device(num(d)), cap))),
	handler: (s, [x, e]) => {
		const answer = -num(e) || 0;
		const token = 7;
		iommu_set_fault_handler(
			domainOf(s, x),
			(_domain, dev, iova, flags, t) => {
				pr_warn(
					'ORACLE-HANDLER dev=%s iova=%#x flags=%x token=%d -> %d',
					dev_name(dev),
					iova,
					flags,
					t as number,
					answer,
				);
				return answer;
			},
			token,
		);
		return 0;
	},
	rfault: (s, [x, d, iova, flags]) =>
		ret(report_iommu_fault(domainOf(s, x), s.device(num(d)), num(iova), num(flags))),
};
