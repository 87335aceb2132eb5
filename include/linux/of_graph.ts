// SPDX-License-Identifier: GPL-2.0-only
// Ports and endpoints: how devices are connected in the device tree.
// Linux 6.12: include/linux/of_graph.h

import { of_graph_get_next_endpoint } from '#drivers/of/property.js';
import type { device_node } from '#linux/of.js';
import type { unsigned_int } from '#linux/types.js';

export class of_endpoint {
	/** The `reg` of the port. */
	port: unsigned_int = 0;
	/** The `reg` of the endpoint. */
	id: unsigned_int = 0;
	local_node: device_node | null = null;
}

/** Each endpoint below @parent (include/linux/of_graph.h: for_each_endpoint_of_node()). */
export function* for_each_endpoint_of_node(parent: device_node): Iterable<device_node> {
	for (
		let child = of_graph_get_next_endpoint(parent, null);
		child !== null;
		child = of_graph_get_next_endpoint(parent, child)
	)
		yield child;
}
