// SPDX-License-Identifier: GPL-2.0-only
// Clocks: a tree with counts of users, and finding them in the device tree.
// Linux 6.12: drivers/clk/clk.c
//
// Left out: changing parents, rate ranges and requests (a rate goes to the clock itself, or up with
// CLK_SET_RATE_PARENT), notifiers, orphans that wait for a parent registered later, phases, runtime PM,
// switching off what nobody uses, debugfs.
import { devm_add_action_or_reset } from '#drivers/base/devres.js';
import {
	__of_find_all_nodes,
	of_device_is_available,
	of_device_is_compatible,
	of_parse_phandle_with_args,
} from '#drivers/of/base.js';
import { of_node_get, of_node_put } from '#drivers/of/dynamic.js';
import { of_property_match_string, of_property_read_string_index } from '#drivers/of/property.js';
import { WARN } from '#linux/bug.js';
import {
	__clk_of_table,
	CLK_IS_CRITICAL,
	CLK_SET_RATE_PARENT,
	type clk_hw,
	type clk_hw_onecell_data,
	type clk_ops,
	type of_clk_get_hw,
} from '#linux/clk-provider.js';
import { dev_name, type device } from '#linux/device.js';
import { ERR_PTR, type err_ptr, IS_ERR, IS_ERR_OR_NULL } from '#linux/err.js';
import { EEXIST, EINVAL, ENOENT, ENOMEM, EPROBE_DEFER, ESHUTDOWN } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp_types.js';
import { boot_data } from '#linux/init.js';
import {
	list_add,
	list_del,
	list_first_entry_or_null,
	list_for_each_entry,
	list_for_each_entry_safe,
	list_head,
	list_next_entry,
} from '#linux/list.js';
import { lockdep_assert_held } from '#linux/lockdep.js';
import { mutex, mutex_lock, mutex_unlock } from '#linux/mutex.js';
import { type device_node, of_phandle_args } from '#linux/of_node.js';
import { pr_err, pr_warn } from '#linux/printk.js';
import { kfree, kzalloc } from '#linux/slab.js';
import { spin_lock_irqsave, spin_unlock_irqrestore, spinlock_t } from '#linux/spinlock.js';
import { type int, type long, ref, type unsigned_int, type unsigned_long } from '#linux/types.js';

/** What the framework knows of a clock, whoever holds it. */
export class clk_core {
	name: string = '';
	ops: clk_ops = {};
	hw: clk_hw | null = null;
	dev: device | null = null;
	parent: clk_core | null = null;
	rate: unsigned_long = 0;
	flags: unsigned_long = 0;
	enable_count: unsigned_int = 0;
	prepare_count: unsigned_int = 0;
	/** In the list of all clocks. */
	node: list_head<clk_core> = new list_head<clk_core>(this);
}

/** A user's hold on a clock. */
export class clk {
	core: clk_core | null = null;
	dev: device | null = null;
	dev_id: string | null = null;
	con_id: string | null = null;
}

export class clk_bulk_data {
	id: string | null = null;
	clk: clk | null = null;
}

class of_clk_provider {
	link: list_head<of_clk_provider> = new list_head<of_clk_provider>(this);
	node: device_node | null = null;
	get_hw: of_clk_get_hw | null = null;
	data: unknown = null;
}

const state = boot_data(() => ({
	prepare_lock: new mutex('prepare_lock'),
	enable_lock: new spinlock_t('enable_lock'),
	clk_list: new list_head<clk_core>(),
	of_clk_providers: new list_head<of_clk_provider>(),
	of_clk_mutex: new mutex('of_clk_mutex'),
	/** Providers whose node holds prepare_lock may look up clocks in their callbacks. */
	prepare_depth: 0,
}));

function clk_prepare_lock(): void {
	if (state.prepare_depth++ === 0) mutex_lock(state.prepare_lock);
}

function clk_prepare_unlock(): void {
	if (--state.prepare_depth === 0) mutex_unlock(state.prepare_lock);
}

/** The name of the clock behind @clk; null of none (drivers/clk/clk.c: __clk_get_name()). */
export function __clk_get_name(c: clk | null): string | null {
	return c?.core?.name ?? null;
}

/** The name of @hw, which the whole system knows it by (drivers/clk/clk.c: clk_hw_get_name()). */
export function clk_hw_get_name(hw: clk_hw): string {
	return hw.core?.name ?? '';
}

/** @hw's parent, or null: it is a root, or the parent is not there yet (drivers/clk/clk.c: clk_hw_get_parent()). */
export function clk_hw_get_parent(hw: clk_hw): clk_hw | null {
	return hw.core?.parent?.hw ?? null;
}

/** The rate of @hw in Hz, as it was computed last (drivers/clk/clk.c: clk_hw_get_rate()). */
export function clk_hw_get_rate(hw: clk_hw): unsigned_long {
	return hw.core?.rate ?? 0;
}

/** Whether somebody has it on, or the hardware says it is (include/linux/clk-provider.h: clk_hw_is_enabled()). */
export function clk_hw_is_enabled(hw: clk_hw): boolean {
	const core = hw.core;
	if (core === null) return false;
	return core.ops.is_enabled === undefined ? core.enable_count > 0 : core.ops.is_enabled(hw) !== 0;
}

function clk_core_unprepare(core: clk_core | null): void {
	// Each clock is a user of the one above: its last user gone, it is one user fewer there.
	for (let at = core; at !== null; at = at.parent) {
		const last = at.prepare_count === 1;

		if (WARN(at.prepare_count === 0, '%s already unprepared', at.name)) return;
		if (WARN(last && (at.flags & CLK_IS_CRITICAL) !== 0, 'Unpreparing critical %s', at.name)) return;
		at.prepare_count--;
		if (!last) return;
		WARN(at.enable_count > 0, 'Unpreparing enabled %s', at.name);
		at.ops.unprepare?.(at.hw as clk_hw);
	}
}

function clk_core_prepare(core: clk_core | null): int {
	if (core === null) return 0;
	let ret = 0;

	if (core.prepare_count === 0) {
		ret = clk_core_prepare(core.parent);
		if (ret === 0) {
			ret = core.ops.prepare?.(core.hw as clk_hw) ?? 0;
			if (ret !== 0) clk_core_unprepare(core.parent);
		}
	}
	if (ret === 0) core.prepare_count++;
	return ret;
}

function clk_core_disable(core: clk_core | null): void {
	lockdep_assert_held(state.enable_lock);

	for (let at = core; at !== null; at = at.parent) {
		const last = at.enable_count === 1;

		if (WARN(at.enable_count === 0, '%s already disabled', at.name)) return;
		if (WARN(last && (at.flags & CLK_IS_CRITICAL) !== 0, 'Disabling critical %s', at.name)) return;
		at.enable_count--;
		if (!last) return;
		at.ops.disable?.(at.hw as clk_hw);
	}
}

function clk_core_enable(core: clk_core | null): int {
	lockdep_assert_held(state.enable_lock);

	if (core === null) return 0;
	if (WARN(core.prepare_count === 0, 'Enabling unprepared %s', core.name)) return -ESHUTDOWN;

	let ret = 0;
	if (core.enable_count === 0) {
		ret = clk_core_enable(core.parent);
		if (ret === 0) {
			ret = core.ops.enable?.(core.hw as clk_hw) ?? 0;
			if (ret !== 0) clk_core_disable(core.parent);
		}
	}
	if (ret === 0) core.enable_count++;
	return ret;
}

/** Make @clk ready to be enabled, with all above it; may sleep (drivers/clk/clk.c: clk_prepare()). */
export function clk_prepare(clk: clk | null): int {
	if (clk === null) return 0;
	clk_prepare_lock();
	const ret = clk_core_prepare(clk.core);
	clk_prepare_unlock();
	return ret;
}

/** Undo one clk_prepare() (drivers/clk/clk.c: clk_unprepare()). */
export function clk_unprepare(clk: clk | err_ptr | null): void {
	if (IS_ERR_OR_NULL(clk) || clk === null) return;
	clk_prepare_lock();
	clk_core_unprepare(clk.core);
	clk_prepare_unlock();
}

/** Switch @clk on, with all above it; any context (drivers/clk/clk.c: clk_enable()). -ESHUTDOWN: not prepared. */
export function clk_enable(clk: clk | null): int {
	if (clk === null) return 0;
	const flags = spin_lock_irqsave(state.enable_lock);
	const ret = clk_core_enable(clk.core);
	spin_unlock_irqrestore(state.enable_lock, flags);
	return ret;
}

/** Undo one clk_enable(); off with the last (drivers/clk/clk.c: clk_disable()). */
export function clk_disable(clk: clk | err_ptr | null): void {
	if (IS_ERR_OR_NULL(clk) || clk === null) return;
	const flags = spin_lock_irqsave(state.enable_lock);
	clk_core_disable(clk.core);
	spin_unlock_irqrestore(state.enable_lock, flags);
}

/** Prepare and enable (include/linux/clk.h: clk_prepare_enable()). */
export function clk_prepare_enable(clk: clk | null): int {
	let ret = clk_prepare(clk);
	if (ret !== 0) return ret;
	ret = clk_enable(clk);
	if (ret !== 0) clk_unprepare(clk);
	return ret;
}

/** Disable and unprepare (include/linux/clk.h: clk_disable_unprepare()). */
export function clk_disable_unprepare(clk: clk | err_ptr | null): void {
	clk_disable(clk);
	clk_unprepare(clk);
}

function clk_recalc(core: clk_core): unsigned_long {
	const parent_rate = core.parent?.rate ?? 0;
	return core.ops.recalc_rate?.(core.hw as clk_hw, parent_rate) ?? parent_rate;
}

/** The rates of all below @core anew. */
function clk_recalc_children(core: clk_core): void {
	for (const child of list_for_each_entry(state.clk_list))
		if (child.parent === core) {
			child.rate = clk_recalc(child);
			clk_recalc_children(child);
		}
}

/** The rate in Hz (drivers/clk/clk.c: clk_get_rate()). */
export function clk_get_rate(c: clk | null): unsigned_long {
	return c?.core?.rate ?? 0;
}

/** The rate that clk_set_rate() would give, or a negative errno (drivers/clk/clk.c: clk_round_rate()). */
export function clk_round_rate(c: clk | null, rate: unsigned_long): long {
	const core = c?.core ?? null;
	if (core === null) return 0;
	const parent_rate = new ref<unsigned_long>(core.parent?.rate ?? 0);
	if (core.ops.round_rate !== undefined) return core.ops.round_rate(core.hw as clk_hw, rate, parent_rate);
	return core.rate;
}

function clk_core_set_rate(core: clk_core, rate: unsigned_long): int {
	if (rate === core.rate) return 0;
	if (core.ops.set_rate === undefined) {
		if ((core.flags & CLK_SET_RATE_PARENT) !== 0 && core.parent !== null)
			return clk_core_set_rate(core.parent, rate);
		return 0;
	}
	const parent_rate = new ref<unsigned_long>(core.parent?.rate ?? 0);
	const rounded = core.ops.round_rate?.(core.hw as clk_hw, rate, parent_rate) ?? rate;
	if (rounded < 0) return rounded;
	const ret = core.ops.set_rate(core.hw as clk_hw, rounded, parent_rate.value);
	core.rate = clk_recalc(core);
	clk_recalc_children(core);
	return ret;
}

/** Set the rate as near as the hardware can (drivers/clk/clk.c: clk_set_rate()). */
export function clk_set_rate(c: clk | null, rate: unsigned_long): int {
	if (c === null || c.core === null) return 0;
	clk_prepare_lock();
	const ret = clk_core_set_rate(c.core, rate);
	clk_prepare_unlock();
	return ret;
}

/** Other users could object to a rate; here nobody can (drivers/clk/clk.c: clk_set_rate_exclusive()). */
export function clk_set_rate_exclusive(c: clk | null, rate: unsigned_long): int {
	return clk_set_rate(c, rate);
}

/** Undo clk_set_rate_exclusive(): the rate may change again (drivers/clk/clk.c: clk_rate_exclusive_put()). */
export function clk_rate_exclusive_put(_c: clk | null): void {}

/** Whether both mean the same clock (drivers/clk/clk.c: clk_is_match()). */
export function clk_is_match(p: clk | null, q: clk | null): boolean {
	return p === q || (p !== null && q !== null && p.core === q.core);
}

function clk_core_lookup(name: string): clk_core | null {
	const clocks = state.clk_list;
	let core = list_first_entry_or_null(clocks);
	while (core !== null && core.name !== name) core = list_next_entry(core.node, clocks);
	return core;
}

function clk_core_find_parent(np: device_node | null, hw: clk_hw): clk_core | null {
	const init = hw.init;
	if (init === null) return null;
	const index = hw.init?.ops.get_parent?.(hw) ?? 0;
	const by_hw = init.parent_hws?.[index];
	if (by_hw !== undefined) return by_hw.core;
	const data = init.parent_data?.[index];
	if (data?.hw !== undefined) return data.hw.core;
	if (data !== undefined && np !== null && (data.fw_name !== undefined || data.index !== undefined)) {
		const found = of_clk_get_hw_at(np, data.index ?? 0, data.fw_name ?? null);
		if (!IS_ERR(found)) return found.core;
	}
	const name = data?.name ?? init.parent_names?.[index];
	return name === undefined ? null : clk_core_lookup(name);
}

function __clk_register(dev: device | null, np: device_node | null, hw: clk_hw): int {
	const init = hw.init;
	if (init === null) return -EINVAL;
	const core = kzalloc(clk_core, GFP_KERNEL);
	if (core === null) return -ENOMEM;
	core.name = init.name;
	core.ops = init.ops;
	core.hw = hw;
	core.dev = dev;
	core.flags = init.flags ?? 0;
	let ret = 0;
	clk_prepare_lock();
	if (clk_core_lookup(core.name) !== null) {
		pr_err('%s: clk %s already initialized', '__clk_core_init', core.name);
		ret = -EEXIST;
	} else {
		hw.core = core;
		core.parent = clk_core_find_parent(np, hw);
		list_add(core.node, state.clk_list);
		ret = core.ops.init?.(hw) ?? 0;
		core.rate = clk_recalc(core);
		if (ret === 0 && (core.flags & CLK_IS_CRITICAL) !== 0) {
			ret = clk_core_prepare(core);
			const flags = spin_lock_irqsave(state.enable_lock);
			if (ret === 0) ret = clk_core_enable(core);
			spin_unlock_irqrestore(state.enable_lock, flags);
		}
		if (ret !== 0) list_del(core.node);
	}
	clk_prepare_unlock();
	if (ret !== 0) {
		hw.core = null;
		kfree(core);
	}
	return ret;
}

/** Make a provider's clock known (drivers/clk/clk.c: clk_hw_register()). -EEXIST: the name is taken. */
export function clk_hw_register(dev: device | null, hw: clk_hw): int {
	return __clk_register(dev, dev?.of_node ?? dev?.parent?.of_node ?? null, hw);
}

/** clk_hw_register() for the provider of a node; 0 or a negative errno (drivers/clk/clk.c: of_clk_hw_register()). */
export function of_clk_hw_register(node: device_node | null, hw: clk_hw): int {
	return __clk_register(null, node, hw);
}

/** Take a provider's clock away (drivers/clk/clk.c: clk_hw_unregister()). */
export function clk_hw_unregister(hw: clk_hw): void {
	const core = hw.core;
	if (core === null) return;
	clk_prepare_lock();
	if (core.prepare_count > 0) pr_warn('%s: unregistering prepared clock: %s', 'clk_unregister', core.name);
	list_del(core.node);
	for (const child of list_for_each_entry(state.clk_list)) if (child.parent === core) child.parent = null;
	clk_prepare_unlock();
	hw.core = null;
	kfree(core);
}

/** clk_hw_register() that ends with @dev; 0 or a negative errno (drivers/clk/clk.c: devm_clk_hw_register()). */
export function devm_clk_hw_register(dev: device, hw: clk_hw): int {
	const ret = clk_hw_register(dev, hw);
	return ret !== 0 ? ret : devm_add_action_or_reset(dev, clk_hw_unregister, hw);
}

/** A provider with one clock (drivers/clk/clk.c: of_clk_hw_simple_get()). */
export const of_clk_hw_simple_get: of_clk_get_hw = (_clkspec, data) => data as clk_hw;

/** A provider with numbered clocks (drivers/clk/clk.c: of_clk_hw_onecell_get()). */
export const of_clk_hw_onecell_get: of_clk_get_hw = (clkspec, data) => {
	const hw_data = data as clk_hw_onecell_data;
	const idx = clkspec.args[0];
	if (idx >= hw_data.num) {
		pr_err('%s: invalid index %u', 'of_clk_hw_onecell_get', idx);
		return ERR_PTR(-EINVAL);
	}
	return hw_data.hws[idx] ?? ERR_PTR(-ENOENT);
};

/** Offer a node's clocks (drivers/clk/clk.c: of_clk_add_hw_provider()). */
export function of_clk_add_hw_provider(np: device_node | null, get: of_clk_get_hw, data: unknown): int {
	if (np === null) return 0;
	const cp = kzalloc(of_clk_provider, GFP_KERNEL);
	if (cp === null) return -ENOMEM;
	cp.node = of_node_get(np);
	cp.data = data;
	cp.get_hw = get;
	mutex_lock(state.of_clk_mutex);
	list_add(cp.link, state.of_clk_providers);
	mutex_unlock(state.of_clk_mutex);
	return 0;
}

/** Take a node's clocks back (drivers/clk/clk.c: of_clk_del_provider()). */
export function of_clk_del_provider(np: device_node): void {
	mutex_lock(state.of_clk_mutex);
	for (const cp of list_for_each_entry_safe(state.of_clk_providers))
		if (cp.node === np) {
			list_del(cp.link);
			of_node_put(cp.node);
			kfree(cp);
			break;
		}
	mutex_unlock(state.of_clk_mutex);
}

/** of_clk_add_hw_provider() that ends with @dev's binding (drivers/clk/clk.c: devm_of_clk_add_hw_provider()). */
export function devm_of_clk_add_hw_provider(dev: device, get: of_clk_get_hw, data: unknown): int {
	const np = dev.of_node;
	if (np === null) return -EINVAL;
	const ret = of_clk_add_hw_provider(np, get, data);
	return ret !== 0 ? ret : devm_add_action_or_reset(dev, of_clk_del_provider, np);
}

function of_clk_get_hw_from_clkspec(clkspec: of_phandle_args): clk_hw | err_ptr {
	let hw: clk_hw | err_ptr = ERR_PTR(-EPROBE_DEFER);
	mutex_lock(state.of_clk_mutex);
	for (const provider of list_for_each_entry(state.of_clk_providers)) {
		if (provider.node !== clkspec.np || provider.get_hw === null) continue;
		hw = provider.get_hw(clkspec, provider.data);
		if (!IS_ERR(hw)) break;
	}
	mutex_unlock(state.of_clk_mutex);
	return hw;
}

/** Clock @index of @np, or the one that `clock-names` calls @con_id (drivers/clk/clk.c: of_clk_get_hw()). */
export function of_clk_get_hw_at(np: device_node, index: int, con_id: string | null): clk_hw | err_ptr {
	let at = index;
	if (con_id !== null) {
		at = of_property_match_string(np, 'clock-names', con_id);
		if (at < 0) return ERR_PTR(-ENOENT);
	}
	const clkspec = new of_phandle_args();
	const ret = of_parse_phandle_with_args(np, 'clocks', '#clock-cells', at, clkspec);
	if (ret !== 0) return ERR_PTR(ret);
	const hw = of_clk_get_hw_from_clkspec(clkspec);
	of_node_put(clkspec.np);
	return hw;
}

function clk_hw_create_clk(dev: device | null, hw: clk_hw | err_ptr, con_id: string | null): clk | err_ptr {
	if (IS_ERR(hw)) return hw;
	const c = kzalloc(clk, GFP_KERNEL);
	if (c === null) return ERR_PTR(-ENOMEM);
	c.core = hw.core;
	c.dev = dev;
	c.dev_id = dev === null ? null : dev_name(dev);
	c.con_id = con_id;
	return c;
}

/** Clock @index of @np (drivers/clk/clk.c: of_clk_get()). */
export function of_clk_get(np: device_node | null, index: int): clk | err_ptr {
	if (np === null) return ERR_PTR(-ENOENT);
	return clk_hw_create_clk(null, of_clk_get_hw_at(np, index, null), null);
}

/** The clock that @np's `clock-names` calls @name, or an error pointer (drivers/clk/clk.c: of_clk_get_by_name()). */
export function of_clk_get_by_name(np: device_node | null, name: string): clk | err_ptr {
	if (np === null) return ERR_PTR(-ENOENT);
	return clk_hw_create_clk(null, of_clk_get_hw_at(np, 0, name), name);
}

/** The name of @np's clock @index, as its provider's `clock-output-names` has it, or null. */
export function of_clk_get_output_name(np: device_node, index: int): string | null {
	const name = new ref<string | null>(null);
	return of_property_read_string_index(np, 'clock-output-names', index, name) === 0 ? name.value : null;
}

/**
 * The clock of @dev that `clock-names` calls @con_id; null: the first (drivers/clk/clkdev.c: clk_get()).
 *
 * Returns -ENOENT when it has none, -EPROBE_DEFER while its provider is not there.
 */
export function clk_get(dev: device | null, con_id: string | null): clk | err_ptr {
	const np = dev?.of_node ?? null;
	if (np === null) return ERR_PTR(-ENOENT);
	return clk_hw_create_clk(dev, of_clk_get_hw_at(np, 0, con_id), con_id);
}

/** Give a clock back; it stays as it is (drivers/clk/clk.c: clk_put()). */
export function clk_put(c: clk | err_ptr | null): void {
	if (IS_ERR_OR_NULL(c) || c === null) return;
	kfree(c);
}

/** Set up the early clock providers of the tree (drivers/clk/clk.c: of_clk_init()). */
export function of_clk_init(): void {
	for (let np = __of_find_all_nodes(null); np !== null; np = __of_find_all_nodes(np)) {
		if (!of_device_is_available(np)) continue;
		for (const entry of __clk_of_table)
			if (of_device_is_compatible(np, entry.compatible) !== 0) {
				entry.fn(np);
				break;
			}
	}
}

/** How a clock stands: enable and prepare counts, rate (the columns of debugfs' clk_summary). */
export function clk_summary(): string {
	let text = '';
	for (const core of list_for_each_entry(state.clk_list))
		text += `${core.name.padEnd(35)} ${core.enable_count} ${core.prepare_count} ${core.rate}\n`;
	return text;
}
