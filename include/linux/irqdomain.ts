// SPDX-License-Identifier: GPL-2.0-only
// Interrupt domains: from the numbers of a controller to Linux numbers.
// Linux 6.12: include/linux/irqdomain.h
//
// Left out: hierarchies, legacy mappings, MSI domains, generic chips.
import type { fwnode_handle } from '#linux/fwnode.js';
import type { irq_data, irq_desc } from '#linux/irqdesc.js';
import { list_head } from '#linux/list.js';
import { mutex } from '#linux/mutex.js';
import type { device_node } from '#linux/of.js';
import type { int, ref, u32, unsigned_int, unsigned_long } from '#linux/types.js';

export type irq_hw_number_t = unsigned_long;
export const IRQ_DOMAIN_IRQ_SPEC_PARAMS = 16;

/** An interrupt as firmware names it. */
export class irq_fwspec {
	fwnode: fwnode_handle | null = null;
	param_count: int = 0;
	param: u32[] = new Array<u32>(IRQ_DOMAIN_IRQ_SPEC_PARAMS).fill(0);
}

export interface irq_domain_ops {
	match?: (d: irq_domain, node: device_node) => boolean;
	/** Prepares the descriptor of a new mapping. */
	map?: (d: irq_domain, virq: unsigned_int, hw: irq_hw_number_t) => int;
	unmap?: (d: irq_domain, virq: unsigned_int) => void;
	translate?: (
		d: irq_domain,
		fwspec: irq_fwspec,
		out_hwirq: ref<unsigned_long>,
		out_type: ref<unsigned_int>,
	) => int;
	xlate?: (
		d: irq_domain,
		node: device_node | null,
		intspec: readonly u32[],
		intsize: unsigned_int,
		out_hwirq: ref<unsigned_long>,
		out_type: ref<unsigned_int>,
	) => int;
}

export class irq_domain {
	link: list_head<irq_domain> = new list_head<irq_domain>(this);
	name: string = '';
	ops: irq_domain_ops = {};
	host_data: unknown = null;
	flags: unsigned_int = 0;
	mapcount: unsigned_int = 0;
	mutex: mutex = new mutex('irq_domain.mutex');
	fwnode: fwnode_handle | null = null;
	hwirq_max: irq_hw_number_t = 0;
	revmap_size: unsigned_int = 0;
	/** By number at the controller; a null has no mapping. */
	revmap: (irq_data | null)[] = [];
}

export type { irq_data, irq_desc };
