// SPDX-License-Identifier: GPL-2.0-only
// References to device-tree nodes.
// Linux 6.12: drivers/of/dynamic.c
//
// Left out: attaching and detaching nodes, changesets, notifiers. So no node may lose its last reference.
import { kobject_get, kobject_init, kobject_put } from '#lib/kobject.js';
import type { kobj_type, kobject } from '#linux/kobject.js';
import type { device_node } from '#linux/of_node.js';
import { pr_err } from '#linux/printk.js';

function of_node_release(kobj: kobject): void {
	const node = kobj.container as device_node;
	pr_err('OF: ERROR: %s() detected bad of_node_put() on %pOF', 'of_node_release', node);
}

const of_node_ktype: kobj_type = { release: of_node_release };

/** Give @node its first reference (include/linux/of.h: of_node_init()). */
export function of_node_init(node: device_node): void {
	kobject_init(node.kobj, of_node_ktype);
}

/** One reference more; null stays null (drivers/of/dynamic.c: of_node_get()). */
export function of_node_get<T extends device_node | null>(node: T): T {
	if (node !== null) kobject_get(node.kobj);
	return node;
}

/** One reference less (drivers/of/dynamic.c: of_node_put()). */
export function of_node_put(node: device_node | null): void {
	if (node !== null) kobject_put(node.kobj);
}
