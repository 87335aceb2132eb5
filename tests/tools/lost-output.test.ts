// SPDX-License-Identifier: GPL-2.0-only
// Programs whose output nobody gets.
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { expect } from 'chai';

const LOST = JSON.stringify(new URL('../../tools/lost-output.js', import.meta.url).href);

function program(text: string, stdout: number | 'pipe' = 'pipe'): { status: number | null; stderr: string } {
	const argv = ['--input-type=module', '-e', `import ${LOST};\n${text}`];
	return spawnSync(process.execPath, argv, { stdio: ['ignore', stdout, 'pipe'], encoding: 'utf8' });
}

describe('tools_lost_output', function () {
	// As long as programs take to start.
	this.timeout(0);
	it('makes a program end with 1 and a line when its output is lost, but with its own status when it has one', function () {
		if (statSync('/dev/full', { throwIfNoEntry: false }) === undefined) this.skip();
		const full = openSync('/dev/full', 'w');
		const print = "console.log('a'); console.log('b');";
		const line = 'standard output: no space left\n';
		expect(program(print, full)).to.include({ status: 1, stderr: line });
		expect(program(`${print} process.exitCode = 3;`, full)).to.include({ status: 3, stderr: line });
		closeSync(full);
	});

	it('is a part of each example, however it is started', () => {
		const dir = new URL('../../examples/', import.meta.url);
		const names = readdirSync(dir).filter((name) => name.endsWith('.js'));
		expect(names).not.to.have.length(0);
		for (const name of names)
			expect(readFileSync(new URL(name, dir), 'utf8'), name).to.match(
				/'#tools\/lost-output\.js'|'\.\/bench\.js'/,
			);
	});

	it('says nothing of output that arrives', () => {
		expect(program("console.log('a');")).to.include({ status: 0, stderr: '' });
	});
});
