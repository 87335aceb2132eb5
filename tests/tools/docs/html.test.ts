// SPDX-License-Identifier: GPL-2.0-only
// make docs: what a source says of its names, and the page that says it.
import { expect } from 'chai';
import { headOf } from '#tools/docs/head.js';
import { filePage, indexPage, namesPage, prose } from '#tools/docs/html.js';
import { symbolsOf } from '#tools/docs/symbols.js';

const SOURCE = `// SPDX-License-Identifier: GPL-2.0-only
// Sums.
// Linux 6.12: lib/sum.c
import { x } from './x.js';

/** Not for others. */
function own(): void {}

/**
 * Add @a and @b<c>; 0: neither
 *
 * Linux: lib/sum.c: add()
 */
export function add(a: int, b: int): int {
	return a + b;
}

/** A sum. */
export class sum {
	value: int = 0;
}
export const twice = (a: int): int => add(a, a);
export const MOST = 3, LEAST = 1;
export const { first, second: other } = x;
`;

const symbols = symbolsOf('lib/sum.ts', SOURCE);
const file = { path: 'lib/sum.ts', head: headOf(SOURCE)!, symbols };

describe('docs', () => {
	it('knows what a file exports, with its kind, its prototype, and what is said of it', () => {
		expect(symbols.map(({ name, kind }) => `${kind} ${name}`)).to.deep.equal([
			'function add',
			'struct sum',
			'function twice',
			'value MOST',
			'value LEAST',
			'value first',
			'value other',
		]);
		expect(symbols[0]).to.deep.include({
			prototype: 'function add(a: int, b: int): int',
			says: 'Add @a and @b<c>; 0: neither\n\nLinux: lib/sum.c: add()',
			line: 14,
		});
		expect(symbols[2]).to.include({ prototype: 'const twice = (a: int): int => …', says: '' });
		expect(symbols[3]).to.include({ prototype: 'const MOST = 3' });
	});

	it('writes a page with each name, its text safe, its twin and its source in Linux as links', () => {
		const page = filePage(file, new Map());
		expect(page).to.contain('<h3 id="add">').and.contain('<var>b</var>&#60;c&#62;');
		expect(page).to.contain('/source/lib/sum.c"><code>lib/sum.c</code></a>');
		expect(page).to.contain('/C/ident/add">add()</a>');
		expect(page).not.to.contain('Not for others');
	});

	it('leads to every name, by file and by letter', () => {
		expect(indexPage([file])).to.contain('<a href="lib/sum.html"><code>sum.ts</code></a><td>whole<td>Sums.');
		for (const { name } of symbols) expect(namesPage([file])).to.contain(`href="lib/sum.html#${name}"`);
	});

	it('links a function that is named where one file alone has it', () => {
		const to = (name: string): string | null => (name === 'add' ? 'a.html#add' : null);
		expect(prose('As add() and sub().', to)).to.equal('<p>As <a href="a.html#add">add()</a> and sub().</p>');
	});
});
