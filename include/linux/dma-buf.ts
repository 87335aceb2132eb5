// SPDX-License-Identifier: GPL-2.0-only
// Buffers shared between devices: exporter, importer, attachment.
// Linux 6.12: include/linux/dma-buf.h, include/uapi/linux/dma-buf.h
// Left out: polling and sync files (no fences), names by ioctl, peer to peer, dynamic exporters (pin, unpin).
import type { device } from '#linux/device.js';
import type { dma_data_direction } from '#linux/dma-direction.js';
import { DMA_NONE } from '#linux/dma-direction.js';
import type { dma_resv } from '#linux/dma-resv.js';
import type { err_ptr } from '#linux/err.js';
import type { file } from '#linux/fs.js';
import { iosys_map } from '#linux/iosys-map.js';
import { list_head } from '#linux/list.js';
import type { vm_area_struct } from '#linux/mm_types.js';
import type { sg_table } from '#linux/scatterlist.js';
import type { bool, int, size_t, u64, unsigned_int } from '#linux/types.js';

export interface dma_buf_ops {
	/** The exporter hands out the same mapping again until the attachment ends. */
	readonly cache_sgt_mapping?: bool;
	readonly attach?: (dmabuf: dma_buf, attach: dma_buf_attachment) => int;
	readonly detach?: (dmabuf: dma_buf, attach: dma_buf_attachment) => void;
	readonly map_dma_buf: (attach: dma_buf_attachment, dir: dma_data_direction) => sg_table | err_ptr | null;
	readonly unmap_dma_buf: (attach: dma_buf_attachment, sgt: sg_table, dir: dma_data_direction) => void;
	/** The last reference to the buffer is gone. */
	readonly release: (dmabuf: dma_buf) => void;
	readonly begin_cpu_access?: (dmabuf: dma_buf, dir: dma_data_direction) => int;
	readonly end_cpu_access?: (dmabuf: dma_buf, dir: dma_data_direction) => int;
	readonly mmap?: (dmabuf: dma_buf, vma: vm_area_struct) => int;
	readonly vmap?: (dmabuf: dma_buf, map: iosys_map) => int;
	readonly vunmap?: (dmabuf: dma_buf, map: iosys_map) => void;
}

/** A buffer that devices share (include/linux/dma-buf.h: struct dma_buf). */
export class dma_buf {
	size: size_t = 0;
	file: file | null = null;
	readonly attachments = new list_head<dma_buf_attachment>();
	ops!: dma_buf_ops;
	vmapping_counter: unsigned_int = 0;
	readonly vmap_ptr = new iosys_map();
	exp_name = '';
	readonly list_node = new list_head<dma_buf>(this);
	priv: object | null = null;
	resv!: dma_resv;
}

/** A device's part in a dma-buf (include/linux/dma-buf.h: struct dma_buf_attachment). */
export class dma_buf_attachment {
	dmabuf!: dma_buf;
	dev!: device;
	readonly node = new list_head<dma_buf_attachment>(this);
	sgt: sg_table | null = null;
	dir: dma_data_direction = DMA_NONE;
	importer_priv: object | null = null;
	/** The exporter's own. */
	priv: object | null = null;
}

/** What dma_buf_export() is told (include/linux/dma-buf.h: struct dma_buf_export_info). */
export class dma_buf_export_info {
	exp_name = '';
	ops: dma_buf_ops | null = null;
	size: size_t = 0;
	flags: int = 0;
	resv: dma_resv | null = null;
	priv: object | null = null;
}

/** What DEFINE_DMA_BUF_EXPORT_INFO() makes: @exp_name is the module that exports. */
export function DEFINE_DMA_BUF_EXPORT_INFO(exp_name: string): dma_buf_export_info {
	const exp_info = new dma_buf_export_info();
	exp_info.exp_name = exp_name;
	return exp_info;
}

/** The argument of DMA_BUF_IOCTL_SYNC. */
export class dma_buf_sync {
	flags: u64 = 0;
}

export const DMA_BUF_SYNC_READ = 1 << 0;
export const DMA_BUF_SYNC_WRITE = 2 << 0;
export const DMA_BUF_SYNC_RW = DMA_BUF_SYNC_READ | DMA_BUF_SYNC_WRITE;
export const DMA_BUF_SYNC_START = 0 << 2;
export const DMA_BUF_SYNC_END = 1 << 2;
export const DMA_BUF_SYNC_VALID_FLAGS_MASK = DMA_BUF_SYNC_RW | DMA_BUF_SYNC_END;

export const DMA_BUF_IOCTL_SYNC = 0x4008_6200;
