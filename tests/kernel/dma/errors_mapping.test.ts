// SPDX-License-Identifier: GPL-2.0-only
// How mapping and masks fail.
// A row for each failure that takes one call to make. The sentences are errors.json's.
import { PAGE_SIZE } from '#asm/page-def.js';
import { dma_direct_supported } from '#kernel/dma/direct.js';
import {
	dma_addressing_limited,
	dma_coerce_mask_and_coherent,
	dma_get_merge_boundary,
	dma_map_page_attrs,
	dma_map_resource,
	dma_map_sg_attrs,
	dma_map_sgtable,
	dma_map_single_attrs,
	dma_need_sync,
	dma_set_coherent_mask,
	dma_set_mask,
	dma_set_mask_and_coherent,
} from '#kernel/dma/mapping.js';
import { swiotlb_exit } from '#kernel/dma/swiotlb.js';
import { kernel_bug } from '#kernel/panic.js';
import { DMA_NONE, DMA_TO_DEVICE } from '#linux/dma-direction.js';
import { DMA_BIT_MASK, DMA_MAPPING_ERROR, dma_mapping_error } from '#linux/dma-mapping.js';
import { EBUSY, EINVAL, EIO, ENOMEM, EREMOTEIO } from '#linux/errno.js';
import { BUFS } from '#tests/kernel/dma/board.js';

import { allocated, type Failure, HIGH, itFails, page, table, withOps, withoutMask } from './failure.js';

const MAPPING: Failure[] = [
	{
		of: 'dma_map_page_attrs',
		is: DMA_MAPPING_ERROR,
		when: 'device has no DMA mask (warns once)',
		warns: /./,
		call: (d) => dma_map_page_attrs(withoutMask(d.m0), page, 0, 64, DMA_TO_DEVICE, 0),
	},
	{
		of: 'dma_map_page_attrs',
		is: DMA_MAPPING_ERROR,
		when: 'ops->map_page failed',
		call: (d) =>
			dma_map_page_attrs(withOps(d.m3, { map_page: () => DMA_MAPPING_ERROR }), page, 0, 64, DMA_TO_DEVICE, 0),
	},
	{
		of: 'dma_map_page_attrs',
		is: kernel_bug,
		when: 'invalid direction',
		warns: /./,
		call: (d) => dma_map_page_attrs(d.m0, page, 0, 64, DMA_NONE, 0),
	},
	{
		of: 'dma_map_single_attrs',
		is: DMA_MAPPING_ERROR,
		when: 'address is in vmalloc space (warns once)',
		warns: /m3: rejecting DMA map of vmalloc memory/,
		call: (d) => dma_map_single_attrs(d.m3, allocated(d.m3).cpu, 64, DMA_TO_DEVICE, 0),
	},
	{
		of: 'dma_mapping_error',
		is: -ENOMEM,
		when: 'the address is DMA_MAPPING_ERROR',
		call: (d) => dma_mapping_error(d.m0, DMA_MAPPING_ERROR),
	},
	{
		of: 'dma_map_sg_attrs',
		is: 0,
		when: 'a missing DMA mask (warns once)',
		warns: /./,
		call: (d) => dma_map_sg_attrs(withoutMask(d.m3), table(BUFS, 64).sgl!, 1, DMA_TO_DEVICE, 0),
	},
	{
		of: 'dma_map_sg_attrs',
		is: 0,
		when: 'every failure',
		call: (d) =>
			dma_map_sg_attrs(withOps(d.m3, { map_sg: () => -ENOMEM }), table(BUFS, 64).sgl!, 1, DMA_TO_DEVICE, 0),
	},
	{
		of: 'dma_map_sg_attrs',
		is: kernel_bug,
		when: 'invalid direction',
		warns: /./,
		call: (d) => dma_map_sg_attrs(d.m3, table(BUFS, 64).sgl!, 1, DMA_NONE, 0),
	},
	{
		of: 'dma_map_sgtable',
		is: -EINVAL,
		when: 'bad list or unsupported',
		// Above 4 GiB the hardware has no words for it.
		call: (d) => dma_map_sgtable(d.m0, table(HIGH, PAGE_SIZE), DMA_TO_DEVICE, 0),
		on: 'high',
	},
	{
		of: 'dma_map_sgtable',
		is: -ENOMEM,
		when: 'no IOVA space worth retrying',
		call: (d) => {
			dma_set_mask(d.m0, 0xffff);
			return dma_map_sgtable(d.m0, table(BUFS, 0x10000, 0x10000), DMA_TO_DEVICE, 0);
		},
	},
	{
		of: 'dma_map_sgtable',
		is: -EIO,
		when: 'an entry could not be mapped',
		warns: /overflow/,
		call: (d) => {
			swiotlb_exit();
			return dma_map_sgtable(d.m3, table(HIGH, 64), DMA_TO_DEVICE, 0);
		},
		on: 'direct',
	},
	{
		of: 'dma_map_sgtable',
		is: -EREMOTEIO,
		when: 'unreachable peer-to-peer page',
		call: (d) =>
			dma_map_sgtable(withOps(d.m3, { map_sg: () => -EREMOTEIO }), table(BUFS, 64), DMA_TO_DEVICE, 0),
	},
	{
		of: 'dma_map_sgtable',
		is: -EIO,
		when: 'any error outside the allowed set (warns once)',
		warns: /./,
		call: (d) => dma_map_sgtable(withOps(d.m3, { map_sg: () => -EBUSY }), table(BUFS, 64), DMA_TO_DEVICE, 0),
	},
	{
		of: 'dma_map_resource',
		is: DMA_MAPPING_ERROR,
		when: 'no DMA mask (warns once)',
		warns: /./,
		call: (d) => dma_map_resource(withoutMask(d.m0), 0x300_0000, 64, DMA_TO_DEVICE, 0),
	},
	{
		of: 'dma_map_resource',
		is: DMA_MAPPING_ERROR,
		when: 'the ops have no map_resource',
		call: (d) => dma_map_resource(withOps(d.m3, {}), 0x300_0000, 64, DMA_TO_DEVICE, 0),
	},
	{
		of: 'dma_map_resource',
		is: DMA_MAPPING_ERROR,
		when: 'backend failed',
		call: (d) => dma_map_resource(d.m0, 0x2_0000_0000, PAGE_SIZE, DMA_TO_DEVICE, 0),
	},
	{
		of: 'dma_need_sync',
		is: false,
		when: 'syncs are skipped for the device',
		call: (d) => dma_need_sync(d.m4, BUFS),
	},
	{
		of: 'dma_get_merge_boundary',
		is: 0,
		when: 'segments cannot be merged',
		call: (d) => dma_get_merge_boundary(d.m3),
	},
];

const MASKS: Failure[] = [
	{
		of: 'dma_set_mask',
		is: -EIO,
		when: 'device has no mask pointer',
		call: (d) => dma_set_mask(withoutMask(d.m0), DMA_BIT_MASK(32)),
	},
	{
		of: 'dma_set_mask',
		is: -EIO,
		when: 'the backend does not support the mask',
		call: (d) => dma_set_mask(d.m3, DMA_BIT_MASK(24)),
	},
	{
		of: 'dma_set_coherent_mask',
		is: -EIO,
		when: 'backend does not support the mask',
		call: (d) => dma_set_coherent_mask(withOps(d.m3, { dma_supported: () => 0 }), DMA_BIT_MASK(32)),
	},
	{
		of: 'dma_set_mask_and_coherent',
		is: -EIO,
		when: 'as dma_set_mask',
		call: (d) => dma_set_mask_and_coherent(d.m3, DMA_BIT_MASK(24)),
	},
	{
		of: 'dma_coerce_mask_and_coherent',
		is: -EIO,
		when: 'as dma_set_mask',
		call: (d) => dma_coerce_mask_and_coherent(d.m3, DMA_BIT_MASK(24)),
	},
	{
		of: 'dma_addressing_limited',
		is: false,
		when: 'all memory reachable',
		call: (d) => dma_addressing_limited(d.m3),
	},
	{
		of: 'dma_direct_supported',
		is: 0,
		when: 'mask below 32 bits and below the end of the DMA zone',
		call: (d) => dma_direct_supported(d.m3, DMA_BIT_MASK(24)),
	},
];

describe('errors_mapping', () => {
	for (const f of [...MAPPING, ...MASKS]) itFails(f);
});
