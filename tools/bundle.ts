// SPDX-License-Identifier: GPL-2.0-only
// A program of build/ and all that it imports, as one file, which starts in a fraction of the time.
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { PROJECT } from '#tools/project.js';

const URL_OF_MODULE = /\bimport\.meta\.url\b/g;

/** A module's address stays that of its own file, wherever it is run from. */
const OWN_ADDRESSES: Plugin = {
	name: 'own-addresses',
	setup({ onLoad, initialOptions: { outfile = '' } }) {
		const bundle = pathToFileURL(outfile).href;
		onLoad({ filter: /[\\/]build[\\/].*\.js$/ }, ({ path }) => {
			const text = readFileSync(path, 'utf8');
			if (!URL_OF_MODULE.test(text)) return null;
			const own = relative(new URL('.', bundle).pathname, pathToFileURL(path).pathname);
			return {
				contents: text.replace(URL_OF_MODULE, `new URL(${JSON.stringify(own)}, import.meta.url).href`),
			};
		});
	},
};

/** The licence of each package that @inputs are from, whole. */
export function notices(inputs: readonly string[]): string {
	const packages = new Set(inputs.flatMap((path) => /^node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path) ?? []));
	const texts = [...packages].sort().map((folder) => {
		const name = readdirSync(join(PROJECT, folder)).find((file) => /^licen[cs]e/i.test(file));
		if (name === undefined) throw new Error(`${folder}: expected a licence beside its package.json`);
		return `${folder}\n\n${readFileSync(join(PROJECT, folder, name), 'utf8').trim()}`;
	});
	return texts.join('\n\n').replaceAll('*/', '* /');
}

/**
 * The text of the program @entry and of its source map, to be put into @outfile and beside it; both are named from the
 * project's folder on. Modules are evaluated in the order that they have as files; functions keep their names.
 */
export async function bundle(entry: string, outfile: string): Promise<{ code: string; map: string }> {
	const { outputFiles, metafile } = await build({
		absWorkingDir: PROJECT,
		entryPoints: [entry],
		outfile: resolve(PROJECT, outfile),
		banner: { js: '// SPDX-License-Identifier: GPL-2.0-only' },
		bundle: true,
		write: false,
		metafile: true,
		format: 'esm',
		platform: 'node',
		target: 'node20',
		// The log names structs and initcalls, and a trace the functions.
		keepNames: true,
		sourcemap: true,
		sourcesContent: false,
		plugins: [OWN_ADDRESSES],
		logLevel: 'warning',
	});
	const [map, code] = outputFiles.map(({ text }) => text);
	const kept = notices(Object.keys(metafile.inputs));
	return { code: `${code}/*\n${kept}\n*/\n`, map };
}
