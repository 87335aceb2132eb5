// SPDX-License-Identifier: GPL-2.0-only
// Claims of address ranges.
import { expect } from 'chai';
import {
	iomem_resource,
	release_mem_region,
	request_mem_region,
	request_resource,
	walk_system_ram_range,
} from '#kernel/resource.js';
import { EBUSY, EINVAL } from '#linux/errno.js';
import { IORESOURCE_MEM, resource } from '#linux/ioport.js';
import { bootMachine } from '#tests/boot.js';

function range(start: number, end: number): resource {
	return Object.assign(new resource(), { name: 'test', start, end, flags: IORESOURCE_MEM });
}

describe('resource', () => {
	it('gives a range to one claimant at a time', () => {
		bootMachine('main');
		expect(request_mem_region(0xe000_0000, 0x1000, 'a')).to.not.equal(null);
		expect(request_mem_region(0xe000_0800, 0x1000, 'b')).to.equal(null);
		release_mem_region(0xe000_0000, 0x1000);
		expect(request_mem_region(0xe000_0800, 0x1000, 'b')).to.not.equal(null);
	});

	it('refuses a range that overlaps another, or ends before it begins', () => {
		bootMachine('main');
		expect(request_resource(iomem_resource, range(0xe000_0000, 0xe000_0fff))).to.equal(0);
		expect(request_resource(iomem_resource, range(0xe000_0fff, 0xe000_1fff))).to.equal(-EBUSY);
		expect(request_resource(iomem_resource, range(0xe000_3000, 0xe000_2000))).to.equal(-EBUSY);
	});

	it('walks the System RAM of a range, whole pages only, until told to stop', () => {
		bootMachine('high');
		const seen: [number, number][] = [];
		const note = (first: number, pages: number): number => {
			seen.push([first, pages]);
			return 0;
		};
		expect(walk_system_ram_range(0x7_fff0, 0x80_0000, null, note)).to.equal(0);
		// Board high: 2 GiB from 0, and 2 GiB from 0x8_0000_0000.
		expect(seen).to.deep.equal([
			[0x7_fff0, 0x10],
			[0x80_0000, 0x7_fff0],
		]);
		expect(walk_system_ram_range(0, 0x100_0000, null, () => 7)).to.equal(7);
		expect(walk_system_ram_range(0x20_0000, 1, null, note)).to.equal(-EINVAL);
	});
});
