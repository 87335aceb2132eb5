// SPDX-License-Identifier: GPL-2.0-only
// What is said to users.
import { expect } from 'chai';
import sinon from 'sinon';
import { complain, oneLine, quoted, UsageError, UserError, wholeNumber } from '#tools/run/user-error.js';

describe('tools_run_user_error', () => {
	let error: sinon.SinonStub;
	beforeEach(() => {
		error = sinon.stub(console, 'error');
	});
	afterEach(() => sinon.restore());

	it('ends with 1 for a failure and with 2 for a command line that is none', () => {
		expect(complain(new UserError('a'))).to.equal(1);
		expect(complain(new UsageError('b'))).to.equal(2);
		expect(complain(new UsageError('c', 'usage: d'))).to.equal(2);
		expect(error.args.flat()).to.deep.equal(['a', 'b', 'c', 'usage: d']);
	});

	it('is one line, whatever characters a name has', () => {
		complain(new UserError('cannot read a\nb\u001b[2J\u009b\u2028: no such file'));
		expect(error.args.flat()).to.deep.equal(['cannot read a\\x0ab\\x1b[2J\\x9b\\x2028: no such file']);
		expect(oneLine('a\tb "\u{1f600}"')).to.equal('a\tb "\u{1f600}"');
	});

	it('says which whole numbers are expected', () => {
		expect(wholeNumber('SEEDS', '', 7, 1)).to.equal(7);
		expect(wholeNumber('SEEDS', '1', 7, 1)).to.equal(1);
		expect(() => wholeNumber('SEEDS', '0', 7, 1)).to.throw(
			UsageError,
			'SEEDS: expected a whole number from 1 on of up to nine digits, got "0"',
		);
		expect(() => wholeNumber('SEED', '-1', 1)).to.throw(
			UsageError,
			/: expected a whole number of up to nine digits,/,
		);
	});

	it('quotes the beginning of what is long', () => {
		expect(quoted('abc')).to.equal('"abc"');
		expect(quoted('9'.repeat(400))).to.equal(`"${'9'.repeat(60)}..." (400 characters)`);
	});
});
