// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import { parse_args, parse_early_param, parse_line } from '#kernel/params.js';
import { kmsg_dump_get_lines } from '#kernel/printk/printk.js';
import { get_option, get_options, memparse } from '#lib/cmdline.js';
import { kstrtobool, kstrtoint, kstrtou8, kstrtoul } from '#lib/kstrtox.js';
import { EINVAL, ERANGE } from '#linux/errno.js';
import { __setup, __setup_params, early_param } from '#linux/init.js';
import { ref } from '#linux/types.js';
import { bootFake } from '#tests/fake-machine.js';

describe('params', () => {
	it('splits words, values and quotes', () => {
		const seen: [string, string | null][] = [];
		const rest = parse_line('test', '  a b=1 c="x y" "d=e f" g= -- init', (p, v) => {
			seen.push([p, v]);
			return 0;
		});
		expect(seen).to.deep.equal([
			['a', null],
			['b', '1'],
			['c', 'x y'],
			['d', 'e f'],
			['g', ''],
		]);
		expect(rest).to.equal('init');
	});

	it('calls early and late functions, takes - for _, and passes on what nobody knows', () => {
		bootFake();
		const got: string[] = [];
		const before = __setup_params.length;
		early_param('t_early', (v) => {
			got.push(`early ${v}`);
			return 0;
		});
		__setup('t.late=', (v) => {
			got.push(`late ${v}`);
			return 1;
		});
		const line = 't.late=2 t-early=1 nobody=3';
		parse_early_param(line);
		parse_args(line);
		__setup_params.length = before;
		expect(got).to.deep.equal(['early 1', 'late 2']);
		expect(kmsg_dump_get_lines().join()).to.contain('Unknown kernel command line parameters "nobody=3"');
	});

	it('says which early word its function did not take', () => {
		bootFake();
		const before = __setup_params.length;
		early_param('t_fussy', () => 1);
		parse_early_param('t_fussy=7');
		__setup_params.length = before;
		expect(kmsg_dump_get_lines().join()).to.contain("Malformed early option 't_fussy'");
	});
});

describe('cmdline', () => {
	it('reads sizes with units and leaves the rest', () => {
		const rest = new ref('');
		expect(memparse('64M@0x1000', rest)).to.equal(64 * 2 ** 20);
		expect(rest.value).to.equal('@0x1000');
		expect(memparse('0x10k', null)).to.equal(0x4000);
	});

	it('reads lists of numbers', () => {
		const str = new ref('3,-4');
		const v = new ref(0);
		expect(get_option(str, v)).to.equal(2);
		expect(get_option(str, v)).to.equal(1);
		expect(v.value).to.equal(-4);
		const ints: number[] = [];
		expect(get_options('1,3-5,9rest', 10, ints)).to.equal('rest');
		expect(ints).to.deep.equal([5, 1, 3, 4, 5, 9]);
	});
});

describe('kstrtox', () => {
	it('takes a whole number or refuses', () => {
		const v = new ref(0);
		for (const [s, base, want, value] of [
			['42\n', 0, 0, 42],
			['0x1f', 0, 0, 31],
			['017', 0, 0, 15],
			['', 0, -EINVAL, 0],
			['4x', 0, -EINVAL, 0],
			['-1', 0, -EINVAL, 0],
		] as const) {
			v.value = 0;
			expect(kstrtoul(s, base, v)).to.equal(want);
			expect(v.value).to.equal(value);
		}
		expect(kstrtou8('256', 10, v)).to.equal(-ERANGE);
		expect(kstrtoint('-2147483648', 10, v)).to.equal(0);
		expect(v.value).to.equal(-(2 ** 31));
	});

	it('knows the ways to say yes and no', () => {
		const b = new ref(false);
		for (const yes of ['y', 'Yes', '1', 'on', 'true']) {
			expect(kstrtobool(yes, b)).to.equal(0);
			expect(b.value).to.equal(true);
		}
		for (const no of ['n', '0', 'off', 'false']) {
			kstrtobool(no, b);
			expect(b.value).to.equal(false);
		}
		expect(kstrtobool('maybe', b)).to.equal(-EINVAL);
	});
});
