// SPDX-License-Identifier: GPL-2.0-only
// Which files become programs of C.
import type { Step } from '../golden/vectors.js';
import type { Library } from './library.js';

export interface GoldenLibrary extends Library {
	/** Whether the program has @step; those that need a kernel under them it has not. */
	readonly plays: (step: Step) => boolean;
}

const IOVA = {
	sources: ['lib/rbtree.ts', 'drivers/iommu/iova.ts'],
	headers: {
		'include/linux/rbtree_types.ts': ['rb_node', 'rb_root'],
		'include/linux/rbtree.ts': ['rb_link_node'],
		'include/linux/iova.ts': ['iova', 'iova_domain', 'iova_shift'],
	},
} as const;

/** The one that `make bench NATIVE=1` times. */
export const IOVA_BENCH: Library = { name: 'iova-bench', ...IOVA, programs: ['iova-bench.c'] };

export const LIBRARIES: readonly GoldenLibrary[] = [
	{ name: 'iova', ...IOVA, programs: ['steps.c', 'iova-steps.c'], plays: () => true },
	{
		name: 'scatterlist',
		sources: ['lib/scatterlist.ts', 'lib/sg_pool.ts', 'lib/sg_split.ts'],
		headers: {},
		// A page and its marks are one word in C; here they are two.
		standIns: { 'include/linux/scatterlist.h': 'scatterlist.h' },
		programs: ['steps.c', 'scatterlist-steps.c'],
		// With a device a list is mapped, which is the business of other files.
		plays: ([name, args]) => name !== 'sgsplit' || args[3] === undefined,
	},
];
