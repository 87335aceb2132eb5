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

	describe('guesses', () => {
		const guess = (cache: TranslationCache, tag: number, iova: number, word = 1): void =>
			cache.guess(tag, iova, K4, 0, word, 0, 0, true, 0, 0, 0, 0, iova, 0);
		const guessed = (cache: TranslationCache): string[] =>
			cache.guesses.map(({ tag, iova, word }) => `${tag}:${iova / K4}=${word}`);

		it('stand beside the entries: none is found, thrown out or counted for them', () => {
			const cache = cacheOf(entry(0, K4));
			guess(cache, 0, 2 * K4);
			expect([cache.size, iovas(cache), cache.find(0, 2 * K4)]).to.deep.equal([1, [K4], undefined]);
			expect(cache.guesses[0].reason).to.equal('guess');
		});

		it('are kept once for each word of an address', () => {
			const cache = cacheOf();
			for (const word of [1, 2, 1]) guess(cache, 0, K4, word);
			guess(cache, 3, K4, 1);
			expect(guessed(cache)).to.deep.equal(['0:1=1', '0:1=2', '3:1=1']);
		});

		it('go with every invalidation that covers them, in one tag or all, and the others stay in order', () => {
			const cache = cacheOf();
			for (let n = 1; n <= 6; n++) guess(cache, n % 2, n * K4);
			cache.dropRange(1, 0, 4 * K4, 'test');
			expect(guessed(cache)).to.deep.equal(['0:2=1', '0:4=1', '1:5=1', '0:6=1']);
			cache.dropRange(-1, 4 * K4 + 1, 5 * K4, 'test');
			expect(guessed(cache)).to.deep.equal(['0:2=1', '0:6=1']);
			guess(cache, 7, 9 * K4);
			cache.unguess(({ tag }) => tag === 0);
			expect(guessed(cache)).to.deep.equal(['7:9=1']);
			cache.clear('test');
			expect(guessed(cache)).to.deep.equal([]);
		});

		it('are 128 at most: the oldest goes first', () => {
			const cache = cacheOf();
			for (let n = 0; n < 130; n++) guess(cache, 0, n * K4);
			expect(cache.guesses.length).to.equal(128);
			expect([guessed(cache)[0], guessed(cache)[127]]).to.deep.equal(['0:2=1', '0:129=1']);
		});

		it('that are wrong are named where they touch a range', () => {
			const cache = cacheOf();
			for (let n = 1; n <= 3; n++) guess(cache, 0, n * K4);
			const found: number[] = [];
			cache.denied(2 * K4 - 1, 3 * K4 - 1, (_cache, { iova }) => (iova === K4 ? null : iova), found);
			expect(found).to.deep.equal([2 * K4]);
		});
	});
});
