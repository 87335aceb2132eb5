// SPDX-License-Identifier: GPL-2.0-only
// The kernel's side of what is watched: its tracepoints, and its drivers' ops.

import { bus_for_each_dev } from '#drivers/base/bus.js';
import { platform_bus_type } from '#drivers/base/platform.js';
import { tracepoint_probe_register, tracepoint_probe_unregister } from '#kernel/tracepoint.js';
import type { device } from '#linux/device.js';
import { __start_ftrace_events, type tracepoint_probe } from '#linux/trace_events.js';
import type { Domains } from './domains.js';
import { type Listener, listenToOps } from './iommu-ops.js';

/** What is to be called at which tracepoint. */
export type Probes = Readonly<Record<string, tracepoint_probe<never[]>>>;

/** Have each of @probes called at the tracepoint of its name; the result ends that. */
export function attachProbes(probes: Probes): () => void {
	const found = Object.entries(probes).map(([name, probe]) => {
		const call = __start_ftrace_events.find((event) => event.name === name);
		if (call === undefined) throw new Error(`the kernel has no tracepoint ${name}`);
		return { call, probe: probe as tracepoint_probe };
	});
	for (const { call, probe } of found) tracepoint_probe_register(call, probe, probes);
	return () => {
		for (const { call, probe } of found) tracepoint_probe_unregister(call, probe, probes);
	};
}

/** Have the kernel that runs tell @domains of all that it does with IOMMUs; the result ends that. */
export function watchDomains(domains: Domains, listener: Listener): () => void {
	const found = (dev: device): void => {
		const ops = dev.iommu?.iommu_dev?.ops;
		// What drives no hardware of the machine's is a test's own.
		if (ops != null && domains.drives(dev)) listenToOps(ops, listener);
	};
	// Where it runs already, what was done before is not known.
	bus_for_each_dev(platform_bus_type, null, null, (dev) => {
		found(dev);
		if (domains.drives(dev)) domains.adopt(dev);
		return 0;
	});
	return attachProbes({
		add_device_to_group: (_data: unknown, _group: number, dev: device) => found(dev),
		remove_device_from_group: (_data: unknown, _group: number, dev: device) => domains.left(dev),
		map: () => domains.mapReturns(),
		unmap: () => domains.unmapReturns(),
	});
}
