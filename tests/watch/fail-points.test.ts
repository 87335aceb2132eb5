// SPDX-License-Identifier: GPL-2.0-only
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect } from 'chai';
import { clk_prepare_enable } from '#drivers/clk/clk.js';
import { EIO, ENOMEM } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { kfree, kmalloc } from '#linux/slab.js';
import { alloc_pages_exact, free_pages_exact } from '#mm/page_alloc.js';
import { bootMemory } from '#tests/mm/memory-machine.js';
import { description as edu } from '#tools/check/drivers/edu-iommu.js';
import { failEach } from '#tools/check/fail.js';
import { Rig } from '#tools/check/rig.js';
import { STEPS } from '#tools/check/steps.js';
import { PROJECT } from '#tools/project.js';
import { failNth } from '#watch/fail-points.js';
import { FALLIBLE } from '#watch/fallible.js';
import { probes } from '#watch/probes.js';

describe('fail-points', () => {
	it('makes the n-th object fail, and says when there was none', () => {
		bootMemory();
		const got: boolean[] = [];
		const run = (): void => {
			for (let i = 0; i < 3; i++) {
				const bytes = kmalloc(64, GFP_KERNEL);
				got.push(bytes !== null);
				if (bytes !== null) kfree(bytes);
			}
		};
		expect(failNth('slab', 2, run)).to.include({ text: 'slab allocation 2', error: -ENOMEM });
		expect(got).to.deep.equal([true, false, true]);
		expect(failNth('slab', 4, run)).to.equal(null);
		run();
		expect(got.slice(3)).to.deep.equal(Array(6).fill(true));
	});

	it('makes the n-th page fail', () => {
		bootMemory();
		const failure = failNth('page', 1, () => {
			const pages = alloc_pages_exact(4096, GFP_KERNEL);
			expect(pages).to.equal(null);
			if (pages !== null) free_pages_exact(pages, 4096);
		});
		expect(failure).to.include({ kind: 'page', nth: 1, error: -ENOMEM });
	});

	it('answers in the stead of the n-th function that is probed, with what this one answers then', () => {
		const answers: unknown[] = [];
		const failure = failNth('function', 2, () => {
			for (const name of ['clk_enable', 'clk_prepare', 'vmap']) answers.push(probes.kprobe?.(name)?.ret);
		});
		expect(answers).to.deep.equal([undefined, -EIO, undefined]);
		expect(failure).to.include({ text: 'clk_prepare() (call 2)', error: -EIO });
		expect(probes.kprobe).to.equal(undefined);
	});

	it('leaves a program alone that nobody has probed', () => {
		bootMemory();
		expect(failNth('function', 1, () => expect(clk_prepare_enable(null)).to.equal(0))).to.equal(null);
	});

	it('lets each step of a life with an IOMMU fail, and it survives', () => {
		const counts = STEPS.slice(0, 3).map((step) => failEach(new Rig(edu, {}), step));
		expect(counts.reduce((sum, { slab, page }) => sum + slab + page, 0)).to.be.above(5);
	});

	it('finds every function of the list in the built code, and the H6 survives them all', () => {
		const linux_iommu = join(PROJECT, 'build/tools/linux-iommu.js');
		const { status, stdout, stderr } = spawnSync(
			process.execPath,
			[linux_iommu, 'fail-nth', 'sun50i-iommu'],
			{
				encoding: 'utf8',
			},
		);
		expect(`${stdout}${stderr}`).to.match(/^all +\d+ +\d+ +[1-9]\d+ +\d+$/m);
		expect(status).to.equal(0);
		expect(new Set(FALLIBLE.map(({ name }) => name)).size).to.equal(FALLIBLE.length);
	});
});
