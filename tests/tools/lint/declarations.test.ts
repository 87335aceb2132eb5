// SPDX-License-Identifier: GPL-2.0-only
// What the check of Linux's names reads out of a source file.
import { expect } from 'chai';
import { declarationsOf } from '#tools/lint/declarations.js';

const read = (source: string) => declarationsOf('x.ts', source);
const one = (source: string) => read(source)[0]!;

describe('declarations', () => {
	it('reads the parameters of functions, whatever their types have in them', () => {
		const f = one(`export function f<T extends Record<string, (a: int) => void>>(
			a: T, // the first, of two
			b: (x: int, y: int) => Map<string, int>,
			c: [int, int] = [1, 2],
			...args: int[]
		): void {}`);
		expect(f.name).to.equal('f');
		expect(f.params).to.deep.equal(['a', 'b', 'c', '...']);
		expect(one('export function* g(): Iterable<int> {}').params).to.deep.equal([]);
	});

	it('reads the members of structs and ops tables, and the parameters of those that are functions', () => {
		const ops = one(`export interface ops {
			readonly name: string;
			alloc?(dev: device, size: size_t): page | null;
			probe: ((dev: device) => int) | null;
			fault: fault_handler_t;
		}`);
		expect(Array.from(ops.members!)).to.deep.equal([
			['name', null],
			['alloc', ['dev', 'size']],
			['probe', ['dev']],
			['fault', null],
		]);
	});

	it('takes nothing inside a constructor for a member, and knows the base class', () => {
		const iova = one(`export class iova extends rb_node<iova> {
			pfn_hi: unsigned_long = 0;
			constructor() {
				super(null);
				local: for (;;) break local;
			}
			readonly pfn_lo = new Map<int, { a: int }>();
		}`);
		expect(iova.base).to.equal('rb_node');
		expect(Array.from(iova.members!.keys())).to.deep.equal(['pfn_hi', 'pfn_lo']);
	});

	it('reads what a function type is given', () => {
		expect(
			one('export type f_t = (nents: unsigned_int, gfp: gfp_t) => scatterlist | null;').params,
		).to.deep.equal(['nents', 'gfp']);
	});

	it('sees nothing in comments and strings', () => {
		const source = `/* export const a = 1; */\nconst s = \`\nexport const b = '//';\n\`;\nexport const c = '(';\nexport const d = 2;`;
		expect(read(source).map((d) => d.name)).to.deep.equal(['c', 'd']);
	});

	it('takes a name under which another file exports something as one of its own', () => {
		const names = read("export { kfree as kvfree, kmalloc } from './slab.js';").map((d) => d.name);
		expect(names).to.deep.equal(['kvfree']);
	});
});
