// SPDX-License-Identifier: GPL-2.0-only
// What files without a driver in them use: loops of Linux's, CPUs, scatterlists, structs of a function, exports.
import { expect } from 'chai';
import { c, refused } from '#tests/tools/c/emitted.js';

const CPUS = "import { for_each_possible_cpu } from '#linux/cpumask.js';\n";
const PERCPU = "import { alloc_percpu, per_cpu_ptr, type percpu } from '#linux/percpu.js';\n";
const SG = [
	"import { for_each_sg } from '#lib/scatterlist.js';",
	"import { kfree_sg, kmalloc_sg, type scatterlist, sg_assign, sg_at, sg_mapping_iter, sg_zero } from '#linux/scatterlist.js';\n",
].join('\n');
const NODE = 'class node {\n\tnext: node | null = null;\n\tred: bool = false;\n}\n';

describe('tools_c_library', () => {
	it('makes a loop of Linux a macro with its variables declared', () => {
		const text = c(
			`${CPUS}${SG}export function f(sgl: scatterlist): void {\n\tfor (const cpu of for_each_possible_cpu()) g(cpu);\n\tfor (const sg of for_each_sg(sgl, 4)) sg.length = 0;\n}\nfunction g(a: u32): void {\n\twritel(a, null as unknown as __iomem);\n}`,
		);
		expect(text).to.match(/unsigned int cpu, i;/);
		expect(text).to.contain('for_each_possible_cpu(cpu)\n\t\tg(cpu);');
		expect(text).to.contain('for_each_sg(sgl, sg, 4, i)\n\t\tsg->length = 0;');
	});
	it('keeps what is one for each CPU apart from one of them', () => {
		const text = c(
			`${PERCPU}${NODE}class all {\n\tnodes: percpu<node> | null = null;\n}\nexport function f(a: all): node {\n\ta.nodes = alloc_percpu(node);\n\treturn per_cpu_ptr(a.nodes as percpu<node>, 0);\n}`,
		);
		expect(text).to.contain('struct node __percpu *nodes;');
		expect(text).to.contain('a->nodes = alloc_percpu(struct node);');
		expect(text).to.contain('return per_cpu_ptr(a->nodes, 0);');
		expect(text).to.contain('struct node *f(struct all *a)');
	});
	it('finds the entries of a scatterlist behind each other', () => {
		const text = c(
			`${SG}export function f(n: unsigned_int): void {\n\tconst sgl = kmalloc_sg(n, GFP_KERNEL) as scatterlist;\n\tsg_zero(sgl, n);\n\tsg_assign(sg_at(sgl, 1), sgl);\n\tkfree_sg(sgl);\n}`,
		);
		expect(text).to.contain('sgl = kmalloc_array(n, sizeof(struct scatterlist), GFP_KERNEL);');
		expect(text).to.contain('memset(sgl, 0, sizeof(*sgl) * n);');
		expect(text).to.contain('sgl[1] = *sgl;');
		expect(text).to.contain('kfree(sgl);');
	});
	it('puts a struct that stays in its function there', () => {
		const text = c(
			`${SG}export function f(): u32 {\n\tconst miter = new sg_mapping_iter();\n\tmiter.length = 1;\n\treturn g(miter);\n}\nfunction g(m: sg_mapping_iter): u32 {\n\treturn m.__offset;\n}`,
		);
		expect(text).to.contain('struct sg_mapping_iter miter = {};');
		expect(text).to.contain('miter.length = 1;\n\treturn g(&miter);');
	});
	it('refuses a struct of a function that others keep', () => {
		expect(
			refused(`${NODE}export function f(a: node): void {\n\tconst n = new node();\n\ta.next = n;\n}`),
		).to.deep.equal(['6: n would outlive its function; use kzalloc()']);
	});
	it('tests for a pointer and its member in a condition', () => {
		expect(
			c(`${NODE}export function f(a: node | null): int {\n\tif (a?.red) return 1;\n\treturn 0;\n}`),
		).to.contain('if (a && a->red)');
	});
	it('takes the second pointer where the first is null', () => {
		expect(c(`${NODE}export function f(a: node | null, b: node): node {\n\treturn a ?? b;\n}`)).to.contain(
			'return a ?: b;',
		);
	});
	it('rounds a quotient up as Linux does', () => {
		expect(c('export function f(a: unsigned_int): unsigned_int {\n\treturn Math.ceil(a / 4);\n}')).to.contain(
			'return DIV_ROUND_UP(a, 4);',
		);
	});
	it('leaves static what a library does not export, and out what nothing of it uses', () => {
		const text = c(
			'export function f(a: u32): u32 {\n\treturn g(a);\n}\nfunction g(a: u32): u32 {\n\treturn a;\n}\nfunction h(a: u32): u32 {\n\treturn a;\n}',
		);
		expect(text).to.match(/^u32 f\(u32 a\)$/m);
		expect(text).to.match(/^static u32 g\(u32 a\)$/m);
		expect(text).not.to.contain('h(u32 a)');
	});
	it('has addresses in an array of pages, and of what may be null', () => {
		const text = c(
			"import type { page } from '#linux/mm_types.js';\nexport function f(pages: page[], list: (device | null)[]): page {\n\tlist[0] = null;\n\treturn pages[1];\n}",
		);
		expect(text).to.contain('struct page *f(struct page **pages, struct device **list)');
		expect(text).to.contain('return pages[1];');
	});
});
