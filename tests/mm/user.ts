// SPDX-License-Identifier: GPL-2.0-only
// A user program and a driver that it maps memory of.
import { fd_install, get_unused_fd_flags } from '#fs/file.js';
import { alloc_file_pseudo } from '#fs/file_table.js';
import { IS_ERR } from '#linux/err.js';
import { type file, type file_operations, O_RDWR } from '#linux/fs.js';
import type { vm_area_struct } from '#linux/mm_types.js';
import { vma_user_view } from '#mm/memory.js';
import { ksys_mmap, MAP_SHARED, PROT_READ, PROT_WRITE } from '#mm/mmap.js';

const PAGE = 4096;

/** Open a file whose driver answers mmap() with @mmap; the result is the descriptor. */
export function openFile(
	mmap: (vma: vm_area_struct, file: file) => number,
	extra: file_operations = {},
	flags = O_RDWR,
): number {
	const file = alloc_file_pseudo('driver', flags, { mmap: (f, vma) => mmap(vma, f), ...extra });
	if (IS_ERR(file)) throw new Error(`no file: ${file.errno}`);
	const fd = get_unused_fd_flags(0);
	fd_install(fd, file);
	return fd;
}

/** mmap() of @pages pages from page @pgoff on, for reading and writing: the mapping, or the error. */
export function tryMap(fd: number, pages: number, pgoff = 0): vm_area_struct | number {
	const vma = ksys_mmap(fd, pages * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, pgoff * PAGE);
	return IS_ERR(vma) ? vma.errno : vma;
}

/** mmap() that must work. */
export function map(fd: number, pages: number, pgoff = 0): vm_area_struct {
	const vma = tryMap(fd, pages, pgoff);
	if (typeof vma === 'number') throw new Error(`mmap: ${vma}`);
	return vma;
}

/** What the program's loads and stores reach. */
export function bytes(vma: vm_area_struct): Uint8Array {
	const view = vma_user_view(vma);
	if (view === null) throw new Error('nothing is mapped there');
	return view;
}
