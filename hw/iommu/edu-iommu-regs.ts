// SPDX-License-Identifier: GPL-2.0-only
// The registers of the teaching IOMMU (Documentation/edu-iommu.md, "Registers").

import type { RegisterSpec } from '#hw/core/register-file.js';
import { DOMAINS_LG2, STREAMS_LG2 } from './edu-iommu-format.js';

/** The largest queue: 256 records. */
const QUEUE_LG2 = 8;
const POSITION = 2 ** (QUEUE_LG2 + 1) - 1;

/** 40 lines of address, less the 12 within a frame. */
const BASE = { access: 'RW', mask: 2 ** 28 - 1, whileOff: true } as const;

export const INT_EVENT = 1;
export const INT_OVERFLOW = 2;
export const INT_COMMAND = 4;

const interrupts = [
	{ name: 'EVENT', bits: [0, 0] },
	{ name: 'OVERFLOW', bits: [1, 1] },
	{ name: 'COMMAND', bits: [2, 2] },
] as const;

// SKELETON: your registers. Reading, writing, resets, traces come from these lines.
export const EDU_REGISTERS: readonly RegisterSpec[] = [
	{
		name: 'ID',
		offset: 0x00,
		access: 'RO',
		reset: 1 | (STREAMS_LG2 << 8) | (DOMAINS_LG2 << 16),
		fields: [
			{ name: 'VERSION', bits: [7, 0] },
			{ name: 'STREAMS_LG2', bits: [15, 8] },
			{ name: 'DOMAINS_LG2', bits: [23, 16] },
		],
		doc: 'what it can do',
	},
	{
		name: 'CTRL',
		offset: 0x04,
		access: 'RW',
		mask: 1,
		fields: [{ name: 'ENABLE', bits: [0, 0] }],
		doc: 'translation on',
	},
	{
		name: 'STATUS',
		offset: 0x08,
		access: 'RO',
		fields: [{ name: 'ENABLED', bits: [0, 0] }],
		doc: 'follows ENABLE when the accesses under way have ended',
	},
	{ name: 'STAB_BASE', ...BASE, offset: 0x10, doc: 'frame number of the stream table' },
	{ name: 'CMDQ_BASE', ...BASE, offset: 0x20, doc: 'frame number of the command queue' },
	{
		name: 'CMDQ_SIZE',
		offset: 0x24,
		access: 'RW',
		mask: 0xf,
		whileOff: true,
		doc: 'log2 of its records; writing empties it',
	},
	{ name: 'CMDQ_PROD', offset: 0x28, access: 'RW', mask: POSITION, doc: 'behind the last command' },
	{ name: 'CMDQ_CONS', offset: 0x2c, access: 'RO', doc: 'the next command to be executed' },
	{ name: 'EVTQ_BASE', ...BASE, offset: 0x30, doc: 'frame number of the event queue' },
	{
		name: 'EVTQ_SIZE',
		offset: 0x34,
		access: 'RW',
		mask: 0xf,
		whileOff: true,
		doc: 'log2 of its records; writing empties it',
	},
	{ name: 'EVTQ_PROD', offset: 0x38, access: 'RO', doc: 'behind the last event' },
	{ name: 'EVTQ_CONS', offset: 0x3c, access: 'RW', mask: POSITION, doc: 'the next event to be taken' },
	{ name: 'INT_STATUS', offset: 0x40, access: 'W1C', mask: 7, fields: interrupts, doc: 'why it interrupts' },
	{ name: 'INT_ENABLE', offset: 0x44, access: 'RW', mask: 7, fields: interrupts, doc: 'what interrupts' },
];
