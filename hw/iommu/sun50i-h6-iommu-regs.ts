// SPDX-License-Identifier: GPL-2.0-only
// The registers of the H6 IOMMU and of its variants, and who its masters are.
//
// Offsets and bits: Documentation/sun50i-h6-iommu.json (Linux 6.12, drivers/iommu/sun50i-iommu.c). The rest
// (version, range mode, override) is public in the vendor's sunxi-iommu.h, reset values were measured on a
// sister chip (Documentation/INVARIANTS.md, "Hardware facts") and are cut to the number of masters.

import type { RegisterSpec } from '#hw/core/register-file.js';

export interface IommuVariant {
	readonly compatible: string;
	/** Names of the bus masters, by number. */
	readonly masters: readonly string[];
	readonly version: number;
	/** TLB invalidation may be switched to a range (start, end). */
	readonly rangeMode: boolean;
	/** Masters that bypass translation at reset. */
	readonly bypassReset: number;
}

export const H6: IommuVariant = {
	compatible: 'allwinner,sun50i-h6-iommu',
	masters: ['DE', 'VE_R', 'DI', 'VE', 'CSI', 'VP9'],
	version: 0x10,
	rangeMode: false,
	bypassReset: 0,
};

export const H616: IommuVariant = {
	compatible: 'allwinner,sun50i-h616-iommu',
	masters: ['DE', 'DI', 'VE_R', 'VE', 'CSI0', 'CSI1', 'G2D'],
	version: 0x12,
	rangeMode: true,
	bypassReset: 0x7f,
};

/** Bits of the shared caches, in the registers that have a bit for each cache. */
export const MACRO = 1 << 16;
export const WALK = 1 << 17;
/** Bits of INT_STA besides the masters' permission faults. */
export const INT_L1 = 1 << 16;
export const INT_L2 = 1 << 17;

export function registersOf(variant: IommuVariant): RegisterSpec[] {
	const count = variant.masters.length;
	const all = (1 << count) - 1;
	const perMaster = variant.masters.map((name, m) => ({ name, bits: [m, m] as const }));
	const caches = [
		{ name: 'MACRO', bits: [16, 16] as const },
		{ name: 'WALK', bits: [17, 17] as const },
	];
	const pages = [
		{ name: 'L1', bits: [16, 16] as const },
		{ name: 'L2', bits: [17, 17] as const },
	];
	const withCaches = (all | MACRO | WALK) >>> 0;
	const rights = (domain: number) =>
		variant.masters.flatMap((name, m) => [
			{
				name: `D${domain}.${name}.RD_OFF`,
				bits: [16 * (domain & 1) + 2 * m, 16 * (domain & 1) + 2 * m] as const,
			},
			{
				name: `D${domain}.${name}.WR_OFF`,
				bits: [16 * (domain & 1) + 2 * m + 1, 16 * (domain & 1) + 2 * m + 1] as const,
			},
		]);
	const specs: RegisterSpec[] = [
		{
			name: 'VERSION',
			offset: 0x000,
			access: 'RO',
			reset: variant.version,
			doc: "the vendor's table of versions",
		},
		{
			name: 'RESET',
			offset: 0x010,
			access: 'RW',
			mask: (withCaches | 0x80000000) >>> 0,
			reset: (withCaches | 0x80000000) >>> 0,
			tolerates: 0xffffffff,
			fields: [...perMaster, ...caches, { name: 'IOMMU', bits: [31, 31] }],
			doc: '0 holds in reset. sun50i_iommu_irq() pulses the blamed masters',
		},
		{
			name: 'ENABLE',
			offset: 0x020,
			access: 'RW',
			mask: 1,
			fields: [{ name: 'ENABLE', bits: [0, 0] }],
			doc: 'translation on',
		},
		{
			name: 'BYPASS',
			offset: 0x030,
			access: 'RW',
			mask: all,
			reset: variant.bypassReset & all,
			fields: perMaster,
			doc: '1: that master is not translated',
		},
		{
			name: 'AUTO_GATING',
			offset: 0x040,
			access: 'RW',
			mask: 1,
			reset: 1,
			fields: [{ name: 'ENABLE', bits: [0, 0] }],
			doc: 'automatic clock gating',
		},
		{ name: 'WBUF_CTRL', offset: 0x044, access: 'RW', mask: all, reset: all, doc: 'held, no effect' },
		{ name: 'OOO_CTRL', offset: 0x048, access: 'RW', mask: all, reset: all, doc: 'held, no effect' },
		{ name: '4KB_BDY_PRT_CTRL', offset: 0x04c, access: 'RW', mask: all, reset: all, doc: 'held, no effect' },
		{
			name: 'TTB',
			offset: 0x050,
			access: 'RW',
			mask: 0xffffc000,
			fields: [{ name: 'DT_BASE', bits: [31, 14] }],
			doc: 'the directory: 16 KiB aligned, bits 13:0 are dropped',
		},
		{
			name: 'TLB_ENABLE',
			offset: 0x060,
			access: 'RW',
			mask: withCaches,
			reset: withCaches,
			fields: [...perMaster, ...caches],
			doc: 'never written by the driver: on at reset',
		},
		{
			name: 'TLB_PREFETCH',
			offset: 0x070,
			access: 'RW',
			mask: all,
			fields: perMaster,
			doc: 'walk ahead for that master',
		},
		{
			name: 'TLB_FLUSH',
			offset: 0x080,
			access: 'RW',
			mask: withCaches,
			fields: [...perMaster, ...caches],
			doc: 'clears itself when the flush is done',
		},
		{
			name: 'TLB_IVLD_ADDR',
			offset: 0x090,
			access: 'RW',
			mask: 0xfffff000,
			tolerates: 0xfff,
			doc: 'page to invalidate',
		},
		{
			name: 'TLB_IVLD_ADDR_MASK',
			offset: 0x094,
			access: 'RW',
			mask: 0xfffff000,
			doc: 'address bits that are compared',
		},
		{ name: 'TLB_IVLD_ENABLE', offset: 0x098, access: 'RW', mask: 1, doc: 'starts it; clears itself' },
		{
			name: 'PC_IVLD_ADDR',
			offset: 0x0a0,
			access: 'RW',
			mask: 0xfff00000,
			tolerates: 0xfffff,
			doc: 'MiB whose directory word the walk cache drops',
		},
		{ name: 'PC_IVLD_ENABLE', offset: 0x0a8, access: 'RW', mask: 1, doc: 'starts it; clears itself' },
		{
			name: 'DM_AUT_CTRL',
			offset: 0x0b0,
			access: 'RW',
			count: 8,
			mask: (((1 << (2 * count)) - 1) * 0x10001) >>> 0,
			fields: rights(0).concat(rights(1)),
			doc: 'rights of two domains (2n, 2n+1): bit 16*(d&1)+2*m no read, +1 no write',
		},
		{
			name: 'DM_AUT_OVWT',
			offset: 0x0d0,
			access: 'RW',
			mask: (0x80000000 | ((1 << (2 * count)) - 1)) >>> 0,
			fields: [{ name: 'ENABLE', bits: [31, 31] }],
			doc: 'bit 31: these rights (2m no read, 2m+1 no write) hold for every domain',
		},
		{
			name: 'INT_ENABLE',
			offset: 0x100,
			access: 'RW',
			mask: withCaches,
			fields: [...perMaster, ...pages],
			doc: 'which faults interrupt',
		},
		{
			name: 'INT_CLR',
			offset: 0x104,
			access: 'WO',
			mask: withCaches,
			fields: [...perMaster, ...pages],
			doc: 'write 1 to clear in INT_STA',
		},
		{
			name: 'INT_STA',
			offset: 0x108,
			access: 'RO',
			fields: [...perMaster, ...pages],
			doc: 'faults since they were cleared',
		},
		{
			name: 'INT_ERR_ADDR',
			offset: 0x110,
			access: 'RO',
			count,
			doc: "a master's last permission fault: address",
		},
		{ name: 'INT_ERR_ADDR_L1', offset: 0x130, access: 'RO', doc: 'last level-1 fault: address' },
		{ name: 'INT_ERR_ADDR_L2', offset: 0x134, access: 'RO', doc: 'last level-2 fault: address' },
		{
			name: 'INT_ERR_DATA',
			offset: 0x150,
			access: 'RO',
			count,
			fields: [{ name: 'ACI', bits: [7, 4] }],
			doc: 'the page entry that refused',
		},
		{
			name: 'L1PG_INT',
			offset: 0x180,
			access: 'RO',
			fields: perMaster,
			doc: 'masters to blame; cleared with INT_STA.L1',
		},
		{
			name: 'L2PG_INT',
			offset: 0x184,
			access: 'RO',
			fields: perMaster,
			doc: 'masters to blame; cleared with INT_STA.L2',
		},
	];
	if (variant.rangeMode)
		specs.push(
			{
				name: 'TLB_IVLD_MODE_SEL',
				offset: 0x084,
				access: 'RW',
				mask: 1,
				fields: [{ name: 'RANGE', bits: [0, 0] }],
				doc: '1: start and end, 0: address and mask',
			},
			{ name: 'TLB_IVLD_START_ADDR', offset: 0x088, access: 'RW', mask: 0xfffff000, doc: 'first page' },
			{ name: 'TLB_IVLD_END_ADDR', offset: 0x08c, access: 'RW', mask: 0xfffff000, doc: 'last page' },
		);
	return specs;
}
