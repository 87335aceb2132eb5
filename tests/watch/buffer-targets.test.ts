// SPDX-License-Identifier: GPL-2.0-only
// What a device is told to access, as it is told, and as that is unmapped, or given back as done.
import { expect } from 'chai';
import type { DmaTarget } from '#hw/core/model.js';
import type { TestMaster } from '#hw/misc/test-master.js';
import { VB2_BUF_STATE_DONE, vb2_buffer, vb2_queue } from '#include/media/videobuf2-core.js';
import { trace_vb2_buf_done, trace_vb2_buf_queue } from '#include/trace/events/vb2.js';
import {
	dma_sync_single_for_cpu,
	dma_sync_single_for_device,
	dma_unmap_single,
} from '#kernel/dma/mapping.js';
import type { device } from '#linux/device.js';
import { DMA_BIDIRECTIONAL, DMA_FROM_DEVICE, DMA_TO_DEVICE } from '#linux/dma-direction.js';
import { ref } from '#linux/types.js';
import { asKernel } from './as-kernel.js';
import { WatchedBoard } from './buffer-rig.js';

const SIZE = 1024;

/** Board main, whose m0 says what it was told. */
class TellingBoard extends WatchedBoard {
	readonly dev: device;
	/** What m0 has still to access. */
	readonly targets: DmaTarget[];

	constructor() {
		const targets: DmaTarget[] = [];
		super('main', '', (machine) => {
			Object.assign(machine.models.get('m0')!, { targets: () => targets });
		});
		this.targets = targets;
		this.dev = this.device('m0');
	}

	get #teller(): TestMaster & { onTold?: (write: boolean | null) => void } {
		return this.model('m0');
	}

	/** m0 has @size bytes at @addr to access. */
	has(addr: number, size: number, write: boolean): void {
		this.targets.splice(0, this.targets.length, {
			port: this.#teller.port,
			addr,
			size,
			write,
			by: 'its register',
		});
	}

	/** What is said as a driver tells m0 so. */
	tells(addr: number, size: number, write: boolean): string[] {
		this.has(addr, size, write);
		return this.kinds(() => asKernel(() => this.#teller.onTold!(write)));
	}
}

describe('watch/buffer-targets', () => {
	let board: TellingBoard;
	let dev: device;
	beforeEach(() => {
		board = new TellingBoard();
		({ dev } = board);
	});

	it('say nothing where a device is told what is mapped, and has done with it when that ends', () => {
		for (const [dir, write] of [
			[DMA_TO_DEVICE, false],
			[DMA_FROM_DEVICE, true],
			[DMA_BIDIRECTIONAL, true],
		] as const) {
			const { addr } = board.mapped(dev, SIZE, dir);
			expect(board.tells(addr, SIZE, write)).to.deep.equal([]);
			expect(board.tells(addr + 64, SIZE - 64, write)).to.deep.equal([]);
			board.targets.length = 0;
			expect(board.kinds(() => dma_unmap_single(dev, addr, SIZE, dir))).to.deep.equal([]);
		}
	});

	it('report an address that nobody has mapped', () => {
		board.mapped(dev, SIZE, DMA_FROM_DEVICE);
		expect(board.tells(0x1000_0000, SIZE, true)).to.deep.equal(['INV-LIVE-MAP told-never-mapped return']);
	});

	it('report an address whose mapping has ended', () => {
		const { addr } = board.mapped(dev, SIZE, DMA_FROM_DEVICE);
		dma_unmap_single(dev, addr, SIZE, DMA_FROM_DEVICE);
		expect(board.tells(addr, SIZE, true)).to.deep.equal(['INV-LIVE-MAP told-unmapped return']);
	});

	it('report what is mapped for the other direction', () => {
		const { addr } = board.mapped(dev, SIZE, DMA_TO_DEVICE);
		expect(board.tells(addr, SIZE, true)).to.deep.equal(['INV-LIVE-MAP told-direction return']);
	});

	it('report what goes beyond its mapping', () => {
		const { addr } = board.mapped(dev, SIZE, DMA_FROM_DEVICE);
		expect(board.tells(addr + 64, SIZE, true)).to.deep.equal(['INV-LIVE-MAP told-out-of-bounds return']);
	});

	it('report what the CPU has not given back', () => {
		const { addr } = board.mapped(dev, SIZE, DMA_FROM_DEVICE);
		dma_sync_single_for_cpu(dev, addr, SIZE, DMA_FROM_DEVICE);
		expect(board.tells(addr, SIZE, true)).to.deep.equal(['INV-OWN missing-sync return']);
		dma_sync_single_for_device(dev, addr, SIZE, DMA_FROM_DEVICE);
		expect(board.tells(addr, SIZE, true)).to.deep.equal([]);
	});

	it('report what the CPU has stored to since', () => {
		const { buf, addr } = board.mapped(dev, SIZE, DMA_TO_DEVICE);
		buf[100] = 7;
		expect(board.tells(addr, 100, false)).to.deep.equal(['INV-OWN missing-sync return']);
		expect(board.tells(addr + 128, SIZE - 128, false)).to.deep.equal([]);
	});

	it('report a mapping that ends while the device is on its way there', () => {
		const { addr } = board.mapped(dev, SIZE, DMA_FROM_DEVICE);
		board.has(addr, SIZE, true);
		const ends = board.kinds(() => dma_unmap_single(dev, addr, SIZE, DMA_FROM_DEVICE));
		expect(ends).to.deep.equal(['INV-LIVE-MAP unmapped-in-use return']);
	});

	describe('and of queues of video', () => {
		let q: vb2_queue;
		let vb: vb2_buffer;
		/** A buffer of @length bytes whose memory is at @addr. */
		const make = (addr: number, length: number): void => {
			q = new vb2_queue();
			q.dev = dev;
			q.mem_ops = { cookie: () => new ref(addr) } as unknown as vb2_queue['mem_ops'];
			vb = new vb2_buffer();
			vb.num_planes = 1;
			vb.state = VB2_BUF_STATE_DONE;
			Object.assign(vb.planes[0], { mem_priv: {}, length });
		};

		it('report a buffer that is larger than its memory, as its driver gets it', () => {
			const { addr } = board.mapped(dev, SIZE, DMA_FROM_DEVICE);
			make(addr, SIZE);
			expect(board.kinds(() => trace_vb2_buf_queue(q, vb))).to.deep.equal([]);
			make(addr, SIZE + 1);
			const queued = board.kinds(() => trace_vb2_buf_queue(q, vb));
			expect(queued).to.deep.equal(['INV-LIVE-MAP queued-out-of-bounds return']);
		});

		it('report a buffer that is done while the device is on its way there', () => {
			const { addr } = board.mapped(dev, SIZE, DMA_FROM_DEVICE);
			make(addr, SIZE);
			expect(board.kinds(() => trace_vb2_buf_done(q, vb))).to.deep.equal([]);
			board.has(addr + SIZE - 1, 1, true);
			const done = board.kinds(() => trace_vb2_buf_done(q, vb));
			expect(done).to.deep.equal(['INV-LIVE-MAP done-in-use return']);
		});
	});
});
