// SPDX-License-Identifier: GPL-2.0-only
// mmap() and munmap(): checks, flags and references. Linux 6.12: do_mmap(), __mmap_region(); arch/arm64/mm/mmap.c.
import { expect } from 'chai';
import { PAGE_NONE, PAGE_READONLY, PAGE_SHARED, pgprot_writecombine } from '#asm/pgtable.js';
import { dma_buf_export, dma_buf_mmap, dma_buf_put } from '#drivers/dma-buf/dma-buf.js';
import { close_fd, fget } from '#fs/file.js';
import { fput } from '#fs/file_table.js';
import { dma_alloc_coherent, dma_free_coherent, dma_mmap_coherent } from '#kernel/dma/mapping.js';
import type { device } from '#linux/device.js';
import { DEFINE_DMA_BUF_EXPORT_INFO, type dma_buf, type dma_buf_ops } from '#linux/dma-buf.js';
import { IS_ERR } from '#linux/err.js';
import { EACCES, EBADF, EINVAL, ENODEV, ENOMEM, ENXIO } from '#linux/errno.js';
import { O_RDONLY, O_WRONLY } from '#linux/fs.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import {
	PAGE_SIZE,
	page_ref_count,
	VM_MAYEXEC,
	VM_MAYREAD,
	VM_MAYSHARE,
	VM_MAYWRITE,
	VM_READ,
	VM_SHARED,
	VM_WRITE,
	virt_to_page,
} from '#linux/mm.js';
import type { page, vm_area_struct } from '#linux/mm_types.js';
import { sg_table } from '#linux/scatterlist.js';
import { type dma_addr_t, ref } from '#linux/types.js';
import { VM_MAP } from '#linux/vmalloc.js';
import { slab_fault } from '#mm/failslab.js';
import { remap_pfn_range, vm_insert_page } from '#mm/memory.js';
import { ksys_mmap, ksys_munmap, MAP_SHARED, mm_map_count, PROT_READ, PROT_WRITE } from '#mm/mmap.js';
import { __free_page, alloc_page } from '#mm/page_alloc.js';
import { vmalloc_to_page, vmalloc_to_pfn, vmap, vunmap } from '#mm/vmalloc.js';
import { Board } from '#tests/kernel/dma/board.js';
import { sanitiserOf } from '#tests/sanitiser.js';
import { expectFinding } from '#tests/setup.js';
import type { Dmasan } from '#watch/dmasan.js';
import { bytes, map, openFile, tryMap } from './user.js';

const RW = PROT_READ | PROT_WRITE;
const MAP_PRIVATE = 2;

/** A page for the kernel to show. */
function newPage(): page {
	const page = alloc_page(GFP_KERNEL);
	if (page === null) throw new Error('no page');
	return page;
}

describe('mmap', () => {
	beforeEach(() => {
		new Board('main');
	});

	function errno(fd: number, len: number, prot: number, flags: number, offset: number): number {
		const vma = ksys_mmap(fd, len, prot, flags, offset);
		return IS_ERR(vma) ? vma.errno : 0;
	}

	it('refuses, in the order of Linux, what needs no driver', () => {
		const refuse = (): number => {
			throw new Error('the driver was asked');
		};
		const rw = openFile(refuse);
		const reader = openFile(refuse, {}, O_RDONLY);
		const writer = openFile(refuse, {}, O_WRONLY);
		const plain = openFile(refuse, { mmap: undefined });
		expect(errno(99, 0, RW, MAP_SHARED, 100), 'the offset first').to.equal(-EINVAL);
		expect(errno(99, 0, RW, MAP_SHARED, 0), 'then the file').to.equal(-EBADF);
		expect(errno(rw, 0, RW, MAP_SHARED, 0)).to.equal(-EINVAL);
		expect(errno(rw, 2 ** 48 + 1, RW, MAP_PRIVATE, 0), 'the size before the kind').to.equal(-ENOMEM);
		expect(errno(rw, 1, RW, MAP_PRIVATE, 0)).to.equal(-EINVAL);
		expect(errno(rw, 1, RW, 0, 0)).to.equal(-EINVAL);
		expect(errno(reader, 1, RW, MAP_SHARED, 0)).to.equal(-EACCES);
		expect(errno(writer, 1, PROT_WRITE, MAP_SHARED, 0), 'a mapping is always read').to.equal(-EACCES);
		expect(errno(plain, 1, RW, MAP_SHARED, 0)).to.equal(-ENODEV);
		slab_fault.nth = 1;
		expect(errno(rw, 1, RW, MAP_SHARED, 0)).to.equal(-ENOMEM);
		slab_fault.nth = 0;
		expect(mm_map_count()).to.equal(0);
	});

	it('gives flags and protection by what is asked for and how the file is open', () => {
		const seen: [number, number][] = [];
		const note = (vma: vm_area_struct): number => {
			seen.push([vma.vm_flags, vma.vm_page_prot]);
			return -ENXIO;
		};
		const rw = openFile(note);
		const reader = openFile(note, {}, O_RDONLY);
		for (const prot of [0, PROT_READ, PROT_WRITE, RW]) errno(rw, 1, prot, MAP_SHARED, 0);
		errno(reader, 1, PROT_READ, MAP_SHARED, 0);
		const may = VM_MAYREAD | VM_MAYEXEC | VM_MAYSHARE;
		expect(seen).to.deep.equal([
			[may | VM_MAYWRITE | VM_SHARED, PAGE_NONE],
			[may | VM_MAYWRITE | VM_SHARED | VM_READ, PAGE_READONLY],
			[may | VM_MAYWRITE | VM_SHARED | VM_WRITE, PAGE_SHARED],
			[may | VM_MAYWRITE | VM_SHARED | VM_READ | VM_WRITE, PAGE_SHARED],
			[may | VM_READ, PAGE_READONLY],
		]);
	});

	it('rounds the length up to pages, and keeps a page free between two mappings', () => {
		const page = newPage();
		const fd = openFile((vma) => vm_insert_page(vma, vma.vm_start, page));
		const [a, b] = [1, 4097].map((len) => ksys_mmap(fd, len, RW, MAP_SHARED, 0) as vm_area_struct);
		expect([a.vm_end - a.vm_start, b.vm_end - b.vm_start]).to.deep.equal([PAGE_SIZE, 2 * PAGE_SIZE]);
		expect(b.vm_start).to.equal(a.vm_end + PAGE_SIZE);
		expect(mm_map_count()).to.equal(2);
		ksys_munmap(a);
		ksys_munmap(b);
		__free_page(page);
	});

	it('undoes what a driver did before it failed', () => {
		const page = newPage();
		const fd = openFile((vma) => {
			expect(vm_insert_page(vma, vma.vm_start, page)).to.equal(0);
			return -ENXIO;
		});
		expect(tryMap(fd, 2)).to.equal(-ENXIO);
		expect(page_ref_count(page)).to.equal(1);
		expect(mm_map_count()).to.equal(0);
		const file = fget(fd)!;
		expect(file.f_count.counter).to.equal(2);
		fput(file);
		__free_page(page);
	});

	it('keeps the file open until the mapping is gone, and tells the driver before', () => {
		const calls: string[] = [];
		const page = newPage();
		const fd = openFile(
			(vma) => {
				vma.vm_ops = { close: () => calls.push('close') };
				return vm_insert_page(vma, vma.vm_start, page);
			},
			{ release: () => calls.push('release') },
		);
		const vma = map(fd, 1);
		close_fd(fd);
		expect(calls).to.deep.equal([]);
		bytes(vma)[0] = 1;
		ksys_munmap(vma);
		expect(calls).to.deep.equal(['close', 'release']);
		__free_page(page);
	});

	describe('of a dma-buf by way of another file', () => {
		let page: page;
		let released: number;
		let buf: dma_buf;

		beforeEach(() => {
			page = newPage();
			released = 0;
			const ops: dma_buf_ops = {
				map_dma_buf: () => new sg_table(),
				unmap_dma_buf: () => {},
				release: () => {
					released++;
				},
				mmap: (_buf, vma) => (vma.vm_pgoff === 0 ? vm_insert_page(vma, vma.vm_start, page) : -ENXIO),
			};
			const info = DEFINE_DMA_BUF_EXPORT_INFO('test');
			Object.assign(info, { ops, size: 2 * PAGE_SIZE, priv: {} });
			buf = dma_buf_export(info) as dma_buf;
		});

		it('holds the buffer and lets the file go', () => {
			let fileReleased = 0;
			const fd = openFile((vma) => dma_buf_mmap(buf, vma, 0), {
				release: () => {
					fileReleased++;
					return 0;
				},
			});
			const vma = map(fd, 1);
			close_fd(fd);
			expect(fileReleased).to.equal(1);
			dma_buf_put(buf);
			expect(released).to.equal(0);
			ksys_munmap(vma);
			expect(released).to.equal(1);
			__free_page(page);
		});

		it('gives both back when the exporter refuses', () => {
			const fd = openFile((vma) => dma_buf_mmap(buf, vma, 1));
			expect(tryMap(fd, 1)).to.equal(-ENXIO);
			const file = fget(fd)!;
			expect(file.f_count.counter).to.equal(2);
			fput(file);
			dma_buf_put(buf);
			expect(released).to.equal(1);
			__free_page(page);
		});
	});
});

describe('mmap with the wrong cacheability', () => {
	const SIZE = 2 * PAGE_SIZE;
	let board: Board;
	let dmasan: Dmasan;

	beforeEach(() => {
		board = new Board('main', 'page_placement=scattered');
		dmasan = sanitiserOf(board.masters.machine);
	});

	interface Buffer {
		readonly dev: device;
		readonly cpu: Uint8Array;
		readonly dma: number;
		free(): void;
	}

	function coherent(name: string): Buffer {
		const dev = board.device(name);
		const dma = new ref<dma_addr_t>(0);
		const cpu = dma_alloc_coherent(dev, SIZE, dma, GFP_KERNEL)!;
		return {
			dev,
			cpu,
			dma: dma.value as number,
			free: () => dma_free_coherent(dev, SIZE, cpu, dma.value),
		};
	}

	const kinds = (): string[] => dmasan.reports.map((r) => `${r.kind} in ${r.device}, ${r.count}`);

	it('is reported as the mapping is made, once for all its pages', () => {
		expectFinding(/mismatched-alias/);
		const buffer = coherent('m3');
		// The driver forgot dma_pgprot().
		const fd = openFile((vma) =>
			remap_pfn_range(vma, vma.vm_start, vmalloc_to_pfn(buffer.cpu), SIZE, vma.vm_page_prot),
		);
		const vma = map(fd, 2);
		expect(kinds()).to.deep.equal(['mismatched-alias in driver, 2']);
		expect(dmasan.reports[0].invariant).to.equal('INV-OWN');
		const page = `0x${(vmalloc_to_pfn(buffer.cpu) * PAGE_SIZE).toString(16)}`;
		expect(dmasan.text()).to.contain(
			`The user program's mapping at 0x${vma.vm_start.toString(16)} of the page at ${page} is cached; the kernel has it mapped non-cacheable`,
		);
		ksys_munmap(vma);
		buffer.free();
	});

	it('is reported before the device reads what the program did not store', () => {
		expectFinding(/mismatched-alias|stale-read/);
		const buffer = coherent('m0');
		const fd = openFile((vma) => {
			for (let at = 0; at < SIZE; at += PAGE_SIZE) {
				const ret = vm_insert_page(vma, vma.vm_start + at, vmalloc_to_page(buffer.cpu.subarray(at))!);
				if (ret !== 0) return ret;
			}
			return 0;
		});
		const vma = map(fd, 2);
		bytes(vma).fill(5);
		expect(board.masters.model('m0').fetch(buffer.dma, 2)).to.deep.equal(Uint8Array.of(0, 0));
		expect(kinds()).to.deep.equal(['mismatched-alias in driver, 2', 'stale-read in m0, 1']);
		ksys_munmap(vma);
		buffer.free();
	});

	it('is reported when a device that snoops reads what was stored past the cache', () => {
		expectFinding(/mismatched-alias/);
		const buffer = coherent('m4');
		const fd = openFile((vma) => {
			const pfn = virt_to_page(buffer.cpu).pfn;
			return remap_pfn_range(vma, vma.vm_start, pfn, SIZE, pgprot_writecombine(vma.vm_page_prot));
		});
		const vma = map(fd, 2);
		expect(kinds()).to.deep.equal([]);
		bytes(vma)[PAGE_SIZE + 1] = 5;
		expect(board.masters.model('m4').fetch(buffer.dma, SIZE)![PAGE_SIZE + 1]).to.equal(0);
		expect(kinds()).to.deep.equal(['mismatched-alias in driver, 1']);
		expect(dmasan.text()).to.match(/is non-cacheable; m4 snoops, and read 0x[0-9a-f]+ from the cache/);
		ksys_munmap(vma);
		buffer.free();
	});

	it('is reported when the kernel maps past the cache what a program has mapped through it', () => {
		expectFinding(/mismatched-alias/);
		const page = newPage();
		const fd = openFile((vma) => vm_insert_page(vma, vma.vm_start, page));
		const vma = map(fd, 1);
		const addr = vmap([page], 1, VM_MAP, pgprot_writecombine(PAGE_SHARED));
		expect(kinds()).to.deep.equal(['mismatched-alias in driver, 1']);
		vunmap(addr);
		ksys_munmap(vma);
		__free_page(page);
	});

	it('is reported when two programs map a page in two ways', () => {
		expectFinding(/mismatched-alias/);
		const page = newPage();
		let wc = false;
		const fd = openFile((vma) => {
			if (wc) vma.vm_page_prot = pgprot_writecombine(vma.vm_page_prot);
			return vm_insert_page(vma, vma.vm_start, page);
		});
		const cached = [map(fd, 1), map(fd, 1)];
		expect(kinds()).to.deep.equal([]);
		wc = true;
		const other = map(fd, 1);
		expect(kinds()).to.deep.equal(['mismatched-alias in driver, 2']);
		for (const vma of [...cached, other]) ksys_munmap(vma);
		__free_page(page);
	});

	it('is not reported of a mapping that is gone, nor of the right one', () => {
		const page = newPage();
		const fd = openFile((vma) => vm_insert_page(vma, vma.vm_start, page));
		ksys_munmap(map(fd, 1));
		vunmap(vmap([page], 1, VM_MAP, pgprot_writecombine(PAGE_SHARED)));
		__free_page(page);
		for (const name of ['m0', 'm1', 'm3', 'm4']) {
			const buffer = coherent(name);
			const right = openFile((vma) => dma_mmap_coherent(buffer.dev, vma, buffer.cpu, buffer.dma, SIZE));
			const vma = map(right, 2);
			bytes(vma).fill(6);
			buffer.cpu[1] = 7;
			expect(board.masters.model(name).fetch(buffer.dma, 3)).to.deep.equal(Uint8Array.of(6, 7, 6));
			ksys_munmap(vma);
			buffer.free();
		}
		expect(kinds()).to.deep.equal([]);
	});
});
