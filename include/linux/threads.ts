// SPDX-License-Identifier: GPL-2.0-only
// How many CPUs there can be.
// Linux 6.12: include/linux/threads.h

export const NR_CPUS = 32;
