// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import { page_to_phys } from '#asm/memory.js';
import { of_find_node_by_path } from '#drivers/of/base.js';
import {
	of_reserved_mem_device_init_by_idx,
	of_reserved_mem_device_init_by_name,
	of_reserved_mem_device_release,
	of_reserved_mem_lookup,
} from '#drivers/of/of_reserved_mem.js';
import {
	dma_alloc_from_dev_coherent,
	dma_mmap_from_dev_coherent,
	dma_release_from_dev_coherent,
} from '#kernel/dma/coherent.js';
import {
	dev_get_cma_area,
	dma_alloc_contiguous,
	dma_contiguous_default_area,
	dma_free_contiguous,
} from '#kernel/dma/contiguous.js';
import { device } from '#linux/device.js';
import { GFP_ATOMIC, GFP_KERNEL } from '#linux/gfp.js';
import { vm_area_struct } from '#linux/mm.js';
import type { device_node } from '#linux/of_node.js';
import { type dma_addr_t, ref, type void_ptr } from '#linux/types.js';
import { cma_get_base, cma_get_size } from '#mm/cma.js';
import { memblock_is_map_memory, memblock_is_reserved } from '#mm/memblock.js';
import { alloc_page } from '#mm/page_alloc.js';
import { bootTree, runInitcalls } from '../../arch/arm64/mm/boot-tree.js';
import type { MemoryMachine } from '../../mm/memory-machine.js';
import { flatTree, type Tree } from './flat-tree.js';

const MIB = 0x10_0000;
const GIB = 0x4000_0000;

function boot(reserved: Tree, extra: Tree = {}, commandLine = ''): MemoryMachine {
	const fdt = flatTree({
		compatible: 'test,board',
		'#address-cells': [2],
		'#size-cells': [2],
		'memory@40000000': { device_type: 'memory', reg: [0, GIB, 0, GIB] },
		'reserved-memory': { '#address-cells': [2], '#size-cells': [2], ranges: true, ...reserved },
		...extra,
	});
	return bootTree([{ base: GIB, size: GIB }], fdt, commandLine);
}

function nodeAt(path: string): device_node {
	const np = of_find_node_by_path(path);
	if (np === null) throw new Error(`no node ${path}`);
	return np;
}

function newDevice(): device {
	const dev = new device();
	dev.init_name = 'test';
	dev.coherent_dma_mask = 0xffff_ffff;
	return dev;
}

const pool: Tree = { compatible: 'shared-dma-pool', reg: [0, 0x5000_0000, 0, 8 * MIB], phandle: [1] };

describe('of_reserved_mem', () => {
	it('reserves fixed regions, every range of them', () => {
		boot({ 'a@50000000': { reg: [0, 0x5000_0000, 0, MIB, 0, 0x5100_0000, 0, MIB] } });
		expect(memblock_is_reserved(0x5000_0000)).to.equal(true);
		expect(memblock_is_reserved(0x5010_0000)).to.equal(false);
		expect(memblock_is_reserved(0x5100_0000)).to.equal(true);
	});

	it('takes no-map regions out of the linear map', () => {
		boot({ 'a@50000000': { reg: [0, 0x5000_0000, 0, MIB], 'no-map': true } });
		expect(memblock_is_map_memory(0x5000_0000)).to.equal(false);
		expect(memblock_is_reserved(0x5000_0000)).to.equal(false);
	});

	it('places a region that has a size only, aligned, inside its ranges', () => {
		const m = boot({
			dyn: { size: [0, 4 * MIB], alignment: [0, 4 * MIB], 'alloc-ranges': [0, 0x4800_0000, 0, 0x0280_0000] },
		});
		const rmem = of_reserved_mem_lookup(nodeAt('/reserved-memory/dyn'));
		expect(rmem?.base).to.equal(0x4a40_0000);
		expect(rmem?.size).to.equal(4 * MIB);
		expect(m.logged('(4096 KiB) map non-reusable dyn')).to.have.length(1);
	});

	it('skips disabled nodes, and says what is malformed', () => {
		const m = boot({
			'a@50000000': { reg: [0, 0x5000_0000, 0, MIB], status: 'disabled' },
			'b@51000000': { reg: [0, 0x5100_0000, 0] },
			c: { size: [1] },
			d: { size: [0, 0x7fff_0000] },
		});
		expect(memblock_is_reserved(0x5000_0000)).to.equal(false);
		expect(m.logged("invalid reg property in 'b@51000000'")).to.have.length(2);
		expect(m.logged("invalid size property in 'c' node.")).to.have.length(1);
		expect(m.logged("failed to allocate memory for node 'd': size 2047 MiB")).to.have.length(1);
	});

	it('ignores a reserved-memory node that counts in other cells', () => {
		const m = boot({ '#size-cells': [1], 'a@50000000': { reg: [0, 0x5000_0000, 0, MIB] } });
		expect(m.logged('unsupported node format, ignoring')).to.have.length(2);
		expect(memblock_is_reserved(0x5000_0000)).to.equal(false);
	});

	it('reports regions that overlap', () => {
		const m = boot({
			'a@50000000': { reg: [0, 0x5000_0000, 0, 2 * MIB] },
			'b@50100000': { reg: [0, 0x5010_0000, 0, 2 * MIB] },
		});
		expect(m.logged('OVERLAP DETECTED!')).to.have.length(1);
	});

	it('makes a reusable shared-dma-pool a CMA area, of one device or of all', () => {
		const m = boot(
			{ 'pool@50000000': { ...pool, reusable: true } },
			{ dev: { 'memory-region': [1], 'memory-region-names': 'video' } },
		);
		expect(
			m.logged('Reserved memory: created CMA memory pool at 0x0000000050000000, size 8 MiB'),
		).to.have.length(1);
		runInitcalls('cma_init_reserved_areas');
		const dev = newDevice();
		expect(of_reserved_mem_device_init_by_name(dev, nodeAt('/dev'), 'video')).to.equal(0);
		expect(dev_get_cma_area(dev)).to.not.equal(dma_contiguous_default_area());
		const page = dma_alloc_contiguous(dev, 4096, GFP_KERNEL);
		expect(page === null ? -1 : page_to_phys(page)).to.equal(0x5000_0000);
		expect(dma_alloc_contiguous(dev, 4096, GFP_ATOMIC)).to.equal(null);
		if (page !== null) dma_free_contiguous(dev, page, 4096);
		of_reserved_mem_device_release(dev);
		expect(dev_get_cma_area(dev)).to.equal(dma_contiguous_default_area());
		expect(dma_alloc_contiguous(dev, 4096, GFP_KERNEL)).to.equal(null);
		const other = alloc_page(GFP_KERNEL);
		if (other !== null) dma_free_contiguous(dev, other, 4096);
	});

	it("takes the tree's default CMA area, unless cma= says otherwise", () => {
		const tree: Tree = { 'pool@50000000': { ...pool, reusable: true, 'linux,cma-default': true } };
		boot(tree);
		const area = dma_contiguous_default_area();
		expect(area === null ? [] : [cma_get_base(area), cma_get_size(area)]).to.deep.equal([
			0x5000_0000,
			8 * MIB,
		]);
		const m = boot(tree, {}, 'cma=4M');
		expect(m.logged('bypass pool@50000000 node, using cmdline CMA params instead')).to.have.length(1);
		expect(cma_get_size(dma_contiguous_default_area() as never)).to.equal(4 * MIB);
	});

	it('refuses a CMA area that is not aligned to its page blocks', () => {
		const m = boot({ 'pool@50100000': { ...pool, reusable: true, reg: [0, 0x5010_0000, 0, MIB] } });
		expect(m.logged('Reserved memory: incorrect alignment of CMA region')).to.have.length(1);
		expect(m.logged('compatible matching fail')).to.have.length(1);
		expect(memblock_is_reserved(0x5010_0000)).to.equal(false);
	});

	it('gives a device a no-map pool as its own coherent memory, past the cache', () => {
		const m = boot({ 'pool@50000000': { ...pool, 'no-map': true } }, { dev: { 'memory-region': [1] } });
		const dev = newDevice();
		const handle = new ref<dma_addr_t>(0);
		const addr = new ref<void_ptr | null>(null);
		expect(dma_alloc_from_dev_coherent(dev, 4096, handle, addr)).to.equal(0);
		expect(of_reserved_mem_device_init_by_idx(dev, nodeAt('/dev'), 0)).to.equal(0);
		expect(of_reserved_mem_device_init_by_idx(dev, nodeAt('/dev'), 0)).to.equal(-16);
		expect(dma_alloc_from_dev_coherent(dev, 4096, handle, addr)).to.equal(1);
		expect(handle.value).to.equal(0x5000_0000);
		const a = addr.value as Uint8Array;
		a[0] = 5;
		expect(m.memory.peekMemory(0x5000_0000, 1)[0]).to.equal(5);
		expect(dma_alloc_from_dev_coherent(dev, 3 * 4096, handle, addr)).to.equal(1);
		expect(handle.value).to.equal(0x5000_4000);
		const vma = new vm_area_struct();
		vma.vm_end = 2 * 4096;
		const ret = new ref<number>(1);
		expect(dma_mmap_from_dev_coherent(dev, vma, addr.value as Uint8Array, 3 * 4096, ret)).to.equal(1);
		expect(ret.value).to.equal(0);
		expect(vma.ptes?.[0]).to.equal(0x5000_4000 / 4096);
		vma.vm_pgoff = 2;
		dma_mmap_from_dev_coherent(dev, vma, addr.value as Uint8Array, 3 * 4096, ret);
		expect(ret.value).to.equal(-6);
		expect(dma_release_from_dev_coherent(dev, 0, a)).to.equal(1);
		expect(dma_release_from_dev_coherent(dev, 0, new Uint8Array(1))).to.equal(0);
		expect(dma_alloc_from_dev_coherent(dev, 16 * MIB, handle, addr)).to.equal(1);
		expect(addr.value).to.equal(null);
		of_reserved_mem_device_release(dev);
		expect(dma_alloc_from_dev_coherent(dev, 4096, handle, addr)).to.equal(0);
	});

	it('answers -ENODEV without a region, -EINVAL for one that nobody takes care of', () => {
		boot(
			{ 'a@50000000': { reg: [0, 0x5000_0000, 0, MIB], phandle: [1] } },
			{ dev: { 'memory-region': [1] } },
		);
		const dev = newDevice();
		expect(of_reserved_mem_device_init_by_idx(dev, nodeAt('/dev'), 1)).to.equal(-19);
		expect(of_reserved_mem_device_init_by_idx(dev, nodeAt('/dev'), 0)).to.equal(-22);
		expect(of_reserved_mem_device_init_by_idx(null, null, 0)).to.equal(-22);
	});
});
