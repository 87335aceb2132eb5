// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import { kernel_bug } from '#linux/bug.js';
import {
	complete,
	complete_all,
	completion,
	reinit_completion,
	try_wait_for_completion,
	wait_for_completion,
	wait_for_completion_timeout,
} from '#linux/completion.js';
import { msleep, udelay, usleep_range } from '#linux/delay.js';
import { local_irq_disable, local_irq_enable } from '#linux/irqflags.js';
import { DECLARE_WAIT_QUEUE_HEAD, wait_event, wait_event_timeout, wake_up } from '#linux/wait.js';
import { bootFake, type FakeMachine } from '#tests/fake-machine.js';
import { expectWarning } from '#tests/setup.js';

const MS = 1_000_000;

describe('completion', () => {
	let m: FakeMachine;
	beforeEach(() => {
		m = bootFake();
	});

	it('lets a waiter pass once an interrupt completes it, at that time', () => {
		const x = new completion();
		m.interruptIn(3 * MS, () => complete(x));
		wait_for_completion(x);
		expect(m.now()).to.equal(3 * MS);
		expect(x.done).to.equal(0);
	});

	it('answers 0 when the time runs out, else what is left', () => {
		const x = new completion();
		expect(wait_for_completion_timeout(x, 5)).to.equal(0);
		// kernel/time/timer.c: five ticks of 4 ms (HZ=250).
		expect(m.now()).to.equal(20 * MS);
		m.interruptIn(8 * MS, () => complete(x));
		expect(wait_for_completion_timeout(x, 5)).to.equal(3);
	});

	it('lets everyone pass after complete_all until it is made anew', () => {
		const x = new completion();
		complete_all(x);
		wait_for_completion(x);
		expect(try_wait_for_completion(x)).to.equal(true);
		reinit_completion(x);
		expect(try_wait_for_completion(x)).to.equal(false);
	});

	it('reports a hang when nothing can ever complete it', () => {
		expectWarning(/INFO: task swapper\/0:0 blocked for ever/);
		expectWarning(/Kernel panic - not syncing: hung_task/);
		expect(() => wait_for_completion(new completion())).to.throw(kernel_bug, /a completion/);
	});
});

describe('wait', () => {
	let m: FakeMachine;
	beforeEach(() => {
		m = bootFake();
	});

	it('goes on when the condition holds after a wake-up, not before', () => {
		const wq = DECLARE_WAIT_QUEUE_HEAD();
		let n = 0;
		const bump = (): void => {
			n++;
			wake_up(wq);
		};
		m.interruptIn(1 * MS, bump);
		m.interruptIn(2 * MS, bump);
		wait_event(wq, () => n === 2);
		expect(m.now()).to.equal(2 * MS);
	});

	it('gives up at the time-out', () => {
		const wq = DECLARE_WAIT_QUEUE_HEAD();
		expect(wait_event_timeout(wq, () => false, 2)).to.equal(0);
		expect(m.now()).to.equal(8 * MS);
		expect(wait_event_timeout(wq, () => true, 2)).to.equal(2);
	});
});

describe('delay', () => {
	it('spins for exactly the time, in any context', () => {
		const m = bootFake();
		local_irq_disable();
		udelay(7);
		expect(m.now()).to.equal(7000);
		local_irq_enable();
	});

	it('sleeps at least the time: msleep by whole ticks and one more', () => {
		const m = bootFake();
		msleep(10);
		expect(m.now()).to.equal(16 * MS);
		usleep_range(100, 200);
		expect(m.now()).to.equal(16 * MS + 100_000);
	});

	it('reports a sleep with interrupts off', () => {
		expectWarning(/sleeping function called from invalid context/);
		bootFake();
		udelay(1);
		wait_event(DECLARE_WAIT_QUEUE_HEAD(), () => true);
		local_irq_disable();
		usleep_range(1, 2);
		local_irq_enable();
	});
});
