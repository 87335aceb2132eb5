// SPDX-License-Identifier: GPL-2.0-only
// What is outside the kernel subset: its line and one sentence, for each construct; and the program that says so.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import sinon from 'sinon';
import { refused } from '#tests/tools/c/emitted.js';
import { main } from '#tools/c/main.js';

/** Statements of a function, on its second line, and what is said of them. */
const STATEMENTS: readonly (readonly [string, string])[] = [
	// biome-ignore lint/suspicious/noTemplateCurlyInString: it is a source that has a template.
	['const s = `a${a}`;', 'a template literal is outside the kernel subset; use the printk formats'],
	// biome-ignore lint/suspicious/noTemplateCurlyInString: it is a source that has a template.
	['dev_err(d, `a${a}`);', 'a template literal is outside the kernel subset; use the printk formats'],
	['const s = `a`;', 'a template literal is outside the kernel subset; use a string'],
	['const g = (): int => 1;', 'a function inside a function is outside the kernel subset'],
	['function g(): void {}', 'a function inside a function is outside the kernel subset'],
	['const x = new Map();', '"new" is outside the kernel subset; use kzalloc()'],
	['const x = [1];', 'an array in a function needs a type: const a: u32[] = [ … ]'],
	['const x = { a: 1 };', 'an object literal is outside the kernel subset, but for tables outside functions'],
	['const x = typeof a;', '"typeof" is outside the kernel subset; C does not know types as it runs'],
	['delete p.a;', 'this statement does nothing in C'],
	['throw a;', '"throw" is outside the kernel subset; return an errno'],
	['try { readl(p); } catch {}', '"try" is outside the kernel subset; return an errno'],
	['for (const k in p) readl(p);', '"for … in" is outside the kernel subset'],
	['const x = p?.a;', '"?." is outside the kernel subset; write the test for null'],
	['const x = a == 1;', '"==" converts what it compares; write "==="'],
	['const x: u32 = a ?? 1;', '"??" takes pointers: a number is never null in C'],
	['const x: u32 = a ** 2;', '"**" is outside the kernel subset; shift instead'],
	['const x = /a/;', 'a regular expression is outside the kernel subset'],
	['const x = 1n;', 'a bigint is outside the kernel subset'],
	['const x: u32 = 1.5;', 'a fraction is outside the kernel subset'],
	['const x: number = 1;', '"number" is outside the kernel subset; C has int, u32, size_t and the like'],
	[
		'const x: u32 | int = 1;',
		'a union of types is outside the kernel subset; only null and err_ptr may be added',
	],
	['let x = 0;', 'this variable needs a type: C would take that of its first value'],
	['const x: u32 = 2 ** 40;', '"**" is outside the kernel subset; write 0x10000000000, or shl64()'],
	['const x: u32 = +a;', '"+" before an expression is outside the kernel subset'],
	['writel(...a);', '"..." is outside the kernel subset'],
	[
		'switch (a) { case 1: { const x: u32 = readl(p); writel(x, p); } }',
		'a variable of one case needs a function of its own, or a place before the switch',
	],
	[
		'const x: u32 = readl(kzalloc(device, GFP_KERNEL));',
		'an allocation has to be assigned to a variable of its type',
	],
	['const x = this;', '"this" is outside the kernel subset'],
	['void readl(p);', '"void" before an expression is outside the kernel subset'],
	['if ((a = 1) !== 0) readl(p);', 'an assignment inside an expression is outside the kernel subset'],
	['const x: u32 = ((a < 1) as u32) | 1;', 'bit operations take integers; a comparison is none'],
	['a += 1;', 'C cuts this to 32 bits, and TypeScript does not; write x = (x + y) >>> 0'],
	["dev_err(null!, 'a' + 'b');", 'dev_err() takes a string as its format, with the values behind it'],
	[
		'for (let i: u32 = 0; i < 3; i++) readl(p); for (let i: u8 = 0; i < 3; i++) readl(p);',
		'C has both variables i in one block, and they differ in type; give one another name',
	],
	[
		'for (const x of keys(p)) readl(p);',
		'"for … of" takes a table, or list_for_each_entry() and its kin; C has no iterators',
	],
	['const x = undefined;', 'undefined is outside the kernel subset; C has NULL and 0'],
	['a;', 'this statement does nothing in C'],
	['loop: for (;;) break loop;', 'a label stands before a block; C has no labelled loops'],
	['const [x] = p;', 'an array that is taken apart is outside the kernel subset'],
	['const x = Math.random();', 'Math.random() is outside the kernel subset'],
];

/** Items of a file. */
const ITEMS: readonly (readonly [string, string])[] = [
	['async function g(): Promise<void> {}', 'generators and async functions are outside the kernel subset'],
	['function* g(): void {}', 'generators and async functions are outside the kernel subset'],
	['function g({ a }: device): void {}', 'a parameter that is taken apart is outside the kernel subset'],
	[
		'class s { a: Uint32Array = new Uint32Array(n); }',
		'how long an array in a struct is has to be a constant in C',
	],
	['function g(a?: u32): void {}', 'a parameter that may be left out is outside the kernel subset'],
	['function g(a: u32 = 1): void {}', 'a parameter that may be left out is outside the kernel subset'],
	['function g(...a: u32[]): void {}', 'a parameter that may be left out is outside the kernel subset'],
	[
		'class s { get a(): u32 { return 1; } }',
		'a method of a struct is outside the kernel subset; C has functions',
	],
	[
		'class s { a(): u32 { return 1; } }',
		'a method of a struct is outside the kernel subset; C has functions',
	],
	[
		'let counter: u32 = 0;',
		'a variable outside a function is boot_data() here: it comes anew with each boot',
	],
	['if (1) {}', 'this has no place outside a function in the kernel subset'],
	[
		'type word = u32;',
		'a name for another type is outside the kernel subset, but for functions and enumerations',
	],
];

describe('tools_c_outside', () => {
	for (const [text, sentence] of STATEMENTS)
		it(`names the line of ${text}`, () => {
			expect(refused(`export function f(a: u32, p: __iomem): void {\n\t${text}\n}\n`)).to.deep.equal([
				`2: ${sentence}`,
			]);
		});
	for (const [text, sentence] of ITEMS)
		it(`names the line of ${text}`, () => {
			expect(refused(`\n${text}\n`)[0]).to.equal(`2: ${sentence}`);
		});
	it('names all places, not the first alone', () => {
		expect(refused('export function f(a: u32): void {\n\tthrow a;\n\tthrow a;\n}\n')).to.have.length(2);
	});
	it('has no type parameters in a driver', () => {
		const driver = 'const d = boot_data(() => new platform_driver());\nbuiltin_platform_driver(d);\n';
		expect(refused(`${driver}function g<T>(a: T): void {}`)).to.deep.equal([
			'3: a type parameter is outside the kernel subset',
		]);
	});
	it('says nothing of what only follows', () => {
		expect(refused('export function f(): u32 {\n\tconst x = 1n;\n\treturn x;\n}\n')).to.have.length(1);
	});
});

describe('tools_c_main', () => {
	let dir: string;
	let said: string[];
	const run = (...args: string[]): Promise<number> => main([`--out=${join(dir, 'out')}`, ...args]);
	beforeEach(() => {
		dir = mkdtempSync(join(tmpdir(), 'c-'));
		said = [];
		sinon.stub(console, 'error').callsFake((line: string) => said.push(line));
		sinon.stub(console, 'log').callsFake((line: string) => said.push(line));
	});
	afterEach(() => {
		sinon.restore();
		rmSync(dir, { recursive: true });
	});
	it('writes a driver of its own with the map of its lines', async () => {
		const file = join(dir, 'mine.ts');
		writeFileSync(file, '// SPDX-License-Identifier: GPL-2.0-only\n// Mine.\nexport function f(): void {}\n');
		expect(await run(file)).to.equal(0);
		expect(readFileSync(join(dir, 'out/mine.c'), 'utf8')).to.contain('MODULE_DESCRIPTION("Mine");');
		const map = JSON.parse(readFileSync(join(dir, 'out/mine.c.lines.json'), 'utf8'));
		expect(map.toC['3']).to.have.length.of.at.least(1);
	});
	it('writes nothing of any file if one is outside', async () => {
		const [good, bad] = [join(dir, 'good.ts'), join(dir, 'bad.ts')];
		writeFileSync(good, '// SPDX-License-Identifier: GPL-2.0-only\n// Good.\nexport function f(): void {}\n');
		writeFileSync(
			bad,
			'// SPDX-License-Identifier: GPL-2.0-only\n// Bad.\nexport function f(): void { throw 1; }\n',
		);
		expect(await run(good, bad)).to.equal(1);
		expect(existsSync(join(dir, 'out'))).to.equal(false);
		expect(said[0]).to.match(/bad\.ts:3: "throw" is outside the kernel subset; return an errno$/);
		expect(said[1]).to.match(/^1 place is outside the kernel subset .*nothing was written$/);
	});
	for (const [what, text, line] of [
		[
			'is no TypeScript',
			'\nfunction f(: int {\n',
			/:2: this is no TypeScript: Parameter declaration expected$/,
		],
		['has nothing in it', '', /:1: nothing is in this file that C would have$/],
		[
			'imports no file',
			"import { BIT } from '#linux/bitz.js';\n",
			/:1: no file of the kernel half is imported as '#linux\/bitz\.js'$/,
		],
		[
			'imports no name',
			"import {\n\tBIT,\n\tNOPE,\n} from '#linux/bits.js';\n",
			/:3: '#linux\/bits\.js' declares no NOPE$/,
		],
	] as const)
		it(`says the first place of a file that ${what}`, async () => {
			writeFileSync(join(dir, 'odd.ts'), text);
			expect(await run(join(dir, 'odd.ts'))).to.equal(1);
			expect(said).to.have.length(2);
			expect(said[0]).to.match(line);
			expect(existsSync(join(dir, 'out'))).to.equal(false);
		});
	it('says in one line what is no driver', async () => {
		expect(await run(join(dir, 'none'))).to.equal(1);
		expect(said).to.have.length(1);
		expect(said[0]).to.match(/^DRIVER: expected a file of TypeScript, .* got ".*none"$/);
	});
	it('says in one line where it cannot write', async () => {
		writeFileSync(join(dir, 'out'), '');
		expect(await run('edu-iommu')).to.equal(1);
		expect(said.filter((l) => /cannot be written/.test(l))).to.have.length(1);
		expect(readdirSync(dir)).to.deep.equal(['out']);
	});
	it('says how it is called if the command line is none', async () => {
		expect(await main(['--no-such'])).to.equal(2);
	});
});
