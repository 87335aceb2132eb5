// SPDX-License-Identifier: GPL-2.0-only
// Steps that no capture has: more sizes, limits and orders, the same at each run.

import type { Step } from '../golden/vectors.js';
import { random } from '../random.js';

const SEED = 11;

type Pick = (n: number) => number;

/** Allocations and frees that keep magazines, depots and the tree at work, at domains of several kinds. */
function iovaSteps(pick: Pick): Step[] {
	const steps: Step[] = [];
	const add = (name: string, ...args: (number | string)[]): void => void steps.push([name, args, null]);
	const limits = ['0xfffff', '0xffff', '0x3ff', '0xffffffffff', '-1', '0x100000', '0x2'];
	for (let domain = 0; domain < 6; domain++) {
		const cached = domain % 2;
		add('Vinit', domain, [4096, 1024, 2048][domain % 3]!, pick(4) === 0 ? 0 : 1 + pick(64), cached);
		for (let i = 0; i < 4000; i++) {
			const slot = domain * 4096 + pick(domain < 2 ? 2048 : 300);
			// Only a slot that is empty gets something: what it had would stay in the tree for good.
			const what = pick(100);
			if (what < 45) {
				add('Vfree', domain, slot, cached === 1 ? 0 : 2);
				const size = pick(8) === 0 ? 1 + pick(500) : 1 << pick(7);
				add(cached === 1 ? 'Vaf' : 'Va', domain, slot, size, limits[pick(limits.length)]!, pick(2));
			} else if (what < 90) add('Vfree', domain, slot, cached === 1 ? 0 : 1 + pick(2));
			else if (what < 92) {
				const lo = pick(0x2_0000);
				add('Vresv', domain, lo, lo + pick(64));
			} else if (what < 96) add('Vfind', domain, pick(0x10_0000));
			else if (what < 99) add('Vfindo', domain, slot, pick(3));
			else add(pick(2) === 0 ? 'Vstate' : 'Vdump', domain);
			if (i % 1000 === 999) add('sleep', 1 + pick(400));
		}
		add('Vdump', domain);
		add('Vput', domain);
	}
	return steps;
}

/** Lists over memory that the captured steps use, too. */
function scatterlistSteps(pick: Pick): Step[] {
	const steps: Step[] = [];
	const add = (name: string, ...args: (number | string)[]): void => void steps.push([name, args, null]);
	const hex = (n: number): string => `0x${n.toString(16)}`;
	// Each entry has memory of its own, 64 KiB of it.
	const list = (most: number): string =>
		Array.from({ length: 1 + pick(most) }, (_, i) => {
			const at = 0x1080_0000 + (i % 64) * 0x1_0000;
			const offset = [0, 0, pick(4096), pick(9000)][pick(4)]!;
			return `${hex(at)}${offset === 0 ? '' : `+${offset}`}:${1 + pick(pick(2) === 0 ? 5000 : 50_000)}`;
		}).join(',');
	const pages = (most: number): string =>
		Array.from({ length: 1 + pick(most) }, () => `${hex(0x1_0800 + pick(0x400))}*${1 + pick(9)}`).join(',');
	const limits = ['0xffffffff', '0x1000', '0x2000', '0x5000', '0x5800', '0x800'];
	for (let i = 0; i < 300; i++) {
		add('sgfp', limits[pick(6)]!, pick(2) === 0 ? 0 : pick(4096), 4096 + pick(200_000), pages(40));
		// As many pages as the later calls may bring.
		const parts = Array.from(
			{ length: 1 + pick(4) },
			(_, n) => `600/${n === 0 ? pick(4096) : 0}/${4096 * (1 + pick(40))}/${pages(12)}`,
		);
		parts.push(`0/0/4096/${hex(0x1_0800 + pick(0x400))}*1`);
		add('sgapp', limits[pick(5)]!, parts.join(';'));
		add('sgtab', pick(1200));
		add('sgchain', 1 + pick(600), pick(3) === 0 ? 0 : pick(200));
		const sizes = Array.from({ length: 1 + pick(4) }, () => 1 + pick(20_000));
		add('sgsplit', pick(3) === 0 ? 0 : pick(9000), sizes.join(','), list(12));
		add('sgnfl', pick(60_000), list(150));
		add('sgcopy', pick(3), pick(2) === 0 ? 0 : pick(30_000), pick(40_000), pick(256), list(8));
		add('sgmiter', pick(2) === 0 ? 0 : pick(50_000), list(9));
		add('sgpages', pick(20), list(9));
	}
	return steps;
}

const KINDS: Readonly<Record<string, (pick: Pick) => Step[]>> = {
	iova: iovaSteps,
	scatterlist: scatterlistSteps,
};

/** Random steps for the program @name. */
export function randomSteps(name: string): Step[] {
	const next = random(SEED);
	return KINDS[name]!((n) => Math.floor(next() * n));
}
