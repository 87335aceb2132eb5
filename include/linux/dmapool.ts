// SPDX-License-Identifier: GPL-2.0-only
// Pools of small coherent blocks; the functions are in mm/dmapool.ts.
// Linux 6.12: include/linux/dmapool.h
export type { dma_pool } from '#mm/dmapool.js';
