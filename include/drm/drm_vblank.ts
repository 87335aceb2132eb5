// SPDX-License-Identifier: GPL-2.0-only
// Vertical blanking: counting it and waiting for it.
// Linux 6.12: include/drm/drm_vblank.h
// Left out: events, precise time stamps, hardware counters, works.
import type { drm_device } from '#include/drm/drm_device.js';
import type { ktime_t } from '#linux/ktime.js';
import { timer_list } from '#linux/timer_types.js';
import type { atomic_t, bool, embedded, int, u64, unsigned_int } from '#linux/types.js';
import { wait_queue_head } from '#linux/wait.js';

export class drm_vblank_crtc implements embedded {
	readonly container = null;
	dev: drm_device | null = null;
	readonly queue = new wait_queue_head();
	/** Turns the interrupt off when nobody has wanted it for a while. */
	readonly disable_timer = new timer_list(this);
	count: u64 = 0;
	time: ktime_t = 0;
	refcount: atomic_t = { counter: 0 };
	/** Set while the CRTC is off and holds the reference that keeps the interrupt away. */
	inmodeset: unsigned_int = 0;
	pipe: unsigned_int = 0;
	offdelay_ms: int = 0;
	enabled: bool = false;
}
