// SPDX-License-Identifier: GPL-2.0-only
// /sys/kernel/debug/dma/decision: each device's way to memory, and why.
// Linux 6.12: none. What is shown is what drivers/of/device.c, drivers/iommu and kernel/dma have decided.
// A sentence a device: the back end and what made it so; how far the device reaches, and whether something bounces;
// whether it snoops; where its coherent memory comes from.

import { core_state } from '#drivers/base/core.js';
import { platform_bus_type } from '#drivers/base/platform.js';
import {
	device_iommu_capable,
	IOMMU_CMD_LINE_DMA_API,
	IOMMU_CMD_LINE_STRICT,
	iommu_cmd_line,
	iommu_def_domain_type,
	iommu_get_dma_domain,
} from '#drivers/iommu/iommu.js';
import { dev_iommu_ops } from '#drivers/iommu/iommu-priv.js';
import { __of_get_dma_parent } from '#drivers/of/address.js';
import { of_count_phandle_with_args } from '#drivers/of/base.js';
import { of_node_get, of_node_put } from '#drivers/of/dynamic.js';
import { of_property_read_bool } from '#drivers/of/property.js';
import { debugfs_create_dir, debugfs_create_file } from '#fs/debugfs/inode.js';
import { DEFINE_SHOW_ATTRIBUTE, seq_printf, seq_puts } from '#fs/seq_file.js';
import type { dma_coherent_mem } from '#kernel/dma/coherent.js';
import { dev_get_cma_area } from '#kernel/dma/contiguous.js';
import { show_untranslated, show_wrong_entries } from '#kernel/dma/decision_iommus.js';
import { dma_direct_all_ram_mapped } from '#kernel/dma/direct.js';
import { dma_dummy_ops } from '#kernel/dma/dummy.js';
import { dma_max_mapping_size } from '#kernel/dma/mapping.js';
import { is_swiotlb_active, swiotlb_max_mapping_size } from '#kernel/dma/swiotlb.js';
import { to_platform_driver } from '#linux/device/platform.js';
import { dev_name, type device, kobj_to_dev } from '#linux/device.js';
import { direct_state, dma_range_map_max, phys_to_dma } from '#linux/dma-direct.js';
import { get_dma_ops } from '#linux/dma-map-ops.js';
import { DMA_MAPPING_ERROR, dma_get_mask } from '#linux/dma-mapping.js';
import { late_initcall } from '#linux/init.js';
import {
	IOMMU_CAP_DEFERRED_FLUSH,
	IOMMU_DOMAIN_BLOCKED,
	IOMMU_DOMAIN_DMA,
	IOMMU_DOMAIN_DMA_FQ,
	IOMMU_DOMAIN_IDENTITY,
	IOMMU_DOMAIN_UNMANAGED,
	type iommu_domain,
	type iommu_group,
} from '#linux/iommu.js';
import { use_dma_iommu } from '#linux/iommu-dma.js';
import { list_count_nodes, list_for_each_entry } from '#linux/list.js';
import { min, min_not_zero } from '#linux/minmax.js';
import { mm_state, PAGE_SIZE } from '#linux/mm.js';
import { dev_is_pci, to_pci_dev } from '#linux/pci.js';
import type { seq_file } from '#linux/seq_file.js';
import { spin_lock, spin_unlock } from '#linux/spinlock.js';
import { is_swiotlb_for_alloc, is_swiotlb_force_bounce } from '#linux/swiotlb.js';
import {
	type bool,
	type int,
	type phys_addr_t,
	SIZE_MAX,
	type u64,
	type unsigned_int,
} from '#linux/types.js';
import { type cma, cma_get_base, cma_get_name, cma_get_size } from '#mm/cma.js';
import { for_each_mem_region } from '#mm/memblock.js';

function domain_name(type: unsigned_int): string {
	switch (type) {
		case IOMMU_DOMAIN_BLOCKED:
			return 'a blocking';
		case IOMMU_DOMAIN_IDENTITY:
			return 'an identity';
		case IOMMU_DOMAIN_UNMANAGED:
			return 'an unmanaged';
		case IOMMU_DOMAIN_DMA:
			return 'a strict DMA';
		case IOMMU_DOMAIN_DMA_FQ:
			return 'a lazy DMA';
		default:
			return 'another';
	}
}

/** What on the command line speaks for a default domain of @type. */
function said_by_user(type: unsigned_int): string | null {
	const said = iommu_cmd_line();

	if (type === IOMMU_DOMAIN_IDENTITY)
		return (said & IOMMU_CMD_LINE_DMA_API) !== 0 ? 'iommu.passthrough=1' : null;
	if ((said & IOMMU_CMD_LINE_STRICT) !== 0)
		return type === IOMMU_DOMAIN_DMA_FQ ? 'iommu.strict=0' : 'iommu.strict=1';
	return (said & IOMMU_CMD_LINE_DMA_API) !== 0 ? 'iommu.passthrough=0' : null;
}

/** Who wanted the type of the default domain of @dev's group. */
function who_chose(dev: device, type: unsigned_int): string {
	const ops = dev_iommu_ops(dev);
	const wish = ops.default_domain ? ops.default_domain.type : (ops.def_domain_type?.(dev) ?? 0);

	if (dev_is_pci(dev) && to_pci_dev(dev).untrusted !== 0) return 'as the device is not trusted';
	if (wish !== 0 && wish === type) return 'as the IOMMU driver wants it';
	if (type === iommu_def_domain_type()) {
		const said = said_by_user(type);
		return said !== null ? `by ${said}` : 'the default';
	}
	if (
		type === IOMMU_DOMAIN_DMA &&
		iommu_def_domain_type() === IOMMU_DOMAIN_DMA_FQ &&
		!device_iommu_capable(dev, IOMMU_CAP_DEFERRED_FLUSH)
	)
		return 'as the IOMMU has no use for a lazy one';
	return "by the group's type file, or for another device of the group";
}

/** The IOMMU that decides, and its default domain. */
function show_iommu(s: seq_file, dev: device, group: iommu_group, domain: iommu_domain): void {
	const hw = dev.iommu?.iommu_dev?.dev ?? null;

	if (use_dma_iommu(dev)) seq_puts(s, 'translated');
	else if (domain.type === IOMMU_DOMAIN_IDENTITY) seq_puts(s, 'direct');
	else seq_puts(s, 'direct, for its address space could not be set up');
	seq_printf(
		s,
		': behind IOMMU %s, group %d (%zu device%s) has %s domain, %s',
		hw !== null ? dev_name(hw) : '(none)',
		group.id,
		list_count_nodes(group.devices),
		list_count_nodes(group.devices) === 1 ? '' : 's',
		domain_name(domain.type),
		who_chose(dev, domain.type),
	);
	if (dev.iommu !== null && dev.iommu.attach_deferred !== 0)
		seq_puts(s, ', which is attached at the first mapping');

	if (group.domain === null || group.domain === domain) return;
	seq_printf(s, '; attached now is %s domain', domain_name(group.domain.type));
	if (group.domain === group.blocking_domain) seq_puts(s, ' that lets nothing through');
	const managed =
		dev.bus === platform_bus_type && dev.driver !== null && to_platform_driver(dev.driver).driver_managed_dma;
	if (managed) seq_puts(s, ', as its driver manages DMA itself');
	seq_puts(s, ': what the DMA API maps does not reach it');
}

/** How much of a stretch of memory a device gets at. */
enum reach {
	REACH_NONE,
	REACH_SOME,
	REACH_ALL,
}
const { REACH_NONE, REACH_SOME, REACH_ALL } = reach;

/** @part is one of the stretches, @whole what was found of those before it; null: this is the first. */
function join_reach(whole: reach | null, part: reach): reach {
	return whole === null || whole === part ? part : REACH_SOME;
}

/** How much of [@base, @end) has an address for @dev that is no higher than @limit. */
function reach_of(dev: device, base: phys_addr_t, end: phys_addr_t, limit: u64): reach {
	const map = dev.dma_range_map ?? [];
	let whole: reach | null = null;

	// Up to where all goes by one window, or by none: the first that has an address is asked for it.
	for (let at = base, next = end; at < end; at = next, next = end) {
		for (const w of map) {
			if (w.size === 0) break;
			if (at < w.cpu_start) next = min(next, w.cpu_start);
			else if (at < w.cpu_start + w.size) {
				next = min(next, w.cpu_start + w.size);
				break;
			}
		}
		const first = phys_to_dma(dev, at);
		if (first === DMA_MAPPING_ERROR || first > limit) whole = join_reach(whole, REACH_NONE);
		else whole = join_reach(whole, first + (next - at) - 1 > limit ? REACH_SOME : REACH_ALL);
	}
	return whole ?? REACH_ALL;
}

/** reach_of() all memory up to address @last. */
function reach_of_memory(dev: device, last: phys_addr_t, limit: u64): reach {
	let whole: reach | null = null;

	for (const m of for_each_mem_region())
		if (m.base <= last)
			whole = join_reach(whole, reach_of(dev, m.base, min(m.base + m.size, last + 1), limit));
	return whole ?? REACH_NONE;
}

/** reach_of() the pool that @dev bounces through; there must be one. */
function reach_of_pool(dev: device, limit: u64): reach {
	const pool = dev.dma_io_tlb_mem!.defpool;

	return reach_of(dev, pool.start, pool.end, limit);
}

/** Whether what must bounce does; some of it, when the pool is in reach in part. */
function can_bounce(dev: device, limit: u64): bool {
	return is_swiotlb_active(dev) && reach_of_pool(dev, limit) !== REACH_NONE;
}

/** What becomes of memory that must bounce. */
function show_bounce(s: seq_file, dev: device, limit: u64): void {
	if (!is_swiotlb_active(dev)) {
		seq_puts(s, 'cannot be mapped, as there is no pool to bounce through');
		return;
	}
	const pool = dev.dma_io_tlb_mem!.defpool;
	const got = reach_of_pool(dev, limit);
	if (got === REACH_ALL) {
		seq_puts(s, 'bounces');
		return;
	}
	seq_printf(
		s,
		'%s the pool to bounce through, %lu KiB at %#llx, is %s its reach',
		got === REACH_NONE ? 'cannot be mapped, as' : 'bounces where',
		(pool.end - pool.start) / 1024,
		pool.start,
		got === REACH_NONE ? 'out of' : 'in',
	);
}

/** Nothing is out of reach; only what kmalloc() packed too tightly for a device that does not snoop is moved. */
function show_small_buffers(s: seq_file, dev: device, limit: u64): void {
	seq_puts(s, 'nothing bounces');
	if (dev.dma_coherent) return;
	if (is_swiotlb_active(dev) && reach_of_pool(dev, limit) === REACH_ALL) {
		seq_puts(s, ' but small kmalloc() buffers');
		return;
	}
	seq_puts(s, ', but a small kmalloc() buffer ');
	show_bounce(s, dev, limit);
}

/** The longest bounce, if something @bounces, and whether drivers are told. */
function show_max_size(s: seq_file, dev: device, bounces: bool): void {
	const told = dma_max_mapping_size(dev);

	if (bounces) {
		const pool = dev.dma_io_tlb_mem!.defpool;
		const most = min(swiotlb_max_mapping_size(dev), pool.end - pool.start);
		seq_printf(s, '; a bounce takes at most %zu bytes', most);
		if (told === SIZE_MAX) seq_puts(s, ', which dma_max_mapping_size() does not say');
		else if (told !== most) seq_printf(s, ', and dma_max_mapping_size() says %zu', told);
	} else if (told !== SIZE_MAX) {
		seq_printf(s, '; dma_max_mapping_size() is %zu all the same', told);
	}
}

/** What a device without translation gets at. */
function show_direct_reach(s: seq_file, dev: device): void {
	const mem = dev.dma_io_tlb_mem;
	const end = mm_state.max_pfn * PAGE_SIZE - 1;
	const mask = dma_get_mask(dev);
	const by_bus = dev.bus_dma_limit !== 0 && dev.bus_dma_limit < mask;
	const limit = min_not_zero(mask, dev.bus_dma_limit);
	const name = by_bus ? 'bus limit' : 'mask';

	if (is_swiotlb_for_alloc(dev) && mem !== null) {
		const { start, end: pool_end } = mem.defpool;
		const got = reach_of_pool(dev, limit);
		seq_printf(
			s,
			'; everything bounces through its restricted pool, %lu KiB at %#llx (memory-region)',
			(pool_end - start) / 1024,
			start,
		);
		if (got !== REACH_ALL)
			seq_printf(s, ', which is %s its reach', got === REACH_NONE ? 'out of' : 'partly out of');
		show_max_size(s, dev, got !== REACH_NONE);
		return;
	}

	if (reach_of_memory(dev, end, limit) === REACH_ALL) {
		seq_printf(s, '; its %s %#llx reaches all memory, up to %#llx', name, limit, end);
		if (is_swiotlb_force_bounce(dev)) {
			seq_puts(s, ', and all the same everything ');
			show_bounce(s, dev, limit);
			seq_puts(s, ' (swiotlb=force)');
		} else {
			seq_puts(s, ': ');
			show_small_buffers(s, dev, limit);
		}
		show_max_size(s, dev, is_swiotlb_force_bounce(dev) && can_bounce(dev, limit));
		return;
	}

	if (dma_direct_all_ram_mapped(dev)) seq_printf(s, '; its %s %#llx does not reach', name, limit);
	else if (limit >= dma_range_map_max(dev.dma_range_map!)) seq_puts(s, '; its windows do not show');
	else seq_printf(s, '; its windows, up to its %s %#llx, do not show', name, limit);
	seq_printf(s, ' all memory, up to %#llx: ', end);
	seq_puts(s, is_swiotlb_force_bounce(dev) ? 'everything ' : 'the rest ');
	show_bounce(s, dev, limit);
	if (is_swiotlb_force_bounce(dev)) seq_puts(s, ' (swiotlb=force)');
	show_max_size(s, dev, can_bounce(dev, limit));
}

/** The last address that the DMA API gives @dev behind its IOMMU, of those up to @mask. */
function translated_limit(dev: device, mask: u64): u64 {
	const { geometry } = iommu_get_dma_domain(dev);
	const limit = min_not_zero(mask, dev.bus_dma_limit);

	return geometry.force_aperture ? min(limit, geometry.aperture_end) : limit;
}

/** Whether the IOMMU itself gets at its tables, which its driver maps as any other. */
function show_tables(s: seq_file, dev: device): void {
	const walker = dev.iommu?.iommu_dev?.dev?.parent ?? null;

	if (walker === null || !is_swiotlb_force_bounce(walker)) return;
	seq_printf(s, '; every table of %s ', dev_name(walker));
	show_bounce(s, walker, min_not_zero(dma_get_mask(walker), walker.bus_dma_limit));
	seq_puts(s, ' (swiotlb=force)');
}

/** What a device behind an IOMMU gets at, and what is mapped elsewhere than where it lies. */
function show_translated_reach(s: seq_file, dev: device): void {
	const mask = dma_get_mask(dev);
	const limit = translated_limit(dev, mask);
	const untrusted = dev_is_pci(dev) && to_pci_dev(dev).untrusted !== 0;

	seq_printf(s, '; its addresses go up to %#llx', limit);
	if (limit < min_not_zero(mask, dev.bus_dma_limit)) seq_puts(s, ", where the IOMMU's aperture ends");
	if (untrusted)
		seq_printf(
			s,
			'; all but whole pages %s',
			is_swiotlb_active(dev) ? 'bounces' : 'cannot be mapped, as there is no pool to bounce through',
		);
	else if (!dev.dma_coherent)
		seq_printf(
			s,
			'; small kmalloc() buffers %s',
			is_swiotlb_active(dev) ? 'bounce' : 'cannot be mapped, as there is no pool to bounce through',
		);
	show_max_size(s, dev, untrusted && is_swiotlb_active(dev));
}

/** The windows of the buses above, which dma-ranges describes. */
function show_windows(s: seq_file, dev: device): void {
	for (const r of dev.dma_range_map ?? []) {
		if (r.size === 0) break;
		seq_printf(s, '; dma-ranges shows it memory at %#llx+%#llx as %#llx', r.cpu_start, r.size, r.dma_start);
	}
}

/** Whether it snoops, and which node says so. */
function show_coherency(s: seq_file, dev: device): void {
	let np = of_node_get(dev.of_node);
	let says = false;

	seq_printf(s, '; %s', dev.dma_coherent ? 'coherent' : 'not coherent');
	while (np !== null) {
		says = of_property_read_bool(np, 'dma-coherent');
		if (says || of_property_read_bool(np, 'dma-noncoherent')) break;
		const parent = __of_get_dma_parent(np);
		of_node_put(np);
		np = parent;
	}
	if (says !== dev.dma_coherent) seq_puts(s, ', whatever the tree says');
	else if (np !== null) seq_printf(s, ', as %pOF says %s', np, says ? 'dma-coherent' : 'dma-noncoherent');
	else if (dev.of_node !== null) seq_puts(s, ', as nothing says dma-coherent');
	of_node_put(np);
}

/** Memory of @dev's own, which nobody compares with its mask. */
function show_own_pool(s: seq_file, dev: device, mem: dma_coherent_mem, limit: u64): void {
	const base = mem.pfn_base * PAGE_SIZE;
	const first = mem.use_dev_dma_pfn_offset ? phys_to_dma(dev, base) : mem.device_base;
	const size = mem.size * PAGE_SIZE;

	seq_printf(
		s,
		'its own pool, %lu KiB at %#llx%s',
		size / 1024,
		base,
		mem.use_dev_dma_pfn_offset ? ' (memory-region)' : '',
	);
	if (first === DMA_MAPPING_ERROR) seq_puts(s, ', which is in no window: its addresses are wrong');
	else if (first + size - 1 > limit) seq_puts(s, ', all of it, though that goes higher');
	if (use_dma_iommu(dev)) seq_puts(s, ', which the IOMMU does not translate');
}

/** How much of what the page allocator gives out is in reach: it ends in the lowest zone, whatever was tried before. */
function reach_of_pages(dev: device, limit: u64): reach {
	const end = mm_state.max_pfn * PAGE_SIZE - 1;

	if (reach_of_memory(dev, min(direct_state.zone_dma_limit, end), limit) === REACH_ALL) return REACH_ALL;
	return min(reach_of_memory(dev, end, limit), REACH_SOME);
}

function show_cma_area(s: seq_file, dev: device, area: cma): void {
	const own = dev.cma_area !== null;

	seq_printf(
		s,
		'%s %s, %lu KiB at %#llx%s',
		own ? 'its CMA area' : 'CMA area',
		cma_get_name(area),
		cma_get_size(area) / 1024,
		cma_get_base(area),
		own ? ' (memory-region)' : '',
	);
}

/** What dma_direct_alloc() chooses from: @area, which may be none, and the page allocator. */
function show_direct_source(s: seq_file, dev: device, area: cma | null, limit: u64): void {
	const base = area === null ? 0 : cma_get_base(area);
	const in_area = area === null ? REACH_NONE : reach_of(dev, base, base + cma_get_size(area), limit);
	const in_pages = reach_of_pages(dev, limit);
	const pages =
		in_pages === REACH_ALL ? 'the page allocator' : 'the page allocator, where its pages are in reach';

	if (in_area === REACH_NONE) {
		seq_puts(s, pages);
		if (area === null) return;
		seq_puts(s, ', as ');
		show_cma_area(s, dev, area);
		seq_puts(s, ', is out of reach');
		return;
	}
	show_cma_area(s, dev, area as cma);
	if (in_area === REACH_SOME) {
		seq_puts(s, ', where that is in reach');
		if (in_pages !== REACH_NONE) seq_printf(s, ', else from %s', pages);
	} else if (dev.cma_area === null) {
		if (in_pages === REACH_NONE) seq_puts(s, '; a single page is not to be had');
		else seq_printf(s, '; a single page comes from %s', pages);
	}
}

/** Where dma_alloc_coherent() takes from. */
function show_coherent_memory(s: seq_file, dev: device): void {
	const translated = use_dma_iommu(dev);
	const limit = translated
		? translated_limit(dev, dev.coherent_dma_mask)
		: min_not_zero(dev.coherent_dma_mask, dev.bus_dma_limit);
	const own = dev.dma_mem as dma_coherent_mem | null;
	const area = dev_get_cma_area(dev);

	if (own !== null) {
		seq_printf(s, '; coherent memory, up to %#llx, comes from ', limit);
		show_own_pool(s, dev, own, limit);
		return;
	}
	if (limit === 0) {
		seq_puts(s, '; no coherent memory, as its coherent mask is 0');
		return;
	}
	if (is_swiotlb_for_alloc(dev) && !translated) {
		const got = reach_of_pool(dev, limit);
		if (got === REACH_NONE)
			seq_printf(s, '; no coherent memory: up to %#llx it does not reach its restricted pool', limit);
		else
			seq_printf(
				s,
				'; coherent memory, up to %#llx, comes from its restricted pool%s',
				limit,
				got === REACH_SOME ? ', where that is in reach' : '',
			);
		return;
	}

	const in_pages = translated ? REACH_ALL : reach_of_pages(dev, limit);
	const base = area === null ? 0 : cma_get_base(area);
	if (
		in_pages === REACH_NONE &&
		(area === null || reach_of(dev, base, base + cma_get_size(area), limit) === REACH_NONE)
	) {
		seq_printf(s, '; no coherent memory: up to %#llx it reaches no page of memory', limit);
		return;
	}
	seq_printf(s, '; coherent memory, up to %#llx, comes from ', limit);
	if (translated) seq_puts(s, 'pages anywhere');
	else show_direct_source(s, dev, area, limit);
	if (!dev.dma_coherent)
		seq_printf(
			s,
			'; who cannot sleep gets it from an atomic pool%s',
			in_pages === REACH_ALL ? '' : ', where that is in reach',
		);

	if (dev.cma_area !== null) return;
	if (dev.of_node !== null && of_count_phandle_with_args(dev.of_node, 'memory-region', null) > 0)
		seq_puts(s, '; its memory-region is not in use for DMA');
}

/** Whether the platform has decided yet: it does that when a driver is bound. */
function is_decided(dev: device): bool {
	return dev.driver !== null || dev.iommu_group !== null || get_dma_ops(dev) !== null || dev.of_node === null;
}

/**
 * dma_decision_show() - say which way @dev's DMA takes, and why, as one line (no such function in Linux)
 *
 * @dev must have a DMA mask; its group must not change meanwhile.
 */
export function dma_decision_show(s: seq_file, dev: device): void {
	const ops = get_dma_ops(dev);
	const group = dev.iommu_group;

	seq_printf(s, '%s: ', dev_name(dev));
	if (!is_decided(dev)) {
		seq_puts(s, 'undecided: no driver is bound\n');
		return;
	}
	if (ops !== null) {
		seq_puts(
			s,
			ops === dma_dummy_ops ? 'none: every mapping fails (dummy ops)\n' : 'the dma_map_ops of its own bus\n',
		);
		return;
	}

	if (group !== null && group.default_domain !== null) {
		show_iommu(s, dev, group, group.default_domain);
		show_wrong_entries(s, dev);
	} else {
		show_untranslated(s, dev);
	}
	if (use_dma_iommu(dev)) {
		show_translated_reach(s, dev);
		show_tables(s, dev);
	} else {
		show_windows(s, dev);
		show_direct_reach(s, dev);
	}
	show_coherency(s, dev);
	show_coherent_memory(s, dev);
	seq_puts(s, '\n');
}

function decision_show(s: seq_file): int {
	const devices = core_state.devices_kset;
	if (devices === null) return 0;

	spin_lock(devices.list_lock);
	for (const kobj of list_for_each_entry(devices.list)) {
		const dev = kobj_to_dev(kobj);
		if (dev.dma_mask !== null) dma_decision_show(s, dev);
	}
	spin_unlock(devices.list_lock);
	return 0;
}
const decision_fops = DEFINE_SHOW_ATTRIBUTE(decision_show);

function dma_decision_init(): int {
	debugfs_create_file('decision', 0o444, debugfs_create_dir('dma', null), null, decision_fops);
	return 0;
}
late_initcall(dma_decision_init);
