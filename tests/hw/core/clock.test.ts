// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import { Clock } from '#hw/core/clock.js';
import { randomStream } from '#hw/core/random.js';

describe('clock', () => {
	it('stands still until it is advanced', () => {
		const clock = new Clock();
		expect(clock.now).to.equal(0);
		clock.advance(250);
		expect(clock.now).to.equal(250);
		expect(clock.next).to.equal(Number.POSITIVE_INFINITY);
	});

	it('runs events in order of time, and equal times in the order of planning', () => {
		const clock = new Clock();
		const seen: string[] = [];
		clock.at(20, () => seen.push(`c@${clock.now}`));
		clock.at(10, () => seen.push(`a@${clock.now}`));
		clock.at(10, () => seen.push(`b@${clock.now}`));
		clock.advance(15);
		expect(seen).to.deep.equal(['a@10', 'b@10']);
		clock.advance(5);
		expect(seen).to.deep.equal(['a@10', 'b@10', 'c@20']);
	});

	it('agrees with sorting for any order of planning (seed 7)', () => {
		const random = randomStream(7);
		const clock = new Clock();
		const planned: { time: number; id: number }[] = [];
		const ran: number[] = [];
		for (let id = 0; id < 300; id++) {
			const time = Math.floor(random() * 50);
			planned.push({ time, id });
			clock.at(time, () => ran.push(id));
		}
		clock.advance(50);
		const expected = [...planned].sort((a, b) => a.time - b.time || a.id - b.id).map(({ id }) => id);
		expect(ran).to.deep.equal(expected);
	});

	it('does not run what was cancelled, and does not wake for it', () => {
		const clock = new Clock();
		let ran = 0;
		const cancel = clock.after(10, () => ran++);
		cancel();
		expect(clock.next).to.equal(Number.POSITIVE_INFINITY);
		clock.advance(100);
		expect(ran).to.equal(0);
		expect(clock.eventsRun).to.equal(0);
	});

	it('runs an event that an event plans for the same moment', () => {
		const clock = new Clock();
		const seen: number[] = [];
		clock.at(10, () => {
			clock.after(0, () => seen.push(clock.now));
		});
		clock.advance(10);
		expect(seen).to.deep.equal([10]);
	});

	it('never plans into the past', () => {
		const clock = new Clock();
		clock.advance(100);
		const seen: number[] = [];
		clock.at(5, () => seen.push(clock.now));
		clock.advance(0);
		expect(seen).to.deep.equal([100]);
	});

	it('may be advanced from within an event (an interrupt handler that delays)', () => {
		const clock = new Clock();
		const seen: string[] = [];
		clock.at(10, () => {
			clock.advance(20);
			seen.push(`outer@${clock.now}`);
		});
		clock.at(15, () => seen.push(`inner@${clock.now}`));
		clock.advance(12);
		expect(seen).to.deep.equal(['inner@15', 'outer@30']);
		expect(clock.now).to.equal(30);
	});

	it('steps to the next event, or to the deadline when none is before it', () => {
		const clock = new Clock();
		clock.at(30, () => {});
		expect(clock.step(20)).to.equal(false);
		expect(clock.now).to.equal(20);
		expect(clock.step(40)).to.equal(true);
		expect(clock.now).to.equal(30);
	});

	it('calls afterEvent after each event', () => {
		const clock = new Clock();
		let calls = 0;
		clock.afterEvent = () => calls++;
		clock.at(1, () => {});
		clock.at(2, () => {});
		clock.advance(5);
		expect(calls).to.equal(2);
	});
});
