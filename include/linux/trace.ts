// SPDX-License-Identifier: GPL-2.0-only
// Who gets the trace's records besides the ring.
// Linux 6.12: include/linux/trace.h
// Left out: flags (all that is exported are events and free text), trace arrays.
import type { trace_entry } from '#linux/trace_events.js';

/** Where records go, too (include/linux/trace.h: struct trace_export). */
export interface trace_export {
	write(entry: trace_entry): void;
}
