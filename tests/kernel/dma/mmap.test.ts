// SPDX-License-Identifier: GPL-2.0-only
// What a user program gets from mmap() of memory of the DMA API: protection, flags, offsets and errors as in Linux 6.12
// (dma_direct_mmap(), iommu_dma_mmap(), __dma_mmap_from_coherent(), dma_mmap_pages(), iommu_dma_mmap_noncontiguous()).

import { expect } from 'chai';
import { PAGE_SIZE as PAGE } from '#asm/page-def.js';
import { PAGE_SHARED, pgprot_dmacoherent, pgprot_writecombine } from '#asm/pgtable.js';
import { close_fd } from '#fs/file.js';
import { dma_declare_coherent_memory, dma_release_coherent_memory } from '#kernel/dma/coherent.js';
import { dma_can_mmap } from '#kernel/dma/mapping.js';
import type { device } from '#linux/device.js';
import {
	DMA_ATTR_FORCE_CONTIGUOUS,
	DMA_ATTR_NO_KERNEL_MAPPING,
	DMA_ATTR_WRITE_COMBINE,
} from '#linux/dma-mapping.js';
import { ENXIO } from '#linux/errno.js';
import { GFP_ATOMIC } from '#linux/gfp.js';
import {
	VM_DONTDUMP,
	VM_DONTEXPAND,
	VM_IO,
	VM_MAYEXEC,
	VM_MAYREAD,
	VM_MAYSHARE,
	VM_MAYWRITE,
	VM_MIXEDMAP,
	VM_PFNMAP,
	VM_READ,
	VM_SHARED,
	VM_WRITE,
} from '#linux/mm.js';
import type { vm_area_struct } from '#linux/mm_types.js';
import type { pgprot_t } from '#linux/types.js';
import { ksys_munmap, mm_map_count } from '#mm/mmap.js';
import { blobOf } from '#tests/hw/board.js';
import { h6Tree } from '#tests/hw/h6.js';
import { bytes, map, openFile, tryMap } from '#tests/mm/user.js';
import { sanitiserOf } from '#tests/sanitiser.js';
import type { Dmasan } from '#watch/dmasan.js';
import { Board, pattern } from './board.js';
import { alloc, COUNT, pages, pieces, type Shown, SIZE, syncForCpu, syncForDevice } from './shown.js';

const SHARED_RW = VM_READ | VM_WRITE | VM_SHARED | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC | VM_MAYSHARE;
/** remap_pfn_range(): frames that are nobody's pages. */
const FRAMES = VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP;

interface Path {
	readonly what: string;
	readonly master: string;
	make(dev: device): Shown;
	readonly prot: pgprot_t;
	/** What the mapping has beside SHARED_RW. */
	readonly flags: number;
	/** Streaming memory: the program asks the driver for syncs. */
	readonly streaming?: true;
	/** Not the golden board `main`. */
	readonly board?: Uint8Array;
}

const OWN = 0x4800_0000;
/** Memory at OWN that the kernel does not map, and a master without an IOMMU. */
const OWN_BOARD = blobOf(
	h6Tree({
		'reserved-memory': {
			'#address-cells': [1],
			'#size-cells': [1],
			ranges: true,
			'pool@48000000': { reg: [OWN, 0x10_0000], 'no-map': true },
		},
		m6: { compatible: 'oracle,master' },
	}),
);

/** Memory that the device has of its own; the first page of it is somebody else's. */
function own(dev: device): Shown {
	dma_declare_coherent_memory(dev, OWN, OWN, 16 * PAGE);
	const first = alloc()(dev);
	const shown = alloc()(dev);
	return {
		...shown,
		free: () => {
			shown.free();
			first.free();
			dma_release_coherent_memory(dev);
		},
	};
}

const cached = PAGE_SHARED;
const coherent = pgprot_dmacoherent(PAGE_SHARED);
const wc = pgprot_writecombine(PAGE_SHARED);

const PATHS: readonly Path[] = [
	{ what: 'coherent, IOMMU', master: 'm0', make: alloc(), prot: coherent, flags: VM_MIXEDMAP },
	{
		what: 'write-combined, IOMMU',
		master: 'm0',
		make: alloc(DMA_ATTR_WRITE_COMBINE),
		prot: wc,
		flags: VM_MIXEDMAP,
	},
	{
		what: 'contiguous, IOMMU',
		master: 'm0',
		make: alloc(DMA_ATTR_FORCE_CONTIGUOUS),
		prot: coherent,
		flags: FRAMES,
	},
	{ what: 'atomic, IOMMU', master: 'm0', make: alloc(0, GFP_ATOMIC), prot: coherent, flags: FRAMES },
	{ what: 'coherent, IOMMU', master: 'm1', make: alloc(), prot: cached, flags: VM_MIXEDMAP },
	{
		what: 'write-combined, IOMMU',
		master: 'm1',
		make: alloc(DMA_ATTR_WRITE_COMBINE),
		prot: cached,
		flags: VM_MIXEDMAP,
	},
	{
		what: 'contiguous, IOMMU',
		master: 'm1',
		make: alloc(DMA_ATTR_FORCE_CONTIGUOUS),
		prot: cached,
		flags: FRAMES,
	},
	{ what: 'atomic, IOMMU', master: 'm1', make: alloc(0, GFP_ATOMIC), prot: cached, flags: FRAMES },
	{ what: 'coherent, direct', master: 'm3', make: alloc(), prot: coherent, flags: FRAMES },
	{
		what: 'write-combined, direct',
		master: 'm3',
		make: alloc(DMA_ATTR_WRITE_COMBINE),
		prot: wc,
		flags: FRAMES,
	},
	{
		what: 'without a kernel mapping, direct',
		master: 'm3',
		make: alloc(DMA_ATTR_NO_KERNEL_MAPPING),
		prot: coherent,
		flags: FRAMES,
	},
	{
		what: 'without a kernel mapping, IOMMU',
		master: 'm0',
		make: alloc(DMA_ATTR_NO_KERNEL_MAPPING),
		prot: coherent,
		flags: VM_MIXEDMAP,
	},
	{ what: 'atomic, direct', master: 'm3', make: alloc(0, GFP_ATOMIC), prot: coherent, flags: FRAMES },
	{ what: 'coherent, direct', master: 'm4', make: alloc(), prot: cached, flags: FRAMES },
	{ what: 'of its own, direct', master: 'm6', board: OWN_BOARD, make: own, prot: coherent, flags: FRAMES },
	{
		what: 'non-contiguous, IOMMU',
		master: 'm0',
		make: pieces,
		prot: cached,
		flags: VM_MIXEDMAP,
		streaming: true,
	},
	{ what: 'non-contiguous, IOMMU', master: 'm1', make: pieces, prot: cached, flags: VM_MIXEDMAP },
	{
		what: 'non-contiguous, direct',
		master: 'm3',
		make: pieces,
		prot: cached,
		flags: FRAMES,
		streaming: true,
	},
	{ what: 'pages, IOMMU', master: 'm0', make: pages, prot: cached, flags: FRAMES, streaming: true },
	{ what: 'pages, direct', master: 'm3', make: pages, prot: cached, flags: FRAMES, streaming: true },
];

for (const path of PATHS)
	describe(`mmap of a buffer (${path.what}${/m[14]/.test(path.master) ? ', dma-coherent' : ''})`, () => {
		let board: Board;
		let dev: device;
		let dmasan: Dmasan;
		let shown: Shown;
		let fd: number;

		beforeEach(() => {
			board = new Board(path.board ?? 'main', 'page_placement=scattered');
			dmasan = sanitiserOf(board.masters.machine);
			dev = board.device(path.master);
			shown = path.make(dev);
			fd = openFile((vma) => shown.mmap(vma));
		});

		const master = () => board.masters.model(path.master);
		const forDevice = (): void => {
			if (path.streaming) syncForDevice(dev, shown);
		};
		const forCpu = (): void => {
			if (path.streaming) syncForCpu(dev, shown);
		};

		it('is mapped with the protection and the flags of Linux', () => {
			expect(dma_can_mmap(dev)).to.equal(true);
			const vma = map(fd, COUNT);
			expect(vma.vm_page_prot).to.equal(path.prot);
			expect(vma.pte_prot).to.equal(path.prot);
			expect(vma.vm_flags).to.equal(SHARED_RW | path.flags);
			expect(vma.vm_pgoff).to.equal(0);
			ksys_munmap(vma);
		});

		it('shows the program what the device stored, and the device what the program stored', () => {
			const vma = map(fd, COUNT);
			const view = bytes(vma);
			view.set(pattern(COUNT * PAGE, 1));
			forDevice();
			expect(master().fetch(shown.dma, SIZE)).to.deep.equal(pattern(COUNT * PAGE, 1).subarray(0, SIZE));
			master().store(shown.dma + 70, pattern(PAGE, 2));
			forCpu();
			expect(view.slice(70, 70 + PAGE)).to.deep.equal(pattern(PAGE, 2));
			ksys_munmap(vma);
			expect(dmasan.text()).to.equal('');
		});

		it('begins at the page that the offset names', () => {
			for (let pgoff = 0; pgoff < COUNT; pgoff++)
				for (let n = 1; pgoff + n <= COUNT; n++) {
					const vma = map(fd, n, pgoff);
					bytes(vma).fill(16 * pgoff + n);
					forDevice();
					for (let i = 0; i < n; i++)
						expect(master().fetch(shown.dma + (pgoff + i) * PAGE, 1)).to.deep.equal(
							Uint8Array.of(16 * pgoff + n),
						);
					ksys_munmap(vma);
				}
			expect(dmasan.text()).to.equal('');
		});

		it('shows two programs the same bytes, whatever part the first one mapped', () => {
			for (const [n, pgoff] of [
				[1, 0],
				[2, 1],
			]) {
				const part = map(fd, n, pgoff);
				bytes(part)[0] = 1;
				const whole = map(fd, COUNT);
				expect(bytes(whole)[pgoff * PAGE]).to.equal(1);
				bytes(whole)[pgoff * PAGE] = 2;
				expect(bytes(part)[0]).to.equal(2);
				bytes(part)[0] = 3;
				expect(bytes(whole)[pgoff * PAGE]).to.equal(3);
				ksys_munmap(part);
				ksys_munmap(whole);
			}
		});

		it('is refused when the range is not all inside', () => {
			for (const [n, pgoff] of [
				[COUNT + 1, 0],
				[COUNT, 1],
				[1, COUNT],
				[1, 1e6],
			])
				expect(tryMap(fd, n, pgoff), `${n} pages from ${pgoff}`).to.equal(-ENXIO);
			expect(mm_map_count()).to.equal(0);
		});

		it('leaves nothing when it is unmapped and freed', () => {
			ksys_munmap(map(fd, COUNT));
			shown.free();
			// A second round: caches of the allocators and page tables stay from the first.
			const check = board.leakCheck();
			shown = path.make(dev);
			const vmas = [map(fd, COUNT), map(fd, 1, 1), map(fd, COUNT)];
			for (const vma of vmas) bytes(vma)[1] = 1;
			for (const vma of vmas) ksys_munmap(vma);
			shown.free();
			expect(check().filter((leak) => !leak.startsWith('iova'))).to.deep.equal([]);
			expect(mm_map_count()).to.equal(0);
			expect(close_fd(fd)).to.equal(0);
		});
	});

describe('mmap of a buffer that is freed while it is mapped', () => {
	/** Frames that @n new buffers of @dev have. */
	function framesOfOthers(dev: device, n: number): number[] {
		const others = Array.from({ length: n }, () => alloc()(dev));
		const frames = others.flatMap((other) => {
			const fd = openFile((vma) => other.mmap(vma));
			const vma = map(fd, COUNT);
			const ptes = [...vma.ptes!];
			ksys_munmap(vma);
			close_fd(fd);
			return ptes;
		});
		for (const other of others) other.free();
		return frames;
	}

	function freedWhileMapped(dev: device): { kept: boolean; vma: vm_area_struct } {
		const shown = alloc()(dev);
		const fd = openFile((vma) => shown.mmap(vma));
		const vma = map(fd, COUNT);
		close_fd(fd);
		const frames = [...vma.ptes!];
		shown.free();
		return { kept: !framesOfOthers(dev, 64).some((pfn) => frames.includes(pfn)), vma };
	}

	it('keeps the pages of an IOMMU buffer, which are counted', () => {
		const board = new Board('main');
		ksys_munmap(freedWhileMapped(board.device('m0')).vma);
		const check = board.leakCheck();
		const { kept, vma } = freedWhileMapped(board.device('m0'));
		expect(kept).to.equal(true);
		bytes(vma).fill(7);
		expect(bytes(vma).every((b) => b === 7)).to.equal(true);
		ksys_munmap(vma);
		expect(check().filter((leak) => !leak.startsWith('iova'))).to.deep.equal([]);
	});

	it('does not keep bare frames: a driver must', () => {
		const board = new Board('main');
		const { kept, vma } = freedWhileMapped(board.device('m3'));
		expect(kept).to.equal(false);
		ksys_munmap(vma);
	});
});
