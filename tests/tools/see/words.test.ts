// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import { numberOf, wordsOf } from '#tools/see/words.js';

const words = (line: string): string[] => wordsOf(line).map(({ word, text }) => (text ? `"${word}"` : word));

describe('tools_see_words', () => {
	it('parts words at spaces, and signs from words', () => {
		expect(words('  reg  m0 CTRL=0x1 ')).to.deep.equal(['reg', 'm0', 'CTRL', '=', '0x1']);
		expect(words('echo DMA >/sys/a')).to.deep.equal(['echo', 'DMA', '>', '/sys/a']);
	});

	it('keeps a text in quotes whole, with what is escaped', () => {
		expect(words('dma m0 write $1 "a # b=\\"c\\"\\n\\x41"')).to.deep.equal([
			'dma',
			'm0',
			'write',
			'$1',
			'"a # b="c"\nA"',
		]);
	});

	it('leaves out what is behind a # that begins a word, and that alone', () => {
		expect(words('walk m0 0x1 # why?')).to.deep.equal(['walk', 'm0', '0x1']);
		expect(words('cat /sys/a#b')).to.deep.equal(['cat', '/sys/a#b']);
		expect(words('# nothing')).to.deep.equal([]);
	});

	it('refuses a text that does not end', () => {
		expect(() => wordsOf('dma "x')).to.throw('expected words, or a text in "quotes", got ""x"');
	});

	for (const [word, value] of [
		['4096', 4096],
		['0x1000', 4096],
		['4K', 4096],
		['2M', 2097152],
		['0xffffffffffff', 0xffff_ffff_ffff],
		['', null],
		['-1', null],
		['1.5', null],
		['0x', null],
		['4k', null],
		['999999999999999G', null],
	] as const)
		it(`takes "${word}" as ${value}`, () => {
			expect(numberOf(word)).to.equal(value);
		});
});
