// SPDX-License-Identifier: GPL-2.0-only
// Strings as sysfs compares them, and accesses beyond the end of a buffer.
// Linux 6.12: lib/string_helpers.c
// Left out: sizes for humans, escapes
import { BUG, WARN } from '#linux/bug.js';
import { EINVAL } from '#linux/errno.js';
import type { bool, int, size_t } from '#linux/types.js';

function chomp(s: string): string {
	return s.endsWith('\n') ? s.slice(0, -1) : s;
}

/** Equal, but for one line end (lib/string_helpers.c: sysfs_streq()). */
export function sysfs_streq(a: string, b: string): bool {
	return chomp(a) === chomp(b);
}

/** The place of @string in @array, or -EINVAL (lib/string_helpers.c: match_string()). */
export function match_string(array: readonly string[], string: string): int {
	const i = array.indexOf(string);
	return i < 0 ? -EINVAL : i;
}

/** match_string() that ignores a line end (lib/string_helpers.c: __sysfs_match_string()). */
export function sysfs_match_string(array: readonly string[], str: string): int {
	return match_string(array, chomp(str));
}

/** Report that @func was to access @size bytes of a buffer of @avail, and stop (lib/string_helpers.c: __fortify_panic()). */
export function __fortify_panic(func: string, write: bool, avail: size_t, size: size_t): never {
	const what = write ? 'write' : 'read';
	WARN(true, '%s: detected buffer overflow: %zu byte %s of buffer size %zu', func, size, what, avail);
	BUG();
}
