// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import { GFP_KERNEL } from '#linux/gfp.js';
import {
	call_rcu,
	kfree_rcu,
	rcu_head,
	rcu_read_lock,
	rcu_read_unlock,
	synchronize_rcu,
} from '#linux/rcupdate.js';
import { kzalloc, slab_live } from '#linux/slab.js';
import { container_of } from '#linux/types.js';
import { bootFake } from '#tests/fake-machine.js';
import { expectWarning } from '#tests/setup.js';

class node {
	readonly rcu = new rcu_head(this);
	id = 0;
}

describe('rcu', () => {
	beforeEach(() => {
		bootFake();
	});

	it('runs callbacks in order, once the last reader has left', () => {
		const seen: number[] = [];
		const nodes = [1, 2, 3].map((id) => Object.assign(new node(), { id }));
		rcu_read_lock();
		rcu_read_lock();
		for (const n of nodes) call_rcu(n.rcu, (head) => seen.push(container_of(head, node).id));
		rcu_read_unlock();
		expect(seen).to.deep.equal([]);
		rcu_read_unlock();
		expect(seen).to.deep.equal([1, 2, 3]);
		synchronize_rcu();
		expect(seen).to.have.length(3);
	});

	it('lets a callback ask for another, and be asked for again', () => {
		const n = new node();
		let times = 0;
		const again = (head: rcu_head): void => {
			if (++times < 3) call_rcu(head, again);
		};
		call_rcu(n.rcu, again);
		expect(times).to.equal(3);
	});

	it('frees what embeds the head after the readers, not before', () => {
		const n = kzalloc(node, GFP_KERNEL)!;
		rcu_read_lock();
		kfree_rcu(n, n.rcu);
		expect(slab_live()).to.deep.equal({ node: 1 });
		rcu_read_unlock();
		expect(slab_live()).to.deep.equal({});
	});

	it('warns when a head that waits is handed in again', () => {
		expectWarning(/WARNING: at tests\/kernel\/rcu\/tree|WARNING: at kernel\/rcu\/tree/);
		const n = new node();
		let times = 0;
		rcu_read_lock();
		call_rcu(n.rcu, () => times++);
		call_rcu(n.rcu, () => times++);
		rcu_read_unlock();
		expect(times).to.equal(1);
	});
});
