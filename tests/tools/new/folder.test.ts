// SPDX-License-Identifier: GPL-2.0-only
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { parseFdt } from '#hw/core/fdt.js';
import { filesOf, makeFolder } from '#tools/new/folder.js';
import { Names } from '#tools/new/names.js';
import { PROJECT } from '#tools/project.js';
import { UserError } from '#tools/run/user-error.js';

const FILES = [
	'driver.ts',
	'model.ts',
	'format.ts',
	'registers.ts',
	'check.ts',
	'my-3d-iommu.test.ts',
	'board.dts',
	'board.dtb',
	'package.json',
	'tsconfig.json',
	'.gitignore',
];

describe('tools_new_folder', () => {
	const names = new Names('my-3d-iommu');
	let dir: string;
	beforeEach(() => {
		dir = mkdtempSync(join(tmpdir(), 'new folder '));
	});
	afterEach(() => {
		rmSync(dir, { recursive: true });
	});

	it('has no name of the teaching IOMMU in it, but for its description', () => {
		const files = filesOf(names);
		expect([...files.keys()]).to.deep.equal(FILES);
		for (const [name, content] of files)
			expect(
				Buffer.from(content).toString('latin1').replaceAll('Documentation/edu-iommu.md', ''),
				name,
			).not.to.match(/(?<![a-z])edu|Edu|EDU/);
	});

	it('has the marks of where to begin, a dozen or so', () => {
		const marks = [...filesOf(names).values()].flatMap((text) => String(text).match(/SKELETON: \S/g) ?? []);
		expect(marks.length).to.be.within(12, 24);
	});

	it('has a blob that says what its source says', () => {
		const blob = filesOf(names).get('board.dtb') as Uint8Array;
		const nodes = [...parseFdt(blob).root.walk()];
		expect(nodes.flatMap((node) => node.compatible)).to.include('vendor,my-3d-iommu');
		expect(filesOf(names).get('board.dts')).to.contain('compatible = "vendor,my-3d-iommu"');
	});

	it('builds and passes its test, outside the project', function () {
		// Two compilers' worth of somebody else's time.
		this.timeout(0);
		const folder = join(dir, 'deeper', names.name);
		makeFolder(folder, names);
		const env = { PATH: process.env['PATH'] };
		for (const program of ['tsc', 'mocha']) {
			const path = join(folder, 'node_modules/.bin', program);
			const { status, stdout, stderr } = spawnSync(process.execPath, [path], {
				cwd: folder,
				env,
				encoding: 'utf8',
			});
			expect(status, `${program}: ${stdout}${stderr}`).to.equal(0);
			if (program === 'mocha') expect(stdout).to.match(/\n {2}7 passing/);
		}
	});

	it('lends packages one by one: what npm takes away in the folder is in the folder', () => {
		makeFolder(join(dir, names.name), names);
		const modules = join(dir, names.name, 'node_modules');
		for (const scope of ['.', '.bin', '@types'])
			for (const entry of readdirSync(join(modules, scope), { withFileTypes: true }))
				expect(entry.isSymbolicLink(), entry.name).to.equal(!['.bin', '@types'].includes(entry.name));
	});

	it('may be made of an empty folder', () => {
		mkdirSync(join(dir, names.name));
		expect(makeFolder(join(dir, names.name), names)).to.deep.equal(FILES);
	});

	it('is not made where something is', () => {
		writeFileSync(join(dir, 'mine'), 'text');
		for (const [where, sentence] of [
			[dir, `${dir}: is there already; expected a new folder, or an empty one`],
			[join(dir, 'mine'), `${join(dir, 'mine')}: is there already; expected a new folder, or an empty one`],
		])
			expect(() => makeFolder(where, names)).to.throw(UserError, sentence);
		expect(readdirSync(dir)).to.deep.equal(['mine']);
	});

	it('leaves nothing behind where none can be', () => {
		writeFileSync(join(dir, 'file'), '');
		const inFile = join(dir, 'file/my-3d-iommu');
		expect(() => makeFolder(inFile, names)).to.throw(
			UserError,
			`${inFile}: expected a place where a folder can be made: a part of the path is no folder`,
		);
		const long = join(dir, 'new', 'n'.repeat(300), names.name);
		expect(() => makeFolder(long, names)).to.throw(UserError, /: the name is too long$/);
		expect(readdirSync(dir)).to.deep.equal(['file']);
	});

	it('takes nothing away that somebody else has put there', () => {
		symlinkSync(join(dir, 'nowhere'), join(dir, names.name));
		expect(() => makeFolder(join(dir, names.name), names)).to.throw(UserError, /: something else is there$/);
		expect(readdirSync(dir)).to.deep.equal([names.name]);
	});

	it('is not made in the project, by whatever way, which would compile it', () => {
		symlinkSync(PROJECT, join(dir, 'way'));
		for (const where of [join(PROJECT, 'drivers/iommu'), PROJECT, join(dir, 'way/build/a')])
			expect(() => makeFolder(join(where, names.name), names)).to.throw(
				UserError,
				`expected a place outside ${PROJECT}, which would compile what is in it`,
			);
		expect(existsSync(join(PROJECT, 'build/a'))).to.equal(false);
	});
});
