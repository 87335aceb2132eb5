// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import fc from 'fast-check';
import { snprintf, sprintf, va_format } from '#lib/vsprintf.js';
import { ERR_PTR } from '#linux/err.js';
import { U64_MAX } from '#linux/types.js';

const root = { full_name: '', parent: null };
const soc = { full_name: 'soc', parent: root };
const node = { full_name: 'video-codec@1c0e000', parent: soc, phandle: 7 };

// Expected texts: Documentation/core-api/printk-formats.rst and C99 7.19.6.1.
const cases: [string, (number | string | object | null)[], string][] = [
	['%d %i %u', [-5, 7, 3], '-5 7 3'],
	['%5d|%-5d|%05d|%+d', [42, 42, 42, 42], '   42|42   |00042|+42'],
	['%x %X %#x %#o', [255, 255, 255, 8], 'ff FF 0xff 010'],
	['%08x|%#010x', [0xbeef, 0xbeef], '0000beef|0x0000beef'],
	['%.4d|%.3s', [7, 'abcdef'], '0007|abc'],
	['%*d|%-*d|', [4, 7, 4, 7], '   7|7   |'],
	['%x %u', [-1, -1], 'ffffffff 4294967295'],
	['%llx %lu %zd', [-1, U64_MAX, U64_MAX], 'ffffffffffffffff 18446744073709551615 -1'],
	['%llx %#llx', [U64_MAX, 2 ** 52], 'ffffffffffffffff 0x10000000000000'],
	['%d', [0xffffffff], '-1'],
	['%hhx %hd', [0x1ff, 0x18000], 'ff -32768'],
	['%c%c', ['a', 0x62], 'ab'],
	['%s %s', ['x', null], 'x (null)'],
	['%6s|%-6s|', ['ab', 'ab'], '    ab|ab    |'],
	['%pa %pad', [0x40000000, U64_MAX], '0x0000000040000000 0xffffffffffffffff'],
	['%pe %pe', [ERR_PTR(-22), ERR_PTR(-517)], '-EINVAL -EPROBE_DEFER'],
	['%p %p', [{}, null], '(____ptrval____) 0000000000000000'],
	['%pR', [{ start: 0x1c0e000, end: 0x1c0efff, flags: 0x200 }], '[mem 0x01c0e000-0x01c0efff]'],
	['%pr', [{ start: 0x1c0e000, end: 0x1c0efff, flags: 0x200 }], '[mem 0x01c0e000-0x01c0efff flags 0x200]'],
	['%pR', [{ start: 57, end: 57, flags: 0x400 }], '[irq 57]'],
	[
		'%pOF|%pOFn|%pOFP|%pOFfp',
		[node, node, node, node],
		'/soc/video-codec@1c0e000|video-codec|video-codec@1c0e000|/soc/video-codec@1c0e000:7',
	],
	['%pOF', [root], '/'],
	['%pV!', [new va_format('%d%%', [3])], '3%!'],
	[
		'%*ph|%*phC|%3phN',
		[3, new Uint8Array([1, 2, 255]), 2, new Uint8Array([1, 2]), new Uint8Array([0xa, 0xb, 0xc])],
		'01 02 ff|01:02|0a0b0c',
	],
	['%ps', [sprintf], 'sprintf'],
	['%p4cc', [0x3231564e], 'NV12 little-endian (0x3231564e)'],
	['%*pbl', [32, new Uint32Array([0b101110])], '1-3,5'],
	['100%%', [], '100%'],
];

describe('vsprintf', () => {
	for (const [fmt, args, want] of cases)
		it(`prints ${JSON.stringify(fmt)} as ${want}`, () => expect(sprintf(fmt, ...args)).to.equal(want));

	it('prints integers as BigInt says, for every width and sign', () => {
		fc.assert(
			fc.property(fc.maxSafeInteger(), (v) => {
				expect(sprintf('%llx', v)).to.equal(BigInt.asUintN(64, BigInt(v)).toString(16));
				expect(sprintf('%x', v)).to.equal(BigInt.asUintN(32, BigInt(v)).toString(16));
				expect(sprintf('%d', v)).to.equal(BigInt.asIntN(32, BigInt(v)).toString());
				expect(sprintf('%lld', v)).to.equal(v.toString());
			}),
		);
	});

	it('cuts to the size, which counts the terminator', () => {
		expect(snprintf(4, '%s', 'abcdef')).to.equal('abc');
	});
});
