// SPDX-License-Identifier: GPL-2.0-only
// The configuration that make may choose; what stands here is its default.
// Linux 6.12: include/linux/kconfig.h, and what Kconfig generates for it (arch/Kconfig: PAGE_SHIFT)
//
// `make PAGE_SHIFT=14` leaves this file alone and puts its number into build/ (tools/build.mjs), so that an editor, the
// compiler by itself and a fresh clone have a whole tree.
import type { int } from '#linux/types.js';

/** log2 of the bytes of a CPU page: 12 (4 KiB) or 14 (16 KiB). */
export const CONFIG_PAGE_SHIFT: int = 12;
