// SPDX-License-Identifier: GPL-2.0-only
// What `make bench` calls lazy is.
import { expect } from 'chai';
import { bootWay, deviceOf, mustQueue } from '#tools/bench/boards.js';

describe('tools_bench_boards', () => {
	it('has the unmaps of the lazy board wait in a queue', () => {
		bootWay('lazy', 'debug');
		mustQueue(deviceOf(''));
	});

	it('does not take a strict board for a lazy one', () => {
		bootWay('strict', 'debug');
		expect(() => mustQueue(deviceOf(''))).to.throw('expected a domain that is DMA-FQ, got DMA\n');
	});
});
