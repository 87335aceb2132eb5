// SPDX-License-Identifier: GPL-2.0-only
// Not too many messages at a time.
// Linux 6.12: lib/ratelimit.c

import { _printk } from '#kernel/printk/printk.js';
import { jiffies } from '#linux/jiffies.js';
import { KERN_WARNING } from '#linux/kern_levels.js';
import type { ratelimit_state } from '#linux/ratelimit.js';
import type { int, unsigned_long } from '#linux/types.js';

/** A new interval begins: say how many messages the last one swallowed. */
function ratelimit_restart(rs: ratelimit_state, now: unsigned_long, func: string): void {
	const { missed } = rs;
	rs.begin = now;
	rs.printed = 0;
	rs.missed = 0;
	if (missed > 0) _printk(`${KERN_WARNING}%s: %d callbacks suppressed`, func, missed);
}

/** 1 when one more message of @func may go out in this interval (lib/ratelimit.c: ___ratelimit()). */
export function ___ratelimit(rs: ratelimit_state, func: string = ''): int {
	if (rs.interval === 0) return 1;
	const now = jiffies();
	// The first message ever begins the first interval.
	if (rs.begin === 0) rs.begin = now;
	else if (now - rs.begin > rs.interval) ratelimit_restart(rs, now, func);
	const may = rs.printed < rs.burst;
	if (may) rs.printed++;
	else rs.missed++;
	return may ? 1 : 0;
}
