// SPDX-License-Identifier: GPL-2.0-only
// make docs: a page for each file of the kernel half, from the comments in it, and two that lead to them.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PROJECT, projectFile } from '#tools/project.js';
import { headOf } from './head.js';
import { type Documented, filePage, indexPage, namesPage, pageOf } from './html.js';
import { kernelFiles } from './linux-map.js';
import { symbolsOf } from './symbols.js';

const OUT = 'out/docs';

/** The page and place of each name that one file alone has. */
function places(files: readonly Documented[]): Map<string, string> {
	const found = new Map<string, string | null>();
	for (const { path, symbols } of files)
		for (const { name } of symbols) found.set(name, found.has(name) ? null : `${pageOf(path)}#${name}`);
	return new Map([...found].filter((entry): entry is [string, string] => entry[1] !== null));
}

function main(): number {
	const files: Documented[] = [];
	for (const path of kernelFiles()) {
		const text = readFileSync(join(PROJECT, path), 'utf8');
		const head = headOf(text);
		if (head !== null) files.push({ path, head, symbols: symbolsOf(path, text) });
		else console.error(`${path}: expected a head that names its twin; it has no page (make lint says more)`);
	}
	const where = places(files);
	rmSync(join(PROJECT, OUT), { recursive: true, force: true });
	const put = (path: string, text: string): void => {
		const to = join(PROJECT, OUT, path);
		mkdirSync(dirname(to), { recursive: true });
		writeFileSync(to, text);
	};
	for (const file of files) put(pageOf(file.path), filePage(file, where));
	put('index.html', indexPage(files));
	put('names.html', namesPage(files));
	const symbols = files.flatMap((file) => file.symbols);
	const functions = symbols.filter(({ kind }) => kind === 'function');
	const silent = functions.filter(({ says }) => says === '').length;
	console.log(
		`${projectFile(`${OUT}/index.html`)}: ${files.length} files, ${symbols.length} names; ${functions.length} functions, ${silent} without a word`,
	);
	return files.length === kernelFiles().length ? 0 : 1;
}

process.exitCode = main();
