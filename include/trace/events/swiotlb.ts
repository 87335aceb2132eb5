// SPDX-License-Identifier: GPL-2.0-only
// Trace event of a bounced mapping.
// Linux 6.12: include/trace/events/swiotlb.h
import { __field, __string, TRACE_EVENT } from '#include/trace/trace_events.js';
import { trace_event } from '#kernel/trace/trace.js';
import { do_trace } from '#kernel/tracepoint.js';
import { dev_name, type device } from '#linux/device.js';
import { is_swiotlb_force_bounce } from '#linux/swiotlb.js';
import type { dma_addr_t, size_t } from '#linux/types.js';

const swiotlb_bounced = TRACE_EVENT(
	'swiotlb',
	'swiotlb_bounced',
	[
		__string('dev_name'),
		__field('u64', 'dma_mask'),
		__field('dma_addr_t', 'dev_addr'),
		__field('size_t', 'size'),
		__field('bool', 'force'),
	],
	'dev_name: %s dma_mask=%llx dev_addr=%llx size=%zu %s',
	['dev_name', 'dma_mask', '(unsigned long long)REC->dev_addr', 'size', 'REC->force ? "FORCE" : "NORMAL"'],
);

/** A mapping went through the bounce pool (include/trace/events/swiotlb.h: trace_swiotlb_bounced()). */
export function trace_swiotlb_bounced(dev: device, dev_addr: dma_addr_t, size: size_t): void {
	if (swiotlb_bounced.probes.length !== 0) do_trace(swiotlb_bounced, dev, dev_addr, size);
	if (!swiotlb_bounced.enabled) return;
	trace_event(
		swiotlb_bounced,
		dev_name(dev),
		dev.dma_mask?.value ?? 0,
		dev_addr as number,
		size,
		is_swiotlb_force_bounce(dev) ? 'FORCE' : 'NORMAL',
	);
}
