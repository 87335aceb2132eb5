// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import { panic_state } from '#kernel/panic.js';
import { kmsg_dump_get_lines, printk_state } from '#kernel/printk/printk.js';
import { BUG_ON, kernel_bug, WARN_ON, WARN_ON_ONCE, WARN_ONCE } from '#linux/bug.js';
import {
	KERN_CONT,
	KERN_ERR,
	pr_cont,
	pr_debug,
	pr_err,
	pr_info,
	pr_info_once,
	pr_warn_ratelimited,
	printk,
} from '#linux/printk.js';
import { bootFake, type FakeMachine } from '#tests/fake-machine.js';
import { expectWarning } from '#tests/setup.js';

describe('printk', () => {
	let m: FakeMachine;
	beforeEach(() => {
		m = bootFake();
	});

	it('stamps lines with virtual time as dmesg does', () => {
		m.advance(12_345_678);
		pr_info('hello %d', 5);
		expect(m.lines).to.deep.equal(['[    0.012345] hello 5']);
	});

	it('takes the level from the prefix and keeps quiet ones off the console', () => {
		printk(`${KERN_ERR}bad\n`);
		printk_state.console_loglevel = 4;
		pr_info('quiet');
		pr_err('loud\nsecond line');
		expect(m.lines.map((l) => l.slice(15))).to.deep.equal(['bad', 'loud', 'second line']);
		expect(kmsg_dump_get_lines()).to.have.length(4);
		expect(kmsg_dump_get_lines(3)).to.have.length(3);
	});

	it('shows control characters as /dev/kmsg does, and leaves other letters alone', () => {
		pr_info('a\x1b[31mb\r\x07\x7f \x9b é\tx');
		const shown = 'a\\x1b[31mb\\x0d\\x07\\x7f \\xc2\\x9b é\tx';
		expect(kmsg_dump_get_lines()[0].slice(15)).to.equal(shown);
		expect(m.lines[0].slice(15)).to.equal(shown);
	});

	it('continues the newest line with pr_cont(), which the console gets as the rest', () => {
		pr_info('  %-8s ', 'DMA');
		pr_cont('[mem %#x-', 0);
		printk(`${KERN_CONT}%#x]`, 0xfff);
		pr_info('next');
		expect(kmsg_dump_get_lines().map((l) => l.slice(15))).to.deep.equal([
			'  DMA      [mem 0x0-0xfff]',
			'next',
		]);
		expect(m.lines.slice(1)).to.deep.equal(['[mem 0x0-', '0xfff]', '[    0.000000] next']);
	});

	it('makes a line of pr_cont() when there is none to continue', () => {
		pr_cont('alone');
		expect(kmsg_dump_get_lines().map((l) => l.slice(15))).to.deep.equal(['alone']);
	});

	it('says _once things once a boot, ratelimited ones ten times in five seconds', () => {
		const say_once = (): void => pr_info_once('once');
		const say_often = (): void => pr_warn_ratelimited('often');
		for (let i = 0; i < 30; i++) {
			say_once();
			say_often();
		}
		expect(m.lines).to.have.length(11);
		m.advance(6_000_000_000);
		say_often();
		// lib/ratelimit.c, ___ratelimit(): the report names __func__, the function that has the message.
		expect(m.lines.slice(-2).map((l) => l.slice(15))).to.deep.equal([
			'say_often: 20 callbacks suppressed',
			'often',
		]);
		m = bootFake();
		say_once();
		expect(m.lines).to.have.length(1);
	});

	it('counts each place in the source for itself, also with the same words', () => {
		for (let i = 0; i < 12; i++) {
			pr_info_once('once');
			pr_info_once('once');
			pr_warn_ratelimited('often');
			pr_warn_ratelimited('often');
		}
		expect(m.lines).to.have.length(2 + 2 * 10);
	});

	it('prints debug messages only with dynamic debug', () => {
		pr_debug('no');
		printk_state.dynamic_debug = true;
		pr_debug('yes');
		expect(kmsg_dump_get_lines().map((l) => l.slice(15))).to.deep.equal(['yes']);
	});
});

describe('panic', () => {
	let m: FakeMachine;
	beforeEach(() => {
		m = bootFake();
	});

	it('says where a WARN was, in the style of dmesg', () => {
		expectWarning(/WARNING: at tests\/kernel\/printk\/printk/);
		expect(WARN_ON(1 > 0)).to.equal(true);
		expect(WARN_ON(0 > 1)).to.equal(false);
		expect(m.lines[0]).to.contain('------------[ cut here ]------------');
		expect(m.lines[1]).to.match(/WARNING: CPU: 0 PID: 0 at tests\/kernel\/printk\/printk\.test\.[jt]s:\d+/);
	});

	it('warns once a place and boot', () => {
		expectWarning(/^once 0$/);
		expectWarning(/^WARNING: at/);
		for (let i = 0; i < 3; i++) {
			expect(WARN_ONCE(true, 'once %d', i)).to.equal(true);
			WARN_ON_ONCE(true);
		}
		expect(panic_state.warnings).to.have.length(2);
	});

	it('stops at a BUG', () => {
		expectWarning(/kernel BUG at tests\/kernel\/printk/);
		expect(() => BUG_ON(true)).to.throw(kernel_bug, /kernel BUG at/);
	});
});
