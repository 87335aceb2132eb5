// SPDX-License-Identifier: GPL-2.0-only
// Trace events of the IOMMU core.
// Linux 6.12: include/trace/events/iommu.h
import { dev_driver_string } from '#drivers/base/core.js';
import { DEFINE_TRACE_EVENT, trace_event } from '#kernel/trace/trace.js';
import { dev_name, type device } from '#linux/device.js';
import type { int, phys_addr_t, size_t, unsigned_long } from '#linux/types.js';

const add_device_to_group = DEFINE_TRACE_EVENT('iommu', 'add_device_to_group');
const remove_device_from_group = DEFINE_TRACE_EVENT('iommu', 'remove_device_from_group');
const attach_device_to_domain = DEFINE_TRACE_EVENT('iommu', 'attach_device_to_domain');
const map = DEFINE_TRACE_EVENT('iommu', 'map');
const unmap = DEFINE_TRACE_EVENT('iommu', 'unmap');
const io_page_fault = DEFINE_TRACE_EVENT('iommu', 'io_page_fault');

export function trace_add_device_to_group(group_id: int, dev: device): void {
	if (!add_device_to_group.enabled) return;
	trace_event(add_device_to_group, 'IOMMU: groupID=%d device=%s', group_id, dev_name(dev));
}

export function trace_remove_device_from_group(group_id: int, dev: device): void {
	if (!remove_device_from_group.enabled) return;
	trace_event(remove_device_from_group, 'IOMMU: groupID=%d device=%s', group_id, dev_name(dev));
}

export function trace_attach_device_to_domain(dev: device): void {
	if (!attach_device_to_domain.enabled) return;
	trace_event(attach_device_to_domain, 'IOMMU: device=%s', dev_name(dev));
}

export function trace_map(iova: unsigned_long, paddr: phys_addr_t, size: size_t): void {
	if (!map.enabled) return;
	trace_event(
		map,
		'IOMMU: iova=0x%016llx - 0x%016llx paddr=0x%016llx size=%zu',
		iova,
		iova + size,
		paddr as number,
		size,
	);
}

export function trace_unmap(iova: unsigned_long, size: size_t, unmapped_size: size_t): void {
	if (!unmap.enabled) return;
	trace_event(
		unmap,
		'IOMMU: iova=0x%016llx - 0x%016llx size=%zu unmapped_size=%zu',
		iova,
		iova + size,
		size,
		unmapped_size,
	);
}

export function trace_io_page_fault(dev: device, iova: unsigned_long, flags: int): void {
	if (!io_page_fault.enabled) return;
	trace_event(
		io_page_fault,
		'IOMMU:%s %s iova=0x%016llx flags=0x%04x',
		dev_driver_string(dev),
		dev_name(dev),
		iova,
		flags,
	);
}
