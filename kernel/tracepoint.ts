// SPDX-License-Identifier: GPL-2.0-only
// Functions that a tracepoint calls, beside what the tracer records.
// Linux 6.12: kernel/tracepoint.c; register_trace_NAME() and its twin: include/linux/tracepoint.h
// Left out: priorities; the functions' RCU.

import { EEXIST, ENOENT } from '#linux/errno.js';
import type { trace_event_call, tracepoint_probe } from '#linux/trace_events.js';
import type { int } from '#linux/types.js';

function find_probe<A extends unknown[]>(
	call: trace_event_call,
	probe: tracepoint_probe<A>,
	data: unknown,
): int {
	for (const [i, f] of call.probes.entries()) if (f.func === probe && f.data === data) return i;
	return -1;
}

/** Have @probe called with @data and the event's arguments; -EEXIST: it is (tracepoint_probe_register()). */
export function tracepoint_probe_register<A extends unknown[]>(
	call: trace_event_call,
	probe: tracepoint_probe<A>,
	data: unknown,
): int {
	if (find_probe(call, probe, data) >= 0) return -EEXIST;
	call.probes.push({ func: probe as tracepoint_probe, data });
	return 0;
}

/** Have it called no more; -ENOENT: it is not (kernel/tracepoint.c: tracepoint_probe_unregister()). */
export function tracepoint_probe_unregister<A extends unknown[]>(
	call: trace_event_call,
	probe: tracepoint_probe<A>,
	data: unknown,
): int {
	const i = find_probe(call, probe, data);
	if (i < 0) return -ENOENT;
	call.probes.splice(i, 1);
	return 0;
}

/** Call all of them (include/linux/tracepoint.h: __DO_TRACE()). */
export function do_trace(call: trace_event_call, ...args: unknown[]): void {
	for (const f of call.probes) f.func(f.data, ...args);
}
