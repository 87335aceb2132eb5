// SPDX-License-Identifier: GPL-2.0-only
// The trace: a ring of printed records, and its files in /sys/kernel/tracing.
// Linux 6.12: kernel/trace/trace.c
//
// A record is kept as text, and counts as RECORD_BYTES of the buffer's size, however long it is.
//
// Left out: per-CPU buffers, tracers other than nop, trace_pipe, snapshots, options, clocks, instances.
import { cpu_context } from '#asm/current.js';
import { debugfs_create_automount } from '#fs/debugfs/inode.js';
import { simple_read_from_buffer } from '#fs/libfs.js';
import { seq_lseek, seq_puts, seq_read, seq_release, single_open } from '#fs/seq_file.js';
import { tracefs_create_file, tracefs_initialized } from '#fs/tracefs/inode.js';
import { sched_clock } from '#kernel/time/sched_clock.js';
import { trace_line, trace_print_lat_fmt } from '#kernel/trace/trace_output.js';
import { memparse } from '#lib/cmdline.js';
import { kstrtoul_from_user } from '#lib/kstrtox.js';
import { type printk_arg, vsnprintf_text } from '#lib/vsprintf.js';
import type { dentry } from '#linux/debugfs.js';
import { type err_ptr, IS_ERR } from '#linux/err.js';
import { EEXIST, EINVAL, ENODEV, ENOENT } from '#linux/errno.js';
import { FMODE_READ, FMODE_WRITE, type file, type file_operations, type inode, O_TRUNC } from '#linux/fs.js';
import { __setup, boot_data, fs_initcall } from '#linux/init.js';
import { irqs_disabled } from '#linux/irqflags.js';
import { HARDIRQ_MASK, PREEMPT_MASK, SOFTIRQ_OFFSET } from '#linux/preempt.js';
import { pr_warn } from '#linux/printk.js';
import type { seq_file } from '#linux/seq_file.js';
import type { trace_export } from '#linux/trace.js';
import type { trace_entry, trace_event_call } from '#linux/trace_events.js';
import {
	type bool,
	type int,
	type loff_t,
	ref,
	type size_t,
	type ssize_t,
	type umode_t,
	type unsigned_long,
} from '#linux/types.js';

/** Modes of files in tracefs (kernel/trace/trace.h). */
export const TRACE_MODE_WRITE = 0o640;
export const TRACE_MODE_READ = 0o440;

/** What a record counts as in the buffer's size. */
const RECORD_BYTES = 64;
const TRACE_BUF_SIZE_DEFAULT = 65536 * RECORD_BYTES;

const global_trace = boot_data(() => ({
	entries: [] as trace_entry[],
	/** Where the oldest stands once the ring is full. */
	head: 0,
	written: 0,
	tracing_on: true as bool,
	/** Linux: ftrace_exports_list. */
	exports: [] as trace_export[],
	trace_buf_size: TRACE_BUF_SIZE_DEFAULT as unsigned_long,
}));

const capacity = (): size_t => Math.max(1, Math.floor(global_trace.trace_buf_size / RECORD_BYTES));

function tracing_gen_ctx(): string {
	const count = cpu_context.current.preempt_count;
	return trace_print_lat_fmt(
		irqs_disabled(),
		(count & HARDIRQ_MASK) !== 0,
		(count & SOFTIRQ_OFFSET) !== 0,
		count & PREEMPT_MASK,
	);
}

/** A record of @event, now and here (kernel/trace/trace.c: tracing_generic_entry_update()). */
export function tracing_generic_entry(event: string, text: string): trace_entry {
	const task = cpu_context.current;
	return {
		event,
		text,
		ts: sched_clock(),
		cpu: cpu_context.cpu,
		pid: task.pid,
		comm: task.comm,
		irq_flags: tracing_gen_ctx(),
	};
}

/** Have @export_ called with each record that is taken (kernel/trace/trace.c: register_ftrace_export()). */
export function register_ftrace_export(export_: trace_export): int {
	if (global_trace.exports.includes(export_)) return -EEXIST;
	global_trace.exports.push(export_);
	return 0;
}

/** Have it called no more; -ENOENT: it is not (kernel/trace/trace.c: unregister_ftrace_export()). */
export function unregister_ftrace_export(export_: trace_export): int {
	const i = global_trace.exports.indexOf(export_);
	if (i < 0) return -ENOENT;
	global_trace.exports.splice(i, 1);
	return 0;
}

function trace_store(event: string, text: string): void {
	const tr = global_trace;
	if (!tr.tracing_on) return;
	const e = tracing_generic_entry(event, text);
	for (const export_ of tr.exports) export_.write(e);
	tr.written++;
	if (tr.entries.length < capacity()) {
		tr.entries.push(e);
	} else {
		tr.entries[tr.head] = e;
		tr.head = (tr.head + 1) % tr.entries.length;
	}
}

/** Record @call with what its format prints, if it is on (include/trace/trace_events.h: trace_event_raw_event_*). */
export function trace_event(call: trace_event_call, ...args: printk_arg[]): void {
	const { system, print_format } = call.class_;
	if (call.enabled) trace_store(`${system}:${call.name}`, vsnprintf_text(print_format, args));
}

/** A line of free text (kernel/trace/trace.c: trace_printk()). */
export function trace_printk(fmt: string, ...args: printk_arg[]): int {
	const text = vsnprintf_text(fmt, args);
	trace_store('bprint', text);
	return text.length;
}

/** Start recording (kernel/trace/trace.c). */
export function tracing_on(): void {
	global_trace.tracing_on = true;
}

/** Stop recording (kernel/trace/trace.c). */
export function tracing_off(): void {
	global_trace.tracing_on = false;
}

/** Whether records are taken (kernel/trace/trace.c: tracing_is_on()). */
export function tracing_is_on(): bool {
	return global_trace.tracing_on;
}

/** Forget what was recorded (kernel/trace/trace.c: tracing_reset_online_cpus()). */
export function tracing_reset(): void {
	global_trace.entries = [];
	global_trace.head = 0;
	global_trace.written = 0;
}

/** The recorded events, the oldest first. */
export function trace_entries(): trace_entry[] {
	const { entries, head } = global_trace;
	return [...entries.slice(head), ...entries.slice(0, head)];
}

/** What stands before the records: how many there are, and were (kernel/trace/trace.c: print_func_help_header_irq()). */
export function print_func_help_header_irq(entries: unsigned_long, total: unsigned_long): string[] {
	return [
		'# tracer: nop',
		'#',
		`# entries-in-buffer/entries-written: ${entries}/${total}   #P:1`,
		'#',
		'#                                _-----=> irqs-off/BH-disabled',
		'#                               / _----=> need-resched',
		'#                              | / _---=> hardirq/softirq',
		'#                              || / _--=> preempt-depth',
		'#                              ||| / _-=> migrate-disable',
		'#                              |||| /     delay',
		'#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION',
		'#              | |         |   |||||     |         |',
	];
}

/** The whole of /sys/kernel/tracing/trace, without line ends. */
export function trace_lines(): string[] {
	const { entries, written } = global_trace;
	return [...print_func_help_header_irq(entries.length, written), ...trace_entries().map(trace_line)];
}

/** Make the buffer of another size; the newest records that fit stay (kernel/trace/trace.c: tracing_resize_ring_buffer()). */
function tracing_resize_ring_buffer(size: unsigned_long): void {
	const entries = trace_entries();
	global_trace.trace_buf_size = size;
	global_trace.entries = entries.slice(-capacity());
	global_trace.head = 0;
}

function tracing_show(m: seq_file, _v: unknown): int {
	for (const line of trace_lines()) seq_puts(m, `${line}\n`);
	return 0;
}

/** Opening for writing as `>` does empties the trace; what is written is ignored. */
function tracing_open(_inode: inode, file: file): int {
	if (file.f_mode & FMODE_WRITE && file.f_flags & O_TRUNC) tracing_reset();
	return file.f_mode & FMODE_READ ? single_open(file, tracing_show, null) : 0;
}

const tracing_fops: file_operations = {
	open: tracing_open,
	read: (file, buf, count, ppos): ssize_t => seq_read(file, buf, count, ppos),
	write: (_file, _buf, count): ssize_t => count,
	llseek: (file, offset, whence): loff_t => seq_lseek(file, offset, whence),
	release: (inode, file): int => seq_release(inode, file),
};

const tracing_entries_fops: file_operations = {
	read: (_file, buf, count, ppos): ssize_t => {
		const text = `${Math.floor(global_trace.trace_buf_size / 1024)}\n`;
		return simple_read_from_buffer(buf, count, ppos, text, text.length);
	},
	write: (_file, buf, count): ssize_t => {
		const val = new ref<unsigned_long>(0);
		const ret = kstrtoul_from_user(buf, count, 10, val);
		if (ret) return ret;
		if (val.value === 0) return -EINVAL;
		tracing_resize_ring_buffer(val.value * 1024);
		return count;
	},
};

/** kernel/trace/trace.c: rb_simple_fops */
const rb_simple_fops: file_operations = {
	read: (_file, buf, count, ppos): ssize_t =>
		simple_read_from_buffer(buf, count, ppos, tracing_is_on() ? '1\n' : '0\n', 2),
	write: (_file, buf, count): ssize_t => {
		const val = new ref<unsigned_long>(0);
		const ret = kstrtoul_from_user(buf, count, 10, val);
		if (ret) return ret;
		if (val.value !== 0) tracing_on();
		else tracing_off();
		return count;
	},
};

/** A file of the trace; a failure is only told (kernel/trace/trace.c: trace_create_file()). */
export function trace_create_file(
	name: string,
	mode: umode_t,
	parent: dentry | err_ptr | null,
	data: unknown,
	fops: file_operations,
): dentry | err_ptr {
	const ret = tracefs_create_file(name, mode, parent, data, fops);
	if (IS_ERR(ret)) pr_warn("Could not create tracefs '%s' entry", name);
	return ret;
}

/** Where debugfs is, the trace is found in it too (kernel/trace/trace.c: tracing_init_dentry()). */
function tracing_init_dentry(): int {
	if (!tracefs_initialized()) return -ENODEV;
	debugfs_create_automount('tracing', null);
	return 0;
}

function tracer_init_tracefs(): int {
	const ret = tracing_init_dentry();
	if (ret) return 0;
	trace_create_file('trace', TRACE_MODE_WRITE, null, null, tracing_fops);
	trace_create_file('buffer_size_kb', TRACE_MODE_WRITE, null, null, tracing_entries_fops);
	trace_create_file('tracing_on', TRACE_MODE_WRITE, null, null, rb_simple_fops);
	return 0;
}
fs_initcall(tracer_init_tracefs);

__setup('trace_buf_size', (val) => {
	const size = val === null ? 0 : memparse(val, null);
	if (size > 0) global_trace.trace_buf_size = Math.max(4096, size);
	return 0;
});
