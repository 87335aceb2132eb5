// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import { regmap_read } from '#drivers/base/regmap/regmap.js';
import { syscon_node_to_regmap } from '#drivers/mfd/syscon.js';
import { of_find_node_by_path } from '#drivers/of/base.js';
import { IS_ERR, PTR_ERR } from '#linux/err.js';
import { EINVAL, EIO } from '#linux/errno.js';
import { ref } from '#linux/types.js';
import { bootMachine } from '#tests/boot.js';

describe('syscon', () => {
	it('has one map for all who use a node, as large as its registers', () => {
		bootMachine('rk3399-iommus');
		const pmu = of_find_node_by_path('/power-management@ff310000')!;
		const map = syscon_node_to_regmap(pmu);
		if (IS_ERR(map)) throw new Error(`${PTR_ERR(map)}`);
		expect(syscon_node_to_regmap(pmu)).to.equal(map);
		const value = new ref<number>(1);
		expect(regmap_read(map, 0x40, value)).to.equal(0);
		expect(regmap_read(map, 0x1000, value)).to.equal(-EIO);
	});

	it('refuses a node that is none', () => {
		bootMachine('rk3399-iommus');
		const map = syscon_node_to_regmap(of_find_node_by_path('/vop@ff900000')!);
		expect(IS_ERR(map) && PTR_ERR(map)).to.equal(-EINVAL);
	});
});
