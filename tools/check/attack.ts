// SPDX-License-Identifier: GPL-2.0-only
// What the kernel does with an IOMMU that attacks: it survives.

import fc from 'fast-check';
import { phys_to_page } from '#asm/memory.js';
import {
	iommu_attach_group,
	iommu_detach_group,
	iommu_domain_free,
	iommu_map,
	iommu_paging_domain_alloc,
	iommu_unmap,
} from '#drivers/iommu/iommu.js';
import { dma_map_page, dma_unmap_page } from '#kernel/dma/mapping.js';
import { panic_state } from '#kernel/panic.js';
import { DMA_BIDIRECTIONAL } from '#linux/dma-direction.js';
import { dma_mapping_error } from '#linux/dma-mapping.js';
import { IS_ERR } from '#linux/err.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { findings } from '#tests/sanitiser.js';
import { attack, type Move, moveText } from '#watch/attack.js';
import type { Description } from './description.js';
import { CheckFailure, Rig, RW } from './rig.js';

const PAGES = 3;
/** Registers and records that a program meets: more than there are in most. */
const READS = 400;
const RECORDS = 12;
/** Longer than a poll waits. */
const STUCK = 6000;
/** Memory beside what is mapped. */
const BESIDE = 64;

const word = fc.oneof(
	fc.constantFrom(0, 1, 0xffff_ffff, 0x8000_0000, 0x3003f, 0x3f),
	fc.nat(0xffff_ffff),
	fc.nat(31).map((bit) => 2 ** bit),
);
const nth = fc.oneof(fc.nat(40), fc.nat(READS));

export const moves: fc.Arbitrary<Move[]> = fc.array(
	fc.oneof(
		{
			weight: 6,
			arbitrary: fc.record({ kind: fc.constant('register' as const), nth, and: word, xor: word }),
		},
		{
			weight: 2,
			arbitrary: fc.record({
				kind: fc.constant('stuck' as const),
				nth,
				count: fc.nat(STUCK),
				and: word,
				xor: word,
			}),
		},
		{ weight: 4, arbitrary: fc.record({ kind: fc.constant('interrupt' as const), nth }) },
		{
			weight: 4,
			arbitrary: fc.record({
				kind: fc.constant('record' as const),
				nth: fc.nat(RECORDS),
				word: fc.nat(3),
				value: word,
			}),
		},
	),
	{ minLength: 1, maxLength: 12 },
);

/** All that a client does, whatever the answers are. */
function program(rig: Rig): void {
	const { page, memory } = rig;
	const iova = 3 * rig.description.tableCovers - page;
	const dev = rig.device(0);
	const group = rig.group(0);
	const dma = dma_map_page(dev, phys_to_page(memory), 0, page, DMA_BIDIRECTIONAL);
	if (dma_mapping_error(dev, dma) === 0) {
		rig.tries(0, dma, true);
		rig.tries(1, dma + 16 * page);
		dma_unmap_page(dev, dma, page, DMA_BIDIRECTIONAL);
	}
	const domain = iommu_paging_domain_alloc(dev);
	if (IS_ERR(domain)) return;
	if (iommu_attach_group(domain, group) === 0) {
		if (iommu_map(domain, iova, memory, PAGES * page, RW, GFP_KERNEL) === 0) {
			rig.tries(0, iova);
			rig.tries(1, iova + page, true);
			// Faults: where nothing is, several at once.
			for (const n of [0, 1]) rig.writes(n, iova + PAGES * page);
			rig.tries(0, iova + 2 * rig.description.tableCovers);
			iommu_unmap(domain, iova, PAGES * page);
		}
		rig.tries(0, iova);
		iommu_detach_group(domain, group);
	}
	iommu_domain_free(domain);
	rig.machine.advance(1e6);
}

/** WARNs that Linux has, too, when a device does not do what it is told. */
const LINUX_WARNS =
	/__iommu_group_set_domain_internal|__iommu_group_set_domain_nofail|__iommu_group_set_core_domain/;

/** What does not survive @moves of the IOMMU's, or null. */
export function attacked(description: Description, list: readonly Move[]): string | null {
	const rig = new Rig(description, {});
	const { ram } = rig.machine;
	const beside = rig.memory + PAGES * rig.page;
	ram.load(beside, new Uint8Array(BESIDE).fill(0xa5));
	panic_state.warnings.length = 0;
	const end = attack(rig.machine, rig.iommuOf(0), list);
	let problem: string | null = null;
	try {
		program(rig);
	} catch (e) {
		problem = e instanceof Error ? (e.stack ?? e.message) : String(e);
	}
	end();
	// A device that lies about what it has done is to blame for what its caches hold.
	findings.length = 0;
	const warned = panic_state.warnings.find((text) => !LINUX_WARNS.test(text));
	panic_state.warnings.length = 0;
	const touched = ram.peekMemory(beside, BESIDE).findIndex((byte) => byte !== 0xa5);
	return (
		problem ?? warned ?? (touched < 0 ? null : `memory beside what is mapped has changed, at byte ${touched}`)
	);
}

/** Let @runs IOMMUs attack; throws with the shortest list of moves that is not survived. */
export function attackAll(description: Description, seed: number, runs: number): void {
	const property = fc.property(moves, (list) => {
		const problem = attacked(description, list);
		if (problem !== null) throw new CheckFailure(problem);
	});
	const result = fc.check(property, { seed, numRuns: runs });
	if (!result.failed) return;
	const [list] = result.counterexample ?? [[]];
	throw new CheckFailure(
		[
			`${description.name} does not survive this (seed ${seed}):`,
			...list.map((m) => `  ${moveText(m)}`),
			attacked(description, list) ?? '',
		].join('\n'),
	);
}
