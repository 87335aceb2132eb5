// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import { kernel_bug } from '#linux/bug.js';
import {
	DEFINE_MUTEX,
	lockdep_assert_held,
	mutex_is_locked,
	mutex_lock,
	mutex_trylock,
	mutex_unlock,
} from '#linux/mutex.js';
import { DECLARE_RWSEM, down_read, down_write, down_write_trylock, up_read, up_write } from '#linux/rwsem.js';
import { run_on_cpu } from '#linux/smp.js';
import { DEFINE_SPINLOCK, spin_lock, spin_unlock } from '#linux/spinlock.js';
import { bootFake } from '#tests/fake-machine.js';
import { expectWarning } from '#tests/setup.js';

describe('mutex', () => {
	beforeEach(() => {
		bootFake(2);
	});

	it('has one owner', () => {
		const m = DEFINE_MUTEX('m');
		mutex_lock(m);
		lockdep_assert_held(m);
		expect(run_on_cpu(1, () => mutex_trylock(m))).to.equal(0);
		mutex_unlock(m);
		expect(mutex_is_locked(m)).to.equal(false);
		expect(mutex_trylock(m)).to.equal(1);
	});

	it('stops at recursion', () => {
		expectWarning(/possible recursive locking/);
		expectWarning(/Kernel panic/);
		const m = DEFINE_MUTEX('m');
		mutex_lock(m);
		expect(() => mutex_lock(m)).to.throw(kernel_bug);
	});

	it('reports an unlock by a stranger and an assertion that fails', () => {
		expectWarning(/bad unlock balance detected: mutex m/);
		expectWarning(/WARNING: at tests\/kernel\/locking\/mutex/);
		const m = DEFINE_MUTEX('m');
		mutex_lock(m);
		run_on_cpu(1, () => lockdep_assert_held(m));
		run_on_cpu(1, () => mutex_unlock(m));
	});

	it('reports that it may sleep under a spin lock, even when it is free', () => {
		expectWarning(/sleeping function called from invalid context/);
		const s = DEFINE_SPINLOCK('s');
		const m = DEFINE_MUTEX('m');
		spin_lock(s);
		mutex_lock(m);
		mutex_unlock(m);
		spin_unlock(s);
	});

	it('reports a wait that cannot end', () => {
		expectWarning(/task cpu1\/call:\d+ blocked for ever/);
		expectWarning(/Kernel panic/);
		const m = DEFINE_MUTEX('m');
		mutex_lock(m);
		expect(() => run_on_cpu(1, () => mutex_lock(m))).to.throw(kernel_bug, /mutex m, held by swapper/);
	});
});

describe('rwsem', () => {
	it('lets readers share and a writer be alone', () => {
		bootFake();
		const sem = DECLARE_RWSEM('r');
		down_read(sem);
		down_read(sem);
		expect(down_write_trylock(sem)).to.equal(0);
		up_read(sem);
		up_read(sem);
		down_write(sem);
		expect(down_write_trylock(sem)).to.equal(0);
		up_write(sem);
	});
});
