// SPDX-License-Identifier: GPL-2.0-only
// Sizes by name.
// Linux 6.12: include/linux/sizes.h

export const SZ_1 = 0x1;
export const SZ_2 = 0x2;
export const SZ_4 = 0x4;
export const SZ_8 = 0x8;
export const SZ_16 = 0x10;
export const SZ_32 = 0x20;
export const SZ_64 = 0x40;
export const SZ_128 = 0x80;
export const SZ_256 = 0x100;
export const SZ_512 = 0x200;
export const SZ_1K = 0x400;
export const SZ_2K = 0x800;
export const SZ_4K = 0x1000;
export const SZ_8K = 0x2000;
export const SZ_16K = 0x4000;
export const SZ_32K = 0x8000;
export const SZ_64K = 0x10000;
export const SZ_128K = 0x20000;
export const SZ_256K = 0x40000;
export const SZ_512K = 0x80000;
export const SZ_1M = 0x100000;
export const SZ_2M = 0x200000;
export const SZ_4M = 0x400000;
export const SZ_8M = 0x800000;
export const SZ_16M = 0x1000000;
export const SZ_32M = 0x2000000;
export const SZ_64M = 0x4000000;
export const SZ_128M = 0x8000000;
export const SZ_256M = 0x10000000;
export const SZ_512M = 0x20000000;
export const SZ_1G = 0x40000000;
export const SZ_2G = 0x80000000;
export const SZ_4G = 0x100000000;
export const SZ_8G = 0x200000000;
export const SZ_16G = 0x400000000;
export const SZ_32G = 0x800000000;
export const SZ_64G = 0x1000000000;
export const SZ_128G = 0x2000000000;
export const SZ_256G = 0x4000000000;
export const SZ_512G = 0x8000000000;
export const SZ_1T = 0x10000000000;
