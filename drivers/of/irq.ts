// SPDX-License-Identifier: GPL-2.0-only
// Interrupts in the device tree: who is the controller, and with which numbers.
// Linux 6.12: drivers/of/irq.c
//
// Left out: MSI domains, the workarounds for old Macintosh trees, controllers that abuse interrupt-map.
import {
	of_device_is_available,
	of_find_node_by_phandle,
	of_get_parent,
	of_get_property,
	of_parse_phandle,
	of_parse_phandle_with_args,
	of_tree,
} from '#drivers/of/base.js';
import { of_node_get, of_node_put } from '#drivers/of/dynamic.js';
import {
	of_property_match_string,
	of_property_read_bool,
	of_property_read_string_index,
	of_property_read_u32,
	of_property_read_u32_index,
} from '#drivers/of/property.js';
import { irq_get_trigger_type } from '#kernel/irq/chip.js';
import { irq_create_of_mapping, irq_find_host } from '#kernel/irq/irqdomain.js';
import { WARN_ON } from '#linux/bug.js';
import { be32_to_cpup } from '#linux/byteorder/generic.js';
import { EFAULT, EINVAL, ENOENT, ENOMEM, EPROBE_DEFER } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp_types.js';
import { DEFINE_RES_IRQ, type resource } from '#linux/ioport.js';
import type { irqchip_entry } from '#linux/irqchip.js';
import {
	list_add_tail,
	list_del,
	list_empty,
	list_first_entry,
	list_for_each_entry_safe,
	list_head,
} from '#linux/list.js';
import type { of_irq_init_cb_t } from '#linux/of_irq.js';
import {
	type device_node,
	MAX_PHANDLE_ARGS,
	OF_POPULATED,
	of_node_clear_flag,
	of_node_set_flag,
	of_phandle_args,
} from '#linux/of_node.js';
import { pr_debug, pr_err } from '#linux/printk.js';
import { kfree, kzalloc } from '#linux/slab.js';
import { type bool, type int, ref, type u32, type unsigned_int } from '#linux/types.js';

/** No way to an interrupt controller is longer. */
const OF_MAX_INTERRUPT_PARENTS = 64;

/**
 * The interrupt controller (or nexus) that @child's interrupts go to, with a reference
 * (drivers/of/irq.c: of_irq_find_parent()).
 */
export function of_irq_find_parent(child: device_node | null): device_node | null {
	let at = of_node_get(child);
	// DEVIATION: 6.12 goes on when interrupt-parent leads in a circle.
	for (let hops = 0; at !== null && hops < OF_MAX_INTERRUPT_PARENTS; hops++) {
		const parent = new ref<u32>(0);
		const p =
			of_property_read_u32(at, 'interrupt-parent', parent) !== 0
				? of_get_parent(at)
				: of_find_node_by_phandle(parent.value);
		of_node_put(at);
		at = p;
		if (p === null || of_get_property(p, '#interrupt-cells', null) !== null) return p;
	}
	of_node_put(at);
	if (at !== null) pr_err('OF: %pOF: interrupt-parent leads in a circle', child);
	return null;
}

/** Address cells of an interrupt nexus: those of the nearest node up that names them, else 2. */
function nexus_address_cells(ipar: device_node): int {
	for (let np: device_node | null = ipar; np !== null; np = np.parent) {
		const cells = of_get_property(np, '#address-cells', null);
		if (cells !== null && cells.length >= 4) return be32_to_cpup(cells);
	}
	return 2;
}

/**
 * Go through the interrupt-maps between @out_irq's node and its controller (drivers/of/irq.c: of_irq_parse_raw()).
 *
 * @addr: the cells of the device's address
 * @out_irq: node and specifier to start with; gets those at the controller
 * Returns 0, -EINVAL, -ENOENT.
 */
export function of_irq_parse_raw(addr: readonly u32[] | null, out_irq: of_phandle_args): int {
	let ipar = of_node_get(out_irq.np);
	const intsize = new ref<u32>(1);
	for (let hops = 0; ipar !== null && of_property_read_u32(ipar, '#interrupt-cells', intsize) !== 0; hops++) {
		const up = hops < OF_MAX_INTERRUPT_PARENTS ? of_irq_find_parent(ipar) : null;
		of_node_put(ipar);
		ipar = up;
	}
	if (ipar === null || out_irq.args_count !== intsize.value) {
		of_node_put(ipar);
		return -EINVAL;
	}
	let addrsize = nexus_address_cells(ipar);
	if (WARN_ON(addrsize + intsize.value > MAX_PHANDLE_ARGS)) {
		of_node_put(ipar);
		return -EFAULT;
	}
	let match_array: u32[] = [];
	for (let i = 0; i < addrsize; i++) match_array.push(addr?.[i] ?? 0);
	for (let i = 0; i < intsize.value; i++) match_array.push(out_irq.args[i]);

	for (let level = 0; ipar !== null && level < OF_MAX_INTERRUPT_PARENTS; level++) {
		const imap = of_get_property(ipar, 'interrupt-map', null);
		if (of_property_read_bool(ipar, 'interrupt-controller') && imap === null) {
			of_node_put(ipar);
			return 0;
		}
		let newpar: device_node | null;
		if (imap === null) {
			newpar = of_irq_find_parent(ipar);
		} else {
			const imask = of_get_property(ipar, 'interrupt-map-mask', null);
			const keys = match_array.length;
			let match = false;
			let at = 0;
			while (!match && at + (keys + 1) * 4 < imap.length) {
				match = true;
				for (let i = 0; i < keys; i++, at += 4) {
					const mask =
						imask !== null && (i + 1) * 4 <= imask.length ? be32_to_cpup(imask, i * 4) : 0xffff_ffff;
					if (((match_array[i] ^ be32_to_cpup(imap, at)) & mask) !== 0) match = false;
				}
				const np = of_find_node_by_phandle(be32_to_cpup(imap, at));
				const cells = new ref<u32>(0);
				const addr_cells = new ref<u32>(0);
				at += 4;
				if (np === null || of_property_read_u32(np, '#interrupt-cells', cells) !== 0) {
					of_node_put(np);
					of_node_put(ipar);
					return -EINVAL;
				}
				of_property_read_u32(np, '#address-cells', addr_cells);
				const count = addr_cells.value + cells.value;
				if (count > MAX_PHANDLE_ARGS || at + count * 4 > imap.length) {
					of_node_put(np);
					of_node_put(ipar);
					return -EINVAL;
				}
				match = match && of_device_is_available(np);
				if (match) {
					match_array = [];
					for (let i = 0; i < count; i++) match_array.push(be32_to_cpup(imap, at + i * 4));
					addrsize = addr_cells.value;
					out_irq.np = np;
					out_irq.args_count = cells.value;
					for (let i = 0; i < cells.value; i++) out_irq.args[i] = match_array[addrsize + i];
				} else {
					of_node_put(np);
				}
				at += count * 4;
			}
			if (!match) {
				of_node_put(ipar);
				return -EINVAL;
			}
			newpar = out_irq.np;
			if (newpar === ipar) {
				of_node_put(ipar);
				return 0;
			}
			of_node_get(newpar);
		}
		of_node_put(ipar);
		ipar = newpar;
	}
	// DEVIATION: 6.12 goes on.
	if (ipar !== null) pr_err('OF: %pOF: interrupt-map leads in a circle', ipar);
	of_node_put(ipar);
	return -ENOENT;
}

/**
 * Interrupt @index of @device: controller node, with a reference, and specifier
 * (drivers/of/irq.c: of_irq_parse_one()).
 */
export function of_irq_parse_one(device: device_node, index: int, out_irq: of_phandle_args): int {
	const reg = of_get_property(device, 'reg', null);
	const addr: u32[] = [0, 0, 0];
	for (let i = 0; reg !== null && i < 3 && i * 4 + 4 <= reg.length; i++) addr[i] = be32_to_cpup(reg, i * 4);

	if (of_parse_phandle_with_args(device, 'interrupts-extended', '#interrupt-cells', index, out_irq) !== 0) {
		const p = of_irq_find_parent(device);
		const intsize = new ref<u32>(0);
		if (p === null || of_property_read_u32(p, '#interrupt-cells', intsize) !== 0) {
			of_node_put(p);
			return -EINVAL;
		}
		out_irq.np = p;
		out_irq.args_count = intsize.value;
		for (let i = 0; i < intsize.value; i++) {
			const cell = new ref<u32>(0);
			const res = of_property_read_u32_index(device, 'interrupts', index * intsize.value + i, cell);
			if (res !== 0) {
				of_node_put(p);
				return res;
			}
			out_irq.args[i] = cell.value;
		}
	}
	return of_irq_parse_raw(addr, out_irq);
}

/**
 * Interrupt @index of @dev as a Linux number; 0 when it cannot be mapped
 * (drivers/of/irq.c: irq_of_parse_and_map()).
 */
export function irq_of_parse_and_map(dev: device_node, index: int): unsigned_int {
	const oirq = new of_phandle_args();
	if (of_irq_parse_one(dev, index, oirq) !== 0) return 0;
	const ret = irq_create_of_mapping(oirq);
	of_node_put(oirq.np);
	return ret;
}

/**
 * Interrupt @index of @dev as a Linux number (drivers/of/irq.c: of_irq_get()).
 *
 * Returns the number, 0 when the mapping failed, -EPROBE_DEFER while its controller is not there, another
 * negative errno when the tree is wrong.
 */
export function of_irq_get(dev: device_node, index: int): int {
	const oirq = new of_phandle_args();
	const rc = of_irq_parse_one(dev, index, oirq);
	if (rc !== 0) return rc;
	const domain = irq_find_host(oirq.np);
	const irq = domain === null ? -EPROBE_DEFER : irq_create_of_mapping(oirq);
	of_node_put(oirq.np);
	return irq;
}

/** An interrupt by its name in `interrupt-names` (drivers/of/irq.c: of_irq_get_byname()). */
export function of_irq_get_byname(dev: device_node, name: string): int {
	if (name === '') return -EINVAL;
	const index = of_property_match_string(dev, 'interrupt-names', name);
	return index < 0 ? index : of_irq_get(dev, index);
}

/** How many interrupts @dev has (drivers/of/irq.c: of_irq_count()). */
export function of_irq_count(dev: device_node): int {
	let nr = 0;
	for (; ; nr++) {
		const irq = new of_phandle_args();
		if (of_irq_parse_one(dev, nr, irq) !== 0) return nr;
		of_node_put(irq.np);
		// DEVIATION: of an interrupt that takes no cells there is one more, for ever, in 6.12.
		if (irq.args_count === 0) return nr;
	}
}

/** Interrupt @index as a resource; its number, or a negative errno (drivers/of/irq.c: of_irq_to_resource()). */
export function of_irq_to_resource(dev: device_node, index: int, r: resource | null): int {
	const irq = of_irq_get(dev, index);
	if (irq <= 0 || r === null) return irq;
	const name = new ref<string | null>(null);
	of_property_read_string_index(dev, 'interrupt-names', index, name);
	Object.assign(r, DEFINE_RES_IRQ(irq));
	r.name = name.value ?? dev.full_name;
	r.flags |= irq_get_trigger_type(irq);
	return irq;
}

/**
 * The first @nr_irqs interrupts of @dev as resources; how many there were
 * (drivers/of/irq.c: of_irq_to_resource_table()).
 */
export function of_irq_to_resource_table(dev: device_node, res: resource[], nr_irqs: int): int {
	let i = 0;
	while (i < nr_irqs && of_irq_to_resource(dev, i, res[i]) > 0) i++;
	return i;
}

/**
 * Set up the interrupt controllers of the tree, parents before children (drivers/of/irq.c: of_irq_init()).
 *
 * A controller without an entry in @matches is left alone, and so are those below it.
 */
export function of_irq_init(matches: readonly irqchip_entry[]): void {
	const waiting = new list_head<of_intc_desc>();
	const done = new list_head<of_intc_desc>();
	const complete = of_intc_collect(matches, waiting) === 0;

	// First those without a parent, then those below each that was set up, in that order.
	let parent: device_node | null = null;
	while (complete && !list_empty(waiting)) {
		for (const desc of list_for_each_entry_safe(waiting)) {
			if (desc.interrupt_parent !== parent) continue;
			list_del(desc.list);
			if (of_intc_init(desc) === 0) list_add_tail(desc.list, done);
			else of_intc_free(desc);
		}

		if (list_empty(done)) {
			pr_err('OF: of_irq_init: children remain, but no parents');
			break;
		}
		const next = list_first_entry(done);
		list_del(next.list);
		parent = next.dev;
		// Its node stays: it is a parent now.
		kfree(next);
	}

	for (const left of [done, waiting]) {
		for (const desc of list_for_each_entry_safe(left)) {
			list_del(desc.list);
			of_intc_free(desc);
		}
	}
}

/** A controller that of_irq_init() is to set up. */
class of_intc_desc {
	list: list_head<of_intc_desc> = new list_head<of_intc_desc>(this);
	irq_init_cb!: of_irq_init_cb_t;
	dev!: device_node;
	/** Whom it interrupts; null: the CPU. */
	interrupt_parent: device_node | null = null;
}

/** The available controllers of the tree that @matches knows, in @list. */
function of_intc_collect(matches: readonly irqchip_entry[], list: list_head<of_intc_desc>): int {
	for (let np = next_node(null); np !== null; np = next_node(np)) {
		if (!of_property_read_bool(np, 'interrupt-controller') || !of_device_is_available(np)) continue;

		for (const match of matches) {
			if (!of_compatible(np, match.compatible)) continue;

			const desc = kzalloc(of_intc_desc, GFP_KERNEL);
			if (desc === null) return -ENOMEM;
			desc.irq_init_cb = match.fn;
			desc.dev = of_node_get(np);
			// Of several parents the first stands for all: they are taken to be equally far from the CPU.
			desc.interrupt_parent = of_parse_phandle(np, 'interrupts-extended', 0) ?? of_irq_find_parent(np);
			if (desc.interrupt_parent === np) {
				of_node_put(np);
				desc.interrupt_parent = null;
			}
			list_add_tail(desc.list, list);
			break;
		}
	}
	return 0;
}

/** Have its driver set it up. A node in such hands gets no platform device. */
function of_intc_init(desc: of_intc_desc): int {
	const np = desc.dev;

	of_node_set_flag(np, OF_POPULATED);
	pr_debug('OF: of_irq_init: init %pOF (%p), parent %p', np, np, desc.interrupt_parent);
	const ret = desc.irq_init_cb(np, desc.interrupt_parent);
	if (ret !== 0) {
		pr_err('OF: of_irq_init: Failed to init %pOF (%p), parent %p', np, np, desc.interrupt_parent);
		of_node_clear_flag(np, OF_POPULATED);
	}
	return ret;
}

function of_intc_free(desc: of_intc_desc): void {
	of_node_put(desc.interrupt_parent);
	of_node_put(desc.dev);
	kfree(desc);
}

function next_node(prev: device_node | null): device_node | null {
	if (prev === null) return of_tree.of_root;
	if (prev.child !== null) return prev.child;
	let np: device_node | null = prev;
	while (np !== null && np.sibling === null) np = np.parent;
	return np === null ? null : np.sibling;
}

function of_compatible(np: device_node, compat: string): bool {
	return of_property_match_string(np, 'compatible', compat) >= 0;
}
