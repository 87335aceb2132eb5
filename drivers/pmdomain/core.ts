// SPDX-License-Identifier: GPL-2.0-only
// Power domains: a switch is on while a device behind it is up, or a domain inside it is on.
// Linux 6.12: drivers/pmdomain/core.c
//
// Left out: governors, idle and performance states, notifiers, latencies, IRQ-safe and always-on domains, devices in
// several domains, system sleep (a device that sleeps with the system does so by its runtime PM), sysfs, debugfs.
import { driver_deferred_probe_check_state } from '#drivers/base/dd.js';
import { pm_clk_resume, pm_clk_suspend } from '#drivers/base/power/clock_ops.js';
import {
	dev_pm_domain_set,
	dev_pm_get_subsys_data,
	dev_pm_put_subsys_data,
} from '#drivers/base/power/common.js';
import { of_count_phandle_with_args, of_parse_phandle_with_args } from '#drivers/of/base.js';
import { pm_wq } from '#kernel/power/power.js';
import { atomic_dec, atomic_inc, atomic_read } from '#linux/atomic.js';
import { WARN_ON } from '#linux/bug.js';
import { dev_dbg, dev_err, dev_err_probe } from '#linux/dev_printk.js';
import type { device } from '#linux/device.js';
import { ERR_PTR, type err_ptr, IS_ERR, PTR_ERR } from '#linux/err.js';
import { EBUSY, EINVAL, ENOENT, ENOMEM, EPROBE_DEFER } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp_types.js';
import { __setup, boot_data, late_initcall_sync } from '#linux/init.js';
import {
	list_add,
	list_add_tail,
	list_del,
	list_del_init,
	list_empty,
	list_for_each_entry,
	list_for_each_entry_continue_reverse,
	list_for_each_entry_safe,
	list_head,
} from '#linux/list.js';
import { mutex, mutex_lock, mutex_unlock } from '#linux/mutex.js';
import { type device_node, of_node_get, of_node_put, of_phandle_args } from '#linux/of.js';
import type { dev_pm_domain, dev_pm_ops } from '#linux/pm.js';
import {
	GENPD_FLAG_PM_CLK,
	GENPD_STATE_OFF,
	GENPD_STATE_ON,
	generic_pm_domain,
	type genpd_onecell_data,
	type genpd_xlate_t,
	gpd_link,
	pm_domain_data,
} from '#linux/pm_domain.js';
import { pm_runtime_suspended } from '#linux/pm_runtime.js';
import { pr_err, pr_info, pr_warn } from '#linux/printk.js';
import { kfree, kzalloc } from '#linux/slab.js';
import { type bool, container_of, type embedded, type int, type unsigned_int } from '#linux/types.js';
import { cancel_work_sync, INIT_WORK, queue_work, type work_struct } from '#linux/workqueue.js';

class of_genpd_provider {
	readonly link = new list_head<of_genpd_provider>(this);
	node: device_node | null = null;
	xlate: genpd_xlate_t | null = null;
	data: genpd_onecell_data | null = null;
}

const state = boot_data(() => ({
	gpd_list: new list_head<generic_pm_domain>(),
	gpd_list_lock: new mutex('gpd_list_lock'),
	of_genpd_providers: new list_head<of_genpd_provider>(),
	of_genpd_mutex: new mutex('of_genpd_mutex'),
	pd_ignore_unused: false,
}));

function genpd_lock(genpd: generic_pm_domain): void {
	mutex_lock(genpd.mlock);
}

function genpd_unlock(genpd: generic_pm_domain): void {
	mutex_unlock(genpd.mlock);
}

function genpd_status_on(genpd: generic_pm_domain): bool {
	return genpd.status === GENPD_STATE_ON;
}

function pd_to_genpd(pd: dev_pm_domain): generic_pm_domain {
	return container_of(pd as dev_pm_domain & embedded, generic_pm_domain);
}

/** The domain of a device that is known to be in one. */
function dev_to_genpd(dev: device): generic_pm_domain | err_ptr {
	if (dev.pm_domain === null) return ERR_PTR(-EINVAL);
	return pd_to_genpd(dev.pm_domain);
}

function genpd_sd_counter_dec(genpd: generic_pm_domain): void {
	if (WARN_ON(atomic_read(genpd.sd_count) === 0)) return;
	atomic_dec(genpd.sd_count);
}

function genpd_sd_counter_inc(genpd: generic_pm_domain): void {
	atomic_inc(genpd.sd_count);
}

function genpd_queue_power_off_work(genpd: generic_pm_domain): void {
	queue_work(pm_wq, genpd.power_off_work);
}

/** Switch @genpd off if nobody needs it. @one_dev_on: the device whose callback this is counts as suspended. Locked. */
function genpd_power_off(genpd: generic_pm_domain, one_dev_on: bool, depth: unsigned_int): int {
	let not_suspended = 0;

	if (!genpd_status_on(genpd)) return 0;
	if (atomic_read(genpd.sd_count) > 0) return -EBUSY;

	for (const pdd of list_for_each_entry(genpd.dev_list))
		if (!pm_runtime_suspended(pdd.dev as device)) not_suspended++;
	if (not_suspended > 1 || (not_suspended === 1 && !one_dev_on)) return -EBUSY;

	const ret = genpd.power_off?.(genpd) ?? 0;
	if (ret !== 0) return ret;

	genpd.status = GENPD_STATE_OFF;
	for (const link of list_for_each_entry(genpd.child_links)) genpd_leave_parent(link, depth);
	return 0;
}

/** @link's inner domain needs the outer one no more. */
function genpd_leave_parent(link: gpd_link, depth: unsigned_int): void {
	const parent = link.parent as generic_pm_domain;
	genpd_sd_counter_dec(parent);
	genpd_lock(parent);
	genpd_power_off(parent, false, depth + 1);
	genpd_unlock(parent);
}

/** Switch @genpd on, after those around it. Locked. */
function genpd_power_on(genpd: generic_pm_domain, depth: unsigned_int): int {
	let last: gpd_link | null = null;
	let ret = 0;

	if (genpd_status_on(genpd)) return 0;

	for (const link of list_for_each_entry(genpd.child_links)) {
		const parent = link.parent as generic_pm_domain;

		genpd_sd_counter_inc(parent);
		genpd_lock(parent);
		ret = genpd_power_on(parent, depth + 1);
		genpd_unlock(parent);
		if (ret !== 0) {
			genpd_sd_counter_dec(parent);
			break;
		}
		last = link;
	}
	if (ret === 0) ret = genpd.power_on?.(genpd) ?? 0;
	if (ret === 0) {
		genpd.status = GENPD_STATE_ON;
		return 0;
	}

	if (last !== null) {
		genpd_leave_parent(last, depth);
		for (const link of list_for_each_entry_continue_reverse(last.child_node, genpd.child_links))
			genpd_leave_parent(link, depth);
	}
	return ret;
}

function genpd_power_off_work_fn(work: work_struct): void {
	const genpd = container_of(work, generic_pm_domain);

	genpd_lock(genpd);
	genpd_power_off(genpd, false, 0);
	genpd_unlock(genpd);
}

type genpd_callback_name = 'runtime_suspend' | 'runtime_resume';

/** What would be called without the domain. */
function genpd_get_callback(dev: device, name: genpd_callback_name): ((dev: device) => int) | undefined {
	let ops: dev_pm_ops | undefined;
	if (dev.type?.pm !== undefined) ops = dev.type.pm;
	else if (dev.class?.pm !== undefined) ops = dev.class.pm;
	else if (dev.bus?.pm !== undefined) ops = dev.bus.pm;
	return ops?.[name] ?? dev.driver?.pm?.[name];
}

function __genpd_runtime_suspend(dev: device): int {
	return genpd_get_callback(dev, 'runtime_suspend')?.(dev) ?? 0;
}

function __genpd_runtime_resume(dev: device): int {
	return genpd_get_callback(dev, 'runtime_resume')?.(dev) ?? 0;
}

function genpd_stop_dev(genpd: generic_pm_domain, dev: device): int {
	return genpd.dev_ops.stop?.(dev) ?? 0;
}

function genpd_start_dev(genpd: generic_pm_domain, dev: device): int {
	return genpd.dev_ops.start?.(dev) ?? 0;
}

/** The driver first, then the clocks, then the switch. */
function genpd_runtime_suspend(dev: device): int {
	dev_dbg(dev, '%s()', 'genpd_runtime_suspend');

	const genpd = dev_to_genpd(dev);
	if (IS_ERR(genpd)) return -EINVAL;

	let ret = __genpd_runtime_suspend(dev);
	if (ret !== 0) return ret;

	ret = genpd_stop_dev(genpd, dev);
	if (ret !== 0) {
		__genpd_runtime_resume(dev);
		return ret;
	}

	genpd_lock(genpd);
	genpd_power_off(genpd, true, 0);
	genpd_unlock(genpd);
	return 0;
}

/** And the way back. */
function genpd_runtime_resume(dev: device): int {
	dev_dbg(dev, '%s()', 'genpd_runtime_resume');

	const genpd = dev_to_genpd(dev);
	if (IS_ERR(genpd)) return -EINVAL;

	genpd_lock(genpd);
	let ret = genpd_power_on(genpd, 0);
	genpd_unlock(genpd);
	if (ret !== 0) return ret;

	ret = genpd_start_dev(genpd, dev);
	if (ret === 0) {
		ret = __genpd_runtime_resume(dev);
		if (ret === 0) return 0;
		genpd_stop_dev(genpd, dev);
	}
	genpd_lock(genpd);
	genpd_power_off(genpd, true, 0);
	genpd_unlock(genpd);
	return ret;
}

function pd_ignore_unused_setup(): int {
	state.pd_ignore_unused = true;
	return 1;
}
__setup('pd_ignore_unused', pd_ignore_unused_setup);

function genpd_power_off_unused(): int {
	if (state.pd_ignore_unused) {
		pr_warn('genpd: Not disabling unused power domains');
		return 0;
	}

	pr_info('genpd: Disabling unused power domains');
	mutex_lock(state.gpd_list_lock);
	for (const genpd of list_for_each_entry(state.gpd_list)) genpd_queue_power_off_work(genpd);
	mutex_unlock(state.gpd_list_lock);
	return 0;
}
late_initcall_sync(genpd_power_off_unused);

function genpd_add_device(genpd: generic_pm_domain, dev: device): int {
	dev_dbg(dev, '%s()', 'genpd_add_device');

	let ret = dev_pm_get_subsys_data(dev);
	if (ret !== 0) return ret;

	const pdd = kzalloc(pm_domain_data, GFP_KERNEL);
	if (pdd === null) {
		dev_pm_put_subsys_data(dev);
		return -ENOMEM;
	}
	pdd.dev = dev;
	if (dev.power.subsys_data !== null) dev.power.subsys_data.domain_data = pdd;

	ret = genpd.attach_dev?.(genpd, dev) ?? 0;
	if (ret !== 0) {
		genpd_free_dev_data(dev, pdd);
		return ret;
	}

	genpd_lock(genpd);
	dev_pm_domain_set(dev, genpd.domain);
	genpd.device_count++;
	list_add_tail(pdd.list_node, genpd.dev_list);
	genpd_unlock(genpd);
	return 0;
}

function genpd_free_dev_data(dev: device, pdd: pm_domain_data): void {
	if (dev.power.subsys_data !== null) dev.power.subsys_data.domain_data = null;
	kfree(pdd);
	dev_pm_put_subsys_data(dev);
}

function genpd_remove_device(genpd: generic_pm_domain, dev: device): int {
	dev_dbg(dev, '%s()', 'genpd_remove_device');

	const pdd = dev.power.subsys_data?.domain_data ?? null;
	if (pdd === null) return -EINVAL;

	genpd_lock(genpd);
	genpd.device_count--;
	list_del_init(pdd.list_node);
	genpd_unlock(genpd);

	dev_pm_domain_set(dev, null);
	genpd.detach_dev?.(genpd, dev);
	genpd_free_dev_data(dev, pdd);
	return 0;
}

/** Have @subdomain lie in @genpd: 0, -ENOMEM, -EINVAL when it does already or is on alone (drivers/pmdomain/core.c: pm_genpd_add_subdomain()). */
export function pm_genpd_add_subdomain(genpd: generic_pm_domain, subdomain: generic_pm_domain): int {
	if (genpd === subdomain) return -EINVAL;

	const link = kzalloc(gpd_link, GFP_KERNEL);
	if (link === null) return -ENOMEM;
	let ret = 0;

	mutex_lock(state.gpd_list_lock);
	genpd_lock(subdomain);
	genpd_lock(genpd);
	if (!genpd_status_on(genpd) && genpd_status_on(subdomain)) ret = -EINVAL;
	for (const itr of list_for_each_entry(genpd.parent_links)) if (itr.child === subdomain) ret = -EINVAL;
	if (ret === 0) {
		link.parent = genpd;
		list_add_tail(link.parent_node, genpd.parent_links);
		link.child = subdomain;
		list_add_tail(link.child_node, subdomain.child_links);
		if (genpd_status_on(subdomain)) genpd_sd_counter_inc(genpd);
	}
	genpd_unlock(genpd);
	genpd_unlock(subdomain);
	mutex_unlock(state.gpd_list_lock);
	if (ret !== 0) kfree(link);
	return ret;
}

/** Make @genpd known; @is_off: how the hardware is. 0 (drivers/pmdomain/core.c: pm_genpd_init()). Governors are left out. */
export function pm_genpd_init(genpd: generic_pm_domain, _gov: null, is_off: bool): int {
	INIT_WORK(genpd.power_off_work, genpd_power_off_work_fn);
	genpd.status = is_off ? GENPD_STATE_OFF : GENPD_STATE_ON;
	genpd.device_count = 0;
	genpd.provider = null;
	genpd.has_provider = false;
	genpd.domain.ops = { runtime_suspend: genpd_runtime_suspend, runtime_resume: genpd_runtime_resume };
	if ((genpd.flags & GENPD_FLAG_PM_CLK) !== 0) genpd.dev_ops = { stop: pm_clk_suspend, start: pm_clk_resume };

	mutex_lock(state.gpd_list_lock);
	list_add(genpd.gpd_list_node, state.gpd_list);
	mutex_unlock(state.gpd_list_lock);
	return 0;
}

/** Forget @genpd: 0, or -EBUSY while it has a provider, a device, or a domain inside (drivers/pmdomain/core.c: pm_genpd_remove()). */
export function pm_genpd_remove(genpd: generic_pm_domain): int {
	mutex_lock(state.gpd_list_lock);
	genpd_lock(genpd);
	let ret = 0;
	if (genpd.has_provider) {
		pr_err('Provider present, unable to remove %s', genpd.name);
		ret = -EBUSY;
	} else if (!list_empty(genpd.parent_links) || genpd.device_count !== 0) {
		pr_err('%s: unable to remove %s', 'genpd_remove', genpd.name);
		ret = -EBUSY;
	} else {
		for (const link of list_for_each_entry_safe(genpd.child_links)) {
			list_del(link.parent_node);
			list_del(link.child_node);
			kfree(link);
		}
		list_del(genpd.gpd_list_node);
	}
	genpd_unlock(genpd);
	if (ret === 0) cancel_work_sync(genpd.power_off_work);
	mutex_unlock(state.gpd_list_lock);
	return ret;
}

function genpd_xlate_onecell(
	genpdspec: of_phandle_args,
	data: genpd_onecell_data,
): generic_pm_domain | err_ptr {
	const idx = genpdspec.args[0] ?? 0;

	if (genpdspec.args_count !== 1) return ERR_PTR(-EINVAL);
	if (idx >= data.num_domains) {
		pr_err('%s: invalid domain index %u', 'genpd_xlate_onecell', idx);
		return ERR_PTR(-EINVAL);
	}
	return data.domains[idx] ?? ERR_PTR(-ENOENT);
}

/** Have trees find the domains of @data under @np, by number: 0 or -ENOMEM (drivers/pmdomain/core.c: of_genpd_add_provider_onecell()). */
export function of_genpd_add_provider_onecell(np: device_node, data: genpd_onecell_data): int {
	const cp = kzalloc(of_genpd_provider, GFP_KERNEL);
	if (cp === null) return -ENOMEM;

	data.xlate ??= genpd_xlate_onecell;
	for (const genpd of data.domains) {
		if (genpd == null) continue;
		genpd.provider = np.fwnode;
		genpd.has_provider = true;
	}
	cp.node = of_node_get(np);
	cp.data = data;
	cp.xlate = data.xlate;

	mutex_lock(state.of_genpd_mutex);
	list_add(cp.link, state.of_genpd_providers);
	mutex_unlock(state.of_genpd_mutex);
	return 0;
}

function genpd_get_from_provider(genpdspec: of_phandle_args): generic_pm_domain | err_ptr {
	let genpd: generic_pm_domain | err_ptr = ERR_PTR(-ENOENT);

	mutex_lock(state.of_genpd_mutex);
	for (const provider of list_for_each_entry(state.of_genpd_providers)) {
		if (provider.node === genpdspec.np)
			genpd = provider.xlate?.(genpdspec, provider.data as genpd_onecell_data) ?? genpd;
		if (!IS_ERR(genpd)) break;
	}
	mutex_unlock(state.of_genpd_mutex);
	return genpd;
}

function genpd_dev_pm_detach(dev: device, _power_off: bool): void {
	const pd = dev_to_genpd(dev);
	if (IS_ERR(pd)) return;

	dev_dbg(dev, 'removing from PM domain %s', pd.name);

	const ret = genpd_remove_device(pd, dev);
	if (ret < 0) {
		dev_err(dev, 'failed to remove from PM domain %s: %d', pd.name, ret);
		return;
	}
	genpd_queue_power_off_work(pd);
}

function genpd_dev_pm_sync(dev: device): void {
	const pd = dev_to_genpd(dev);
	if (!IS_ERR(pd)) genpd_queue_power_off_work(pd);
}

function __genpd_dev_pm_attach(dev: device, index: unsigned_int, power_on: bool): int {
	const np = dev.of_node as device_node;
	const pd_args = new of_phandle_args();

	let ret = of_parse_phandle_with_args(np, 'power-domains', '#power-domain-cells', index, pd_args);
	if (ret < 0) return ret;

	mutex_lock(state.gpd_list_lock);
	const pd = genpd_get_from_provider(pd_args);
	of_node_put(pd_args.np);
	if (IS_ERR(pd)) {
		mutex_unlock(state.gpd_list_lock);
		dev_dbg(dev, '%s() failed to find PM domain: %ld', '__genpd_dev_pm_attach', PTR_ERR(pd));
		return driver_deferred_probe_check_state(dev);
	}

	dev_dbg(dev, 'adding to PM domain %s', pd.name);
	ret = genpd_add_device(pd, dev);
	mutex_unlock(state.gpd_list_lock);
	if (ret < 0) return dev_err_probe(dev, ret, 'failed to add to PM domain %s', pd.name);

	pd.domain.detach = genpd_dev_pm_detach;
	pd.domain.sync = genpd_dev_pm_sync;

	if (power_on) {
		genpd_lock(pd);
		ret = genpd_power_on(pd, 0);
		genpd_unlock(pd);
	}
	if (ret !== 0) {
		genpd_remove_device(pd, dev);
		return -EPROBE_DEFER;
	}
	return 1;
}

/** Put @dev into the domain that its node names: 1, 0 without one (or with several), or a negative errno (drivers/pmdomain/core.c: genpd_dev_pm_attach()). */
export function genpd_dev_pm_attach(dev: device, power_on: bool): int {
	if (dev.of_node === null) return 0;
	if (of_count_phandle_with_args(dev.of_node, 'power-domains', '#power-domain-cells') !== 1) return 0;
	return __genpd_dev_pm_attach(dev, 0, power_on);
}
