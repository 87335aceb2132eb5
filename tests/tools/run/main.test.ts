// SPDX-License-Identifier: GPL-2.0-only
// The program as it is started: from any folder, with an exit status that says how it went.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { PROJECT } from '#tools/project.js';
import { ENGINE, Tree } from './trees.js';

const MAIN = join(PROJECT, 'build/tools/run/main.js');
/** A folder that the project is not in. */
const ELSEWHERE = mkdtempSync(join(tmpdir(), 'elsewhere-'));
after(() => rmSync(ELSEWHERE, { recursive: true }));

function start(...argv: string[]): { status: number | null; stdout: string; stderr: string } {
	return spawnSync(process.execPath, [MAIN, ...argv], { cwd: ELSEWHERE, env: {}, encoding: 'utf8' });
}

describe('tools_run_main', function () {
	// As long as programs take to start.
	this.timeout(0);
	it('has help, which names files of its own that are there', () => {
		const { status, stdout, stderr } = start('--help');
		expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' });
		const files = [...stdout.matchAll(/\((\/[^)]+\.(?:jpg|dtb))\)/g)].map((m) => m[1] as string);
		expect(files).to.have.lengthOf(2);
		for (const file of files) expect(existsSync(file), file).to.equal(true);
	});

	it('ends in one line and 2 where an option is none, in one line and 1 where a file is none', () => {
		expect(start('--mem', '-1')).to.include({
			status: 2,
			stdout: '',
			stderr: 'MEM: expected a size between 64M and 3G in whole pages (like 512M or 2G), got "-1"\n',
		});
		const out = join(PROJECT, 'arch');
		expect(start('--out', out)).to.include({
			status: 1,
			stdout: '',
			stderr: `OUT: cannot write ${out}: is a folder\n`,
		});
	});

	it('ends in 1, with what the kernel said, where the engine did not get its driver; in 0 where there is none', () => {
		const dir = mkdtempSync(join(tmpdir(), 'main-'));
		const on = (name: string, tree: Tree): ReturnType<typeof start> => {
			const dtb = join(dir, name);
			writeFileSync(dtb, tree.blob());
			return start('--dtb', dtb, '--out', join(dir, 'o.png'));
		};
		const failed = on('clocks.dtb', new Tree().set(ENGINE, 'clocks', [0x99, 0, 0x99, 0, 0x99, 0]));
		expect(failed.status).to.equal(1);
		expect(failed.stdout).to.match(
			/did not get its driver\.\n(?: {2}\[.*\n)* {2}.*driver cedrus failed with error -22\n/,
		);
		const without = on('without.dtb', new Tree().set(ENGINE, 'status', 'disabled'));
		expect(without.status).to.equal(0);
		expect(without.stdout).to.contain('its tree puts no video engine');
		expect(without.stdout).to.contain('30f0000.iommu: no accesses');
		rmSync(dir, { recursive: true });
	});
});
