// SPDX-License-Identifier: GPL-2.0-only
// How much memory there is, and how much of it is free.
// Linux 6.12: mm/show_mem.c (and the first lines of fs/proc/meminfo.c)

import { mm_state } from '#linux/mm.js';
import { NR_PAGE_ORDERS } from '#linux/mmzone.js';
import { pr_info } from '#linux/printk.js';
import type { unsigned_long } from '#linux/types.js';
import { K } from '#mm/internal.js';
import { for_each_populated_zone, nr_free_cma_pages, nr_free_pages } from '#mm/page_alloc.js';

/** The figures of /proc/meminfo that mean something here, in KiB. */
export class sysinfo {
	MemTotal: unsigned_long = 0;
	MemFree: unsigned_long = 0;
	CmaTotal: unsigned_long = 0;
	CmaFree: unsigned_long = 0;
}

/** Fill in @val (mm/show_mem.c: si_meminfo()). */
export function si_meminfo(val: sysinfo): void {
	val.MemTotal = K(mm_state.totalram_pages);
	val.MemFree = K(nr_free_pages());
	val.CmaTotal = K(mm_state.totalcma_pages);
	val.CmaFree = K(nr_free_cma_pages());
}

/** Lines as /proc/meminfo has them (fs/proc/meminfo.c: meminfo_proc_show()). */
export function meminfo_proc_show(): string {
	const i = new sysinfo();
	si_meminfo(i);
	const line = (name: string, kb: unsigned_long): string =>
		`${`${name}:`.padEnd(15)}${String(kb).padStart(9)} kB\n`;
	return (
		line('MemTotal', i.MemTotal) +
		line('MemFree', i.MemFree) +
		line('CmaTotal', i.CmaTotal) +
		line('CmaFree', i.CmaFree)
	);
}

/** Log zones and their free blocks (mm/show_mem.c: __show_mem()). */
export function show_mem(): void {
	pr_info('Mem-Info:');
	for (const z of for_each_populated_zone()) {
		pr_info(
			'Node 0 %s free:%lukB present:%lukB managed:%lukB free_cma:%lukB',
			z.name,
			K(z.nr_free_pages),
			K(z.present_pages),
			K(z.managed_pages),
			K(z.nr_free_cma_pages),
		);
	}
	for (const z of for_each_populated_zone()) {
		let blocks = '';
		for (let order = 0; order < NR_PAGE_ORDERS; order++)
			blocks += `${z.free_area[order].nr_free}*${K(2 ** order)}kB `;
		pr_info('Node 0 %s: %s= %lukB', z.name, blocks, K(z.nr_free_pages));
	}
	pr_info('%lu pages RAM', mm_state.totalram_pages);
	pr_info('%lu pages cma reserved', mm_state.totalcma_pages);
}
