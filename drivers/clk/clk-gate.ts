// SPDX-License-Identifier: GPL-2.0-only
// A clock with one bit that lets it through.
// Linux 6.12: drivers/clk/clk-gate.c; struct and flags: include/linux/clk-provider.h
import { BIT } from '#linux/bits.js';
import { clk_hw, type clk_ops } from '#linux/clk-provider.js';
import { readl, writel } from '#linux/io.js';
import { spin_lock_irqsave, spin_unlock_irqrestore, spinlock_t } from '#linux/spinlock.js';
import type { __iomem, bool, int, u8, u32 } from '#linux/types.js';

/** A set bit stops the clock. */
export const CLK_GATE_SET_TO_DISABLE = 1 << 0;
/** The upper half of a written word says which bits of the lower one are meant. */
export const CLK_GATE_HIWORD_MASK = 1 << 1;

export class clk_gate extends clk_hw {
	reg: __iomem = 0;
	bit_idx: u8 = 0;
	flags: u8 = 0;
	lock: spinlock_t = new spinlock_t('clk_gate.lock');
}

function clk_gate_endisable(hw: clk_hw, enable: bool): void {
	const gate = hw as clk_gate;
	const set = ((gate.flags & CLK_GATE_SET_TO_DISABLE) !== 0) !== enable;
	let reg: u32;

	const flags = spin_lock_irqsave(gate.lock);
	if ((gate.flags & CLK_GATE_HIWORD_MASK) !== 0) {
		reg = BIT(gate.bit_idx + 16);
		if (set) reg |= BIT(gate.bit_idx);
	} else {
		reg = readl(gate.reg);
		if (set) reg |= BIT(gate.bit_idx);
		else reg &= ~BIT(gate.bit_idx);
	}
	writel(reg >>> 0, gate.reg);
	spin_unlock_irqrestore(gate.lock, flags);
}

function clk_gate_enable(hw: clk_hw): int {
	clk_gate_endisable(hw, true);
	return 0;
}

function clk_gate_disable(hw: clk_hw): void {
	clk_gate_endisable(hw, false);
}

/** Whether the bit lets the clock through: 1 or 0 (drivers/clk/clk-gate.c: clk_gate_is_enabled()). */
export function clk_gate_is_enabled(hw: clk_hw): int {
	const gate = hw as clk_gate;
	const set = (readl(gate.reg) & BIT(gate.bit_idx)) !== 0;
	return set !== ((gate.flags & CLK_GATE_SET_TO_DISABLE) !== 0) ? 1 : 0;
}

export const clk_gate_ops: clk_ops = {
	enable: clk_gate_enable,
	disable: clk_gate_disable,
	is_enabled: clk_gate_is_enabled,
	recalc_rate: (_hw, parent_rate) => parent_rate,
};
