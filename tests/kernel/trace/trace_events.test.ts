// SPDX-License-Identifier: GPL-2.0-only
// Masks, names: trace_events.c, the comment over ftrace_set_clr_event().
import { expect } from 'chai';
import {
	__dynamic_array,
	__field,
	__string,
	DECLARE_EVENT_CLASS,
	TRACE_EVENT,
} from '#include/trace/trace_events.js';
import { available_events, ftrace_set_clr_event, trace_set_clr_event } from '#kernel/trace/trace_events.js';
import { EINVAL } from '#linux/errno.js';
import { trace_common_fields, trace_event_offsets } from '#linux/trace_events.js';
import { bootFake } from '#tests/fake-machine.js';

const tick = TRACE_EVENT('clockwork', 'tick', [], 'tick', []);
const tock = TRACE_EVENT('clockwork', 'tock', [], 'tock', []);

const states = (): string => [tick, tock].map((call) => (call.enabled ? '1' : '0')).join('');

describe('trace_events', () => {
	const texts: readonly (readonly [string, number, string])[] = [
		['clockwork:tick', 0, '10'],
		['clockwork:*', 0, '11'],
		['clockwork:', 0, '11'],
		['clockwork', 0, '11'],
		['tock', 0, '01'],
		['*:tock', 0, '01'],
		[':tock', 0, '01'],
		['*:*', 0, '11'],
		['clockwork:nothing', -EINVAL, '00'],
		['nothing', -EINVAL, '00'],
		['*', -EINVAL, '00'],
	];
	for (const [text, ret, expected] of texts)
		it(`takes "${text}"`, () => {
			bootFake();
			expect(ftrace_set_clr_event(text, true)).to.equal(ret);
			expect(states()).to.equal(expected);
			ftrace_set_clr_event(text, false);
			expect(states()).to.equal('00');
		});

	it('switches by system and event, and forgets at the next boot', () => {
		bootFake();
		expect(trace_set_clr_event('clockwork', null, true)).to.equal(0);
		expect(trace_set_clr_event('clockwork', 'tick', false)).to.equal(0);
		expect(trace_set_clr_event('clockwork', 'nothing', true)).to.equal(-EINVAL);
		expect(states()).to.equal('01');
		expect(available_events()).to.include('clockwork:tick');
		bootFake();
		expect(states()).to.equal('00');
	});

	it('gives each event a number of its own, above the tracers', () => {
		expect(tick.type).to.be.greaterThan(19);
		expect(tock.type).to.equal(tick.type + 1);
	});

	it('lays fields out as C does', () => {
		// dma_map_sg's order of sizes, 4 4 4 1 4 8, after a header of 8 (tests/golden/vectors/sysfs.json, "trace-formats").
		const fields = [
			__string('device'),
			__field('int', 'a'),
			__field('int', 'b'),
			__field('bool', 'c'),
			__dynamic_array('u64', 'd'),
			__field('unsigned long', 'e'),
		];
		expect(trace_event_offsets(trace_common_fields, 0)).to.deep.equal([0, 2, 3, 4]);
		expect(trace_event_offsets(fields, 8)).to.deep.equal([8, 12, 16, 20, 24, 32]);
	});

	it('fills a format with fields, or with C as it stands', () => {
		const c = DECLARE_EVENT_CLASS('x', [__string('s'), __field('int', 'n')], '%s %d %d', ['s', 'n', '1 + 2']);
		expect(c.print_args).to.deep.equal(['__get_str(s)', 'REC->n', '1 + 2']);
		expect(c.fields_array.map((f) => f.type)).to.deep.equal(['__data_loc char[]', 'int']);
	});
});
