// SPDX-License-Identifier: GPL-2.0-only
// By which name user space would look for the module of a device-tree node.
// Linux 6.12: drivers/of/module.c
//
// Left out: of_request_module(); every driver is built in.
import { of_find_property, of_node_get_device_type, of_prop_string_at } from '#drivers/of/base.js';
import { of_prop_next_string } from '#drivers/of/property.js';
import { EINVAL } from '#linux/errno.js';
import type { device_node } from '#linux/of_node.js';
import type { ref, ssize_t } from '#linux/types.js';

/**
 * The modalias of @np: its name, its type, all that it is compatible with (drivers/of/module.c: of_modalias()).
 *
 * @str: gets what fits into @len bytes, the NUL included; an entry that does not fit is left out whole
 * Returns the length that would be needed, without the NUL; -EINVAL for a length below 0.
 */
export function of_modalias(np: device_node, str: ref<string>, len: ssize_t): ssize_t {
	if (len < 0) return -EINVAL;

	const head = `of:N${np.name}T${of_node_get_device_type(np) ?? '(null)'}`;
	let needed = head.length;
	str.value = head.slice(0, Math.max(len - 1, 0));
	let left = len - str.value.length;

	const prop = of_find_property(np, 'compatible', null);
	for (let at = of_prop_next_string(prop, null); at !== null; at = of_prop_next_string(prop, at)) {
		const entry = `C${of_prop_string_at(at).replaceAll(' ', '_')}`;

		needed += entry.length;
		if (entry.length >= left) continue;
		str.value += entry;
		left -= entry.length;
	}
	return needed;
}
