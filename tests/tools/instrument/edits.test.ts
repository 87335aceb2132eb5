// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import { applyEdits, type Edit } from '#tools/instrument/edits.js';

const FILE = 'drivers/iommu/some';
const CODE = [
	'export function first(a, b = f(0)) {',
	'    const dte = dt[index(a[0])];',
	'    if (other.dt[1] === 0 || my_dt[1]) return 1;',
	'    dt[a] = dte;',
	'}',
	'function second() {',
	'    return 2;',
	'}',
].join('\n');

const edited = (...edits: Edit[]): string[] => applyEdits(FILE, CODE, edits).split('\n');

describe('tools/instrument: edits', () => {
	it('puts a probe at the entry of a function, behind its arguments', () => {
		const lines = edited({ kind: 'entry', file: FILE, function: 'second' });
		expect(lines[5]).to.equal(
			'function second() { const __probe = globalThis.kprobe?.("second"); if (__probe !== undefined) return __probe.ret;',
		);
		expect(lines).to.have.length(8);
	});

	it('tells loads from stores, and arrays from those with longer names', () => {
		const lines = edited({ kind: 'access', file: FILE, names: ['dt'] });
		expect(lines[1]).to.equal("    const dte = (globalThis.kprobe_access?.(dt, 'load'), dt)[index(a[0])];");
		expect(lines[2]).to.equal(CODE.split('\n')[2]);
		expect(lines[3]).to.equal("    (globalThis.kprobe_access?.(dt, 'store'), dt)[a] = dte;");
	});

	it('knows an array by the struct that it is in', () => {
		const lines = edited({ kind: 'access', file: FILE, names: ['other.dt'] });
		expect(lines[2]).to.contain("(globalThis.kprobe_access?.(other.dt, 'load'), other.dt)[1] === 0");
	});

	it('leaves accesses alone in functions that are left out', () => {
		const edit: Edit = { kind: 'access', file: FILE, names: ['dt', 'kept'], except: ['first'] };
		expect(applyEdits(FILE, `${CODE}\nkept[0];`, [edit])).to.equal(
			`${CODE}\n(globalThis.kprobe_access?.(kept, 'load'), kept)[0];`,
		);
	});

	it('replaces what is there once', () => {
		expect(edited({ kind: 'replace', file: FILE, find: 'return 2', with: 'return 3' })[6]).to.equal(
			'    return 3;',
		);
	});

	it('leaves other modules alone', () => {
		expect(edited({ kind: 'entry', file: 'drivers/iommu/other', function: 'second' })).to.deep.equal(
			CODE.split('\n'),
		);
	});

	for (const [edit, message] of [
		[{ kind: 'entry', file: FILE, function: 'third' }, /some: there is no function third/],
		[{ kind: 'access', file: FILE, names: ['page_table'] }, /some: no access to page_table/],
		[{ kind: 'replace', file: FILE, find: 'return 4', with: '' }, /some: nowhere is there "return 4"/],
		[{ kind: 'replace', file: FILE, find: 'return', with: '' }, /"return" is there more than once/],
	] as const)
		it(`says of what does not fit which file it is for (${edit.kind}: ${message.source.slice(0, 24)})`, () => {
			expect(() => applyEdits(FILE, CODE, [edit])).to.throw(message);
		});
});
