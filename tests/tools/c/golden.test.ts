// SPDX-License-Identifier: GPL-2.0-only
// The C of the three drivers, as it is committed; `make c-renew` writes it anew.
import { readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { expect } from 'chai';
import { emit, textOf } from '#tools/c/emit.js';
import { IN_SUBSET, Uses } from '#tools/c/files.js';
import { Project } from '#tools/c/source.js';
import { PROJECT } from '#tools/project.js';

describe('tools_c_golden', () => {
	const project = new Project(PROJECT);
	const uses = new Uses(PROJECT, (path, from) => project.fileOf(path, from));
	for (const path of IN_SUBSET) {
		const name = basename(path, '.ts');
		it(`${name} becomes the C that is committed`, () => {
			const file = join(PROJECT, path);
			const { lines, refusals } = emit(
				project,
				project.open(resolve(file))!,
				uses.of(file),
				uses.ofDriver(file),
			);
			expect(refusals.map((r) => r.message)).to.deep.equal([]);
			const golden = readFileSync(join(PROJECT, `tests/tools/c/golden/${name}.c`), 'utf8');
			expect(textOf(lines)).to.equal(golden);
		});
	}
});
