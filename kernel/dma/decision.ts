// SPDX-License-Identifier: GPL-2.0-only
// /sys/kernel/debug/dma/decision: each device's way to memory, and why.
// Linux 6.12: nothing. What is shown is what drivers/of/device.c, drivers/iommu and kernel/dma have decided.
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
} from '#drivers/iommu/iommu.js';
import { dev_iommu_ops } from '#drivers/iommu/iommu-priv.js';
import { __of_get_dma_parent } from '#drivers/of/address.js';
import { of_count_phandle_with_args } from '#drivers/of/base.js';
import { of_node_get, of_node_put } from '#drivers/of/dynamic.js';
import { of_property_read_bool } from '#drivers/of/property.js';
import { debugfs_create_dir, debugfs_create_file } from '#fs/debugfs/inode.js';
import { DEFINE_SHOW_ATTRIBUTE, seq_printf, seq_puts } from '#fs/seq_file.js';
import { dev_get_cma_area } from '#kernel/dma/contiguous.js';
import { show_untranslated, show_wrong_entries } from '#kernel/dma/decision_iommus.js';
import { dma_direct_all_ram_mapped } from '#kernel/dma/direct.js';
import { dma_dummy_ops } from '#kernel/dma/dummy.js';
import { is_swiotlb_active } from '#kernel/dma/swiotlb.js';
import { to_platform_driver } from '#linux/device/platform.js';
import { dev_name, type device, kobj_to_dev } from '#linux/device.js';
import { phys_to_dma } from '#linux/dma-direct.js';
import { get_dma_ops } from '#linux/dma-map-ops.js';
import { dma_get_mask } from '#linux/dma-mapping.js';
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
import { max, min, min_not_zero } from '#linux/minmax.js';
import { mm_state, PAGE_SIZE } from '#linux/mm.js';
import { dev_is_pci, to_pci_dev } from '#linux/pci.js';
import type { seq_file } from '#linux/seq_file.js';
import { spin_lock, spin_unlock } from '#linux/spinlock.js';
import { is_swiotlb_for_alloc, is_swiotlb_force_bounce } from '#linux/swiotlb.js';
import type { bool, int, u64, unsigned_int } from '#linux/types.js';
import { cma_get_base, cma_get_name, cma_get_size } from '#mm/cma.js';
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

/**
 * Whether every byte of memory that @dev has a window for gets an address up to @limit. dma_addressing_limited() only
 * compares masks, and calls a device limited whose limit lies between the end of memory and the next power of two.
 */
function reaches_all(dev: device, limit: u64): bool {
	for (const m of for_each_mem_region()) {
		const end = m.base + m.size;
		if (dev.dma_range_map === null) {
			if (phys_to_dma(dev, end - 1) > limit) return false;
			continue;
		}
		for (const w of dev.dma_range_map) {
			const last = min(end, w.cpu_start + w.size) - 1;
			if (last >= max(m.base, w.cpu_start) && w.dma_start + (last - w.cpu_start) > limit) return false;
		}
	}
	return true;
}

/** What a device without translation gets at. */
function show_direct_reach(s: seq_file, dev: device): void {
	const mem = dev.dma_io_tlb_mem;
	const end = mm_state.max_pfn * PAGE_SIZE - 1;

	if (is_swiotlb_for_alloc(dev) && mem !== null) {
		seq_printf(
			s,
			'; everything bounces through its restricted pool, %lu KiB at %#llx (memory-region)',
			(mem.defpool.end - mem.defpool.start) / 1024,
			mem.defpool.start,
		);
		return;
	}

	const mask = dma_get_mask(dev);
	const by_bus = dev.bus_dma_limit !== 0 && dev.bus_dma_limit < mask;
	const limit = min_not_zero(mask, dev.bus_dma_limit);
	if (!dma_direct_all_ram_mapped(dev)) seq_puts(s, '; its windows do not show');
	else if (!reaches_all(dev, limit))
		seq_printf(s, '; its %s %#llx does not reach', by_bus ? 'bus limit' : 'mask', limit);
	else {
		seq_printf(
			s,
			'; its %s %#llx reaches all memory, up to %#llx',
			by_bus ? 'bus limit' : 'mask',
			limit,
			end,
		);
		if (is_swiotlb_force_bounce(dev)) seq_puts(s, ', and all the same everything bounces (swiotlb=force)');
		else if (!is_swiotlb_active(dev) || dev.dma_coherent) seq_puts(s, ': nothing bounces');
		else seq_puts(s, ': nothing bounces but small kmalloc() buffers');
		return;
	}
	seq_printf(s, ' all memory, up to %#llx: ', end);
	if (is_swiotlb_force_bounce(dev)) seq_puts(s, 'everything bounces (swiotlb=force)');
	else if (is_swiotlb_active(dev)) seq_puts(s, 'the rest bounces');
	else seq_puts(s, 'the rest cannot be mapped, as there is no pool to bounce through');
}

/** What a device behind an IOMMU gets at, and what is mapped elsewhere than where it lies. */
function show_translated_reach(s: seq_file, dev: device): void {
	seq_printf(s, '; its addresses go up to %#llx', min_not_zero(dma_get_mask(dev), dev.bus_dma_limit));
	if (!is_swiotlb_active(dev)) return;
	if (dev_is_pci(dev) && to_pci_dev(dev).untrusted !== 0) seq_puts(s, '; all but whole pages bounces');
	else if (!dev.dma_coherent) seq_puts(s, '; small kmalloc() buffers bounce');
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

/** Where dma_alloc_coherent() takes from. */
function show_coherent_memory(s: seq_file, dev: device): void {
	const area = dev_get_cma_area(dev);

	seq_printf(s, '; coherent memory, up to %#llx, comes from ', dev.coherent_dma_mask);
	if (dev.dma_mem !== null) {
		seq_printf(
			s,
			'its own pool, %lu KiB at %#llx%s',
			(dev.dma_mem.size * PAGE_SIZE) / 1024,
			dev.dma_mem.pfn_base * PAGE_SIZE,
			dev.dma_mem.use_dev_dma_pfn_offset ? ' (memory-region)' : '',
		);
	} else if (use_dma_iommu(dev)) {
		seq_puts(s, 'pages anywhere');
	} else if (is_swiotlb_for_alloc(dev)) {
		seq_puts(s, 'its restricted pool');
	} else if (area !== null) {
		seq_printf(
			s,
			'%s %s, %lu KiB at %#llx%s',
			dev.cma_area !== null ? 'its CMA area' : 'CMA area',
			cma_get_name(area),
			cma_get_size(area) / 1024,
			cma_get_base(area),
			dev.cma_area !== null ? ' (memory-region)' : '',
		);
	} else {
		seq_puts(s, 'the page allocator');
	}

	if (dev.dma_mem !== null || dev.cma_area !== null || is_swiotlb_for_alloc(dev)) return;
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
	show_windows(s, dev);
	if (use_dma_iommu(dev)) show_translated_reach(s, dev);
	else show_direct_reach(s, dev);
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
