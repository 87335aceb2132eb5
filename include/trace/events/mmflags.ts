// SPDX-License-Identifier: GPL-2.0-only
// Names of allocation flags, the combined ones first.
// Linux 6.12: include/trace/events/mmflags.h
// Left out: page and mapping flags.
import * as gfp from '#linux/gfp_types.js';
import type { gfp_t } from '#linux/types.js';

/** Some flags: what they are worth, and the C that they are after the preprocessor, as `format` files show it. */
class gfp_text {
	constructor(
		readonly mask: gfp_t,
		readonly c: string,
	) {}
}

/** A single flag, by its bit. */
const bit = (mask: gfp_t): gfp_text =>
	new gfp_text(mask, `(( gfp_t)((((1UL))) << (${31 - Math.clz32(mask)})))`);

/** Flags joined as a macro joins them. */
function or(parts: readonly gfp_text[], sep: string = ' | '): gfp_text {
	const mask = parts.reduce((sum, part) => sum | part.mask, 0);
	return new gfp_text(mask, `(${parts.map((part) => part.c).join(sep)})`);
}

const DIRECT_RECLAIM = bit(gfp.__GFP_DIRECT_RECLAIM);
const KSWAPD_RECLAIM = bit(gfp.__GFP_KSWAPD_RECLAIM);
const HIGHMEM = bit(gfp.__GFP_HIGHMEM);
const NOWARN = bit(gfp.__GFP_NOWARN);
const RECLAIM = new gfp_text(
	gfp.__GFP_RECLAIM,
	`(( gfp_t)${
		or(
			[DIRECT_RECLAIM, KSWAPD_RECLAIM].map(
				({ mask, c }) => new gfp_text(mask, c.slice('(( gfp_t)'.length, -1)),
			),
			'|',
		).c
	})`,
);
const NOFS = or([RECLAIM, bit(gfp.__GFP_IO)]);
const KERNEL = or([RECLAIM, bit(gfp.__GFP_IO), bit(gfp.__GFP_FS)]);
const USER = or([RECLAIM, bit(gfp.__GFP_IO), bit(gfp.__GFP_FS), bit(gfp.__GFP_HARDWALL)]);
const HIGHUSER = or([USER, HIGHMEM]);
/** Without KASAN a flag is nothing (___GFP_SKIP_KASAN). */
const NOTHING = new gfp_text(0, '(( gfp_t)0)');
const HIGHUSER_MOVABLE = or([HIGHUSER, bit(gfp.__GFP_MOVABLE), NOTHING]);
const TRANSHUGE_ALL = or([HIGHUSER_MOVABLE, bit(gfp.__GFP_COMP), bit(gfp.__GFP_NOMEMALLOC), NOWARN]);
const TRANSHUGE_LIGHT = new gfp_text(
	TRANSHUGE_ALL.mask & ~RECLAIM.mask,
	`(${TRANSHUGE_ALL.c} & ~${RECLAIM.c})`,
);

const gfpflags: readonly (readonly [string, gfp_text])[] = [
	['GFP_TRANSHUGE', or([TRANSHUGE_LIGHT, DIRECT_RECLAIM])],
	['GFP_TRANSHUGE_LIGHT', TRANSHUGE_LIGHT],
	['GFP_HIGHUSER_MOVABLE', HIGHUSER_MOVABLE],
	['GFP_HIGHUSER', HIGHUSER],
	['GFP_USER', USER],
	['GFP_KERNEL_ACCOUNT', or([KERNEL, bit(gfp.__GFP_ACCOUNT)])],
	['GFP_KERNEL', KERNEL],
	['GFP_NOFS', NOFS],
	['GFP_ATOMIC', or([bit(gfp.__GFP_HIGH), KSWAPD_RECLAIM], '|')],
	['GFP_NOIO', or([RECLAIM])],
	['GFP_NOWAIT', or([KSWAPD_RECLAIM, NOWARN])],
	['GFP_DMA', bit(gfp.GFP_DMA)],
	['__GFP_HIGHMEM', HIGHMEM],
	['GFP_DMA32', bit(gfp.GFP_DMA32)],
	['__GFP_HIGH', bit(gfp.__GFP_HIGH)],
	['__GFP_IO', bit(gfp.__GFP_IO)],
	['__GFP_FS', bit(gfp.__GFP_FS)],
	['__GFP_NOWARN', NOWARN],
	['__GFP_RETRY_MAYFAIL', bit(gfp.__GFP_RETRY_MAYFAIL)],
	['__GFP_NOFAIL', bit(gfp.__GFP_NOFAIL)],
	['__GFP_NORETRY', bit(gfp.__GFP_NORETRY)],
	['__GFP_COMP', bit(gfp.__GFP_COMP)],
	['__GFP_ZERO', bit(gfp.__GFP_ZERO)],
	['__GFP_NOMEMALLOC', bit(gfp.__GFP_NOMEMALLOC)],
	['__GFP_MEMALLOC', bit(gfp.__GFP_MEMALLOC)],
	['__GFP_HARDWALL', bit(gfp.__GFP_HARDWALL)],
	['__GFP_THISNODE', bit(gfp.__GFP_THISNODE)],
	['__GFP_RECLAIMABLE', bit(gfp.__GFP_RECLAIMABLE)],
	['__GFP_MOVABLE', bit(gfp.__GFP_MOVABLE)],
	['__GFP_ACCOUNT', bit(gfp.__GFP_ACCOUNT)],
	['__GFP_WRITE', bit(gfp.__GFP_WRITE)],
	['__GFP_RECLAIM', RECLAIM],
	['__GFP_DIRECT_RECLAIM', DIRECT_RECLAIM],
	['__GFP_KSWAPD_RECLAIM', KSWAPD_RECLAIM],
	['__GFP_ZEROTAGS', bit(gfp.__GFP_ZEROTAGS)],
];

export const gfpflag_names: readonly (readonly [mask: gfp_t, name: string])[] = gfpflags.map(
	([name, { mask }]) => [mask, name],
);

/** The C that prints @flags by name (include/trace/events/mmflags.h: show_gfp_flags()). */
export function show_gfp_flags(flags: string): string {
	const names = gfpflags.map(([name, { c }]) => `{( unsigned long)${c}, "${name}"}`);
	return `(${flags}) ? __print_flags(${flags}, "|", ${names.join(', ')} ) : "none"`;
}

/** @flags by name, joined by '|'; bits without a name in hex (lib/vsprintf.c: format_flags(), for %pGg). */
export function format_gfp_flags(flags: gfp_t): string {
	const parts: string[] = [];
	let left = flags;
	for (const [mask, name] of gfpflag_names) {
		if ((left & mask) !== mask) continue;
		parts.push(name);
		left &= ~mask;
	}
	if (left !== 0) parts.push(`0x${(left >>> 0).toString(16)}`);
	return parts.join('|');
}
