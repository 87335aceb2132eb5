// SPDX-License-Identifier: GPL-2.0-only
// Trace events of video buffers, on their way between a program and a driver.
// Linux 6.12: include/trace/events/vb2.h

import type { vb2_buffer, vb2_queue } from '#include/media/videobuf2-core.js';
import { __field, DECLARE_EVENT_CLASS, DEFINE_EVENT } from '#include/trace/trace_events.js';
import { trace_event } from '#kernel/trace/trace.js';
import { do_trace } from '#kernel/tracepoint.js';
import { atomic_read } from '#linux/atomic.js';
import type { trace_event_call } from '#linux/trace_events.js';

const vb2_event_class = DECLARE_EVENT_CLASS(
	'vb2',
	[
		__field('void *', 'owner'),
		__field('u32', 'queued_count'),
		__field('int', 'owned_by_drv_count'),
		__field('u32', 'index'),
		__field('u32', 'type'),
		__field('u32', 'bytesused'),
		__field('u64', 'timestamp'),
	],
	'owner = %p, queued = %u, owned_by_drv = %d, index = %u, type = %u, bytesused = %u, timestamp = %llu',
	['owner', 'queued_count', 'owned_by_drv_count', 'index', 'type', 'bytesused', 'timestamp'],
);

const vb2_buf_done = DEFINE_EVENT(vb2_event_class, 'vb2_buf_done');
const vb2_buf_queue = DEFINE_EVENT(vb2_event_class, 'vb2_buf_queue');
const vb2_dqbuf = DEFINE_EVENT(vb2_event_class, 'vb2_dqbuf');
const vb2_qbuf = DEFINE_EVENT(vb2_event_class, 'vb2_qbuf');

function trace_vb2(event: trace_event_call, q: vb2_queue, vb: vb2_buffer): void {
	if (event.probes.length !== 0) do_trace(event, q, vb);
	if (!event.enabled) return;
	trace_event(
		event,
		q.owner as object | null,
		q.queued_count,
		atomic_read(q.owned_by_drv_count),
		vb.index,
		vb.type,
		vb.planes[0].bytesused,
		vb.timestamp,
	);
}

/** The driver has given @vb back (include/trace/events/vb2.h: trace_vb2_buf_done()). */
export function trace_vb2_buf_done(q: vb2_queue, vb: vb2_buffer): void {
	trace_vb2(vb2_buf_done, q, vb);
}

/** The driver gets @vb (include/trace/events/vb2.h: trace_vb2_buf_queue()). */
export function trace_vb2_buf_queue(q: vb2_queue, vb: vb2_buffer): void {
	trace_vb2(vb2_buf_queue, q, vb);
}

/** The program has @vb back (include/trace/events/vb2.h: trace_vb2_dqbuf()). */
export function trace_vb2_dqbuf(q: vb2_queue, vb: vb2_buffer): void {
	trace_vb2(vb2_dqbuf, q, vb);
}

/** The program has queued @vb (include/trace/events/vb2.h: trace_vb2_qbuf()). */
export function trace_vb2_qbuf(q: vb2_queue, vb: vb2_buffer): void {
	trace_vb2(vb2_qbuf, q, vb);
}
