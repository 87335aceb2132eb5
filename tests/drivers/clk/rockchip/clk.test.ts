// SPDX-License-Identifier: GPL-2.0-only
// Places: drivers/clk/rockchip/clk-rk3399.c, clk-rk3568.c.
import { expect } from 'chai';
import {
	type clk,
	clk_disable_unprepare,
	clk_get_rate,
	clk_hw_is_enabled,
	clk_prepare_enable,
	clk_put,
	of_clk_get,
} from '#drivers/clk/clk.js';
import { of_find_node_by_path } from '#drivers/of/base.js';
import {
	__of_reset_control_get,
	RESET_CONTROL_EXCLUSIVE,
	reset_control_assert,
	reset_control_deassert,
} from '#drivers/reset/core.js';
import { CRU_RK3399, CRU_RK3568 } from '#hw/clk/rockchip-cru-tables.js';
import { IS_ERR } from '#linux/err.js';
import { boardBlob, bootMachine } from '#tests/boot.js';

/** A clock of the node at @path. */
function clockOf(path: string, index: number): clk {
	const found = of_clk_get(of_find_node_by_path(path), index);
	if (IS_ERR(found)) throw new Error(`no clock ${index} of ${path}`);
	return found as clk;
}

describe('drivers_clk_rockchip_clk', () => {
	it('lets a clock run, and those before it, while somebody wants it', () => {
		const { machine } = bootMachine('rk3399-iommus');
		const { registers } = machine.model('ff760000.clock-controller');
		const gate = (con: number, bit: number): number => (registers!.get('CLKGATE_CON', con) >>> bit) & 1;
		// hclk_vop0 (28.2) hangs on hclk_vop0_pre (10.9), and that on aclk_vop0_pre (10.8).
		const hclk = clockOf('/vop@ff900000', 2);
		expect(clk_prepare_enable(hclk)).to.equal(0);
		expect([gate(28, 2), gate(10, 9), gate(10, 8)]).to.deep.equal([0, 0, 0]);
		expect(clk_hw_is_enabled(hclk.core!.hw!)).to.equal(true);
		clk_disable_unprepare(hclk);
		expect([gate(28, 2), gate(10, 9), gate(10, 8)]).to.deep.equal([1, 1, 1]);
		expect(clk_hw_is_enabled(hclk.core!.hw!)).to.equal(false);
		clk_put(hclk);
	});

	it('has the same gates as the machine, for every clock that the boards name', () => {
		for (const [board, cru, table] of [
			['rk3399-iommus', 'ff760000.clock-controller', CRU_RK3399],
			['rk3568-iommus', 'fdd20000.clock-controller', CRU_RK3568],
		] as const) {
			const { machine } = bootMachine(board);
			const { registers } = machine.model(cru);
			const masters = [...machine.tree.walk()].filter((node) => node.has('iommus'));
			for (const node of masters)
				node.clocks.forEach(({ args }, i) => {
					const [, name, con, bit] = table.gates.find(([id]) => id === args[0])!;
					const found = clockOf(node.path, i);
					expect(found.core!.name).to.equal(name);
					clk_prepare_enable(found);
					clk_disable_unprepare(found);
					if (con >= 0) expect((registers!.get('CLKGATE_CON', con) >>> bit) & 1, name).to.equal(1);
					clk_put(found);
				});
		}
	});

	it('gives the rate of the crystal, and a dummy for a clock that is not in its tables', () => {
		bootMachine('rk3399-iommus');
		expect(clk_get_rate(clockOf('/vop@ff900000', 0))).to.equal(24000000);
		// SCLK_UART0: the tree of the test has it in the place of aclk_vop0.
		const blob = boardBlob('rk3399-iommus');
		const vop = Buffer.from(blob).indexOf('vop@ff900000');
		const at = blob.indexOf(217, vop);
		blob[at] = 81;
		bootMachine(blob);
		const dummy = clockOf('/vop@ff900000', 0);
		expect(dummy.core!.name).to.equal('clock-controller@ff760000-dummy-81');
		expect(clk_prepare_enable(dummy)).to.equal(0);
		clk_disable_unprepare(dummy);
	});

	it('holds and releases a reset by its bit alone', () => {
		const { machine } = bootMachine('rk3399-iommus');
		const { registers } = machine.model('ff760000.clock-controller');
		const rst = __of_reset_control_get(
			of_find_node_by_path('/vop@ff900000')!,
			'ahb',
			0,
			RESET_CONTROL_EXCLUSIVE,
		);
		if (rst === null || IS_ERR(rst)) throw new Error('no reset');
		// SRST_H_VOP0 = 278: word 17, bit 6.
		reset_control_assert(rst);
		expect(registers!.get('SOFTRST_CON', 17)).to.equal(1 << 6);
		reset_control_deassert(rst);
		expect(registers!.get('SOFTRST_CON', 17)).to.equal(0);
	});
});
