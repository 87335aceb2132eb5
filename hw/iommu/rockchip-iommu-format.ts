// SPDX-License-Identifier: GPL-2.0-only
// The page tables of Rockchip's IOMMU: two levels, 4 KiB pages, in two formats that differ in where a word has its
// address (Linux 6.12, drivers/iommu/rockchip-iommu.c).

import type { Decoded, TableFormat, TableLevel } from './format.js';
import { READ, WRITE } from './iommu.js';

export interface RockchipVariant {
	readonly compatible: string;
	/** Addresses that a word has room for: [0, 2^outputBits). */
	readonly outputBits: number;
	readonly format: TableFormat;
	/** The address in a directory word, a page word, or DTE_ADDR. */
	addressOf(word: number): number;
}

function variant(
	compatible: string,
	outputBits: number,
	addressOf: (word: number) => number,
	address: TableLevel['fields'],
): RockchipVariant {
	const level = (name: string, shift: number, kind: 'table' | 'page', rights: number): TableLevel => ({
		name,
		shift,
		indexBits: 10,
		decode(word: number, _high: number, out: Decoded): void {
			out.kind = (word & 1) === 0 ? 'invalid' : kind;
			out.addr = addressOf(word);
			out.rights = (word >>> 1) & rights;
		},
		fields: [
			{ name: 'VALID', bits: [0, 0] },
			...(kind === 'table'
				? []
				: ([
						{ name: 'READ', bits: [1, 1] },
						{ name: 'WRITE', bits: [2, 2] },
					] as const)),
			...address,
		],
	});
	const levels = [level('DT', 22, 'table', 0), level('PT', 12, 'page', READ | WRITE)];
	return { compatible, outputBits, addressOf, format: { wordBytes: 4, levels } };
}

const low = (word: number): number => (word & 0xffff_f000) >>> 0;

/** 32 bits of address. */
export const VERSION_1 = variant('rockchip,iommu', 32, low, [{ name: 'ADDR', bits: [31, 12] }]);

/** 40: bits 11:8 hold 35:32, bits 7:4 hold 39:36. */
export const VERSION_2 = variant(
	'rockchip,rk3568-iommu',
	40,
	(word) => low(word) + ((word >>> 8) & 0xf) * 2 ** 32 + ((word >>> 4) & 0xf) * 2 ** 36,
	[
		{ name: 'ADDR_39_36', bits: [7, 4] },
		{ name: 'ADDR_35_32', bits: [11, 8] },
		{ name: 'ADDR', bits: [31, 12] },
	],
);
