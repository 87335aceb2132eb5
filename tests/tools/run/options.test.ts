// SPDX-License-Identifier: GPL-2.0-only
// The command line of `make run`.
import { expect } from 'chai';
import { parseMem, parseOptions } from '#tools/run/options.js';
import { UserError } from '#tools/run/user-error.js';

describe('tools_run_options', () => {
	for (const [text, bytes] of [
		['64M', 64 * 2 ** 20],
		['2G', 2 * 2 ** 30],
		['524288k', 2 ** 29],
		['1073741824', 2 ** 30],
	] as const)
		it(`takes ${text} of memory`, () => {
			expect(parseMem(text)).to.equal(bytes);
		});

	for (const text of ['', '2', '63M', '4G', '2T', '-1G', '1.5G', 'lots', '67108865'])
		it(`refuses "${text}" of memory and says what it expects`, () => {
			expect(() => parseMem(text)).to.throw(UserError, /^MEM: expected a size between 64M and 3G .*, got "/);
		});

	it('has defaults for all', () => {
		const options = parseOptions([]);
		expect(options.mem).to.equal(null);
		expect(options.append).to.equal('');
		expect(options.picture).to.equal('examples/picture.jpg');
		expect(options.dtb).to.match(/sun50i-h6-orangepi-3\.dtb$/);
	});

	it('refuses an option that it does not know, with its usage', () => {
		expect(() => parseOptions(['--colour', 'red'])).to.throw(UserError, /--colour[\s\S]*usage: make run/);
	});
});
