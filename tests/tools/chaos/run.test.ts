// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import { parseChaos } from '#tools/chaos/options.js';
import { type Outcome, runChaos, shrinkChaos } from '#tools/chaos/run.js';
import type { Description } from '#tools/check/description.js';
import { description as edu } from '#tools/check/drivers/edu-iommu.js';
import { description as rockchip } from '#tools/check/drivers/rockchip-iommu.js';
import { description as sun50i } from '#tools/check/drivers/sun50i-iommu.js';

const STEPS = 15;
const texts = ({ decisions }: Outcome): string[] => decisions.map(({ text }) => text);

/** A seed that lets much happen. */
let found: Outcome | null = null;
function busy(): Outcome {
	for (let seed = 1; found === null; seed++) {
		const outcome = runChaos(sun50i, seed, STEPS);
		if (outcome.decisions.filter(({ key }) => key.includes('.')).length > 20) found = outcome;
	}
	return found;
}

/** An H6 whose flushes are lost from the @nth on. */
function deaf(nth: number): Description {
	return {
		...sun50i,
		board(options) {
			const machine = sun50i.board(options);
			let flushes = 0;
			const { iommu } = machine;
			const write = iommu.write.bind(iommu);
			iommu.write = (offset, width, value, region) => {
				if (offset === 0x80 && ++flushes >= nth) return;
				write(offset, width, value, region);
			};
			return machine;
		},
	};
}

describe('chaos', () => {
	for (const description of [sun50i, rockchip, edu])
		it(`finds nothing in what is right (${description.name})`, () => {
			for (let seed = 1; seed <= 2; seed++)
				expect(runChaos(description, seed, STEPS).failure, `seed ${seed}`).to.equal(null);
		});

	it('decides the same for the same seed, and something else for another', () => {
		const first = busy();
		expect(texts(runChaos(sun50i, first.seed, STEPS))).to.deep.equal(texts(first));
		expect(texts(runChaos(sun50i, first.seed + 1, STEPS))).to.not.deep.equal(texts(first));
	});

	it('repeats a run by the keys of its decisions', () => {
		const first = busy();
		const keys = new Set(first.decisions.map(({ key }) => key));
		expect(texts(runChaos(sun50i, first.seed, STEPS, keys))).to.deep.equal(texts(first));
		const steps = new Set([...keys].filter((key) => key.startsWith('step')));
		const quiet = runChaos(sun50i, first.seed, STEPS, steps);
		expect(quiet.decisions.every(({ key }) => key.startsWith('step'))).to.equal(true);
		expect(quiet.failure).to.equal(null);
	});

	it('lets masters, another CPU, caches, pages and time have their say', () => {
		const wanted = new Set([
			/^ {2}at point \d+ \(.*\): m\d (reads|writes) 0x/,
			/: CPU 1 (maps|unmaps) /,
			/: the cache replaces the line at 0x[0-9a-f]+, which was dirty/,
			/: the next page is to lie at 0x/,
			/: \d+ ns go by/,
			/: commands of 30f0000.iommu take \d+ ns/,
			/ loses its entry for 0x/,
			/^habit \w+: /,
			/^page placement: /,
			/^step \d+: m\d streams from 0x/,
			/^step \d+: attaches /,
			/^step \d+: detaches /,
		]);
		for (let seed = 1; seed <= 60 && wanted.size > 0; seed++) {
			const said = texts(runChaos(sun50i, seed, STEPS));
			for (const what of wanted) if (said.some((text) => what.test(text))) wanted.delete(what);
		}
		expect([...wanted].map(String)).to.deep.equal([]);
	});

	it('cuts what fails down to decisions of which each is needed', () => {
		const description = deaf(8);
		let failed: Outcome | null = null;
		for (let seed = 1; failed?.failure == null; seed++) failed = runChaos(description, seed, STEPS);
		const least = shrinkChaos(description, failed, STEPS);
		expect(least.failure).to.match(/DMASAN/);
		expect(least.decisions.length).to.be.within(1, failed.decisions.length);
		const keys = least.decisions.map(({ key }) => key);
		for (const key of keys) {
			const without = new Set(keys.filter((other) => other !== key));
			const again = runChaos(description, failed.seed, STEPS, without);
			expect(again.failure?.split('\n')[1], key).to.not.equal(least.failure?.split('\n')[1]);
		}
		expect(runChaos(description, failed.seed, STEPS, new Set(keys)).failure).to.equal(least.failure);
	});

	describe('the command line', () => {
		it('takes a seed, a number of them, and decisions as they are printed', () => {
			const options = parseChaos(['--seed=7', '--only=step 3, 3.17, habit prefetch, page placement', 'x']);
			expect(options).to.include({ driver: 'x', seed: 7, seeds: 1, shrink: false });
			expect([...(options?.only ?? [])]).to.deep.equal([
				'step 3',
				'3.17',
				'habit prefetch',
				'page placement',
			]);
			expect(parseChaos(['x'])).to.include({ seed: 1, seeds: 1000, only: null });
		});

		for (const [args, message] of [
			[['--seed=x', 'y'], 'SEED: expected a whole number of up to nine digits, got "x"'],
			[['--only=3', 'y'], 'ONLY: "3" is no decision'],
			[['a', 'b'], 'expected one driver, got "a" and "b"'],
			[[], 'DRIVER: expected edu-iommu, '],
		] as const)
			it(`says what is wrong with ${args.join(' ') || 'nothing'}`, () => {
				expect(() => parseChaos(args)).to.throw(message);
			});
	});
});
