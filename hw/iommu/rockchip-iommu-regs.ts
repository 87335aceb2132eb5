// SPDX-License-Identifier: GPL-2.0-only
// The registers of one MMU of a Rockchip IOMMU.
//
// Offsets, bits and commands: Linux 6.12, drivers/iommu/rockchip-iommu.c. Reset values: tests/golden (rockchip-*.json).

import type { RegisterSpec } from '#hw/core/register-file.js';

/** Bits of STATUS. */
export const STATUS = {
	paging: 1 << 0,
	fault: 1 << 1,
	stalled: 1 << 2,
	idle: 1 << 3,
	replayEmpty: 1 << 4,
	faultIsWrite: 1 << 5,
	notStalled: 0x8000_0000,
} as const;

export const STATUS_RESET = (STATUS.notStalled | STATUS.replayEmpty | STATUS.idle) >>> 0;

/** Bits of the interrupt registers. */
export const INT = { pageFault: 1 << 0, busError: 1 << 1 } as const;

/** What COMMAND takes. */
export const COMMAND = {
	enablePaging: 0,
	disablePaging: 1,
	enableStall: 2,
	disableStall: 3,
	zapCache: 4,
	faultDone: 5,
	forceReset: 6,
} as const;

const interrupts = [
	{ name: 'PAGE_FAULT', bits: [0, 0] as const },
	{ name: 'BUS_ERROR', bits: [1, 1] as const },
];

export const REGISTERS: readonly RegisterSpec[] = [
	{
		name: 'DTE_ADDR',
		offset: 0x00,
		access: 'RW',
		whileOff: true,
		doc: 'the directory, as a directory word has it',
	},
	{
		name: 'STATUS',
		offset: 0x04,
		access: 'RO',
		reset: STATUS_RESET,
		fields: [
			{ name: 'PAGING_ENABLED', bits: [0, 0] },
			{ name: 'PAGE_FAULT_ACTIVE', bits: [1, 1] },
			{ name: 'STALL_ACTIVE', bits: [2, 2] },
			{ name: 'IDLE', bits: [3, 3] },
			{ name: 'REPLAY_BUFFER_EMPTY', bits: [4, 4] },
			{ name: 'PAGE_FAULT_IS_WRITE', bits: [5, 5] },
			{ name: 'STALL_NOT_ACTIVE', bits: [31, 31] },
		],
		doc: 'what the MMU does',
	},
	{
		name: 'COMMAND',
		offset: 0x08,
		access: 'WO',
		fields: [
			{
				name: 'COMMAND',
				bits: [2, 0],
				values: {
					0: 'ENABLE_PAGING',
					1: 'DISABLE_PAGING',
					2: 'ENABLE_STALL',
					3: 'DISABLE_STALL',
					4: 'ZAP_CACHE',
					5: 'PAGE_FAULT_DONE',
					6: 'FORCE_RESET',
				},
			},
		],
		doc: 'STATUS tells when it is done; a reset: DTE_ADDR is 0',
	},
	{ name: 'PAGE_FAULT_ADDR', offset: 0x0c, access: 'RO', doc: 'IOVA of the last fault' },
	{ name: 'ZAP_ONE_LINE', offset: 0x10, access: 'WO', doc: 'IOVA whose cached words are dropped' },
	{
		name: 'INT_RAWSTAT',
		offset: 0x14,
		access: 'RO',
		fields: interrupts,
		doc: 'what happened since it was cleared',
	},
	{
		name: 'INT_CLEAR',
		offset: 0x18,
		access: 'WO',
		fields: interrupts,
		doc: 'write 1 to clear in INT_RAWSTAT',
	},
	{ name: 'INT_MASK', offset: 0x1c, access: 'RW', fields: interrupts, doc: '1: that interrupts' },
	{ name: 'INT_STATUS', offset: 0x20, access: 'RO', fields: interrupts, doc: 'INT_RAWSTAT AND INT_MASK' },
	{
		name: 'AUTO_GATING',
		offset: 0x24,
		access: 'RW',
		reset: 1,
		fields: [{ name: 'DISABLE_FETCH_DTE_TIME_LIMIT', bits: [31, 31] }],
		doc: 'held, no effect',
	},
];
