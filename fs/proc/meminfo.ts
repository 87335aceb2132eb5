// SPDX-License-Identifier: GPL-2.0-only
// /proc/meminfo
// Linux 6.12: fs/proc/meminfo.c
// Left out: all lines but those that mm/show_mem.ts has figures for.
import { proc_create_single } from '#fs/proc/generic.js';
import { seq_puts } from '#fs/seq_file.js';
import { fs_initcall } from '#linux/init.js';
import type { int } from '#linux/types.js';
import { meminfo_proc_show } from '#mm/show_mem.js';

function proc_meminfo_init(): int {
	proc_create_single('meminfo', 0, null, (m) => {
		seq_puts(m, meminfo_proc_show());
		return 0;
	});
	return 0;
}
fs_initcall(proc_meminfo_init);
