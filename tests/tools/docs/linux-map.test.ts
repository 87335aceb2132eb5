// SPDX-License-Identifier: GPL-2.0-only
// The part of linux-map.md that the heads of files say.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { headOf, KERNEL } from '#tools/docs/head.js';
import { linuxMap } from '#tools/docs/linux-map.js';

const LICENCE = '// SPDX-License-Identifier: GPL-2.0-only\n';
const head = (...lines: string[]) =>
	headOf(`${LICENCE}${lines.map((line) => `// ${line}\n`).join('')}import 'x';\n// Left out: nothing.\n`);

describe('linux_map', () => {
	it('takes the twins from the head, those without a folder from the folder of the one before', () => {
		expect(head('A.', 'Linux 6.12: mm/a.c, b.h and lib/c.c: f()')?.twins).to.deep.equal([
			'mm/a.c',
			'mm/b.h',
			'lib/c.c',
		]);
		expect(head('A.', 'Linux 6.12: mm/a.c (with b.c); f() is of lib/c.c')?.twins).to.deep.equal(['mm/a.c']);
	});

	it('calls a part what leaves something out, or is a stub, and own what has no twin', () => {
		expect(head('A.', 'Linux 6.12: mm/a.c')?.scope).to.equal('whole');
		expect(head('A.', 'Linux 6.12: mm/a.c', 'Left out: b.')?.scope).to.equal('part');
		expect(head('A.', 'Linux 6.12: mm/a.c', 'A stub.')?.scope).to.equal('part');
		expect(head('A.', 'Linux 6.12: none. As mm/a.c.'))
			.to.include({ scope: 'own' })
			.and.deep.include({ twins: [] });
		expect(head('A.', 'No twin in Linux: x.')?.scope).to.equal('own');
	});

	it('knows no head without a twin, or without a licence', () => {
		expect(head('A.')).to.equal(null);
		expect(head('A.', 'Linux 6.12: somewhere')).to.equal(null);
		expect(headOf('// Linux 6.12: mm/a.c\n')).to.equal(null);
	});

	describe('of a tree', () => {
		let dir: string;
		const page = (): string => readFileSync(join(dir, 'Documentation/linux-map.md'), 'utf8');
		const put = (path: string, ...lines: string[]): void =>
			writeFileSync(join(dir, path), `${LICENCE}${lines.map((line) => `// ${line}\n`).join('')}`);
		beforeEach(() => {
			dir = mkdtempSync(join(tmpdir(), 'map-'));
			for (const folder of [...KERNEL, 'Documentation']) mkdirSync(join(dir, folder));
			writeFileSync(join(dir, 'Documentation/linux-map.md'), '# By hand\n');
			put('mm/a.ts', 'A.', 'Linux 6.12: mm/a.c');
		});
		afterEach(() => {
			rmSync(dir, { recursive: true });
		});

		it('is written behind what was written by hand, and then is as it has to be', () => {
			expect(linuxMap(dir, true)).to.deep.equal([]);
			expect(page()).to.match(
				/^# By hand\n\n## [\s\S]*1 files: 1 whole[\s\S]*\| `mm\/a\.ts` \| `mm\/a\.c` \| whole \|\n$/,
			);
			expect(linuxMap(dir, false)).to.deep.equal([]);
			put('lib/b.ts', 'B.', 'Linux 6.12: none');
			expect(linuxMap(dir, true)).to.deep.equal([]);
			expect(page().match(/By hand/g)).to.have.lengthOf(1);
			expect(page()).to.contain('| `lib/b.ts` |  | own |\n| `mm/a.ts`');
		});

		it('is said to be stale, in one line with the place, and stays as it is', () => {
			linuxMap(dir, true);
			const before = page();
			put('mm/a.ts', 'A.', 'Linux 6.12: mm/b.c');
			const problems = linuxMap(dir, false);
			expect(problems).to.have.lengthOf(1);
			expect(problems[0]).to.match(
				/^Documentation\/linux-map\.md:\d+: expected "\| `mm\/a\.ts` \| `mm\/b\.c` \| whole \|"/,
			);
			expect(page()).to.equal(before);
		});

		it('is not written while a file has no head: each such file has a line', () => {
			put('fs/c.ts', 'C.');
			expect(linuxMap(dir, true)).to.deep.equal([
				'fs/c.ts:1: expected a licence, and then "// Linux 6.12: PATH" or "// Linux 6.12: none"',
			]);
			expect(page()).to.equal('# By hand\n');
		});
	});
});
