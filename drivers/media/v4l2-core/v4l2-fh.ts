// SPDX-License-Identifier: GPL-2.0-only
// The open files of a video device.
// Linux 6.12: drivers/media/v4l2-core/v4l2-fh.c
// Left out: events, priorities.
import { V4L2_FL_USES_V4L2_FH, type video_device } from '#include/media/v4l2-dev.js';
import type { v4l2_fh } from '#include/media/v4l2-fh.js';
import { INIT_LIST_HEAD, list_add, list_del_init } from '#linux/list.js';
import { spin_lock_irqsave, spin_unlock_irqrestore } from '#linux/spinlock.js';

/** Linux: v4l2_fh_init() */
export function v4l2_fh_init(fh: v4l2_fh, vdev: video_device): void {
	fh.vdev = vdev;
	fh.ctrl_handler = vdev.ctrl_handler;
	INIT_LIST_HEAD(fh.list);
	vdev.flags |= V4L2_FL_USES_V4L2_FH;
}

/** Linux: v4l2_fh_add() */
export function v4l2_fh_add(fh: v4l2_fh): void {
	const vdev = fh.vdev!;
	const flags = spin_lock_irqsave(vdev.fh_lock);
	list_add(fh.list, vdev.fh_list);
	spin_unlock_irqrestore(vdev.fh_lock, flags);
}

/** Linux: v4l2_fh_del() */
export function v4l2_fh_del(fh: v4l2_fh): void {
	const vdev = fh.vdev!;
	const flags = spin_lock_irqsave(vdev.fh_lock);
	list_del_init(fh.list);
	spin_unlock_irqrestore(vdev.fh_lock, flags);
}

/** Linux: v4l2_fh_exit() */
export function v4l2_fh_exit(fh: v4l2_fh): void {
	fh.vdev = null;
}
