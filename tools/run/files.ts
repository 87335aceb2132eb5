// SPDX-License-Identifier: GPL-2.0-only
// Files in, with errors to read.
import { closeSync, openSync, readSync } from 'node:fs';
import { UserError } from './user-error.js';

const REASONS: Readonly<Record<string, string>> = {
	ENOENT: 'no such file',
	EACCES: 'permission denied',
	EPERM: 'permission denied',
	EISDIR: 'is a folder',
	EEXIST: 'something else is there',
	ENOTDIR: 'a part of the path is no folder',
	ELOOP: 'a link that leads to itself',
	ENAMETOOLONG: 'the name is too long',
	EROFS: 'the file system is read-only',
	ENOSPC: 'no space left',
	EPIPE: 'nobody reads it any more',
	ENXIO: 'nothing is behind it',
};

/** What went wrong with a file, in words. */
export function reason(e: unknown): string {
	const code = (e as NodeJS.ErrnoException).code ?? '';
	return REASONS[code] ?? (e as Error).message;
}

/** More than any picture or tree; a device may never end. */
const MOST = 64 * 1024 ** 2;
const CHUNK = 1024 ** 2;

function readAll(fd: number): Uint8Array | null {
	const chunks: Uint8Array[] = [];
	let size = 0;
	for (;;) {
		const chunk = new Uint8Array(CHUNK);
		const n = readSync(fd, chunk);
		if (n === 0) break;
		chunks.push(chunk.subarray(0, n));
		size += n;
		if (size > MOST) return null;
	}
	const whole = new Uint8Array(size);
	let at = 0;
	for (const chunk of chunks) {
		whole.set(chunk, at);
		at += chunk.length;
	}
	return whole;
}

/** Read the file that option @option names. */
export function readInput(option: string, path: string): Uint8Array {
	let bytes: Uint8Array | null;
	try {
		const fd = openSync(path, 'r');
		try {
			bytes = readAll(fd);
		} finally {
			closeSync(fd);
		}
	} catch (e) {
		throw new UserError(`${option}: cannot read ${path}: ${reason(e)}`);
	}
	if (bytes === null)
		throw new UserError(`${option}: ${path} is longer than ${MOST / 1024 ** 2} MiB, or never ends`);
	return bytes;
}
