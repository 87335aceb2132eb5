// SPDX-License-Identifier: GPL-2.0-only
// Video buffers as V4L2 sees them.
// Linux 6.12: include/media/videobuf2-v4l2.h
// Left out: media requests.

import { vb2_buffer, type vb2_plane, vb2_planes } from '#include/media/videobuf2-core.js';
import { v4l2_timecode } from '#include/uapi/linux/videodev2.js';
import { BUG_ON } from '#linux/bug.js';
import type { bool, s32, u32 } from '#linux/types.js';

export const VB2_V4L2_FL_SUPPORTS_M2M_HOLD_CAPTURE_BUF = 1 << 0;

/** A buffer with what V4L2 knows of it (include/media/videobuf2-v4l2.h: struct vb2_v4l2_buffer). */
export class vb2_v4l2_buffer extends vb2_buffer {
	flags: u32 = 0;
	field: u32 = 0;
	timecode = new v4l2_timecode();
	sequence: u32 = 0;
	request_fd: s32 = -1;
	is_held: bool = false;
	/** What user space said of the planes (struct vb2_v4l2_buffer.planes). */
	readonly user_planes: vb2_plane[] = vb2_planes();
}

/** The V4L2 buffer that @vb is the first member of. */
export function to_vb2_v4l2_buffer(vb: vb2_buffer): vb2_v4l2_buffer {
	BUG_ON(!(vb instanceof vb2_v4l2_buffer));
	return vb as vb2_v4l2_buffer;
}
