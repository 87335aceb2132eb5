// SPDX-License-Identifier: GPL-2.0-only
// The tree of claimed addresses.
// Linux 6.12: kernel/resource.c
//
// Left out: port I/O, finding free ranges, splitting and merging, waiting for muxed regions, /dev/mem policy.
import { devres_add, devres_alloc, devres_free, devres_release } from '#drivers/base/devres.js';
import { proc_create_single } from '#fs/proc/generic.js';
import { seq_puts } from '#fs/seq_file.js';
import { WARN_ON } from '#linux/bug.js';
import type { device } from '#linux/device.js';
import { EBUSY, EINVAL } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp_types.js';
import { boot_data, device_initcall } from '#linux/init.js';
import { IORESOURCE_BUSY, IORESOURCE_MEM, IORESOURCE_TYPE_BITS, resource } from '#linux/ioport.js';
import { PFN_DOWN, PFN_UP } from '#linux/pfn.js';
import { pr_warn } from '#linux/printk.js';
import { kfree, kzalloc } from '#linux/slab.js';
import { DEFINE_SPINLOCK, spin_lock, spin_unlock } from '#linux/spinlock.js';
import { type int, type resource_size_t, U64_MAX, type unsigned_long } from '#linux/types.js';

function root_resource(): resource {
	const root = new resource();
	root.name = 'PCI mem';
	root.end = U64_MAX;
	root.flags = IORESOURCE_MEM;
	return root;
}

/** All memory addresses (kernel/resource.c: iomem_resource). The object stays, its children begin anew at each boot. */
export const iomem_resource: resource = boot_data(root_resource);
const resource_lock = DEFINE_SPINLOCK('resource_lock');

/** Put @new_res under @root; what is in the way, or null (kernel/resource.c: __request_resource()). */
function __request_resource(root: resource, new_res: resource): resource | null {
	const { start, end } = new_res;
	if (end < start || start < root.start || end > root.end) return root;
	let before: resource | null = null;
	for (let tmp = root.child; ; tmp = tmp.sibling) {
		if (tmp === null || tmp.start > end) {
			new_res.sibling = tmp;
			if (before === null) root.child = new_res;
			else before.sibling = new_res;
			new_res.parent = root;
			return null;
		}
		before = tmp.end < start ? tmp : before;
		if (tmp.end >= start) return tmp;
	}
}

/** Put @new_res under @root: 0 or -EBUSY (kernel/resource.c: request_resource()). */
export function request_resource(root: resource, new_res: resource): int {
	spin_lock(resource_lock);
	const conflict = __request_resource(root, new_res);
	spin_unlock(resource_lock);
	return conflict !== null ? -EBUSY : 0;
}

/** Put @new_res under @parent, over those that lie in it: 0 or -EBUSY (kernel/resource.c: insert_resource()). */
export function insert_resource(parent: resource, new_res: resource): int {
	spin_lock(resource_lock);
	let top = parent;
	let conflict = __request_resource(top, new_res);
	// Go down to the smallest resource that holds the new one.
	while (
		conflict !== null &&
		conflict !== top &&
		conflict.start <= new_res.start &&
		conflict.end >= new_res.end &&
		!(conflict.start === new_res.start && conflict.end === new_res.end)
	) {
		top = conflict;
		conflict = __request_resource(top, new_res);
	}
	let ret = 0;
	if (conflict === top) {
		ret = -EBUSY;
	} else if (conflict !== null) {
		let last = conflict;
		let inside = last.start >= new_res.start && last.end <= new_res.end;
		while (last.sibling !== null && last.sibling.start <= new_res.end) {
			last = last.sibling;
			inside = inside && last.end <= new_res.end;
		}
		if (!inside) {
			ret = -EBUSY;
		} else {
			let before: resource | null = null;
			for (let p = top.child; p !== conflict && p !== null; p = p.sibling) before = p;
			new_res.parent = top;
			new_res.sibling = last.sibling;
			new_res.child = conflict;
			last.sibling = null;
			for (let p: resource | null = conflict; p !== null; p = p.sibling) p.parent = new_res;
			if (before === null) top.child = new_res;
			else before.sibling = new_res;
		}
	}
	spin_unlock(resource_lock);
	return ret;
}

/** Take @old out of the tree: 0, or -EINVAL when it is not in it (kernel/resource.c: release_resource()). */
export function release_resource(old: resource): int {
	spin_lock(resource_lock);
	const ret = __release_resource(old);
	spin_unlock(resource_lock);
	return ret;
}

function __release_resource(old: resource): int {
	const parent = old.parent;
	if (parent === null) return -EINVAL;
	let before: resource | null = null;
	let p = parent.child;
	while (p !== null && p !== old) {
		before = p;
		p = p.sibling;
	}
	if (p === null) return -EINVAL;
	// Its children move up into its place.
	let tail: resource | null = old.child;
	for (let c = old.child; c !== null; c = c.sibling) {
		c.parent = parent;
		tail = c;
	}
	const first = old.child ?? old.sibling;
	if (tail !== null) tail.sibling = old.sibling;
	if (before === null) parent.child = first;
	else before.sibling = first;
	old.parent = null;
	old.child = null;
	old.sibling = null;
	return 0;
}

/**
 * Claim @n addresses from @start on, busy (kernel/resource.c: __request_region()).
 *
 * @parent: iomem_resource
 * Returns the new resource; null when somebody has part of them, or without memory.
 */
export function __request_region(
	parent: resource,
	start: resource_size_t,
	n: resource_size_t,
	name: string | null,
	flags: int,
): resource | null {
	const res = kzalloc(resource, GFP_KERNEL);
	if (res === null) return null;
	res.name = name;
	res.start = start;
	res.end = start + n - 1;
	spin_lock(resource_lock);
	let top = parent;
	let conflict: resource | null;
	for (;;) {
		res.flags = ((top.flags & IORESOURCE_TYPE_BITS) | IORESOURCE_BUSY | flags) >>> 0;
		conflict = __request_resource(top, res);
		if (conflict === null || conflict === top) break;
		// What is only described, as by firmware, may be claimed inside.
		if ((conflict.flags & IORESOURCE_BUSY) !== 0) break;
		top = conflict;
	}
	spin_unlock(resource_lock);
	if (conflict !== null) {
		kfree(res);
		return null;
	}
	return res;
}

/** Give back what __request_region() claimed (kernel/resource.c: __release_region()). */
export function __release_region(parent: resource, start: resource_size_t, n: resource_size_t): void {
	const end = start + n - 1;
	spin_lock(resource_lock);
	let found: resource | null = null;
	for (let res = parent.child; res !== null; ) {
		if (res.start <= start && res.end >= end) {
			if ((res.flags & IORESOURCE_BUSY) === 0) {
				res = res.child;
				continue;
			}
			if (res.start === start && res.end === end) found = res;
			break;
		}
		res = res.sibling;
	}
	if (found !== null) __release_resource(found);
	spin_unlock(resource_lock);
	if (found !== null) kfree(found);
	else pr_warn('resource: Trying to free nonexistent resource <%pa-%pa>', start, end);
}

/** Claim addresses of iomem: null when somebody has them (include/linux/ioport.h: request_mem_region()). */
export function request_mem_region(
	start: resource_size_t,
	n: resource_size_t,
	name: string | null,
): resource | null {
	return __request_region(iomem_resource, start, n, name, 0);
}

/** Give back what request_mem_region() claimed (include/linux/ioport.h: release_mem_region()). */
export function release_mem_region(start: resource_size_t, n: resource_size_t): void {
	__release_region(iomem_resource, start, n);
}

class region_devres {
	parent: resource | null = null;
	start: resource_size_t = 0;
	n: resource_size_t = 0;
}

function devm_region_release(_dev: device, data: unknown): void {
	const res = data as region_devres;
	__release_region(res.parent as resource, res.start, res.n);
}

function devm_region_match(_dev: device, data: unknown, match_data: unknown): int {
	const res = data as region_devres;
	const match = match_data as region_devres;
	return res.parent === match.parent && res.start === match.start && res.n === match.n ? 1 : 0;
}

/** A claim that ends with @dev's binding (kernel/resource.c: __devm_request_region()). */
export function __devm_request_region(
	dev: device,
	parent: resource,
	start: resource_size_t,
	n: resource_size_t,
	name: string | null,
): resource | null {
	const dr = devres_alloc(devm_region_release, region_devres, GFP_KERNEL);
	if (dr === null) return null;
	dr.parent = parent;
	dr.start = start;
	dr.n = n;
	const res = __request_region(parent, start, n, name, 0);
	if (res !== null) devres_add(dev, dr);
	else devres_free(dr);
	return res;
}

/** request_mem_region() that ends with the binding of @dev (include/linux/ioport.h: devm_request_mem_region()). */
export function devm_request_mem_region(
	dev: device,
	start: resource_size_t,
	n: resource_size_t,
	name: string | null,
): resource | null {
	return __devm_request_region(dev, iomem_resource, start, n, name);
}

/** Give back a claim before its time (kernel/resource.c: __devm_release_region()). */
export function devm_release_mem_region(dev: device, start: resource_size_t, n: resource_size_t): void {
	const match = new region_devres();
	match.parent = iomem_resource;
	match.start = start;
	match.n = n;
	WARN_ON(devres_release(dev, devm_region_release, devm_region_match, match) !== 0);
}

/**
 * Call @func for each run of whole pages of System RAM in [start_pfn, start_pfn + nr_pages).
 *
 * Returns what @func answered last: other than 0 ends the walk; -EINVAL when there is no RAM in the range.
 * Linux: kernel/resource.c: walk_system_ram_range()
 */
export function walk_system_ram_range<T>(
	start_pfn: unsigned_long,
	nr_pages: unsigned_long,
	arg: T,
	func: (start_pfn: unsigned_long, nr_pages: unsigned_long, arg: T) => int,
): int {
	let ret = -EINVAL;
	for (let r = iomem_resource.child; r !== null; r = r.sibling) {
		if (r.name !== 'System RAM') continue;
		const first = Math.max(start_pfn, PFN_UP(r.start));
		const end = Math.min(start_pfn + nr_pages, PFN_DOWN(r.end + 1));
		if (first >= end) continue;
		ret = func(first, end - first, arg);
		if (ret !== 0) break;
	}
	return ret;
}

/** The text of /proc/iomem: five levels, two spaces each (kernel/resource.c: r_show()). */
export function iomem_text(): string {
	const MAX_IORES_LEVEL = 5;
	const width = 8;
	let text = '';
	const show = (first: resource | null, depth: int): void => {
		for (let r = first; r !== null; r = r.sibling) {
			const range = `${r.start.toString(16).padStart(width, '0')}-${r.end.toString(16).padStart(width, '0')}`;
			text += `${'  '.repeat(Math.min(depth, MAX_IORES_LEVEL))}${range} : ${r.name ?? '<BAD>'}\n`;
			show(r.child, depth + 1);
		}
	};
	show(iomem_resource.child, 0);
	return text;
}

/** Make /proc/iomem (kernel/resource.c: ioresources_init()). */
function ioresources_init(): int {
	proc_create_single('iomem', 0, null, (m) => {
		seq_puts(m, iomem_text());
		return 0;
	});
	return 0;
}
device_initcall(ioresources_init);
