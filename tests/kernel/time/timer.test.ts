// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import {
	CLOCK_MONOTONIC,
	HRTIMER_MODE_REL,
	HRTIMER_NORESTART,
	HRTIMER_RESTART,
	hrtimer,
	hrtimer_cancel,
	hrtimer_forward_now,
	hrtimer_init,
	hrtimer_start,
} from '#linux/hrtimer.js';
import { jiffies, jiffies_to_msecs, msecs_to_jiffies } from '#linux/jiffies.js';
import { in_hardirq, in_serving_softirq } from '#linux/preempt.js';
import {
	del_timer_sync,
	from_timer,
	mod_timer,
	timer_list,
	timer_pending,
	timer_setup,
} from '#linux/timer.js';
import { bootFake, type FakeMachine } from '#tests/fake-machine.js';

const MS = 1_000_000;

class dev {
	readonly timer = new timer_list(this);
	fired: number[] = [];
}

describe('timer', () => {
	let m: FakeMachine;
	let d: dev;
	beforeEach(() => {
		m = bootFake();
		d = new dev();
		timer_setup(
			d.timer,
			(t) => {
				expect(in_serving_softirq()).to.equal(true);
				from_timer(t, dev).fired.push(m.now());
			},
			0,
		);
	});

	it('fires once in softirq context at its tick', () => {
		expect(mod_timer(d.timer, jiffies() + 3)).to.equal(0);
		m.advance(11 * MS);
		expect(d.fired).to.deep.equal([]);
		m.advance(100 * MS);
		expect(d.fired).to.deep.equal([12 * MS]);
		expect(timer_pending(d.timer)).to.equal(0);
	});

	it('moves when it is modified and is silent when deleted', () => {
		mod_timer(d.timer, jiffies() + 3);
		expect(mod_timer(d.timer, jiffies() + 5)).to.equal(1);
		m.advance(12 * MS);
		expect(d.fired).to.deep.equal([]);
		expect(del_timer_sync(d.timer)).to.equal(1);
		expect(del_timer_sync(d.timer)).to.equal(0);
		m.advance(100 * MS);
		expect(d.fired).to.deep.equal([]);
	});

	it('does not fire a tick early because another timer is due', () => {
		const other = new dev();
		timer_setup(other.timer, (t) => from_timer(t, dev).fired.push(m.now()), 0);
		mod_timer(other.timer, jiffies() + 2);
		mod_timer(d.timer, jiffies() + 3);
		m.advance(20 * MS);
		expect(other.fired).to.deep.equal([8 * MS]);
		expect(d.fired).to.deep.equal([12 * MS]);
	});

	it('waits while interrupts are off', () => {
		mod_timer(d.timer, jiffies() + 1);
		m.irq_disable();
		m.advance(50 * MS);
		expect(d.fired).to.deep.equal([]);
		m.irq_enable();
		expect(d.fired).to.deep.equal([50 * MS]);
	});

	it('counts 250 ticks a second and rounds milliseconds up', () => {
		const start = jiffies();
		m.advance(1000 * MS);
		expect(jiffies() - start).to.equal(250);
		expect(msecs_to_jiffies(5)).to.equal(2);
		expect(jiffies_to_msecs(2)).to.equal(8);
	});
});

describe('hrtimer', () => {
	it('fires in hard-irq context, to the nanosecond, and again when it says so', () => {
		const m = bootFake();
		const fired: number[] = [];
		const t = new hrtimer();
		hrtimer_init(t, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
		t.function = (h) => {
			expect(in_hardirq()).to.equal(true);
			fired.push(m.now());
			if (fired.length === 3) return HRTIMER_NORESTART;
			hrtimer_forward_now(h, 1500);
			return HRTIMER_RESTART;
		};
		hrtimer_start(t, 1001, HRTIMER_MODE_REL);
		m.advance(100_000);
		expect(fired).to.deep.equal([1001, 2501, 4001]);
		expect(hrtimer_cancel(t)).to.equal(0);
	});
});
