// SPDX-License-Identifier: GPL-2.0-only
// Protections of kernel and user mappings: memory type, and who may do what.
// Linux 6.12: arch/arm64/include/asm/pgtable-prot.h and pgtable.h
// Left out: page tables of the CPU; the bits above 31 (execute-never, dirty-bit management).
import { MT_DEVICE_nGnRE, MT_DEVICE_nGnRnE, MT_NORMAL, MT_NORMAL_NC, MT_NORMAL_TAGGED } from '#asm/memory.js';
import type { bool, pgprot_t, u32 } from '#linux/types.js';

export const PTE_VALID = 1 << 0;
const PTE_TYPE_PAGE = 3 << 0;
export const PTE_USER = 1 << 6;
export const PTE_RDONLY = 1 << 7;
export const PTE_SHARED = 3 << 8;
export const PTE_AF = 1 << 10;
export const PTE_NG = 1 << 11;
export const PTE_ATTRINDX_MASK = 7 << 2;

/** The memory type @t (MT_…) in a page-table entry. */
export function PTE_ATTRINDX(t: u32): u32 {
	return t << 2;
}

const PROT_DEFAULT = PTE_TYPE_PAGE | PTE_NG | PTE_SHARED | PTE_AF;

export const PAGE_NONE: pgprot_t = (PROT_DEFAULT & ~PTE_VALID) | PTE_RDONLY;
export const PAGE_KERNEL: pgprot_t = PROT_DEFAULT | PTE_ATTRINDX(MT_NORMAL);
export const PAGE_KERNEL_RO: pgprot_t = PAGE_KERNEL | PTE_RDONLY;
export const PAGE_SHARED: pgprot_t = PROT_DEFAULT | PTE_USER | PTE_ATTRINDX(MT_NORMAL);
export const PAGE_READONLY: pgprot_t = PAGE_SHARED | PTE_RDONLY;

/** Protection bits as a pgprot_t (arch/arm64/include/asm/pgtable-types.h: __pgprot()). */
export function __pgprot(x: u32): pgprot_t {
	return x;
}

/** The bits of a pgprot_t (arch/arm64/include/asm/pgtable-types.h: pgprot_val()). */
export function pgprot_val(x: pgprot_t): u32 {
	return x;
}

function pgprot_type(prot: pgprot_t, type: u32): pgprot_t {
	return (prot & ~PTE_ATTRINDX_MASK) | PTE_ATTRINDX(type);
}

/** Device memory: no gathering, no reordering, no early answer (asm/pgtable.h: pgprot_noncached()). */
export const pgprot_noncached = (prot: pgprot_t): pgprot_t => pgprot_type(prot, MT_DEVICE_nGnRnE);
export const pgprot_device = (prot: pgprot_t): pgprot_t => pgprot_type(prot, MT_DEVICE_nGnRE);
/** Normal memory that is not cached (asm/pgtable.h: pgprot_writecombine()). */
export const pgprot_writecombine = (prot: pgprot_t): pgprot_t => pgprot_type(prot, MT_NORMAL_NC);
/** What the CPU maps a non-coherent device's coherent buffer with (asm/pgtable.h: pgprot_dmacoherent()). */
export const pgprot_dmacoherent = (prot: pgprot_t): pgprot_t => pgprot_type(prot, MT_NORMAL_NC);
export const pgprot_tagged = (prot: pgprot_t): pgprot_t => pgprot_type(prot, MT_NORMAL_TAGGED);
/** No memory is encrypted here (include/linux/pgtable.h: pgprot_decrypted()). */
export const pgprot_decrypted = (prot: pgprot_t): pgprot_t => prot;
export const pgprot_encrypted = (prot: pgprot_t): pgprot_t => prot;

/** Whether accesses through @prot go through the data cache; C looks at the memory type in the same way. */
export function pgprot_cached(prot: pgprot_t): bool {
	const type = (prot & PTE_ATTRINDX_MASK) >> 2;
	return type === MT_NORMAL || type === MT_NORMAL_TAGGED;
}
