// SPDX-License-Identifier: GPL-2.0-only
// Events: switching them on and off, their directories in the tracing tree.
// Linux 6.12: kernel/trace/trace_events.c
// Left out: filters, triggers, modules' events (:mod:), set_event_pid, header_page and header_event.
import { simple_read_from_buffer } from '#fs/libfs.js';
import {
	DEFINE_SHOW_ATTRIBUTE,
	seq_lseek,
	seq_printf,
	seq_puts,
	seq_read,
	seq_release,
	single_open,
} from '#fs/seq_file.js';
import { tracefs_create_dir, tracefs_lookup } from '#fs/tracefs/inode.js';
import { TRACE_MODE_READ, TRACE_MODE_WRITE, trace_create_file } from '#kernel/trace/trace.js';
import { kstrtoul_from_user } from '#lib/kstrtox.js';
import type { dentry } from '#linux/debugfs.js';
import { type err_ptr, IS_ERR } from '#linux/err.js';
import { EINVAL, ENODEV } from '#linux/errno.js';
import { FMODE_READ, FMODE_WRITE, type file, type file_operations, type inode, O_TRUNC } from '#linux/fs.js';
import { __setup, boot_data, fs_initcall } from '#linux/init.js';
import type { seq_file } from '#linux/seq_file.js';
import {
	__start_ftrace_events,
	trace_common_fields,
	type trace_event_call,
	type trace_event_fields,
	trace_event_name,
	trace_event_offsets,
} from '#linux/trace_events.js';
import { type bool, type int, type loff_t, ref, type ssize_t, type unsigned_long } from '#linux/types.js';

/** At a boot every event is off, and nobody watches. */
boot_data(() => {
	for (const call of __start_ftrace_events) {
		call.enabled = false;
		call.probes = [];
	}
	return {};
});

/** @match: a system or an event; @sub and @event: both must be so; null is any. Returns -EINVAL when none is. */
function __ftrace_set_clr_event(
	match: string | null,
	sub: string | null,
	event: string | null,
	set: bool,
): int {
	let ret = -EINVAL;
	for (const call of __start_ftrace_events) {
		const name = trace_event_name(call);
		const system = call.class_.system;
		if (match !== null && match !== name && match !== system) continue;
		if (sub !== null && sub !== system) continue;
		if (event !== null && event !== name) continue;
		call.enabled = set;
		ret = 0;
	}
	return ret;
}

/** Switch events on or off by a text: `iommu:map`, `iommu:*`, `map`, `iommu`, `*:*` (kernel/trace/trace_events.c). */
export function ftrace_set_clr_event(buf: string, set: bool): int {
	const colon = buf.indexOf(':');
	if (colon < 0) return __ftrace_set_clr_event(buf, null, null, set);
	const part = (text: string): string | null => (text === '' || text === '*' ? null : text);
	return __ftrace_set_clr_event(null, part(buf.slice(0, colon)), part(buf.slice(colon + 1)), set);
}

/**
 * trace_set_clr_event - switch events on or off, for other parts of the kernel
 * @system: of which system; null is any
 * @event: which; null is all
 *
 * Returns 0, or -EINVAL when there is none. Linux: kernel/trace/trace_events.c: trace_set_clr_event()
 */
export function trace_set_clr_event(system: string | null, event: string | null, set: bool): int {
	return __ftrace_set_clr_event(null, system, event, set);
}

/** All events, as /sys/kernel/tracing/available_events lists them. */
export function available_events(): string[] {
	return __start_ftrace_events.map((call) => `${call.class_.system}:${trace_event_name(call)}`);
}

function show_events(m: seq_file, which: (call: trace_event_call) => bool): int {
	for (const call of __start_ftrace_events)
		if (which(call)) seq_printf(m, '%s:%s\n', call.class_.system, trace_event_name(call));
	return 0;
}

/** Opening as `>` does begins a new choice; `>>` adds to it. */
function ftrace_event_set_open(_inode: inode, file: file): int {
	if (file.f_mode & FMODE_WRITE && file.f_flags & O_TRUNC) trace_set_clr_event(null, null, false);
	return file.f_mode & FMODE_READ
		? single_open(file, (m: seq_file): int => show_events(m, (call) => call.enabled), null)
		: 0;
}

/** Names, one after the other; with '!' before it an event goes off. Linux takes one at each write(), and is called again. */
function ftrace_event_write(_file: file, buf: Uint8Array, cnt: number): ssize_t {
	const text = new TextDecoder().decode(buf.subarray(0, cnt));
	for (const word of text.split(/\s+/)) {
		if (word === '') continue;
		const set = !word.startsWith('!');
		const ret = ftrace_set_clr_event(set ? word : word.slice(1), set);
		if (ret) return ret;
	}
	return cnt;
}

const ftrace_set_event_fops: file_operations = {
	open: ftrace_event_set_open,
	read: (file, buf, count, ppos): ssize_t => seq_read(file, buf, count, ppos),
	write: ftrace_event_write,
	llseek: (file, offset, whence): loff_t => seq_lseek(file, offset, whence),
	release: (inode, file): int => seq_release(inode, file),
};

/** 0 or 1 from user space, else a negative errno. */
function read_switch(buf: Uint8Array, count: number): int {
	const val = new ref<unsigned_long>(0);
	const ret = kstrtoul_from_user(buf, count, 10, val);
	if (ret) return ret;
	return val.value === 0 || val.value === 1 ? val.value : -EINVAL;
}

function open_private(inode: inode, file: file): int {
	file.private_data = inode.i_private;
	return 0;
}

const ftrace_enable_fops: file_operations = {
	open: open_private,
	read: (file, buf, count, ppos): ssize_t => {
		const call = file.private_data as trace_event_call;
		return simple_read_from_buffer(buf, count, ppos, call.enabled ? '1\n' : '0\n', 2);
	},
	write: (file, buf, count): ssize_t => {
		const on = read_switch(buf, count);
		if (on < 0) return on;
		(file.private_data as trace_event_call).enabled = on === 1;
		return count;
	},
};

/** For a system, or for all: on, off, or some of each. */
const ftrace_system_enable_fops: file_operations = {
	open: open_private,
	read: (file, buf, count, ppos): ssize_t => {
		let set = 0;
		for (const call of __start_ftrace_events) {
			if (file.private_data !== null && file.private_data !== call.class_.system) continue;
			set |= call.enabled ? 2 : 1;
		}
		return simple_read_from_buffer(buf, count, ppos, `${'?01X'[set]}\n`, 2);
	},
	write: (file, buf, count): ssize_t => {
		const on = read_switch(buf, count);
		if (on < 0) return on;
		const ret = trace_set_clr_event(file.private_data as string | null, null, on === 1);
		return ret === 0 ? count : ret;
	},
};

const ftrace_event_id_fops: file_operations = {
	open: open_private,
	read: (file, buf, count, ppos): ssize_t => {
		const text = `${(file.private_data as trace_event_call).type}\n`;
		return simple_read_from_buffer(buf, count, ppos, text, text.length);
	},
};

function show_fields(m: seq_file, fields: readonly trace_event_fields[], offset: int): int {
	const offsets = trace_event_offsets(fields, offset);
	for (const [i, f] of fields.entries())
		seq_printf(
			m,
			'\tfield:%s %s;\toffset:%u;\tsize:%u;\tsigned:%d;\n',
			f.type,
			f.name,
			offsets[i]!,
			f.size,
			f.is_signed ? 1 : 0,
		);
	const last = fields.length - 1;
	return last < 0 ? offset : offsets[last]! + fields[last]!.size;
}

/** What a record of @call holds and how it prints (kernel/trace/trace_events.c: f_show()). */
function f_show(m: seq_file, _v: unknown): int {
	const call = m.private as trace_event_call;
	seq_printf(m, 'name: %s\n', trace_event_name(call));
	seq_printf(m, 'ID: %d\n', call.type);
	seq_puts(m, 'format:\n');
	const end = show_fields(m, trace_common_fields, 0);
	seq_puts(m, '\n');
	const { fields_array, print_format, print_args } = call.class_;
	show_fields(m, fields_array, end);
	seq_puts(m, `\nprint fmt: ${[`"${print_format}"`, ...print_args].join(', ')}\n`);
	return 0;
}

/** The directory of @system, made with its first event (kernel/trace/trace_events.c: event_subsystem_dir()). */
function event_subsystem_dir(system: string, e_events: dentry): dentry | err_ptr {
	const found = tracefs_lookup(system, e_events);
	if (found !== null) return found;
	const dir = tracefs_create_dir(system, e_events);
	if (!IS_ERR(dir)) trace_create_file('enable', TRACE_MODE_WRITE, dir, system, ftrace_system_enable_fops);
	return dir;
}

function event_create_dir(e_events: dentry, call: trace_event_call): int {
	const d_events = event_subsystem_dir(call.class_.system, e_events);
	if (IS_ERR(d_events)) return d_events.errno;
	const dir = tracefs_create_dir(trace_event_name(call), d_events);
	if (IS_ERR(dir)) return dir.errno;
	trace_create_file('enable', TRACE_MODE_WRITE, dir, call, ftrace_enable_fops);
	trace_create_file('format', TRACE_MODE_READ, dir, call, DEFINE_SHOW_ATTRIBUTE(f_show));
	trace_create_file('id', TRACE_MODE_READ, dir, call, ftrace_event_id_fops);
	return 0;
}

/** Make the files of all events (kernel/trace/trace_events.c: event_trace_init()). */
function event_trace_init(): int {
	const all = DEFINE_SHOW_ATTRIBUTE((m: seq_file): int => show_events(m, () => true));
	trace_create_file('available_events', TRACE_MODE_READ, null, null, all);
	trace_create_file('set_event', TRACE_MODE_WRITE, null, null, ftrace_set_event_fops);
	const e_events = tracefs_create_dir('events', null);
	if (IS_ERR(e_events)) return -ENODEV;
	trace_create_file('enable', TRACE_MODE_WRITE, e_events, null, ftrace_system_enable_fops);
	for (const call of __start_ftrace_events) event_create_dir(e_events, call);
	return 0;
}
fs_initcall(event_trace_init);

__setup('trace_event', (val) => {
	for (const match of (val ?? '').split(',')) if (match !== '') ftrace_set_clr_event(match, true);
	return 0;
});
