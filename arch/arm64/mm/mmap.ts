// SPDX-License-Identifier: GPL-2.0-only
// What a user program may do with a mapping, as page-table bits.
// Linux 6.12: arch/arm64/mm/mmap.c
// Left out: execution, tagged memory, /dev/mem.
import { PAGE_NONE, PAGE_READONLY, PAGE_SHARED } from '#asm/pgtable.js';
import { VM_READ, VM_SHARED, VM_WRITE } from '#linux/mm.js';
import type { pgprot_t, unsigned_long } from '#linux/types.js';

/**
 * The protection of a cached mapping with @vm_flags (arch/arm64/mm/mmap.c: vm_get_page_prot()). One that may be written
 * to and is not shared is for reading only: the first store to a page makes the program's own copy of it.
 */
export function vm_get_page_prot(vm_flags: unsigned_long): pgprot_t {
	if ((vm_flags & (VM_READ | VM_WRITE)) === 0) return PAGE_NONE;
	return vm_flags & VM_WRITE && vm_flags & VM_SHARED ? PAGE_SHARED : PAGE_READONLY;
}
