// SPDX-License-Identifier: GPL-2.0-only
// Whether this kernel was started by one that crashed.
// Linux 6.12: kernel/elfcorehdr.c, include/linux/crash_dump.h
// Left out: reading the old kernel's memory (/proc/vmcore), the tree's linux,elfcorehdr.
import { memparse } from '#lib/cmdline.js';
import { EINVAL } from '#linux/errno.js';
import { boot_data, early_param } from '#linux/init.js';
import { type bool, type int, ref, U64_MAX, type u64 } from '#linux/types.js';

const ELFCORE_ADDR_MAX: u64 = U64_MAX;

const state = boot_data(() => ({
	/** Where the old kernel's ELF header lies. */
	elfcorehdr_addr: ELFCORE_ADDR_MAX,
	elfcorehdr_size: 0 as u64,
}));

/** elfcorehdr=[size@]address */
function setup_elfcorehdr(arg: string | null): int {
	if (arg === null) return -EINVAL;
	const rest = new ref(arg);
	state.elfcorehdr_addr = memparse(arg, rest);
	if (rest.value.startsWith('@')) {
		state.elfcorehdr_size = state.elfcorehdr_addr;
		state.elfcorehdr_addr = memparse(rest.value.slice(1), rest);
	}
	return rest.value !== arg ? 0 : -EINVAL;
}
early_param('elfcorehdr', setup_elfcorehdr);

/** Whether the machine's devices may still be at work for a kernel that crashed (include/linux/crash_dump.h: is_kdump_kernel()). */
export function is_kdump_kernel(): bool {
	return state.elfcorehdr_addr !== ELFCORE_ADDR_MAX;
}
