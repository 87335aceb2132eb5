// SPDX-License-Identifier: GPL-2.0-only
// Files in and out, with errors to read; output is written whole or not.
import {
	accessSync,
	constants,
	mkdirSync,
	readFileSync,
	renameSync,
	rmSync,
	statSync,
	writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { UserError } from './user-error.js';

const REASONS: Record<string, string> = {
	ENOENT: 'no such file',
	EACCES: 'permission denied',
	EISDIR: 'is a folder',
	ENOTDIR: 'a part of the path is no folder',
	EROFS: 'the file system is read-only',
	EEXIST: 'a file is in the way of the folder',
	ENOSPC: 'no space left',
};

function reason(e: unknown): string {
	const code = (e as NodeJS.ErrnoException).code ?? '';
	return REASONS[code] ?? (e as Error).message;
}

/** Read the file that option @option names. */
export function readInput(option: string, path: string): Uint8Array {
	try {
		const bytes = readFileSync(path);
		return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	} catch (e) {
		throw new UserError(`${option}: cannot read ${path}: ${reason(e)}`);
	}
}

/** `mkdir -p`; Node's own, with `recursive`, never comes back where a file system like /proc refuses. */
function makeFolder(path: string): void {
	if (statSync(path, { throwIfNoEntry: false }) !== undefined) return;
	makeFolder(dirname(path));
	mkdirSync(path);
}

/** Where an output is written before it is put in its place. */
const partOf = (path: string): string => join(dirname(path), `.${basename(path)}.part`);

/** Find out now, not after the work, that @path cannot be written. */
export function checkOutput(option: string, path: string): void {
	try {
		const old = statSync(path, { throwIfNoEntry: false });
		if (old?.isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' });
		if (old !== undefined) accessSync(path, constants.W_OK);
		makeFolder(dirname(path));
		writeFileSync(partOf(path), '');
		rmSync(partOf(path));
	} catch (e) {
		throw new UserError(`${option}: cannot write ${path}: ${reason(e)}`);
	}
}

/** Write @bytes beside @path, then put them in its place. */
export function writeOutput(option: string, path: string, bytes: Uint8Array): void {
	const part = partOf(path);
	try {
		writeFileSync(part, bytes);
		renameSync(part, path);
	} catch (e) {
		rmSync(part, { force: true });
		throw new UserError(`${option}: cannot write ${path}: ${reason(e)}`);
	}
}
