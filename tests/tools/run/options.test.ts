// SPDX-License-Identifier: GPL-2.0-only
// The command line of `make run`.
import { expect } from 'chai';
import { commandLines } from '#tests/fuzz/command-lines.js';
import { runSteps } from '#tests/fuzz/fuzz.js';
import { parseMem, parseOptions } from '#tools/run/options.js';
import { UsageError } from '#tools/run/user-error.js';

describe('tools_run_options', () => {
	for (const [text, bytes] of [
		['64M', 64 * 2 ** 20],
		['2G', 2 * 2 ** 30],
		['524288k', 2 ** 29],
		['1073741824', 2 ** 30],
	] as const)
		it(`takes ${text} of memory`, () => {
			expect(parseMem(text)).to.equal(bytes);
		});

	for (const text of [
		'',
		'0',
		'-1',
		'2',
		'63M',
		'4G',
		'2T',
		'-1G',
		'1.5G',
		'lots',
		'67108865',
		'9'.repeat(400),
	])
		it(`refuses "${text.slice(0, 10)}" of memory and says what it expects, however it is given`, () => {
			const sentence = /^MEM: expected a size between 64M and 3G .*, got "/;
			expect(() => parseMem(text)).to.throw(UsageError, sentence);
			expect(() => parseOptions(['--mem', text])).to.throw(UsageError, sentence);
			expect(() => parseOptions([`--mem=${text}`])).to.throw(UsageError, sentence);
			expect(() => parseOptions([], { MEM: text })).to.throw(UsageError, sentence);
		});

	it('has defaults for all', () => {
		const options = parseOptions([]);
		expect(options).to.include({ mem: null, append: '', verbose: false, sanitise: false });
		expect(options?.picture).to.match(/examples\/picture\.jpg$/);
		expect(options?.out).to.match(/out\/frame\.png$/);
		expect(options?.dtb).to.match(/sun50i-h6-orangepi-3\.dtb$/);
	});

	it('takes any text from a variable as it is, and an option before its variable', () => {
		const text = ' "a" \'b\' $(c) `d` $e\n--out ';
		expect(parseOptions([], { PICTURE: text, OUT: text, DTB: text, CMDLINE: text })).to.include({
			picture: text,
			out: text,
			dtb: text,
			append: text,
		});
		expect(parseOptions(['--out', '-1', '--out=a=b'], { OUT: 'c' })).to.include({ out: 'a=b' });
		expect(parseOptions(['--append', '--mem'], {})).to.include({ append: '--mem' });
	});

	it('takes its flags by either name', () => {
		expect(parseOptions(['-v'])).to.include({ verbose: true });
		expect(parseOptions(['--verbose'])).to.include({ verbose: true });
		expect(parseOptions(['--dmasan'])).to.include({ sanitise: true });
		for (const help of ['-h', '--help']) expect(parseOptions(['--mem', '1', help])).to.equal(null);
	});

	for (const [argv, message] of [
		[['--colour', 'red'], '"--colour": no such option'],
		[['photo.jpg'], '"photo.jpg": no such option'],
		[['--verbose=1'], '"--verbose=1": no such option'],
		[['--constructor', '1'], '"--constructor": no such option'],
		[['--'], '"--": no such option'],
		[['--out'], '--out: expected a value'],
	] as const)
		it(`refuses ${JSON.stringify(argv.join(' '))}, with its usage`, () => {
			expect(() => parseOptions(argv))
				.to.throw(UsageError, message)
				.with.property('usage')
				.that.matches(/^usage: make run/);
		});

	for (const [argv, message] of [
		[['--out='], 'OUT: expected the path of a file, got ""'],
		[['--picture', ''], 'PICTURE: expected the path of a file, got ""'],
		[['--dtb', 'a\0b'], 'DTB: expected the path of a file, got "a\0b"'],
	] as const)
		it(`refuses ${JSON.stringify(argv.join(' '))} in one line`, () => {
			expect(() => parseOptions(argv))
				.to.throw(UsageError, message)
				.with.property('usage', null);
		});

	it('answers every command line with options or a sentence (2,000 from seed 1)', () => {
		runSteps(commandLines, 1, 2000);
	});
});
