// SPDX-License-Identifier: GPL-2.0-only
// Who called whom: the kernel's functions on the stack.
// Linux 6.12: arch/arm64/kernel/stacktrace.c
//
// The stack is JavaScript's, and is asked for its text only when something is reported. Names are followed by their
// place as scripts/decode_stacktrace.sh writes it, in place of offsets into code. What is not the kernel's is left out,
// as a user program's frames are: the machine, tools, tests, the engine's own; so are functions without a name.
// Left out: traces of other tasks, unwinding through exception frames
import { vprintk_emit } from '#kernel/printk/printk.js';
import type { bool, int, unsigned_int } from '#linux/types.js';

/** A function that has not returned. */
export class stack_frame {
	constructor(
		/** Null without one. */
		readonly func: string | null,
		/** From the project's folder on, where it is within it. */
		readonly file: string,
		readonly line: string,
	) {}
}

const HERE = /(?:build\/)?arch\/arm64\/kernel\/stacktrace\.[jt]s$/;
const SCHEME = /^file:\/\//;

/** The project's folder, built or not; null in a bundle, where all functions are of one file. */
const root = HERE.test(import.meta.url) ? import.meta.url.replace(HERE, '').replace(SCHEME, '') : null;

function place_in_tree(url: string): string {
	const path = url.replace(SCHEME, '');
	if (root === null || !path.startsWith(root)) return path;
	return path.slice(root.length).replace(/^build\//, '');
}

/** A line of V8's text of a stack, or of Firefox's and Safari's; null when it is no frame. */
export function unwind_frame(text: string): stack_frame | null {
	const m =
		/^\s*at (?:async )?(?:new )?(?:(.+?) (?:\[as .+?\] )?\()?(.*?):(\d+):\d+\)?$/.exec(text) ??
		/^(.*?)@(.*?):(\d+):\d+$/.exec(text);
	if (m === null) return null;
	const name = (m[1] ?? '').split('.').at(-1) as string;
	return new stack_frame(/^[\w$]+$/.test(name) ? name : null, place_in_tree(m[2] as string), m[3] as string);
}

/** Whether the frame is one of the kernel's own functions (kernel/extable.c: core_kernel_text()). */
function core_kernel_text(frame: stack_frame): bool {
	if (root === null) return /^[a-z\d_]+$/.test(frame.func ?? '');
	return /^(?:arch|drivers|fs|include|init|kernel|lib|mm)\//.test(frame.file);
}

/** Whether it can be a driver's that came from elsewhere (kernel/module/main.c: is_module_text_address()). */
function is_module_text_address(frame: stack_frame): bool {
	return (
		root !== null && !/^(?:hw|watch|tools|tests|node_modules)\/|^node:|\/node_modules\//.test(frame.file)
	);
}

/** The frame as a line of a trace. */
export function frame_text(frame: stack_frame): string {
	return `${frame.func ?? '(unknown)'} (${frame.file}:${frame.line})`;
}

/** The caller's stack, innermost first: the engine's lines, of at most @size functions. */
export function save_stack_lines(size: unsigned_int): string[] {
	const limit = Error.stackTraceLimit;
	Error.stackTraceLimit = size + 1;
	const lines = (new Error().stack ?? '').split('\n');
	Error.stackTraceLimit = limit;
	return lines.slice(lines.findIndex((line) => line.includes('save_stack_lines')) + 1);
}

/** The kernel's functions among @lines, the engine's text of a stack, innermost first. */
export function kernel_frames(lines: readonly string[]): stack_frame[] {
	const trace: stack_frame[] = [];
	// Whatever called the kernel first is its user, wherever it is from.
	let nr = 0;
	for (const line of lines) {
		const frame = unwind_frame(line);
		if (frame === null || frame.func === null) continue;
		const own = core_kernel_text(frame);
		if (!own && !is_module_text_address(frame)) continue;
		trace.push(frame);
		if (own) nr = trace.length;
	}
	return trace.slice(0, nr);
}

/** Log the kernel's functions of @lines (arch/arm64/kernel/stacktrace.c: dump_backtrace()). */
export function dump_backtrace(lines: readonly string[], loglvl: int): void {
	vprintk_emit(loglvl, 'Call trace:', []);
	for (const frame of kernel_frames(lines)) vprintk_emit(loglvl, ' %s', [frame_text(frame)]);
}
