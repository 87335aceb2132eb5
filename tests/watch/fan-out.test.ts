// SPDX-License-Identifier: GPL-2.0-only
// Several who listen where a machine has a place for one.
import { expect } from 'chai';
import { Ram, type RamObserver } from '#hw/core/ram.js';
import { listen, RAM_CALLS } from '#watch/fan-out.js';

describe('watch_fan_out', () => {
	const BASE = 0x4000_0000;
	const ramWith = (): { ram: Ram; heard: string[]; observer: (name: string) => RamObserver } => {
		const heard: string[] = [];
		const ram = new Ram([{ base: BASE, size: 0x40_0000 }]);
		return { ram, heard, observer: (name) => ({ onClean: () => heard.push(name) }) };
	};

	it('has all hear, in the order they came, behind who was there without it', () => {
		const { ram, heard, observer } = ramWith();
		ram.observer = observer('first');
		listen<'observer', RamObserver>(ram, 'observer', RAM_CALLS, observer('second'));
		listen<'observer', RamObserver>(ram, 'observer', RAM_CALLS, { onInvalidate: () => heard.push('third') });
		ram.clean(BASE, 64);
		ram.invalidate(BASE, 64);
		expect(heard).to.deep.equal(['first', 'second', 'third']);
	});

	it('leaves one alone as it is: nothing stands between', () => {
		const { ram, observer } = ramWith();
		const [a, b] = [observer('a'), observer('b')];
		const endA = listen<'observer', RamObserver>(ram, 'observer', RAM_CALLS, a);
		expect(ram.observer).to.equal(a);
		const endB = listen<'observer', RamObserver>(ram, 'observer', RAM_CALLS, b);
		endA();
		expect(ram.observer).to.equal(b);
		endB();
		expect(ram.observer).to.equal(null);
	});
});
