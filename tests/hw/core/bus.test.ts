// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import { Bus, Window } from '#hw/core/bus.js';
import type { DeviceModel } from '#hw/core/model.js';
import { PowerEpoch, PowerSwitch } from '#hw/core/power.js';
import { Ram } from '#hw/core/ram.js';

const RAM = 0x40000000;

class Probe implements DeviceModel {
	readonly name = 'probe';
	readonly seen: string[] = [];
	value = 0x1234;
	read(offset: number, width: number, region: number): number {
		this.seen.push(`R${region}:${offset.toString(16)}/${width}`);
		return this.value;
	}
	write(offset: number, width: number, value: number, region: number): void {
		this.seen.push(`W${region}:${offset.toString(16)}/${width}=${value.toString(16)}`);
	}
}

function setup() {
	const notes: string[] = [];
	const bus = new Bus(new Ram([{ base: RAM, size: 0x1000000 }]), (who, text) =>
		notes.push(`${who}: ${text}`),
	);
	return { bus, notes };
}

describe('bus', () => {
	it('hands an access to the window that has the address, with the offset in it', () => {
		const { bus } = setup();
		const probe = new Probe();
		bus.add(new Window(0x1000, 0x3000, 2, probe, 'probe', null));
		expect(bus.read(0x2abc, 4)).to.equal(0x1234);
		bus.write(0x3ffc, 2, 7);
		expect(probe.seen).to.deep.equal(['R2:1abc/4', 'W2:2ffc/2=7']);
	});

	it('tells windows apart that share a page', () => {
		const { bus } = setup();
		const [a, b] = [new Probe(), new Probe()];
		bus.add(new Window(0x5000, 0x400, 0, a, 'a', null));
		bus.add(new Window(0x5400, 0x400, 0, b, 'b', null));
		bus.read(0x53fc, 4);
		bus.read(0x5400, 4);
		expect(a.seen).to.deep.equal(['R0:3fc/4']);
		expect(b.seen).to.deep.equal(['R0:0/4']);
	});

	it('lets the window that was added first answer where two overlap', () => {
		const { bus } = setup();
		const [inner, outer] = [new Probe(), new Probe()];
		bus.add(new Window(0x100000, 0x1000, 0, inner, 'inner', null));
		bus.add(new Window(0x0f0000, 0x40000, 0, outer, 'outer', null));
		bus.read(0x100000, 4);
		bus.read(0x101000, 4);
		expect(inner.seen).to.deep.equal(['R0:0/4']);
		expect(outer.seen).to.deep.equal(['R0:11000/4']);
	});

	it('finds windows that are large, and windows above 4 GiB', () => {
		const { bus } = setup();
		const [large, high] = [new Probe(), new Probe()];
		bus.add(new Window(0x80000000, 0x20000000, 0, large, 'large', null));
		bus.add(new Window(0x8_0000_0000, 0x1000, 0, high, 'high', null));
		bus.read(0x9fff_fffc, 4);
		bus.read(0x8_0000_0ffc, 4);
		expect(large.seen).to.deep.equal(['R0:1ffffffc/4']);
		expect(high.seen).to.deep.equal(['R0:ffc/4']);
	});

	it('does an access of eight bytes as two words, the lower first', () => {
		const { bus } = setup();
		const probe = new Probe();
		bus.add(new Window(0x1000, 0x1000, 0, probe, 'probe', null));
		bus.write(0x1008, 8, 0x12_3456_789a);
		expect(probe.seen).to.deep.equal(['W0:8/4=3456789a', 'W0:c/4=12']);
		probe.value = 0x80000000;
		expect(bus.read(0x1008, 8)).to.equal(0x8000_0000_8000_0000);
		expect(bus.reads).to.equal(2);
		expect(bus.writes).to.equal(2);
	});

	it('reads a block without a model as zero, and says so once a block', () => {
		const { bus, notes } = setup();
		bus.add(new Window(0x1000, 0x1000, 0, null, '1000.uart', null));
		expect(bus.read(0x1000, 4)).to.equal(0);
		expect(bus.read(0x1004, 4)).to.equal(0);
		expect(notes).to.deep.equal(['1000.uart: no model of this block: it reads as zero']);
	});

	it('reads nothing at all as zero, and logs the address', () => {
		const { bus, notes } = setup();
		expect(bus.read(0x7000, 4)).to.equal(0);
		bus.write(0x7000, 4, 1);
		expect(notes).to.deep.equal([
			'bus: read of 0x7000: nothing is there',
			'bus: write to 0x7000: nothing is there',
		]);
	});

	it('reaches memory, not the CPU cache, where RAM is used as device memory', () => {
		const { bus } = setup();
		bus.write(RAM + 0x10, 4, 0xdeadbeef);
		expect(bus.read(RAM + 0x10, 4)).to.equal(0xdeadbeef);
		expect(bus.read(RAM + 0x11, 1)).to.equal(0xbe);
		expect(bus.ram.readWord(RAM + 0x10)).to.equal(0xdeadbeef);
	});

	it('keeps accesses from a block that is not powered, and says what is missing, once', () => {
		const { bus, notes } = setup();
		const probe = new Probe();
		const power = new PowerSwitch(new PowerEpoch());
		let on = false;
		power.inputs.push(() => ({ on, name: 'clock BUS_X (0x7bc bit 0)' }));
		bus.add(new Window(0x1000, 0x1000, 0, probe, '1000.x', power));
		expect(bus.read(0x1000, 4)).to.equal(0);
		bus.write(0x1000, 4, 5);
		bus.write(0x1000, 4, 5);
		expect(probe.seen).to.deep.equal([]);
		expect(notes).to.deep.equal([
			'1000.x: read of 0x1000 reads as zero: clock BUS_X (0x7bc bit 0) is off',
			'1000.x: write of 0x5 to 0x1000 is lost: clock BUS_X (0x7bc bit 0) is off',
		]);
		const change = (now: boolean): void => {
			on = now;
			power.epoch.value++;
			bus.powerChanged();
		};
		change(true);
		expect(bus.read(0x1000, 4)).to.equal(0x1234);
		change(false);
		expect(bus.read(0x1000, 4)).to.equal(0);
	});

	it('shows each access to the trace, after it was done', () => {
		const { bus } = setup();
		bus.add(new Window(0x1000, 0x1000, 0, new Probe(), '1000.x', null));
		const lines: string[] = [];
		bus.trace = (event) => lines.push(event.text());
		bus.read(0x1010, 4);
		bus.write(0x9000, 4, 0x5);
		expect(lines).to.deep.equal(['R 1000.x 0x010 = 0x1234', 'W 0x9000 = 0x5 (nothing there)']);
	});
});
