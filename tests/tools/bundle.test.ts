// SPDX-License-Identifier: GPL-2.0-only
// A program as one file does what it does as many.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { bundle } from '#tools/bundle.js';
import { encodeJpeg } from '#tools/jpeg-encode.js';
import { PROJECT } from '#tools/project.js';

describe('tools_bundle', function () {
	// As long as programs take to start.
	this.timeout(0);
	let dir: string;
	before(() => {
		dir = mkdtempSync(join(tmpdir(), 'bundle-'));
	});
	after(() => rmSync(dir, { recursive: true }));

	/** What @program prints, as modules and as one file. */
	async function printed(program: string, ...argv: string[]): Promise<[plain: string, bundled: string]> {
		const file = join(dir, 'bundle.mjs');
		const { code, map } = await bundle(program, file);
		writeFileSync(file, code);
		writeFileSync(`${file}.map`, map);
		const start = (path: string): string => {
			const { status, stdout, stderr } = spawnSync(process.execPath, [path, ...argv], {
				cwd: PROJECT,
				env: { NODE_OPTIONS: '--enable-source-maps' },
				encoding: 'utf8',
			});
			expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' });
			return stdout;
		};
		return [start(program), start(file)];
	}

	it('boots, decodes and shows as its modules do, message for message, and finds its own files', async () => {
		const picture = join(dir, 'picture.jpg');
		writeFileSync(
			picture,
			encodeJpeg({ width: 16, height: 16, data: new Uint8Array(768) }, { subsampling: '420' }),
		);
		const argv = ['-v', '--picture', picture, '--out', join(dir, 'frame.png')];
		const [plain, bundled] = await printed('build/tools/run/main.js', ...argv);
		const told = (text: string): string[] => text.replace(/^booted in \d+ ms$/m, '').split('\n');
		expect(told(bundled)).to.deep.equal(told(plain));
	});

	it("names a trace's functions, and their places in the sources", async () => {
		const [plain, bundled] = await printed('build/examples/user-mapping.js');
		expect(bundled).to.match(/^ *set_ptes \(mm\/memory\.ts:\d+\)$/m);
		expect(bundled).to.equal(plain);
	});

	it('has the licence of each package that is in it', async () => {
		const { code } = await bundle('build/tools/run/main.js', join(dir, 'bundle.mjs'));
		expect(code.match(/^node_modules\/\S+$/gm)).to.deep.equal(['node_modules/jpeg-js']);
		expect(code).to.include('Redistributions of source code must retain');
	});
});
