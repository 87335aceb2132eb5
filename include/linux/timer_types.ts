// SPDX-License-Identifier: GPL-2.0-only
// A timer.
// Linux 6.12: include/linux/timer_types.h
import { rb_node } from '#linux/rbtree_types.js';
import type { bool, embedded, u32, unsigned_long } from '#linux/types.js';

export class timer_list implements embedded {
	/** Its place among the pending timers; C keeps it in a wheel. */
	readonly entry = new rb_node<timer_list>(this);
	pending: bool = false;
	expires: unsigned_long = 0;
	function: ((timer: timer_list) => void) | null = null;
	flags: u32 = 0;
	readonly container: object | null;
	constructor(container: object | null = null) {
		this.container = container;
	}
}
