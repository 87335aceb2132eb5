// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import {
	trace_print_array_seq,
	trace_print_flags_seq,
	trace_print_lat_fmt,
	trace_print_symbols_seq,
} from '#kernel/trace/trace_output.js';
import { U64_MAX } from '#linux/types.js';

describe('trace_output', () => {
	it('names the flags, the first match taking its bits, and gives the rest in hex', () => {
		const names = [
			[6, 'BOTH'],
			[2, 'TWO'],
			[4, 'FOUR'],
		] as const;
		expect(trace_print_flags_seq('|', 0, names)).to.equal('');
		expect(trace_print_flags_seq('|', 6, names)).to.equal('BOTH');
		expect(trace_print_flags_seq('|', 4, names)).to.equal('FOUR');
		expect(trace_print_flags_seq('|', 0x8000_0002, names)).to.equal('TWO|0x80000000');
	});

	it('prints symbols, and a number without one in hex', () => {
		expect(trace_print_symbols_seq(1, ['A', 'B'])).to.equal('B');
		expect(trace_print_symbols_seq(17, ['A', 'B'])).to.equal('0x11');
	});

	it('prints arrays in hex', () => {
		expect(trace_print_array_seq([])).to.equal('{}');
		expect(trace_print_array_seq([0xffff_8000, U64_MAX])).to.equal('{0xffff8000,0xffffffffffffffff}');
	});

	it('shows the context in five letters', () => {
		expect(trace_print_lat_fmt(false, false, false, 0)).to.equal('.....');
		expect(trace_print_lat_fmt(true, true, false, 1)).to.equal('d.h1.');
		expect(trace_print_lat_fmt(true, true, true, 2)).to.equal('d.H2.');
		expect(trace_print_lat_fmt(false, false, true, 0)).to.equal('..s..');
	});
});
