// SPDX-License-Identifier: GPL-2.0-only
// What `make bench` takes.
import { expect } from 'chai';
import { CASES } from '#tools/bench/cases.js';
import { parseBench } from '#tools/bench/options.js';
import { UserError } from '#tools/run/user-error.js';

describe('tools_bench_options', () => {
	it('measures all hot paths, and growth, unless something is picked', () => {
		expect(parseBench([])).to.deep.equal({ keys: Object.keys(CASES), ms: 300, all: true, native: false });
		expect(parseBench(['--only='])).to.include({ all: true });
	});

	it('measures what is picked by a part of its name, as long as it is told to', () => {
		expect(parseBench(['--only', 'live', '--time', '50'])).to.deep.equal({
			keys: ['tree1k', 'tree128', 'tree100k'],
			ms: 50,
			all: false,
			native: false,
		});
	});

	it('takes C beside what it has too', () => {
		expect(parseBench(['--native', '--only', 'live of'])).to.deep.include({
			keys: ['tree128'],
			native: true,
		});
	});

	for (const [argv, what] of [
		[['--only', 'nothing'], /ONLY: expected a part of "alloc_iova_fast .*got "nothing"/],
		[
			['--native', '--only', 'direct'],
			'NATIVE: expected a case that C has too, those of alloc_iova; ONLY is "direct"',
		],
		[['--time', 'abc'], '--time: expected milliseconds, got "abc"'],
		[['--time', '0'], '--time: expected milliseconds, got "0"'],
		[['--speed'], /--speed/],
	] as const)
		it(`refuses ${argv.join(' ')}`, () => {
			expect(() => parseBench([...argv])).to.throw(UserError, what);
		});
});
