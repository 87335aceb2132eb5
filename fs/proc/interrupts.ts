// SPDX-License-Identifier: GPL-2.0-only
// /proc/interrupts
// Linux 6.12: fs/proc/interrupts.c
import { proc_create_single } from '#fs/proc/generic.js';
import { seq_puts } from '#fs/seq_file.js';
import { show_interrupts } from '#kernel/irq/proc.js';
import { fs_initcall } from '#linux/init.js';
import type { int } from '#linux/types.js';

function proc_interrupts_init(): int {
	proc_create_single('interrupts', 0, null, (m) => {
		seq_puts(m, show_interrupts());
		return 0;
	});
	return 0;
}
fs_initcall(proc_interrupts_init);
