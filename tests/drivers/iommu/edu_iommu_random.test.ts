// SPDX-License-Identifier: GPL-2.0-only
// Any calls, in two domains at once, against a plain map of pages; the sanitiser watches.
import { expect } from 'chai';
import {
	iommu_attach_group,
	iommu_detach_group,
	iommu_iova_to_phys,
	iommu_map,
	iommu_unmap,
} from '#drivers/iommu/iommu.js';
import { randomStream } from '#hw/core/random.js';
import { EEXIST, ENOMEM } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import type { iommu_domain } from '#linux/iommu.js';
import { fail_page_alloc } from '#mm/fail_page_alloc.js';
import { RAM } from '#tests/hw/board.js';
import { edu } from '#tests/hw/edu.js';
import { IommuRig, RW } from './iommu-rig.js';

const K4 = 0x1000;
const M4 = 0x40_0000;
const BUFFER = RAM + 0x800_0000;

/** One domain, and what is mapped in it. */
class Space {
	readonly domain: iommu_domain;
	/** By page: where it leads, and whether a large page does it. */
	readonly pages = new Map<number, readonly [phys: number, large: boolean]>();
	attached = true;

	constructor(
		readonly rig: IommuRig,
		readonly stream: number,
	) {
		this.domain = rig.attached(stream);
	}

	/** What iommu_map() is to answer, when there is memory. */
	map(iova: number, phys: number, size: number): number {
		for (let at = 0; at < size; at += K4) if (this.pages.has(iova + at)) return -EEXIST;
		for (let at = 0, step = 0; at < size; at += step) {
			const large = (iova + at) % M4 === 0 && (phys + at) % M4 === 0 && size - at >= M4;
			step = large ? M4 : K4;
			for (let n = 0; n < step; n += K4) this.pages.set(iova + at + n, [phys + at + n, large]);
		}
		return 0;
	}

	/** What iommu_unmap() is to answer. */
	unmap(iova: number, size: number): number {
		for (let done = 0, step = 0; done < size; done += step) {
			const at = iova + done;
			const page = this.pages.get(at);
			step = page?.[1] ? M4 : K4;
			if (page === undefined || (page[1] && (at % M4 !== 0 || size - done < M4))) return done;
			for (let n = 0; n < step; n += K4) this.pages.delete(at + n);
		}
		return size;
	}

	/** An access of @size bytes, byte for byte. */
	access(iova: number, size: number, write: boolean, fill: number): void {
		const { ram } = this.rig.machine;
		const master = this.rig.masters.model(`m${this.stream}`);
		const bytes = Uint8Array.from({ length: size }, (_, n) => (fill + n) & 0xff);
		const place = (n: number): number => {
			const at = iova + n;
			const page = this.attached ? this.pages.get(at - (at % K4)) : undefined;
			return page === undefined ? -1 : page[0] + (at % K4);
		};
		let good = 0;
		while (good < size && place(good) >= 0) good++;
		const one = new Uint8Array(1);
		const memory = (n: number): number => {
			ram.deviceRead(place(n), one, false);
			return one[0];
		};
		if (write) expect(master.store(iova, bytes)).to.equal(good === size);
		else {
			const got = master.fetch(iova, size);
			expect(got !== null).to.equal(good === size);
			if (got === null) return;
			bytes.set(got);
		}
		for (let n = 0; n < good; n++) if (memory(n) !== bytes[n]) expect.fail(`byte ${n} of ${iova}+${size}`);
	}
}

describe('edu_iommu, any calls', () => {
	it('unmaps at once a range of large pages that small ones have mapped', () => {
		const rig = new IommuRig(edu, (stream) => `m${stream}`);
		const domain = rig.attached(1);
		expect(iommu_map(domain, M4, BUFFER + K4, 2 * M4, RW, GFP_KERNEL)).to.equal(0);
		rig.tries(1, M4 + 7 * K4);
		expect(iommu_unmap(domain, M4, 2 * M4)).to.equal(2 * M4);
		expect(iommu_iova_to_phys(domain, M4 + 7 * K4)).to.equal(0);
		expect(rig.tries(1, M4 + 7 * K4)).to.equal(false);
		rig.detachAndFree(domain, 1);
		expect(rig.findings()).to.equal('');
	});

	for (const policy of ['pessimistic', 'optimistic'] as const)
		for (const commandLine of ['', 'iommu.strict=0', 'iommu.passthrough=1'])
			it(`keeps tables, caches and memory in step (${policy} ${commandLine})`, () => {
				const rig = new IommuRig(edu, (stream) => `m${stream}`, { policy, commandLine });
				const random = randomStream(5);
				const pick = (n: number): number => Math.floor(random() * n);
				const sizes = [K4, 2 * K4, 5 * K4, M4 - K4, M4, M4 + K4, 2 * M4];
				const place = (): number =>
					M4 * (1 + pick(3)) + (pick(3) === 0 ? 0 : K4 * (pick(2) === 0 ? pick(4) : 1023 - pick(4)));
				const leaks = rig.leakCheck();
				const spaces = [1, 2].map((stream) => new Space(rig, stream));
				for (let step = 0; step < 150; step++) {
					const space = spaces[pick(2)];
					const { domain } = space;
					const iova = place();
					const size = sizes[pick(sizes.length)];
					const group = rig.device(space.stream).iommu_group!;
					switch (pick(8)) {
						case 0:
						case 1: {
							const phys = BUFFER + (pick(2) === 0 ? iova : place());
							const before = fail_page_alloc.failed;
							fail_page_alloc.nth = pick(4) === 0 ? 1 + pick(2) : 0;
							const ret = iommu_map(domain, iova, phys, size, RW, GFP_KERNEL);
							fail_page_alloc.nth = 0;
							if (fail_page_alloc.failed !== before && ret === -ENOMEM) break;
							expect(ret, `step ${step}: map`).to.equal(space.map(iova, phys, size));
							break;
						}
						case 2:
						case 3:
							expect(iommu_unmap(domain, iova, size), `step ${step}: unmap`).to.equal(
								space.unmap(iova, size),
							);
							break;
						case 4:
							if (pick(4) !== 0) break;
							if (space.attached) iommu_detach_group(domain, group);
							else expect(iommu_attach_group(domain, group)).to.equal(0);
							space.attached = !space.attached;
							break;
						default:
							// The default domain of a passthrough machine lets everything through.
							if (!space.attached && commandLine.includes('passthrough')) break;
							space.access(iova - pick(2) * 3 + pick(K4), 1 + pick(3 * K4), pick(2) === 0, step);
					}
					rig.machine.advance(1000);
					expect(iommu_iova_to_phys(domain, iova + 5), `step ${step}`).to.equal(
						space.pages.has(iova) ? space.pages.get(iova)![0] + 5 : 0,
					);
					expect(rig.stale(), `step ${step}`).to.deep.equal([]);
				}
				for (const space of spaces) {
					for (const at of [...space.pages.keys()].sort((a, b) => a - b))
						if (space.pages.has(at)) {
							const size = space.pages.get(at)![1] ? M4 : K4;
							expect(iommu_unmap(space.domain, at, size)).to.equal(space.unmap(at, size));
						}
					if (!space.attached) iommu_attach_group(space.domain, rig.device(space.stream).iommu_group!);
					rig.detachAndFree(space.domain, space.stream);
				}
				expect(leaks()).to.deep.equal([]);
				expect(rig.findings()).to.equal('');
			});
});
