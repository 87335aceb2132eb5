// SPDX-License-Identifier: GPL-2.0-only
// Warnings, bugs, and the end.
// Linux 6.12: kernel/panic.c, lib/bug.c
// Left out: panic notifiers, reboot, the register dump, the list of modules
import { dump_backtrace, save_stack_lines, unwind_frame } from '#arch/arm64/kernel/stacktrace.js';
import { cpu_context } from '#asm/current.js';
import { vprintk_emit } from '#kernel/printk/printk.js';
import { dump_stack, dump_stack_print_info, STACK_DEPTH } from '#lib/dump_stack.js';
import { type printk_arg, vsnprintf_text } from '#lib/vsprintf.js';
import { boot_data, early_param } from '#linux/init.js';
import { LOGLEVEL_CRIT, LOGLEVEL_EMERG, LOGLEVEL_WARNING } from '#linux/kern_levels.js';
import { __once_lite, add_once_site, find_once_site, once_site } from '#linux/once_lite.js';
import {
	__ratelimit,
	DEFAULT_RATELIMIT_BURST,
	DEFAULT_RATELIMIT_INTERVAL,
	DEFINE_RATELIMIT_STATE,
} from '#linux/ratelimit.js';
import { rb_root } from '#linux/rbtree_types.js';
import type { bool, int, unsigned_int, unsigned_long } from '#linux/types.js';

export const TAINT_CPU_OUT_OF_SPEC = 2;
export const TAINT_BAD_PAGE = 5;
export const TAINT_DIE = 7;
export const TAINT_WARN = 9;
export const TAINT_FIRMWARE_WORKAROUND = 11;

/** BUG() and panic(): the one exception of the kernel. Kernel code never catches it. */
export class kernel_bug extends Error {
	constructor(message: string) {
		super(message);
		this.name = 'kernel_bug';
	}
}

export const panic_state = boot_data(() => ({
	/** The first line of each warning and report; a test fails on those it does not expect. */
	warnings: [] as string[],
	tainted: 0 as unsigned_long,
	panicked: false as bool,
	panic_on_warn: false as bool,
	/** The places that have had their one WARN_ONCE(), dev_warn_once() and the like. */
	once_sites: new rb_root<once_site>(),
	/** The places whose messages are limited. */
	ratelimit_sites: new rb_root<once_site>(),
}));

// What is a macro in C, or below it: whole files, and one function.
const OWN_FILES =
	/at err_printk |\/(kernel\/panic|kernel\/locking\/\w+|kernel\/sched\/\w+|mm\/(slub|slab_common|util)|include\/linux\/(bug|dev_printk|kernel|kref|lockdep|printk|refcount|sched|slab|wait))\.(js|ts)/;

// The stack from the innermost frame on that is not part of the warning itself: C would have __FILE__, __LINE__ and
// the registers of the trap.
function caller_stack(size: unsigned_int): readonly string[] {
	const lines = save_stack_lines(size);
	const at = lines.findIndex((line) => !OWN_FILES.test(line));
	return at < 0 ? [] : lines.slice(at);
}

function caller_frame(): string | null {
	return caller_stack(16)[0] ?? null;
}

/** The name of the function that @frame is in, as __func__ has it; best effort. */
function frame_function(frame: string | null): string {
	return unwind_frame(frame ?? '')?.func ?? '(unknown)';
}

/** Where @text, a line of the stack, is, as "file:line function"; best effort. */
function frame_site(text: string | null): string {
	if (text === null) return '(unknown)';
	const frame = unwind_frame(text);
	if (frame === null) return text.trim().replace(/^at /, '');
	return `${frame.file}:${frame.line} ${frame.func ?? '(top)'}`;
}

/** Where the caller is, as "file:line function"; best effort. */
export function caller_site(): string {
	return frame_site(caller_frame());
}

/** What each taint flag shows when it is set; the first shows 'G' when it is not, the others a blank. */
const TAINT_LETTERS = 'PFSRMBUDAWCIOELKXTN';
const TAINT_NAMES: Readonly<Record<int, string>> = {
	[TAINT_CPU_OUT_OF_SPEC]: 'CPU_OUT_OF_SPEC',
	[TAINT_BAD_PAGE]: 'BAD_PAGE',
	[TAINT_DIE]: 'DIE',
	[TAINT_WARN]: 'WARN',
	[TAINT_FIRMWARE_WORKAROUND]: 'FIRMWARE_WORKAROUND',
};

/** Whether anything made the kernel not to be trusted, in letters (kernel/panic.c: print_tainted()). */
export function print_tainted(): string {
	if (panic_state.tainted === 0) return 'Not tainted';
	let letters = '';
	for (let i = 0; i < TAINT_LETTERS.length; i++) {
		const set = (panic_state.tainted & (1 << i)) !== 0;
		letters += set ? TAINT_LETTERS[i] : i === 0 ? 'G' : ' ';
	}
	return `Tainted: ${letters}`;
}

/** The same in words; empty when nothing did (kernel/panic.c: print_tainted_verbose()). */
export function print_tainted_verbose(): string {
	const words: string[] = [];
	for (let i = 0; i < TAINT_LETTERS.length; i++)
		if ((panic_state.tainted & (1 << i)) !== 0) words.push(`[${TAINT_LETTERS[i]}]=${TAINT_NAMES[i] ?? ''}`);
	return words.length === 0 ? '' : `Tainted: ${words.join(', ')}`;
}

/** Log a report of more than one line and who came there, and keep its first line for the tests. */
export function kernel_report(level: int, lines: readonly string[]): void {
	panic_state.warnings.push(lines[0] as string);
	for (const line of lines) vprintk_emit(level, '%s', [line]);
	dump_stack();
}

const CUT_HERE = '------------[ cut here ]------------';

// The stack of the trap; there are no registers (arch/arm64/kernel/process.c: show_regs()).
function show_regs(stack: readonly string[]): void {
	dump_stack_print_info(LOGLEVEL_WARNING);
	dump_backtrace(stack, LOGLEVEL_WARNING);
}

function print_oops_end_marker(): void {
	vprintk_emit(LOGLEVEL_WARNING, '---[ end trace %016llx ]---', [0]);
}

/** The caller's place with its message: in a bundle, all places may have one file. */
function message_site(frame: string | null, fmt: string): string {
	return `${frame ?? ''} ${fmt}`;
}

/** Whether the caller's place gives the message @fmt for the first time (include/linux/once_lite.h: DO_ONCE_LITE()). */
export function __do_once_lite(fmt: string): bool {
	return __once_lite(panic_state.once_sites, message_site(caller_frame(), fmt));
}

/** A place whose messages are limited: C's static variable in printk_ratelimited(). */
class ratelimit_site extends once_site {
	readonly rs = DEFINE_RATELIMIT_STATE(DEFAULT_RATELIMIT_INTERVAL, DEFAULT_RATELIMIT_BURST);
}

/** Whether the caller's place may give the message @fmt now (include/linux/printk.h: printk_ratelimited()). */
export function __printk_ratelimited(fmt: string): bool {
	const frame = caller_frame();
	const where = message_site(frame, fmt);
	let site = find_once_site(panic_state.ratelimit_sites, where) as ratelimit_site | null;
	if (site === null) {
		site = new ratelimit_site(where);
		add_once_site(panic_state.ratelimit_sites, site);
	}
	return __ratelimit(site.rs, frame_function(frame)) !== 0;
}

/** Mark the kernel as not to be trusted (kernel/panic.c: add_taint()). */
export function add_taint(flag: int): void {
	panic_state.tainted |= 1 << flag;
}

/**
 * warn_slowpath_fmt - Report a warning (kernel/panic.c: warn_slowpath_fmt())
 * @fmt: a message, or null for the bare place
 * @args: its arguments
 */
export function warn_slowpath_fmt(fmt: string | null, args: readonly printk_arg[]): void {
	const stack = caller_stack(STACK_DEPTH);
	const site = frame_site(stack[0] ?? null);
	const text = fmt === null ? null : vsnprintf_text(fmt, args);
	panic_state.warnings.push(text ?? `WARNING: at ${site}`);
	vprintk_emit(LOGLEVEL_WARNING, CUT_HERE, []);
	if (text !== null) vprintk_emit(LOGLEVEL_WARNING, '%s', [text]);
	vprintk_emit(LOGLEVEL_WARNING, 'WARNING: CPU: %d PID: %d at %s', [
		cpu_context.cpu,
		cpu_context.current.pid,
		site,
	]);
	show_regs(stack);
	if (panic_state.panic_on_warn) panic('kernel: panic_on_warn set ...');
	print_oops_end_marker();
	add_taint(TAINT_WARN);
}

/** BUG(): say where, and stop (lib/bug.c: report_bug()). */
export function bug_at(): never {
	const stack = caller_stack(STACK_DEPTH);
	const line = `kernel BUG at ${frame_site(stack[0] ?? null)}!`;
	vprintk_emit(LOGLEVEL_WARNING, CUT_HERE, []);
	vprintk_emit(LOGLEVEL_CRIT, '%s', [line]);
	show_regs(stack);
	print_oops_end_marker();
	panic_state.warnings.push(line);
	panic_state.panicked = true;
	add_taint(TAINT_DIE);
	throw new kernel_bug(line);
}

/** Stop for good (kernel/panic.c: panic()). */
export function panic(fmt: string, ...args: printk_arg[]): never {
	const text = vsnprintf_text(fmt, args);
	panic_state.panicked = true;
	panic_state.warnings.push(`Kernel panic - not syncing: ${text}`);
	vprintk_emit(LOGLEVEL_EMERG, '%s', [`Kernel panic - not syncing: ${text}`]);
	if ((panic_state.tainted & (1 << TAINT_DIE)) === 0) dump_stack();
	vprintk_emit(LOGLEVEL_EMERG, '%s', [`---[ end Kernel panic - not syncing: ${text} ]---`]);
	throw new kernel_bug(text);
}

early_param('panic_on_warn', () => {
	panic_state.panic_on_warn = true;
	return 0;
});
