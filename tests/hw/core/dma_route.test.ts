// SPDX-License-Identifier: GPL-2.0-only
// Where the DMA of a node goes, by what the tree says of the way.
import { expect } from 'chai';
import { dmaWindows, isCoherent } from '#hw/core/dma-route.js';
import { parseFdt } from '#hw/core/fdt.js';
import { blobOf, type Node, RAM } from '#tests/hw/board.js';
import { h6Tree } from '#tests/hw/h6.js';

const CELLS = { '#address-cells': [1], '#size-cells': [1] };
const MASTER = { compatible: 'oracle,master' };

const windows = (more: Node, path: string): unknown => dmaWindows(parseFdt(blobOf(h6Tree(more))).node(path)!);

describe('dma_route', () => {
	it('goes on to the bus above where dma-ranges is empty', () => {
		const outer = { ...CELLS, 'dma-ranges': [0xc0000000, RAM, 0x1000000] };
		const more: Node = { a: { ...outer, b: { ...CELLS, 'dma-ranges': true, m: MASTER } } };
		expect(windows(more, '/a/b/m')).to.deep.equal([{ bus: 0xc0000000, cpu: RAM, size: 0x1000000 }]);
	});

	it('translates a window by the buses above, and leaves out one that they do not show', () => {
		const inner = { ...CELLS, 'dma-ranges': [0, 0x1000, 0x1000, 0x8000, 0x9000000, 0x1000] };
		const more: Node = { a: { ...CELLS, 'dma-ranges': [0, RAM, 0x1000000], b: { ...inner, m: MASTER } } };
		expect(windows(more, '/a/b/m')).to.deep.equal([{ bus: 0, cpu: RAM + 0x1000, size: 0x1000 }]);
	});

	it('ends at the second bus without dma-ranges', () => {
		const outer = { ...CELLS, 'dma-ranges': [0, RAM, 0x1000000] };
		expect(windows({ a: { ...outer, b: { ...CELLS, m: MASTER } } }, '/a/b/m')).to.have.length(1);
		expect(windows({ a: { ...outer, b: { ...CELLS, c: { ...CELLS, m: MASTER } } } }, '/a/b/c/m')).to.equal(
			null,
		);
	});

	it('takes whole entries, and none where there are no cells', () => {
		const bus = (cells: Node, ranges: number[]): Node => ({ ...cells, 'dma-ranges': ranges, m: MASTER });
		expect(windows({ a: bus(CELLS, [0, RAM, 0x1000, 5]) }, '/a/m')).to.have.length(1);
		const none = { '#address-cells': [0], '#size-cells': [0] };
		expect(windows({ a: { ...none, b: bus(none, [0, 0, 0]) } }, '/a/b/m')).to.equal(null);
	});

	describe('by the interconnect dma-mem', () => {
		const icc = (more: Node): Node => ({
			mbus: { ...CELLS, '#interconnect-cells': [1], phandle: [9], ...more },
		});
		const by = (interconnects: number[], names: string | string[] = 'dma-mem'): Node => ({
			...MASTER,
			'interconnect-names': names,
			interconnects,
		});

		it('sees what that shows, and snoops where that does', () => {
			const more: Node = {
				...icc({ 'dma-ranges': [0, RAM, 0x1000000], 'dma-coherent': true }),
				m: by([0, 9, 0], ['x', 'dma-mem']),
			};
			expect(windows(more, '/m')).to.deep.equal([{ bus: 0, cpu: RAM, size: 0x1000000 }]);
			expect(isCoherent(parseFdt(blobOf(h6Tree(more))).node('/m')!)).to.equal(true);
		});

		it('goes by the bus when it is wrong, and not round for ever', () => {
			expect(windows({ ...icc({ 'dma-ranges': [0, RAM, 0x1000] }), m: by([0x77, 0]) }, '/m')).to.equal(null);
			expect(windows({ ...icc({ ...by([9, 0]), 'dma-ranges': true }), m: by([9, 0]) }, '/m')).to.equal(null);
		});
	});
});
