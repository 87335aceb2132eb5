// SPDX-License-Identifier: GPL-2.0-only
// The program as it is started.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { PROJECT } from '#tools/project.js';

const MAIN = join(PROJECT, 'build/tools/linux-iommu.js');
const USAGE = 'usage: make new NAME=my-iommu [DIR=/where/it/goes]\n   or: linux-iommu new FOLDER\n';

describe('tools_new_main', () => {
	let dir: string;
	beforeEach(() => {
		dir = mkdtempSync(join(tmpdir(), 'new-main-'));
	});
	afterEach(() => {
		rmSync(dir, { recursive: true });
	});

	const start = (...argv: string[]): { status: number | null; stdout: string; stderr: string } =>
		spawnSync(process.execPath, [MAIN, ...argv], { cwd: dir, env: {}, encoding: 'utf8' });

	it('makes a folder from here, and says what to do with it', () => {
		const { status, stdout, stderr } = start('new', 'my-iommu/');
		expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' });
		expect(stdout).to.match(/^my-iommu\/: driver\.ts, model\.ts.*\nNow: cd 'my-iommu\/' && npm test; then /);
		expect(readdirSync(dir)).to.deep.equal(['my-iommu']);
	});

	it('answers a command line that is none in a line, and makes nothing', () => {
		for (const argv of [['new'], ['new', ''], ['new', 'a', 'b'], ['new', '--what']])
			expect(start(...argv)).to.include({
				status: 2,
				stdout: '',
				stderr: `expected one folder, whose name is to be the name of the IOMMU\n${USAGE}`,
			});
		expect(start('new', 'a_b')).to.include({
			status: 2,
			stderr: '"a_b": expected a name of lower-case letters, digits and single hyphens, such as my-iommu\n',
		});
		expect(start('new', 'sun50i-iommu')).to.include({
			status: 2,
			stderr: '"sun50i-iommu": expected a name that no driver has; drivers/iommu/sun50i-iommu.ts is there\n',
		});
		const knit = start('knit');
		expect(knit.status).to.equal(2);
		expect(knit.stderr).to.match(
			/^"knit": expected a verb\nusage: linux-iommu VERB …\n( {2}[a-z-]+ +\S.*\n)+linux-iommu VERB --help/,
		);
		expect(readdirSync(dir)).to.deep.equal([]);
	});

	it('has help', () => {
		expect(start('new', '--help')).to.include({ status: 0, stdout: USAGE, stderr: '' });
	});
});
