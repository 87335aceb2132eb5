// SPDX-License-Identifier: GPL-2.0-only
// The page tables of the H6 IOMMU: two levels, 4 KiB pages (Documentation/sun50i-h6-iommu.json, "tables").

import type { Decoded, TableFormat } from './format.js';

/** The domain (authority control index) that a page entry belongs to: its rights are in registers. */
export function aciOf(word: number): number {
	return (word >>> 4) & 0xf;
}

function directory(word: number, _high: number, out: Decoded): void {
	out.kind = (word & 3) === 1 ? 'table' : 'invalid';
	out.addr = (word & 0xfffffc00) >>> 0;
	out.rights = 0;
}

function page(word: number, _high: number, out: Decoded): void {
	out.kind = (word & 2) === 0 ? 'invalid' : 'page';
	out.addr = (word & 0xfffff000) >>> 0;
	out.rights = 0;
}

export const SUN50I_FORMAT: TableFormat = {
	wordBytes: 4,
	levels: [
		{
			name: 'DT',
			shift: 20,
			indexBits: 12,
			decode: directory,
			fields: [
				{ name: 'TYPE', bits: [1, 0] },
				{ name: 'PT', bits: [31, 10] },
			],
		},
		{
			name: 'PT',
			shift: 12,
			indexBits: 8,
			decode: page,
			fields: [
				{ name: 'VALID', bits: [1, 1] },
				{ name: 'ACI', bits: [7, 4] },
				{ name: 'PAGE', bits: [31, 12] },
			],
		},
	],
};
