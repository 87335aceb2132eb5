// SPDX-License-Identifier: GPL-2.0-only
// What the vectors of boards with the H6's IOMMU ask of it: registers as memory, the interrupt line, table words.
import { phys_to_virt } from '#asm/memory.js';
import {
	sun50i_dte_get_pt_address,
	sun50i_dte_is_pt_valid,
	sun50i_iova_get_dte_index,
	sun50i_iova_get_pte_index,
	sun50i_pte_is_page_valid,
	to_sun50i_domain,
} from '#drivers/iommu/sun50i-iommu.js';
import type { iommu_domain } from '#linux/iommu.js';
import { refcount_read } from '#linux/refcount.js';
import type { Sun50iBoard } from '../sun50i.js';
import { num, word } from '../values.js';
import type { Json } from '../vectors.js';
import { domainOf } from './domains.js';
import type { Command } from './index.js';

/** The page table that covers @iova, by the directory in @d; null without one. */
function pageTable(d: iommu_domain, iova: number): Uint32Array | null {
	const dte = to_sun50i_domain(d).dt![sun50i_iova_get_dte_index(iova)]!;
	if (!sun50i_dte_is_pt_valid(dte)) return null;
	const bytes = phys_to_virt(sun50i_dte_get_pt_address(dte), 1024);
	return new Uint32Array(bytes.buffer, bytes.byteOffset, 256);
}

function countWords(d: iommu_domain): Json {
	let dtes = 0;
	let ptes = 0;
	for (let i = 0; i < 4096; i++) {
		const table = pageTable(d, i * 0x10_0000);
		if (table === null) continue;
		dtes++;
		for (const pte of table) if (sun50i_pte_is_page_valid(pte)) ptes++;
	}
	return { dtes, ptes, refcnt: refcount_read(to_sun50i_domain(d).refcnt) };
}

export function sun50iCommands(board: Sun50iBoard): Record<string, Command> {
	return {
		rset: (_s, [off, val]) => {
			board.window!.write(num(off), 4, num(val));
			return 0;
		},
		rget: (_s, [off]) => word(board.window!.read(num(off), 4)),
		// The handler runs once, whatever it leaves in the status register.
		irq: (s) => {
			s.raise(board.irq!.intid);
			s.sleep(20);
			return 0;
		},
		pte: (s, [x, iova]) => {
			const d = domainOf(s, x);
			const dte = to_sun50i_domain(d).dt![sun50i_iova_get_dte_index(num(iova))]!;
			const table = pageTable(d, num(iova));
			return {
				dte_low10: `0x${(dte & 0x3ff).toString(16).padStart(3, '0')}`,
				pt: table !== null ? 1 : 0,
				pte: word(table?.[sun50i_iova_get_pte_index(num(iova))] ?? 0),
			};
		},
		ptes: (s, [x]) => countWords(domainOf(s, x)),
	};
}
