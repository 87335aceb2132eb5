// SPDX-License-Identifier: GPL-2.0-only
// The program dma_map_benchmark: what it takes, what it prints.
import { expect } from 'chai';
import { map_benchmark } from '#linux/map_benchmark.js';
import { lines, parseBenchmark } from '#tools/bench/dma_map_benchmark.js';
import { UsageError, UserError } from '#tools/run/user-error.js';

describe('tools_bench_dma_map_benchmark', () => {
	it('has the defaults of the selftest', () => {
		const { question } = parseBenchmark([]);
		expect(question).to.include({ threads: 1, seconds: 20, node: -1, dma_bits: 32 });
		expect(question).to.include({ dma_dir: 0, dma_trans_ns: 0, granule: 1 });
	});

	it('takes its options', () => {
		const { question } = parseBenchmark('-t 4 -s 2 -n 0 -b 40 -d 2 -x 100 -g 16'.split(' '));
		expect(question).to.include({ threads: 4, seconds: 2, node: 0, dma_bits: 40 });
		expect(question).to.include({ dma_dir: 2, dma_trans_ns: 100, granule: 16 });
	});

	it('takes a negative node, as the selftest does', () => {
		expect(parseBenchmark(['-n', '-1', '-t', '2']).question).to.include({ node: -1, threads: 2 });
	});

	for (const [option, value, what] of [
		['-t', '0', 'invalid number of threads, must be in 1-1024'],
		['-t', 'many', 'invalid number of threads, must be in 1-1024'],
		['-s', '301', 'invalid number of seconds, must be in 1-300'],
		['-x', '10000001', 'invalid transmit delay, must be in 0-10000000'],
		['-b', '19', 'invalid dma mask bit, must be in 20-64'],
		['-d', '3', 'invalid dma direction'],
		['-g', '1025', 'invalid granule size'],
	] as const)
		it(`refuses ${option} ${value}: ${what}`, () => {
			expect(() => parseBenchmark([option, value])).to.throw(UserError, what);
		});

	it('refuses an option that it does not know, with its usage', () => {
		expect(() => parseBenchmark(['--speed', '9']))
			.to.throw(UsageError, /--speed/)
			.with.property('usage')
			.that.matches(/^usage: dma_map_benchmark/);
	});

	it('prints the three lines of the selftest', () => {
		const answer = Object.assign(new map_benchmark(), {
			threads: 2,
			seconds: 5,
			node: -1,
			granule: 16,
			dma_dir: 1,
		});
		Object.assign(answer, { avg_map_100ns: 31, map_stddev: 7, avg_unmap_100ns: 120, unmap_stddev: 0 });
		expect(lines(answer)).to.deep.equal([
			'dma mapping benchmark: threads:2 seconds:5 node:-1 dir:TO_DEVICE granule: 16',
			'average map latency(us):3.1 standard deviation:0.7',
			'average unmap latency(us):12.0 standard deviation:0.0',
		]);
	});
});
