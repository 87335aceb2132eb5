// SPDX-License-Identifier: GPL-2.0-only
// A user program and a driver that it maps memory of.
import { PAGE_SIZE as PAGE } from '#asm/page-def.js';
import { dma_buf_export, dma_buf_fd } from '#drivers/dma-buf/dma-buf.js';
import { fd_install, get_unused_fd_flags } from '#fs/file.js';
import { alloc_file_pseudo } from '#fs/file_table.js';
import { ksys_ioctl } from '#fs/open.js';
import {
	dma_alloc_pages,
	dma_free_pages,
	dma_mmap_pages,
	dma_sync_single_for_device,
} from '#kernel/dma/mapping.js';
import type { device } from '#linux/device.js';
import {
	DEFINE_DMA_BUF_EXPORT_INFO,
	DMA_BUF_IOCTL_SYNC,
	DMA_BUF_SYNC_END,
	DMA_BUF_SYNC_WRITE,
	dma_buf_sync,
} from '#linux/dma-buf.js';
import { DMA_TO_DEVICE } from '#linux/dma-direction.js';
import { ERR_PTR, IS_ERR } from '#linux/err.js';
import { ENODEV } from '#linux/errno.js';
import { type file, type file_operations, O_RDWR } from '#linux/fs.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import type { vm_area_struct } from '#linux/mm_types.js';
import { type dma_addr_t, ref } from '#linux/types.js';
import { vma_user_view } from '#mm/memory.js';
import { ksys_mmap, MAP_SHARED, PROT_READ, PROT_WRITE } from '#mm/mmap.js';

/** Open a file whose driver answers mmap() with @mmap; the result is the descriptor. */
export function openFile(
	mmap: (vma: vm_area_struct, file: file) => number,
	extra: file_operations = {},
	flags = O_RDWR,
): number {
	const file = alloc_file_pseudo('driver', flags, { mmap: (f, vma) => mmap(vma, f), ...extra });
	if (IS_ERR(file)) throw new Error(`no file: ${file.errno}`);
	const fd = get_unused_fd_flags(0);
	fd_install(fd, file);
	return fd;
}

/** mmap() of @pages pages from page @pgoff on, for reading and writing: the mapping, or the error. */
export function tryMap(fd: number, pages: number, pgoff = 0): vm_area_struct | number {
	const vma = ksys_mmap(fd, pages * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, pgoff * PAGE);
	return IS_ERR(vma) ? vma.errno : vma;
}

/** mmap() that must work. */
export function map(fd: number, pages: number, pgoff = 0): vm_area_struct {
	const vma = tryMap(fd, pages, pgoff);
	if (typeof vma === 'number') throw new Error(`mmap: ${vma}`);
	return vma;
}

/** What the program's loads and stores reach. */
export function bytes(vma: vm_area_struct): Uint8Array {
	const view = vma_user_view(vma);
	if (view === null) throw new Error('nothing is mapped there');
	return view;
}

/** The descriptor of a dma-buf of one page that @dev reads at @dma, cached: its owner syncs when the program has written. */
export function cachedBuffer(dev: device): { fd: number; dma: number } {
	const dma = new ref<dma_addr_t>(0);
	const page = dma_alloc_pages(dev, PAGE, dma, DMA_TO_DEVICE, GFP_KERNEL)!;
	const info = DEFINE_DMA_BUF_EXPORT_INFO('cached');
	Object.assign(info, { size: PAGE, flags: O_RDWR, priv: page });
	info.ops = {
		map_dma_buf: () => ERR_PTR(-ENODEV),
		unmap_dma_buf: () => {},
		release: () => dma_free_pages(dev, PAGE, page, dma.value, DMA_TO_DEVICE),
		mmap: (_buf, vma) => dma_mmap_pages(dev, vma, PAGE, page),
		end_cpu_access: (_buf, dir) => {
			dma_sync_single_for_device(dev, dma.value, PAGE, dir);
			return 0;
		},
	};
	const buf = dma_buf_export(info);
	if (IS_ERR(buf)) throw new Error(`export: ${buf.errno}`);
	return { fd: dma_buf_fd(buf, 0), dma: dma.value as number };
}

/** DMA_BUF_IOCTL_SYNC: the program has written. */
export function endWriting(fd: number): number {
	return ksys_ioctl(
		fd,
		DMA_BUF_IOCTL_SYNC,
		Object.assign(new dma_buf_sync(), { flags: DMA_BUF_SYNC_WRITE | DMA_BUF_SYNC_END }),
	);
}
