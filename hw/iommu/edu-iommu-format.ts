// SPDX-License-Identifier: GPL-2.0-only
// What the teaching IOMMU reads in memory (Documentation/edu-iommu.md): page tables, stream table, queues' records.

import type { Decoded, TableFormat } from './format.js';
import { READ, WRITE } from './iommu.js';

export const FRAME = 4096;

const VALID = 1;
const LARGE = 8;

function rightsOf(word: number): number {
	return (word & 2 ? READ : 0) | (word & 4 ? WRITE : 0);
}

const frameOf = (word: number): number => (word >>> 4) * FRAME;

const WORD_FIELDS = [
	{ name: 'VALID', bits: [0, 0] },
	{ name: 'R', bits: [1, 1] },
	{ name: 'W', bits: [2, 2] },
	{ name: 'LARGE', bits: [3, 3] },
	{ name: 'FRAME', bits: [31, 4] },
] as const;

// SKELETON: your levels from the root down, and what a word of each says. Words may have 32 or 64 bits.
/** Two levels of 1,024 words: pages of 4 MiB and of 4 KiB. */
export const EDU_FORMAT: TableFormat = {
	wordBytes: 4,
	levels: [
		{
			name: 'L1',
			shift: 22,
			indexBits: 10,
			decode(word: number, _high: number, out: Decoded): void {
				out.kind = (word & VALID) === 0 ? 'invalid' : word & LARGE ? 'page' : 'table';
				out.addr = frameOf(word);
				out.rights = rightsOf(word);
			},
			fields: WORD_FIELDS,
		},
		{
			name: 'L2',
			shift: 12,
			indexBits: 10,
			decode(word: number, _high: number, out: Decoded): void {
				out.kind = (word & VALID) === 0 ? 'invalid' : 'page';
				out.addr = frameOf(word);
				out.rights = rightsOf(word);
			},
			fields: WORD_FIELDS,
		},
	],
};

// SKELETON: what else it reads in memory or is told there: configuration records, commands, events.
export const STREAMS_LG2 = 6;
export const DOMAINS_LG2 = 4;

/** A stream-table entry: two words. */
export const STREAM_BYTES = 8;
export const STREAM_FIELDS = [
	{ name: 'VALID', bits: [0, 0] },
	{ name: 'MODE', bits: [2, 1] },
	{ name: 'DOMAIN', bits: [11, 8] },
	{ name: 'ROOT', bits: [63, 32] },
] as const;

export const MODE_REFUSE = 0;
export const MODE_BYPASS = 1;
export const MODE_TRANSLATE = 2;

export const streamValid = (word: number): boolean => (word & VALID) !== 0;
export const streamMode = (word: number): number => (word >>> 1) & 3;
export const streamDomain = (word: number): number => (word >>> 8) & 0xf;

export const RECORD_BYTES = 16;

export const CMD_INV_STREAM = 1;
export const CMD_INV_DOMAIN = 2;
export const CMD_INV_RANGE = 3;
export const CMD_SYNC = 4;
/** In word 0 of INV_RANGE: level-1 words, too. */
export const CMD_TABLES = 0x100;
export const ALL_STREAMS = 0xffffffff;

export const EVENT_STREAM = 1;
export const EVENT_TRANSLATION = 2;
export const EVENT_PERMISSION = 3;
export const EVENT_WRITE = 0x100;
