// SPDX-License-Identifier: GPL-2.0-only
// Error numbers; kernel functions return them negated.
// Linux 6.12: include/linux/errno.h, include/uapi/asm-generic/errno.h
import type { int } from '#linux/types.js';

export const EPERM = 1;
export const ENOENT = 2;
export const ESRCH = 3;
export const EINTR = 4;
export const EIO = 5;
export const ENXIO = 6;
export const E2BIG = 7;
export const ENOEXEC = 8;
export const EBADF = 9;
export const ECHILD = 10;
export const EAGAIN = 11;
export const ENOMEM = 12;
export const EACCES = 13;
export const EFAULT = 14;
export const ENOTBLK = 15;
export const EBUSY = 16;
export const EEXIST = 17;
export const EXDEV = 18;
export const ENODEV = 19;
export const ENOTDIR = 20;
export const EISDIR = 21;
export const EINVAL = 22;
export const ENFILE = 23;
export const EMFILE = 24;
export const ENOTTY = 25;
export const ETXTBSY = 26;
export const EFBIG = 27;
export const ENOSPC = 28;
export const ESPIPE = 29;
export const EROFS = 30;
export const EMLINK = 31;
export const EPIPE = 32;
export const EDOM = 33;
export const ERANGE = 34;
export const EDEADLK = 35;
export const ENAMETOOLONG = 36;
export const ENOSYS = 38;
export const ELOOP = 40;
export const EBADR = 53;
export const ENODATA = 61;
export const EPROTO = 71;
export const EBADMSG = 74;
export const EOVERFLOW = 75;
export const EILSEQ = 84;
export const EMSGSIZE = 90;
export const EPROTONOSUPPORT = 93;
export const EOPNOTSUPP = 95;
export const EADDRINUSE = 98;
export const ENETDOWN = 100;
export const ESHUTDOWN = 108;
export const ENOTCONN = 107;
export const ETIMEDOUT = 110;
export const EALREADY = 114;
export const EINPROGRESS = 115;
export const ECANCELED = 125;
export const EREMOTEIO = 121;
export const ERESTARTSYS = 512;
export const ENOIOCTLCMD = 515;
export const EPROBE_DEFER = 517;
export const ENOTSUPP = 524;

const errno_names: Record<int, string> = {
	[EPERM]: 'EPERM',
	[ENOENT]: 'ENOENT',
	[ESRCH]: 'ESRCH',
	[EINTR]: 'EINTR',
	[EIO]: 'EIO',
	[ENXIO]: 'ENXIO',
	[E2BIG]: 'E2BIG',
	[ENOEXEC]: 'ENOEXEC',
	[EBADF]: 'EBADF',
	[ECHILD]: 'ECHILD',
	[EAGAIN]: 'EAGAIN',
	[ENOMEM]: 'ENOMEM',
	[EACCES]: 'EACCES',
	[EFAULT]: 'EFAULT',
	[ENOTBLK]: 'ENOTBLK',
	[EBUSY]: 'EBUSY',
	[EEXIST]: 'EEXIST',
	[EXDEV]: 'EXDEV',
	[EBADR]: 'EBADR',
	[ENODEV]: 'ENODEV',
	[ENOTDIR]: 'ENOTDIR',
	[EISDIR]: 'EISDIR',
	[EINVAL]: 'EINVAL',
	[ENFILE]: 'ENFILE',
	[EMFILE]: 'EMFILE',
	[ENOTTY]: 'ENOTTY',
	[ETXTBSY]: 'ETXTBSY',
	[EFBIG]: 'EFBIG',
	[ENOSPC]: 'ENOSPC',
	[ESPIPE]: 'ESPIPE',
	[EROFS]: 'EROFS',
	[EMLINK]: 'EMLINK',
	[EPIPE]: 'EPIPE',
	[EDOM]: 'EDOM',
	[ERANGE]: 'ERANGE',
	[EDEADLK]: 'EDEADLK',
	[ENAMETOOLONG]: 'ENAMETOOLONG',
	[ENOSYS]: 'ENOSYS',
	[ELOOP]: 'ELOOP',
	[ENODATA]: 'ENODATA',
	[EPROTO]: 'EPROTO',
	[EBADMSG]: 'EBADMSG',
	[EOVERFLOW]: 'EOVERFLOW',
	[EILSEQ]: 'EILSEQ',
	[EMSGSIZE]: 'EMSGSIZE',
	[EPROTONOSUPPORT]: 'EPROTONOSUPPORT',
	[EOPNOTSUPP]: 'EOPNOTSUPP',
	[EADDRINUSE]: 'EADDRINUSE',
	[ENETDOWN]: 'ENETDOWN',
	[ESHUTDOWN]: 'ESHUTDOWN',
	[ENOTCONN]: 'ENOTCONN',
	[ETIMEDOUT]: 'ETIMEDOUT',
	[EALREADY]: 'EALREADY',
	[EINPROGRESS]: 'EINPROGRESS',
	[ECANCELED]: 'ECANCELED',
	[EREMOTEIO]: 'EREMOTEIO',
	[ERESTARTSYS]: 'ERESTARTSYS',
	[ENOIOCTLCMD]: 'ENOIOCTLCMD',
	[EPROBE_DEFER]: 'EPROBE_DEFER',
	[ENOTSUPP]: 'ENOTSUPP',
};

/** The symbolic name of @err, as printk's %pe prints it: -22 is "-EINVAL". */
export function errname(err: int): string {
	const name = errno_names[err < 0 ? -err : err];
	if (name === undefined) return `${err}`;
	return err < 0 ? `-${name}` : name;
}
