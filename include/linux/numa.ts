// SPDX-License-Identifier: GPL-2.0-only
// Memory nodes: there is one.
// Linux 6.12: include/linux/numa.h
import type { int } from '#linux/types.js';

export const NUMA_NO_NODE: int = -1;
export const MAX_NUMNODES = 1;
