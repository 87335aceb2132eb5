// SPDX-License-Identifier: GPL-2.0-only
// Power domains: devices that share a switch.
// Linux 6.12: include/linux/pm_domain.h
//
// Left out: governors, idle states, performance states, CPU domains, notifiers, domains that are always on.

import type { device } from '#linux/device.js';
import type { err_ptr } from '#linux/err.js';
import type { fwnode_handle } from '#linux/fwnode.js';
import { list_head } from '#linux/list.js';
import { mutex } from '#linux/mutex_types.js';
import type { of_phandle_args } from '#linux/of_node.js';
import type { dev_pm_domain } from '#linux/pm.js';
import type { atomic_t, bool, embedded, int, u32, unsigned_int } from '#linux/types.js';
import { work_struct } from '#linux/workqueue.js';

/** Devices' clocks run while they are up. */
export const GENPD_FLAG_PM_CLK = 1 << 0;
export const GENPD_FLAG_ACTIVE_WAKEUP = 1 << 3;

export enum gpd_status {
	GENPD_STATE_ON = 0,
	GENPD_STATE_OFF,
}
export const { GENPD_STATE_ON, GENPD_STATE_OFF } = gpd_status;

export interface gpd_dev_ops {
	start?: (dev: device) => int;
	stop?: (dev: device) => int;
}

/** A domain, embedded in its driver's struct. */
export class generic_pm_domain {
	/** What each device in it has for its PM domain. */
	readonly domain: dev_pm_domain & embedded = { ops: {}, container: this };
	readonly gpd_list_node = new list_head<generic_pm_domain>(this);
	/** Links to domains inside this one, and to those around it. */
	readonly parent_links = new list_head<gpd_link>();
	readonly child_links = new list_head<gpd_link>();
	readonly dev_list = new list_head<pm_domain_data>();
	readonly power_off_work = new work_struct(this);
	readonly mlock = new mutex('genpd->mlock');
	provider: fwnode_handle | null = null;
	has_provider: bool = false;
	name: string = '';
	/** Domains inside that are on, or about to be. */
	sd_count: atomic_t = { counter: 0 };
	status: gpd_status = GENPD_STATE_ON;
	device_count: unsigned_int = 0;
	flags: u32 = 0;
	dev_ops: gpd_dev_ops = {};
	power_off: ((domain: generic_pm_domain) => int) | null = null;
	power_on: ((domain: generic_pm_domain) => int) | null = null;
	attach_dev: ((domain: generic_pm_domain, dev: device) => int) | null = null;
	detach_dev: ((domain: generic_pm_domain, dev: device) => void) | null = null;
}

export class gpd_link {
	parent: generic_pm_domain | null = null;
	readonly parent_node = new list_head<gpd_link>(this);
	child: generic_pm_domain | null = null;
	readonly child_node = new list_head<gpd_link>(this);
}

/** A device's place in its domain. */
export class pm_domain_data {
	readonly list_node = new list_head<pm_domain_data>(this);
	dev: device | null = null;
}

export type genpd_xlate_t = (args: of_phandle_args, data: genpd_onecell_data) => generic_pm_domain | err_ptr;

/** Domains by the number that a tree names. */
export interface genpd_onecell_data {
	domains: (generic_pm_domain | null)[];
	num_domains: unsigned_int;
	xlate: genpd_xlate_t | null;
}
