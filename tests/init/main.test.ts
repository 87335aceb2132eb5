// SPDX-License-Identifier: GPL-2.0-only
// What a boot says about memory, and where it puts the kernel.
import { expect } from 'chai';
import { proc_read } from '#fs/proc/root.js';
import { fdtSource, parseFdt, writeFdt } from '#hw/core/fdt.js';
import { boardBlob, bootMachine } from '#tests/boot.js';

/** Board main (2 GiB from 0) with firmware's memory in its first 512 KiB, as H616 boards have it. */
function withFirmware(props: [string, Uint8Array][]): Uint8Array {
	const root = fdtSource(parseFdt(boardBlob('main')).root);
	const reserved = root.children.find((n) => n.name === 'reserved-memory');
	if (reserved === undefined) throw new Error('the board has no reserved memory');
	// Two cells each: base 0, size 0x80000.
	const reg = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0);
	reserved.children.push({ name: 'secmon@0', props: new Map([['reg', reg], ...props]), children: [] });
	return writeFdt(root);
}

function iomem(): string[] {
	const text = proc_read('/proc/iomem');
	return typeof text === 'string' ? text.split('\n') : [];
}

describe('main', () => {
	it('counts memory before CMA gives its pages away, so that nothing is counted twice', () => {
		for (const board of ['main', 'h616', 'high', 'sun50i-h6-orangepi-3']) {
			const { log } = bootMachine(board);
			const line = log.find((l) => l.includes('Memory: ')) ?? '';
			const [available, total, reserved, cma] = [/(\d+)K\//, /\/(\d+)K/, /(\d+)K reserved/, /(\d+)K cma/].map(
				(re) => Number(re.exec(line)?.[1]),
			);
			expect(available + reserved + cma, `${board}: ${line}`).to.equal(total);
			expect(cma, board).to.equal(65536);
			// At least the image and the bounce buffers of 2 MiB each, less than a tenth of all.
			expect(reserved, board).to.be.within(4096, total / 10);
		}
	});

	it('says each zone in one line', () => {
		const { log } = bootMachine('main');
		const at = log.findIndex((l) => l.endsWith('Zone ranges:'));
		expect(log[at + 1]).to.equal('[    0.000000]   DMA      [mem 0x0000000000000000-0x000000007fffffff]');
		expect(log[at + 2]).to.equal('[    0.000000]   DMA32    empty');
	});

	it('shows System RAM in /proc/iomem, and in it what is reserved', () => {
		bootMachine('main');
		// The image, the tree's three areas, swiotlb's 2 MiB with CMA's 64 MiB above.
		expect(iomem().slice(0, 6)).to.deep.equal([
			'00000000-7fffffff : System RAM',
			'  00000000-001fffff : reserved',
			'  03000000-037fffff : reserved',
			'  10000000-13ffffff : reserved',
			'  50000000-53ffffff : reserved',
			'  7be00000-7fffffff : reserved',
		]);
	});

	it('puts the kernel behind the firmware, whose memory stays as the tree says', () => {
		const { log } = bootMachine(withFirmware([['no-map', new Uint8Array(0)]]));
		expect(log.filter((l) => l.includes('failed to reserve'))).to.deep.equal([]);
		expect(log.join('\n')).to.match(/0x0+\.\.0x0*7ffff \(512 KiB\) nomap non-reusable secmon@0/);
		expect(iomem().slice(0, 3)).to.deep.equal([
			'00000000-0007ffff : reserved',
			'00080000-7fffffff : System RAM',
			'  00200000-003fffff : reserved',
		]);
		bootMachine(withFirmware([]));
		expect(iomem().slice(0, 3)).to.deep.equal([
			'00000000-7fffffff : System RAM',
			'  00000000-0007ffff : reserved',
			'  00200000-003fffff : reserved',
		]);
	});
});
