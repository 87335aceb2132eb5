// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import { PAGE_SIZE } from '#asm/page-def.js';
import { GFP_KERNEL } from '#linux/gfp_types.js';
import { page_to_phys, virt_to_phys } from '#linux/mm.js';
import { __free_pages, alloc_pages, split_page } from '#mm/page_alloc.js';
import { __kmalloc_bytes, kfree } from '#mm/slub.js';
import { WatchedBoard } from './buffer-rig.js';

describe('watch/memory', () => {
	it('knows who allocated the bytes of a slab, how many, and who freed them', () => {
		const { memory } = new WatchedBoard('direct').san;
		const bytes = __kmalloc_bytes(50, GFP_KERNEL)!;
		const phys = virt_to_phys(bytes) as number;
		const found = memory.at(phys + 49)!;
		expect(found).to.include({ phys, size: 50, what: 'kmalloc-64', freed: null });
		expect(found.made.trace().join()).to.contain('__kmalloc_bytes');
		kfree(bytes);
		expect(memory.at(phys)!.freed!.trace().join()).to.contain('kfree');
	});

	it('knows blocks of pages, also after they were cut, and large kmalloc()s by their size', () => {
		const { memory } = new WatchedBoard('direct').san;
		const page = alloc_pages(GFP_KERNEL, 2)!;
		const phys = page_to_phys(page) as number;
		expect(memory.at(phys + 3 * PAGE_SIZE)).to.include({ phys, size: 4 * PAGE_SIZE, what: '4 pages' });
		split_page(page, 2);
		__free_pages(page, 0);
		expect(memory.at(phys)!.freed).not.to.equal(null);
		expect(memory.at(phys + PAGE_SIZE)!.freed).to.equal(null);
		const large = __kmalloc_bytes(20000, GFP_KERNEL)!;
		expect(memory.at(virt_to_phys(large) as number)).to.include({ size: 20000, what: 'kmalloc-large' });
		kfree(large);
		expect(memory.at(virt_to_phys(large) as number)!.freed).not.to.equal(null);
	});

	it('tells before memory goes, and when it is somebody’s', () => {
		const { memory } = new WatchedBoard('direct').san;
		const told: string[] = [];
		kfree(__kmalloc_bytes(8, GFP_KERNEL));
		memory.onAlloc.push(({ what }) => told.push(`+${what}`));
		memory.onFree.push(({ what, freed }) => told.push(`-${what} ${freed === null}`));
		const bytes = __kmalloc_bytes(8, GFP_KERNEL)!;
		kfree(bytes);
		__free_pages(alloc_pages(GFP_KERNEL, 0)!, 0);
		expect(told.filter((t) => !t.includes('pages'))).to.deep.equal([
			'+kmalloc-8',
			'-kmalloc-8 true',
			'+a page',
			'-a page true',
		]);
	});
});
