// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import {
	gen_pool_add_virt,
	gen_pool_alloc,
	gen_pool_alloc_algo,
	gen_pool_avail,
	gen_pool_create,
	gen_pool_destroy,
	gen_pool_first_fit_align,
	gen_pool_first_fit_order_align,
	gen_pool_free,
	gen_pool_has_addr,
	gen_pool_set_algo,
	gen_pool_size,
	gen_pool_virt_to_phys,
} from '#lib/genalloc.js';
import { type gen_pool, genpool_data_align } from '#linux/genalloc.js';
import { expectWarning } from '#tests/setup.js';
import { bootMemory } from '../mm/memory-machine.js';

const memory = (size: number): Uint8Array => new Uint8Array(size + 64).subarray(64);

function newPool(order: number): gen_pool {
	bootMemory();
	return gen_pool_create(order, -1) as gen_pool;
}

describe('genalloc', () => {
	it('hands out the first hole and takes it back', () => {
		const pool = newPool(5);
		const chunk = memory(1024);
		expect(gen_pool_add_virt(pool, chunk, 0x8000, 1024, -1)).to.equal(0);
		const a = gen_pool_alloc(pool, 33) as Uint8Array;
		const b = gen_pool_alloc(pool, 1) as Uint8Array;
		expect([a.length, a.byteOffset, b.byteOffset]).to.deep.equal([33, 64, 128]);
		expect(gen_pool_avail(pool)).to.equal(1024 - 96);
		expect(gen_pool_virt_to_phys(pool, b)).to.equal(0x8040);
		expect(gen_pool_virt_to_phys(pool, new Uint8Array(1))).to.equal(-1);
		gen_pool_free(pool, a, 33);
		expect((gen_pool_alloc(pool, 64) as Uint8Array).byteOffset).to.equal(64);
		expect(gen_pool_size(pool)).to.equal(1024);
	});

	it('goes on to the next chunk, and answers null when all are full', () => {
		const pool = newPool(5);
		gen_pool_add_virt(pool, memory(64), 0, 64, -1);
		gen_pool_add_virt(pool, memory(64), 0x1000, 64, -1);
		expect(gen_pool_alloc(pool, 96)).to.equal(null);
		expect(gen_pool_alloc(pool, 64)).to.not.equal(null);
		expect(gen_pool_alloc(pool, 64)).to.not.equal(null);
		expect(gen_pool_alloc(pool, 1)).to.equal(null);
		expect(gen_pool_alloc(pool, 0)).to.equal(null);
	});

	it('aligns to the size, or to what the caller says', () => {
		const pool = newPool(5);
		gen_pool_add_virt(pool, memory(1024), 0, 1024, -1);
		gen_pool_set_algo(pool, gen_pool_first_fit_order_align, null);
		gen_pool_alloc(pool, 32);
		expect((gen_pool_alloc(pool, 128) as Uint8Array).byteOffset).to.equal(64 + 128);
		const data = new genpool_data_align();
		data.align = 512;
		const a = gen_pool_alloc_algo(pool, 32, gen_pool_first_fit_align, data) as Uint8Array;
		expect(a.byteOffset).to.equal(64 + 512);
	});

	it('aligns the address itself, wherever its chunk begins', () => {
		const pool = newPool(5);
		gen_pool_add_virt(pool, memory(1024), 0x8140, 1024, -1);
		const data = new genpool_data_align();
		data.align = 512;
		const a = gen_pool_alloc_algo(pool, 32, gen_pool_first_fit_align, data) as Uint8Array;
		expect(gen_pool_virt_to_phys(pool, a)).to.equal(0x8200);
	});

	it('takes back whole units, also for an address inside one', () => {
		const pool = newPool(5);
		gen_pool_add_virt(pool, memory(1024), 0, 1024, -1);
		const a = gen_pool_alloc(pool, 64) as Uint8Array;
		gen_pool_free(pool, a.subarray(4), 60);
		expect(gen_pool_avail(pool)).to.equal(1024);
		expect((gen_pool_alloc(pool, 64) as Uint8Array).byteOffset).to.equal(a.byteOffset);
	});

	it('knows its own addresses, and stops the machine for a free of any other', () => {
		const pool = newPool(5);
		const chunk = memory(256);
		gen_pool_add_virt(pool, chunk, 0, 256, -1);
		const a = gen_pool_alloc(pool, 64) as Uint8Array;
		expect(gen_pool_has_addr(pool, a, 64)).to.equal(true);
		expect(gen_pool_has_addr(pool, a, 257)).to.equal(false);
		expectWarning(/kernel BUG at lib\/genalloc/);
		expect(() => gen_pool_free(pool, new Uint8Array(64), 64)).to.throw();
		gen_pool_free(pool, a, 64);
		expect(() => gen_pool_free(pool, a, 64)).to.throw();
		gen_pool_destroy(pool);
	});

	it('stops the machine when a pool is destroyed while someone has memory of it', () => {
		const pool = newPool(5);
		gen_pool_add_virt(pool, memory(256), 0, 256, -1);
		gen_pool_alloc(pool, 64);
		expectWarning(/kernel BUG at lib\/genalloc/);
		expect(() => gen_pool_destroy(pool)).to.throw();
	});
});
