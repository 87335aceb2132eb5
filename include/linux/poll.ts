// SPDX-License-Identifier: GPL-2.0-only
// What a poll waits for.
// Linux 6.12: include/linux/poll.h, include/uapi/asm-generic/poll.h
//
// Left out: the wait itself; user space of this machine asks again after waiting.
import type { unsigned_int } from '#linux/types.js';

export const EPOLLIN = 0x0001;
export const EPOLLPRI = 0x0002;
export const EPOLLOUT = 0x0004;
export const EPOLLERR = 0x0008;
export const EPOLLHUP = 0x0010;
export const EPOLLRDNORM = 0x0040;
export const EPOLLWRNORM = 0x0100;

export interface poll_table {
	_key: unsigned_int;
}
