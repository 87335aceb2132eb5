// SPDX-License-Identifier: GPL-2.0-only
// A V4L2 device node.
// Linux 6.12: include/media/v4l2-dev.h
// Left out: radio, VBI, touch and sub-device nodes; the media entity; valid_ioctls (an op that is missing is invalid).
import type { v4l2_ctrl_handler } from '#include/media/v4l2-ctrls.js';
import type { v4l2_device } from '#include/media/v4l2-device.js';
import type { v4l2_fh } from '#include/media/v4l2-fh.js';
import type { v4l2_ioctl_ops } from '#include/media/v4l2-ioctl.js';
import type { cdev } from '#linux/cdev.js';
import { device } from '#linux/device.js';
import type { file } from '#linux/fs.js';
import { list_head } from '#linux/list.js';
import type { vm_area_struct } from '#linux/mm_types.js';
import type { mutex } from '#linux/mutex.js';
import type { poll_table } from '#linux/poll.js';
import { spinlock_t } from '#linux/spinlock.js';
import type { bool, int, long, u32, unsigned_int, unsigned_long } from '#linux/types.js';

export const VIDEO_MAJOR = 81;
export const VIDEO_NUM_DEVICES = 256;

// enum vfl_devnode_type
export type vfl_devnode_type = unsigned_int;
export const VFL_TYPE_VIDEO = 0;

// enum vfl_devnode_direction
export const VFL_DIR_RX = 0;
export const VFL_DIR_TX = 1;
export const VFL_DIR_M2M = 2;

// struct video_device.flags, as bits
export const V4L2_FL_REGISTERED = 1 << 0;
export const V4L2_FL_USES_V4L2_FH = 1 << 1;

export interface v4l2_file_operations {
	readonly open?: (file: file) => int;
	readonly release?: (file: file) => int;
	readonly poll?: (file: file, wait: poll_table | null) => unsigned_int;
	readonly unlocked_ioctl?: (file: file, cmd: unsigned_int, arg: unknown) => long;
	readonly mmap?: (file: file, vma: vm_area_struct) => int;
}

/** A device node /dev/videoN (include/media/v4l2-dev.h: struct video_device). */
export class video_device {
	fops: v4l2_file_operations | null = null;
	device_caps: u32 = 0;
	readonly dev = new device(this);
	cdev: cdev | null = null;
	v4l2_dev: v4l2_device | null = null;
	dev_parent: device | null = null;
	ctrl_handler: v4l2_ctrl_handler | null = null;
	name = '';
	vfl_type: vfl_devnode_type = VFL_TYPE_VIDEO;
	vfl_dir: unsigned_int = VFL_DIR_RX;
	minor: int = -1;
	num: int = 0;
	flags: unsigned_long = 0;
	index: int = 0;
	readonly fh_lock = new spinlock_t('&vdev->fh_lock');
	readonly fh_list = new list_head<v4l2_fh>();
	release: ((vdev: video_device) => void) | null = null;
	ioctl_ops: v4l2_ioctl_ops | null = null;
	/** Serialises the ioctls. */
	lock: mutex | null = null;
}

/** Whether the node is there for user space. */
export function video_is_registered(vdev: video_device): bool {
	return (vdev.flags & V4L2_FL_REGISTERED) !== 0;
}
