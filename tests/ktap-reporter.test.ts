// SPDX-License-Identifier: GPL-2.0-only
import { EventEmitter } from 'node:events';
import { expect } from 'chai';
import type { Runner } from 'mocha';
import KtapReporter from '#tests/ktap-reporter.js';

describe('ktap_reporter', () => {
	it('writes a subtest for each suite, in suites too; what was left out is skipped, and says nothing of the others', () => {
		const runner = new EventEmitter();
		const lines: string[] = [];
		new KtapReporter(runner as unknown as Runner, {}, (line) => lines.push(line));
		const failure = Object.assign(new Error(), { stack: 'Error: expected 1\n    at x.test.ts:3' });
		runner.emit('suite', { root: true, title: '' });
		runner.emit('suite', { root: false, title: 'a' });
		runner.emit('pass', { title: 'adds' });
		runner.emit('suite', { root: false, title: 'on a # board' });
		runner.emit('fail', { title: 'boots' }, failure);
		runner.emit('suite end', { root: false });
		runner.emit('suite end', { root: false });
		runner.emit('suite', { root: false, title: 'b' });
		runner.emit('pending', { title: 'is elsewhere' });
		runner.emit('suite end', { root: false });
		runner.emit('suite end', { root: true });
		runner.emit('end');
		expect(lines).to.deep.equal([
			'KTAP version 1',
			'1..2',
			'    KTAP version 1',
			'    # Subtest: a',
			'    1..2',
			'    ok 1 adds',
			'        KTAP version 1',
			'        # Subtest: on a  board',
			'        1..1',
			'        # Error: expected 1',
			'        #     at x.test.ts:3',
			'        not ok 1 boots',
			'    not ok 2 on a  board',
			'not ok 1 a',
			'    KTAP version 1',
			'    # Subtest: b',
			'    1..1',
			'    ok 1 is elsewhere # SKIP',
			'ok 2 b # SKIP',
		]);
	});
});
