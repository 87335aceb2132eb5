// SPDX-License-Identifier: GPL-2.0-only
// The file that the result goes to, whatever is there already.
import { execFileSync } from 'node:child_process';
import {
	chmodSync,
	closeSync,
	constants,
	linkSync,
	lstatSync,
	mkdirSync,
	mkdtempSync,
	openSync,
	readdirSync,
	readFileSync,
	readSync,
	rmSync,
	statSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type Input, Output } from '#tools/run/output.js';
import { UserError } from '#tools/run/user-error.js';

const PNG = Uint8Array.of(1, 2, 3);

describe('tools_run_output', () => {
	let dir: string;
	let out: string;
	beforeEach(() => {
		dir = mkdtempSync(join(tmpdir(), 'run-'));
		out = join(dir, 'frame.png');
	});
	afterEach(() => {
		rmSync(dir, { recursive: true });
	});

	const open = (path: string, inputs: readonly Input[] = []): Output => Output.open('OUT', path, inputs);
	const refuses = (path: string, why: RegExp, inputs: readonly Input[] = []): void => {
		const before = readdirSync(dir);
		expect(() => open(path, inputs), path).to.throw(UserError, why);
		expect(readdirSync(dir)).to.deep.equal(before);
	};

	describe('a regular file', () => {
		it('is made whole, with nothing beside it', () => {
			const output = open(out);
			expect(readdirSync(dir)).to.deep.equal([]);
			output.write(PNG);
			expect([...readFileSync(out)]).to.deep.equal([...PNG]);
			expect(readdirSync(dir)).to.deep.equal(['frame.png']);
		});

		it('is replaced, not written over, and keeps its mode', () => {
			writeFileSync(out, 'longer than the new one');
			chmodSync(out, 0o640);
			const before = statSync(out);
			const reader = openSync(out, 'r');
			open(out).write(PNG);
			expect([...readFileSync(out)]).to.deep.equal([...PNG]);
			expect(statSync(out).mode).to.equal(before.mode);
			const old = new Uint8Array(100);
			expect(readSync(reader, old)).to.equal('longer than the new one'.length);
			closeSync(reader);
		});

		it('is found behind links, which stay', () => {
			mkdirSync(join(dir, 'there'));
			symlinkSync('there/real.png', out);
			symlinkSync('frame.png', join(dir, 'twice.png'));
			for (const bytes of [PNG, Uint8Array.of(4)]) {
				open(join(dir, 'twice.png')).write(bytes);
				expect([...readFileSync(join(dir, 'there/real.png'))]).to.deep.equal([...bytes]);
			}
			expect(lstatSync(out).isSymbolicLink()).to.equal(true);
			expect(lstatSync(join(dir, 'twice.png')).isSymbolicLink()).to.equal(true);
			expect(readdirSync(join(dir, 'there'))).to.deep.equal(['real.png']);
		});

		it('may have the longest name that there is', () => {
			open(join(dir, 'n'.repeat(255))).write(PNG);
			expect(readdirSync(dir)).to.deep.equal(['n'.repeat(255)]);
		});

		it('is left as it was when the new one does not get its place', () => {
			const output = open(out);
			mkdirSync(out);
			expect(() => output.write(PNG)).to.throw(UserError, /^OUT: cannot write .*: is a folder$/);
			expect(readdirSync(dir)).to.deep.equal(['frame.png']);
		});
	});

	describe('something else', () => {
		/**
		 * /dev/null (minor 3) or /dev/full (7); for root one of this test's own, since code that is wrong could take the
		 * system's away. Null where there can be none.
		 */
		function device(name: string, minor: number): string | null {
			const path = process.getuid?.() === 0 ? join(dir, name) : `/dev/${name}`;
			try {
				if (path !== `/dev/${name}`)
					execFileSync('mknod', [path, 'c', '1', String(minor)], { stdio: 'ignore' });
				closeSync(openSync(path, 'w'));
				return path;
			} catch {
				return null;
			}
		}

		it('is written to when it is a device, which stays one', function () {
			const path = device('null', 3);
			if (path === null) this.skip();
			open(path).write(PNG);
			expect(statSync(path).isCharacterDevice()).to.equal(true);
			symlinkSync(path, out);
			open(out).write(PNG);
			expect(lstatSync(out).isSymbolicLink()).to.equal(true);
			expect(statSync(path).isCharacterDevice()).to.equal(true);
		});

		it('is written to when it is a FIFO, as far as its reader reads', () => {
			execFileSync('mkfifo', [out]);
			const reader = openSync(out, constants.O_RDONLY | constants.O_NONBLOCK);
			open(out).write(PNG);
			const bytes = new Uint8Array(10);
			expect(readSync(reader, bytes)).to.equal(PNG.length);
			expect(readSync(reader, bytes)).to.equal(0);
			const output = open(out);
			closeSync(reader);
			expect(() => output.write(PNG)).to.throw(UserError, /: nobody reads it any more$/);
			expect(lstatSync(out).isFIFO()).to.equal(true);
		});

		it('says that a device is full', function () {
			const path = device('full', 7);
			if (path === null) this.skip();
			const output = open(path);
			expect(() => output.write(PNG)).to.throw(UserError, `OUT: cannot write ${path}: no space left`);
		});
	});

	describe('is refused before the work', () => {
		it('where a folder is in its place, or missing, or none', () => {
			refuses(dir, /^OUT: cannot write .*: is a folder$/);
			refuses(`${out}/`, /: no such folder$/);
			refuses(join(dir, 'none/frame.png'), /: no such folder$/);
			refuses(`${dir}/none/../frame.png`, /: no such folder$/);
			writeFileSync(out, '');
			refuses(`${out}/frame.png`, /: a part of the path is no folder$/);
			symlinkSync('none/frame.png', join(dir, 'dangling'));
			refuses(join(dir, 'dangling'), /: no such folder$/);
		});

		it('where a link leads to itself, or a name is too long', () => {
			symlinkSync('frame.png', out);
			refuses(out, /: a link that leads to itself$/);
			refuses(join(dir, 'n'.repeat(256)), /: the name is too long$/);
		});

		it('where it is a file that is read, by whatever path', () => {
			const picture = join(dir, 'picture.jpg');
			writeFileSync(picture, 'picture');
			symlinkSync('picture.jpg', join(dir, 'soft'));
			linkSync(picture, join(dir, 'hard'));
			mkdirSync(join(dir, 'sub'));
			for (const path of ['picture.jpg', 'soft', 'hard', 'sub/../hard'])
				refuses(`${dir}/${path}`, /: it is the file that PICTURE is read from$/, [
					['DTB', '/dev/null'],
					['PICTURE', join(dir, 'soft')],
				]);
			expect(readFileSync(picture, 'utf8')).to.equal('picture');
		});
	});
});
