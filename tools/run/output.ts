// SPDX-License-Identifier: GPL-2.0-only
// The file that the result goes to. A regular file is replaced, whole or not at all; into anything else it is written.
import { randomUUID } from 'node:crypto';
import {
	accessSync,
	chmodSync,
	chownSync,
	closeSync,
	constants,
	fstatSync,
	ftruncateSync,
	lstatSync,
	openSync,
	readlinkSync,
	realpathSync,
	renameSync,
	rmSync,
	type Stats,
	statSync,
	writeFileSync,
	writeSync,
} from 'node:fs';
import { dirname, isAbsolute } from 'node:path';
import { reason } from './files.js';
import { oneLine, UserError } from './user-error.js';

/** The name of a file that is written before it is put in its place. */
const PART = `.frame.${randomUUID()}.part`;
const STDOUT = 1;
const STDERR = 2;
/** Errors of a place that takes no second file, or does not let the first be replaced. */
const NOT_BESIDE: ReadonlySet<string | undefined> = new Set(['EACCES', 'EPERM', 'EBUSY']);

const codeOf = (e: unknown): string | undefined => (e as NodeJS.ErrnoException).code;
const failure = (code: string): Error => Object.assign(new Error(), { code });
const statOf = (path: string): Stats | undefined => statSync(path, { throwIfNoEntry: false });
const same = (a: Stats, b: Stats): boolean => a.dev === b.dev && a.ino === b.ino;

function writeAll(fd: number, bytes: Uint8Array): void {
	for (let at = 0; at < bytes.length; ) {
		try {
			at += writeSync(fd, bytes, at);
		} catch (e) {
			if (codeOf(e) !== 'EAGAIN') throw e;
			// A pipe that is full, and does not wait by itself.
			Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
		}
	}
}

/** Where @path leads, though nothing be there yet. */
function targetOf(path: string): string {
	const link = lstatSync(path, { throwIfNoEntry: false });
	if (link === undefined && /\/\.{0,2}$/.test(path)) throw failure('ENOENT');
	if (!link?.isSymbolicLink()) return path;
	const to = readlinkSync(path);
	return targetOf(isAbsolute(to) ? to : `${dirname(path)}/${to}`);
}

// Not joined: `link/..` is not what it looks like.
const beside = (target: string): string => `${dirname(target)}/${PART}`;

function tryBeside(target: string): void {
	writeFileSync(beside(target), '');
	rmSync(beside(target));
}

/** Open something that bytes go into: a device, or a FIFO, which waits for who reads it. */
function openInto(option: string, path: string, fifo: boolean): number {
	try {
		return openSync(path, constants.O_WRONLY | (fifo ? constants.O_NONBLOCK : 0));
	} catch (e) {
		if (!fifo || codeOf(e) !== 'ENXIO') throw e;
	}
	console.error(oneLine(`${option}: ${path} is a FIFO: waiting for somebody to read it`));
	return openSync(path, constants.O_WRONLY);
}

/** A file that is read in this run, and the name of the option for it. */
export type Input = readonly [option: string, path: string];

export class Output {
	/** It goes where the text goes, too: that had better go elsewhere. */
	readonly isStdout: boolean;

	private constructor(
		private readonly option: string,
		private readonly path: string,
		/** The file to replace; null for bytes that go into @fd. */
		private readonly target: string | null,
		/** What is there now, if anything. */
		private readonly old: Stats | null,
		private readonly fd: number,
	) {
		this.isStdout = fd === STDOUT;
	}

	/** Find out now, not after the work, whether @path can be written and is none of @inputs. */
	static open(option: string, path: string, inputs: readonly Input[]): Output {
		try {
			return Output.tryOpen(option, path, inputs);
		} catch (e) {
			if (e instanceof UserError) throw e;
			const why = codeOf(e) === 'ENOENT' ? 'no such folder' : reason(e);
			throw new UserError(`${option}: cannot write ${path}: ${why}`);
		}
	}

	private static tryOpen(option: string, path: string, inputs: readonly Input[]): Output {
		const into = (fd: number): Output => new Output(option, path, null, null, fd);
		const old = statOf(path);
		if (old === undefined) {
			const target = targetOf(path);
			tryBeside(target);
			return new Output(option, path, target, null, -1);
		}
		if (old.isDirectory()) throw failure('EISDIR');
		if (!old.isCharacterDevice()) {
			for (const [name, input] of inputs) {
				const stats = statOf(input);
				if (stats !== undefined && same(stats, old))
					throw new UserError(`${option}: cannot write ${path}: it is the file that ${name} is read from`);
			}
			const standard = [STDOUT, STDERR].find((fd) => same(fstatSync(fd), old));
			if (standard !== undefined) return into(standard);
		}
		accessSync(path, constants.W_OK);
		if (!old.isFile()) return into(openInto(option, path, old.isFIFO()));
		try {
			const target = realpathSync(path);
			tryBeside(target);
			return new Output(option, path, target, old, -1);
		} catch (e) {
			if (!NOT_BESIDE.has(codeOf(e)) && codeOf(e) !== 'ENOENT') throw e;
			return into(openSync(path, 'r+'));
		}
	}

	write(bytes: Uint8Array): void {
		try {
			if (this.target === null) this.writeInto(this.fd, bytes);
			else this.replace(this.target, bytes);
		} catch (e) {
			throw new UserError(`${this.option}: cannot write ${this.path}: ${reason(e)}`);
		}
	}

	private writeInto(fd: number, bytes: Uint8Array): void {
		writeAll(fd, bytes);
		if (fd === STDOUT || fd === STDERR) return;
		if (fstatSync(fd).isFile()) ftruncateSync(fd, bytes.length);
		closeSync(fd);
	}

	private replace(target: string, bytes: Uint8Array): void {
		const part = beside(target);
		try {
			writeFileSync(part, bytes);
			if (this.old !== null) {
				const { uid, gid, mode } = this.old;
				const own = statSync(part);
				if (own.uid !== uid || own.gid !== gid) chownSync(part, uid, gid);
				chmodSync(part, mode & 0o7777);
			}
			renameSync(part, target);
		} catch (e) {
			rmSync(part, { force: true });
			if (this.old === null || !NOT_BESIDE.has(codeOf(e))) throw e;
			// A file that is mounted, or another user's.
			this.writeInto(openSync(target, 'r+'), bytes);
		}
	}
}
