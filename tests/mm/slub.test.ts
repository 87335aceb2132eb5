// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import fc from 'fast-check';
import { virt_to_phys } from '#asm/memory.js';
import { PAGE_SIZE } from '#asm/page-def.js';
import { printk_state } from '#kernel/printk/printk.js';
import { bitmap_zalloc } from '#linux/bitmap.js';
import { GFP_ATOMIC, GFP_KERNEL } from '#linux/gfp.js';
import { debug_kernel } from '#linux/kconfig.js';
import {
	KMEM_CACHE,
	kcalloc,
	kfree,
	kmalloc,
	kmalloc_size_roundup,
	type kmem_cache,
	kmem_cache_alloc,
	kmem_cache_create,
	kmem_cache_destroy,
	kmem_cache_free,
	kmem_cache_reuse,
	kmem_cache_zalloc,
	kmemdup,
	krealloc,
	ksize,
	kvcalloc,
	kzalloc,
	SLAB_CACHE_DMA32,
	slab_leaks,
	slab_live,
	ZERO_SIZE_PTR,
} from '#linux/slab.js';
import { DEFINE_SPINLOCK, spin_lock, spin_unlock } from '#linux/spinlock.js';
import { slab_fault } from '#mm/failslab.js';
import { nr_used_pages } from '#mm/page_alloc.js';
import { slab_shrink_all, slab_state } from '#mm/slub.js';
import { bootMemory } from '#tests/mm/memory-machine.js';
import { expectWarning } from '#tests/setup.js';

class gizmo {
	n = 0;
	list: string[] = [];
}

describe('slub', () => {
	beforeEach(() => {
		bootMemory();
	});

	// mm/slab_common.c: kmalloc_info[], with ARCH_KMALLOC_MINALIGN 8.
	for (const [size, want] of [
		[1, 8],
		[24, 32],
		[64, 64],
		[65, 96],
		[96, 96],
		[100, 128],
		[129, 192],
		[4097, 8192],
		[8193, 16384],
	])
		it(`sets ${want} bytes aside for ${size}`, () => {
			const p = kmalloc(size!, GFP_KERNEL)!;
			expect(p).to.have.length(size!);
			expect(kmalloc_size_roundup(size!)).to.equal(want);
			expect(ksize(p)).to.equal(want);
			kfree(p);
		});

	it('aligns powers of two to themselves, and never hands out bytes twice', () => {
		fc.assert(
			fc.property(
				fc.array(fc.tuple(fc.integer({ min: 1, max: 20000 }), fc.boolean()), { maxLength: 120 }),
				(steps) => {
					const held: { p: Uint8Array; mark: number }[] = [];
					let mark = 0;
					for (const [size, free] of steps) {
						if (free && held.length > 0) {
							const { p, mark: m } = held.splice(size % held.length, 1)[0]!;
							expect(p.every((b) => b === m)).to.equal(true);
							kfree(p);
						} else {
							const p = kzalloc(size, GFP_KERNEL)!;
							expect(p.every((b) => b === 0)).to.equal(true);
							const round = kmalloc_size_roundup(size);
							if ((round & (round - 1)) === 0) expect(virt_to_phys(p) % Math.min(round, 4096)).to.equal(0);
							mark = (mark + 1) & 0xff;
							held.push({ p: p.fill(mark), mark });
						}
					}
					for (const { p } of held) kfree(p);
					expect(slab_live()).to.deep.equal({});
				},
			),
			{ numRuns: 30 },
		);
	});

	it('has no array that is longer than all arrays together may be, and says so', () => {
		expect(kcalloc(2 ** 27, null, GFP_KERNEL)).to.equal(null);
		expect(printk_state.log.at(-1)?.text).to.match(/^slab: no room for 134217728 elements: /);
		const parts = Array.from({ length: 5 }, () => kcalloc(2 ** 20, null, GFP_KERNEL));
		expect(parts[0]).to.have.length(2 ** 20);
		expect(parts[4]).to.equal(null);
		for (const part of parts) kfree(part);
		const again = kcalloc(2 ** 20, null, GFP_KERNEL);
		expect(again).to.have.length(2 ** 20);
		kfree(again);
	});

	it('gives every page back once caches are shrunk', () => {
		slab_shrink_all();
		const before = nr_used_pages();
		const all = Array.from({ length: 500 }, (_, i) => kmalloc(((i * 37) % 9000) + 1, GFP_KERNEL)!);
		expect(nr_used_pages()).to.be.above(before);
		for (const p of all) kfree(p);
		slab_shrink_all();
		expect(nr_used_pages()).to.equal(before);
	});

	it('hands no object out twice when an interrupt allocates in the midst of an allocation', () => {
		const machine = bootMemory();
		const all: Uint8Array[] = [];
		let inside = false;
		machine.schedule_point = (kind) => {
			if (kind !== 'unlock' || inside) return;
			inside = true;
			for (let i = 0; i < 33; i++) all.push(kmalloc(512, GFP_ATOMIC)!);
			inside = false;
		};
		for (let i = 0; i < 20; i++) all.push(kmalloc(512, GFP_KERNEL)!);
		expect(new Set(all.map((p) => virt_to_phys(p))).size).to.equal(all.length);
		machine.schedule_point = () => {};
		for (const p of all) kfree(p);
		expect(slab_live()).to.deep.equal({});
	});

	it('poisons what is freed, and reports a second free, an inner pointer, a stranger', () => {
		expectWarning(/double-free of kmalloc-64/);
		expectWarning(/points into the object/);
		expectWarning(/no simulated RAM/);
		const keep = kmalloc(64, GFP_KERNEL)!;
		const p = kmalloc(64, GFP_KERNEL)!;
		kfree(p);
		expect(p.every((b) => b === 0x6b)).to.equal(true);
		kfree(p);
		kfree(keep.subarray(8));
		kfree(new Uint8Array(4));
		kfree(keep);
		kfree(null);
		kfree(ZERO_SIZE_PTR);
		expect(kmalloc(0, GFP_KERNEL)).to.equal(ZERO_SIZE_PTR);
	});

	it('reports a write to freed bytes when they are handed out again', () => {
		expectWarning(/BUG kmalloc-32 .*Poison overwritten/);
		slab_state.check_use = true;
		const p = kmalloc(32, GFP_KERNEL)!;
		kfree(p);
		p[5] = 1;
		kfree(kmalloc(32, GFP_KERNEL));
	});

	it('names the object and where it was freed, when a struct is freed twice or used after', () => {
		expectWarning(/double-free of gizmo at tests\/mm\/slub/);
		expectWarning(/slab-use-after-free: read of gizmo\.n at tests\/mm\/slub/);
		slab_state.store_user = true;
		slab_state.check_use = true;
		const g = kzalloc(gizmo, GFP_KERNEL)!;
		g.n = 3;
		kfree(g);
		kfree(g);
		expect(g.n).to.equal(3);
	});

	it('counts live objects by name, and says who made what leaked', () => {
		slab_state.store_user = true;
		const before = slab_live();
		const g = kzalloc(gizmo, GFP_KERNEL)!;
		const b = kmalloc(100, GFP_KERNEL)!;
		const arr = kvcalloc(3, null, GFP_KERNEL)!;
		expect(arr).to.deep.equal([null, null, null]);
		expect(kcalloc(2, gizmo, GFP_KERNEL)).to.have.length(2);
		expect(slab_live()).to.deep.equal({ gizmo: 1, 'kmalloc-128': 1, Array: 2 });
		expect(slab_leaks(before).join('\n')).to.match(
			/gizmo: 1 object more than before\n {2}allocated at tests\/mm\/slub/,
		);
		kfree(g);
		kfree(b);
		kfree(arr);
		expect(slab_live()).to.deep.equal({ Array: 1 });
	});

	it('makes the n-th allocation fail, of a name if one is given', () => {
		slab_fault.name = 'gizmo';
		slab_fault.nth = 2;
		const ok = [
			kzalloc(gizmo, GFP_KERNEL),
			kzalloc(8, GFP_KERNEL),
			kzalloc(gizmo, GFP_KERNEL),
			kzalloc(gizmo, GFP_KERNEL),
		];
		expect(ok.map((x) => x !== null)).to.deep.equal([true, true, false, true]);
	});

	it('lets those callers alone whose stack trace is rejected', () => {
		const mine = (): gizmo | null => kzalloc(gizmo, GFP_KERNEL);
		slab_fault.reject = /mine/;
		slab_fault.nth = 1;
		expect(mine()).to.not.equal(null);
		expect(slab_fault.calls).to.equal(0);
		expect(kzalloc(gizmo, GFP_KERNEL)).to.equal(null);
	});

	it('makes caches of bytes with an alignment and a zone, and of structs', () => {
		const c = kmem_cache_create('tables', 1024, 1024, SLAB_CACHE_DMA32, null)!;
		const objs = Array.from({ length: 40 }, () => kmem_cache_zalloc(c, GFP_KERNEL)!);
		for (const o of objs) expect(virt_to_phys(o) % 1024).to.equal(0);
		expect(slab_live()['tables']).to.equal(40);
		for (const o of objs) kmem_cache_free(c, o);
		kmem_cache_destroy(c);
		const s = KMEM_CACHE(gizmo, 0)!;
		const g = kmem_cache_alloc(s, GFP_KERNEL)!;
		expect(g).to.be.instanceOf(gizmo);
		expectWarning(/kmem_cache_destroy gizmo: Slab cache still has objects/);
		kmem_cache_destroy(s);
		kmem_cache_free(s, g);
	});

	describe('a cache that can make its structs zero', () => {
		function cache(debug: Partial<typeof slab_state> = {}): kmem_cache<gizmo> {
			Object.assign(slab_state, debug);
			const s = KMEM_CACHE(gizmo, 0)!;
			kmem_cache_reuse(s, (g) => {
				g.n = 0;
				g.list = [];
			});
			return s;
		}

		for (const on of [true, false])
			it(`gives the struct that was freed last out again, zeroed; debug_kernel: ${on}`, () => {
				debug_kernel.on = on;
				const s = cache();
				const [a, b] = [kmem_cache_alloc(s, GFP_KERNEL)!, kmem_cache_alloc(s, GFP_KERNEL)!];
				a.n = 1;
				b.n = 2;
				kmem_cache_free(s, a);
				kmem_cache_free(s, b);
				expect(kmem_cache_zalloc(s, GFP_KERNEL)).to.equal(b);
				expect(b).to.deep.include({ n: 0, list: [] });
				expect(slab_live()['gizmo']).to.equal(1);
				kfree(b);
				expect(slab_live()).not.to.have.property('gizmo');
				expect(kmem_cache_alloc(s, GFP_KERNEL)).to.equal(b);
				kfree(b);
			});

		it('believes the caller on a production kernel', () => {
			debug_kernel.on = false;
			const s = cache();
			const a = kmem_cache_alloc(s, GFP_KERNEL)!;
			kmem_cache_free(s, a);
			kmem_cache_free(s, a);
		});

		it('still notices that one is freed twice', () => {
			const s = cache();
			const a = kmem_cache_alloc(s, GFP_KERNEL)!;
			kmem_cache_free(s, a);
			expectWarning(/double-free of gizmo/);
			kmem_cache_free(s, a);
			// It is there once only.
			expect(kmem_cache_alloc(s, GFP_KERNEL)).to.equal(a);
			expect(kmem_cache_alloc(s, GFP_KERNEL)).not.to.equal(a);
		});

		for (const debug of [{ check_use: true }, { store_user: true }])
			it(`makes new ones when freed structs are watched: ${JSON.stringify(debug)}`, () => {
				const s = cache(debug);
				const a = kmem_cache_alloc(s, GFP_KERNEL)!;
				kmem_cache_free(s, a);
				expect(kmem_cache_alloc(s, GFP_KERNEL)).not.to.equal(a);
			});
	});

	it('reports GFP_KERNEL under a spin lock', () => {
		expectWarning(/sleeping function called from invalid context at tests\/mm\/slub/);
		const lock = DEFINE_SPINLOCK('l');
		kfree(kmalloc(8, GFP_KERNEL));
		spin_lock(lock);
		kfree(kmalloc(8, GFP_KERNEL));
		spin_unlock(lock);
	});

	it('copies, grows in place while there is room, and moves when there is not', () => {
		const a = kmemdup(new Uint8Array([1, 2, 3]), 3, GFP_KERNEL)!;
		const b = krealloc(a, 8, GFP_KERNEL)!;
		expect(virt_to_phys(b)).to.equal(virt_to_phys(a));
		const c = krealloc(b, 100, GFP_KERNEL)!;
		expect([...c.subarray(0, 3)]).to.deep.equal([1, 2, 3]);
		kfree(c);
		const map = bitmap_zalloc(33, GFP_KERNEL)!;
		expect(map).to.have.length(2);
		kfree(map);
		expect(slab_live()).to.deep.equal({});
	});

	it('shows memory what is stored where a large allocation grew in place', () => {
		const { memory } = bootMemory();
		const a = kmalloc(2 * PAGE_SIZE + 1, GFP_KERNEL)!;
		const b = krealloc(a, 4 * PAGE_SIZE, GFP_KERNEL)!;
		const last = virt_to_phys(b) + b.length - 4;
		expect(virt_to_phys(b)).to.equal(virt_to_phys(a));
		b[b.length - 4] = 7;
		memory.clean(last, 4);
		expect(memory.readWord(last)).to.equal(7);
		kfree(b);
	});
});
