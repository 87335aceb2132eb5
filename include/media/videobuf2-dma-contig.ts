// SPDX-License-Identifier: GPL-2.0-only
// Video buffers that are contiguous to their device.
// Linux 6.12: include/media/videobuf2-dma-contig.h

import { vb2_plane_cookie } from '#drivers/media/common/videobuf2/videobuf2-core.js';
import type { vb2_buffer } from '#include/media/videobuf2-core.js';
import type { dma_addr_t, unsigned_int } from '#linux/types.js';

/** The DMA address of a plane. Linux: vb2_dma_contig_plane_dma_addr() */
export function vb2_dma_contig_plane_dma_addr(vb: vb2_buffer, plane_no: unsigned_int): dma_addr_t {
	const addr = vb2_plane_cookie(vb, plane_no);
	return addr === null ? 0 : addr.value;
}
