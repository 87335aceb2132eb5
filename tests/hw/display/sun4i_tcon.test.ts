// SPDX-License-Identifier: GPL-2.0-only
// Bits: Linux 6.12, drivers/gpu/drm/sun4i/sun4i_tcon.h.
import { expect } from 'chai';
import type { Machine } from '#hw/core/machine.js';
import { monitorOf } from '#hw/display/monitor.js';
import { h6 } from '#tests/hw/h6.js';

const TCON = 0x6515000;

function tcon(): {
	machine: Machine;
	read: (offset: number) => number;
	write: (offset: number, value: number) => void;
} {
	const machine = h6(
		{},
		{ 'lcd@6515000': { compatible: 'allwinner,sun50i-h6-tcon-tv', reg: [TCON, 0x1000] } },
	);
	return {
		machine,
		read: (offset) => machine.mmio_read(TCON + offset, 4),
		write: (offset, value) => machine.mmio_write(TCON + offset, 4, value),
	};
}

describe('sun4i_tcon', () => {
	it('rests at power-on: all registers zero, no frames', () => {
		const { machine, read } = tcon();
		machine.advance(100e6);
		for (const offset of [0, 4, 8, 0x90, 0x94, 0xf0]) expect(read(offset)).to.equal(0);
	});

	it('flags a vertical blank 60 times a second while both enables are set', () => {
		const { machine, read, write } = tcon();
		write(0x00, 0x80000000);
		machine.advance(100e6);
		expect(read(0x04)).to.equal(0);
		write(0x90, 0x80000000);
		machine.advance(17e6);
		expect(read(0x04)).to.equal(1 << 14);
		write(0x04, 0);
		expect(read(0x04)).to.equal(0);
		expect(monitorOf(machine).capture()).to.equal(null);
	});

	it('keeps a flag that is written as 1 and stops with its enable', () => {
		const { machine, read, write } = tcon();
		write(0x00, 0x80000000);
		write(0x90, 0x80000000);
		machine.advance(17e6);
		write(0x04, 0x4000);
		expect(read(0x04)).to.equal(0x4000);
		write(0x90, 0);
		write(0x04, 0);
		machine.advance(100e6);
		expect(read(0x04)).to.equal(0);
	});
});
