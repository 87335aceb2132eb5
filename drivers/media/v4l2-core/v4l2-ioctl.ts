// SPDX-License-Identifier: GPL-2.0-only
// From the number of an ioctl to the driver's operation.
// Linux 6.12: drivers/media/v4l2-core/v4l2-ioctl.c
// Left out: copying from and to user space (the argument is the struct itself), priorities, debug output, and all
// ioctls but those of a memory-to-memory codec.
import { video_devdata } from '#drivers/media/v4l2-core/v4l2-dev.js';
import type { video_device } from '#include/media/v4l2-dev.js';
import { VFL_DIR_M2M, video_is_registered } from '#include/media/v4l2-dev.js';
import type { v4l2_ioctl_ops } from '#include/media/v4l2-ioctl.js';
import {
	V4L2_BUF_TYPE_VIDEO_CAPTURE,
	V4L2_BUF_TYPE_VIDEO_OUTPUT,
	V4L2_CAP_DEVICE_CAPS,
	V4L2_CAP_EXT_PIX_FORMAT,
	V4L2_FMT_FLAG_COMPRESSED,
	V4L2_PIX_FMT_JPEG,
	V4L2_PIX_FMT_NV12,
	V4L2_PIX_FMT_NV12_32L32,
	V4L2_PIX_FMT_PRIV_MAGIC,
	VIDIOC_CREATE_BUFS,
	VIDIOC_DQBUF,
	VIDIOC_ENUM_FMT,
	VIDIOC_EXPBUF,
	VIDIOC_G_FMT,
	VIDIOC_PREPARE_BUF,
	VIDIOC_QBUF,
	VIDIOC_QUERYBUF,
	VIDIOC_QUERYCAP,
	VIDIOC_REQBUFS,
	VIDIOC_S_FMT,
	VIDIOC_STREAMOFF,
	VIDIOC_STREAMON,
	VIDIOC_TRY_FMT,
	type v4l2_buf_type,
	v4l2_buf_type_arg,
	v4l2_buffer,
	v4l2_capability,
	v4l2_create_buffers,
	v4l2_exportbuffer,
	v4l2_fmtdesc,
	v4l2_format,
	v4l2_requestbuffers,
} from '#include/uapi/linux/videodev2.js';
import { EFAULT, EINVAL, ENODEV, ENOTTY } from '#linux/errno.js';
import type { file } from '#linux/fs.js';
import { mutex_lock, mutex_unlock } from '#linux/mutex.js';
import { pr_warn } from '#linux/printk.js';
import type { int, long, unsigned_int } from '#linux/types.js';

/** LINUX_VERSION_CODE of the reference. */
const LINUX_VERSION_CODE = (6 << 16) | (12 << 8) | 117;

function v4l_querycap(ops: v4l2_ioctl_ops, file: file, fh: unknown, cap: v4l2_capability): int {
	const vfd = video_devdata(file)!;

	cap.version = LINUX_VERSION_CODE;
	cap.device_caps = vfd.device_caps;
	cap.capabilities = (vfd.device_caps | V4L2_CAP_DEVICE_CAPS) >>> 0;
	const ret = ops.vidioc_querycap!(file, fh, cap);
	cap.capabilities = (cap.capabilities | V4L2_CAP_EXT_PIX_FORMAT) >>> 0;
	cap.device_caps = (cap.device_caps | V4L2_CAP_EXT_PIX_FORMAT) >>> 0;
	return ret;
}

function v4l_fill_fmtdesc(fmt: v4l2_fmtdesc): void {
	switch (fmt.pixelformat) {
		case V4L2_PIX_FMT_NV12:
			fmt.description = 'Y/UV 4:2:0';
			break;
		case V4L2_PIX_FMT_NV12_32L32:
			fmt.description = 'Y/UV 4:2:0 (32x32 Linear)';
			break;
		case V4L2_PIX_FMT_JPEG:
			fmt.description = 'JFIF JPEG';
			fmt.flags = V4L2_FMT_FLAG_COMPRESSED;
			break;
		default:
			pr_warn('Unknown pixelformat 0x%08x', fmt.pixelformat);
			break;
	}
}

function check_fmt(file: file, type: v4l2_buf_type): int {
	const { ioctl_ops, vfl_dir } = video_devdata(file)!;
	if (ioctl_ops === null || vfl_dir !== VFL_DIR_M2M) return -EINVAL;
	if (type === V4L2_BUF_TYPE_VIDEO_CAPTURE && ioctl_ops.vidioc_g_fmt_vid_cap) return 0;
	if (type === V4L2_BUF_TYPE_VIDEO_OUTPUT && ioctl_ops.vidioc_g_fmt_vid_out) return 0;
	return -EINVAL;
}

function v4l_enum_fmt(ops: v4l2_ioctl_ops, file: file, fh: unknown, p: v4l2_fmtdesc): int {
	let ret = check_fmt(file, p.type);
	if (ret) return ret;
	const op =
		p.type === V4L2_BUF_TYPE_VIDEO_OUTPUT ? ops.vidioc_enum_fmt_vid_out : ops.vidioc_enum_fmt_vid_cap;
	ret = op ? op(file, fh, p) : -EINVAL;
	if (ret === 0) v4l_fill_fmtdesc(p);
	return ret;
}

function v4l_g_fmt(ops: v4l2_ioctl_ops, file: file, fh: unknown, p: v4l2_format): int {
	let ret = check_fmt(file, p.type);
	if (ret) return ret;
	const op = p.type === V4L2_BUF_TYPE_VIDEO_OUTPUT ? ops.vidioc_g_fmt_vid_out : ops.vidioc_g_fmt_vid_cap;
	ret = op ? op(file, fh, p) : -EINVAL;
	p.fmt.pix.priv = V4L2_PIX_FMT_PRIV_MAGIC;
	return ret;
}

function v4l_s_fmt(ops: v4l2_ioctl_ops, file: file, fh: unknown, p: v4l2_format): int {
	let ret = check_fmt(file, p.type);
	if (ret) return ret;
	const op = p.type === V4L2_BUF_TYPE_VIDEO_OUTPUT ? ops.vidioc_s_fmt_vid_out : ops.vidioc_s_fmt_vid_cap;
	ret = op ? op(file, fh, p) : -EINVAL;
	p.fmt.pix.priv = V4L2_PIX_FMT_PRIV_MAGIC;
	return ret;
}

function v4l_try_fmt(ops: v4l2_ioctl_ops, file: file, fh: unknown, p: v4l2_format): int {
	let ret = check_fmt(file, p.type);
	if (ret) return ret;
	const op = p.type === V4L2_BUF_TYPE_VIDEO_OUTPUT ? ops.vidioc_try_fmt_vid_out : ops.vidioc_try_fmt_vid_cap;
	ret = op ? op(file, fh, p) : -EINVAL;
	p.fmt.pix.priv = V4L2_PIX_FMT_PRIV_MAGIC;
	return ret;
}

function __video_do_ioctl(vfd: video_device, file: file, cmd: unsigned_int, arg: unknown): long {
	const ops = vfd.ioctl_ops;
	const fh = file.private_data;
	if (ops === null) {
		pr_warn('%s: has no ioctl_ops.', vfd.name);
		return -ENOTTY;
	}
	const lock = vfd.lock;

	if (lock) mutex_lock(lock);
	const ret = ((): int => {
		if (!video_is_registered(vfd)) return -ENODEV;
		// An argument of another type is, in C, an address that does not hold what it should.
		switch (cmd) {
			case VIDIOC_QUERYCAP:
				if (!ops.vidioc_querycap) return -ENOTTY;
				return arg instanceof v4l2_capability ? v4l_querycap(ops, file, fh, arg) : -EFAULT;
			case VIDIOC_ENUM_FMT:
				return arg instanceof v4l2_fmtdesc ? v4l_enum_fmt(ops, file, fh, arg) : -EFAULT;
			case VIDIOC_G_FMT:
				return arg instanceof v4l2_format ? v4l_g_fmt(ops, file, fh, arg) : -EFAULT;
			case VIDIOC_S_FMT:
				return arg instanceof v4l2_format ? v4l_s_fmt(ops, file, fh, arg) : -EFAULT;
			case VIDIOC_TRY_FMT:
				return arg instanceof v4l2_format ? v4l_try_fmt(ops, file, fh, arg) : -EFAULT;
			case VIDIOC_REQBUFS:
				if (!ops.vidioc_reqbufs) return -ENOTTY;
				if (!(arg instanceof v4l2_requestbuffers)) return -EFAULT;
				arg.capabilities = 0;
				return check_fmt(file, arg.type) || ops.vidioc_reqbufs(file, fh, arg);
			case VIDIOC_QUERYBUF:
				if (!ops.vidioc_querybuf) return -ENOTTY;
				if (!(arg instanceof v4l2_buffer)) return -EFAULT;
				return check_fmt(file, arg.type) || ops.vidioc_querybuf(file, fh, arg);
			case VIDIOC_QBUF:
				if (!ops.vidioc_qbuf) return -ENOTTY;
				if (!(arg instanceof v4l2_buffer)) return -EFAULT;
				return check_fmt(file, arg.type) || ops.vidioc_qbuf(file, fh, arg);
			case VIDIOC_EXPBUF:
				if (!ops.vidioc_expbuf) return -ENOTTY;
				return arg instanceof v4l2_exportbuffer ? ops.vidioc_expbuf(file, fh, arg) : -EFAULT;
			case VIDIOC_DQBUF:
				if (!ops.vidioc_dqbuf) return -ENOTTY;
				if (!(arg instanceof v4l2_buffer)) return -EFAULT;
				return check_fmt(file, arg.type) || ops.vidioc_dqbuf(file, fh, arg);
			case VIDIOC_CREATE_BUFS:
				if (!ops.vidioc_create_bufs) return -ENOTTY;
				if (!(arg instanceof v4l2_create_buffers)) return -EFAULT;
				return check_fmt(file, arg.format.type) || ops.vidioc_create_bufs(file, fh, arg);
			case VIDIOC_PREPARE_BUF:
				if (!ops.vidioc_prepare_buf) return -ENOTTY;
				if (!(arg instanceof v4l2_buffer)) return -EFAULT;
				return check_fmt(file, arg.type) || ops.vidioc_prepare_buf(file, fh, arg);
			case VIDIOC_STREAMON:
				if (!ops.vidioc_streamon) return -ENOTTY;
				return arg instanceof v4l2_buf_type_arg ? ops.vidioc_streamon(file, fh, arg.value) : -EFAULT;
			case VIDIOC_STREAMOFF:
				if (!ops.vidioc_streamoff) return -ENOTTY;
				return arg instanceof v4l2_buf_type_arg ? ops.vidioc_streamoff(file, fh, arg.value) : -EFAULT;
			default:
				return -ENOTTY;
		}
	})();
	if (lock) mutex_unlock(lock);
	return ret;
}

/**
 * The unlocked_ioctl of a V4L2 driver: @cmd is a VIDIOC_ number, @arg the struct that it takes.
 * Linux: drivers/media/v4l2-core/v4l2-ioctl.c: video_ioctl2()
 *
 * -ENOTTY: no such ioctl here; -EFAULT: not the struct of that ioctl; else the driver's answer.
 */
export function video_ioctl2(file: file, cmd: unsigned_int, arg: unknown): long {
	return __video_do_ioctl(video_devdata(file)!, file, cmd, arg);
}
