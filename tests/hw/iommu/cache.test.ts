// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import { CacheEntry, TranslationCache } from '#hw/iommu/cache.js';

const K4 = 0x1000;
const M2 = 0x20_0000;

function entry(tag: number, iova: number, size = K4): CacheEntry {
	return new CacheEntry(tag, iova, size, 0, 1, 0, 0, true, 0, 0, 0, 0, iova, 'walk', 0);
}

function cacheOf(...entries: CacheEntry[]): TranslationCache {
	const cache = new TranslationCache('TLB', -1, 'translations', [K4, M2]);
	for (const e of entries) cache.fill(e, Number.POSITIVE_INFINITY);
	return cache;
}

const iovas = (cache: TranslationCache): number[] => [...cache.entries()].map(({ iova }) => iova);

describe('iommu_cache', () => {
	it('finds what answers for any address of a page, of its tag only', () => {
		const cache = cacheOf(entry(1, 0x5000), entry(2, M2, M2));
		expect(cache.find(1, 0x5fff)?.iova).to.equal(0x5000);
		expect(cache.find(1, 0x6000)).to.equal(undefined);
		expect(cache.find(2, 0x5000)).to.equal(undefined);
		expect(cache.find(2, 2 * M2 - 1)?.iova).to.equal(M2);
	});

	it('answers from the smaller of two pages', () => {
		const cache = cacheOf(entry(0, 0, M2), entry(0, 0x5000));
		expect(cache.find(0, 0x5000)?.size).to.equal(K4);
		expect(cache.find(0, 0x6000)?.size).to.equal(M2);
	});

	it('keeps addresses of 52 bits apart', () => {
		const top = 2 ** 52 - K4;
		const cache = cacheOf(entry(0, top));
		expect(cache.find(0, top + 1)?.iova).to.equal(top);
		expect(cache.find(0, top - 2 ** 32)).to.equal(undefined);
	});

	it('replaces an entry, and throws the oldest out when it is full', () => {
		const cache = new TranslationCache('TLB', -1, 'translations', [K4]);
		const told: string[] = [];
		cache.sink = { filled: () => {}, dropped: (_cache, e, why) => told.push(`${e.iova} ${why}`) };
		for (const iova of [0, K4, 0, 2 * K4]) cache.fill(entry(0, iova), 2);
		expect(iovas(cache)).to.deep.equal([0, 2 * K4]);
		expect(told).to.deep.equal(['0 replaced', '4096 evicted']);
	});

	it('keeps nothing when it has no room at all', () => {
		const cache = new TranslationCache('TLB', -1, 'translations', [K4]);
		cache.fill(entry(0, 0), 0);
		expect([cache.size, cache.find(0, 0)]).to.deep.equal([0, undefined]);
	});

	it('drops exactly what touches a range, up to the last address', () => {
		for (const edge of [2 ** 32, 2 ** 48, 2 ** 52]) {
			const whole = [edge - 2 * K4, edge - K4, edge, edge + K4];
			for (const [first, last, left] of [
				[edge, edge, [edge - 2 * K4, edge - K4, edge + K4]],
				[edge - 1, edge - 1, [edge - 2 * K4, edge, edge + K4]],
				[edge - K4, edge, [edge - 2 * K4, edge + K4]],
				[edge + K4 - 1, edge + K4, [edge - 2 * K4, edge - K4]],
				[0, edge - K4 - 1, [edge - K4, edge, edge + K4]],
			] as const) {
				const cache = cacheOf(...whole.map((iova) => entry(1, iova)));
				cache.dropRange(1, first, last, 'test');
				expect(iovas(cache), `${first}..${last}`).to.deep.equal(left);
			}
			const cache = cacheOf(...whole.map((iova) => entry(1, iova)));
			cache.dropLine(1, edge - 1, 2, 'test');
			expect(iovas(cache)).to.deep.equal([edge, edge + K4]);
		}
	});

	it('drops what touches a range, of one tag or of all', () => {
		const cache = cacheOf(entry(1, 0), entry(1, K4), entry(2, K4), entry(1, M2, M2));
		cache.dropRange(1, K4, 2 * K4, 'test');
		expect(iovas(cache)).to.deep.equal([0, K4, M2]);
		cache.dropRange(-1, M2 + K4, M2 + K4, 'test');
		expect(iovas(cache)).to.deep.equal([0, K4]);
		cache.dropRange(2, K4 + 5, K4 + 5, 'test');
		expect(iovas(cache)).to.deep.equal([0]);
	});

	it('drops an aligned line of words, of one tag', () => {
		const cache = cacheOf(...[3, 4, 7, 8].map((n) => entry(1, n * K4)), entry(2, 5 * K4));
		cache.dropLine(1, 6 * K4 + 5, 4, 'test');
		expect(iovas(cache)).to.deep.equal([3 * K4, 8 * K4, 5 * K4]);
		cache.dropLine(1, 8 * K4, 1, 'test');
		expect(iovas(cache)).to.deep.equal([3 * K4, 5 * K4]);
	});

	it('finds nothing after clear(), and fills again', () => {
		const cache = cacheOf(entry(1, 0));
		cache.clear('test');
		expect([cache.size, cache.find(1, 0)]).to.deep.equal([0, undefined]);
		cache.fill(entry(1, 0), 1);
		expect(cache.find(1, 0)?.iova).to.equal(0);
	});

	it('refuses a page of a size that it does not have', () => {
		expect(() => cacheOf(entry(0, 0, 0x1_0000))).to.throw('TLB has no entries of 65536 bytes');
	});
});
