// SPDX-License-Identifier: GPL-2.0-only
// The states that a CPU goes through as it comes and goes.
// Linux 6.12: include/linux/cpuhotplug.h
// Left out: all states but those that this stack names
import {
	__cpuhp_setup_state,
	__cpuhp_state_add_instance,
	__cpuhp_state_remove_instance,
} from '#kernel/cpu.js';
import type { hlist_node } from '#linux/list.js';
import type { int, unsigned_int } from '#linux/types.js';

export type cpuhp_state = int;
export const CPUHP_INVALID: cpuhp_state = -1;
export const CPUHP_OFFLINE: cpuhp_state = 0;
export const CPUHP_SLUB_DEAD: cpuhp_state = 7;
export const CPUHP_IOMMU_IOVA_DEAD: cpuhp_state = 19;
export const CPUHP_AP_ONLINE_DYN: cpuhp_state = 200;
export const CPUHP_ONLINE: cpuhp_state = 250;

/** Install callbacks for instances (include/linux/cpuhotplug.h: cpuhp_setup_state_multi()). */
export function cpuhp_setup_state_multi<T>(
	state: cpuhp_state,
	name: string,
	startup: ((cpu: unsigned_int, node: hlist_node<T>) => int) | null,
	teardown: ((cpu: unsigned_int, node: hlist_node<T>) => int) | null,
): int {
	return __cpuhp_setup_state(state, name, startup, teardown);
}

/** Add an instance; the startup callback is not run (include/linux/cpuhotplug.h: cpuhp_state_add_instance_nocalls()). */
export function cpuhp_state_add_instance_nocalls<T>(state: cpuhp_state, node: hlist_node<T>): int {
	return __cpuhp_state_add_instance(state, node, false);
}

/** Add an instance, and run startup for each CPU (include/linux/cpuhotplug.h: cpuhp_state_add_instance()). */
export function cpuhp_state_add_instance<T>(state: cpuhp_state, node: hlist_node<T>): int {
	return __cpuhp_state_add_instance(state, node, true);
}

/** Remove an instance without callbacks (include/linux/cpuhotplug.h: cpuhp_state_remove_instance_nocalls()). */
export function cpuhp_state_remove_instance_nocalls<T>(state: cpuhp_state, node: hlist_node<T>): int {
	return __cpuhp_state_remove_instance(state, node, false);
}
