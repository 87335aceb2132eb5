// SPDX-License-Identifier: GPL-2.0-only
// Not too many messages at a time.
// Linux 6.12: lib/ratelimit.c

import { _printk } from '#kernel/printk/printk.js';
import { jiffies } from '#linux/jiffies.js';
import { KERN_WARNING } from '#linux/kern_levels.js';
import type { ratelimit_state } from '#linux/ratelimit.js';
import type { int } from '#linux/types.js';

/** 1 when one more message of @func may go out in this interval (lib/ratelimit.c: ___ratelimit()). */
export function ___ratelimit(rs: ratelimit_state, func: string = ''): int {
	if (rs.interval === 0) return 1;
	const now = jiffies();
	if (rs.begin === 0) rs.begin = now;
	if (now > rs.begin + rs.interval) {
		if (rs.missed > 0) _printk(`${KERN_WARNING}%s: %d callbacks suppressed`, func, rs.missed);
		rs.missed = 0;
		rs.begin = now;
		rs.printed = 0;
	}
	if (rs.burst > rs.printed) {
		rs.printed++;
		return 1;
	}
	rs.missed++;
	return 0;
}
