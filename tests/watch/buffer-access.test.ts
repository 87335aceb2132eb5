// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import { sysfs_write } from '#fs/sysfs/user.js';
import {
	dma_alloc_coherent,
	dma_free_coherent,
	dma_sync_single_for_cpu,
	dma_sync_single_for_device,
	dma_unmap_single,
} from '#kernel/dma/mapping.js';
import type { device } from '#linux/device.js';
import { DMA_FROM_DEVICE, DMA_TO_DEVICE } from '#linux/dma-direction.js';
import { GFP_KERNEL } from '#linux/gfp_types.js';
import { virt_to_phys } from '#linux/mm.js';
import { kfree } from '#linux/slab.js';
import { ref } from '#linux/types.js';
import { expectFinding } from '#tests/setup.js';
import { WatchedBoard } from './buffer-rig.js';

describe('watch/buffer-access', () => {
	let board: WatchedBoard;
	let dev: device;
	const direct = (): void => {
		board = new WatchedBoard('direct');
		dev = board.device('m3');
	};
	const behind = (): void => {
		board = new WatchedBoard('main');
		dev = board.device('m0');
	};

	it('says nothing of accesses inside live mappings, in their directions, up to the last byte', () => {
		for (const boot of [direct, behind]) {
			boot();
			const model = board.model(boot === direct ? 'm3' : 'm0');
			const { buf, addr } = board.mapped(dev, 1000, DMA_TO_DEVICE);
			const { buf: into, addr: at } = board.mapped(dev, 1024, DMA_FROM_DEVICE);
			model.fetch(addr, 1000);
			model.store(at, new Uint8Array(1024));
			dma_unmap_single(dev, addr, 1000, DMA_TO_DEVICE);
			dma_unmap_single(dev, at, 1024, DMA_FROM_DEVICE);
			kfree(buf);
			kfree(into);
			board.san.quiet('the test');
			expect(board.san.text()).to.equal('');
		}
	});

	it('reports one byte behind the buffer, with what is there', () => {
		for (const boot of [direct, behind]) {
			boot();
			const model = board.model(boot === direct ? 'm3' : 'm0');
			const { addr } = board.mapped(dev, 1000, DMA_TO_DEVICE);
			const [report] = board.said(() => model.fetch(addr + 500, 501));
			expect(report).to.include({ invariant: 'INV-LIVE-MAP', kind: 'out-of-bounds', moment: 'access' });
			expect(report.text).to.contain('1 byte behind the last of [');
			expect(report.text).to.contain('Mapped by dma_map_page');
			expect(report.text).to.contain('The memory is kmalloc-1k at');
			expect(report.advice).to.match(/told m\d a larger size than it mapped: dma_map_page\(\) of 1000 bytes/);
		}
	});

	it('reports an access after the unmap, and after the memory was freed, with who did it', () => {
		direct();
		const { buf, addr } = board.mapped(dev, 1024, DMA_FROM_DEVICE);
		dma_unmap_single(dev, addr, 1024, DMA_FROM_DEVICE);
		const [after] = board.said(() => board.model('m3').store(addr, Uint8Array.of(1)));
		expect(after.kind).to.equal('use-after-unmap');
		expect(after.text).to.contain('Unmapped by dma_unmap_page');
		expect(after.advice).to.contain('the driver has to stop the device');
		const other = board.mapped(dev, 2048, DMA_FROM_DEVICE);
		dma_unmap_single(dev, other.addr, 2048, DMA_FROM_DEVICE);
		kfree(other.buf);
		const [freed] = board.said(() => board.model('m3').store(other.addr, Uint8Array.of(1)));
		expect(freed.kind).to.equal('use-after-free');
		expect(freed.text).to.contain('Freed by free');
		kfree(buf);
	});

	it('reports the wrong direction where no IOMMU refuses it', () => {
		direct();
		const { addr } = board.mapped(dev, 1024, DMA_TO_DEVICE);
		const [report] = board.said(() => board.model('m3').store(addr, Uint8Array.of(1)));
		expect(report).to.include({ invariant: 'INV-LIVE-MAP', kind: 'wrong-direction' });
		expect(report.advice).to.contain('the driver should map it DMA_FROM_DEVICE, or DMA_BIDIRECTIONAL');
	});

	it('does not judge a device that has mapped nothing, or what was reserved', () => {
		direct();
		board.model('m3').fetch(0x7000_0000, 4);
		const { addr } = board.mapped(dev, 64, DMA_TO_DEVICE);
		board.model('m3').fetch(0x1000_0000, 4);
		board.model('m3').fetch(addr, 64);
		expect(board.san.text()).to.equal('');
	});

	it('knows coherent memory by the bytes that were asked for', () => {
		for (const boot of [direct, behind]) {
			boot();
			const model = board.model(boot === direct ? 'm3' : 'm0');
			const handle = new ref<number>(0);
			const cpu = dma_alloc_coherent(dev, 5000, handle, GFP_KERNEL)!;
			model.store(handle.value, new Uint8Array(5000));
			expect(board.san.text()).to.equal('');
			expect(board.said(() => model.fetch(handle.value + 5000, 1)).map(({ kind }) => kind)).to.deep.equal([
				'out-of-bounds',
			]);
			dma_free_coherent(dev, 5000, cpu, handle.value);
		}
	});

	it('reports a bounced buffer that the CPU has stored to and not given back', () => {
		board = new WatchedBoard('direct', 'swiotlb=2048,force');
		dev = board.device('m3');
		const { buf, addr } = board.mapped(dev, 1024, DMA_TO_DEVICE);
		expect(addr).not.to.equal(virt_to_phys(buf));
		dma_sync_single_for_cpu(dev, addr, 1024, DMA_TO_DEVICE);
		buf[5] = 1;
		dma_sync_single_for_device(dev, addr, 1024, DMA_TO_DEVICE);
		board.model('m3').fetch(addr, 64);
		expect(board.san.text()).to.equal('');
		dma_sync_single_for_cpu(dev, addr, 1024, DMA_TO_DEVICE);
		buf[6] = 2;
		const [report] = board.said(() => board.model('m3').fetch(addr, 64));
		expect(report).to.include({ invariant: 'INV-OWN', kind: 'missing-sync' });
	});

	it('counts what a device reaches before the flush queue is flushed', () => {
		behind();
		expect(sysfs_write('/sys/kernel/iommu_groups/0/type', 'DMA-FQ')).to.equal(6);
		const { addr } = board.mapped(dev, 4096, DMA_TO_DEVICE);
		board.model('m0').fetch(addr, 4);
		dma_unmap_single(dev, addr, 4096, DMA_TO_DEVICE);
		board.model('m0').fetch(addr, 4);
		expect(board.san.exposures.get('EXP-WINDOW')).to.equal(1);
		expectFinding(/stale-tlb/);
		board.san.exposing = true;
		const [report] = board.said(() => board.model('m0').fetch(addr, 4));
		expect(report.text).to.match(/Unmapped \d+ ns before, and not yet flushed/);
	});
});
