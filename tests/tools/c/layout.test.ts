// SPDX-License-Identifier: GPL-2.0-only
// What the C looks like: comments, kernel-doc, goto, initialisers, lines.
import { expect } from 'chai';
import { c, linesOf, mapped, refused } from '#tests/tools/c/emitted.js';
import { lineMap } from '#tools/c/emit.js';

describe('tools_c_comments', () => {
	const lost = 'this comment has no place in C';
	it('moves a comment in an expression before its statement', () => {
		expect(c('export function f(a: u32, b: u32): bool { return a > 1 /* why */ && b > 2; }')).to.contain(
			'\t/* why */\n\treturn a > 1 && b > 2;',
		);
	});
	it('moves a comment in arguments, and in a condition, before the statement', () => {
		expect(c('export function f(b: __iomem): void {\n\twritel(/* on */ 1, b);\n}')).to.contain(
			'/* on */\n\twritel(1, b);',
		);
		expect(
			c(
				'export function f(a: u32, b: u32): int {\n\tif (a > 1 && // first\n\t\tb > 2)\n\t\treturn 1;\n\treturn 0;\n}',
			),
		).to.contain('\t/* first */\n\tif (a > 1 && b > 2)');
	});
	it('puts a comment before else into its block', () => {
		expect(
			c(
				'export function f(a: u32): int {\n\tif (a > 1) {\n\t\treturn 1;\n\t}\n\t// else this\n\telse {\n\t\treturn 2;\n\t}\n}',
			),
		).to.contain('\t} else {\n\t\t/* else this */\n\t\treturn 2;');
	});
	it('keeps the comments of cases, members and ends of blocks', () => {
		const text = c(
			'class s {\n\t// one\n\ta: u32 = 0; // two\n\t// three\n}\nexport function f(p: s): int {\n\tswitch (p.a) {\n\tcase 1: // four\n\t\treturn 1;\n\t\t// five\n\t}\n\treturn 0;\n\t// six\n}',
		);
		for (const word of ['one', 'two', 'three', 'four', 'five', 'six'])
			expect(text).to.contain(`/* ${word} */`);
	});
	it('refuses a comment that has no place', () => {
		expect(refused('export function f(a: u32 /* first */): u32 { return a; }')).to.deep.equal([
			`1: ${lost}; put it on lines of its own, before a statement`,
		]);
		expect(refused('export function f(a: u32): u32 { return a; }\n// the end')[0]).to.contain(lost);
	});
	it('keeps what would end a comment of C from ending it', () => {
		expect(c('// see drivers/*/x, a */ b\nexport function f(a: u32): u32 { return a; }')).to.contain(
			'/* see drivers/ * /x, a * / b */',
		);
	});
	it('is kernel-doc from a docstring that says all parameters', () => {
		expect(
			c(
				'/**\n * Reads. It waits.\n * @base: where\n * @n: how often\n * Returns the word.\n */\nexport function f(base: __iomem, n: u32): u32 { return (readl(base) + n) >>> 0; }',
			),
		).to.contain(
			'/**\n * f() - Reads\n * @base: where\n * @n: how often\n *\n * It waits.\n *\n * Return: the word.\n */',
		);
	});
});

describe('tools_c_layout', () => {
	it('breaks lines of more than 80 columns below their parenthesis', () => {
		const text = c(
			'function long_name_of_a_function(first: u32, second: u32, third: u32): void { writel(first, null!); writel(second, null!); writel(third, null!); }\nexport function f(first_argument: u32, second_argument: u32): void { long_name_of_a_function(first_argument, second_argument, first_argument); }',
		);
		for (const line of text.split('\n'))
			expect(line.replaceAll('\t', '        ')).to.have.length.of.at.most(80);
		expect(text).to.contain(
			'long_name_of_a_function(first_argument, second_argument,\n\t\t\t\tfirst_argument);',
		);
	});
	it('is a ladder of goto from labelled blocks', () => {
		expect(
			c(
				'export function f(a: u32): int {\n\tlet err: int = 0;\n\n\terr_b: {\n\t\terr_a: {\n\t\t\tif (a === 1) break err_a;\n\t\t\tif (a === 2) break err_b;\n\t\t\treturn 0;\n\t\t}\n\t\terr = -EINVAL;\n\t}\n\treturn err;\n}',
			),
		).to.contain('\t\tgoto err_b;\n\treturn 0;\n\nerr_a:\n\terr = -EINVAL;\n\nerr_b:\n\treturn err;');
	});
	it('has no label that nothing goes to', () => {
		expect(c('export function f(): int { out: { return 0; } }')).not.to.contain('out');
	});
	it('has designated initialisers', () => {
		const text = c(
			"const ids: readonly of_device_id[] = [{ compatible: 'me,iommu' }];\nfunction probe(pdev: platform_device): int { return pdev === null ? 1 : 0; }\nconst driver = boot_data(() => new platform_driver({ probe: probe, driver: { name: 'me' } }));\n",
		);
		expect(text).to.contain('{ .compatible = "me,iommu" },');
		expect(text).to.match(/static struct platform_driver driver = \{\n\t\.probe = probe,\n\t\.driver = \{/);
	});
	it('says a struct before the one that has it inside', () => {
		const lines = linesOf(
			'class a { b: b = new b(); }\nclass b { x: u32 = 0; }\nexport function f(p: a): u32 { return p.b.x; }',
			/^struct/,
		);
		expect(lines).to.deep.equal(['struct b {', 'struct a {']);
	});
});

describe('tools_c_lines', () => {
	const text = 'export function f(a: u32): u32 {\n\tconst b: u32 = 1;\n\n\treturn (a + b) >>> 0;\n}\n';
	it('maps a line of C to the one that it comes from', () => {
		const from = (pattern: RegExp): number | undefined =>
			mapped(text).find((l) => pattern.test(l.text))?.from;
		expect(from(/^u32 f/)).to.equal(1);
		expect(from(/u32 b = 1/)).to.equal(2);
		expect(from(/return/)).to.equal(4);
		expect(from(/^}/)).to.equal(5);
	});
	it('maps both ways alike', () => {
		const lines = mapped(text).map((l) => ({ ...l, from: Math.max(l.from, 0) }));
		const map = lineMap('x.ts', 'x.c', lines);
		expect(map.toTypeScript).to.deep.equal(lines.map((l) => l.from));
		for (const [from, all] of Object.entries(map.toC))
			for (const line of all) expect(map.toTypeScript[line - 1]).to.equal(Number(from));
		expect(Object.values(map.toC).flat()).to.have.length(lines.filter((l) => l.from > 0).length);
	});
});
