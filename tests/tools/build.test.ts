// SPDX-License-Identifier: GPL-2.0-only
// make build, in a project of two files.
import { spawn, spawnSync } from 'node:child_process';
import {
	copyFileSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	readFileSync,
	rmSync,
	statSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { PROJECT } from '#tools/project.js';

describe('tools_build', () => {
	let dir: string;
	const at = (path: string): string => join(dir, path);
	const inode = (path: string): number => statSync(at(path)).ino;
	const build = (): number | null => spawnSync(process.execPath, [at('tools/build.mjs')]).status;
	beforeEach(() => {
		dir = mkdtempSync(join(tmpdir(), 'build-'));
		mkdirSync(at('tools'));
		mkdirSync(at('lib'));
		copyFileSync(join(PROJECT, 'tools/build.mjs'), at('tools/build.mjs'));
		symlinkSync(join(PROJECT, 'node_modules'), at('node_modules'));
		writeFileSync(at('package.json'), '{ "type": "module" }');
		const compilerOptions = {
			rootDir: '.',
			outDir: 'build',
			module: 'NodeNext',
			declaration: true,
			resolveJsonModule: true,
			sourceMap: true,
			types: [],
			lib: ['es5'],
		};
		writeFileSync(at('tsconfig.json'), JSON.stringify({ compilerOptions, include: ['lib'] }));
		writeFileSync(at('lib/a.ts'), 'export const a: number = 1;\n');
		writeFileSync(at('lib/b.ts'), 'export const b: number = 2;\n');
	});
	afterEach(() => {
		rmSync(dir, { recursive: true });
	});

	it('makes what changed, takes away what has no source, and keeps the rest as it is', () => {
		expect(build()).to.equal(0);
		expect(readFileSync(at('build/lib/a.js'), 'utf8')).to.match(/^export const a = 1;/);
		expect(JSON.parse(readFileSync(at('build/lib/a.js.map'), 'utf8')).sources).to.deep.equal([
			'../../lib/a.ts',
		]);
		const [a, b] = [inode('build/lib/a.js'), inode('build/lib/b.js')];
		writeFileSync(at('lib/a.ts'), 'export const a: number = 3;\n');
		writeFileSync(at('lib/c.ts'), 'export const c: number = 4;\n');
		expect(build()).to.equal(0);
		// In the place of the old one, which whoever reads it keeps.
		expect(inode('build/lib/a.js')).not.to.equal(a);
		expect(inode('build/lib/b.js')).to.equal(b);
		rmSync(at('lib/c.ts'));
		expect(build()).to.equal(0);
		expect(existsSync(at('build/lib/c.js'))).to.equal(false);
		expect(existsSync(at('build/lib/c.js.map'))).to.equal(false);
	});

	it('puts data that a program imports beside it', () => {
		writeFileSync(at('lib/data.json'), '{ "n": 5 }');
		writeFileSync(
			at('lib/a.ts'),
			"import data from './data.json' with { type: 'json' };\nexport const a = data.n;\n",
		);
		expect(build()).to.equal(0);
		expect(JSON.parse(readFileSync(at('build/lib/data.json'), 'utf8'))).to.deep.equal({ n: 5 });
	});

	it('makes a program of what says which program runs it', () => {
		writeFileSync(at('lib/c.ts'), '#!/usr/bin/env node\nexport const c: number = 4;\n');
		expect(build()).to.equal(0);
		const runs = (path: string): boolean => (statSync(at(path)).mode & 0o111) === 0o111;
		expect([runs('build/lib/a.js'), runs('build/lib/c.js')]).to.deep.equal([false, true]);
	});

	it('puts the page size that it was asked for into the configuration, and into nothing else', () => {
		mkdirSync(at('lib/include/linux'), { recursive: true });
		mkdirSync(at('include/linux'), { recursive: true });
		const tsconfig = JSON.parse(readFileSync(at('tsconfig.json'), 'utf8'));
		writeFileSync(at('tsconfig.json'), JSON.stringify({ ...tsconfig, include: ['lib', 'include'] }));
		const text = 'export const CONFIG_PAGE_SHIFT: number = 12;\n';
		writeFileSync(at('include/linux/kconfig.ts'), text);
		writeFileSync(at('lib/include/linux/kconfig.ts'), text);
		const built = (path: string): string => readFileSync(at(`build/${path}/linux/kconfig.js`), 'utf8');
		const shift = (path: string): string => /CONFIG_PAGE_SHIFT = (\d+);/.exec(built(path))?.[1] ?? '';
		const buildWith = (PAGE_SHIFT: string) =>
			spawnSync(process.execPath, [at('tools/build.mjs')], {
				env: { ...process.env, PAGE_SHIFT },
				encoding: 'utf8',
			});

		for (const asked of ['14', '', '14', '12']) {
			expect(buildWith(asked).status).to.equal(0);
			expect([shift('include'), shift('lib/include')]).to.deep.equal([asked || '12', '12']);
			expect(readFileSync(at('include/linux/kconfig.ts'), 'utf8')).to.equal(text);
		}
		const refused = buildWith('13');
		expect(refused.status).to.equal(1);
		expect(refused.stderr).to.equal('PAGE_SHIFT=13: expected 12 or 14, the log2 of the bytes of a page\n');
		expect(shift('include')).to.equal('12');
	});

	it('makes again what was taken away or changed behind its back', () => {
		expect(build()).to.equal(0);
		rmSync(at('.build/lib/a.js'));
		rmSync(at('build/lib/a.js'));
		writeFileSync(at('build/lib/b.js'), '');
		expect(build()).to.equal(0);
		for (const name of ['a', 'b'])
			expect(readFileSync(at(`build/lib/${name}.js`), 'utf8')).to.include(`export const ${name}`);
	});

	it('leaves what it made before when the sources are wrong', () => {
		expect(build()).to.equal(0);
		const stamp = statSync(at('build/.stamp')).mtimeMs;
		writeFileSync(at('lib/a.ts'), "export const a: number = 'text';\n");
		expect(build()).not.to.equal(0);
		expect(readFileSync(at('build/lib/a.js'), 'utf8')).to.match(/^export const a = 1;/);
		expect(statSync(at('build/.stamp')).mtimeMs).to.equal(stamp);
		expect(existsSync(at('.build/lock'))).to.equal(false);
	});

	it('waits for another one, but for none that is dead', async () => {
		mkdirSync(at('.build'));
		const dead = spawnSync(process.execPath, ['-e', '']).pid;
		writeFileSync(at('.build/lock'), String(dead));
		const both = [0, 1].map(
			() =>
				new Promise((resolve) => {
					spawn(process.execPath, [at('tools/build.mjs')], { stdio: 'ignore' }).on('close', resolve);
				}),
		);
		expect(await Promise.all(both)).to.deep.equal([0, 0]);
		expect(existsSync(at('build/lib/a.js'))).to.equal(true);
		expect(existsSync(at('.build/lock'))).to.equal(false);
	});
});
