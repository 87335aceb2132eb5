// SPDX-License-Identifier: GPL-2.0-only
// The Ethernet driver's DMA: contents, bounces, failures, stop. What comes back is what was sent, by the loop.
import { expect } from 'chai';
import { platform_driver_unregister } from '#drivers/base/platform.js';
import {
	DMA_RX_SIZE,
	DMA_TX_SIZE,
	sun8i_dwmac_driver,
} from '#drivers/net/ethernet/stmicro/stmmac/dwmac-sun8i.js';
import { dma_map_single, dma_unmap_single } from '#kernel/dma/mapping.js';
import { trace_entries, tracing_reset } from '#kernel/trace/trace.js';
import { trace_set_clr_event } from '#kernel/trace/trace_events.js';
import { DMA_TO_DEVICE } from '#linux/dma-direction.js';
import { dma_mapping_error } from '#linux/dma-mapping.js';
import { EBUSY, EINVAL, ENETDOWN } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { __dev_get_by_name, dev_close, netif_queue_stopped } from '#linux/netdevice.js';
import { MAX_SKB_FRAGS } from '#linux/skbuff.js';
import { kfree, kmalloc } from '#linux/slab.js';
import { slab_fault } from '#mm/failslab.js';
import { failEach } from '#tests/fail-each.js';
import { expectWarning } from '#tests/setup.js';
import { frame, Port, packet } from './port.js';

/** Bytes of the frame, of its linear part, fragments. Both sides of the copybreak (256), and the longest. */
const SHAPES: readonly (readonly [number, number, number])[] = [
	[60, 60, 0],
	[64, 20, 1],
	[255, 255, 0],
	[256, 256, 0],
	[900, 1, 2],
	[1514, 1514, 0],
	[1514, 66, 3],
	[1514, 14, 17],
];

for (const narrow of [false, true])
	describe(`dwmac_sun8i ${narrow ? 'out of reach of its packets' : 'in reach of all memory'}`, () => {
		let port: Port;
		beforeEach(() => {
			port = new Port(narrow);
		});

		it('has no IOMMU in front of it', () => {
			expect(port.device.iommu_group).to.equal(null);
			expect(port.emac.port.stream).to.equal(-1);
		});

		it('gets back what it sends, linear and in fragments', () => {
			expect(port.open()).to.equal(0);
			SHAPES.forEach(([size, linear, frags], i) => {
				expect(port.send(packet(frame(size, i), linear, frags))).to.equal(0);
			});
			port.settle();
			expect(port.received).to.deep.equal(SHAPES.map(([size], i) => frame(size, i)));
			const bytes = SHAPES.reduce((sum, [size]) => sum + size, 0);
			expect(port.net.stats).to.include({
				tx_packets: SHAPES.length,
				rx_packets: SHAPES.length,
				tx_bytes: bytes,
				rx_bytes: bytes,
				tx_dropped: 0,
				rx_dropped: 0,
			});
			expect(port.dmasan.reports).to.deep.equal([]);
			dev_close(port.net);
		});

		it('sends a frame shorter than 60 bytes with zeros behind it', () => {
			port.open();
			port.send(packet(frame(20, 3)));
			port.settle();
			const expected = new Uint8Array(60);
			expected.set(frame(20, 3));
			expect(port.received).to.deep.equal([expected]);
			dev_close(port.net);
		});

		it('maps a packet in the order of Linux: fragments first, the linear part last', () => {
			port.open();
			for (const event of ['dma_map_page', 'dma_unmap_page']) trace_set_clr_event('dma', event, true);
			tracing_reset();
			port.send(packet(frame(1000, 1), 100, 2));
			port.settle();
			const calls = trace_entries()
				.filter(({ text }) => text.includes('dir=TO_DEVICE'))
				.map(({ event, text }) => `${event} ${/size=(\d+)/.exec(text)?.[1]}`);
			expect(calls).to.deep.equal([
				'dma:dma_map_page 450',
				'dma:dma_map_page 450',
				'dma:dma_map_page 100',
				'dma:dma_unmap_page 100',
				'dma:dma_unmap_page 450',
				'dma:dma_unmap_page 450',
			]);
			dev_close(port.net);
		});

		it('goes round both rings', () => {
			const check = port.leakCheck();
			port.open();
			const count = 3 * DMA_TX_SIZE + 5;
			for (let i = 0; i < count; i++) {
				expect(port.send(packet(frame(300 + i, i), 100, 1 + (i % 3)))).to.equal(0);
				if (i % 8 === 7) port.settle();
			}
			port.settle();
			expect(port.received.length).to.equal(count);
			for (let i = 0; i < count; i++) expect(port.received[i], `frame ${i}`).to.deep.equal(frame(300 + i, i));
			dev_close(port.net);
			expect(check()).to.deep.equal([]);
		});

		it('refuses packets when its ring is full, and takes them again when there is room', () => {
			port.open();
			let sent = 0;
			while (port.send(packet(frame(100, sent))) === 0) sent++;
			// One descriptor stays free, as the ring would look empty otherwise; and the longest packet must fit in the rest.
			expect(sent).to.equal(DMA_TX_SIZE - 1 - (MAX_SKB_FRAGS + 1));
			expect(port.log.filter((line) => line.includes('Tx Ring full'))).to.deep.equal([]);
			expect(netif_queue_stopped(port.net)).to.equal(true);
			expect(port.send(packet(frame(100, 0)))).to.equal(-EBUSY);
			port.settle();
			expect(port.received.length).to.equal(sent);
			expect(port.send(packet(frame(100, 0)))).to.equal(0);
			port.settle();
			expect(port.received.length).to.equal(sent + 1);
			dev_close(port.net);
		});

		it('leaves nothing when it is stopped, with packets in flight or without', () => {
			// The names of cached structs and files exist from the first time on.
			port.open();
			dev_close(port.net);
			const check = port.leakCheck();
			for (const wait of [0, 300, 3000, 20_000, 1_000_000]) {
				expect(port.open()).to.equal(0);
				for (let i = 0; i < 12; i++) port.send(packet(frame(1200, i), 200, 2));
				port.machine.advance(wait);
				dev_close(port.net);
				const { reads, writes } = port.emac.port.stats;
				port.settle();
				expect(port.emac.port.stats).to.include({ reads, writes });
				expect(check(), `stopped after ${wait} ns`).to.deep.equal([]);
			}
			expect(port.send(packet(frame(60, 0)))).to.equal(-ENETDOWN);
			expect(port.dmasan.reports).to.deep.equal([]);
		});

		it('undoes what it did when an allocation fails', () => {
			port.open();
			dev_close(port.net);
			const check = port.leakCheck();
			const failures = failEach((what) => {
				try {
					if (port.open() === 0) {
						port.send(packet(frame(900, 1), 100, 2));
						port.settle();
					}
				} catch (e) {
					// The test's own packet had no memory.
					expect(String(e), what).to.match(/no memory for/);
				}
				dev_close(port.net);
				expect(check(), what).to.deep.equal([]);
			});
			// At least the rings' four arrays, a packet and a buffer for each receive descriptor.
			expect(failures).to.be.greaterThan(4 + 2 * DMA_RX_SIZE);
		});

		it('is gone when its driver is', () => {
			port.open();
			port.send(packet(frame(1000, 1)));
			platform_driver_unregister(sun8i_dwmac_driver);
			expect(__dev_get_by_name('eth0')).to.equal(null);
			expect(port.slots()).to.equal(0);
			port.settle();
		});
	});

describe('dwmac_sun8i under the watch of dma-debug', () => {
	for (const narrow of [false, true])
		it(`does nothing wrong, and leaves no mapping behind, ${narrow ? 'bouncing' : 'in reach'}`, () => {
			const port = new Port(narrow, 'swiotlb=1024 dma_debug=on');
			const said = (): string[] => port.log.filter((line) => line.includes('DMA-API'));
			const atBoot = said();
			expect(atBoot.at(-1)).to.match(/DMA-API: debugging enabled by kernel config$/);
			port.open();
			SHAPES.forEach(([size, linear, frags], i) => {
				port.send(packet(frame(size, i), linear, frags));
			});
			port.settle();
			expect(port.received.length).to.equal(SHAPES.length);
			port.send(packet(frame(1000, 1), 100, 2));
			// Packets in flight, and then no driver: dma-debug warns of what is still mapped.
			platform_driver_unregister(sun8i_dwmac_driver);
			expect(said()).to.deep.equal(atBoot);
		});
});

describe('dwmac_sun8i bouncing', () => {
	it('bounces every byte that it sends, and its receive buffers, only when memory is out of reach', () => {
		const wide = new Port(false);
		wide.open();
		wide.send(packet(frame(1514, 1), 66, 3));
		wide.settle();
		expect(wide.received.length).to.equal(1);
		expect(wide.bounced()).to.equal(0);
		dev_close(wide.net);

		const port = new Port(true);
		port.open();
		expect(port.bounced()).to.equal(DMA_RX_SIZE * 1536);
		expect(port.slots()).to.equal(DMA_RX_SIZE);
		port.send(packet(frame(1514, 1), 66, 3));
		port.settle();
		// The frame, and the buffer that takes the place of the one that was handed on.
		expect(port.bounced()).to.equal((DMA_RX_SIZE + 1) * 1536 + 1514);
		// A short one is copied, and its buffer stays.
		port.send(packet(frame(200, 1)));
		port.settle();
		expect(port.bounced()).to.equal((DMA_RX_SIZE + 1) * 1536 + 1514 + 200);
		expect(port.slots()).to.equal(DMA_RX_SIZE);
		dev_close(port.net);
		expect(port.slots()).to.equal(0);
	});

	it('fails to open when a receive buffer cannot be mapped', () => {
		expectWarning(/DMA addr 0x[0-9a-f]+\+1536 overflow \(mask ffffffff, bus limit 43ffffff\)/);
		const port = new Port(true, 'swiotlb=noforce');
		const check = port.leakCheck();
		expect(port.open()).to.equal(-EINVAL);
		expect(check()).to.deep.equal([]);
	});

	/** Fill the pool, then leave @free slots; the result gives the rest back. */
	function crowd(port: Port, free: number): () => void {
		const data = kmalloc(2048, GFP_KERNEL)!;
		const held: number[] = [];
		for (;;) {
			const addr = dma_map_single(port.device, data, 2048, DMA_TO_DEVICE);
			if (dma_mapping_error(port.device, addr) !== 0) break;
			held.push(addr as number);
		}
		const release = (n: number): void => {
			for (let i = 0; i < n; i++) dma_unmap_single(port.device, held.pop()!, 2048, DMA_TO_DEVICE);
		};
		release(free);
		return () => {
			release(held.length);
			kfree(data);
		};
	}

	it('drops a packet whose parts cannot all be mapped, and unmaps those that were', () => {
		const port = new Port(true, 'swiotlb=256');
		const check = port.leakCheck();
		port.open();
		for (const free of [0, 1, 2, 3]) {
			const leave = crowd(port, free);
			const slots = port.slots();
			// Four parts, one slot each.
			expect(port.send(packet(frame(1400, 1), 300, 3))).to.equal(0);
			expect(port.slots(), `${free} slots left`).to.equal(slots);
			expect(port.net.stats.tx_dropped).to.equal(free + 1);
			leave();
		}
		expect(
			port.log.filter((line) => line.endsWith('dwmac-sun8i 5020000.ethernet eth0: Tx DMA map failed')).length,
		).to.equal(4);
		port.settle();
		expect(port.received).to.deep.equal([]);
		port.send(packet(frame(1400, 1), 300, 3));
		port.settle();
		expect(port.received).to.deep.equal([frame(1400, 1)]);
		dev_close(port.net);
		expect(check()).to.deep.equal([]);
	});

	it('drops a frame that comes when there is no memory for it or the next buffer, and goes on', () => {
		const port = new Port(true);
		const check = port.leakCheck();
		port.open();
		// A long frame needs a buffer in its place, a short one a copy: a packet's struct in both cases.
		[1000, 100].forEach((size, i) => {
			port.send(packet(frame(size, 1)));
			slab_fault.name = 'sk_buff';
			slab_fault.nth = 1;
			port.settle();
			expect(port.net.stats.rx_dropped).to.equal(i + 1);
		});
		expect(port.received).to.deep.equal([]);
		slab_fault.name = '';
		for (let i = 0; i < DMA_RX_SIZE; i++) {
			port.send(packet(frame(1000, i)));
			port.settle();
		}
		expect(port.received).to.deep.equal(Array.from({ length: DMA_RX_SIZE }, (_, i) => frame(1000, i)));
		dev_close(port.net);
		expect(check()).to.deep.equal([]);
	});
});
