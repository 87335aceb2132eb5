// SPDX-License-Identifier: GPL-2.0-only
// Messages that say which device they are about.
// Linux 6.12: include/linux/dev_printk.h; __dev_printk() is drivers/base/core.c's

import { deref } from '#arch/arm64/mm/fault.js';
import { __do_once_lite, __printk_ratelimited } from '#kernel/panic.js';
import { printk_state, vprintk_emit } from '#kernel/printk/printk.js';
import { kasprintf_va, type printk_arg } from '#lib/vsprintf.js';
import { WARN, WARN_ONCE } from '#linux/bug.js';
import type { device } from '#linux/device.js';
import { ENOMEM, EPROBE_DEFER, errname } from '#linux/errno.js';
import type { bool, int } from '#linux/types.js';

function prefix(dev: device): string {
	const name = deref(dev).init_name ?? dev.kobj.name ?? '(null)';
	return `${dev.driver?.name ?? dev.bus?.name ?? dev.class?.name ?? ''} ${name}: `;
}

function dev_printk_emit(level: int, dev: device | null, fmt: string, args: printk_arg[]): int {
	const text = kasprintf_va(fmt, args);
	return vprintk_emit(level, '%s', [dev === null ? `(NULL device *): ${text}` : prefix(dev) + text]);
}

/** A message of @level, KERN_ERR and the like (include/linux/dev_printk.h: dev_printk()). */
export function dev_printk(level: string, dev: device | null, fmt: string, ...args: printk_arg[]): void {
	dev_printk_emit(level.length > 1 ? level.charCodeAt(1) - 0x30 : -1, dev, fmt, args);
}

/** Log at level 0, the device's name in front: the system is unusable (include/linux/dev_printk.h: dev_emerg()). */
export function dev_emerg(dev: device | null, fmt: string, ...args: printk_arg[]): void {
	dev_printk_emit(0, dev, fmt, args);
}

/** Log at level 1, the device's name in front: something must be done at once (include/linux/dev_printk.h: dev_alert()). */
export function dev_alert(dev: device | null, fmt: string, ...args: printk_arg[]): void {
	dev_printk_emit(1, dev, fmt, args);
}

/** Log at level 2, the device's name in front: critical (include/linux/dev_printk.h: dev_crit()). */
export function dev_crit(dev: device | null, fmt: string, ...args: printk_arg[]): void {
	dev_printk_emit(2, dev, fmt, args);
}

/** Log at level 3, the device's name in front: an error (include/linux/dev_printk.h: dev_err()). */
export function dev_err(dev: device | null, fmt: string, ...args: printk_arg[]): void {
	dev_printk_emit(3, dev, fmt, args);
}

/** Log at level 4, the device's name in front: a warning (include/linux/dev_printk.h: dev_warn()). */
export function dev_warn(dev: device | null, fmt: string, ...args: printk_arg[]): void {
	dev_printk_emit(4, dev, fmt, args);
}

/** Log at level 5, the device's name in front: normal, but worth a look (include/linux/dev_printk.h: dev_notice()). */
export function dev_notice(dev: device | null, fmt: string, ...args: printk_arg[]): void {
	dev_printk_emit(5, dev, fmt, args);
}

/** Log at level 6, the device's name in front: what is going on (include/linux/dev_printk.h: dev_info()). */
export function dev_info(dev: device | null, fmt: string, ...args: printk_arg[]): void {
	dev_printk_emit(6, dev, fmt, args);
}

/** Log at level 7, the device's name in front: silent without dyndbg (include/linux/dev_printk.h: dev_dbg()). */
export function dev_dbg(dev: device | null, fmt: string, ...args: printk_arg[]): void {
	if (printk_state.dynamic_debug) dev_printk_emit(7, dev, fmt, args);
}

export const dev_vdbg = dev_dbg;

/** dev_err(), the first time only (include/linux/dev_printk.h: dev_err_once()). */
export function dev_err_once(dev: device | null, fmt: string, ...args: printk_arg[]): void {
	if (__do_once_lite(fmt)) dev_printk_emit(3, dev, fmt, args);
}

/** dev_warn(), the first time only (include/linux/dev_printk.h: dev_warn_once()). */
export function dev_warn_once(dev: device | null, fmt: string, ...args: printk_arg[]): void {
	if (__do_once_lite(fmt)) dev_printk_emit(4, dev, fmt, args);
}

/** dev_notice(), the first time only (include/linux/dev_printk.h: dev_notice_once()). */
export function dev_notice_once(dev: device | null, fmt: string, ...args: printk_arg[]): void {
	if (__do_once_lite(fmt)) dev_printk_emit(5, dev, fmt, args);
}

/** dev_info(), the first time only (include/linux/dev_printk.h: dev_info_once()). */
export function dev_info_once(dev: device | null, fmt: string, ...args: printk_arg[]): void {
	if (__do_once_lite(fmt)) dev_printk_emit(6, dev, fmt, args);
}

/** dev_dbg(), the first time only (include/linux/dev_printk.h: dev_dbg_once()). */
export function dev_dbg_once(dev: device | null, fmt: string, ...args: printk_arg[]): void {
	if (printk_state.dynamic_debug && __do_once_lite(fmt)) dev_printk_emit(7, dev, fmt, args);
}

/** dev_err(), at most 10 times in 5 seconds (include/linux/dev_printk.h: dev_err_ratelimited()). */
export function dev_err_ratelimited(dev: device | null, fmt: string, ...args: printk_arg[]): void {
	if (__printk_ratelimited(fmt)) dev_printk_emit(3, dev, fmt, args);
}

/** dev_warn(), at most 10 times in 5 seconds (include/linux/dev_printk.h: dev_warn_ratelimited()). */
export function dev_warn_ratelimited(dev: device | null, fmt: string, ...args: printk_arg[]): void {
	if (__printk_ratelimited(fmt)) dev_printk_emit(4, dev, fmt, args);
}

/** dev_notice(), at most 10 times in 5 seconds (include/linux/dev_printk.h: dev_notice_ratelimited()). */
export function dev_notice_ratelimited(dev: device | null, fmt: string, ...args: printk_arg[]): void {
	if (__printk_ratelimited(fmt)) dev_printk_emit(5, dev, fmt, args);
}

/** dev_info(), at most 10 times in 5 seconds (include/linux/dev_printk.h: dev_info_ratelimited()). */
export function dev_info_ratelimited(dev: device | null, fmt: string, ...args: printk_arg[]): void {
	if (__printk_ratelimited(fmt)) dev_printk_emit(6, dev, fmt, args);
}

/** dev_dbg(), at most 10 times in 5 seconds (include/linux/dev_printk.h: dev_dbg_ratelimited()). */
export function dev_dbg_ratelimited(dev: device | null, fmt: string, ...args: printk_arg[]): void {
	if (printk_state.dynamic_debug && __printk_ratelimited(fmt)) dev_printk_emit(7, dev, fmt, args);
}

/** WARN() with the device in front (include/linux/dev_printk.h: dev_WARN()). */
export function dev_WARN(dev: device, fmt: string, ...args: printk_arg[]): bool {
	return WARN(true, '%s', prefix(dev) + kasprintf_va(fmt, args));
}

/** WARN_ONCE() with the device in front (include/linux/dev_printk.h: dev_WARN_ONCE()). */
export function dev_WARN_ONCE(dev: device, condition: bool, format: string, ...args: printk_arg[]): bool {
	return condition && WARN_ONCE(true, '%s', prefix(dev) + kasprintf_va(format, args));
}

function __dev_probe_failed(dev: device, err: int, level: int, fmt: string, args: printk_arg[]): int {
	const text = kasprintf_va(fmt, args);
	if (err === -EPROBE_DEFER) {
		// The reason stands in debugfs' devices_deferred until the probe works out.
		if (dev.p !== null) dev.p.deferred_probe_reason = prefix(dev) + text;
		dev_dbg(dev, 'error %s: %s', errname(err), text);
	} else if (err !== -ENOMEM) {
		dev_printk_emit(level, dev, 'error %s: %s', [errname(err), text]);
	}
	return err;
}

/** Report why a probe failed, quietly when it will be tried again; @err (drivers/base/core.c: dev_err_probe()). */
export function dev_err_probe(dev: device, err: int, fmt: string, ...args: printk_arg[]): int {
	return __dev_probe_failed(dev, err, 3, fmt, args);
}

/** dev_err_probe() as a warning (drivers/base/core.c: dev_warn_probe()). */
export function dev_warn_probe(dev: device, err: int, fmt: string, ...args: printk_arg[]): int {
	return __dev_probe_failed(dev, err, 4, fmt, args);
}
