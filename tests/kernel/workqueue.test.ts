// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import { do_idle } from '#kernel/sched/core.js';
import { complete, completion, wait_for_completion } from '#linux/completion.js';
import { msleep, ndelay } from '#linux/delay.js';
import { kthread_run, kthread_run_again, kthread_should_stop, kthread_stop } from '#linux/kthread.js';
import { in_interrupt } from '#linux/preempt.js';
import { cond_resched, get_current, type task_struct } from '#linux/sched.js';
import { run_on_cpu } from '#linux/smp.js';
import { DEFINE_SPINLOCK, spin_lock } from '#linux/spinlock.js';
import { container_of, type int } from '#linux/types.js';
import {
	alloc_ordered_workqueue,
	cancel_delayed_work_sync,
	cancel_work,
	cancel_work_sync,
	delayed_work,
	destroy_workqueue,
	flush_work,
	flush_workqueue,
	INIT_DELAYED_WORK,
	INIT_WORK,
	mod_delayed_work,
	queue_work,
	schedule_delayed_work,
	schedule_work,
	system_wq,
	to_delayed_work,
	work_struct,
} from '#linux/workqueue.js';
import { slab_live } from '#mm/slub.js';
import { bootFake, type FakeMachine } from '#tests/fake-machine.js';
import { expectWarning } from '#tests/setup.js';

const MS = 1_000_000;

class gadget {
	readonly work = new work_struct(this);
	readonly dwork = new delayed_work(this);
	log: string[] = [];
}

describe('workqueue', () => {
	let m: FakeMachine;
	let g: gadget;
	beforeEach(() => {
		m = bootFake();
		g = new gadget();
		INIT_WORK(g.work, (w) => {
			container_of(w, gadget).log.push(get_current().comm);
		});
		INIT_DELAYED_WORK(g.dwork, (w) => {
			container_of(to_delayed_work(w), gadget).log.push(`${m.now()}`);
		});
	});

	it('runs an item in process context, once, when the running code goes idle', () => {
		expect(schedule_work(g.work)).to.equal(true);
		expect(schedule_work(g.work)).to.equal(false);
		expect(g.log).to.deep.equal([]);
		do_idle();
		expect(g.log).to.deep.equal(['kworker/0:0']);
		expect(in_interrupt()).to.equal(false);
	});

	it('runs items while the running code sleeps, and from an interrupt', () => {
		m.interruptIn(1 * MS, () => {
			schedule_work(g.work);
		});
		msleep(3);
		expect(g.log).to.have.length(1);
	});

	it('lets another worker go on when an item sleeps', () => {
		const done = new completion();
		const order: string[] = [];
		const a = new work_struct(null, () => {
			order.push('a waits');
			wait_for_completion(done);
			order.push('a done');
		});
		const b = new work_struct(null, () => {
			order.push('b');
			complete(done);
		});
		schedule_work(a);
		schedule_work(b);
		expect(flush_work(a)).to.equal(true);
		expect(order).to.deep.equal(['a waits', 'b', 'a done']);
		expect(flush_work(a)).to.equal(false);
	});

	it('keeps the order of an ordered queue even when items sleep', () => {
		const wq = alloc_ordered_workqueue('test/%d', 0, 1)!;
		const order: number[] = [];
		const items = [1, 2, 3].map(
			(n) =>
				new work_struct(null, () => {
					msleep(5);
					order.push(n);
				}),
		);
		for (const w of items) queue_work(wq, w);
		flush_workqueue(wq);
		expect(order).to.deep.equal([1, 2, 3]);
		destroy_workqueue(wq);
		expect(slab_live()).to.deep.equal({});
	});

	it('waits for the delay, which can be changed, and can be called off', () => {
		schedule_delayed_work(g.dwork, 10);
		expect(mod_delayed_work(system_wq, g.dwork, 2)).to.equal(true);
		msleep(20);
		// Two ticks of 4 ms.
		expect(g.log).to.deep.equal([`${8 * MS}`]);
		schedule_delayed_work(g.dwork, 1);
		expect(cancel_delayed_work_sync(g.dwork)).to.equal(true);
		expect(cancel_delayed_work_sync(g.dwork)).to.equal(false);
		schedule_work(g.work);
		expect(cancel_work_sync(g.work)).to.equal(true);
		msleep(20);
		expect(g.log).to.have.length(1);
	});

	it('drops an item that another CPU cancels on its way to the queue', () => {
		m.onSchedulePoint = (kind) => {
			if (kind !== 'lock') return;
			m.onSchedulePoint = null;
			expect(run_on_cpu(1, () => cancel_work(g.work))).to.equal(true);
		};
		expect(schedule_work(g.work)).to.equal(true);
		do_idle();
		expect(g.log).to.deep.equal([]);
		expect(system_wq.nr_active).to.equal(0);
		schedule_work(g.work);
		do_idle();
		expect(g.log).to.have.length(1);
	});

	it('does not run an item that is cancelled just before a worker takes it', () => {
		schedule_work(g.work);
		m.onSchedulePoint = (kind) => {
			if (kind !== 'lock') return;
			m.onSchedulePoint = null;
			expect(run_on_cpu(1, () => cancel_work(g.work))).to.equal(true);
		};
		do_idle();
		expect(g.log).to.deep.equal([]);
		expect(system_wq.nr_active).to.equal(0);
	});

	it('reports an item that leaks a lock', () => {
		expectWarning(/workqueue leaked lock or atomic/);
		const lock = DEFINE_SPINLOCK('l');
		schedule_work(new work_struct(null, () => spin_lock(lock)));
		expect(cond_resched()).to.equal(1);
	});
});

describe('kthread', () => {
	it('runs its function when the running code sleeps, and answers its result', () => {
		bootFake();
		const t = kthread_run((n: number) => n + 1, 41, 'adder/%d', 0) as task_struct;
		expect(t.comm).to.equal('adder/0');
		expect(kthread_stop(t)).to.equal(-4);
		const u = kthread_run((n: number) => n + 1, 41, 'adder/%d', 1) as task_struct;
		do_idle();
		expect(kthread_stop(u)).to.equal(42);
	});

	it('takes turns with others, sleepers among them, until it is told to stop', () => {
		bootFake();
		const turns: string[] = [];
		const walker = (name: string): int => {
			if (kthread_should_stop()) return turns.length;
			turns.push(name);
			ndelay(1000);
			kthread_run_again();
			return -1;
		};
		const [a, b] = ['a', 'b'].map((name) => kthread_run(walker, name, 'walker/%s', name) as task_struct);
		msleep(1);
		expect(turns.length).to.be.greaterThan(100);
		expect(turns.slice(0, 4)).to.deep.equal(['a', 'b', 'a', 'b']);
		expect(kthread_stop(a)).to.be.greaterThan(100);
		const stopped = turns.filter((name) => name === 'a').length;
		kthread_stop(b);
		expect(turns.filter((name) => name === 'a')).to.have.length(stopped);
	});

	it('lets a task that gives way go on, however many turns it wants', () => {
		bootFake();
		let turns = 0;
		const t = kthread_run(
			() => {
				if (kthread_should_stop()) return 0;
				turns++;
				kthread_run_again();
				return 0;
			},
			null,
			'busy',
		) as task_struct;
		cond_resched();
		cond_resched();
		expect(turns).to.equal(2);
		expect(kthread_stop(t)).to.equal(0);
	});

	it('is not called when it is stopped before its first turn', () => {
		bootFake();
		let called = false;
		const t = kthread_run(
			() => {
				called = true;
				return 0;
			},
			null,
			'never',
		) as task_struct;
		expect(kthread_stop(t)).to.equal(-4);
		expect(called).to.equal(false);
	});
});
