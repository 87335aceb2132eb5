// SPDX-License-Identifier: GPL-2.0-only
// Files in and out.
import {
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { checkOutput, readInput, writeOutput } from '#tools/run/files.js';
import { UserError } from '#tools/run/user-error.js';

describe('tools_run_files', () => {
	let dir: string;
	beforeEach(() => {
		dir = mkdtempSync(join(tmpdir(), 'run-'));
	});
	afterEach(() => {
		rmSync(dir, { recursive: true });
	});

	it('names the option and the file that cannot be read', () => {
		expect(() => readInput('PICTURE', join(dir, 'none.jpg'))).to.throw(
			UserError,
			`PICTURE: cannot read ${join(dir, 'none.jpg')}: no such file`,
		);
		expect(() => readInput('DTB', dir)).to.throw(UserError, `DTB: cannot read ${dir}: is a folder`);
	});

	it('finds out before the work that a folder is in the place of the output', () => {
		mkdirSync(join(dir, 'frame.png'));
		expect(() => checkOutput('OUT', join(dir, 'frame.png'))).to.throw(
			UserError,
			/^OUT: cannot write .*: is a folder$/,
		);
	});

	it('finds out before the work that a file is in the place of the output folder', () => {
		writeFileSync(join(dir, 'out'), '');
		expect(() => checkOutput('OUT', join(dir, 'out/frame.png'))).to.throw(UserError, /^OUT: cannot write /);
	});

	it('makes the folder of the output', () => {
		checkOutput('OUT', join(dir, 'a/b/frame.png'));
		expect(existsSync(join(dir, 'a/b'))).to.equal(true);
	});

	it('puts the whole output in place and leaves nothing beside it', () => {
		const out = join(dir, 'frame.png');
		writeFileSync(out, 'old');
		writeOutput('OUT', out, Uint8Array.of(1, 2, 3));
		expect([...readFileSync(out)]).to.deep.equal([1, 2, 3]);
		expect(readdirSync(dir)).to.deep.equal(['frame.png']);
	});

	it('leaves nothing half-written when it fails', () => {
		mkdirSync(join(dir, 'frame.png'));
		expect(() => writeOutput('OUT', join(dir, 'frame.png'), Uint8Array.of(1))).to.throw(UserError);
		expect(readdirSync(dir)).to.deep.equal(['frame.png']);
	});
});
