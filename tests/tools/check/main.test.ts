// SPDX-License-Identifier: GPL-2.0-only
// The program as it is started.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { PROJECT } from '#tools/project.js';

const MAIN = join(PROJECT, 'build/tools/linux-iommu.js');

function start(...argv: string[]): { status: number | null; stdout: string; stderr: string } {
	return spawnSync(process.execPath, [MAIN, 'check', ...argv], { cwd: PROJECT, env: {}, encoding: 'utf8' });
}

describe('tools_check_main', function () {
	// As long as a kernel takes to load.
	this.timeout(0);

	it('runs the cases that are selected, and says what came of them', () => {
		const { status, stdout, stderr } = start('--only', 'registers: ', 'edu-iommu');
		expect([status, stdout, stderr]).to.deep.equal([0, '2 passed\n', '']);
	});

	it('answers 2 in one line where no case is selected, or nobody is to be checked', () => {
		for (const [argv, sentence] of [
			[['--only', 'xyzzy', 'edu-iommu'], /^ONLY: no case has "xyzzy" in its name; there are bring-up, .*\n$/],
			[['no-iommu'], /^"no-iommu": no driver and no folder; .*\n$/],
		] as const) {
			const { status, stderr } = start(...argv);
			expect(status).to.equal(2);
			expect(stderr).to.match(sentence);
		}
	});

	it('answers 1 in one line where a folder describes nothing', () => {
		const dir = mkdtempSync(join(tmpdir(), 'check-main-'));
		writeFileSync(join(dir, 'check.ts'), '');
		mkdirSync(join(dir, 'build'));
		writeFileSync(join(dir, 'build/check.js'), 'export const x = 1;');
		const { status, stderr } = start('--only', 'registers: ', dir);
		rmSync(dir, { recursive: true });
		expect(status).to.equal(1);
		expect(stderr).to.match(/build\/check\.js: expected it to export a description: Description\n$/);
	});
});
