// SPDX-License-Identifier: GPL-2.0-only
// System controllers: one register map for all who use a node's registers.
// Linux 6.12: drivers/mfd/syscon.c
//
// Left out: clocks and resets of a controller, hardware locks, byte order, controllers that are devices.
import { regmap_init_mmio } from '#drivers/base/regmap/regmap.js';
import { of_address_to_resource, of_iomap } from '#drivers/of/address.js';
import { of_device_is_compatible } from '#drivers/of/base.js';
import { of_property_read_u32 } from '#drivers/of/property.js';
import { ERR_PTR, type err_ptr, IS_ERR } from '#linux/err.js';
import { EINVAL, ENOMEM } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp_types.js';
import { boot_data } from '#linux/init.js';
import { iounmap } from '#linux/io.js';
import { resource, resource_size } from '#linux/ioport.js';
import { list_add_tail, list_for_each_entry, list_head } from '#linux/list.js';
import { mutex, mutex_lock, mutex_unlock } from '#linux/mutex.js';
import type { device_node } from '#linux/of_node.js';
import { pr_err } from '#linux/printk.js';
import type { regmap } from '#linux/regmap.js';
import { kfree, kzalloc } from '#linux/slab.js';
import { ref, type u32 } from '#linux/types.js';

class syscon {
	np: device_node | null = null;
	regmap: regmap | null = null;
	readonly list = new list_head<syscon>(this);
}

const state = boot_data(() => ({
	syscon_list_lock: new mutex('syscon_list_lock'),
	syscon_list: new list_head<syscon>(),
}));

function of_syscon_register(np: device_node): syscon | err_ptr {
	const res = new resource();
	const reg_io_width = new ref<u32>(4);

	const new_syscon = kzalloc(syscon, GFP_KERNEL);
	if (new_syscon === null) return ERR_PTR(-ENOMEM);

	const base = of_address_to_resource(np, 0, res) !== 0 ? null : of_iomap(np, 0);
	if (base === null) {
		kfree(new_syscon);
		return ERR_PTR(-ENOMEM);
	}

	of_property_read_u32(np, 'reg-io-width', reg_io_width);
	const map = regmap_init_mmio(null, base, {
		reg_bits: 32,
		reg_stride: reg_io_width.value,
		val_bits: reg_io_width.value * 8,
		max_register: resource_size(res) - reg_io_width.value,
	});
	if (IS_ERR(map)) {
		pr_err('regmap init failed');
		iounmap(base);
		kfree(new_syscon);
		return map;
	}
	new_syscon.regmap = map;
	new_syscon.np = np;
	list_add_tail(new_syscon.list, state.syscon_list);
	return new_syscon;
}

/** The map of the registers of @np, a "syscon" node; else -EINVAL (drivers/mfd/syscon.c: syscon_node_to_regmap()). */
export function syscon_node_to_regmap(np: device_node): regmap | err_ptr {
	if (of_device_is_compatible(np, 'syscon') === 0) return ERR_PTR(-EINVAL);

	let found: syscon | err_ptr | null = null;
	mutex_lock(state.syscon_list_lock);
	for (const entry of list_for_each_entry(state.syscon_list)) if (entry.np === np) found = entry;
	found ??= of_syscon_register(np);
	mutex_unlock(state.syscon_list_lock);

	return IS_ERR(found) ? found : (found.regmap as regmap);
}
