// SPDX-License-Identifier: GPL-2.0-only
// The header's own part of the DMA API: fields for later unmapping, and what the device struct answers.
import { expect } from 'chai';
import { device } from '#linux/device.js';
import {
	DEFINE_DMA_UNMAP_ADDR,
	DEFINE_DMA_UNMAP_LEN,
	DMA_BIT_MASK,
	dma_get_max_seg_size,
	dma_get_min_align_mask,
	dma_get_seg_boundary,
	dma_get_seg_boundary_nr_pages,
	dma_set_max_seg_size,
	dma_set_min_align_mask,
	dma_set_seg_boundary,
	dma_unmap_addr,
	dma_unmap_addr_set,
	dma_unmap_len,
	dma_unmap_len_set,
} from '#linux/dma-mapping.js';
import { U64_MAX } from '#linux/types.js';
import { bootMachine } from '#tests/boot.js';
import { expectWarning } from '#tests/setup.js';

class ring_buffer {
	mapping = DEFINE_DMA_UNMAP_ADDR('mapping');
	maplen = DEFINE_DMA_UNMAP_LEN('maplen');
}

describe('dma_mapping_header', () => {
	it('keeps an address and a length for the one who unmaps', () => {
		const rb = new ring_buffer();
		expect(dma_unmap_addr(rb, 'mapping')).to.equal(0);
		dma_unmap_addr_set(rb, 'mapping', 0xffff_f000);
		dma_unmap_len_set(rb, 'maplen', 1500);
		expect(rb.mapping).to.equal(0xffff_f000);
		expect(dma_unmap_addr(rb, 'mapping')).to.equal(0xffff_f000);
		expect(dma_unmap_len(rb, 'maplen')).to.equal(1500);
	});

	it('makes masks of 0 to 64 bits', () => {
		expect(DMA_BIT_MASK(1)).to.equal(1);
		expect(DMA_BIT_MASK(32)).to.equal(0xffff_ffff);
		expect(DMA_BIT_MASK(40)).to.equal(0xff_ffff_ffff);
		expect(DMA_BIT_MASK(64)).to.equal(U64_MAX);
	});

	it('answers for a device without parameters, and warns when they are to be set', () => {
		bootMachine();
		const dev = new device();
		expect(dma_get_max_seg_size(dev)).to.equal(0x10000);
		expect(dma_get_seg_boundary(dev)).to.equal(U64_MAX);
		expect(dma_get_min_align_mask(dev)).to.equal(0);
		expect(dma_get_seg_boundary_nr_pages(null, 12)).to.equal(0x10_0000);
		expectWarning(/./);
		dma_set_max_seg_size(dev, 4096);
		dma_set_seg_boundary(dev, 0xfff);
		dma_set_min_align_mask(dev, 0xfff);
		expect(dma_get_max_seg_size(dev)).to.equal(0x10000);
	});
});
