// SPDX-License-Identifier: GPL-2.0-only
// What a program's page tables say, for reading: who may do what, and through the cache or not.
// Linux 6.12: arch/arm64/mm/ptdump.c, ptdump_debugfs.c
// Left out: the kernel's own tables, which Linux shows in `kernel_page_tables` (there are none here; the file of the
// program's is the port's, in that format, with a heading for each mapping), bits above 31, what is not mapped.

import { MT_DEVICE_nGnRE, MT_DEVICE_nGnRnE, MT_NORMAL, MT_NORMAL_NC, MT_NORMAL_TAGGED } from '#asm/memory.js';
import {
	PTE_AF,
	PTE_ATTRINDX,
	PTE_ATTRINDX_MASK,
	PTE_NG,
	PTE_RDONLY,
	PTE_SHARED,
	PTE_USER,
	PTE_VALID,
} from '#asm/pgtable.js';
import { debugfs_create_file } from '#fs/debugfs/inode.js';
import { DEFINE_SHOW_ATTRIBUTE, seq_printf, seq_puts } from '#fs/seq_file.js';
import { device_initcall } from '#linux/init.js';
import { PAGE_SIZE } from '#linux/mm.js';
import type { vm_area_struct } from '#linux/mm_types.js';
import type { seq_file } from '#linux/seq_file.js';
import type { int, pgprot_t, u32, unsigned_long } from '#linux/types.js';
import { vma_name } from '#mm/memory.js';
import { for_each_vma } from '#mm/mmap.js';

/** What to write when the bits under @mask are @val, and what else; null: nothing. */
interface ptdump_prot_bits {
	readonly mask: u32;
	readonly val: u32;
	readonly set: string;
	readonly clear: string | null;
}

function bit(mask: u32, set: string, clear: string): ptdump_prot_bits {
	return { mask, val: mask, set, clear };
}

function memory_type(type: u32, set: string): ptdump_prot_bits {
	return { mask: PTE_ATTRINDX_MASK, val: PTE_ATTRINDX(type), set, clear: null };
}

const pte_bits: readonly ptdump_prot_bits[] = [
	bit(PTE_VALID, ' ', 'F'),
	bit(PTE_USER, 'USR', '   '),
	bit(PTE_RDONLY, 'ro', 'RW'),
	bit(PTE_SHARED, 'SHD', '   '),
	bit(PTE_AF, 'AF', '  '),
	bit(PTE_NG, 'NG', '  '),
	memory_type(MT_DEVICE_nGnRnE, 'DEVICE/nGnRnE'),
	memory_type(MT_DEVICE_nGnRE, 'DEVICE/nGnRE'),
	memory_type(MT_NORMAL_NC, 'MEM/NORMAL-NC'),
	memory_type(MT_NORMAL, 'MEM/NORMAL'),
	memory_type(MT_NORMAL_TAGGED, 'MEM/NORMAL-TAGGED'),
];

const units = 'KMGTPE';

/** One line: a range of addresses, its size, and @prot in words. */
function dump_range(seq: seq_file, start: unsigned_long, end: unsigned_long, prot: pgprot_t): void {
	let delta = (end - start) / 1024;
	let unit = 0;
	for (; delta % 1024 === 0 && unit + 1 < units.length; unit++) delta /= 1024;
	seq_printf(seq, '0x%016lx-0x%016lx   %9lu%c %s', start, end, delta, units.charCodeAt(unit), 'PTE');
	for (const bits of pte_bits) {
		const s = (prot & bits.mask) === bits.val ? bits.set : bits.clear;
		if (s !== null) seq_printf(seq, ' %s', s);
	}
	seq_puts(seq, '\n');
}

/** The runs of mapped pages in @vma. */
function dump_vma(seq: seq_file, vma: vm_area_struct): void {
	const { ptes, vm_start } = vma;
	seq_printf(seq, '---[ %s ]---\n', vma_name(vma));
	for (let first = 0; ptes !== null && first < ptes.length; ) {
		let end = first;
		while (end < ptes.length && ptes[end] !== -1) end++;
		if (end > first) dump_range(seq, vm_start + first * PAGE_SIZE, vm_start + end * PAGE_SIZE, vma.pte_prot);
		first = end + 1;
	}
}

function ptdump_show(m: seq_file): int {
	for (const vma of for_each_vma()) dump_vma(m, vma);
	return 0;
}
const ptdump_fops = DEFINE_SHOW_ATTRIBUTE(ptdump_show);

function ptdump_init(): int {
	debugfs_create_file('user_page_tables', 0o400, null, null, ptdump_fops);
	return 0;
}
device_initcall(ptdump_init);
