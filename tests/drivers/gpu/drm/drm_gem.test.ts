// SPDX-License-Identifier: GPL-2.0-only
// What a program sees of a dumb buffer, by the DRM file and by the dma-buf. Linux 6.12: drm_gem_mmap(),
// drm_gem_dma_mmap(), drm_gem_prime_mmap(), dma_buf_mmap_internal().
import { expect } from 'chai';
import { PAGE_SHARED, pgprot_writecombine } from '#asm/pgtable.js';
import { drm_gem_object_lookup, drm_gem_object_put } from '#drivers/gpu/drm/drm_gem.js';
import { iommu_get_domain_for_dev, iommu_iova_to_phys } from '#drivers/iommu/iommu.js';
import { close_fd, fget } from '#fs/file.js';
import { fput } from '#fs/file_table.js';
import { ksys_ioctl } from '#fs/open.js';
import type { Machine } from '#hw/core/machine.js';
import type { drm_file } from '#include/drm/drm_file.js';
import { type drm_gem_dma_object, to_drm_gem_dma_obj } from '#include/drm/drm_gem_dma_helper.js';
import { drm_vma_node_offset_addr } from '#include/drm/drm_vma_manager.js';
import * as drm from '#include/uapi/drm/drm.js';
import * as mode from '#include/uapi/drm/drm_mode.js';
import {
	DMA_BUF_IOCTL_SYNC,
	DMA_BUF_SYNC_END,
	DMA_BUF_SYNC_RW,
	DMA_BUF_SYNC_WRITE,
	dma_buf_sync,
} from '#linux/dma-buf.js';
import { EACCES, EFAULT, EINVAL, ENOMEM, ENXIO } from '#linux/errno.js';
import { kref_read } from '#linux/kref.js';
import { VM_DONTDUMP, VM_DONTEXPAND, VM_IO, VM_MIXEDMAP, VM_PFNMAP } from '#linux/mm.js';
import { slab_leaks, slab_live } from '#linux/slab.js';
import { ksys_munmap, mm_map_count } from '#mm/mmap.js';
import { nr_used_pages } from '#mm/page_alloc.js';
import { bootMachine } from '#tests/boot.js';
import { failEach } from '#tests/fail-each.js';
import { bytes, map, tryMap } from '#tests/mm/user.js';
import { sanitiserOf } from '#tests/sanitiser.js';
import { Display } from '#tools/run/display.js';
import { VideoDevice } from '#tools/v4l2.js';
import type { Dmasan } from '#watch/dmasan.js';
import { drmDevice, errnoOf, kept } from './bench.js';

const PAGE = 4096;
/** 32x64 pixels of four bytes. */
const PAGES = 2;

const BOARDS = [
	['an IOMMU', 'sun50i-h6-orangepi-3', VM_MIXEDMAP | VM_DONTEXPAND],
	['no IOMMU', 'sun50i-h6-orangepi-3-noiommu', VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP],
] as const;

for (const [what, board, flags] of BOARDS)
	describe(`drm_gem mmap with ${what}`, () => {
		let machine: Machine;
		let dmasan: Dmasan;
		let display: Display;

		beforeEach(() => {
			machine = bootMachine(board, { commandLine: 'page_placement=scattered,1' }).machine;
			dmasan = sanitiserOf(machine);
			display = Display.open();
		});

		function object(handle: number, of = display): drm_gem_dma_object {
			const file = fget(of.fd)!;
			const obj = drm_gem_object_lookup(file.private_data as drm_file, handle)!;
			fput(file);
			// The handle keeps it.
			drm_gem_object_put(obj);
			return to_drm_gem_dma_obj(obj);
		}

		/** Byte @at of the buffer as the display's DMA finds it. */
		function deviceSees(obj: drm_gem_dma_object, at: number): number {
			const domain = iommu_get_domain_for_dev(drmDevice());
			const addr = (obj.dma_addr.value as number) + at;
			const phys = domain === null ? addr : (iommu_iova_to_phys(domain, addr) as number);
			return machine.ram.peekMemory(phys, 1)[0];
		}

		/** The page of the DRM file where the buffer is. */
		function pageOf(handle: number): number {
			const map = new mode.drm_mode_map_dumb();
			map.handle = handle;
			display.ioctl('MODE_MAP_DUMB', drm.DRM_IOCTL_MODE_MAP_DUMB, map);
			return map.offset / PAGE;
		}

		function exportBuffer(handle: number, primeFlags = drm.DRM_RDWR): number {
			const prime = new drm.drm_prime_handle();
			prime.handle = handle;
			prime.flags = primeFlags;
			display.ioctl('PRIME_HANDLE_TO_FD', drm.DRM_IOCTL_PRIME_HANDLE_TO_FD, prime);
			return prime.fd;
		}

		it('is write-combined, and the display sees what is stored', () => {
			const { handle } = display.createDumb(32, 64);
			const vma = map(display.fd, PAGES, pageOf(handle));
			expect(vma.vm_page_prot).to.equal(pgprot_writecombine(PAGE_SHARED));
			expect(vma.vm_flags & ~0xff).to.equal(flags);
			expect(vma.vm_pgoff).to.equal(0);
			bytes(vma)[PAGE + 5] = 77;
			expect(deviceSees(object(handle), PAGE + 5)).to.equal(77);
			ksys_munmap(vma);
			// From the start, as much as is wanted.
			const part = map(display.fd, 1, pageOf(handle));
			bytes(part)[5] = 78;
			expect(deviceSees(object(handle), 5)).to.equal(78);
			ksys_munmap(part);
			expect(dmasan.text()).to.equal('');
			display.close();
		});

		it('is refused from the middle, beyond the end, where no buffer is, and to a stranger', () => {
			const { handle } = display.createDumb(32, 64);
			const at = pageOf(handle);
			expect(tryMap(display.fd, 1, at + 1)).to.equal(-EINVAL);
			expect(tryMap(display.fd, PAGES + 1, at)).to.equal(-EINVAL);
			expect(tryMap(display.fd, 1, 0)).to.equal(-EINVAL);
			const stranger = Display.open();
			expect(tryMap(stranger.fd, 1, at)).to.equal(-EACCES);
			expect(kref_read(object(handle).refcount)).to.equal(1);
			expect(mm_map_count()).to.equal(0);
			stranger.close();
			display.close();
		});

		it('keeps the buffer when its handle and its file are gone', () => {
			ksys_munmap(map(display.fd, 1, pageOf(display.createDumb(32, 64).handle)));
			display.close();
			const [objects, used] = [slab_live(), nr_used_pages()];
			display = Display.open();
			const { handle } = display.createDumb(32, 64);
			const obj = object(handle);
			const vma = map(display.fd, PAGES, pageOf(handle));
			const gem = new drm.drm_gem_close();
			gem.handle = handle;
			display.ioctl('GEM_CLOSE', drm.DRM_IOCTL_GEM_CLOSE, gem);
			expect(errnoOf(() => pageOf(handle))).to.match(/ENOENT/);
			display.close();
			bytes(vma)[9] = 79;
			expect(deviceSees(obj, 9)).to.equal(79);
			ksys_munmap(vma);
			expect(kept(slab_leaks(objects))).to.deep.equal([]);
			expect(nr_used_pages()).to.equal(used);
		});

		it('shows the same by its dma-buf, between the calls of DMA_BUF_IOCTL_SYNC', () => {
			const { handle } = display.createDumb(32, 64);
			const obj = object(handle);
			const fd = exportBuffer(handle);
			const sync = (value: number): number =>
				ksys_ioctl(fd, DMA_BUF_IOCTL_SYNC, Object.assign(new dma_buf_sync(), { flags: value }));
			const vma = map(fd, PAGES);
			expect(vma.vm_page_prot).to.equal(pgprot_writecombine(PAGE_SHARED));
			expect(vma.vm_flags & ~0xff).to.equal(flags);
			expect(sync(DMA_BUF_SYNC_WRITE)).to.equal(0);
			bytes(vma)[PAGE] = 80;
			expect(sync(DMA_BUF_SYNC_WRITE | DMA_BUF_SYNC_END)).to.equal(0);
			expect(deviceSees(obj, PAGE)).to.equal(80);
			expect(sync(0)).to.equal(-EINVAL);
			expect(sync(DMA_BUF_SYNC_RW | 0x100)).to.equal(-EINVAL);
			expect(ksys_ioctl(fd, DMA_BUF_IOCTL_SYNC, null)).to.equal(-EFAULT);
			// The mapping keeps the buffer, too.
			close_fd(fd);
			display.close();
			bytes(vma)[PAGE] = 81;
			expect(deviceSees(obj, PAGE)).to.equal(81);
			ksys_munmap(vma);
			expect(dmasan.text()).to.equal('');
		});

		it('is refused by its dma-buf beyond the end, and anywhere but from the start; the buffer stays', () => {
			const { handle } = display.createDumb(32, 64);
			const fd = exportBuffer(handle);
			const obj = object(handle);
			const before = kref_read(obj.refcount);
			expect(tryMap(fd, PAGES + 1)).to.equal(-EINVAL);
			expect(tryMap(fd, 1, PAGES)).to.equal(-EINVAL);
			// drm_gem_dma_mmap() says that the buffer is as long as the mapping: a later page is none of it.
			expect(tryMap(fd, 1, 1)).to.equal(-ENXIO);
			expect(kref_read(obj.refcount)).to.equal(before);
			close_fd(fd);
			const reader = exportBuffer(display.createDumb(32, 64).handle, 0);
			expect(tryMap(reader, 1), 'an export for reading').to.equal(-EACCES);
			close_fd(reader);
			display.close();
		});

		it('is undone when there is no memory for it', () => {
			const { handle } = display.createDumb(32, 64);
			const fd = exportBuffer(handle);
			const at = pageOf(handle);
			const [objects, used] = [slab_live(), nr_used_pages()];
			let mapped = 0;
			const failures = failEach((what) => {
				for (const vma of [tryMap(display.fd, PAGES, at), tryMap(fd, PAGES)])
					if (typeof vma === 'number') expect(vma, what).to.equal(-ENOMEM);
					else {
						mapped++;
						ksys_munmap(vma);
					}
				expect(slab_leaks(objects), what).to.deep.equal([]);
				expect(nr_used_pages(), what).to.equal(used);
			});
			expect(failures).to.be.above(1);
			expect(mapped).to.be.above(1);
			close_fd(fd);
			display.close();
		});

		it('is refused of an import, whose exporter maps it', () => {
			const video = new VideoDevice();
			video.setJpegFormat(32, 32, PAGE);
			video.requestBuffers('capture', 1);
			const fd = video.export('capture');
			const handle = display.importBuffer(fd);
			expect(errnoOf(() => pageOf(handle))).to.match(/EINVAL/);
			// The offset can be guessed.
			const obj = object(handle);
			const at = (drm_vma_node_offset_addr(obj.vma_node) as number) / PAGE;
			expect(tryMap(display.fd, 1, at)).to.equal(-EINVAL);
			expect(kref_read(obj.refcount)).to.equal(1);
			close_fd(fd);
			display.close();
			video.close();
		});
	});
