// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import { badName, Names } from '#tools/new/names.js';

describe('tools_new_names', () => {
	for (const [name, snake, camel] of [
		['my-iommu', 'my', 'My'],
		['my-3d-iommu', 'my_3d', 'My3d'],
		['slot-mmu', 'slot_mmu', 'SlotMmu'],
		['x', 'x', 'X'],
	] as const)
		it(`makes of ${name} what code needs`, () => {
			const names = new Names(name);
			expect([names.snake, names.camel, names.compatible]).to.deep.equal([snake, camel, `vendor,${name}`]);
			expect(
				names.translate('EDU_ID edu_read EduIommu eduIommu linux-iommu-ts,edu-iommu edu-iommu.ts'),
			).to.equal(
				`${snake.toUpperCase()}_ID ${snake}_read ${camel}Iommu ${camel[0].toLowerCase()}${camel.slice(1)}Iommu vendor,${name} ${name}.ts`,
			);
		});

	it('leaves the page that the teaching IOMMU is described in as it is', () => {
		expect(new Names('my-iommu').translate('see Documentation/edu-iommu.md')).to.equal(
			'see Documentation/edu-iommu.md',
		);
	});

	it('takes lower-case words, and says so of anything else', () => {
		for (const good of ['a', 'my-iommu', 'a1-b2-c3']) expect(badName(good), good).to.equal(null);
		for (const bad of ['', 'iommu', 'My-iommu', '1a', '-a', 'a-', 'a--b', 'a_b', 'a b', 'a.b', 'é'])
			expect(badName(bad)).to.equal(
				`"${bad}": expected a name of lower-case letters, digits and single hyphens, such as my-iommu`,
			);
	});
});
