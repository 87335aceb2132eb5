// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import { page_to_phys } from '#asm/memory.js';
import {
	PAGE_KERNEL,
	PAGE_SHARED,
	pgprot_cached,
	pgprot_dmacoherent,
	pgprot_writecombine,
} from '#asm/pgtable.js';
import {
	dma_common_contiguous_remap,
	dma_common_find_pages,
	dma_common_free_remap,
	dma_common_pages_remap,
} from '#kernel/dma/remap.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { page_address, page_ref_count } from '#linux/mm.js';
import { type page, vm_area_struct } from '#linux/mm_types.js';
import { kvcalloc } from '#linux/slab.js';
import { VM_DMA_COHERENT, VM_MAP, VM_MAP_PUT_PAGES } from '#linux/vmalloc.js';
import { fail_page_alloc } from '#mm/fail_page_alloc.js';
import {
	remap_pfn_range,
	vm_insert_page,
	vm_iomap_memory,
	vm_map_pages,
	vm_map_pages_zero,
	vma_user_view,
	zap_vma,
} from '#mm/memory.js';
import {
	__free_page,
	__free_pages,
	alloc_page,
	alloc_pages,
	nr_used_pages,
	page_placement,
} from '#mm/page_alloc.js';
import {
	find_vm_area,
	is_vmalloc_addr,
	remap_vmalloc_range,
	vfree,
	vmalloc,
	vmalloc_nr_pages,
	vmalloc_to_page,
	vmalloc_user,
	vmap,
	vmap_area_count,
	vunmap,
	vzalloc,
} from '#mm/vmalloc.js';
import { expectWarning } from '#tests/setup.js';
import { bootMemory } from './memory-machine.js';

const PAGE = 4096;

function scattered(n: number): page[] {
	page_placement.mode = 'scattered';
	return Array.from({ length: n }, () => alloc_page(GFP_KERNEL) as page);
}

describe('vmalloc', () => {
	it('maps scattered pages in a row, and finds the area and the page of an address', () => {
		bootMemory();
		const pages = scattered(4);
		const addr = vmap(pages, 4, VM_MAP, PAGE_KERNEL) as Uint8Array;
		expect(addr.length).to.equal(4 * PAGE);
		addr[2 * PAGE + 5] = 9;
		expect(page_address(pages[2])[5]).to.equal(9);
		expect(is_vmalloc_addr(addr)).to.equal(true);
		expect(is_vmalloc_addr(page_address(pages[2]))).to.equal(true);
		expect(is_vmalloc_addr(null)).to.equal(false);
		expect(is_vmalloc_addr({})).to.equal(false);
		expect(vmalloc_to_page(addr.subarray(PAGE))).to.equal(pages[1]);
		expect(find_vm_area(addr.subarray(3 * PAGE))?.addr).to.equal(addr);
		vunmap(addr);
		expect(find_vm_area(addr)).to.equal(null);
		expect(vmap_area_count()).to.equal(0);
		expect(page_address(pages[2])[5]).to.equal(9);
	});

	it('shows memory, not the cache, through a protection that is not cached', () => {
		const m = bootMemory();
		const pages = scattered(2);
		expect(pgprot_cached(pgprot_writecombine(PAGE_KERNEL))).to.equal(false);
		const addr = vmap(pages, 2, VM_MAP, pgprot_dmacoherent(PAGE_KERNEL)) as Uint8Array;
		addr[PAGE] = 3;
		expect(m.memory.peekMemory(page_to_phys(pages[1]), 1)[0]).to.equal(3);
		expect(m.memory.peekCpu(page_to_phys(pages[1]), 1)[0]).to.equal(0);
		vunmap(addr);
	});

	it('frees pages and array with the area when they are its own', () => {
		bootMemory();
		const pages = kvcalloc(3, null, GFP_KERNEL) as (page | null)[];
		scattered(3).forEach((p, i) => {
			pages[i] = p;
		});
		const addr = vmap(pages, 3, VM_MAP | VM_MAP_PUT_PAGES, PAGE_KERNEL);
		const used = nr_used_pages();
		vfree(addr);
		expect(nr_used_pages()).to.equal(used - 3);
	});

	it('allocates from single pages, with the bytes that were asked for', () => {
		bootMemory();
		page_placement.mode = 'scattered';
		const used = nr_used_pages();
		const addr = vzalloc(10_000) as Uint8Array;
		expect(addr.length).to.equal(10_000);
		expect(addr.every((b) => b === 0)).to.equal(true);
		expect(vmalloc_nr_pages()).to.equal(3);
		vfree(addr);
		vfree(null);
		expect(vmalloc_nr_pages()).to.equal(0);
		expect(nr_used_pages()).to.be.at.most(used + 1);
	});

	it('gives everything back when a page is missing', () => {
		bootMemory();
		vfree(vmalloc(3 * PAGE));
		const used = nr_used_pages();
		fail_page_alloc.nth = 3;
		expect(vmalloc(3 * PAGE)).to.equal(null);
		expect(nr_used_pages()).to.equal(used);
		expect(vmap_area_count()).to.equal(0);
	});

	it('warns of an address that is no area', () => {
		bootMemory();
		const p = alloc_page(GFP_KERNEL) as page;
		expectWarning(/Trying to vunmap\(\) nonexistent vm area/);
		vunmap(page_address(p));
		expectWarning(/Trying to vfree\(\) nonexistent vm area/);
		vfree(page_address(p));
	});

	it('maps no pages, and more than there are, to null', () => {
		bootMemory();
		expect(vmap([], 0, VM_MAP, PAGE_KERNEL)).to.equal(null);
		expect(vmap([], 2 ** 30, VM_MAP, PAGE_KERNEL)).to.equal(null);
	});
});

describe('dma_remap', () => {
	it('finds the pages of a coherent buffer by its address', () => {
		bootMemory();
		const pages: (page | null)[] = scattered(3);
		const addr = dma_common_pages_remap(
			pages,
			2 * PAGE + 1,
			pgprot_dmacoherent(PAGE_KERNEL),
			null,
		) as Uint8Array;
		expect(addr.length).to.equal(3 * PAGE);
		expect(dma_common_find_pages(addr)).to.equal(pages);
		dma_common_free_remap(addr, 3 * PAGE);
		expect(dma_common_find_pages(addr)).to.equal(null);
	});

	it('remaps contiguous pages without keeping a table of them', () => {
		const m = bootMemory();
		const p = alloc_pages(GFP_KERNEL, 2) as page;
		const addr = dma_common_contiguous_remap(
			p,
			4 * PAGE,
			pgprot_dmacoherent(PAGE_KERNEL),
			null,
		) as Uint8Array;
		expect(m.memory.phys_of(addr)).to.equal(page_to_phys(p));
		expect(find_vm_area(addr)?.flags).to.equal(VM_DMA_COHERENT);
		expect(dma_common_find_pages(addr)).to.equal(null);
		dma_common_free_remap(addr, 4 * PAGE);
		__free_pages(p, 2);
	});

	it('warns when the address is no coherent area', () => {
		bootMemory();
		const pages = scattered(2);
		const addr = vmap(pages, 2, VM_MAP, PAGE_KERNEL) as Uint8Array;
		expect(dma_common_find_pages(addr)).to.equal(null);
		expectWarning(/trying to free invalid coherent area/);
		dma_common_free_remap(addr, 2 * PAGE);
	});
});

describe('memory', () => {
	function newVma(pages: number, pgoff = 0): vm_area_struct {
		const vma = new vm_area_struct();
		vma.vm_start = 0x7000_0000;
		vma.vm_end = vma.vm_start + pages * PAGE;
		vma.vm_pgoff = pgoff;
		vma.vm_page_prot = PAGE_SHARED;
		return vma;
	}

	it('shows frames to a user, through the cache or past it', () => {
		const m = bootMemory();
		const p = alloc_pages(GFP_KERNEL, 1) as page;
		const vma = newVma(2);
		expect(remap_pfn_range(vma, vma.vm_start, p.pfn, 2 * PAGE, pgprot_writecombine(PAGE_SHARED))).to.equal(0);
		(vma_user_view(vma) as Uint8Array)[PAGE] = 4;
		expect(m.memory.peekMemory(page_to_phys(p) + PAGE, 1)[0]).to.equal(4);
		zap_vma(vma);
		const cached = newVma(2);
		remap_pfn_range(cached, cached.vm_start, p.pfn, 2 * PAGE, PAGE_SHARED);
		(vma_user_view(cached) as Uint8Array)[0] = 6;
		expect(page_address(p)[0]).to.equal(6);
		zap_vma(cached);
	});

	it('refuses a range that is not in the mapping', () => {
		bootMemory();
		const vma = newVma(2);
		expect(remap_pfn_range(vma, vma.vm_start, 0x40300, 3 * PAGE, PAGE_SHARED)).to.equal(-22);
		expectWarning(/remap_pfn_range/);
		expect(remap_pfn_range(vma, vma.vm_start + 1, 0x40300, PAGE, PAGE_SHARED)).to.equal(-22);
		expect(vma_user_view(vma)).to.equal(null);
	});

	it('holds the pages that it inserted until the mapping is gone', () => {
		bootMemory();
		const pages = scattered(3);
		const vma = newVma(2, 1);
		expect(vm_map_pages(vma, pages, 3)).to.equal(0);
		expect(pages.map(page_ref_count)).to.deep.equal([1, 2, 2]);
		(vma_user_view(vma) as Uint8Array)[PAGE] = 8;
		expect(page_address(pages[2])[0]).to.equal(8);
		expect(vm_insert_page(vma, vma.vm_start, pages[0])).to.equal(-16);
		expect(vm_insert_page(vma, vma.vm_end, pages[0])).to.equal(-14);
		zap_vma(vma);
		expect(pages.map(page_ref_count)).to.deep.equal([1, 1, 1]);
		for (const p of pages) __free_page(p);
	});

	it('answers -ENXIO when an object has too few pages', () => {
		bootMemory();
		const pages = scattered(2);
		expect(vm_map_pages(newVma(2, 1), pages, 2)).to.equal(-6);
		expect(vm_map_pages(newVma(1, 2), pages, 2)).to.equal(-6);
		const vma = newVma(2, 1);
		expect(vm_map_pages_zero(vma, pages, 2)).to.equal(0);
		zap_vma(vma);
		expect(vm_iomap_memory(newVma(2), 0x4030_0000, PAGE)).to.equal(-22);
		expect(vm_iomap_memory(newVma(1, 1), 0x4030_0000, 2 * PAGE)).to.equal(0);
	});

	it('shows a vmalloc_user() area to a user', () => {
		bootMemory();
		const addr = vmalloc_user(2 * PAGE) as Uint8Array;
		const vma = newVma(2);
		expect(remap_vmalloc_range(vma, addr, 0)).to.equal(0);
		(vma_user_view(vma) as Uint8Array)[1] = 3;
		expect(addr[1]).to.equal(3);
		zap_vma(vma);
		expect(remap_vmalloc_range(newVma(3), addr, 0)).to.equal(-22);
		vfree(addr);
	});
});
