// SPDX-License-Identifier: GPL-2.0-only
// The DMA API on a device: masks, coherent memory, streaming mappings, syncs.
import { page_to_phys, phys_to_virt, virt_to_phys } from '#asm/memory.js';
import { iommu_get_domain_for_dev, iommu_iova_to_phys } from '#drivers/iommu/iommu.js';
import {
	dma_addressing_limited,
	dma_alloc_attrs,
	dma_alloc_noncontiguous,
	dma_alloc_pages,
	dma_can_mmap,
	dma_free_attrs,
	dma_free_noncontiguous,
	dma_free_pages,
	dma_get_merge_boundary,
	dma_get_required_mask,
	dma_get_sgtable_attrs,
	dma_map_page_attrs,
	dma_map_resource,
	dma_map_sg_attrs,
	dma_map_sgtable,
	dma_map_single_attrs,
	dma_max_mapping_size,
	dma_need_sync,
	dma_opt_mapping_size,
	dma_set_coherent_mask,
	dma_set_mask,
	dma_set_mask_and_coherent,
	dma_sync_single_for_cpu,
	dma_sync_single_for_device,
	dma_unmap_page_attrs,
	dma_unmap_resource,
	dma_unmap_sg_attrs,
	dma_unmap_sgtable,
	dma_unmap_single_attrs,
} from '#kernel/dma/mapping.js';
import { sg_free_table } from '#lib/scatterlist.js';
import type { device } from '#linux/device.js';
import { dma_to_phys } from '#linux/dma-direct.js';
import {
	dma_dev_need_sync,
	dma_get_cache_alignment,
	dma_get_mask,
	dma_get_max_seg_size,
	dma_get_min_align_mask,
	dma_get_seg_boundary,
	dma_set_max_seg_size,
	dma_set_min_align_mask,
	dma_set_seg_boundary,
} from '#linux/dma-mapping.js';
import { __GFP_NOWARN, GFP_KERNEL } from '#linux/gfp.js';
import type { page } from '#linux/mm_types.js';
import { sg_page, sg_table } from '#linux/scatterlist.js';
import { type dma_addr_t, ref, U64_MAX } from '#linux/types.js';
import { is_vmalloc_addr, vmalloc_to_page } from '#mm/vmalloc.js';
import type { Session } from '../session.js';
import { dmaAddr, Fnv, hex, num, patternByte, ret } from '../values.js';
import type { Extra, Json } from '../vectors.js';
import type { Args, Command } from './index.js';
import { entriesOf, listJson, makeTable, pageAt, segsJson } from './lists.js';

interface Mapping {
	readonly dev: device;
	readonly kind: 'page' | 'single' | 'resource';
	readonly dma: number;
	readonly size: number;
	readonly dir: number;
	readonly attrs: number;
}
interface Coherent {
	readonly dev: device;
	readonly cpu: Uint8Array;
	readonly dma: number;
	readonly size: number;
	readonly attrs: number;
}
interface SgMapping {
	readonly dev: device;
	readonly table: sg_table;
	readonly dir: number;
	readonly attrs: number;
	readonly byTable: boolean;
}
interface Pages {
	readonly dev: device;
	readonly page: page;
	readonly dma: number;
	readonly size: number;
	readonly dir: number;
}
interface Noncontiguous {
	readonly dev: device;
	readonly table: sg_table;
	readonly size: number;
	readonly dir: number;
}

const flag = (b: boolean): number => (b ? 1 : 0);

/** Where a device address of @dev leads, by what the kernel knows. */
function physOf(dev: device, dma: number): number {
	const domain = iommu_get_domain_for_dev(dev);
	return domain ? iommu_iova_to_phys(domain, dma) : dma_to_phys(dev, dma);
}

/** Whether @phys lies in the bounce pool that the capturing kernel, or this one, used. */
function inPool(s: Session, phys: number): boolean {
	const [lo, hi] = s.facts.swiotlb.map(Number) as [number, number];
	return phys >= lo && phys < hi;
}

function map(s: Session, kind: 'page' | 'single', args: Args): Json {
	const [d, slot, phys, size, dir, attrs] = args;
	const dev = s.device(num(d));
	const at = num(phys);
	const dma =
		kind === 'page'
			? dma_map_page_attrs(dev, pageAt(at), at % 4096, num(size), num(dir), num(attrs))
			: dma_map_single_attrs(dev, phys_to_virt(at), num(size), num(dir), num(attrs));
	if (dma < U64_MAX)
		s.keep('S', num(slot), {
			dev,
			kind,
			dma,
			size: num(size),
			dir: num(dir),
			attrs: num(attrs),
		} satisfies Mapping);
	return dmaAddr(dma);
}

/** dma_map_sg_attrs or dma_map_sgtable, and every field that the vectors keep. */
function mapList(s: Session, byTable: boolean, args: Args): Json {
	const [d, slot, dir, attrs, list] = args;
	const dev = s.device(num(d));
	const { table, entries } = makeTable(String(list));
	let nents: number;
	const out: { [key: string]: Json } = {};
	if (byTable) {
		const r = dma_map_sgtable(dev, table, num(dir), num(attrs));
		out['ret'] = ret(r);
		nents = r < 0 ? 0 : table.nents;
	} else nents = dma_map_sg_attrs(dev, table.sgl!, entries.length, num(dir), num(attrs));
	out['nents'] = nents;
	if (nents > 0) {
		out['segs'] = segsJson(table.sgl, nents);
		if (nents < entries.length) out['next'] = segsJson(table.sgl, nents + 1)[nents]!;
	} else out['after'] = segsJson(table.sgl);
	out['list'] = listJson(table.sgl);
	if (nents > 0)
		s.keep('G', num(slot), { dev, table, dir: num(dir), attrs: num(attrs), byTable } satisfies SgMapping);
	else sg_free_table(table);
	return out;
}

function info(dev: device): Json {
	return {
		dma_mask: hex(dma_get_mask(dev)),
		coherent_dma_mask: hex(dev.coherent_dma_mask),
		bus_dma_limit: hex(dev.bus_dma_limit),
		required_mask: hex(dma_get_required_mask(dev)),
		max_mapping_size: hex(dma_max_mapping_size(dev)),
		opt_mapping_size: hex(dma_opt_mapping_size(dev)),
		merge_boundary: hex(dma_get_merge_boundary(dev)),
		can_mmap: flag(dma_can_mmap(dev)),
		addressing_limited: flag(dma_addressing_limited(dev)),
		max_seg_size: dma_get_max_seg_size(dev),
		seg_boundary: hex(dma_get_seg_boundary(dev)),
		min_align_mask: dma_get_min_align_mask(dev),
		need_sync: flag(dma_dev_need_sync(dev)),
		cache_alignment: dma_get_cache_alignment(),
	};
}

/** The page behind byte @offset of a coherent buffer's CPU address. */
function cpuPage(cpu: Uint8Array, offset: number): number {
	const at = cpu.subarray(offset);
	return is_vmalloc_addr(at) ? page_to_phys(vmalloc_to_page(at)!) : virt_to_phys(at);
}

function coherentInfo(c: Coherent): Json {
	const pages = Math.ceil(c.size / 4096);
	let nonzero = 0;
	for (let i = 0; i < c.size; i++) if (c.cpu[i] !== 0) nonzero++;
	let matching = 0;
	for (let i = 0; i < pages; i++) {
		const device = physOf(c.dev, c.dma + i * 4096);
		if (Math.floor(device / 4096) === Math.floor(cpuPage(c.cpu, i * 4096) / 4096)) matching++;
	}
	return {
		nonzero,
		pages,
		device_view_matches: matching,
		cpu_page_aligned: flag(cpuPage(c.cpu, 0) % 4096 === 0),
		vmalloc: flag(is_vmalloc_addr(c.cpu)),
	};
}

/** Run @each over [phys, phys + size) in pieces that do not cross a page. */
function byPage(phys: number, size: number, each: (phys: number, done: number, n: number) => void): void {
	for (let done = 0; done < size; ) {
		const n = Math.min(size - done, 4096 - ((phys + done) % 4096));
		each(phys + done, done, n);
		done += n;
	}
}

function pattern(seed: number, from: number, n: number): Uint8Array {
	const out = new Uint8Array(n);
	for (let i = 0; i < n; i++) out[i] = patternByte(seed, from + i);
	return out;
}

/** The device's access to a mapping. The captured machine's devices snooped, whatever the tree said. */
function deviceAccess(s: Session, args: Args, write: boolean): Json {
	const [slot, off, len, seed] = args;
	const m = s.slot<Mapping>('S', num(slot));
	if (m === undefined) return 'skip';
	const sum = new Fnv();
	const ram = s.machine.memory;
	for (let done = 0; done < num(len); ) {
		const phys = physOf(m.dev, m.dma + num(off) + done);
		const n = Math.min(num(len) - done, 4096 - (phys % 4096));
		const bytes = write ? pattern(num(seed), done, n) : new Uint8Array(n);
		if (write) ram.deviceWrite(phys, bytes, true);
		else ram.deviceRead(phys, bytes, true);
		sum.add(bytes);
		done += n;
	}
	return sum.toString();
}

/** For a mapping without an IOMMU: straight, or which slot of the bounce pool. */
function relation(s: Session, args: Args, result: Json, extra: Extra): void {
	if (typeof result !== 'string' || !result.startsWith('0x')) return;
	const dev = s.device(num(args[0]));
	if (iommu_get_domain_for_dev(dev)) return;
	const m = s.slot<Mapping>('S', num(args[1]))!;
	const phys = dma_to_phys(dev, m.dma);
	if (phys === num(args[2])) extra.rel = ['direct', hex(m.dma - num(args[2]))];
	else if (inPool(s, phys)) {
		const offset = phys - Number(s.facts.swiotlb[0]);
		extra.rel = ['bounce', Math.floor(offset / 2048), offset % 2048];
	}
}

export const dmaCommands: Record<string, Command> = {
	setmask: (s, [d, m]) => ret(dma_set_mask_and_coherent(s.device(num(d)), num(m))),
	dmask: (s, [d, m]) => ret(dma_set_mask(s.device(num(d)), num(m))),
	cmask: (s, [d, m]) => ret(dma_set_coherent_mask(s.device(num(d)), num(m))),
	buslimit: (s, [d, v]) => {
		s.device(num(d)).bus_dma_limit = num(v);
		return 0;
	},
	segs: (s, [d, max, boundary]) => {
		const dev = s.device(num(d));
		dma_set_max_seg_size(dev, num(max));
		dma_set_seg_boundary(dev, num(boundary));
		return { max_seg_size: dma_get_max_seg_size(dev), seg_boundary: hex(dma_get_seg_boundary(dev)) };
	},
	minalign: (s, [d, m]) => {
		dma_set_min_align_mask(s.device(num(d)), num(m));
		return 0;
	},
	info: (s, [d]) => info(s.device(num(d))),
	ac: (s, [d, slot, size, attrs]) => {
		const dev = s.device(num(d));
		const dma = new ref<dma_addr_t>(0);
		const cpu = dma_alloc_attrs(dev, num(size), dma, GFP_KERNEL | __GFP_NOWARN, num(attrs));
		if (cpu === null) return null;
		s.keep('C', num(slot), {
			dev,
			cpu,
			dma: dma.value,
			size: num(size),
			attrs: num(attrs),
		} satisfies Coherent);
		if (iommu_get_domain_for_dev(dev)) return hex(dma.value);
		const below =
			dma.value < 0x400_0000 ? 0x400_0000 : dma.value < 0x1_0000_0000 ? 0x1_0000_0000 : 0x100_0000_0000;
		return { page_offset: dma.value % 4096, below: hex(below) };
	},
	fc: (s, [slot]) => {
		const c = s.slot<Coherent>('C', num(slot));
		if (c === undefined) return 'skip';
		dma_free_attrs(c.dev, c.size, c.cpu, c.dma, c.attrs);
		s.drop('C', num(slot));
		return 0;
	},
	acinfo: (s, [slot]) => {
		const c = s.slot<Coherent>('C', num(slot));
		return c === undefined ? 'skip' : coherentInfo(c);
	},
	gst: (s, [slot]) => {
		const c = s.slot<Coherent>('C', num(slot));
		if (c === undefined) return 'skip';
		const table = new sg_table();
		const r = dma_get_sgtable_attrs(c.dev, table, c.cpu, c.dma, c.size, c.attrs);
		if (r < 0) return ret(r);
		let total = 0;
		let matching = 0;
		for (const e of entriesOf(table.sgl)) {
			for (let at = 0; at < e.length; at += 4096)
				if (page_to_phys(sg_page(e)!) + at === physOf(c.dev, c.dma + total + at)) matching++;
			total += e.length;
		}
		const first_offset = table.sgl!.offset;
		sg_free_table(table);
		return { total, pages_matching_the_mapping: matching, first_offset };
	},
	mp: (s, args, extra) => {
		const r = map(s, 'page', args);
		relation(s, args, r, extra);
		return r;
	},
	ms: (s, args, extra) => {
		const r = map(s, 'single', args);
		relation(s, args, r, extra);
		return r;
	},
	um: (s, [slot]) => {
		const m = s.slot<Mapping>('S', num(slot));
		if (m === undefined) return 'skip';
		if (m.kind === 'page') dma_unmap_page_attrs(m.dev, m.dma, m.size, m.dir, m.attrs);
		else dma_unmap_single_attrs(m.dev, m.dma, m.size, m.dir, m.attrs);
		s.drop('S', num(slot));
		return 0;
	},
	mr: (s, [d, slot, phys, size, dir, attrs]) => {
		const dev = s.device(num(d));
		const dma = dma_map_resource(dev, num(phys), num(size), num(dir), num(attrs));
		if (dma < U64_MAX)
			s.keep('R', num(slot), {
				dev,
				kind: 'resource',
				dma,
				size: num(size),
				dir: num(dir),
				attrs: num(attrs),
			} satisfies Mapping);
		return dmaAddr(dma);
	},
	ur: (s, [slot]) => {
		const m = s.slot<Mapping>('R', num(slot));
		if (m === undefined) return 'skip';
		dma_unmap_resource(m.dev, m.dma, m.size, m.dir, m.attrs);
		s.drop('R', num(slot));
		return 0;
	},
	sg: (s, args) => mapList(s, false, args),
	sgt: (s, args) => mapList(s, true, args),
	usg: (s, [slot]) => {
		const g = s.slot<SgMapping>('G', num(slot));
		if (g === undefined) return 'skip';
		if (g.byTable) dma_unmap_sgtable(g.dev, g.table, g.dir, g.attrs);
		else dma_unmap_sg_attrs(g.dev, g.table.sgl!, g.table.orig_nents, g.dir, g.attrs);
		sg_free_table(g.table);
		s.drop('G', num(slot));
		return 0;
	},
	an: (s, [d, slot, size, dir]) => {
		const dev = s.device(num(d));
		const table = dma_alloc_noncontiguous(dev, num(size), num(dir), GFP_KERNEL, 0);
		if (table === null) return null;
		s.keep('N', num(slot), { dev, table, size: num(size), dir: num(dir) } satisfies Noncontiguous);
		return { nents: table.nents, segs: segsJson(table.sgl, table.nents) };
	},
	fan: (s, [slot]) => {
		const n = s.slot<Noncontiguous>('N', num(slot));
		if (n === undefined) return 'skip';
		dma_free_noncontiguous(n.dev, n.size, n.table, n.dir);
		s.drop('N', num(slot));
		return 0;
	},
	ap: (s, [d, slot, size, dir]) => {
		const dev = s.device(num(d));
		const dma = new ref<dma_addr_t>(0);
		const got = dma_alloc_pages(dev, num(size), dma, num(dir), GFP_KERNEL);
		if (got === null) return null;
		s.keep('A', num(slot), {
			dev,
			page: got,
			dma: dma.value,
			size: num(size),
			dir: num(dir),
		} satisfies Pages);
		return hex(dma.value);
	},
	fap: (s, [slot]) => {
		const p = s.slot<Pages>('A', num(slot));
		if (p === undefined) return 'skip';
		dma_free_pages(p.dev, p.size, p.page, p.dma, p.dir);
		s.drop('A', num(slot));
		return 0;
	},
	i2p: (s, [d, iova]) => hex(physOf(s.device(num(d)), num(iova))),
	i2ps: (s, [d, slot, off]) => {
		const m = s.slot<Mapping>('S', num(slot)) ?? s.slot<Mapping>('R', num(slot));
		return m === undefined ? 'skip' : hex(physOf(s.device(num(d)), m.dma + num(off)));
	},
	scpu: (s, [slot, off, len]) => {
		const m = s.slot<Mapping>('S', num(slot));
		if (m === undefined) return 'skip';
		dma_sync_single_for_cpu(m.dev, m.dma + num(off), num(len), m.dir);
		return 0;
	},
	sdev: (s, [slot, off, len]) => {
		const m = s.slot<Mapping>('S', num(slot));
		if (m === undefined) return 'skip';
		dma_sync_single_for_device(m.dev, m.dma + num(off), num(len), m.dir);
		return 0;
	},
	needsync: (s, [slot]) => {
		const m = s.slot<Mapping>('S', num(slot));
		return m === undefined ? 'skip' : flag(dma_need_sync(m.dev, m.dma));
	},
	fill: (_s, [phys, len, seed]) => {
		const sum = new Fnv();
		byPage(num(phys), num(len), (at, done, n) => {
			const bytes = pattern(num(seed), done, n);
			phys_to_virt(at, n).set(bytes);
			sum.add(bytes);
		});
		return sum.toString();
	},
	sum: (_s, [phys, len]) => {
		const sum = new Fnv();
		byPage(num(phys), num(len), (at, _done, n) => sum.add(phys_to_virt(at, n)));
		return sum.toString();
	},
	dfill: (s, args) => deviceAccess(s, args, true),
	dsum: (s, args) => deviceAccess(s, args, false),
};
