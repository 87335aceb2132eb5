// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import { kernel_bug } from '#linux/bug.js';
import { EINVAL } from '#linux/errno.js';
import { match_string, memcpy, memset, sysfs_match_string, sysfs_streq } from '#linux/string.js';
import { bootFake } from '#tests/fake-machine.js';
import { expectWarning } from '#tests/setup.js';

describe('string_helpers', () => {
	beforeEach(() => {
		bootFake();
	});

	it('compares with one line end ignored', () => {
		expect(sysfs_streq('DMA\n', 'DMA')).to.equal(true);
		expect(sysfs_streq('DMA\n\n', 'DMA')).to.equal(false);
		expect(sysfs_match_string(['identity', 'DMA'], 'DMA\n')).to.equal(1);
		expect(match_string(['identity', 'DMA'], 'DMA\n')).to.equal(-EINVAL);
	});

	for (const [name, text, run] of [
		[
			'a fill',
			'memset: detected buffer overflow: 5 byte write of buffer size 4',
			() => memset(new Uint8Array(4), 1, 5),
		],
		[
			'a copy to',
			'memcpy: detected buffer overflow: 5 byte write of buffer size 4',
			() => memcpy(new Uint8Array(4), new Uint8Array(5)),
		],
		[
			'a copy from',
			'memcpy: detected buffer overflow: 6 byte read of buffer size 5',
			() => memcpy(new Uint8Array(8), new Uint8Array(5), 6),
		],
	] as const)
		it(`stops at ${name} more than a buffer has`, () => {
			expectWarning(new RegExp(text));
			expectWarning(/kernel BUG at/);
			expect(run).to.throw(kernel_bug);
		});
});
