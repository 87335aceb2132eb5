// SPDX-License-Identifier: GPL-2.0-only
// Counting vertical blanks, and waiting for them.
// Linux 6.12: drivers/gpu/drm/drm_vblank.c
// Left out: events, hardware counters and precise time stamps, works, CRTC_GET_SEQUENCE.
import type { drm_crtc } from '#include/drm/drm_crtc.js';
import type { drm_device } from '#include/drm/drm_device.js';
import type { drm_file } from '#include/drm/drm_file.js';
import { drm_vblank_crtc } from '#include/drm/drm_vblank.js';
import {
	_DRM_VBLANK_EVENT,
	_DRM_VBLANK_FLAGS_MASK,
	_DRM_VBLANK_HIGH_CRTC_MASK,
	_DRM_VBLANK_HIGH_CRTC_SHIFT,
	_DRM_VBLANK_NEXTONMISS,
	_DRM_VBLANK_RELATIVE,
	_DRM_VBLANK_SECONDARY,
	_DRM_VBLANK_SIGNAL,
	_DRM_VBLANK_TYPES_MASK,
	type drm_wait_vblank,
} from '#include/uapi/drm/drm.js';
import {
	atomic_dec,
	atomic_dec_and_test,
	atomic_inc,
	atomic_inc_return,
	atomic_read,
} from '#linux/atomic.js';
import { WARN_ON } from '#linux/bug.js';
import { EBUSY, EINVAL, ENOMEM, EOPNOTSUPP } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { jiffies, msecs_to_jiffies } from '#linux/jiffies.js';
import { ktime_get } from '#linux/ktime.js';
import { list_for_each_entry } from '#linux/list.js';
import { kcalloc, kfree } from '#linux/slab.js';
import { spin_lock_irqsave, spin_unlock_irqrestore } from '#linux/spinlock.js';
import { mod_timer, timer_delete_sync, type timer_list, timer_setup } from '#linux/timer.js';
import { type bool, container_of, type int, type u32, type u64, type unsigned_int } from '#linux/types.js';
import { wait_event_interruptible_timeout, wake_up } from '#linux/wait.js';

/** Milliseconds that an unused interrupt stays on. */
const drm_vblank_offdelay = 5000;

function crtc_from_index(dev: drm_device, pipe: unsigned_int): drm_crtc | null {
	for (const crtc of list_for_each_entry(dev.mode_config.crtc_list)) if (crtc.index === pipe) return crtc;
	return null;
}

/** Count for @num_crtcs CRTCs. -ENOMEM. Linux: drivers/gpu/drm/drm_vblank.c: drm_vblank_init() */
export function drm_vblank_init(dev: drm_device, num_crtcs: unsigned_int): int {
	dev.vblank = kcalloc(num_crtcs, drm_vblank_crtc, GFP_KERNEL);
	if (!dev.vblank) return -ENOMEM;
	dev.num_crtcs = num_crtcs;
	for (let i = 0; i < num_crtcs; i++) {
		const vblank = dev.vblank[i];
		vblank.dev = dev;
		vblank.pipe = i;
		vblank.offdelay_ms = drm_vblank_offdelay;
		timer_setup(vblank.disable_timer, vblank_disable_fn, 0);
	}
	return 0;
}

/** C: drm_vblank_init_release(), a managed action of the device. */
export function drm_vblank_cleanup(dev: drm_device): void {
	if (!dev.vblank) return;
	for (const vblank of dev.vblank) {
		WARN_ON(vblank.enabled);
		timer_delete_sync(vblank.disable_timer);
	}
	kfree(dev.vblank);
	dev.vblank = null;
	dev.num_crtcs = 0;
}

function drm_vblank_disable_and_save(dev: drm_device, pipe: unsigned_int): void {
	const vblank = dev.vblank![pipe];
	if (!vblank.enabled) return;
	crtc_from_index(dev, pipe)?.funcs.disable_vblank(crtc_from_index(dev, pipe)!);
	vblank.enabled = false;
}

function vblank_disable_fn(t: timer_list): void {
	const vblank = container_of(t, drm_vblank_crtc);
	const dev = vblank.dev!;
	const irqflags = spin_lock_irqsave(dev.vbl_lock);
	if (atomic_read(vblank.refcount) === 0 && vblank.enabled) drm_vblank_disable_and_save(dev, vblank.pipe);
	spin_unlock_irqrestore(dev.vbl_lock, irqflags);
}

function drm_vblank_enable(dev: drm_device, pipe: unsigned_int): int {
	const vblank = dev.vblank![pipe];
	if (vblank.enabled) return 0;
	const crtc = crtc_from_index(dev, pipe);
	if (!crtc) return -EINVAL;
	// Enabled first: the interrupt may come at once.
	vblank.enabled = true;
	const ret = crtc.funcs.enable_vblank(crtc);
	if (ret) vblank.enabled = false;
	return ret;
}

/**
 * Keep the interrupt on. -EINVAL while the CRTC is off.
 * Linux: drivers/gpu/drm/drm_vblank.c: drm_vblank_get()
 */
export function drm_vblank_get(dev: drm_device, pipe: unsigned_int): int {
	const vblank = dev.vblank?.[pipe];
	if (!vblank) return -EINVAL;
	let ret: int = 0;
	const irqflags = spin_lock_irqsave(dev.vbl_lock);
	if (atomic_inc_return(vblank.refcount) === 1) ret = drm_vblank_enable(dev, pipe);
	else if (!vblank.enabled) ret = -EINVAL;
	if (ret) atomic_dec(vblank.refcount);
	spin_unlock_irqrestore(dev.vbl_lock, irqflags);
	return ret;
}

/**
 * Undo drm_vblank_get(); the interrupt goes a while after the last one.
 * Linux: drivers/gpu/drm/drm_vblank.c: drm_vblank_put()
 */
export function drm_vblank_put(dev: drm_device, pipe: unsigned_int): void {
	const vblank = dev.vblank![pipe];
	if (WARN_ON(atomic_read(vblank.refcount) === 0)) return;
	if (atomic_dec_and_test(vblank.refcount))
		mod_timer(vblank.disable_timer, jiffies() + msecs_to_jiffies(vblank.offdelay_ms));
}

/**
 * Vertical blanks of CRTC number @pipe since the start.
 * Linux: drivers/gpu/drm/drm_vblank.c: drm_vblank_count()
 */
export function drm_vblank_count(dev: drm_device, pipe: unsigned_int): u64 {
	return dev.vblank![pipe].count;
}

/** Vertical blanks since the start. Linux: drivers/gpu/drm/drm_vblank.c: drm_crtc_vblank_count() */
export function drm_crtc_vblank_count(crtc: drm_crtc): u64 {
	return drm_vblank_count(crtc.dev, crtc.index);
}

/** drm_vblank_get() by the CRTC. Linux: drivers/gpu/drm/drm_vblank.c: drm_crtc_vblank_get() */
export function drm_crtc_vblank_get(crtc: drm_crtc): int {
	return drm_vblank_get(crtc.dev, crtc.index);
}

/** drm_vblank_put() by the CRTC. Linux: drivers/gpu/drm/drm_vblank.c: drm_crtc_vblank_put() */
export function drm_crtc_vblank_put(crtc: drm_crtc): void {
	drm_vblank_put(crtc.dev, crtc.index);
}

/**
 * The CRTC goes off: nobody waits any longer, and nobody turns the interrupt on.
 * Linux: drivers/gpu/drm/drm_vblank.c: drm_crtc_vblank_off()
 */
export function drm_crtc_vblank_off(crtc: drm_crtc): void {
	const { dev } = crtc;
	const vblank = dev.vblank?.[crtc.index];
	if (!vblank) return;
	const irqflags = spin_lock_irqsave(dev.vbl_lock);
	drm_vblank_disable_and_save(dev, crtc.index);
	wake_up(vblank.queue);
	if (!vblank.inmodeset) {
		atomic_inc(vblank.refcount);
		vblank.inmodeset = 1;
	}
	spin_unlock_irqrestore(dev.vbl_lock, irqflags);
}

/** The CRTC is known to be off. Linux: drivers/gpu/drm/drm_vblank.c: drm_crtc_vblank_reset() */
export function drm_crtc_vblank_reset(crtc: drm_crtc): void {
	const vblank = crtc.dev.vblank?.[crtc.index];
	if (!vblank || vblank.inmodeset) return;
	atomic_inc(vblank.refcount);
	vblank.inmodeset = 1;
}

/** The CRTC is on. Linux: drivers/gpu/drm/drm_vblank.c: drm_crtc_vblank_on() */
export function drm_crtc_vblank_on(crtc: drm_crtc): void {
	const { dev } = crtc;
	const vblank = dev.vblank?.[crtc.index];
	if (!vblank) return;
	const irqflags = spin_lock_irqsave(dev.vbl_lock);
	if (vblank.inmodeset) {
		atomic_dec(vblank.refcount);
		vblank.inmodeset = 0;
	}
	if (atomic_read(vblank.refcount) !== 0) WARN_ON(drm_vblank_enable(dev, crtc.index) !== 0);
	spin_unlock_irqrestore(dev.vbl_lock, irqflags);
}

/**
 * What a driver's interrupt handler calls; false when nobody asked.
 * Linux: drivers/gpu/drm/drm_vblank.c: drm_handle_vblank()
 */
export function drm_handle_vblank(dev: drm_device, pipe: unsigned_int): bool {
	const vblank = dev.vblank?.[pipe];
	if (!vblank) return false;
	const irqflags = spin_lock_irqsave(dev.event_lock);
	if (!vblank.enabled) {
		spin_unlock_irqrestore(dev.event_lock, irqflags);
		return false;
	}
	vblank.count++;
	vblank.time = ktime_get();
	wake_up(vblank.queue);
	spin_unlock_irqrestore(dev.event_lock, irqflags);
	return true;
}

/** drm_handle_vblank() by the CRTC. Linux: drivers/gpu/drm/drm_vblank.c: drm_crtc_handle_vblank() */
export function drm_crtc_handle_vblank(crtc: drm_crtc): bool {
	return drm_handle_vblank(crtc.dev, crtc.index);
}

/** -EINVAL for what is no request, or one for an event: events need a queue that read() drains. */
function vblank_check_type(type: u32): int {
	const known = _DRM_VBLANK_TYPES_MASK | _DRM_VBLANK_FLAGS_MASK | _DRM_VBLANK_HIGH_CRTC_MASK;
	return type & (~known | _DRM_VBLANK_SIGNAL | _DRM_VBLANK_EVENT) ? -EINVAL : 0;
}

/** The CRTC that is meant: a number in the type, or, as once when there were two, a flag. */
function vblank_pipe(type: u32): unsigned_int {
	const high = (type & _DRM_VBLANK_HIGH_CRTC_MASK) >>> _DRM_VBLANK_HIGH_CRTC_SHIFT;
	return high || (type & _DRM_VBLANK_SECONDARY ? 1 : 0);
}

/** Sleep until @vblank has counted to @target or goes off. -EBUSY: neither for three seconds. */
function vblank_wait(vblank: drm_vblank_crtc, target: u64): int {
	if (vblank.count >= target) return 0;
	const left = wait_event_interruptible_timeout(
		vblank.queue,
		() => vblank.count >= target || !vblank.enabled,
		msecs_to_jiffies(3000),
	);
	return left === 0 ? -EBUSY : 0;
}

/**
 * drm_wait_vblank_ioctl - Sleep until a vertical blank
 *
 * -EINVAL: unknown type, no such CRTC, or it is off; -EBUSY: none came for three seconds; -EOPNOTSUPP.
 * Linux: drivers/gpu/drm/drm_vblank.c: drm_wait_vblank_ioctl()
 */
export function drm_wait_vblank_ioctl(dev: drm_device, vblwait: drm_wait_vblank, _file_priv: drm_file): int {
	const { request, reply } = vblwait;
	if (dev.num_crtcs === 0) return -EOPNOTSUPP;
	let ret = vblank_check_type(request.type);
	if (ret) return ret;
	const pipe = vblank_pipe(request.type);
	if (pipe >= dev.num_crtcs) return -EINVAL;
	ret = drm_vblank_get(dev, pipe);
	if (ret) return ret;

	const vblank = dev.vblank![pipe];
	const now = vblank.count;
	let target = request.sequence + (request.type & _DRM_VBLANK_RELATIVE ? now : 0);
	if (request.type & _DRM_VBLANK_NEXTONMISS && target <= now) target = now + 1;
	ret = vblank_wait(vblank, target);
	reply.sequence = vblank.count >>> 0;
	reply.tval_sec = Math.floor(vblank.time / 1e9);
	reply.tval_usec = Math.floor((vblank.time % 1e9) / 1000);
	drm_vblank_put(dev, pipe);
	return ret;
}
