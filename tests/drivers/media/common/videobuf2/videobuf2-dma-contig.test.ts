// SPDX-License-Identifier: GPL-2.0-only
// A program's view of video buffers: coherent ones past the cache, non-coherent ones through it, with syncs at QBUF and
// DQBUF. Linux 6.12: vb2_mmap(), vb2_dc_mmap(), vb2_dc_prepare(), vb2_dc_finish().
import { expect } from 'chai';
import { PAGE_SHARED, pgprot_dmacoherent } from '#asm/pgtable.js';
import {
	vb2_buffer_done,
	vb2_core_expbuf,
	vb2_core_queue_release,
	vb2_mmap,
} from '#drivers/media/common/videobuf2/videobuf2-core.js';
import { vb2_dma_contig_memops } from '#drivers/media/common/videobuf2/videobuf2-dma-contig.js';
import {
	vb2_dqbuf,
	vb2_qbuf,
	vb2_querybuf,
	vb2_queue_init,
	vb2_reqbufs,
	vb2_streamon,
} from '#drivers/media/common/videobuf2/videobuf2-v4l2.js';
import { close_fd } from '#fs/file.js';
import {
	VB2_BUF_STATE_DONE,
	VB2_MMAP,
	type vb2_buffer,
	vb2_get_buffer,
	vb2_queue,
} from '#include/media/videobuf2-core.js';
import { vb2_dma_contig_plane_dma_addr } from '#include/media/videobuf2-dma-contig.js';
import {
	V4L2_BUF_FLAG_NO_CACHE_INVALIDATE,
	V4L2_BUF_FLAG_TIMESTAMP_COPY,
	V4L2_BUF_TYPE_VIDEO_CAPTURE,
	V4L2_MEMORY_FLAG_NON_COHERENT,
	V4L2_MEMORY_MMAP,
	v4l2_buffer,
	v4l2_requestbuffers,
} from '#include/uapi/linux/videodev2.js';
import { EACCES, EINVAL } from '#linux/errno.js';
import { O_CLOEXEC, O_RDWR } from '#linux/fs.js';
import { VM_DONTDUMP, VM_DONTEXPAND, VM_IO, VM_MIXEDMAP, VM_PFNMAP } from '#linux/mm.js';
import { mutex } from '#linux/mutex.js';
import { ref } from '#linux/types.js';
import { ksys_munmap, mm_map_count } from '#mm/mmap.js';
import { Board, pattern } from '#tests/kernel/dma/board.js';
import { bytes, map, openFile, tryMap } from '#tests/mm/user.js';
import { sanitiserOf } from '#tests/sanitiser.js';
import type { Dmasan } from '#watch/dmasan.js';

const PAGE = 4096;
const PAGES = 2;
const DONT = VM_DONTEXPAND | VM_DONTDUMP;

interface Kind {
	readonly what: string;
	readonly master: string;
	readonly flags: number;
	readonly prot: number;
	readonly vm_flags: number;
}

const KINDS: readonly Kind[] = [
	{
		what: 'coherent',
		master: 'm0',
		flags: 0,
		prot: pgprot_dmacoherent(PAGE_SHARED),
		vm_flags: VM_MIXEDMAP | DONT,
	},
	{
		what: 'coherent, no IOMMU',
		master: 'm3',
		flags: 0,
		prot: pgprot_dmacoherent(PAGE_SHARED),
		vm_flags: VM_IO | VM_PFNMAP | DONT,
	},
	{
		what: 'coherent, of a device that snoops',
		master: 'm1',
		flags: 0,
		prot: PAGE_SHARED,
		vm_flags: VM_MIXEDMAP | DONT,
	},
	{
		what: 'non-coherent',
		master: 'm0',
		flags: V4L2_MEMORY_FLAG_NON_COHERENT,
		prot: PAGE_SHARED,
		vm_flags: VM_MIXEDMAP | DONT,
	},
	{
		what: 'non-coherent, no IOMMU',
		master: 'm3',
		flags: V4L2_MEMORY_FLAG_NON_COHERENT,
		prot: PAGE_SHARED,
		vm_flags: VM_IO | VM_PFNMAP | DONT,
	},
];

for (const kind of KINDS)
	describe(`videobuf2_dma_contig (${kind.what})`, () => {
		let board: Board;
		let dmasan: Dmasan;
		let q: vb2_queue;
		let queued: vb2_buffer[];
		let fd: number;

		beforeEach(() => {
			board = new Board('main', 'page_placement=scattered');
			dmasan = sanitiserOf(board.masters.machine);
			queued = [];
			q = new vb2_queue();
			q.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
			q.io_modes = VB2_MMAP;
			q.dev = board.device(kind.master);
			q.lock = new mutex('test');
			q.mem_ops = vb2_dma_contig_memops;
			q.allow_cache_hints = true;
			q.timestamp_flags = V4L2_BUF_FLAG_TIMESTAMP_COPY;
			q.ops = {
				queue_setup: (_q, _n, planes, sizes) => {
					planes.value = 1;
					sizes[0] = PAGES * PAGE - 9;
					return 0;
				},
				buf_queue: (vb) => queued.push(vb),
				start_streaming: () => 0,
				stop_streaming: () => {
					for (const vb of queued.splice(0)) vb2_buffer_done(vb, VB2_BUF_STATE_DONE);
				},
			};
			expect(vb2_queue_init(q)).to.equal(0);
			fd = openFile((vma) => vb2_mmap(q, vma));
		});

		function reqbufs(count: number): number {
			const req = new v4l2_requestbuffers();
			Object.assign(req, { type: q.type, memory: V4L2_MEMORY_MMAP, count, flags: kind.flags });
			return vb2_reqbufs(q, req);
		}

		const buffer = (index: number, flags = 0): v4l2_buffer =>
			Object.assign(new v4l2_buffer(), { type: q.type, memory: V4L2_MEMORY_MMAP, index, flags });

		/** The page of the file that names buffer @index. */
		function pageOf(index: number): number {
			const b = buffer(index);
			expect(vb2_querybuf(q, b)).to.equal(0);
			return b.m.offset / PAGE;
		}

		const dmaOf = (vb: vb2_buffer): number => vb2_dma_contig_plane_dma_addr(vb, 0) as number;

		it('is mapped with the protection and the flags of Linux, whole or its beginning', () => {
			expect(reqbufs(2)).to.equal(0);
			for (const pages of [1, PAGES]) {
				const vma = map(fd, pages, pageOf(1));
				expect(vma.vm_page_prot).to.equal(kind.prot);
				expect(vma.vm_flags & ~0xff).to.equal(kind.vm_flags);
				expect(vma.vm_pgoff).to.equal(0);
				ksys_munmap(vma);
			}
			expect(tryMap(fd, PAGES + 1, pageOf(1))).to.equal(-EINVAL);
			expect(tryMap(fd, 1, pageOf(1) + 1), 'a plane that it has not').to.equal(-EINVAL);
			expect(tryMap(fd, 1, 3 * pageOf(1)), 'a buffer that there is not').to.equal(-EINVAL);
			expect(mm_map_count()).to.equal(0);
			vb2_core_queue_release(q);
		});

		it('shows what the device stored after DQBUF, and what the program stored after QBUF', () => {
			expect(reqbufs(1)).to.equal(0);
			const vma = map(fd, PAGES, pageOf(0));
			const view = bytes(vma);
			expect(vb2_streamon(q, q.type)).to.equal(0);
			const master = board.masters.model(kind.master);
			for (const round of [1, 2]) {
				view.set(pattern(PAGES * PAGE, round));
				expect(vb2_qbuf(q, buffer(0))).to.equal(0);
				const vb = queued.pop()!;
				expect(master.fetch(dmaOf(vb), PAGES * PAGE)).to.deep.equal(pattern(PAGES * PAGE, round));
				master.store(dmaOf(vb) + 100, pattern(PAGE, 50 + round));
				vb2_buffer_done(vb, VB2_BUF_STATE_DONE);
				expect(vb2_dqbuf(q, buffer(0), false)).to.equal(0);
				expect(view.slice(100, 100 + PAGE)).to.deep.equal(pattern(PAGE, 50 + round));
			}
			ksys_munmap(vma);
			vb2_core_queue_release(q);
			expect(dmasan.text()).to.equal('');
		});

		it('is stale when the program says that it needs no invalidation, if it is mapped through the cache', () => {
			expect(reqbufs(1)).to.equal(0);
			const vma = map(fd, 1, pageOf(0));
			expect(bytes(vma)[7]).to.equal(0);
			vb2_streamon(q, q.type);
			expect(vb2_qbuf(q, buffer(0, V4L2_BUF_FLAG_NO_CACHE_INVALIDATE))).to.equal(0);
			const vb = queued.pop()!;
			board.masters.model(kind.master).store(dmaOf(vb) + 7, Uint8Array.of(3));
			vb2_buffer_done(vb, VB2_BUF_STATE_DONE);
			expect(vb2_dqbuf(q, buffer(0), false)).to.equal(0);
			expect(bytes(vma)[7]).to.equal(kind.flags === 0 ? 3 : 0);
			ksys_munmap(vma);
			vb2_core_queue_release(q);
		});

		it('lives as long as its mapping', () => {
			expect(reqbufs(1)).to.equal(0);
			const dma = dmaOf(vb2_get_buffer(q, 0)!);
			const vma = map(fd, PAGES, pageOf(0));
			expect(reqbufs(0)).to.equal(0);
			const check = board.leakCheck();
			bytes(vma)[PAGE] = 9;
			expect(board.masters.model(kind.master).fetch(dma, 1), 'is still mapped for the device').to.not.equal(
				null,
			);
			ksys_munmap(vma);
			// What was given back was the buffer: less is in use than before.
			expect(check().join()).to.match(/-\d+ pages/);
			if (kind.master !== 'm3') expect(board.masters.model(kind.master).fetch(dma, 1)).to.equal(null);
		});

		it('is shown by its dma-buf, too', () => {
			expect(reqbufs(1)).to.equal(0);
			const vb = vb2_get_buffer(q, 0)!;
			const out = new ref<number>(-1);
			expect(vb2_core_expbuf(q, out, q.type, vb, 0, O_RDWR)).to.equal(0);
			const vma = map(out.value, PAGES);
			expect(vma.vm_page_prot).to.equal(kind.prot);
			expect(tryMap(out.value, PAGES + 1)).to.equal(-EINVAL);
			const last = map(out.value, 1, 1);
			bytes(last)[3] = 33;
			expect(bytes(vma)[PAGE + 3]).to.equal(33);
			ksys_munmap(last);
			ksys_munmap(vma);
			close_fd(out.value);
			expect(vb2_core_expbuf(q, out, q.type, vb, 0, O_CLOEXEC)).to.equal(0);
			expect(tryMap(out.value, 1), 'exported for reading').to.equal(-EACCES);
			close_fd(out.value);
			vb2_core_queue_release(q);
			expect(dmasan.text()).to.equal('');
		});
	});
