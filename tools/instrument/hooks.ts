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

/** Each registration has this module once more, in one thread: the first does the work, for all. */
interface Shared {
	edits?: Map<string, Edit>;
}
const shared = globalThis as Shared;
const isFirst = shared.edits === undefined;
shared.edits ??= new Map();

let root = '';

export const initialize: InitializeHook<LoaderData> = (data) => {
	root = data.root;
	for (const edit of data.edits) shared.edits?.set(JSON.stringify(edit), edit);
};

const FOLDERS: readonly (readonly [prefix: string, folder: string])[] = [
	['#linux/', 'include/linux/'],
	['#asm/', 'arch/arm64/include/asm/'],
	['#', ''],
];

/** What package.json's "imports" say of the built code, in one step: there are thousands of them. */
export const resolve: ResolveHook = (specifier, context, nextResolve) => {
	if (isFirst && context.parentURL?.startsWith(root) && specifier.endsWith('.js')) {
		if (specifier.startsWith('.'))
			return { url: new URL(specifier, context.parentURL).href, format: 'module', shortCircuit: true };
		const known = FOLDERS.find(([prefix]) => specifier.startsWith(prefix));
		if (known !== undefined) {
			const url = root + known[1] + specifier.slice(known[0].length);
			return { url, format: 'module', shortCircuit: true };
		}
	}
	return nextResolve(specifier, context);
};

export const load: LoadHook = async (url, context, nextLoad) => {
	if (!isFirst || !url.startsWith(root) || context.format !== 'module') return nextLoad(url, context);
	const code = readFileSync(fileURLToPath(url), 'utf8');
	const file = url.slice(root.length).replace(/\.js$/, '');
	const edits = [...(shared.edits?.values() ?? [])];
	return { format: 'module', source: applyEdits(file, code, edits), shortCircuit: true };
};
