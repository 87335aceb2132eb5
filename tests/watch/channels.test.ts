// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import { WARN_ON } from '#linux/bug.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { readl, writel } from '#linux/io.js';
import { kfree, kmalloc } from '#linux/slab.js';
import { BUFFER, H6 } from '#tests/drivers/iommu/h6.js';
import { IOMMU } from '#tests/hw/h6.js';
import { expectFinding, expectWarning } from '#tests/setup.js';

describe('channels', () => {
	it('are one list of what sanitiser, kernel, machine and allocators have seen', () => {
		const rig = new H6();
		rig.dmasan.channels.mark();
		expect(rig.dmasan.all()).to.deep.equal([]);
		expectWarning(/WARNING: at/);
		expectFinding(/untranslated-access/);
		expectFinding(/INV-LIVE-MAP/);
		WARN_ON(true);
		readl(0x0700_0000);
		writel(0x3f, IOMMU + 0x030);
		rig.reads(3, BUFFER);
		const bytes = kmalloc(100, GFP_KERNEL);
		const all = rig.dmasan.all();
		expect([...new Set(all.map(({ channel }) => channel))]).to.deep.equal([
			'sanitiser',
			'warning',
			'machine',
			'leak',
		]);
		expect(all.find(({ channel }) => channel === 'machine')?.text).to.match(
			/^bus: read of 0x7000000: nothing is there/,
		);
		expect(all.find(({ channel }) => channel === 'leak')?.text).to.contain('kmalloc-128: 1 object');
		kfree(bytes);
	});
});
