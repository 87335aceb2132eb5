// SPDX-License-Identifier: GPL-2.0-only
// What a V4L2 driver keeps for each open file.
// Linux 6.12: include/media/v4l2-fh.h
// Left out: events, priorities.
import type { v4l2_ctrl_handler } from '#include/media/v4l2-ctrls.js';
import type { video_device } from '#include/media/v4l2-dev.js';
import type { v4l2_m2m_ctx } from '#include/media/v4l2-mem2mem.js';
import { list_head } from '#linux/list.js';

/** An open file of a node (include/media/v4l2-fh.h: struct v4l2_fh). */
export class v4l2_fh {
	readonly container: object | null;
	readonly list = new list_head<v4l2_fh>(this);
	vdev: video_device | null = null;
	ctrl_handler: v4l2_ctrl_handler | null = null;
	m2m_ctx: v4l2_m2m_ctx | null = null;
	constructor(container: object | null = null) {
		this.container = container;
	}
}
