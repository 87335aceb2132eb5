// SPDX-License-Identifier: GPL-2.0-only
// A V4L2 driver's answers to the ioctls of user space.
// Linux 6.12: include/media/v4l2-ioctl.h
// Left out: all but what a memory-to-memory video codec has.
import type {
	v4l2_buf_type,
	v4l2_buffer,
	v4l2_capability,
	v4l2_create_buffers,
	v4l2_exportbuffer,
	v4l2_fmtdesc,
	v4l2_format,
	v4l2_requestbuffers,
} from '#include/uapi/linux/videodev2.js';
import type { file } from '#linux/fs.js';
import type { int } from '#linux/types.js';

/** @fh is file->private_data: the driver's struct v4l2_fh. */
type ioctl_op<T> = (file: file, fh: unknown, arg: T) => int;

export interface v4l2_ioctl_ops {
	readonly vidioc_querycap?: ioctl_op<v4l2_capability>;
	readonly vidioc_enum_fmt_vid_cap?: ioctl_op<v4l2_fmtdesc>;
	readonly vidioc_enum_fmt_vid_out?: ioctl_op<v4l2_fmtdesc>;
	readonly vidioc_g_fmt_vid_cap?: ioctl_op<v4l2_format>;
	readonly vidioc_g_fmt_vid_out?: ioctl_op<v4l2_format>;
	readonly vidioc_s_fmt_vid_cap?: ioctl_op<v4l2_format>;
	readonly vidioc_s_fmt_vid_out?: ioctl_op<v4l2_format>;
	readonly vidioc_try_fmt_vid_cap?: ioctl_op<v4l2_format>;
	readonly vidioc_try_fmt_vid_out?: ioctl_op<v4l2_format>;
	readonly vidioc_reqbufs?: ioctl_op<v4l2_requestbuffers>;
	readonly vidioc_querybuf?: ioctl_op<v4l2_buffer>;
	readonly vidioc_qbuf?: ioctl_op<v4l2_buffer>;
	readonly vidioc_expbuf?: ioctl_op<v4l2_exportbuffer>;
	readonly vidioc_dqbuf?: ioctl_op<v4l2_buffer>;
	readonly vidioc_create_bufs?: ioctl_op<v4l2_create_buffers>;
	readonly vidioc_prepare_buf?: ioctl_op<v4l2_buffer>;
	readonly vidioc_streamon?: ioctl_op<v4l2_buf_type>;
	readonly vidioc_streamoff?: ioctl_op<v4l2_buf_type>;
}
