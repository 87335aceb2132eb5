// SPDX-License-Identifier: GPL-2.0-only
// Sorting a linked list.
// Linux 6.12: include/linux/list_sort.h
import type { list_head } from '#linux/list.js';
import type { int } from '#linux/types.js';

/** Above 0: @a belongs behind @b. @priv is the caller's (include/linux/list_sort.h: list_cmp_func_t). */
export type list_cmp_func_t<T> = (priv: unknown, a: list_head<T>, b: list_head<T>) => int;
