// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import {
	available_events,
	DEFINE_TRACE_EVENT,
	trace_entries,
	trace_event,
	trace_line,
	trace_lines,
	trace_printk,
	trace_set_clr_event,
	tracing_off,
	tracing_on,
	tracing_reset,
} from '#kernel/trace/trace.js';
import { bootFake } from '#tests/fake-machine.js';

const ping = DEFINE_TRACE_EVENT('testing', 'ping');
const pong = DEFINE_TRACE_EVENT('testing', 'pong');

describe('trace', () => {
	it('records enabled events as lines in the kernel format', () => {
		const m = bootFake();
		m.advance(1_234_567);
		trace_event(ping, 'iova=0x%llx', 1);
		expect(trace_entries()).to.have.length(0);
		expect(trace_set_clr_event('testing:ping', true)).to.equal(true);
		trace_event(ping, 'iova=0x%llx', 0x1000);
		trace_event(pong, 'never');
		trace_printk('free %s', 'text');
		expect(trace_entries().map(trace_line)).to.deep.equal([
			'       swapper/0-0       [000] .....     0.001234: ping: iova=0x1000',
			'       swapper/0-0       [000] .....     0.001234: free text',
		]);
		expect(trace_lines()[2]).to.contain('entries-in-buffer/entries-written: 2/2');
		tracing_off();
		trace_printk('no');
		tracing_on();
		expect(trace_entries()).to.have.length(2);
		tracing_reset();
		expect(trace_entries()).to.have.length(0);
	});

	it('matches events by system and forgets them at the next boot', () => {
		bootFake();
		expect(trace_set_clr_event('testing:*', true)).to.equal(true);
		expect(pong.enabled).to.equal(true);
		expect(trace_set_clr_event('nothing', true)).to.equal(false);
		expect(available_events()).to.include('testing:ping');
		bootFake();
		expect(pong.enabled).to.equal(false);
	});
});
