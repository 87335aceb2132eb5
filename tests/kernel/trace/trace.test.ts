// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import { __field, TRACE_EVENT } from '#include/trace/trace_events.js';
import {
	register_ftrace_export,
	trace_entries,
	trace_event,
	trace_lines,
	trace_printk,
	tracing_off,
	tracing_on,
	tracing_reset,
	unregister_ftrace_export,
} from '#kernel/trace/trace.js';
import { trace_set_clr_event } from '#kernel/trace/trace_events.js';
import { trace_line } from '#kernel/trace/trace_output.js';
import { EEXIST, ENOENT } from '#linux/errno.js';
import type { trace_entry } from '#linux/trace_events.js';
import { bootFake } from '#tests/fake-machine.js';

const ping = TRACE_EVENT('testing', 'ping', [__field('u64', 'iova')], 'iova=0x%llx', ['iova']);
const pong = TRACE_EVENT('testing', 'pong', [], 'never', []);

describe('trace', () => {
	it('records enabled events as lines in the kernel format', () => {
		const m = bootFake();
		m.advance(1_234_567);
		trace_event(ping, 1);
		expect(trace_entries()).to.have.length(0);
		expect(trace_set_clr_event('testing', 'ping', true)).to.equal(0);
		trace_event(ping, 0x1000);
		trace_event(pong);
		trace_printk('free %s', 'text');
		expect(trace_entries().map(trace_line)).to.deep.equal([
			'          <idle>-0       [000] .....     0.001235: ping: iova=0x1000',
			'          <idle>-0       [000] .....     0.001235: free text',
		]);
		expect(trace_lines()[2]).to.contain('entries-in-buffer/entries-written: 2/2');
		tracing_off();
		trace_printk('no');
		tracing_on();
		expect(trace_entries()).to.have.length(2);
		tracing_reset();
		expect(trace_entries()).to.have.length(0);
	});

	it('gives records to who has asked for them, while they are taken', () => {
		bootFake();
		const seen: string[] = [];
		const hears = { write: ({ event, text }: trace_entry) => seen.push(`${event} ${text}`) };
		expect(register_ftrace_export(hears)).to.equal(0);
		expect(register_ftrace_export(hears)).to.equal(-EEXIST);
		trace_event(ping, 1);
		trace_set_clr_event('testing', 'ping', true);
		trace_event(ping, 2);
		tracing_off();
		trace_printk('no');
		tracing_on();
		trace_printk('yes');
		expect(unregister_ftrace_export(hears)).to.equal(0);
		expect(unregister_ftrace_export(hears)).to.equal(-ENOENT);
		trace_printk('no');
		expect(seen).to.deep.equal(['testing:ping iova=0x2', 'bprint yes']);
	});
});
