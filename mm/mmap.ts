// SPDX-License-Identifier: GPL-2.0-only
// mmap() and munmap() of the user program.
// Linux 6.12: mm/mmap.c, mm/vma.c
// Left out: address spaces (a mapping is its vm_area_struct; addresses are handed out in a row), merging and splitting,
// anonymous memory, mprotect(), part of a mapping unmapped.

import { PAGE_READONLY, PAGE_SHARED } from '#asm/pgtable.js';
import { fget } from '#fs/file.js';
import { fput } from '#fs/file_table.js';
import { ERR_PTR, type err_ptr } from '#linux/err.js';
import { EACCES, EBADF, EINVAL, ENODEV, ENOMEM } from '#linux/errno.js';
import { FMODE_READ, FMODE_WRITE } from '#linux/fs.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { boot_data } from '#linux/init.js';
import { PAGE_ALIGN, PAGE_SIZE, VM_READ, VM_SHARED, VM_WRITE } from '#linux/mm.js';
import { vm_area_struct } from '#linux/mm_types.js';
import { kfree, kzalloc } from '#linux/slab.js';
import type { int, unsigned_long } from '#linux/types.js';
import { zap_vma } from '#mm/memory.js';

export const PROT_READ = 0x1;
export const PROT_WRITE = 0x2;
export const MAP_SHARED = 0x01;

const state = boot_data(() => ({ next_addr: 0xffff_8000_0000 as unsigned_long, map_count: 0 as int }));

/** How many mappings the user program has. */
export function mm_map_count(): int {
	return state.map_count;
}

/**
 * Map @len bytes of the open file @fd from @offset on; vma_user_view() of the result is what the program sees.
 * Linux: ksys_mmap_pgoff()
 *
 * -EBADF, -EINVAL (length, offset, not MAP_SHARED), -EACCES (the file is not open for it), -ENODEV (the file cannot be
 * mapped), -ENOMEM, or the driver's error.
 */
export function ksys_mmap(
	fd: int,
	len: unsigned_long,
	prot: int,
	flags: int,
	offset: unsigned_long,
): vm_area_struct | err_ptr {
	const file = fget(fd);
	if (!file) return ERR_PTR(-EBADF);

	let ret: int = 0;
	if (len <= 0 || offset % PAGE_SIZE !== 0 || flags !== MAP_SHARED) ret = -EINVAL;
	else if (!file.f_op?.mmap) ret = -ENODEV;
	else if (prot & PROT_READ && !(file.f_mode & FMODE_READ)) ret = -EACCES;
	else if (prot & PROT_WRITE && !(file.f_mode & FMODE_WRITE)) ret = -EACCES;

	const vma = ret ? null : kzalloc(vm_area_struct, GFP_KERNEL);
	if (!ret && !vma) ret = -ENOMEM;
	if (vma) {
		vma.vm_start = state.next_addr;
		vma.vm_end = vma.vm_start + PAGE_ALIGN(len);
		vma.vm_pgoff = offset / PAGE_SIZE;
		vma.vm_flags = VM_SHARED | (prot & PROT_READ ? VM_READ : 0) | (prot & PROT_WRITE ? VM_WRITE : 0);
		vma.vm_page_prot = prot & PROT_WRITE ? PAGE_SHARED : PAGE_READONLY;
		vma.vm_file = file;
		ret = file.f_op!.mmap!(file, vma);
		if (!ret) {
			// An unmapped page between two mappings, so that a pointer that runs over hits nothing.
			state.next_addr = vma.vm_end + PAGE_SIZE;
			state.map_count++;
			return vma;
		}
		kfree(vma);
	}
	fput(file);
	return ERR_PTR(ret);
}

/** End the mapping @vma. Linux: ksys_munmap() */
export function ksys_munmap(vma: vm_area_struct): int {
	zap_vma(vma);
	vma.vm_ops?.close?.(vma);
	fput(vma.vm_file!);
	kfree(vma);
	state.map_count--;
	return 0;
}
