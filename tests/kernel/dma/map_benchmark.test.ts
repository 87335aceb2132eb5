// SPDX-License-Identifier: GPL-2.0-only
// dma_map_benchmark, asked as its program asks it. Times are virtual, unless the machine has a stop watch.
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { sysfs_ioctl, sysfs_lookup, sysfs_write } from '#fs/sysfs/user.js';
import { start_kernel } from '#init/main.js';
import { dma_set_mask } from '#kernel/dma/mapping.js';
import type { device } from '#linux/device.js';
import { DMA_BIT_MASK, dma_get_mask } from '#linux/dma-mapping.js';
import { IS_ERR } from '#linux/err.js';
import { EEXIST, EINVAL, ENOENT, ENOMEM } from '#linux/errno.js';
import {
	DMA_MAP_BENCHMARK,
	DMA_MAP_FROM_DEVICE,
	DMA_MAP_MAX_TRANS_DELAY,
	DMA_MAP_TO_DEVICE,
	map_benchmark,
} from '#linux/map_benchmark.js';
import { failEach } from '#tests/fail-each.js';
import { leakCheck } from '#tests/leaks.js';
import { testMachine } from '#tests/machine.js';
import { expectWarning } from '#tests/setup.js';
import { deviceOf } from '#tools/bench/boards.js';
import { bindBenchmark } from '#tools/bench/dma_map_benchmark.js';

const VIDEO_ENGINE = '1c0e000.video-codec';
const FILE = '/sys/kernel/debug/dma_map_benchmark';
const DTS = 'arch/arm64/boot/dts/allwinner';

let log: string[] = [];

function boot(board = 'sun50i-h6-orangepi-3', commandLine = '', stopwatch?: () => number): device {
	log = [];
	const dtb = new Uint8Array(readFileSync(`${DTS}/${board}.dtb`));
	const onConsole = (_level: number, line: string): void => void log.push(line);
	start_kernel(
		testMachine(dtb, { commandLine, onConsole, ...(stopwatch === undefined ? {} : { stopwatch }) }),
	);
	bindBenchmark();
	return deviceOf(VIDEO_ENGINE);
}

/** A question that takes a hundred rounds. */
function question(change: Partial<map_benchmark> = {}): map_benchmark {
	const usual = { threads: 1, seconds: 1, node: -1, dma_bits: 32, dma_dir: DMA_MAP_TO_DEVICE, granule: 1 };
	return Object.assign(new map_benchmark(), usual, { dma_trans_ns: DMA_MAP_MAX_TRANS_DELAY }, change);
}

const ask = (q: map_benchmark): number => sysfs_ioctl(FILE, DMA_MAP_BENCHMARK, q);

describe('map_benchmark', () => {
	it('answers what mapping and unmapping took, the same in every run', () => {
		const answers = [0, 1].map(() => {
			boot();
			const q = question();
			expect(ask(q)).to.equal(0);
			return q;
		});
		const [q] = answers;
		expect(answers[1]).to.deep.equal(q);
		// Four invalidations when a page is mapped, one flush when it is unmapped; each is waited for a microsecond.
		expect(q.avg_map_100ns).to.be.within(40, 80);
		expect(q.avg_unmap_100ns).to.be.within(10, 20);
		expect([q.map_stddev, q.unmap_stddev]).to.deep.equal([0, 0]);
	});

	it('takes no virtual time without an IOMMU', () => {
		boot('sun50i-h6-orangepi-3-noiommu');
		const q = question({ avg_map_100ns: 7 });
		expect(ask(q)).to.equal(0);
		expect([q.avg_map_100ns, q.avg_unmap_100ns]).to.deep.equal([0, 0]);
	});

	it('goes by the stop watch of a machine that has one', () => {
		let ns = 0;
		boot('sun50i-h6-orangepi-3', '', () => {
			ns += 250;
			return ns;
		});
		const q = question();
		expect(ask(q)).to.equal(0);
		// 250 ns from one look to the next, in whole units of 100.
		expect([q.avg_map_100ns, q.map_stddev, q.avg_unmap_100ns]).to.deep.equal([2, 0, 2]);
	});

	it('has as many threads as asked for, each with memory of its own, and gives all back', () => {
		boot();
		// Address ranges stay in the caches, and page tables with their domain.
		expect(ask(question({ granule: 16 }))).to.equal(0);
		const leaks = leakCheck();
		expect(ask(question({ threads: 5, granule: 16, dma_dir: DMA_MAP_FROM_DEVICE }))).to.equal(0);
		expect(leaks()).to.deep.equal([]);
	});

	for (const [what, change] of [
		['invalid thread number', { threads: 0 }],
		['invalid thread number', { threads: 1025 }],
		['invalid duration seconds', { seconds: 0 }],
		['invalid duration seconds', { seconds: 301 }],
		['invalid transmission delay', { dma_trans_ns: DMA_MAP_MAX_TRANS_DELAY + 1 }],
		['invalid numa node', { node: -2 }],
		['invalid numa node', { node: 1 }],
		['invalid granule size', { granule: 0 }],
		['invalid granule size', { granule: 1025 }],
		['invalid DMA direction', { dma_dir: 3 }],
	] as const)
		it(`refuses ${JSON.stringify(change)}: ${what}`, () => {
			boot();
			const q = question(change);
			expect(ask(q)).to.equal(-EINVAL);
			expect(log.at(-1)).to.match(new RegExp(`map_benchmark: ${what}$`));
			expect(q).to.deep.equal(question(change));
		});

	it('knows one command', () => {
		boot();
		expect(sysfs_ioctl(FILE, DMA_MAP_BENCHMARK + 1, question())).to.equal(-EINVAL);
	});

	it('maps by the mask that it is given, and leaves the device the one it had', () => {
		const dev = boot('sun50i-h6-orangepi-3-noiommu');
		expect(dma_set_mask(dev, DMA_BIT_MASK(33))).to.equal(0);
		expect(ask(question({ dma_bits: 20 }))).to.equal(-EINVAL);
		expect(log.at(-1)).to.match(/map_benchmark: failed to set dma_mask on device 1c0e000\.video-codec$/);
		expect(ask(question({ dma_bits: 64 }))).to.equal(0);
		expect(dma_get_mask(dev)).to.equal(DMA_BIT_MASK(33));
	});

	it('answers -ENOMEM when a mapping fails, and no figures', () => {
		const dev = boot('sun50i-h6-orangepi-3-noiommu', 'swiotlb=noforce');
		// The first page of memory is all that the bus reaches, and nothing may bounce.
		dev.bus_dma_limit = 0x4000_0fff;
		expectWarning(/DMA addr .* overflow/);
		const q = question({ avg_map_100ns: 3 });
		const leaks = leakCheck();
		expect(ask(q)).to.equal(-ENOMEM);
		expect(log.join('\n')).to.match(/map_benchmark: dma_map_single failed on 1c0e000\.video-codec$/m);
		expect(q.avg_map_100ns).to.equal(3);
		expect(leaks()).to.deep.equal([]);
	});

	it('answers -ENOMEM and keeps nothing when memory runs out', () => {
		boot();
		expect(ask(question())).to.equal(0);
		const leaks = leakCheck();
		const failures = failEach(() => {
			const ret = ask(question({ threads: 2 }));
			if (ret !== 0) expect(ret).to.equal(-ENOMEM);
		});
		expect(failures).to.be.greaterThan(2);
		expect(leaks()).to.deep.equal([]);
	});

	it('is for one device at a time', () => {
		boot();
		const other = '1100000.mixer';
		sysfs_write(`/sys/bus/platform/devices/${other}/driver_override`, 'dma_map_benchmark');
		sysfs_write(`/sys/bus/platform/devices/${other}/driver/unbind`, other);
		expect(sysfs_write('/sys/bus/platform/drivers/dma_map_benchmark/bind', other)).to.equal(-EEXIST);
	});

	it('has no file without a device', () => {
		boot();
		sysfs_write('/sys/bus/platform/drivers/dma_map_benchmark/unbind', VIDEO_ENGINE);
		expect(ask(question())).to.equal(-ENOENT);
		expect(IS_ERR(sysfs_lookup(FILE))).to.equal(true);
	});
});
