// SPDX-License-Identifier: GPL-2.0-only
// Numbers from strings.
// Linux 6.12: include/linux/kstrtox.h
export {
	kstrtobool,
	kstrtoint,
	kstrtol,
	kstrtoll,
	kstrtou8,
	kstrtou16,
	kstrtou32,
	kstrtou64,
	kstrtouint,
	kstrtoul,
	kstrtoull,
	simple_strtoul,
} from '#lib/kstrtox.js';
