// SPDX-License-Identifier: GPL-2.0-only
// Reset lines, for those who use them.
// Linux 6.12: include/linux/reset.h
//
// A control may be null: an absent optional one, on which every call succeeds and does nothing.
// Left out: reset_control_get_count() and the _released family.
import {
	__devm_reset_control_get,
	__reset_control_get,
	RESET_CONTROL_EXCLUSIVE,
	RESET_CONTROL_OPTIONAL_EXCLUSIVE,
	RESET_CONTROL_OPTIONAL_SHARED,
	RESET_CONTROL_SHARED,
	type reset_control,
} from '#drivers/reset/core.js';
import type { device } from '#linux/device.js';
import type { err_ptr } from '#linux/err.js';

export type { reset_control };

/** The line for @dev alone; an error when it has none (include/linux/reset.h: devm_reset_control_get_exclusive()). */
export function devm_reset_control_get_exclusive(dev: device, id: string | null): reset_control | err_ptr {
	return __devm_reset_control_get(dev, id, 0, RESET_CONTROL_EXCLUSIVE) as reset_control | err_ptr;
}

export const devm_reset_control_get = devm_reset_control_get_exclusive;

/** A line that others may hold released (include/linux/reset.h: devm_reset_control_get_shared()). */
export function devm_reset_control_get_shared(dev: device, id: string | null): reset_control | err_ptr {
	return __devm_reset_control_get(dev, id, 0, RESET_CONTROL_SHARED) as reset_control | err_ptr;
}

/** The line, or null when the tree names none. */
export function devm_reset_control_get_optional(
	dev: device,
	id: string | null,
): reset_control | err_ptr | null {
	return __devm_reset_control_get(dev, id, 0, RESET_CONTROL_OPTIONAL_EXCLUSIVE);
}

export const devm_reset_control_get_optional_exclusive = devm_reset_control_get_optional;

/** devm_reset_control_get_shared() that answers null when there is none (include/linux/reset.h: devm_reset_control_get_optional_shared()). */
export function devm_reset_control_get_optional_shared(
	dev: device,
	id: string | null,
): reset_control | err_ptr | null {
	return __devm_reset_control_get(dev, id, 0, RESET_CONTROL_OPTIONAL_SHARED);
}

/** The reset line @id of @dev for @dev alone, or an error pointer (include/linux/reset.h: reset_control_get_exclusive()). */
export function reset_control_get_exclusive(dev: device, id: string | null): reset_control | err_ptr {
	return __reset_control_get(dev, id, 0, RESET_CONTROL_EXCLUSIVE) as reset_control | err_ptr;
}

/** The reset line @id of @dev, that others may hold too, or an error pointer (include/linux/reset.h: reset_control_get_shared()). */
export function reset_control_get_shared(dev: device, id: string | null): reset_control | err_ptr {
	return __reset_control_get(dev, id, 0, RESET_CONTROL_SHARED) as reset_control | err_ptr;
}
