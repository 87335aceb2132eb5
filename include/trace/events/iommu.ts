// SPDX-License-Identifier: GPL-2.0-only
// Trace events of the IOMMU core.
// Linux 6.12: include/trace/events/iommu.h
import { dev_driver_string } from '#drivers/base/core.js';
import {
	__field,
	__string,
	DECLARE_EVENT_CLASS,
	DEFINE_EVENT,
	TRACE_EVENT,
} from '#include/trace/trace_events.js';
import { trace_event } from '#kernel/trace/trace.js';
import { do_trace, tracepoint_probe_register, tracepoint_probe_unregister } from '#kernel/tracepoint.js';
import { dev_name, type device } from '#linux/device.js';
import type { tracepoint_probe } from '#linux/trace_events.js';
import type { int, phys_addr_t, size_t, unsigned_long } from '#linux/types.js';

const iommu_group_event = DECLARE_EVENT_CLASS(
	'iommu',
	[__field('int', 'gid'), __string('device')],
	'IOMMU: groupID=%d device=%s',
	['gid', 'device'],
);
const add_device_to_group = DEFINE_EVENT(iommu_group_event, 'add_device_to_group');
const remove_device_from_group = DEFINE_EVENT(iommu_group_event, 'remove_device_from_group');
const attach_device_to_domain = TRACE_EVENT(
	'iommu',
	'attach_device_to_domain',
	[__string('device')],
	'IOMMU: device=%s',
	['device'],
);
const map = TRACE_EVENT(
	'iommu',
	'map',
	[__field('u64', 'iova'), __field('u64', 'paddr'), __field('size_t', 'size')],
	'IOMMU: iova=0x%016llx - 0x%016llx paddr=0x%016llx size=%zu',
	['iova', 'REC->iova + REC->size', 'paddr', 'size'],
);
const unmap = TRACE_EVENT(
	'iommu',
	'unmap',
	[__field('u64', 'iova'), __field('size_t', 'size'), __field('size_t', 'unmapped_size')],
	'IOMMU: iova=0x%016llx - 0x%016llx size=%zu unmapped_size=%zu',
	['iova', 'REC->iova + REC->size', 'size', 'unmapped_size'],
);
const io_page_fault = TRACE_EVENT(
	'iommu',
	'io_page_fault',
	[__string('device'), __string('driver'), __field('u64', 'iova'), __field('int', 'flags')],
	'IOMMU:%s %s iova=0x%016llx flags=0x%04x',
	['driver', 'device', 'iova', 'flags'],
);

export function trace_add_device_to_group(group_id: int, dev: device): void {
	if (add_device_to_group.probes.length !== 0) do_trace(add_device_to_group, group_id, dev);
	if (!add_device_to_group.enabled) return;
	trace_event(add_device_to_group, group_id, dev_name(dev));
}

export function trace_remove_device_from_group(group_id: int, dev: device): void {
	if (remove_device_from_group.probes.length !== 0) do_trace(remove_device_from_group, group_id, dev);
	if (!remove_device_from_group.enabled) return;
	trace_event(remove_device_from_group, group_id, dev_name(dev));
}

export function trace_attach_device_to_domain(dev: device): void {
	if (attach_device_to_domain.probes.length !== 0) do_trace(attach_device_to_domain, dev);
	if (!attach_device_to_domain.enabled) return;
	trace_event(attach_device_to_domain, dev_name(dev));
}

type map_probe = tracepoint_probe<[iova: unsigned_long, paddr: phys_addr_t, size: size_t]>;
type unmap_probe = tracepoint_probe<[iova: unsigned_long, size: size_t, unmapped_size: size_t]>;

/** Have @probe called after each iommu_map() (include/linux/tracepoint.h: register_trace_##name()). */
export function register_trace_map(probe: map_probe, data: unknown): int {
	return tracepoint_probe_register(map, probe, data);
}

export function unregister_trace_map(probe: map_probe, data: unknown): int {
	return tracepoint_probe_unregister(map, probe, data);
}

/** Have @probe called after each iommu_unmap() (include/linux/tracepoint.h: register_trace_##name()). */
export function register_trace_unmap(probe: unmap_probe, data: unknown): int {
	return tracepoint_probe_register(unmap, probe, data);
}

export function unregister_trace_unmap(probe: unmap_probe, data: unknown): int {
	return tracepoint_probe_unregister(unmap, probe, data);
}

export function trace_map(iova: unsigned_long, paddr: phys_addr_t, size: size_t): void {
	if (map.probes.length !== 0) do_trace(map, iova, paddr, size);
	if (!map.enabled) return;
	trace_event(map, iova, iova + size, paddr as number, size);
}

export function trace_unmap(iova: unsigned_long, size: size_t, unmapped_size: size_t): void {
	if (unmap.probes.length !== 0) do_trace(unmap, iova, size, unmapped_size);
	if (!unmap.enabled) return;
	trace_event(unmap, iova, iova + size, size, unmapped_size);
}

export function trace_io_page_fault(dev: device, iova: unsigned_long, flags: int): void {
	if (io_page_fault.probes.length !== 0) do_trace(io_page_fault, dev, iova, flags);
	if (!io_page_fault.enabled) return;
	trace_event(io_page_fault, dev_driver_string(dev), dev_name(dev), iova, flags);
}
