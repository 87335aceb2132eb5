// SPDX-License-Identifier: GPL-2.0-only
// What dma_map_benchmark is asked, and what it answers.
// Linux 6.12: include/linux/map_benchmark.h
import { NSEC_PER_MSEC } from '#linux/jiffies.js';
import type { s32, u32, u64 } from '#linux/types.js';

/** _IOWR('d', 1, struct map_benchmark), a struct of 136 bytes. */
export const DMA_MAP_BENCHMARK = 0xc088_6401;
export const DMA_MAP_MAX_THREADS = 1024;
export const DMA_MAP_MAX_SECONDS = 300;
export const DMA_MAP_MAX_TRANS_DELAY = 10 * NSEC_PER_MSEC;

export const DMA_MAP_BIDIRECTIONAL = 0;
export const DMA_MAP_TO_DEVICE = 1;
export const DMA_MAP_FROM_DEVICE = 2;

/** The question and the answer; latencies and deviations are in units of 100 ns. */
export class map_benchmark {
	avg_map_100ns: u64 = 0;
	map_stddev: u64 = 0;
	avg_unmap_100ns: u64 = 0;
	unmap_stddev: u64 = 0;
	/** How many threads map and unmap side by side. */
	threads: u32 = 0;
	seconds: u32 = 0;
	/** The memory node to run on. */
	node: s32 = 0;
	/** The device's mask. */
	dma_bits: u32 = 0;
	dma_dir: u32 = 0;
	/** How long the pretended transfer takes. */
	dma_trans_ns: u32 = 0;
	/** Pages in one mapping. */
	granule: u32 = 0;
}
