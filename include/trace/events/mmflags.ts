// SPDX-License-Identifier: GPL-2.0-only
// Names of allocation flags, the combined ones first.
// Linux 6.12: include/trace/events/mmflags.h
// Left out: page and mapping flags.
import * as gfp from '#linux/gfp_types.js';
import type { gfp_t } from '#linux/types.js';

const GFP_TRANSHUGE_LIGHT =
	(gfp.GFP_HIGHUSER_MOVABLE | gfp.__GFP_COMP | gfp.__GFP_NOMEMALLOC | gfp.__GFP_NOWARN) & ~gfp.__GFP_RECLAIM;

export const gfpflag_names: readonly (readonly [string, gfp_t])[] = [
	['GFP_TRANSHUGE', GFP_TRANSHUGE_LIGHT | gfp.__GFP_DIRECT_RECLAIM],
	['GFP_TRANSHUGE_LIGHT', GFP_TRANSHUGE_LIGHT],
	['GFP_HIGHUSER_MOVABLE', gfp.GFP_HIGHUSER_MOVABLE],
	['GFP_HIGHUSER', gfp.GFP_HIGHUSER],
	['GFP_USER', gfp.GFP_USER],
	['GFP_KERNEL_ACCOUNT', gfp.GFP_KERNEL_ACCOUNT],
	['GFP_KERNEL', gfp.GFP_KERNEL],
	['GFP_NOFS', gfp.GFP_NOFS],
	['GFP_ATOMIC', gfp.GFP_ATOMIC],
	['GFP_NOIO', gfp.GFP_NOIO],
	['GFP_NOWAIT', gfp.GFP_NOWAIT],
	['GFP_DMA', gfp.GFP_DMA],
	['__GFP_HIGHMEM', gfp.__GFP_HIGHMEM],
	['GFP_DMA32', gfp.GFP_DMA32],
	['__GFP_HIGH', gfp.__GFP_HIGH],
	['__GFP_IO', gfp.__GFP_IO],
	['__GFP_FS', gfp.__GFP_FS],
	['__GFP_NOWARN', gfp.__GFP_NOWARN],
	['__GFP_RETRY_MAYFAIL', gfp.__GFP_RETRY_MAYFAIL],
	['__GFP_NOFAIL', gfp.__GFP_NOFAIL],
	['__GFP_NORETRY', gfp.__GFP_NORETRY],
	['__GFP_COMP', gfp.__GFP_COMP],
	['__GFP_ZERO', gfp.__GFP_ZERO],
	['__GFP_NOMEMALLOC', gfp.__GFP_NOMEMALLOC],
	['__GFP_MEMALLOC', gfp.__GFP_MEMALLOC],
	['__GFP_HARDWALL', gfp.__GFP_HARDWALL],
	['__GFP_THISNODE', gfp.__GFP_THISNODE],
	['__GFP_RECLAIMABLE', gfp.__GFP_RECLAIMABLE],
	['__GFP_MOVABLE', gfp.__GFP_MOVABLE],
	['__GFP_ACCOUNT', gfp.__GFP_ACCOUNT],
	['__GFP_WRITE', gfp.__GFP_WRITE],
	['__GFP_RECLAIM', gfp.__GFP_RECLAIM],
	['__GFP_DIRECT_RECLAIM', gfp.__GFP_DIRECT_RECLAIM],
	['__GFP_KSWAPD_RECLAIM', gfp.__GFP_KSWAPD_RECLAIM],
	['__GFP_ZEROTAGS', gfp.__GFP_ZEROTAGS],
];

/** @flags by name, joined by '|'; bits without a name in hex (lib/vsprintf.c: format_flags(), for %pGg). */
export function format_gfp_flags(flags: gfp_t): string {
	const parts: string[] = [];
	let left = flags;
	for (const [name, mask] of gfpflag_names) {
		if ((left & mask) !== mask) continue;
		parts.push(name);
		left &= ~mask;
	}
	if (left !== 0) parts.push(`0x${(left >>> 0).toString(16)}`);
	return parts.join('|');
}
