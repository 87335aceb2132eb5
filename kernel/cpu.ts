// SPDX-License-Identifier: GPL-2.0-only
// CPU hotplug: the callbacks of each state.
// Linux 6.12: kernel/cpu.c
// Left out: bringing CPUs up; cpuhp_cpu_dead() stands for the part of taking one down that drivers see

import { for_each_online_cpu } from '#linux/cpumask.js';
import { EBUSY, EINVAL } from '#linux/errno.js';
import { boot_data } from '#linux/init.js';
import { hlist_add_head, hlist_del, hlist_head, type hlist_node, hlist_unhashed } from '#linux/list.js';
import { DEFINE_MUTEX, mutex_lock, mutex_unlock } from '#linux/mutex.js';
import type { bool, int, unsigned_int } from '#linux/types.js';

type cpuhp_callback = (cpu: unsigned_int, node: hlist_node<unknown>) => int;

/** Who is an instance of a state. */
export interface cpuhp_step {
	name: string;
	startup: cpuhp_callback | null;
	teardown: cpuhp_callback | null;
	list: hlist_head<hlist_node<unknown>>;
}

const NR_STATES = 251;

const state = boot_data(() => ({
	steps: new Array<cpuhp_step | null>(NR_STATES).fill(null),
	lock: DEFINE_MUTEX('cpuhp_state_mutex'),
}));

/** Give @st its callbacks, or with a null name take them away (kernel/cpu.c: __cpuhp_setup_state()). */
export function __cpuhp_setup_state<T>(
	st: int,
	name: string | null,
	startup: ((cpu: unsigned_int, node: hlist_node<T>) => int) | null,
	teardown: ((cpu: unsigned_int, node: hlist_node<T>) => int) | null,
): int {
	if (st < 0 || st >= NR_STATES) return -EINVAL;
	mutex_lock(state.lock);
	let ret = 0;
	if (name === null) {
		state.steps[st] = null;
	} else if (state.steps[st] !== null) {
		ret = -EBUSY;
	} else {
		state.steps[st] = {
			name,
			startup: startup as cpuhp_callback | null,
			teardown: teardown as cpuhp_callback | null,
			list: new hlist_head(),
		};
	}
	mutex_unlock(state.lock);
	return ret;
}

/** Add @node to @st's instances (kernel/cpu.c: __cpuhp_state_add_instance()). */
export function __cpuhp_state_add_instance<T>(st: int, node: hlist_node<T>, invoke: bool): int {
	const sp = state.steps[st] ?? null;
	if (sp === null) return -EINVAL;
	let ret = 0;
	mutex_lock(state.lock);
	if (invoke && sp.startup !== null) {
		for (const cpu of for_each_online_cpu()) {
			ret = sp.startup(cpu, node);
			if (ret !== 0) break;
		}
	}
	if (ret === 0) hlist_add_head(node as unknown as hlist_node<hlist_node<unknown>>, sp.list);
	mutex_unlock(state.lock);
	return ret;
}

/** Take @node from @st's instances (kernel/cpu.c: __cpuhp_state_remove_instance()). */
export function __cpuhp_state_remove_instance<T>(st: int, node: hlist_node<T>, invoke: bool): int {
	const sp = state.steps[st] ?? null;
	if (sp === null || hlist_unhashed(node)) return -EINVAL;
	mutex_lock(state.lock);
	if (invoke && sp.teardown !== null) for (const cpu of for_each_online_cpu()) sp.teardown(cpu, node);
	hlist_del(node);
	mutex_unlock(state.lock);
	return 0;
}

/** Run @st's teardown callbacks as if @cpu had died (kernel/cpu.c: cpuhp_invoke_callback() from _cpu_down()). */
export function cpuhp_cpu_dead(st: int, cpu: unsigned_int): void {
	const sp = state.steps[st] ?? null;
	if (sp === null || sp.teardown === null) return;
	for (let pos = sp.list.first; pos !== null; pos = pos.next) sp.teardown(cpu, pos);
}
