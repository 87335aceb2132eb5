// SPDX-License-Identifier: GPL-2.0-only
// The device nodes /dev/videoN.
// Linux 6.12: drivers/media/v4l2-core/v4l2-dev.c
// Left out: node types other than video, priorities, the media entity, debug output, the class's "index" and
// "dev_debug" attributes.
import { class_register, class_unregister } from '#drivers/base/class.js';
import {
	dev_set_name,
	device_register,
	device_unregister,
	get_device,
	put_device,
} from '#drivers/base/core.js';
import { v4l2_device_put } from '#drivers/media/v4l2-core/v4l2-device.js';
import { cdev_add, cdev_alloc, cdev_del } from '#fs/char_dev.js';
import { sysfs_emit } from '#fs/sysfs/file.js';
import {
	V4L2_FL_REGISTERED,
	VFL_TYPE_VIDEO,
	VIDEO_MAJOR,
	VIDEO_NUM_DEVICES,
	type vfl_devnode_type,
	video_device,
	video_is_registered,
} from '#include/media/v4l2-dev.js';
import { v4l2_device_get } from '#include/media/v4l2-device.js';
import { DECLARE_BITMAP, find_first_zero_bit, find_next_zero_bit } from '#linux/bitmap.js';
import { clear_bit, set_bit } from '#linux/bitops.js';
import { WARN_ON } from '#linux/bug.js';
import { type class_, DEVICE_ATTR_RO, dev_name, type device, type device_attribute } from '#linux/device.js';
import { EINVAL, ENFILE, ENODEV, ENOMEM, ENOTTY } from '#linux/errno.js';
import { type file, file_inode, type file_operations, type inode } from '#linux/fs.js';
import { boot_data, subsys_initcall } from '#linux/init.js';
import { iminor, MKDEV } from '#linux/kdev_t.js';
import { INIT_LIST_HEAD } from '#linux/list.js';
import type { vm_area_struct } from '#linux/mm_types.js';
import { mutex, mutex_lock, mutex_unlock } from '#linux/mutex.js';
import { EPOLLERR, EPOLLHUP, EPOLLPRI, type poll_table } from '#linux/poll.js';
import { pr_err, pr_info, pr_warn } from '#linux/printk.js';
import { kfree } from '#linux/slab.js';
import { spin_lock_init } from '#linux/spinlock.js';
import type { sysfs_buf } from '#linux/sysfs.js';
import { container_of, type int, type long, type ssize_t, type unsigned_int } from '#linux/types.js';

const VIDEO_NAME = 'video4linux';

const state = boot_data(() => ({
	/** The device of each minor. */
	video_devices: new Array<video_device | null>(VIDEO_NUM_DEVICES).fill(null),
	videodev_lock: new mutex('videodev_lock'),
	/** Whether /dev/videoN is taken. */
	devnode_nums: DECLARE_BITMAP(VIDEO_NUM_DEVICES),
}));

function to_video_device(cd: device): video_device {
	return container_of(cd, video_device);
}

function name_show(cd: device, _attr: device_attribute, buf: sysfs_buf): ssize_t {
	return sysfs_emit(buf, '%s\n', to_video_device(cd).name);
}
const dev_attr_name = DEVICE_ATTR_RO('name', name_show);

const video_class: class_ = {
	name: VIDEO_NAME,
	dev_groups: [{ attrs: [dev_attr_name] }],
};

/** For a driver whose video_device is part of its own struct. Linux: video_device_release_empty() */
export function video_device_release_empty(_vdev: video_device): void {}

/** The last user of the node is gone. */
function v4l2_device_release(cd: device): void {
	const vdev = to_video_device(cd);
	const v4l2_dev = vdev.v4l2_dev!;

	mutex_lock(state.videodev_lock);
	if (WARN_ON(state.video_devices[vdev.minor] !== vdev)) {
		mutex_unlock(state.videodev_lock);
		return;
	}
	state.video_devices[vdev.minor] = null;
	cdev_del(vdev.cdev!);
	vdev.cdev = null;
	clear_bit(vdev.num, state.devnode_nums);
	mutex_unlock(state.videodev_lock);

	// Without a release of its own the v4l2_device may be gone once the driver has released the node.
	const put = v4l2_dev.release !== null;
	vdev.release!(vdev);
	if (put) v4l2_device_put(v4l2_dev);
}

/** The device behind an open file; null when it is gone. Linux: video_devdata() */
export function video_devdata(file: file): video_device | null {
	return state.video_devices[iminor(file_inode(file))];
}

/** The driver's own data. Linux: include/media/v4l2-dev.h: video_get_drvdata() */
export function video_get_drvdata(vdev: video_device): unknown {
	return vdev.dev.driver_data;
}

/** Keep the driver's own data with the device. Linux: include/media/v4l2-dev.h: video_set_drvdata() */
export function video_set_drvdata(vdev: video_device, data: unknown): void {
	vdev.dev.driver_data = data;
}

/** The driver's own data of the device behind @file. Linux: include/media/v4l2-dev.h: video_drvdata() */
export function video_drvdata(file: file): unknown {
	return video_get_drvdata(video_devdata(file)!);
}

function v4l2_poll(filp: file, poll: poll_table | null): unsigned_int {
	const vdev = video_devdata(filp)!;
	if (!video_is_registered(vdev) || !vdev.fops?.poll) return EPOLLERR | EPOLLHUP | EPOLLPRI;
	return vdev.fops.poll(filp, poll);
}

function v4l2_ioctl(filp: file, cmd: unsigned_int, arg: unknown): long {
	const vdev = video_devdata(filp)!;
	if (!vdev.fops?.unlocked_ioctl) return -ENOTTY;
	return video_is_registered(vdev) ? vdev.fops.unlocked_ioctl(filp, cmd, arg) : -ENODEV;
}

function v4l2_mmap(filp: file, vm: vm_area_struct): int {
	const vdev = video_devdata(filp)!;
	if (!vdev.fops?.mmap) return -ENODEV;
	return video_is_registered(vdev) ? vdev.fops.mmap(filp, vm) : -ENODEV;
}

function v4l2_open(_inode: inode, filp: file): int {
	mutex_lock(state.videodev_lock);
	const vdev = video_devdata(filp);
	if (vdev === null || !video_is_registered(vdev)) {
		mutex_unlock(state.videodev_lock);
		return -ENODEV;
	}
	get_device(vdev.dev);
	mutex_unlock(state.videodev_lock);

	const ret = vdev.fops?.open ? vdev.fops.open(filp) : 0;
	if (ret) put_device(vdev.dev);
	return ret;
}

function v4l2_release(_inode: inode, filp: file): int {
	const vdev = video_devdata(filp)!;
	const ret = vdev.fops?.release ? vdev.fops.release(filp) : 0;
	put_device(vdev.dev);
	return ret;
}

const v4l2_fops: file_operations = {
	open: v4l2_open,
	mmap: v4l2_mmap,
	unlocked_ioctl: v4l2_ioctl,
	release: v4l2_release,
	poll: v4l2_poll,
};

/** What number this node is among those of the same parent. */
function get_index(vdev: video_device): int {
	let index = 0;
	for (const other of state.video_devices)
		if (other !== null && other !== vdev && other.v4l2_dev === vdev.v4l2_dev && other.index >= index)
			index = other.index + 1;
	return index;
}

/** Take a minor and the number @nr, or the first free one when that is taken; -ENFILE when there is none. */
function devnode_reserve(vdev: video_device, nr: int): int {
	let ret = 0;
	mutex_lock(state.videodev_lock);
	let num = find_next_zero_bit(state.devnode_nums, VIDEO_NUM_DEVICES, Math.max(nr, 0));
	if (num >= VIDEO_NUM_DEVICES) num = find_first_zero_bit(state.devnode_nums, VIDEO_NUM_DEVICES);
	const minor = state.video_devices.indexOf(null);
	if (num >= VIDEO_NUM_DEVICES) {
		pr_err('could not get a free device node number');
		ret = -ENFILE;
	} else if (minor === -1) {
		pr_err('could not get a free minor');
		ret = -ENFILE;
	} else {
		vdev.minor = minor;
		vdev.num = num;
		vdev.index = get_index(vdev);
		set_bit(num, state.devnode_nums);
		state.video_devices[minor] = vdev;
	}
	mutex_unlock(state.videodev_lock);
	return ret;
}

/** What devnode_reserve() took; the node was never there for anyone. */
function devnode_release(vdev: video_device): void {
	mutex_lock(state.videodev_lock);
	state.video_devices[vdev.minor] = null;
	clear_bit(vdev.num, state.devnode_nums);
	mutex_unlock(state.videodev_lock);
	vdev.minor = -1;
}

/** Have opens of the node end up here. */
function devnode_add_cdev(vdev: video_device): int {
	const node = cdev_alloc();
	if (node === null) return -ENOMEM;
	node.ops = v4l2_fops;
	const ret = cdev_add(node, MKDEV(VIDEO_MAJOR, vdev.minor), 1);
	if (ret < 0) {
		pr_err('%s: cdev_add failed', '__video_register_device');
		kfree(node);
		return ret;
	}
	vdev.cdev = node;
	return 0;
}

/** Show the device in sysfs, and let it be opened: the lock keeps openers out until both are done. */
function devnode_activate(vdev: video_device, name_base: string, nr: int): int {
	const { dev } = vdev;
	dev.class = video_class;
	dev.devt = MKDEV(VIDEO_MAJOR, vdev.minor);
	dev.parent = vdev.dev_parent;
	dev_set_name(dev, '%s%d', name_base, vdev.num);

	mutex_lock(state.videodev_lock);
	const ret = device_register(dev);
	if (ret < 0) {
		mutex_unlock(state.videodev_lock);
		pr_err('%s: device_register failed', '__video_register_device');
		return ret;
	}
	dev.release = v4l2_device_release;
	if (nr !== -1 && nr !== vdev.num)
		pr_warn('%s: requested %s%d, got %s', '__video_register_device', name_base, nr, dev_name(dev));
	v4l2_device_get(vdev.v4l2_dev!);
	vdev.flags |= V4L2_FL_REGISTERED;
	mutex_unlock(state.videodev_lock);
	return 0;
}

/**
 * Make a device node /dev/videoN; N is @nr when that is free and not -1, else the next free number.
 * Linux: drivers/media/v4l2-core/v4l2-dev.c: video_register_device()
 *
 * -EINVAL when release, v4l2_dev or device_caps are missing, -ENFILE without a free number, -ENOMEM.
 */
export function video_register_device(vdev: video_device, type: vfl_devnode_type, nr: int): int {
	// Until a number is taken, nobody takes it for a registered one.
	vdev.minor = -1;
	if (WARN_ON(!vdev.release) || WARN_ON(!vdev.v4l2_dev) || WARN_ON(!vdev.device_caps)) return -EINVAL;

	spin_lock_init(vdev.fh_lock);
	INIT_LIST_HEAD(vdev.fh_list);
	if (type !== VFL_TYPE_VIDEO) {
		pr_err('%s called with unknown type: %d', '__video_register_device', type);
		return -EINVAL;
	}
	vdev.vfl_type = type;
	vdev.cdev = null;
	if (vdev.dev_parent === null) vdev.dev_parent = vdev.v4l2_dev!.dev;

	let ret = devnode_reserve(vdev, nr);
	if (ret !== 0) return ret;
	undo_reserve: {
		ret = devnode_add_cdev(vdev);
		if (ret !== 0) break undo_reserve;
		ret = devnode_activate(vdev, 'video', nr);
		if (ret === 0) return 0;
		cdev_del(vdev.cdev!);
		vdev.cdev = null;
	}
	devnode_release(vdev);
	return ret;
}

/** No more opens; the node goes with its last user. Linux: video_unregister_device() */
export function video_unregister_device(vdev: video_device | null): void {
	if (!vdev || !video_is_registered(vdev)) return;
	mutex_lock(state.videodev_lock);
	vdev.flags &= ~V4L2_FL_REGISTERED;
	mutex_unlock(state.videodev_lock);
	device_unregister(vdev.dev);
}

function videodev_init(): int {
	pr_info('videodev: Linux video capture interface: v2.00');
	return class_register(video_class);
}

/** The other end of videodev_init(), for a test that takes the subsystem down. */
export function videodev_exit(): void {
	class_unregister(video_class);
}

subsys_initcall(videodev_init);
