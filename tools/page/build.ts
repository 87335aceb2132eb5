// SPDX-License-Identifier: GPL-2.0-only
// The page as one file: the machine, as the text of a worker's program, the boards' trees, and what shows them.
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { build } from 'esbuild';
import { notices } from '#tools/bundle.js';
import { BOARD_DTB, PROJECT } from '#tools/project.js';

const SOURCES = join(PROJECT, 'tools/page/browser');

/** The kernel knows its own functions by where this file of it is. */
const STACKTRACE = 'arch/arm64/kernel/stacktrace.js';

/** Where a module begins in a bundle: a line of esbuild's. */
const MODULE = /^ {2}\/\/ (\S+\.js)$/;

/** @entry with all that it imports, as a script that ends with the licences of what is not ours. */
async function script(entry: string, minify: boolean, define: Record<string, string> = {}): Promise<string> {
	const { outputFiles, metafile } = await build({
		absWorkingDir: PROJECT,
		entryPoints: [entry],
		bundle: true,
		write: false,
		metafile: true,
		minify,
		define,
		format: 'iife',
		platform: 'browser',
		target: 'es2022',
		keepNames: true,
		legalComments: 'none',
		logLevel: 'warning',
	});
	const kept = notices(Object.keys(metafile.inputs));
	return kept === '' ? outputFiles[0].text : `${outputFiles[0].text}/*\n${kept}\n*/\n`;
}

/** In which line each module of @bundle begins: a browser knows only the one file. */
function modulesOf(bundle: string): [line: number, path: string][] {
	return bundle.split('\n').flatMap((text, i): [number, string][] => {
		const found = MODULE.exec(text);
		return found === null ? [] : [[i + 1, found[1]]];
	});
}

/** @text in a script element. */
function inScript(text: string): string {
	return text.replaceAll('</', '<\\/').replaceAll('<!--', '<\\!--');
}

/** The page; @boards: the files of trees, by the names of boards. */
export async function page(boards: ReadonlyMap<string, string>): Promise<string> {
	const machine = await script('build/tools/page/worker.js', false, {
		'import.meta.url': JSON.stringify(`file:///${STACKTRACE}`),
	});
	const trees = Object.fromEntries(
		// The first is the one that is booted.
		[[basename(BOARD_DTB, '.dtb'), BOARD_DTB], ...boards].map(([name, path]) => [
			name,
			readFileSync(path).toString('base64'),
		]),
	);
	const shows = await script(join(SOURCES, 'page.ts'), true);
	const picture = readFileSync(join(PROJECT, 'examples/picture.jpg')).toString('base64');
	const data = { WORKER: machine, MODULES: modulesOf(machine), BOARDS: trees, PICTURE: picture };
	const constants = Object.entries(data).map(([name, value]) => `const ${name} = ${JSON.stringify(value)};`);
	const parts: Readonly<Record<string, string>> = {
		style: `<style>${readFileSync(join(SOURCES, 'page.css'), 'utf8')}</style>`,
		script: `<script>${inScript(`${constants.join('\n')}\n${shows}`)}</script>`,
	};
	return readFileSync(join(SOURCES, 'index.html'), 'utf8').replace(
		/<!-- (style|script) -->/g,
		(_, part: string) => parts[part],
	);
}
