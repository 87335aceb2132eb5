// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { applyEdits } from '#tools/instrument/edits.js';
import { PROJECT } from '#tools/project.js';
import { RETURNING } from '#watch/returning.js';

describe('tools/instrument: functions that are seen to return', () => {
	it('puts a probe around a function, that gets the function and its arguments', () => {
		const edit = { kind: 'return', file: 'some', function: 'map' } as const;
		expect(applyEdits('some', 'export function map(a) {\n}', [edit])).to.equal(
			'export function map(a) { const __call = globalThis.kretprobe?.("map", map, arguments); if (__call !== undefined) return __call.ret;\n}',
		);
	});

	for (const { file, names } of RETURNING)
		it(`finds those of ${file}`, () => {
			const code = readFileSync(join(PROJECT, 'build', `${file}.js`), 'utf8');
			for (const name of names)
				expect(applyEdits(file, code, [{ kind: 'return', file, function: name }])).to.contain(
					`kretprobe?.("${name}"`,
				);
		});
});
