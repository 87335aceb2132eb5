// SPDX-License-Identifier: GPL-2.0-only
// The loader's thread: modules come with their edits.
import { readFileSync } from 'node:fs';
import type { InitializeHook, LoadHook, ResolveHook } from 'node:module';
import { fileURLToPath } from 'node:url';
import { applyEdits, type Edit } from './edits.js';

export interface LoaderData {
	/** The folder of the built code, as a URL that ends in a slash. */
	readonly root: string;
	readonly edits: readonly Edit[];
}

let data: LoaderData = { root: '', edits: [] };

export const initialize: InitializeHook<LoaderData> = (given) => {
	data = given;
};

const FOLDERS: readonly (readonly [prefix: string, folder: string])[] = [
	['#linux/', 'include/linux/'],
	['#asm/', 'arch/arm64/include/asm/'],
	['#', ''],
];

/** What package.json's "imports" say of the built code, in one step: there are thousands of them. */
export const resolve: ResolveHook = (specifier, context, nextResolve) => {
	if (context.parentURL?.startsWith(data.root) && specifier.endsWith('.js')) {
		if (specifier.startsWith('.'))
			return { url: new URL(specifier, context.parentURL).href, format: 'module', shortCircuit: true };
		const known = FOLDERS.find(([prefix]) => specifier.startsWith(prefix));
		if (known !== undefined) {
			const url = data.root + known[1] + specifier.slice(known[0].length);
			return { url, format: 'module', shortCircuit: true };
		}
	}
	return nextResolve(specifier, context);
};

export const load: LoadHook = async (url, context, nextLoad) => {
	if (!url.startsWith(data.root) || context.format !== 'module') return nextLoad(url, context);
	const code = readFileSync(fileURLToPath(url), 'utf8');
	const file = url.slice(data.root.length).replace(/\.js$/, '');
	return { format: 'module', source: applyEdits(file, code, data.edits), shortCircuit: true };
};
