// SPDX-License-Identifier: GPL-2.0-only
// File descriptors: of the one user program that runs on this machine.
// Linux 6.12: fs/file.c
// Left out: processes, dup(), limits other than the table's size.
import { fput, get_file } from '#fs/file_table.js';
import { EBADF, EMFILE } from '#linux/errno.js';
import { files_struct, NR_OPEN_DEFAULT } from '#linux/file.js';
import type { file } from '#linux/fs.js';
import { boot_data } from '#linux/init.js';
import type { bool, int, unsigned_int } from '#linux/types.js';

const state = boot_data(() => ({ init_files: new files_struct() }));

function open_fd(fd: unsigned_int): bool {
	return (state.init_files.open_fds[fd >>> 5] & (1 << (fd & 31))) !== 0;
}

/** Reserve the lowest free descriptor; -EMFILE when none is (fs/file.c: get_unused_fd_flags()). */
export function get_unused_fd_flags(_flags: unsigned_int): int {
	for (let fd = 0; fd < NR_OPEN_DEFAULT; fd++)
		if (!open_fd(fd)) {
			state.init_files.open_fds[fd >>> 5] |= 1 << (fd & 31);
			return fd;
		}
	return -EMFILE;
}

/** Give a reserved descriptor back (fs/file.c: put_unused_fd()). */
export function put_unused_fd(fd: unsigned_int): void {
	state.init_files.open_fds[fd >>> 5] &= ~(1 << (fd & 31));
}

/** Let a reserved descriptor stand for @file, whose reference it takes over (fs/file.c: fd_install()). */
export function fd_install(fd: unsigned_int, file: file): void {
	state.init_files.fd_array[fd] = file;
}

/** The file behind @fd with a reference, or null (fs/file.c: fget()). */
export function fget(fd: int): file | null {
	if (fd < 0 || fd >= NR_OPEN_DEFAULT) return null;
	const file = state.init_files.fd_array[fd];
	return file === null ? null : get_file(file);
}

/** Close @fd. 0, or -EBADF when it is not open (fs/file.c: close_fd()). */
export function close_fd(fd: unsigned_int): int {
	if (fd < 0 || fd >= NR_OPEN_DEFAULT) return -EBADF;
	const file = state.init_files.fd_array[fd];
	if (file === null) return -EBADF;
	state.init_files.fd_array[fd] = null;
	put_unused_fd(fd);
	fput(file);
	return 0;
}
