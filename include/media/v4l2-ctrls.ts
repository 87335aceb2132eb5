// SPDX-License-Identifier: GPL-2.0-only
// Controls of a V4L2 device: the handler alone.
// Linux 6.12: include/media/v4l2-ctrls.h
// Left out: controls. The JPEG decoder has none: it reads the picture's own headers.
import type { int } from '#linux/types.js';

/** Stands for the controls, which are left out (include/media/v4l2-ctrls.h). */
export class v4l2_ctrl_handler {
	error: int = 0;
	nr_of_controls: int = 0;
}
