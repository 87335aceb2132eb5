// SPDX-License-Identifier: GPL-2.0-only
// What the IOMMU core may rely on when a function of a driver has returned: its result, its out-parameters, and what it
// was asked for. Rules that need no look at the hardware (that is agreement.ts's).
//
//   INV-ERR        a result that is none; success without effect, failure with one; a live mapping written over
//   INV-RANGE      pages of a size or alignment that the domain does not have; a geometry that is not the hardware's
//   INV-TLB-UNMAP  what was gathered for the invalidation does not cover what was unmapped
//   INV-CLEAN      iova_to_phys() says something else than was mapped

import { hex } from '#hw/core/register-file.js';
import type { Iommu } from '#hw/iommu/iommu.js';
import { type err_ptr, IS_ERR, MAX_ERRNO, PTR_ERR } from '#linux/err.js';
import {
	EADDRINUSE,
	EBUSY,
	EEXIST,
	EFAULT,
	EINVAL,
	EIO,
	ENODEV,
	ENOMEM,
	ENOSPC,
	EOPNOTSUPP,
	ERANGE,
} from '#linux/errno.js';
import {
	__IOMMU_DOMAIN_PAGING,
	type iommu_device,
	type iommu_domain,
	type iommu_group,
	iommu_iotlb_gather_queued,
} from '#linux/iommu.js';
import type { MapCall, UnmapCall } from './iommu-ops.js';
import { asReturns, type Finding } from './report.js';
import type { Watched } from './watcher.js';

/** What map_pages() may say, in drivers of 6.12. */
const MAP_ERRORS = [
	EADDRINUSE,
	EBUSY,
	EEXIST,
	EFAULT,
	EINVAL,
	EIO,
	ENODEV,
	ENOMEM,
	ENOSPC,
	EOPNOTSUPP,
	ERANGE,
];
/** What it may say where something is mapped already: that, or what it has met before it looked. */
const TAKEN_ERRORS = [EADDRINUSE, EBUSY, EEXIST, EINVAL, ENODEV, ENOMEM, ERANGE];
/** So often may map_pages() say that it has mapped nothing, and be called again. */
const PATIENCE = 64;

export class Contract {
	/** Calls in a row that did nothing and said 0. */
	#idle = 0;

	constructor(readonly watched: Watched) {}

	/** @call has returned; @taken: what of its range was mapped before, the first address of it (-1: nothing). */
	mapped(call: MapCall, taken: number, device: string): void {
		const { domain, iova, paddr, pgsize, pgcount, ret, done, fn } = call;
		const size = pgsize * pgcount;
		if (!isPageSize(domain, pgsize) || iova % pgsize !== 0 || paddr % pgsize !== 0)
			this.#find('INV-RANGE', 'bad-page-size', device, fn, [
				`${fn}() was asked for ${pgcount} pages of ${hex(pgsize)} at ${hex(iova, 8)} to ${hex(paddr, 8)}; the domain has ${sizes(domain)}`,
				`iommu_pgsize() (or who calls ${fn}()) must choose a size of pgsize_bitmap that iova and paddr are aligned to`,
			]);
		if (done < 0 || done > size || done % pgsize !== 0) {
			this.#find('INV-ERR', 'mapped-too-much', device, fn, [
				`${fn}() for ${hex(size)} bytes at ${hex(iova, 8)} has made *mapped ${hex(done)} more`,
				`${fn}() must add to *mapped the bytes that it has mapped, whole pages of ${hex(pgsize)}, at most ${hex(size)}`,
			]);
			return;
		}
		if (!isErrno(ret))
			this.#find('INV-ERR', 'bad-result', device, fn, [
				`${fn}() has returned ${ret}`,
				`${fn}() must return 0 or a negative errno`,
			]);
		else if (ret < 0 && !MAP_ERRORS.includes(-ret))
			this.#find('INV-ERR', 'odd-errno', device, fn, [
				`${fn}() for ${hex(iova, 8)} has returned ${ret}`,
				`${fn}() should return -EINVAL or -ERANGE for what it cannot map, -EEXIST or -EBUSY for what is mapped, -ENOMEM without memory`,
			]);
		if (ret === 0 && done === 0) {
			this.#find('INV-ERR', 'mapped-nothing', device, fn, [
				`${fn}() has returned 0 for ${hex(size)} bytes at ${hex(iova, 8)}, and *mapped is as it was: iommu_map() will ask for the same again, for ever`,
				`${fn}() does not set *mapped, or returns 0 where it should return an error`,
			]);
			if (++this.#idle === PATIENCE)
				throw new Error(`${fn}() maps nothing and says 0: iommu_map() never ends`);
			return;
		}
		this.#idle = 0;
		if (taken < 0) return;
		if (done > taken - iova)
			this.#find('INV-ERR', 'mapping-overwritten', device, fn, [
				`${fn}() has mapped ${hex(iova, 8)}..${hex(iova + done - 1, 8)}, and ${hex(taken, 8)} was mapped already`,
				`${fn}() must look whether the word for ${hex(taken, 8)} is valid, leave it, and return -EEXIST or -EBUSY; or whoever unmapped ${hex(taken, 8)} has not told the driver`,
			]);
		else if (ret < 0 && !TAKEN_ERRORS.includes(-ret))
			this.#find('INV-ERR', 'odd-errno', device, fn, [
				`${fn}() has returned ${ret}; ${hex(taken, 8)} is mapped already`,
				`${fn}() should return -EEXIST or -EBUSY for a page that is mapped`,
			]);
	}

	/**
	 * @call has returned. @mapped: how many bytes from its start on were mapped in one piece; @whole: of what pages
	 * (0: none).
	 */
	unmapped(call: UnmapCall, mapped: number, whole: number, device: string): void {
		const { domain, iova, pgsize, pgcount, size, gather, fn } = call;
		const asked = pgsize * pgcount;
		if (!isPageSize(domain, pgsize) || iova % pgsize !== 0)
			this.#find('INV-RANGE', 'bad-page-size', device, fn, [
				`${fn}() was asked for ${pgcount} pages of ${hex(pgsize)} at ${hex(iova, 8)}; the domain has ${sizes(domain)}`,
				`iommu_pgsize() (or who calls ${fn}()) must choose a size of pgsize_bitmap that iova is aligned to`,
			]);
		if (!(size >= 0) || size % 1 !== 0 || size > mapped) {
			const what = mapped === 0 ? 'nothing was mapped there' : `only ${hex(mapped)} bytes were mapped there`;
			this.#find('INV-ERR', 'unmapped-too-much', device, fn, [
				`${fn}() for ${hex(asked)} bytes at ${hex(iova, 8)} has returned ${hex(size)}, and ${what}`,
				`${fn}() must return how many bytes it has unmapped: it should stop at the first word that is not valid`,
			]);
		} else if (size === 0 && mapped > 0 && whole > 0 && whole <= asked)
			// Less than all is no fault: the core comes again for the rest.
			this.#find('INV-ERR', 'unmapped-nothing', device, fn, [
				`${fn}() for ${hex(asked)} bytes at ${hex(iova, 8)} has returned 0, and ${hex(mapped)} bytes were mapped there: iommu_unmap() gives up`,
				`${fn}() does not find the word for ${hex(iova, 8)}, takes it for invalid, or does not return what it has unmapped`,
			]);
		if (size > 0 && !iommu_iotlb_gather_queued(gather)) this.#gathered(call, device);
	}

	/** A driver that fills the gather structure fills it with all. */
	#gathered({ iova, pgsize, size, gather, fn }: UnmapCall, device: string): void {
		if (gather.pgsize === 0 && gather.end === 0) return;
		const last = iova + size - 1;
		if (gather.start > iova || gather.end < last)
			this.#find('INV-TLB-UNMAP', 'gather-too-narrow', device, fn, [
				`${fn}() has unmapped ${hex(iova, 8)}..${hex(last, 8)}, and what iotlb_sync() will be told is ${hex(gather.start, 8)}..${hex(gather.end, 8)}`,
				`${fn}() must call iommu_iotlb_gather_add_page() with the address and size of every page that it unmaps (gather.end is the last byte)`,
			]);
		else if (gather.pgsize > pgsize)
			this.#find('INV-TLB-UNMAP', 'gather-too-coarse', device, fn, [
				`${fn}() has unmapped pages of ${hex(pgsize)}, and the step that iotlb_sync() will be told is ${hex(gather.pgsize)}`,
				`${fn}() must give iommu_iotlb_gather_add_page() the size of a page, not of the range`,
			]);
	}

	/** iova_to_phys() says @phys of @iova, which leads to @meant (-1: nowhere). */
	translated(iova: number, phys: number, meant: number, device: string, fn: string, after: string): boolean {
		if (phys === Math.max(0, meant)) return true;
		const want = meant < 0 ? 'that is not mapped, so 0' : `that is mapped to ${hex(meant, 8)}`;
		const page = meant >= 0 && phys === meant - (iova % 4096);
		this.#find('INV-CLEAN', 'wrong-software-walk', device, fn, [
			`${after}${fn}() says ${hex(phys, 8)} of ${hex(iova, 8)}: ${want}`,
			page
				? `${fn}() leaves the offset inside the page out`
				: `${fn}() reads another word than the hardware does for ${hex(iova, 8)}, or takes address, offset or validity from it wrong`,
		]);
		return false;
	}

	attached(domain: iommu_domain, ret: number, iommu: Iommu | null, device: string, fn: string): void {
		if (!isErrno(ret))
			this.#find('INV-ERR', 'bad-result', device, fn, [
				`${fn}() has returned ${ret}`,
				`${fn}() must return 0 or a negative errno`,
			]);
		if (ret !== 0 || iommu === null || (domain.type & __IOMMU_DOMAIN_PAGING) === 0) return;
		const { aperture_start, aperture_end, force_aperture } = domain.geometry;
		const [first, last] = [aperture_start as number, aperture_end as number];
		if (last <= first || last >= 2 ** iommu.inputBits || !force_aperture)
			this.#find('INV-RANGE', 'wrong-aperture', device, fn, [
				`The domain says that it has the addresses ${hex(first)}..${hex(last)}${force_aperture ? '' : ' (force_aperture is not set)'}; ${iommu.name} translates 0x0..${hex(2 ** iommu.inputBits - 1)} and refuses what is beyond`,
				`domain_alloc_paging() must set geometry.aperture_end to ${hex(2 ** iommu.inputBits - 1)} at most, and force_aperture`,
			]);
		if (domain.pgsize_bitmap === 0)
			this.#find('INV-RANGE', 'no-page-sizes', device, fn, [
				`${fn}() has returned 0 for a domain without a page size`,
				'iommu_ops.pgsize_bitmap, or domain_alloc_paging(), must name the sizes of pages',
			]);
	}

	/** A function that returns something or ERR_PTR() has; @none: whether null will do. */
	gave(
		result: iommu_domain | iommu_device | iommu_group | err_ptr | null,
		none: boolean,
		device: string,
		fn: string,
	): void {
		if (
			result === null || result === undefined
				? none && result === null
				: !IS_ERR(result) || isErrno(PTR_ERR(result))
		)
			return;
		this.#find('INV-ERR', 'bad-result', device, fn, [
			`${fn}() has returned ${result === null || result === undefined ? String(result) : `ERR_PTR(${PTR_ERR(result as err_ptr)})`}`,
			`${fn}() must return what it is asked for, or ERR_PTR() of a negative errno`,
		]);
	}

	returned(ret: number, device: string, fn: string): void {
		if (isErrno(ret)) return;
		this.#find('INV-ERR', 'bad-result', device, fn, [
			`${fn}() has returned ${ret}`,
			`${fn}() must return 0 or a negative errno`,
		]);
	}

	#find(
		invariant: Finding['invariant'],
		kind: string,
		device: string,
		fn: string,
		[detail, advice]: readonly [detail: string, advice: string],
	): void {
		this.watched.find({
			invariant,
			kind,
			device,
			...asReturns(fn),
			details: [detail],
			advice,
		});
	}
}

/** 0, or a negative errno. */
function isErrno(ret: number): boolean {
	return ret === 0 || (Number.isInteger(ret) && ret < 0 && ret >= -MAX_ERRNO);
}

/** Whether @size is one of @domain's. */
function isPageSize({ pgsize_bitmap }: iommu_domain, size: number): boolean {
	return size > 0 && Math.floor(pgsize_bitmap / size) % 2 === 1 && Math.log2(size) % 1 === 0;
}

function sizes({ pgsize_bitmap }: iommu_domain): string {
	const names: string[] = [];
	for (let bit = 0; bit < 53; bit++)
		if (Math.floor(pgsize_bitmap / 2 ** bit) % 2 === 1) names.push(hex(2 ** bit));
	return names.length === 0 ? 'no page sizes' : `pages of ${names.join(', ')}`;
}
