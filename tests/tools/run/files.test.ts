// SPDX-License-Identifier: GPL-2.0-only
// Files that are read.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { readInput } from '#tools/run/files.js';
import { UserError } from '#tools/run/user-error.js';

describe('tools_run_files', () => {
	let dir: string;
	beforeEach(() => {
		dir = mkdtempSync(join(tmpdir(), 'run-'));
	});
	afterEach(() => {
		rmSync(dir, { recursive: true });
	});

	it('reads a file whole', () => {
		const bytes = Uint8Array.from({ length: 3_000_000 }, (_, i) => i % 251);
		writeFileSync(join(dir, 'long'), bytes);
		expect(Buffer.compare(readInput('PICTURE', join(dir, 'long')), bytes)).to.equal(0);
		writeFileSync(join(dir, 'empty'), '');
		expect(readInput('PICTURE', join(dir, 'empty')).length).to.equal(0);
	});

	it('names the option and the file that cannot be read', () => {
		expect(() => readInput('PICTURE', join(dir, 'none.jpg'))).to.throw(
			UserError,
			`PICTURE: cannot read ${join(dir, 'none.jpg')}: no such file`,
		);
		expect(() => readInput('DTB', dir)).to.throw(UserError, `DTB: cannot read ${dir}: is a folder`);
	});

	it('does not read a device for ever', () => {
		expect(() => readInput('PICTURE', '/dev/zero')).to.throw(
			UserError,
			/^PICTURE: \/dev\/zero .*never ends$/,
		);
	});
});
