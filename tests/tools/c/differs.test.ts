// SPDX-License-Identifier: GPL-2.0-only
// Where C would silently do something else: each is refused, or said as C needs it.
import { expect } from 'chai';
import { c, linesOf, refused } from '#tests/tools/c/emitted.js';

/** What is refused of a function with that body, by its sentence's beginning. */
const rule = (what: string, text: string, sentence: string): void => {
	it(what, () => {
		const all = refused(text);
		expect(all, text).to.have.length(1);
		expect(all[0]).to.contain(sentence);
	});
};
const fine = (what: string, text: string, line: string): void => {
	it(what, () => {
		expect(linesOf(text, /\S/)).to.include(line);
	});
};

describe('tools_c_numbers', () => {
	fine(
		'">>> 0" on what is 64 bits in C is a cast to 32',
		'export function f(): u32 { return ~GENMASK(3, 0) >>> 0; }',
		'return (u32)~GENMASK(3, 0);',
	);
	fine(
		'">>> 0" on what is u32 in C is nothing',
		'export function f(a: u32): u32 { return ~a >>> 0; }',
		'return ~a;',
	);
	rule(
		'a bit operation that may be negative needs ">>> 0"',
		'export function f(a: u32): u32 { return ~a; }',
		'is negative in TypeScript',
	);
	rule(
		'a bit operation does not cut 64 bits',
		'export function f(a: u64, b: u64): u64 { return (a | b) >>> 0; }',
		'cuts 64 bits to 32 in TypeScript',
	);
	rule(
		'a comparison is no number',
		'export function f(a: u32, b: u32): u32 { return a < b; }',
		'a comparison is no number',
	);
	rule(
		'a comparison is no number by way of a cast',
		'export function f(a: u32, b: u32): u32 { return (a < b) as unknown as u32; }',
		'a cast of a number to unknown',
	);
	rule(
		'u32 + u32 says that it wraps',
		'export function f(a: u32, b: u32): u32 { return a + b; }',
		'C cuts this to 32 bits',
	);
	rule(
		'u32 - u32 says that it wraps where it is only compared',
		'export function f(a: u32, b: u32): bool { return a - b > 5; }',
		'C cuts this to 32 bits',
	);
	fine(
		'a sum that is cut as a whole need not be cut in its parts',
		'export function f(a: u32, b: u32): u32 { return (a + b + 1) >>> 0; }',
		'return a + b + 1;',
	);
	rule(
		'a sum of constants that C cannot hold is written as a number',
		'export function f(): u64 { return 0xffffffff + 1; }',
		'write the number',
	);
	rule(
		'a number beyond 2^53 is none of TypeScript',
		'export function f(): u64 { return 0x20000000000001; }',
		'beyond 2^53',
	);
	rule(
		'"/" of integers has a fraction',
		'export function f(a: u32, b: u32): u32 { return a / b; }',
		'Math.floor',
	);
	rule(
		'a negative quotient is rounded otherwise',
		'export function f(a: int, b: int): int { return Math.floor(a / b); }',
		'rounds a negative quotient',
	);
	for (const operator of ['<', '>=', '===', '!=='])
		rule(
			`int against u32 in ${operator}`,
			`export function f(a: int, b: u32): bool { return a ${operator} b; }`,
			'of a number with a sign and one without',
		);
	rule(
		'int against u32 in Math.min()',
		'export function f(a: int, b: u32): u32 { return Math.min(a, b); }',
		'of a number with a sign and one without',
	);
	rule(
		'int against u32 behind "?"',
		'export function f(a: u32): int { return a > 3 ? -EINVAL : a; }',
		'of a number with a sign and one without',
	);
	rule(
		'what has no sign is never below 0',
		'export function f(a: u32): int { for (let n = a; n >= 0; n--) readl(null!); return 0; }',
		'is never below 0 in C',
	);
	rule(
		'-1 is another number without a sign',
		'export function f(): u32 { return -EINVAL; }',
		'has no sign in C',
	);
	rule(
		'u64 does not fit in u32',
		'export function f(a: u64): u32 { return a; }',
		'C cuts this to the 32 bits of u32',
	);
	rule(
		'u32 does not fit in u8, passed to a function',
		'function g(a: u8): u8 { return a; }\nexport function f(a: u32): u8 { return g(a); }',
		'C cuts this to the 8 bits of u8',
	);
	rule(
		'a number is no bool',
		'export function f(a: u32): int { const b: bool = a; return b ? 1 : 0; }',
		'no bool',
	);
	fine(
		'">>" of what has a sign keeps it',
		'export function f(a: int): int { return a >> 4; }',
		'return a >> 4;',
	);
	fine(
		'">>>" of what has a sign loses it',
		'export function f(a: int): u32 { return a >>> 4; }',
		'return (u32)a >> 4;',
	);
	rule(
		'a shift by the width is undefined in C',
		'export function f(a: u32): u32 { return (a << 32) >>> 0; }',
		'shifts by the lower 5 bits',
	);
	rule(
		'a constant that its type does not hold',
		'export function f(): int { const a: int = 0x80000000; return a; }',
		'int holds no 2147483648',
	);
	rule(
		'a counter that never gets there',
		'export function f(): void { for (let i: u8 = 0; i < 256; i++) readl(null!); }',
		'no u8 is as large as 256',
	);
	rule(
		'">>>" of what is 64 bits wide',
		'export function f(a: u64): u64 { return a >>> 12; }',
		'use shl64() or shr64()',
	);
	rule(
		'"%" of what has a sign by what has none',
		'export function f(a: int, b: u32): u32 { return a % b; }',
		'is unsigned in C',
	);
	rule(
		'a sum of comparisons',
		'export function f(a: u32, b: u32): int { return (a < b) + (b < a); }',
		'"+" takes integers; a comparison is none',
	);
	rule(
		'"-" of what has no sign',
		'export function f(a: u32): int { return -a; }',
		'"-" of an unsigned number is another number in C',
	);
	rule(
		'"<<" of what has a sign',
		'export function f(a: int): int { return a << 3; }',
		'may overflow, which C does not define',
	);
	rule(
		'">>" of what has no sign',
		'export function f(a: u32): u32 { return a >> 3; }',
		'gives what has no sign one in TypeScript',
	);
	rule(
		'what a variable can hold is not what it first was, if a loop changes it',
		'export function f(b: __iomem): u32 { let x: u32 = 0; for (let i = 0; i < 3; i++) { writel(x + 1, b); x = readl(b); } return x; }',
		'C cuts this to 32 bits',
	);
});

describe('tools_c_order', () => {
	const both = 'C does not say which of the two calls';
	const place = 'is read before or behind what changes it';
	rule(
		'two reads of registers in a sum',
		'export function f(b: __iomem): u32 { return (readl(b) | readl(b)) >>> 0; }',
		both,
	);
	rule(
		'two calls in arguments',
		'function g(a: u32, b: u32): void { writel(a, null!); writel(b, null!); }\nexport function f(b: __iomem): void { g(readl(b), readl(b)); }',
		both,
	);
	rule(
		'two calls in an initialiser',
		'export function f(b: __iomem): u32 { const x: u32 = (readl(b) ^ readl(b)) >>> 0; return x; }',
		both,
	);
	rule(
		'a call in an index, and one that is stored there',
		'export function f(t: u32[], b: __iomem): void { t[readl(b)] = readl(b); }',
		both,
	);
	rule(
		'two calls through pointers',
		'class ops { a: (x: int) => int = null!; }\nexport function f(o: ops): int { return o.a(1) + o.a(2); }',
		both,
	);
	rule('a step and its variable', 'export function f(i: int): int { let n = i; return n++ + n; }', place);
	rule(
		'a step in an index, and its variable',
		'export function f(t: int[], i: int): void { let n = i; t[n++] = n; }',
		place,
	);
	rule(
		'a member, and a call that changes it',
		'class s { n: int = 0; }\nfunction g(p: s): int { p.n = 5; return 1; }\nexport function f(p: s): int { return p.n + g(p); }',
		place,
	);
	rule(
		'compound assignment of what its right side changes',
		'class s { n: int = 0; }\nfunction g(p: s): int { p.n = 5; return 1; }\nexport function f(p: s): void { p.n += g(p); }',
		place,
	);
	fine(
		'"&&" has an order',
		'export function f(b: __iomem): bool { return readl(b) !== 0 && readl(b) !== 1; }',
		'return readl(b) && readl(b) != 1;',
	);
});

describe('tools_c_memory', () => {
	for (const first of ['5', '-1', 'true', "''", '[1, 2]', 'ONE'])
		rule(
			`a member that starts as ${first} is not what kzalloc() gives`,
			`const ONE = 1;\nclass s { n: u32 = ${first}; }\nexport function f(p: s): u32 { return p.n; }`,
			"C's kzalloc() makes n zero",
		);
	rule(
		'no constructor runs in C',
		'class s { n: u32 = 0; constructor(n: u32) { this.n = n; } }\nexport function f(p: s): u32 { return p.n; }',
		'runs no constructor',
	);
	fine(
		'an array of words in a struct is one in C',
		'class s { n: Uint32Array = new Uint32Array(4); }\nexport function f(p: s): u32 { return p.n[0]!; }',
		'u32 n[4];',
	);
	rule(
		'the length of a view',
		'export function f(t: Uint32Array): size_t { return t.length; }',
		'does not know the length',
	);
	for (const what of ['fill(0)', 'set(u)', 'slice(1)'])
		rule(
			`${what} of a view`,
			`export function f(t: Uint32Array, u: Uint32Array): void { t.${what}; }`,
			'does not know how long',
		);
	rule(
		'a ref in a member',
		'class s { r: ref<u32> | null = null; }\nexport function f(p: s): s { return p; }',
		'may be gone in C',
	);
	rule(
		'a ref that is returned',
		'export function f(r: ref<u32>): ref<u32> { return r; }',
		'may be gone in C',
	);
	rule(
		'a ref that is kept in a table',
		'export function f(t: ref<u32>[]): void { const r = new ref<u32>(0); t[0] = r; }',
		'is gone with its block',
	);
	rule(
		'a ref that is kept in a variable of an outer block',
		'export function f(): u32 { let q: ref<u32> | null = null; if (q === null) { const r = new ref<u32>(0); q = r; } return q.value; }',
		'is gone with its block',
	);
	fine(
		'a ref keeps its first value where a function of the file may read it',
		'function g(r: ref<u32>): void { r.value = (r.value + 1) >>> 0; }\nexport function f(): u32 { const r = new ref<u32>(0); g(r); return r.value; }',
		'u32 r = 0;',
	);
	rule(
		'a struct is not copied',
		'class b { x: u32 = 0; }\nclass a { b: b = new b(); }\nexport function f(p: a, q: b): void { p.b = q; }',
		'C copies what is assigned here',
	);
	rule(
		'boot data that does not start as zeros',
		'const state = boot_data(() => ({ n: 7 as u32 }));\nexport function f(): u32 { return state.n; }',
		'C has n zero at first',
	);
	rule(
		'what lies in a struct is never null',
		'class b { x: u32 = 0; }\nclass a { b: b = new b(); }\nexport function f(p: a): bool { return p.b !== null; }',
		'is never null there',
	);
	rule(
		'a lock that nothing makes',
		'class s { lock: spinlock_t = new spinlock_t(); }\nexport function f(p: s): s { return p; }',
		'call spin_lock_init()',
	);
	rule(
		'a list that nothing makes',
		'class s { l: list_head<s> = new list_head<s>(); }\nexport function f(p: s): s { return p; }',
		'call INIT_LIST_HEAD()',
	);
	rule(
		'an entry that leaves its list in a loop over it',
		'class e { node: list_head<e> = new list_head<e>(this); }\nexport function f(l: list_head<e>): void { for (const x of list_for_each_entry(l)) { list_del(x.node); writel(1, null!); } }',
		'use list_for_each_entry_safe()',
	);
	rule(
		'a macro that evaluates a call twice',
		'const SQUARE = (n: u32): u32 => (n * n) >>> 0;\nexport function f(b: __iomem): u32 { return SQUARE(readl(b)); }',
		'the macro evaluates this 2 times',
	);
	rule('a mask that TypeScript rounds', 'export function f(): u64 { return GENMASK(63, 0); }', 'beyond 2^53');
	rule(
		'strings are compared by what they say',
		"export function f(a: string): bool { return a === 'x'; }",
		'use strcmp()',
	);
	rule(
		'a character is no string',
		"export function f(a: string): bool { return a[0] === 'x'; }",
		'a character of C is a number',
	);
});

describe('tools_c_names', () => {
	rule(
		'a shadow in a labelled block is the same variable in C',
		'export function f(a: u32): u32 { const x: u32 = 1; out: { const x: u32 = 2; if (a !== 0) break out; return x; } return x; }',
		'C has one variable x in this block',
	);
	rule(
		'a shadow in a loop is the same variable in C',
		'export function f(): int { const i: int = 5; for (let i = 0; i < 3; i++) readl(null!); return i; }',
		'C has one variable i in this block',
	);
	rule(
		'a parameter and a variable of its block',
		'export function f(i: u32): u32 { for (let i = 0; i < 3; i++) readl(null!); return i; }',
		'i is a parameter already',
	);
	rule(
		'a label twice',
		'export function f(a: u32): u32 { out: { if (a !== 0) break out; return 1; } out: { if (a !== 1) break out; return 2; } return 0; }',
		'C has one label out',
	);
	rule(
		'a word of C for a parameter',
		'export function f(register: u32): u32 { return register; }',
		"register is a word of C's",
	);
	rule(
		'a word of C for a member',
		'class s { default: u32 = 0; }\nexport function f(p: s): s { return p; }',
		"default is a word of C's",
	);
	rule(
		'a type of C for a variable',
		'export function f(u32: u32): u32 { return u32; }',
		"u32 is a type of C's",
	);
	for (const name of ['BIT', 'NULL', 'linux'])
		rule(
			`a macro for a variable: ${name}`,
			`export function f(): int { const ${name}: int = 5; return ${name}; }`,
			"is a macro of Linux's",
		);
	rule(
		'a name that is not ASCII',
		'export function f(größe: u32): u32 { return größe; }',
		'letters of ASCII',
	);
});

describe('tools_c_switch', () => {
	const f = (cases: string, type = 'u32'): string =>
		`export function f(a: ${type}, b: u32): int { let r: int = 0; switch (a) { ${cases} } return r; }`;
	it('says where a case falls through', () => {
		expect(c(f('case 1: r = 1; case 2: r = 2; break;'))).to.match(/r = 1;\n\t\tfallthrough;\n\tcase 2:/);
	});
	it('says nothing between cases that share their statements, or behind one that leaves', () => {
		expect(c(f('case 1: case 2: return 1; default: break;'))).not.to.contain('fallthrough');
	});
	it('has a statement behind its last label', () => {
		expect(c(f('case 1: return 1; default:'))).to.match(/default:\n\t\tbreak;\n\t}/);
	});
	rule('a string', f("case 'x': return 1;", 'string'), 'switch takes an integer');
	rule('a case that is no constant', f('case b: return 1;'), 'a constant in C');
	rule('a negative case of what has no sign', f('case -1: return 1;'), 'is never below 0');
	rule(
		'a mask that is negative in TypeScript',
		'export function f(a: u32): int { switch (a & 0x80000000) { case 0x80000000: return 1; } return 0; }',
		'is negative in TypeScript',
	);
});

describe('tools_c_formats', () => {
	const f = (format: string, type: string): string =>
		`export function f(d: device, v: ${type}): void { dev_err(d, '${format}', v); }`;
	rule('%d of 64 bits', f('%d', 'u64'), 'write %lld');
	rule('%lx of u64', f('%lx', 'u64'), 'write %llx');
	rule('%x of size_t', f('%x', 'size_t'), 'write %zx');
	rule('%lu of 32 bits', f('%lu', 'u32'), 'write %u');
	rule('%s of a number', f('%s', 'u32'), 'takes a string');
	rule('%d of a string', f('%d', 'string'), 'takes a number');
	rule('%p of a number', f('%p', 'u32'), 'takes a pointer');
	rule('a value too few', f('%d %d', 'u32'), '2 conversions, and 1 values');
	rule('a NUL in a string', f('a\\0b %d', 'u32'), 'ends at its first NUL');
	fine('%pad takes an address', f('%pad', 'dma_addr_t'), 'dev_err(d, "%pad\\n", &v);');
	fine(
		"escapes are C's",
		f('a"b\\\\c\\u0007é %d', 'u32'),
		'dev_err(d, "a\\"b\\\\c\\007\\303\\251 %d\\n", v);',
	);
});
