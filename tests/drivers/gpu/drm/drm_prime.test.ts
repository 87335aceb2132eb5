// SPDX-License-Identifier: GPL-2.0-only
// Buffers of other devices on the screen. Errors are those of Linux 6.12's drm_prime.c and drm_gem_dma_helper.c.
import { expect } from 'chai';
import { dma_buf_export, dma_buf_fd, dma_buf_get, dma_buf_put } from '#drivers/dma-buf/dma-buf.js';
import { iommu_get_domain_for_dev, iommu_iova_to_phys } from '#drivers/iommu/iommu.js';
import { close_fd } from '#fs/file.js';
import { monitorOf } from '#hw/display/monitor.js';
import { decodeYCbCr, interleaveChroma } from '#hw/video/cedrus-ve.js';
import * as drm from '#include/uapi/drm/drm.js';
import { dma_map_sgtable, dma_unmap_sgtable } from '#kernel/dma/mapping.js';
import { trace_entries, tracing_reset } from '#kernel/trace/trace.js';
import { trace_set_clr_event } from '#kernel/trace/trace_events.js';
import { sg_alloc_table, sg_free_table, sg_next } from '#lib/scatterlist.js';
import { DEFINE_DMA_BUF_EXPORT_INFO, type dma_buf, type dma_buf_ops } from '#linux/dma-buf.js';
import { ERR_PTR, IS_ERR } from '#linux/err.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { list_count_nodes, list_for_each_entry } from '#linux/list.js';
import { page_to_phys } from '#linux/mm.js';
import type { page } from '#linux/mm_types.js';
import { sg_set_page, sg_table } from '#linux/scatterlist.js';
import { slab_leaks, slab_live } from '#linux/slab.js';
import { __free_pages, alloc_pages, nr_used_pages } from '#mm/page_alloc.js';
import { bootMachine } from '#tests/boot.js';
import { encodeJpeg } from '#tools/jpeg-encode.js';
import { Display } from '#tools/run/display.js';
import { VideoDevice } from '#tools/v4l2.js';
import { drmDevice, errnoOf, kept, mixerOf, platformDevice, videoBuffer } from './bench.js';

const PAGE = 4096;
const SCATTERED = { commandLine: 'cma=0 page_placement=scattered,1' };

const image = {
	width: 96,
	height: 80,
	data: Uint8Array.from({ length: 96 * 80 * 3 }, (_, i) => (i * 7 + ((i / 288) | 0) * 3) & 0xff),
};
const jpeg = encodeJpeg(image, { subsampling: '420' });

/** Physical pages that iommu:map said were mapped while @what ran, and bytes that were unmapped. */
function mappings<T>(what: () => T): { result: T; pages: number[]; pieces: number; unmapped: number } {
	trace_set_clr_event('iommu', null, true);
	tracing_reset();
	const result = what();
	const pages: number[] = [];
	let pieces = 0;
	let unmapped = 0;
	for (const { event, text } of trace_entries()) {
		const size = Number(/ size=(\d+)/.exec(text)?.[1]);
		if (event === 'iommu:unmap') unmapped += size;
		if (event !== 'iommu:map') continue;
		pieces++;
		const paddr = Number(/ paddr=(0x[0-9a-f]+)/.exec(text)?.[1]);
		for (let at = 0; at < size; at += PAGE) pages.push(paddr + at);
	}
	return { result, pages, pieces, unmapped };
}

/** A dma-buf of pages that do not follow each other, as a user's descriptor; @freed is told of its end. */
function scatteredBuffer(nr: number, freed: () => void): { fd: number; pages: page[] } {
	const pages: page[] = [];
	// Every second page of what comes, so that no two of them touch.
	const spare: page[] = [];
	for (let i = 0; i < nr; i++) {
		pages.push(alloc_pages(GFP_KERNEL, 0)!);
		spare.push(alloc_pages(GFP_KERNEL, 0)!);
	}
	for (const p of spare) __free_pages(p, 0);
	const ops: dma_buf_ops = {
		map_dma_buf: (attach, dir) => {
			const sgt = new sg_table();
			if (sg_alloc_table(sgt, nr, GFP_KERNEL)) return ERR_PTR(-12);
			let sg = sgt.sgl;
			for (const p of pages) {
				sg_set_page(sg!, p, PAGE, 0);
				sg = sg_next(sg!);
			}
			const ret = dma_map_sgtable(attach.dev, sgt, dir, 0);
			return ret ? ERR_PTR(ret) : sgt;
		},
		unmap_dma_buf: (attach, sgt, dir) => {
			dma_unmap_sgtable(attach.dev, sgt, dir, 0);
			sg_free_table(sgt);
		},
		release: () => {
			for (const p of pages) __free_pages(p, 0);
			freed();
		},
	};
	const info = DEFINE_DMA_BUF_EXPORT_INFO('test');
	info.ops = ops;
	info.size = nr * PAGE;
	info.priv = pages;
	const buf = dma_buf_export(info);
	if (IS_ERR(buf)) throw new Error(`export: ${buf.errno}`);
	return { fd: dma_buf_fd(buf, 0), pages };
}

function bufferOf(fd: number): dma_buf {
	const buf = dma_buf_get(fd);
	if (IS_ERR(buf)) throw new Error(`dma_buf_get: ${buf.errno}`);
	// The descriptor keeps it.
	dma_buf_put(buf);
	return buf;
}

describe('drm_prime', () => {
	it('shows a picture of the video engine from the pages that the engine wrote, mapped for the display', () => {
		const { machine } = bootMachine('sun50i-h6-orangepi-3', SCATTERED);
		const run = (): void => {
			const video = new VideoDevice();
			const format = video.setJpegFormat(image.width, image.height, jpeg.length);
			video.requestBuffers('output', 1);
			const made = mappings(() => video.requestBuffers('capture', 1));
			const source = video.map('output');
			source.bytes.set(jpeg);
			source.unmap();
			video.queue('output', 0, jpeg.length);
			video.queue('capture');
			video.streamOn('output');
			video.streamOn('capture');
			expect(video.dequeue('capture').failed).to.equal(false);
			const fd = video.export('capture');
			const buf = bufferOf(fd);
			expect(list_count_nodes(buf.attachments)).to.equal(0);

			const display = Display.open();
			const imported = mappings(() => display.importBuffer(fd));
			// An attachment of the display's, and the same pages a second time in the one domain there is.
			const attachments = [...list_for_each_entry(buf.attachments)];
			expect(attachments.map((a) => a.dev)).to.deep.equal([drmDevice()]);
			expect(made.pieces).to.be.above(1);
			expect(imported.pages).to.deep.equal(made.pages);
			expect(imported.pages.length * PAGE).to.equal(buf.size);
			const domain = iommu_get_domain_for_dev(drmDevice())!;
			expect(domain).to.equal(iommu_get_domain_for_dev(platformDevice('1c0e000.video-codec')));

			display.show(fd, {
				width: image.width,
				height: image.height,
				pitch: format.bytesperline,
				offsets: [0, format.bytesperline * format.height],
			});
			expect(list_count_nodes(buf.attachments), 'imported twice, attached once').to.equal(1);
			const luma = mixerOf(machine).registers.get('CH0_TOP_LADDR');
			imported.pages.forEach((phys, i) => {
				expect(iommu_iova_to_phys(domain, luma + i * PAGE)).to.equal(phys);
			});

			// Against the decoder of the model, through T.871's R = Y + 1.402 (Cr - 128), and so on.
			const { width, height, rgb } = monitorOf(machine).capture()!;
			expect([width, height]).to.deep.equal([image.width, image.height]);
			const ref = decodeYCbCr(jpeg);
			const chroma = interleaveChroma(ref, true);
			let worst = 0;
			for (let y = 0; y < height; y++)
				for (let x = 0; x < width; x++) {
					const luma = ref.y[y * width + x];
					const at = (y >> 1) * width + (x & ~1);
					const [cb, cr] = [chroma[at] - 128, chroma[at + 1] - 128];
					const want = [luma + 1.402 * cr, luma - 0.344136 * cb - 0.714136 * cr, luma + 1.772 * cb];
					for (let c = 0; c < 3; c++) {
						const clamped = Math.min(Math.max(want[c], 0), 255);
						worst = Math.max(worst, Math.abs(rgb[(y * width + x) * 3 + c] - clamped));
					}
				}

			expect(worst).to.be.at.most(1);

			const gone = mappings(() => display.close());
			expect(list_count_nodes(buf.attachments)).to.equal(0);
			expect(gone.unmapped).to.be.at.least(buf.size);
			close_fd(fd);
			video.streamOff('output');
			video.streamOff('capture');
			video.close();
		};
		run();
		const [objects, pages] = [slab_live(), nr_used_pages()];
		run();
		expect(slab_leaks(objects)).to.deep.equal([]);
		expect(nr_used_pages()).to.equal(pages);
	});

	it('takes pages from everywhere where an IOMMU makes one stretch of them', () => {
		bootMachine();
		let freed = 0;
		const { fd, pages } = scatteredBuffer(5, () => freed++);
		const display = Display.open();
		const { pages: mapped } = mappings(() => display.importBuffer(fd));
		expect(mapped).to.deep.equal(pages.map(page_to_phys));
		close_fd(fd);
		expect(freed, 'the import keeps the buffer').to.equal(0);
		display.close();
		expect(freed).to.equal(1);
	});

	it('refuses them with -EINVAL on a board without an IOMMU, and keeps nothing of them', () => {
		bootMachine('sun50i-h6-orangepi-3-noiommu');
		let freed = 0;
		const display = Display.open();
		const [objects, used] = [slab_live(), nr_used_pages()];
		const { fd } = scatteredBuffer(5, () => freed++);
		const buf = bufferOf(fd);
		for (let i = 0; i < 2; i++) {
			expect(errnoOf(() => display.importBuffer(fd))).to.match(/EINVAL/);
			expect(list_count_nodes(buf.attachments)).to.equal(0);
		}
		close_fd(fd);
		expect(freed).to.equal(1);
		expect(slab_leaks(objects)).to.deep.equal([]);
		expect(nr_used_pages()).to.equal(used);
		// One page is one stretch.
		const single = scatteredBuffer(1, () => freed++);
		expect(display.importBuffer(single.fd)).to.be.above(0);
		close_fd(single.fd);
		display.close();
		expect(freed).to.equal(2);
		expect(kept(slab_leaks(objects))).to.deep.equal([]);
	});

	it('gives back the handle of a buffer that comes home, without attaching to itself', () => {
		bootMachine();
		const display = Display.open();
		const { fd, handle } = videoBuffer(display, 64, 48, 100);
		expect(display.importBuffer(fd)).to.equal(handle);
		expect(list_count_nodes(bufferOf(fd).attachments)).to.equal(0);
		const again = new drm.drm_prime_handle();
		again.handle = handle;
		display.ioctl('PRIME_HANDLE_TO_FD', drm.DRM_IOCTL_PRIME_HANDLE_TO_FD, again);
		expect(bufferOf(again.fd)).to.equal(bufferOf(fd));
		close_fd(again.fd);
		close_fd(fd);
		display.close();
	});
});
