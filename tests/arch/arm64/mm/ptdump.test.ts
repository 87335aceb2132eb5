// SPDX-License-Identifier: GPL-2.0-only
// /sys/kernel/debug/user_page_tables: the format is that of arch/arm64/mm/ptdump.c, note_page() and pte_bits.
import { expect } from 'chai';
import { pgprot_noncached, pgprot_writecombine } from '#asm/pgtable.js';
import { sysfs_read } from '#fs/sysfs/user.js';
import { IS_ERR } from '#linux/err.js';
import { O_RDONLY } from '#linux/fs.js';
import type { vm_area_struct } from '#linux/mm_types.js';
import { remap_pfn_range } from '#mm/memory.js';
import { ksys_mmap, ksys_munmap, MAP_SHARED, PROT_READ } from '#mm/mmap.js';
import { Board } from '#tests/kernel/dma/board.js';
import { map, openFile } from '#tests/mm/user.js';
import { expectFinding } from '#tests/setup.js';

const FILE = '/sys/kernel/debug/user_page_tables';
const PAGE = 4096;
const PFN = 0x1_0000;

describe('ptdump', () => {
	beforeEach(() => {
		new Board('main');
	});

	it('shows what a program has mapped, and how', () => {
		expectFinding(/mismatched-alias in driver/);
		expect(sysfs_read(FILE)).to.equal('');
		const whole = (vma: vm_area_struct, prot: number): number =>
			remap_pfn_range(vma, vma.vm_start, PFN, vma.vm_end - vma.vm_start, prot);
		const cached = map(
			openFile((vma) => whole(vma, vma.vm_page_prot)),
			1,
		);
		const wc = map(
			openFile((vma) => whole(vma, pgprot_writecombine(vma.vm_page_prot))),
			256,
		);
		const holes = map(
			openFile((vma) => {
				const prot = pgprot_noncached(vma.vm_page_prot);
				for (const page of [0, 2, 3])
					remap_pfn_range(vma, vma.vm_start + page * PAGE, PFN + page, PAGE, prot);
				return 0;
			}),
			5,
		);
		const reader = ksys_mmap(
			openFile((vma) => whole(vma, vma.vm_page_prot), {}, O_RDONLY),
			PAGE,
			PROT_READ,
			MAP_SHARED,
			0,
		);
		if (IS_ERR(reader)) throw new Error('mmap');
		expect(String(sysfs_read(FILE)).split('\n')).to.deep.equal([
			'---[ driver ]---',
			'0x0000ffff80000000-0x0000ffff80001000           4K PTE   USR RW SHD AF NG MEM/NORMAL',
			'---[ driver ]---',
			'0x0000ffff80002000-0x0000ffff80102000           1M PTE   USR RW SHD AF NG MEM/NORMAL-NC',
			'---[ driver ]---',
			'0x0000ffff80103000-0x0000ffff80104000           4K PTE   USR RW SHD AF NG DEVICE/nGnRnE',
			'0x0000ffff80105000-0x0000ffff80107000           8K PTE   USR RW SHD AF NG DEVICE/nGnRnE',
			'---[ driver ]---',
			'0x0000ffff80109000-0x0000ffff8010a000           4K PTE   USR ro SHD AF NG MEM/NORMAL',
			'',
		]);
		for (const vma of [wc, cached, reader, holes]) ksys_munmap(vma);
		expect(sysfs_read(FILE)).to.equal('');
	});
});
