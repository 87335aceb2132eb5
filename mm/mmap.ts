// SPDX-License-Identifier: GPL-2.0-only
// mmap() and munmap() of the user program.
// Linux 6.12: mm/mmap.c, mm/vma.c, mm/util.c (vma_set_file)
// Left out: address spaces (a mapping is its vm_area_struct; addresses are handed out in a row), merging and splitting,
// anonymous memory and private copies (MAP_PRIVATE is refused), MAP_SHARED_VALIDATE, mprotect(), part of a mapping
// unmapped. A view for reading only is not kept from being written to.

import { vm_get_page_prot } from '#arch/arm64/mm/mmap.js';
import { fget } from '#fs/file.js';
import { fput, get_file } from '#fs/file_table.js';
import { ERR_PTR, type err_ptr } from '#linux/err.js';
import { EACCES, EBADF, EINVAL, ENODEV, ENOMEM } from '#linux/errno.js';
import { FMODE_READ, FMODE_WRITE, type file } from '#linux/fs.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { boot_data } from '#linux/init.js';
import { list_add_tail, list_del, list_for_each_entry, list_head } from '#linux/list.js';
import {
	PAGE_ALIGN,
	PAGE_SIZE,
	VM_MAYEXEC,
	VM_MAYREAD,
	VM_MAYSHARE,
	VM_MAYWRITE,
	VM_READ,
	VM_SHARED,
	VM_WRITE,
} from '#linux/mm.js';
import { vm_area_struct } from '#linux/mm_types.js';
import { kfree, kzalloc } from '#linux/slab.js';
import { type int, ref, type unsigned_long } from '#linux/types.js';
import { zap_vma } from '#mm/memory.js';

export const PROT_READ = 0x1;
export const PROT_WRITE = 0x2;
export const MAP_SHARED = 0x01;
const MAP_TYPE = 0x0f;

/** Mappings that a program may have (include/linux/mm.h: DEFAULT_MAX_MAP_COUNT). */
const DEFAULT_MAX_MAP_COUNT = 65530;
/** A program's addresses: 48 bits (arch/arm64/include/asm/processor.h: TASK_SIZE). */
const TASK_SIZE = 2 ** 48;

const state = boot_data(() => ({
	next_addr: 0xffff_8000_0000 as unsigned_long,
	map_count: 0 as int,
	mm_mt: new list_head<vm_area_struct>(),
}));

/** The user program's mappings by address (include/linux/mm.h: for_each_vma()). */
export function for_each_vma(): Iterable<vm_area_struct> {
	return list_for_each_entry(state.mm_mt);
}

/** How many mappings the user program has. */
export function mm_map_count(): int {
	return state.map_count;
}

/** The checks of a shared mapping of @file, and its flags in @vm_flags. */
function shared_file_flags(file: file, prot: int, vm_flags: ref<unsigned_long>): int {
	if (prot & PROT_WRITE && !(file.f_mode & FMODE_WRITE)) return -EACCES;
	vm_flags.value |= VM_SHARED | VM_MAYSHARE;
	// Nobody can make it writable later: it is as good as a private one.
	if (!(file.f_mode & FMODE_WRITE)) vm_flags.value &= ~(VM_MAYWRITE | VM_SHARED);
	if (!(file.f_mode & FMODE_READ)) return -EACCES;
	return file.f_op?.mmap ? 0 : -ENODEV;
}

/** A mapping of @file at the next free address, filled by its driver. Linux: mm/mmap.c: mmap_region() */
function mmap_region(
	file: file,
	len: unsigned_long,
	vm_flags: unsigned_long,
	pgoff: unsigned_long,
): vm_area_struct | err_ptr {
	const vma = kzalloc(vm_area_struct, GFP_KERNEL);
	if (vma === null) return ERR_PTR(-ENOMEM);
	vma.vm_start = state.next_addr;
	vma.vm_end = vma.vm_start + len;
	vma.vm_pgoff = pgoff;
	vma.vm_flags = vm_flags;
	vma.vm_page_prot = vm_get_page_prot(vm_flags);
	vma.vm_file = get_file(file);

	const ret = file.f_op!.mmap!(file, vma);
	if (ret !== 0) {
		// The driver may have put another file in the place of ours, and may have got half-way.
		fput(vma.vm_file);
		zap_vma(vma);
		kfree(vma);
		return ERR_PTR(ret);
	}
	// An unmapped page between two mappings, so that a pointer that runs over hits nothing.
	state.next_addr = vma.vm_end + PAGE_SIZE;
	state.map_count++;
	list_add_tail(vma.mm_mt, state.mm_mt);
	return vma;
}

/** The checks that need no driver, in C's order. Linux: mm/mmap.c: do_mmap() */
function do_mmap(
	file: file,
	len: unsigned_long,
	prot: int,
	flags: int,
	pgoff: unsigned_long,
): vm_area_struct | err_ptr {
	if (len <= 0) return ERR_PTR(-EINVAL);
	if (state.map_count > DEFAULT_MAX_MAP_COUNT) return ERR_PTR(-ENOMEM);
	// Nothing as long as the address space fits into it.
	if (PAGE_ALIGN(len) > TASK_SIZE) return ERR_PTR(-ENOMEM);
	if ((flags & MAP_TYPE) !== MAP_SHARED) return ERR_PTR(-EINVAL);

	const vm_flags = new ref<unsigned_long>(VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC);
	if (prot & PROT_READ) vm_flags.value |= VM_READ;
	if (prot & PROT_WRITE) vm_flags.value |= VM_WRITE;
	const ret = shared_file_flags(file, prot, vm_flags);
	return ret ? ERR_PTR(ret) : mmap_region(file, PAGE_ALIGN(len), vm_flags.value, pgoff);
}

/**
 * Map @len bytes of the open file @fd from @offset on; vma_user_view() of the result is what the program sees.
 * Linux: mm/mmap.c: ksys_mmap_pgoff(); arch/arm64/kernel/sys.c checks the offset
 *
 * -EINVAL (length, offset, not MAP_SHARED), -EBADF, -EACCES (the file is not open for reading, or not for the writing
 * that is asked for), -ENODEV (the file cannot be mapped), -ENOMEM, or the driver's error.
 */
export function ksys_mmap(
	fd: int,
	len: unsigned_long,
	prot: int,
	flags: int,
	offset: unsigned_long,
): vm_area_struct | err_ptr {
	if (offset % PAGE_SIZE !== 0) return ERR_PTR(-EINVAL);
	const file = fget(fd);
	if (!file) return ERR_PTR(-EBADF);
	const vma = do_mmap(file, len, prot, flags, offset / PAGE_SIZE);
	fput(file);
	return vma;
}

/** End the mapping @vma. Linux: ksys_munmap() */
export function ksys_munmap(vma: vm_area_struct): int {
	list_del(vma.mm_mt);
	zap_vma(vma);
	vma.vm_ops?.close?.(vma);
	fput(vma.vm_file!);
	kfree(vma);
	state.map_count--;
	return 0;
}

/** Have @vma show @file; both references move along (mm/util.c: vma_set_file()). */
export function vma_set_file(vma: vm_area_struct, file: file): void {
	get_file(file);
	const old = vma.vm_file;
	vma.vm_file = file;
	if (old !== null) fput(old);
}
