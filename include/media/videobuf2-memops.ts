// SPDX-License-Identifier: GPL-2.0-only
// What a user's mapping of a buffer holds on to.
// Linux 6.12: include/media/videobuf2-memops.h
import type { refcount_t } from '#linux/refcount.js';

/** How a user mapping keeps its buffer (include/media/videobuf2-memops.h). */
export class vb2_vmarea_handler {
	refcount: refcount_t | null = null;
	put: ((arg: object) => void) | null = null;
	arg: object | null = null;
}
