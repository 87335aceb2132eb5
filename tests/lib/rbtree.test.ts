// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import fc from 'fast-check';
import { rb_erase, rb_first, rb_last, rb_next, rb_prev, rb_replace_node } from '#lib/rbtree.js';
import {
	rb_add,
	rb_add_cached,
	rb_erase_cached,
	rb_find,
	rb_first_cached,
	rb_first_postorder,
	rb_next_postorder,
	rb_node,
	rb_root,
	rb_root_cached,
} from '#linux/rbtree.js';

class item {
	readonly node = new rb_node<item>(this);
	constructor(readonly key: number) {}
}

const less = (a: rb_node<item>, b: rb_node<item>): boolean => a.container!.key < b.container!.key;

/** The black height, or -1 when a rule of red-black trees is broken. */
function blackHeight(n: rb_node<item> | null): number {
	if (n === null) return 1;
	for (const child of [n.rb_left, n.rb_right]) {
		if (child === null) continue;
		if (child.__rb_parent !== n || (n.__rb_red && child.__rb_red)) return -1;
	}
	const left = blackHeight(n.rb_left);
	const right = blackHeight(n.rb_right);
	return left !== right || left < 0 ? -1 : left + (n.__rb_red ? 0 : 1);
}

function keys(root: rb_root<item>): number[] {
	const out: number[] = [];
	for (let n = rb_first(root); n !== null; n = rb_next(n)) out.push(n.container!.key);
	return out;
}

describe('rbtree', () => {
	it('stays sorted and balanced under random insertions and erasures', () => {
		fc.assert(
			fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(40)), { maxLength: 200 }), (steps) => {
				const root = new rb_root<item>();
				const model: item[] = [];
				for (const [insert, key] of steps) {
					if (insert || model.length === 0) {
						const it = new item(key);
						rb_add(it.node, root, less);
						model.push(it);
					} else {
						const [gone] = model.splice(key % model.length, 1);
						rb_erase(gone!.node, root);
					}
					expect(root.rb_node?.__rb_red ?? false).to.equal(false);
					expect(blackHeight(root.rb_node)).to.be.above(0);
					expect(keys(root)).to.deep.equal(model.map((m) => m.key).sort((a, b) => a - b));
				}
			}),
			{ numRuns: 60 },
		);
	});

	it('walks backwards from the last node', () => {
		const root = new rb_root<item>();
		for (const k of [5, 1, 9, 3]) rb_add(new item(k).node, root, less);
		const out: number[] = [];
		for (let n = rb_last(root); n !== null; n = rb_prev(n)) out.push(n.container!.key);
		expect(out).to.deep.equal([9, 5, 3, 1]);
	});

	it('meets children before parents in postorder', () => {
		const root = new rb_root<item>();
		for (let k = 0; k < 20; k++) rb_add(new item(k).node, root, less);
		const seen: rb_node<item>[] = [];
		for (let n = rb_first_postorder(root); n !== null; n = rb_next_postorder(n)) {
			for (const child of [n.rb_left, n.rb_right]) if (child !== null) expect(seen).to.include(child);
			seen.push(n);
		}
		expect(seen).to.have.length(20);
	});

	it('keeps the leftmost node of a cached root', () => {
		const root = new rb_root_cached<item>();
		const items = [4, 2, 8, 6].map((k) => new item(k));
		for (const it of items) rb_add_cached(it.node, root, less);
		expect(rb_first_cached(root)?.container?.key).to.equal(2);
		rb_erase_cached(items[1]!.node, root);
		expect(rb_first_cached(root)?.container?.key).to.equal(4);
	});

	it('replaces a node in place and finds by key', () => {
		const root = new rb_root<item>();
		const items = [1, 2, 3].map((k) => new item(k));
		for (const it of items) rb_add(it.node, root, less);
		const other = new item(2);
		rb_replace_node(items[1]!.node, other.node, root);
		expect(rb_find(2, root, (k, n) => k - n.container!.key)).to.equal(other.node);
		expect(keys(root)).to.deep.equal([1, 2, 3]);
	});
});
