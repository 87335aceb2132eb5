// SPDX-License-Identifier: GPL-2.0-only
// Trace event of a bounced mapping.
// Linux 6.12: include/trace/events/swiotlb.h
import { DEFINE_TRACE_EVENT, trace_event } from '#kernel/trace/trace.js';
import { dev_name, type device } from '#linux/device.js';
import { is_swiotlb_force_bounce } from '#linux/swiotlb.js';
import { type dma_addr_t, type size_t, U64_MAX } from '#linux/types.js';

const swiotlb_bounced = DEFINE_TRACE_EVENT('swiotlb', 'swiotlb_bounced');

export function trace_swiotlb_bounced(dev: device, dev_addr: dma_addr_t, size: size_t): void {
	if (!swiotlb_bounced.enabled) return;
	const mask = dev.dma_mask?.value ?? 0;
	const mask_text = mask >= U64_MAX ? 'ffffffffffffffff' : mask.toString(16);
	const kind = is_swiotlb_force_bounce(dev) ? 'FORCE' : 'NORMAL';
	trace_event(
		swiotlb_bounced,
		'%s',
		`dev_name: ${dev_name(dev)} dma_mask=${mask_text} dev_addr=${dev_addr.toString(16)} size=${size} ${kind}`,
	);
}
