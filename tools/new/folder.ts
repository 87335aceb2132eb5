// SPDX-License-Identifier: GPL-2.0-only
// The folder of a new IOMMU: its files, made from those of the teaching one.
import {
	existsSync,
	lstatSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	realpathSync,
	rmdirSync,
	statSync,
	symlinkSync,
	unlinkSync,
	writeFileSync,
} from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { type FdtSource, fdtSource, parseFdt, writeFdt } from '#hw/core/fdt.js';
import { PROJECT } from '#tools/project.js';
import { reason } from '#tools/run/files.js';
import { UserError } from '#tools/run/user-error.js';
import type { Names } from './names.js';

/** What a folder's file is made from. */
const SOURCES: readonly [to: string, from: string][] = [
	['driver.ts', 'drivers/iommu/edu-iommu.ts'],
	['model.ts', 'hw/iommu/edu-iommu.ts'],
	['format.ts', 'hw/iommu/edu-iommu-format.ts'],
	['registers.ts', 'hw/iommu/edu-iommu-regs.ts'],
];
/** What says how their driver is checked, and where it finds its board. */
const CHECK = 'tools/check/drivers/edu-iommu.ts';
const TEST = 'tests/drivers/iommu/edu_board.test.ts';
const BOARD = 'arch/arm64/boot/dts/edu/edu-board';

/** Packages of the project that the folder uses until it installs its own, and their programs. */
const LENT = ['@types/chai', '@types/mocha', '@types/node', 'chai', 'mocha', 'typescript'];
const PROGRAMS = ['mocha', 'tsc'];
/** The project's own, and where it is. */
const OWN_PROGRAM = 'linux-iommu';
const OWN_PROGRAM_FILE = 'build/tools/linux-iommu.js';

interface Package {
	readonly imports: Readonly<Record<string, unknown>>;
	readonly dependencies: Readonly<Record<string, string>>;
	readonly devDependencies: Readonly<Record<string, string>>;
}

const read = (path: string): string => readFileSync(join(PROJECT, path), 'utf8');
const ownPackage = (): Package => JSON.parse(read('package.json'));

/** @text, which stands in the project at @path, with its imports as they are in the folder. */
function withImports(text: string, path: string): string {
	const local = new Map(SOURCES.map(([to, from]) => [from, `./${to.replace(/ts$/, 'js')}`]));
	return text.replace(/((?:from|import) ')([^']+)(';)/g, (_all, head: string, what: string, tail: string) => {
		const target = what.startsWith('.') ? join(dirname(path), what) : what.slice(1);
		const own = local.get(target.replace(/js$/, 'ts'));
		return `${head}${own ?? (what.startsWith('.') ? `#${target}` : what)}${tail}`;
	});
}

/** The board's blob with the new IOMMU's name in it. */
function boardBlob(names: Names): Uint8Array {
	const renamed = (node: FdtSource): FdtSource => ({
		name: node.name,
		props: new Map(
			[...node.props].map(([key, value]) => {
				if (key !== 'compatible') return [key, value];
				return [key, new Uint8Array(Buffer.from(names.translate(Buffer.from(value).toString())))];
			}),
		),
		children: node.children.map(renamed),
	});
	const blob = new Uint8Array(readFileSync(join(PROJECT, `${BOARD}.dtb`)));
	return writeFdt(renamed(fdtSource(parseFdt(blob).root)));
}

function packageJson(names: Names): object {
	const { imports, dependencies, devDependencies } = ownPackage();
	const versions = { ...dependencies, ...devDependencies };
	return {
		name: names.name,
		version: '0.0.1',
		private: true,
		type: 'module',
		imports: Object.fromEntries(Object.keys(imports).map((key) => [key, `linux-iommu-ts/${key.slice(1)}`])),
		scripts: {
			build: 'tsc',
			test: 'tsc && mocha',
			check: 'tsc && linux-iommu check .',
			c: 'linux-iommu c .',
			board: 'dtc -I dts -O dtb -o board.dtb board.dts',
		},
		mocha: {
			spec: 'build/*.test.js',
			require: ['./node_modules/linux-iommu-ts/build/tests/setup.js'],
			'enable-source-maps': true,
			timeout: 0,
		},
		devDependencies: {
			'linux-iommu-ts': `file:${PROJECT}`,
			...Object.fromEntries(LENT.map((name) => [name, versions[name]])),
		},
	};
}

function tsconfig(): object {
	const { compilerOptions } = JSON.parse(read('tsconfig.json')) as { compilerOptions: object };
	// What the project's conditions lead to is its sources; here its declarations are what counts.
	const own = { customConditions: [], declaration: false, rootDir: '.', outDir: 'build' };
	return { compilerOptions: { ...compilerOptions, ...own }, include: ['*.ts'] };
}

/** The folder's files, by name. */
export function filesOf(names: Names): Map<string, string | Uint8Array> {
	const files = new Map<string, string | Uint8Array>();
	for (const [to, from] of SOURCES) files.set(to, names.translate(withImports(read(from), from)));
	const onBoard = (path: string): string =>
		names.translate(withImports(read(path), path).replace(/new URL\('[^']+'/, "new URL('../board.dtb'"));
	files.set('check.ts', onBoard(CHECK));
	files.set(`${names.name}.test.ts`, onBoard(TEST));
	files.set('board.dts', names.translate(read(`${BOARD}.dts`)));
	files.set('board.dtb', boardBlob(names));
	files.set('package.json', `${JSON.stringify(packageJson(names), null, 2)}\n`);
	files.set('tsconfig.json', `${JSON.stringify(tsconfig(), null, 2)}\n`);
	files.set('.gitignore', 'build/\nnode_modules/\nout/\n');
	return files;
}

/** What this run has put into a folder, the first first: another run's is not ours to take away. */
class Made {
	readonly #paths: string[] = [];

	folder(path: string): void {
		mkdirSync(path);
		this.#paths.push(path);
	}

	/** One of those above the new folder, which may come meanwhile. */
	parent(path: string): void {
		try {
			this.folder(path);
		} catch (e) {
			if (!existsSync(path)) throw e;
		}
	}

	file(path: string, content: string | Uint8Array): void {
		writeFileSync(path, content, { flag: 'wx' });
		this.#paths.push(path);
	}

	link(to: string, path: string): void {
		symlinkSync(to, path);
		this.#paths.push(path);
	}

	undo(): void {
		for (const path of this.#paths.reverse())
			try {
				if (lstatSync(path).isDirectory()) rmdirSync(path);
				else unlinkSync(path);
			} catch {
				// Somebody else has put something there, or taken it away: theirs now.
			}
	}
}

/** Where packages are that the project can lend: its own, or, where it is installed, those beside it. */
const LENDERS = [
	join(PROJECT, 'node_modules'),
	...(basename(dirname(PROJECT)) === 'node_modules' ? [dirname(PROJECT)] : []),
];

/** What is lent, by its name in node_modules, and where it is; null: it is not installed here. */
function loans(): { name: string; at: string | null }[] {
	return [...LENT, ...PROGRAMS.map((program) => `.bin/${program}`)].map((name) => ({
		name,
		at: LENDERS.map((modules) => join(modules, name)).find((path) => existsSync(path)) ?? null,
	}));
}

/** Whether a folder can do without packages of its own. */
export const lendsAll = (): boolean => loans().every(({ at }) => at !== null);

/** Link the project and what it lends into @modules. Package by package: npm tidies up in a folder of several. */
function lend(modules: string, made: Made): void {
	for (const folder of ['', '.bin', '@types']) made.folder(join(modules, folder));
	made.link(PROJECT, join(modules, 'linux-iommu-ts'));
	for (const { name, at } of loans()) if (at !== null) made.link(at, join(modules, name));
	made.link(join(PROJECT, OWN_PROGRAM_FILE), join(modules, '.bin', OWN_PROGRAM));
}

/** @at and the folders above it that are not there, from the top. */
function missing(at: string): string[] {
	const folders: string[] = [];
	for (let folder = at; !existsSync(folder); folder = dirname(folder)) folders.unshift(folder);
	return folders;
}

/** Whether @folder, which is there, is the project's or in it. */
function isInProject(folder: string): boolean {
	const way = relative(realpathSync(PROJECT), realpathSync(folder));
	return way !== '..' && !way.startsWith(`..${sep}`);
}

/** Make @folder, with the names of its files as the result; an error leaves nothing behind. */
export function makeFolder(folder: string, names: Names): string[] {
	const at = resolve(folder);
	if (existsSync(at) && (!statSync(at).isDirectory() || readdirSync(at).length > 0))
		throw new UserError(`${folder}: is there already; expected a new folder, or an empty one`);
	const files = filesOf(names);
	const folders = missing(at);
	if (isInProject(folders.length === 0 ? at : dirname(folders[0])))
		throw new UserError(`${folder}: expected a place outside ${PROJECT}, which would compile what is in it`);
	const made = new Made();
	try {
		for (const parent of folders.slice(0, -1)) made.parent(parent);
		if (folders.length > 0) made.folder(at);
		for (const [name, content] of files) made.file(join(at, name), content);
		lend(join(at, 'node_modules'), made);
	} catch (e) {
		made.undo();
		throw new UserError(`${folder}: expected a place where a folder can be made: ${reason(e)}`);
	}
	return [...files.keys()];
}
