// SPDX-License-Identifier: GPL-2.0-only
// What is imported from here on comes with these edits: a program says so first, and imports the rest dynamically.
import { register } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { PROJECT } from '#tools/project.js';
import type { Edit } from './edits.js';
import type { LoaderData } from './hooks.js';

/** Each call has a module of its own in the loader's thread: its edits are in that. */
let calls = 0;

/** Have modules that nobody has imported yet come with @edits. An edit that does not fit throws at the import. */
export function instrument(edits: readonly Edit[]): void {
	const root = pathToFileURL(join(PROJECT, 'build/')).href;
	const data: LoaderData = { root, edits };
	register(new URL(`./hooks.js?${++calls}`, import.meta.url), { data });
}
