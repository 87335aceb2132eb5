// SPDX-License-Identifier: GPL-2.0-only
// Warnings, bugs, and the end.
// Linux 6.12: kernel/panic.c, lib/bug.c
// Left out: panic notifiers, reboot, the register dump; taint is one flag word
import { cpu_context } from '#asm/current.js';
import { vprintk_emit } from '#kernel/printk/printk.js';
import { type printk_arg, vsnprintf_text } from '#lib/vsprintf.js';
import { boot_data, early_param } from '#linux/init.js';
import { __once_lite, add_once_site, find_once_site, once_site } from '#linux/once_lite.js';
import {
	__ratelimit,
	DEFAULT_RATELIMIT_BURST,
	DEFAULT_RATELIMIT_INTERVAL,
	DEFINE_RATELIMIT_STATE,
} from '#linux/ratelimit.js';
import { rb_root } from '#linux/rbtree_types.js';
import type { bool, int, unsigned_long } from '#linux/types.js';

export const TAINT_WARN = 9;
export const TAINT_DIE = 7;
export const TAINT_BAD_PAGE = 5;

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

const OWN_FILES =
	/\/(kernel\/panic|kernel\/locking\/\w+|kernel\/sched\/\w+|mm\/(slub|slab_common|util)|include\/linux\/(bug|dev_printk|kernel|kref|lockdep|printk|refcount|sched|slab|wait))\.(js|ts)/;

// The innermost frame that is not part of the warning itself: C would have __FILE__, __LINE__ and the caller.
function caller_frame(): string | null {
	const limit = Error.stackTraceLimit;
	Error.stackTraceLimit = 16;
	const lines = (new Error().stack ?? '').split('\n').slice(1);
	Error.stackTraceLimit = limit;
	for (const line of lines) if (!OWN_FILES.test(line)) return line;
	return null;
}

/** The name of the function that @frame is in, as __func__ has it; best effort. */
function frame_function(frame: string | null): string {
	const m = /at (?:async )?(?:new )?(?:\w+\.)*([^\s/:]+) [[(]/.exec(frame ?? '');
	return m?.[1] ?? '(unknown)';
}

/** Where the caller is, as "file:line function"; best effort. */
export function caller_site(): string {
	const frame = caller_frame();
	if (frame === null) return '(unknown)';
	const m = /at (?:async )?(?:(\S+) (?:\[as \S+\] )?\()?(?:file:\/\/)?(.*?):(\d+):\d+\)?$/.exec(frame.trim());
	if (m === null) return frame.trim().replace(/^at /, '');
	const path = m[2] as string;
	const built = path.lastIndexOf('/build/');
	const shown =
		built >= 0
			? path.slice(built + '/build/'.length)
			: path.replace(/^.*?\/(?=(?:arch|drivers|fs|include|init|kernel|lib|mm|tests|tools|hw)\/)/, '');
	return `${shown}:${m[3]} ${m[1] ?? '(top)'}`;
}

function task_text(): string {
	const task = cpu_context.current;
	return `CPU: ${cpu_context.cpu} PID: ${task.pid}`;
}

/** Log a report of more than one line, and keep its first line for the tests. */
export function kernel_report(level: int, lines: readonly string[]): void {
	panic_state.warnings.push(lines[0] as string);
	for (const line of lines) vprintk_emit(level, '%s', [line]);
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
	const site = caller_site();
	const text = fmt === null ? null : vsnprintf_text(fmt, args);
	panic_state.warnings.push(text ?? `WARNING: at ${site}`);
	vprintk_emit(4, '%s', ['------------[ cut here ]------------']);
	if (text !== null) vprintk_emit(4, '%s', [text]);
	vprintk_emit(4, '%s', [`WARNING: ${task_text()} at ${site}`]);
	vprintk_emit(4, '%s', [`Comm: ${cpu_context.current.comm}`]);
	vprintk_emit(4, '%s', ['---[ end trace 0000000000000000 ]---']);
	add_taint(TAINT_WARN);
	if (panic_state.panic_on_warn) panic('kernel: panic_on_warn set ...');
}

/** BUG(): say where, and stop (lib/bug.c: report_bug()). */
export function bug_at(): never {
	const site = caller_site();
	const line = `kernel BUG at ${site}!`;
	vprintk_emit(2, '%s', ['------------[ cut here ]------------']);
	vprintk_emit(2, '%s', [line]);
	vprintk_emit(2, '%s', [`${task_text()} Comm: ${cpu_context.current.comm}`]);
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
	vprintk_emit(0, '%s', [`Kernel panic - not syncing: ${text}`]);
	vprintk_emit(0, '%s', [`${task_text()} Comm: ${cpu_context.current.comm}`]);
	vprintk_emit(0, '%s', [`---[ end Kernel panic - not syncing: ${text} ]---`]);
	throw new kernel_bug(text);
}

early_param('panic_on_warn', () => {
	panic_state.panic_on_warn = true;
	return 0;
});
