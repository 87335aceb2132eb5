// SPDX-License-Identifier: GPL-2.0-only
// Not too many messages at a time.
// Linux 6.12: include/linux/ratelimit.h, include/linux/ratelimit_types.h
import { HZ } from '#linux/jiffies.js';
import type { int, unsigned_long } from '#linux/types.js';

export { ___ratelimit as __ratelimit } from '#lib/ratelimit.js';

export const DEFAULT_RATELIMIT_INTERVAL = 5 * HZ;
export const DEFAULT_RATELIMIT_BURST = 10;

export class ratelimit_state {
	begin: unsigned_long = 0;
	printed: int = 0;
	missed: int = 0;
	constructor(
		public interval: int = DEFAULT_RATELIMIT_INTERVAL,
		public burst: int = DEFAULT_RATELIMIT_BURST,
	) {}
}

/** At most @burst messages in @interval ticks (include/linux/ratelimit_types.h: DEFINE_RATELIMIT_STATE()). */
export function DEFINE_RATELIMIT_STATE(interval: int, burst: int): ratelimit_state {
	return new ratelimit_state(interval, burst);
}
