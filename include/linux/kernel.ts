// SPDX-License-Identifier: GPL-2.0-only
// What everything uses.
// Linux 6.12: include/linux/kernel.h
import { __might_sleep } from '#kernel/sched/core.js';
import type { bool, size_t } from '#linux/types.js';

export { panic } from '#kernel/panic.js';
export { get_option, get_options, memparse } from '#lib/cmdline.js';
export {
	kstrtobool,
	kstrtoint,
	kstrtou32,
	kstrtou64,
	kstrtouint,
	kstrtoul,
	kstrtoull,
} from '#lib/kstrtox.js';
export { kasprintf, scnprintf, snprintf, sprintf } from '#lib/vsprintf.js';
export { ALIGN, ALIGN_DOWN, IS_ALIGNED } from '#linux/align.js';
export { BIT, BIT_ULL, GENMASK, GENMASK_ULL } from '#linux/bits.js';
export { BUG, BUG_ON, WARN, WARN_ON, WARN_ON_ONCE, WARN_ONCE } from '#linux/bug.js';
export { ilog2, is_power_of_2, order_base_2, rounddown_pow_of_two, roundup_pow_of_two } from '#linux/log2.js';
export { DIV_ROUND_CLOSEST, DIV_ROUND_UP, round_down, round_up, rounddown, roundup } from '#linux/math.js';
export { lower_32_bits, upper_32_bits } from '#linux/math64.js';
export { clamp, max, max_t, min, min_t } from '#linux/minmax.js';
export {
	pr_alert,
	pr_crit,
	pr_debug,
	pr_emerg,
	pr_err,
	pr_info,
	pr_notice,
	pr_warn,
	printk,
} from '#linux/printk.js';
export { container_of } from '#linux/types.js';

/** The caller may sleep: report it where that is forbidden (include/linux/kernel.h: might_sleep()). */
export function might_sleep(): void {
	__might_sleep('might_sleep');
}

/** might_sleep() when @cond holds (include/linux/kernel.h: might_sleep_if()). */
export function might_sleep_if(cond: bool): void {
	if (cond) __might_sleep('might_sleep_if');
}

/** The number of entries (include/linux/array_size.h: ARRAY_SIZE()). */
export function ARRAY_SIZE(arr: ArrayLike<unknown>): size_t {
	return arr.length;
}
