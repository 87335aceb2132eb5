// SPDX-License-Identifier: GPL-2.0-only
// /proc/cmdline
// Linux 6.12: fs/proc/cmdline.c
import { proc_create_single } from '#fs/proc/generic.js';
import { seq_printf } from '#fs/seq_file.js';
import { fs_initcall, system } from '#linux/init.js';
import type { seq_file } from '#linux/seq_file.js';
import type { int } from '#linux/types.js';

function cmdline_proc_show(m: seq_file, _v: unknown): int {
	seq_printf(m, '%s\n', system.saved_command_line);
	return 0;
}

function proc_cmdline_init(): int {
	proc_create_single('cmdline', 0, null, cmdline_proc_show);
	return 0;
}
fs_initcall(proc_cmdline_init);
