// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import {
	CLK_GATE_HIWORD_MASK,
	CLK_GATE_SET_TO_DISABLE,
	clk_gate,
	clk_gate_is_enabled,
	clk_gate_ops,
} from '#drivers/clk/clk-gate.js';
import { of_iomap } from '#drivers/of/address.js';
import { of_find_node_by_path } from '#drivers/of/base.js';
import { readl, writel } from '#linux/io.js';
import { bootMachine } from '#tests/boot.js';

/** A gate at bit 3 of a word that holds what is written (a divider's of the clock unit). */
function gate(flags: number): clk_gate {
	bootMachine('rk3399-iommus');
	const made = new clk_gate();
	made.reg = of_iomap(of_find_node_by_path('/clock-controller@ff760000')!, 0)! + 0x100;
	made.bit_idx = 3;
	made.flags = flags;
	writel(0xf0, made.reg);
	return made;
}

describe('clk_gate', () => {
	// [flags, word when it runs, when it does not]
	for (const [flags, on, off] of [
		[0, 0xf8, 0xf0],
		[CLK_GATE_SET_TO_DISABLE, 0xf0, 0xf8],
		[CLK_GATE_HIWORD_MASK, 0x80008, 0x80000],
		[CLK_GATE_HIWORD_MASK | CLK_GATE_SET_TO_DISABLE, 0x80000, 0x80008],
	] as const)
		it(`writes 0x${on.toString(16)} to let it run, 0x${off.toString(16)} to stop it (flags ${flags})`, () => {
			const g = gate(flags);
			expect(clk_gate_ops.enable!(g)).to.equal(0);
			expect([readl(g.reg), clk_gate_is_enabled(g)]).to.deep.equal([on, 1]);
			clk_gate_ops.disable!(g);
			expect([readl(g.reg), clk_gate_is_enabled(g)]).to.deep.equal([off, 0]);
		});
});
