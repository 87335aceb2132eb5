// SPDX-License-Identifier: GPL-2.0-only
// What the Makefile hands on: in a folder where a program stands that prints what it gets.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { PROJECT } from '#tools/project.js';

const NAMES = ['PICTURE', 'OUT', 'DTB', 'MEM', 'CMDLINE'];
const TEXT = ' a  b "c" \'d\' $e $$ $(shell touch pwned) $(f) `touch pwned` \\ # % ; & | ~ * é';

describe('makefile', function () {
	// As long as programs take to start.
	this.timeout(0);
	let dir: string;
	beforeEach(() => {
		dir = mkdtempSync(join(tmpdir(), 'make-'));
		copyFileSync(join(PROJECT, 'Makefile'), join(dir, 'Makefile'));
		const files = {
			'tools/build.mjs': '',
			'package-lock.json': '',
			'node_modules/.package-lock.json': '',
			'build/bundle/run.js': 'console.log(JSON.stringify({ argv: process.argv.slice(2), env: process.env }))',
		};
		for (const [path, text] of Object.entries(files)) {
			mkdirSync(join(dir, dirname(path)), { recursive: true });
			writeFileSync(join(dir, path), text);
		}
	});
	afterEach(() => {
		rmSync(dir, { recursive: true });
	});

	function make(
		argv: readonly string[],
		variables: Readonly<Record<string, string>> = {},
	): { status: number | null; stdout: string; stderr: string } {
		// Not what the make that runs the tests was told.
		const env = { PATH: process.env['PATH'], ...variables };
		return spawnSync('make', ['--no-print-directory', ...argv], { cwd: dir, env, encoding: 'utf8' });
	}

	it('hands any text on as it is, from its command line', () => {
		const { stdout, stderr } = make(['run', ...NAMES.map((name) => `${name}=${name}${TEXT}`)]);
		expect(stderr).to.equal('');
		for (const name of NAMES) expect(JSON.parse(stdout).env[name]).to.equal(name + TEXT);
	});

	it('hands any text on as it is, from the environment, lines too', () => {
		const texts = Object.fromEntries(NAMES.map((name) => [name, `${name}\n${TEXT}`]));
		const { stdout, stderr } = make(['run'], texts);
		expect(stderr).to.equal('');
		expect(JSON.parse(stdout).env).to.include(texts);
	});

	it('hands nothing on that it was not given, and V as -v', () => {
		const { env, argv } = JSON.parse(make(['run', 'V=1', 'OUT=']).stdout);
		expect(argv).to.deep.equal(['-v']);
		expect(env['OUT']).to.equal('');
		for (const name of NAMES) if (name !== 'OUT') expect(env).not.to.have.property(name);
	});

	it('builds when what is built has another page size than is asked for, and not otherwise', () => {
		const files = {
			'tools/build.mjs': "console.log('build', process.env.PAGE_SHIFT)",
			'tsconfig.json': '{}',
			'package.json': '{}',
			'include/linux/kconfig.ts': 'export const CONFIG_PAGE_SHIFT: int = 12;',
			'build/include/linux/kconfig.js': 'export const CONFIG_PAGE_SHIFT = 14;',
			'build/.stamp': '',
		};
		for (const [path, text] of Object.entries(files)) {
			mkdirSync(join(dir, dirname(path)), { recursive: true });
			writeFileSync(join(dir, path), text);
		}
		expect(make(['build']).stdout).to.equal('build undefined\n');
		expect(make(['build', 'PAGE_SHIFT=12']).stdout).to.equal('build 12\n');
		expect(make(['build', 'PAGE_SHIFT=14']).stdout).to.equal('');
		expect(make(['build'], { PAGE_SHIFT: '14' }).stdout).to.equal('');
		expect(make(['build', 'PAGE_SHIFT=14; touch pwned']).stdout).to.equal('build 14; touch pwned\n');
		expect(existsSync(join(dir, 'pwned'))).to.equal(false);
	});

	it('makes one file of what make run starts when what it is made of is newer, and not otherwise', () => {
		writeFileSync(join(dir, 'tools/build.mjs'), "console.log('build', process.argv[2])");
		for (const path of ['build/.stamp', 'tsconfig.json', 'package.json']) writeFileSync(join(dir, path), '');
		const touch = (path: string, seconds: number): void => utimesSync(join(dir, path), seconds, seconds);
		const made = (): string[] => make(['run']).stdout.match(/^build bundle$/gm) ?? [];
		for (const path of ['build/.stamp', 'node_modules/.package-lock.json']) {
			touch('node_modules/.package-lock.json', 1e9);
			touch('build/.stamp', 1e9);
			touch('build/bundle/run.js', 1e9 + 1);
			expect(made(), path).to.deep.equal([]);
			touch(path, 1e9 + 2);
			expect(made(), path).to.deep.equal(['build bundle']);
		}
	});

	it('points out a variable that nobody reads', () => {
		const { status, stdout, stderr } = make(['run', 'picture=x.jpg']);
		expect(status).to.equal(2);
		expect(stdout).to.equal('');
		expect(stderr).to.match(
			/^Makefile:\d+: \*\*\* nobody reads the variable picture; there are PICTURE OUT .*\n$/,
		);
	});
});
