// SPDX-License-Identifier: GPL-2.0-only
// What is wrong with the `iommus` of a device: the part of /sys/kernel/debug/dma/decision about the tree.
// Linux 6.12: none. What drivers/of and drivers/iommu made of the property is looked up again, without a word in
// the log.

import { iommu_ops_from_fwnode } from '#drivers/iommu/iommu.js';
import { of_device_is_available, of_find_node_by_phandle, of_get_property } from '#drivers/of/base.js';
import { of_node_put } from '#drivers/of/dynamic.js';
import { seq_printf, seq_puts } from '#fs/seq_file.js';
import { be32_to_cpup } from '#linux/byteorder/generic.js';
import type { device } from '#linux/device.js';
import { dev_iommu_fwspec_get } from '#linux/iommu.js';
import { type device_node, of_fwnode_handle } from '#linux/of_node.js';
import type { seq_file } from '#linux/seq_file.js';
import type { bool, int, u32 } from '#linux/types.js';

const CELL = 4;

/** One entry of `iommus`, as it stands in the tree. */
class iommus_entry {
	phandle: u32 = 0;
	/** The node that it names, with a reference. */
	np: device_node | null = null;
	/** How many cells #iommu-cells asks for; -1: the node has no such property. */
	wanted: int = -1;
	/** How many are there, from this entry on. */
	left: int = 0;
	/** The offset of the next entry. */
	next: int = 0;
}

/** The entry at @at of @list; its node must be put. False: there is none. */
function read_entry(list: Uint8Array, at: int, entry: iommus_entry): bool {
	if (at + CELL > list.length) return false;
	entry.phandle = be32_to_cpup(list, at);
	entry.np = entry.phandle !== 0 ? of_find_node_by_phandle(entry.phandle) : null;
	const cells = of_get_property(entry.np, '#iommu-cells', null);
	entry.wanted = cells !== null && cells.length >= CELL ? be32_to_cpup(cells, 0) : -1;
	entry.left = Math.floor((list.length - at) / CELL) - 1;
	entry.next = at + CELL * (1 + entry.wanted);
	return true;
}

/** Whether the property can be read up to behind @entry. */
function is_well_formed(entry: iommus_entry): bool {
	return entry.np !== null && entry.wanted >= 0 && entry.wanted <= entry.left;
}

/** What is wrong with an entry that cannot be read. */
function show_malformed(s: seq_file, entry: iommus_entry): void {
	if (entry.phandle === 0) seq_puts(s, 'its iommus has an empty entry');
	else if (entry.np === null) seq_printf(s, 'its iommus names phandle %#x, which no node has', entry.phandle);
	else if (entry.wanted < 0)
		seq_printf(s, '%pOF, which its iommus names, is no IOMMU: it has no #iommu-cells', entry.np);
	else
		seq_printf(
			s,
			'its iommus gives %pOF %d of the %u cells that its #iommu-cells asks for',
			entry.np,
			entry.left,
			entry.wanted,
		);
}

/** Why an entry that can be read did not lead to an IOMMU. */
function show_refused(s: seq_file, entry: iommus_entry): void {
	const np = entry.np as device_node;
	let why = 'did not take it';

	if (!of_device_is_available(np)) why = 'is disabled';
	else if (iommu_ops_from_fwnode(of_fwnode_handle(np)) === null) why = 'has no driver';
	seq_printf(s, '%pOF, which its iommus names, %s', np, why);
}

/** Whether the kernel has a driver for the node of @entry, which can be read. */
function leads_to_iommu(entry: iommus_entry): bool {
	const np = entry.np as device_node;

	return of_device_is_available(np) && iommu_ops_from_fwnode(of_fwnode_handle(np)) !== null;
}

/** Say why @dev is behind no IOMMU: its first entry that does not lead to one, or the last. */
export function show_untranslated(s: seq_file, dev: device): void {
	const list = of_get_property(dev.of_node, 'iommus', null);
	const entry = new iommus_entry();

	seq_puts(s, 'direct: ');
	if (list === null) {
		seq_puts(
			s,
			dev.of_node === null ? 'it has no node in the tree, and so no iommus' : 'its node has no iommus',
		);
		return;
	}
	for (let at: int = 0; read_entry(list, at, entry); at = entry.next) {
		const good = is_well_formed(entry);
		const refused = good && (entry.next + CELL > list.length || !leads_to_iommu(entry));

		if (!good) show_malformed(s, entry);
		else if (refused) show_refused(s, entry);
		of_node_put(entry.np);
		if (!good || refused) return;
	}
	seq_puts(s, 'its iommus is empty');
}

/**
 * Say what of @dev's `iommus` cannot be so, although it is behind an IOMMU. Whether a master's number is one that the
 * hardware has, only the hardware knows.
 */
export function show_wrong_entries(s: seq_file, dev: device): void {
	const list = of_get_property(dev.of_node, 'iommus', null);
	const fwspec = dev_iommu_fwspec_get(dev);
	const entry = new iommus_entry();

	for (let at: int = 0; list !== null && read_entry(list, at, entry); at = entry.next) {
		const good = is_well_formed(entry);

		if (!good) {
			seq_puts(s, '; the rest is left out: ');
			show_malformed(s, entry);
		} else if (entry.wanted === 0 && fwspec !== null && fwspec.num_ids !== 0) {
			// The driver has taken a number from where there is none; others, of one master each, ask for none.
			seq_printf(s, '; its iommus names no master: #iommu-cells of %pOF is 0', entry.np);
		}
		of_node_put(entry.np);
		if (!good) break;
	}
}
