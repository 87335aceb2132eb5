// SPDX-License-Identifier: GPL-2.0-only
// Properties and nodes are found by their whole names.
import { expect } from 'chai';
import { writeFdt } from '#hw/core/fdt.js';
import { fdt_get_name, fdt_getprop, fdt_path_offset } from '#lib/libfdt/fdt_ro.js';
import { FDT_ERR_NOTFOUND } from '#linux/libfdt.js';
import { ref } from '#linux/types.js';
import { cells, node, text } from '#tests/hw/fdt-source.js';

const BLOB = writeFdt(
	node(
		'',
		{ 'reg-names': cells(1), reg: cells(2), re: cells(3) },
		node('aliases', { second: text('/bus@2/dev@1') }),
		node('busy@1'),
		node('bus@1', {}, node('dev@0')),
		node('bus@2', {}, node('dev@10'), node('dev@1', { status: text('okay') })),
	),
);

describe('lib_fdt_ro', () => {
	const found = (path: string): string | null => {
		const offset = fdt_path_offset(BLOB, path);
		return offset < 0 ? null : fdt_get_name(BLOB, offset);
	};

	it('finds a property by its whole name, not by a part of it', () => {
		const value = (name: string): number | null => fdt_getprop(BLOB, 0, name, null)?.[3] ?? null;
		expect(['reg-names', 'reg', 're', 'r', 'eg', 'regs'].map(value)).to.deep.equal([
			1,
			2,
			3,
			null,
			null,
			null,
		]);
		const len = new ref(0);
		expect(fdt_getprop(BLOB, 0, 'regs', len)).to.equal(null);
		expect(len.value).to.equal(-FDT_ERR_NOTFOUND);
	});

	it('finds a node by its name, and without its unit address the first of them', () => {
		expect(['/bus@2', '/bus', '/bus/dev', '/bu', '/bus@', '/bus@12', '/dev@0'].map(found)).to.deep.equal([
			'bus@2',
			'bus@1',
			'dev@0',
			null,
			null,
			null,
			null,
		]);
		expect(found('/bus@2/dev@1')).to.equal('dev@1');
		expect(found('second')).to.equal('dev@1');
	});
});
