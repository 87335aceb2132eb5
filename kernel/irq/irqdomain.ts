// SPDX-License-Identifier: GPL-2.0-only
// Interrupt domains: a controller's numbers, and the Linux numbers for them.
// Linux 6.12: kernel/irq/irqdomain.c
//
// Left out: hierarchies, radix-tree maps for large controllers, legacy and simple domains, debugfs.

import {
	__irq_set_handler,
	irq_get_irq_data,
	irq_get_trigger_type,
	irq_set_chip_and_handler_name,
	irq_set_chip_data,
	irq_set_handler_data,
} from '#kernel/irq/chip.js';
import { irq_alloc_descs, irq_free_descs, irq_to_desc } from '#kernel/irq/irqdesc.js';
import { WARN, WARN_ON } from '#linux/bug.js';
import { EINVAL } from '#linux/errno.js';
import type { fwnode_handle } from '#linux/fwnode.js';
import { GFP_KERNEL } from '#linux/gfp_types.js';
import { boot_data } from '#linux/init.js';
import {
	IRQ_NOREQUEST,
	IRQ_TYPE_NONE,
	IRQ_TYPE_SENSE_MASK,
	type irq_chip,
	type irq_flow_handler_t,
	irqd_set_trigger_type,
} from '#linux/irq.js';
import type { irq_desc } from '#linux/irqdesc.js';
import { irq_domain, type irq_domain_ops, irq_fwspec, type irq_hw_number_t } from '#linux/irqdomain.js';
import { list_add, list_del, list_for_each_entry, list_head } from '#linux/list.js';
import { mutex, mutex_lock, mutex_unlock } from '#linux/mutex.js';
import { type device_node, of_fwnode_handle, type of_phandle_args, to_of_node } from '#linux/of_node.js';
import { pr_debug, pr_err, pr_info, pr_warn } from '#linux/printk.js';
import { kfree, kzalloc } from '#linux/slab.js';
import { type int, ref, type u32, type unsigned_int, type unsigned_long } from '#linux/types.js';

const state = boot_data(() => ({
	irq_domain_list: new list_head<irq_domain>(),
	irq_domain_mutex: new mutex('irq_domain_mutex'),
	irq_default_domain: null as irq_domain | null,
}));

function fwnode_name(fwnode: fwnode_handle | null): string {
	return fwnode?.ops?.get_name?.(fwnode) ?? 'unknown';
}

/**
 * A domain for a controller of @size interrupts; null without memory
 * (include/linux/irqdomain.h: irq_domain_create_linear()).
 */
export function irq_domain_create_linear(
	fwnode: fwnode_handle | null,
	size: unsigned_int,
	ops: irq_domain_ops,
	host_data: unknown,
): irq_domain | null {
	const domain = kzalloc(irq_domain, GFP_KERNEL);
	if (domain === null) return null;
	domain.fwnode = fwnode?.ops?.get?.(fwnode) ?? fwnode;
	domain.name = fwnode_name(fwnode);
	domain.ops = ops;
	domain.host_data = host_data;
	domain.hwirq_max = size;
	domain.revmap_size = size;
	domain.revmap = new Array<null>(size).fill(null);
	mutex_lock(state.irq_domain_mutex);
	list_add(domain.link, state.irq_domain_list);
	mutex_unlock(state.irq_domain_mutex);
	pr_debug('irq: Added domain %s', domain.name);
	return domain;
}

/** irq_domain_create_linear() for a node of the tree (include/linux/irqdomain.h: irq_domain_add_linear()). */
export function irq_domain_add_linear(
	of_node: device_node | null,
	size: unsigned_int,
	ops: irq_domain_ops,
	host_data: unknown,
): irq_domain | null {
	return irq_domain_create_linear(of_fwnode_handle(of_node), size, ops, host_data);
}

/** End a domain that has no mappings any more (kernel/irq/irqdomain.c: irq_domain_remove()). */
export function irq_domain_remove(domain: irq_domain): void {
	mutex_lock(state.irq_domain_mutex);
	WARN_ON(domain.mapcount !== 0);
	list_del(domain.link);
	if (state.irq_default_domain === domain) state.irq_default_domain = null;
	mutex_unlock(state.irq_domain_mutex);
	pr_debug('irq: Removed domain %s', domain.name);
	if (domain.fwnode !== null) domain.fwnode.ops?.put?.(domain.fwnode);
	kfree(domain);
}

/** The domain for an interrupt that nobody's firmware node names (kernel/irq/irqdomain.c: irq_set_default_host()). */
export function irq_set_default_host(domain: irq_domain | null): void {
	state.irq_default_domain = domain;
}

/** The domain of the controller @fwnode, or null (kernel/irq/irqdomain.c: irq_find_matching_fwnode()). */
export function irq_find_matching_fwnode(fwnode: fwnode_handle | null): irq_domain | null {
	let found: irq_domain | null = null;
	mutex_lock(state.irq_domain_mutex);
	for (const h of list_for_each_entry(state.irq_domain_list))
		if (fwnode !== null && h.fwnode === fwnode) {
			found = h;
			break;
		}
	mutex_unlock(state.irq_domain_mutex);
	return found;
}

/** The domain of the controller @node, or null (include/linux/irqdomain.h: irq_find_host()). */
export function irq_find_host(node: device_node | null): irq_domain | null {
	return irq_find_matching_fwnode(of_fwnode_handle(node));
}

/** The descriptor that @hwirq is mapped to, or null (kernel/irq/irqdomain.c: __irq_resolve_mapping()). */
export function __irq_resolve_mapping(domain: irq_domain | null, hwirq: irq_hw_number_t): irq_desc | null {
	const d = domain ?? state.irq_default_domain;
	const data = d === null || hwirq >= d.revmap_size ? null : d.revmap[hwirq];
	return data === null ? null : irq_to_desc(data.irq);
}

/** The Linux number of @hwirq, 0: not mapped (include/linux/irqdomain.h: irq_find_mapping()). */
export function irq_find_mapping(domain: irq_domain | null, hwirq: irq_hw_number_t): unsigned_int {
	return __irq_resolve_mapping(domain, hwirq)?.irq_data.irq ?? 0;
}

/** Bind a Linux number to a controller's (kernel/irq/irqdomain.c: irq_domain_associate()). */
export function irq_domain_associate(domain: irq_domain, virq: unsigned_int, hwirq: irq_hw_number_t): int {
	const irq_data = irq_get_irq_data(virq);
	if (WARN(hwirq >= domain.hwirq_max, 'error: hwirq 0x%x is too large for %s', hwirq, domain.name))
		return -EINVAL;
	if (WARN(irq_data === null, 'error: virq%i is not allocated', virq) || irq_data === null) return -EINVAL;
	if (WARN(irq_data.domain !== null, 'error: virq%i is already associated', virq)) return -EINVAL;

	mutex_lock(domain.mutex);
	irq_data.hwirq = hwirq;
	irq_data.domain = domain;
	const ret = domain.ops.map?.(domain, virq, hwirq) ?? 0;
	if (ret !== 0) {
		pr_info("irq: %s didn't like hwirq-0x%lx to VIRQ%i mapping (rc=%d)", domain.name, hwirq, virq, ret);
		irq_data.domain = null;
		irq_data.hwirq = 0;
	} else {
		domain.mapcount++;
		domain.revmap[hwirq] = irq_data;
		irq_clear_status_flags(virq, IRQ_NOREQUEST);
	}
	mutex_unlock(domain.mutex);
	return ret;
}

function irq_clear_status_flags(virq: unsigned_int, clr: unsigned_long): void {
	const desc = irq_to_desc(virq);
	if (desc !== null) desc.status_use_accessors &= ~clr;
}

/**
 * The Linux number of @hwirq, mapped now if it was not; 0 on failure (irq_create_mapping_affinity())
 * (include/linux/irqdomain.h: irq_create_mapping()).
 */
export function irq_create_mapping(domain: irq_domain | null, hwirq: irq_hw_number_t): unsigned_int {
	const d = domain ?? state.irq_default_domain;
	if (d === null) {
		WARN(true, '%s(%lx) called with NULL domain', 'irq_create_mapping_affinity', hwirq);
		return 0;
	}
	const old = irq_find_mapping(d, hwirq);
	if (old !== 0) {
		pr_debug('irq: existing mapping on virq %d', old);
		return old;
	}
	const virq = irq_alloc_descs(-1, 1, 1);
	if (virq <= 0) {
		pr_debug('irq: -> virq allocation failed');
		return 0;
	}
	if (irq_domain_associate(d, virq, hwirq) !== 0) {
		irq_free_descs(virq, 1);
		return 0;
	}
	pr_debug('irq: irq %lu on domain %s mapped to virq %u', hwirq, d.name, virq);
	return virq;
}

function irq_domain_translate(
	d: irq_domain,
	fwspec: irq_fwspec,
	hwirq: ref<unsigned_long>,
	type: ref<unsigned_int>,
): int {
	const { translate, xlate } = d.ops;

	if (translate) return translate(d, fwspec, hwirq, type);
	if (xlate) return xlate(d, to_of_node(fwspec.fwnode), fwspec.param, fwspec.param_count, hwirq, type);
	// Without a word from the controller the first cell is the number.
	hwirq.value = fwspec.param[0];
	return 0;
}

/**
 * The Linux number of an interrupt as firmware names it; 0 on failure
 * (kernel/irq/irqdomain.c: irq_create_fwspec_mapping()).
 */
export function irq_create_fwspec_mapping(fwspec: irq_fwspec): unsigned_int {
	const domain = fwspec.fwnode === null ? state.irq_default_domain : irq_find_matching_fwnode(fwspec.fwnode);
	const hwirq = new ref<unsigned_long>(0);
	const type = new ref<unsigned_int>(IRQ_TYPE_NONE);
	if (domain === null) {
		pr_warn('irq: no irq domain found for %s !', fwnode_name(fwspec.fwnode));
		return 0;
	}
	if (irq_domain_translate(domain, fwspec, hwirq, type) !== 0) return 0;
	if (WARN_ON((type.value & ~IRQ_TYPE_SENSE_MASK) !== 0)) type.value &= IRQ_TYPE_SENSE_MASK;

	let virq = irq_find_mapping(domain, hwirq.value);
	if (virq !== 0) {
		const old = irq_get_trigger_type(virq);
		if (type.value === IRQ_TYPE_NONE || type.value === old) return virq;
		if (old === IRQ_TYPE_NONE) {
			const irq_data = irq_get_irq_data(virq);
			if (irq_data === null) return 0;
			irqd_set_trigger_type(irq_data, type.value);
			return virq;
		}
		pr_warn('irq: type mismatch, failed to map hwirq-%lu for %s!', hwirq.value, fwnode_name(fwspec.fwnode));
		return 0;
	}
	virq = irq_create_mapping(domain, hwirq.value);
	const irq_data = virq === 0 ? null : irq_get_irq_data(virq);
	if (irq_data === null) return 0;
	irqd_set_trigger_type(irq_data, type.value);
	return virq;
}

/**
 * The Linux number of an interrupt of the device tree; 0 on failure
 * (kernel/irq/irqdomain.c: irq_create_of_mapping()).
 */
export function irq_create_of_mapping(irq_data: of_phandle_args): unsigned_int {
	const fwspec = new irq_fwspec();
	fwspec.fwnode = of_fwnode_handle(irq_data.np);
	fwspec.param_count = irq_data.args_count;
	for (let i = 0; i < irq_data.args_count; i++) fwspec.param[i] = irq_data.args[i];
	return irq_create_fwspec_mapping(fwspec);
}

/** Undo a mapping; nobody may have requested it (kernel/irq/irqdomain.c: irq_dispose_mapping()). */
export function irq_dispose_mapping(virq: unsigned_int): void {
	const irq_data = virq === 0 ? null : irq_get_irq_data(virq);
	if (irq_data === null) return;
	const domain = irq_data.domain;
	if (WARN_ON(domain === null) || domain === null) return;
	mutex_lock(domain.mutex);
	domain.ops.unmap?.(domain, virq);
	__irq_set_handler(virq, null, false, null);
	domain.revmap[irq_data.hwirq] = null;
	domain.mapcount--;
	irq_data.domain = null;
	irq_data.hwirq = 0;
	irq_data.chip = null;
	mutex_unlock(domain.mutex);
	irq_free_descs(virq, 1);
}

/** Everything that a new mapping needs (kernel/irq/irqdomain.c: irq_domain_set_info()). */
export function irq_domain_set_info(
	domain: irq_domain,
	virq: unsigned_int,
	hwirq: irq_hw_number_t,
	chip: irq_chip,
	chip_data: unknown,
	handler: irq_flow_handler_t,
	handler_data: unknown,
	handler_name: string | null,
): void {
	const d = irq_get_irq_data(virq);
	if (d === null) {
		pr_err('irq: no irq_data for virq %u of %s', virq, domain.name);
		return;
	}
	d.hwirq = hwirq;
	irq_set_chip_data(virq, chip_data);
	irq_set_chip_and_handler_name(virq, chip, handler, handler_name);
	irq_set_handler_data(virq, handler_data);
}

/** Specifiers of a number, and perhaps a type (kernel/irq/irqdomain.c: irq_domain_xlate_onetwocell()). */
export function irq_domain_xlate_onetwocell(
	_d: irq_domain,
	_ctrlr: device_node | null,
	intspec: readonly u32[],
	intsize: unsigned_int,
	out_hwirq: ref<unsigned_long>,
	out_type: ref<unsigned_int>,
): int {
	if (WARN_ON(intsize < 1)) return -EINVAL;
	out_hwirq.value = intspec[0];
	out_type.value = intsize > 1 ? intspec[1] & IRQ_TYPE_SENSE_MASK : IRQ_TYPE_NONE;
	return 0;
}
