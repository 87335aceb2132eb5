// SPDX-License-Identifier: GPL-2.0-only
// What requests to the page allocator ask for.
import { expect } from 'chai';
import {
	__GFP_DMA,
	__GFP_DMA32,
	__GFP_HIGHMEM,
	__GFP_MOVABLE,
	__GFP_NOWARN,
	__GFP_THISNODE,
	GFP_ATOMIC,
	GFP_KERNEL,
	GFP_NOWAIT,
	gfp_zone,
	gfpflags_allow_blocking,
	warn_if_node_offline,
} from '#linux/gfp.js';
import { ZONE_DMA, ZONE_DMA32, ZONE_MOVABLE, ZONE_NORMAL } from '#linux/mmzone.js';
import { NUMA_NO_NODE } from '#linux/numa.js';
import { __free_page, alloc_pages_node } from '#mm/page_alloc.js';
import { bootMachine } from '#tests/boot.js';

describe('gfp', () => {
	// include/linux/gfp.h: GFP_ZONE_TABLE. There is no high memory on arm64.
	for (const [flags, zone] of [
		[0, ZONE_NORMAL],
		[__GFP_DMA, ZONE_DMA],
		[__GFP_HIGHMEM, ZONE_NORMAL],
		[__GFP_DMA32, ZONE_DMA32],
		[__GFP_MOVABLE, ZONE_NORMAL],
		[__GFP_MOVABLE | __GFP_DMA, ZONE_DMA],
		[__GFP_MOVABLE | __GFP_HIGHMEM, ZONE_MOVABLE],
		[__GFP_MOVABLE | __GFP_DMA32, ZONE_DMA32],
	] as const)
		it(`zone flags ${flags} lead to zone ${zone}, whatever the other bits are`, () => {
			expect(gfp_zone(flags)).to.equal(zone);
			expect(gfp_zone(flags | GFP_KERNEL)).to.equal(zone);
		});

	it('tells requests that may sleep from those that may not', () => {
		expect(gfpflags_allow_blocking(GFP_KERNEL)).to.equal(true);
		expect(gfpflags_allow_blocking(GFP_ATOMIC)).to.equal(false);
		expect(gfpflags_allow_blocking(GFP_NOWAIT)).to.equal(false);
	});

	it('reports a node that is not there only to those who want that node, and no warnings', () => {
		const { log } = bootMachine();
		const said = (nid: number, gfp: number): boolean => {
			log.length = 0;
			warn_if_node_offline(nid, gfp);
			return log.some((l) => l.includes(`allocation from offline node ${nid}`));
		};
		expect(said(1, GFP_KERNEL | __GFP_THISNODE | __GFP_NOWARN)).to.equal(true);
		expect(log[0]).to.contain('GFP_KERNEL|__GFP_NOWARN|__GFP_THISNODE');
		expect(said(1, GFP_KERNEL | __GFP_THISNODE)).to.equal(false);
		expect(said(1, GFP_KERNEL | __GFP_NOWARN)).to.equal(false);
		expect(said(0, GFP_KERNEL | __GFP_THISNODE | __GFP_NOWARN)).to.equal(false);
	});

	it('takes no node for the only one', () => {
		const { log } = bootMachine();
		log.length = 0;
		const page = alloc_pages_node(NUMA_NO_NODE, GFP_KERNEL | __GFP_THISNODE | __GFP_NOWARN, 0)!;
		expect(log).to.deep.equal([]);
		__free_page(page);
	});
});
