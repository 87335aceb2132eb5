// SPDX-License-Identifier: GPL-2.0-only
// The programs as they are started.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { PROJECT } from '#tools/project.js';

const MAIN = join(PROJECT, 'build/tools/linux-iommu.js');

describe('tools_see_boot', function () {
	// As long as a kernel takes to load.
	this.timeout(0);
	let dir: string;
	let script: string;
	before(() => {
		dir = mkdtempSync(join(tmpdir(), 'see-'));
		script = join(dir, 'script');
	});
	after(() => {
		rmSync(dir, { recursive: true });
	});

	const start = (
		argv: readonly string[],
		input = '',
	): { status: number | null; stdout: string; stderr: string } =>
		spawnSync(process.execPath, [MAIN, ...argv], { cwd: PROJECT, env: {}, encoding: 'utf8', input });
	const boot = (commands: string, ...argv: string[]): ReturnType<typeof start> => {
		writeFileSync(script, commands);
		return start(['boot', 'edu-board', '--script', script, ...argv]);
	};

	it('runs a script: each command with its answer', () => {
		const { status, stdout, stderr } = boot('# a page\nmap m0 4096 to\n\nunmap $1\n');
		expect([status, stderr]).to.deep.equal([0, '']);
		expect(stdout).to.match(
			/\n> # a page\n> map m0 4096 to\n\$1 = 0xfffff000, 4096 bytes, DMA_TO_DEVICE\n> unmap \$1\n$/,
		);
	});

	it('ends a script at the first command that fails, with its place, and status 1', () => {
		const { status, stdout, stderr } = boot('map m0 4096\nbogus\nunmap $1\n');
		expect([status, stderr]).to.deep.equal([
			1,
			`${script}:2: expected a command (help lists them), got "bogus"\n`,
		]);
		expect(stdout).not.to.include('unmap');
	});

	it('answers 1 where the sanitiser has found something, unless that does not count', () => {
		const bug = 'map m0 100\nfree $1\n';
		expect(boot(bug)).to.include({ status: 1, stderr: '' });
		expect(boot(bug, '--no-dmasan')).to.include({ status: 0, stderr: '' });
	});

	it('takes commands from its input, and goes on behind one that fails', () => {
		const { status, stdout, stderr } = start(['boot', 'edu-board'], 'bogus\nmap m0 1\n');
		expect([status, stderr]).to.deep.equal([0, 'expected a command (help lists them), got "bogus"\n']);
		expect(stdout).to.match(/\$1 = 0xfffff000, 1 bytes, DMA_BIDIRECTIONAL\n$/);
	});

	it('answers 2 to a command line that is none', () => {
		for (const [argv, message] of [
			[['boot', 'nosuch'], /^expected a board, a \.dtb file or edu-board, .*, got "nosuch"\nusage: /],
			[['boot', 'a', 'b'], /^expected one board, got 2\nusage: /],
			[['boot', '--seed', 'x'], /^--seed: expected a whole number of up to nine digits, got "x"\n/],
			[
				['walk', '--board', 'edu-board', 'nosuch', '0'],
				/^expected a device or a stream, m0 or .*, got "nosuch"\n/,
			],
			[['cat', '--json', '/proc'], /^--json: expected none, as cat has text alone\nusage: /],
		] as const) {
			const { status, stdout, stderr } = start(argv);
			expect([status, stdout], argv.join(' ')).to.deep.equal([2, '']);
			expect(stderr).to.match(message);
		}
	});

	it('names the board that is none, and one that cannot do the job', () => {
		writeFileSync(script, 'no tree');
		const { status, stderr } = start(['boot', script]);
		expect([status, stderr]).to.deep.equal([
			1,
			`${script}: not a device tree: it begins with 0x6e6f2074, not with 0xd00dfeed\n`,
		]);
		expect(start(['run', '--step', '--board', 'edu-board'])).to.include({
			status: 1,
			stderr:
				'expected a board that can do the job, got opening the video engine: open /dev/video0: -ENXIO\n',
		});
	});

	it('does one command behind a script: its answer alone, or as JSON', () => {
		writeFileSync(script, 'map m0 4096 to\n');
		const at = ['--board', 'edu-board', '--script', script];
		expect(start(['maps', ...at, 'm0']).stdout).to.match(/^0xfffff000 4096 bytes DMA_TO_DEVICE, m0: /);
		const { stdout } = start(['walk', ...at, '--json', 'm0', '$1']);
		expect(JSON.parse(stdout)).to.include({ device: 'm0', iova: '0xfffff000', rights: 'read' });
	});
});
