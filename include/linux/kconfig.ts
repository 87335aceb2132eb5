// SPDX-License-Identifier: GPL-2.0-only
// The configuration that make may choose; what stands here is its default.
// Linux 6.12: include/linux/kconfig.h, and what Kconfig generates for it (arch/Kconfig: PAGE_SHIFT; lib/Kconfig.debug:
// DEBUG_KERNEL, DEBUG_SPINLOCK, DEBUG_LOCK_ALLOC, DEBUG_ATOMIC_SLEEP, SLUB_DEBUG)
//
// `make PAGE_SHIFT=14` leaves this file alone and puts its number into build/ (tools/build.mjs), so that an editor, the
// compiler by itself and a fresh clone have a whole tree.
import { boot_data } from '#linux/init.js';
import type { bool, int } from '#linux/types.js';

/** log2 of the bytes of a CPU page: 12 (4 KiB) or 14 (16 KiB). */
export const CONFIG_PAGE_SHIFT: int = 12;

/**
 * Whether this is a debug kernel: whether locks, contexts and freed objects are checked. As it boots it is;
 * `debug_kernel=off` on the command line (kernel/params.ts) makes it the one that users run. What the kernel does is the
 * same, but a mistake goes unseen. One image serves as both: what Kconfig decides when Linux is built is asked where a check stands.
 */
export const debug_kernel = boot_data(() => ({ on: true as bool }));
