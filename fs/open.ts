// SPDX-License-Identifier: GPL-2.0-only
// Opening a device node.
// Linux 6.12: fs/open.c, fs/ioctl.c
// Left out: paths (a node is named by its device number), permissions, files that are no character devices.
import { chrdev_open } from '#fs/char_dev.js';
import { fd_install, fget, get_unused_fd_flags, put_unused_fd } from '#fs/file.js';
import { alloc_empty_file, fput } from '#fs/file_table.js';
import { ERR_PTR, type err_ptr, IS_ERR, PTR_ERR } from '#linux/err.js';
import { EBADF, ENOMEM, ENOTTY } from '#linux/errno.js';
import { type file, inode } from '#linux/fs.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { kfree, kzalloc } from '#linux/slab.js';
import type { dev_t, int, long, unsigned_int } from '#linux/types.js';

/** An open file of the device @rdev, or the error of its driver (fs/open.c: filp_open()). */
export function filp_open(rdev: dev_t, flags: int): file | err_ptr {
	const node = kzalloc(inode, GFP_KERNEL);
	if (!node) return ERR_PTR(-ENOMEM);
	node.i_rdev = rdev;

	const filp = alloc_empty_file(flags);
	if (IS_ERR(filp)) {
		kfree(node);
		return filp;
	}
	filp.f_inode = node;
	const ret = chrdev_open(node, filp);
	if (ret) {
		kfree(node);
		kfree(filp);
		return ERR_PTR(ret);
	}
	return filp;
}

/** The open() of a user program: a file descriptor, or a negative errno (fs/open.c: do_sys_open()). */
export function do_sys_open(rdev: dev_t, flags: int): int {
	const fd = get_unused_fd_flags(flags);
	if (fd < 0) return fd;
	const filp = filp_open(rdev, flags);
	if (IS_ERR(filp)) {
		put_unused_fd(fd);
		return PTR_ERR(filp);
	}
	fd_install(fd, filp);
	return fd;
}

/** The ioctl() of a user program; @arg is the struct that C's address means. Linux: fs/ioctl.c: vfs_ioctl() */
export function ksys_ioctl(fd: int, cmd: unsigned_int, arg: unknown): long {
	const filp = fget(fd);
	if (!filp) return -EBADF;
	const ret = filp.f_op?.unlocked_ioctl ? filp.f_op.unlocked_ioctl(filp, cmd, arg) : -ENOTTY;
	fput(filp);
	return ret;
}
