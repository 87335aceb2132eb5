// SPDX-License-Identifier: GPL-2.0-only
// The kernel log: a ring of records, and the console.
// Linux 6.12: kernel/printk/printk.c
// Left out: several consoles, deferred and NMI-safe printing, /dev/kmsg
import { machine } from '#arch/arm64/kernel/setup.js';
import { type printk_arg, vsnprintf_text } from '#lib/vsprintf.js';
import { boot_data, early_param } from '#linux/init.js';
import { KERN_CONT, KERN_SOH, LOGLEVEL_WARNING } from '#linux/kern_levels.js';
import type { bool, int, u64, unsigned_long } from '#linux/types.js';

/** One line of the log. */
export interface printk_record {
	readonly seq: u64;
	readonly level: int;
	/** Virtual nanoseconds. */
	readonly ts_nsec: u64;
	readonly text: string;
}

const LOG_RECORDS = 16384;

export const printk_state = boot_data(() => ({
	log: [] as printk_record[],
	next_seq: 0 as u64,
	/** Messages below this level go to the console. */
	console_loglevel: 7 as int,
	default_message_loglevel: LOGLEVEL_WARNING as int,
	/** pr_debug() and dev_dbg() speak. */
	dynamic_debug: false as bool,
}));

function log_time(): u64 {
	// Messages may come before there is a machine: from a test of a lone module.
	return (machine as typeof machine | undefined)?.now() ?? 0;
}

/** The time in front of a line, as dmesg prints it. */
export function print_time(ts_nsec: u64): string {
	const us = Math.floor(ts_nsec / 1000);
	const sec = Math.floor(us / 1_000_000);
	return `[${sec.toString().padStart(5)}.${(us % 1_000_000).toString().padStart(6, '0')}] `;
}

const encoder = new TextEncoder();

/**
 * @text for a reader whose terminal obeys control characters: each of their bytes as /dev/kmsg shows it, `\\x1b`
 * (kernel/printk/printk.c: msg_add_ext_text()).
 */
function without_control(text: string): string {
	return text.replace(/(?!\t)\p{Cc}/gu, (c) =>
		[...encoder.encode(c)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join(''),
	);
}

/** The record as a line of dmesg. */
export function record_line(r: printk_record): string {
	return print_time(r.ts_nsec) + without_control(r.text);
}

function log_store(level: int, text: string): void {
	const r: printk_record = { seq: printk_state.next_seq++, level, ts_nsec: log_time(), text };
	const log = printk_state.log;
	log.push(r);
	if (log.length > LOG_RECORDS) log.splice(0, LOG_RECORDS / 4);
	if (level < printk_state.console_loglevel)
		(machine as typeof machine | undefined)?.console(level, record_line(r));
}

/**
 * More of the newest line: nobody has printed since. Formats carry no line end here, so every line may be continued.
 * The console cannot take its line back, and gets the rest as the next one.
 */
function log_cont(text: string): bool {
	const log = printk_state.log;
	const last = log.at(-1);
	if (last === undefined) return false;
	log[log.length - 1] = { ...last, text: last.text + text };
	if (last.level < printk_state.console_loglevel)
		(machine as typeof machine | undefined)?.console(last.level, without_control(text));
	return true;
}

/**
 * vprintk_emit - Write a message to the log (kernel/printk/printk.c: vprintk_emit())
 * @level: 0 to 7, or -1: what the text's own prefix says, else the default
 * @fmt: the format
 * @args: its arguments
 *
 * Return: the letters written. A text of several lines makes as many records.
 */
export function vprintk_emit(level: int, fmt: string, args: readonly printk_arg[]): int {
	let text = vsnprintf_text(fmt, args);
	let lvl = level;
	let cont = false;
	while (text.length >= 2 && text[0] === KERN_SOH) {
		const c = text.charCodeAt(1) - 0x30;
		if (lvl === -1 && c >= 0 && c <= 7) lvl = c;
		if (text.startsWith(KERN_CONT)) cont = true;
		text = text.slice(2);
	}
	if (lvl === -1) lvl = printk_state.default_message_loglevel;
	if (text.endsWith('\n')) text = text.slice(0, -1);
	if (cont && log_cont(text)) return text.length;
	if (!text.includes('\n')) log_store(lvl, text);
	else for (const line of text.split('\n')) log_store(lvl, line);
	return text.length;
}

/** Write a message whose level is in its prefix (kernel/printk/printk.c: _printk()). */
export function _printk(fmt: string, ...args: printk_arg[]): int {
	return vprintk_emit(-1, fmt, args);
}

/** The log as dmesg shows it, messages of @max_level and below (kernel/printk/printk.c: kmsg_dump_get_line()). */
export function kmsg_dump_get_lines(max_level: int = 7, from_seq: unsigned_long = 0): string[] {
	return printk_state.log.filter((r) => r.level <= max_level && r.seq >= from_seq).map(record_line);
}

early_param('debug', () => {
	printk_state.console_loglevel = 10;
	return 0;
});

early_param('quiet', () => {
	printk_state.console_loglevel = 4;
	return 0;
});

early_param('loglevel', (val) => {
	const level = Number.parseInt(val ?? '', 10);
	if (!(level >= 0)) return 0;
	printk_state.console_loglevel = level;
	return 0;
});

early_param('dyndbg', () => {
	printk_state.dynamic_debug = true;
	return 0;
});
