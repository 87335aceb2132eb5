// SPDX-License-Identifier: GPL-2.0-only
// Memory that the device tree reserves, and the devices that use it.
// Linux 6.12: drivers/of/of_reserved_mem.c
// Left out: the second, allocated table (of_reserved_mem_state.regions grows as it must).
import { of_device_is_available, of_parse_phandle } from '#drivers/of/base.js';
import {
	dt_mem_next_cell,
	flat_cells,
	initial_boot_params,
	of_fdt_device_is_available,
	of_flat_dt_is_compatible,
	of_get_flat_dt_prop,
} from '#drivers/of/fdt.js';
import { of_property_match_string } from '#drivers/of/property.js';
import { fdt_for_each_subnode } from '#lib/libfdt/fdt.js';
import { fdt_get_name, fdt_path_offset } from '#lib/libfdt/fdt_ro.js';
import { be32_to_cpup } from '#linux/byteorder/generic.js';
import { CMA_MIN_ALIGNMENT_BYTES } from '#linux/cma.js';
import { dev_info } from '#linux/dev_printk.js';
import type { device } from '#linux/device.js';
import { EBUSY, EINVAL, ENODEV, ENOENT, ENOMEM } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { boot_data } from '#linux/init.js';
import { list_add, list_for_each_entry_safe, list_head, list_move_tail } from '#linux/list.js';
import { MEMBLOCK_ALLOC_ANYWHERE } from '#linux/memblock.js';
import { DEFINE_MUTEX, mutex_lock, mutex_unlock } from '#linux/mutex.js';
import { of_node_put } from '#linux/of.js';
import { of_fdt } from '#linux/of_fdt.js';
import type { device_node } from '#linux/of_node.js';
import { __reservedmem_of_table, reserved_mem } from '#linux/of_reserved_mem.js';
import { pr_debug, pr_err, pr_info, pr_warn } from '#linux/printk.js';
import { kfree, kzalloc } from '#linux/slab.js';
import { type bool, type int, type phys_addr_t, ref, type unsigned_long } from '#linux/types.js';
import {
	memblock,
	memblock_bottom_up,
	memblock_clear_nomap,
	memblock_is_region_reserved,
	memblock_mark_nomap,
	memblock_overlaps_region,
	memblock_phys_alloc_range,
	memblock_phys_free,
	memblock_reserve,
	memblock_set_bottom_up,
} from '#mm/memblock.js';

const MAX_RESERVED_REGIONS = 64;
const SMP_CACHE_BYTES = 64;
const SZ_1M = 0x10_0000;

/** Which device was given which region. */
class rmem_assigned_device {
	dev: device | null = null;
	rmem: reserved_mem | null = null;
	list: list_head<rmem_assigned_device> = new list_head<rmem_assigned_device>(this);
}

const state = boot_data(() => ({
	reserved_mem: [] as reserved_mem[],
	of_rmem_assigned_device_list: new list_head<rmem_assigned_device>(),
	of_rmem_assigned_device_mutex: DEFINE_MUTEX('of_rmem_assigned_device_mutex'),
}));

/** Bytes of one address and one size in the root's cells. */
function reg_len(): int {
	return (of_fdt.dt_root_addr_cells + of_fdt.dt_root_size_cells) * 4;
}

function has_prop(node: unsigned_long, name: string): bool {
	return of_get_flat_dt_prop(node, name, null) !== null;
}

/** Find room between start and end, and mark it as the node wants; 0 in @res_base is no room. */
function early_init_dt_alloc_reserved_memory_arch(
	size: phys_addr_t,
	align: phys_addr_t,
	start: phys_addr_t,
	end: phys_addr_t,
	nomap: bool,
	res_base: ref<phys_addr_t>,
): int {
	const base = memblock_phys_alloc_range(
		size,
		align === 0 ? SMP_CACHE_BYTES : align,
		start,
		end === 0 ? MEMBLOCK_ALLOC_ANYWHERE : end,
	);
	if (base === 0) return -ENOMEM;
	res_base.value = base;
	if (!nomap) return 0;
	const err = memblock_mark_nomap(base, size);
	if (err !== 0) memblock_phys_free(base, size);
	return err;
}

/** Keep a region for later, and let its kind have it now. */
function fdt_reserved_mem_save_node(
	node: unsigned_long,
	uname: string,
	base: phys_addr_t,
	size: phys_addr_t,
): void {
	if (state.reserved_mem.length === MAX_RESERVED_REGIONS) {
		pr_err('OF: reserved mem: not enough space for all defined regions.');
		return;
	}
	const rmem = new reserved_mem();
	rmem.fdt_node = node;
	rmem.name = uname;
	rmem.base = base;
	rmem.size = size;
	fdt_init_reserved_mem_node(rmem);
	state.reserved_mem.push(rmem);
}

function early_init_dt_reserve_memory(base: phys_addr_t, size: phys_addr_t, nomap: bool): int {
	if (!nomap) return memblock_reserve(base, size);
	// What someone else reserved stays in the linear map.
	if (memblock_overlaps_region(memblock().memory, base, size) && memblock_is_region_reserved(base, size))
		return -EBUSY;
	return memblock_mark_nomap(base, size);
}

/** Reserve each range of the node's reg; -ENOENT when it has none. */
function __reserved_mem_reserve_reg(node: unsigned_long, uname: string): int {
	const t_len = reg_len();
	const len = new ref<int>(0);
	const prop = of_get_flat_dt_prop(node, 'reg', len);
	if (prop === null) return -ENOENT;
	if (len.value !== 0 && len.value % t_len !== 0) {
		pr_err("Reserved memory: invalid reg property in '%s', skipping node.", uname);
		return -EINVAL;
	}
	const nomap = has_prop(node, 'no-map');
	const cells = new flat_cells(prop);
	for (let left = len.value; left >= t_len; left -= t_len) {
		const base = dt_mem_next_cell(of_fdt.dt_root_addr_cells, cells);
		const size = dt_mem_next_cell(of_fdt.dt_root_size_cells, cells);
		const mib = Math.floor(size / SZ_1M);
		if (size !== 0 && early_init_dt_reserve_memory(base, size, nomap) === 0) {
			pr_debug("Reserved memory: reserved region for node '%s': base %pa, size %lu MiB", uname, base, mib);
		} else {
			pr_err(
				"Reserved memory: failed to reserve memory for node '%s': base %pa, size %lu MiB",
				uname,
				base,
				mib,
			);
		}
	}
	return 0;
}

/** /reserved-memory must count in the root's cells and have ranges. */
function __reserved_mem_check_root(node: unsigned_long): int {
	const size_cells = of_get_flat_dt_prop(node, '#size-cells', null);
	if (size_cells === null || size_cells.length < 4 || be32_to_cpup(size_cells) !== of_fdt.dt_root_size_cells)
		return -EINVAL;
	const addr_cells = of_get_flat_dt_prop(node, '#address-cells', null);
	if (addr_cells === null || addr_cells.length < 4 || be32_to_cpup(addr_cells) !== of_fdt.dt_root_addr_cells)
		return -EINVAL;
	return has_prop(node, 'ranges') ? 0 : -EINVAL;
}

/**
 * When the tree is unflattened: make a reserved_mem of each region that has a reg
 * (drivers/of/of_reserved_mem.c: fdt_scan_reserved_mem_reg_nodes()).
 */
export function fdt_scan_reserved_mem_reg_nodes(): void {
	const fdt = initial_boot_params();
	const t_len = reg_len();
	const node = fdt_path_offset(fdt, '/reserved-memory');
	if (node < 0) {
		pr_info('OF: reserved mem: Reserved memory: No reserved-memory node in the DT');
		return;
	}
	if (__reserved_mem_check_root(node) !== 0) {
		pr_err('OF: reserved mem: Reserved memory: unsupported node format, ignoring');
		return;
	}
	for (const child of fdt_for_each_subnode(fdt, node)) {
		const len = new ref<int>(0);
		const prop = of_get_flat_dt_prop(child, 'reg', len);
		if (prop === null || !of_fdt_device_is_available(fdt, child)) continue;
		const uname = fdt_get_name(fdt, child) ?? '';
		if (len.value !== 0 && len.value % t_len !== 0) {
			pr_err("OF: reserved mem: Reserved memory: invalid reg property in '%s', skipping node.", uname);
			continue;
		}
		if (len.value < t_len) continue;
		if (len.value > t_len) {
			pr_warn(
				"OF: reserved mem: %s() ignores %d regions in node '%s'",
				'fdt_scan_reserved_mem_reg_nodes',
				len.value / t_len - 1,
				uname,
			);
		}
		const cells = new flat_cells(prop);
		const base = dt_mem_next_cell(of_fdt.dt_root_addr_cells, cells);
		const size = dt_mem_next_cell(of_fdt.dt_root_size_cells, cells);
		if (size !== 0) fdt_reserved_mem_save_node(child, uname, base, size);
	}
	__rmem_check_for_overlap();
}

/** Early in boot: reserve the fixed regions, then place the others (drivers/of/of_reserved_mem.c: fdt_scan_reserved_mem()). */
export function fdt_scan_reserved_mem(): int {
	const fdt = initial_boot_params();
	const node = fdt_path_offset(fdt, '/reserved-memory');
	if (node < 0) return -ENODEV;
	if (__reserved_mem_check_root(node) !== 0) {
		pr_err('OF: reserved mem: Reserved memory: unsupported node format, ignoring');
		return -EINVAL;
	}
	const dynamic_nodes: int[] = [];
	for (const child of fdt_for_each_subnode(fdt, node)) {
		if (!of_fdt_device_is_available(fdt, child)) continue;
		const uname = fdt_get_name(fdt, child) ?? '';
		const err = __reserved_mem_reserve_reg(child, uname);
		if (err !== -ENOENT || !has_prop(child, 'size')) continue;
		if (dynamic_nodes.length === MAX_RESERVED_REGIONS) {
			pr_err("OF: reserved mem: too many defined dynamic regions, skip '%s'", uname);
			continue;
		}
		// Placed once all fixed ones are known, so as not to sit on one of them.
		dynamic_nodes.push(child);
	}
	for (const child of dynamic_nodes) __reserved_mem_alloc_size(child, fdt_get_name(fdt, child) ?? '');
	return 0;
}

function touches_reserved(at: phys_addr_t): bool {
	for (const rmem of state.reserved_mem)
		if (rmem.size !== 0 && at >= rmem.base && at <= rmem.base + rmem.size) return true;
	return false;
}

/** Allocate inside an alloc-range, from the end of it that touches another region. */
function __reserved_mem_alloc_in_range(
	size: phys_addr_t,
	align: phys_addr_t,
	start: phys_addr_t,
	end: phys_addr_t,
	nomap: bool,
	res_base: ref<phys_addr_t>,
): int {
	const from_below = touches_reserved(start);
	const was_from_below = memblock_bottom_up();

	// Neither end, or both: no reason to prefer one.
	if (from_below === touches_reserved(end))
		return early_init_dt_alloc_reserved_memory_arch(size, align, start, end, nomap, res_base);

	memblock_set_bottom_up(from_below);
	const ret = early_init_dt_alloc_reserved_memory_arch(size, align, start, end, nomap, res_base);
	memblock_set_bottom_up(was_from_below);
	return ret;
}

/** Place a region that has only a size. */
function __reserved_mem_alloc_size(node: unsigned_long, uname: string): int {
	const t_len = reg_len();
	const len = new ref<int>(0);
	const size_prop = of_get_flat_dt_prop(node, 'size', len);
	if (size_prop === null) return -EINVAL;
	if (len.value !== of_fdt.dt_root_size_cells * 4) {
		pr_err("OF: reserved mem: invalid size property in '%s' node.", uname);
		return -EINVAL;
	}
	const size = dt_mem_next_cell(of_fdt.dt_root_size_cells, new flat_cells(size_prop));

	let align = 0;
	const align_prop = of_get_flat_dt_prop(node, 'alignment', len);
	if (align_prop !== null) {
		if (len.value !== of_fdt.dt_root_addr_cells * 4) {
			pr_err("OF: reserved mem: invalid alignment property in '%s' node.", uname);
			return -EINVAL;
		}
		align = dt_mem_next_cell(of_fdt.dt_root_addr_cells, new flat_cells(align_prop));
	}
	const nomap = has_prop(node, 'no-map');
	if (of_flat_dt_is_compatible(node, 'shared-dma-pool') && has_prop(node, 'reusable') && !nomap) {
		align = Math.max(align, CMA_MIN_ALIGNMENT_BYTES);
	}

	const base = new ref<phys_addr_t>(0);
	const ranges = of_get_flat_dt_prop(node, 'alloc-ranges', len);
	if (ranges !== null) {
		if (len.value % t_len !== 0) {
			pr_err("OF: reserved mem: invalid alloc-ranges property in '%s', skipping node.", uname);
			return -EINVAL;
		}
		const cells = new flat_cells(ranges);
		for (let left = len.value; left > 0; left -= t_len) {
			const start = dt_mem_next_cell(of_fdt.dt_root_addr_cells, cells);
			const end = start + dt_mem_next_cell(of_fdt.dt_root_size_cells, cells);
			if (__reserved_mem_alloc_in_range(size, align, start, end, nomap, base) === 0) break;
		}
	} else {
		early_init_dt_alloc_reserved_memory_arch(size, align, 0, 0, nomap, base);
	}
	if (base.value === 0) {
		pr_err(
			"OF: reserved mem: failed to allocate memory for node '%s': size %lu MiB",
			uname,
			Math.floor(size / SZ_1M),
		);
		return -ENOMEM;
	}
	pr_debug(
		"OF: reserved mem: allocated memory for '%s' node: base %pa, size %lu MiB",
		uname,
		base.value,
		Math.floor(size / SZ_1M),
	);
	fdt_reserved_mem_save_node(node, uname, base.value, size);
	return 0;
}

/** Offer a region to each driver of its kind until one takes it; -ENOENT: it has no kind. */
function __reserved_mem_init_node(rmem: reserved_mem): int {
	let ret = -ENOENT;
	for (const entry of __reservedmem_of_table) {
		if (!of_flat_dt_is_compatible(rmem.fdt_node, entry.compatible)) continue;
		ret = entry.init(rmem);
		if (ret === 0) {
			pr_info('OF: reserved mem: initialized node %s, compatible id %s', rmem.name, entry.compatible);
			break;
		}
	}
	return ret;
}

function __rmem_check_for_overlap(): void {
	const regions = state.reserved_mem;
	regions.sort((a, b) => a.base - b.base || a.size - b.size || a.fdt_node - b.fdt_node);
	for (let i = 0; i + 1 < regions.length; i++) {
		const here = regions[i];
		const next = regions[i + 1];
		if (here.base + here.size <= next.base) continue;
		pr_err(
			'OF: reserved mem: OVERLAP DETECTED!\n%s (%pa--%pa) overlaps with %s (%pa--%pa)',
			here.name,
			here.base,
			here.base + here.size,
			next.name,
			next.base,
			next.base + next.size,
		);
	}
}

/** Set a region up by its kind; one that its kind refuses goes back to the pool. */
function fdt_init_reserved_mem_node(rmem: reserved_mem): void {
	const nomap = has_prop(rmem.fdt_node, 'no-map');
	const err = __reserved_mem_init_node(rmem);
	if (err !== 0 && err !== -ENOENT) {
		pr_info('OF: reserved mem: node %s compatible matching fail', rmem.name);
		if (nomap) memblock_clear_nomap(rmem.base, rmem.size);
		else memblock_phys_free(rmem.base, rmem.size);
		return;
	}
	pr_info(
		'OF: reserved mem: %pa..%pa (%lu KiB) %s %s %s',
		rmem.base,
		rmem.base + rmem.size - 1,
		Math.floor(rmem.size / 1024),
		nomap ? 'nomap' : 'map',
		has_prop(rmem.fdt_node, 'reusable') ? 'reusable' : 'non-reusable',
		rmem.name === '' ? 'unknown' : rmem.name,
	);
}

/**
 * Give @dev the @idx-th region of @np's memory-region
 * (drivers/of/of_reserved_mem.c: of_reserved_mem_device_init_by_idx()). 0 also when that
 * region's node is disabled. -ENODEV: @np names none; -EINVAL: nobody takes care of that region.
 */
export function of_reserved_mem_device_init_by_idx(
	dev: device | null,
	np: device_node | null,
	idx: int,
): int {
	if (np === null || dev === null) return -EINVAL;

	const target = of_parse_phandle(np, 'memory-region', idx);
	if (target === null) return -ENODEV;
	const available = of_device_is_available(target);
	const rmem = available ? of_reserved_mem_lookup(target) : null;
	of_node_put(target);
	if (!available) return 0;
	if (!rmem?.ops?.device_init) return -EINVAL;

	// The record first: with @dev set up there must be no way to fail.
	const rd = kzalloc(rmem_assigned_device, GFP_KERNEL);
	if (rd === null) return -ENOMEM;
	rd.dev = dev;
	rd.rmem = rmem;
	const ret = rmem.ops.device_init(rmem, dev);
	if (ret !== 0) {
		kfree(rd);
		return ret;
	}

	mutex_lock(state.of_rmem_assigned_device_mutex);
	list_add(rd.list, state.of_rmem_assigned_device_list);
	mutex_unlock(state.of_rmem_assigned_device_mutex);
	dev_info(dev, 'assigned reserved memory node %s', rmem.name);
	return 0;
}

/**
 * The region that memory-region-names calls @name
 * (drivers/of/of_reserved_mem.c: of_reserved_mem_device_init_by_name()).
 */
export function of_reserved_mem_device_init_by_name(dev: device, np: device_node, name: string): int {
	return of_reserved_mem_device_init_by_idx(
		dev,
		np,
		of_property_match_string(np, 'memory-region-names', name),
	);
}

/** The first region of the device's own node (include/linux/of_reserved_mem.h: of_reserved_mem_device_init()). */
export function of_reserved_mem_device_init(dev: device): int {
	return of_reserved_mem_device_init_by_idx(dev, dev.of_node, 0);
}

/** Take all regions from @dev (drivers/of/of_reserved_mem.c: of_reserved_mem_device_release()). */
export function of_reserved_mem_device_release(dev: device): void {
	const release_list = new list_head<rmem_assigned_device>();
	mutex_lock(state.of_rmem_assigned_device_mutex);
	for (const rd of list_for_each_entry_safe(state.of_rmem_assigned_device_list)) {
		if (rd.dev === dev) list_move_tail(rd.list, release_list);
	}
	mutex_unlock(state.of_rmem_assigned_device_mutex);
	for (const rd of list_for_each_entry_safe(release_list)) {
		rd.rmem?.ops?.device_release?.(rd.rmem, dev);
		kfree(rd);
	}
}

/** The region of a node, by the node's name; null when it is none (drivers/of/of_reserved_mem.c: of_reserved_mem_lookup()). */
export function of_reserved_mem_lookup(np: device_node): reserved_mem | null {
	const name = np.full_name.slice(np.full_name.lastIndexOf('/') + 1);
	return state.reserved_mem.find((rmem) => rmem.name === name) ?? null;
}
