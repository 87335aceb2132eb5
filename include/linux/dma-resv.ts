// SPDX-License-Identifier: GPL-2.0-only
// The reservation object of a shared buffer: its lock.
// Linux 6.12: include/linux/dma-resv.h, drivers/dma-buf/dma-resv.c
// Left out: fences (no client on this machine signals completion by one), ww_mutex back-off (one lock at a time).

import { lockdep_assert_held, mutex, mutex_init, mutex_lock, mutex_unlock } from '#linux/mutex.js';
import type { int } from '#linux/types.js';

/** The lock of a shared buffer (include/linux/dma-resv.h: struct dma_resv). */
export class dma_resv {
	/** A ww_mutex in C; `base` is the mutex in it. */
	readonly lock = { base: new mutex('reservation_ww_class_mutex') };
}

/** Make @obj ready for use. Linux: dma_resv_init() */
export function dma_resv_init(obj: dma_resv): void {
	mutex_init(obj.lock.base);
}

/** The end of @obj's life. Linux: dma_resv_fini() */
export function dma_resv_fini(_obj: dma_resv): void {}

/** Take @obj's lock. Sleeps. Linux: dma_resv_lock() */
export function dma_resv_lock(obj: dma_resv, _ctx: null): int {
	mutex_lock(obj.lock.base);
	return 0;
}

/** Give @obj's lock back. Linux: dma_resv_unlock() */
export function dma_resv_unlock(obj: dma_resv): void {
	mutex_unlock(obj.lock.base);
}

/** Complain when the caller does not hold @obj's lock. Linux: dma_resv_assert_held() */
export function dma_resv_assert_held(obj: dma_resv): void {
	lockdep_assert_held(obj.lock.base);
}
